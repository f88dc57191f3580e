"""Words to shingles, and the join of a document's shingles with themselves.

Why: every run of k words that stands twice makes one shingle (k consecutive words) stand twice (Broder 1997). Linking
each shingle to its first occurrence, and only to that, keeps the work linear on any text. All shingles are joined, none
is sampled, so every run of at least k words is found.
"""

from xxhash import xxh3_64_intdigest

from dedup.model import Words, integers
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from dedup.model import Array

# Distinct shingles held in memory at once; a text with more is joined in as many rounds as it needs.
_ROOM = 1 << 21
_HASH = 1 << 63  # set in every hash and in no position, so that one array can hold either


def links(words: Words, k: int) -> "Array":
    """Return, for each shingle of `k` words, the position (in words) at which the same shingle stands first.

    Joined by the low 63 bits of xxh3: a proposal, not yet a proof. Empty when no shingle stands twice.
    Time and memory (8 bytes a word and one bounded table) are linear in the words.
    """
    count = len(words.hashes) - k + 1
    if count < 2:
        return []
    view, step = words.hashes.cast("B"), words.hashes.itemsize
    size = step * k
    hashes = (xxh3_64_intdigest(view[at : at + size]) | _HASH for at in range(0, step * count, step))
    linked = integers(1 << 64, hashes, size=count)
    repeats, left = 0, count
    while left:
        # What finds no room at its first occurrence finds none later either: whole shingles go to the next round.
        first: dict[int, int] = {}
        left = 0
        for position, value in enumerate(linked):
            if value < _HASH:
                continue
            at = first.get(value)
            if at is not None:
                linked[position] = at
                repeats += 1
            elif len(first) < _ROOM:
                first[value] = linked[position] = position
            else:
                left += 1
    return linked if repeats else []
