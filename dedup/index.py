"""The documents of earlier runs, in a DuckDB file: `dedup-index/1`.

Why: what was scraped yesterday comes again today. The index keeps what documents are compared by, and their clean text,
because a hash proposes and content decides: what goes for a document of the index is proved against its text.

A run is one transaction. Whoever is killed leaves every finished run whole and nothing of the one under way.

    meta       one row: what the hashes were made with. Hashes of other makes are never compared
    run        every `add`, also those that added nothing
    document   the digest of its words, how many words and fingerprints it has, where it comes from, its text (zlib)
    posting    its fingerprints
"""

import os
import time
import zlib
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
from xxhash import xxh3_64_intdigest

from dedup.errors import IndexFileError
from dedup.features import features
from dedup.fingerprint import SHINGLE, WINDOW
from dedup.record import Record
from dedup.vector import SCHEME, Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    Row = tuple[int, str, str, int | None, int, bytes]  # document, id, source, line, bytes, clean text

SCHEMA = "dedup-index/1"

_POLL = 0.1  # seconds between two looks at a locked file
_ROWS = 1000  # written at once; DuckDB looks at no more to tell the type of a column
_BYTES = 8 << 20  # of clean text
_LOOKED = 256  # documents that are verified at once
_TOGETHER = 64  # documents that are fetched at once, unless their texts are more than _BYTES
_COLUMNS = ("doc", "number", "id", "source", "line", "bytes", "text")  # of a batch

# Names are blobs: they may hold what no UTF-8 text can (a file name in Latin-1, half of a surrogate pair).
_TABLES = """
create table meta (schema varchar, scheme varchar, version varchar, shingle uinteger, "window" uinteger);
create table run (run integer not null, name blob not null, started varchar not null, finished varchar not null);
create table document (
    number bigint not null, run integer not null, id blob not null, source blob not null, line uinteger,
    hi ubigint not null, lo ubigint not null, words uinteger not null, prints uinteger not null,
    identity ubigint not null, bytes uinteger not null, text blob not null
);
create table posting (fp ubigint not null, number bigint not null, place uinteger not null);
"""

# What is the same document again is no duplicate of itself, whatever its number.
_KNOWN = """
create or replace table known as select distinct doc
from document b join seen.document s on b.id = s.identity and b.hi = s.hi and b.lo = s.lo where doc >= 0
"""

_MET = """
insert into posting select fp, number - ?, place from seen.posting where fp in (select fp from posting)
"""

_LOAD = """
insert into document select number - $1, hi, lo, words, prints, 0, identity from seen.document
where (hi, lo) in (select (hi, lo) from document) or number - $1 in (select doc from posting where doc < 0)
"""

# In the order in which they are asked for: that of the documents of the batch that have their words.
_ORDER = """
select number, bytes from seen.document join document s on s.doc = number - $1
left join document b on b.hi = s.hi and b.lo = s.lo and b.doc >= 0 group by all order by min(b.doc), number
"""

_GIVEN = "(select unnest(?::bigint[]))"

# A left join: what has no features fails here, not at the next run.
_DOCUMENTS = """
insert into seen.document
select number, $1, b.id, source, line, hi, lo, words, prints, d.id, bytes, text
from batch b left join (from document where doc between $2 and $3) d using (doc) order by number
"""

# By number, so that those of one document are found without reading all.
_POSTINGS = """
insert into seen.posting select fp, number, place from posting join added using (doc) order by number
"""

_STATS = """
select count(*), coalesce(sum(words), 0)::bigint, (select count(*) from seen.posting), coalesce(sum(bytes), 0)::bigint
from seen.document
"""

_RUNS = """
select r.run, r.name, r.started, r.finished, count(number)
from seen.run r left join seen.document using (run) group by all order by r.run
"""

# What can be wrong between the tables, each as (what is told of it, the rows).
_FAULTS = {
    "document {} is there {} times": "select number, count(*) from seen.document group by 1 having count(*) > 1",
    "run {} is not recorded, and has {} documents": "select run, count(*) from seen.document "
    "where run not in (select run from seen.run) group by 1",
    "document {} is not there, and has {} fingerprints": "select number, count(*) from seen.posting "
    "where number not in (select number from seen.document) group by 1",
}


class Seen(Record):
    """Where a document of the index comes from."""

    number: int
    id: str
    source: str
    line: int | None
    run: int
    run_name: str
    started: str  # ISO 8601, when its run was


class Index:
    """The documents of earlier runs, beside the features of a batch (the connection `base` of `engine.Tables`).

    In the batch a document of the index has its number - OFFSET, which is negative.
    """

    OFFSET = 1 << 40

    def __init__(
        self,
        path: str,
        base: "duckdb.DuckDBPyConnection | None" = None,
        *,
        create: bool = False,
        read_only: bool = False,
        wait: float = 30.0,
    ) -> None:
        """Open the index at `path`; with `create`, make one that is missing. Wait up to `wait` seconds for a lock.

        Raises IndexFileError if it is missing, is no index, was made with another scheme, or stays in use. So do all
        methods when the disk is full or the file damaged.
        """
        self.path = path
        if not os.path.exists(path):
            if not create:
                raise IndexFileError(f"{path}: there is no such index; `dedup index add {path} IN...` makes one")
            _create(path)
        self.base = (base or duckdb.connect()).cursor()
        self._order = self._sorted = self._groups = np.empty(0, np.int64)
        self._seen, self._blobs = lru_cache(64)(self._seen_of), lru_cache(2)(self._blobs_of)
        self._attach(read_only, wait)
        try:
            self._check()
        except IndexFileError:
            self.close()
            raise

    def __enter__(self) -> "Index":
        return self

    def __exit__(
        self, kind: "type[BaseException] | None", error: "BaseException | None", trace: "TracebackType | None"
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with suppress(duckdb.Error):  # no room to tidy up: what was finished stays in the log beside the file
            self.base.execute("detach seen")
        self.base.close()

    def _attach(self, read_only: bool, wait: float) -> None:
        file = os.path.abspath(self.path).replace("'", "''")  # a bare `s3:x` would name another kind of place
        mode = ", read_only" if read_only else ""
        until = time.monotonic() + wait
        while True:
            try:
                file.encode()
                self.base.execute(f"attach '{file}' as seen (type duckdb{mode})")
                return
            except (duckdb.Error, UnicodeError) as error:
                if "Could not set lock" not in str(error):
                    raise _refused(self.path, _first_line(error)) from None
            if time.monotonic() >= until:
                raise IndexFileError(
                    f"{self.path}: another process is using it (waited {wait:g} s); try again later"
                ) from None
            time.sleep(_POLL)

    def _check(self) -> None:
        try:
            [(schema,)] = self.base.execute("select schema from seen.meta").fetchall()
        except (duckdb.ProgrammingError, ValueError):
            raise _refused(self.path, f"it has no {SCHEMA} tables") from None
        except duckdb.Error as error:
            raise _refused(self.path, _first_line(error)) from None
        if schema != SCHEMA:
            raise _refused(self.path, f"it is {schema}, not {SCHEMA}")
        [make] = self._rows('select scheme, shingle, "window" from seen.meta')
        if make != (SCHEME, SHINGLE, WINDOW):
            told = ["scheme {}, {}-word shingles, windows of {}".format(*m) for m in (make, (SCHEME, SHINGLE, WINDOW))]
            raise IndexFileError(
                f"{self.path}: made with {told[0]}; this version uses {told[1]}, and the two cannot be compared; "
                "make a new index from the original inputs: `dedup index add NEW IN...`"
            )

    # ------------------------------------------------------------ a batch

    def load(self) -> None:
        """Put beside the batch what the index has of it, versions of its own documents aside.

        That is every document with the words of one of the batch, or with one of its fingerprints, and of its postings
        those that the batch has too. The documents of the batch that are in the index themselves become `known`.
        """
        self._rows(_KNOWN)
        self._rows(_MET, [self.OFFSET])
        self._rows(_LOAD, [self.OFFSET])
        found = self._columns(_ORDER, [self.OFFSET])
        self._order, self._sorted = found["number"], np.argsort(found["number"])
        self._groups = np.arange(len(self._order)) // _TOGETHER + np.cumsum(found["bytes"], dtype=np.int64) // _BYTES

    def provenance(self, doc: int) -> Seen:
        """Return where the document of the index with this (negative) number in the batch comes from."""
        number = doc + self.OFFSET
        return self._seen(*self._beside(number))[number]

    def text(self, doc: int) -> str:
        """Return the clean text of the document of the index with this (negative) number in the batch."""
        number = doc + self.OFFSET
        return _text(zlib.decompress(self._blobs(*self._beside(number))[number]))

    def _beside(self, number: int) -> list[int]:
        """The documents that are fetched with this one."""
        at = np.searchsorted(self._order, number, sorter=self._sorted)
        if at == len(self._order) or self._order[self._sorted[at]] != number:
            return [number]
        group = self._groups[self._sorted[at]]
        return list(self._order[slice(*np.searchsorted(self._groups, [group, group + 1]))].tolist())

    def _seen_of(self, *numbers: int) -> dict[int, Seen]:
        found = self._rows(
            "select number, id, source, line, run, name, started from seen.document join seen.run using (run) "
            f"where number in {_GIVEN}",
            [numbers],
        )
        return {
            number: Seen(number, _text(id), _text(source), line, run, _text(name), started)
            for number, id, source, line, run, name, started in found
        }

    def _blobs_of(self, *numbers: int) -> dict[int, bytes]:
        return dict(self._rows(f"select number, text from seen.document where number in {_GIVEN}", [numbers]))

    # ------------------------------------------------------------ changes

    def add(self, name: str, started: str, rows: "Iterable[Row]") -> int:
        """Add a run with the documents `rows` of the batch, in order, but not those that are `known`; return how many.

        A row is (document, id, source, line, bytes, clean text in UTF-8). They are not held all at once.
        """
        self._rows(_KNOWN)  # anew: what other documents have may have been cut from a text since it was loaded
        with self._transaction():
            [(run,)] = self._rows("select coalesce(max(run), 0) + 1 from seen.run")
            [(first,)] = self._rows("select coalesce(max(number), 0) + 1 from seen.document")
            self._rows("create or replace temp table added (doc bigint, number bigint)")
            number = first
            for batch in _batches(rows):
                number += self._put(run, number, batch)
            self._rows(_POSTINGS)
            finished = datetime.now(UTC).isoformat(timespec="seconds")
            self._rows("insert into seen.run values (?, ?, ?, ?)", [run, _blob(name), started, finished])
        return int(number - first)

    def _put(self, run: int, first: int, batch: "list[Row]") -> int:
        """Write the documents of `batch`, numbered from `first` on, and return how many they are."""
        span = [batch[0][0], batch[-1][0]]
        known = {doc for (doc,) in self._rows("select doc from known where doc between ? and ?", span)}
        new = [
            (doc, first + at, _blob(id), _blob(source), line, size, zlib.compress(text))
            for at, (doc, id, source, line, size, text) in enumerate(row for row in batch if row[0] not in known)
        ]
        if new:
            columns = (np.array(values, object) for values in zip(*new, strict=True))
            self.base.register("batch", dict(zip(_COLUMNS, columns, strict=True)))
            self._rows(_DOCUMENTS, [run, *span])
            self._rows("insert into added select doc, number from batch")
            self.base.unregister("batch")
        return len(new)

    def forget(self, *, id: "str | None" = None, run: "int | None" = None) -> int:
        """Remove the documents of this id, or of this run, and return how many there were.

        Their place in the file is given to later runs; until then it is not wiped.
        """
        of = "where id = ?::blob or run = ?"
        values = [None if id is None else _blob(id), run]
        with self._transaction():
            self._rows(f"delete from seen.posting where number in (select number from seen.document {of})", values)
            [(count,)] = self._rows(f"delete from seen.document {of}", values)
        return int(count)

    @contextmanager
    def _transaction(self) -> "Iterator[None]":
        self._rows("begin")
        try:
            yield
            self._rows("commit")
        except BaseException:
            with suppress(duckdb.Error):  # it may be over by itself
                self.base.execute("rollback")
            raise
        finally:
            self._seen.cache_clear()
            self._blobs.cache_clear()

    # ------------------------------------------------------------ what it holds

    def stats(self) -> dict[str, Any]:
        """Return what the index holds: counts, sizes (`text` and `file` in bytes), its make, and its runs."""
        [counts] = self._rows(_STATS)
        [(scheme, version)] = self._rows("select scheme, version from seen.meta")
        names = ("number", "name", "started", "finished", "documents")
        runs = [dict(zip(names, (run, _text(name), *more), strict=True)) for run, name, *more in self._rows(_RUNS)]
        files = (self.path, f"{self.path}.wal")
        return {
            **dict(zip(("documents", "words", "fingerprints", "text"), counts, strict=True)),
            "file": sum(os.path.getsize(file) for file in files if os.path.exists(file)),
            "scheme": scheme,
            "version": version,
            "runs": runs,
        }

    def verify(self, sample: "int | None" = None) -> tuple[int, int, list[str]]:
        """Read the texts again, and compare what they are found by with what is stored.

        Returns how many documents were looked at (all, or `sample` of them, evenly spread), how many there are, and
        what is wrong.
        """
        numbers = self._columns("select number from seen.document order by number")["number"]
        size = len(numbers) if sample is None else min(sample, len(numbers))
        chosen = numbers[np.arange(size) * len(numbers) // max(1, size)]
        wrong = [told.format(*row) for told, query in _FAULTS.items() for row in self._rows(f"{query} order by 1")]
        for at in range(0, size, _LOOKED):
            wrong += self._differences(chosen[at : at + _LOOKED].tolist())
        return size, len(numbers), wrong

    def _differences(self, numbers: list[int]) -> "Iterator[str]":
        """What is wrong with the documents of these numbers."""
        among = f"where number in {_GIVEN}"
        held = self._columns(f"select number, fp, place from seen.posting {among} order by number, place", [numbers])
        rows = self._rows(
            f"select number, id, hi, lo, words, prints, identity, text from seen.document {among} order by number",
            [numbers],
        )
        for number, id, hi, lo, count, prints, identity, blob in rows:
            document = f"document {number} ({_text(id)})"
            try:
                text = _text(zlib.decompress(blob))
            except (zlib.error, UnicodeDecodeError) as error:
                yield f"{document}: its text cannot be read: {error}"
                continue
            found = features(Batch([text]), [""], [""])
            if tuple(int(found["document"][name][0]) for name in ("hi", "lo", "words")) != (hi, lo, count):
                yield f"{document}: its text does not have the words that it was added with"
            own = slice(*np.searchsorted(held["number"], [number, number + 1]))
            fps, places = held["fp"][own], held["place"][own]
            known = found["posting"]
            if len(fps) != prints or not (np.array_equal(fps, known["fp"]) and np.array_equal(places, known["place"])):
                yield f"{document}: its fingerprints are not those of its text"
            if identity != xxh3_64_intdigest(id):
                yield f"{document}: its identity is not that of its id"

    # ------------------------------------------------------------ DuckDB

    def _rows(self, query: str, values: "Sequence[Any]" = ()) -> list[Any]:
        with self._told():
            return self.base.execute(query, list(values)).fetchall()

    def _columns(self, query: str, values: "Sequence[Any]" = ()) -> "dict[str, np.ndarray[Any, Any]]":
        with self._told():
            return self.base.execute(query, list(values)).fetchnumpy()

    @contextmanager
    def _told(self) -> "Iterator[None]":
        try:
            yield
        except duckdb.Error as error:
            raise IndexFileError(
                f"{self.path}: {_first_line(error)}; nothing was changed. Try again; if that does not help, "
                "`dedup index add NEW IN...` makes a new index, from the inputs"
            ) from None


def _create(path: str) -> None:
    """Make an empty index: whole at once, so that no kill leaves half a file; one that came in between stays."""
    from dedup import __version__

    try:
        with TemporaryDirectory(prefix=".dedup-", dir=os.path.dirname(path)) as folder:
            new = os.path.join(folder, "index")
            with duckdb.connect(new) as base:
                base.execute(_TABLES)
                base.execute("insert into meta values (?, ?, ?, ?, ?)", [SCHEMA, SCHEME, __version__, SHINGLE, WINDOW])
            with suppress(FileExistsError):
                os.link(new, path)
    except (OSError, duckdb.Error) as error:
        raise IndexFileError(f"{path}: cannot be made: {_first_line(error)}") from None


def _refused(path: str, reason: str) -> IndexFileError:
    return IndexFileError(
        f"{path}: cannot be opened as an index: {reason}; `dedup index add NEW IN...` makes one, from the inputs"
    )


def _batches(rows: "Iterable[Row]") -> "Iterator[list[Row]]":
    """Group rows, so that no group has more than _ROWS of them, or much more than _BYTES of text."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row[-1])
        if len(batch) == _ROWS or size >= _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _blob(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(blob: bytes) -> str:
    return blob.decode("utf-8", "surrogatepass")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
