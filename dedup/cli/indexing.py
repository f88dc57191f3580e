"""The index commands: what earlier runs have seen."""

import sys

from dedup.cli.archives import unpacked
from dedup.cli.batch import batch
from dedup.cli.inputs import Job, Tally, sources
from dedup.errors import UsageError
from dedup.index import Index
from dedup.report import lines
from dedup.report.safe import dump, safe


def add_inputs(job: Job) -> int:
    """Add the documents of the inputs to the index, without those that repeat others, and return the exit code."""
    tally = Tally()
    with (
        unpacked(job.reading, sources(job.reading, job.inputs, tally), tally) as (found, _),
        batch(job.reading, found, job.engine, tally) as work,
    ):
        added = work.remember(range(len(found)))
    _print(f"{tally.summary().removeprefix('dedup: ')}; added {added:,}")
    return tally.finish()


def search_inputs(job: Job, kind: str) -> int:
    """Print what the index has of the inputs, and return the exit code."""
    tally = Tally()
    with (
        unpacked(job.reading, sources(job.reading, job.inputs, tally), tally) as (found, _),
        batch(job.reading, found, job.engine, tally) as work,
    ):
        for line in lines.hits(work.run(job.reading.config, tally), kind == "json"):
            sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return tally.finish()


def forget(path: str, id: str | None, run: int | None) -> int:
    """Remove documents from the index, say how many, and return the exit code."""
    if (id is None) == (run is None):
        raise UsageError("index forget: give --id ID or --run NUMBER; `dedup index stats` lists the runs")
    with Index(path) as index:
        count = index.forget(id=id, run=run)
    _print(f"{count:,} document{'' if count == 1 else 's'} forgotten")
    return 0


def stats(path: str, kind: str) -> int:
    """Print what the index holds, and return the exit code."""
    with Index(path, read_only=True) as index:
        found = index.stats()
    if kind == "json":
        sys.stdout.write(dump(found, 1) + "\n")
        return 0
    runs = found.pop("runs")
    for name, value in found.items():
        sys.stdout.write(f"{name:12} {value:,}\n" if isinstance(value, int) else f"{name:12} {safe(value)}\n")
    for run in runs:
        sys.stdout.write(
            f"run {run['number']:<8} {run['started']}  documents {run['documents']:,}  {safe(run['name'])}\n"
        )
    return 0


def verify(path: str, sample: int | None) -> int:
    """Compare the texts of the index with what it stores of them, and return the exit code: 2 where they differ."""
    with Index(path, read_only=True) as index:
        looked, total, wrong = index.verify(sample)
    for line in wrong:
        sys.stdout.write(safe(line) + "\n")
    _print(
        f"{looked:,} of {total:,} documents read again, with their words and fingerprints; "
        f"{len(wrong):,} {'is' if len(wrong) == 1 else 'are'} wrong"
    )
    return 2 if wrong else 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
