"""The report command, and the reports that other commands write beside their output."""

import io
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dedup import __version__
from dedup.cli.alone import Alone, Asked, spreading
from dedup.cli.archives import unpacked
from dedup.cli.inputs import Job, Tally, sources
from dedup.config import Config
from dedup.errors import AuditError, InputError, OutputError, UsageError
from dedup.io import compression, files
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
        tally.results.__getitem__,
        tally.errors,
        tally.skipped,
        tally.notes,
        name=lambda document: tally.results[document].source,
        where=tally.places.__getitem__,
    )


SUFFIXES = {".txt": "text", ".json": "json", ".html": "html", ".sarif": "sarif", ".xml": "junit"}  # of report files


def rendered(run: Run, kind: str, full: bool = False) -> Iterator[bytes]:
    """The report of a run in one of the formats."""
    if kind == "text":
        return _drawn(run, full)
    more = (__version__,) if kind == "sarif" else ()
    return map(str.encode, import_module(f"dedup.report.{kind}").render(run, *more))


def _drawn(run: Run, full: bool) -> Iterator[bytes]:
    from rich.console import Console

    from dedup.report import terminal

    out = io.StringIO()
    terminal.show_run(
        Console(file=out, width=_WIDTH, highlight=False, force_terminal=False, color_system=None), run, full=full
    )
    yield out.getvalue().encode()


def write(run: Run, paths: Sequence[Path], full: bool = False) -> None:
    """Write a report into each of these files, in the format of its name."""
    for path in paths:
        with files.writing(os.fspath(path)) as stream:
            stream.writelines(rendered(run, SUFFIXES[path.suffix], full))


def known(paths: Sequence[Path]) -> Sequence[Path]:
    """Return the paths. Raises UsageError for a name that tells no format."""
    for path in paths:
        if path.suffix not in SUFFIXES:
            raise UsageError(f"--report {path}: the name must end in {', '.join(SUFFIXES)}")
    return paths


@contextmanager
def found_in(job: Job, tally: Tally) -> Iterator[Run]:
    reading = job.reading
    with unpacked(reading, sources(reading, job.inputs, tally), tally) as (found, _):
        if job.is_batch(found):
            from dedup.cli.batch import batch

            with batch(reading, found, job.engine, tally) as together:
                yield together.run(reading.config, tally)
            return
        with spreading(job.engine, found) as spread:
            work = Alone(Asked(reading, True, False), found, tally, spread)
            for number, source in enumerate(found):
                try:
                    deque(work.steps(number), 0)
                except (AuditError, InputError) as error:
                    tally.skip_or_fail(source, error)
        yield alone(reading.config, tally)


def report_inputs(
    job: Job,
    kind: str,
    full: bool,
    color: str,
) -> int:
    """Print the report of the inputs and return the exit code."""
    tally = Tally()
    open_output()
    with found_in(job, tally) as run:
        _print(run, kind, full, color)
    return tally.finish()


def explain_input(job: Job, full: bool, color: str) -> int:
    """Print the report of one text, then every match that was considered, and return the exit code."""
    from dedup.report import terminal

    tally = Tally()
    open_output()
    found, reading = sources(job.reading, job.inputs, tally), job.reading
    if len(found) != 1 or found[0].walked or found[0].lines:
        raise UsageError("--explain: give one text file; of a file with several documents, one by itself")
    data = compression.read(found[0].path, reading.max_ratio)
    result, passes = explain_document(data, reading.config, found[0].name, force_text=reading.force_text)
    console = _console(color)
    terminal.show(console, result, full=full)
    terminal.explain(console, result, passes)
    sys.stdout.flush()
    return tally.finish()


def _print(run: Run, kind: str, full: bool, color: str) -> None:
    if kind == "text":
        from dedup.report import terminal

        terminal.show_run(_console(color), run, full=full)
        sys.stdout.flush()
    else:
        show(rendered(run, kind))


def show_beside(run: Run, full: bool) -> None:
    """Print the report on standard error, beside data that went elsewhere."""
    from rich.console import Console

    from dedup.report import terminal

    terminal.show_run(Console(stderr=True, highlight=False), run, full=full)


def show(parts: Iterable[bytes]) -> None:
    """Write to standard output."""
    sys.stdout.flush()
    for part in parts:
        sys.stdout.buffer.write(part)
    sys.stdout.flush()


def open_output() -> None:
    if sys.stdout is None:
        raise OutputError("standard output is closed")


def _console(color: str) -> "Console":
    from rich.console import Console

    forced = {"always": True, "never": False}.get(color)
    return Console(highlight=False, force_terminal=forced, no_color=True if color == "never" else None)
