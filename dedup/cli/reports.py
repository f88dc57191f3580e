"""The report command, and the reports that clean writes beside its output."""

import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dedup.cli.inputs import Clean, Tally, documents, skip_or_fail, sources
from dedup.errors import InputError, OutputError, UsageError
from dedup.io import files
from dedup.within import explain_document

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 120  # columns of a report in a file


def rendered(job: Clean, tally: Tally, kind: str, full: bool) -> bytes:
    if kind == ".json":
        from dedup.report import json

        return json.render(tally.results, tally.errors, tally.skipped, job.config).encode()
    from rich.console import Console

    from dedup.report import terminal

    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, highlight=False, force_terminal=False, color_system=None)
    for number, result in enumerate(tally.results):
        if number:
            console.print()
        terminal.show(console, result, full=full)
    return out.getvalue().encode()


def report_inputs(job: Clean, inputs: Sequence[str], kind: str, full: bool, color: str) -> int:
    """Print the report of the inputs and return the exit code."""
    tally = Tally()
    _open_output()
    for source in sources(inputs, tally):
        try:
            for document in documents(job, source, tally):
                if document.result is not None:
                    tally.add(document.result, keep=True)
        except InputError as error:
            skip_or_fail(job, source, tally, error)
    if kind == "json":
        sys.stdout.write(rendered(job, tally, ".json", full).decode())
    else:
        from dedup.report import terminal

        console = _console(color)
        for number, result in enumerate(tally.results):
            if number:
                console.print()
            terminal.show(console, result, full=full)
        if len(tally.results) > 1:
            console.print()
            console.print(tally.summary().removeprefix("dedup: "), style="bold", markup=False)
    sys.stdout.flush()
    return tally.finish()


def explain_input(job: Clean, inputs: Sequence[str], kind: str, full: bool, color: str) -> int:
    """Print the report of one text, then every match that was considered, and return the exit code."""
    from dedup.report import terminal

    tally = Tally()
    _open_output()
    found = sources(inputs, tally)
    if len(found) != 1 or found[0].walked or job.is_jsonl(found[0].path):
        raise UsageError("--explain: give one text file; of a JSON Lines file, one record by itself")
    result, passes = explain_document(files.read(found[0].path), job.config, found[0].name, force_text=job.force_text)
    console = _console(color)
    terminal.show(console, result, full=full)
    terminal.explain(console, result, passes)
    sys.stdout.flush()
    return tally.finish()


def _open_output() -> None:
    if sys.stdout is None:
        raise OutputError("standard output is closed")


def _console(color: str) -> "Console":
    from rich.console import Console

    forced = {"always": True, "never": False}.get(color)
    return Console(highlight=False, force_terminal=forced, no_color=True if color == "never" else None)
