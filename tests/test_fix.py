"""The fixers: what each mends, what it leaves alone, and what holds for all of them."""

import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup import fix
from dedup.errors import InputError, UsageError
from dedup.fix import FIXERS, SAFE, Edit
from tests.documents import texts
from tests.run import ROOT

ROUNDS = 6
LANGUAGES = "en de fr es it pt nl pl ru uk sr cs tr ar fa zh ja ko hi id sv"
COLUMN = (
    "The ferry across the sound was late again this morning, because\n"
    "a herd of cows had taken the landing stage for a part of their\n"
    "pasture, and nobody on board had the heart to sound the horn at\n"
    "them.\n"
)


def mend(text: str, *names: str) -> str:
    """Apply fixers in order until none of them has an edit."""
    for _ in range(ROUNDS):
        before = text
        for name in names:
            text = fix.apply(text, fix.edits(text, name))
        if text == before:
            return text
    raise AssertionError(f"{names} reached no fixed point")


def check(name: str, rows: Sequence[tuple[str, str]]) -> None:
    for text, expected in rows:
        assert mend(text, name) == expected


def leaves(name: str, rows: Sequence[str]) -> None:
    for text in rows:
        assert fix.edits(text, name) == []


# ---------------------------------------------------------------- mojibake


def test_text_read_in_a_wrong_encoding_is_read_again() -> None:
    check(
        "mojibake",
        [
            ("Die BrÃ¼cke Ã¼ber die StraÃŸe", "Die Brücke über die Straße"),
            ("Le thÃ©Ã¢tre est fermÃ© jusquâ€™Ã\xa0 lundi", "Le théâtre est fermé jusqu'à lundi"),
            ("ÐœÐ¾ÑÑ‚ Ñ‡ÐµÑ€ÐµÐ· Ñ€ÐµÐºÑƒ".replace("ÑÑ", "Ñ\x81Ñ"), "Мост через реку"),
            ("a cafÃƒÂ© read twice", "a café read twice"),
            ("\x93Well,\x94 she said", '"Well," she said'),
            ("a weiÃ&#376;er Fleck", "a weißer Fleck"),
        ],
    )


def test_lines_with_a_sound_encoding_stay_as_they_are() -> None:
    leaves(
        "mojibake",
        [
            "“It’s ﬁne,” said Zoë… ‘is it?’",
            "À « bientôt », dit-il. ÇA, LÀ-BAS… É»",
            "Мост через реку… «её» — №5",
            "10 Å — 5×£35, 20 °C, ½ × ¾",
            "Ａｌｌ　ｗｉｄｅ、本当。",
            "R&amp;D &Atilde;&copy; stay to `entities`",
            "a next line\x85 and no ellipsis",
        ],
    )


def test_only_the_line_with_the_damage_changes() -> None:
    text = "“One” line…\r\nA cafÃ©\r\n“Two” lines…"
    assert fix.edits(text, "mojibake") == [Edit(18, 20, "é")]


def test_wide_characters_beside_the_damage_stay_wide() -> None:
    assert mend("本当、ｃａｆÃ©！", "mojibake") == "本当、ｃａｆé！"


def test_bytes_that_did_not_decode_cut_a_line_in_two() -> None:
    assert mend("cafÃ© \udce9\udc80 thÃ© \ud83d", "mojibake") == "café \udce9\udc80 thé \ud83d"


# ---------------------------------------------------------------- entities


def test_entities_in_plain_text_are_read() -> None:
    check(
        "entities",
        [
            ("Salt &amp; Pepper isn&#8217;t &eacute;lan", "Salt & Pepper isn’t élan"),
            ("R&amp;amp;amp;D", "R&D"),
            ("10&nbsp;km, 5 &lt; 6, I &lt;3 it", "10\xa0km, 5 < 6, I <3 it"),
            ("&#150; &#x2014; &quot;so&quot;", '– — "so"'),
            ("B&ouml;&szlig;e &#1052;&#1080;&#1088;", "Böße Мир"),
        ],
    )


def test_entities_stay_where_they_are_right_or_none() -> None:
    leaves(
        "entities",
        [
            "<p>Salt &amp; Pepper</p>",
            "Write &lt;b&gt;Pepper&lt;/b&gt; for a bold one &amp; so on",
            'Write "&amp;" for an ampersand, and `&lt;` for &amp;',
            "&bogus; AT&T; a&b;c &amp without its end &#99999999;",
            "&#1; &#x1b; &#55296; &#xdc80; &#0; &#13; &#10; &#129;",
            "<!-- a note &amp; more -->",
        ],
    )


def test_a_character_that_entities_spell_in_turn_is_read_to_the_end() -> None:
    assert mend("&am&#112;;", "entities") == "&"


def test_entities_that_a_text_is_about_are_read_too_so_the_fixer_is_not_safe() -> None:
    check(
        "entities",
        [
            ("Write &amp; for an ampersand.", "Write & for an ampersand."),
            ("double *p = &pi;", "double *p = π"),
            ("https://a.example/?x=1&para;=2", "https://a.example/?x=1¶=2"),
            ("| x &#124; y |", "| x | y |"),
        ],
    )
    assert "entities" not in SAFE


# ---------------------------------------------------------------- invisible


def test_characters_that_nobody_sees_go() -> None:
    check(
        "invisible",
        [
            ("co\xadop\u200be\u200crate\ufeff\u2060d", "cooperated"),
            ("\x1b[1;31mred\x1b[0m \x1b]8;;http://a.example\x07link\x1b]8;;\x07", "red link"),
            ("be\x07ll\x00 \x7f", "bell "),
            ("one\x0btwo\x1fthree \x0b four", "one two three  four"),
            ("b\x08bo\x08ol\x08ld _\x08u", "bold u"),
            ("a \u202aplain\u202c \u200eword", "a plain word"),
            ("北京\u200d市", "北京市"),
        ],
    )


def test_invisible_characters_stay_where_they_do_something() -> None:
    leaves(
        "invisible",
        [
            "👩\u200d🚀 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3",
            "می\u200cخواهم خانه\u200cها",
            "क्\u200dष श्री र्\u200cक",
            "ภาษา\u200bไทย ភាសា\u200bខ្មែរ ພາສາ\u200bລາວ",
            "\u200fשלום\u200e (C++)\u200e",
            "turned \u202ednuora\u202c",
            "bro\xad\nken",
            "a\tb\r\nc\x0cd",
            "a quote read wrong: \x93so\x94",
            "caf\udce9\ud800",
        ],
    )


# ---------------------------------------------------------------- nfc


def test_letters_and_marks_are_composed() -> None:
    check(
        "nfc",
        [
            ("cafe\u0301 u\u0308ber o\u0323\u0301", "café über ọ́"),
            ("가\u11a8".replace("가", "\u1100\u1161"), "각"),
            ("\u212b \u2126", "Å Ω"),
        ],
    )
    leaves("nfc", ["café", "Z̷̡͙͎a̶͇lgo".replace("Z̷̡͙͎", "Z\u0337"), "\udce9\u0301", "हिन्दी", "각"])


def test_only_the_letters_that_change_are_edited() -> None:
    assert fix.edits("é cafe\u0301 é", "nfc") == [Edit(5, 7, "é")]


# ---------------------------------------------------------------- newlines, whitespace


def test_lines_end_as_most_of_them_do() -> None:
    check(
        "newlines",
        [
            ("a\nb\r\nc\n", "a\nb\nc\n"),
            ("a\nb\r\nc\r\n", "a\r\nb\r\nc\r\n"),
            ("a\rb\n", "a\rb\r"),
            ("a\r\nb\n", "a\r\nb\r\n"),
            ("a\nb\r\n", "a\nb\n"),
        ],
    )
    leaves("newlines", ["a\r\nb\r\n", "a\nb", "a\rb\r", "", "a\u2028b"])


def test_white_space_that_separates_nothing_goes() -> None:
    check(
        "whitespace",
        [
            ("a \t\r\nb\xa0\n\u3000\nc ", "a\r\nb\n\nc"),
            ("a\n\n\n\n\nb\n\n", "a\n\nb\n\n"),
            ("\n\n\na", "\na"),
            ("some\xa0words, and\u2009more", "some words, and more"),
            ("a \xa0 b. \xa0C", "a b. C"),
            ("मौसम\xa0के\xa0बाद", "मौसम के बाद"),
        ],
    )


def test_white_space_stays_where_a_typographer_or_an_author_set_it() -> None:
    leaves(
        "whitespace",
        [
            "Quoi\xa0? «\xa0Rien\xa0» dit-il\xa0; 10\xa0000\xa0€, 5\u202f%",
            "Mr.\xa0Oster, J.\xa0K. w\xa0domu, s.\xa07, 10\xa0km",
            "[x]\xa0©",
            "    an indent  and  columns\n\n\ta tab\tinside",
            "\xa0\xa0an indent of another kind",
            "字\u3000字",
        ],
    )


def test_line_ends_of_two_lines_never_become_one() -> None:
    assert mend("a\r \nb", "whitespace") == "a\r \nb"


# ---------------------------------------------------------------- hyphenation


def test_broken_words_are_joined_where_there_is_evidence() -> None:
    check(
        "hyphenation",
        [
            ("of repatri-\nation, they", "of repatriation,\nthey"),
            ("a lan-\r\n  tern; the lantern", "a lantern;\r\nthe lantern"),
            ("ein Frei-\nheits- und ein Freiheits", "ein Frei-\nheits- und ein Freiheits"),
            ("die Regie-\nrung. Die Regierung", "die Regierung.\nDie Regierung"),
            ("мост и ве-\nсна, а весна", "мост и весна,\nа весна"),
            ("a soft one: lan\xad\ntern is", "a soft one: lantern\nis"),
            ("a lan-\ntern\nand a lantern", "a lantern\nand a lantern"),
            ("a lan-\ntern", "a lan-\ntern"),
        ],
    )


def test_compounds_and_what_may_be_one_stay() -> None:
    leaves(
        "hyphenation",
        [
            "a well-\nknown man",
            "a well-\nknown, wellknown and well-known man",
            "the Anglo-\nSaxon and Anglosaxon",
            "pages 10-\n12",
            "https://a.example/lan-\ntern lantern",
            "a - \nlist",
            "and so -\nhe said",
        ],
    )


def test_a_word_joined_for_its_suffix_is_evidence_for_the_same_word() -> None:
    assert mend("repatri-\nation and repa-\ntriation", "hyphenation") == "repatriation\nand repatriation"


# ---------------------------------------------------------------- wraps


def test_wrapped_prose_becomes_paragraphs() -> None:
    joined = COLUMN[:-1].replace("\n", " ") + "\n"
    assert mend(COLUMN, "wraps") == joined
    assert mend(f"{COLUMN}\n{COLUMN}", "wraps") == f"{joined}\n{joined}"
    indented = "\n".join(["   " + COLUMN.split("\n")[0][:60], *COLUMN.split("\n")[1:]])
    assert mend(f"{COLUMN}{indented}", "wraps").startswith(f"{joined}   The ferry")


def test_a_compound_broken_at_its_hyphen_keeps_the_hyphen() -> None:
    text = COLUMN.replace("again this morning, because", "again on this cloud-and-rain-").replace("a herd", "wet herd")
    assert "rain-wet herd" in mend(text, "wraps")


def test_lines_that_were_meant_as_lines_stay() -> None:
    leaves(
        "wraps",
        [
            "Now thinner grow the reeds along the water of the sound\n"
            "The ferryman has hung his coat upon the landing nail\n"
            "And nobody will cross tonight who is not homeward bound\n"
            "For evening comes across the sea beneath a yellow sail",
            COLUMN.replace("\na ", "\n- a "),
            "\n".join(f"    {line}" for line in COLUMN.split("\n")),
            COLUMN.replace("this morning", "on  this  day"),
            COLUMN.replace("because", "if (c) {"),
            "Oster Mill\nPell Bridge Road 14\nthe back door\n",
            "A short line that was never wrapped at all, and so it ends\nhere.\n",
            "北京的桥很长，" * 9 + "\n" + "北京的桥很长，" * 9 + "\n" + "北京的桥很长，" * 9,
        ],
    )


def test_a_line_with_room_for_the_next_word_ends_on_purpose() -> None:
    assert fix.edits(COLUMN.replace(", because", ""), "wraps") == []


# ---------------------------------------------------------------- stubs, furniture


def test_notes_that_a_text_goes_on_elsewhere_go() -> None:
    check(
        "stubs",
        [
            ("They left the town… Read more »\n\nNext.\n", "They left the town…\n\nNext.\n"),
            ("They left.\nCONTINUE READING →\nNext.", "They left.\nNext."),
            ("Sie gingen ... Weiterlesen", "Sie gingen ..."),
            ("They left […]", "They left"),
            ("They left [...]\n\n(more)\n", "They left\n\n"),
            ("桥很长……阅读全文", "桥很长……"),
            ("They left [...] Read more", "They left"),
            ("… Lire la suite", ""),
        ],
    )


def test_sentences_that_use_the_same_words_stay() -> None:
    leaves(
        "stubs",
        [
            "He wanted … more",
            "She wanted to … read more.",
            "Read more of it tomorrow.",
            "“They left […]\n\nand came back.”",
            "Please read more",
        ],
    )


def test_lines_of_the_page_go_with_their_line_ends() -> None:
    check(
        "furniture",
        [
            ("One.\r\nShare on  Facebook\r\nTWEET\r\nTwo.\r\n", "One.\r\nTwo.\r\n"),
            ("One.\n— Anzeige —\nTwo.\nPublicité", "One.\nTwo.\n"),
            ("One.\n12 comments\nTwo.", "One.\nTwo."),
            ("广告\nОдин.\nРеклама\n", "Один.\n"),
            ("एक।\nयह भी पढ़ें:\n", "एक।\n"),
            ("하나.\nＵＲＬ 복사\n", "하나.\n"),
        ],
    )


def test_lines_that_are_more_than_furniture_stay() -> None:
    leaves(
        "furniture",
        [
            "The advertisement said so.",
            "Tweet tweet, said the bird",
            "a total of\n12,000 shares.",
            "***",
            "\udce9Tweet",
        ],
    )


def test_a_list_of_the_user_takes_the_place_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('en = ["Oster Mill #", "To the mill …"]\n', encoding="utf-8")
    lists = fix.phrases(str(path))
    assert fix.edits("oster mill 12\nTweet", "furniture", lists) == [Edit(0, 14, "")]
    assert fix.edits("So… To the mill", "stubs", lists) == [Edit(3, 15, "")]
    assert fix.edits("So… Read more", "stubs", lists) == []
    assert fix.edits("Tweet", "furniture", {}) == []


def test_our_list_has_a_stub_and_furniture_in_each_language() -> None:
    lists = fix.phrases(None)
    assert set(lists) == set(LANGUAGES.split())
    for entries in lists.values():
        assert any(entry.endswith("…") for entry in entries)
        assert any(not entry.endswith("…") for entry in entries)
        for entry in entries:
            assert mend(f"A.\n{entry.replace('#', '7')}\nB.", "stubs", "furniture") == "A.\nB."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"en = [", "not TOML"),
        (b"en = ['\xff']", "not TOML"),
        (b"en = 'Tweet'", "en is not a list"),
        (b"en = ['Tweet', 7]", "en, entry 2: 7 is no phrase"),
        (b"en = ['Tweet', ' -- ']", "en, entry 2"),
        (b"[en]\nlines = ['Tweet']", "en is not a list"),
    ],
)
def test_a_broken_list_says_what_is_wrong_where(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match="mine.toml: .*" + message):
        fix.phrases(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        fix.phrases(str(tmp_path / "none.toml"))


# ---------------------------------------------------------------- all of them


def test_names_are_chosen_once_each_in_order_of_application() -> None:
    assert fix.chosen(["furniture", "nfc", "safe", "nfc"]) == ("mojibake", "invisible", "nfc", "furniture")
    assert fix.chosen(["safe"]) == SAFE
    assert fix.chosen([]) == ()
    with pytest.raises(UsageError, match=r"no fixer 'all': there is safe .*mojibake, .*furniture"):
        fix.chosen(["all"])


def test_each_fixer_has_its_reason() -> None:
    assert all(fix.reason(name) for name in FIXERS)


def test_a_run_without_fixers_pays_for_none() -> None:
    code = (
        "import sys\nbefore = set(sys.modules)\nimport dedup.fix\n"
        "dedup.fix.reason(*dedup.fix.chosen(['nfc']))\nprint(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True, text=True)
    assert "dedup.fix" in done.stdout.split()
    assert not {"re", "typing", "unicodedata", "html", "tomllib", "ftfy", "dedup.fixers.line"} & {*done.stdout.split()}


_SCRAPS = (
    "a b é e\u0301 ß Ã © Ã© â€œ â€ \x93 \x85 \xa0 \u2009 \xad \u200b \u200d \u202e \ufeff \x1b \x1b[0m [31m \x08 "
    "\x0b \x00 \x1f & amp; &amp; # 38; &#38; &#112; lt; &lt; b> > < &nbsp; &frac14; \udce9 \udc80 \ud83d \udc4d "
    "ا ب ก က 中 👩 - \u2010 — … ... […] [...] tion lan tern lantern repa triation ation . , ; » ( ) (more) more "
    "Read Tweet Advertisement 12 comments Share"
)
_ENDS = ["\n", "\n", "\r", "\r\n", " ", " ", "  ", "\t", "Read more", "-\n", "lan-\ntern", "repatri-\nation ", COLUMN]
_PIECES = st.sampled_from([*_SCRAPS.split(" "), *_ENDS])
_MESSES = st.one_of(st.lists(_PIECES, max_size=40).map("".join), texts(), st.text(max_size=40))


def _surrogates(text: str) -> list[str]:
    return [c for c in text if "\ud800" <= c <= "\udfff"]


@pytest.mark.parametrize("name", FIXERS)
@given(text=_MESSES)
@example(text="a\r \n\n\r\n")
@example(text="b\x08\x08b\x08b")
def test_edits_are_apart_and_mend_for_good(name: str, text: str) -> None:
    found = fix.edits(text, name)
    assert all(0 <= start <= end <= len(text) and text[start:end] != put for start, end, put in found)
    assert all(left.end < right.start for left, right in pairwise(found))
    mended = fix.apply(text, found)
    assert fix.edits(mended, name) == []
    assert _surrogates(mended) == _surrogates(text)


@given(text=_MESSES, names=st.sets(st.sampled_from([*FIXERS])))
def test_fixers_together_reach_a_fixed_point(text: str, names: set[str]) -> None:
    mend(text, *fix.chosen(names))
    mend(text, *FIXERS)


_LONG = {
    "words": "a " * 100_000,
    "line ends": "\n" * 200_000,
    "line ends of two kinds": "\r" * 100_000 + "\n" * 99_999,
    "blank lines": "a\n \n" * 50_000,
    "entities": "&amp;" * 40_000,
    "an entity of entities": "&" + "amp;" * 50_000,
    "capitals": "Ã" * 200_000,
    "spaces": " " * 100_000 + "a",
    "hard spaces": "\xa0 " * 50_000 + "a",
    "a word": "a" * 200_000,
    "a word and an entity": "a" * 200_000 + "&amp;",
    "escapes": "\x1b]" * 50_000,
    "hyphens": "a-\nb " * 40_000,
    "ellipses": "… " * 50_000,
    "elisions": "a […]\n" * 30_000,
    "mojibake": "Ã© " * 20_000,
    "prose": COLUMN * 400,
    "furniture": "Tweet\n" * 20_000,
    "letters apart": "e\u0301" * 50_000,
    "marks": "a" + "\u0301" * 100_000,
    "zero widths": "\u200b" * 100_000,
    "tags": "<a " * 50_000,
}


@pytest.mark.parametrize("text", _LONG.values(), ids=_LONG)
def test_long_and_periodic_text_is_mended_in_the_same_way(text: str) -> None:
    for name in FIXERS:
        mended = fix.apply(text, fix.edits(text, name))
        assert fix.edits(mended, name) == []
