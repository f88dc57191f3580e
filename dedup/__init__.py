"""Repair scraped text: find the repeated blocks, keep the best copy, show why, and undo it exactly.

>>> import dedup
>>> lead = "The council voted on Tuesday to keep the old library open for another five years at least."
>>> result = dedup.clean(f"Library saved\\n{lead}\\nNobody had expected it.\\n{lead}\\n")
>>> print(result.text)
Library saved
The council voted on Tuesday to keep the old library open for another five years at least.
Nobody had expected it.
<BLANKLINE>
>>> result.removed[0].rule, result.removed[0].copy.lines, result.removed[0].kept.lines
('prose-copy', (4, 4), (2, 2))
>>> dedup.restore(result.clean, dedup.to_manifest(result)) == result.data
True
"""

from dedup.config import PRESETS, Config
from dedup.errors import DedupError, InputError, ManifestError, OutputError, UsageError
from dedup.model import Block, Cluster, Findings, Member, Op, Passage, Result, Side
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import overload

__version__ = "0.1.0"
__all__ = [
    "PRESETS",
    "Block",
    "Cluster",
    "Config",
    "DedupError",
    "Findings",
    "InputError",
    "ManifestError",
    "Member",
    "Op",
    "OutputError",
    "Passage",
    "Result",
    "Side",
    "UsageError",
    "clean",
    "clean_batch",
    "find",
    "restore",
    "to_manifest",
]


def clean(
    text: str | bytes, config: Config | None = None, *, source: str = "input", force_text: bool = False
) -> Result:
    """Return the Result of cleaning one document.

    `text` is str, or bytes in the encoding of `config` (as their byte order mark says; else UTF-8, or what they look
    like); what does not decode keeps its bytes.
    `source` names the document in messages and reports. `force_text` takes data with NUL bytes as text.

    Raises InputError for binary data, UsageError for a configuration out of range.
    """
    from dedup.within import clean_document

    config = config or Config()
    if isinstance(text, str):
        text, config = text.encode("utf-8", "surrogatepass"), config._replace(encoding="utf-8")
    return clean_document(text, config, source, force_text=force_text)


def find(
    text: str | bytes, config: Config | None = None, *, source: str = "input", force_text: bool = False
) -> tuple[Block, ...]:
    """Return every repeated stretch of one document: those that `clean` would remove, and those that it would keep.

    Raises as `clean` does.
    """
    return clean(text, config, source=source, force_text=force_text).blocks


def clean_batch(
    documents: "Iterable[tuple[str, str | bytes]]", config: Config | None = None, *, force_text: bool = False
) -> tuple[tuple[Result, ...], Findings]:
    """Return the Results of documents (name, text), each cleaned by itself, and what they share with one another.

    `Findings.dropped` says which would go for which, `Block.document` which other one has the text that a block
    repeats; documents are counted from 0. Held in memory.
    Raises as `clean` does.
    """
    from dedup import engine

    return engine.clean_batch(documents, config or Config(), force_text)


if TYPE_CHECKING:

    @overload
    def restore(clean: bytes, manifest: str | bytes) -> bytes: ...

    @overload
    def restore(clean: str, manifest: str | bytes) -> str: ...


def restore(clean: str | bytes, manifest: str | bytes) -> str | bytes:
    """Return what was cleaned to `clean`, from the manifest record made then: bytes for bytes, str for str.

    Raises ManifestError when the record is broken, or belongs to other bytes than `clean`.
    """
    from dedup.manifest import parse, undo

    if isinstance(clean, bytes):
        return undo(clean, parse(manifest))
    return undo(clean.encode("utf-8", "surrogatepass"), parse(manifest)).decode("utf-8", "surrogatepass")


def to_manifest(result: Result) -> str:
    """Return the manifest record that undoes `result`: one line of JSON, to keep beside the clean text."""
    from dedup.manifest import dump, record

    return dump(record(result.source, result.data, result.clean, result.ops)).decode("ascii")
