"""The clean command: Results to targets, with the manifest that takes them back."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dedup.cli import reports, steps
from dedup.cli.alone import Alone, Asked, spreading
from dedup.cli.archives import Archive, unpacked
from dedup.cli.inputs import Job, Tally, say, sources
from dedup.cli.journal import Journal, opened, same
from dedup.cli.output import Output
from dedup.cli.steps import Step
from dedup.errors import AuditError, InputError, OutputError, UsageError
from dedup.io import compression, files
from dedup.io.documents import Reading, Source
from dedup.model import Failure

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
        reports.known(self.reports)
        if self.in_place and any(s.once for s in sources):
            raise UsageError("--in-place: standard input has no place, and a pipe has none; give files")
        if self.manifest is not None and os.fspath(self.manifest) == files.STDIN:
            raise UsageError("--manifest -: standard output holds the text; give a file")
        if self.directory is not None:
            return self._below(sources, self.directory)
        if self.in_place:
            for source in sources:
                if source.clean != source.below:
                    raise UsageError(
                        f"{source.name}: the main text of a page is no page: give --html-mode page, or -d DIR"
                    )
            return {s.path: s.path for s in sources}
        if folders or len(sources) > 1:
            raise UsageError("several inputs need -d DIR or --in-place: one stream cannot hold them apart")
        binary = any(s.format in ("parquet", "zip", "tar") for s in sources)
        if binary and self.output is None and sys.stdout is not None and sys.stdout.isatty():
            raise UsageError("what is left is no text to be read on a terminal: give -o FILE, -d DIR or --in-place")
        return {s.path: os.fspath(self.output) if self.output else files.STDIN for s in sources}

    def packed(self, source: Source) -> str:
        """How the output of a source is compressed: as its name says, and where that is kept as the source is."""
        if self.output is not None:
            return compression.SUFFIXES.get(self.output.suffix.lower(), "")
        return source.packed if self.directory is not None or self.in_place else ""

    def _below(self, sources: Sequence[Source], directory: Path) -> dict[str, str]:
        out: dict[str, str] = {}
        taken: set[str] = set()
        for source in sources:
            target = files.inside(os.fspath(directory), source.clean)
            if target in taken:
                raise UsageError(f"{source.name}: another input would be written to {files.show(target)} too")
            taken.add(target)
            out[source.path] = target
        return out

    def check_replaced(self, sources: Sequence[Source], reading: Reading) -> None:
        """Raise UsageError where a text would take the place of a page, and nothing could take that back."""
        for source in sources if self.in_place else []:
            renamed = source.inside and source.inside.clean != source.inside.about["name"]
            text = source.format == "warc" and reading.options.html_mode == "article" and self.manifest is None
            if renamed or text:
                raise UsageError(
                    f"{source.name}: the main text of a page is no page: give --html-mode page, or -d DIR"
                    + (", or --manifest FILE" if text else "")
                )


def _apart(given: Sequence[Source], places: Mapping[str, str], others: Sequence[tuple[str, str]]) -> None:
    """Raise UsageError where two of the inputs, their targets and the `others` (option, path) are one file.

    Only the target of an input may be the input itself.
    """
    known = {files.identity(source.path): source for source in given}
    taken: dict[object, str] = {}
    for path, target in places.items():
        where = files.identity(target)
        if where in known and known[where].path != path and not same(path, target):
            raise UsageError(
                f"{files.show(target)}: is an input, and what is left of {files.show(path)} would be written over it; "
                "give another place"
            )
        taken[where] = "the output"
    for option, path in others:
        where = files.identity(path)
        if where in known or where in taken:
            other = taken.get(where, "an input")
            raise UsageError(f"{option} {files.show(path)}: is {other} too, which would be lost; give another name")
        taken[where] = option


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
    given = _named_once(sources(reading, job.inputs, tally))
    places = targets.check(given, any(s.walked for s in given) or any(os.path.isdir(p) for p in job.inputs))
    replaced = {source for source, target in places.items() if source != files.STDIN and same(source, target)}
    if replaced:
        given = _once(given, tally)
    _apart(given, places, _others(job, targets))
    terminal = sys.stderr is not None and sys.stderr.isatty() and not quiet
    shown = terminal and targets.output is not None
    with ExitStack() as stack:
        found, archives = stack.enter_context(unpacked(reading, given, tally))
        targets.check_replaced(found, reading)
        several = job.is_batch(found)
        if several and replaced and targets.manifest is None:
            raise UsageError(
                "whole files of a batch may go, and inputs are to be replaced: give --manifest FILE, or --scope "
                "document to clean each file by itself"
            )
        for archive in archives:
            places |= archive.places()
        # Whoever reads standard output may write to the same terminal; a batch is read before anything is written.
        engine = replace(job.engine, bar=not quiet and (several or files.STDIN not in places.values()))
        work = None
        if several:
            from dedup.cli.batch import batch

            work = stack.enter_context(batch(reading, found, engine, tally, replaced))
        with (
            opened(targets.manifest, places) if targets.manifest else nullcontext() as journal,
            spreading(engine, [] if work else found) as spread,
        ):
            alone = Alone(Asked(reading, bool(targets.reports) or shown, True), [] if work else found, tally, spread)
            read = partial(steps.batched, reading, work) if work else alone.steps
            writing = _Writing(reading, targets, places, journal, tally, work, read)
            written = writing.sources(found, {archive.source.name: archive for archive in archives})
            torn = writing.archives(archives)
            written = [n for n in written if not (place := found[n].inside) or place.source not in torn]
        run = work.run(reading.config, tally) if work else reports.alone(reading.config, tally)
        reports.write(run, targets.reports, full)
        if work:
            work.remember(written)
        if terminal or verbose:
            say(tally.summary())
        if shown:
            reports.show_beside(run, full)
    return tally.finish()


def _others(job: Job, targets: Targets) -> list[tuple[str, str]]:
    """What else is written, each with the option that names it."""
    out = [("--manifest", os.fspath(targets.manifest))] if targets.manifest else []
    out += [("--report", os.fspath(path)) for path in targets.reports]
    return out + ([("--index", job.engine.index)] if job.engine.index else [])


@dataclass(frozen=True, slots=True)
class _Writing:
    """The sources of a run on their way to their targets."""

    reading: Reading
    targets: Targets
    places: dict[str, str]
    journal: Journal | None
    tally: Tally
    work: "Batch | None"
    read: Callable[[int], Iterator[Step]]  # of a source by number

    def sources(self, found: Sequence[Source], archives: Mapping[str, Archive]) -> list[int]:
        """Write what is left of each source; return the numbers of those that were written."""
        written: list[int] = []
        for number, source in enumerate(found):
            if not (self.work and self.work.failed(number, self.tally)):
                with self.told(source):
                    self.source(number, source, archives)
                    written.append(number)
        return written

    def source(self, number: int, source: Source, archives: Mapping[str, Archive]) -> None:
        work, target = self.work, self.places[source.given or source.path]
        found = self.read(number)
        whole = work is not None and work.drops(number) and target != files.STDIN and self.targets.output is None
        packed = source.packed if source.inside else self.targets.packed(source)
        original = work.originals[number] if work else source
        output = Output(original, target, packed, self.journal, self.reading, lambda: source.path in self.tally.damaged)
        if whole or (source.inside and work and work.drops(number)):
            output.drop(found)
            if source.inside:
                archives[source.inside.source].dropped.add(source.inside.about["number"])
        else:
            output.write(found)

    def archives(self, archives: Sequence[Archive]) -> set[str]:
        """Write the archives with what is left of their members; return those that could not be written."""
        failed = {archive.source.name for archive in archives}
        for archive in archives:
            with self.told(archive.source):
                target, packed = (
                    self.places[archive.source.given or archive.source.path],
                    self.targets.packed(archive.source),
                )
                archive.write(target, packed, self.reading.max_ratio, self.journal)
                failed.discard(archive.source.name)
        return failed

    @contextmanager
    def told(self, source: Source) -> Iterator[None]:
        """What goes wrong with a source is told, and the run goes on, as long as its undo can be written."""
        try:
            yield
        except (AuditError, InputError) as error:
            self.tally.skip_or_fail(source, error)
        except OutputError as error:
            if self.journal is not None and self.journal.broken:
                raise
            self.tally.fail(Failure(source.file, None, str(error)))


def _named_once(found: Sequence[Source]) -> list[Source]:
    """The sources, each path once: a folder may be given beside one that holds it."""
    seen: dict[str, Source] = {}
    for source in found:
        seen.setdefault(source.path if source.path == files.STDIN else os.path.abspath(source.path), source)
    return list(seen.values())


def _once(found: Sequence[Source], tally: Tally) -> list[Source]:
    """The sources, each file once however it was named: it is no copy of itself that may go."""
    seen: dict[object, Source] = {}
    for source in found:
        first = seen.setdefault(files.identity(source.path), source)
        if first is not source and not os.path.islink(source.path) and not os.path.islink(first.path):
            tally.note(f"{source.name}: the same file as {first.name}, by another name; it stays as it is")
    return list(seen.values())
