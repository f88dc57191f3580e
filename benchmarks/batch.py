"""The jobs of peers/batch.toml side by side on one generated batch: processor time against `wc -w`, and the answers.

    python benchmarks/batch.py

Jobs take turns, each is run `RUNS` times, and the medians of the ratios are told. A peer is installed into an
environment of its own under .bench; one that cannot be is told as such. A wrong answer of ours fails.
"""

import json
import random
import statistics
import subprocess
import sys
import tomllib
import venv
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from run import ROOT, RUNS, SCRIPT, measured

PEERS = ROOT / "benchmarks" / "peers"
ENVIRONMENTS = ROOT / ".bench"


class Batch(NamedTuple):
    """The records, what each is once its own repeats are gone, and which repeat an earlier one."""

    records: list[dict[str, str]]
    once: list[str]
    exact: set[str]
    near: set[str]


def generated(megabytes: float, seed: int, copies: float, near: float, doubled: float) -> Batch:
    """Articles of 5 to 16 paragraphs, words by Zipf's law over 80,000; nothing else repeats."""
    rng = random.Random(seed)
    letters, often = "etaoinshrdlucmfwypvbgkjqxz", range(26, 0, -1)
    words = ["".join(rng.choices(letters, often, k=rng.randint(2, 10))) for _ in range(80_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))

    def paragraph() -> str:
        said = rng.choices(words, cum_weights=weights, k=rng.randint(20, 90))
        return " ".join(said).capitalize() + "."

    batch, originals, size = Batch([], [], set(), set()), list[list[str]](), 0
    while size < megabytes * 1_000_000:
        name, kind = f"d{len(batch.records)}", rng.random()
        if originals and kind < copies:
            text = rng.choice(originals)
            batch.exact.add(name)
        elif originals and kind < copies + near:
            text = [
                " ".join(rng.choice(words) if rng.random() < 0.02 else word for word in line.split(" "))
                for line in rng.choice(originals)
            ]
            batch.near.add(name)
        else:
            text = [paragraph() for _ in range(rng.randint(5, 16))]
            originals.append(text)
        batch.once.append("\n".join(text))
        if rng.random() < doubled:
            at = rng.randrange(len(text))
            text = text + text[at : at + rng.randint(2, 5)]
        batch.records.append({"id": name, "text": "\n".join(text)})
        size += len(batch.records[-1]["text"])
    return batch


def lines(texts: Iterable[str]) -> Counter[str]:
    return Counter(line for text in texts for line in text.split("\n"))


def struck(kind: str, batch: Batch, printed: str, output: Path) -> Counter[str]:
    """The lines that an answer strikes: those that it does not print or write, or those inside spans that it names."""
    texts = {record["id"]: record["text"] for record in batch.records}
    if kind == "lines":
        return lines(texts.values()) - lines([printed])
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    if kind == "clones":
        for clone in json.loads(Path(f"{output}.clones", "jscpd-report.json").read_bytes())["duplicates"]:
            copy = clone["secondFile"]
            span = (copy["startLoc"]["position"], copy["endLoc"]["position"])
            spans[copy["name"].removesuffix(".txt")].append(span)
    else:
        written = [json.loads(line) for line in output.open(encoding="utf-8")]
        if kind == "texts":
            return lines(texts.values()) - lines(record["text"] for record in written)
        spans = {record["id"]: [(start, end) for start, end, _ in record["attributes"]["seen"]] for record in written}
    gone = Counter[str]()
    for name, found in spans.items():
        at = 0
        for line in texts[name].split("\n"):
            gone[line] += any(start <= at and at + len(line) <= end for start, end in found)
            at += len(line) + 1
    return gone


def by_paragraph(batch: Batch, gone: Counter[str]) -> str:
    """How many of the paragraphs that repeat an earlier one, and of the edited ones of near copies, are gone."""
    every = lines(record["text"] for record in batch.records)
    again = every - Counter(every.keys())
    others = lines(record["text"] for record in batch.records if record["id"] not in batch.near)
    edited = Counter(every.keys() - others.keys())
    recall = (gone & again).total() / again.total()
    recall_edited = ((gone - again) & edited).total() / edited.total()
    precision = (gone & (again + edited)).total() / max(1, gone.total())
    return (
        f"recall {recall:.3f} of {again.total():,} repeated paragraphs and {recall_edited:.3f} of {edited.total():,} "
        f"edited ones, precision {precision:.3f}"
    )


def judged(kind: str, batch: Batch, printed: str, output: Path) -> str:
    """What is right of an answer, in words."""
    if kind == "within":
        texts = [json.loads(line)["text"].rstrip("\n") for line in output.open(encoding="utf-8")]
        right = sum(map(str.__eq__, texts, batch.once))
        assert right >= 0.95 * len(batch.once), "wrong answer"
        return f"{100 * right / len(texts):.1f}% of the documents as they were before a part was doubled"
    if kind == "copies":
        left = {json.loads(line)["id"] for line in output.open(encoding="utf-8")}
        gone = {record["id"] for record in batch.records} - left
        assert len(gone) == len(batch.exact), "wrong answer"
        told = by_paragraph(batch, struck("texts", batch, printed, output))
        return f"{len(gone):,} of {len(batch.exact):,} exact copies gone; {told}"
    if kind == "report":
        clusters = json.loads(printed)["clusters"]
        flags = {m["id"] for c in clusters for m in c["members"] if m["kind"] in ("exact", "near")}
    elif kind == "flags":
        flags = set(printed.split())
    else:
        return by_paragraph(batch, struck(kind, batch, printed, output))
    due = batch.exact | batch.near
    # Of copies of one text each may be told as the copy of another: their number counts.
    recall, precision = min(1, len(flags) / len(due)), len(flags & due) / max(1, len(flags))
    return f"recall {recall:.3f}, precision {precision:.3f} of {len(due):,} exact and near copies"


def python_of(name: str, needs: list[str]) -> str | None:
    """The interpreter of an environment with these packages; None where they cannot be had."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    done = subprocess.run([python, "-m", "pip", "install", "-q", *needs], capture_output=True, check=False)
    return None if done.returncode else str(python)


def laid_out(batch: Batch, folder: Path) -> dict[str, Path]:
    """Write the batch as JSON Lines, as the lines of all texts and as a file for each; all paths of the jobs."""
    places = {what: folder / f"{what}.jsonl" for what in ("input", "lines", "output", "printed")}
    places["input"].write_text("".join(json.dumps(record) + "\n" for record in batch.records), encoding="utf-8")
    places["lines"].write_text("".join(record["text"] + "\n" for record in batch.records), encoding="utf-8")
    places["files"] = folder / "files"
    places["files"].mkdir()
    for record in batch.records:
        (places["files"] / f"{record['id']}.txt").write_text(record["text"], encoding="utf-8")
    return places


def main() -> None:
    """Print the table."""
    plan: dict[str, Any] = tomllib.loads((PEERS / "batch.toml").read_text(encoding="utf-8"))
    batch = generated(**plan["input"])
    with TemporaryDirectory() as name:
        places = laid_out(batch, Path(name))
        source, output, printed = places["input"], places["output"], places["printed"]
        pythons = {tool: python_of(tool, needs) for tool, needs in plan["install"].items()}
        jobs, missing = [], []
        for job in plan["job"]:
            python = pythons.get(job["name"].split()[0], sys.executable)
            if python is None:
                missing.append(job["name"])
                continue
            known = {"dedup": SCRIPT, "python": python, "bin": Path(python).parent, "peers": PEERS, **places}
            jobs.append((job, [part.format(**known) for part in job["command"]]))
        ratios: dict[str, list[float]] = {job["name"]: [] for job, _ in jobs}
        answers: dict[str, str] = {}
        for _ in range(RUNS):
            yardstick, _ = measured(["wc", "-w"], source)
            for job, command in jobs:
                spent, _ = measured(command, source, printed)
                ratios[job["name"]].append(spent / yardstick)
                answers[job["name"]] = judged(job["answer"], batch, printed.read_text(encoding="utf-8"), output)
        size = source.stat().st_size / 1e6
    sys.stdout.write(
        f"{size:.0f} MB of JSON Lines, {len(batch.records):,} documents; medians of {RUNS}, one process\n\n"
    )
    sys.stdout.write("| job | processor time, x `wc -w` | answer |\n|---|---|---|\n")
    for job, _ in jobs:
        sys.stdout.write(f"| {job['name']} | {statistics.median(ratios[job['name']]):.0f} | {answers[job['name']]} |\n")
    for job_name in missing:
        sys.stdout.write(f"| {job_name} | could not be installed | |\n")


if __name__ == "__main__":
    main()
