"""Regions to decisions: the only place with policy.

Why: text repeats for good reasons. A scraper's copy is a whole part of the document laid down again: next to its
original, interleaved with it, or as prose on its own. A refrain alternates with new verses of its own shape, a clause
recurs inside a structure, a quotation is introduced as one. Each rule below has an id, which reports and manifests use.

Removed:  whole-copy, prose-copy, interleaved-copy, glued-copy, truncated-copy, head-and-foot-list
Kept:     too-short, quotation, pull-quote, list, refrain, clause, part-of-paragraph, contested
"""

from bisect import bisect_left

from dedup.config import Config
from dedup.model import Decision, Match, Page, Piece, Region, Span

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
    "refrain": "a refrain among verses of its own shape",
    "clause": "a clause that recurs inside a structure of short lines",
    "part-of-paragraph": "only a part of a paragraph or sentence repeats",
    "contested": "another removal needs this text as its witness",
}

_SOLO_WEIGHT = 0.5
_LARGE = 3  # times the shortest lone paragraph: what is copied on this scale is no refrain
_QUOTED = 3  # paragraphs that a quotation may have
_WRAPPED = 45  # characters that the lines of wrapped text have at least, on average
_BULLETS = ("-", "*", "\u2022", "\u2013", "\u00b7")
_QUOTES = (">", "|", "\u00bb")
_STOPS = (
    ".",
    "!",
    "?",
    "\u2026",
    ":",
    "\u3002",
    "\uff01",
    "\uff1f",
    "\u0964",
    "\u061f",
    "\u06d4",
    "\u1362",
    "\u17d4",
    "\u104b",
)
_OPENERS = "\uff08\u3010\u3008\u300a\u201c\u2018\u201e\u00ab\u00bf\u00a1([{\u300c\u300e\"'"
_CLOSERS = " \t\u00a0\"'\u201d\u2019\u00bb)]}\u300d\u300f\u200f"


def decide(
    page: Page, regions: list[Region], ragged: list[Match], blocked: set[Piece], config: Config, solo: bool
) -> list[Decision]:
    """Return one decision for each piece of each region, and one (kept) for each ragged match.

    `blocked` pieces cannot go whatever the rules say; `solo` says that the words are characters of a script without
    spaces, which count half. The witness of every removal stands in text that no decision of the list removes.
    """
    weight = _SOLO_WEIGHT if solo else 1.0
    judge = _Judge(page, config, weight, _texture(_outside(page, regions), weight))
    total = len(page.words.starts)
    gone, held = bytearray(total), bytearray(total)
    out: list[Decision] = []
    for region in sorted(regions, key=lambda r: -sum(p.size for p in r.pieces)):
        rule, removed = judge.rule(region)
        for piece in region.pieces:
            kept = piece.witness
            if removed and piece in blocked:
                out.append(Decision(piece, "part-of-paragraph", False))
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


def _texture(paragraphs: list[tuple[int, int]], weight: float) -> float:
    """Half of the words stand in lines of at least this many words: 16 and more in articles, fewer in verse."""
    sizes = sorted(b - a for a, b in paragraphs)
    half, seen = sum(sizes) / 2, 0
    for size in sizes:
        seen += size
        if seen >= half:
            return size * weight
    return 0.0


class _Judge:
    """The rules, in the order in which they are asked."""

    def __init__(self, page: Page, config: Config, weight: float, texture: float) -> None:
        self.page, self.config, self.weight, self.texture = page, config, weight, texture
        self.total = len(page.words.starts)

    def rule(self, region: Region) -> tuple[str, bool]:
        """Return the rule that decides on `region`, and whether it goes."""
        config, pieces = self.config, region.pieces
        words = sum(p.size for p in pieces)
        size = words * self.weight
        texture = max(self._lines(pieces, False), self._lines(pieces, True))
        if region.interleaved:
            return ("interleaved-copy", True) if texture >= config.min_words else ("refrain", False)
        tandem = self._tandem(pieces)
        if pieces[0].unit == "stub":
            return "truncated-copy", True
        if pieces[0].unit == "sentences":
            return ("glued-copy", True) if tandem or texture >= config.min_paragraph else ("clause", False)
        large = size >= _LARGE * config.min_paragraph
        # A line that is said over and over repeats itself too: a body is longer than that.
        body = abs(pieces[0].shift) * self.weight >= config.min_paragraph
        if tandem and large and body and 3 * words >= self.total:
            return "whole-copy", True
        if size < config.min_paragraph:
            return "too-short", False
        if not tandem and self._quoted(pieces):
            return "quotation", False
        if texture >= config.min_paragraph and self._broken_off(pieces[-1]):
            return "truncated-copy", True
        if not tandem and not config.pull_quotes and self._pulled(pieces) and size < config.min_sentences:
            return "pull-quote", False
        if texture >= config.min_paragraph and (tandem or not self._listed(pieces)):
            return ("prose-copy", True) if self.texture >= config.min_texture or large else ("refrain", False)
        if self._head_and_foot(pieces) and size >= config.min_list:
            return "head-and-foot-list", True
        return self._short_lines(pieces), False

    def _lines(self, pieces: tuple[Piece, ...], witness: bool) -> float:
        out = []
        for piece in pieces:
            start, end = piece.witness if witness else piece[:2]
            p, q = self.page.paragraph(start), bisect_left(self.page.first, end)
            out += [
                (max(a, start), min(b, end))
                for a, b in zip(self.page.first[p:q], self.page.first[p + 1 : q + 1], strict=True)
            ]
        return _texture(out, self.weight)

    def _broken_off(self, piece: Piece) -> bool:
        """Whether the copy ends in an ellipsis that its original does not have."""
        text, words = self.page.text, self.page.words
        tails = [text[words.end(at - 1) : words.end(at - 1) + 6] for at in (piece.end, piece.end + piece.shift)]
        broken = ["..." in tail or "\u2026" in tail for tail in tails]
        return broken[0] and not broken[1]

    def _tandem(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether no word stands between the copy and its original."""
        kept = [p.witness for p in pieces]
        return max(k[1] for k in kept) == pieces[0].start or min(k[0] for k in kept) == pieces[-1].end

    def _quoted(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether one side is a few paragraphs with a quote sign, or introduced by a line that ends in a colon."""
        sides = (pieces[0].start, pieces[-1].end), (pieces[0].witness[0], pieces[-1].witness[1])
        marked = [self.page.line(self.page.paragraph(start)).lstrip().startswith(_QUOTES) for start, _ in sides]
        introduced = [
            p > 0 and self.page.line(p - 1).rstrip().endswith((":", "\uff1a"))
            for p in (self.page.paragraph(start) for start, _ in sides)
        ]
        few = bisect_left(self.page.first, sides[0][1]) - self.page.paragraph(sides[0][0]) <= _QUOTED
        return few and (marked[0] != marked[1] or introduced[0] != introduced[1])

    def _pulled(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the copy is one paragraph, and its original a part of a longer one."""
        first = self.page.first
        p, q = self.page.paragraph(pieces[0].start), bisect_left(first, pieces[-1].end)
        start, end = pieces[0].witness
        inside = self.page.paragraph(start)
        return q - p == 1 and (first[inside], first[inside + 1]) != (start, end)

    def _listed(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the copy is a list, as its original is."""
        return self._rows([(p.start, p.end) for p in pieces]) and self._rows([p.witness for p in pieces])

    def _rows(self, spans: list[Span]) -> bool:
        """Whether most of these words stand in lines that end no sentence, or the lines are numbered."""
        first = self.page.first
        rows = [i for start, end in spans for i in range(self.page.paragraph(start), bisect_left(first, end))]
        lines = [self.page.line(i).rstrip(_CLOSERS) for i in rows]
        sizes = [first[i + 1] - first[i] for i in rows]
        prose = sum(size for size, line in zip(sizes, lines, strict=True) if line.endswith(_STOPS))
        numbers = sum(line.strip(" \t.()").isdecimal() for line in lines)
        return len(rows) > 1 and (2 * prose < sum(sizes) or 4 * numbers >= len(rows))

    def _short_lines(self, pieces: tuple[Piece, ...]) -> str:
        """The reason why a repeat of short lines stays: a list, a clause of wrapped lines, or a refrain."""
        first = self.page.first
        lines = [
            self.page.line(i).strip()
            for piece in pieces
            for i in range(self.page.paragraph(piece.start), bisect_left(first, piece.end))
        ]
        rows = sum("\t" in line or "|" in line or line[:1] in _BULLETS or line[:1].isdecimal() for line in lines)
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
