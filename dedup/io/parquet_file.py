"""Parquet files: a table is opened and read a megabyte at once, and another one is written in the same way.

Why: the library raises errors of all kinds for what is damaged, some damage kills its process, and it writes with
settings of its own. Here each fault is an InputError that names its place, and what is written has the compression, the
encodings and the metadata of what was read.

    opened(path, ...) -> Table -> batches(table, group)   |   writing(table, target) -> put([batch, ...])
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, BinaryIO

from dedup.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

_BUFFER = 1 << 18  # bytes read at once of a column, which else is read as a whole
_BATCH = 1 << 20  # bytes of rows read at once
_ROWS = 256  # at most: rows that are one text are small in the file and large in memory
_SHARES = 32  # at most, of a row group with dictionaries: each batch brings its own copy of them
_DATA = ("BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY")


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is open."""

    file: "ParquetFile"
    stream: BinaryIO
    name: str
    sizes: list[int]  # rows of each row group
    at: int  # the column of texts

    @property
    def schema(self) -> "pa.Schema":
        """Its columns and its metadata."""
        return self.file.schema_arrow


@contextmanager
def opened(path: str, name: str, text_field: str) -> Iterator[Table]:
    """Open a table. Raises InputError where it is damaged, or has no such column of texts."""
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(f"{name}: to read Parquet, install the extra: pip install 'dedup-text[parquet]'") from None
    try:
        stream = open(path, "rb")  # noqa: SIM115  # what goes wrong later is no fault of opening it
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from None
    with stream:
        with _explained(name):
            file = ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True)
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            if sum(sizes) != file.metadata.num_rows or min(sizes, default=0) < 0:
                raise ValueError(f"{file.metadata.num_rows} rows are announced, and {sum(sizes)} in its row groups")
            at = _text_column(file.schema_arrow, text_field, name)
        yield Table(file, stream, name, sizes, at)


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
    if len(found) == 1 and is_text(schema.field(found[0]).type):
        return found[0]
    wrong = "is missing" if not found else f"is {schema.field(found[0]).type}, text is needed"
    wrong = "is there more than once" if len(found) > 1 else wrong
    there = ", ".join(schema.names) or "none"
    raise InputError(f"{name}: column {text_field!r} {wrong} (--text-field names another column); there are: {there}")


def is_text(kind: "pa.DataType") -> bool:
    """Whether values of this type are texts, be they numbered in a dictionary or not."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view())


def batches(table: Table, group: int, columns: list[str] | None = None) -> Iterator["pa.RecordBatch"]:
    """Yield the rows of a row group, about a megabyte at once. Raises InputError where it cannot be read."""
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


def _several(table: Table, group: int) -> int:
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


# ---------------------------------------------------------------- writing


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
def writing(table: Table, target: BinaryIO) -> Iterator[Callable[[list["pa.RecordBatch"]], None]]:
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


def _properties(table: Table) -> dict[str, Any]:
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
    next(batches(table, first))  # to ask damaged metadata kills the process, to read by them is an error
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
