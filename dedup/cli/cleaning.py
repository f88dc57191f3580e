"""The clean command: Results to targets, with the manifest that takes them back."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dedup.cli.inputs import Job, Tally, say, sources
from dedup.cli.reports import alone, known, write
from dedup.errors import AuditError, InputError, OutputError, UsageError
from dedup.io import files
from dedup.io.documents import Reading, Source, Stretch, cut, documents, stretches
from dedup.manifest import dump, record
from dedup.model import Failure, Op

if TYPE_CHECKING:
    from dedup.cli.batch import Batch


@dataclass(frozen=True, slots=True)
class Targets:
    """Where clean text, manifest and reports go."""

    output: Path | None
    directory: Path | None
    in_place: bool
    manifest: Path | None
    reports: Sequence[Path]

    def check(self, sources: Sequence[Source], folders: bool) -> dict[str, str]:
        """Return the target of each source. Raises UsageError for targets that contradict one another."""
        if sum([self.output is not None, self.directory is not None, self.in_place]) > 1:
            raise UsageError("give one of -o, -d and --in-place")
        known(self.reports)
        if self.in_place and any(s.path == files.STDIN for s in sources):
            raise UsageError("--in-place: standard input has no place; give files")
        if self.directory is not None:
            return self._below(sources, self.directory)
        if self.in_place:
            return {s.path: s.path for s in sources}
        if folders or len(sources) > 1:
            raise UsageError("several inputs need -d DIR or --in-place: one stream cannot hold them apart")
        return {s.path: os.fspath(self.output) if self.output else files.STDIN for s in sources}

    def _below(self, sources: Sequence[Source], directory: Path) -> dict[str, str]:
        seen: dict[str, str] = {}
        for source in sources:
            target = files.inside(os.fspath(directory), source.below)
            if target in seen.values():
                raise UsageError(f"{source.name}: another input would be written to {files.show(target)} too")
            seen[source.path] = target
        return seen


def clean_inputs(
    job: Job,
    targets: Targets,
    *,
    full: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> int:
    """Clean the inputs to their targets and return the exit code: 2 if anything could not be done, else 0."""
    tally, reading = Tally(), job.reading
    found = sources(job.inputs, tally)
    places = targets.check(found, any(s.walked for s in found) or any(os.path.isdir(p) for p in job.inputs))
    several = job.is_batch(found)
    replaced = {source for source, target in places.items() if source != files.STDIN and _same(source, target)}
    if several and replaced:
        found = _once(found)
    if several and targets.manifest is None and replaced:
        raise UsageError(
            "whole files of a batch may go, and inputs are to be replaced: give --manifest FILE, or --scope document "
            "to clean each file by itself"
        )
    terminal = sys.stderr is not None and sys.stderr.isatty() and not quiet
    shown = terminal and targets.output is not None
    written: list[int] = []
    with ExitStack() as stack:
        work = None
        if several:
            from dedup.cli.batch import batch

            work = stack.enter_context(batch(reading, found, job.engine, tally, replaced))
        with _journal(targets, places) if targets.manifest else nullcontext() as journal:
            for number, source in enumerate(found):
                if work and work.failed(number, tally):
                    continue
                try:
                    if work:
                        steps = _batched(work, number)
                    else:
                        steps = _alone(reading, source, tally, keep=bool(targets.reports) or shown)
                    target = places[source.path]
                    whole = work is not None and work.drops(number) and target != files.STDIN and targets.output is None
                    (_drop if whole else _write)(steps, source, target, journal)
                    written.append(number)
                except (AuditError, InputError) as error:
                    tally.skip_or_fail(source, error)
                except OutputError as error:
                    if journal is not None and journal.broken:
                        raise
                    tally.fail(Failure(source.file, None, str(error)))
        run = work.run(reading.config, tally) if work else alone(reading.config, tally)
        write(run, targets.reports, full)
        if work:
            work.remember(written)
        if terminal or verbose:
            say(tally.summary())
        if shown:
            from rich.console import Console

            from dedup.report import terminal as diff

            diff.show_run(Console(stderr=True, highlight=False), run, full=full)
    return tally.finish()


class _Journal:
    """The open manifest. A record is on the disk before the file that it can take back is replaced."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream, self.name, self.broken = stream, name, False

    def write(self, entry: dict[str, Any]) -> None:
        self._do(lambda: self.stream.write(dump(entry)))

    def sync(self) -> None:
        self._do(self.stream.flush)
        with suppress(OSError):  # a device has nothing to sync
            os.fsync(self.stream.fileno())

    def _do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            self.broken = True
            raise OutputError(f"{self.name}: cannot be written: {error.strerror or error}; the run was ended") from None


@contextmanager
def _journal(targets: Targets, places: dict[str, str]) -> Iterator[_Journal]:
    """Open the manifest: written all at once, but where inputs are replaced a new file that grows record by record."""
    path = os.fspath(targets.manifest or "")
    name = files.show(path)
    if not any(source != files.STDIN and _same(source, target) for source, target in places.items()):
        with files.writing(path) as stream:
            yield _Journal(stream, name)
        return
    try:
        new = open(path, "xb")  # noqa: SIM115  # an error of the block is none of the opening
    except FileExistsError:
        raise UsageError(
            f"{name}: the manifest of an earlier run is there, and inputs are to be replaced; "
            "give another name, or the way back to the first text would be lost"
        ) from None
    except OSError as error:
        raise OutputError(f"{name}: cannot be written: {error.strerror or error}") from None
    with new:
        yield _Journal(new, name)


def _once(found: Sequence[Source]) -> list[Source]:
    """The sources, each file once however it was named: it is no copy of itself that may go."""
    files_seen: dict[str, Source] = {}
    for source in found:
        files_seen.setdefault(os.path.realpath(source.path), source)
    return list(files_seen.values())


def _same(source: str, target: str) -> bool:
    try:
        return os.path.samefile(source, target)
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class _Step:
    """One document of a source: what stands before it there, its bytes before and after, and its place in the undo."""

    before: bytes
    data: bytes
    clean: bytes
    ops: tuple[Op, ...]
    more: dict[str, Any] | None  # None: no document, but what stands after the last one


def _alone(reading: Reading, source: Source, tally: Tally, keep: bool) -> Iterator[_Step]:
    """The documents of a source, each cleaned by itself."""
    held, at = deque[Stretch](), 0

    def read() -> Iterator[Stretch]:
        for stretch in stretches(reading, source):
            held.append(stretch)
            yield stretch

    for group in documents(reading, read(), tally.fail_document):
        for found in group:
            entry, result = found.entry, found.result
            tally.add(result, (source.file, entry.line) if keep else None)
            start, end = entry.span
            before = b"".join(_between(held, at, start))
            line = {} if entry.line is None else {"line": entry.line, "id": result.source}
            yield _Step(before, *found.cut(), line)
            at = end
    yield _Step(b"".join(_between(held, at, None)), b"", b"", (), None)


def _between(held: deque[Stretch], start: int, end: int | None) -> Iterator[bytes]:
    """The bytes of a source from `start` to `end`. Stretches before them are let go."""
    while held and held[0].start + len(held[0].data) <= start:
        held.popleft()
    for stretch in held:
        first = stretch.start
        yield stretch.data[max(0, start - first) : None if end is None else max(0, end - first)]


def _batched(work: "Batch", number: int) -> Iterator[_Step]:
    """The documents of a source of a batch. A line of one that goes is gone with its end."""
    corpus = work.corpus
    path = corpus.sources[number].path
    at, gone = 0, False
    for document in corpus.of(number):
        start, end = corpus.span(document)
        before, at = corpus.part(path, at, start)[gone:], end
        data, entry = corpus.record(document)
        result = work.result(document)
        more: dict[str, Any] = {"line": corpus.columns["line"][document], "id": result.source} if entry else {}
        member = work.dropped.get(document)
        gone = member is not None and entry is not None
        if member is None:
            yield _Step(before, *cut(entry, result), more)
        else:
            data += corpus.part(path, end, end + 1) if entry else b""
            more["dropped"] = corpus.name(member.document if member.witness is None else member.witness)
            yield _Step(before, data, b"", (Op(None, data),), more)
    yield _Step(files.read(path, at)[gone:], b"", b"", (), None)


def _write(steps: Iterator[_Step], source: Source, target: str, journal: _Journal | None) -> None:
    first = next(steps, None)  # an input that cannot be read leaves no output behind
    if target != files.STDIN and os.path.dirname(target):
        files.make_folder(os.path.dirname(target))
    with files.writing(target) as stream:
        empty = True
        for step in [] if first is None else chain([first], steps):
            stream.write(step.before)
            stream.write(step.clean)
            _note(journal, source, step)
            empty = empty and step.more is None
        if empty and first is not None:  # without documents: it comes back as it is
            whole = (Op((0, len(first.before)), None),) if first.before else ()
            _note(journal, source, _Step(b"", first.before, first.before, whole, {}))
        if journal is not None:
            journal.sync()


def _drop(steps: Iterator[_Step], source: Source, target: str, journal: _Journal | None) -> None:
    """A file that another one repeats is not written; where it was to be replaced, it goes once its undo is kept."""
    for step in steps:
        _note(journal, source, step)
    if journal is not None:
        journal.sync()
    files.remove(target)


def _note(journal: _Journal | None, source: Source, step: _Step) -> None:
    if journal is not None and step.more is not None:
        journal.write(record(source.name, step.data, step.clean, step.ops, path=source.below, **step.more))
