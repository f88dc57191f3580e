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

from dedup.errors import InputError
from dedup.model import Result


@dataclass(frozen=True, slots=True)
class Options:
    """How containers are read."""

    text_field: str = "text"
    id_field: str = "id"
    group_field: str = ""  # the site that a row is from; else its `url`
    encoding: str = ""  # of the source; else what it declares, or UTF-8
    html_mode: str = "article"  # article: the main text of a page; page: all of its text, in its place
    known: bool = False  # whether the texts of pages are known already: only how these are written is asked for


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
    note: str = ""  # what is no fault, and yet to be told: the name of the source, and in which way the row was read
    damaged: bool = False  # the source ends here, because it is damaged or cut short


def decoded(data: bytes) -> str:
    """Return the text that bytes of a Result stand for, where that is the Result of the text of a row.

    Such a text is encoded with its surrogates, though they are no UTF-8. Where one of them was torn, each byte that is
    no UTF-8 becomes one.

    >>> decoded("caf\\udce9".encode("utf-8", "surrogatepass"))
    'caf\\udce9'
    """
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


def encoded(result: Result, encoding: str, errors: str = "surrogateescape") -> bytes:
    """Return the cleaned text in the encoding of its row.

    Raises InputError for a character that the encoding lacks, which a fixer put in.
    """
    text = decoded(result.clean)
    try:
        return text.encode(encoding, errors)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{result.source}: the cleaned text has {text[error.start]!r} in it, which {encoding} has not; convert the "
            "source to UTF-8 first, or leave out --fix"
        ) from None
