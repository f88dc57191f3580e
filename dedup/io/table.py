"""Tables, CSV and TSV: the text of each row is cleaned by itself; all other bytes of the table stay.

Why: a table that is read and written anew has other quotes and other line ends. Here a regular expression says where
the field of the text stands, and only that field is written anew, and only where something was cut from it.

    id;text;"tags"      ->   id;text;"tags"
    7;"A. ""B."" A.";x       7;"A. ""B."" ";x

Rows are what Python's csv module takes them for: a quote means something only at the start of a field, and what stands
between a closing quote and the end of the field belongs to it. Of `,` `;` tab `|` the delimiter is the one by which the
header has a field of that name, and the most fields; in a file named `.tsv` it is the tab. A row that does not end, as
where a quote is not closed, is passed on.
"""

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

from dedup.errors import InputError
from dedup.io.rows import Options, Row, encoded
from dedup.io.window import Window
from dedup.model import Result, Span

_BLOCK = 1 << 20  # bytes read at once
_LIMIT = 64 << 20  # bytes of a row
_DELIMITERS = (b",", b";", b"\t", b"|")  # the first one where others do as well
_SHOWN = 20  # fields named in an error
_LEAD = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*")
_BLANK = re.compile(rb"[\r\n]+")
_END = re.compile(rb"\r\n?|\n")
_QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"', re.DOTALL)
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

_Codec = tuple[str, str]  # the encoding, and what is done with bytes that are no text


@dataclass(frozen=True, slots=True)
class _Table:
    """How the rows are read."""

    delimiter: bytes
    codec: _Codec
    column: int  # of the text
    patterns: list[re.Pattern[bytes]]  # of a row, the most telling first
    groups: list[tuple[int, ...]]  # of each pattern, for the text, the id and the site; 0: none


def rows(stream: BinaryIO, options: Options, name: str) -> Iterator[Row]:
    """Yield the rows of a table. Raises InputError where it has no such column, or an encoding of another kind."""
    head, encoding = stream.read(2), _encoding(options, name)
    if not options.encoding or encoding in _MARKS.values():
        encoding = _MARKS.get(head, encoding)
    if encoding in _MARKS.values():
        found = _utf16(stream, head, options, name, encoding)
    else:
        found = _read(Window(stream, _BLOCK, _LIMIT, head), options, name, (encoding, "surrogateescape"))
    number, at = 0, 0
    for row in found:
        start = at + len(row.before)
        number, at = number + bool(row.raw), start + len(row.raw)
        where = f"{name}: record {number} at byte {start}" if row.error else ""
        yield replace(row, error=f"{where}: {row.error}; it is passed on as it is") if where else row


def _encoding(options: Options, name: str) -> str:
    """The name that Python has for the encoding."""
    try:
        found = codecs.lookup(options.encoding or "utf-8").name.removesuffix("-sig")
        found = "utf-16-le" if found == "utf-16" else found
        if found not in _MARKS.values() and ',;\t|"\r\n'.encode(found) != b',;\t|"\r\n':
            raise LookupError
    except (LookupError, ValueError):
        raise InputError(
            f"{name}: tables are read in UTF-8, UTF-16 and encodings that have ASCII in them, not in "
            f"{options.encoding!r}; convert it first, as with iconv -t utf-8"
        ) from None
    return found


def _read(window: Window, options: Options, name: str, codec: _Codec) -> Iterator[Row]:
    """Yield the rows, their errors without a place."""
    before, table = _header(window, options, name, codec)
    while window.more():
        if window.data[window.at] in b"\r\n":
            blank = _BLANK.match(window.data, window.at)
            yield Row(before + window.take(blank.end() if blank else 0), b"", b"", None)
        elif table and (row := _row(window, table, before)):
            yield row
        else:
            yield from _endless(window, before)
        before = b""
    if before:
        yield Row(before, b"", b"", None)


def _header(window: Window, options: Options, name: str, codec: _Codec) -> tuple[bytes, _Table | None]:
    """The bytes up to the first row, and how the rows are read; None where there is no header."""
    while (lead := _LEAD.match(window.data)) and len(window.data) < lead.end() + 3 and window.grow():
        pass
    before = window.take(lead.end() if lead else 0)
    if not window.more():
        return before, None
    found: list[tuple[bytes, bytes, list[str]]] = []
    is_tsv = "tsv" in os.path.basename(name).lower().split(".")[1:]
    for delimiter in (b"\t",) if is_tsv else _DELIMITERS:
        if match := _match(window, [_shape(delimiter, [])]):
            fields = [_value(field).decode(codec[0], "replace") for field in _fields(match.group(), delimiter)]
            found.append((match.group(), delimiter, fields))
    fitting = [header for header in found if options.text_field in header[2]]
    if not fitting:
        fields = max((header[2] for header in found), key=len, default=[])
        shown = ", ".join(map(repr, fields[:_SHOWN])) + (", ..." if len(fields) > _SHOWN else "")
        raise InputError(
            f"{name}: no column {options.text_field!r} is in the header of the table (it has {shown or 'no end'}); "
            "--text-field names the one to clean"
        )
    header, delimiter, fields = max(fitting, key=lambda header: len(header[2]))
    window.at += len(header)
    wanted = (options.text_field, options.id_field, options.group_field or "url")
    text, id, group = [fields.index(field) if field in fields else -1 for field in wanted]
    columns = sorted({text, id, group} - {-1})
    shapes = [*(columns[:end] for end in range(len(columns), columns.index(text), -1)), []]  # a row may be short
    groups = [tuple(shape.index(at) + 1 if at in shape else 0 for at in (text, id, group)) for shape in shapes]
    return before + header, _Table(delimiter, codec, text, [_shape(delimiter, shape) for shape in shapes], groups)


def _field(delimiter: bytes) -> bytes:
    """The pattern of a field. It never looks back: a quote that is not closed would be read in another way then."""
    rest = rb"[^%s\r\n]*+" % re.escape(delimiter)
    return rb'(?:"[^"]*+(?:""[^"]*+)*+"%s|(?!")%s)' % (rest, rest)


def _shape(delimiter: bytes, columns: list[int]) -> re.Pattern[bytes]:
    """The pattern of a row that has these columns, each one a group."""
    field, between = _field(delimiter), re.escape(delimiter)
    out, at = b"", 0
    for column in columns:
        out += (between if at else b"") + rb"(?:%s%s){%d}+(%s)" % (field, between, column - at, field)
        at = column + 1
    return re.compile((out or field) + rb"(?:%s%s)*+(?:\r\n?|\n|\Z)" % (between, field))


def _fields(row: bytes, delimiter: bytes) -> list[bytes]:
    """The fields of a row as they are written."""
    return re.findall(rb"(?:\A|%s)(%s)" % (re.escape(delimiter), _field(delimiter)), row)


def _value(field: bytes) -> bytes:
    """A field without its quotes."""
    if field[:1] != b'"':
        return field
    match = _QUOTED.match(field)
    return match[1].replace(b'""', b'"') + field[match.end() :] if match else field


def _match(window: Window, patterns: list[re.Pattern[bytes]]) -> re.Match[bytes] | None:
    """The whole row at the place, as the first of the patterns reads it; None where it does not end."""
    while True:
        for pattern in patterns:
            match = pattern.match(window.data, window.at)
            if match and (match.end() < len(window.data) or window.ended):
                return match
        if not window.grow():
            return None


def _row(window: Window, table: _Table, before: bytes) -> Row | None:
    """The row at the place, which is taken; None where it does not end."""
    match = _match(window, table.patterns)
    if not match:
        return None
    text, id, group = table.groups[table.patterns.index(match.re)]
    raw = window.take(match.end())
    if not text:
        count = len(_fields(raw, table.delimiter))
        return Row(before, b"", raw, None, error=f"the text is field {table.column + 1}, and it has only {count}")
    encoding, errors = table.codec
    value = _value(match[text])
    try:
        decoded = value.decode(encoding, errors)
        if encoding != "utf-8" and decoded.encode(encoding, errors) != value:
            raise ValueError
    except ValueError:
        return Row(before, b"", raw, None, error=f"{encoding} does not give back its text (--encoding names another)")
    at = match.start()
    cut = partial(_cut, raw, (match.start(text) - at, match.end(text) - at), value, table)
    name = _value(match[id]).decode(encoding, "replace") if id else ""
    return Row(before, b"", raw, decoded, name, _value(match[group]).decode(encoding, "replace") if group else "", cut)


def _cut(raw: bytes, span: Span, value: bytes, table: _Table, result: Result) -> bytes:
    """The row with its text cleaned: in quotes if it was so, or if it has to be."""
    field = encoded(result, *table.codec)
    if field == value:
        return raw
    start, end = span
    special = any(mark in field for mark in (table.delimiter, b"\r", b"\n")) or field[:1] == b'"'
    blank = not field and not (raw[:start] + raw[end:]).strip(b"\r\n")  # it would be no row at all
    if raw[start : start + 1] == b'"' or special or blank:
        field = b'"' + field.replace(b'"', b'""') + b'"'
    return raw[:start] + field + raw[end:]


def _endless(window: Window, before: bytes) -> Iterator[Row]:
    """Pass on a row that does not end, up to the end of the line where it gets too long."""
    raw = window.take(len(window.data))
    if window.ended and len(raw) <= window.limit:
        yield Row(before, b"", raw, None, error="it ends inside a field in quotes")
        return
    yield Row(before, b"", raw, None, error=f"it has more than {window.limit} bytes; a quote may not be closed there")
    end = None
    while not end and window.more():
        end = _END.search(window.data, window.at)
        yield Row(window.take(end.end() if end else len(window.data)), b"", b"", None)


# ---------------------------------------------------------------- UTF-16


class _Utf8:
    """A stream of UTF-16, as UTF-8. What is left of it at the end is half a character."""

    def __init__(self, stream: BinaryIO, head: bytes, encoding: str) -> None:
        self.stream, self.left, self.encoding = stream, head, encoding

    def read(self, size: int, /) -> bytes:
        """Return about `size` bytes, in whole characters."""
        while True:
            block = self.stream.read(size)
            data = self.left + block
            end = len(data) & ~1
            high = data[end - 1 if self.encoding == "utf-16-le" else end - 2] if end else 0
            end -= 2 if block and high & 0xFC == 0xD8 else 0  # the other half of a pair may follow
            self.left = data[end:]
            if end or not block:
                return data[:end].decode(self.encoding, "surrogatepass").encode("utf-8", "surrogatepass")


def _utf16(stream: BinaryIO, head: bytes, options: Options, name: str, encoding: str) -> Iterator[Row]:
    """Yield the rows of a table in UTF-16. Its structure is looked for in UTF-8; the way back is exact."""
    source = _Utf8(stream, head, encoding)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")  # a row that is too long ends anywhere

    def back(data: bytes) -> bytes:
        return decoder.decode(data).encode(encoding, "surrogatepass")

    for row in _read(Window(source, _BLOCK, _LIMIT), options, name, ("utf-8", "surrogatepass")):
        cut = partial(_cut_utf16, row, encoding) if row.cut else None
        yield replace(row, before=back(row.before), raw=back(row.raw), cut=cut)
    if source.left:
        yield Row(b"", b"", source.left, None, error="the source ends inside a character")


def _cut_utf16(row: Row, encoding: str, result: Result) -> bytes:
    line = row.cut(result) if row.cut else row.raw
    return line.decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass")
