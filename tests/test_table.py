"""Tables: what the csv module reads is what is read, and every byte of the source is in its rows."""

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.config import Config
from dedup.errors import InputError
from dedup.io import table
from dedup.io.rows import Options, Row
from dedup.model import Result
from dedup.within import clean_document
from tests.documents import documents

BODY = "The council voted on Tuesday to keep the old library open, and nobody had expected it to go that way at all."
DOUBLED = f"{BODY}\n\nA line between.\n\n{BODY}\n"

CONFIG = Config()


@pytest.fixture(autouse=True)
def _sizes() -> Iterator[None]:
    kept = table._BLOCK, table._LIMIT
    yield
    table._BLOCK, table._LIMIT = kept


def _read(data: bytes, name: str = "a.csv", **options: Any) -> list[Row]:
    """The rows, which are the source."""
    found = list(table.rows(io.BytesIO(data), Options(**options), name))
    assert b"".join(row.before + row.separator + row.raw for row in found) == data
    assert all(row.text is None or (row.cut and not row.error) for row in found)
    return found


def _texts(data: bytes, name: str = "a.csv", **options: Any) -> list[str | None]:
    return [row.text for row in _read(data, name, **options) if row.raw]


def _errors(data: bytes, **options: Any) -> list[str]:
    return [row.error for row in _read(data, **options) if row.error]


def _in_blocks(data: bytes, size: int) -> list[Row]:
    table._BLOCK = size
    return [_plain(row) for row in _read(data)]


def _plain(row: Row) -> Row:
    return Row(row.before, row.separator, row.raw, row.text, row.id, row.group, None, row.error)


def _joined(found: list[Row]) -> list[Row]:
    """The rows with all bytes that are in none of them in front of the next one."""
    out, before = [], b""
    for row in found:
        before += row.before
        if row.raw or row.error:
            out.append(Row(before, b"", row.raw, row.text, row.id, row.group, None, row.error))
            before = b""
    return [*out, Row(before, b"", b"", None)]


def _result(text: str, clean: str) -> Result:
    """What a cleaning would be that makes `clean` of `text`."""
    data, kept = (part.encode("utf-8", "surrogatepass") for part in (text, clean))
    return Result("a", data, kept, "utf-8", (), (), (), (1, 1), 0)


def _cut(row: Row, clean: str) -> bytes:
    assert row.cut
    assert row.text is not None
    return row.cut(_result(row.text, clean))


_PIECES = st.sampled_from(['"', '""', ",", ";", "\t", "\r", "\n", "\r\n", "a", "é", "text", " ", "\ufeff", "\0", "'"])
_VALUES = st.lists(_PIECES, max_size=6).map("".join)
_TABLES = st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(_VALUES, min_size=n, max_size=n), max_size=6))
_SOUP = st.lists(_PIECES, max_size=40).map("".join)
_HEADERS = ["text", "text,id", "id,text,url", 'id,"text"', "text;id", "id\ttext", "url|id|text"]


# ---------------------------------------------------------------- as the csv module reads it


@given(_TABLES, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_a_written_table_is_read_as_it_was_written(
    rows: list[list[str]], mark: str, end: str, all_quoted: bool
) -> None:
    stream = io.StringIO(newline="")
    ends = any("\r" in value or "\n" in value for row in rows for value in row)  # not all of them would be quoted
    quoted = all_quoted or ends
    writer = csv.writer(
        stream, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    )
    writer.writerow(["text", "id", "url", "other"][: len(rows[0]) if rows else 2])
    writer.writerows(rows)
    found = [row for row in _read(stream.getvalue().encode()) if row.raw]
    assert [row.text for row in found] == [row[0] for row in rows]
    assert [row.id for row in found] == [row[1] if len(row) > 1 else "" for row in rows]
    assert [row.group for row in found] == [row[2] if len(row) > 2 else "" for row in rows]


@example("id,text", 'a,"b"c"d"\nx"y,"""z"""\n"1\n2",b""\r\r\n"q"e,"a""')
@given(st.sampled_from(_HEADERS), _SOUP)
def test_any_table_is_read_as_the_csv_module_reads_it(header: str, body: str) -> None:
    mark = next((mark for mark in ",;\t|" if mark in header), ",")
    source = f"{header}\n{body}"
    found = [row for row in _read(source.encode()) if row.raw]
    fields, *rows = [row for row in csv.reader(io.StringIO(source, newline=""), delimiter=mark) if row]
    if found and "ends inside a field in quotes" in found[-1].error:
        assert len(list(csv.reader(io.StringIO(found[-1].raw.decode() + "\nz", newline=""), delimiter=mark))) == 1
        rows.pop()
        found.pop()
    at, where = fields.index("text"), fields.index("id") if "id" in fields else len(source)
    assert [row.text for row in found] == [row[at] if at < len(row) else None for row in rows]
    for row, expected in zip(found, rows, strict=True):
        assert row.text is None or row.id == (expected[where] if where < len(expected) else "")


def test_a_quote_means_something_only_at_the_start_of_a_field() -> None:
    assert _texts(b'text\na "b" c\n "d"\n"e" f "g"\n') == ['a "b" c', ' "d"', 'e f "g"']


def test_all_line_ends_end_a_row_and_empty_lines_are_none() -> None:
    source = b"\xef\xbb\xbf\r\nid,text\r\n1,a\r2,b\n\n\r3,c\r\n\r\n4,d"
    assert _texts(source) == ["a", "b", "c", "d"]
    assert [row.raw for row in _read(source) if row.raw] == [b"1,a\r", b"2,b\n", b"3,c\r\n", b"4,d"]
    assert _errors(source) == []


def test_a_line_end_in_quotes_is_text() -> None:
    assert _texts(b'id,text\n1,"a\r\nb\n\nc"\n2,d\n') == ["a\r\nb\n\nc", "d"]


# ---------------------------------------------------------------- the header


@pytest.mark.parametrize(
    ("header", "name", "text"),
    [
        (b"a;b,text;c", "a.csv", None),
        (b"a;b,c;text;d", "a.csv", "3"),
        (b"a|text|b,c", "a.csv", "2"),
        (b"a\ttext", "a.csv", "2"),
        (b"a,b,c\ttext", "a.tsv", "2"),
        (b"a,b,c\ttext", "A.TSV.gz", "2"),
        (b'"a;b";"text"', "a.csv", "2"),
    ],
)
def test_the_header_says_what_the_delimiter_is(header: bytes, name: str, text: str | None) -> None:
    mark = max(b",;\t|", key=lambda mark: b"12345"[: header.count(mark)]) if text else 59
    mark = 9 if b"tsv" in name.lower().encode() else mark
    source = header + b"\n" + bytes([mark]).join([b"1", b"2", b"3", b"4"]) + b"\n"
    if text is None:
        with pytest.raises(InputError, match="'a', 'b,text', 'c'"):
            _read(source, name)
    else:
        assert _texts(source, name) == [text]


def test_a_table_without_the_column_says_which_there_are() -> None:
    with pytest.raises(InputError, match=r"^a.csv: no column 'text' .* \(it has 'id', 'body'\); --text-field names"):
        _read(b"id,body\n1,a\n")
    with pytest.raises(InputError, match=r"'19', \.\.\.\)"):
        _read(",".join(map(str, range(1000))).encode())
    assert _texts(b"id,body\n1,a\n", text_field="body") == ["a"]


def test_the_columns_are_found_by_name_and_may_be_one() -> None:
    row = _read(b"site,key,body\nx,y,z\n", text_field="body", id_field="key", group_field="site")[0]
    assert (row.text, row.id, row.group) == ("z", "y", "x")
    row = _read(b"text,a\nx,y\n", id_field="text", group_field="text")[0]
    assert (row.text, row.id, row.group) == ("x", "x", "x")
    row = _read(b"text,id,url\nx\n")[0]
    assert (row.text, row.id, row.group) == ("x", "", "")


@pytest.mark.parametrize(
    "source", [b"", b"\n", b"\xef\xbb\xbf", b"\r\n\r\n", b"text", b"text\r\n", b"\xef\xbb\xbftext\n"]
)
def test_a_table_without_rows_is_passed_on(source: bytes) -> None:
    assert _texts(source) == []
    assert _errors(source) == []


# ---------------------------------------------------------------- damage


def test_a_row_without_the_field_is_passed_on_and_named() -> None:
    source = b"id,text\n1,a\n\nonly\n3,c,more\n"
    assert _texts(source) == ["a", None, "c"]
    assert _errors(source) == [
        "a.csv: record 2 at byte 13: the text is field 2, and it has only 1; it is passed on as it is"
    ]


def test_a_quote_that_is_not_closed_is_told() -> None:
    source = b'id,text\n1,a\n2,"b\n3,c\n'
    assert _texts(source) == ["a", None]
    assert "record 2 at byte 12: it ends inside a field in quotes" in _errors(source)[0]


@pytest.mark.parametrize("line", [b"aaaa\n", b'a","\n', b'""', b"a"])
def test_a_row_without_end_is_given_up_at_the_limit_and_reading_goes_on(line: bytes) -> None:
    table._LIMIT, table._BLOCK = 1 << 12, 1 << 9
    rest = line * (5000 // len(line)) + b"x\ny,z\n"
    found = _read(b'id,text\n1,a\n2,"' + rest)
    assert found[0].text == "a"
    assert "record 2 at byte 12: it has more than 4096 bytes" in found[1].error
    assert max(len(row.before) + len(row.raw) for row in found) <= 4097
    if line != b'a","\n':
        assert found[-1].text == "z"


def test_a_header_without_end_is_an_error() -> None:
    table._LIMIT, table._BLOCK = 1 << 12, 1 << 9
    with pytest.raises(InputError, match="no end"):
        _read(b'"' + b"a\n" * 5000)


@given(st.binary(max_size=200), st.sampled_from(_HEADERS))
def test_any_bytes_are_all_in_the_rows(data: bytes, header: str) -> None:
    _read(f"{header}\n".encode() + data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_damaged_table_is_all_in_its_rows(encoding: str) -> None:
    source = '\ufeffid,text,"url"\r\n1,"a ""b""\n",x\n\r2,é😀,"y"\r\n"3",c\n'.lstrip("\ufeff" * (encoding == "utf-16"))
    data = source.encode(encoding)
    for at in range(len(data)):
        for broken in (data[:at], *(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :] for bit in range(8))):
            with suppress(InputError):
                _read(broken)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_where_blocks_end_makes_no_difference(encoding: str) -> None:
    source = 'id,text,url\r\n1,"a ""b""\r\n\r\n",x\r\n\r\n2,é😀\U0010ffff,"y"\r\nshort\r\n"3",c\r\n4,"open'
    data = (source if encoding != "utf-16-be" else f"\ufeff{source}").encode(encoding)
    expected = _joined([_plain(row) for row in _read(data)])
    for size in range(1, len(data) + 2):
        assert _joined(_in_blocks(data, size)) == expected


# ---------------------------------------------------------------- encodings


def test_bytes_that_are_no_text_come_back() -> None:
    row = _read(b'id,text\n1,"caf\xe9, \xed\xa0\x80 b"\n')[0]
    assert row.text == "caf\udce9, \udced\udca0\udc80 b"
    assert _cut(row, row.text.removesuffix(" b")) == b'1,"caf\xe9, \xed\xa0\x80"\n'


def test_a_surrogate_that_was_torn_is_written_as_its_bytes() -> None:
    row = _read(b"text\na \xe9 b\n")[0]
    assert row.text
    assert row.cut
    data = row.text.encode("utf-8", "surrogatepass")
    assert row.cut(Result("a", data, data[:4], "utf-8", (), (), (), (1, 1), 0)) == b"a \xed\xb3\n"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "shift_jis", "gb18030"])
def test_an_encoding_that_has_ascii_in_it_is_read_and_written(encoding: str) -> None:
    text = "日本。語" if encoding in ("shift_jis", "gb18030") else "naïve £"
    row = _read(f"id,text\n1,{text}; gone\n".encode(encoding), encoding=encoding)[0]
    assert row.text == f"{text}; gone"
    assert _cut(row, text) == f"1,{text}\n".encode(encoding)


def test_text_of_another_encoding_is_passed_on_and_named() -> None:
    found = _read(b"id,text\n1,\x87\x90\n2,b\n", encoding="cp932")  # which writes it in another way
    assert [row.text for row in found] == [None, "b"]
    assert "--encoding" in found[0].error


def test_a_fix_that_the_encoding_cannot_hold_is_an_error() -> None:
    row = _read(b"text\na\n", encoding="latin-1")[0]
    with pytest.raises(InputError, match="iso8859-1 has not"):
        _cut(row, "日")


@pytest.mark.parametrize("encoding", ["utf-32", "utf-7x", "rot13", "cp037", "hex"])
def test_an_encoding_of_another_kind_is_an_error(encoding: str) -> None:
    with pytest.raises(InputError, match="convert it first"):
        _read(b"text\na\n", encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_utf_16_is_read_by_its_mark_or_by_name(encoding: str, mark: str) -> None:
    data = f'{mark}id\ttext\r\n1\t"é😀 ""b"" gone"\r\n'.encode(encoding)
    row = _read(data, encoding="" if mark else encoding)[0]
    assert (row.id, row.text) == ("1", 'é😀 "b" gone')
    assert _cut(row, 'é😀 "b"') == '1\t"é😀 ""b"""\r\n'.encode(encoding)


def test_bytes_are_counted_in_the_source() -> None:
    data = "\ufeffid,text\n1,é\nshort\n".encode("utf-16-le")
    assert "record 2 at byte 26: " in _errors(data)[0]
    assert "record 3 at byte 38: the source ends inside a character" in _errors(data + b"x")[1]


@given(st.binary(max_size=120), st.sampled_from([b"\xff\xfe", b"\xfe\xff"]), st.integers(1, 9))
def test_any_bytes_in_utf_16_come_back(data: bytes, mark: bytes, size: int) -> None:
    encoding = table._MARKS[mark]
    head = mark + "id,text\n".encode(encoding)
    table._BLOCK = size
    for row in _read(head + data):
        assert row.text is None or _cut(row, row.text) == row.raw


@given(st.lists(st.sampled_from([b"\xd8\0", b"\xdc\0", b"\0,", b"\0\n", b"\0a", b'\0"', b"\xe9\xff"]), max_size=30))
def test_half_pairs_in_utf_16_come_back(units: list[bytes]) -> None:
    head = "\ufeffid,text\n".encode("utf-16-be")
    table._LIMIT, table._BLOCK = 20, 3
    for row in _read(head + b"".join(units)):
        assert row.text is None or _cut(row, row.text) == row.raw


# ---------------------------------------------------------------- the cut


@given(st.lists(_VALUES, min_size=2, max_size=4), _VALUES, st.integers(0, 3), st.booleans())
def test_a_row_that_was_cut_differs_in_its_text_only(row: list[str], clean: str, at: int, all_quoted: bool) -> None:
    at %= len(row)
    names = [f"f{n}" if n != at else "text" for n in range(len(row))]
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL).writerow(row)
    found = _read(",".join(names).encode() + b"\n" + stream.getvalue().encode())[0]
    cut = _cut(found, clean)
    assert next(csv.reader(io.StringIO(cut.decode(), newline=""))) == [*row[:at], clean, *row[at + 1 :]]
    assert _cut(found, row[at]) == found.raw


@pytest.mark.parametrize(
    ("raw", "clean", "cut"),
    [
        (b"1, a b ,'x\"\n", " a ", b"1, a ,'x\"\n"),
        (b'1,"a b",""\r\n', "a", b'1,"a",""\r\n'),
        (b'1,"a ""b"" c"\r', 'a "b"', b'1,"a ""b"""\r'),
        (b'1,"a" b "c",', 'a b "', b'1,"a b """,'),
        (b'1,a "b",x\n', '"b"', b'1,"""b""",x\n'),
        (b"1,a,x\n", "", b"1,,x\n"),
        (b"1,a,x\n", "a\nb", b'1,"a\nb",x\n'),
        (b"1,a,x\n", "a,b", b'1,"a,b",x\n'),
    ],
)
def test_a_field_is_quoted_as_it_was_or_as_it_has_to_be(raw: bytes, clean: str, cut: bytes) -> None:
    assert _cut(_read(b"id,text,url\n" + raw)[0], clean) == cut


def test_a_row_of_one_field_that_got_empty_is_still_a_row() -> None:
    assert _cut(_read(b"text\na\r\n")[0], "") == b'""\r\n'


def test_a_doubled_article_is_cut_in_its_row() -> None:
    quoted = DOUBLED.encode()
    row = _read(b'id;text;n\n1;"' + quoted + b'";0007\r\n')[0]
    assert row.text == DOUBLED
    assert row.cut
    cut = row.cut(clean_document(quoted, CONFIG))
    assert cut.count(BODY.encode()) == 1
    assert cut.startswith(b'1;"The council')
    assert cut.endswith(b'";0007\r\n')


@given(documents())
def test_what_a_cleaning_leaves_is_what_is_read_again(data: bytes) -> None:
    field = b'"' + data.replace(b'"', b'""') + b'"'
    row = _read(b"id,text\n1," + field + b"\n")[0]
    assert row.text is not None
    assert row.cut
    text = row.text.encode("utf-8", "surrogatepass")
    result = clean_document(text, CONFIG, force_text=True)
    again = _read(b"id,text\n" + row.cut(result))[0]
    assert again.text is not None
    assert again.text.encode("utf-8", "surrogatepass") == result.clean
