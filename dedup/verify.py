"""Does the copy really stand in the kept text? The proof behind every removal.

Why: hashes propose, content decides. The words of both sides are read again from the text and compared as strings.
"""

from dedup.model import Page, Piece
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BATCH = 4096  # words compared at once


def proved(page: Page, piece: Piece, keys: "Callable[[str], list[str]]") -> bool:
    """Whether each word of `piece` is the word `piece.shift` away, by its match key (`keys` of a text, in order)."""
    text, words = page.text, page.words
    for start in range(piece.start, piece.end, _BATCH):
        end = min(start + _BATCH, piece.end)
        copy, kept = (keys(text[words.starts[start + s] : words.end(end + s - 1)]) for s in (0, piece.shift))
        if copy != kept:
            return False
    return True
