"""Sources to documents, each cleaned by itself: text files, and the records of JSON Lines."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from dedup.audit import audit
from dedup.config import Config
from dedup.errors import AuditError, InputError
from dedup.io import jsonl
from dedup.model import Document, Op, Page, Result, Span
from dedup.within import read_document


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs are read and judged."""

    config: Config
    input_format: str = "auto"  # auto, text, jsonl
    text_field: str = "text"
    id_field: str = "id"
    group_field: str = ""  # of a record, the site that it is from; else its `url`
    force_text: bool = False
    audit: bool = False

    def check(self, result: Result) -> None:
        """Audit `result` if that was asked for. Raises AuditError."""
        if self.audit and (failures := audit(result, self.config)):
            raise AuditError(
                f"{result.source}: the result did not pass its audit, so it was not written; please report this: "
                + "; ".join(failures)
            )

    def is_jsonl(self, path: str) -> bool:
        """Whether the file `path` holds a record a line."""
        named = self.input_format == "auto" and path.lower().endswith((".jsonl", ".ndjson"))
        return self.input_format == "jsonl" or named


@dataclass(frozen=True, slots=True)
class Source:
    """One input file: its path, its name for people, and its path inside the folder that was walked to find it."""

    path: str
    name: str
    below: str
    walked: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One document of a source, cleaned."""

    span: Span  # bytes of the source: the file, or the line without its end
    line: int | None  # in JSON Lines
    record: jsonl.Record | None
    group: str
    result: Result
    clean: Document
    sheet: Page

    def cut(self, result: Result) -> tuple[bytes, bytes, tuple[Op, ...]]:
        """Return the bytes of the document in its source, those of `result`, and the ops that undo it."""
        return cut(self.record, result)


def cut(record: jsonl.Record | None, result: Result) -> tuple[bytes, bytes, tuple[Op, ...]]:
    """Return the bytes of a document in its source, those after it was cleaned to `result`, and the ops of the undo."""
    if record is None:
        return result.data, result.clean, result.ops
    return record.line, *jsonl.cut(record, result)


def documents(
    reading: Reading, source: Source, data: bytes, fail: Callable[[str, str], None], at: int = 0, line: int = 1
) -> Iterator[Found]:
    """Clean the documents of `data`, which stands at byte `at`, line number `line`, of `source`.

    What is wrong with a single record goes to `fail` (place, message). Raises InputError for a text that is none.
    """
    if not reading.is_jsonl(source.path):
        result, clean, sheet = read_document(data, reading.config, source.name, force_text=reading.force_text)
        reading.check(result)
        yield Found((0, len(data)), None, None, os.path.dirname(source.below), result, clean, sheet)
        return
    for number, content, end in jsonl.lines(data):
        where = f"{source.name}:{line + number - 1}"
        span = (at, at + len(content))
        at += len(content) + len(end)
        try:
            record = jsonl.Record(content, where, reading.text_field)
            name = str(record.fields.get(reading.id_field, where))
            text = record.text.encode("utf-8", "surrogatepass")
            result, clean, sheet = read_document(text, reading.config, name, force_text=True)
            reading.check(result)
        except (AuditError, InputError) as error:
            if content.strip():
                fail(where, str(error))
            continue
        yield Found(span, line + number - 1, record, _group(record, reading.group_field), result, clean, sheet)


def _group(record: jsonl.Record, field: str) -> str:
    """The site of a record: the host, where it is an address."""
    value = str(record.fields.get(field or "url", ""))
    try:
        return urlsplit(value).hostname or value if "://" in value else value if field else ""
    except ValueError:  # what looks like an address need not be one
        return value
