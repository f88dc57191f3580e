"""A match to a piece: which side of it could go, and in which units.

Why: a match is a run of words, but a text is repaired in paragraphs. A copy may begin in the middle of a line (glued),
be one line where its original has twenty, or break off with an ellipsis. For each match this stage finds the side that
is made of whole paragraphs, or of whole sentences where a copy is glued to other text; and of two such sides, the one
that is worse preserved.

    P1 P2 P3 | P1 P2 P3            the later paragraphs
    P1P2P3 in one line | P1 P2 P3  the line
    P1 P2 P3.P1 P2 P3              the later sentences, from the seam on
"""

from bisect import bisect_left, bisect_right

from dedup.config import Config
from dedup.evidence import MARKER, break_mark, ends_sentence, garbled, garbled_on, soft
from dedup.model import Match, Page, Piece

_SLACK = 2  # words by which a run may overshoot a sentence by chance
_PREFERRED = ("stub", "paragraphs", "sentences")
_EDIT = 16  # words that an edit inside a copy may change, add or leave out


def find_piece(page: Page, match: Match, config: Config) -> Piece | None:
    """Return the stretch of a match that could go, on the side that should; None if nothing would be left whole."""
    gap = match.right - match.left
    right = _side(page, match.right, match.length, -gap, gap <= match.length + _SLACK, config)
    if gap + _SLACK < match.length:  # the run overlaps itself: periodic text, only the later copies can go
        return right
    left = _side(page, match.left, match.length, gap, gap <= match.length + _SLACK, config)
    if left and left.size > gap:
        return right
    if not left or not right:
        return left or right
    more, less = (left, right) if left.size > right.size else (right, left)
    if less.size < 0.8 * more.size:
        return more
    if left.unit != right.unit:
        return min(left, right, key=lambda piece: _PREFERRED.index(piece.unit))
    return left if _better(page, right, left, config) else right


def _edited(page: Page, piece: Piece) -> bool:
    """Whether the piece stands at the same place in its paragraph as its original does: a part of an edited copy."""
    first = page.first

    def margins(start: int, end: int) -> tuple[int, int]:
        return start - first[page.paragraph(start)], first[bisect_left(first, end)] - end

    copy = margins(piece.start, piece.end)
    kept = margins(piece.start + piece.shift, piece.end + piece.shift)
    return any(a and b and abs(a - b) <= _EDIT for a, b in zip(copy, kept, strict=True))


def _side(page: Page, start: int, length: int, shift: int, tandem: bool, config: Config) -> Piece | None:
    """The part of one side of a match that could go: whole paragraphs, or whole sentences of a glued copy."""
    first, end = page.first, start + length
    p, q = bisect_left(first, start), page.paragraph(end)
    while p < q and not (_hard(page, first[p]) or page.starts_paragraph(first[p] + shift)):
        p = bisect_right(first, first[p])
    while q > p and not (_hard(page, first[q]) or page.starts_paragraph(first[q] + shift)):
        q = bisect_left(first, first[q]) - 1
    whole = (
        Piece(first[p], first[q], shift, "paragraphs", (start, end))
        if p < q and first[q] - first[p] >= config.min_words
        else None
    )
    glued = _sentences(page, start, end, shift, tandem)
    if glued and abs(shift) >= config.min_paragraph and glued.size > (whole.size if whole else 0):
        least = config.min_paragraph if tandem or glued.unit == "stub" else config.min_sentences
        if glued.size >= least and (tandem or glued.unit == "stub" or not _edited(page, glued)):
            return glued
    return whole


def _sentences(page: Page, start: int, end: int, shift: int, tandem: bool) -> Piece | None:
    """The run itself, when it begins and ends with a sentence (give or take words that agree by chance).

    Where the original begins with a paragraph the copy begins there too, whatever it is glued to; a copy that follows
    its original directly begins and ends with the sentences of either side.
    """

    def clean(word: int) -> bool:
        return (
            ends_sentence(page, word)
            or page.starts_paragraph(word + shift)
            or (tandem and ends_sentence(page, word + shift))
        )

    begin = next((w for w in range(start, min(start + _SLACK + 1, end)) if clean(w)), None)
    stop = next((w for w in range(end, max(end - _SLACK - 1, start), -1) if clean(w)), None)
    if begin is None or stop is None or begin >= stop:
        return None
    stub = page.starts_paragraph(begin) and _is_stub(page, stop)
    return Piece(begin, stop, shift, "stub" if stub else "sentences", (start, end))


def _is_stub(page: Page, word: int) -> bool:
    """Whether the paragraph breaks off before `word`: an ellipsis, and then at most a "read more"."""
    if word >= len(page.words.starts):
        return False
    text = page.text[page.words.end(word - 1) : page.words.starts[word]]
    return ("..." in text or "\u2026" in text) and page.first[bisect_right(page.first, word)] - word <= MARKER


def _hard(page: Page, word: int) -> bool:
    """Whether the paragraph that starts with `word` starts anew, rather than carry on a wrapped line."""
    if word >= len(page.words.starts):
        return True
    p = page.paragraph(word)
    return p == 0 or not soft(page, p)


def _better(page: Page, right: Piece, left: Piece, config: Config) -> bool:
    """Whether `right` is so much better preserved than `left` that the earlier copy should go.

    Better: not garbled by a wrong encoding; then, real paragraphs rather than one line or hard wraps. A garbled copy
    that goes on where the other one ends stays: its rest would come to stand before that.
    """
    if config.keep in ("first", "last"):
        return config.keep == "last"
    if config.keep == "longest":
        sizes = [page.words.end(p.end - 1) - page.words.starts[p.start] for p in (right, left)]
        return sizes[0] > sizes[1]
    wrong = [garbled(page, piece[:2]) for piece in (right, left)]
    if wrong[0] != wrong[1]:
        return wrong[1] and not garbled_on(page, left.end, right.start)
    own = [_breaks(page, right, 0), _breaks(page, left, left.shift)]
    good = sum(break_mark(page, w) for w in own[0] - own[1])
    return good > sum(break_mark(page, w - left.shift) for w in own[1] - own[0])


def _breaks(page: Page, piece: Piece, shift: int) -> set[int]:
    """The words inside `piece` with which a paragraph starts, moved by `shift`."""
    first = page.first
    return {w + shift for w in first[bisect_right(first, piece.start) : bisect_left(first, piece.end)]}
