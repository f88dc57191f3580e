"""The clean command: Results to targets, with the manifest that takes them back."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from dedup.cli.inputs import Clean, Source, Tally, documents, say, skip_or_fail, sources
from dedup.cli.reports import rendered
from dedup.errors import AuditError, InputError, OutputError, UsageError
from dedup.io import files
from dedup.manifest import dump, record


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
        for path in self.reports:
            if path.suffix not in (".json", ".txt"):
                raise UsageError(f"--report {path}: the name must end in .json or .txt")
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
            name = "stdin.txt" if source.path == files.STDIN else source.below
            target = files.inside(os.fspath(directory), name)
            if target in seen.values():
                raise UsageError(f"{source.name}: another input would be written to {files.show(target)} too")
            seen[source.path] = target
        return seen


def clean_inputs(
    job: Clean,
    inputs: Sequence[str],
    targets: Targets,
    *,
    full: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> int:
    """Clean the inputs to their targets and return the exit code: 2 if anything could not be done, else 0."""
    tally = Tally()
    found = sources(inputs, tally)
    places = targets.check(found, any(s.walked for s in found) or any(os.path.isdir(p) for p in inputs))
    terminal = sys.stderr is not None and sys.stderr.isatty() and not quiet
    shown = terminal and targets.output is not None
    with ExitStack() as stack:
        journal = _journal(stack, targets, places) if targets.manifest else None
        for source in found:
            try:
                _clean_one(job, source, places[source.path], journal, tally, bool(targets.reports) or shown)
            except (AuditError, InputError) as error:
                skip_or_fail(job, source, tally, error)
            except OutputError as error:
                if journal is not None and journal.broken:
                    raise
                tally.fail(source.name, str(error))
    for path in targets.reports:
        with files.writing(os.fspath(path)) as stream:
            stream.write(rendered(job, tally, path.suffix, full))
    if terminal or verbose:
        say(tally.summary())
    if shown and tally.results:
        from rich.console import Console

        from dedup.report import terminal as diff

        for result in tally.results:
            diff.show(Console(stderr=True, highlight=False), result, full=full)
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


def _journal(stack: ExitStack, targets: Targets, places: dict[str, str]) -> _Journal:
    """Open the manifest: written all at once, but where inputs are replaced a new file that grows record by record."""
    path = os.fspath(targets.manifest or "")
    name = files.show(path)
    if not any(source != files.STDIN and _same(source, target) for source, target in places.items()):
        return _Journal(stack.enter_context(files.writing(path)), name)
    try:
        return _Journal(stack.enter_context(open(path, "xb")), name)
    except FileExistsError:
        raise UsageError(
            f"{name}: the manifest of an earlier run is there, and inputs are to be replaced; "
            "give another name, or the way back to the first text would be lost"
        ) from None
    except OSError as error:
        raise OutputError(f"{name}: cannot be written: {error.strerror or error}") from None


def _same(source: str, target: str) -> bool:
    try:
        return os.path.samefile(source, target)
    except OSError:
        return False


def _clean_one(job: Clean, source: Source, target: str, journal: _Journal | None, tally: Tally, keep: bool) -> None:
    cleaned = documents(job, source, tally)
    first = next(cleaned, None)  # an input that cannot be read leaves no output behind
    if target != files.STDIN and os.path.dirname(target):
        files.make_folder(os.path.dirname(target))
    with files.writing(target) as stream:
        for document in [] if first is None else chain([first], cleaned):
            stream.write(document.clean)
            stream.write(document.end)
            if document.result is None:
                continue
            tally.add(document.result, keep)
            if journal is not None:
                more: dict[str, Any] = {"path": source.below}
                if document.line is not None:
                    more |= {"line": document.line, "id": document.result.source}
                journal.write(record(source.name, document.data, document.clean, document.ops, **more))
        if journal is not None:
            journal.sync()
