"""The clean command: Results to targets, with the manifest that takes them back."""

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from dedup.cli import reports, steps
from dedup.cli.inputs import Job, Tally, say, sources
from dedup.cli.journal import opened, same
from dedup.cli.output import Output
from dedup.errors import AuditError, InputError, OutputError, UsageError
from dedup.io import compression, files
from dedup.io.documents import Source
from dedup.model import Failure


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
        if self.in_place and any(s.path == files.STDIN for s in sources):
            raise UsageError("--in-place: standard input has no place; give files")
        if self.directory is not None:
            return self._below(sources, self.directory)
        if self.in_place:
            return {s.path: s.path for s in sources}
        if folders or len(sources) > 1:
            raise UsageError("several inputs need -d DIR or --in-place: one stream cannot hold them apart")
        return {s.path: os.fspath(self.output) if self.output else files.STDIN for s in sources}

    def packed(self, source: Source) -> str:
        """How the output of a source is compressed: as its name says, and where that is kept as the source is."""
        if self.output is not None:
            return compression.SUFFIXES.get(self.output.suffix.lower(), "")
        return source.packed if self.directory is not None or self.in_place else ""

    def _below(self, sources: Sequence[Source], directory: Path) -> dict[str, str]:
        seen: dict[str, str] = {}
        for source in sources:
            target = files.inside(os.fspath(directory), source.clean)
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
    found = sources(job.reading, job.inputs, tally)
    places = targets.check(found, any(s.walked for s in found) or any(os.path.isdir(p) for p in job.inputs))
    several = job.is_batch(found)
    replaced = {source for source, target in places.items() if source != files.STDIN and same(source, target)}
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
        with opened(targets.manifest, places) if targets.manifest else nullcontext() as journal:
            for number, source in enumerate(found):
                if work and work.failed(number, tally):
                    continue
                try:
                    if work:
                        found_there = steps.batched(reading, work, number)
                    else:
                        found_there = steps.alone(reading, source, tally, keep=bool(targets.reports) or shown)
                    target = places[source.path]
                    whole = work is not None and work.drops(number) and target != files.STDIN and targets.output is None
                    out = Output(
                        work.originals[number] if work else source, target, targets.packed(source), journal, reading
                    )
                    (out.drop if whole else out.write)(found_there)
                    written.append(number)
                except (AuditError, InputError) as error:
                    tally.skip_or_fail(source, error)
                except OutputError as error:
                    if journal is not None and journal.broken:
                        raise
                    tally.fail(Failure(source.file, None, str(error)))
        run = work.run(reading.config, tally) if work else reports.alone(reading.config, tally)
        reports.write(run, targets.reports, full)
        if work:
            work.remember(written)
        if terminal or verbose:
            say(tally.summary())
        if shown:
            from rich.console import Console

            from dedup.report import terminal as diff

            diff.show_run(Console(stderr=True, highlight=False), run, full=full)
    return tally.finish()


def _once(found: Sequence[Source]) -> list[Source]:
    """The sources, each file once however it was named: it is no copy of itself that may go."""
    files_seen: dict[str, Source] = {}
    for source in found:
        files_seen.setdefault(os.path.realpath(source.path), source)
    return list(files_seen.values())
