"""Alignments to units: which paragraphs of one copy are which paragraphs of the other.

Why: one copy may have a line where the other has five, or has wrapped lines, or lacks a paragraph. What is compared and
judged is the smallest group of paragraphs on both sides that hold the same words.

    P1 P2 in one line | P1 | P2      one unit: 1 paragraph and 2
    P1 | X | P2       | P1 | P2      two units; X is in none
"""

from bisect import bisect_left, bisect_right
from collections import Counter

from dedup.model import Alignment, Gap, Half, Page, Span, Unit

_SWAPPED = 3  # words in a row that may each be another
_SHARED = 4  # words that two paragraphs share at least, or half of the shorter one


def units(page: Page, alignment: Alignment) -> list[Unit]:
    """Return the units of `alignment`, in order on both sides. Time linear in its words."""
    same = [Gap((r.left, r.left + r.length), (r.right, r.right + r.length), True) for r in alignment.runs]
    same = sorted([*same, *(gap for gap in alignment.gaps if gap.alike)], key=lambda gap: gap.left)
    shared: Counter[tuple[int, int]] = Counter()
    for (l0, l1), (r0, r1), _ in same:
        step, size = 0, max(l1 - l0, r1 - r0)
        while step < size:
            p, q = page.paragraph(min(l0 + step, l1 - 1)), page.paragraph(min(r0 + step, r1 - 1))
            more = max(1, min(size, page.first[p + 1] - l0, page.first[q + 1] - r0) - step)
            shared[p, q] += more
            step += more
    for (l0, l1), (r0, r1), alike in alignment.gaps:
        if not alike and l1 - l0 == r1 - r0 <= _SWAPPED:  # a word for a word: a short line that is edited altogether
            shared.update((page.paragraph(l0 + step), page.paragraph(r0 + step)) for step in range(l1 - l0))
    groups: list[tuple[set[int], set[int]]] = []
    for p, q in sorted(pair for pair, count in shared.items() if count >= _least(page, pair)):
        if groups and (p in groups[-1][0] or q in groups[-1][1]):
            groups[-1][0].add(p)
            groups[-1][1].add(q)
        else:
            groups.append(({p}, {q}))
    matching, gaps = _Stretches(same), _Stretches(list(alignment.gaps))
    return [_unit(page, matching, gaps, sorted(ps), sorted(qs)) for ps, qs in groups]


def _least(page: Page, pair: tuple[int, int]) -> float:
    return min(_SHARED, 0.5 * min(page.first[p + 1] - page.first[p] for p in pair))


class _Stretches:
    """Stretches of an alignment, in order, by where they stand."""

    def __init__(self, stretches: list[Gap]) -> None:
        self.stretches = stretches
        self.starts = [[gap[:2][side][0] for gap in stretches] for side in (0, 1)]
        self.ends = [[gap[:2][side][1] for gap in stretches] for side in (0, 1)]

    def within(self, left: Span, right: Span) -> list[Gap]:
        """The stretches that touch one of two spans, clipped to them."""
        low = min(bisect_right(self.ends[side], span[0]) for side, span in enumerate((left, right)))
        high = max(bisect_left(self.starts[side], span[1]) for side, span in enumerate((left, right)))
        found = (Gap(_clip(gap.left, left), _clip(gap.right, right), gap.alike) for gap in self.stretches[low:high])
        return [gap for gap in found if gap.left[0] < gap.left[1] or gap.right[0] < gap.right[1]]


def _unit(page: Page, matching: _Stretches, gaps: _Stretches, ps: list[int], qs: list[int]) -> Unit:
    left, right = ((page.first[rows[0]], page.first[rows[-1] + 1]) for rows in (ps, qs))
    # What matches words outside the unit does not count.
    same = [(a, b) for a, b, _ in matching.within(left, right) if a[0] < a[1] and b[0] < b[1]]
    halves = []
    for side, rows in enumerate((ps, qs)):
        size = sum(page.first[p + 1] - page.first[p] for p in rows)
        halves.append(Half(tuple(rows), size, min(size, sum(pair[side][1] - pair[side][0] for pair in same))))
    return Unit(halves[0], halves[1], tuple(_edged(gaps.within(left, right), same, left, right)))


def _edged(gaps: list[Gap], same: list[tuple[Span, Span]], left: Span, right: Span) -> list[Gap]:
    """The gaps, the first and the last grown to the edges of the paragraphs: no further was compared."""
    spans = [gap[:2] for gap in gaps] + same
    low = [min((span[side][0] for span in spans), default=0) for side in (0, 1)]
    high = [max((span[side][1] for span in spans), default=0) for side in (0, 1)]
    if low[0] > left[0] or low[1] > right[0]:
        first = gaps.pop(0) if gaps and [gaps[0].left[0], gaps[0].right[0]] == low else None
        ends = (first.left[1], first.right[1]) if first else low
        gaps.insert(0, Gap((left[0], ends[0]), (right[0], ends[1]), False))
    if high[0] < left[1] or high[1] < right[1]:
        last = gaps.pop() if gaps and [gaps[-1].left[1], gaps[-1].right[1]] == high else None
        starts = (last.left[0], last.right[0]) if last else high
        gaps.append(Gap((starts[0], left[1]), (starts[1], right[1]), False))
    return gaps


def _clip(span: Span, bounds: Span) -> Span:
    start = min(max(span[0], bounds[0]), bounds[1])
    return start, max(start, min(span[1], bounds[1]))
