"""Sources to documents, each cleaned by itself: text files, the records of JSON Lines, and the rows of containers."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from dedup.audit import audit
from dedup.config import Config
from dedup.errors import AuditError, DamagedError, InputError
from dedup.io import compression, files, formats, jsonl
from dedup.io.rows import Options, Row
from dedup.model import Op, Result, Span
from dedup.within import Input, clean_documents

if TYPE_CHECKING:
    from dedup.vector import Part

_AT_ONCE = 1 << 19  # bytes of text, from which on they are cleaned
_HELD = 8 << 20  # bytes of records that wait for it
_BLOCK = 1 << 20  # bytes of records read at once


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs are read and judged."""

    config: Config
    input_format: str = "auto"  # auto, or one of formats.FORMATS
    options: Options = field(default_factory=Options)
    max_ratio: int = compression.RATIO  # times its size to which a compressed file may grow
    force_text: bool = False
    to_utf8: bool = False  # whether what is left of a text is written in UTF-8
    audit: bool = False

    def check(self, result: Result) -> None:
        """Audit `result` if that was asked for. Raises AuditError."""
        if self.audit and (failures := audit(result, self.config)):
            raise AuditError(
                f"{result.source}: the result did not pass its audit, so it was not written; please report this: "
                + "; ".join(failures)
            )

    def source(self, path: str, file: str, below: str, walked: bool) -> "Source":
        """Return the Source that the file `path` is."""
        format, packed = formats.kind(path, self.input_format)
        article = format == "html" and self.options.html_mode == "article"
        return Source(path, file, below, walked, format, packed, f"{below}.txt" if article else below)

    def rows(self, source: "Source", *, known: bool = False) -> Iterator[Row]:
        """Yield the rows of a container; texts that are `known` may be left out.

        Raises InputError where nothing can be made of it.
        """
        options = replace(self.options, known=known)
        return formats.rows(source.path, source.format, options, source.name, self.max_ratio)


@dataclass(frozen=True, slots=True)
class Inside:
    """Where a source is a member of an archive."""

    source: str  # the archive, for people
    archive: str  # its path inside the folder that was walked for it
    format: str  # of the archive
    packed: str  # how that is compressed
    clean: str  # the name of what is left of the member
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One input file: where it is read, what it was given as, and its path inside the folder that was walked for it."""

    path: str
    file: str
    below: str
    walked: bool
    format: str = "text"
    packed: str = ""  # how it is compressed
    clean: str = ""  # the path of what is left of it, below a folder of outputs
    inside: Inside | None = None
    given: str = ""  # the path that it was given as, where `path` is a copy of it

    @property
    def once(self) -> bool:
        """Whether it can be read once only: standard input, a named pipe."""
        try:
            return self.path == files.STDIN or stat.S_ISFIFO(os.stat(self.path).st_mode)
        except OSError:
            return False

    @property
    def lines(self) -> bool:
        """Whether it holds several documents, each on a line, or on one of its working form."""
        return self.format != "text"

    @property
    def container(self) -> bool:
        """Whether it is worked on as JSON Lines, and written again row by row."""
        return self.format not in ("text", "jsonl")

    @property
    def archive(self) -> bool:
        """Whether it holds files."""
        return self.format in formats.ARCHIVES

    @property
    def name(self) -> str:
        """The file, for people."""
        return files.show(self.file)


Fail = Callable[[Source, int | None, AuditError | InputError], None]


class Stretch(NamedTuple):
    """Bytes of a source: all of a text file, or whole lines of records."""

    number: int  # of the source
    source: Source
    data: bytes
    start: int  # where they stand there
    line: int  # the number of the first

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.data)


class Frames(NamedTuple):
    """Rows of a source that are told apart, and not read yet."""

    source: Source
    rows: list[Any]
    first: int  # the number of the first
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of a source."""

    number: int  # of the source
    source: Source
    span: Span  # bytes of the source: the file, or the line without its end
    line: int | None  # in JSON Lines
    record: jsonl.Record | None
    name: str  # that of the file, or the id of the record
    group: str


@dataclass(frozen=True, slots=True)
class Found:
    """One document of a source, cleaned."""

    entry: Entry
    result: Result
    words: "Part | None"  # of the clean text, if they were asked for

    def cut(self) -> tuple[bytes, bytes, tuple[Op, ...]]:
        """Return the bytes of the document in its source, before and after, and the ops that undo it."""
        return cut(self.entry.record, self.result)


def cut(record: jsonl.Record | None, result: Result) -> tuple[bytes, bytes, tuple[Op, ...]]:
    """Return the bytes of a document in its source, those after it was cleaned to `result`, and the ops of the undo."""
    if record is None:
        return result.data, result.clean, result.ops
    return record.line, *jsonl.cut(record, result)


def stretches(
    reading: Reading, source: Source, fail: Fail, held: Callable[[Row], None] | None = None
) -> Iterator[Stretch]:
    """Yield a source: records in blocks of whole lines, a text at once; of a container each row is given to `held` too.

    What is wrong with a part of it goes to `fail`. Raises InputError where it cannot be read.
    """
    if not source.lines:
        yield Stretch(0, source, compression.read(source.path, reading.max_ratio), 0, 1)
        return
    at = 0
    for block, line in _blocks(reading, source, fail, held):
        yield Stretch(0, source, block, at, line)
        at += len(block)


def working(reading: Reading, source: Source, fail: Fail, held: Callable[[Row], None] | None = None) -> Iterator[bytes]:
    """Yield a source of several documents as JSON Lines, in blocks of whole lines. Fails as `stretches` does."""
    return (block for block, _ in _blocks(reading, source, fail, held))


def framed(reading: Reading, source: Source) -> Iterator[Frames]:
    """Yield a source in one of the FRAMED formats as Frames. Raises InputError where it cannot be read."""
    first, rows, size = 1, list[Any](), 0
    for row in formats.frames(source.path, source.format, source.name, reading.max_ratio):
        rows.append(row)
        size += len(row.raw) + (len(row.before) if isinstance(row, Row) else 0)
        if size >= _BLOCK:
            yield Frames(source, rows, first, size)
            first, rows, size = first + len(rows), [], 0
    if rows:
        yield Frames(source, rows, first, size)


def read(reading: Reading, frames: Frames, fail: Fail, held: Callable[[Row], None]) -> bytes:
    """Return these rows as JSON Lines. Each of them is given to `held` too, and what is wrong with one to `fail`.

    Raises InputError where an extra is missing.
    """
    rows = (formats.framed(row, frames.source.format, reading.options) for row in frames.rows)
    return b"".join(formats.lines(_told(rows, frames.first, frames.source, fail, held), reading.options))


def _blocks(
    reading: Reading, source: Source, fail: Fail, held: Callable[[Row], None] | None
) -> Iterator[tuple[bytes, int]]:
    """Yield a source of several documents in blocks of whole lines of JSON, each with the number of its first line."""
    line = 1
    if not source.container:
        with compression.opened(source.path, reading.max_ratio) as (reader, stream):
            for block in files.blocks(reader, _BLOCK):
                yield block, line
                line += block.count(b"\n")
            if stream.error:
                fail(source, line, DamagedError(stream.error))
        return
    for block in formats.lines(_told(reading.rows(source), 1, source, fail, held), reading.options):
        yield block, line
        line += block.count(b"\n")


def _told(
    rows: Iterable[Row], first: int, source: Source, fail: Fail, held: Callable[[Row], None] | None
) -> Iterator[Row]:
    for number, row in enumerate(rows, first):
        if row.error:
            fail(source, number, (DamagedError if row.damaged else InputError)(row.error))
        if held:
            held(row)
        yield row


def documents(
    reading: Reading, stretches: Iterable[Stretch], fail: Fail, *, words: bool = False
) -> Iterator[list[Found]]:
    """Clean the documents of these stretches, and yield them some dozens at a time; with their `words`, if asked for.

    What is wrong with one of them goes to `fail`: its source, its line if it is a record, and the error.
    """
    waiting: list[tuple[Entry, bytes]] = []
    size = held = 0
    for entry, data in _entries(reading, stretches, fail):
        waiting.append((entry, data))
        size += len(data)
        held += len(entry.record.line) if entry.record else 0
        if size >= _AT_ONCE or held >= _HELD:
            yield list(_cleaned(reading, waiting, fail, words))
            words = words or size >= _AT_ONCE  # numpy is there from then on, and is quicker for fewer texts too
            waiting, size, held = [], 0, 0
    if waiting:
        yield list(_cleaned(reading, waiting, fail, words))


def _entries(reading: Reading, stretches: Iterable[Stretch], fail: Fail) -> Iterator[tuple[Entry, bytes]]:
    """The documents, and their texts as bytes."""
    for number, source, data, at, line in stretches:
        if not source.lines:
            group = os.path.dirname(source.below)
            yield Entry(number, source, (0, len(data)), None, None, source.name, group), data
            continue
        for nth, content, end in jsonl.lines(data):
            span = (at, at + len(content))
            at += len(content) + len(end)
            where = f"{source.name}:{line + nth - 1}"
            try:
                record = jsonl.Record(content, where, reading.options.text_field)
            except InputError as error:
                if content.strip():
                    fail(source, line + nth - 1, error)
                continue
            name = str(record.fields.get(reading.options.id_field, where))
            group = _group(record, reading.options.group_field)
            entry = Entry(number, source, span, line + nth - 1, record, name, group)
            yield entry, record.text.encode("utf-8", "surrogatepass")


def _cleaned(reading: Reading, waiting: list[tuple[Entry, bytes]], fail: Fail, words: bool) -> Iterator[Found]:
    inputs = [
        Input(data, entry.name, True, "utf-8") if entry.record else Input(data, entry.name, reading.force_text)
        for entry, data in waiting
    ]
    for (entry, _), cleaned in zip(waiting, clean_documents(inputs, reading.config, words=words), strict=True):
        try:
            if isinstance(cleaned, InputError):
                raise cleaned
            reading.check(cleaned[0])
            yield Found(entry, *cleaned)
        except (AuditError, InputError) as error:
            fail(entry.source, entry.line, error)


def _group(record: jsonl.Record, field: str) -> str:
    """The site of a record: the host, where it is an address."""
    value = str(record.fields.get(field or "url", ""))
    try:
        return urlsplit(value).hostname or value if "://" in value else value if field else ""
    except ValueError:  # what looks like an address need not be one
        return value
