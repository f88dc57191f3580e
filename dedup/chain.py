"""Linked shingles to maximal runs: the matches of a document with itself.

Why: a copy of 500 words makes 493 linked shingles on one diagonal; a reader wants one match. A run is extended word by
word to both sides until the words differ, so that it is maximal whatever shingle proposed it.
"""

from dedup.model import Match, Words
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from dedup.model import Array


def chain(words: Words, links: "Array", k: int) -> list[Match]:
    """Return the runs of at least `k` words that stand earlier too, in order of their right side.

    A run is extended to the left at most to where the run before it was proposed, which bounds the work by the text.
    """
    hashes, total = words.hashes, len(words.hashes)
    matches: list[Match] = []
    floor = covered = 0
    for right, left in enumerate(links):
        if left == right or right + k <= covered:
            continue
        start, end, gap = right, right + k, right - left
        while start > floor and start > gap and hashes[start - 1] == hashes[start - 1 - gap]:
            start -= 1
        while end < total and hashes[end] == hashes[end - gap]:
            end += 1
        matches.append(Match(start - gap, start, end - start))
        floor, covered = right, end
    return matches
