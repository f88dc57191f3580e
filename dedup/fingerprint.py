"""Words to shingles and fingerprints, by which documents find one another.

Why: to compare every document with every other is out of reach; to look up a few of its shingles is not. Of each window
of shingles the smallest is kept (winnowing: Schleimer, Wilkerson and Aiken 2003), so any two texts that share a run of
`RUN` words share a fingerprint, wherever the run stands and whatever surrounds it.
"""

import numpy as np

from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.uint32]

SHINGLE = 5  # words
WINDOW = 4  # shingles
RUN = SHINGLE + WINDOW - 1  # words; any shared run of this size is found

_PRIME = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio (Knuth)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # splitmix64 (Steele, Lea, Flood 2014)


def shingles(words: "bytes | memoryview | NDArray[np.uint32]") -> "Hashes":
    """Return a 64-bit hash of each shingle of the words with these 32-bit hashes; of all words where they are fewer."""
    hashes = np.frombuffer(words, np.uint32).astype(np.uint64)
    size = min(SHINGLE, len(hashes))
    if not size:
        return hashes
    out = np.zeros(len(hashes) - size + 1, np.uint64)
    for at in range(size):
        out *= _PRIME
        out += hashes[at : at + len(out)]
        out += np.uint64(1)
    for shift, factor in zip((30, 27), _MIX, strict=True):
        out ^= out >> np.uint64(shift)
        out *= factor
    return out ^ (out >> np.uint64(31))


def winnow(hashes: "Hashes", window: int = WINDOW) -> "tuple[Hashes, Places]":
    """Return the distinct fingerprints among the shingles `hashes`, sorted, and where each stands first (in shingles).

    A shingle is one if it is the smallest of any `window` neighbours. Of equal ones the first place is kept, so text of
    one word has one fingerprint.
    """
    if len(hashes) > window:
        least = _running(np.minimum, hashes, window)
        ends = np.repeat(np.uint64(0), window - 1)
        chosen = hashes == _running(np.maximum, np.concatenate((ends, least, ends)), window)
    else:
        chosen = hashes == hashes.min(initial=np.uint64(0xFFFFFFFFFFFFFFFF))
    places = np.flatnonzero(chosen).astype(np.uint32)
    found, first = np.unique(hashes[places], return_index=True)
    return found, places[first]


def _running(extreme: np.ufunc, values: "Hashes", window: int) -> "Hashes":
    """The extreme of each `window` neighbours, by doubling."""
    done = 1
    while done < window:
        step = min(done, window - done)
        values = extreme(values[:-step], values[step:])
        done += step
    return values


def overlap(left: "Hashes", right: "Hashes") -> tuple[float, float]:
    """Return resemblance and containment (Broder 1997) of two sets of shingles, each distinct and sorted; 0..1.

    Resemblance is what both have / what either has; containment is what both have / the smaller set.
    """
    both = len(np.intersect1d(left, right, assume_unique=True))
    smaller = min(len(left), len(right))
    return both / max(1, len(left) + len(right) - both), both / max(1, smaller)
