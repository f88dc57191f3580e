"""Copies that differ, stage by stage: aligned, paired, weighed, judged, told, audited and taken back."""

import re
import textwrap
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import dedup
from dedup.align import alignments, compare, misspelt
from dedup.audit import audit
from dedup.chain import chain
from dedup.facts import Facts
from dedup.model import HARD, NONE, SOFT, Alignment, Block, Gap, Op, Page, Result
from dedup.normalise import keys, words
from dedup.prefer import Preferences
from dedup.segment import page, segment
from dedup.shingle import links
from dedup.units import units

if TYPE_CHECKING:
    from dedup.config import Keep

NEAR = dedup.Config(similarity=0.9)

HEAD = "Library saved\n"
LIBRARY = """\
The council of the river town voted last evening to keep the old library open while the roof is mended at last.
Nobody in the crowded room had expected it, least of all the staff who had packed their boxes and ordered a van.
Children from the school by the harbour sang on the steps in the rain until the mayor came down to thank them.
A carpenter has offered to mend the long tables, and a baker will bring warm bread for the volunteers on duty.
The reading room stays as it was, with the green lamps and the stove that smokes whenever the wind turns north.
"""
_LAMPS = """\
Die Laternen im Dorf bleiben künftig dunkel, sofern niemand unter ihnen hindurchgeht und keine Feier stattfindet.
Die Stadträtin hält das für die größte Änderung seit der Einführung des Gaslichts, und viele Bürger stimmen ihr zu.
Für ältere Fußgänger gibt es Ausnahmen, denn die Wege zum Krankenhaus und zum Bahnhof bleiben weiterhin erleuchtet.
"""
_TRAM = """\
Осенью трамвай снова будет ходить через старый мост, который закрыли на ремонт после весеннего паводка на реке.
Рабочие заменили опоры и уложили новые рельсы на резиновые подушки, поэтому вагоны проходят почти бесшумно.
Водитель говорит, что соскучилась по повороту над водой, и обещает в первый день ехать медленно ради пассажиров.
"""
_TEAHOUSE = """\
河边的老茶馆下个月重新开门，街上的邻居们已经开始打听还有没有从前的那种茉莉花茶，也有人专程从外地赶来。
店主说关门是因为屋顶漏雨，重新开门是因为孙女学会了修屋顶，一家人花了整个夏天才把破旧的瓦片换完。
茶馆里会有报纸、棋盘和那只不太友好的猫，客人可以从早晨坐到晚上，只要付得起这一杯茶的钱就好。
"""
_OWN = "Subscribe today and read every issue of the paper for a whole year at half the price.\n"
_ROWS = LIBRARY.splitlines(keepends=True)


def _page(text: str) -> Page:
    return page(text, segment(text), words(text))


def _found(text: str) -> tuple[Page, list[Alignment]]:
    sheet = _page(text)
    linked = links(sheet.words, 4)
    return sheet, alignments(sheet, chain(sheet.words, linked, 4), keys, 8) if linked else []


def _one(text: str) -> tuple[Page, Alignment]:
    sheet, (alignment,) = _found(text)
    return sheet, alignment


def _clean(text: str, config: dedup.Config = NEAR) -> Result:
    """The Result of cleaning, audited and taken back on the way."""
    result = dedup.clean(text, config)
    assert audit(result, config) == []
    assert dedup.restore(result.clean, dedup.to_manifest(result)) == text.encode()
    return result


def _changes(result: Result, block: Block) -> list[tuple[str, str]]:
    """The words that differ, cut out of the bytes of the input."""
    data = result.data
    return [(data[slice(*c.copy)].decode(), data[slice(*c.kept)].decode()) for c in block.changes]


def _swapped(text: str, *pairs: str) -> str:
    for pair in pairs:
        old, new = pair.split(">")
        assert old in text
        text = text.replace(old, new)
    return text


def _wrapped(text: str) -> str:
    return "".join(row + "\n" for line in text.splitlines() for row in textwrap.wrap(line, 50))


# ---------------------------------------------------------------- edited articles, generated

_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W\d_\u4e00-\u9fff]+")
_PUT_IN = ["lantern", "the", "council", "Brandt", "Monday", "17", "not", "nicht", "neue", "моста", "не", "茶", "sm0kes"]


def _edit(text: str, edits: list[tuple[int, str, str]]) -> str:
    """`text` with words replaced, left out, or with words put in before them."""
    spots = list(_WORD.finditer(text))
    for at, (kind, new) in sorted({at % len(spots): edit for at, *edit in edits}.items(), reverse=True):
        start, end = spots[at].span()
        fill = {"replace": new, "insert": f"{new} {text[start:end]}", "delete": ""}[kind]
        text = text[:start] + fill + text[end:]
    return text


_edits = st.lists(
    st.tuples(st.integers(0, 999), st.sampled_from(["replace", "insert", "delete"]), st.sampled_from(_PUT_IN)),
    max_size=14,
)
_articles = st.sampled_from([LIBRARY, LIBRARY, _LAMPS, _TRAM, _TEAHOUSE])


@st.composite
def _edited(draw: st.DrawFn, most: int = 1) -> str:
    """An article and edited copies of it, perhaps wrapped, broken off or on one line, perhaps with text in between."""
    article = draw(_articles)
    out = [article]
    for _ in range(draw(st.integers(1, most))):
        copy = _edit(article, draw(_edits))
        form = draw(st.integers(0, 5))
        if form == 0:
            copy = _wrapped(copy)
        elif form == 1:
            copy = copy[: len(copy) * 2 // 3].rstrip() + "...\n"
        elif form == 2:
            copy = copy.replace("\n", " ") + "\n"
        out += [draw(st.sampled_from(["", "", _OWN])), copy]
    return HEAD + "".join(reversed(out) if draw(st.booleans()) else out)


# ---------------------------------------------------------------- compare

_few_words = st.lists(st.sampled_from(["the", "old", "new", "town", "council", "of"]), max_size=30)
_many_words = st.lists(st.integers(0, 40).map(str), max_size=40)


@st.composite
def _two_lists(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Two lists of words, often one with a part of it replaced."""
    a = draw(st.one_of(_few_words, _many_words))
    if draw(st.booleans()):
        return a, draw(st.one_of(_few_words, _many_words))
    b = list(a)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(b)))
        b[start : draw(st.integers(start, min(len(b), start + 3)))] = draw(
            st.lists(st.sampled_from(a or ["x"]), max_size=3)
        )
    return a, b


def _common_words(a: list[str], b: list[str]) -> int:
    """The length of a longest common subsequence, by the table of the textbook."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@settings(max_examples=100)
@given(_two_lists())
def test_the_runs_of_two_lists_rise_on_both_sides_and_are_equal_word_for_word(
    lists: tuple[list[str], list[str]],
) -> None:
    a, b = lists
    i = j = matched = 0
    for x, y, length in compare(a, b):
        assert length > 0
        assert x >= i
        assert y >= j
        assert a[x : x + length] == b[y : y + length]
        i, j, matched = x + length, y + length, matched + length
    assert i <= len(a)
    assert j <= len(b)
    assert matched <= _common_words(a, b)


@settings(max_examples=100)
@given(_two_lists())
def test_the_words_outside_the_runs_are_a_difference(lists: tuple[list[str], list[str]]) -> None:
    """With them exchanged the one list is the other; and no run is shorter than what differs on both its sides."""
    a, b = lists
    runs = compare(a, b)
    out, gaps, i, j = [], [], 0, 0
    for x, y, length in [*runs, (len(a), len(b), 0)]:
        out += b[j:y] + a[x : x + length]
        gaps.append(max(x - i, y - j))
        i, j = x + length, y + length
    assert out == b
    for (_, _, length), around in zip(runs, pairwise(gaps), strict=True):
        assert length >= min(around)


@settings(max_examples=100)
@given(st.one_of(_few_words, _many_words))
def test_a_list_against_itself_is_one_run(a: list[str]) -> None:
    assert compare(a, a) == ([(0, 0, len(a))] if a else [])


@settings(max_examples=100)
@given(st.integers(1, 60), st.data())
def test_one_edit_among_words_that_stand_once_leaves_all_others_matched(size: int, data: st.DataObject) -> None:
    a = [f"w{n}" for n in range(size)]
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, min(size, start + 5)))
    new = [f"n{n}" for n in range(data.draw(st.integers(0, 5)))]
    b = a[:start] + new + a[end:]
    expected = [(0, 0, start), (end, start + len(new), size - end)]
    if start == end and not new:
        expected = [(0, 0, size)]
    assert compare(a, b) == [run for run in expected if run[2]]


# ---------------------------------------------------------------- misspelt


@settings(max_examples=200)
@given(st.text("abcl1no0ж茶", max_size=12), st.text("abcl1no0ж茶", max_size=12))
def test_misspelt_is_symmetric(x: str, y: str) -> None:
    assert misspelt(x, y) == misspelt(y, x)


@settings(max_examples=200)
@given(st.text("0123456789٣٤", min_size=1, max_size=12), st.text("0123456789abcn٣", max_size=12))
def test_a_number_is_never_a_misspelling(digits: str, other: str) -> None:
    assert not misspelt(digits, other)
    assert not misspelt(other, digits)


def _distance(x: str, y: str) -> int:
    """The edit distance, by its definition."""
    if not x or not y:
        return len(x) + len(y)
    if x[0] == y[0]:
        return _distance(x[1:], y[1:])
    return 1 + min(_distance(x[1:], y[1:]), _distance(x[1:], y), _distance(x, y[1:]))


@settings(max_examples=100)
@given(st.text("abc", min_size=1, max_size=7), st.text("abc", min_size=1, max_size=7))
def test_misspelt_counts_wrong_letters_by_the_length_of_the_shorter_word(x: str, y: str) -> None:
    least = min(len(x), len(y))
    assert misspelt(x, y) == (least >= 4 and _distance(x, y) <= min(least // 3, 3))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ("modern", "modexn", True),
        ("thousand", "th0usand", True),
        ("volunteers", "volumteens", True),
        ("паводка", "паводкн", True),
        ("1990", "1996", False),
        ("cat", "cut", False),
        ("town", "tower", False),
        ("carpenter", "joiner", False),
    ],
)
def test_a_few_wrong_letters_are_a_misspelling(x: str, y: str, expected: bool) -> None:
    assert misspelt(x, y) is expected


# ---------------------------------------------------------------- alignments


@settings(max_examples=100)
@given(_edited(most=2))
def test_an_alignment_is_equal_runs_and_the_gaps_between_them_and_its_left_side_ends_first(text: str) -> None:
    sheet, found = _found(text)
    key = keys(text)
    for alignment in found:
        for run in alignment.runs:
            assert key[run.left : run.left + run.length] == key[run.right : run.right + run.length]
        stretches = [Gap((r.left, r.left + r.length), (r.right, r.right + r.length), True) for r in alignment.runs]
        stretches = sorted([*stretches, *alignment.gaps])
        for before, after in pairwise(stretches):
            assert (before.left[1], before.right[1]) == (after.left[0], after.right[0])
        assert stretches[0].left[0] >= 0
        assert stretches[-1].left[1] <= stretches[0].right[0]
        assert stretches[-1].right[1] <= len(sheet.words.starts)


@settings(max_examples=100)
@given(_edited(most=2))
def test_alignments_come_in_order_of_their_right_sides(text: str) -> None:
    _, found = _found(text)
    assert [a.runs[0].right for a in found] == sorted(a.runs[0].right for a in found)
    for alignment in found:
        assert sum(run.length for run in alignment.runs) >= 4


@settings(max_examples=100)
@given(_articles, st.sets(st.integers(0, 30), max_size=5))
def test_words_exchanged_here_and_there_are_the_gaps_of_one_alignment(article: str, places: set[int]) -> None:
    spots = list(_WORD.finditer(article))
    edited = {2 + 6 * place for place in places if 6 * place + 8 < len(spots)}
    copy = _edit(article, [(at, "replace", "lantern") for at in edited])
    key, other = keys(article), keys(copy)
    assume(len(key) == len(other) == len(spots))
    _, alignment = _one(article + copy)
    assert alignment.gaps == tuple(
        Gap((at, at + 1), (at + len(key), at + len(key) + 1), misspelt(key[at], "lantern")) for at in sorted(edited)
    )


def test_of_three_copies_in_a_row_the_second_and_the_third_are_aligned_with_text_before_them() -> None:
    copies = [LIBRARY, _swapped(LIBRARY, "crowded>narrow"), _swapped(LIBRARY, "green>yellow")]
    size = len(keys(LIBRARY))
    _, found = _found("".join(copies))
    assert found[0].runs[0] == (0, size, 25)
    assert found[-1].runs == ((0, 2 * size, 96), (97, 2 * size + 97, 11))


# ---------------------------------------------------------------- units


def _paragraphs(text: str) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    sheet, alignment = _one(text)
    return [(unit.left.paragraphs, unit.right.paragraphs) for unit in units(sheet, alignment)]


def test_a_unit_is_a_paragraph_and_its_copy() -> None:
    sheet, alignment = _one(LIBRARY + _swapped(LIBRARY, "crowded>narrow"))
    found = units(sheet, alignment)
    assert [(unit.left.paragraphs, unit.right.paragraphs) for unit in found] == [((n,), (n + 5,)) for n in range(5)]
    assert [len(unit.gaps) for unit in found] == [0, 1, 0, 0, 0]
    assert [(side.size, side.matched) for side in found[1][:2]] == [(22, 21), (22, 21)]


def test_paragraphs_against_one_line_are_one_unit() -> None:
    line = _swapped(LIBRARY, "crowded>narrow").replace("\n", " ") + "\n"
    assert _paragraphs(LIBRARY + line) == [((0, 1, 2, 3, 4), (5,))]
    assert _paragraphs(line + LIBRARY) == [((0,), (1, 2, 3, 4, 5))]


def test_wrapped_lines_are_one_unit_with_their_paragraph() -> None:
    expected = [((n,), (3 * n + 5, 3 * n + 6, 3 * n + 7)) for n in range(5)]
    assert _paragraphs(LIBRARY + _wrapped(_swapped(LIBRARY, "crowded>narrow"))) == expected


def test_an_inserted_paragraph_is_in_no_unit() -> None:
    inserted = "".join([*_ROWS[:2], _OWN, *_ROWS[2:]])
    assert _paragraphs(LIBRARY + inserted) == [((n,), (n + 5 + (n > 1),)) for n in range(5)]
    assert _paragraphs(inserted + LIBRARY) == [((n + (n > 1),), (n + 6,)) for n in range(5)]


@settings(max_examples=100)
@given(_edited(most=2))
def test_units_are_apart_in_order_and_match_no_more_words_than_they_have(text: str) -> None:
    sheet, found = _found(text)
    for alignment in found:
        last = -1, -1
        for left, right, gaps in units(sheet, alignment):
            for half in (left, right):
                assert list(half.paragraphs) == sorted(set(half.paragraphs))
                assert half.size == sum(sheet.first[p + 1] - sheet.first[p] for p in half.paragraphs)
                assert 0 <= half.matched <= half.size
            assert last[0] < left.paragraphs[0]
            assert last[1] < right.paragraphs[0]
            last = left.paragraphs[-1], right.paragraphs[-1]
            for gap in gaps:
                for stretch, half in ((gap.left, left), (gap.right, right)):
                    assert half.span(sheet)[0] <= stretch[0] <= stretch[1] <= half.span(sheet)[1]


# ---------------------------------------------------------------- facts

_FRAME = "we were told that {} by everybody here in the town last year\n"


def _fact(old: str, new: str, frame: str = _FRAME) -> int:
    """What it changes to give up `old` for `new`, each in a paragraph of its own."""
    lead, size = len(keys(frame.partition("{}")[0])), len(keys(frame))
    sheet = _page(frame.replace("{}", old) + frame.replace("{}", new))
    lost, kept = keys(old), keys(new)
    alike = len(lost) == len(kept) and all(x == y or misspelt(x, y) for x, y in zip(lost, kept, strict=True))
    at = lead, size + len(lost) + lead
    return Facts(sheet, keys).changed((at[0], at[0] + len(lost)), (at[1], at[1] + len(kept)), alike)


_FACTS = [
    ("figures", HARD, "12>21|2021>2012|12 000>13 000|3.14>3.15|12>|the 12 boats>the boats|3rd>4th|20km>30km|4pm>5pm"),
    ("figures of other scripts", HARD, "١٢>٢١|१२>२१|１２>１３|๑๒>๑๓"),
    ("number words", HARD, "four>seven|half past ten>half past nine|two hundred>two thousand|first>second"),
    ("number words of other languages", HARD, "drei>acht|deux>trois|once>doce|due>tre|twee>vier|семь>девять"),
    ("number words of other scripts", HARD, "三>五|ثلاثة>خمسة|שלושה>ארבעה|दो>तीन"),
    ("days", HARD, "Monday>Friday|on Tuesday>on Sunday|Montag>Freitag|lundi>samedi|martes>jueves|понедельник>среду"),
    ("months", HARD, "May>June|März>April|mai>juin|enero>febrero|января>февраля"),
    (
        "a negation gone",
        HARD,
        "is not>is|never was>was|nicht>|ne viendra pas>viendra|no se puede>se puede|не будет>будет",
    ),
    ("a negation put in", HARD, "is>is not|>nicht|viendra>ne viendra pas|会>不会|будет>не будет"),
    ("a negation for a word", SOFT, "not>now|kein>ein|nunca>siempre|لن>قد"),
    ("a name for a name", SOFT, "Brown>Blair|Olof Brandt>Axel Brandt|Иванов>Петров|Élodie>Amélie|Brown>Browne"),
    ("a name gone", SOFT, "Brandt>|Olof Brandt>"),
    ("words", NONE, "big>large|has been mended>was mended|schnell>rasch|быстро>скоро|大>小|in the yard>"),
    ("accents", NONE, "résumé>resume|Zürich>Zurich|São Paulo>Sao Paulo|naïve>naive|йод>иод"),
    ("a letter misread as a digit", NONE, "th0usand>thousand|thousand>th0usand|m0dern>modern|harb0ur>harbour"),
    ("torn and joined words", NONE, "co-operate>cooperate|co operate>cooperate|soon after>soonafter|thir ty>thirty"),
    ("case and marks", NONE, "Brown>brown|NOT>not|“four”>four|3 000>3000"),
    ("more than there was", NONE, ">12|>Brandt|the boats>the 12 boats|the mayor>Brown"),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(*pair.split(">"), expected, id=f"{name}: {pair}")
        for name, expected, pairs in _FACTS
        for pair in pairs.split("|")
    ],
)
def test_what_a_difference_says(old: str, new: str, expected: int) -> None:
    assert _fact(old, new) == expected


@pytest.mark.parametrize(
    "frame",
    [
        "it was late. {} stood at the door of the hall in the rain\n",
        "they said: {} stood at the door of the hall in the rain\n",
        "and then «{} stood at the door of the hall in the rain»\n",
        "{} stood at the door of the hall in the rain for a while\n",
        "The Last Boat Of {} To The Island\n",
        "WE WERE TOLD THAT {} STOOD AT THE DOOR\n",
    ],
)
def test_a_capital_that_a_sentence_or_a_title_gives_marks_no_name(frame: str) -> None:
    assert _fact("Carpenters", "Bakers", frame) == NONE
    assert _fact("Carpenters", "Bakers") == SOFT


def test_a_negation_among_many_other_words_is_no_contradiction() -> None:
    assert _fact("the old one which is not far from there", "that") == NONE


# ---------------------------------------------------------------- preferences

_OTHER = _swapped(LIBRARY, "crowded>narrow")
_GARBLED = _swapped(_OTHER, "least>leâ€™ast", "warm bread>warm &quot;bread&quot;")
_STUB = _swapped(_OTHER, " until the mayor came down to thank them.>...")
_MORE_LINK = _swapped(_OTHER, " until the mayor came down to thank them.>... Read more")
_FULLER = _swapped(_OTHER, "it, least>it or hoped for it, least")
_MISPRINTS = _swapped(
    LIBRARY, "council>councll", "crowded>crovvded", "carpenter>carqenter", "volunteers>volunteors", "smokes>smohes"
)
_MISPRINTS_AND_MORE = _swapped(_MISPRINTS, "it,>it or hoped for it,")
_N, _T, _F = None, True, False


def _preferred(first: str, second: str, config: dedup.Config = NEAR) -> list[bool | None]:
    sheet, alignment = _one(first + second)
    return Preferences(sheet, config).of(alignment, units(sheet, alignment))


_PREFERENCES: list[tuple[str, str, list[bool | None]]] = [
    ("a word for a word tells nothing", _OTHER, [_N, _N, _N, _N, _N]),
    ("a wrong encoding, and entities, tell of their paragraphs", _GARBLED, [_N, _F, _N, _F, _N]),
    ("a paragraph that breaks off is the worse one", _STUB, [_N, _N, _F, _N, _N]),
    ("a read more after it does not make it longer", _MORE_LINK, [_N, _N, _F, _N, _N]),
    ("a paragraph of three words more is the fuller one", _FULLER, [_N, _T, _N, _N, _N]),
    ("misprints in one copy tell of the whole of it", _MISPRINTS, [_F] * 5),
    ("one misprint is no vote", _swapped(LIBRARY, "council>councll"), [_N] * 5),
    ("torn lines tell of the whole copy", _wrapped(_OTHER), [_F] * 5),
    ("one line for all is worse than paragraphs", _OTHER.replace("\n", " ") + "\n", [_F]),
    ("a paragraph tells before the whole copy does", _MISPRINTS_AND_MORE, [_F, _T, _F, _F, _F]),
]  # fmt: skip


@pytest.mark.parametrize(("copy", "expected"), [row[1:] for row in _PREFERENCES], ids=[row[0] for row in _PREFERENCES])
def test_the_better_copy_is_told_whichever_comes_first(copy: str, expected: list[bool | None]) -> None:
    assert _preferred(LIBRARY, copy) == expected
    assert _preferred(copy, LIBRARY) == [None if better is None else not better for better in expected]


def test_accents_that_one_copy_lost_make_the_other_one_better() -> None:
    plain = _swapped(_LAMPS, "Stadträtin>Stadtratin", "Einführung>Einfuhrung", "Fußgänger>Fußganger")
    assert (_preferred(_LAMPS, plain), _preferred(plain, _LAMPS)) == ([False] * 3, [True] * 3)


@pytest.mark.parametrize("copy", [row[1] for row in _PREFERENCES], ids=[row[0] for row in _PREFERENCES])
def test_first_and_last_ask_nothing_else_and_longest_asks_for_words_only(copy: str) -> None:
    sheet, alignment = _one(LIBRARY + copy)
    sizes = [(unit.left.size, unit.right.size) for unit in units(sheet, alignment)]
    assert _preferred(LIBRARY, copy, NEAR._replace(keep="first")) == [False] * len(sizes)
    assert _preferred(LIBRARY, copy, NEAR._replace(keep="last")) == [True] * len(sizes)
    longest = [None if left == right else right > left for left, right in sizes]
    assert _preferred(LIBRARY, copy, NEAR._replace(keep="longest")) == longest


# ---------------------------------------------------------------- variants


def test_without_similarity_a_copy_that_differs_keeps_its_paragraphs() -> None:
    text = (
        HEAD + LIBRARY + _swapped(LIBRARY, "crowded>narrow", "green>yellow", "council>board", "long>old", "rain>snow")
    )
    assert dedup.clean(text).text == text
    assert _clean(text).text == HEAD + LIBRARY


def test_an_edited_copy_goes_and_its_changes_name_the_words_that_differ() -> None:
    result = _clean(HEAD + LIBRARY + _swapped(LIBRARY, "crowded>narrow", "the green lamps>two of the lamps"))
    assert result.text == HEAD + LIBRARY
    (block,) = result.removed
    assert (block.kind, block.rule, block.moved) == ("near", "near-copy", False)
    assert (block.copy.paragraphs, block.kept.paragraphs) == ((7, 11), (2, 6))
    assert _changes(result, block) == [("narrow", "crowded"), ("two of", ""), ("", "green")]
    assert 0.96 < block.similarity < 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_better_paragraph_moves_to_the_place_of_the_worse_one(end: str) -> None:
    better = "and had none of them hoped for it, least of all the staff"
    copy = _swapped(LIBRARY, "least of all the staff>" + better, "green>yellow")
    result = _clean((HEAD + LIBRARY + copy).replace("\n", end))
    assert result.text == (HEAD + _swapped(LIBRARY, "least of all the staff>" + better)).replace("\n", end)
    (moved,) = [block for block in result.blocks if block.moved]
    assert (moved.removed, moved.copy.paragraphs, moved.kept.paragraphs) == (True, (3, 3), (8, 8))
    assert _changes(result, moved) == [("", "and had none of them hoped for it")]
    # The pieces of the clean text are those of the input, the moved one out of its order.
    assert result.pieces != tuple(sorted(result.pieces))


def test_a_garbled_paragraph_gives_its_place_to_the_copy_that_is_not() -> None:
    result = _clean(HEAD + _GARBLED + LIBRARY)
    assert not set("â€&") & set(result.text)
    assert [block.copy.paragraphs for block in result.removed if block.moved] == [(3, 3), (5, 5)]


def test_a_sentence_more_at_the_end_of_a_copy_is_kept_in_its_place() -> None:
    more = "thank them.>thank them. Then he bought every one of them an ice cream."
    for first, second in ((LIBRARY, _swapped(LIBRARY, more)), (_swapped(LIBRARY, more), LIBRARY)):
        assert _clean(HEAD + first + _swapped(second, "green>yellow")).text == HEAD + _swapped(LIBRARY, more)


def test_a_fact_that_differs_keeps_its_paragraph_unless_facts_may_go() -> None:
    first, second = (_swapped(LIBRARY, f"last evening>on {day}") for day in ("Friday", "Monday"))
    text = HEAD + first + _swapped(second, "green>yellow")
    result = _clean(text)
    assert result.text == HEAD + first + second.splitlines(keepends=True)[0]
    (kept,) = result.repeated
    assert (kept.rule, kept.reason) == ("near-facts", "near copy, kept: Monday / Friday")
    assert _changes(result, kept) == [("Monday", "Friday")]
    assert _clean(text, NEAR._replace(near_facts=True)).text == HEAD + first


@pytest.mark.parametrize(
    ("swap", "reason"),
    [
        ("Nobody in>Somebody in", "Somebody / Nobody"),
        ("had expected it>had not expected it", "not / -"),
        ("a van>12 vans", "12 vans / a van"),
        ("the mayor came>the mayor Brandt came", "Brandt / -"),
        ("thank them>thank all of them", ""),
    ],
)
def test_the_reason_of_a_fact_names_the_words_of_both_copies(swap: str, reason: str) -> None:
    text = HEAD + LIBRARY + _swapped(LIBRARY, swap, "green>yellow")
    facts = [block.reason for block in _clean(text).repeated if block.rule == "near-facts"]
    assert facts == ([f"near copy, kept: {reason}"] if reason else [])


def test_an_article_rewritten_in_one_word_of_four_is_reported_as_unlike_and_stays() -> None:
    swaps = (
        "river town>small village|evening>night|old>fine|roof>tower|crowded>narrow|expected>foreseen|staff>people|"
        "boxes>trunks|ordered>hired|school>class|harbour>bridge|rain>snow|mayor>cook|thank>greet|carpenter>joiner|"
        "mend the>repair the|warm>fresh|volunteers>helpers|reading>writing|green>yellow|smokes>whistles"
    )
    text = HEAD + LIBRARY + _swapped(LIBRARY, *swaps.split("|"))
    result = _clean(text)
    assert (result.text, {block.rule for block in result.blocks}) == (text, {"near-unlike"})
    assert [block.kept.paragraphs for block in result.blocks] == [(n, n) for n in range(2, 7)]
    assert all(0.5 < block.similarity < 0.9 and block.changes for block in result.blocks)
    assert _clean(text, dedup.Config(similarity=0.75)).text == HEAD + LIBRARY


@pytest.mark.parametrize("keep", ["best", "first", "last", "longest"])
def test_the_copy_that_stays_is_the_one_that_was_asked_for(keep: "Keep") -> None:
    fuller = _swapped(LIBRARY, "crowded room>crowded room of the old town hall", "green>yellow")
    config = dedup.Config(similarity=0.9, keep=keep)
    best = _swapped(LIBRARY, "crowded room>crowded room of the old town hall")
    expected = {"best": best, "first": LIBRARY, "last": fuller, "longest": best}[keep]
    assert _clean(HEAD + LIBRARY + fuller, config).text == HEAD + expected


_SENTENCES = [
    "Then he bought every one of them an ice cream.",
    "Somebody counted nearly four hundred umbrellas!",
    "Who would have thought so?",
]


@settings(max_examples=60)
@given(
    st.integers(0, 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from(_SENTENCES),
    _edits,
    st.sampled_from(["best", "first", "last", "longest"]),
)
def test_a_sentence_of_its_own_is_never_lost(
    row: int, first: bool, before: bool, own: str, edits: list[tuple[int, str, str]], keep: "Keep"
) -> None:
    """Whichever copy has it, whichever is to stay, whatever else was edited in other paragraphs."""
    rows = [_edit(line, edits) if n != row else line for n, line in enumerate(_ROWS)]
    full = list(rows if not first else _ROWS)
    full[row] = f"{own} {full[row]}" if before else f"{full[row].rstrip()} {own}\n"
    copies = [full, rows] if first else [_ROWS, full]
    text = HEAD + "".join(line for copy in copies for line in copy)
    for config in (NEAR, dedup.Config(similarity=0.8, near_facts=True)):
        assert own in _clean(text, config._replace(keep=keep)).text


# ---------------------------------------------------------------- audit

_AUDITED = HEAD + LIBRARY + _swapped(
    LIBRARY, "least of all the staff>and none of them had hoped for it, least of all the staff", "green>yellow"
) + _OWN + _swapped(_ROWS[0], "last evening>on 12 May")  # fmt: skip
_PLAIN = "".join([HEAD, *_ROWS[:2], _OWN, *_ROWS[:2], *_ROWS[2:]])
_Damage = Callable[[Result], Result]


def _without(which: Callable[[Block], bool]) -> _Damage:
    return lambda result: result._replace(blocks=tuple(b for b in result.blocks if not which(b)))


def _with_first_removed(change: Callable[[Block], Block]) -> _Damage:
    def damage(result: Result) -> Result:
        first = result.removed[0]
        return result._replace(blocks=tuple(change(b) if b is first else b for b in result.blocks))

    return damage


def _flipped(data: bytes) -> bytes:
    at = data.index(b"council")
    return data[:at] + b"C" + data[at + 1 :]


_NOT_MADE, _NOT_BACK = "the clean text is not made of the input", "the undo does not give the input back"
_NOT_TOLD, _NOT_HELD = "words are gone, and no block says why", "what was kept does not hold the words of the copy"


def _less(result: Result) -> Result:
    pieces = result.pieces[:-1]
    return result._replace(pieces=pieces, clean=b"".join(result.data[start:end] for start, end in pieces))


def _late(result: Result) -> Result:
    (start, end), *rest = result.pieces
    return result._replace(pieces=((start + 1, end), *rest))


def _larger(block: Block) -> Block:
    start, end = block.copy.bytes
    return block._replace(copy=block.copy._replace(bytes=(start - 40, end)))


_DAMAGES: list[tuple[str, _Damage, str]] = [
    ("a removed block is not told", lambda r: _without(lambda b: b is r.removed[0])(r), _NOT_TOLD),
    ("a byte of the clean text is another", lambda r: r._replace(clean=_flipped(r.clean)), _NOT_MADE),
    ("the clean text lacks its end", lambda r: r._replace(clean=r.clean[:-9]), _NOT_MADE),
    ("the clean text has more", lambda r: r._replace(clean=r.clean + b"more\n"), _NOT_MADE),
    ("an op of the undo is missing", lambda r: r._replace(ops=r.ops[1:]), _NOT_BACK),
    ("the undo has an op more", lambda r: r._replace(ops=(*r.ops, Op(None, b"x"))), _NOT_BACK),
    ("the undo takes other bytes", lambda r: r._replace(ops=(Op((0, 5), None), *r.ops[1:])), _NOT_BACK),
    ("a piece is missing", lambda r: r._replace(pieces=r.pieces[1:]), _NOT_MADE),
    ("a piece starts late", _late, _NOT_MADE),
    ("pieces and text lack the same words", _less, _NOT_TOLD),
    ("the witness is removed text", _with_first_removed(lambda b: b._replace(kept=b.copy, changes=())), _NOT_HELD),
    (
        "the witness is other text",
        _with_first_removed(lambda b: b._replace(kept=b.kept._replace(bytes=(0, 9)))),
        _NOT_HELD,
    ),
    ("the copy is larger than its witness", _with_first_removed(_larger), _NOT_HELD),
]


@pytest.mark.parametrize("text", [_AUDITED, _PLAIN], ids=["near", "exact"])
@pytest.mark.parametrize(("damage", "message"), [row[1:] for row in _DAMAGES], ids=[row[0] for row in _DAMAGES])
def test_a_damaged_result_does_not_pass(damage: _Damage, message: str, text: str) -> None:
    result = _clean(text)
    assert result.removed
    failures = audit(damage(result), NEAR)
    assert any(message in failure for failure in failures), failures


def test_a_difference_that_is_not_told_does_not_pass() -> None:
    result = _clean(HEAD + LIBRARY + _swapped(LIBRARY, "green>yellow"))
    assert "does not hold" in audit(_with_first_removed(lambda b: b._replace(changes=()))(result), NEAR)[0]


def test_a_repeat_that_stays_and_is_not_told_does_not_pass() -> None:
    first, second = (_swapped(LIBRARY, f"last evening>on {day}") for day in ("Friday", "Monday"))
    result = _clean(HEAD + first + second)
    assert result.repeated
    (failure,) = audit(_without(lambda b: not b.removed)(result), NEAR)
    assert "still stands twice, and no block says why" in failure


def test_the_audit_reads_the_settings_that_the_result_was_made_under() -> None:
    lead = "Nobody swept before breakfast although the foreman rang his bell.\n"
    config = dedup.Config(min_words=12)
    result = dedup.clean(lead + _OWN + lead, config)
    assert (result.blocks, audit(result, config)) == ((), [])
    assert len(audit(result, dedup.Config())) == 1


# ---------------------------------------------------------------- undo

_CONFIGS = [
    NEAR,
    dedup.Config(similarity=0.7, near_facts=True),
    dedup.Config(similarity=0.9, keep="last", near_facts=True),
    dedup.Config(similarity=0.8, keep="longest", min_paragraph=5),
]


@example(HEAD + LIBRARY + _swapped(LIBRARY, "it,>it or hoped for it,") + _swapped(LIBRARY, "green>yellow"), NEAR, "\n")
@settings(max_examples=60)
@given(_edited(), st.sampled_from(_CONFIGS), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_a_near_copy_is_taken_back_byte_for_byte(text: str, config: dedup.Config, end: str) -> None:
    result = _clean(text.replace("\n", end), config)
    again = dedup.clean(result.clean, config)
    assert again.clean == result.clean


@settings(max_examples=60)
@given(_edited())
def test_the_changes_of_a_block_lie_inside_it_in_order_and_cover_what_differs(text: str) -> None:
    result = _clean(text)
    for block in result.blocks:
        at = block.copy.bytes[0], block.kept.bytes[0]
        rest: tuple[list[str], list[str]] = [], []
        for spans in [*block.changes, ((block.copy.bytes[1],) * 2, (block.kept.bytes[1],) * 2)]:
            for side, span in enumerate(spans):
                assert at[side] <= span[0] <= span[1]
                rest[side].extend(keys(result.data[at[side] : span[0]].decode()))
            at = spans[0][1], spans[1][1]
        if block.changes:
            assert rest[0] == rest[1]
            assert all(result.data[slice(*c.copy)] != result.data[slice(*c.kept)] for c in block.changes)


@pytest.mark.parametrize("keep", ["best", "first", "last"])
@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0), (1, 2), (2, 1)])
def test_a_sentence_that_only_one_copy_has_is_not_lost(first: int, second: int, keep: "Keep") -> None:
    body = (
        "The harbour master says that nobody has to leave the quay before nine, whatever the tide does, that boats"
        " with a lantern may stay until the morning if they keep it lit, and if somebody sleeps on board while the rest"
        " are away in the inns of the upper town and the wind "
    )
    ends = [
        "may do.",
        "might say. Then the harbour master rang the old bell himself.",
        "may do. Children are asked to leave their whistles at home.",
    ]
    raw = f"Harbour\n{body}{ends[first]}\nA line of its own stands here.\n{body}{ends[second]}\n"
    text = dedup.clean(raw, NEAR._replace(keep=keep)).text
    for end in (first, second):
        assert ends[end].partition(". ")[2] in text


_CHANGED = _swapped(LIBRARY, "crowded>narrow", "green>yellow")


def test_three_versions_in_a_row_each_repeat_what_is_kept() -> None:
    """A second pass cuts around a cut of the first: each part is told with the words that it repeats."""
    result = _clean(LIBRARY + _swapped(LIBRARY, "crowded>narrow") + _swapped(LIBRARY, "green>yellow"), NEAR)
    assert result.text == LIBRARY
    assert all(block.similarity > 0.8 for block in result.removed), result.removed


def test_a_chain_of_copies_out_of_order_keeps_the_order_of_reading() -> None:
    wrapped = [textwrap.fill(row, 50) + "\n" for text in (LIBRARY, _CHANGED) for row in text.splitlines()]
    assert _clean("Library saved\n" + "".join(wrapped) + LIBRARY, NEAR).text == "Library saved\n" + LIBRARY
