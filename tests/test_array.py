"""Arrays of JSON objects: the elements are those that the json module reads, and every byte of the source is there."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.config import Config
from dedup.errors import InputError
from dedup.io import array
from dedup.io.rows import Options, Row
from dedup.within import clean_document

BODY = "The council voted on Tuesday to keep the old library open, and nobody had expected it to go that way at all."
DOUBLED = f'{BODY}\n\nA "line" between.\n\n{BODY}\n'
CONFIG = Config()
SMALL = (
    b'\xef\xbb\xbf [ {"text": "a]", "n": [1, {"b": "}"}]},\r\n'
    b'{"id": 7, "text": "\\"\xc3\xa9\\\\"} , 3,"x", {"text": null}\n]\n'
)


@pytest.fixture(autouse=True)
def _sizes() -> Iterator[None]:
    kept = array._BLOCK, array._LIMIT
    yield
    array._BLOCK, array._LIMIT = kept


def _read(data: bytes, **options: Any) -> list[Row]:
    """The rows, which are the source."""
    found = list(array.rows(io.BytesIO(data), Options(**options), "a.json"))
    assert b"".join(row.before + row.separator + row.raw for row in found) == data
    assert all(row.text is None or (row.cut and not row.error) for row in found)
    assert not any(row.separator for row in found[:1])
    return found


def _plain(data: bytes) -> list[Row]:
    return [Row(r.before, r.separator, r.raw, r.text, r.id, r.group, None, r.error) for r in _read(data)]


_TEXTS = st.text(st.sampled_from('"\\[]{},:\n a\u00e9\ud800\U0001f600'), max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_ELEMENTS = st.fixed_dictionaries({"text": _TEXTS}, optional={"id": _VALUES, "url": _TEXTS, "more": _VALUES})
_SOUP = st.lists(st.sampled_from([*'[]{},:" \n\\', '"text"', '{"text": "a"}', "1", "null"]), max_size=30).map("".join)


# ---------------------------------------------------------------- as the json module reads it


@given(st.lists(_ELEMENTS, max_size=5), st.sampled_from([None, 0, 2]), st.booleans())
def test_an_array_is_read_as_it_was_written(elements: list[dict[str, Any]], indent: int | None, ascii: bool) -> None:
    text = json.dumps(elements, indent=indent, ensure_ascii=ascii)
    found = _read(text.encode("utf-8", "surrogatepass" if ascii else "replace"))
    assert [row.text for row in found if row.raw] == [
        e["text"] if ascii else e["text"].replace("\ud800", "?") for e in elements
    ]
    assert [row.error for row in found if row.error] == []
    assert not found[-1].raw
    assert found[-1].before.strip() in (b"]", b"[]")


@given(st.lists(_VALUES, max_size=5))
def test_an_element_of_any_kind_is_one_row(elements: list[Any]) -> None:
    found = [row for row in _read(json.dumps(elements).encode()) if row.raw]
    assert [json.loads(row.raw) for row in found] == elements
    assert all(row.text is not None or row.error for row in found)


def test_what_stands_between_the_elements_is_separator() -> None:
    source = b' [\n{"text": "a"} ,\t{"text": "b"},{"text": "c"}\n] \n'
    assert [(row.before, row.separator) for row in _read(source)] == [
        (b" [\n", b""),
        (b"", b" ,\t"),
        (b"", b","),
        (b"\n] \n", b""),
    ]


def test_id_and_site_are_what_the_element_says() -> None:
    source = b'[{"text": "a", "id": 7, "url": "http://x.org/y", "k": null, "s": "z"}, {"text": "b"}]'
    assert [(row.id, row.group) for row in _read(source)][:2] == [("7", "http://x.org/y"), ("", "")]
    assert [(row.id, row.group) for row in _read(source, id_field="k", group_field="s")][:2] == [("", "z"), ("", "")]
    assert _read(b'[{"text": "a", "body": "b"}]', text_field="body")[0].text == "b"


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (b'{"data": []}', "an object at byte 0"),
        (b'\xef\xbb\xbf\n {"text": "a"}\n', "an object at byte 5"),
        (b'"a"', "a string at byte 0"),
        (b"id,text\n", "'id,text"),
        ("[]".encode("utf-16"), r"'\\xff\\xfe"),
    ],
)
def test_what_is_no_array_is_an_error_that_says_what_it_is(source: bytes, kind: str) -> None:
    with pytest.raises(InputError, match=kind) as error:
        _read(source)
    assert "--input-format jsonl" in str(error.value)


@pytest.mark.parametrize("source", [b"", b" \n", b"\xef\xbb\xbf", b"[]", b" [ ] \n"])
def test_an_array_without_elements_is_passed_on(source: bytes) -> None:
    assert [row for row in _read(source) if row.raw or row.error] == []


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (b"3", "not a JSON object"),
        (b'{"text": 3}', "field 'text' is int"),
        (b'{"body": "x"}', "--text-field"),
        (b'{"text": "a"} {"text": "b"}', "not a JSON object"),
        (b'{"text": "a"}}', "not a JSON object"),
        (b'{"text": "a"]', "not a JSON object"),
        (b'{"text": "a\nb"}', "not a JSON object"),
        (b'{"text": "\xff"}', "not a JSON object"),
        (b"", "an element is missing"),
        (b'{"text": "a", "deep": ' + b"[" * 600 + b"]" * 600 + b"}", "601 deep"),
    ],
)
def test_a_bad_element_is_passed_on_and_named_and_the_others_are_read(bad: bytes, error: str) -> None:
    found = _read(b'[{"text": "1"}, ' + bad + b', {"text": "2"}]')
    assert [row.text for row in found] == ["1", None, "2", None]
    assert found[1].error.startswith("a.json: record 2 at byte 16: ")
    assert error in found[1].error
    assert not found[3].error


def test_a_source_that_is_cut_off_keeps_its_whole_elements() -> None:
    for at in range(1, len(SMALL)):
        whole = SMALL[:at]
        if b"[" not in whole:
            continue
        texts = [row.text for row in _read(whole) if row.text is not None]
        assert texts == ["a]", '"é\\'][: (at >= SMALL.index(b"}]},") + 3) + (at >= SMALL.index(b'"} ,') + 2)]
        errors = [row.error for row in _read(whole)]
        assert ("the array is not closed" in errors[-1]) == (b"\n]" not in whole)


def test_a_damaged_array_is_all_in_its_rows() -> None:
    for at in range(SMALL.index(b"[") + 1, len(SMALL)):
        for bit in range(8):
            _read(SMALL[:at] + bytes([SMALL[at] ^ 1 << bit]) + SMALL[at + 1 :])


@example("[[[]", 1)
@given(_SOUP, st.integers(1, 9))
def test_any_text_is_all_in_the_rows(text: str, size: int) -> None:
    expected = _plain(b"[" + text.encode())
    array._BLOCK = size
    found = _plain(b"[" + text.encode())
    assert [row for row in found if row.raw] == [row for row in expected if row.raw]
    assert [row.error for row in found if row.error] == [row.error for row in expected if row.error]


@given(st.binary(max_size=200))
def test_any_bytes_are_all_in_the_rows(data: bytes) -> None:
    _read(b"[" + data)


def test_more_after_the_array_is_told_and_passed_on() -> None:
    found = _read(b'[{"text": "a"}]\n[{"text": "b"}]\n')
    assert [row.text for row in found] == ["a", None]
    assert "after record 1 at byte 14: the array is closed, and more follows" in found[1].error


def test_where_blocks_end_makes_no_difference() -> None:
    expected = _plain(SMALL)
    for size in range(1, len(SMALL) + 2):
        array._BLOCK = size
        found = _plain(SMALL)
        assert found[: len(expected) - 1] == expected[:-1]
        assert b"".join(row.before for row in found[len(expected) - 1 :]) == expected[-1].before


@pytest.mark.parametrize(
    "rest",
    [b'{"text": "' + b"a" * 9000, b"[" * 9000, b" " * 9000, b'{"a' + b'"' * 9000, b'"' + b"\\" * 9001, b"," * 9000],
)
def test_an_element_without_end_is_given_up_at_the_limit(rest: bytes) -> None:
    array._LIMIT, array._BLOCK = 1 << 12, 1 << 9
    found = _read(b'[{"text": "a"}, ' + rest)
    assert found[0].text == "a"
    assert all(row.text is None for row in found[1:])
    assert any(row.error for row in found)
    assert max(len(row.before) + len(row.raw) for row in found) <= 4097


def test_an_element_over_the_limit_is_named() -> None:
    array._LIMIT, array._BLOCK = 1 << 12, 1 << 9
    found = _read(b'[{"text": "a"}, {"text": "' + b"a" * 9000 + b'"}, {"text": "b"}]')
    assert [row.error for row in found if row.error] == [
        "a.json: record 2 at byte 16: it has more than 4096 bytes; a quote or a bracket may not be closed there; "
        "it is passed on as it is"
    ]


# ---------------------------------------------------------------- the cut


@pytest.mark.parametrize("ascii", [True, False])
def test_a_doubled_article_is_cut_in_its_element(ascii: bool) -> None:
    element = {"n": 1.50, "text": DOUBLED.replace("old", "öld"), "tags": ["x", {}]}
    text = json.dumps(element, indent=1, ensure_ascii=ascii).replace("1.5", "1.50")
    row = _read(f"[{text}]".encode())[0]
    assert row.text == element["text"]
    assert row.text
    assert row.cut
    cut = row.cut(clean_document(row.text.encode(), CONFIG))
    assert json.loads(cut)["text"].count("Tuesday") == 1
    assert cut.startswith(b'{\n "n": 1.50,\n "text": "The council')
    assert cut.endswith(b',\n "tags": [\n  "x",\n  {}\n ]\n}')


def test_what_was_not_cut_keeps_its_bytes() -> None:
    row = _read(b'[{"text" : "\\u0041\\/" , "n":1.0}]')[0]
    assert row.text == "A/"
    assert row.cut
    assert row.cut(clean_document(b"A/", CONFIG)) == b'{"text" : "\\u0041\\/" , "n":1.0}'
