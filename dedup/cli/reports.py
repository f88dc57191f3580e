"""The report command, and the reports that clean writes beside its output."""

import io
import sys
from collections.abc import Sequence

from dedup.cli.inputs import Clean, Tally, documents, skip_or_fail, sources
from dedup.errors import InputError, OutputError

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
    if sys.stdout is None:
        raise OutputError("standard output is closed")
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
        from rich.console import Console

        from dedup.report import terminal

        forced = {"always": True, "never": False}.get(color)
        console = Console(highlight=False, force_terminal=forced, no_color=True if color == "never" else None)
        for number, result in enumerate(tally.results):
            if number:
                console.print()
            terminal.show(console, result, full=full)
        if len(tally.results) > 1:
            console.print()
            console.print(tally.summary().removeprefix("dedup: "), style="bold", markup=False)
    sys.stdout.flush()
    return tally.finish()
