"""Pairs to one copy: each paragraph of an article, and then its edited copy.

Why: a page that shows a mobile and a desktop version mixes them paragraph by paragraph. Each pair is too short to be
sure of; all in a row are not. Short lines between two pairs, and beside the first and the last, come in pairs too.

    P1 P1' P2 P2' H H' P3 P3'   ->   one copy, P1' P2' H' P3' of P1 P2 H P3
"""

from dedup.model import Gap, Half, Near, Page, Unit
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Keys = Callable[[str], list[str]]

# Share of the words of two short lines in a row that are the same: between such pairs, and beside them.
_HALF, _ALIKE = 0.5, 0.8


def interleaved(page: Page, found: list[Near], keys: "Keys") -> list[Near]:
    """Return the copies `found`, in order of their right sides; pairs in a row are one copy.

    `keys` gives the match keys of a text.
    """
    out: list[Near] = []
    for near in found:
        twins = _twins(page, out[-1], near, keys) if out else None
        if twins is None:
            out.append(near)
        else:
            out[-1] = _together(out[-1], twins, near)
    return [_with_ends(page, near, keys) if len(near.alignments) > 1 else near for near in out]


def _together(before: Near, between: list[Unit], after: Near) -> Near:
    units = (*before.units, *between, *after.units)
    better = (*before.right_better, *(None for _ in between), *after.right_better)
    return Near(before.alignments + after.alignments, units, better, before.misspelt and after.misspelt)


def _with_ends(page: Page, near: Near, keys: "Keys") -> Near:
    """Interleaved pairs, with the pairs of like lines before the first and after the last."""
    units, better = list(near.units), list(near.right_better)
    while (at := units[0].left.paragraphs[0] - 2) >= 0 and (pair := _pair(page, at, _ALIKE, keys)):
        units.insert(0, pair)
        better.insert(0, None)
    while (at := units[-1].right.paragraphs[-1] + 1) + 2 < len(page.first) and (pair := _pair(page, at, _ALIKE, keys)):
        units.append(pair)
        better.append(None)
    return near._replace(units=tuple(units), right_better=tuple(better))


def _twins(page: Page, before: Near, after: Near, keys: "Keys") -> list[Unit] | None:
    """The pairs of like lines between two pairs of paragraphs; None if anything else stands there."""
    if not before.units or not after.units or not _tandem(before.units[-1]) or not _tandem(after.units[0]):
        return None
    at, end = before.units[-1].right.paragraphs[-1] + 1, after.units[0].left.paragraphs[0]
    pairs = [_pair(page, p, _HALF, keys) for p in range(at, end, 2)] if (end - at) % 2 == 0 else [None]
    return None if None in pairs else [pair for pair in pairs if pair]


def _pair(page: Page, p: int, share: float, keys: "Keys") -> Unit | None:
    """Paragraph `p` and the next one, if they have as many words and this share of them is the same."""
    first, second, end = page.first[p : p + 3]
    size = second - first
    if not size or end - second != size:
        return None
    left, right = (keys(page.phrase(span)) for span in ((first, second), (second, end)))
    odd = [first + at for at, (x, y) in enumerate(zip(left, right, strict=False)) if x != y]
    if len(left) != len(right) or size - len(odd) < share * size:
        return None
    gaps = tuple(Gap((at, at + 1), (at + size, at + size + 1), False) for at in odd)
    return Unit(Half((p,), size, size - len(odd)), Half((p + 1,), size, size - len(odd)), gaps)


def _tandem(unit: Unit) -> bool:
    return unit.left.paragraphs[-1] + 1 == unit.right.paragraphs[0]
