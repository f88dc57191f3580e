"""Decisions to spans of characters: what goes with the words of a piece.

Why: a paragraph goes with its line end and the blank lines after it, so that no hole is left; a sentence with its
opening marks; a copy at the end of the text with the blank lines before it. Marks that belong to the neighbours stay.

    One.\\n\\n[Two.\\n\\n]Three.      One. [Two. ]Three.      One.\\n[\\nTwo.]
"""

from bisect import bisect_left

from dedup.evidence import OPENERS, paragraphs
from dedup.model import Decision, Page, Piece, Span, Variant
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def extents(page: Page, decisions: list[Decision]) -> list[tuple[Decision, Span, Span]]:
    """Return each decision with the characters of its copy and of its witness, in order of the copies.

    What goes is apart. What is kept is told as the whole run that repeats, the later side as the copy.
    """
    out = []
    for decision in decisions:
        piece = decision.piece
        if not decision.removed:
            start, end = piece.run if piece.shift < 0 else (at + piece.shift for at in piece.run)
            piece = Piece(start, end, -abs(piece.shift), piece.unit, piece.run)
        copy = _cut(page, piece) if decision.removed else _stretch(page, piece.start, piece.end)
        out.append((decision._replace(piece=piece), copy, _stretch(page, *piece.witness)))
    out.sort(key=lambda found: found[1])
    edges = _apart([copy for decision, copy, _ in out if decision.removed])
    return [(decision, next(edges) if decision.removed else copy, kept) for decision, copy, kept in out]


def variant_extents(page: Page, variants: list[Variant]) -> list[tuple[Variant, Span, Span, Span | None]]:
    """Return each variant with the characters of its copy and of what is kept, in order of the copies.

    Where the kept paragraphs move, the fourth is the place that they leave; the copy then is without its terminator.
    """
    out: list[tuple[Variant, Span, Span, Span | None]] = []
    for v in variants:
        rows, whole = paragraphs(page, v.copy), v.removed and not v.moved
        copy = _whole(page, rows[0], rows[-1]) if whole else _stretch(page, *v.copy)
        left = _whole(page, paragraphs(page, v.kept)[0], paragraphs(page, v.kept)[-1]) if v.moved else None
        out.append((v, copy, _stretch(page, *v.kept), left))
    out.sort(key=lambda found: found[1])
    gone = [copy for v, copy, _, _ in out if v.removed] + [left for *_, left in out if left]
    edges = dict(zip(sorted(gone), _apart(sorted(gone)), strict=True))
    return [(v, edges[copy] if v.removed else copy, kept, left and edges[left]) for v, copy, kept, left in out]


def _apart(spans: list[Span]) -> "Iterator[Span]":
    """The spans: a cut takes the white space before it; where that went with another cut, it starts after that."""
    at = 0
    for start, end in spans:
        yield max(at, start), end
        at = end


def _stretch(page: Page, start: int, end: int) -> Span:
    """The characters of the words start:end, with the marks around them where they begin or end a paragraph."""
    first, (starts, ends), words = page.first, page.paragraphs, page.words
    p, q = page.paragraph(start), bisect_left(first, end) - 1
    return starts[p] if first[p] == start else words.starts[start], ends[q] if first[q + 1] == end else words.end(
        end - 1
    )


def _cut(page: Page, piece: Piece) -> Span:
    """The characters that go with the words of `piece`: whole paragraphs go with their terminators."""
    (starts, ends), words, first, text = page.paragraphs, page.words, page.first, page.text
    p, q = page.paragraph(piece.start), bisect_left(first, piece.end) - 1
    opens, closes = first[p] == piece.start, first[q + 1] == piece.end
    if opens and closes:
        return _whole(page, p, q + _wordless(page, q, piece.shift))
    start = starts[p] if opens else _lead(page, piece.start, piece.shift)
    if closes:
        while text[start - 1 : start] in (" ", "\t"):
            start -= 1
        return start, ends[q]
    end = words.end(piece.end - 1)
    if piece.unit == "stub":
        return start, end
    return start, _lead(page, piece.end, piece.shift)


def _whole(page: Page, p: int, q: int) -> Span:
    """The characters of the paragraphs from `p` to `q` with their terminators."""
    (starts, ends), text = page.paragraphs, page.text
    last = q + 1 == len(starts)
    start, end = starts[p], len(text) if last else starts[q + 1]
    return (_unblank(text, ends[p - 1], start) if last and p else start), end


def runs_together(page: Page, piece: Piece) -> bool:
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
    text, words = page.text, page.words
    at = words.starts[word]
    if word + shift >= len(words.starts):
        return at
    twin, floor = words.starts[word + shift], words.end(word - 1) if word else 0
    twin_floor = words.end(word + shift - 1) if word + shift else 0
    any_mark = page.starts_paragraph(word + shift)
    while at > floor and twin > twin_floor and text[at - 1] == text[twin - 1]:
        if text[at - 1].isspace() or not (any_mark or text[at - 1] in OPENERS):
            break
        at, twin = at - 1, twin - 1
    return at


def _unblank(text: str, start: int, end: int) -> int:
    """Where the first line end in text[start:end] ends: blank lines before a removed tail go with it."""
    for at in range(start, end):
        if text[at] in "\r\n":
            return at + 1 + (text[at : at + 2] == "\r\n")
    return end
