"""Documents, each cleaned by itself: the sources of a run piece by piece, by several processes, and never held whole.

Why: a source may be larger than memory, and may be read once only. One process reads and writes; blocks of records, and
files that are small, go to the others. What became of them comes back in order with what was met on the way, so the
answer and what is told are the same for any number of processes.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.cli.folder import full, working_folder
from dedup.cli.inputs import SMALL, Engine, Tally
from dedup.cli.progress import progress, total
from dedup.cli.steps import Step, rowed
from dedup.errors import AuditError, DedupError, InputError
from dedup.io.documents import Frames, Reading, Source, Stretch, documents, framed, read, stretches
from dedup.io.formats import FRAMED
from dedup.io.rows import Row
from dedup.model import Result

if TYPE_CHECKING:
    from dedup.processes import Spread

_UNIT = 1 << 20  # bytes of files that a worker reads at once
_FILES = 1024  # that it reads at once, at most


class Asked(NamedTuple):
    """What is to become of documents."""

    reading: Reading
    keep: bool  # their Results, for a report
    write: bool  # their Steps


class Files(NamedTuple):
    """Sources that a worker reads, by number."""

    sources: list[tuple[int, Source]]
    size: int  # bytes


class Done(NamedTuple):
    """What became of a source that a worker has read."""

    number: int
    tally: Tally
    steps: list[Step]
    error: AuditError | InputError | None  # which ended it


class Alone:
    """The sources of a run, by number, which are asked for in order."""

    def __init__(self, asked: Asked, sources: Sequence[Source], tally: Tally, spread: "Spread") -> None:
        self.asked, self.sources, self.tally, self.spread = asked, sources, tally, spread
        sizes = {number: size for number, source in enumerate(sources) if (size := _size(source)) is not None}
        self.whole = sizes.keys()
        self.done: Iterator[Done] = chain.from_iterable(spread(partial(_files, asked), units(sources, sizes)))

    def steps(self, number: int) -> Iterator[Step]:
        """Yield the documents of a source, and what else it has. Raises InputError, AuditError."""
        if number not in self.whole:
            yield from _steps(self.asked, self.sources[number], self.tally, self.spread)
            return
        done = next(done for done in self.done if done.number == number)
        self.tally.take(done.tally)
        yield from done.steps
        if done.error:
            raise done.error


def _size(source: Source) -> int | None:
    """The bytes of a source that is cleaned by the one who reads it: a text, or few records. None for another one."""
    if source.once or source.packed or source.format == "parquet":
        return None
    try:
        size = os.stat(source.path).st_size
    except OSError:
        return 0  # who reads it tells
    return size if source.format == "text" or size <= _UNIT else None


def units(sources: Sequence[Source], sizes: dict[int, int]) -> Iterator[Files]:
    """Yield those of the sources of which there are sizes, some at a time."""
    unit, total = list[tuple[int, Source]](), 0
    for number, size in sizes.items():
        unit.append((number, sources[number]))
        total += size
        if total >= _UNIT or len(unit) >= _FILES:
            yield Files(unit, total)
            unit, total = [], 0
    if unit:
        yield Files(unit, total)


def _files(asked: Asked, files: Files) -> list[Done]:
    return [_done(asked, number, source) for number, source in files.sources]


def _done(asked: Asked, number: int, source: Source) -> Done:
    tally, steps = Tally([]), list[Step]()
    try:
        steps.extend(_steps(asked, source, tally, map))
    except (AuditError, InputError) as error:
        return Done(number, tally, steps, error)
    return Done(number, tally, steps, None)


def _steps(asked: Asked, source: Source, tally: Tally, spread: "Spread") -> Iterator[Step]:
    """Yield the documents of a source, each cleaned by itself; of what is told, each in its place among them."""
    if source.format in FRAMED:
        for steps in by_frames(partial(_framed, asked), asked.reading, source, tally, spread):
            yield from steps
        return
    rows = deque[Row]()
    told = deque([Tally([])])  # by the reader, before each stretch and after the last
    broken: list[InputError] = []

    def hold(row: Row) -> None:
        told[-1].noted(row)
        if asked.write:
            rows.append(row)

    def read() -> Iterator[Stretch]:
        found = stretches(asked.reading, source, lambda *what: told[-1].fail_document(*what), hold)
        for stretch in _unbroken(found, broken):
            told.append(Tally([]))
            yield stretch

    def found() -> Iterator[Any]:
        for part, out in spread(partial(_cleaned, asked), read()):
            tally.take(told.popleft())
            tally.take(part)
            yield from out
        tally.take(told.popleft())
        if broken:
            raise broken[0]

    if source.container and asked.write:
        yield from rowed(lambda: rows.popleft() if rows else None, found(), source)
    else:
        yield from found()
        yield Step(b"", b"", b"", (), None)


def _cleaned(asked: Asked, stretch: Stretch) -> tuple[Tally, list[Any]]:
    """The documents of a stretch: Steps that are all of it, or of rows the numbers and Results; and what was met."""
    tally, steps, results = Tally([]), list[Step](), list[tuple[int, Result, None]]()
    source, data, at = stretch.source, stretch.data, 0
    for one in chain.from_iterable(documents(asked.reading, [stretch], tally.fail_document)):
        entry, result = one.entry, one.result
        tally.add(result, (source.file, entry.line) if asked.keep else None)
        if not asked.write:
            continue
        if source.container:
            results.append((entry.line or 0, result, None))
            continue
        start, end = (place - stretch.start for place in entry.span)
        more = {} if entry.line is None else {"line": entry.line, "id": result.source}
        steps.append(Step(data[at:start], *one.cut(), more, result.encoding))
        at = end
    if source.container or not asked.write:
        return tally, results
    steps.append(Step(data[at:], b"", b"", (), None))
    return tally, steps


def _unbroken(jobs: Iterator[Any], broken: list[InputError]) -> Iterator[Any]:
    """Yield the jobs up to an error, which is noted in `broken`: what stands before it may be under way."""
    try:
        yield from jobs
    except InputError as error:
        broken.append(error)


def by_frames(
    work: "Callable[[Frames], tuple[Tally, Any]]", reading: Reading, source: Source, tally: Tally, spread: "Spread"
) -> Iterator[Any]:
    """Yield what `work` makes of the rows of a source in one of the FRAMED formats; what it met is told before.

    Raises InputError.
    """
    broken: list[InputError] = []
    for part, out in spread(work, _unbroken(framed(reading, source), broken)):
        tally.take(part)
        yield out
    if broken:
        raise broken[0]


def _framed(asked: Asked, frames: Frames) -> tuple[Tally, list[Step]]:
    """The rows of a stretch: Steps that are all of it, if they were asked for; and what was met."""
    tally, rows = Tally([]), deque[Row]()

    def hold(row: Row) -> None:
        tally.noted(row)
        rows.append(row)

    data = read(asked.reading, frames, tally.fail_document, hold)
    part, found = _cleaned(asked, Stretch(0, frames.source, data, 0, frames.first))
    tally.take(part)
    if not asked.write:
        return tally, []
    return tally, [*rowed(lambda: rows.popleft() if rows else None, found, frames.source, frames.first)]


@contextmanager
def spreading(engine: Engine, found: Sequence[Source]) -> "Iterator[Spread]":
    """Yield a function as `map` that starts processes when there is enough for them to do. Jobs have a `size`.

    A bar shows how much of what was `found` is done. Raises DedupError where the files through which jobs travel
    cannot be written.
    """
    workers = engine.processes
    with ExitStack() as stack:
        folders, seen = list[str](), 0
        started: list[Spread] = []
        advance = stack.enter_context(progress(total(found), engine.bar))

        def spread(work: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
            sizes = deque[int]()

            def sized() -> Iterator[Any]:
                for job in jobs:
                    sizes.append(job.size)
                    yield job

            for done in several(work, sized()):
                yield done
                advance(sizes.popleft())

        def several(work: Callable[[Any], Any], jobs: Iterator[Any]) -> Iterator[Any]:
            nonlocal seen
            first = []
            for job in jobs if workers > 1 else ():
                first.append(job)
                seen += job.size
                if seen >= SMALL and len(first) > 1:
                    break
            jobs = chain(first, jobs)
            if seen < SMALL or len(first) < 2:
                yield from map(work, jobs)
                return
            if not started:
                from dedup.processes import processes

                folders.append(stack.enter_context(working_folder()))
                started.append(stack.enter_context(processes(workers, folders[0])))
            try:
                yield from started[0](work, jobs)
            except OSError as error:
                raise DedupError(f"{full(folders[0], error)}, or use -j 1") from None

        yield spread
