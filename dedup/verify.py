"""Does the copy really stand in the kept text? The proof behind every removal.

Why: hashes propose, content decides. The words of both sides are read again from the text and compared as strings.
"""

from collections.abc import Sequence


def stands_in(copy: Sequence[str], kept: Sequence[str]) -> bool:
    """Whether the words `copy` are the words `kept`, or the start of their repetition (periodic text).

    >>> stands_in(["a", "b", "a"], ["a", "b"])
    True
    """
    if len(copy) <= len(kept):
        return list(copy) == list(kept[: len(copy)])
    period = len(kept)
    return period > 0 and all(word == kept[at % period] for at, word in enumerate(copy))
