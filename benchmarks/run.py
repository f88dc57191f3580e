"""Time per byte of hostile and ordinary texts against `wc -w`, and the start-up of the bare filter against Python.

    python benchmarks/run.py [MEGABYTES...]

Every number is a ratio of processor time within one run, the median of `RUNS`; seconds of one machine mean nothing on
another. The answer of each job is checked: a fast wrong answer fails.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED, CANONICAL = ROOT / "fixtures" / "seed" / "raw.txt", ROOT / "fixtures" / "seed" / "canonical.txt"
RUNS = 5
_OFTEN = 2_000_000  # bytes of a text up to which jobs are run so often
SCRIPT = Path(sys.executable).with_name("dedup")


def ordinary(size: int) -> bytes:
    """Paragraphs of 20 to 80 words from a vocabulary of 30,000; nothing repeats."""
    rng = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(30_000)]
    out, total = [], 0
    while total < size:
        out.append(" ".join(rng.choices(words, k=rng.randint(20, 80))).capitalize() + ".\n")
        total += len(out[-1])
    return "".join(out).encode()[:size]


def fibonacci(size: int) -> bytes:
    a, b = b"a ", b"b "
    while len(a) < size:
        a, b = a + b, a
    return a[:size]


def doubled(size: int) -> bytes:
    half = ordinary(size // 2).rstrip(b"\n") + b"\n"
    return half + half


LINE = b"The same line of text stands here again and again.\n"
SHAPES: dict[str, Callable[[int], bytes]] = {
    "ordinary": ordinary,
    "doubled": doubled,
    "one line": lambda size: ordinary(size).replace(b"\n", b" "),
    "identical lines": lambda size: LINE * (size // len(LINE)),
    "aaaa": lambda size: b"a" * size,
    "a a a": lambda size: b"a " * (size // 2),
    "periodic": lambda size: (ordinary(6000) * (size // 6000 + 1))[:size],
    "Fibonacci": fibonacci,
    "newlines only": lambda size: b"\n" * size,
}
# The length of the right answer where it is not the input itself.
ANSWERS: dict[str, Callable[[bytes], bytes]] = {"doubled": lambda data: data[: len(data) // 2]}
UNCHECKED = {"periodic", "Fibonacci"}  # judged by the laws only: no word is lost, and the undo is exact


def measured(command: list[str], source: Path, target: Path | None = None) -> tuple[float, int]:
    """Return the processor time (s) and the peak memory (bytes) of a command that reads `source`."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with (
        source.open("rb") as stdin,
        open(target or os.devnull, "wb") as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        assert process.returncode == 0, stderr.read().decode()
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def startup(folder: Path) -> str:
    """A table of the bare filter on small texts, as multiples of `python -c pass`."""
    source, clean = folder / "source", folder / "clean"
    texts = {"the seed, 7 KB": (SEED.read_bytes(), CANONICAL.read_bytes())}
    for size in (100_000, 1_000_000):
        for shape in ("ordinary", "doubled"):
            data = SHAPES[shape](size)
            texts[f"{shape}, {size // 1000} KB"] = data, ANSWERS.get(shape, bytes)(data)
    rows = []
    for name, (data, answer) in texts.items():
        source.write_bytes(data)
        ratios = []
        for _ in range(4 * RUNS):
            bare, _ = measured([sys.executable, "-c", "pass"], source)
            spent, _ = measured([str(SCRIPT)], source, clean)
            ratios.append(spent / bare)
        assert clean.read_bytes() == answer, f"wrong answer: {name}"
        rows.append(f"| {name} | {statistics.median(ratios):.2f} |")
    return "| text | time, x `python -c pass` |\n|---|---|\n" + "\n".join(rows) + "\n"


def shapes(folder: Path, size: int) -> str:
    """A table of all shapes: time per byte against `wc -w` and against ordinary text, and peak memory."""
    rows, base, peak = [], 0.0, 0
    for name, make in SHAPES.items():
        data = make(size)
        source, clean = folder / "source", folder / "clean"
        source.write_bytes(data)
        ratios, spent = [], []
        for _ in range(RUNS if size <= _OFTEN else 1):
            yardstick, _ = measured(["wc", "-w"], source)
            seconds, peak = measured([str(SCRIPT)], source, clean)
            ratios.append(seconds / max(yardstick, 0.001))
            spent.append(seconds)
        if name not in UNCHECKED:
            assert clean.read_bytes() == ANSWERS.get(name, bytes)(data), f"wrong answer: {name}"
        base = base or statistics.median(spent)
        times = statistics.median(ratios), statistics.median(spent) / base
        rows.append(f"| {name} | {times[0]:.0f} | {times[1]:.2f} | {peak / len(data):.1f} |")
    head = "| shape | time, x `wc -w` | time per byte, x ordinary | peak memory, x text |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def main() -> None:
    """Print the tables, of 2 and of 50 MB unless told."""
    sizes = [int(float(size) * 1_000_000) for size in sys.argv[1:] or ("2", "50")]
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(startup(Path(folder)))
        for size in sizes:
            runs = f"medians of {RUNS}" if size <= _OFTEN else "one run"
            sys.stdout.write(f"\n{size / 1e6:g} MB of each shape, through a pipe, {runs}\n\n")
            sys.stdout.write(shapes(Path(folder), size))


if __name__ == "__main__":
    main()
