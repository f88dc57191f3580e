"""Archives of the web: each record is cleaned by itself, a damaged one spoils no other, and no byte is lost."""

import gzip
import hashlib
import io
import pickle
from base64 import b32encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.config import Config
from dedup.errors import InputError
from dedup.io import html, warc
from dedup.io.documents import Reading, framed
from dedup.io.rows import Options, Row
from dedup.io.warc import rows
from dedup.model import Result

ARTICLE, PAGE = Options(html_mode="article"), Options(html_mode="page")
LINES = [
    "The lighthouse on the eastern rock has been sold to a beekeeper for one crown and the promise to keep it white.",
    "Her bees are said to fly against the wind, and the honey of the first summer already tastes a little of salt.",
    "At night she lights the lamp all the same, though no ship has come by in eleven years, because the bees like it.",
]
PLAIN = "\n".join(LINES)
HTML = "<html><head><title>x</title></head><body>%s<hr>%s</body></html>" % (
    ("".join(f"<p>{line}</p>" for line in LINES),) * 2
)
ONCE = HTML.partition("<hr>")[0] + "<hr><p></p><p></p><p></p></body></html>"
URI = b"https://example.org/rock"


def _record(kind: str, block: bytes, *more: str, number: int = 1, uri: bytes = URI) -> bytes:
    lines = [f"WARC-Type: {kind}", f"WARC-Record-ID: <urn:uuid:0000-{number}>", "WARC-Date: 2024-05-01T10:00:00Z"]
    head = "".join(f"{line}\r\n" for line in [*lines, *more, f"Content-Length: {len(block)}"]).encode()
    return b"WARC/1.0\r\nwarc-target-uri: " + uri + b"\r\n" + head + b"\r\n" + block + b"\r\n\r\n"


def _http(body: bytes, kind: str = "text/html", *more: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Server: x", f"Content-Type: {kind}", *more, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _response(body: bytes, kind: str = "text/html; charset=utf-8", *more: str, number: int = 1) -> bytes:
    return _record(
        "response", _http(body, kind, *more), "Content-Type: application/http; msgtype=response", number=number
    )


def _wet(text: str, number: int = 1) -> bytes:
    return _record("conversion", text.encode(), "Content-Type: text/plain", number=number)


def _chunked(body: bytes) -> bytes:
    chunks = [body[at : at + 100] for at in range(0, len(body), 100)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def _digest(data: bytes) -> str:
    return "sha1:" + b32encode(hashlib.sha1(data).digest()).decode()


def _read(data: bytes, options: Options = PAGE) -> list[Row]:
    """The rows, which are the source."""
    found = list(rows(io.BytesIO(data), options, "a.warc"))
    assert b"".join(row.before + row.separator + row.raw for row in found) == data
    return [row for row in found if row.raw]


def _cleaned(row: Row) -> bytes:
    assert row.text is not None
    assert row.cut
    return row.cut(dedup.clean(row.text))


def _fields(record: bytes) -> tuple[dict[str, str], bytes]:
    head, _, block = record.partition(b"\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]), block


INFO = _record("warcinfo", b"software: x\r\n", "Content-Type: application/warc-fields")
REQUEST = _record("request", b"GET / HTTP/1.1\r\n\r\n", "Content-Type: application/http; msgtype=request")
IMAGE = _response(b"\x89PNG\0WARC/1.0\r\n", "image/png")
ARCHIVE = (
    INFO + REQUEST + _response(HTML.encode(), number=2) + IMAGE + _wet(PLAIN + "\n" + PLAIN, 3) + _wet("Short.", 4)
)


@pytest.fixture
def _extractor() -> None:
    pytest.importorskip("trafilatura", exc_type=ImportError)


# ---------------------------------------------------------------- what is read


def test_only_records_of_text_have_a_text() -> None:
    found = _read(ARCHIVE)
    assert [row.text is not None for row in found] == [False, False, True, False, True, True]
    assert not any(row.error for row in found)
    assert (found[2].id, found[2].group) == ("urn:uuid:0000-2", URI.decode())
    assert found[2].text == "\n".join(LINES * 2)
    assert found[5].text == "Short."


@pytest.mark.parametrize("kind", ["response", "resource"])
@pytest.mark.parametrize("mime", ["text/html", "application/xhtml+xml", "text/plain"])
def test_responses_and_resources_are_read_alike(kind: str, mime: str) -> None:
    body = (PLAIN if mime == "text/plain" else HTML).encode()
    block, about = (_http(body, mime), "application/http") if kind == "response" else (body, mime)
    (row,) = _read(_record(kind, block, f"Content-Type: {about}"))
    assert row.text
    assert row.text.startswith(PLAIN)


@pytest.mark.parametrize("kind", ["revisit", "metadata", "request", "continuation", "other", ""])
def test_records_of_other_kinds_are_passed_on(kind: str) -> None:
    (row,) = _read(_record(kind, _http(HTML.encode()), "Content-Type: application/http"))
    assert (row.text, row.error) == (None, "")


@pytest.mark.parametrize("block", [b"", b"HTTP/1.1 200 OK\r\n\r\n", _http(b""), _http(b"<p> </p>"), b"junk"])
def test_a_record_without_text_is_no_fault(block: bytes) -> None:
    (row,) = _read(_record("response", block, "Content-Type: application/http"))
    assert (row.text, row.error) == (None, "")


@pytest.mark.parametrize(
    ("body", "kind", "encoding"),
    [
        ("<p>Пчёлы летят против ветра", "text/html; charset=windows-1251", "cp1251"),
        ("<meta charset=shift_jis><p>蜂は風に向かって飛ぶ", "text/html", "cp932"),
        ("<meta charset=koi8-r><p>Пчёлы", 'text/html;charset="UTF-8"', "utf-8"),
        ("Bienen fliegen über das Meer", "text/plain; charset=iso-8859-1", "cp1252"),
    ],
)
def test_the_text_is_read_in_its_encoding(body: str, kind: str, encoding: str) -> None:
    (row,) = _read(_response(body.encode(encoding), kind))
    assert row.text == body.rpartition(">")[2]


def test_bytes_that_are_no_text_come_back() -> None:
    bad = PLAIN.encode().replace(b"salt", b"s\xe4lt")
    for record in (
        _record("conversion", bad + b"\n" + bad, "Content-Type: text/plain"),
        _response(b"<p>" + bad.replace(b"\n", b"<p>") + b"<p>" + bad.replace(b"\n", b"<p>")),
    ):
        (row,) = _read(record)
        assert row.text
        assert row.cut
        result = dedup.clean(row.text)
        assert result.removed
        assert row.cut(result).count(b"s\xe4lt") == 1


@pytest.mark.parametrize("packing", [gzip.compress, _chunked, lambda body: _chunked(gzip.compress(body))])
def test_what_http_packs_is_unpacked(packing: Callable[[bytes], bytes]) -> None:
    pytest.importorskip("fastwarc")
    body = HTML.encode()
    packed = packing(body)
    more = ["Transfer-Encoding: chunked"] if packed[:1] != b"\x1f" else []
    more += ["Content-Encoding: gzip"] if b"\x1f\x8b" in packed else []
    record = _response(packed, "text/html", *more)
    (row,) = _read(record)
    assert row.text == "\n".join(LINES * 2)
    assert row.cut
    assert row.cut(dedup.clean(row.text, dedup.Config(min_words=10_000))) == record
    http, cut = _fields(_fields(_cleaned(row))[1])
    assert cut == ONCE.encode() + b"\r\n\r\n"
    assert http == {"Server": "x", "Content-Type": "text/html", "Content-Length": str(len(ONCE))}


def test_what_is_said_to_be_packed_and_is_not_is_read() -> None:
    pytest.importorskip("fastwarc")
    (row,) = _read(_response(HTML.encode(), "text/html", "Content-Encoding: gzip"))
    assert row.text == "\n".join(LINES * 2)


@pytest.mark.parametrize("packing", ["gzip", "no-such-thing"])
def test_what_cannot_be_unpacked_is_passed_on(packing: str) -> None:
    pytest.importorskip("fastwarc")
    found = _read(_response(b"\x1f\x8b\x08junk", "text/html", f"Content-Encoding: {packing}") + _wet("Short."))
    assert [row.text for row in found] == [None, "Short."]
    assert found[0].error == (
        "a.warc: record 1 at byte 0: what it holds is packed, and cannot be unpacked; it is passed on as it is"
    )


def test_what_unpacks_to_too_much_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastwarc")
    record = _response(gzip.compress(b"<p>" + b" bees" * 1_000_000), "text/html", "Content-Encoding: gzip")
    (row,) = _read(record)
    assert row.text
    assert len(row.text) == 5_000_000 - 1
    monkeypatch.setattr(warc, "_LIMIT", 4_000_000)
    (row,) = _read(record)
    assert "what it holds has more than 4000000 bytes when unpacked" in row.error


@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
def test_a_binary_payload_is_passed_on(kind: str) -> None:
    found = _read(_response(b"\x89PNG\r\n\0", kind) + _wet("Short."))
    assert [row.text for row in found] == [None, "Short."]
    assert "is NUL, so this looks like a binary file" in found[0].error


# ---------------------------------------------------------------- what is written


def test_a_cleaned_extract_has_a_new_length_and_new_digests() -> None:
    twice = f"{PLAIN}\n{PLAIN}"
    more = ["Content-Type: text/plain", f"WARC-Block-Digest: {_digest(twice.encode())}", "x-mine:  1"]
    old = _record("conversion", twice.encode(), *more)
    (row,) = _read(old)
    new = _cleaned(row)
    once = f"{PLAIN}\n".encode()
    assert new == (
        old.replace(twice.encode(), once)
        .replace(b"Content-Length: %d" % len(twice), b"Content-Length: %d" % len(once))
        .replace(_digest(twice.encode()).encode(), _digest(once).encode())
    )
    (again,) = _read(new)
    assert again.text == once.decode()


def test_a_page_keeps_its_headers_but_for_what_depends_on_the_text() -> None:
    old = _response(HTML.encode()).replace(
        b"WARC-Type", b"WARC-Payload-Digest: sha1:X\r\nWARC-Block-Digest: sha1:Y\r\nWARC-Type"
    )
    (row,) = _read(old)
    before, after = _fields(old), _fields(_cleaned(row))
    block = _http(ONCE.encode(), "text/html; charset=utf-8")
    changed = {"Content-Length": str(len(block)), "WARC-Block-Digest": _digest(block)}
    assert after[0] == before[0] | changed | {"WARC-Payload-Digest": _digest(ONCE.encode())}
    assert after[1] == block + b"\r\n\r\n"
    assert len(_read(_cleaned(row))) == 1


@pytest.mark.usefixtures("_extractor")
def test_the_main_text_of_a_page_becomes_an_extract_that_names_its_record() -> None:
    (row,) = _read(_response(HTML.encode()), ARTICLE)
    new = _cleaned(row)
    fields, block = _fields(new)
    text = block.removesuffix(b"\r\n\r\n")
    assert text.decode().split("\n") == LINES
    identity = fields.pop("WARC-Record-ID")
    assert fields == {
        "WARC-Type": "conversion",
        "warc-target-uri": URI.decode(),
        "WARC-Date": "2024-05-01T10:00:00Z",
        "WARC-Refers-To": "<urn:uuid:0000-1>",
        "WARC-Block-Digest": _digest(text),
        "Content-Type": "text/plain",
        "Content-Length": str(len(text)),
    }
    assert identity != fields["WARC-Refers-To"]
    assert _cleaned(row) == new
    (again,) = _read(new, ARTICLE)
    assert (again.id, again.text) == (identity.strip("<>"), text.decode())


@pytest.mark.usefixtures("_extractor")
@pytest.mark.parametrize("options", [ARTICLE, PAGE])
def test_records_of_which_the_texts_are_known_are_written_the_same(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ARCHIVE + _response(b"<p></p>", number=5) + _response(b"A\0B", number=6)
    found = _read(data, options)
    monkeypatch.setattr(html, "article", None)  # it is not asked again
    known = _read(data, replace(options, known=True))
    assert [(row.raw, row.id) for row in known] == [(row.raw, row.id) for row in found]
    for row, again in zip(found, known, strict=True):
        if row.text is not None:
            assert again.cut
            assert _cleaned(row) == again.cut(dedup.clean(row.text))


def test_a_plain_text_becomes_an_extract_where_main_texts_are_taken_out() -> None:
    (row,) = _read(_response("Über das Meer".encode("cp1252"), "text/plain; charset=latin1"), ARTICLE)
    assert _fields(_cleaned(row))[1] == "Über das Meer\r\n\r\n".encode()


@pytest.mark.parametrize("kind", ["response", "resource"])
def test_a_plain_text_that_its_encoding_cannot_hold_any_more_is_written_in_utf_8(kind: str) -> None:
    body, about = "One für all".encode("cp1252"), "text/plain; charset=latin1"
    block, of = (_http(body, about), "application/http") if kind == "response" else (body, about)
    (row,) = _read(_record(kind, block, f"Content-Type: {of}"))
    assert row.cut
    new = row.cut(Result("a", b"", "One für дом".encode(), "utf-8", (), (), (), (1, 1), 0))
    assert new.count(b"\r\nContent-Type: text/plain; charset=utf-8\r\n") == 1
    assert [again.text for again in _read(new)] == ["One für дом"]


@pytest.mark.usefixtures("_extractor")
def test_a_page_without_a_main_text_is_told_by_a_note() -> None:
    found = _read(_wet("Short.") + _response(b"<p>Short.</p>"), ARTICLE)
    at = len(_wet("Short."))
    told = f"a.warc: record 2 at byte {at}: no main text was found, so all visible text was taken"
    assert [(row.note, row.error) for row in found] == [("", ""), (told, "")]


# ---------------------------------------------------------------- damage


def _spoilt(old: bytes, new: bytes) -> list[Row]:
    middle = _wet(PLAIN, 2)
    assert old in middle
    return _read(_wet("First.", 1) + middle.replace(old, new) + _wet("Last.", 3))


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"Content-Length: ", b"Content-Length: x", f"its Content-Length is 'x{len(PLAIN)}'"),
        (b"Content-Length: ", b"Content-Length: -", f"its Content-Length is '-{len(PLAIN)}'"),
        (b"Content-Length: ", b"Content-Length: 9", f"it is cut off: its Content-Length is 9{len(PLAIN)}"),
        (b"Content-Length: 33", b"Content-Length: 32", "its Content-Length is 324, and no record ends there"),
        (b"Content-Length: 33", b"Content-Length: 34", "its Content-Length is 344, and no record ends there"),
        (b"Content-Length: ", b"Content-Length: 9999999", "at most 268435456 bytes are read"),
        (b"Content-Length: ", b"Content-Length: " + b"9" * 5000, "its Content-Length is '9999"),
        (b"Content-Length: ", b"Content-Size: ", "it has no Content-Length"),
        (b"WARC/1.0", b"WORC/1.0", "no WARC record starts here"),
        (b"WARC/1.0", b"junk\r\nWARC/1.0", "no WARC record starts here"),
        (b"WARC-Date: ", b"\r", "its headers are damaged, or do not end"),
        (LINES[0].encode(), b"", "Content-Length is 334"),
    ],
)
def test_a_damaged_record_is_named_and_the_next_one_is_read(old: bytes, new: bytes, error: str) -> None:
    found = _spoilt(old, new)
    texts = [row.text for row in found if row.text]
    assert (texts[0], texts[-1]) == ("First.", "Last.")
    (told,) = [row.error for row in found if row.error]
    assert told.startswith(f"a.warc: record 2 at byte {len(_wet('First.', 1))}: ")
    assert told.endswith("; it is passed on as it is")
    assert error in told


def test_a_record_that_claims_to_be_huge_is_passed_on_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "_LIMIT", 10_000)
    monkeypatch.setattr(warc, "_BLOCK", 1_000)
    monkeypatch.setattr(warc, "_HEAD", 1_000)
    found = _read(_wet("First.") + _wet(PLAIN * 1000) + _wet("Last."))
    assert [row.text for row in found if row.text] == ["First.", "Last."]
    assert sum(bool(row.error) for row in found) == 1
    assert max(len(row.raw) for row in found) < 100_000


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(InputError, match=r"a\.warc: not a WARC archive: .* --input-format text"):
        _read(b"Just a text, WARC/1.0 not at the start of a line.\n")
    assert _read(b"") == []


def test_blank_lines_between_records_are_no_fault() -> None:
    found = _read(b"\r\n\r\n" + _wet("A.") + b"\r\n" * 9 + _wet("B.")[:-2])
    assert [(row.text, row.error) for row in found] == [("A.", ""), ("B.", "")]


def test_an_archive_with_bare_line_ends_is_read() -> None:
    found = _read(
        ARCHIVE.replace(b"software: x\r\n", b"software: x\n").replace(IMAGE + b"", b"").replace(b"\r\n", b"\n")
    )
    assert sum(row.text is not None for row in found) >= 2


def test_every_truncated_archive_is_read_up_to_there() -> None:
    for at in range(len(b"WARC/1."), len(ARCHIVE), max(1, len(ARCHIVE) // 200)):
        found = _read(ARCHIVE[:at])
        assert sum(bool(row.error) for row in found) <= 1
        assert all(row.error.startswith(f"a.warc: record {len(found)} at byte ") for row in found if row.error)


def test_flipped_bits_spoil_the_record_that_they_are_in() -> None:
    whole = [row.text for row in _read(ARCHIVE)]
    for step in range(200):
        data = bytearray(ARCHIVE)
        at = len(data) * step // 200
        data[at] ^= 1 << step % 8
        try:
            found = _read(bytes(data))
        except InputError:
            assert at < len(b"WARC/1.")
            continue
        assert sum(row.text in whole for row in found if row.text) >= 2


_PIECES = st.sampled_from(
    [INFO, IMAGE, _wet("A."), _wet(PLAIN), _response(b"<p>x"), b"WARC/1.0\r\n", b"\r\n", b"\n", b"junk", b"\nWARC/1."]
)


@given(st.lists(_PIECES | st.binary(max_size=9), max_size=8), st.integers(0, 99))
def test_all_bytes_of_any_archive_are_in_its_rows(pieces: list[bytes], cut: int) -> None:
    data = INFO + b"".join(pieces)
    _read(data[: len(data) - cut] or INFO)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_archive_or_an_error(data: bytes) -> None:
    try:
        _read(data)
    except InputError:
        assert b"WARC/1." not in data


@given(st.binary(max_size=60), st.sampled_from(["gzip", "br", "deflate", "zstd", "gzip, br"]), st.booleans())
def test_any_packed_bytes_are_read_or_passed_on(body: bytes, packing: str, chunked: bool) -> None:
    pytest.importorskip("fastwarc")
    more = [f"Content-Encoding: {packing}", *(["Transfer-Encoding: chunked"] if chunked else [])]
    (row,) = _read(_response(body, "text/plain", *more))
    assert row.text is None or not row.error


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_blocks_end_anywhere(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [replace(row, cut=None) for row in _read(ARCHIVE + b"junk" + ARCHIVE)]
    monkeypatch.setattr(warc, "_BLOCK", size)
    parts = [replace(row, cut=None) for row in _read(ARCHIVE + b"junk" + ARCHIVE)]
    assert [row for row in parts if row.text] == [row for row in whole if row.text]
    assert [row.error for row in parts if row.error] == [row.error for row in whole if row.error]


@pytest.mark.parametrize(
    "shape",
    [
        b"WARC/1.0\r\n",
        b"WARC/1.0\r\nA: b\r\n",
        b"A: b\r\n",
        b"\r\n",
        b"\nWARC/1.",
        b"WARC/1.0\r\nContent-Length: 200000000\r\n\r\n",
    ],
)
def test_a_hostile_archive_is_read(shape: bytes) -> None:
    found = _read(_wet("First.") + shape * (2_000_000 // len(shape)) + b"\n" + _wet("Last."))
    assert next(row.text for row in found if row.text) == "First."


def test_blank_lines_are_not_held(tmp_path: Path) -> None:
    raw = tmp_path / "raw.warc"
    raw.write_bytes(INFO + b"\n" * (5 << 20) + INFO)
    reading = Reading(Config())
    found = list(framed(reading, reading.source(str(raw), "raw.warc", "raw.warc", False)))
    assert len(found) >= 4
    assert all(len(pickle.dumps(part)) < 3 << 20 for part in found)
