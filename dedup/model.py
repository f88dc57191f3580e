"""The types that travel between the stages. No algorithms.

Positions are of three kinds, and each name says which: `chars` count characters of `Document.text`, `bytes` count bytes
of `Document.data`, `words` count words of `Words`. All spans are half-open. Left is always the kept or earlier side.
"""

import re
from array import array
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Span = tuple[int, int]


def offsets(limit: int) -> "array[int]":
    """Return an empty array for offsets up to `limit`: 4 bytes each below 4 GiB, else 8."""
    return array("I" if limit < 1 << 32 else "Q")


class Document(NamedTuple):
    """One decoded input. `data` is `mark` (a byte order mark, or nothing) and then `text` in `encoding`."""

    data: bytes
    text: str
    encoding: str
    errors: str
    mark: bytes
    undecoded: int  # bytes that are no text in the encoding; kept as they are


class Paragraphs(NamedTuple):
    """The non-blank lines. Paragraph p is chars starts[p]:ends[p]; its terminator runs on to starts[p + 1]."""

    starts: "array[int]"
    ends: "array[int]"


class Words(NamedTuple):
    """The words, in order: where each starts (chars), and a 32-bit hash of its match key."""

    reading: str  # the text as the match key reads it; same length
    pattern: re.Pattern[str]
    starts: "array[int]"
    hashes: "array[int]"

    def end(self, word: int) -> int:
        """Return where word number `word` ends (chars)."""
        match = self.pattern.match(self.reading, self.starts[word])
        assert match
        return match.end()


class Match(NamedTuple):
    """A maximal run of `length` words that stands at `left` and again at `right`; left < right. May overlap itself."""

    left: int
    right: int
    length: int


class Page(NamedTuple):
    """What `decide` looks at: the text, its paragraphs and words, and the index of the first word of each paragraph."""

    text: str
    paragraphs: Paragraphs
    words: Words
    first: "array[int]"  # one more than there are paragraphs: the last is the number of words


class Piece(NamedTuple):
    """A stretch of words that could go: words start:end stand again at start + shift."""

    start: int
    end: int
    shift: int
    unit: Literal["paragraphs", "sentences", "stub"]  # a stub breaks off with an ellipsis


class Region(NamedTuple):
    """Pieces that are one copy: side by side, or (interleaved) each right after its original."""

    pieces: tuple[Piece, ...]
    interleaved: bool


class Decision(NamedTuple):
    """What is to happen to one repeated stretch, by which rule, and which stretch is its witness (all in chars)."""

    rule: str
    copy: Span
    kept: Span
    words: int
    removed: bool
    group: int  # decisions of one group were judged together: one copy, perhaps in several pieces


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a block, in every unit a reader may want. Lines and paragraphs count from 1, ends included."""

    bytes: Span
    lines: Span
    paragraphs: Span

    def as_json(self) -> dict[str, Any]:
        return {"bytes": list(self.bytes), "lines": list(self.lines), "paragraphs": list(self.paragraphs)}


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch that repeats another one."""

    id: str
    kind: str  # exact, truncated
    similarity: float  # 0..1, share of the copy's words that stand in the kept stretch, in order
    copy: Side
    kept: Side
    words: int
    removed: bool
    rule: str
    reason: str


class Op(NamedTuple):
    """One step of the undo: a span of the clean bytes to take over, or bytes to put in. Exactly one is set."""

    span: Span | None
    literal: bytes | None


@dataclass(frozen=True, slots=True)
class Result:
    """What `clean` found and did. `clean` is the input with every removed block cut; all else keeps its bytes."""

    id: str
    source: str
    data: bytes = field(repr=False)
    clean: bytes = field(repr=False)
    encoding: str
    blocks: tuple[Block, ...]
    ops: tuple[Op, ...] = field(repr=False)
    paragraphs: tuple[int, int]  # in, out
    undecoded: int  # bytes

    @property
    def text(self) -> str:
        """The clean text, decoded."""
        return self.clean.decode(self.encoding, "surrogateescape" if self.encoding == "utf-8" else "surrogatepass")

    @property
    def removed(self) -> tuple[Block, ...]:
        """The blocks that were cut."""
        return tuple(b for b in self.blocks if b.removed)

    @property
    def kept(self) -> tuple[Block, ...]:
        """The repeats that were found and left, each with its reason."""
        return tuple(b for b in self.blocks if not b.removed)
