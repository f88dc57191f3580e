"""Text to paragraphs: the units of removal.

Why: scrapers write one paragraph a line, or one a wrapped group of lines. A paragraph here is a non-blank line; its
terminator is the line end and the blank lines after it, so that a paragraph can go without leaving a hole.

    "One.\\n\\nTwo."   ->   [One.][\\n\\n] [Two.][]

Only CR, LF and CRLF end a line: form feeds, U+0085 and U+2028 are ordinary characters.
"""

import re
from array import array
from bisect import bisect_left

from dedup.model import Page, Paragraphs, Words, offsets

_LINE = re.compile(r"[^\r\n]+")


def segment(text: str) -> Paragraphs:
    """Return the character spans of the non-blank lines of `text`."""
    starts, ends = offsets(len(text)), offsets(len(text))
    for match in _LINE.finditer(text):
        if not match.group().isspace():
            starts.append(match.start())
            ends.append(match.end())
    return Paragraphs(starts, ends)


def page(text: str, words: Words) -> Page:
    """Return the Page of `text`: its paragraphs, with the words assigned to them."""
    paragraphs = segment(text)
    first: array[int] = offsets(len(text))
    at = 0
    for start in paragraphs.starts:
        at = bisect_left(words.starts, start, at)
        first.append(at)
    first.append(len(words.starts))
    return Page(text, paragraphs, words, first)
