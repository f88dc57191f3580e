"""Inputs to documents, and the count of what was met on the way."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dedup.__main__ import complain
from dedup.errors import AuditError, BinaryError, DamagedError, InputError, UsageError
from dedup.io import files
from dedup.io.documents import Reading, Source
from dedup.io.rows import Row
from dedup.model import Failure, Result
from dedup.report.safe import safe

SMALL = 8 << 20  # bytes of input below which one process is quicker than to start more


@dataclass(frozen=True, slots=True)
class Engine:
    """What a run may use."""

    workers: int  # 0: one a core
    memory: int  # bytes; 0: half of the machine's
    index: str = ""
    add: bool = False  # to the index what stays
    bar: bool = True  # of how far it is, on a terminal

    @property
    def processes(self) -> int:
        """How many may work, where there is enough for them to do."""
        return self.workers or os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Job:
    """What a command is to work on, and how."""

    reading: Reading
    engine: Engine
    scope: str | None  # document or batch; None: batch, where there may be several documents
    inputs: Sequence[str]

    def is_batch(self, found: Sequence[Source]) -> bool:
        """Whether these documents are to be compared with one another, or with an index.

        Raises UsageError for a scope that an index contradicts.
        """
        if self.scope == "document" and self.engine.index:
            raise UsageError("--index compares documents, and --scope document keeps them apart: give one of them")
        several = len(found) > 1 or any(source.lines for source in found)
        return self.scope == "batch" or (self.scope is None and (several or bool(self.engine.index)))


@dataclass(slots=True)
class Tally:
    """What a run has met so far, or a part of it."""

    unsaid: list[str] | None = (
        None  # messages of a part, for who puts it in its place; of the run itself, they are told
    )
    errors: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)  # files
    notes: list[str] = field(default_factory=list)  # what was read in another way than asked for
    damaged: set[str] = field(default_factory=set)  # paths of sources of which a part is not known
    results: list[Result] = field(default_factory=list)
    places: list[tuple[str, int | None]] = field(default_factory=list)  # of the results: file, and line of a record
    documents: int = 0
    dropped: int = 0
    paragraphs: list[int] = field(default_factory=lambda: [0, 0])
    bytes: list[int] = field(default_factory=lambda: [0, 0])
    blocks: int = 0
    fixes: int = 0
    grown: int = 0  # bytes that the fixes added

    def fail(self, failure: Failure) -> None:
        """Report one error and go on."""
        self.errors.append(failure)
        self._say(failure.message)

    def noted(self, row: Row) -> None:
        """Report what is to be known of how a row was read."""
        if row.note:
            self.note(row.note)

    def note(self, text: str) -> None:
        """Report what was read in another way than one may expect."""
        self.notes.append(text)
        self._say(text)

    def _say(self, text: str) -> None:
        if self.unsaid is None:
            complain(safe(text))
        else:
            self.unsaid.append(text)

    def fail_document(self, source: Source, line: int | None, error: InputError | AuditError) -> None:
        """Report what is wrong with a record and go on; raise what is wrong with a file."""
        if line is None:
            raise error
        if isinstance(error, DamagedError):
            self.damaged.add(source.path)
        self.fail(Failure(source.file, line, str(error)))

    def skip_or_fail(self, source: Source, error: InputError | AuditError) -> None:
        """A binary file met on a walk is skipped and counted; anything else is an error."""
        if source.walked and isinstance(error, BinaryError):
            self.skipped.append(source.file)
        else:
            self.fail(Failure(source.file, None, str(error)))

    def add(self, result: Result, place: tuple[str, int | None] | None = None) -> None:
        """Count the Result of a document, and keep it for a report, if its place (file, line of a record) is given."""
        self.documents += 1
        self.blocks += len(result.removed)
        self.fixes += len(result.fixes)
        self.grown += result.grown
        for at, (count, data) in enumerate(zip(result.paragraphs, (result.data, result.clean), strict=True)):
            self.paragraphs[at] += count
            self.bytes[at] += len(data)
        if place:
            self.results.append(result)
            self.places.append(place)

    def take(self, part: "Tally") -> None:
        """Add what the next part of the run has met."""
        for name in ("documents", "dropped", "blocks", "fixes", "grown"):
            setattr(self, name, getattr(self, name) + getattr(part, name))
        for sums, more in ((self.paragraphs, part.paragraphs), (self.bytes, part.bytes)):
            sums[:] = map(int.__add__, sums, more)
        self.errors += part.errors
        self.skipped += part.skipped
        self.notes += part.notes
        self.results += part.results
        self.places += part.places
        self.damaged |= part.damaged
        for text in part.unsaid or ():
            self._say(text)

    @property
    def removed(self) -> int:
        """Bytes that go."""
        return self.bytes[0] - self.bytes[1] + self.grown

    @property
    def duplication(self) -> float:
        """Bytes removed / bytes in, 0..1."""
        return self.removed / self.bytes[0] if self.bytes[0] else 0.0

    def totals(self, clusters: int = 0) -> dict[str, Any]:
        """The totals of the JSON report."""
        return {
            "documents": self.documents,
            "documents_removed": self.dropped,
            "paragraphs": self.paragraphs[0],
            "bytes_in": self.bytes[0],
            "bytes_out": self.bytes[1],
            "bytes_removed": self.removed,
            "duplication": self.duplication,
            "blocks": self.blocks,
            "fixes": self.fixes,
            "clusters": clusters,
            "errors": len(self.errors),
            "skipped": len(self.skipped),
        }

    def summary(self) -> str:
        """One line that says it all."""
        before, after = self.paragraphs
        dropped = f"dropped {self.dropped:,} of them, " if self.dropped else ""
        share = 100 * self.duplication
        mended = f"; mended {self.fixes:,} place{'' if self.fixes == 1 else 's'}" if self.fixes else ""
        return (
            f"dedup: {self.documents:,} document{'' if self.documents == 1 else 's'}, {dropped}removed "
            f"{before - after:,} of {before:,} paragraphs, {self.removed:,} bytes, {share:.1f}%{mended}"
        )

    def finish(self) -> int:
        """Say what was skipped, and return the exit code."""
        if self.skipped:
            names = safe(", ".join(self.skipped[:5]))
            say(f"dedup: skipped {len(self.skipped):,} binary files (--text takes them): {names}")
        return 2 if self.errors else 0


def say(line: str) -> None:
    """Write one line to standard error, as far as there is one."""
    if sys.stderr is not None:
        sys.stderr.write(line.encode("utf-8", "backslashreplace").decode() + "\n")
        sys.stderr.flush()


def sources(reading: Reading, inputs: Sequence[str], tally: Tally) -> list[Source]:
    """The files of the inputs, folders walked in sorted order."""
    out: list[Source] = []
    for path in inputs:
        if path != files.STDIN and os.path.isdir(path):
            errors: list[str] = []
            out += [reading.source(full, full, below, True) for full, below in files.walk(path, errors)]
            for message in errors:
                tally.fail(Failure(path, None, message))
        else:
            file, below = ("standard input", "stdin.txt") if path == files.STDIN else (path, os.path.basename(path))
            out.append(reading.source(path, file, below, False))
    return out
