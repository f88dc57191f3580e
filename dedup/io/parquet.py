"""Parquet: the text of each row is cleaned by itself; all other columns, the schema and its metadata stay.

Why: a table is more than its texts, and may be larger than the memory. Rows are read and written some megabytes at
once, and what is not text never becomes a Python object, so that no value of it can change. The bytes of a file cannot
stay, because pages are compressed; the undo therefore gives back the table: its schema, and all values in their order.

    id | text   | tags             id | text  | tags
    7  | A.B.A. | [x]        ->    7  | A.B.  | [x]
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, BinaryIO

from dedup.errors import InputError, ManifestError
from dedup.io import files
from dedup.io.rows import Options, Row
from dedup.model import Result

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

_BUFFER = 1 << 18  # bytes read at once of a column, which else is read as a whole
_BATCH = 1 << 20  # bytes of rows read at once
_ROWS = 256  # at most: rows that are one text are small in the file and large in memory
_SHARES = 32  # at most, of a row group with dictionaries: each batch brings its own copy of them
_GROUP = 32 << 20  # bytes of rows: a row group that is larger is written as several, since it is held until it ends
_DATA = ("BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY")


class Keep(Enum):
    """What stands for the text of a row that stays as it is."""

    KEEP = "keep"


KEEP = Keep.KEEP


# ---------------------------------------------------------------- reading


def rows(path: str, options: Options, name: str) -> Iterator[Row]:
    """Yield the rows of a table, in order.

    Where a row group cannot be read, its first row that is missing tells it, and the others are there without a text.
    Raises InputError where there is no table, or no such column of texts.
    """
    with _opened(path, name, options.text_field) as table:
        names = table.schema.names
        others = [field for field in (options.id_field, options.group_field or "url") if names.count(field) == 1]
        columns = list(dict.fromkeys([options.text_field, *others]))
        for group, left in enumerate(table.sizes):
            error = ""
            try:
                for batch in _batches(table, group, columns):
                    yield from _rows(batch, options)
                    left -= len(batch)
            except InputError as found:
                error = str(found)
            for _ in range(left):
                yield Row(b"", b"", b"", None, error=error)
                error = ""


def _rows(batch: "pa.RecordBatch", options: Options) -> Iterator[Row]:
    at = batch.schema.get_field_index
    ids, groups = (
        _strings(batch.column(at(field))) if at(field) >= 0 else [""] * len(batch)
        for field in (options.id_field, options.group_field or "url")
    )
    for raw, identity, group in zip(_bytes(batch.column(at(options.text_field))), ids, groups, strict=True):
        if raw is None:
            yield Row(b"", b"", b"", None, identity, group)
        else:
            yield Row(b"", b"", raw, raw.decode("utf-8", "surrogateescape"), identity, group, _cut)


def _cut(result: Result) -> bytes:
    return _encoded(result.text)


def _encoded(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that is open."""

    file: "ParquetFile"
    stream: BinaryIO
    name: str
    sizes: list[int]  # rows of each row group
    at: int  # the column of texts

    @property
    def schema(self) -> "pa.Schema":
        return self.file.schema_arrow


@contextmanager
def _opened(path: str, name: str, text_field: str) -> Iterator[_Table]:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(f"{name}: to read Parquet, install the extra: pip install 'dedup-text[parquet]'") from None
    try:
        stream = open(path, "rb")  # noqa: SIM115 (what goes wrong later is no fault of opening it)
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from None
    with stream:
        with _explained(name):
            file = ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True)
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            if sum(sizes) != file.metadata.num_rows or min(sizes, default=0) < 0:
                raise ValueError(f"{file.metadata.num_rows} rows are announced, and {sum(sizes)} in its row groups")
            at = _text_column(file.schema_arrow, text_field, name)
        yield _Table(file, stream, name, sizes, at)


@contextmanager
def _explained(where: str, *passed: type[Exception]) -> Iterator[None]:
    """Make an InputError of what is wrong with a file, since the library raises errors of all kinds for it.

    Those of the kinds `passed` are of the target.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (InputError, *passed)):
            raise
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        step = "it is damaged or cut short, or no Parquet: get it anew"
        if "crypt" in reason.lower():
            step = "it is encrypted: write a plain copy of it"
        raise InputError(f"{where}: cannot be read: {reason}; {step}") from None


def _text_column(schema: "pa.Schema", text_field: str, name: str) -> int:
    """Where the column of texts stands among the columns."""
    found = [at for at, column in enumerate(schema.names) if column == text_field]
    if len(found) == 1 and _is_text(schema.field(found[0]).type):
        return found[0]
    wrong = "is missing" if not found else f"is {schema.field(found[0]).type}, text is needed"
    wrong = "is there more than once" if len(found) > 1 else wrong
    there = ", ".join(schema.names) or "none"
    raise InputError(f"{name}: column {text_field!r} {wrong} (--text-field names another column); there are: {there}")


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view())


def _batches(table: _Table, group: int, columns: list[str] | None = None) -> Iterator["pa.RecordBatch"]:
    """The rows of a row group, about a megabyte at once. Raises InputError where it cannot be read."""
    left = table.sizes[group]
    with _explained(f"{table.name}: row group {group}"):
        several = _several(table, group)
        batches = table.file.iter_batches(several, row_groups=[group], columns=columns, use_threads=False)
    table.stream.seek(0)  # the library seeks for itself; so it is seen how far into the row group it came
    while left:
        try:
            batch = next(batches, None)
            if batch is None or len(batch) > left:
                raise ValueError(f"{table.sizes[group]} rows are announced, and there are not as many")
            _check(batch)
        except Exception as error:
            place = f", before byte {table.stream.tell()}" if table.stream.tell() else ""
            with _explained(f"{table.name}: row group {group}{place}"):
                raise error
        left -= len(batch)
        yield batch


def _several(table: _Table, group: int) -> int:
    """How many rows of a row group are read at once."""
    import pyarrow as pa

    size = table.sizes[group]
    large: int = table.file.metadata.row_group(group).total_byte_size
    several = max(1, min(_ROWS, _BATCH * size // max(1, large)))
    dictionaries = [kind for kind in table.schema.types if pa.types.is_dictionary(kind)]
    if not dictionaries:
        return several
    widths = [kind.index_type.bit_width for kind in dictionaries]
    most: int = (1 << min(widths) - 1) - 1  # were all values of the rows new, it could still number them
    return min(max(several, size // _SHARES), most)


def _check(batch: "pa.RecordBatch") -> None:
    """Raise an error for offsets and places in dictionaries that lead nowhere; who follows them is not told."""
    import pyarrow as pa

    batch.validate()
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            pa.DictionaryArray.from_arrays(column.indices, column.dictionary)
        elif "dictionary<" in str(column.type):
            column.validate(full=True)


def _bytes(column: "pa.Array") -> list[bytes | None]:
    import pyarrow as pa

    values: list[bytes | None] = _plain(column).cast(pa.large_binary()).to_pylist()
    return values


def _strings(column: "pa.Array") -> list[str]:
    """The values for people; nothing stands for a null, and for what cannot be told."""
    import pyarrow as pa

    if _is_text(column.type):
        return [(value or b"").decode("utf-8", "surrogateescape") for value in _bytes(column)]
    try:
        if pa.types.is_temporal(column.type):  # else the words would depend on what else is installed
            column = column.cast(pa.string())
        return ["" if value is None else str(value) for value in column.to_pylist()]
    except (ValueError, OverflowError, NotImplementedError, pa.ArrowException):
        return [""] * len(column)


# ---------------------------------------------------------------- writing


def write(
    source: str,
    target: BinaryIO,
    texts: Iterator[str | Keep | None],
    name: str,
    dropped: Callable[[int, bytes], None],
    text_field: str = "text",
) -> None:
    """Write the table `source` with the texts that `texts` tells row by row: KEEP for the same one, None for no row.

    Each row that goes is told to `dropped`: its number, from 0, and an Arrow stream of it. Row groups stay, except that
    those of more than 32 MiB become several. Raises InputError where a part of the table cannot be read.
    """
    number = 0

    def edit(batch: "pa.RecordBatch", at: int) -> Iterator["pa.RecordBatch"]:
        nonlocal number
        wanted = list(islice(texts, len(batch)))
        if len(wanted) < len(batch):
            raise InputError(f"{name}: has more rows than when it was read; run it again")
        gone = [nth for nth, text in enumerate(wanted) if text is None]
        for nth in gone:
            dropped(number + nth, _packed(batch.slice(nth, 1)))
        number += len(batch)
        yield from _between(_replaced(batch, at, wanted), ((nth, None) for nth in gone))

    with _opened(source, name, text_field) as table, _writing(table, target) as put:
        _edit(table, edit, put)
        if any(True for _ in texts):
            raise InputError(f"{name}: has fewer rows than when it was read; run it again")


def restore(
    source: str,
    target: BinaryIO,
    texts: Mapping[int, str | bytes],
    dropped: Mapping[int, bytes],
    text_field: str = "text",
) -> None:
    """Write the table that `write` made `source` of, by the number of the row there: the texts, and the rows that went.

    Raises ManifestError where they do not belong to `source`, and InputError where that cannot be read.
    """
    name = files.show(source)
    number = back = 0

    def edit(batch: "pa.RecordBatch", at: int) -> Iterator["pa.RecordBatch"]:
        nonlocal number
        wanted: list[str | bytes | Keep | None] = []
        gone: list[tuple[int, int]] = []
        for nth in range(len(batch)):
            while number in dropped:
                gone.append((nth, number))
                number += 1
            wanted.append(texts.get(number, KEEP))
            number += 1
        yield from _between(_replaced(batch, at, wanted), ((nth, row(n, batch.schema)) for nth, n in gone))

    def rest(schema: "pa.Schema") -> Iterator["pa.RecordBatch"]:
        nonlocal number
        while number in dropped:
            yield row(number, schema)
            number += 1

    def row(number: int, schema: "pa.Schema") -> "pa.RecordBatch":
        nonlocal back
        back += 1
        return _unpacked(dropped[number], schema, name)

    with _opened(source, name, text_field) as table, _writing(table, target) as put:
        _edit(table, edit, put, rest(table.schema))
        if back != len(dropped) or any(not 0 <= n < number or n in dropped for n in texts):
            raise ManifestError(f"{name}: the undo names rows that this table cannot have had; it is of another file")


def _edit(
    table: _Table,
    edit: Callable[["pa.RecordBatch", int], Iterator["pa.RecordBatch"]],
    put: Callable[[list["pa.RecordBatch"]], None],
    rest: Iterable["pa.RecordBatch"] = (),
) -> None:
    """Write what `edit` makes of the rows, a row group for each one there is, and one of the `rest`."""
    pieces: list[pa.RecordBatch] = []
    size = 0

    def add(piece: "pa.RecordBatch") -> None:
        nonlocal size
        if size >= _GROUP:
            end()
        pieces.append(piece)
        size += _size(piece)

    def end() -> None:
        nonlocal size
        put(pieces)
        pieces.clear()
        size = 0

    for group, rows in enumerate(table.sizes):
        for batch in _batches(table, group):
            before = size
            for piece in edit(batch, table.at):
                add(piece)
            if size > before:
                size = max(size, before + _size(batch))  # a piece holds all of its batch
        if pieces or not rows:
            end()
    for piece in rest:
        add(piece)
    if pieces:
        end()


class _Sink:
    """A target that takes no more once something went wrong: the library would end a file that is half there."""

    def __init__(self, target: BinaryIO) -> None:
        self.target = target
        self.closed = False
        self.broken = False

    def write(self, data: bytes) -> int:
        return len(data) if self.broken else self.target.write(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


@contextmanager
def _writing(table: _Table, target: BinaryIO) -> Iterator[Callable[[list["pa.RecordBatch"]], None]]:
    """Give what writes a row group in the way of `table`."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema, sink = table.schema, _Sink(target)
    with _explained(table.name):
        properties = _properties(table)
    with _explained(table.name, OSError):
        writer = ParquetWriter(sink, schema, **properties)

    def put(pieces: list["pa.RecordBatch"]) -> None:
        with _explained(table.name, OSError):
            rows = pa.Table.from_batches(pieces, schema)
            if len(pieces) > 1 and any(pa.types.is_dictionary(kind) for kind in schema.types):
                try:
                    rows = rows.unify_dictionaries()
                except pa.ArrowInvalid:  # more values than their type can number: no reader would take them
                    put(pieces[: len(pieces) // 2])
                    put(pieces[len(pieces) // 2 :])
                    return
            writer.write_table(rows, max(1, len(rows)))
            pa.default_memory_pool().release_unused()  # else it keeps as much as it has given out

    try:
        yield put
        writer.close()
    except BaseException:
        sink.broken = True
        raise
    finally:
        writer.is_open = False


def _properties(table: _Table) -> dict[str, Any]:
    """How the first row group that has rows is written: what can be known of it."""
    from pyarrow.parquet import SortingColumn

    metadata = table.file.metadata
    always = {
        "write_page_checksum": True,
        "store_schema": b"ARROW:schema" in (metadata.metadata or {}),
        "use_compliant_nested_type": False,  # the inner names of lists stay
    }
    first = next((group for group, size in enumerate(table.sizes) if size), None)
    if first is None:
        return always
    next(_batches(table, first))  # to ask damaged metadata kills the process, to read by them is an error
    group = metadata.row_group(first)
    columns = {metadata.schema.column(at).path: group.column(at) for at in range(group.num_columns)}
    plain = {path: column for path, column in columns.items() if not column.has_dictionary_page}
    encodings = {path: kind for path, column in plain.items() for kind in _DATA if kind in column.encodings}
    kinds = {(c.physical_type, metadata.schema.column(at).logical_type.type) for at, c in enumerate(columns.values())}
    text = list(columns).index(table.schema.names[table.at])  # new texts break the order by it
    order = takewhile(lambda by: by.column_index != text and 0 <= by.column_index < len(columns), group.sorting_columns)
    return always | {
        "compression": {path: column.compression.replace("UNCOMPRESSED", "NONE") for path, column in columns.items()},
        "use_dictionary": [path for path in columns if path not in plain] or False,
        "column_encoding": encodings or None,
        "write_page_index": any(column.has_offset_index for column in columns.values()),
        "use_deprecated_int96_timestamps": any(physical == "INT96" for physical, _ in kinds),
        "store_decimal_as_integer": bool({("INT32", "DECIMAL"), ("INT64", "DECIMAL")} & kinds),
        "sorting_columns": [SortingColumn(c.column_index, c.descending, c.nulls_first) for c in order] or None,
    }


# ---------------------------------------------------------------- rows


def _replaced(batch: "pa.RecordBatch", at: int, wanted: Sequence[str | bytes | Keep | None]) -> "pa.RecordBatch":
    """The rows with other texts, where they have one; all other columns are the same ones."""
    import pyarrow as pa

    if not any(isinstance(text, str | bytes) for text in wanted):
        return batch
    pairs = zip(wanted, _bytes(batch.column(at)), strict=True)
    values = [old if old is None or not isinstance(text, str | bytes) else _encoded(text) for text, old in pairs]
    column = _as(pa.array(values, pa.large_binary()), batch.column(at).type)
    return batch.set_column(at, batch.schema.field(at), column)


def _between(
    batch: "pa.RecordBatch", cuts: Iterable[tuple[int, "pa.RecordBatch | None"]]
) -> Iterator["pa.RecordBatch"]:
    """The rows in stretches, which unlike a filter take any type: at each cut another row comes in, or one goes."""
    start = 0
    for nth, row in cuts:
        yield from (piece for piece in (batch.slice(start, nth - start), row) if piece)
        start = nth if row else nth + 1
    if start < len(batch):
        yield batch.slice(start)


def _size(batch: "pa.RecordBatch") -> int:
    """Bytes, without the dictionaries, which all batches of a row group have."""
    import pyarrow as pa

    return sum((c.indices if pa.types.is_dictionary(c.type) else c).nbytes for c in batch.columns)


def _packed(row: "pa.RecordBatch") -> bytes:
    """An Arrow stream of one row, and of nothing else: dictionaries and views would bring those of all rows."""
    import pyarrow as pa

    batch = pa.RecordBatch.from_arrays([_plain(column) for column in row.columns], row.schema.names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _unpacked(data: bytes, schema: "pa.Schema", name: str) -> "pa.RecordBatch":
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(data) as stream:
            row = stream.read_next_batch()
        columns = [_as(column, field.type) for column, field in zip(row.columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=schema)
    except (pa.ArrowException, OSError, ValueError, TypeError, StopIteration) as error:
        reason = " ".join(str(error).split())[:200]
        raise ManifestError(f"{name}: a row of the undo does not belong to this table: {reason}") from None


def _plain(column: "pa.Array") -> "pa.Array":
    """The values without what they share with other rows."""
    import pyarrow as pa

    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if column.type in (pa.string_view(), pa.binary_view()):
        column = column.cast(pa.large_string() if column.type == pa.string_view() else pa.large_binary())
    return column


def _as(column: "pa.Array", kind: "pa.DataType") -> "pa.Array":
    """The values as another type of the same kind, as they are: what is no text in them stays."""
    import pyarrow as pa
    from pyarrow.compute import CastOptions

    if column.type == kind:
        return column
    if pa.types.is_dictionary(kind):
        encoded = _as(column, kind.value_type).dictionary_encode()
        indices = encoded.indices.cast(kind.index_type)
        return pa.DictionaryArray.from_arrays(indices, encoded.dictionary, ordered=kind.ordered)
    return column.cast(options=CastOptions(kind, allow_invalid_utf8=True))
