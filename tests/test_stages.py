"""Each stage by itself, against tables and against naive versions of itself."""

import re
from array import array
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.chain import chain
from dedup.decode import byte_offsets, byte_spans, decode
from dedup.errors import InputError, UsageError
from dedup.evidence import ends_sentence
from dedup.model import Match, Op, Span, Words
from dedup.normalise import key, keys, reading, solo_words, words
from dedup.record import Record
from dedup.rewrite import Table, rebuild, undo
from dedup.segment import lines, page, segment
from dedup.shingle import links
from dedup.tell import sides
from dedup.trace import Run, trace
from dedup.verify import figures
from tests.documents import texts

# ---------------------------------------------------------------- normalise

_SAME_WORDS = [
    ("case", "It's NAÏVE", "it's naïve"),
    ("curly quotes", "it’s “so”", 'it\'s "so"'),
    ("dashes and spaces", "one\u00a0— two\u2009– three", "one - two - three"),
    ("ligatures", "a ﬁne ﬂow", "a fine flow"),
    ("full width", "ＡＢＣ１２", "abc12"),
    ("sharp s", "STRASSE", "straße"),
    ("soft hyphens", "co\u00adope\u00adrate", "cooperate"),
    ("zero-width spaces", "co\u200boperate\ufeff", "cooperate"),
    ("marks of direction", "\u200fשלום\u200e עולם", "שלום עולם"),
    ("composed and not", "cafe\u0301 u\u0308ber", "café über"),
    ("named entities", "R&amp;D caf&eacute;", "R&D café"),
    ("numbered entities", "caf&#233; caf&#xE9; caf&#XE9;", "café café café"),
    ("entities escaped twice", "R&amp;amp;D &amp;lt;b&amp;gt;", "R&D <b>"),
    ("entity quotes", "it&#8217;s &quot;so&quot;", "it's so"),
    ("mojibake letters", "cafÃ© GrÃ¼nau StraÃŸe", "café Grünau Straße"),
    ("mojibake quotes", "itâ€™s â€œsoâ€\u009d", "it’s “so”"),
    ("mojibake Cyrillic", "Ð¼Ð¸Ñ€", "мир"),
    ("mojibake Cyrillic as Latin-1", "\u00d0\u009c\u00d0\u00be\u00d1\u0081\u00d1\u0082", "Мост"),
    ("dotted capital I", "İstanbul", "i\u0307stanbul"),
]


@pytest.mark.parametrize(("left", "right"), [row[1:] for row in _SAME_WORDS], ids=[row[0] for row in _SAME_WORDS])
def test_two_ways_to_write_a_word_have_one_key(left: str, right: str) -> None:
    assert keys(left) == keys(right) != []


_OTHER_WORDS = [
    ("accents count", "resume", "résumé"),
    ("digits count", "12", "13"),
    ("vowel signs count", "กา", "กี"),
    ("an entity that is none", "&bogus;", "&"),
    ("text that only looks like mojibake", "Ã", "Ä"),
]


@pytest.mark.parametrize(("left", "right"), [row[1:] for row in _OTHER_WORDS], ids=[row[0] for row in _OTHER_WORDS])
def test_words_that_differ_have_keys_that_differ(left: str, right: str) -> None:
    assert keys(left) != keys(right)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("北京city2024", ["北", "京", "city2024"]),
        ("東京タワーへ", ["東", "京", "タ", "ワ", "ー", "へ"]),
        ("한국어 말", ["한국어", "말"]),
        ("a_b-c.d", ["a", "b", "c", "d"]),
        ("«— …»", []),
        ("", []),
    ],
)
def test_scripts_without_spaces_give_a_word_a_character(text: str, expected: list[str]) -> None:
    assert keys(text) == expected


def test_text_that_is_right_is_not_read_as_mojibake() -> None:
    for text in ("À « bientôt »", "CAFÉ » ", "Ça, là-bas… “Où ?”", "naïve façade", "São Paulo", "Ärger “Übung”", "là…"):
        assert reading(text) == text


def test_thai_marks_stay_with_their_letters() -> None:
    assert len(keys("ที่นี่")) == 2
    assert solo_words("ที่นี่ word 北京") == 4


@given(texts())
def test_reading_keeps_the_length_of_the_text(text: str) -> None:
    assert len(reading(text)) == len(text)


@given(st.text("abÀßéµ²º \n_-“”—\u00a0\u00ad\u0301\udce9\U0001f600&;;#x41", max_size=60))
def test_the_words_of_a_text_do_not_depend_on_how_they_are_read(text: str) -> None:
    found, read = words(text), keys(text)
    with patch("dedup.normalise._simple", lambda text: False):
        again = words(text)
        assert keys(text) == read
    assert ([*found.starts], [*found.sizes]) == ([*again.starts], [*again.sizes])
    assert bytes(found.hashes) == bytes(again.hashes)


@given(texts())
def test_words_and_keys_agree_on_every_text(text: str) -> None:
    found = words(text)
    read = reading(text)
    each = [key(read[start : start + size]) for start, size in zip(found.starts, found.sizes, strict=True)]
    assert each == keys(text)
    same: dict[int, str] = {}
    for value, one in zip(found.hashes, each, strict=True):
        assert same.setdefault(value, one) == one
    assert all(found.end(i) <= found.starts[i + 1] for i in range(len(found.starts) - 1))


# ---------------------------------------------------------------- segment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\nb\n", ["a", "b"]),
        ("a\rb\r", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\rb\nc\r\nd", ["a", "b", "c", "d"]),
        ("a\n\rb", ["a", "", "b"]),
        ("a\r\r\nb", ["a", "", "b"]),
        ("\n\na", ["", "", "a"]),
        ("a\n\n", ["a", ""]),
        ("a\r\n\r\n", ["a", ""]),
        ("a\r", ["a"]),
        ("a\u2028b\x0cc\x85d\x0be", ["a\u2028b\x0cc\x85d\x0be"]),
        ("a\x0c\nb", ["a\x0c", "b"]),
    ],
)
def test_only_cr_lf_and_crlf_end_a_line(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in lines(text)] == expected


@given(st.text("a \r\n\x0c\u2028", max_size=40))
def test_lines_are_those_of_bytes_splitlines(text: str) -> None:
    assert [text[a:b] for a, b in lines(text)] == [row.decode() for row in text.encode().splitlines()]


@given(
    texts()
    | st.lists(st.sampled_from(["\n" * 99, "\r\n" * 40, "\r" * 70, " " * 80, " ", "\n", "\r", "a"])).map("".join)
)
def test_paragraphs_are_the_lines_that_are_not_blank(text: str) -> None:
    found = segment(text)
    assert [text[a:b] for a, b in zip(found.starts, found.ends, strict=True)] == [
        text[a:b] for a, b in lines(text) if text[a:b].strip()
    ]


def test_a_page_knows_the_first_word_of_each_paragraph() -> None:
    text = "one two\n\n***\nthree\n"
    assert list(page(text, segment(text), words(text)).first) == [0, 2, 2, 3]


@given(st.text("aé \r\n", min_size=1, max_size=40), st.data())
def test_a_span_has_the_paragraphs_whose_text_is_in_it_and_the_lines_of_its_bytes(
    text: str, data: st.DataObject
) -> None:
    document, found = decode(text.encode()), segment(text)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(document.data))] * 2)))
    side = sides(document, found)((start, end))
    at = zip(byte_offsets(document, found.starts), byte_offsets(document, found.ends), strict=True)
    inside = [number for number, (a, b) in enumerate(at, 1) if a < end and b > start and start < end]
    if inside:
        assert side.paragraphs == (inside[0], inside[-1])
    assert 1 <= side.paragraphs[0] <= side.paragraphs[1] <= max(1, len(found.starts))
    rows = document.data.splitlines(keepends=True)
    edges = [sum(map(len, rows[:n])) for n in range(len(rows) + 1)]
    inside = [n for n in range(1, len(edges)) if edges[n - 1] < end and edges[n] > start and start < end]
    if inside:
        assert side.lines == (inside[0], inside[-1])


# ---------------------------------------------------------------- shingle and chain


def _words_of(values: list[int]) -> Words:
    starts = array("I", range(0, 2 * len(values), 2))
    return Words("", starts, array("H", [1]) * len(values), memoryview(array("I", values)))


def _matches_of(values: list[int], k: int) -> list[Match]:
    tokens = _words_of(values)
    linked = links(tokens, k)
    return chain(tokens, linked, k) if linked else []


def _first_occurrences(values: list[int], k: int) -> dict[int, int]:
    """For each position where a run of k words starts that stands earlier too: where it stands first. Quadratic."""
    runs = [tuple(values[at : at + k]) for at in range(len(values) - k + 1)]
    return {at: runs.index(run) for at, run in enumerate(runs) if runs.index(run) < at}


_few = st.lists(st.integers(0, 9), max_size=12)
_values = st.one_of(
    st.lists(st.integers(0, 2), max_size=60),
    st.lists(st.integers(0, 30), max_size=60),
    st.builds(lambda unit, n, tail: unit * n + tail, _few, st.integers(1, 6), _few),
)
_k = st.integers(4, 8)


@given(_values, _k)
def test_each_shingle_is_linked_to_its_first_occurrence(values: list[int], k: int) -> None:
    expected = _first_occurrences(values, k)
    linked = list(links(_words_of(values), k))
    assert linked == ([expected.get(at, at) for at in range(len(values) - k + 1)] if expected else [])


@given(_values, _k)
def test_matches_are_repeated_runs_and_miss_none(values: list[int], k: int) -> None:
    matches = _matches_of(values, k)
    covered: set[int] = set()
    for left, right, length in matches:
        assert 0 <= left < right <= len(values) - length
        assert length >= k
        assert values[left : left + length] == values[right : right + length]
        covered.update(range(right, right + length))
    for at in _first_occurrences(values, k):
        assert set(range(at, at + k)) <= covered


@given(_values, _k)
def test_matches_end_where_the_words_differ(values: list[int], k: int) -> None:
    for left, right, length in _matches_of(values, k):
        assert right + length == len(values) or values[left + length] != values[right + length]


# ---------------------------------------------------------------- rewrite


@st.composite
def _edits(draw: st.DrawFn) -> tuple[bytes, list[Span], list[Span]]:
    """Some bytes with repeats in them, spans to remove, and for each a span that may or may not be its witness."""
    unit = draw(st.binary(max_size=90))
    data = b"".join(draw(st.lists(st.one_of(st.binary(max_size=20), st.just(unit)), max_size=8)))
    at = st.integers(0, len(data))
    edges = sorted(draw(st.sets(at, max_size=8)))
    removed = list(zip(edges[::2], edges[1::2], strict=False))
    kept = [(start, start) for start in draw(st.lists(at, min_size=len(removed), max_size=len(removed)))]
    return data, removed, kept


def _table(data: bytes, removed: list[Span]) -> Table:
    return Table([(0, len(data))]).after((span, None) for span in removed)


@given(_edits(), st.randoms(use_true_random=False))
def test_rebuild_takes_back_any_cut_and_any_move_whatever_the_witness(
    edits: tuple[bytes, list[Span], list[Span]], random: Random
) -> None:
    data, removed, kept = edits
    table = _table(data, removed)
    assert len(table.text(data)) == len(data) - sum(end - start for start, end in removed)
    random.shuffle(table.pieces)
    table = Table(table.pieces)
    clean = table.text(data)
    witnesses = [(span[0], place[0]) for span, place in zip(removed, kept, strict=True)]
    assert rebuild(clean, undo(data, clean, table, witnesses)) == data


@given(_edits(), _edits())
def test_a_table_of_two_passes_leads_back_to_the_first_text(
    first: tuple[bytes, list[Span], list[Span]], second: tuple[bytes, list[Span], list[Span]]
) -> None:
    data, removed, _ = first
    table = _table(data, removed)
    between = table.text(data)
    cuts = [(start, end) for start, end in second[1] if end <= len(between)]
    put: Span | None = (0, min(3, len(between))) if between else None
    after = table.after((span, put) for span in cuts)
    expected, at = b"", 0
    for start, end in cuts:
        expected += between[at:start] + (between[put[0] : put[1]] if put else b"")
        at = end
    assert after.text(data) == expected + between[at:]


def test_the_undo_of_a_doubled_article_stores_no_text() -> None:
    article = "".join(f"Paragraph {n} of an article that stands twice in its file.\n" for n in range(9)).encode()
    ops = undo(article * 2, article, Table([(0, len(article))]), [(len(article), 0)])
    assert ops == (Op((0, len(article)), None), Op((0, len(article)), None))


def test_an_op_of_nothing_rebuilds_nothing() -> None:
    assert rebuild(b"abc", ()) == b""
    assert rebuild(b"abc", (Op((1, 2), None), Op(None, b"x"))) == b"bx"
    assert undo(b"", b"", Table([(0, 0)]), []) == ()


# ---------------------------------------------------------------- trace


def test_a_witness_that_went_later_is_followed_to_one_that_stays() -> None:
    # Words 6-8 went for 3-5, which then went for 0-2.
    assert trace([(range(6, 9), range(3, 6)), (range(3, 6), range(3))], 9) == {0: [Run(6, 8, 0, 2)]}


def test_a_witness_that_stays_is_left_alone() -> None:
    assert trace([(range(3, 6), range(3)), (range(6, 9), range(3))], 9) == {}


def test_a_copy_whose_witness_went_in_part_is_told_as_two() -> None:
    # Words 10-13 went for 4-7; of these, 6-7 went for 0-1.
    assert trace([(range(10, 14), range(4, 8)), (range(6, 8), range(2))], 14) == {
        0: [Run(10, 11, 4, 5), Run(12, 13, 0, 1)]
    }


def test_a_periodic_copy_follows_its_period() -> None:
    # Words 4-9 went for 2-3 over and over; 2-3 then went for 0-1.
    assert trace([(range(4, 10), range(2, 4)), (range(2, 4), range(2))], 10) == {
        0: [Run(4, 5, 0, 1), Run(6, 7, 0, 1), Run(8, 9, 0, 1)]
    }


# ---------------------------------------------------------------- decode


@pytest.mark.parametrize(
    ("data", "encoding", "text", "undecoded"),
    [
        (b"", "utf-8", "", 0),
        ("né\n".encode(), "utf-8", "né\n", 0),
        (b"\xef\xbb\xbfa", "utf-8", "a", 0),
        (b"caf\xe9", "utf-8", "caf\udce9", 1),
        (b"\xed\xa0\x80", "utf-8", "\udced\udca0\udc80", 3),
        (b"\xff\xfea\0", "utf-16-le", "a", 0),
        (b"\xfe\xff\0a", "utf-16-be", "a", 0),
        (b"\xff\xfe\x00\xd8", "utf-16-le", "\ud800", 0),
        (b"\xff\xfea", "utf-8", "\udcff\udcfea", 2),
    ],
)
def test_bytes_decode_to_text(data: bytes, encoding: str, text: str, undecoded: int) -> None:
    document = decode(data)
    assert (document.encoding, document.text, document.undecoded) == (encoding, text, undecoded)
    assert document.mark + document.text.encode(document.encoding, document.errors) == data


@pytest.mark.parametrize("data", [b"a\0b", b"\0", b"\xff\xfea\0\0\0", b"\xff\xfea\0b"])
def test_nul_bytes_are_refused_with_their_place_unless_forced(data: bytes) -> None:
    with pytest.raises(InputError, match=rf"scan\.bin: byte {data.index(0)} is NUL.*--text"):
        decode(data, "scan.bin")
    document = decode(data, force_text=True)
    assert document.mark + document.text.encode(document.encoding, document.errors) == data


@given(st.binary(max_size=60))
def test_every_document_encodes_back_to_its_bytes(data: bytes) -> None:
    document = decode(data, force_text=True)
    assert document.mark + document.text.encode(document.encoding, document.errors) == data
    ends = list(byte_offsets(document, range(len(document.text) + 1)))
    assert ends == sorted(set(ends))
    assert (ends[0], ends[-1]) == (len(document.mark), len(data))


def test_character_spans_become_byte_spans_in_any_order() -> None:
    assert byte_spans(decode("aéb北c".encode()), [(3, 4), (0, 2)]) == [(4, 7), (0, 3)]
    assert byte_spans(decode(b"\xff\xfea\0b\0"), [(1, 2)]) == [(4, 6)]


# ---------------------------------------------------------------- record


class _Point(Record):
    x: int
    y: int = 7


def test_a_record_is_a_tuple_with_names_and_defaults() -> None:
    assert _Point(1) == _Point(x=1, y=7) == (1, 7)
    assert _Point(1)._replace(y=2) == (1, 2)
    assert _Point(1, 2)._asdict() == {"x": 1, "y": 2}
    assert repr(_Point(1, 2)) == "_Point(x=1, y=2)"
    x, y = _Point(3, 4)
    assert (x, y) == (3, 4)


@pytest.mark.parametrize(
    ("values", "named", "message"),
    [((), {}, "needs 'x'"), ((1, 2, 3), {}, "takes x, y"), ((1,), {"z": 1}, "takes x, y")],
)
def test_a_record_refuses_other_fields(values: tuple[int, ...], named: dict[str, int], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        _Point(*values, **named)


def test_a_record_cannot_be_changed() -> None:
    point: Any = _Point(1)
    with pytest.raises(AttributeError):
        point.x = 2


# ---------------------------------------------------------------- thresholds

_BODY = """\
The first snow fell on the salt pans on Wednesday, which the oldest workers say has happened only twice since the war.
By noon the pans were grey again and the gulls had returned, and a photographer from the city arrived in the evening.
She took a picture of the brooms with which the snow had been swept into the sea, and asked for more of it tomorrow.
"""
_MORE = """\
The mill has agreed to leave its chimney alone until August, for the sake of the herons that moved onto its warm roof.
After that, says the manager, he would be glad if somebody explained to the birds what a delivery ramp is built for.
Three children had noticed before the rangers did, because they count the nests each spring with a small telescope.
They found none on the island and none along the dam, and then eleven where nobody had thought of looking before.
The mayor has promised that the town will pay for the heating, provided that the herons keep out of the council.
"""
_TEXT = "Nobody swept before breakfast although the foreman rang his bell and shouted over each frozen basin twice"
_LEAD = [*_TEXT.split(" "), "while", "gulls", "ate", "warm", "bread"]


@pytest.mark.parametrize(("size", "rule"), [(14, "too-short"), (15, "prose-copy"), (16, "prose-copy")])
def test_a_lone_paragraph_goes_from_min_paragraph_words_on(size: int, rule: str) -> None:
    lead = " ".join(_LEAD[:size]) + ".\n"
    result = dedup.clean(lead + _BODY + lead)
    assert [(block.rule, block.words, block.removed) for block in result.blocks] == [(rule, size, size >= 15)]
    assert result.text == lead + _BODY + lead * (size < 15)


@pytest.mark.parametrize(("size", "found"), [(7, 0), (8, 1), (9, 1)])
def test_a_run_is_reported_from_min_words_words_on(size: int, found: int) -> None:
    line = " ".join(_LEAD[:size]) + ".\n"
    assert len(dedup.find(line + _BODY + line)) == found


@pytest.mark.parametrize(("size", "removed"), [(29, False), (30, True), (31, True)])
def test_half_words_count_half(size: int, removed: bool) -> None:
    lead = "昨夜的大风把港口的旧钟楼吹倒了居民清晨才发现石头落满了整条街道没有人受伤"[:size] + "。\n"
    body = "第二天早上市长带着工人来清理街道，孩子们捡到了钟的指针，把它交给了学校的老师保管起来。\n"
    more = "据说这座钟楼已经有两百多年的历史，从前船员们远远看见它就知道快要到家了，现在只剩下一堆石头。\n"
    assert bool(dedup.clean(lead + body + more + lead).removed) is removed


@pytest.mark.parametrize(("size", "removed"), [(19, False), (20, True), (21, True)])
def test_a_list_at_head_and_foot_goes_from_min_list_words_on(size: int, removed: bool) -> None:
    rows = "".join(" ".join(_LEAD[at : min(at + 5, size)]) + "\n" for at in range(0, size, 5))
    assert bool(dedup.clean(rows + _BODY + _MORE + rows).removed) is removed


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (dedup.Config(min_paragraph=0), "min_paragraph"),
        (dedup.Config(min_texture=0), "min_texture"),
        (dedup.Config(min_sentences=0), "min_sentences"),
        (dedup.Config(min_list=0), "min_list"),
    ],
)
def test_a_threshold_below_one_is_refused_with_its_name(config: dedup.Config, name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name} is 0"):
        dedup.clean("a", config)


@pytest.mark.parametrize(("value", "good"), [(3, False), (4, True), (5, True)])
def test_min_words_is_four_or_more(value: int, good: bool) -> None:
    config = dedup.Config(min_words=value)
    if good:
        assert config.checked() == config
    else:
        with pytest.raises(UsageError, match="min_words is 3"):
            config.checked()


# ---------------------------------------------------------------- evidence

_STOPPED = [
    ("a space", "It rained. Then it stopped", True),
    ("no stop", "It rained then it stopped", False),
    ("glued", "until it rained.Then it stopped", True),
    ("glued to a year", "it rained in 2021.Then it stopped", True),
    ("a quotation glued", "\u201cit rained.\u201dThen it stopped", True),
    ("Han", "下雨了。然后停了", True),
    ("a script without case, glued", "बारिश हुई!फिर रुकी", True),
    ("a figure", "it is 3.14 in all", False),
    ("a version", "from v1.Two on", False),
    ("a name of a file", "see raw.txt for more", False),
    ("a path", "see /etc/host.Conf for more", False),
    ("initials", "made in the U.S.A by hand", False),
    ("a name with capitals", "written for Node.JS by hand", False),
]


@pytest.mark.parametrize(("name", "text", "ends"), _STOPPED, ids=[row[0] for row in _STOPPED])
def test_a_stop_ends_a_sentence_where_no_token_goes_on(name: str, text: str, ends: bool) -> None:
    found = words(text)
    sheet = page(text, segment(text), found)
    assert any(ends_sentence(sheet, word) for word in range(1, len(found.starts))) is ends


# ---------------------------------------------------------------- verify


@given(st.text("01 9%$-+\u2013<>ax_\n.,\u2060\u00a3\u0663", max_size=12))
def test_figures_are_read_from_left_to_right(text: str) -> None:
    plain = text.replace("\u2013", "-").replace("\u2060", "")
    naive = re.findall(r"(?:(?<![^\W_])([-+<>]?[$\u00a3]?))?\d+\s?([%$\u00a3]?)", plain)
    assert figures(text) == naive
