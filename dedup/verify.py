"""Does the copy really stand in the kept text? The proof behind every removal.

Why: hashes propose, content decides. The words of both sides are read again from the text and compared as strings.
"""

from dedup.model import Page, Piece
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BATCH = 4096  # words compared at once
_EDGE = 2  # characters of a sign and a currency, beside a figure
_CURRENCY = "$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u00a2"
# Dashes are one sign; the last two fill what is read as fewer characters.
_PLAIN = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212\uff0d"), "-") | {0x2060: None, 0x1F: None}


def proved(page: Page, piece: Piece, keys: "Callable[[str], list[str]]") -> bool:
    """Whether each word of `piece` is the word `piece.shift` away, by its match key (`keys` of a text, in order)."""
    text, words = page.text, page.words
    for start in range(piece.start, piece.end, _BATCH):
        end = min(start + _BATCH, piece.end)
        copy, kept = (text[words.starts[start + s] : words.end(end + s - 1)] for s in (0, piece.shift))
        if copy != kept and keys(copy) != keys(kept):
            return False
    return True


def same_figures(page: Page, piece: Piece) -> bool:
    """Whether the figures of `piece` have the signs and currencies that those of its witness have.

    They are no words, and say as much as words do: -4 is not +4, nor 10% what 10 is.
    """
    text, words = page.words.reading, page.words
    for start in range(piece.start, piece.end, _BATCH):
        end = min(start + _BATCH, piece.end)
        spans = [(words.starts[start + s], words.end(end + s - 1)) for s in (0, piece.shift)]
        copy, kept = (text[a:b] for a, b in spans)
        if copy != kept or copy[0].isdecimal() or copy[-1].isdecimal():
            copy, kept = (_edge(text[max(0, a - _EDGE) : a]) + text[a:b] + _edge(text[b : b + _EDGE]) for a, b in spans)
            if copy != kept and figures(copy) != figures(kept):
                return False
    return True


def _edge(beside: str) -> str:
    """What stands beside a stretch, without the figures of other ones."""
    return "".join("x" if char.isdecimal() else char for char in beside)


def figures(text: str) -> list[tuple[str, str]]:
    """Return what stands right before and right after each figure: a sign, a currency, a percent.

    >>> figures("-4 at $49, 10% of 20-30")
    [('-', ''), ('$', ''), ('', '%'), ('', ''), ('', '')]
    """
    import re

    plain = text.translate(_PLAIN)
    before = re.compile(rf"(?<![^\W_])([-+<>\u2264\u2265\u00b1]?[{_CURRENCY}]?)\Z")
    out, at = [], 0
    for figure in re.finditer(rf"\d+\s?([%\u2030\u00b0{_CURRENCY}]?)", plain):
        sign = before.search(plain, max(at, figure.start() - _EDGE), figure.start())
        out.append((sign[1] if sign else "", figure[1]))
        at = figure.end()
    return out
