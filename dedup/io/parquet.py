"""Parquet: the text of each row is cleaned by itself; all other columns, the schema and its metadata stay.

Why: a table is more than its texts, and may be larger than the memory. Rows are read and written some megabytes at
once, and what is not text never becomes a Python object, so that no value of it can change. The bytes of a file cannot
stay, because pages are compressed; the undo therefore gives back the table: its schema, and all values in their order.

    id | text   | tags             id | text  | tags
    7  | A.B.A. | [x]        ->    7  | A.B.  | [x]
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from dedup.errors import InputError, ManifestError
from dedup.io import files
from dedup.io.parquet_file import Table, batches, is_text, opened, writing
from dedup.io.rows import Options, Row, encoded
from dedup.model import Result

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP = 32 << 20  # bytes of rows: a row group that is larger is written as several, since it is held until it ends


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
    with opened(path, name, options.text_field) as table:
        names = table.schema.names
        others = [field for field in (options.id_field, options.group_field or "url") if names.count(field) == 1]
        columns = list(dict.fromkeys([options.text_field, *others]))
        for group, left in enumerate(table.sizes):
            error = ""
            try:
                for batch in batches(table, group, columns):
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
    return encoded(result, "utf-8")


def _encoded(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def _bytes(column: "pa.Array") -> list[bytes | None]:
    import pyarrow as pa

    values: list[bytes | None] = _plain(column).cast(pa.large_binary()).to_pylist()
    return values


def _strings(column: "pa.Array") -> list[str]:
    """The values for people; nothing stands for a null, and for what cannot be told."""
    import pyarrow as pa

    if is_text(column.type):
        return [(value or b"").decode("utf-8", "surrogateescape") for value in _bytes(column)]
    try:
        if pa.types.is_temporal(column.type):  # else the words would depend on what else is installed
            column = column.cast(pa.string())
        return ["" if value is None else str(value) for value in column.to_pylist()]
    except (ValueError, OverflowError, pa.ArrowException):
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

    with opened(source, name, text_field) as table, writing(table, target) as put:
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
    number = 0

    def edit(batch: "pa.RecordBatch", at: int) -> Iterator["pa.RecordBatch"]:
        nonlocal number
        wanted: list[str | bytes | Keep | None] = []
        gone: list[tuple[int, bytes]] = []
        for nth in range(len(batch)):
            while number in dropped:
                gone.append((nth, dropped[number]))
                number += 1
            wanted.append(texts.get(number, KEEP))
            number += 1
        back = ((nth, _unpacked(row, batch.schema, name)) for nth, row in gone)
        yield from _between(_replaced(batch, at, wanted), back)

    def rest(schema: "pa.Schema") -> Iterator["pa.RecordBatch"]:
        nonlocal number
        while number in dropped:
            yield _unpacked(dropped[number], schema, name)
            number += 1

    with opened(source, name, text_field) as table, writing(table, target) as put:
        _edit(table, edit, put, rest(table.schema))
        if any(not 0 <= n < number for n in (*texts, *dropped)) or texts.keys() & dropped.keys():
            raise ManifestError(f"{name}: the undo names rows that this table cannot have had; it is of another file")


def _edit(
    table: Table,
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

    for group, count in enumerate(table.sizes):
        for batch in batches(table, group):
            before = size
            for piece in edit(batch, table.at):
                add(piece)
            if size > before:
                size = max(size, before + _size(batch))  # a piece holds all of its batch
        if pieces or not count:
            end()
    for piece in rest:
        add(piece)
    if pieces:
        end()


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
