"""Steps to a target: text and records as they come, tables row by row, compressed where the source is."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

from dedup.cli.journal import Journal, same
from dedup.cli.steps import Step
from dedup.errors import InputError
from dedup.io import compression, files, parquet
from dedup.io.documents import Reading, Source
from dedup.manifest import Whole, dump, recoded, record
from dedup.model import Op

_HELD = 1 << 20  # bytes of records held in memory


class Output:
    """Where a source is written, and how."""

    def __init__(
        self,
        source: Source,
        target: str,
        packed: str,
        journal: Journal | None,
        reading: Reading,
        damaged: Callable[[], bool],
    ) -> None:
        self.source, self.target, self.packed, self.damaged = source, target, packed, damaged
        self.journal, self.reading = journal, reading
        self.whole = Whole() if journal and source.container and source.format != "parquet" else None
        self.fields: dict[str, Any] = {"path": source.below}
        if source.inside:
            inside = source.inside
            self.fields = {"path": inside.archive, "of": inside.source, "member": inside.about}
        elif source.clean != source.below:
            self.fields["clean"] = source.clean
        if source.packed:
            self.fields["compression"] = source.packed
        if source.format == "warc":
            self.fields["format"] = "warc"
        # Records of a table, until all of it is written.
        self.waiting = SpooledTemporaryFile(_HELD)  # noqa: SIM115  # closed with this object
        if source.format == "parquet":
            self.fields |= {"format": "parquet", "field": reading.options.text_field}
        article = source.clean != source.below or reading.options.html_mode == "article"
        if reading.to_utf8 and (source.format in ("csv", "warc") or (source.format == "html" and not article)):
            raise InputError(f"{source.name}: --to-utf8 is for texts; convert this file first, as with iconv")

    def write(self, steps: Iterator[Step]) -> None:
        """Write what is left of the source. Raises InputError where it cannot be read, OutputError at the target."""
        first = next(steps, None)  # an input that cannot be read leaves no output behind
        if self.target != files.STDIN and os.path.dirname(self.target):
            files.make_folder(os.path.dirname(self.target))
        with files.writing(self.target) as file:
            if self.source.format == "parquet":
                self._table([] if first is None else chain([first], steps), file)
            else:
                self._pieces([] if first is None else chain([first], steps), file)
            self._sync()
            if self.damaged() and same(self.source.path, self.target):
                raise InputError(
                    f"{self.source.name}: is damaged, so it was not replaced; write it elsewhere with -d or -o"
                )

    def _pieces(self, steps: "Iterator[Step] | list[Step]", file: BinaryIO) -> None:
        members = self.source.format == "warc" and self.packed == "gzip"  # each record by itself, as readers expect
        plain: AbstractContextManager[BinaryIO] = nullcontext(file)
        with plain if members else compression.compressing(file, self.packed) as stream:
            passed: Whole | None = Whole()  # what stands before the first document
            for step in steps:
                if step.more is not None:
                    passed = None
                elif passed:
                    passed.add(step.before, step.before, (Op((0, len(step.before)), None),) if step.before else ())
                written = step.before + self._recoded(step)
                stream.write(compression.member(written, "gzip") if members and written else written)
                self._note(step)
        whole = self.whole or passed  # without documents it comes back as it is
        if whole and self.journal:
            self.journal.write(whole.record(self.source.name, **self.fields))

    def _table(self, steps: "Iterator[Step] | list[Step]", file: BinaryIO) -> None:
        noted: list[Step] = []

        def texts() -> Iterator[str | parquet.Keep | None]:
            for step in steps:
                if "dropped" in (step.more or {}):
                    noted.append(step)
                    yield None
                elif step.clean == step.data:
                    yield parquet.KEEP
                else:
                    self._note(step)
                    yield step.clean.decode("utf-8", "surrogateescape")

        def dropped(_: int, row: bytes) -> None:
            step = noted.pop(0)
            self._note(Step(b"", row, b"", (Op(None, row),), step.more))

        name, field = self.source.name, self.reading.options.text_field
        parquet.write(self.source.path, file, texts(), name, dropped, field)
        if self.journal:
            if not self.waiting.tell():
                self.waiting.write(dump(record(name, b"", b"", (), **self.fields)))
            self.waiting.seek(0)
            self.journal.copy(self.waiting)

    def drop(self, steps: Iterator[Step]) -> None:
        """Write no target: the file repeats another one. Where it was to be replaced, it goes once its undo is kept."""
        for step in steps:
            if self.whole and step.more:
                self.fields["dropped"] = step.more["dropped"]
            self._note(step)
        if self.whole and self.journal:
            self.journal.write(self.whole.record(self.source.name, **self.fields))
        self._sync()
        files.remove(self.target)

    def _sync(self) -> None:
        if self.journal is not None:
            self.journal.sync()

    def _recoded(self, step: Step) -> bytes:
        """The clean bytes, in UTF-8 where that was asked for. Raises InputError where that could not be taken back."""
        if not self.reading.to_utf8 or step.encoding == "utf-8":
            return step.clean
        out = recoded(step.clean, step.encoding, "utf-8")
        if recoded(out, "utf-8", step.encoding) != step.clean:
            raise InputError(
                f"{self.source.name}: has bytes that are no {step.encoding}, and --to-utf8 could not be undone; "
                "name another --encoding, or leave --to-utf8 out"
            )
        return out

    def _note(self, step: Step) -> None:
        if self.journal is None:
            return
        if self.whole:
            if step.before:
                self.whole.add(step.before, step.before, (Op((0, len(step.before)), None),))
            self.whole.add(step.data, step.clean, step.ops)
        elif step.more is not None:
            more, clean = self.fields | step.more, self._recoded(step)
            if clean != step.clean:
                more["encoding"] = step.encoding
            entry = record(self.source.name, step.data, clean, step.ops, **more)
            if self.source.format == "parquet":
                self.waiting.write(dump(entry))
            else:
                self.journal.write(entry)
