"""The lines of a text, in characters. Only CR LF, CR and LF end one: all else may be a part of what is damaged."""

import re
from collections.abc import Iterator

from dedup.record import Record

LINE_END = r"\r\n|\r|\n"
_LINE = re.compile(rf"([^\r\n]*)({LINE_END}|\Z)")


class Line(Record):
    """A line: characters `start` to `stop`, and its line end up to `end`."""

    start: int
    stop: int
    end: int


def lines(text: str) -> Iterator[Line]:
    """Yield the lines of a text.

    >>> list(lines("a\\r\\nb"))
    [Line(start=0, stop=1, end=3), Line(start=3, stop=4, end=4)]
    """
    for match in _LINE.finditer(text):
        if match.start() < len(text):
            yield Line(match.start(), match.end(1), match.end())
