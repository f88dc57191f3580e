"""The laws of DESIGN.md, section 2, each over generated documents."""

from bisect import bisect_left
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st
from xxhash import xxh3_64_digest

import dedup
from dedup.audit import audit
from dedup.decode import byte_offsets, decode
from dedup.model import Block, Document, Result, Span
from dedup.normalise import _Digests, keys, words
from dedup.within import explain_document
from tests.documents import documents, texts

# Documents that broke a law once.
_BODY = (
    "The council voted on Tuesday to keep the old library open for another five years. Nobody had expected it to go"
    " that way, least of all the staff who had packed boxes. Children from two schools sang on the steps in the rain."
)
_CUT_INSIDE_A_WORD = (  # "said" lost its tail, because "paid" ends alike
    "When the rain came over the hill in the afternoon, Alpha packed up all the baskets, locked the shed, and was paid."
    f"{_BODY}\nSomething else stands here in the middle of it all.\nBeta ran off and said.{_BODY}\n"
).encode()
_SHORT = b"Engine 3.14 over called other who.\n"
_LONG = 4 * b"Engine\n" + b"Engine 3.14 over called other who had time their this may not only so.\n"
# A later pass removed what stood around an earlier cut.
_CUT_AROUND_A_CUT = b"Engine\n" + _SHORT + _LONG + _SHORT + 2 * b"Engine\n" + _SHORT + _LONG + _SHORT
_SAID = (
    "Engine 3.14 over called other who had time their this may not only so 12. "
    "To winter the water use at into which street way it's people.\n"
)
_DIFFERING_TWICE = (  # a near copy with a line more that stands twice, and is apart from the words that match
    f"Engine\nEngine\nShe.\nShe.\n{_SAID}ä»–ã€‚\nä»–ã€‚\nEngine\nEngine\nShe.\nShe.\n{_SAID}{_SAID}".encode()
)
_MOVED_AND_GONE = (  # better copies move to the earlier places, and go from there for one that is better still
    f"Engine\n{_SAID.replace('not only', 'the only')}these that bridge the. More but that into harbour paper into "
    f"don't very into people.\nEngine\n{_SAID}At:\n{_SAID}Engine\nEngine\nEngine\n{_SAID.replace('Engine 3.14 ', '')}"
).encode()
_ONE, _TWO = (
    "co\u00adop\u00aderate over 3.14 about\nco-op than there many. Do do\n",
    "co\u00adop\u00aderate\nover 3.14 about co-op than there\nmany. ",
)
_MOVED_APART = (  # what still repeats is of lines that stand apart in the input
    f"On they who at many just\n{_ONE}{_ONE}only them know\nJust.\nthey who at many just\n"
    f"{_ONE}only up from them street know\nOn they who at many just {_TWO}do from them street\n"
    f"On they who at many just {_TWO}Do do only from them street\nknow\nJust.\n"
    f"many just {_TWO}only up from them street\nknow\n"
).encode()
_LINE = "Engine 3.14 over called other who had time their this may not only so 12. To winter the water use"
_MOVED_BEFORE = (  # what was kept begins with a line that was moved
    f"did\u2026\nEngine 3.14 over called.\nEngine\nEngine\nEngine\nAt:\n{_LINE}.\nEngine\n"
    f"Engine 3.14 over.Who did\u2026\nEngine 3.14 over called.\nEngine\nAt:\n{_LINE}.\nEngine\n"
    f"3.14 over.Engine 3.14 over\nEngine\nEngine\nEngine\nAt:\n"
    f"3.14 over called other time their this may not only so 12. To winter the water use.\nEngine\n"
    f"Engine 3.14 over called other who had time their this may not only so 12. To winter the water\n"
).encode()
_TURNED = (  # with colliding hashes: a run that overlaps itself went for what went with it
    b"Engine 3.14 over called other who had time their this may not only.\nEngine\n"
    + 2 * b"Engine\nEngine 3.14 over called other who had time their this may not only.At:\nEngine\n"
)
_HALF_A_LINE = (  # the third line repeats too, but not as a whole line
    b"Most mountain with over after make his did\nMost mountain with over after make his did\n"
    b"Most mountain with over after make his did.M"
)


def _keys_of(document: Document, span: Span) -> list[str]:
    """The match keys of the words in a span of bytes, read by themselves."""
    return keys(document.data[span[0] : span[1]].decode(document.encoding, document.errors))


def _starts(document: Document) -> list[int]:
    """Where each word starts, in bytes."""
    return list(byte_offsets(document, words(document.text).starts))


def _contains(run: list[str], text: list[str]) -> bool:
    return any(text[at : at + len(run)] == run for at in range(len(text) - len(run) + 1))


def _repeats(copy: list[str], kept: list[str]) -> bool:
    """Whether `copy` is `kept`, or where it is longer, `kept` over and over."""
    return bool(kept) and len(copy) >= len(kept) and copy == (kept * (len(copy) // len(kept) + 1))[: len(copy)]


def _explain(result: Result, block: Block) -> str:
    copy, kept = (result.data[side.bytes[0] : side.bytes[1]] for side in (block.copy, block.kept))
    return f"{block.rule}: {copy!r} at {block.copy.bytes} for {kept!r} at {block.kept.bytes} of {result.data!r}"


@given(documents())
def test_the_words_of_every_removed_block_stand_in_the_clean_text(data: bytes) -> None:
    result = dedup.clean(data)
    document, clean = (
        decode(data, encoding=result.encoding),
        keys(decode(result.clean, force_text=True, encoding=result.encoding).text),
    )
    for block in result.removed:
        copy, kept = _keys_of(document, block.copy.bytes), _keys_of(document, block.kept.bytes)
        assert _contains(copy, clean) or (_contains(kept, clean) and _repeats(copy, kept)), _explain(result, block)


@example(_CUT_INSIDE_A_WORD)
@given(documents())
def test_no_word_of_the_input_is_missing_in_the_output_and_none_is_new(data: bytes) -> None:
    result = dedup.clean(data)
    document = decode(data, encoding=result.encoding)
    everything = keys(document.text)
    gone = bytearray(len(everything))
    starts = _starts(document)
    for block in result.removed:
        first, last = (bisect_left(starts, at) for at in block.copy.bytes)
        gone[first:last] = b"\1" * (last - first)
    clean = keys(decode(result.clean, force_text=True, encoding=result.encoding).text)
    assert set(clean) == set(everything)
    assert clean == [key for key, cut in zip(everything, gone, strict=True) if not cut]


@example(_CUT_AROUND_A_CUT)
@given(documents())
def test_every_removal_names_a_witness_that_is_kept(data: bytes) -> None:
    result = dedup.clean(data)
    document = decode(data, encoding=result.encoding)
    for block in result.removed:
        start, end = block.kept.bytes
        gone = [b for b in result.removed if start < b.copy.bytes[1] and b.copy.bytes[0] < end]
        assert not gone, _explain(result, block)
        copy = _keys_of(document, block.copy.bytes)
        assert _repeats(copy, _keys_of(document, block.kept.bytes)), _explain(result, block)
        assert block.words == len(copy), _explain(result, block)


@given(documents())
def test_undo_gives_the_input_back_byte_for_byte(data: bytes) -> None:
    result = dedup.clean(data)
    assert dedup.restore(result.clean, dedup.to_manifest(result)) == data


@given(documents())
def test_the_clean_text_is_the_input_with_the_removed_spans_cut(data: bytes) -> None:
    result = dedup.clean(data)
    out, at = [], 0
    for start, end in sorted(block.copy.bytes for block in result.removed):
        assert at <= start < end <= len(data), result.removed
        out.append(data[at:start])
        at = end
    assert b"".join([*out, data[at:]]) == result.clean
    assert result.data == data


@given(documents())
def test_a_second_run_changes_nothing(data: bytes) -> None:
    once = dedup.clean(data).clean
    twice = dedup.clean(once, force_text=True)
    assert twice.clean == once, [_explain(twice, block) for block in twice.removed]


_CONFIGS = [
    dedup.Config(),
    dedup.Config(similarity=0.9),
    dedup.Config(similarity=0.8, near_facts=True),
    dedup.Config(similarity=0.9, keep="last", near_facts=True),
    dedup.Config(keep="longest"),
]


@example(_DIFFERING_TWICE, dedup.Config(similarity=0.9))
@example(_MOVED_APART, dedup.Config(similarity=0.9))
@example(_MOVED_BEFORE, dedup.Config(similarity=0.9))
@example(_MOVED_AND_GONE, dedup.Config(similarity=0.9, keep="last", near_facts=True))
@given(documents(), st.sampled_from(_CONFIGS))
def test_every_result_passes_its_audit(data: bytes, config: dedup.Config) -> None:
    """The audit knows nothing of how a result was made: it asks laws 1, 2, 3 and 8 of the result, near copies too."""
    result = dedup.clean(data, config)
    assert audit(result, config) == [], [_explain(result, block) for block in result.blocks]
    assert dedup.restore(result.clean, dedup.to_manifest(result)) == data


@given(documents(), st.sampled_from(_CONFIGS))
def test_a_second_run_with_the_same_settings_changes_nothing(data: bytes, config: dedup.Config) -> None:
    once = dedup.clean(data, config).clean
    twice = dedup.clean(once, config, force_text=True)
    assert twice.clean == once, [_explain(twice, block) for block in twice.removed]


@example(_TURNED, dedup.Config())
@given(documents(), st.sampled_from(_CONFIGS))
def test_no_removal_rests_on_a_hash_alone(data: bytes, config: dedup.Config) -> None:
    """With four bits of a hash most words collide: less is found, but what goes still stands in what stays."""
    colliding = patch("dedup.normalise.xxh3_64_digest", lambda key: bytes([xxh3_64_digest(key)[0] & 15, 0, 0, 0]))
    with colliding, patch("dedup.normalise._DIGESTS", _Digests()):
        result = dedup.clean(data, config)
    wrong = [failure for failure in audit(result, config) if "still stands twice" not in failure]
    assert wrong == [], [_explain(result, block) for block in result.removed]


@given(documents(), st.sampled_from(_CONFIGS))
def test_explaining_changes_nothing(data: bytes, config: dedup.Config) -> None:
    assert explain_document(data, config)[0] == dedup.clean(data, config)


@given(documents())
def test_two_calls_give_one_answer(data: bytes) -> None:
    result = dedup.clean(data)
    assert dedup.clean(data) == result
    assert dedup.find(data) == result.blocks


@given(texts())
def test_characters_and_their_bytes_give_one_answer(text: str) -> None:
    if "\0" not in text:
        assert dedup.clean(text) == dedup.clean(text.encode("utf-8", "surrogatepass"))


@example(_HALF_A_LINE)
@given(documents())
def test_every_repeated_run_of_min_words_is_in_the_report(data: bytes) -> None:
    """Asked of the clean text, from which nothing more goes: there word positions mean one thing."""
    result = dedup.clean(dedup.clean(data).clean, force_text=True)
    document, size = decode(result.data, force_text=True, encoding=result.encoding), dedup.Config().min_words
    everything, starts = keys(document.text), _starts(document)
    reported = bytearray(len(everything))
    for block in result.blocks:
        for side in (block.copy, block.kept):
            first, last = (bisect_left(starts, at) for at in side.bytes)
            reported[first:last] = b"\1" * (last - first)
    seen: set[tuple[str, ...]] = set()
    for at in range(len(everything) - size + 1):
        run = tuple(everything[at : at + size])
        assert run not in seen or reported[at], (at, run, [_explain(result, b) for b in result.blocks], result.data)
        seen.add(run)
