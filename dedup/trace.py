"""Witnesses to text that is kept, through any number of passes.

Why: a later pass may remove what an earlier one named as a witness, because the same words stand a third time. The
report and the undo must name text that is there. Words are followed one by one, and a copy whose witness went in part
is told as two copies.
"""

from dedup.model import integers
from dedup.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dedup.model import Array


class Run(Record):
    """Words first:last of the input that are gone, and kept:kept_last that stand in the output and repeat them."""

    first: int
    last: int
    kept: int
    kept_last: int


def trace(
    cuts: "Sequence[tuple[Sequence[int], Sequence[int]]]", total: int, begins: "Collection[int]" = ()
) -> dict[int, list[Run]]:
    """Return the runs of each cut that is no longer one stretch with one witness: where each run stands in what stays.

    A cut is (words that went, words that they repeat), as indices into the `total` words of the input, ascending; where
    fewer words are repeated than went, they are repeated over and over. Later cuts may remove the witnesses of earlier
    ones, never the other way round. With each word of `begins` a run begins.
    """
    witness = integers(total, range(total))  # of each word; a word that stays is its own
    for gone, kept in cuts:
        for at, word in enumerate(gone):
            witness[word] = kept[at % len(kept)]
    return {
        at: _runs(gone, witness, begins)
        for at, (gone, kept) in enumerate(cuts)
        if torn(gone) or torn(kept) or any(witness[word] != word for word in kept)
    }


def torn(words: "Sequence[int]") -> bool:
    """Return whether other words stand between the first and the last of these."""
    return words[-1] - words[0] + 1 != len(words)


def _runs(gone: "Sequence[int]", witness: "Array", begins: "Collection[int]") -> list[Run]:
    out: list[Run] = []
    start = previous = first = last = -1
    for word in gone:
        kept = witness[word]
        while witness[kept] != kept:
            kept = witness[kept]
        if start < 0 or kept != last + 1 or word != previous + 1 or word in begins:
            if start >= 0:
                out.append(Run(start, previous, first, last))
            start, first = word, kept
        previous, last = word, kept
    return [*out, Run(start, previous, first, last)]
