"""Fixers to a text that none of them changes any more.

Why: what one fixer mends may show another one something to mend, and a second run must change nothing. Each change is
kept with the name of its fixer and its place in the input, for the report and the undo.
"""

from bisect import bisect_right

from dedup.decode import again, byte_spans
from dedup.fix import LAYOUT, chosen, edits, phrases
from dedup.model import Document
from dedup.record import TYPE_CHECKING
from dedup.segment import lines
from dedup.structure import fenced

if TYPE_CHECKING:
    from dedup.config import Config
    from dedup.fix import Edit
    from dedup.rewrite import Table


def mended(document: Document, table: "Table", data: bytes, config: "Config") -> "tuple[Document, Table] | None":
    """Return what the fixers of `config` make of `document`, and the Table from there to the input `data`.

    None where they change nothing. `table` leads from `document` to the input. What cannot be written in the encoding
    of the document is left. Raises UsageError for a fixer that there is not, InputError for a list that cannot be read.
    """
    names, phrased = chosen(config.fix), phrases(config.furniture) if config.furniture else None
    begun, before = table, None
    while table is not before:
        before = table
        for name in names:
            found = edits(document.text, name, phrased)
            if name in LAYOUT:
                found = _outside_code(document.text, found)
            spans = byte_spans(document, [(edit.start, edit.end) for edit in found])
            puts = [(span, _encoded(edit.put, document)) for span, edit in zip(spans, found, strict=True)]
            written = [(span, put) for span, put in puts if put is not None]
            if written:
                table = table.mended(name, written, len(data))
                document = again(document, table.text(data))
    return None if table is begun else (document, table)


def _outside_code(text: str, found: "list[Edit]") -> "list[Edit]":
    """The edits that touch no fenced code: there white space and line ends say something."""
    rows = list(lines(text)) if found else []
    code = [(rows[first][0], rows[last][1]) for first, last in fenced(text, rows)]
    ends = [end for _, end in code]
    at = [bisect_right(ends, edit.start) for edit in found]  # the first code that ends after the edit begins
    return [edit for n, edit in zip(at, found, strict=True) if n == len(code) or edit.end <= code[n][0]]


def _encoded(text: str, document: Document) -> bytes | None:
    try:
        return text.encode(document.encoding, document.errors)
    except UnicodeEncodeError:
        return None
