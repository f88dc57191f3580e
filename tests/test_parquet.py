"""Parquet: only texts change, rows go whole, and the undo gives the table back, values, schema and order."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import Config
from dedup.errors import InputError, ManifestError
from dedup.io import parquet
from dedup.io.parquet import KEEP, Keep
from dedup.io.rows import Options, Row
from dedup.within import clean_document
from tests.run import ROOT

Wanted = Sequence[str | Keep | None]
TEXTS = [
    "The ferry is late.\nThe ferry is late.\n",
    "",
    None,
    "Zoë sold 京 lamps 🎏",
    "A long line of the harbour, " * 9,
]
SAME: Wanted = [KEEP] * 1000


def _save(table: Any, **how: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def _put(folder: Path, data: bytes, name: str = "in.parquet") -> str:
    (folder / name).write_bytes(data)
    return os.fspath(folder / name)


def _written(path: str, wanted: Wanted, **options: Any) -> tuple[bytes, dict[int, bytes]]:
    size = pq.ParquetFile(path).metadata.num_rows
    target, dropped = io.BytesIO(), dict[int, bytes]()
    parquet.write(path, target, iter(wanted[:size]), "in.parquet", dropped.__setitem__, **options)
    assert not target.closed
    return target.getvalue(), dropped


def _undone(
    path: str, clean: bytes, wanted: Wanted, dropped: dict[int, bytes], field: str = "text"
) -> "tuple[Any, bytes]":
    old = list(parquet.rows(path, Options(text_field=field), "in.parquet"))
    texts = {nth: old[nth].raw for nth, text in enumerate(wanted[: len(old)]) if isinstance(text, str)}
    target = io.BytesIO()
    parquet.restore(_put(Path(path).parent, clean, "clean.parquet"), target, texts, dropped, field)
    return pq.read_table(io.BytesIO(target.getvalue())), target.getvalue()


def _values(table: Any) -> Any:
    """A table whose dictionaries are gone: in which order they number their values is not what the table says."""
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = [chunk.dictionary_decode() for chunk in table.column(at).chunks]
            column = pa.chunked_array(plain, field.type.value_type)
            table = table.set_column(at, field.with_type(field.type.value_type), column)
    return table


def _all_types() -> Any:
    """Thirty rows with a column of each kind."""
    n = 30
    fields: dict[str, Any] = {
        "id": pa.array(range(n), pa.uint32()),
        "text": pa.array((TEXTS * n)[:n]),
        "lang": pa.array((["en", "de", None] * n)[:n]).dictionary_encode(),
        "kind": pa.DictionaryArray.from_arrays(
            pa.array([0, 1] * (n // 2), pa.int8()), pa.array(["a", "b", "never"]), ordered=True
        ),
        "price": pa.array([Decimal("1.50"), None] * (n // 2), pa.decimal128(9, 2)),
        "seen": pa.array([datetime(2024, 1, 2, 3, 4, 5, 6, UTC)] * n, pa.timestamp("us", "Europe/Berlin")),
        "nano": pa.array([7] * n, pa.timestamp("ns")),
        "day": pa.array([1] * n, pa.date32()),
        "time": pa.array([1] * n, pa.time64("us")),
        "tags": pa.array([["x", None], [], None] * (n // 3)),
        "named": pa.array([[1]] * n, pa.list_(pa.field("number", pa.int8(), nullable=False))),
        "map": pa.array([[("k", 1)], None, []] * (n // 3), pa.map_(pa.string(), pa.int32())),
        "deep": pa.array(
            [{"a": [{"b": None}]}, None] * (n // 2), pa.struct([("a", pa.list_(pa.struct([("b", "f8")])))])
        ),
        "tensor": pa.array([[1.0, 2.0]] * n, pa.list_(pa.float32(), 2)),
        "uuid": pa.array([b"0123456789abcdef"] * n, pa.uuid()),
        "view": pa.array(["one that is too long to lie inline", None] * (n // 2), pa.string_view()),
        "large": pa.array(["x"] * n, pa.large_string()),
        "blob": pa.array([b"\xff\x00"] * n),
        "fixed": pa.array([b"abc"] * n, pa.binary(3)),
        "half": pa.array([0.5] * n, pa.float16()),
        "null": pa.nulls(n),
        "flag": pa.array([True, None] * (n // 2)),
        "dotted.name": pa.array([1] * n),
        "words": pa.array([["a"], None] * (n // 2), pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    }
    schema = pa.schema(
        [
            pa.field(name, column.type, nullable=name != "id", metadata={"note": name})
            for name, column in fields.items()
        ],
        metadata={"pandas": '{"index_columns": []}', "huggingface": '{"info": {}}', "other": "\u00e9"},
    )
    return pa.table(list(fields.values()), schema=schema)


CHANGED: Wanted = [None, "new", "no", None, None, "Ünder 京", KEEP, KEEP, "", None] * 3


# ---------------------------------------------------------------- reading


def test_each_row_of_the_table_is_a_row(tmp_path: Path) -> None:
    table = pa.table(
        {"n": range(5), "text": TEXTS, "id": [10, 11, None, 13, 14], "url": ["http://a/", None, "b", "", "c"]}
    )
    found = list(parquet.rows(_put(tmp_path, _save(table, row_group_size=2)), Options(), "in.parquet"))
    assert [row.text for row in found] == TEXTS
    assert [row.raw for row in found] == [(text or "").encode() for text in TEXTS]
    assert [row.id for row in found] == ["10", "11", "", "13", "14"]
    assert [row.group for row in found] == ["http://a/", "", "b", "", "c"]
    assert not any(row.error or row.before or row.separator for row in found)


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (pa.array([True]), "True"),
        (pa.array([1.5]), "1.5"),
        (pa.array([Decimal("1.50")]), "1.50"),
        (pa.array(["a"], pa.string_view()), "a"),
        (pa.array(["a"]).dictionary_encode(), "a"),
        (pa.array([b"\xffa"]), "\udcffa"),
        (pa.array([b"0123456789abcdef"], pa.uuid()), "30313233-3435-3637-3839-616263646566"),
        (pa.array([1], pa.date32()), "1970-01-02"),
        (pa.array([1], pa.timestamp("ns")), "1970-01-01 00:00:00.000000001"),
        (pa.array([None], pa.null()), ""),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_an_id_of_any_scalar_type_is_told(tmp_path: Path, column: Any, told: str) -> None:
    path = _put(tmp_path, _save(pa.table({"key": column, "text": ["A"]})))
    assert [row.id for row in parquet.rows(path, Options(id_field="key"), "x")] == [told]


def test_bytes_that_are_no_text_come_back_from_a_text_that_was_cleaned(tmp_path: Path) -> None:
    line = b"The caf\xe9 on the harbour opens at seven, and the ferry that never comes is still on its wall.\n"
    (row,) = parquet.rows(_put(tmp_path, _save(pa.table({"text": [line * 2]}))), Options(), "x")
    assert row.text
    assert row.cut
    result = clean_document(row.text.encode("utf-8", "surrogatepass"), Config())
    assert result.removed
    assert row.cut(result) == line


def test_what_is_no_text_in_a_column_of_text_is_kept(tmp_path: Path) -> None:
    odd = pa.array([b"A \xff", b"B \xfe", b"C"]).view(pa.string())
    path = _put(tmp_path, _save(pa.table({"text": odd})))
    assert [row.raw for row in parquet.rows(path, Options(), "x")] == [b"A \xff", b"B \xfe", b"C"]
    wanted: Wanted = [None, "B \udcfd", KEEP]
    clean, dropped = _written(path, wanted)
    assert pq.read_table(io.BytesIO(clean))["text"].cast(pa.binary()).to_pylist() == [b"B \xfd", b"C"]
    assert _undone(path, clean, wanted, dropped)[0].equals(pa.table({"text": odd}))


# ---------------------------------------------------------------- writing


def _told(data: bytes) -> Any:
    """What is known of a file, without the places in it."""
    file = pq.ParquetFile(io.BytesIO(data))
    groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
    names = ("path_in_schema", "physical_type", "compression", "encodings", "has_dictionary_page", "has_offset_index")
    columns = [[[getattr(g.column(at), n) for n in names] for at in range(g.num_columns)] for g in groups]
    return file.schema, [(g.num_rows, g.sorting_columns) for g in groups], columns, set(file.metadata.metadata or {})


_HOW: list[dict[str, Any]] = [
    {},
    {"row_group_size": 7, "compression": "zstd"},
    {"compression": {"text": "gzip", "lang": "brotli", "tags.list.element": "lz4"}, "use_dictionary": ["lang", "text"]},
    {"use_dictionary": False, "column_encoding": {"id": "DELTA_BINARY_PACKED", "large": "DELTA_BYTE_ARRAY"}},
    {"write_page_index": True, "sorting_columns": [pq.SortingColumn(0, descending=True)], "compression": "none"},
    {"store_schema": False, "use_compliant_nested_type": False, "store_decimal_as_integer": True},
    {"use_deprecated_int96_timestamps": True},
]


@pytest.mark.parametrize("how", _HOW, ids=lambda how: "-".join(how))
def test_a_table_without_a_change_is_the_same_table(tmp_path: Path, how: dict[str, Any]) -> None:
    data = _save(_all_types(), **how)
    clean, dropped = _written(_put(tmp_path, data), SAME)
    assert not dropped
    assert _told(clean) == _told(data)
    assert pq.read_table(io.BytesIO(clean)).equals(pq.read_table(io.BytesIO(data)), check_metadata=True)


@pytest.mark.parametrize("how", _HOW, ids=lambda how: "-".join(how))
def test_the_undo_gives_the_table_back(tmp_path: Path, how: dict[str, Any]) -> None:
    data = _save(_all_types(), **how)
    path, table = _put(tmp_path, data), pq.read_table(io.BytesIO(data))
    clean, dropped = _written(path, CHANGED)
    kept = [nth for nth, text in enumerate(CHANGED) if text is not None]
    olds = [(CHANGED[nth], (TEXTS * 6)[nth]) for nth in kept]
    texts = [new if isinstance(new, str) and old is not None else old for new, old in olds]
    written = pq.read_table(io.BytesIO(clean))
    assert written["text"].to_pylist() == texts
    rest = table.drop_columns("text")
    slices = pa.concat_tables([rest.slice(nth, 1) for nth in kept])
    assert _values(written.drop_columns("text")).equals(_values(slices), check_metadata=True)
    restored, _ = _undone(path, clean, CHANGED, dropped)
    assert restored.schema.equals(table.schema, check_metadata=True)
    assert _values(restored).equals(_values(table), check_metadata=True)


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()),
        *(pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.string(), ordered=True)),
    ],
    ids=str,
)
def test_a_text_may_be_of_any_type_of_text(tmp_path: Path, kind: Any) -> None:
    texts = pa.array((TEXTS * 6)[:30])
    column = texts.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else texts.cast(kind)
    data = _save(pa.table({"n": range(30), "Body": column}), row_group_size=12)
    path, table = _put(tmp_path, data), pq.read_table(io.BytesIO(data))
    assert [row.text for row in parquet.rows(path, Options(text_field="Body"), "x")] == texts.to_pylist()
    clean, dropped = _written(path, CHANGED, text_field="Body")
    written = pq.read_table(io.BytesIO(clean))
    assert written.schema == table.schema
    assert written["Body"].cast(pa.large_binary()).to_pylist()[:3] == [b"new", None, "Ünder 京".encode()]
    restored, _ = _undone(path, clean, CHANGED, dropped, "Body")
    assert _values(restored).equals(_values(table), check_metadata=True)


def test_more_texts_than_a_dictionary_can_number_become_several_row_groups(tmp_path: Path) -> None:
    column = pa.array([f"text {n % 100}" for n in range(600)]).dictionary_encode()
    column = pa.DictionaryArray.from_arrays(column.indices.cast(pa.int8()), column.dictionary)
    data = _save(pa.table({"text": column}))
    path, wanted = _put(tmp_path, data), [f"other {n}" for n in range(600)]
    clean, dropped = _written(path, wanted)
    written = pq.ParquetFile(io.BytesIO(clean))
    assert written.num_row_groups > 1
    assert _values(written.read())["text"].to_pylist() == wanted
    assert _values(_undone(path, clean, wanted, dropped)[0]) == _values(pa.table({"text": column}))


def test_row_groups_stay_and_those_without_rows_go(tmp_path: Path) -> None:
    path = _put(tmp_path, _save(pa.table({"text": [str(n) for n in range(10)]}), row_group_size=3))
    wanted: Wanted = [KEEP, None, KEEP, None, None, None, *SAME[:4]]
    clean, dropped = _written(path, wanted)
    file = pq.ParquetFile(io.BytesIO(clean))
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [2, 3, 1]
    assert _undone(path, clean, wanted, dropped)[0]["text"].to_pylist() == [str(n) for n in range(10)]


def test_all_rows_may_go(tmp_path: Path) -> None:
    table = _all_types()
    path = _put(tmp_path, _save(table, row_group_size=9))
    wanted: Wanted = [None] * 30
    clean, dropped = _written(path, wanted)
    assert pq.read_table(io.BytesIO(clean)).equals(pq.read_table(path).slice(0, 0), check_metadata=True)
    assert _values(_undone(path, clean, wanted, dropped)[0]).equals(_values(pq.read_table(path)), check_metadata=True)


def test_a_table_without_rows_stays(tmp_path: Path) -> None:
    data = _save(_all_types().slice(0, 0))
    path = _put(tmp_path, data)
    assert list(parquet.rows(path, Options(), "x")) == []
    clean, _ = _written(path, SAME)
    assert _told(clean) == _told(data)
    assert _undone(path, clean, SAME, {})[0].equals(pq.read_table(path), check_metadata=True)


def test_a_large_row_group_is_written_as_several(tmp_path: Path) -> None:
    table = pa.table({"text": ["The harbour was closed. " * 200] * 10_000})
    clean, _ = _written(_put(tmp_path, _save(table)), [KEEP] * 10_000)
    file = pq.ParquetFile(io.BytesIO(clean))
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert len(sizes) == 2
    assert max(sizes) * 4800 < 40 << 20
    assert file.read() == table


def test_an_order_by_text_is_no_longer_claimed(tmp_path: Path) -> None:
    table = pa.table({"n": [1, 1, 2], "text": ["a", "b", "a"], "m": [1, 2, 3]})
    by = [pq.SortingColumn(0), pq.SortingColumn(1), pq.SortingColumn(2)]
    clean, _ = _written(_put(tmp_path, _save(table, sorting_columns=by)), ["z", KEEP, KEEP])
    assert pq.ParquetFile(io.BytesIO(clean)).metadata.row_group(0).sorting_columns == (pq.SortingColumn(0),)


def test_a_row_that_goes_brings_nothing_of_the_others(tmp_path: Path) -> None:
    texts = [f"{n} " * 500 for n in range(400)]
    table = pa.table({"text": pa.array(texts, pa.string_view()), "same": pa.array(texts).dictionary_encode()})
    table = table.replace_schema_metadata({"huggingface": "x" * 5000})
    _, dropped = _written(_put(tmp_path, _save(table)), [None, *SAME[:399]])
    assert len(dropped[0]) < 4000


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    path = _put(tmp_path, _save(_all_types(), row_group_size=7))
    first, again = (_written(path, CHANGED) for _ in range(2))
    assert first == again
    back = [_undone(path, first[0], CHANGED, first[1])[1] for _ in range(2)]
    assert back[0] == back[1]


_changes = st.lists(
    st.tuples(st.none() | st.text(max_size=9), st.sampled_from([KEEP, None, "", "x", "é京"])), max_size=40
)


@given(_changes, st.integers(1, 12))
def test_every_change_can_be_undone(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str | None, str | Keep | None]], size: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    table = pa.table({"n": range(len(changes)), "text": pa.array([text for text, _ in changes], pa.string())})
    path, wanted = _put(folder, _save(table, row_group_size=size)), [new for _, new in changes]
    clean, dropped = _written(path, wanted)
    assert len(dropped) == wanted.count(None)
    assert _undone(path, clean, wanted, dropped)[0].equals(table, check_metadata=True)


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (
            pa.table({"body": ["A"], "n": [1]}),
            "column 'text' is missing (--text-field names another column); there are: body, n",
        ),
        (
            pa.table({"text": [1]}),
            "column 'text' is int64, text is needed (--text-field names another column); there are: text",
        ),
        (pa.table({"text": [["A"]]}), "column 'text' is list<element: string>, text is needed"),
        (pa.Table.from_arrays([pa.array(["A"])] * 2, ["text"] * 2), "column 'text' is there more than once"),
        (pa.table({}), "column 'text' is missing (--text-field names another column); there are: none"),
    ],
    ids=["missing", "number", "list", "twice", "no-columns"],
)
def test_without_a_column_of_texts_the_columns_are_named(tmp_path: Path, table: Any, wrong: str) -> None:
    path = _put(tmp_path, _save(table))
    acts: list[Callable[[], object]] = [
        lambda: list(parquet.rows(path, Options(), "in.parquet")),
        lambda: parquet.write(path, io.BytesIO(), iter([]), "in.parquet", dict[int, bytes]().__setitem__),
    ]
    for act in acts:
        with pytest.raises(InputError) as caught:
            act()
        assert str(caught.value).startswith(f"in.parquet: {wrong}")


def test_a_file_that_is_no_table_says_what_to_do(tmp_path: Path) -> None:
    for data in (b"", b"PAR1", b"just text", b"\0" * 4000):
        with pytest.raises(InputError, match=r"^x: cannot be read: .*: get it anew$"):
            list(parquet.rows(_put(tmp_path, data), Options(), "x"))
    with pytest.raises(InputError, match=r"^x: cannot be read: No such file"):
        list(parquet.rows(os.fspath(tmp_path / "none"), Options(), "x"))
    with pytest.raises(InputError, match=r"^x: cannot be read: Is a directory"):
        list(parquet.rows(os.fspath(tmp_path), Options(), "x"))


class _Keys(pe.KmsClient):  # type: ignore[misc]  # the library has no types
    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        return key_bytes.hex().encode()

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
        return bytes.fromhex(wrapped_key.decode())


@pytest.mark.parametrize("plaintext_footer", [False, True])
def test_an_encrypted_file_says_so(tmp_path: Path, plaintext_footer: bool) -> None:
    how = pe.EncryptionConfiguration("foot", column_keys={"col": ["text"]}, plaintext_footer=plaintext_footer)
    factory = pe.CryptoFactory(lambda _: _Keys())
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), how)
    path = _put(tmp_path, _save(pa.table({"text": ["A"]}), encryption_properties=properties))
    step = "it is encrypted: write a plain copy of it"
    with pytest.raises(InputError, match=step):
        parquet.write(path, io.BytesIO(), iter([KEEP]), "x", dict[int, bytes]().__setitem__)
    if plaintext_footer:
        assert [row.error[-len(step) :] for row in parquet.rows(path, Options(), "x")] == [step]


def _damaged(folder: Path) -> str:
    """A table of three row groups, the second of which is damaged in its texts."""
    texts = [f"text number {n}" for n in range(60)]
    data = _save(pa.table({"text": texts}), row_group_size=20, compression="none", write_page_checksum=True)
    return _put(folder, data.replace(b"text number 25", b"text number 52", 1))


def test_a_row_group_that_cannot_be_read_keeps_its_place(tmp_path: Path) -> None:
    found = list(parquet.rows(_damaged(tmp_path), Options(), "in.parquet"))
    assert [row.text for row in found[:20]] == [f"text number {n}" for n in range(20)]
    assert [row.text for row in found[40:]] == [f"text number {n}" for n in range(40, 60)]
    errors = [row.error for row in found]
    assert errors[:20] + errors[21:] == [""] * 59
    assert errors[20].startswith("in.parquet: row group 1, before byte ")
    assert "CRC" in errors[20]
    assert not any(row.text or row.cut for row in found[20:40])


def test_a_table_with_such_a_row_group_is_not_written(tmp_path: Path) -> None:
    target = io.BytesIO()
    with pytest.raises(InputError, match=r"^x: row group 1, before byte \d+: cannot be read"):
        parquet.write(_damaged(tmp_path), target, iter(SAME), "x", dict[int, bytes]().__setitem__)
    assert not target.getvalue().endswith(b"PAR1")


def _files() -> list[bytes]:
    plain = _all_types().append_column("same", pa.array(["x"] * 30).dictionary_encode())
    encoded = plain.set_column(1, "text", plain["text"].combine_chunks().dictionary_encode())
    ways: list[tuple[str, str]] = [("none", "1.0"), ("zstd", "2.0")]
    return [
        _save(table.select(["id", "text", "lang", "tags", "view", "deep"]), row_group_size=12, compression=codec, **how)
        for table in (plain, encoded)
        for codec, version in ways
        for how in ({"data_page_version": version, "write_page_checksum": codec == "none"},)
    ]


def _faults() -> Iterator[bytes]:
    random, files = Random(5), _files()
    for nth in range(200):
        data = files[nth % len(files)]
        yield data[: random.randrange(len(data))]
    for nth in range(200):
        broken = bytearray(files[nth % len(files)])
        broken[random.randrange(len(broken))] ^= 1 << random.randrange(8)
        yield bytes(broken)


def _try(act: Callable[[], object]) -> object:
    try:
        return act()
    except InputError:
        return None


def _listed(path: str) -> list[Row]:
    return list(parquet.rows(path, Options(), "x"))


def test_a_damaged_file_is_read_in_part_or_refused(tmp_path: Path) -> None:
    ends = {"read": 0, "in part": 0, "refused": 0}
    for data in _faults():
        path = _put(tmp_path, data)
        found = _try(partial(_listed, path))
        assert found is None or (isinstance(found, list) and all(isinstance(row, Row) for row in found))
        faulty = isinstance(found, list) and any(row.error for row in found)
        ends["refused" if found is None else "in part" if faulty else "read"] += 1
        _try(partial(parquet.write, path, io.BytesIO(), iter(CHANGED), "x", dict[int, bytes]().__setitem__))
    assert min(ends.values()) > 0


def test_a_table_that_changed_in_between_is_refused(tmp_path: Path) -> None:
    path = _put(tmp_path, _save(pa.table({"text": ["A", "B"]})))
    for wanted, wrong in (([KEEP], "more rows"), ([KEEP] * 3, "fewer rows")):
        with pytest.raises(InputError, match=f"x: has {wrong} than when it was read"):
            parquet.write(path, io.BytesIO(), iter(wanted), "x", dict[int, bytes]().__setitem__)


def test_an_undo_of_another_file_is_refused(tmp_path: Path) -> None:
    path = _put(tmp_path, _save(pa.table({"text": ["A", "B"]})))
    other = _put(tmp_path, _save(pa.table({"text": ["A"], "n": [1]})), "other.parquet")
    _, dropped = _written(other, [None])
    for texts, rows in (({2: "x"}, {}), ({-1: "x"}, {}), ({}, {4: dropped[0]}), ({}, dropped), ({}, {0: b"junk"})):
        with pytest.raises(ManifestError, match="the undo"):
            parquet.restore(path, io.BytesIO(), texts, rows)


class _Full(io.BytesIO):
    """A disk with room for so many bytes."""

    room = 100

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self.room:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("room", [0, 100, 2000])
def test_a_full_disk_is_told_as_such(tmp_path: Path, room: int) -> None:
    path, target = _put(tmp_path, _save(_all_types(), row_group_size=3)), _Full()
    target.room = room
    with pytest.raises(OSError, match="No space left"):
        parquet.write(path, target, iter(SAME[:30]), "x", dict[int, bytes]().__setitem__)
    assert not target.getvalue().endswith(b"PAR1") or room < 100


def test_a_pipe_is_a_target(tmp_path: Path) -> None:
    path = _put(tmp_path, _save(pa.table({"text": ["A"]})))
    out, into = os.pipe()
    with open(into, "wb") as target:
        parquet.write(path, target, iter([KEEP]), "x", dict[int, bytes]().__setitem__)
    with open(out, "rb") as stream:
        assert pq.read_table(io.BytesIO(stream.read()))["text"].to_pylist() == ["A"]


def test_a_missing_library_names_the_extra(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.modules['pyarrow'] = None\nfrom dedup.errors import InputError\n"
        "from dedup.io import parquet\nfrom dedup.io.rows import Options\n"
        "try:\n    list(parquet.rows(sys.argv[1], Options(), 'x'))\nexcept InputError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, cwd=ROOT, check=True, text=True)
    assert done.stdout == "x: to read Parquet, install the extra: pip install 'dedup-text[parquet]'\n"
