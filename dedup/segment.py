"""Text to paragraphs: the units of removal.

Why: scrapers write one paragraph a line, or wrap it over several. A paragraph here is a non-blank line; its terminator
is the line end and the blank lines after it, so that a paragraph can go without leaving a hole.

    "One.\\n\\nTwo."   ->   [One.][\\n\\n] [Two.][]

Only CR, LF and CRLF end a line: form feeds, U+0085 and U+2028 are ordinary characters.
"""

from bisect import bisect_left

from dedup.model import Page, Paragraphs, Words, integers
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_BLANK = 64  # characters that are looked at together


def lines(text: str, blank: bool = True) -> "Iterator[tuple[int, int]]":
    """Yield the character spans of the lines of `text`, without their ends. A last line end starts no line.

    Unless `blank`, most of the blank ones are left out.
    """
    at, total, returns = 0, len(text), "\r" in text
    while at < total:
        end = text.find("\n", at)
        stop = total if end < 0 else end
        if not blank and (returns or stop - at < 2):
            ahead = text[at : at + _BLANK]
            if ahead.isspace() and (past := max(ahead.rfind("\n"), ahead.rfind("\r")) + 1):
                at += past
                continue
        if returns:
            while (cut := text.find("\r", at, stop)) >= 0:
                if cut + 1 == stop and end >= 0:
                    break
                yield at, cut
                at = cut + 1
            if at < stop or end >= 0:
                yield at, stop - (end >= 0 and stop > at and text[stop - 1] == "\r")
        else:
            yield at, stop
        at = stop + 1


def segment(text: str) -> Paragraphs:
    """Return the character spans of the non-blank lines of `text`."""
    starts, ends = integers(len(text)), integers(len(text))
    for start, end in lines(text, blank=False):
        if start < end and not text[start:end].isspace():
            starts.append(start)
            ends.append(end)
    return Paragraphs(starts, ends)


def page(text: str, paragraphs: Paragraphs, words: Words) -> Page:
    """Return the Page of `text`: its paragraphs, with its words assigned to them."""
    first = integers(len(text))
    at = 0
    for start in paragraphs.starts:
        at = bisect_left(words.starts, start, at)
        first.append(at)
    first.append(len(words.starts))
    return Page(text, paragraphs, words, first)
