"""The report and check commands, and the reports that clean writes beside its output."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dedup.cli.inputs import Job, Tally, sources
from dedup.config import Config
from dedup.errors import AuditError, InputError, OutputError, UsageError
from dedup.io import files
from dedup.io.documents import documents
from dedup.report.run import Run
from dedup.within import explain_document

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 120  # columns of a report in a file


def alone(config: Config, tally: Tally) -> Run:
    """What reports tell of documents that were cleaned each by itself."""
    return Run(
        config,
        tally.totals(),
        lambda: ((result, False) for result in tally.results),
        tally.errors,
        tally.skipped,
        name=lambda document: tally.results[document].source,
        where=tally.places.__getitem__,
    )


def rendered(run: Run, kind: str, full: bool) -> Iterator[bytes]:
    """The report of a run as a file of this kind: .json or .txt."""
    if kind == ".json":
        from dedup.report import json

        yield from map(str.encode, json.render(run))
        return
    from rich.console import Console

    from dedup.report import terminal

    out = io.StringIO()
    terminal.show_run(
        Console(file=out, width=_WIDTH, highlight=False, force_terminal=False, color_system=None), run, full=full
    )
    yield out.getvalue().encode()


@contextmanager
def _found(job: Job, tally: Tally) -> Iterator[Run]:
    found = sources(job.inputs, tally)
    if job.is_batch(found):
        from dedup.cli.batch import batch

        with batch(job.reading, found, job.engine, tally) as work:
            yield work.run(job.reading.config, tally)
        return
    for source in found:
        try:
            for document in documents(job.reading, source, files.read(source.path), tally.fail):
                tally.add(document.result, (source.name, document.line))
        except (AuditError, InputError) as error:
            tally.skip_or_fail(source, error)
    yield alone(job.reading.config, tally)


def report_inputs(
    job: Job,
    kind: str,
    full: bool,
    color: str,
) -> int:
    """Print the report of the inputs and return the exit code."""
    tally = Tally()
    _open_output()
    with _found(job, tally) as run:
        _print(run, kind, full, color)
    return tally.finish()


def check_inputs(
    job: Job,
    kind: str,
    limit: float,
) -> int:
    """Print what would go and return the exit code: 1 when it is more than `limit`, a share of the bytes."""
    tally = Tally()
    _open_output()
    with _found(job, tally) as run:
        if kind == "json":
            _print(run, kind, False, "never")
        else:
            from dedup.report import lines

            for line in lines.render(run):
                sys.stdout.write(line + "\n")
            sys.stdout.write(f"{tally.summary().removeprefix('dedup: ')}; allowed {100 * limit:.4g}%\n")
            sys.stdout.flush()
    return tally.finish() or int(tally.duplication > limit)


def explain_input(job: Job, full: bool, color: str) -> int:
    """Print the report of one text, then every match that was considered, and return the exit code."""
    from dedup.report import terminal

    tally = Tally()
    _open_output()
    found, reading = sources(job.inputs, tally), job.reading
    if len(found) != 1 or found[0].walked or reading.is_jsonl(found[0].path):
        raise UsageError("--explain: give one text file; of a JSON Lines file, one record by itself")
    data = files.read(found[0].path)
    result, passes = explain_document(data, reading.config, found[0].name, force_text=reading.force_text)
    console = _console(color)
    terminal.show(console, result, full=full)
    terminal.explain(console, result, passes)
    sys.stdout.flush()
    return tally.finish()


def _print(run: Run, kind: str, full: bool, color: str) -> None:
    if kind == "json":
        for part in rendered(run, ".json", full):
            sys.stdout.write(part.decode())
    else:
        from dedup.report import terminal

        terminal.show_run(_console(color), run, full=full)
    sys.stdout.flush()


def _open_output() -> None:
    if sys.stdout is None:
        raise OutputError("standard output is closed")


def _console(color: str) -> "Console":
    from rich.console import Console

    forced = {"always": True, "never": False}.get(color)
    return Console(highlight=False, force_terminal=forced, no_color=True if color == "never" else None)
