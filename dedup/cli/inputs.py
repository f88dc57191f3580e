"""Inputs to Results, one document after another, and the count of what was met on the way."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dedup.__main__ import complain
from dedup.audit import audit
from dedup.config import Config
from dedup.errors import AuditError, InputError
from dedup.io import files, jsonl
from dedup.model import Op, Result
from dedup.report.safe import safe
from dedup.within import clean_document


@dataclass(frozen=True, slots=True)
class Clean:
    """How inputs are read and judged."""

    config: Config
    input_format: str  # auto, text, jsonl
    text_field: str
    id_field: str
    force_text: bool
    audit: bool = False

    def check(self, result: Result) -> None:
        """Audit `result` if that was asked for. Raises AuditError."""
        if self.audit and (failures := audit(result, self.config)):
            raise AuditError(
                f"{safe(result.source)}: the result did not pass its audit, so it was not written; please report this: "
                + "; ".join(failures)
            )

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


def sources(inputs: Sequence[str], tally: Tally) -> list[Source]:
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


def documents(job: Clean, source: Source, tally: Tally) -> Iterator[Cleaned]:
    """Clean the documents of a source. Raises InputError if it cannot be read at all."""
    data = files.read(source.path)
    if not job.is_jsonl(source.path):
        result = clean_document(data, job.config, source.name, force_text=job.force_text)
        job.check(result)
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
        try:
            job.check(result)
        except AuditError as error:
            tally.fail(where, str(error))
            yield Cleaned(None, number, line, line, (), end)
            continue
        yield Cleaned(result, number, line, clean, ops, end)


def skip_or_fail(job: Clean, source: Source, tally: Tally, error: InputError | AuditError) -> None:
    """A binary file met on a walk is skipped and counted; anything else is an error."""
    if source.walked and "looks like a binary file" in str(error):
        tally.skipped.append(source.name)
    else:
        tally.fail(source.name, str(error))
