"""What must not be one file: inputs, outputs, manifests, reports and indexes; and streams that are closed."""

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from xxhash import xxh3_128_hexdigest

from tests.run import DEDUP, ROOT, dedup

ONE = (
    "The council voted on Tuesday to keep the old library open for another five years, and the mayor was content.\n\n"
    "Nobody had expected it, least of all the librarians, who had packed their boxes and looked for work elsewhere.\n"
)
TWO = ONE.replace("library", "theatre").replace("Tuesday", "Friday")
TWICE = ONE + "\n" + ONE


def _bytes_below(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.txt", "-o", "c.txt", "--report", "a.txt"],
        ["a.txt", "--in-place", "--report", "a.txt"],
        ["a.txt", "-o", "c.txt", "--manifest", "a.txt"],
        ["a.txt", "-o", "c.txt", "--manifest", "./c.txt"],
        ["a.txt", "-o", "c.txt", "--report", "c.txt"],
        ["a.txt", "-o", "c.txt", "--manifest", "m.txt", "--report", "m.txt"],
        ["a.txt", "-o", "link.txt", "--report", "b.txt"],
        ["a.txt", "b.txt", "-d", "out", "--report", "out/a.txt"],
        ["a.txt", "-o", "seen.duckdb", "--index", "seen.duckdb"],
        ["a.txt", "-o", "c.txt", "--index", "seen.duckdb", "--report", "seen.duckdb"],
        ["a.txt", "-o", "c.txt", "--manifest", "-"],
    ],
    ids=" ".join,
)
def test_no_file_is_written_over_an_input_or_another_output(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TWICE)
    (tmp_path / "b.txt").write_text(TWO)
    (tmp_path / "link.txt").symlink_to("b.txt")
    assert dedup("index", "add", "seen.duckdb", "b.txt", cwd=tmp_path).returncode == 0
    before = _bytes_below(tmp_path)
    done = dedup("clean", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert _bytes_below(tmp_path) == before


def test_outputs_below_the_input_folder_do_not_replace_what_is_read_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TWICE)
    assert dedup("clean", ".", "-d", "out", "--manifest", "m1", cwd=tmp_path).returncode == 0
    before = _bytes_below(tmp_path)
    done = dedup("clean", ".", "-d", "out", cwd=tmp_path)
    assert (done.returncode, b"is an input" in done.stderr) == (2, True)
    assert _bytes_below(tmp_path) == before


@pytest.mark.parametrize("scope", ["document", "batch"])
def test_a_folder_beside_one_that_holds_it_is_read_once(scope: str, tmp_path: Path) -> None:
    (tmp_path / "top" / "sub").mkdir(parents=True)
    (tmp_path / "top" / "sub" / "f.txt").write_text(TWICE)
    (tmp_path / "top" / "g.txt").write_text(TWO)
    before = _bytes_below(tmp_path / "top")
    done = dedup("clean", "top", "top/sub", "-d", "out", "--manifest", "m", "--scope", scope, cwd=tmp_path)
    assert done.returncode == 0
    assert _bytes_below(tmp_path / "out") == {"g.txt": TWO.encode(), "sub/f.txt": ONE.encode()}
    assert dedup("restore", "out", "--manifest", "m", "-d", "back", cwd=tmp_path).returncode == 0
    assert _bytes_below(tmp_path / "back") == before


def test_folders_with_the_same_names_are_not_restored_over_one_another(tmp_path: Path) -> None:
    for folder, text in (("A", TWICE), ("B", TWO + "\n" + TWO)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(text)
    assert dedup("clean", "A", "B", "--in-place", "--manifest", "m", cwd=tmp_path).returncode == 0
    before = _bytes_below(tmp_path)
    done = dedup("restore", "A", "-d", "A", "--manifest", "m", cwd=tmp_path)
    assert (done.returncode, b"-o FILE" in done.stderr) == (2, True)
    assert _bytes_below(tmp_path) == before
    assert dedup("restore", "A/x.txt", "-o", "back", "--manifest", "m", cwd=tmp_path).returncode == 0
    assert (tmp_path / "back").read_text() == TWICE


def test_the_manifest_is_not_restored_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TWICE)
    assert dedup("clean", "a.txt", "-o", "c.txt", "--manifest", "m", cwd=tmp_path).returncode == 0
    before = _bytes_below(tmp_path)
    assert dedup("restore", "c.txt", "--manifest", "m", "-o", "m", cwd=tmp_path).returncode == 2
    assert _bytes_below(tmp_path) == before


def test_what_a_killed_run_left_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TWICE)
    (tmp_path / ".dedup-x1y2~").write_text(TWICE)
    assert dedup("clean", ".", "--in-place", "--manifest", "m", cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.txt").read_text() == ONE
    assert (tmp_path / ".dedup-x1y2~").read_text() == TWICE


def test_another_name_of_a_file_that_is_replaced_stays(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TWICE)
    os.link(tmp_path / "a.txt", tmp_path / "b.txt")
    done = dedup("clean", ".", "--in-place", "--manifest", "m", cwd=tmp_path)
    assert (done.returncode, b"b.txt: the same file as" in done.stderr) == (0, True)
    assert ((tmp_path / "a.txt").read_text(), (tmp_path / "b.txt").read_text()) == (ONE, TWICE)


def _broken_tars() -> dict[str, bytes]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number in range(4):
            data = f"{TWICE}{number}\n".encode()
            info = tarfile.TarInfo(f"{number}.txt")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    whole = out.getvalue()
    at = whole.index(b"2.txt\0")
    return {
        "a damaged head": whole[:at] + b"X" + whole[at + 1 :],
        "cut inside a head": whole[: at + 100],
        "two archives": whole + whole,
    }


@pytest.mark.parametrize("kind", _broken_tars())
def test_an_archive_of_which_a_part_is_not_read_is_not_replaced(kind: str, tmp_path: Path) -> None:
    raw = tmp_path / "a.tar"
    raw.write_bytes(_broken_tars()[kind])
    done = dedup("clean", raw, "--in-place", "--manifest", tmp_path / "m")
    assert (done.returncode, b"damaged archive" in done.stderr) == (2, True)
    assert raw.read_bytes() == _broken_tars()[kind]


@pytest.mark.parametrize("text", [TWICE, json.dumps({"id": 1, "text": TWICE}) + "\n"], ids=["text", "records"])
def test_no_file_takes_the_place_of_a_closed_stream(text: str, tmp_path: Path) -> None:
    raw = tmp_path / "a"
    raw.write_text(text)
    command = " ".join(DEDUP)
    for line in (
        f"{command} clean {raw} --manifest {tmp_path}/m >&-",
        f"{command} clean - --manifest {tmp_path}/m -o {tmp_path}/o <&-",
        f"{command} --version >&-",
    ):
        done = subprocess.run(["sh", "-c", line], capture_output=True, cwd=ROOT, check=False)
        assert (done.returncode, b"closed" in done.stderr, b"Traceback" in done.stderr) == (2, True, False)
    left = _bytes_below(tmp_path)
    assert (left["a"], left.get("m", b""), "o" in left) == (text.encode(), b"", False)


def _hostile() -> list[dict[str, Any]]:
    sides = {"bytes": 6, "xxh3_128": xxh3_128_hexdigest(b"hello\n")}
    plain = {"schema": "dedup-manifest/1", "source": "c", "path": "c", "input": sides, "output": sides, "ops": [[0, 6]]}
    zipped = {**plain, "archive": "zip", "unread": [], "count": 1, "torn": False}
    member = {"number": 0, "name": "x", "date_time": [2107, 63, 63, 63, 63, 63], "external_attr": 10**30}
    return [
        {**plain, "path": "a\ud800"},
        {**plain, "source": "\x1b]0;owned\x07", "ops": [[0, 99]]},
        zipped,
        {**zipped, "comment": ""},
        {**plain, "of": "c", "member": member, "dropped": "y"},
    ]


@pytest.mark.parametrize("entry", _hostile(), ids=range(5))
def test_a_hostile_manifest_is_told_in_one_quiet_line(entry: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"hello\n")
    (tmp_path / "m").write_text(json.dumps(entry) + "\n")
    for target in (["c", "-o", "back"], [".", "-d", "back"]):
        done = dedup("restore", *target, "--manifest", "m", cwd=tmp_path)
        assert (b"Traceback" in done.stderr, b"\x1b" in done.stderr) == (False, False)
        assert done.returncode == 2 or (target[0] == "c" and (tmp_path / "back").read_bytes() == b"hello\n")


def test_a_share_with_a_fraction_is_taken_as_it_is_written(tmp_path: Path) -> None:
    texts = ["seven w", "seven w", " ".join(f"{n:08}" for n in range(200))[:986]]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    assert dedup("check", tmp_path / "a.jsonl", "--max-duplication", "0.7%").returncode == 0
    assert dedup("check", tmp_path / "a.jsonl", "--max-duplication", "0.69%").returncode == 1


@pytest.mark.parametrize("command", [["clean", "-o", "o"], ["check"]], ids=["clean", "check"])
def test_an_index_is_not_passed_over_in_silence(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": ONE}) + "\n")
    done = dedup(*command, "a.jsonl", "--scope", "document", "--index", "seen.duckdb", cwd=tmp_path)
    assert (done.returncode, b"--scope document" in done.stderr) == (2, True)
