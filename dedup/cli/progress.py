"""How far a run is: a bar with the rate and the time left, on standard error, where that is a terminal."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from dedup.cli.inputs import SMALL
from dedup.io.documents import Source
from dedup.io.formats import FRAMED


def size(source: Source) -> int:
    """Return the bytes of a source; 0 where that cannot be told."""
    try:
        return os.stat(source.path).st_size
    except OSError:
        return 0


def total(sources: Sequence[Source]) -> int | None:
    """Return the bytes that will be told of these sources; None where they are packed, or come through a pipe.

    Of pages what they have is told, of other containers the texts.
    """
    told = (not source.container or source.format in ("html", *FRAMED) for source in sources)
    known = all(told) and not any(source.once or source.packed or source.inside for source in sources)
    return sum(map(size, sources)) if known else None


@contextmanager
def progress(whole: int | None, wanted: bool) -> Iterator[Callable[[int], None]]:
    """Yield what is to be told of each stretch of bytes that is done; of small inputs nothing is shown.

    Unless it is `wanted`, no bar is. Of a `whole` that is not known it tells no time.
    """
    if not wanted or sys.stderr is None or not sys.stderr.isatty():
        yield lambda done: None
        return
    with ExitStack() as stack:
        seen, bars = 0, list[Callable[[int], None]]()

        def advance(done: int) -> None:
            nonlocal seen
            seen += done
            if not bars and max(seen, whole or 0) >= SMALL:
                bars.append(stack.enter_context(_bar(whole)))
            for bar in bars:
                bar(seen)

        advance(0)
        yield advance


@contextmanager
def _bar(whole: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=whole)
        yield lambda seen: bar.update(task, completed=seen)
