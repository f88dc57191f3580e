"""The work of each command: inputs to Results to outputs, one document after another."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from dedup.__main__ import complain
from dedup.config import Config
from dedup.errors import DedupError, InputError, ManifestError, OutputError, UsageError
from dedup.io import files, jsonl
from dedup.manifest import dump, parse, record, undo
from dedup.model import Op, Result
from dedup.within import clean_document


@dataclass(frozen=True, slots=True)
class Clean:
    """How inputs are read and judged."""

    config: Config
    input_format: str  # auto, text, jsonl
    text_field: str
    id_field: str
    force_text: bool

    def is_jsonl(self, path: str) -> bool:
        named = self.input_format == "auto" and path.lower().endswith((".jsonl", ".ndjson"))
        return self.input_format == "jsonl" or named


@dataclass(frozen=True, slots=True)
class Source:
    """One input file: its path, its name for people, and its path inside the folder that was walked to find it."""

    path: str
    name: str
    below: str
    walked: bool


@dataclass(slots=True)
class Tally:
    """What a run has met so far."""

    errors: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    documents: int = 0
    paragraphs: list[int] = field(default_factory=lambda: [0, 0])
    bytes: list[int] = field(default_factory=lambda: [0, 0])

    def fail(self, source: str, message: str) -> None:
        """Report one error and go on."""
        self.errors.append((source, message))
        complain(message)

    def add(self, result: Result, keep: bool) -> None:
        self.documents += 1
        for at, (count, data) in enumerate(zip(result.paragraphs, (result.data, result.clean), strict=True)):
            self.paragraphs[at] += count
            self.bytes[at] += len(data)
        if keep:
            self.results.append(result)

    def summary(self) -> str:
        before, after = self.paragraphs
        share = (self.bytes[0] - self.bytes[1]) / self.bytes[0] if self.bytes[0] else 0.0
        return (
            f"dedup: {self.documents:,} document{'' if self.documents == 1 else 's'}, removed {before - after:,} of "
            f"{before:,} paragraphs, {self.bytes[0] - self.bytes[1]:,} bytes, {100 * share:.1f}%"
        )

    def finish(self) -> int:
        """Say what was skipped, and return the exit code."""
        if self.skipped:
            say(f"dedup: skipped {len(self.skipped):,} binary files (--text takes them): {', '.join(self.skipped[:5])}")
        return 2 if self.errors else 0


def say(line: str) -> None:
    """Write one line to standard error, as far as there is one."""
    if sys.stderr is not None:
        sys.stderr.write(line.encode("utf-8", "backslashreplace").decode() + "\n")
        sys.stderr.flush()


# ---------------------------------------------------------------- reading


def _sources(inputs: Sequence[str], tally: Tally) -> list[Source]:
    """The files of the inputs, folders walked in sorted order."""
    out: list[Source] = []
    for path in inputs:
        if path != files.STDIN and os.path.isdir(path):
            errors: list[str] = []
            out += [Source(full, files.show(full), below, True) for full, below in files.walk(path, errors)]
            for message in errors:
                tally.fail(files.show(path), message)
        else:
            name = "standard input" if path == files.STDIN else files.show(path)
            out.append(Source(path, name, os.path.basename(path), False))
    return out


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One document of a source: its Result (none for a line passed on), the bytes to write, and the way back."""

    result: Result | None
    line: int | None  # in JSONL
    data: bytes
    clean: bytes
    ops: tuple[Op, ...]
    end: bytes


def _documents(job: Clean, source: Source, tally: Tally) -> Iterator[Cleaned]:
    """Clean the documents of a source. Raises InputError if it cannot be read at all."""
    data = files.read(source.path)
    if not job.is_jsonl(source.path):
        result = clean_document(data, job.config, source.name, force_text=job.force_text)
        yield Cleaned(result, None, data, result.clean, result.ops, b"")
        return
    for number, line, end in jsonl.lines(data):
        where = f"{source.name}:{number}"
        try:
            entry = jsonl.Record(line, where, job.text_field)
        except InputError as error:
            if line.strip():
                tally.fail(where, str(error))
            yield Cleaned(None, number, line, line, (), end)
            continue
        name = str(entry.fields.get(job.id_field, where))
        result, clean, ops = jsonl.clean_record(entry, name, job.config)
        yield Cleaned(result, number, line, clean, ops, end)


def _skips(job: Clean, source: Source, tally: Tally, error: InputError) -> None:
    """A binary file met on a walk is skipped and counted; anything else is an error."""
    if source.walked and "looks like a binary file" in str(error):
        tally.skipped.append(source.name)
    else:
        tally.fail(source.name, str(error))


# ---------------------------------------------------------------- clean


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
    sources = _sources(inputs, tally)
    places = targets.check(sources, any(s.walked for s in sources) or any(os.path.isdir(p) for p in inputs))
    terminal = sys.stderr is not None and sys.stderr.isatty() and not quiet
    shown = terminal and targets.output is not None
    with ExitStack() as stack:
        journal = _journal(stack, targets, places) if targets.manifest else None
        for source in sources:
            try:
                _clean_one(job, source, places[source.path], journal, tally, bool(targets.reports) or shown)
            except InputError as error:
                _skips(job, source, tally, error)
            except OutputError as error:
                if journal is not None and journal.broken:
                    raise
                tally.fail(source.name, str(error))
    for path in targets.reports:
        with files.writing(os.fspath(path)) as stream:
            stream.write(_rendered(job, tally, path.suffix, full))
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
    cleaned = _documents(job, source, tally)
    first = next(cleaned, None)  # an input that cannot be read leaves no output behind
    if target != files.STDIN and os.path.dirname(target):
        _make_folder(os.path.dirname(target))
    with files.writing(target) as stream:
        for document in [] if first is None else _chained(first, cleaned):
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


def _chained(first: Cleaned, rest: Iterator[Cleaned]) -> Iterator[Cleaned]:
    yield first
    yield from rest


def _make_folder(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{files.show(folder)}: cannot be made: {error.strerror or error}") from None


def _rendered(job: Clean, tally: Tally, kind: str, full: bool) -> bytes:
    if kind == ".json":
        from dedup.report import json

        return json.render(tally.results, tally.errors, tally.skipped, job.config).encode()
    import io

    from rich.console import Console

    from dedup.report import terminal

    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, highlight=False, force_terminal=False, color_system=None)
    for number, result in enumerate(tally.results):
        if number:
            console.print()
        terminal.show(console, result, full=full)
    return out.getvalue().encode()


_WIDTH = 120  # columns of a report in a file


# ---------------------------------------------------------------- report


def report_inputs(job: Clean, inputs: Sequence[str], kind: str, full: bool, color: str) -> int:
    """Print the report of the inputs and return the exit code."""
    tally = Tally()
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    for source in _sources(inputs, tally):
        try:
            for document in _documents(job, source, tally):
                if document.result is not None:
                    tally.add(document.result, keep=True)
        except InputError as error:
            _skips(job, source, tally, error)
    if kind == "json":
        sys.stdout.write(_rendered(job, tally, ".json", full).decode())
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


# ---------------------------------------------------------------- restore


def restore_files(clean: str, manifest: Path, output: Path | None, directory: Path | None) -> int:
    """Rebuild the inputs of a run from its clean files, and return the exit code."""
    groups, torn = _records(os.fspath(manifest))
    if os.path.isdir(clean):
        if directory is None:
            raise UsageError("a folder is restored with -d DIR")
        work = [
            (files.inside(clean, g[0]["path"]), files.inside(os.fspath(directory), g[0]["path"]), g) for g in groups
        ]
    else:
        if directory is not None:
            raise UsageError("-d goes with a folder; give -o FILE")
        work = [(clean, os.fspath(output) if output else files.STDIN, _chosen(groups, clean, manifest))]
    code = 2 if torn else 0
    for source, target, entries in work:
        try:
            data = _rebuilt(files.read(source), entries)
            if directory is not None:
                _make_folder(os.path.dirname(target))
            with files.writing(target) as stream:
                stream.write(data)
        except DedupError as error:
            code = complain(str(error))
    return code


def _records(path: str) -> tuple[list[list[dict[str, Any]]], bool]:
    """The records of a manifest, file by file; and whether its last line is torn: its file was not written either."""
    groups: dict[str, list[dict[str, Any]]] = {}
    data = files.read(path)
    for number, line, end in jsonl.lines(data):
        try:
            entry = parse(line, f"{files.show(path)}:{number}")
        except ManifestError:
            if end:
                raise
            complain(f"{files.show(path)}:{number}: the last record is incomplete; its file had not been written yet")
            return list(groups.values()), True
        if not isinstance(entry.get("path", ""), str):
            raise ManifestError(f"{files.show(path)}:{number}: the path is no text; the manifest is damaged")
        entry.setdefault("path", os.path.basename(entry["source"]))
        groups.setdefault(entry["source"], []).append(entry)
    if not groups:
        raise ManifestError(f"{files.show(path)}: no record in it; give the file that --manifest wrote")
    return list(groups.values()), False


def _chosen(groups: list[list[dict[str, Any]]], clean: str, manifest: Path) -> list[dict[str, Any]]:
    """The records that belong to the file `clean`: the only ones, or those of its name."""
    if len(groups) == 1:
        return groups[0]
    named = [g for g in groups if os.path.basename(g[0]["path"]) == os.path.basename(clean) or g[0]["source"] == clean]
    if len(named) != 1:
        raise ManifestError(
            f"{files.show(os.fspath(manifest))}: {len(groups)} files are recorded, and {len(named)} have the name of "
            f"{files.show(clean)}; restore the folder that -d wrote"
        )
    return named[0]


def _rebuilt(clean: bytes, entries: list[dict[str, Any]]) -> bytes:
    if "line" not in entries[0]:
        return undo(clean, entries[0])
    by_line = {entry["line"]: entry for entry in entries}
    out: list[bytes] = []
    number = 0
    for number, line, end in jsonl.lines(clean):
        out += [undo(line, by_line[number]) if number in by_line else line, end]
    if max(by_line) > number:
        raise ManifestError(
            f"{entries[0]['source']}: {number} lines, but line {max(by_line)} is recorded; lines are missing"
        )
    return b"".join(out)
