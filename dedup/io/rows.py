"""Rows: what every container of texts is read as, be it a table, an array, a page or an archive of the web.

Why: a text may lie in a field of a table, in an element of an array or between the tags of a page. A reader cuts its
source into rows and says of each which text it holds and how the row looks with a cleaned one. All bytes of the source
are in its rows, so that what is not text is passed on as it is, and the undo is exact.

    id,text        ->   Row(before=b"id,text\\n", raw=b"1,A\\n", text="A", ...)
    1,A                 Row(raw=b"2,B\\n", text="B", ...)
    2,B
"""

from collections.abc import Callable
from dataclasses import dataclass

from dedup.model import Result


@dataclass(frozen=True, slots=True)
class Options:
    """How containers are read."""

    text_field: str = "text"
    id_field: str = "id"
    group_field: str = ""  # the site that a row is from; else its `url`
    encoding: str = ""  # of the source; else what it declares, or UTF-8
    html_mode: str = "article"  # article: the main text of a page; page: all of its text, in its place


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a source, which is the `before + separator + raw` of its rows, in order.

    `separator` goes with the row, and where no row before it stays. What is no text in a row are lone surrogates.
    """

    before: bytes
    separator: bytes
    raw: bytes
    text: str | None  # None: nothing to clean is in it, and it is passed on as it is
    id: str = ""
    group: str = ""  # as it is written: a site, or an address
    cut: Callable[[Result], bytes] | None = None  # the row with its text cleaned; None only where there is no text
    error: str = ""  # what is wrong with it: the name of the source, the row and its byte there, and the next step
