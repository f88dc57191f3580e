"""Documents each cleaned by itself, by one process and by several: the same bytes, the same words, the same ends."""

import csv
import gzip
import io
import json
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from dedup.cli.progress import total
from dedup.io.documents import Source
from tests.run import DEDUP, LINUX, OLD, ROOT, alive, begun, children, dedup, until

APART = ["--scope", "document"]


def _texts(size: int) -> Iterator[str]:
    """Articles of so many bytes in all; in each fifth half of the paragraphs stand twice."""
    chooser = random.Random(7)
    words = ["".join(chooser.choices("bdfgklmnprstaeiou", k=chooser.randint(3, 9))) for _ in range(5000)]
    said = [f"{' '.join(chooser.choices(words, k=15)).capitalize()}." for _ in range(3000)]
    number = 0
    while size > 0:
        lines = [" ".join(chooser.sample(said, 4)) for _ in range(10)]
        text = "\n".join(lines + (lines[:5] if number % 5 == 0 else [])) + "\n"
        yield text
        number, size = number + 1, size - len(text)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Just enough for several processes: records, with broken lines at the head, in the middle and at the end."""
    path = tmp_path_factory.mktemp("alone") / "big.jsonl"
    lines = [json.dumps({"id": f"r{at}", "text": text}).encode() for at, text in enumerate(_texts(9 << 20))]
    half = len(lines) // 2
    path.write_bytes(b"\n".join([b"{", *lines[:half], b"[]", b"", b'{"text": 1}', *lines[half:], b'{"text": "cut o']))
    assert path.stat().st_size > 9 << 20
    return path


def _ends(done: "subprocess.CompletedProcess[bytes]") -> tuple[int, bytes, bytes]:
    return done.returncode, done.stdout, done.stderr


def _below(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@contextmanager
def _waiting(big: Path, folder: Path, jobs: str = "2") -> Iterator["subprocess.Popen[bytes]"]:
    """A run over an old file that has read and written much from a pipe, and waits for more."""
    more = "--input-format", "jsonl", "-j", jobs, *APART
    with begun(folder, "-", *more, stdin=subprocess.PIPE) as process:
        assert process.stdin
        for _ in range(2):
            process.stdin.write(big.read_bytes() + b"\n")
        process.stdin.flush()
        assert until(lambda: any(path.stat().st_size for path in (folder / "out").glob(".dedup-*")))
        yield process


def _left(folder: Path) -> tuple[list[Path], dict[str, bytes]]:
    return [*(folder / "tmp").iterdir()], _below(folder / "out")


# ---------------------------------------------------------------- one answer


def test_processes_change_no_byte_of_records_manifest_or_report(big: Path, tmp_path: Path) -> None:
    seen = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        out.mkdir()
        more: list[str | Path] = [
            "--manifest",
            out / "m",
            "--report",
            out / "r.json",
            "--report",
            out / "r.txt",
            "-v",
            "-j",
            jobs,
        ]
        done = dedup("clean", big, "-o", out / "o", *more, *APART)
        seen.append((_ends(done), _below(out)))
    (code, _, told), files = seen[0]
    assert seen[0] == seen[1]
    assert code == 2
    lines = told.decode().splitlines()
    middle = big.read_bytes().split(b"\n").index(b"[]") + 1
    last = big.read_bytes().count(b"\n") + 1
    assert [int(line.split(":")[2]) for line in lines[:-1]] == [1, middle, middle + 2, last]
    assert json.loads(files["r.json"])["totals"]["errors"] == 4
    assert json.loads(files["r.json"])["totals"]["blocks"] > 100
    back = tmp_path / "back"
    assert dedup("restore", tmp_path / "2" / "o", "--manifest", tmp_path / "2" / "m", "-o", back).returncode == 0
    assert back.read_bytes() == big.read_bytes()


@pytest.mark.parametrize("torn", [False, True])
def test_a_stream_is_read_by_several_processes_too(torn: bool, big: Path, tmp_path: Path) -> None:
    seen = []
    for jobs in ("1", "2"):
        more: list[str | Path] = ["--input-format", "jsonl", "--manifest", tmp_path / f"m{jobs}", "-j", jobs]
        data = gzip.compress(big.read_bytes(), 1)[:-1000] if torn else big.read_bytes()
        seen.append((_ends(dedup("clean", "-", *more, *APART, stdin=data)), (tmp_path / f"m{jobs}").read_bytes()))
    assert seen[0] == seen[1]
    (code, out, told), manifest = seen[0]
    assert (code, out.count(b"\n")) == (2, big.read_bytes().count(b"\n")) or torn
    assert (b"damaged gzip data" in told.splitlines()[-1]) == torn
    assert manifest.count(b"\n") > 2000


def test_lines_of_which_none_is_a_record_come_back(tmp_path: Path) -> None:
    raw = tmp_path / "raw.jsonl"
    raw.write_bytes(b"".join(b"%d no record %s\n" % (at, b"x" * 300_000) for at in range(30)))
    for jobs in ("1", "2"):
        out, manifest = tmp_path / f"o{jobs}", tmp_path / f"m{jobs}"
        done = dedup("clean", raw, "-o", out, "--manifest", manifest, "-j", jobs, *APART)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 30)
        assert out.read_bytes() == raw.read_bytes()
        assert dedup("restore", out, "--manifest", manifest, "-o", tmp_path / "back").returncode == 0
        assert (tmp_path / "back").read_bytes() == raw.read_bytes()


def _table(texts: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([("id", "text"), *enumerate(texts)])
    return out.getvalue().encode()


def test_a_folder_of_many_kinds_is_cleaned_alike(tmp_path: Path) -> None:
    texts, raw = [*_texts(12 << 20)], tmp_path / "raw"
    raw.mkdir()
    for at in range(200):
        (raw / f"{at:03}.txt").write_text(texts[at])
    (raw / "050.bin").write_bytes(b"\x7fELF\0\0\0")
    (raw / "060.txt").unlink()
    (raw / "060.txt").symlink_to("nowhere")
    records = [json.dumps({"text": text}).encode() for text in texts]
    (raw / "100.jsonl").write_bytes(b"\n".join([*records[200:900], b"{"]))
    (raw / "110.csv").write_bytes(_table(texts[900:2500]) + b'x,"not closed')
    (raw / "111.csv").write_bytes(_table(texts[2500:2520]))
    (raw / "120.json").write_bytes(b"[" + b",".join([*records[:20], b"7"]) + b"]")
    (raw / "130.jsonl.gz").write_bytes(gzip.compress(b"\n".join(records[2520:]), 1)[:-9])
    (raw / "140.html").write_text(f"<html><body><article><p>{texts[0]}</p></article></body></html>")
    seen = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        out.mkdir()
        more: list[str | Path] = ["--manifest", out / "m", "--report", out / "r.json", "-v", "-j", jobs]
        done = dedup("clean", raw, "-d", out / "o", *more, *APART)
        seen.append((_ends(done), _below(out)))
    assert seen[0] == seen[1]
    (code, _, told), files = seen[0]
    assert code == 2
    assert [line.rpartition(b"raw/")[2][:3] for line in told.splitlines()[:-2]] == [
        b"060", b"100", b"110", b"120", b"130",
    ]  # fmt: skip
    assert told.splitlines()[-1].startswith(b"dedup: skipped 1 binary files")
    assert len([name for name in files if name.startswith("o/")]) == 200 - 1 + 6


def _record(kind: str, block: str) -> str:
    """A record of an archive of the web; what is no response is a plain text."""
    size = len(block.encode())
    return f"WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n{block}\r\n\r\n"


def _crawl(pages: list[str], texts: list[str]) -> bytes:
    """An archive of the web: pages, extracts of some, and what is damaged between them."""
    found = [_record("response", f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}") for page in pages]
    found += [_record("conversion", text) for text in texts]
    found[1:1] = ["WARC/1.0\r\nContent-Length: 77777777\r\n\r\n", _record("response", "HTTP/1.1 200 OK\r\n\r\n")]
    found[len(found) // 2 : len(found) // 2] = [f"junk\r\n{'x' * 3_000_000}\r\n"]
    return "".join(found).encode()


@pytest.mark.parametrize("scope", ["document", "batch"])
def test_pages_are_read_alike_by_several_processes(scope: str, tmp_path: Path) -> None:
    pytest.importorskip("trafilatura", exc_type=ImportError)
    texts, raw = [*_texts(6 << 20)], tmp_path / "raw"
    texts[7:9] = [texts[3], texts[0]]
    raw.mkdir()
    bodies = ["".join(f"<p>{line}</p>" for line in text.splitlines()) for text in texts[:60]]
    pages = [f"<html><!-- {'-' * 90_000} --><body><article>{body}</article></body></html>" for body in bodies]
    pages[5] = "<html><script>no text</script></html>"
    for at, page in enumerate(pages):
        (raw / f"{at:03}.html").write_text(page)
    (raw / "010.html").unlink()
    (raw / "010.html").symlink_to("nowhere")
    crawl = _crawl(pages[20:30], texts[40:])
    (raw / "100.warc").write_bytes(crawl)
    (raw / "101.warc.gz").write_bytes(gzip.compress(crawl, 1)[:-1000])
    (raw / "102.warc").write_bytes(b"no archive")
    (raw / "103.csv").write_bytes(_table(texts[50:60]) + b'x,"not closed')
    seen = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        out.mkdir()
        more: list[str | Path] = ["--manifest", out / "m", "--report", out / "r.json", "-v", "-j", jobs]
        done = dedup("clean", raw, "-d", out / "o", "--scope", scope, *more)
        seen.append((_ends(done), _below(out)))
    assert seen[0] == seen[1]
    (code, _, told), files = seen[0]
    assert code == 2
    assert [line.rpartition(b"raw/")[2][:3].decode() for line in told.splitlines()[:-1]] == [
        "005", "010", "100", "100", "101", "101", "101", "101", "102", "103",
    ]  # fmt: skip
    assert (json.loads(files["r.json"])["totals"]["documents_removed"] > 1000) is (scope == "batch")
    back = tmp_path / "back"
    assert dedup("restore", tmp_path / "2/o", "--manifest", tmp_path / "2/m", "-d", back).returncode == 0
    assert (back / "100.warc").read_bytes() == crawl


@pytest.mark.parametrize("scope", ["document", "batch"])
def test_what_stands_before_an_end_without_measure_is_told_alike(scope: str, tmp_path: Path) -> None:
    found = [_record("conversion", text) for text in _texts(6 << 20)]
    image = _record("response", f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n{'x' * 700_000}")
    raw = tmp_path / "raw.warc.gz"
    raw.write_bytes(gzip.compress("".join([image] * 144 + found).encode()))
    command = "report", raw, "--format", "json", "--max-ratio", "9", "--scope", scope, "-j"
    one, two = (_ends(dedup(*command, jobs)) for jobs in "12")
    assert one == two
    assert one[0] == 2
    assert b"grows to more than 9 times its size" in one[2]
    assert json.loads(one[1])["totals"]["documents"] > 50


@pytest.mark.parametrize("command", [["report", "--format", "json"], ["check"]])
def test_reports_and_the_gate_use_several_processes_too(command: list[str], big: Path) -> None:
    one, two = (_ends(dedup(*command, big, "-j", jobs, *APART)) for jobs in "12")
    assert one == two
    assert one[0] == 2
    assert b"r10" in one[1]


# ---------------------------------------------------------------- what goes wrong


@LINUX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_target_as_it_was(number: signal.Signals, code: int, big: Path, tmp_path: Path) -> None:
    """Ctrl-C goes to all processes of the terminal, other signals to one."""
    with _waiting(big, tmp_path) as process:
        workers = children(process.pid)
        assert len(workers) >= 2
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, b"")
    assert err.count(b"the line is passed on as it is") == err.count(b"\n")
    assert _left(tmp_path) == ([], {"target.jsonl": OLD})
    assert until(lambda: not any(map(alive, workers)))


@LINUX
def test_no_worker_outlives_the_program(big: Path, tmp_path: Path) -> None:
    with _waiting(big, tmp_path) as process:
        workers = children(process.pid)
        process.kill()
        process.communicate(timeout=60)
    assert until(lambda: not any(map(alive, workers)))
    assert (tmp_path / "out" / "target.jsonl").read_bytes() == OLD


@LINUX
def test_a_worker_that_the_system_ends_is_told_in_one_line(big: Path, tmp_path: Path) -> None:
    with _waiting(big, tmp_path) as process:
        workers = [n for n in children(process.pid) if b"spawn_main" in Path(f"/proc/{n}/cmdline").read_bytes()]
        os.kill(workers[0], signal.SIGKILL)
        _, err = process.communicate(big.read_bytes(), timeout=60)
    assert process.returncode == 2
    assert b"a worker process was ended by the system" in err.splitlines()[-1]
    assert b"Traceback" not in err
    assert _left(tmp_path) == ([], {"target.jsonl": OLD})


def _limited(command: str, blocks: int, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    """Run it with a limit of the size of files, which is what a test may do to any disk."""
    (folder / "tmp").mkdir()
    line = f"ulimit -f {blocks}; trap '' XFSZ; {' '.join(DEDUP)} {command}"
    env: dict[str, Any] = {**os.environ, "TMPDIR": str(folder / "tmp")}
    return subprocess.run(["bash", "-c", line], cwd=ROOT, env=env, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize(("blocks", "what"), [(64, "the working files cannot be written"), (4096, "target.jsonl")])
def test_a_full_disk_leaves_the_target_as_it_was(blocks: int, what: str, big: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "target.jsonl").write_bytes(OLD)
    command = f"clean {big} -o {tmp_path}/out/target.jsonl -j 2 --scope document"
    done = _limited(command, blocks, tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert what in done.stderr.decode().splitlines()[-1]
    assert b"Traceback" not in done.stderr
    assert _left(tmp_path) == ([], {"target.jsonl": OLD})


def test_a_reader_that_goes_away_ends_it_by_sigpipe(big: Path, tmp_path: Path) -> None:
    command = f"clean {big} -j 2 --scope document 2> {tmp_path}/err | head -1; echo ${{PIPESTATUS[0]}}"
    done = _limited(command, 1 << 20, tmp_path)
    assert done.stdout == b"{\n141\n"
    assert b"Traceback" not in (tmp_path / "err").read_bytes()
    assert [*(tmp_path / "tmp").iterdir()] == []


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ((*APART, "-j", "1"), True),
        ((*APART, "-j", "2"), True),
        ((), True),
        ((*APART, "-q"), False),
        ((*APART, "-o", "-"), False),
    ],
)
def test_a_bar_shows_on_a_terminal_how_far_a_run_is(
    options: tuple[str, ...], shown: bool, big: Path, tmp_path: Path
) -> None:
    ours, theirs = os.openpty()
    command = [*DEDUP, "clean", os.fspath(big), "-o", os.fspath(tmp_path / "out.jsonl"), *options]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    none = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=none, stdout=none, stderr=theirs) as process:
        os.close(theirs)
        told = b""
        with suppress(OSError):  # the other end is closed
            while part := os.read(ours, 1 << 16):
                told += part
    os.close(ours)
    assert process.returncode == 2  # of the broken lines
    assert (b"/9.5 MB" in told) is shown
    assert told.count(b"not a JSON object") == 3


@pytest.mark.parametrize(
    ("format", "packed", "known"),
    [("text", "", True), ("html", "", True), ("warc", "", True), ("warc", "gzip", False), ("csv", "", False)],
)
def test_the_bar_knows_the_whole_of_what_is_told_as_it_is_read(
    format: str, packed: str, known: bool, tmp_path: Path
) -> None:
    (tmp_path / "raw").write_bytes(b"x" * 1000)
    source = Source(str(tmp_path / "raw"), "raw", "raw", False, format, packed)
    assert total([source, source]) == (2000 if known else None)
