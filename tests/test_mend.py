"""Fixers and cuts together: what is mended, what is told of it, and the way back."""

import html
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.audit import audit
from dedup.fix import FIXERS, reason
from dedup.model import Fix
from dedup.rewrite import Put, Table, rebuild
from dedup.within import Input, clean_documents
from tests.documents import documents
from tests.run import dedup as run

ALL = dedup.Config(fix=tuple(FIXERS))
ONE = "The council voted on Tuesday to keep the old library open for another five years at least, said the mayor."
TWO = "Nobody had expected it, least of all the librarians, who had packed their boxes and left town on Monday."
_DAMAGE = (
    "cafÃ© au lait", "donâ€™t", "Tom &amp;amp; Ann", "&#8217;s", "zero\u200bwidth", "so\u00adft", "e\u0301te\u0301",
    "a \u00a0b",     "trailing   \n", "\n\n\n\n", "repatri-\nation repatriation", "Read more…\n", "\nAdvertisement\n",
    "\nShare on Facebook\n",     "\r\nline\r", "\x1b[31mred\x1b[0m", "\ufeff", "word\u2028word", "Â§ 5", "\udc80",
)  # fmt: skip


def damaged() -> st.SearchStrategy[bytes]:
    """Generated documents with damage strewn in, some of them repeated."""
    words = st.lists(st.one_of(st.sampled_from(_DAMAGE), st.sampled_from([ONE, TWO, "\n", "\n\n", " ", "A line."])))
    mixed = words.map(lambda parts: "".join(parts).encode("utf-8", "surrogateescape"))
    # A byte order mark of UTF-16 before what is none in part would make another text of it with each byte that goes.
    plain = documents().map(lambda data: data.lstrip(b"\xff\xfe"))
    joined = st.tuples(plain, mixed, plain).map(b"\n".join)
    return st.one_of(mixed, joined, mixed.map(lambda data: data + b"\n" + data))


@example((f"{ONE} â€™ {TWO}\n" * 3).encode())
@given(damaged())
def test_what_is_mended_can_be_taken_back_and_is_mended_once(data: bytes) -> None:
    result = dedup.clean(data, ALL, force_text=True)
    assert rebuild(result.clean, result.ops) == data
    assert dedup.restore(result.clean, dedup.to_manifest(result)) == data
    again = dedup.clean(result.clean, ALL._replace(encoding=result.encoding), force_text=True)
    assert (again.clean, again.fixes, again.removed) == (result.clean, (), ())


@given(damaged())
def test_every_change_is_told_at_its_place(data: bytes) -> None:
    result = dedup.clean(data, ALL, force_text=True)
    source = result.data + result.put
    assert b"".join(source[start:end] for start, end in result.pieces) == result.clean
    at = len(data)
    for fix in result.fixes:
        assert 0 <= fix.span[0] <= fix.span[1] <= len(data)
        assert (fix.put[0], fix.rule in FIXERS) == (at, True)
        at = fix.put[1]
    assert at == len(source)
    kept = {byte for start, end in result.pieces for byte in range(start, end) if byte < len(data)}
    told = [*(fix.span for fix in result.fixes), *(block.copy.bytes for block in result.removed)]
    told += [block.kept.bytes for block in result.removed if block.moved]
    assert set(range(len(data))) - kept <= {byte for start, end in told for byte in range(start, end)}


@given(damaged(), st.sampled_from([None, 0.9]))
def test_mended_results_pass_the_audit_and_do_not_depend_on_the_kernel(data: bytes, similarity: float | None) -> None:
    config = ALL._replace(similarity=similarity)
    result = dedup.clean(data, config, force_text=True)
    assert audit(result, config) == []
    batch = clean_documents([Input(data, "input", True), Input(b"other\n", "other", True)], config, words=True)
    assert not isinstance(batch[0], dedup.InputError)
    assert batch[0][0] == result


def test_a_fix_lets_a_copy_be_found_and_both_are_told_in_the_input() -> None:
    text = f"{ONE} It is no repatri-\nation.\n\n{TWO} Repatriation.\n\n{ONE} It is no repatriation.\n"
    plain, mended = dedup.clean(text), dedup.clean(text, dedup.Config(fix=("hyphenation",)))
    assert not plain.removed
    (block,) = mended.removed
    assert (block.copy.lines, block.kept.lines) == ((5, 6), (1, 2))
    assert mended.data[slice(*block.copy.bytes)].strip().startswith(b"The council")
    (fix,) = mended.fixes
    assert (fix.rule, *mended.told(fix)) == ("hyphenation", "-\n", "")


@pytest.mark.parametrize("encoding", ["windows-1252", "koi8-r", "utf-16-le"])
def test_what_an_encoding_cannot_hold_is_not_mended(encoding: str) -> None:
    data = "A line with a space \n and &#9731; and &amp; in it\n".encode(encoding)
    result = dedup.clean(data, dedup.Config(encoding=encoding, fix=("entities", "whitespace")))
    snow = "☃" if encoding == "utf-16-le" else "&#9731;"
    assert result.text == f"A line with a space\n and {snow} and & in it\n"


def test_the_size_that_fixes_add_is_no_duplication() -> None:
    text = f"cafÃ© &amp; more\n{ONE}\n{TWO}\n{ONE}\n{TWO}\n"
    plain, mended = dedup.clean(text), dedup.clean(text, dedup.Config(fix=("mojibake", "entities")))
    removed = len(plain.data) - len(plain.clean)
    assert removed > 0
    assert mended.duplication == plain.duplication
    assert len(mended.clean) == len(plain.clean) + mended.grown


def test_spans_of_what_was_put_in_lead_to_the_place_it_stands_for() -> None:
    # 0123456789 -> 01[ab]5[]89: 234 became ab, 67 went
    table = Table([(0, 10)]).mended("x", [((2, 5), b"ab"), ((6, 8), b"")], 10)
    assert table.text(b"0123456789") == b"01ab589"
    assert table.put == Put(10, b"ab", (Fix("x", (2, 5), (10, 12)), Fix("x", (6, 8), (12, 12))))
    assert [table.span(span) for span in ((0, 2), (2, 3), (1, 3), (3, 5), (4, 6), (2, 2), (7, 7))] == [
        (0, 2), (2, 5), (1, 5), (2, 6), (5, 9), (2, 2), (10, 10),
    ]  # fmt: skip
    twice = table.mended("y", [((3, 4), b"c")], 10)
    assert (twice.text(b"0123456789"), twice.put.fixes[-1].span) == (b"01ac589", (2, 5))


def test_code_between_fences_keeps_its_layout() -> None:
    code = "```\nwhile x &amp; 1:   \n\n\n\n    print()  \nAdvertisement\n```"
    text = f"A line.  \n\n\n\n{code}\nAfter &amp; all.\nAdvertisement\n~~~\nopen   \n"
    result = dedup.clean(text, ALL)
    assert result.text == f"A line.\n\n{code}\nAfter & all.\n~~~\nopen\n"


@pytest.mark.parametrize("kind", ["text", "html"])
def test_reports_show_each_change_and_call_none_of_it_duplication(kind: str, tmp_path: Path) -> None:
    raw = tmp_path / "a.txt"
    raw.write_text(f"A cafÃ© by the\u200b sea\x1b[31m.\n{ONE}\n")
    done = run("report", raw, "--fix", "safe", "--format", kind)
    shown = html.unescape(done.stdout.decode())
    assert (done.returncode, "\x1b" in shown, "\u200b" in shown) == (0, False, False)
    assert all(
        part in shown for part in ("Mended: ", "mojibake: ", "Ã©", "<U+200B>", "<U+001B>[31m", reason("invisible"))
    )
    assert "% removed" not in shown


def test_a_report_of_a_batch_counts_what_was_mended(tmp_path: Path) -> None:
    for name, text in (("a.txt", f"cafÃ©\n{ONE}\n"), ("b.txt", f"Ã©tÃ© here\n{TWO}\n"), ("c.txt", f"{ONE} Sound.\n")):
        (tmp_path / name).write_text(text)
    for scope in ("batch", "document"):
        done = run("report", tmp_path, "--fix", "mojibake", "--scope", scope, "--format", "json")
        report = json.loads(done.stdout)
        assert (report["totals"]["fixes"], report["totals"]["bytes_removed"]) == (2, 0)
        told = [
            [(fix["rule"], fix["text"], fix["put"]) for fix in document["fixes"]] for document in report["documents"]
        ]
        assert told == [[("mojibake", "Ã©", "é")], [("mojibake", "Ã©tÃ©", "été")], []]
