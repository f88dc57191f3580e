"""Pieces to regions: what a reader would call "the copy".

Why: one copy may be many matches. Its sections stand in another order, a paragraph was inserted, or each paragraph
follows its original. Pieces that lie side by side are joined and judged as one, and short lines between them go along.

    P1 P2 P3 | P1 P2 P3        one piece, one region
    P1 P2 P3 | P2 P3 by me P1  three pieces, one region
    P1 P1 P2 P2 P3 P3          three pieces, one interleaved region
"""

from bisect import bisect_left

from dedup.config import Config
from dedup.model import Match, Page, Piece, Region, integers
from dedup.structure import same_signs

_EDIT = 64  # words by which a later copy may be the fuller one between two pieces
_INSERTED = 4  # paragraphs among which one that belongs to the copy is looked for


def regions(
    page: Page, matches: list[Match], found: list[Piece | None], config: Config
) -> tuple[list[Region], list[Match]]:
    """Return the regions that could be removed, and the matches that are in none.

    `found` holds for each match the piece that could go, if any.
    """
    interleaved = _interleaved(page, config)
    taken = {piece.start for region in interleaved for piece in region.pieces}
    pieces = _apart(_one_side(page, [piece for piece in found if piece and piece.start not in taken]))
    runs = {(min(piece.run[0], piece.run[0] + piece.shift), abs(piece.shift)) for piece in pieces}
    ragged = [match for match in matches if (match.left, match.right - match.left) not in runs]
    return interleaved + _join(page, pieces), ragged


def _one_side(page: Page, pieces: list[Piece]) -> list[Piece]:
    """The pieces, those of one earlier copy all on its side: what is left of it would stand before what it follows.

    P1 P2 P3 | P1 P2X P3: where the first two go for the later ones, P3 goes for the later one too.
    """
    ends = {piece.end: piece for piece in pieces if piece.shift > 0 and piece.unit == "paragraphs"}
    if not ends:
        return pieces
    out = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        before = ends.get(piece.start + piece.shift) if piece.shift < 0 and piece.unit == "paragraphs" else None
        if before and 0 <= piece.start - before.witness[1] <= _EDIT:
            other = _other_side(piece)
            apart = other.end <= piece.start  # a run that overlaps itself has only its later copies to give
            if apart and page.starts_paragraph(other.start) and page.starts_paragraph(other.end):
                ends[other.end] = piece = other
        out.append(piece)
    return out


def _other_side(piece: Piece) -> Piece:
    start, end = piece.run
    return Piece(
        piece.start + piece.shift,
        piece.end + piece.shift,
        -piece.shift,
        piece.unit,
        (start + piece.shift, end + piece.shift),
    )


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
            taken[piece.start : piece.end] = b"\1" * piece.size
    return [Region(tuple(_fuller(page, _grown(page, group, taken))), False) for group in out]


def _fuller(page: Page, group: list[Piece]) -> list[Piece]:
    """The other side of a copy that holds more than its original, right after it: the most complete copy stays.

    P1 P2 | P1 X P2: to take the first two away keeps X in its place, to take the last ones would leave it at the end.
    """
    if len(group) < 2 or any(piece.unit != "paragraphs" or piece.shift > 0 for piece in group):
        return group
    other = [_other_side(piece) for piece in group]
    neighbours = all(other[i].end == other[i + 1].start for i in range(len(other) - 1))
    inserted = any(group[i].end != group[i + 1].start for i in range(len(group) - 1))
    whole = all(page.starts_paragraph(at) for p in other for at in (p.start, p.end))
    return other if neighbours and inserted and whole and other[-1].end == group[0].start else group


def _grown(page: Page, group: list[Piece], taken: bytearray) -> list[Piece]:
    """The region with the short paragraphs that an inserted one cuts off from it.

    Such a paragraph stands right before (or after) the witness, and a few paragraphs before (or after) the copy.
    """
    if group[0].unit != "paragraphs" or group[-1].unit != "paragraphs" or group[0].shift > 0:
        return group
    for side in (-1, 1):
        while (piece := _cut_off(page, group, side)) is not None and not taken[piece.start]:
            taken[piece.start] = 1
            group = [piece, *group] if side < 0 else [*group, piece]
    return group


def _cut_off(page: Page, group: list[Piece], side: int) -> Piece | None:
    """A paragraph before (-1) or after (1) the copy and its witness both: next to one of them, near the other.

    Of a copy in another order, also one that is next to it and, at either end, next to all of its witness.
    """
    first, view, edge = page.first, page.words.hashes, group[0 if side < 0 else -1]
    copy, kept = (
        (page.paragraph(edge.start + s) if side < 0 else bisect_left(first, edge.end + s) - 1) + side
        for s in (0, edge.shift)
    )
    places = [(copy + side * step, kept) for step in range(_INSERTED)]
    places += [(copy, kept + side * step) for step in range(1, _INSERTED)]
    if len(group) > 1:
        places.append((copy, page.paragraph(min(piece.start + piece.shift for piece in group)) - 1))
        places.append((copy, bisect_left(first, max(piece.end + piece.shift for piece in group))))
    for p, q in places:
        if not 0 <= q < p < len(first) - 1 or first[q] == first[q + 1] or first[q + 1] > first[p]:
            continue
        if view[first[p] : first[p + 1]] == view[first[q] : first[q + 1]]:
            run = first[p], first[p + 1]
            return Piece(*run, first[q] - first[p], "paragraphs", run)
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
        p, q = bisect_left(first, left.end), self.page.paragraph(right.start)
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
        for p in range(self.page.paragraph(left.end), bisect_left(first, right.start)):
            start, end = first[p], first[p + 1]
            twin = first[self._first(p)] if start < end else before
            if start < end and twin + end - start > before:
                return None
            if start < end:
                out.append(Piece(start, end, twin - start, "paragraphs", (start, end)))
        return out


def _interleaved(page: Page, config: Config) -> list[Region]:
    """P1 P1 P2 P2 ...: at least two paragraphs in a row that each stand again right after themselves."""
    first, view, text, (begins, ends) = page.first, page.words.hashes, page.words.reading, page.paragraphs
    out: list[Region] = []
    group: list[Piece] = []
    rows = integers(len(first), (p for p in range(len(first) - 1) if first[p] < first[p + 1]))
    starts = integers(first[-1], (first[p] for p in rows), size=len(first))
    at, total, pairs = 0, len(starts), 0
    starts.append(first[-1])
    while at < total:
        size = starts[at + 1] - starts[at]
        said = text[begins[rows[at]] : ends[rows[at]]]
        again = at + 1
        while (
            again < total
            and starts[again + 1] - starts[again] == size
            and view[starts[again] : starts[again + 1]] == view[starts[at] : starts[at + 1]]
            and (text[begins[p := rows[again]] : ends[p]] == said or same_signs(text[begins[p] : ends[p]], said))
        ):
            again += 1
        if again > at + 1:
            run = starts[at + 1], starts[again]
            group.append(Piece(*run, -size, "paragraphs", run))
        pairs += again > at + 1
        if again == at + 1 or again == total:
            if pairs > 1 and sum(piece.size for piece in group) >= config.min_paragraph:
                out.append(Region(tuple(group), True))
            group, pairs = [], 0
        at = again
    return out
