"""Run the program as its users do: as a process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED = ROOT / "fixtures" / "seed" / "raw.txt"
CANONICAL = ROOT / "fixtures" / "seed" / "canonical.txt"
DEDUP = [sys.executable, "-m", "dedup"]


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
