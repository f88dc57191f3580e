"""Formats: what a file holds, told by its content and its name, and the reader of its rows.

Why: what is no text and no JSON Lines is worked on as JSON Lines, a line for each of its rows, and written again row by
row from the source. So the engine knows two forms, and a new format is a reader.
"""

import json
import os
import stat
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from dedup.errors import InputError
from dedup.io import compression, files
from dedup.io.rows import Options, Row

_READERS = {"json": "array", "csv": "table", "html": "html", "warc": "warc"}  # imported where there is such a file
FRAMED = ("warc",)  # formats of which rows are told apart before they are read, so that others can read them
ARCHIVES = ("zip", "tar")
FORMATS = ("text", "jsonl", *_READERS, "parquet", *ARCHIVES)
_NAMES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".html": "html", ".htm": "html",
    ".xhtml": "html", ".warc": "warc", ".wet": "warc", ".parquet": "parquet",
}  # fmt: skip
_HEAD = 512  # bytes that tell the format of a file
_BLOCK = 1 << 20  # bytes of lines given at once


class Kind(NamedTuple):
    """How a file is read: its format, and how it is compressed, if it is."""

    format: str
    packed: str


def kind(path: str, wanted: str = "auto") -> Kind:
    """Return the Kind of a file; `wanted` is its format, unless it is "auto". What cannot be read is a text so far."""
    name = path.lower()
    for suffix in compression.SUFFIXES:
        name = name.removesuffix(suffix)
    head, packed = _head(path)
    if wanted != "auto":
        return Kind(wanted, packed)
    if head.startswith(b"PAR1"):
        return Kind("parquet", packed)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Kind("zip", packed)
    if head[257:262] == b"ustar":
        return Kind("tar", packed)
    if head.startswith(b"WARC/1."):
        return Kind("warc", packed)
    if name.endswith(".json") and head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        return Kind("json", packed)
    return Kind(next((format for suffix, format in _NAMES.items() if name.endswith(suffix)), "text"), packed)


def _head(path: str) -> tuple[bytes, str]:
    """How a file begins, decompressed, and its compression. Of what can be read once only nothing is read."""
    packed = ""
    try:
        if path == files.STDIN or not stat.S_ISREG(os.stat(path).st_mode):
            return b"", ""
        with open(path, "rb") as raw:
            packed = compression.told(raw.read(8))
        with compression.opened(path) as (reader, _):
            return reader.peek(_HEAD)[:_HEAD], packed
    except (InputError, OSError):
        return b"", packed


def rows(path: str, format: str, options: Options, name: str, ratio: int) -> Iterator[Row]:
    """Yield the rows of a file in a format with rows; damage of its compression is told by a last one.

    Raises InputError where nothing can be made of it.
    """
    if format == "parquet":
        from dedup.io import parquet

        if packed := _head(path)[1]:
            raise InputError(f"{name}: is Parquet inside {packed}; decompress it first")
        yield from parquet.rows(path, options, name)
        return
    with compression.opened(path, ratio) as (reader, stream):
        yield from _reader(format).rows(reader, options, name)
        if stream.error:
            yield Row(b"", b"", b"", None, error=stream.error, damaged=True)


def frames(path: str, format: str, name: str, ratio: int) -> Iterator[Any]:
    """Yield the rows of a file in one of the FRAMED formats, as `framed` takes them. Fails as `rows` does."""
    with compression.opened(path, ratio) as (reader, stream):
        yield from _reader(format).frames(reader, name)
        if stream.error:
            yield Row(b"", b"", b"", None, error=stream.error, damaged=True)


def framed(frame: Any, format: str, options: Options) -> Row:
    """Return what `rows` yields for this frame. Raises InputError as it does."""
    row: Row = frame if isinstance(frame, Row) else _reader(format).row_of(frame, options)
    return row


def _reader(format: str) -> Any:
    return import_module(f"dedup.io.{_READERS[format]}")


def lines(rows: Iterator[Row], fields: Options) -> Iterator[bytes]:
    """Yield the rows as JSON Lines, about a megabyte at once; a row without a text is an empty line."""
    block, size = [], 0
    for row in rows:
        line = b"\n" if row.text is None else _line(row, row.text, fields)
        block.append(line)
        size += len(line)
        if size >= _BLOCK:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)


def _line(row: Row, text: str, fields: Options) -> bytes:
    record = {fields.group_field or "url": row.group, fields.id_field: row.id, fields.text_field: text}
    if not row.id and fields.id_field != fields.text_field:
        del record[fields.id_field]
    return json.dumps(record).encode("ascii") + b"\n"
