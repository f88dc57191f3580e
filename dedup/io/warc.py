"""WARC, the archives of the web, and their extracts WET and WAT: the text of each record is cleaned by itself.

Why: a crawl is kept as records, each with headers, and a length that must be right. All bytes of a record that nothing
was cut from stay; of another one only the text and what depends on it (lengths, digests) are new. Where the main text
of a page is taken out, the record becomes what a WET file has for it, and names the record that it was made from.

    WARC-Type: response             ->   WARC-Type: conversion
    WARC-Record-ID: <urn:uuid:1>         WARC-Refers-To: <urn:uuid:1>
    ...                                  ...
    HTTP/1.1 200 OK <html>...            the main text

After a record that is damaged, reading goes on at the next line that starts with `WARC/1.`
"""

import hashlib
import re
import uuid
from base64 import b32encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import BinaryIO, NamedTuple

from dedup.errors import InputError
from dedup.io import html
from dedup.io.rows import Options, Row, encoded
from dedup.io.window import Window
from dedup.model import Result

_BLOCK = 1 << 20  # bytes read at once
_LIMIT = 256 << 20  # bytes of what a record holds, and of what that is when unpacked
_HEAD = 1 << 16  # bytes of the headers of a record

_MARK = b"\nWARC/1."
_WARC = re.compile(rb"WARC/1\.\d+[ \t]*\r?\n(?:(?:[ \t]|[^\s:]++[ \t]*:)[^\r\n]*+\r?\n)*+\r?\n")
_HTTP = re.compile(rb"HTTP/\d(?:[^\r\n]++\r?\n)++\r?\n")
_LINE = re.compile(rb"^([^\s:]++)[ \t]*:[^\r\n]*+\r?\n(?:[ \t][^\r\n]*+\r?\n)*+", re.MULTILINE)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?\s*([^\s\"';]+)", re.IGNORECASE)
_BLANK = re.compile(rb"[\r\n]+")
_TEXTS = {"text/plain": False, "text/html": True, "application/xhtml+xml": True}  # whether it is a page


@dataclass(frozen=True, slots=True)
class _Headers:
    """A block of headers, of WARC or of HTTP."""

    data: bytes  # from the first line to the blank one

    @property
    def lines(self) -> list[tuple[str, bytes]]:
        """The name of each header in lower case, and its line."""
        return [(m[1].decode("latin-1").lower(), m[0]) for m in _LINE.finditer(self.data)]

    def get(self, name: str) -> str:
        """Return the value of a header; nothing where it is missing."""
        line = next((line for found, line in self.lines if found == name), b"")
        return b" ".join(line.partition(b":")[2].split()).decode("utf-8", "surrogateescape")

    @property
    def kind(self) -> str:
        """The type of what follows."""
        return self.get("content-type").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """The encoding of what follows."""
        found = _CHARSET.search(self.get("content-type"))
        return found[1] if found else ""

    def changed(self, values: dict[str, bytes | None]) -> bytes:
        """Return the bytes, with other values where these headers are there; None takes the line out."""

        def line(found: re.Match[bytes]) -> bytes:
            value = values.get(found[1].decode("latin-1").lower(), b"")
            if not value:
                return found[0] if value is not None else b""
            return found[1] + b": " + value + found[0][len(found[0].rstrip(b"\r\n")) :]

        return _LINE.sub(line, self.data)


@dataclass(frozen=True, slots=True)
class _Record:
    """A record that holds a text."""

    raw: bytes
    headers: _Headers
    http: _Headers | None
    body: bytes  # unpacked
    end: bytes  # what ends the record


class Frame(NamedTuple):
    """A record that was not read yet."""

    raw: bytes
    head: int  # bytes of its headers
    end: int  # bytes that end it
    where: str  # the name of the source, the record and its byte there


def rows(stream: BinaryIO, options: Options, name: str) -> Iterator[Row]:
    """Yield the records of an archive. Raises InputError where none is near its start, or an extra is missing."""
    return (frame if isinstance(frame, Row) else row_of(frame, options) for frame in frames(stream, name))


def frames(stream: BinaryIO, name: str) -> Iterator[Frame | Row]:
    """Yield the records of an archive, not read yet, and as rows what is none. Raises InputError as `rows` does."""
    window = Window(stream, _BLOCK, _LIMIT + 2 * _HEAD)
    while len(window.data) < _HEAD and window.grow():
        pass
    if window.data and _MARK not in b"\n" + window.data:
        raise InputError(
            f"{name}: not a WARC archive: no line of its first {len(window.data)} bytes starts with WARC/1.; "
            "--input-format text reads it as a text"
        )
    number, at = 0, 0
    while window.more():
        if blank := _BLANK.match(window.data, window.at):
            yield Row(window.take(blank.end()), b"", b"", None)
            at += len(blank.group())
            continue
        number += 1
        where = f"{name}: record {number} at byte {at}"
        try:
            head, size, end = _measured(window)
        except ValueError as error:
            told = f"{where}: {error}; it is passed on as it is"
            for part in _to_next(window):
                yield Row(b"", b"", part, None, error=told)
                at, told = at + len(part), ""
            continue
        at += size
        yield Frame(window.take(window.at + size), head, end, where)


def _measured(window: Window) -> tuple[int, int, int]:
    """The bytes of the headers at the place, of the record, and of what ends it. Raises ValueError where it is damaged.

    All of the record is read.
    """
    while True:
        match = _WARC.match(window.data, window.at, window.at + _HEAD)
        if match or len(window.data) - window.at >= _HEAD or not window.grow():
            break
    if not match:
        begun = window.data.startswith(_MARK[1:], window.at)
        raise ValueError("its headers are damaged, or do not end" if begun else "no WARC record starts here")
    length = _Headers(match.group()).get("content-length")
    if not length.isascii() or not length.isdigit() or len(length) > 18:
        raise ValueError(f"its Content-Length is {length!r}" if length else "it has no Content-Length")
    if int(length) > _LIMIT:
        raise ValueError(f"its Content-Length is {length}, and at most {_LIMIT} bytes are read")
    head = len(match.group())
    stop = head + int(length)
    while len(window.data) - window.at < stop + 4 + len(_MARK) and window.grow():
        pass
    left = len(window.data) - window.at
    if left < stop:
        raise ValueError(f"it is cut off: its Content-Length is {length}, and {left - head} bytes are left")
    at = window.at + stop
    blank = _BLANK.match(window.data, at, at + 4)
    end = len(blank.group()) if blank else 0
    follows = at + end == len(window.data) or window.data.startswith(_MARK[1:], at + end)
    if not follows and window.data[at : at + 4] != b"\r\n\r\n":
        raise ValueError(f"its Content-Length is {length}, and no record ends there")
    return head, stop + end, end


def _to_next(window: Window) -> Iterator[bytes]:
    """Take all up to the next line that starts as a record does, in parts."""
    while window.more():
        found = window.data.find(_MARK, window.at)
        end = found + 1 if found >= 0 else len(window.data) - (0 if window.ended else len(_MARK) - 1)
        if end > window.at:
            yield window.take(end)
        if found >= 0:
            return
        window.grow()


def row_of(frame: Frame, options: Options) -> Row:
    """Return the record as a row, with its text if it holds one. Raises InputError where an extra is missing."""
    raw, head, end, where = frame
    headers, stop = _Headers(raw[:head]), len(raw) - end
    id, group = headers.get("warc-record-id").strip("<>"), headers.get("warc-target-uri").strip("<>")
    row = Row(b"", b"", raw, None, id or group, group)
    record = _Record(raw, headers, None, raw[head:stop], raw[stop:])
    kind = headers.get("warc-type").lower()
    if kind == "response" and (found := _HTTP.match(record.body)):
        record = replace(record, http=_Headers(found.group()), body=record.body[found.end() :])
    elif kind not in ("resource", "conversion"):
        return row
    about = record.http or headers
    is_page = _TEXTS.get(about.kind)
    if is_page is None or (is_page and kind == "conversion") or not record.body:
        return row
    convert = kind != "conversion" and options.html_mode == "article"
    if is_page and convert:
        html.extractor(where)
    unpack = _unpacker(where) if record.http and _packed(record.http) else None
    try:
        record = replace(record, body=unpack(record)) if unpack else record
        if is_page:
            text, made, note = html.reading(record.body, options, where, about.charset)
        else:
            declared = options.encoding or about.charset or ("utf-8" if kind == "conversion" else "")
            text, made, note = *_plain(record.body, declared, convert), ""
    except (InputError, ValueError) as error:
        told = str(error) if isinstance(error, InputError) else f"{where}: {error}"
        return replace(row, error=f"{told}; it is passed on as it is")
    if not (text.strip() or options.known):
        return row
    return replace(row, text=text, cut=partial(_converted if convert else _changed, record, made), note=note)


def _plain(body: bytes, declared: str, convert: bool) -> tuple[str, Callable[[Result], bytes]]:
    """A plain text, and what makes its bytes of the cleaned one. Raises ValueError where bytes would not come back."""
    encoding = html.charset(body, declared)
    if b"\0" in body and not encoding.startswith("utf-16"):
        raise ValueError(f"byte {body.index(0)} of what it holds is NUL, so this looks like a binary file")
    text = body.decode(encoding, "surrogateescape")
    if text.encode(encoding, "surrogateescape") != body:
        raise ValueError(f"its bytes are not all {encoding} (--encoding names another one)")
    return text, partial(encoded, encoding="utf-8" if convert else encoding)


# ---------------------------------------------------------------- what HTTP packs


def _packed(http: _Headers) -> bool:
    return any(http.get(name).lower() not in ("", "identity") for name in ("transfer-encoding", "content-encoding"))


def _unpacker(where: str) -> Callable[[_Record], bytes]:
    """Return what undoes the chunks and the compression of HTTP. Raises InputError where it is not installed."""
    try:
        from fastwarc.warc import ArchiveIterator
    except ImportError:
        raise InputError(
            f"{where}: to read what is packed in WARC, install the extra: pip install 'dedup-text[warc]'"
        ) from None

    def unpacked(record: _Record) -> bytes:
        try:
            found = next(ArchiveIterator(BytesIO(record.raw), parse_http=True, auto_decode="all"))
            data: bytes = found.reader.read(_LIMIT + 1)
        except (OSError, StopIteration, ValueError):
            if record.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):  # some crawlers unpack, and tell nobody
                return record.body
            raise ValueError("what it holds is packed, and cannot be unpacked") from None
        if len(data) > _LIMIT:
            raise ValueError(f"what it holds has more than {_LIMIT} bytes when unpacked")
        return data

    return unpacked


# ---------------------------------------------------------------- records with another text


def _changed(record: _Record, made: Callable[[Result], bytes], result: Result) -> bytes:
    """The record with the cleaned text, all else as it was but for what depends on it."""
    kind: dict[str, bytes | None] = {}
    try:
        body = made(result)
    except InputError:  # a fixer put in what the encoding of a plain text lacks
        body, kind = encoded(result, "utf-8"), {"content-type": b"text/plain; charset=utf-8"}
    if body == record.body:
        return record.raw
    block, new = body, kind
    if record.http:
        size = b"%d" % len(body)
        kind |= {"content-length": size, "transfer-encoding": None, "content-encoding": None}
        block, new = record.http.changed(kind) + body, {}
    new |= {"content-length": b"%d" % len(block), "warc-block-digest": _digest(block)}
    return record.headers.changed(new | {"warc-payload-digest": _digest(body)}) + block + record.end


def _converted(record: _Record, made: Callable[[Result], bytes], result: Result) -> bytes:
    """The record of the cleaned text of a page, as WET has it."""
    body = made(result)
    digest, old = _digest(body), record.headers.get("warc-record-id")
    name = f"{old} {digest.decode()}".encode("utf-8", "replace").decode()
    lines = dict(reversed(record.headers.lines))
    head = [
        record.headers.data.partition(b"\n")[0] + b"\n",
        b"WARC-Type: conversion\r\n",
        lines.get("warc-target-uri", b""),
        lines.get("warc-date", b""),
        b"WARC-Record-ID: <urn:uuid:%s>\r\n" % str(uuid.uuid5(uuid.NAMESPACE_URL, name)).encode(),
        b"WARC-Refers-To:" + lines["warc-record-id"].partition(b":")[2] if old else b"",
        b"WARC-Block-Digest: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % (digest, len(body)),
    ]
    return b"".join(head) + body + b"\r\n\r\n"


def _digest(data: bytes) -> bytes:
    return b"sha1:" + b32encode(hashlib.sha1(data, usedforsecurity=False).digest())
