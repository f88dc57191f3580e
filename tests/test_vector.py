"""The vector kernel finds what the readable stages find: law 6."""

from itertools import pairwise
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup import Config, normalise, shingle, vector, within
from dedup.chain import chain
from dedup.decode import decode
from dedup.errors import InputError
from dedup.within import Input, clean_documents
from tests.documents import documents
from tests.run import SEED

# Characters that the tables know by kind, and those whose words are told one by one.
_ODD = (
    "aZ09_ \n\r\t.&;#'-—’…«»ßſﬁ½²ªİıςΣÅÀàŠÂã©Ã€œ\u0301\u0327\u00ad\u200b\u2060\ufeff\u0345नमस्ते가각\u1100\u1161"
    "\uffa1ｶﾞ北京ไทย้ລ\udc80\ufdfa٣𝟘𐐀"
)
_texts = st.one_of(st.text(), st.text(st.sampled_from(_ODD)), st.text(st.sampled_from("ab &;amp#38 Ã©")))


def _readable(text: str) -> tuple[list[int], list[int], str]:
    found = normalise.words(text)
    return list(found.starts), list(found.sizes), found.reading


@given(st.lists(_texts, max_size=6))
@example(["È”", "a", "È”"])
@example(["a\u0301", "\u0301b", "", "\u0301"])
def test_words_are_those_of_the_readable_stage(texts: list[str]) -> None:
    batch = vector.Batch(texts)
    for number, text in enumerate(texts):
        found = batch.words(number)
        assert (list(found.starts), list(found.sizes), found.reading) == _readable(text)


@given(st.lists(_texts, max_size=6))
@example(["ﬁne fine FINE ＦＩＮＥ", "stra\u00adße STRASSE", "cafe\u0301 café caf&eacute; cafÃ©"])
def test_words_have_one_hash_where_they_have_one_key(texts: list[str]) -> None:
    batch = vector.Batch(texts)
    keys = [key for number in batch.order for key in normalise.keys(texts[number])]
    known: dict[str, int] = {}
    for key, value in zip(keys, batch.hashes.tolist(), strict=True):
        assert known.setdefault(key, value) == value
    assert len(set(known.values())) == len(known)


@given(st.lists(st.sampled_from(["word", "other", "word of several parts", "é"]), max_size=60), st.integers(4, 9))
def test_matches_are_those_of_the_readable_stages(said: list[str], k: int) -> None:
    text = " ".join(said)
    words = normalise.words(text)
    assert vector.matches(vector.words(text), k) == chain(words, shingle.links(words, k), k)


@given(st.lists(documents(), max_size=4))
def test_no_text_is_missed_where_the_readable_stage_has_links(found: list[bytes]) -> None:
    texts = [data.decode("utf-8", "surrogateescape") for data in found]
    linked = {number for number, text in enumerate(texts) if shingle.links(normalise.words(text), 8)}
    assert vector.Batch(texts).repeating(8) >= linked
    assert {number for number, text in enumerate(texts) if normalise.repeating(text, 8)} == linked
    long = {number for number, text in enumerate(texts) if shingle.links(normalise.words(text), 40)}
    assert {number for number, text in enumerate(texts) if normalise.repeating(text, 40)} >= long


@given(documents(), st.sampled_from([Config(), Config(similarity=0.9), Config(similarity=0.7, near_facts=True)]))
def test_a_document_has_one_result_whichever_kernel_reads_it(data: bytes, config: Config) -> None:
    one = dedup.clean(data, config=config, force_text=True)
    for vast in (0, len(data) + 1):
        with patch.multiple(within, _LARGE=0, _VAST=vast):
            assert dedup.clean(data, config=config, force_text=True) == one


@given(
    st.lists(st.one_of(documents(), st.binary(max_size=40)), max_size=6),
    st.sampled_from([Config(), Config(similarity=0.9)]),
)
def test_documents_have_the_results_of_each_by_itself(batch: list[bytes], config: Config) -> None:
    read = clean_documents([Input(data, f"{n}", True) for n, data in enumerate(batch)], config, words=True)
    found = [cleaned for cleaned in read if not isinstance(cleaned, InputError)]
    assert [result for result, _ in found] == [
        dedup.clean(data, config=config, source=f"{n}", force_text=True) for n, data in enumerate(batch)
    ]
    words = vector.Batch.of([part for _, part in found if part])
    for number, (result, _) in enumerate(found):
        assert words.texts[number] == decode(result.clean, force_text=True, encoding=result.encoding).text
        alone = vector.words(words.texts[number])
        assert list(words.words(number)[1:3]) == list(alone[1:3])
        assert words.hashes[words.span(number)].tobytes() == bytes(alone.hashes)


def test_the_windows_of_a_long_text_cut_no_word() -> None:
    random = Random(1)
    for pool in ("ab é.\n", "ab .", "北京。\n", "a\u0301 b"):
        text = "".join(random.choices(pool, k=3 * vector._WINDOW))
        found = vector.words(text)
        assert (list(found.starts), list(found.sizes), found.reading) == _readable(text)
        ends = [start + size for start, size in zip(found.starts, found.sizes, strict=True)]
        assert all(end <= start for end, (_, start) in zip(ends, pairwise(found.starts), strict=False))


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 17, 256, 257, 70_000])
def test_a_word_of_any_length_has_a_hash_of_all_of_it(size: int) -> None:
    word = "a" * size
    hashes = vector.Batch([f"{word} {word[:-1]}b b{word[1:]} {word}"]).hashes.tolist()
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == (2 if size == 1 else 3)


def test_matches_do_not_depend_on_how_many_shingles_are_sorted_at_once() -> None:
    random = Random(5)
    words = vector.words(" ".join(random.choice("abc") for _ in range(3000)))
    whole = chain(words, shingle.links(words, 4), 4)
    assert len(whole) > 100
    for size in (1, 7, 500, 2996, 2997, 1 << 16):
        with patch.object(vector, "_BLOCK", size):
            assert vector.matches(words, 4) == whole


def test_odd_words_have_one_hash_however_many_are_remembered() -> None:
    text = " ".join(f"e\u0301{number}" for number in range(50))
    whole = vector.Batch([text]).hashes.tolist()
    with patch.object(vector, "_TOLD", {}), patch.object(vector, "_REMEMBERED", 30):
        assert vector.Batch([text[:80]]).hashes.tolist()[:10] == whole[:10]
        assert vector.Batch([text]).hashes.tolist() == whole


def test_lines_are_those_with_words_in_order() -> None:
    batch = vector.Batch(["One two.\r\n***\n\nThree &#10; four\rfive", "", "Ü\n"])
    first, sizes, lines = batch.lines(1)
    assert lines == ["One two.", "Three &#10; four", "five", "Ü"]
    assert (first.tolist(), sizes.tolist()) == ([0, 2, 4, 5], [2, 2, 1, 1])
    assert batch.lines(2)[2] == ["One two.", "Three &#10; four"]


def test_the_seed_is_repaired_by_either_kernel() -> None:
    with patch.object(within, "_LARGE", 0):
        assert dedup.clean(SEED.read_bytes()) == dedup.clean(SEED.read_text())
