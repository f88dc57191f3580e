"""Batches: what documents share, what goes because another one has it, and that no word goes with it."""

import textwrap
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import lru_cache
from itertools import accumulate, combinations
from random import Random
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_digest

import dedup
from dedup import Config, vector
from dedup.across import CONTAINED, HALF, find
from dedup.decode import byte_offsets, decode
from dedup.engine import CAP, Tables
from dedup.features import MIN_LINE, features
from dedup.fingerprint import RUN, SHINGLE, distinct, fingerprints, overlap, shingles, winnow
from dedup.model import Document, Findings, Result, Shared, Span
from dedup.normalise import _Digests, keys, words
from tests.documents import articles, documents

Batch = tuple[tuple[str, bytes], ...]
"""Documents by name."""

NEAR = Config(similarity=0.8)
CUTS = Config(passages=True, min_passage=12, boilerplate=True, min_documents=2)
EVERYTHING = CUTS._replace(contained=True)  # but copies that differ
EXACT = [Config(), Config(contained=True), CUTS._replace(boilerplate=False), CUTS._replace(passages=False), EVERYTHING]
ALL = [*EXACT, NEAR, EVERYTHING._replace(similarity=0.8, near_facts=True)]
"""In those of EXACT no word may go."""


def some(share: int) -> settings:
    """So many examples where the profile has 500: a batch costs more than a document."""
    ours = settings()
    return settings(
        max_examples=max(1, ours.max_examples * share // 500), suppress_health_check=list(HealthCheck), deadline=None
    )


# ---------------------------------------------------------------- batches to try


_LINES = ["Share this story with all of your friends", "READ MORE: our letters, every morning", "More news"]
_random = st.integers(0, 2**32 - 1).map(Random)


def _edited(lines: list[str], every: int, random: Random) -> list[str]:
    """One word in `every` is another one of the text."""
    pool = " ".join(lines).split(" ")
    return [
        " ".join(random.choice(pool) if random.random() * every < 1 else word for word in line.split(" "))
        for line in lines
    ]


@st.composite
def _recipes(draw: st.DrawFn, article: list[str], other: list[str]) -> list[str]:
    """The lines of a document that has much in common with the others of its batch."""
    kind = draw(st.integers(0, 9))
    at = draw(st.integers(0, len(article)))
    if kind == 0:
        return list(other)
    if kind == 1:
        return article[:at] + other[draw(st.integers(0, len(other))) :]
    if kind == 2:
        return article[at:]
    if kind == 3:
        return article[:at]
    if kind == 4:
        return draw(st.lists(st.sampled_from([*article, *other, *_LINES]), max_size=8))
    if kind == 5:
        return draw(st.sampled_from([[], [""], ["word"], ["* * *"], article[:1]]))
    return list(article)


@st.composite
def _varied(draw: st.DrawFn, lines: list[str]) -> list[str]:
    """The lines after some artefact."""
    kind, random = draw(st.integers(0, 9)), draw(_random)
    if kind == 0:
        return [row for line in lines for row in textwrap.wrap(line, random.randint(30, 72)) or [line]]
    if kind == 1:
        return [line.upper() for line in lines]
    if kind == 2:
        return _edited(lines, random.choice([12, 25]), random)
    if kind == 3:
        return [" ".join(" ".join(lines).split(" ")[: random.randint(1, 200)])]
    if kind in (4, 5):
        at = random.randint(0, len(lines))
        return [*lines[:at], random.choice(_LINES), *lines[at:]]
    if kind == 6:
        return lines + lines[random.randint(0, 2) :]
    return lines


_TILES = {
    "F": "Ferrying engineing meadow.\n",
    "G": "Gardens coppers mirrors papers wintering orcharding saddles saddle museuming marbles basketing meadowing "
    "mountains baskets schools orcharding\n",
}

_LIST = """
harbour lantern copper violin meadow thunder basket candle saddle marble pocket needle bridge orchard cable ferry museum
letter window paper engine mountain winter market garden council street school fisher kettle ladder mirror
"""
_WORDS = _LIST.split()


@st.composite
def _mosaics(draw: st.DrawFn) -> list[list[str]]:
    """2-7 documents that are all made of a few lines: what one loses the others lose too, in every order."""
    random = draw(_random)
    sizes = draw(st.lists(st.sampled_from([3, 4, 6, 9, 9, 12, 16, 20, 36, 60]), min_size=3, max_size=8))
    tiles = [" ".join(random.choice(_WORDS) + random.choice(["", "s", "ing"]) for _ in range(n)) for n in sizes]
    tiles = [tile.capitalize() + random.choice([".", ".", ""]) for tile in tiles]
    return [
        [tile.upper() if draw(st.integers(0, 3)) == 3 else tile for tile in row]
        for row in draw(st.lists(st.lists(st.sampled_from(tiles), max_size=9), min_size=2, max_size=7))
    ]


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """2-7 documents made of the same few lines, or of the same two articles and lines of the site, or any documents."""
    if draw(st.booleans()):
        return _batch(*("\n".join(lines) + draw(st.sampled_from(["\n", "\n", ""])) for lines in draw(_mosaics())))
    article, other = draw(articles()), draw(articles())
    out = []
    for _ in range(draw(st.integers(2, 7))):
        if draw(st.integers(0, 19)) == 0:
            out.append(draw(documents()))
            continue
        lines = draw(_varied(draw(_varied(draw(_recipes(article, other))))))
        encoding = draw(st.sampled_from(["utf-8"] * 8 + ["utf-8-sig", "utf-16"]))
        end = draw(st.sampled_from(["\n", "\n", "\n", "\n\n", "\r\n"]))
        text = end.join(lines) + draw(st.sampled_from([end, end, ""]))
        out.append(text.replace("\0", "").encode(encoding, "surrogatepass"))
    return tuple((f"document {number}", data) for number, data in enumerate(out))


def _batch(*texts: str) -> Batch:
    return tuple((str(number), text.encode()) for number, text in enumerate(texts))


# ---------------------------------------------------------------- what was found, word by word


class Text(NamedTuple):
    """The words of a document, and the bytes where they start."""

    document: Document
    keys: list[str]
    starts: Sequence[int]

    def inside(self, span: Span) -> range:
        """The words that start in these bytes."""
        return range(bisect_left(self.starts, span[0]), bisect_left(self.starts, span[1]))

    def said(self, span: Span, but: Sequence[Span] = ()) -> list[str]:
        """The words of these bytes that are in none of those."""
        gone = {word for cut in but for word in self.inside(cut)}
        return [self.keys[word] for word in self.inside(span) if word not in gone]


def _text(data: bytes) -> Text:
    document = decode(data, force_text=True)
    return Text(document, keys(document.text), byte_offsets(document, words(document.text).starts))


class Ran(NamedTuple):
    """A batch that was cleaned, and the clean text of each document by itself."""

    results: tuple[Result, ...]
    findings: Findings
    alone: list[Result]

    @property
    def survivors(self) -> Batch:
        return tuple((r.source, r.clean) for n, r in enumerate(self.results) if n not in self.findings.dropped)


@lru_cache(256)
def _run(batch: Batch, config: Config) -> Ran:
    results, findings = dedup.clean_batch(batch, config)
    return Ran(results, findings, [dedup.clean(data, config, source=name) for name, data in batch])


def _contains(run: list[str], text: list[str]) -> bool:
    return any(text[at : at + len(run)] == run for at in range(len(text) - len(run) + 1))


def _repeats(copy: list[str], kept: list[str]) -> bool:
    """Whether `copy` is `kept`, or where it is longer, `kept` over and over."""
    return bool(kept) and len(copy) >= len(kept) and copy == (kept * (len(copy) // len(kept) + 1))[: len(copy)]


def _cuts_that_lie(ran: Ran) -> list[Shared]:
    """The cuts for which the same words do not stay where they say."""
    texts = [_text(result.clean) for result in ran.alone]
    cuts = ran.findings.cuts
    out = []
    for cut in cuts:
        (a, b), others = cut.copy, [c for c in cuts if c is not cut]
        inner = [c.copy for c in others if c.document == cut.document and a <= c.copy[0] and c.copy[1] <= b]
        copy = texts[cut.document].said(cut.copy, inner)
        kept = texts[cut.first].said(cut.kept, [c.copy for c in cuts if c.document == cut.first])
        if not _repeats(copy, kept) or (cut.first != cut.document and copy != kept) or len(copy) != cut.words:
            out.append(cut)
    return out


# ---------------------------------------------------------------- the laws


def by_any_settings(law: "Callable[[Batch, Config], None]") -> "Callable[[], None]":
    """Ask a law of batches under any settings: the same ones for each law, so each is cleaned once."""
    return seed(7)(some(70)(given(batches(), st.sampled_from(ALL))(law)))


def by_default(law: "Callable[[Batch], None]") -> "Callable[[], None]":
    """Ask a law of batches under the default settings."""
    return seed(7)(some(50)(given(batches())(law)))


@example(
    tuple(
        (f"{at}", "".join([_TILES[tile] for tile in tiles]).encode())
        for at, tiles in enumerate(["G", "G" * 6, "G" * 9, "G" * 8 + "F", "FG", "FG"])
    ),
    CUTS._replace(passages=False),
)  # the fourth, cut, is what the fifth is then, which the sixth went for
@by_any_settings
def test_a_dropped_document_has_a_witness_that_stays(batch: Batch, config: Config) -> None:
    findings = _run(batch, config).findings
    for document, member in findings.dropped.items():
        assert member.witness is not None
        assert member.witness not in findings.dropped, (document, member)
    assert {m.document for c in findings.clusters for m in c.members if m.removed} == set(findings.dropped)


@by_default
def test_by_default_a_dropped_document_has_the_words_of_its_witness_which_is_the_first_that_has_them(
    batch: Batch,
) -> None:
    ran = _run(batch, Config())
    said = [_text(result.clean).keys for result in ran.alone]
    firsts = {n: said.index(words) for n, words in enumerate(said) if words and said.index(words) < n}
    assert {n: member.witness for n, member in ran.findings.dropped.items()} == firsts


@by_any_settings
def test_no_word_is_lost_over_a_batch(batch: Batch, config: Config) -> None:
    """But with --near. Whole paragraphs stay together too, unless the document goes as a whole."""
    if config.similarity is not None:
        return
    ran = _run(batch, config)
    before, after = ([_text(data).keys for data in texts] for texts in ((r.clean for r in ran.alone), _data(ran)))
    assert {word for text in before for word in text} == {word for text in after for word in text}
    kept = "".join(map(_string, after))
    stay = [result for number, result in enumerate(ran.alone) if number not in ran.findings.dropped]
    for line in (keys(line) for result in stay for line in result.text.splitlines()):
        assert not line or _string(line) in kept, line


def _string(words: list[str]) -> str:
    return "\0" + "\0".join(words) + "\0"


def _data(ran: Ran) -> Iterator[bytes]:
    return (data for _, data in ran.survivors)


@by_any_settings
def test_what_is_cut_stays_word_for_word_in_a_document_that_stays(batch: Batch, config: Config) -> None:
    ran = _run(batch, config)
    assert config.similarity is not None or _cuts_that_lie(ran) == []
    assert [cut for cut in ran.findings.cuts if cut.first in ran.findings.dropped] == []
    assert [
        cut for cut in ran.findings.cuts if cut.rule in ("passage", "boilerplate") and cut.first >= cut.document
    ] == []


@by_any_settings
def test_a_result_is_the_clean_text_without_what_was_cut_and_can_be_undone(batch: Batch, config: Config) -> None:
    ran = _run(batch, config)
    for number, (result, alone) in enumerate(zip(ran.results, ran.alone, strict=True)):
        gone = bytearray(len(alone.clean))
        for start, end in (cut.copy for cut in ran.findings.cuts if cut.document == number):
            gone[start:end] = b"\1" * (end - start)
        assert result.clean == bytes(byte for byte, cut in zip(alone.clean, gone, strict=True) if not cut)
        assert dedup.restore(result.clean, dedup.to_manifest(result)) == result.data == batch[number][1]


@by_any_settings
def test_a_second_run_over_what_stays_changes_nothing(batch: Batch, config: Config) -> None:
    survivors = _run(batch, config).survivors
    again = _run(survivors, config)
    assert again.survivors == survivors, again.findings


@some(15)
@given(batches(), st.sampled_from(ALL))
def test_two_runs_give_one_answer(batch: Batch, config: Config) -> None:
    ran = _run(batch, config)
    assert dedup.clean_batch(batch, config) == (ran.results, ran.findings)


class _Corpus:
    """The documents of a batch with their features, as an engine holds them."""

    def __init__(self, batch: Batch, config: Config) -> None:
        results = [dedup.clean(data, config=config, source=name) for name, data in batch]
        self.texts = [decode(result.clean, force_text=True) for result in results]
        self.words = [vector.Batch([text.text]) for text in self.texts]
        self.rows = [features(words, [name], [""]) for words, (name, _) in zip(self.words, batch, strict=True)]

    def hashes(self, document: int) -> bytes:
        return self.words[document].hashes.tobytes()

    def text(self, document: int) -> Document:
        return self.texts[document]


@some(20)
@given(batches(), st.sampled_from(ALL), _random)
def test_the_order_in_which_documents_come_into_the_tables_changes_nothing(
    batch: Batch, config: Config, random: Random
) -> None:
    corpus = _Corpus(batch, config)
    tables = Tables(threads=2)
    for number in random.sample(range(len(batch)), len(batch)):
        tables.add(corpus.rows[number], number)
    assert find(tables, corpus, config) == dedup.clean_batch(batch, config)[1]
    tables.close()


@some(24)
@given(batches(), st.sampled_from(EXACT), st.sampled_from(["words", "documents", "all"]))
def test_no_removal_rests_on_a_hash_alone(batch: Batch, config: Config, colliding: str) -> None:
    """With a few bits of a hash most words, lines and documents collide: less is found, but nothing wrong goes."""
    with ExitStack() as stack:
        if colliding != "documents":
            word = patch("dedup.normalise.xxh3_64_digest", lambda key: bytes([xxh3_64_digest(key)[0] & 15, 0, 0, 0]))
            stack.enter_context(word)
            stack.enter_context(patch("dedup.normalise._DIGESTS", _Digests()))
        if colliding != "words":
            stack.enter_context(patch("dedup.features.xxh3_128_intdigest", lambda data: len(data) // 4 & 1))
            stack.enter_context(patch("dedup.features.xxh3_64_intdigest", lambda data: len(data) & 1))
        ran = _run.__wrapped__(batch, config)
    before, after = ([_text(data).keys for data in texts] for texts in ((r.clean for r in ran.alone), _data(ran)))
    assert {word for text in before for word in text} == {word for text in after for word in text}
    assert _cuts_that_lie(ran) == []
    for document, member in ran.findings.dropped.items():
        if member.kind == "exact" and not config.passages and not config.boilerplate:
            assert before[document] == before[member.witness or 0]


# ---------------------------------------------------------------- documents that repeat others


def _shingles_of(said: list[str]) -> set[tuple[str, ...]]:
    size = min(SHINGLE, len(said))
    return {tuple(said[at : at + size]) for at in range(len(said) - size + 1)} if said else set()


def _alike(left: set[tuple[str, ...]], right: set[tuple[str, ...]]) -> tuple[float, float]:
    """Resemblance and containment, as they are defined."""
    both = len(left & right)
    return both / max(1, len(left | right)), both / max(1, min(len(left), len(right)))


@by_default
def test_clusters_hold_what_comparing_all_pairs_gives(batch: Batch) -> None:
    """Of documents of some size: of a few words two may share half, and none of the few that are looked up."""
    ran = _run(batch, Config())
    sets = [_shingles_of(_text(result.clean).keys) for result in ran.alone]
    clusters = [(c.canonical, {m.document: m for m in c.members}) for c in ran.findings.clusters]
    together = {frozenset(pair) for head, members in clusters for pair in combinations([head, *members], 2)}
    for a, b in combinations(range(len(sets)), 2):
        if min(len(sets[a]), len(sets[b])) >= 2 * RUN and max(_alike(sets[a], sets[b])) >= HALF:
            assert frozenset((a, b)) in together, (a, b, _alike(sets[a], sets[b]))
    for head, members in clusters:
        for document, member in members.items():
            resemblance, containment = _alike(sets[head], sets[document])
            assert (member.resemblance, member.containment) == pytest.approx((resemblance, containment))
            assert max(resemblance, containment) >= HALF
            near, contained = resemblance >= Config().resemblance, containment >= CONTAINED
            kind = "near" if near else "contained" if contained else "overlap"
            assert member.kind in (kind, "exact" if sets[head] == sets[document] else kind)


def _words(name: str, size: int) -> str:
    return " ".join(f"{name}{at}" for at in range(size))


def _share_of(shared: int, left: int, right: int) -> tuple[str, str]:
    """Two documents of so many shingles that share so many, their first."""
    start = _words("both", shared + SHINGLE - 1)
    return f"{start} {_words('one', left - shared)}\n", f"{start} {_words('other', right - shared)}\n"


def _kind(*texts: str) -> str:
    kinds = [m.kind for c in dedup.clean_batch(_batch(*texts))[1].clusters for m in c.members]
    return kinds[0] if kinds else ""


@pytest.mark.parametrize(("shared", "kind"), [(79, "overlap"), (80, "near"), (81, "near")])
def test_documents_are_near_from_a_resemblance_of_four_fifths_on(shared: int, kind: str) -> None:
    """80 of 100 shingles; the containment stays below what makes a part."""
    assert _kind(*_share_of(shared, 90, 90)) == kind


@pytest.mark.parametrize(("shared", "kind"), [(18, "overlap"), (19, "contained"), (20, "contained")])
def test_a_document_is_contained_when_19_of_20_shingles_stand_in_the_other(shared: int, kind: str) -> None:
    assert _kind(*_share_of(shared, 100, 20)) == kind
    assert _kind(*_share_of(shared, 20, 100)) == kind


@pytest.mark.parametrize(("shared", "kind"), [(14, ""), (15, "overlap"), (16, "overlap")])
def test_documents_are_a_pair_from_half_of_the_smaller_one_on(shared: int, kind: str) -> None:
    assert _kind(*_share_of(shared, 60, 30)) == kind


@pytest.mark.parametrize(("more", "goes"), [(19, True), (20, True), (21, False)])
def test_near_drops_from_that_resemblance_on(more: int, goes: bool) -> None:
    """80 shingles and so many more."""
    text = article(3)
    longer = text + article(4, 1, more)
    assert set(dedup.clean_batch(_batch(text, longer), NEAR)[1].dropped) == ({0} if goes else set())
    lenient = NEAR._replace(resemblance=80 / 101)
    assert set(dedup.clean_batch(_batch(text, longer), lenient)[1].dropped) == {0}


def article(seed: int, lines: int = 4, size: int = 21) -> str:
    """Prose of words that no other seed has."""
    random = Random(seed)
    words = [
        f"{random.choice(_WORDS)}{random.choice('aeiou')}{seed:x}".translate(_LETTERS) for _ in range(lines * size)
    ]
    rows = (words[at : at + size] for at in range(0, len(words), size))
    return "".join(" ".join(row).capitalize() + ".\n" for row in rows)


_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def test_the_document_that_goes_is_the_less_complete_one_else_the_later() -> None:
    text = article(3)
    longer = text + article(4, 1, 20)
    edited = text.replace(text.split()[40], "other", 1)
    for texts, config, dropped in [
        ((text, longer), NEAR, {0: 1}),
        ((longer, text), NEAR, {1: 0}),
        ((text, edited), NEAR, {1: 0}),
        ((text, longer), Config(contained=True), {0: 1}),
        ((text, edited, longer, text), NEAR, {0: 2, 3: 2}),  # 1 is near 0 only, which went
        ((text, text.upper(), text), Config(), {1: 0, 2: 0}),
    ]:
        findings = dedup.clean_batch(_batch(*texts), config)[1]
        assert {n: member.witness for n, member in findings.dropped.items()} == dropped


def test_near_copies_and_parts_stay_unless_asked_for_and_the_report_says_what_drops_them() -> None:
    text = article(3)
    near, part = text.replace(text.split()[40], "other", 1), "".join(text.splitlines(keepends=True)[2:5])
    results, findings = dedup.clean_batch(_batch(text, near, part))
    assert (findings.dropped, findings.cuts) == ({}, ())
    assert [result.clean.decode() for result in results] == [text, near, part]
    reasons = {m.document: m.reason for c in findings.clusters for m in c.members if c.canonical == 0}
    assert reasons == {
        1: "near copy, kept: --near drops such",
        2: "contained copy, kept: --contained drops such",
    }


def test_a_copy_with_another_figure_stays_with_the_reason_and_goes_when_facts_may() -> None:
    text = article(3).replace("\n", " The fire at the mill killed 12 people that night.\n", 1)
    other = text.replace(" 12 ", " 21 ")
    findings = dedup.clean_batch(_batch(text, other), NEAR)[1]
    assert findings.dropped == {}
    assert [m.reason for c in findings.clusters for m in c.members] == ["near copy, kept: 21 / 12"]
    assert set(dedup.clean_batch(_batch(text, other), NEAR._replace(near_facts=True))[1].dropped) == {1}


@pytest.mark.parametrize("head", ["", "Éa. ", article(5, 1, 4)])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_each_word_in_which_a_near_copy_differs_is_told_with_its_bytes(head: str, codec: str) -> None:
    text = article(3, 10)
    words = text.split(" ")
    copy = " ".join([*words[:9], "lantern", "und", *words[10:40], *words[41:77], "Ölfeld", *words[78:]])
    batch = [("kept", (head + text).encode(codec)), ("copy", copy.encode(codec)), ("twin", copy.encode("utf-8"))]
    results, findings = dedup.clean_batch(batch, NEAR._replace(near_facts=True))
    [cluster] = [c for c in findings.clusters if not c.canonical]
    assert {(m.document, m.witness, m.kind) for m in cluster.members} == {(1, 0, "near"), (2, 0, "near")}
    for member in cluster.members:
        told = [(d.text, d.kept_text) for d in member.differences if d.text or d.kept_text not in head]
        assert told == [("lantern und", words[9]), ("", words[40]), ("Ölfeld", words[77])], told
        for d in member.differences:
            for result, span, said in ((results[member.document], d.copy, d.text), (results[0], d.kept, d.kept_text)):
                assert result.clean[slice(*span)].decode(result.encoding) == said


def test_a_copy_with_a_sentence_of_its_own_stays() -> None:
    text = article(3)
    findings = dedup.clean_batch(_batch(text, text.replace("\n", "\n" + article(4, 1), 1)[:-20]), NEAR)[1]
    assert findings.dropped == {}


def test_a_document_that_holds_its_text_twice_is_found_by_its_twins() -> None:
    text = article(3)
    for batch in (_batch(text, text + text), _batch(text + text, text), _batch(text + "\n" + text, text + text)):
        results, findings = dedup.clean_batch(batch)
        assert set(findings.dropped) == {1}
        assert keys(results[0].text) == keys(text)


def test_a_document_is_not_dropped_for_one_that_was_dropped_for_it() -> None:
    """The second is a part of the third, which is the same as the second once the line of the site is cut."""
    text = article(3)
    batch = _batch(*_with(SHARE, 4, 5), text, SHARE + "\n" + text)
    for config in (Config(contained=True, boilerplate=True), Config(similarity=0.8, boilerplate=True)):
        results, findings = dedup.clean_batch(batch, config)
        assert len(findings.dropped) == 1
        kept = [result.text for n, result in enumerate(results) if n not in findings.dropped]
        assert sum(text in result for result in kept) == 1, findings


def test_documents_that_went_for_one_that_goes_itself_have_another_witness() -> None:
    """The last goes for the third, which without the passage of the first is the second."""
    passage, text = article(3, 2, 18), article(4, 2)
    batch = _batch(passage + article(5, 5), text, passage + text, passage + text)
    findings = dedup.clean_batch(batch, Config(passages=True))[1]
    assert set(findings.dropped) == {2, 3}
    assert {member.witness for member in findings.dropped.values()} == {1}


def test_documents_without_words_stay_and_those_of_one_word_are_compared() -> None:
    batch = _batch("", "", "* * *\n", "* * *\n", "word\n", "Word!", "other\n", "\ufeff", "word word\n")
    results, findings = dedup.clean_batch(batch, EVERYTHING)
    assert {n: member.witness for n, member in findings.dropped.items()} == {5: 4}
    assert [result.clean for result in results] == [data for _, data in batch]


def test_hundreds_of_copies_go_but_for_the_first_and_nothing_is_capped() -> None:
    text = article(3)
    count = 3 * CAP
    findings = dedup.clean_batch(_batch(*[text, text.upper(), text.replace(" ", "\n")] * (count // 3)))[1]
    assert {n: member.witness for n, member in findings.dropped.items()} == dict.fromkeys(range(1, count), 0)
    assert (findings.capped, len(findings.clusters)) == (0, 1)


def test_where_more_documents_share_a_paragraph_than_are_compared_copies_are_found_all_the_same() -> None:
    count = CAP + 50
    shared = article(3, lines=2)
    texts = [shared + article(10 + at, lines=2) for at in range(count)]
    texts[40] = texts[20].upper()
    texts[90] = texts[70].replace(texts[70].split()[40], "other", 1)
    findings = dedup.clean_batch(_batch(*texts), NEAR)[1]
    assert findings.capped > 0
    assert {n: member.witness for n, member in findings.dropped.items()} == {40: 20, 90: 70}


@pytest.mark.parametrize(("count", "capped"), [(CAP, False), (CAP + 1, True)])
def test_the_cap_counts_documents(count: int, capped: bool) -> None:
    shared = article(3, lines=2)
    texts = [shared + article(10 + at, lines=4) for at in range(count)]
    assert bool(dedup.clean_batch(_batch(*texts))[1].capped) is capped


# ---------------------------------------------------------------- fingerprints


_hashes = st.lists(st.one_of(st.integers(0, 4), st.integers(0, 2**64 - 1)), max_size=60).map(
    lambda values: np.array(values, np.uint64)
)


@some(200)
@given(_hashes, st.integers(1, 9))
def test_winnowing_keeps_the_smallest_of_each_window_where_it_stands_first(hashes: "np.ndarray", window: int) -> None:
    values = [int(value) for value in hashes]
    spans = [(at, at + window) for at in range(len(values) - window + 1)] or [(0, len(values))]
    first: dict[int, int] = {}
    for at, value in enumerate(values):
        if any(start <= at < end and value == min(values[start:end]) for start, end in spans):
            first.setdefault(value, at)
    other = np.array([7, 3], np.uint64)  # of a text before it, and after it
    counts = [len(other), len(values), 0, len(other)]
    found = winnow(np.concatenate((other, hashes, other)), np.array([0, *accumulate(counts)]), window)
    inside = [at - 2 for at in found.tolist() if 2 <= at < 2 + len(values)]
    assert [(values[at], at) for at in inside] == sorted(first.items(), key=lambda item: item[1])


def _hashed(said: Sequence[int]) -> "np.ndarray":
    return np.array(said, np.uint32)


_said = st.lists(st.integers(0, 2**32 - 1), max_size=30)
_few = st.lists(st.integers(0, 3), max_size=30)


@some(200)
@given(st.one_of(_said, _few), st.lists(st.integers(0, 9), min_size=RUN, max_size=RUN + 4), *[_said] * 3)
def test_any_shared_run_gives_a_common_fingerprint(
    before: list[int], run: list[int], after: list[int], head: list[int], tail: list[int]
) -> None:
    texts = [before + run + after, head + run + tail]
    words = _hashed([word for text in texts for word in text])
    found, text, _ = fingerprints(words, np.array([0, *accumulate(map(len, texts))]))
    assert set(found[text == 0].tolist()) & set(found[text == 1].tolist())


@some(200)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_text_of_one_word_has_one_fingerprint(word: int, size: int) -> None:
    _, texts, places = fingerprints(_hashed([word] * 2 * size), np.array([0, size, size, 2 * size]))
    assert (texts.tolist(), places.tolist()) == ([0, 2], [0, 0])


@some(200)
@given(_few)
def test_shingles_are_the_same_where_their_words_are(said: list[int]) -> None:
    size = min(SHINGLE, len(said))
    naive = [tuple(said[at : at + size]) for at in range(len(said) - size + 1)] if said else []
    found = shingles(_hashed(said)).tolist()
    assert [found.index(value) for value in found] == [naive.index(value) for value in naive]


@pytest.mark.parametrize("size", range(SHINGLE + 1))
def test_a_text_of_few_words_is_one_shingle(size: int) -> None:
    said = list(range(7, 7 + size))
    assert len(shingles(_hashed(said))) == (size > 0)
    assert shingles(_hashed(said)).tolist() == shingles(_hashed(said).tobytes()).tolist()
    if size > 1:
        assert shingles(_hashed(said)).tolist() != shingles(_hashed(said[::-1])).tolist()
        assert shingles(_hashed(said)).tolist() != shingles(_hashed(said[:-1])).tolist()


@some(200)
@given(st.lists(st.integers(0, 12)))
def test_distinct_values_are_in_order(values: list[int]) -> None:
    assert distinct(np.array(values, np.uint64)).tolist() == sorted(set(values))


@some(200)
@given(*[st.sets(st.integers(0, 12))] * 2)
def test_overlap_is_what_resemblance_and_containment_are(left: set[int], right: set[int]) -> None:
    both = len(left & right)
    found = overlap(*(np.array(sorted(side), np.uint64) for side in (left, right)))
    assert found == (both / max(1, len(left | right)), both / max(1, min(len(left), len(right))))


# ---------------------------------------------------------------- lines and passages


SHARE = "Share this story with your friends today"
"""A line of seven words."""


def _with(line: str, *seeds: int) -> list[str]:
    """Articles of their own with the same line at the foot."""
    return [article(seed) + line + "\n" for seed in seeds]


@pytest.mark.parametrize(("size", "found"), [(MIN_LINE - 1, False), (MIN_LINE, True), (MIN_LINE + 1, True)])
def test_a_line_of_few_words_is_no_boilerplate(size: int, found: bool) -> None:
    line = " ".join(SHARE.split()[:size])
    results, findings = dedup.clean_batch(_batch(*_with(line, 3, 4, 5)), Config(boilerplate=True))
    assert [b.text for b in findings.boilerplate] == [line] * found
    assert [line in result.text for result in results] == [True, not found, not found]


@pytest.mark.parametrize(("count", "found"), [(2, False), (3, True), (4, True)])
@pytest.mark.parametrize("more", [0, 1])
def test_a_line_is_boilerplate_from_so_many_documents_on(count: int, more: int, found: bool) -> None:
    texts = [*_with(SHARE, *range(3, 3 + count + more)), article(40), article(41)]
    results, findings = dedup.clean_batch(_batch(*texts), Config(boilerplate=True, min_documents=3 + more))
    assert [(b.documents, b.first, b.removed) for b in findings.boilerplate] == [(count + more, 0, True)] * found
    assert sum(SHARE in result.text for result in results) == (1 if found else count + more)


def test_boilerplate_stays_unless_asked_for_and_is_told() -> None:
    batch = _batch(*_with(SHARE, 3, 4, 5))
    results, findings = dedup.clean_batch(batch)
    assert [(b.text, b.documents, b.first, b.removed) for b in findings.boilerplate] == [(SHARE, 3, 0, False)]
    assert [result.clean for result in results] == [data for _, data in batch]


def test_a_block_says_by_its_number_which_document_has_the_text() -> None:
    twice = article(6, 3)
    texts = [*_with(SHARE, 3, 4), f"{SHARE}\n{twice}{article(7)}{twice}"]
    results, _ = dedup.clean_batch([("one name", text) for text in texts], Config(boilerplate=True))
    assert [[block.document for block in result.removed] for result in results] == [[], [0], [0, None]]
    for result, text in zip(results, texts, strict=True):
        assert dedup.restore(result.clean, dedup.to_manifest(result)).decode() == text


def test_a_line_twice_in_one_document_is_that_of_one() -> None:
    texts = [f"{SHARE}\n{article(3)}{SHARE}\n", *_with(SHARE, 4)]
    assert dedup.clean_batch(_batch(*texts))[1].boilerplate == ()
    results, _ = dedup.clean_batch(_batch(*_with(SHARE, 4, 5), texts[0]), Config(boilerplate=True))
    assert [result.text.count(SHARE) for result in results] == [1, 0, 0]


def test_boilerplate_is_that_of_a_group() -> None:
    corpus = _Corpus(_batch(*_with(SHARE, 3, 4, 5, 6, 7, 8)), Config(boilerplate=True))
    tables = Tables()
    sites = ["one", "other", "one", "other", "one", "third"]
    for number, (read, site) in enumerate(zip(corpus.words, sites, strict=True)):
        tables.add(features(read, [f"{number}"], [site]), number)
    findings = find(tables, corpus, Config(boilerplate=True))
    tables.close()
    assert [(b.documents, b.first) for b in findings.boilerplate] == [(3, 0)]
    assert [(cut.document, cut.first) for cut in findings.cuts] == [(2, 0), (4, 0)]


def test_a_line_that_is_written_in_two_ways_is_told_in_each_and_the_first_document_keeps_it() -> None:
    other = SHARE.replace("story ", "story - ")
    texts = [*_with(SHARE, 3, 4, 5), *_with(other, 6, 7, 8), *_with(SHARE.upper(), 9)]
    told = dedup.clean_batch(_batch(*texts))[1].boilerplate
    assert {(b.text, b.documents, b.removed) for b in told} == {(SHARE, 4, False), (other, 3, False)}
    results, findings = dedup.clean_batch(_batch(*texts), Config(boilerplate=True))
    assert {(b.text, b.first, b.removed) for b in findings.boilerplate} == {(SHARE, 0, True), (other, 0, True)}
    assert [len(keys(result.text)) - 84 for result in results] == [7, 0, 0, 0, 0, 0, 0]
    assert {cut.first for cut in findings.cuts} == {0}


@example(_batch(*_with(SHARE.replace("story", "story:"), 3), *_with(SHARE, 4, 5)), CUTS)
@by_any_settings
def test_the_report_of_boilerplate_names_a_document_that_keeps_the_line(batch: Batch, config: Config) -> None:
    ran = _run(batch, config)
    cuts = ran.findings.cuts
    for line in ran.findings.boilerplate:
        text = _text(ran.alone[line.first].clean)
        gone = [cut for cut in cuts if keys(line.text) == _text(ran.alone[cut.document].clean).said(cut.copy)]
        assert text.said(line.kept, [cut.copy for cut in cuts if cut.document == line.first]) == keys(line.text), line
        assert gone or not line.removed, line
    told = [keys(line.text) for line in ran.findings.boilerplate if line.removed]
    for cut in cuts:
        assert cut.rule != "boilerplate" or _text(ran.alone[cut.document].clean).said(cut.copy) in told, cut


WRAPPED = (
    "the river that runs under the old bridge carried it as far as\n"
    "the weir below the mill where two boys with a net were fishing for\n"
    "eels and wanted no trouble with anyone least of all with a policeman\n"
)


@pytest.mark.parametrize("config", [CUTS, CUTS._replace(min_passage=30)])
def test_lines_of_a_wrapped_paragraph_are_not_cut_out_of_it(config: Config) -> None:
    texts = [article(at, 2) + f"{article(20 + at, 1)[:-2]} and then\n{WRAPPED}or so it said.\n" for at in (3, 4, 5)]
    results, findings = dedup.clean_batch(_batch(*texts), config)
    assert findings.cuts == ()
    assert [result.text for result in results] == texts
    assert findings.boilerplate[0].documents == 3
    assert not any(line.removed for line in findings.boilerplate)
    assert not any(passage.removed for passage in findings.passages)


@pytest.mark.parametrize(("size", "found"), [(29, False), (30, True), (31, True)])
def test_a_passage_is_found_from_so_many_words_on_and_whole_paragraphs_of_it_go(size: int, found: bool) -> None:
    shared = article(3, 1, size)
    texts = [article(4) + shared, article(6, 2) + shared + article(7, 2)]
    told = dedup.clean_batch(_batch(*texts))[1]
    assert [(p.document, p.first, p.words, p.removed) for p in told.passages] == [(1, 0, size, False)] * found
    assert told.cuts == ()
    results, findings = dedup.clean_batch(_batch(*texts), Config(passages=True))
    assert [p.removed for p in findings.passages] == [True] * found
    assert [result.text for result in results] == [texts[0], texts[1].replace(shared, "") if found else texts[1]]


def test_a_passage_is_cut_in_whole_paragraphs_only() -> None:
    start, middle, end = article(3, 1), article(4, 2), article(5, 1)
    first = article(6, 6) + start + middle + end
    later = f"{article(7, 6)}{article(8, 1)[:-1]} {start}{middle}{end[:-2]} {article(9, 1)}"
    results, findings = dedup.clean_batch(_batch(first, later), Config(passages=True))
    assert [(p.words, p.removed) for p in findings.passages] == [(84, True)]
    assert results[0].text == first
    assert results[1].text == later.replace(middle, "")
    (cut,) = findings.cuts
    assert results[1].data[slice(*cut.copy)].decode() == middle
    assert results[0].data[slice(*cut.kept)].decode() == middle.rstrip(".\n")


@pytest.mark.parametrize(
    "ends", [("utf-8", "utf-16"), ("utf-16", "utf-8-sig"), ("utf-8-sig", "utf-16"), ("utf-8",) * 2]
)
@pytest.mark.parametrize("config", [Config(passages=True, min_passage=12), CUTS._replace(passages=False)])
def test_what_is_cut_is_said_in_the_bytes_of_each_encoding(ends: tuple[str, str], config: Config) -> None:
    shared = (
        "Который мост сказать они мост но мочь рынок на такой — naïve café, das ist über die Straße gegangen 大 😀.\n"
    )
    texts = [article(3) + "Ärger mit dem Fluß.\n" + shared, "Één dag.\n" + article(4) + shared + article(5)]
    batch = tuple((end, text.encode(end)) for text, end in zip(texts, ends, strict=True))
    ran = _run(batch, config)
    assert [len(found) for found in (ran.findings.cuts, ran.findings.passages or ran.findings.boilerplate)] == [1, 1]
    assert _cuts_that_lie(ran) == []
    assert [r.text.lstrip("\ufeff") for r in ran.results] == [texts[0], texts[1].replace(shared, "")]
    for passage in ran.findings.passages:
        said = (_text(ran.alone[n].clean).said(span) for n, span in ((1, passage.copy), (0, passage.kept)))
        assert [*said] == [keys(shared)] * 2


def test_a_passage_is_cut_across_a_line_of_the_site_that_was_cut_before() -> None:
    """Neither half of it is a passage by itself."""
    first, second, line = article(3, 1), article(4, 1), SHARE + "\n"
    texts = [article(5) + line, article(6) + line + article(7) + first + second + article(8)]
    texts.append(article(9) + first + line + second + article(10))
    results, findings = dedup.clean_batch(_batch(*texts), Config(boilerplate=True, passages=True))
    kept = [article(5) + line, article(6) + article(7) + first + second + article(8), article(9) + article(10)]
    assert [result.text for result in results] == kept, findings


def test_a_passage_of_documents_that_are_a_pair_no_more_goes_at_once() -> None:
    """What they have in common was half of the first, until the lines of the site were cut from the second."""
    lines, passage = article(3, 3), article(4, 1, 40)
    torn = passage.replace(" ", "\n", 20).replace("\n", " ", 19)
    batch = _batch(passage + lines, article(5, 8) + torn + article(6, 1) + lines)
    config = Config(passages=True, boilerplate=True, min_documents=2)
    ran = _run(batch, config)
    assert [result.text for result in ran.results] == [passage + lines, article(5, 8) + article(6, 1)], ran.findings
    assert _run(ran.survivors, config).survivors == ran.survivors


def test_passages_go_from_documents_that_are_much_alike_too() -> None:
    """What is common to half of them is told as a pair, and goes as passages; near copies and parts stay whole."""
    shared = article(3, 8)
    other = shared.replace(".", " killed 12 people.", 1)
    overlap = [shared + article(4, 4), shared + article(5, 6)]
    near, part = [other, other.replace(" 12 ", " 21 ")], [shared + article(4, 9), shared]
    for texts, left in ((overlap, article(5, 6)), (near, near[1]), (part, part[1])):
        told = dedup.clean_batch(_batch(*texts), NEAR)[1]
        assert (told.dropped, told.passages, len(told.clusters)) == ({}, (), 1)
        for config in (Config(passages=True), NEAR._replace(passages=True)):
            results, findings = dedup.clean_batch(_batch(*texts), config)
            assert [result.text for result in results] == [texts[0], left]
            assert [(p.first, p.removed) for p in findings.passages] == [(0, True)] * (texts is overlap)
            assert dedup.restore(results[1].clean, dedup.to_manifest(results[1])).decode() == texts[1]


def test_what_rests_on_words_that_go_too_rests_on_those_that_stay_then() -> None:
    """The last goes in part for the third, which is no part of the second any more once the first has what it had."""
    site, start, end, own = article(3, 6, 20), article(4, 1, 20), article(5, 1, 25), article(6, 1, 7)
    texts = [article(8, 9) + site, site + start + end + article(9, 9), site + start + end + own]
    texts.append(article(10, 4) + end + own + article(11, 4))
    config = Config(passages=True, min_documents=5)
    for codec in ("utf-8", "utf-16"):
        ran = _run(tuple((f"{at}", text.encode(codec)) for at, text in enumerate(texts)), config)
        left = [texts[0], start + end + article(9, 9), own, article(10, 4) + article(11, 4)]
        assert [result.text.lstrip("\ufeff") for result in ran.results] == left
        cuts = [(cut.document, cut.first, cut.words) for cut in ran.findings.cuts]
        assert cuts == [(1, 0, 120), (2, 0, 120), (2, 1, 45), (3, 1, 25), (3, 2, 7)]
        assert _cuts_that_lie(ran) == []
        assert _run(ran.survivors, config).survivors == ran.survivors


def test_copies_that_a_cut_lays_side_by_side_go_though_one_of_them_was_cut_inside() -> None:
    """Short lines go only next to their original; a line of the site stood between, and another inside the copy."""
    lines = article(3, 6, 9).splitlines(keepends=True)
    between, inside = SHARE + "\n", "Read all of our letters every morning\n"
    texts = [article(at) + between + article(20 + at) + inside for at in (4, 5)]
    texts.append("".join([*lines, between, *lines[:3], inside, *lines[3:]]))
    results, findings = dedup.clean_batch(_batch(*texts), Config(boilerplate=True))
    assert results[2].text == "".join(lines), findings
    assert dedup.restore(results[2].clean, dedup.to_manifest(results[2])).decode() == texts[2]


@by_any_settings
def test_a_passage_is_told_where_it_stands_and_truly(batch: Batch, config: Config) -> None:
    """It may be edited: then the words that both have are counted. Where it goes, some of it is cut, else none."""
    ran = _run(batch, config)
    texts = [_text(result.clean) for result in ran.alone]
    for passage in ran.findings.passages:
        copy, kept = texts[passage.document].said(passage.copy), texts[passage.first].said(passage.kept)
        assert passage.first < passage.document
        assert keys(passage.text)[:1] == copy[:1] == kept[:1]
        assert keys(passage.text)[-1:] == copy[-1:] == kept[-1:]
        cuts = [c.copy for c in ran.findings.cuts if (c.document, c.rule) == (passage.document, "passage")]
        assert config.min_passage <= passage.words <= min(len(copy), len(kept))
        assert passage.removed == (texts[passage.document].said(passage.copy, cuts) != copy), passage


def _prose(random: Random, sentences: int) -> str:
    """Sentences of words that hardly come twice."""
    said = []
    for _ in range(sentences):
        words = [_syllables(random) for _ in range(random.randint(7, 18))]
        if random.random() < 0.3:
            words[random.randrange(len(words))] = str(random.randint(2, 4000))
        said.append(" ".join([words[0].capitalize(), *words[1:]]) + ".")
    return " ".join(said)


def _syllables(random: Random) -> str:
    return "".join(random.choice(_SYLLABLES) for _ in range(random.randint(2, 4)))


_SYLLABLES = [consonant + vowel for consonant in "bdklmnprstv" for vowel in "aeiou"]


@pytest.mark.parametrize("number", range(185, 230))
def test_no_word_goes_untold_where_lines_of_the_site_stand_in_a_near_copy(number: int) -> None:
    """What differs is told by the run that sees it; a cut between two copies lets nothing go as if it were the same."""
    random = Random(number)
    line = _prose(random, random.choice([1, 3, 6]))
    rows = [_prose(random, 1) for _ in range(random.randint(2, 5))]
    again = []
    for row in rows:
        words = row.split(" ")
        if random.randint(0, 1):
            words[random.randrange(len(words))] = random.choice([_syllables(random), ""])
        again.append(" ".join(words))
    for _ in range(random.randint(1, 3)):
        again.insert(random.randint(0, len(again)), line)
    between = [_prose(random, random.randint(1, 5)) for _ in range(random.randint(0, 3))]
    texts = [[*rows, *between, *again] if random.random() < 0.5 else [*again, *between, *rows]]
    texts = [[line, _prose(random, 4)], [line, _prose(random, 4)], *texts]
    config = EVERYTHING._replace(similarity=random.choice([0.8, 0.9]))
    results, findings = dedup.clean_batch(_batch(*("\n\n".join(text) for text in texts)), config)
    stays = {word for n, r in enumerate(results) if n not in findings.dropped for word in keys(r.text)}
    for number, result in enumerate(results):
        changes = [change.copy for block in result.removed for change in block.changes]
        told = {word for span in changes for word in keys(result.data[slice(*span)].decode())}
        assert number in findings.dropped or set(keys(result.data.decode())) <= stays | told, result.blocks


def test_a_copy_whose_original_goes_names_the_document_that_has_it() -> None:
    """The original is a passage of an earlier document, so it stands there only."""
    shared, other = article(3, 1, 60), article(4, 6)
    texts = [article(5) + shared + article(6), article(7) + shared + other + shared]
    results, _ = dedup.clean_batch(_batch(*texts), Config(passages=True))
    assert results[1].text == article(7) + other
    assert [(block.rule, block.document) for block in results[1].removed] == [("passage", 0), ("prose-copy", 0)]
    assert all(texts[0].encode()[slice(*block.kept.bytes)].decode() in shared for block in results[1].removed)
    assert dedup.restore(results[1].clean, dedup.to_manifest(results[1])).decode() == texts[1]
