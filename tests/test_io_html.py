"""Pages: the main text out of the tags, or the text cut between them; and nothing that a page may hold stops it."""

import io
from collections import Counter
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError
from dedup.io.html import article, charset, rows
from dedup.io.page import page
from dedup.io.rows import Options, Row
from dedup.model import Result

ARTICLE, PAGE = Options(html_mode="article"), Options(html_mode="page")
BODY = [
    "The ferry to the northern islands will stop running at the end of the month, the harbour office said on Monday, "
    "because the last captain with a licence for the narrow channel has turned seventy and wants to see his garden.",
    "For forty years the boat has carried letters, goats, wedding cakes & once a piano, and the islanders say that it "
    "was late only when there was something to look at, such as a whale, an eclipse, or the minister of transport.",
    "A younger captain has been found on the mainland, but she has asked for a radio that works, two days off each "
    "week and a lock on the galley, and the council, which owns the boat, will talk about the lock on Thursday.",
]
NAV = '<nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li></ul></nav>'
ASIDE = '<aside><h2>Most read</h2><ol><li><a href="/a">Goats on the roof again</a></li></ol></aside>'
FIGURE = '<figure><img src="boat.jpg" alt="x > y"><figcaption>The boat, on time. Photo: A. Ferry</figcaption></figure>'


def _copy(name: str, *, figure: str = FIGURE) -> str:
    inside = "\n  ".join(f"<p>{escape(text)}</p>" for text in BODY)
    return f'<div class="{name}"><article><h1>Last boat to the north</h1>{figure}\n  {inside}</article></div>'


def _whole(*parts: str, head: str = '<meta charset="utf-8">') -> bytes:
    joined = "\n".join(parts)
    return f"<!DOCTYPE html>\n<html><head>{head}<title>Boat</title></head><body>{joined}</body></html>\n".encode()


SINGLE = _whole(NAV, _copy("main"), ASIDE)
DOUBLED = _whole(NAV, _copy("mobile"), _copy("desktop"), ASIDE)
SPLIT = _whole(NAV, _copy("mobile", figure=""), "<script>if (a<b) document.write('<p>no')</script>", _copy("d"), ASIDE)


class _Seen(HTMLParser):
    """The tags and the words of a page, as Python's own parser has them."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, object]] = []
        self.words: list[str] = []
        self.feed(data.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((tag, None))

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def _one(data: bytes, options: Options = PAGE) -> Row:
    (row,) = rows(io.BytesIO(data), options, "a.html")
    assert row.before + row.separator + row.raw == data
    return row


def _cut(row: Row, result: Result) -> bytes:
    assert row.cut
    return row.cut(result)


def _solid(text: str) -> str:
    return "".join(text.split())


# ---------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("data", "declared", "expected"),
    [
        (b"<p>plain", "", "utf-8"),
        (b"\xef\xbb\xbf<p>", "windows-1251", "utf-8"),
        (b"\xff\xfe<\0p\0>\0", "", "utf-16-le"),
        (b"<p>\xef", "Windows-1251", "cp1251"),
        (b"<p>\xef", "ISO-8859-1", "cp1252"),
        (b"<meta charset=us-ascii>", "", "cp1252"),
        (b'<meta charset="Shift_JIS">', "", "cp932"),
        (b"<meta charset=x-sjis>", "", "cp932"),
        (b"<meta http-equiv='Content-Type' content='text/html; charset=gb2312'>", "", "gb18030"),
        (b"<!-- <meta charset=koi8-r> --><meta charset=koi8-u>", "", "koi8-u"),
        (b"<meta charset=koi8-r>", "no-such-thing", "koi8-r"),
        (b"<meta charset=utf-16>", "", "utf-8"),
        (b"<meta charset=rot13>", "unicode_escape", "utf-8"),
        (b" " * 4096 + b"<meta charset=koi8-r>", "", "utf-8"),
        (b"<meta charset=utf-8>\xff", "", "utf-8"),
        (b"<meta charset=\xff\xff>\0", "\udcff\0", "cp1252"),
    ],
)
def test_the_encoding_is_the_one_that_browsers_take(data: bytes, declared: str, expected: str) -> None:
    assert charset(data, declared) == expected


def test_what_is_not_declared_is_guessed() -> None:
    text = "Паром на северные острова в конце месяца перестанет ходить, сообщила в понедельник контора порта. " * 9
    assert text in f"<p>{text}".encode("cp1251").decode(charset(f"<p>{text}".encode("cp1251")))


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp932", "gb18030", "euc_kr", "utf-16", "big5"])
def test_a_page_is_cut_in_its_own_encoding(encoding: str) -> None:
    text = {"cp932": "北の島への船は月末で終わる。", "gb18030": "往北岛的船月底停开。", "big5": "往北島的船月底停開。"}
    text |= {"euc_kr": "북쪽 섬으로 가는 배가 월말에 멈춘다."}
    copy = "<p>" + " ".join([text.get(encoding, "Паром на острова уходит.")] * 9) + "</p>"
    meta = "<html>" if encoding == "utf-16" else f"<html><meta charset={encoding}>"
    row = _one(f"{meta}{copy}<hr>{copy}".encode(encoding))
    assert row.text
    assert _cut(row, dedup.clean(row.text)) == f"{meta}{copy}<hr><p></p>".encode(encoding)


def test_bytes_that_are_no_text_come_back() -> None:
    data = "".join(f"<p>{text}" for text in BODY).encode().replace(b"late", b"l\xe9te\xff") * 2
    row = _one(b"<meta charset=utf-8>" + data)
    assert row.text
    assert "l\udce9te\udcff" in row.text
    cut = _cut(row, dedup.clean(row.text))
    assert cut == b"<meta charset=utf-8>" + data[: len(data) // 2] + b"<p>" * 3


def test_a_page_that_cannot_be_cut_exactly_says_so() -> None:
    with pytest.raises(InputError, match=r"a\.html: .* iso2022_jp .* --html-mode article"):
        _one("<p>船".encode("iso2022_jp") + b"<meta charset=iso-2022-jp>")


@pytest.mark.parametrize("options", [ARTICLE, PAGE])
def test_a_binary_file_is_no_page(options: Options) -> None:
    if options is ARTICLE:
        pytest.importorskip("trafilatura", exc_type=ImportError)
    with pytest.raises(InputError, match=r"a\.html: byte 6 is NUL, so this looks like a binary file"):
        _one(b"\x89PNG\r\n\0\0\0")


# ---------------------------------------------------------------- all of the text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>a b</p><p>c</p>", "a b\nc"),
        ("<p> a\n  b\t</p>\n\n<div> <b> c </b> d</div>", "a b\nc d"),
        ("a<b>b</b> <i>c</i>", "ab c"),
        ("a<br>b<br/>c<hr>d", "a\nb\nc\nd"),
        ("<pre>a\n  b</pre>c  d", "a\n  b\nc d"),
        ("<ul><li>a<li>b</ul><table><tr><td>c<td>d</table>", "a\nb\nc\nd"),
        ("<title>t</title><style>s</style><script>'<p>'</script>a<textarea>b</textarea>", "a"),
        ("<SCRIPT>a</scripty>b</Script >c", "c"),
        ("<svg><text>a</text></svg>b<svg/>c<template><template>d</template>e</template>f", "bcf"),
        ("<noscript>a</noscript>b<!-- <p>c --> d<!--> e<!--->f<!--x--!>g", "b d efg"),
        (
            "a &lt; b &amp;amp; &eacute;&#233;&#xE9 &copynow &none; AT&T &#32; x&nbsp;y",
            "a < b &amp; ééé ©now &none; AT&T   x\xa0y",
        ),
        ("a < b <3 <> <1 </ b>c <? d>e <!f>g", "a < b <3 <> <1 c e g"),
        ('<a title="x > y" href=z"w b=\'>\' c=>d</a>', "d"),
        ('<p a="1>2" <b>c', "c"),
        ("<p>a<p b='", "a"),
        ("a\0b<p>\0", "ab"),
        ("<![CDATA[ a ]]>b", "b"),
        ("\ufeff<p>a", "a"),
        ("", ""),
    ],
)
def test_the_text_is_what_a_browser_shows(source: str, text: str) -> None:
    assert page(source.encode(), "utf-8").text.rstrip("\n") == text


@pytest.mark.parametrize("data", [SINGLE, DOUBLED, SPLIT])
def test_a_page_from_which_nothing_goes_keeps_its_bytes(data: bytes) -> None:
    row = _one(data)
    assert row.text
    whole = dedup.clean(row.text, dedup.Config(min_words=10_000))
    assert not whole.removed
    assert _cut(row, whole) == data


@pytest.mark.parametrize("data", [DOUBLED, SPLIT])
def test_the_second_copy_of_a_body_goes_and_all_tags_stay(data: bytes) -> None:
    row = _one(data)
    assert row.text
    cut = _cut(row, dedup.clean(row.text))
    before, after, single = _Seen(data), _Seen(cut), _Seen(SINGLE)
    assert after.tags == before.tags
    lost = Counter(before.words) - Counter(after.words)
    assert sum(lost.values()) >= sum(len(text.split()) for text in BODY)
    assert set(single.words) <= set(after.words)
    for text in BODY:
        assert cut.decode().count(escape(text)) == 1


def _made(text: str, pieces: list[tuple[int, int]], put: str = "") -> Result:
    """A Result whose clean text is these characters of the text; beyond its end they are those of `put`."""
    both = text + put
    at = [len(both[:n].encode("utf-8", "surrogatepass")) for n in range(len(both) + 1)]
    parts = text, "".join(both[a:b] for a, b in pieces), put
    data, clean, puts = (part.encode("utf-8", "surrogatepass") for part in parts)
    spans = tuple((at[a], at[b]) for a, b in pieces)
    return Result("", data, clean, "utf-8", (), (), spans, (0, 0), 0, puts)


def test_what_was_moved_or_put_in_stands_where_it_is_read() -> None:
    found = page(b"<p>one</p><p>t&amp;wo</p><b>three</b>", "utf-8")
    assert found.text == "one\nt&wo\nthree"
    moved = _made(found.text, [(0, 4), (9, 14), (4, 9)])
    assert found.cut(moved) == b"<p>one</p><p>threet&amp;wo</p><b></b>"
    put = _made(found.text, [(0, 4), (14, 19), (8, 14)], "<a>\n&")
    assert found.cut(put) == b"<p>one</p><p>&lt;a&gt;<br>&amp;</p><b>three</b>"
    russian = page(b"<meta charset=ascii><p>one", "cp1252")
    assert russian.cut(_made("one", [(3, 6)], "да’")) == b"<meta charset=ascii><p>&#1076;&#1072;\x92"
    broken = page(b"<p>one \x81", "cp1252")  # a byte that is no text stays one, also beside such a character
    assert broken.cut(_made(broken.text, [(5, 8)], "да\udc81")) == b"<p>&#1076;&#1072;\x81"


_PARTS = ["<", ">", "&", "</", "<!--", "-->", "<p>", "</p>", "<b>", "<br/>", "<pre>", "</pre>", "<script>", "</script>"]
_PARTS += ["<svg>", "</svg>", '<a href="', "'", '"', "=", "/", "!", "?", "-", ";", "#", "&amp;", "&lt", "&#38;", "amp"]
_PARTS += ["lt", "b", "1", "x y ", "  ", "\n", "é", "漢", "\udcff", "\r\n", "<title>", "<td>", "\0", "copy", "&copyx"]
_SOUP = st.lists(st.sampled_from(_PARTS), max_size=30).map("".join)


@given(_SOUP, st.data())
def test_the_text_of_a_page_that_was_cut_is_the_text_that_was_left(source: str, data: st.DataObject) -> None:
    raw = source.encode("utf-8", "surrogateescape")
    found = page(raw, "utf-8")
    size = len(found.text)
    assert found.cut(_made(found.text, [(0, size)])) == raw
    places = sorted(data.draw(st.sets(st.integers(0, size), max_size=6)))
    pieces = list(zip(places[::2], places[1::2], strict=False))
    pieces = data.draw(st.permutations([*pieces, (size, size + 4)]))
    result = _made(found.text, pieces, "<&;>")
    cut = found.cut(result)
    assert _solid(page(cut, "utf-8").text) == _solid(result.clean.decode("utf-8", "surrogatepass"))


@given(st.lists(st.sampled_from([*BODY, NAV, ASIDE, FIGURE, "<p>", "<div class='a'>", "</div>", "<br>"]), max_size=20))
def test_a_cleaned_page_shows_the_cleaned_text(parts: list[str]) -> None:
    row = _one("".join(["<i>", *parts]).encode())
    if row.text is None:
        return
    result = dedup.clean(row.text)
    assert _solid(page(_cut(row, result), "utf-8").text) == _solid(result.text)


@given(st.binary())
@example(b"\xff\xfe\0\xd8")
@example(b"&#" + b"9" * 5000 + b";")
def test_any_bytes_are_a_page_or_an_error(data: bytes) -> None:
    try:
        found = list(rows(io.BytesIO(data), PAGE, "a.html"))
    except InputError:
        return
    assert b"".join(row.before + row.separator + row.raw for row in found) == data
    for row in found:
        assert row.error or (row.text and _cut(row, _made(row.text, [(0, len(row.text))])) == data)


SHAPES = [
    "<",
    "<!--",
    "<!-- - ",
    "<a ",
    "<a x='",
    "<![CDATA[",
    "&",
    "&#1",
    "</",
    "<script>",
    "<div>",
    "<b>x",
    "<p a=1 ",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hostile_page_is_read(shape: str) -> None:
    row = _one((f"<p>{BODY[0]}</p>" + shape * (1_000_000 // len(shape))).encode())
    assert row.text
    assert row.text.startswith(BODY[0])


# ---------------------------------------------------------------- the main text


def test_a_page_without_text_is_passed_on_with_a_word_about_it() -> None:
    row = _one(b"<html><script>go()</script></html>")
    assert row.text is None
    assert "a.html: no text is on this page" in row.error
    assert not list(rows(io.BytesIO(b""), PAGE, "a.html"))


@pytest.fixture
def _extractor() -> None:
    pytest.importorskip("trafilatura", exc_type=ImportError)


@pytest.mark.usefixtures("_extractor")
@pytest.mark.parametrize("data", [SINGLE, DOUBLED, SPLIT])
def test_the_main_text_has_the_body_and_after_cleaning_once(data: bytes) -> None:
    row = _one(data, ARTICLE)
    assert row.text
    clean = _cut(row, dedup.clean(row.text)).decode()
    for text in BODY:
        assert clean.count(text) == 1
    assert "<" not in clean


@pytest.mark.usefixtures("_extractor")
@pytest.mark.parametrize("options", [ARTICLE, PAGE])
def test_a_page_of_which_the_text_is_known_is_written_the_same(options: Options) -> None:
    row, known = _one(DOUBLED, options), _one(DOUBLED, replace(options, known=True))
    assert row.text
    assert known.raw == row.raw
    assert _cut(known, dedup.clean(row.text)) == _cut(row, dedup.clean(row.text))


@pytest.mark.usefixtures("_extractor")
def test_the_main_text_is_the_same_every_time() -> None:
    assert len({article(DOUBLED, "utf-8") for _ in range(5)}) == 1  # whatever it saw before


@pytest.mark.usefixtures("_extractor")
@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("<p>Short.</p>", "no main text was found"),
        ("<div>" * 100_000 + BODY[0], "elements of the page stand more than 200 deep"),
        ("<html><body>" + "<p>" * 3 + BODY[0] + "<div>" * 300 + BODY[1], "more than 200 deep"),
        (
            "<p " + " ".join(f"a{n}" for n in range(100_000)) + f">{BODY[0]}",
            "a tag of the page has more than 1000 attr",
        ),
        ("<script " + " ".join(f"a{n}" for n in range(100_000)) + f"></script>{BODY[0]}", "more than 1000 attributes"),
        ("<html><body>" + "<a href=x>Word</a> " * 100_000, "the page has more than 100000 tags"),
        (BODY[0] * 50_000, "the page has more than 8388608 characters"),
    ],
    ids=["short", "deep", "deep inside", "attributes", "attributes of a script", "tags", "characters"],
)
def test_where_there_is_no_main_text_or_too_much_of_it_all_text_is_taken_and_told(source: str, why: str) -> None:
    row = _one(source.encode(), ARTICLE)
    assert row.text == page(source.encode(), "utf-8").text
    assert row.note.startswith("a.html: ")
    assert row.note.endswith(", so all visible text was taken")
    assert why in row.note
    assert not row.error


@pytest.mark.usefixtures("_extractor")
def test_where_the_main_text_is_found_there_is_nothing_to_tell() -> None:
    assert [_one(SINGLE, options).note for options in (ARTICLE, PAGE)] == ["", ""]


@pytest.mark.usefixtures("_extractor")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_main_text_of_a_hostile_page_is_found_or_all_of_it(shape: str) -> None:
    text, _ = article((f"<p>{BODY[0]}</p>" + shape * (400_000 // len(shape))).encode(), "utf-8")
    assert "northern islands" in text


@pytest.mark.usefixtures("_extractor")
@given(_SOUP)
def test_any_soup_has_a_main_text_that_can_be_written(source: str) -> None:
    article(source.encode("utf-8", "surrogateescape"), "utf-8")[0].encode()
