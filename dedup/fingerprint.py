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
    Places = NDArray[np.int64]

SHINGLE = 5  # words
WINDOW = 4  # shingles
RUN = SHINGLE + WINDOW - 1  # words; any shared run of this size is found

_BLOCK = 1 << 15  # words of which the shingles are made at once: they stay in the cache of the processor
_PRIME = 0x9E3779B97F4A7C15  # 2**64 / golden ratio (Knuth)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # splitmix64 (Steele, Lea, Flood 2014)


def shingles(words: "bytes | memoryview | NDArray[np.uint32]", size: int = SHINGLE) -> "Hashes":
    """Return a 64-bit hash of each `size` words with these 32-bit hashes; of all words where they are fewer."""
    hashes = np.frombuffer(words, np.uint32)
    size = min(size, len(hashes))
    out = np.empty(len(hashes) - size + 1 if size else 0, np.uint64)
    for at in range(0, len(out), _BLOCK):
        out[at : at + _BLOCK] = _shingles(hashes[at : at + _BLOCK + size - 1], size)
    return out


def distinct(values: "Hashes") -> "Hashes":
    """Return the values, each once, in their order by size; quicker than `unique` for few."""
    ordered = np.sort(values)
    found: Hashes = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return found


def _shingles(words: "NDArray[np.uint32]", size: int) -> "Hashes":
    hashes = words.astype(np.uint64) + np.uint64(1)
    out, done = hashes, 1  # of `done` words; those of twice as many are made of two of them (Horner)
    for bit in f"{size:b}"[1:]:
        out, done = out[:-done] * np.uint64(pow(_PRIME, done, 1 << 64)) + out[done:], 2 * done
        if bit == "1":
            out, done = out[:-1] * np.uint64(_PRIME) + hashes[done:], done + 1
    for shift, factor in zip((30, 27), _MIX, strict=True):
        out ^= out >> np.uint64(shift)
        out *= factor
    return out ^ (out >> np.uint64(31))


def fingerprints(words: "NDArray[np.uint32]", first: "Places") -> "tuple[Hashes, Places, Places]":
    """Return the fingerprints of texts, each with the number of its text and its place there (in words), in order.

    Text n has words first[n]:first[n + 1]; of these the 32-bit hashes are given.
    """
    counts = np.diff(first)
    left = np.repeat(first[1:], counts) - np.arange(len(words))  # words from each one to the end of its text
    whole = np.flatnonzero(left >= SHINGLE)
    values = shingles(words)[whole] if len(whole) else np.empty(0, np.uint64)
    texts = np.repeat(np.arange(len(counts)), np.maximum(counts - SHINGLE + 1, 0))
    few = np.flatnonzero((counts > 0) & (counts < SHINGLE))  # texts of one shingle
    if len(few):
        ones = np.array([shingles(words[first[n] : first[n + 1]])[0] for n in few.tolist()], np.uint64)
        at = np.searchsorted(texts, few)
        values = np.insert(values, at, ones)
        texts, whole = np.insert(texts, at, few), np.insert(whole, at, first[few])
    chosen = winnow(values, np.searchsorted(texts, np.arange(len(counts) + 1)))
    texts = texts[chosen]
    return values[chosen], texts, whole[chosen] - first[texts]


def winnow(values: "Hashes", first: "Places", window: int = WINDOW) -> "Places":
    """Return which of the shingles `values` are fingerprints, in order; text n has the shingles first[n]:first[n + 1].

    A shingle is one if it is the smallest of any `window` neighbours of its text. Of equal ones in a text only the
    first is, so text of one word has one fingerprint.
    """
    counts = np.diff(first)
    chosen = np.zeros(len(values), bool)
    if len(values) >= window:
        least = _running(np.minimum, values, window)
        left = np.repeat(first[1:], counts) - np.arange(len(values))
        least[left[: len(least)] < window] = 0  # no window reaches into the next text
        ends = np.zeros(window - 1, np.uint64)
        chosen = values == _running(np.maximum, np.concatenate((ends, least, ends)), window)
    for n in np.flatnonzero((counts > 0) & (counts < window)).tolist():  # texts of one window
        own = values[first[n] : first[n + 1]]
        chosen[first[n] : first[n + 1]] = own == own.min()
    found = np.flatnonzero(chosen)
    texts = np.searchsorted(first, found, "right")
    order = np.argsort(values[found], kind="stable")
    same = (np.diff(values[found][order]) == 0) & (np.diff(texts[order]) == 0)
    chosen[found[order[1:][same]]] = False
    return np.flatnonzero(chosen)


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
