"""What a fixer finds: edits, in characters of the text, ascending and apart.

Why: a fixer that returned the mended text would leave the undo to guess what it did.

    "a cafÃ©"   ->   Edit(5, 7, "é")   ->   "a café"
"""

from dedup.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterable


class Edit(Record):
    """Characters `start` to `end` of a text become `put`."""

    start: int
    end: int
    put: str


def apply(text: str, found: "Iterable[Edit]") -> str:
    """Return `text` with these edits, ascending and apart, made."""
    parts: list[str] = []
    at = 0
    for start, end, put in found:
        parts += text[at:start], put
        at = end
    return "".join([*parts, text[at:]])


def apart(text: str, found: "Iterable[Edit]") -> list[Edit]:
    """Return these ascending edits, those that touch made one, those that change nothing left out."""
    joined: list[tuple[int, int, list[str]]] = []
    for start, end, put in found:
        if joined and start <= joined[-1][1]:
            first, _, puts = joined.pop()
            puts.append(put)
            joined.append((first, end, puts))
        elif put != text[start:end]:
            joined.append((start, end, [put]))
    return [Edit(start, end, put) for start, end, puts in joined if (put := "".join(puts)) != text[start:end]]


def differences(at: int, old: str, new: str) -> list[Edit]:
    """Return the edits that make `new` of `old`, which stands at `at`: word by word, if they have as many words."""
    left, right = old.split(" "), new.split(" ")
    if len(left) != len(right):
        return [trimmed(at, old, new)]
    found = []
    for word, other in zip(left, right, strict=True):
        if word != other:
            found.append(trimmed(at, word, other))
        at += len(word) + 1
    return found


def trimmed(at: int, old: str, new: str) -> Edit:
    """Return the edit that makes `new` of `old`, which stands at `at`, without what both begin and end with."""
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    return Edit(at + head, at + len(old) - tail, new[head : len(new) - tail])


def _shared(left: str, right: str) -> int:
    """How many characters both begin with."""
    least = min(len(left), len(right))
    return next((i for i in range(least) if left[i] != right[i]), least)
