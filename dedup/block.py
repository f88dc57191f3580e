"""Matches to regions: which side of a match could go, and in which units.

Why: a match is a run of words, but a text is repaired in paragraphs. A copy may begin in the middle of a line (glued),
be one line where its original has twenty, or come in pieces (sections in another order, a paragraph inserted). This
stage finds, for each match, the side that is made of whole paragraphs, or of whole sentences where a copy is glued to
other text, and joins the pieces that lie side by side into the region that a reader would call "the copy".

    P1 P2 P3 | P1 P2 P3        one piece, P1-P3 = P1-P3, one region
    P1 P2 P3 | P2 P3 by me P1  three pieces, one region
    P1 P1 P2 P2 P3 P3          three pieces, one interleaved region
"""

from bisect import bisect_left, bisect_right

from dedup.config import Config
from dedup.model import Match, Page, Piece, Region, integers

_STOPS = frozenset(".!?\u2026\u3002\uff01\uff1f\u0964\u0965\u061f\u06d4\u1362\u1368\u104b\u17d4")
_CLOSERS = " \t\u00a0\"'\u201d\u2019\u00bb)]}\u300d\u300f\u200f"
_SLACK = 2  # words by which a run may overshoot a sentence by chance
_PREFERRED = ("stub", "paragraphs", "sentences")
_EDIT = 16  # words that an edit inside a copy may change, add or leave out
_INSERTED = 4  # paragraphs among which one that belongs to the copy is looked for
_FULL_LINE = 30  # characters from which a line may have been wrapped, where no case tells
_TORN = -6  # what a line break inside a sentence weighs against one between paragraphs
_STUB = 4  # words that a "read more" after an ellipsis may have


def regions(page: Page, matches: list[Match], config: Config) -> tuple[list[Region], list[Match]]:
    """Return the regions that could be removed, and the matches of which no whole paragraph or sentence could go."""
    interleaved = _interleaved(page, config)
    taken = {piece.start for region in interleaved for piece in region.pieces}
    found = [(match, _piece(page, match, config)) for match in matches]
    pieces = _apart([piece for _, piece in found if piece and piece.start not in taken])
    runs = {(min(run, run + shift), abs(shift)) for _, _, shift, _, (run, _) in pieces}
    ragged = [match for match in matches if (match.left, match.right - match.left) not in runs]
    return interleaved + _join(page, pieces), ragged


# ---------------------------------------------------------------- one match


def _piece(page: Page, match: Match, config: Config) -> Piece | None:
    gap = match.right - match.left
    right = _side(page, match.right, match.length, -gap, gap <= match.length + _SLACK, config)
    if gap + _SLACK < match.length:  # the run overlaps itself: periodic text, only the later copies can go
        return right
    left = _side(page, match.left, match.length, gap, gap <= match.length + _SLACK, config)
    if left and _size(left) > gap:
        return right
    if not left or not right:
        return left or right
    more, less = (left, right) if _size(left) > _size(right) else (right, left)
    if _size(less) < 0.8 * _size(more):
        return more
    if left.unit != right.unit:
        return min(left, right, key=lambda piece: _PREFERRED.index(piece.unit))
    return left if _better(page, right, left) else right


def _edited(page: Page, piece: Piece) -> bool:
    """Whether the piece stands at the same place in its paragraph as its original does: a part of an edited copy."""
    first = page.first

    def margins(start: int, end: int) -> tuple[int, int]:
        return start - first[bisect_right(first, start) - 1], first[bisect_left(first, end)] - end

    copy = margins(piece.start, piece.end)
    kept = margins(piece.start + piece.shift, piece.end + piece.shift)
    return any(a and b and abs(a - b) <= _EDIT for a, b in zip(copy, kept, strict=True))


def _side(page: Page, start: int, length: int, shift: int, tandem: bool, config: Config) -> Piece | None:
    """The part of one side of a match that could go: whole paragraphs, or whole sentences of a glued copy."""
    first, end = page.first, start + length
    p, q = bisect_left(first, start), bisect_right(first, end) - 1
    while p < q and not (_hard(page, first[p]) or _is_start(page, first[p] + shift)):
        p = bisect_right(first, first[p])
    while q > p and not (_hard(page, first[q]) or _is_start(page, first[q] + shift)):
        q = bisect_left(first, first[q]) - 1
    whole = (
        Piece(first[p], first[q], shift, "paragraphs", (start, end))
        if p < q and first[q] - first[p] >= config.min_words
        else None
    )
    glued = _sentences(page, start, end, shift, tandem)
    if glued and abs(shift) >= config.min_paragraph and _size(glued) > (_size(whole) if whole else 0):
        least = config.min_paragraph if tandem or glued.unit == "stub" else config.min_sentences
        if _size(glued) >= least and (tandem or glued.unit == "stub" or not _edited(page, glued)):
            return glued
    return whole


def _sentences(page: Page, start: int, end: int, shift: int, tandem: bool) -> Piece | None:
    """The run itself, when it begins and ends with a sentence (give or take words that agree by chance).

    Where the original begins with a paragraph the copy begins there too, whatever it is glued to; a copy that follows
    its original directly begins and ends with the sentences of either side.
    """

    def clean(word: int) -> bool:
        return _ends(page, word) or _is_start(page, word + shift) or (tandem and _ends(page, word + shift))

    begin = next((w for w in range(start, min(start + _SLACK + 1, end)) if clean(w)), None)
    stop = next((w for w in range(end, max(end - _SLACK - 1, start), -1) if clean(w)), None)
    if begin is None or stop is None or begin >= stop:
        return None
    stub = _is_start(page, begin) and _is_stub(page, stop)
    return Piece(begin, stop, shift, "stub" if stub else "sentences", (start, end))


def _size(piece: Piece) -> int:
    return piece.end - piece.start


def _is_start(page: Page, word: int) -> bool:
    """Whether a paragraph starts with `word` (the end of the text counts as a start)."""
    at = bisect_left(page.first, word)
    return at < len(page.first) and page.first[at] == word


def _ends(page: Page, word: int) -> bool:
    """Whether a paragraph or a sentence ends before `word`."""
    if _is_start(page, word):
        return True
    text = page.text[page.words.end(word - 1) : page.words.starts[word]]
    return not _STOPS.isdisjoint(text)


def _is_stub(page: Page, word: int) -> bool:
    """Whether the paragraph breaks off before `word`: an ellipsis, and then at most a "read more"."""
    if word >= len(page.words.starts):
        return False
    text = page.text[page.words.end(word - 1) : page.words.starts[word]]
    return ("..." in text or "\u2026" in text) and page.first[bisect_right(page.first, word)] - word <= _STUB


def _hard(page: Page, word: int) -> bool:
    """Whether the paragraph that starts with `word` starts anew, rather than carry on a wrapped line."""
    if word >= len(page.words.starts):
        return True
    p = bisect_right(page.first, word) - 1
    return p == 0 or not _soft(page, p)


def _soft(page: Page, p: int) -> bool:
    """Whether paragraph `p` carries on the sentence of the line before it."""
    text, (starts, ends) = page.text, page.paragraphs
    gap = text[ends[p - 1] : starts[p]]
    if _blank(gap):
        return False
    last = text[starts[p - 1] : ends[p - 1]].rstrip(_CLOSERS)[-1:]
    at = page.first[p]
    initial = text[page.words.starts[at]] if at < len(page.words.starts) else "A"
    if last in _STOPS or initial.isupper():
        return False
    return initial.islower() or ends[p - 1] - starts[p - 1] >= _FULL_LINE


def _better(page: Page, right: Piece, left: Piece) -> bool:
    """Whether `right` is so much better preserved than `left` that the earlier copy should go.

    Better: not garbled by a wrong encoding; then, real paragraphs rather than one line or hard wraps.
    """
    garbled = [page.text[a:b] != page.words.reading[a:b] for a, b in (_chars(page, right), _chars(page, left))]
    if garbled[0] != garbled[1]:
        return garbled[1]
    own = [_breaks(page, right, 0), _breaks(page, left, left.shift)]
    good = sum(_mark(page, w) for w in own[0] - own[1])
    return good > sum(_mark(page, w - left.shift) for w in own[1] - own[0])


def _chars(page: Page, piece: Piece) -> tuple[int, int]:
    return page.words.starts[piece.start], page.words.end(piece.end - 1)


def _breaks(page: Page, piece: Piece, shift: int) -> set[int]:
    """The words inside `piece` with which a paragraph starts, moved by `shift`."""
    first = page.first
    return {w + shift for w in first[bisect_right(first, piece.start) : bisect_left(first, piece.end)]}


def _mark(page: Page, word: int) -> int:
    """How good the line break before `word` is: 1 where a paragraph is complete, below 0 inside a sentence, else 0."""
    p = bisect_right(page.first, word) - 1
    text, (starts, ends) = page.text, page.paragraphs
    last = text[starts[p - 1] : ends[p - 1]].rstrip(_CLOSERS)[-1:]
    if last in _STOPS or _blank(text[ends[p - 1] : starts[p]]):
        return 1
    return (_TORN if text[page.words.starts[word]].islower() else -1) if _soft(page, p) else 0


def _blank(gap: str) -> bool:
    return gap.count("\n") + gap.count("\r") - gap.count("\r\n") > 1


# ---------------------------------------------------------------- many matches


def _apart(pieces: list[Piece]) -> list[Piece]:
    """The pieces in order, without those inside another, and without overlaps."""
    out: list[Piece] = []
    for piece in sorted(pieces, key=lambda x: (x.start, -x.end)):
        if out and piece.end <= out[-1].end:
            continue
        if out and piece.start < out[-1].end:
            if not piece.unit == out[-1].unit == "paragraphs":
                continue
            piece = piece._replace(start=out[-1].end)
        out.append(piece)
    return out


def _join(page: Page, pieces: list[Piece]) -> list[Region]:
    """Pieces side by side, or with nothing between them but short paragraphs that stand earlier too, are one region."""
    twins = _Twins(page) if pieces else None
    out: list[list[Piece]] = []
    for piece in pieces:
        if out and twins and (piece.shift < 0) == (out[-1][-1].shift < 0):
            between = twins.bridge(out[-1][-1], piece, out[-1][0].start)
            if between is not None:
                out[-1] += [*between, piece]
                continue
        out.append([piece])
    taken = bytearray(len(page.words.starts))
    for group in out:
        for piece in group:
            taken[piece.start : piece.end] = b"\1" * _size(piece)
    return [Region(tuple(_fuller(page, _grown(page, group, taken))), False) for group in out]


def _fuller(page: Page, group: list[Piece]) -> list[Piece]:
    """The other side of a copy that holds more than its original, right after it: the most complete copy stays.

    P1 P2 | P1 X P2: to take the first two away keeps X in its place, to take the last ones would leave it at the end.
    """
    if len(group) < 2 or any(piece.unit != "paragraphs" or piece.shift > 0 for piece in group):
        return group
    other = [
        Piece(p.start + p.shift, p.end + p.shift, -p.shift, p.unit, (p.run[0] + p.shift, p.run[1] + p.shift))
        for p in group
    ]
    neighbours = all(other[i].end == other[i + 1].start for i in range(len(other) - 1))
    inserted = any(group[i].end != group[i + 1].start for i in range(len(group) - 1))
    whole = all(_is_start(page, at) for p in other for at in (p.start, p.end))
    return other if neighbours and inserted and whole and other[-1].end == group[0].start else group


def _grown(page: Page, group: list[Piece], taken: bytearray) -> list[Piece]:
    """The region with the short paragraphs that an inserted one cuts off from it.

    Such a paragraph stands right before (or after) the witness, and a few paragraphs before (or after) the copy.
    """
    if group[0].unit != "paragraphs" or group[-1].unit != "paragraphs" or group[0].shift > 0:
        return group
    for side in (-1, 1):
        while (piece := _cut_off(page, group[0 if side < 0 else -1], side)) is not None and not taken[piece.start]:
            taken[piece.start] = 1
            group = [piece, *group] if side < 0 else [*group, piece]
    return group


def _cut_off(page: Page, edge: Piece, side: int) -> Piece | None:
    """The paragraph next to the witness of `edge`, before (-1) or after (1) it, where it stands near the copy."""
    first, view = page.first, page.words.hashes
    copy, kept = (
        (bisect_right(first, edge.start + s) - 1 if side < 0 else bisect_left(first, edge.end + s) - 1) + side
        for s in (0, edge.shift)
    )
    if not 0 <= kept < copy < len(first) - 1 or first[kept] == first[kept + 1]:
        return None
    wanted = view[first[kept] : first[kept + 1]]
    for p in range(copy, copy + side * _INSERTED, side):
        if not kept < p < len(first) - 1:
            return None
        if first[kept + 1] <= first[p] and view[first[p] : first[p + 1]] == wanted:
            return Piece(first[p], first[p + 1], first[kept] - first[p], "paragraphs", (first[p], first[p + 1]))
    return None


class _Twins:
    """The first occurrence of each paragraph, by its words."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.view = page.words.hashes
        self.at: dict[bytes, int] = {}

    def _first(self, p: int) -> int:
        """The first paragraph with the words of paragraph `p`."""
        first = self.page.first
        if not self.at:
            for q in range(len(first) - 2, -1, -1):
                self.at[self.view[first[q] : first[q + 1]].tobytes()] = q
        return self.at[self.view[first[p] : first[p + 1]].tobytes()]

    def _insertion(self, left: Piece, right: Piece) -> bool:
        """Whether what stands between two pieces was put between two neighbours of the original.

        A line that ends in a colon was not: it introduces what follows, and makes it a quotation.
        """
        text, (starts, ends), first = self.page.text, self.page.paragraphs, self.page.first
        p, q = bisect_left(first, left.end), bisect_right(first, right.start) - 1
        return (
            left.unit == right.unit == "paragraphs"
            and left.shift - right.shift == right.start - left.end
            and q - p <= _INSERTED
            and not text[starts[q - 1] : ends[q - 1]].rstrip().endswith((":", "\uff1a"))
        )

    def bridge(self, left: Piece, right: Piece, before: int) -> list[Piece] | None:
        """Pieces for the paragraphs between two pieces, if each stands already before the word `before`."""
        first = self.page.first
        if self._insertion(left, right) or (left.end == right.start and left.shift < 0):
            return []
        if left.shift > 0 or not left.unit == right.unit == "paragraphs":
            return None
        out = []
        for p in range(bisect_right(first, left.end) - 1, bisect_left(first, right.start)):
            start, end = first[p], first[p + 1]
            twin = first[self._first(p)] if start < end else before
            if start < end and twin + end - start > before:
                return None
            if start < end:
                out.append(Piece(start, end, twin - start, "paragraphs", (start, end)))
        return out


def _interleaved(page: Page, config: Config) -> list[Region]:
    """P1 P1 P2 P2 ...: at least two paragraphs in a row that each stand again right after themselves."""
    first, view = page.first, page.words.hashes
    out: list[Region] = []
    group: list[Piece] = []
    starts = integers(first[-1], (first[p] for p in range(len(first) - 1) if first[p] < first[p + 1]), size=len(first))
    at, total, pairs = 0, len(starts), 0
    starts.append(first[-1])
    while at < total:
        size = starts[at + 1] - starts[at]
        again = at + 1
        while (
            again < total
            and starts[again + 1] - starts[again] == size
            and (view[starts[again] : starts[again + 1]] == view[starts[at] : starts[at + 1]])
        ):
            again += 1
        if again > at + 1:
            run = starts[at + 1], starts[again]
            group.append(Piece(*run, -size, "paragraphs", run))
        pairs += again > at + 1
        if again == at + 1 or again == total:
            if pairs > 1 and sum(map(_size, group)) >= config.min_paragraph:
                out.append(Region(tuple(group), True))
            group, pairs = [], 0
        at = again
    return out
