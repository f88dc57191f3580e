"""Witnesses to text that is kept, through any number of passes.

Why: a later pass may remove what an earlier one named as a witness, because the same words stand a third time. The
report and the undo must name text that is there. Words are followed one by one, and a copy whose witness went in part
is told as two copies.
"""

from array import array
from collections.abc import Sequence

from dedup.record import Record


class Run(Record):
    """Words first:last of the input that are gone, and kept:kept_last that stand in the output and repeat them."""

    first: int
    last: int
    kept: int
    kept_last: int


def trace(cuts: Sequence[tuple[Sequence[int], Sequence[int]]], total: int) -> list[list[Run]]:
    """Return, for each cut, its runs of words and where each run stands in the text that no cut removes.

    A cut is (words that went, words that they repeat), as indices into the `total` words of the input; where fewer words
    are repeated than went, they are repeated over and over. Later cuts may remove the witnesses of earlier ones, never
    the other way round.
    """
    witness = array("q", [-1]) * total
    for gone, kept in cuts:
        for at, word in enumerate(gone):
            witness[word] = kept[at % len(kept)]
    rank = array("Q", [0]) * total
    stays = 0
    for word in range(total):
        rank[word] = stays
        stays += witness[word] < 0
    return [_runs(gone, witness, rank) for gone, _ in cuts]


def _runs(gone: Sequence[int], witness: "array[int]", rank: "array[int]") -> list[Run]:
    out: list[Run] = []
    for word in gone:
        kept = witness[word]
        while witness[kept] >= 0:
            kept = witness[kept]
        if out and rank[kept] == rank[out[-1].kept_last] + 1:
            out[-1] = out[-1]._replace(last=word, kept_last=kept)
        else:
            out.append(Run(word, word, kept, kept))
    return out
