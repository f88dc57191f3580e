"""Run the program as its users do: as a process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SEED = ROOT / "fixtures" / "seed" / "raw.txt"
CANONICAL = ROOT / "fixtures" / "seed" / "canonical.txt"
DEDUP = [sys.executable, "-m", "dedup"]
OLD = b"the old text\n"
LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


def dedup(
    *arguments: str | Path, stdin: bytes | None = None, cwd: Path | None = None, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Return the finished process `dedup ARGUMENTS`."""
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")}
    command = [*DEDUP, *(os.fspath(a) for a in arguments)]
    return subprocess.run(
        command,
        input=stdin or b"",
        capture_output=True,
        cwd=cwd or ROOT,
        env=plain | (env or {}),
        timeout=120,
        check=False,
    )


def begun(folder: Path, *arguments: str | Path, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    """`dedup clean ARGUMENTS` over an old file, out/target.jsonl; its working files are below tmp."""
    for name in ("tmp", "out"):
        (folder / name).mkdir()
    target = folder / "out" / "target.jsonl"
    target.write_bytes(OLD)
    return subprocess.Popen(
        [*DEDUP, "clean", *map(str, arguments), "-o", str(target)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def children(parent: int) -> set[int]:
    """The processes that a process started and that still run."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, above = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if int(above) == parent and state != "Z":
                found.add(int(entry.name))
    return found


def alive(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(what: Callable[[], object], seconds: float = 30) -> bool:
    """Wait for something; say whether it came about."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
