"""Words to shingles, and the join of a document's shingles with themselves.

Why: every run of k words that stands twice makes one shingle (k consecutive words) stand twice (Broder 1997). Linking
each shingle to its first occurrence, and only to that, keeps the work linear on any text. All shingles are joined, none
is sampled, so every run of at least k words is found.
"""

from xxhash import xxh3_64_intdigest

from dedup.model import Words


def links(words: Words, k: int) -> list[int]:
    """Return, for each shingle of `k` words, the position (in words) at which the same shingle stands first.

    Joined by xxh3: a proposal, not yet a proof. Empty when no shingle stands twice. Time and memory are linear in the
    words; for large texts there is `vector.matches`.
    """
    data, step = words.hashes.tobytes(), words.hashes.itemsize
    hashes = [xxh3_64_intdigest(data[at : at + step * k]) for at in range(0, len(data) - step * (k - 1), step)]
    if len(set(hashes)) == len(hashes):
        return []
    first: dict[int, int] = {}
    return [first.setdefault(value, position) for position, value in enumerate(hashes)]
