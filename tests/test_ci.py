"""What runs in other people's CI: the gate with its baseline, and the script of the action, as real processes."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.run import DEDUP, ROOT, SEED, dedup

LEAD = (
    "The council voted on Tuesday to keep the old library open for another five years, and the mayor said it was good."
)
NEXT = "Nobody had expected it to go that way, least of all the staff who had packed their boxes already."
LAST = "Children from two schools sang on the steps in the rain while their teachers held umbrellas over the musicians."
OTHER = "A ferry that had lain in the harbour since the spring left for the islands with forty people and a brass band."


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """A folder with one text that has a paragraph twice."""
    folder = tmp_path / "batch"
    folder.mkdir()
    (folder / "a.txt").write_text(f"{LEAD}\n{NEXT}\n{LAST}\n{LEAD}\n")
    (folder / "b.txt").write_text(f"{OTHER}\n")
    return folder


def _check(folder: Path, *arguments: str) -> int:
    return dedup("check", folder.name, "--baseline", "accepted.json", *arguments, cwd=folder.parent).returncode


def test_a_baseline_accepts_what_is_there_and_nothing_more(batch: Path) -> None:
    assert dedup("check", batch).returncode == 1
    assert _check(batch, "--update-baseline") == 0
    assert _check(batch) == 0
    (batch / "a.txt").write_text(f"{OTHER[:40]}.\n{LEAD}\n{NEXT}\n{LAST}\n{LEAD}\n")
    assert _check(batch) == 0, "moved to another line"
    (batch / "a.txt").write_text(f"{LEAD}\n{NEXT}\n{LEAD}\n{LAST}\n{LEAD}\n")
    assert _check(batch) == 1, "copied once more"
    edited = LEAD.replace("five", "six")
    (batch / "a.txt").write_text(f"{edited}\n{NEXT}\n{LAST}\n{edited}\n")
    assert _check(batch) == 1, "edited"


def test_only_what_is_new_is_told_beside_a_baseline(batch: Path) -> None:
    assert _check(batch, "--update-baseline") == 0
    (batch / "c.txt").write_text(f"{OTHER}\n")
    done = dedup("check", "batch", "--baseline", "accepted.json", cwd=batch.parent)
    assert done.returncode == 1
    assert b"c.txt:1: The document repeats the text of" in done.stdout
    assert b"a.txt" not in done.stdout.partition(b"repeats")[0]
    assert b"new: 1 finding, 111 bytes" in done.stdout


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"schema": "dedup-baseline/1", "findings": {"a": 1}}', '{"schema": 2}']
)
def test_a_broken_baseline_is_refused_with_the_next_step(batch: Path, content: str) -> None:
    (batch.parent / "accepted.json").write_text(content)
    done = dedup("check", "batch", "--baseline", "accepted.json", cwd=batch.parent)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"accepted.json: not a baseline" in done.stderr
    assert b"--update-baseline" in done.stderr


def test_a_missing_baseline_is_an_error_and_not_an_empty_one(batch: Path) -> None:
    assert _check(batch) == 2


def test_the_limit_of_a_document_counts_for_each(batch: Path) -> None:
    size = (batch / "a.txt").stat().st_size
    share = 100 * (len(LEAD) + 1) / size
    for limit, code in ((share - 0.1, 1), (share + 0.1, 0)):
        arguments = ("--max-duplication", "100%", "--max-duplication-per-document", f"{limit:.3f}%")
        assert dedup("check", batch, *arguments).returncode == code


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--max-duplication", "banana"], b"--max-duplication banana"),
        (["--max-duplication", "101%"], b"--max-duplication 101%"),
        (["--update-baseline"], b"--baseline FILE"),
        (["--report", "x.pdf"], b"x.pdf"),
        (["--format", "pdf"], b"--format pdf"),
        (["-0"], b"--files-from"),
    ],
)
def test_a_bad_option_is_told_and_nothing_is_checked(batch: Path, arguments: list[str], told: bytes) -> None:
    done = dedup("check", batch, *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert told in done.stderr
    assert b"Traceback" not in done.stderr


def test_every_format_and_report_file_comes_from_one_run(batch: Path, tmp_path: Path) -> None:
    names = [tmp_path / f"r{suffix}" for suffix in (".txt", ".json", ".html", ".sarif", ".xml")]
    reports = [argument for name in names for argument in ("--report", str(name))]
    done = dedup("check", batch, *reports)
    assert done.returncode == 1
    assert json.loads(names[1].read_text())["totals"]["bytes_removed"] == len(LEAD) + 1
    assert json.loads(names[3].read_text())["version"] == "2.1.0"
    for kind in ("json", "sarif", "github", "junit"):
        assert dedup("check", batch, "--format", kind).returncode == 1
    for kind, name in (("json", names[1]), ("sarif", names[3]), ("junit", names[4])):
        assert dedup("report", batch, "--format", kind).stdout == name.read_bytes()


def test_names_may_come_from_a_list(batch: Path) -> None:
    names = sorted(batch.iterdir())
    for end, more in ((b"\n", []), (b"\0", ["-0"])):
        listed = b"".join(os.fsencode(name) + end for name in names)
        done = dedup("check", "--files-from", "-", *more, stdin=listed)
        assert done.stdout == dedup("check", *names).stdout
    assert dedup("check", "--files-from", "-", stdin=b"").returncode == 0


HOSTILE = "##[error]one ::error::two ##vso[task.complete]three \r\x1b[31mfour ##[group]five"
LOGGED = [
    *(("check", "--format", kind) for kind in ("text", "json", "sarif", "github", "junit")),
    *(("report", "--format", kind, "--full") for kind in ("text", "json", "html", "sarif", "github", "junit")),
    ("report", "--near", "0.6", "--passages", "--boilerplate"),
    *(("index", "search", "--format", kind, "seen") for kind in ("text", "json")),
    ("check", "--index", "seen", "--format", "text"),
    ("check", "--baseline", "::error::accepted", "--update-baseline"),
]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder of texts, names and ids that are commands for those who read the log of a build."""
    ids = ["::stop-commands::x", "##[add-mask]a", "::error::" + HOSTILE]
    texts = [
        f"{HOSTILE}\n::warning::{LEAD}\n::error::{NEXT}\n{LAST}\n",
        f"{HOSTILE}\n::warning::{LEAD}\n::error::{NEXT}\n##[error]{LAST} And ##[error]one ::error::thing more.\n",
        f"{HOSTILE}\n::error::{OTHER}\n##[error]{NEXT}\n::error::{OTHER}\n",
    ]
    records = [json.dumps({"id": id, "text": text}) for id, text in zip(ids, texts, strict=True)]
    (tmp_path / "::error::a.jsonl").write_text("\n".join([*records, *records, "##[error]"]))
    for name in ("::error::b.txt", "##[error]c.txt"):
        (tmp_path / name).write_text(f"{texts[2]}{name}\n{texts[0]}")
    (tmp_path / "::error::folder").mkdir()
    (tmp_path / "::error::folder" / "##[error]\x1b[31m").write_bytes(b"\0\1")
    return tmp_path


def test_no_content_and_no_name_is_a_command_of_a_build_log(hostile: Path) -> None:
    names = sorted(path.name for path in hostile.iterdir())
    (hostile / "::error::old").write_text(f"{HOSTILE}\n::error::{NEXT}\n##[error]{LAST}\n")
    assert dedup("index", "add", "seen", "::error::old", cwd=hostile).returncode == 0
    for arguments in LOGGED:
        done = dedup(*arguments, *names, "missing ##[error]", cwd=hostile)
        assert done.returncode == 2, (arguments, done.stderr)
        assert done.stdout, arguments
        for text in (done.stdout.decode(), done.stderr.decode()):
            assert not re.search(r"##\w*\[|[\r\x1b]", text), arguments
            commands = set(re.findall(r"^\s*::(\w+)", text, re.MULTILINE))
            assert commands <= ({"error", "warning", "notice"} if "github" in arguments else set()), arguments


def _action(folder: Path, **inputs: str) -> "subprocess.CompletedProcess[bytes]":
    (folder / "bin").mkdir(exist_ok=True)
    command = folder / "bin" / "dedup"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dedup "$@"\n')
    command.chmod(0o755)
    values = {"PATHS": "", "MAX_DUPLICATION": "0%", "BASELINE": "", "ARGUMENTS": ""} | inputs
    environment = os.environ | values | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment["GITHUB_STEP_SUMMARY"] = str(folder / "summary.md")
    return subprocess.run(
        ["bash", str(ROOT / ".ci" / "action")], capture_output=True, cwd=folder, env=environment, check=False
    )


def test_the_script_of_the_action_passes_and_fails_as_it_should(batch: Path) -> None:
    folder = batch.parent
    (folder / "a name with spaces").mkdir()
    (folder / "a name with spaces" / "raw.txt").write_bytes(SEED.read_bytes())
    done = _action(folder, PATHS="batch\na name with spaces\n")
    assert done.returncode == 1
    assert done.stdout.startswith(b"::warning file=a name with spaces/raw.txt,line=17,endLine=31,")
    assert done.stdout.splitlines()[-1].endswith(b" bytes, 46.4%; allowed 0%")
    summary = (folder / "summary.md").read_text()
    assert summary.startswith("## dedup\n\n**Failed**: allowed 0%.\n\n**46.4%** of ")
    assert "2 findings" in summary
    assert _action(folder, PATHS="batch\n", ARGUMENTS="--preset\ncareful\n").returncode == 0
    assert _action(folder, PATHS="batch\n", MAX_DUPLICATION="50%").returncode == 0
    assert "\n\nPassed: allowed 50%.\n\n" in (folder / "summary.md").read_text()
    assert _check(batch, "--update-baseline") == 0
    assert _action(folder, PATHS="batch\n", BASELINE="accepted.json").returncode == 0
    assert _action(folder, PATHS="missing\n").returncode == 2
    assert (folder / "summary.md").read_text().count("**Failed**") == 2, "each step adds to the file"


@pytest.mark.parametrize("paths", ["", "\n", " \n\n"])
def test_the_action_without_paths_fails_and_says_so(batch: Path, paths: str) -> None:
    done = _action(batch.parent, PATHS=paths)
    assert (done.returncode, done.stdout[:20]) == (2, b"::error title=dedup:")


def test_the_hooks_fail_on_what_repeats(batch: Path) -> None:
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text().split("- id: ")[1:]
    for hook in hooks:
        command, arguments = (re.search(rf"^  {key}: (.*)$", hook, re.MULTILINE) for key in ("entry", "args"))
        assert command
        assert command[1].split()[0] == "dedup"
        named = arguments[1].strip("[]").split(", ") if arguments else ["batch/a.txt", "batch/b.txt"]
        assert ("pass_filenames: false" in hook) == bool(arguments)
        done = dedup(*command[1].split()[1:], *named, cwd=batch.parent)
        assert (done.returncode, done.stdout[:14]) == (1, b"batch/a.txt:4:")


# ---------------------------------------------------------------- how it ends, as a process

ONE, MANY = ["batch/a.txt"], ["batch", "--scope", "batch"]


def _started(batch: Path, *arguments: str, **how: Any) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([*DEDUP, "check", *arguments], cwd=batch.parent, env=environment, stderr=-1, **how)


@pytest.mark.parametrize("inputs", [ONE, MANY])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 1), (["--max-duplication", "50%"], 0), (["missing"], 2), (["missing", "--max-duplication", "50%"], 2)],
)
def test_2_beats_1_beats_0(batch: Path, inputs: list[str], arguments: list[str], code: int) -> None:
    done = dedup("check", *inputs, *arguments, cwd=batch.parent)
    assert done.returncode == code
    assert (b"missing: cannot be read" in done.stderr) == (code == 2)
    (batch / "a.txt").write_text(f"{LEAD}\n")
    assert dedup("check", *inputs, *arguments, cwd=batch.parent).returncode == (code if code == 2 else 0)


@pytest.mark.parametrize("inputs", [ONE, MANY])
@pytest.mark.parametrize("kind", ["text", "json", "sarif", "github", "junit"])
def test_a_full_disk_is_exit_2_with_one_line_that_names_the_target(batch: Path, inputs: list[str], kind: str) -> None:
    full = batch.parent / "full.json"
    full.symlink_to("/dev/full")
    with open(full, "wb") as stdout:
        process = _started(batch, *inputs, "--format", kind, stdout=stdout)
        assert (process.communicate()[1], process.returncode) == (
            b"dedup: standard output: cannot be written: No space left on device\n",
            2,
        )
    summary = {"GITHUB_STEP_SUMMARY": str(full)} if kind == "github" else {}
    written = [] if summary else ["--report", "full.json"]
    done = dedup("check", *inputs, "--format", kind, *written, cwd=batch.parent, env=summary)
    assert done.returncode == 2
    assert re.fullmatch(rb"dedup: \S*full.json: cannot be written: No space left on device.*\n", done.stderr)


@pytest.mark.parametrize("inputs", [ONE, MANY])
@pytest.mark.parametrize("kind", ["text", "json", "sarif", "github", "junit"])
def test_a_pipe_that_nobody_reads_ends_a_check_by_sigpipe(batch: Path, inputs: list[str], kind: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = _started(batch, *inputs, "--format", kind, stdout=writer)
    os.close(writer)
    assert (process.communicate()[1], process.returncode) == (b"", -signal.SIGPIPE)


@pytest.mark.parametrize("inputs", [[], MANY])
def test_an_interrupted_check_is_130_without_a_traceback(batch: Path, inputs: list[str]) -> None:
    os.mkfifo(batch.parent / "slow")
    process = _started(batch, *inputs, "slow", stdout=-1)
    with open(batch.parent / "slow", "wb"):  # opens once the other side reads
        process.send_signal(signal.SIGINT)
        assert (*process.communicate(timeout=30), process.returncode) == (b"", b"", 130)
