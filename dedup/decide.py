"""Regions to decisions: the only place with policy.

Why: text repeats for good reasons. A scraper's copy is a whole part of the document laid down again: next to its
original, interleaved with it, or as prose on its own. A refrain alternates with new verses of its own shape, a clause
recurs inside a structure, a quotation is introduced as one. Each rule below has an id, which reports and manifests use.

Removed:  whole-copy, prose-copy, interleaved-copy, glued-copy, truncated-copy, head-and-foot-list
Kept:     too-short, quotation, pull-quote, list, refrain, clause, part-of-paragraph, contested
"""

from bisect import bisect_left, bisect_right

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


def decide(page: Page, regions: list[Region], ragged: list[Match], config: Config, solo: bool) -> list[Decision]:
    """Return one decision for each piece of each region, and one (kept) for each ragged match.

    `solo`: whether the words are characters of a script without spaces, which count half. The witness of every removal
    stands in text that no decision of the list removes.
    """
    weight = _SOLO_WEIGHT if solo else 1.0
    judge = _Judge(page, config, weight, _texture(page, _outside(page, regions), weight))
    total = len(page.words.starts)
    gone, held = bytearray(total), bytearray(total)
    out: list[Decision] = []
    order = sorted(range(len(regions)), key=lambda i: (-sum(p.end - p.start for p in regions[i].pieces), i))
    for group in order:
        region = regions[group]
        rule, removed = judge.rule(region)
        for piece in region.pieces:
            kept = _witness(piece)
            free = all(x.find(1, *span) < 0 for x, span in ((gone, kept), (gone, piece[:2]), (held, piece[:2])))
            if removed and _seamless(page, piece):
                out.append(_decision(page, piece, "part-of-paragraph", False))
                continue
            if removed and free:
                gone[piece.start : piece.end] = b"\1" * (piece.end - piece.start)
                held[kept[0] : kept[1]] = b"\1" * (kept[1] - kept[0])
            out.append(_decision(page, piece, rule if free or not removed else "contested", removed and free))
    for left, right, length in ragged:
        piece = Piece(right, right + length, left - right, "sentences", (right, right + length))
        rule = "too-short" if length * weight < config.min_paragraph else "part-of-paragraph"
        out.append(_decision(page, piece, rule, False))
    return _disjoint(sorted(out, key=lambda d: d.copy))


def _disjoint(decisions: list[Decision]) -> list[Decision]:
    """A cut takes the white space before it; where that went with another cut already, it starts after that."""
    at, out = 0, []
    for decision in decisions:
        if decision.removed:
            decision = decision._replace(copy=(max(at, decision.copy[0]), decision.copy[1]))
            at = decision.copy[1]
        out.append(decision)
    return out


def _witness(piece: Piece) -> Span:
    """The words that `piece` repeats; one period of them where the run overlaps itself."""
    start = piece.start + piece.shift
    return start, min(piece.end + piece.shift, piece.start) if piece.shift < 0 else piece.end + piece.shift


def _decision(page: Page, piece: Piece, rule: str, removed: bool) -> Decision:
    """The decision on `piece`; what is kept is told as the whole run, the later side as the copy."""
    if not removed:
        start, end = piece.run if piece.shift < 0 else (at + piece.shift for at in piece.run)
        piece = Piece(start, end, -abs(piece.shift), piece.unit, piece.run)
    kept_start, kept_end = _witness(piece)
    kept = _stretch(page, kept_start, kept_end)
    copy = _cut(page, piece) if removed else _stretch(page, piece.start, piece.end)
    return Decision(rule, copy, kept, piece.end - piece.start, removed)


def _stretch(page: Page, start: int, end: int) -> Span:
    """The characters of the words start:end, with the marks around them where they begin or end a paragraph."""
    first, (starts, ends), words = page.first, page.paragraphs, page.words
    p, q = bisect_right(first, start) - 1, bisect_left(first, end) - 1
    return starts[p] if first[p] == start else words.starts[start], ends[q] if first[q + 1] == end else words.end(
        end - 1
    )


def _cut(page: Page, piece: Piece) -> Span:
    """The characters that go with the words of `piece`: whole paragraphs go with their terminators."""
    (starts, ends), words, first, text = page.paragraphs, page.words, page.first, page.text
    p, q = bisect_right(first, piece.start) - 1, bisect_left(first, piece.end) - 1
    opens, closes = first[p] == piece.start, first[q + 1] == piece.end
    if opens and closes:
        q += _wordless(page, q, piece.shift)
        last = q + 1 == len(starts)
        start, end = starts[p], len(text) if last else starts[q + 1]
        return (_unblank(text, ends[p - 1], start) if last and p else start), end
    start = starts[p] if opens else _lead(page, piece.start, piece.shift)
    if closes:
        while text[start - 1 : start] in (" ", "\t"):
            start -= 1
        return start, ends[q]
    end = words.end(piece.end - 1)
    if piece.unit == "stub":
        return start, end
    return start, _lead(page, piece.end, piece.shift)


def _seamless(page: Page, piece: Piece) -> bool:
    """Whether the words before and after the cut would run together."""
    words, (start, end) = page.words, _cut(page, piece)
    before, after = piece.start - 1, piece.end
    return 0 <= before < after < len(words.starts) and words.end(before) == start and words.starts[after] == end


def _wordless(page: Page, q: int, shift: int) -> int:
    """How many paragraphs without words follow paragraph `q` as the same marks follow its witness: they go with it."""
    first, ends, text, words = page.first, page.paragraphs.ends, page.text, page.words
    end, more = first[q + 1], 0
    if q + 2 >= len(first) or first[q + 2] != end:
        return 0
    at = _after(text, words.end(end + shift - 1), text[words.end(end - 1) : ends[q]])
    while at >= 0 and q + more + 2 < len(first) and first[q + more + 2] == end:
        at = _after(text, at, text[ends[q + more] : ends[q + more + 1]])
        more += at >= 0
    return more


def _after(text: str, at: int, marks: str) -> int:
    """Where `marks` end if they stand at `at`, white space apart; else -1."""
    for mark in marks:
        if mark.isspace():
            continue
        while at < len(text) and text[at].isspace():
            at += 1
        if text[at : at + 1] != mark:
            return -1
        at += 1
    return at


def _lead(page: Page, word: int, shift: int) -> int:
    """Where a sentence starts whose first word is `word`: with the opening marks that its other copy has too.

    Where the other copy begins a paragraph, all marks before its first word are its own.
    """
    text, words, first = page.text, page.words, page.first
    at = words.starts[word]
    if word + shift >= len(words.starts):
        return at
    twin, floor = words.starts[word + shift], words.end(word - 1) if word else 0
    twin_floor = words.end(word + shift - 1) if word + shift else 0
    any_mark = first[bisect_left(first, word + shift)] == word + shift
    while at > floor and twin > twin_floor and text[at - 1] == text[twin - 1]:
        if text[at - 1].isspace() or not (any_mark or text[at - 1] in _OPENERS):
            break
        at, twin = at - 1, twin - 1
    return at


def _unblank(text: str, start: int, end: int) -> int:
    """Where the first line end in text[start:end] ends: blank lines before a removed tail go with it."""
    for at in range(start, end):
        if text[at] in "\r\n":
            return at + 1 + (text[at : at + 2] == "\r\n")
    return end


# ---------------------------------------------------------------- evidence


def _outside(page: Page, regions: list[Region]) -> list[tuple[int, int]]:
    """The paragraphs (first and last word) that no region would take."""
    taken = bytearray(len(page.words.starts))
    for region in regions:
        for piece in region.pieces:
            taken[piece.start : piece.end] = b"\1" * (piece.end - piece.start)
    return [(a, b) for a, b in zip(page.first, page.first[1:], strict=False) if a < b and not taken[a]]


def _texture(page: Page, paragraphs: list[tuple[int, int]], weight: float) -> float:
    """Half of the words stand in lines of at least this many words: 25 and more in articles, under 16 in verse."""
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
        words = sum(p.end - p.start for p in pieces)
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
            start, end = _witness(piece) if witness else piece[:2]
            p, q = bisect_right(self.page.first, start) - 1, bisect_left(self.page.first, end)
            out += [
                (max(a, start), min(b, end))
                for a, b in zip(self.page.first[p:q], self.page.first[p + 1 : q + 1], strict=True)
            ]
        return _texture(self.page, out, self.weight)

    def _broken_off(self, piece: Piece) -> bool:
        """Whether the copy ends in an ellipsis that its original does not have."""
        text, words = self.page.text, self.page.words
        tails = [text[words.end(at - 1) : words.end(at - 1) + 6] for at in (piece.end, piece.end + piece.shift)]
        broken = ["..." in tail or "\u2026" in tail for tail in tails]
        return broken[0] and not broken[1]

    def _tandem(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether no word stands between the copy and its original."""
        kept = [_witness(p) for p in pieces]
        return max(k[1] for k in kept) == pieces[0].start or min(k[0] for k in kept) == pieces[-1].end

    def _quoted(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether one side is a few paragraphs with a quote sign, or introduced by a line that ends in a colon."""
        sides = (pieces[0].start, pieces[-1].end), (_witness(pieces[0])[0], _witness(pieces[-1])[1])
        marked = [self._text(self._paragraph(start)).lstrip().startswith(_QUOTES) for start, _ in sides]
        introduced = [
            p > 0 and self._text(p - 1).rstrip().endswith((":", "\uff1a"))
            for p in (self._paragraph(start) for start, _ in sides)
        ]
        few = bisect_left(self.page.first, sides[0][1]) - self._paragraph(sides[0][0]) <= _QUOTED
        return few and (marked[0] != marked[1] or introduced[0] != introduced[1])

    def _paragraph(self, word: int) -> int:
        return bisect_right(self.page.first, word) - 1

    def _text(self, p: int) -> str:
        starts, ends = self.page.paragraphs
        return self.page.text[starts[p] : ends[p]]

    def _pulled(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the copy is one paragraph, and its original a part of a longer one."""
        first = self.page.first
        p, q = bisect_right(first, pieces[0].start) - 1, bisect_left(first, pieces[-1].end)
        start, end = _witness(pieces[0])
        inside = bisect_right(first, start) - 1
        return q - p == 1 and (first[inside], first[inside + 1]) != (start, end)

    def _listed(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the copy is a list, as its original is."""
        return self._rows([(p.start, p.end) for p in pieces]) and self._rows([_witness(p) for p in pieces])

    def _rows(self, spans: list[Span]) -> bool:
        """Whether most of these words stand in lines that end no sentence, or the lines are numbered."""
        first = self.page.first
        rows = [i for start, end in spans for i in range(self._paragraph(start), bisect_left(first, end))]
        lines = [self._text(i).rstrip(_CLOSERS) for i in rows]
        sizes = [first[i + 1] - first[i] for i in rows]
        prose = sum(size for size, line in zip(sizes, lines, strict=True) if line.endswith(_STOPS))
        numbers = sum(line.strip(" \t.()").isdecimal() for line in lines)
        return len(rows) > 1 and (2 * prose < sum(sizes) or 4 * numbers >= len(rows))

    def _short_lines(self, pieces: tuple[Piece, ...]) -> str:
        """The reason why a repeat of short lines stays: a list, a clause of wrapped lines, or a refrain."""
        first = self.page.first
        lines = [
            self._text(i).strip()
            for piece in pieces
            for i in range(self._paragraph(piece.start), bisect_left(first, piece.end))
        ]
        rows = sum("\t" in line or "|" in line or line[:1] in _BULLETS or line[:1].isdecimal() for line in lines)
        if self.texture >= self.config.min_texture or 2 * rows > len(lines):
            return "list"
        return "clause" if sum(map(len, lines)) >= _WRAPPED * len(lines) else "refrain"

    def _head_and_foot(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the list and its copy enclose the document, and what they enclose is prose."""
        kept = [_witness(p) for p in pieces]
        start = min(pieces[0].start, *(k[0] for k in kept))
        end = max(pieces[-1].end, *(k[1] for k in kept))
        if max(k[1] for k in kept) - min(k[0] for k in kept) > 1.5 * sum(p.end - p.start for p in pieces):
            return False
        margin = 0.05 * self.total
        return start <= margin and end >= self.total - margin and self.texture >= self.config.min_paragraph
