"""Regions to decisions: the only place with policy.

Why: text repeats for good reasons. A scraper's copy is a whole part of the document laid down again: next to its
original, interleaved with it, or as prose on its own. A refrain alternates with new verses of its own shape, a clause
recurs inside a structure, a quotation is introduced as one. Each rule below has an id, which reports and manifests use.

Removed:  whole-copy, prose-copy, interleaved-copy, glued-copy, truncated-copy, head-and-foot-list
Kept:     too-short, quotation, pull-quote, list, code, refrain, clause, figures, part-of-paragraph, contested
Copies that differ have rules of their own, in near.py.
"""

from bisect import bisect_left

from dedup.config import Config
from dedup.evidence import CLOSERS, STOPS, broken_off, in_lines, paragraphs, soft, texture, torn
from dedup.model import Decision, Match, Page, Piece, Region, Span
from dedup.structure import (
    BULLETS,
    Sections,
    coded,
    fences,
    in_code,
    in_fields,
    in_lists,
    in_rows,
    quoted,
    under_heads,
    under_notices,
)

REASONS = {
    "whole-copy": "the body of the document again, next to its original",
    "prose-copy": "paragraphs of prose again",
    "interleaved-copy": "each paragraph again, right after itself",
    "glued-copy": "whole sentences again, inside a line",
    "truncated-copy": "the start of a longer copy, broken off",
    "head-and-foot-list": "a list at the head of the page, again at its foot",
    "too-short": "too short to be sure",
    "quotation": "a quotation, introduced or marked as one",
    "pull-quote": "a sentence of a paragraph, set apart on purpose",
    "list": "rows of a list or table",
    "code": "code, or data written as code",
    "refrain": "a refrain among verses of its own shape",
    "clause": "a clause that recurs inside a structure of its own",
    "part-of-paragraph": "only a part of a paragraph or sentence repeats",
    "figures": "the same words, but a figure has another sign, currency or unit",
    "contested": "another removal needs this text as its witness",
    "near-copy": "a copy that differs in some words",
    "near-facts": "near copy, kept",
    "near-unlike": "an edited copy, less alike than asked",
    "near-chance": "words in common, too few for a copy",
}

_LARGE = 3  # times the shortest lone paragraph: what is copied on this scale is no refrain
_NEXT = 4  # lines that may stand between a lead and its copy, and of those after it that tell what it leads into
_WRAPPED = 45  # characters that the lines of wrapped text have at least, on average


def decide(
    page: Page, regions: list[Region], ragged: list[Match], blocked: dict[Piece, str], config: Config, weight: float
) -> list[Decision]:
    """Return one decision for each piece of each region, and one (kept) for each ragged match.

    `blocked` pieces cannot go whatever the rules say, each for a reason; `weight` is what a word counts where sizes
    are judged. The witness of every removal stands in text that no decision of the list removes.
    """
    judge = _Judge(page, config, weight, texture(_outside(page, regions), weight))
    total = len(page.words.starts)
    gone, held = bytearray(total), bytearray(total)
    out: list[Decision] = []
    for region in sorted(regions, key=lambda r: -sum(p.size for p in r.pieces)):
        rule, removed = judge.rule(region)
        for piece in region.pieces:
            kept = piece.witness
            if removed and piece in blocked:
                out.append(Decision(piece, blocked[piece], False))
            elif removed and any(
                x.find(1, *span) >= 0 for x, span in ((gone, kept), (gone, piece[:2]), (held, piece[:2]))
            ):
                out.append(Decision(piece, "contested", False))
            else:
                out.append(Decision(piece, rule, removed))
                if removed:
                    gone[piece.start : piece.end] = b"\1" * piece.size
                    held[kept[0] : kept[1]] = b"\1" * (kept[1] - kept[0])
    for left, right, length in ragged:
        rule = "too-short" if length * weight < config.min_paragraph else "part-of-paragraph"
        run = right, right + length
        out.append(Decision(Piece(*run, left - right, "sentences", run), rule, False))
    return out


# ---------------------------------------------------------------- evidence


def _outside(page: Page, regions: list[Region]) -> list[tuple[int, int]]:
    """The paragraphs (first and last word) that no region would take."""
    taken = bytearray(len(page.words.starts))
    for region in regions:
        for piece in region.pieces:
            taken[piece.start : piece.end] = b"\1" * piece.size
    return [(a, b) for a, b in zip(page.first, page.first[1:], strict=False) if a < b and not taken[a]]


class _Judge:
    """The rules, in the order in which they are asked."""

    def __init__(self, page: Page, config: Config, weight: float, texture: float) -> None:
        self.page, self.config, self.weight, self.texture = page, config, weight, texture
        self.total = len(page.words.starts)
        self.code = fences(page)
        self.sections = Sections(page)

    def rule(self, region: Region) -> tuple[str, bool]:
        """Return the rule that decides on `region`, and whether it goes."""
        config, pieces = self.config, region.pieces
        words = sum(p.size for p in pieces)
        size = words * self.weight
        copies, originals = [(p.start, p.end) for p in pieces], [p.witness for p in pieces]
        lines = max(self._lines(copies), self._lines(originals))
        if region.interleaved:
            if in_code(self.code, [*copies, *originals]) or coded(self.page, copies):
                return "code", False
            return ("interleaved-copy", True) if lines >= config.min_words else ("refrain", False)
        tandem = self._tandem(pieces)
        large = size >= _LARGE * config.min_paragraph
        # A line that is said over and over repeats itself too: a body is longer than that.
        body = large and abs(pieces[0].shift) * self.weight >= config.min_paragraph and 3 * words >= self.total
        if not (body and tandem) and (
            in_code(self.code, [*copies, *originals]) or coded(self.page, [*copies, *originals])
        ):
            return "code", False
        if pieces[0].unit == "stub":
            return "truncated-copy", True
        if pieces[0].unit == "sentences":
            if not tandem and any(self._wrapped(span) for span in copies):
                return "clause", False
            return ("glued-copy", True) if tandem or lines >= config.min_paragraph else ("clause", False)
        if body and tandem:
            return "whole-copy", True
        if size < config.min_paragraph:
            return "too-short", False
        copy, original = (pieces[0].start, pieces[-1].end), pieces[0].witness
        notices = under_notices(self.page, copy[0], original[0])
        if notices or in_fields(self.page, copy, original) or (not body and under_heads(self.page, copy, original)):
            return "clause", False
        if not body and not tandem:
            edges = (copy[0], original[0]), (copy[1], pieces[-1].witness[1])
            if any(torn(self.page, a) and torn(self.page, b) for a, b in edges):
                return "part-of-paragraph", False
            if in_lists(self.page, copy, original):
                return "list", False
            if self.sections.closed(copy, original):
                return "clause", False
        if not tandem and quoted(self.page, copy, original):
            return "quotation", False
        if lines >= config.min_paragraph and self._broken_off(pieces[-1]):
            return "truncated-copy", True
        if not tandem and not config.pull_quotes and self._pulled(pieces) and size < config.min_sentences:
            return "pull-quote", False
        if lines >= config.min_paragraph and (tandem or not self._listed(pieces)):
            prose = large or self.texture >= config.min_texture or self._lead(copy, original)
            return ("prose-copy", True) if prose else ("refrain", False)
        if self._head_and_foot(pieces) and size >= config.min_list:
            return "head-and-foot-list", True
        return self._short_lines(pieces), False

    def _lines(self, spans: list[Span]) -> float:
        return texture(in_lines(self.page, spans), self.weight)

    def _lead(self, copy: Span, original: Span) -> bool:
        """Whether sentences stand again after a few short lines, a caption or a byline, and prose follows them."""
        page, first = self.page, self.page.first
        upper, lower = sorted((paragraphs(page, copy), paragraphs(page, original)), key=lambda own: own[0])
        between, after = range(upper[-1] + 1, lower[0]), lower[-1] + 1
        follows = range(after, min(after + _NEXT, len(first) - 1))
        return (
            len(between) <= _NEXT
            and page.line(lower[-1]).rstrip(CLOSERS)[-1:] in STOPS
            and all((first[p + 1] - first[p]) * self.weight < self.config.min_paragraph for p in between)
            and texture([(first[p], first[p + 1]) for p in follows], self.weight) >= self.config.min_texture
        )

    def _wrapped(self, span: Span) -> bool:
        """Whether a sentence goes on from one line to the next in a stretch."""
        return any(soft(self.page, p) for p in paragraphs(self.page, span)[1:])

    def _broken_off(self, piece: Piece) -> bool:
        """Whether the copy ends in an ellipsis that its original does not have."""
        return broken_off(self.page, piece.end) and not broken_off(self.page, piece.end + piece.shift)

    def _tandem(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether no word stands between the copy and its original."""
        kept = [p.witness for p in pieces]
        return max(k[1] for k in kept) == pieces[0].start or min(k[0] for k in kept) == pieces[-1].end

    def _pulled(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the copy is one paragraph, and its original a part of a longer one."""
        first = self.page.first
        p, q = self.page.paragraph(pieces[0].start), bisect_left(first, pieces[-1].end)
        start, end = pieces[0].witness
        inside = self.page.paragraph(start)
        return q - p == 1 and (first[inside], first[inside + 1]) != (start, end)

    def _listed(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the copy is a list, as its original is."""
        return in_rows(self.page, [(p.start, p.end) for p in pieces]) and in_rows(
            self.page, [p.witness for p in pieces]
        )

    def _short_lines(self, pieces: tuple[Piece, ...]) -> str:
        """The reason why a repeat of short lines stays: a list, a clause of wrapped lines, or a refrain."""
        first = self.page.first
        lines = [
            self.page.line(i).strip()
            for piece in pieces
            for i in range(self.page.paragraph(piece.start), bisect_left(first, piece.end))
        ]
        rows = sum("\t" in line or "|" in line or line[:1] in BULLETS or line[:1].isdecimal() for line in lines)
        if self.texture >= self.config.min_texture or 2 * rows > len(lines):
            return "list"
        return "clause" if sum(map(len, lines)) >= _WRAPPED * len(lines) else "refrain"

    def _head_and_foot(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the list and its copy enclose the document, and what they enclose is prose."""
        kept = [p.witness for p in pieces]
        start = min(pieces[0].start, *(k[0] for k in kept))
        end = max(pieces[-1].end, *(k[1] for k in kept))
        if max(k[1] for k in kept) - min(k[0] for k in kept) > 1.5 * sum(p.size for p in pieces):
            return False
        margin = 0.05 * self.total
        return start <= margin and end >= self.total - margin and self.texture >= self.config.min_paragraph
