"""What goes wrong in the world: full disks, closed pipes, interrupts, files that are not what they seem."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.run import CANONICAL, DEDUP, ROOT, SEED, dedup
from tests.test_cli import ONCE, TWICE

UNBUFFERED = [{}, {"PYTHONUNBUFFERED": "1"}, {"LANG": "C", "LC_ALL": "C"}]


def _shell(command: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    line = command.replace("DEDUP", " ".join(DEDUP)).replace("SEED", str(SEED))
    env = {**os.environ, **environment}
    return subprocess.run(["bash", "-c", line], capture_output=True, cwd=ROOT, env=env, timeout=120, check=False)


@pytest.mark.parametrize("environment", UNBUFFERED)
@pytest.mark.parametrize(
    "command",
    [
        "DEDUP < SEED > /dev/full",
        "DEDUP SEED > /dev/full",
        "DEDUP SEED -o /dev/full",
        "DEDUP report SEED > /dev/full",
        "DEDUP report --format json SEED > /dev/full",
        "DEDUP --version > /dev/full",
        "DEDUP --help > /dev/full",
        "DEDUP SEED -o /dev/null --manifest /dev/full",
        "DEDUP < SEED >&-",
        "DEDUP <&-",
        "DEDUP SEED >&-",
        "DEDUP report SEED >&-",
        "DEDUP clean - <&-",
        "DEDUP clean /etc/no-such-file",
    ],
)
def test_what_cannot_be_done_is_exit_2_with_one_line(command: str, environment: dict[str, str]) -> None:
    done = _shell(command, **environment)
    assert done.returncode == 2, done
    assert done.stderr.startswith(b"dedup: "), done
    assert done.stderr.count(b"\n") == 1, done


@pytest.mark.parametrize(
    "command", ["cat SEED SEED SEED | DEDUP | true", "DEDUP report SEED | true", "DEDUP SEED | true"]
)
def test_a_closed_pipe_ends_quietly_by_sigpipe(command: str) -> None:
    big = command.replace("DEDUP", "{ sleep 0.5; DEDUP; }") if command.startswith("cat") else command
    first = command.count("|") - 1
    done = _shell(f"{big.replace('| true', '| (exec <&-; sleep 0.1)')}; echo ${{PIPESTATUS[{first}]}}")
    assert done.stderr == b""
    assert done.stdout.strip() in (b"141", b"0")


def test_a_pipe_that_is_closed_before_the_output_kills_by_sigpipe() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        DEDUP, input=SEED.read_bytes(), stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, check=False, timeout=60
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (-signal.SIGPIPE, b"")


@pytest.mark.parametrize("arguments", [[], ["clean", "-", "-v"], ["report", "-"]])
def test_an_interrupt_is_130_without_a_traceback(arguments: list[str]) -> None:
    process = subprocess.Popen(
        [*DEDUP, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdin
    process.stdin.write(b"waiting for more\n")
    process.stdin.flush()
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert (out, b"Traceback" in err) == (b"", False)


def test_a_full_disk_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    """A small file system in memory, in a mount namespace of its own; where that is not allowed, a file size limit."""
    target = tmp_path / "target.txt"
    target.write_text("the old text\n")
    big = tmp_path / "big.txt"
    big.write_bytes(b"".join(b"paragraph %d of many, none like another one here\n" % n for n in range(20000)))
    done = _shell(f"ulimit -f 16; trap '' XFSZ; DEDUP {big} -o {target}")
    assert done.returncode == 2
    assert b"cannot be written" in done.stderr
    assert target.read_text() == "the old text\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["big.txt", "target.txt"]


def test_a_kill_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    body = "".join(f"Paragraph {n} of a longer article, and nothing in it is said a second time.\n" for n in range(400))
    old, new = f"{body}{body}".encode(), body.encode()
    for attempt in range(12):
        target.write_bytes(old)
        process = subprocess.Popen([*DEDUP, "clean", str(target), "--in-place"], cwd=ROOT)
        time.sleep(0.15 + 0.02 * attempt)
        process.kill()
        process.wait()
        assert target.read_bytes() in (old, new)


def test_unreadable_vanished_and_looping_inputs_are_named_and_the_rest_is_done(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "a.txt").write_text(TWICE)
    (raw / "gone.txt").symlink_to("nowhere")
    (raw / "loop").symlink_to(".")
    done = dedup("clean", raw, "-d", tmp_path / "out")
    assert done.returncode == 2
    assert b"gone.txt: cannot be read" in done.stderr
    assert (tmp_path / "out" / "a.txt").read_text() == ONCE


def test_names_that_are_not_utf_8_are_read_written_and_shown(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    with open(name, "w") as stream:
        stream.write(TWICE)
    done = dedup("clean", os.fsdecode(name), "--in-place", "-v", "--manifest", tmp_path / "m")
    assert done.returncode == 0, done.stderr
    with open(name) as stream:
        assert stream.read() == ONCE
    assert dedup("report", os.fsdecode(name)).returncode == 0
    assert dedup("report", "--format", "json", os.fsdecode(name), env={"LC_ALL": "C"}).returncode == 0
    assert dedup("restore", os.fsdecode(name), "--manifest", tmp_path / "m").stdout.decode() == TWICE


@pytest.mark.parametrize("arguments", [[], ["binary"], ["report", "binary"]])
def test_binaries_are_refused_unless_forced(arguments: list[str], tmp_path: Path) -> None:
    data = b"\x7fELF\0\0\0 text"
    (tmp_path / "binary").write_bytes(data)
    done = dedup(*arguments, stdin=data, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"use --text" in done.stderr
    assert dedup("--text", "binary", cwd=tmp_path).stdout == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b" \n\t\n  ",
        b"one line without end",
        b"\xff\xfe" + "with a mark\n".encode("utf-16-le"),
        b"\xfe\xff" + "with a mark\n".encode("utf-16-be"),
        "\ufeffwith a mark\n".encode(),
        b"\xff\x80 bad \xc3\nagain \xe9\n",
        "a\u2028b\x85c\x0cd\x1ce\n".encode(),
        b"a\rb\r\nc\n\rd",
        b"\xff\xfe\x00",
    ],
)
@pytest.mark.parametrize("environment", UNBUFFERED)
def test_odd_bytes_pass_through_unchanged(data: bytes, environment: dict[str, str]) -> None:
    done = dedup(stdin=data, env=environment)
    if b"\0" in data and len(data) % 2:
        assert done.returncode == 2
    else:
        assert (done.returncode, done.stdout, done.stderr) == (0, data, b"")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"])
def test_a_repeat_is_cut_in_the_encoding_of_the_input(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    text = [t.replace("mayor", "maïre") for t in (TWICE, ONCE)]
    assert dedup(stdin=mark + text[0].encode(encoding)).stdout == mark + text[1].encode(encoding)


HOSTILE = (
    "Title :smile: \x1b[31mred\x1b]0;owned\x07 \u202eevil\u202c [bold]x[/bold] [/nope] "
    "<script>alert(1)</script> \x9b31m\n"
    "A first paragraph with \x1b[2Jmany words of its own, [red]which[/red] is long enough to be called "
    "a piece of prose.\n"
)


UNSEEN = {"\x1b", "\x07", "\x9b", "\u202e", "\u202c"}


def _uncoloured(shown: str) -> str:
    """What `--color always` prints, without the colours that the report itself gives."""
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


@pytest.mark.parametrize("extra", [[], ["--full"], ["--format", "json"], ["--color", "always"]])
def test_no_content_steers_a_terminal(extra: list[str], tmp_path: Path) -> None:
    (tmp_path / "x\x1b[1my.txt").write_text(HOSTILE + HOSTILE + "end\n")
    done = dedup("report", tmp_path / "x\x1b[1my.txt", *extra)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    if "always" in extra:
        shown = _uncoloured(shown)
        assert "\\x1b[31mred" in shown
    assert not set(shown) & UNSEEN
    if "json" not in extra:
        assert "[bold]x[/b" in shown
        assert ":smile:" in shown


NEAR_HEAD = "Ferry news\n"
NEAR_BODY = (
    "The boat to the outer island leaves at {0} from the old pier, and nobody who misses it will find a bed there.\n"
    "The crew has painted the {1} door of the hall, and the harbour master asks all to keep their hands off it.\n"
    "Tickets cost as much as {2} last year, dogs travel free of charge, and the café on board opens after the start.\n"
)
NEAR_FIRST = ["nine", "green", "they did"]
NEAR_HOSTILE = [
    "ten",
    "big \x1b[31mred\x1b]0;owned\x07 [bold]x[/bold]",
    "it \u202eyeht\u202c [/nope] :smile: \x9b2Jdid",
]


@pytest.mark.parametrize(("keep", "mark"), [("first", "[-it"), ("last", "{+it")])
@pytest.mark.parametrize("extra", [[], ["--full", "--explain"], ["--explain", "--color", "always"]])
def test_no_words_of_a_near_copy_steer_a_terminal(extra: list[str], keep: str, mark: str) -> None:
    text = NEAR_HEAD + NEAR_BODY.format(*NEAR_FIRST) + NEAR_BODY.format(*NEAR_HOSTILE)
    done = dedup("report", "--near", "0.7", "--keep", keep, *extra, "-", stdin=text.encode(), env={"COLUMNS": "300"})
    assert (done.returncode, done.stderr) == (0, b"")
    shown = _uncoloured(done.stdout.decode()) if "always" in extra else done.stdout.decode()
    assert not set(shown) & UNSEEN
    assert "big \\x1b[31mred\\x1b]0;owned\\x07 [bold]x[/bold" in shown
    assert "it \\u202eyeht\\u202c [/nope] :smile: \\x9b2Jdid" in shown
    assert mark in shown


@pytest.mark.parametrize("extra", [[], ["--full", "--explain"], ["--explain", "--color", "always"]])
def test_no_fact_that_kept_a_copy_steers_a_terminal(extra: list[str]) -> None:
    facts = ["12 \x1b[2J\u202e13\u202c [red]14[/red] \x07 15", "green", "they did"]
    hours = "nine or ten or else at eleven"
    text = NEAR_HEAD + NEAR_BODY.format(hours, *NEAR_FIRST[1:]) + NEAR_BODY.format(*facts)
    done = dedup("report", "--near", "0.7", *extra, "-", stdin=text.encode(), env={"COLUMNS": "300"})
    assert (done.returncode, done.stderr) == (0, b"")
    shown = _uncoloured(done.stdout.decode()) if "always" in extra else done.stdout.decode()
    assert not set(shown) & UNSEEN
    assert f"near-facts: near copy, kept: 12 \\x1b[2J\\u202e13\\u202c [red]14[/red] \\x07 15 / {hours}" in shown


def test_no_near_copy_steers_who_reads_a_report_file(tmp_path: Path) -> None:
    text = NEAR_HEAD + NEAR_BODY.format(*NEAR_FIRST) + NEAR_BODY.format(*NEAR_HOSTILE)
    reports = [tmp_path / "r.txt", tmp_path / "r.json"]
    named = [argument for path in reports for argument in ("--report", path)]
    done = dedup("clean", "--near", "0.7", "--audit", "-v", *named, "-", stdin=text.encode())
    assert done.returncode == 0, done.stderr
    for path in reports:
        assert not set(path.read_text(encoding="utf-8")) & UNSEEN
    assert not set(done.stderr.decode()) & UNSEEN


def test_the_seed_is_cleaned_alike_under_any_locale_and_buffering() -> None:
    for environment in UNBUFFERED:
        assert dedup(stdin=SEED.read_bytes(), env=environment).stdout == CANONICAL.read_bytes()
