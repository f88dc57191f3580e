"""The commands, from the command line on real files."""

import json
import re
from importlib.resources import files as resources
from pathlib import Path

import jsonschema
import pytest

from tests.run import CANONICAL, SEED, dedup

LEAD = (
    "The council voted on Tuesday to keep the old library open for another five years, the mayor said in a statement."
)
ONCE = f"Library saved\n{LEAD}\nNobody in the room had expected the vote to go that way after months of dispute.\n"
TWICE = ONCE + LEAD + "\n"


def test_the_bare_filter_writes_the_canonical_article_of_the_seed() -> None:
    done = dedup(stdin=SEED.read_bytes())
    assert (done.returncode, done.stdout, done.stderr) == (0, CANONICAL.read_bytes(), b"")


@pytest.mark.parametrize("arguments", [["-"], ["clean"], ["clean", "-"], ["--text", "-"]])
def test_standard_input_gives_the_same_by_every_way(arguments: list[str]) -> None:
    assert dedup(*arguments, stdin=SEED.read_bytes()).stdout == CANONICAL.read_bytes()


def test_a_file_without_a_command_is_cleaned_to_standard_output() -> None:
    assert dedup(SEED).stdout == CANONICAL.read_bytes()


def test_one_run_writes_text_manifest_and_reports_and_restore_takes_it_back(tmp_path: Path) -> None:
    clean, manifest = tmp_path / "clean.txt", tmp_path / "m.jsonl"
    reports = [tmp_path / "r.json", tmp_path / "r.txt"]
    done = dedup("clean", SEED, "-o", clean, "--manifest", manifest, "--report", reports[0], "--report", reports[1])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert clean.read_bytes() == CANONICAL.read_bytes()
    assert "17–31 = 2–16" in reports[1].read_text(encoding="utf-8")
    assert json.loads(manifest.read_bytes())["ops"] == [[0, 3503], [203, 3502]]
    assert dedup("restore", clean, "--manifest", manifest).stdout == SEED.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clean.txt", "m.jsonl", "r.json", "r.txt"]


def test_the_json_report_keeps_to_its_schema_and_adds_up() -> None:
    report = json.loads(dedup("report", "--format", "json", SEED).stdout)
    jsonschema.validate(report, _schema())
    (block,) = report["documents"][0]["blocks"]
    assert (block["copy"]["lines"], block["kept"]["lines"], block["removed"]) == ([17, 31], [2, 16], True)
    totals = report["totals"]
    assert (totals["bytes_in"], totals["bytes_out"], totals["bytes_removed"]) == (6802, 3503, 3299)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**report, "documents": [{**report["documents"][0], "encoding": 5}]}, _schema())


def _schema() -> dict[str, object]:
    schema: dict[str, object] = json.loads((resources("dedup.report") / "dedup-report-1.schema.json").read_text())
    return schema


def test_a_folder_is_mirrored_and_restored_and_binaries_are_counted(tmp_path: Path) -> None:
    raw, out, back = tmp_path / "raw", tmp_path / "out", tmp_path / "back"
    (raw / "b").mkdir(parents=True)
    (raw / "a.txt").write_text(TWICE)
    (raw / "b" / "c.txt").write_text(ONCE)
    (raw / "b" / "picture").write_bytes(b"\x89PNG\0\0")
    done = dedup("clean", raw, "-d", out, "--scope", "document", "--manifest", tmp_path / "m")
    assert done.returncode == 0
    assert b"skipped 1 binary file" in done.stderr
    assert (out / "a.txt").read_text() == ONCE
    assert (out / "b" / "c.txt").read_text() == ONCE
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-d", back).returncode == 0
    assert (back / "a.txt").read_text() == TWICE
    assert (back / "b" / "c.txt").read_text() == ONCE


def test_in_place_replaces_the_input_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text(TWICE)
    target.chmod(0o640)
    assert dedup("clean", target, "--in-place", "--manifest", tmp_path / "m").returncode == 0
    assert target.read_text() == ONCE
    assert target.stat().st_mode & 0o777 == 0o640
    assert dedup("restore", target, "--manifest", tmp_path / "m", "-o", target).returncode == 0
    assert target.read_text() == TWICE


def test_a_manifest_that_holds_the_only_way_back_is_not_overwritten(tmp_path: Path) -> None:
    target, manifest = tmp_path / "a.txt", tmp_path / "m"
    target.write_text(TWICE)
    manifest.write_text("the way back of an earlier run\n")
    done = dedup("clean", target, "--in-place", "--manifest", manifest)
    assert done.returncode == 2
    assert b"give another name" in done.stderr
    assert (target.read_text(), manifest.read_text()) == (TWICE, "the way back of an earlier run\n")


def test_output_may_be_the_input(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text(TWICE)
    assert dedup("clean", target, "-o", target).returncode == 0
    assert target.read_text() == ONCE


def test_links_are_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text(TWICE)
    (tmp_path / "link.txt").symlink_to("real.txt")
    assert dedup("clean", tmp_path / "link.txt", "--in-place").returncode == 0
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == ONCE


def test_jsonl_keeps_fields_order_and_escapes_and_passes_broken_lines_on(tmp_path: Path) -> None:
    escaped = json.dumps(TWICE + 'café 😀 "x" \\ /').replace("/", "\\/")
    lines = [
        f'{{"id": 7,  "text": {escaped}, "tags": ["a",null], "n": 1.50}}',
        '{"text": 5, "id": "no text"}',
        "{broken",
        "",
        json.dumps({"id": "kept", "text": ONCE}, ensure_ascii=False),
    ]
    raw, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    raw.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = dedup("clean", raw, "-o", out, "--scope", "document", "--manifest", tmp_path / "m")
    assert done.returncode == 2
    assert b"in.jsonl:2: field 'text' is int" in done.stderr
    assert b"in.jsonl:3: not a JSON object" in done.stderr
    result = out.read_text(encoding="utf-8").split("\n")
    assert result[1:] == [*lines[1:], ""]
    assert result[0].startswith('{"id": 7,  "text": "Library saved')
    assert result[0].endswith('", "tags": ["a",null], "n": 1.50}')
    assert json.loads(result[0])["text"] == ONCE + 'café 😀 "x" \\ /'
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-o", tmp_path / "back").returncode == 0
    assert (tmp_path / "back").read_bytes() == raw.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clean", "a.txt", "b.txt"], "several inputs need -d DIR or --in-place"),
        (["clean", "a.txt", "-o", "x", "--in-place"], "give one of -o, -d and --in-place"),
        (["clean", "-", "--in-place"], "standard input has no place"),
        (["clean", "a.txt", "--report", "r.pdf"], "must end in .txt, .json"),
        (["clean", "a.txt", "--preset", "wild"], "--preset wild: there is default"),
        (["clean", "a.txt", "--min-words", "2"], "min-words"),
        (["clean", "no-such-file"], "no-such-file: cannot be read: No such file"),
        (["clean", "a.txt", "sub/a.txt", "-d", "out"], "another input would be written to"),
        (["clean", "--nonsense"], "No such option"),
        (["restore", "a.txt", "--manifest", "a.txt"], "is not JSON"),
    ],
)
def test_a_wrong_call_says_what_and_exits_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.txt", "b.txt", "sub/a.txt"):
        (tmp_path / name).write_text(ONCE)
    done = dedup(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_edited_clean_text_is_refused(tmp_path: Path) -> None:
    clean, manifest = tmp_path / "clean.txt", tmp_path / "m"
    dedup("clean", SEED, "-o", clean, "--manifest", manifest)
    clean.write_bytes(clean.read_bytes() + b"x")
    done = dedup("restore", clean, "--manifest", manifest, "-o", tmp_path / "back")
    assert done.returncode == 2
    assert b"it was edited" in done.stderr
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("path", ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt"])
def test_a_manifest_cannot_write_outside(path: str, tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    (raw / "a.txt").write_text(TWICE)
    dedup("clean", raw, "-d", out, "--manifest", tmp_path / "m")
    entry = json.loads((tmp_path / "m").read_text())
    (tmp_path / "m").write_text(json.dumps({**entry, "path": path}) + "\n")
    done = dedup("restore", out, "--manifest", tmp_path / "m", "-d", tmp_path / "back")
    assert done.returncode == 2
    assert b"leads out of" in done.stderr


@pytest.mark.parametrize("ops", [[[0, 99999]], [[-1, 3]], [[5, 2]], ["not base64!"], [[0, True]], {"a": 1}])
def test_a_manifest_with_spans_outside_is_refused(ops: object, tmp_path: Path) -> None:
    clean, manifest = tmp_path / "clean.txt", tmp_path / "m"
    dedup("clean", SEED, "-o", clean, "--manifest", manifest)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "ops": ops}) + "\n")
    done = dedup("restore", clean, "--manifest", manifest)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"damaged" in done.stderr


def test_version_and_help_are_quick_to_find() -> None:
    assert dedup("--version").stdout.startswith(b"dedup ")
    for arguments in (["--help"], ["-h"], ["clean", "--help"], ["report", "-h"], ["restore", "--help"]):
        done = dedup(*arguments)
        assert done.returncode == 0
        assert b"Usage: dedup" in done.stdout


def test_a_file_named_like_a_command_is_reached_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "report").write_text(TWICE)
    assert dedup("./report", cwd=tmp_path).stdout.decode() == ONCE
    assert dedup("--", "report", cwd=tmp_path).stdout.decode() == ONCE


# ---------------------------------------------------------------- copies that differ

HEAD = "Library saved\n"
ARTICLE = f"""\
{LEAD}
Nobody in the crowded room had expected it, least of all the staff who had packed their boxes and ordered a van.
Children from the school by the harbour sang on the steps in the rain until the mayor came down to thank them.
A carpenter has offered to mend the long tables, and a baker will bring warm bread for the volunteers on duty.
"""
EDITED = ARTICLE.replace("crowded", "narrow")
MORE = ARTICLE.replace("by the harbour", "by the harbour and from the village")
MOVED = EDITED.replace("by the harbour", "by the harbour and from the village")
FRIDAY = EDITED.replace("Tuesday", "Friday")
NEAR_TWICE = HEAD + ARTICLE + EDITED
# One word of five is another: more than --near allows, less than --near 0.7 does.
REWRITTEN = ARTICLE
_SWAPS = (
    "council>board voted>chose library>archive mayor>rector statement>letter crowded>narrow expected>foreseen "
    "staff>people boxes>trunks ordered>hired school>class harbour>bridge rain>snow thank>greet carpenter>joiner "
    "mend>repair warm>fresh volunteers>helpers"
)
for _swap in _SWAPS.split():
    REWRITTEN = REWRITTEN.replace(_swap.partition(">")[0], _swap.partition(">")[2])


def test_a_copy_that_differs_goes_only_when_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(NEAR_TWICE)
    once = HEAD + ARTICLE
    assert dedup("a.txt", cwd=tmp_path).stdout.decode() != once
    for arguments in (["--near", "a.txt"], ["--near", "0.8", "a.txt"], ["a.txt", "--near=0.8"]):
        done = dedup(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout.decode(), done.stderr) == (0, once, b""), arguments


@pytest.mark.parametrize(
    ("arguments", "goes"),
    [
        (["--near"], False),
        (["--near", ".7"], True),
        (["--similarity", "0.7"], True),
        (["--similarity", "0.7", "--near"], True),
    ],
)
def test_the_share_that_is_alike_decides(arguments: list[str], goes: bool) -> None:
    done = dedup("clean", *arguments, stdin=(HEAD + ARTICLE + REWRITTEN).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == HEAD + ARTICLE + REWRITTEN * (not goes)


def test_a_file_that_is_named_like_a_share_is_reached_after_two_dashes(tmp_path: Path) -> None:
    (tmp_path / "1").write_text(NEAR_TWICE)
    assert dedup("--near", "--", "1", cwd=tmp_path).stdout.decode() == HEAD + ARTICLE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--near", "2"], "greater than or equal to 0.5|less than or equal to 1"),
        (["--near=0.3"], "greater than or equal to 0.5|0.5<=x<=1"),
        (["--near=much"], "number|float"),
        (["--near=nan"], "0.5|1"),
        (["--near", "much"], "much: cannot be read: No such file"),
        (["--near-facts"], "--near-facts: add --near, or copies that differ are not looked for"),
        (["--near", "--keep", "newest"], "--keep newest: there is best, first, last, longest"),
    ],
)
def test_a_wrong_option_of_near_copies_says_what_and_exits_2(arguments: list[str], message: str) -> None:
    done = dedup(*arguments, stdin=NEAR_TWICE.encode())
    assert (done.returncode, done.stdout) == (2, b"")
    said = [line for line in done.stderr.decode().splitlines() if line.startswith(("dedup: ", "Error: "))]
    assert len(said) == 1, done.stderr
    assert re.search(message, said[0])
    assert b"Traceback" not in done.stderr


def test_near_facts_lets_a_copy_go_whose_day_is_another() -> None:
    text = (HEAD + ARTICLE + FRIDAY).encode()
    assert dedup("--near", stdin=text).stdout.decode() == HEAD + ARTICLE + LEAD.replace("Tuesday", "Friday") + "\n"
    assert dedup("--near", "--near-facts", stdin=text).stdout.decode() == HEAD + ARTICLE


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("best", MORE), ("first", ARTICLE), ("last", MOVED)],
)
def test_keep_says_which_copy_stays(keep: str, expected: str) -> None:
    done = dedup("--near", "--keep", keep, "--audit", stdin=(HEAD + ARTICLE + MOVED).encode())
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, HEAD + expected, b"")


def test_the_report_marks_the_words_that_differ_without_colour() -> None:
    shown = dedup("report", "--near", stdin=(HEAD + ARTICLE + FRIDAY).encode()).stdout.decode()
    assert "\x1b" not in shown
    assert "[-Friday-]{+Tuesday+}" in shown
    assert "[-narrow-]{+crowded+}" in shown
    assert "near-facts: near copy, kept: Friday / Tuesday" in shown
    assert re.search(r"near copy  \d+\.\d% alike  3 paragraphs", shown)


def test_the_report_says_what_was_put_in_the_place_of_what() -> None:
    shown = dedup("report", "--near", stdin=(HEAD + ARTICLE + MOVED).encode()).stdout.decode()
    assert "the better copy, 8, was put in the place of this one" in shown
    assert "{+and from the village+}" in shown


def test_explain_prints_every_match_with_its_score_its_rule_and_its_witness(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(HEAD + ARTICLE + FRIDAY)
    plain = dedup("report", "--near", "a.txt", cwd=tmp_path).stdout.decode()
    before = dedup("--near", "a.txt", cwd=tmp_path).stdout
    done = dedup("report", "--explain", "--near", "a.txt", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith(plain)
    explained = done.stdout.decode().removeprefix(plain)
    rows = [row.split("  ") for row in explained.splitlines() if row.startswith("  ")]
    assert explained.count("Pass 1: 2 matches considered") == 1
    assert "Pass 2:" in explained
    assert any(row[1].strip() == "removed" and "7–9 = 3–5" in "".join(row) for row in rows)
    assert re.search(r"removed +7–9 = 3–5 +\d+ words  9\d\.\d% alike  near-copy: ", explained)
    assert re.search(r"kept +6 = 2 +21 words  95\.2% alike  near-facts: near copy, kept: Friday / Tuesday", explained)
    assert dedup("--near", "a.txt", cwd=tmp_path).stdout == before
    assert (tmp_path / "a.txt").read_text() == HEAD + ARTICLE + FRIDAY


def test_explain_tells_of_exact_copies_too() -> None:
    shown = dedup("report", "--explain", "-", stdin=TWICE.encode()).stdout.decode()
    assert re.search(r"removed +4 = 2 +21 words  100\.0% alike  prose-copy: ", shown)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.jsonl"], "--explain: give one text file"),
        (["--input-format", "jsonl", "a.txt"], "--explain: give one text file"),
        (["a.txt", "b.txt"], "--explain: give one text file"),
        (["--format", "json", "a.txt"], "--explain: there is --format text only"),
    ],
)
def test_explain_takes_one_text(arguments: list[str], message: str, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "a.jsonl"):
        (tmp_path / name).write_text(json.dumps({"text": TWICE}) + "\n")
    done = dedup("report", "--explain", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"dedup: " + message.encode())
    assert done.stderr.count(b"\n") == 1


def test_an_audit_finds_nothing_wrong_with_text_files_and_records(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    texts = [TWICE, ONCE, NEAR_TWICE, HEAD + ARTICLE + MOVED, HEAD + ARTICLE + FRIDAY, ""]
    for number, text in enumerate(texts):
        (raw / f"{number}.txt").write_text(text)
    (raw / "all.jsonl").write_text("".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts)))
    for more in ([], ["--near"]):
        done = dedup("clean", raw, "-d", tmp_path / "out", "--scope", "document", "--audit", *more)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert dedup("clean", raw, "-d", tmp_path / "plain", "--scope", "document", "--near").returncode == 0
    for path in sorted(raw.iterdir()):
        assert (tmp_path / "out" / path.name).read_bytes() == (tmp_path / "plain" / path.name).read_bytes()
    assert dedup("--audit", stdin=SEED.read_bytes()).stdout == CANONICAL.read_bytes()


def test_the_json_report_of_near_copies_keeps_to_its_schema_and_names_the_words() -> None:
    text = HEAD + ARTICLE + MOVED.replace("Tuesday", "Friday")
    report = json.loads(dedup("report", "--near", "--format", "json", stdin=text.encode()).stdout)
    jsonschema.validate(report, _schema())
    assert (report["settings"]["similarity"], report["settings"]["keep"]) == (0.9, "best")
    blocks = report["documents"][0]["blocks"]
    changes = {
        (block["rule"], change["copy"]["text"], change["kept"]["text"], block["removed"], block["moved"])
        for block in blocks
        for change in block["changes"]
    }
    assert changes == {
        ("near-copy", "", "and from the village", True, True),
        ("near-facts", "Friday", "Tuesday", False, False),
        ("near-copy", "narrow", "crowded", True, False),
    }
    for change in (change for block in blocks for change in block["changes"]):
        for side in change.values():
            assert text.encode()[slice(*side["bytes"])].decode() == side["text"]


def test_records_with_moved_paragraphs_are_restored_byte_for_byte(tmp_path: Path) -> None:
    texts = [HEAD + ARTICLE + MOVED + "café 😀", NEAR_TWICE, HEAD + ARTICLE + FRIDAY, ONCE]
    escaped = [json.dumps(text, ensure_ascii=number % 2 == 0) for number, text in enumerate(texts)]
    escaped[0] = escaped[0].replace("/", "\\/").replace("village", "vill\\u0061ge")
    raw, out, back = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "back.jsonl"))
    raw.write_text("".join(f'{{"id": {n},  "text": {t}, "n": 1.50}}\r\n' for n, t in enumerate(escaped)), newline="")
    done = dedup("clean", "--near", "--audit", "--scope", "document", raw, "-o", out, "--manifest", tmp_path / "m")
    assert (done.returncode, done.stderr) == (0, b"")
    cleaned = [json.loads(line)["text"] for line in out.read_text().splitlines()]
    friday = LEAD.replace("Tuesday", "Friday") + "\n"
    assert cleaned == [HEAD + MORE + "café 😀", HEAD + ARTICLE, HEAD + ARTICLE + friday, ONCE]
    assert "vill\\u0061ge" in out.read_text()
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-o", back).returncode == 0
    assert back.read_bytes() == raw.read_bytes()


def test_one_near_run_writes_text_manifest_and_reports(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(HEAD + ARTICLE + MOVED)
    arguments = ["a.txt", "-o", "clean.txt", "--report", "r.json", "--report", "r.txt", "--manifest", "m"]
    done = dedup("clean", "--near", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "clean.txt").read_text() == HEAD + MORE
    report = json.loads((tmp_path / "r.json").read_bytes())
    jsonschema.validate(report, _schema())
    (document,) = report["documents"]
    manifest = json.loads((tmp_path / "m").read_bytes())
    assert (manifest["input"]["bytes"], manifest["output"]["bytes"]) == (document["bytes_in"], document["bytes_out"])
    assert report == json.loads(dedup("report", "--near", "--format", "json", "a.txt", cwd=tmp_path).stdout)
    assert "was put in the place of this one" in (tmp_path / "r.txt").read_text(encoding="utf-8")
    assert dedup("restore", "clean.txt", "--manifest", "m", cwd=tmp_path).stdout.decode() == HEAD + ARTICLE + MOVED
