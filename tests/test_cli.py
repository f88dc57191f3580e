"""The commands, from the command line on real files."""

import json
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
        jsonschema.validate({**report, "documents": [{**report["documents"][0], "encoding": "klingon"}]}, _schema())


def _schema() -> dict[str, object]:
    schema: dict[str, object] = json.loads((resources("dedup.report") / "dedup-report-1.schema.json").read_text())
    return schema


def test_a_folder_is_mirrored_and_restored_and_binaries_are_counted(tmp_path: Path) -> None:
    raw, out, back = tmp_path / "raw", tmp_path / "out", tmp_path / "back"
    (raw / "b").mkdir(parents=True)
    (raw / "a.txt").write_text(TWICE)
    (raw / "b" / "c.txt").write_text(ONCE)
    (raw / "b" / "picture").write_bytes(b"\x89PNG\0\0")
    done = dedup("clean", raw, "-d", out, "--manifest", tmp_path / "m")
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
        (["clean", "a.txt", "--report", "r.pdf"], "must end in .json or .txt"),
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
