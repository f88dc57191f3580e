"""The documents of a batch, read by several processes and never held whole.

Why: a batch may be larger than memory. What is kept of a document is where it stands in its source; the hashes of its
words and its Result, without the text, lie in a folder on the disk; the text is read again where it is needed.
"""

import os
import pickle
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from dedup.decode import decode
from dedup.errors import AuditError, BinaryError, InputError
from dedup.features import Rows, features, joined
from dedup.io import files, jsonl
from dedup.io.documents import Fail, Reading, Source, Stretch, documents
from dedup.model import Document, Failure, Op, Result, Span
from dedup.rewrite import Table
from dedup.vector import Batch

if TYPE_CHECKING:
    from dedup.index import Index

UNIT = 4 << 20  # bytes of source that a worker reads at once
_FILES = 1024  # that it reads at once, at most
_OPEN = 16  # files kept open, so that to go through the documents opens few
# Of each document: its source, line and bytes there, where its word hashes and Result lie, the size of its clean text,
# and how many blocks and fixes the Result has.
COLUMNS = ("source", "line", "start", "end", "words", "size", "result", "out", "told")
TOTALS = ("documents", "paragraphs_in", "paragraphs_out", "bytes_in", "blocks", "fixes", "grown")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a source: all of a text file, or whole lines."""

    source: int
    start: int
    end: int
    line: int  # the number of the first


class Unit(NamedTuple):
    """What a worker reads in one go."""

    reading: Reading
    folder: str
    number: int
    parts: list[tuple[Part, Source]]
    written: Collection[int]  # the sources of which the lines will be written, cleaned


@dataclass(slots=True)
class Gathered:
    """What a worker tells of the documents that it read."""

    unit: int
    columns: dict[str, "array[int]"]
    rows: Rows  # for engine.Tables
    totals: list[int]
    read: int  # bytes
    errors: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)  # files


def units(sources: Sequence[Source], errors: list[Failure]) -> Iterator[list[Part]]:
    """Yield the sources in parts for the workers, in order. A source that cannot be read goes to `errors`."""
    unit, size = list[Part](), 0
    for number, source in enumerate(sources):
        try:
            for part in _parts(number, source):
                unit.append(part)
                size += part.end - part.start
                if size >= UNIT or len(unit) >= _FILES:
                    yield unit
                    unit, size = [], 0
        except OSError as error:
            errors.append(Failure(source.file, None, f"{source.name}: cannot be read: {error.strerror or error}"))
    if unit:
        yield unit


def _parts(number: int, source: Source) -> Iterator[Part]:
    if not source.lines:
        yield Part(number, 0, os.stat(source.path).st_size, 1)
        return
    start, line = 0, 1
    with open(source.path, "rb") as stream:
        for block in files.blocks(stream, UNIT):
            yield Part(number, start, start + len(block), line)
            start += len(block)
            line += block.count(b"\n")


def gather(unit: Unit) -> Gathered:
    """Clean the documents of one unit, write what is kept of them into the folder, and tell of them."""
    reading, folder, of, parts, written = unit
    out = Gathered(
        of, {name: array("Q") for name in COLUMNS}, {}, [0] * len(TOTALS), sum(p.end - p.start for p, _ in parts)
    )
    rows: list[Rows] = []

    def fail(source: Source, line: int | None, error: AuditError | InputError) -> None:
        if line is None and source.walked and isinstance(error, BinaryError):
            out.skipped.append(source.file)
        else:
            out.errors.append(Failure(source.file, line, str(error)))

    with _file(folder, of, "words", "wb") as hashes, _file(folder, of, "results", "wb") as results:
        for found in documents(reading, _stretches(parts, fail), fail, words=True):
            first, batch = len(out.columns["source"]), Batch.of([f.words for f in found if f.words])
            for number, one in enumerate(found):
                entry, result = one.entry, one.result
                own = batch.hashes[batch.span(number)].tobytes()
                told = len(result.blocks) + len(result.fixes)
                kept = hashes.tell(), len(own), results.tell(), len(result.clean), told
                row = entry.number, entry.line or 0, *entry.span, *kept
                for name, value in zip(COLUMNS, row, strict=True):
                    out.columns[name].append(value)
                sizes = len(result.data), len(result.removed), len(result.fixes), result.grown
                for at, value in enumerate((1, *result.paragraphs, *sizes)):
                    out.totals[at] += value
                hashes.write(own)
                pickle.dump(result._replace(data=b"", clean=b""), results)
                if entry.number in written and (result.removed or result.fixes):
                    pickle.dump(one.cut()[1:], results)
            known = features(batch, [f.result.source for f in found], [f.entry.group for f in found])
            for table in known.values():
                table["doc"] += first
            rows.append(known)
    out.rows = joined(rows)
    return out


def _stretches(parts: list[tuple[Part, Source]], fail: Fail) -> Iterator[Stretch]:
    for part, source in parts:
        try:
            data = files.read(source.path, part.start, part.end)
        except InputError as error:
            fail(source, None, error)
        else:
            yield Stretch(part.source, source, data, part.start, part.line)


def _file(folder: str, unit: int, kind: str, mode: str) -> BinaryIO:
    return cast(BinaryIO, open(os.path.join(folder, f"{unit}.{kind}"), mode))


class Corpus:
    """The documents of a batch, by number in the order of the sources."""

    def __init__(self, folder: str, reading: Reading, sources: Sequence[Source]) -> None:
        self.folder, self.reading, self.sources = folder, reading, sources
        self.index: "Index | None" = None  # its documents have numbers below 0
        self.columns = {name: array("Q") for name in COLUMNS}
        self.firsts: list[int] = []  # of each unit, its first document
        self.result = lru_cache(64)(self._result)
        self.record = lru_cache(4)(self._record)
        self.open: dict[str, BinaryIO] = {}

    def __len__(self) -> int:
        return len(self.columns["source"])

    def add(self, gathered: Gathered) -> int:
        """Take in the documents of the next unit, and return the number of the first."""
        first = len(self)
        self.firsts.append(first)
        for name, column in gathered.columns.items():
            self.columns[name].extend(column)
        return first

    def of(self, source: int) -> range:
        """Return the documents of a source."""
        return range(bisect_left(self.columns["source"], source), bisect_right(self.columns["source"], source))

    def _kept(self, document: int, kind: str, start: int) -> BinaryIO:
        stream = self._stream(os.path.join(self.folder, f"{bisect_right(self.firsts, document) - 1}.{kind}"))
        stream.seek(start)
        return stream

    def hashes(self, document: int) -> bytes:
        """Return the 32-bit hashes of the words of the clean text."""
        if document < 0:
            return Batch([self.text(document).text]).hashes.tobytes()
        return self._kept(document, "words", self.columns["words"][document]).read(self.columns["size"][document])

    def lines(self, source: int) -> bool:
        """Whether a source holds a record a line."""
        return self.sources[source].lines

    def span(self, document: int) -> Span:
        """Return the bytes of its source that a document is."""
        return self.columns["start"][document], self.columns["end"][document]

    def _stream(self, path: str) -> BinaryIO:
        if path not in self.open:
            if len(self.open) == _OPEN:
                self.close()
            self.open[path] = open(path, "rb")  # noqa: SIM115  # stays open until `close`
        return self.open[path]

    def close(self) -> None:
        """Close the files that are open."""
        for stream in self.open.values():
            stream.close()
        self.open.clear()

    def part(self, path: str, start: int, end: int) -> bytes:
        """Return these bytes of a source. Raises InputError where they cannot be read."""
        try:
            stream = self._stream(path)
            stream.seek(start)
            return stream.read(end - start)
        except OSError as error:
            raise InputError(f"{files.show(path)}: cannot be read: {error.strerror or error}") from None

    def _record(self, document: int) -> tuple[bytes, jsonl.Record | None]:
        """Return the bytes of a document in its source, and the record that these are in JSON Lines."""
        number = self.columns["source"][document]
        source = self.sources[number]
        data = self.part(source.path, *self.span(document))
        return data, jsonl.Record(data, source.name, self.reading.options.text_field) if source.lines else None

    def _result(self, document: int) -> Result:
        """The Result of cleaning the document by itself; of one of the index, its clean text."""
        if self.index and document < 0:
            text = self.index.text(document).encode("utf-8", "surrogatepass")
            id = self.index.provenance(document).id
            return Result(id, text, text, "utf-8", (), (), ((0, len(text)),), (0, 0), 0)
        slim = self.outline(document)
        data, record = self.record(document)
        if record:
            data = record.text.encode("utf-8", "surrogatepass")
        whole = slim._replace(data=data)
        return whole._replace(clean=Table.of(whole).text(data))

    def outline(self, document: int) -> Result:
        """Return the Result of cleaning the document by itself, without its bytes."""
        result: Result = pickle.load(self._kept(document, "results", self.columns["result"][document]))
        return result

    def cut(self, document: int) -> tuple[Result, bytes, bytes, tuple[Op, ...]]:
        """Return the `outline` of a record, its line before and after, and the ops that undo it.

        The lines of its source are among those of which `gather` knew that they will be written.
        """
        stream = self._kept(document, "results", self.columns["result"][document])
        result: Result = pickle.load(stream)
        line = self.part(self.sources[self.columns["source"][document]].path, *self.span(document))
        if not (result.removed or result.fixes):
            return result, line, line, (Op((0, len(line)), None),)
        return result, line, *pickle.load(stream)

    def repeating(self) -> set[int]:
        """Return the documents in which something repeats, be it removed or not, or is mended."""
        return {document for document, told in enumerate(self.columns["told"]) if told}

    def text(self, document: int) -> Document:
        """Return the clean text."""
        result = self.result(document)
        return decode(result.clean, force_text=True, encoding=result.encoding)

    def name(self, document: int) -> str:
        """Return the name of the document: that of its file, or the id of its record."""
        if self.index and document < 0:
            return self.index.provenance(document).id
        return self.outline(document).source

    def where(self, document: int) -> tuple[str, int | None]:
        """Return the file of a document, and its line there if it is a record."""
        if self.index and document < 0:
            found = self.index.provenance(document)
            return found.source, found.line
        return self.sources[self.columns["source"][document]].file, self.columns["line"][document] or None

    def seen(self, document: int) -> dict[str, Any] | None:
        """Return where a document of the index came from."""
        if self.index is None or document >= 0:
            return None
        _, _, source, line, run, name, started = self.index.provenance(document)
        return {"source": source, "line": line, "run": run, "run_name": name, "started": started}
