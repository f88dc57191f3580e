"""The types that travel between the stages. No algorithms.

Positions are of three kinds, and each name says which: chars count characters of `Document.text`, bytes count bytes of
`Document.data`, words count entries of `Words.starts`. All spans are half-open. Left is the kept or earlier side.
"""

from bisect import bisect_left, bisect_right

from dedup.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableSequence, Sequence
    from typing import Literal

    Array = MutableSequence[int]

Span = tuple[int, int]

_SMALL = 1 << 20


def integers(limit: int, values: "Iterable[int]" = (), *, size: int | None = None) -> "Array":
    """Return a growing sequence of the integers `values`, from 0 to `limit`, made for `size` of them (else `limit`).

    A list where it stays small; else an array of 2, 4 or 8 bytes an entry. (To import `array` costs as much start-up as
    a small text costs to clean.)
    """
    if (limit if size is None else size) < _SMALL:
        return list(values)
    from array import array

    return array("H" if limit < 1 << 16 else "I" if limit < 1 << 32 else "Q", values)


class Document(Record):
    """One decoded input. `data` is `mark` (a byte order mark, or nothing) and then `text` in `encoding`."""

    data: bytes
    text: str
    encoding: str
    errors: str  # the codec's way with what is no text, so that decoding can be undone
    mark: bytes
    undecoded: int  # bytes that are no text in the encoding; kept as they are


class Paragraphs(Record):
    """The non-blank lines. Paragraph p is chars starts[p]:ends[p]; its terminator runs on to starts[p + 1]."""

    starts: "Array"
    ends: "Array"


class Words(Record):
    """The words, in order: where each starts and how long it is (chars), and a 32-bit hash of its match key."""

    reading: str  # the text as the match key reads it; same length
    starts: "Sequence[int]"
    sizes: "Sequence[int]"
    hashes: memoryview  # of unsigned 32-bit integers

    def end(self, word: int) -> int:
        """Return where word number `word` ends (chars)."""
        return self.starts[word] + self.sizes[word]


class Match(Record):
    """A maximal run of `length` words that stands at `left` and again at `right`; left < right. May overlap itself."""

    left: int
    right: int
    length: int


class Gap(Record):
    """What stands between two runs of an alignment: `left` on one side, `right` on the other; either may be empty."""

    left: Span
    right: Span
    alike: bool  # the same words, misspelt, torn or run together


class Alignment(Record):
    """A copy that may differ: runs of words that stand on both sides, in order, and what stands between them."""

    runs: tuple[Match, ...]
    gaps: tuple[Gap, ...]


class Half(Record):
    """The paragraphs of one copy in a unit, how many words they have, and how many of these match."""

    paragraphs: tuple[int, ...]
    size: int
    matched: int

    def whole(self) -> bool:
        """Whether no other paragraph stands between these."""
        return self.paragraphs[-1] - self.paragraphs[0] + 1 == len(self.paragraphs)

    def runs(self, page: "Page") -> list[Span]:
        """The words of the paragraphs, those side by side as one span."""
        first, rows = page.first, set(self.paragraphs)
        starts = [p for p in self.paragraphs if p - 1 not in rows]
        ends = [p for p in self.paragraphs if p + 1 not in rows]
        return [(first[p], first[q + 1]) for p, q in zip(starts, ends, strict=True)]

    def span(self, page: "Page") -> Span:
        """The words from the first of the paragraphs to the last."""
        return page.first[self.paragraphs[0]], page.first[self.paragraphs[-1] + 1]


class Unit(Record):
    """The smallest paragraphs of both copies that hold the same words, and the gaps between these."""

    left: Half
    right: Half
    gaps: tuple[Gap, ...]


class Near(Record):
    """Two copies that may differ: their alignment, its units, and for each whether the right copy is the better one."""

    alignments: tuple[Alignment, ...]  # several where each paragraph follows its original
    units: tuple[Unit, ...]
    right_better: tuple[bool | None, ...]
    misspelt: bool  # most differences are misspellings


# What a difference between two copies may be: none of the facts, perhaps one, one.
NONE, SOFT, HARD = range(3)


class Variant(Record):
    """What happens to a copy that differs: the words `copy` go (or stay) for the words `kept`."""

    copy: Span
    kept: Span
    moved: bool  # the kept paragraphs are put where the copy stood, so that the order of reading stays
    removed: bool
    rule: str
    facts: tuple[tuple[Span, Span], ...]  # the differences that kept it: words of the copy, words of the other


class Page(Record):
    """What is judged: the text, its paragraphs and words, and the index of the first word of each paragraph."""

    text: str
    paragraphs: Paragraphs
    words: Words
    first: "Array"  # one more than there are paragraphs: the last is the number of words

    def paragraph(self, word: int) -> int:
        """Return the paragraph that holds `word`."""
        return bisect_right(self.first, word) - 1

    def starts_paragraph(self, word: int) -> bool:
        """Return whether a paragraph starts with `word`; the end of the text counts as a start."""
        at = bisect_left(self.first, word)
        return at < len(self.first) and self.first[at] == word

    def phrase(self, span: Span) -> str:
        """Return the text of the words of `span`, on one line."""
        start, end = span
        return " ".join(self.text[self.words.starts[start] : self.words.end(end - 1)].split()) if start < end else ""

    def line(self, p: int) -> str:
        """Return the text of paragraph `p`."""
        return self.text[self.paragraphs.starts[p] : self.paragraphs.ends[p]]


class Piece(Record):
    """A stretch of words that could go: words start:end stand again at start + shift."""

    start: int
    end: int
    shift: int
    unit: "Literal['paragraphs', 'sentences', 'stub']"  # a stub breaks off with an ellipsis
    run: Span  # the words of the whole run that the piece was taken from

    @property
    def size(self) -> int:
        """Words of the piece."""
        return self.end - self.start

    @property
    def witness(self) -> Span:
        """The words that the piece repeats; one period of them where the run overlaps itself."""
        start = self.start + self.shift
        return start, min(self.end + self.shift, self.start) if self.shift < 0 else self.end + self.shift


class Region(Record):
    """Pieces that are one copy: side by side, or (interleaved) each right after its original."""

    pieces: tuple[Piece, ...]
    interleaved: bool


class Decision(Record):
    """What happens to one piece, and by which rule."""

    piece: Piece
    rule: str
    removed: bool


class Change(Record):
    """One difference between a near copy and what it repeats, in bytes of the input; either side may be empty."""

    copy: Span
    kept: Span


class Side(Record):
    """One side of a block, in every unit a reader may want. Lines and paragraphs count from 1, ends included."""

    bytes: Span
    lines: Span
    paragraphs: Span


class Block(Record):
    """A stretch that repeats another one."""

    id: str
    kind: str  # exact, near, truncated
    similarity: float  # 0..1, share of the copy's words that stand in the kept stretch, in order
    copy: Side
    kept: Side
    words: int
    removed: bool
    rule: str
    reason: str
    changes: tuple[Change, ...] = ()  # of a near copy, in order
    moved: bool = False  # the kept stretch was put in the place of the copy: the better copy, in the order of reading
    document: int | None = None  # of a batch: the one that has the kept stretch, where that is another one


class Fix(Record):
    """A change that a fixer made: bytes `span` of the input became bytes `put` of `data + put`, see Result."""

    rule: str  # the name of the fixer
    span: Span
    put: Span


class Op(Record):
    """One step of the undo: a span of the clean bytes to take over, or bytes to put in. Exactly one is set."""

    span: Span | None
    literal: bytes | None


class Result(Record):
    """What was found in one document and what was done.

    `clean` is `data` with the removed blocks cut; all else keeps its bytes but for the fixes, which are only made where
    they were asked for. `ops` rebuild `data` from `clean`.
    """

    source: str
    data: bytes
    clean: bytes
    encoding: str
    blocks: tuple[Block, ...]
    ops: tuple[Op, ...]
    pieces: tuple[Span, ...]  # the spans of `data + put` that `clean` is made of, in its order
    paragraphs: tuple[int, int]  # before, after
    undecoded: int  # bytes
    put: bytes = b""  # what fixers put in
    fixes: tuple[Fix, ...] = ()  # in the order in which they were made

    @property
    def text(self) -> str:
        """The clean text, decoded; bytes that are no text become lone surrogates."""
        if self.encoding.startswith("utf-16"):
            return self.clean.decode(self.encoding, "surrogatepass").removeprefix("\ufeff")
        try:
            return self.clean.decode(self.encoding, "surrogatepass" if self.encoding == "utf-8" else "strict")
        except UnicodeDecodeError:
            return self.clean.decode(self.encoding, "surrogateescape")

    @property
    def removed(self) -> tuple[Block, ...]:
        """The blocks that were cut."""
        return tuple(b for b in self.blocks if b.removed)

    @property
    def repeated(self) -> tuple[Block, ...]:
        """The repeats that were found and left, each with its reason."""
        return tuple(b for b in self.blocks if not b.removed)

    def told(self, fix: Fix) -> tuple[str, str]:
        """Return what stood where a fixer changed something, and what stands there now, as text."""
        put = slice(fix.put[0] - len(self.data), fix.put[1] - len(self.data))
        return self.data[slice(*fix.span)].decode(self.encoding, "replace"), self.put[put].decode(
            self.encoding, "replace"
        )

    @property
    def grown(self) -> int:
        """Bytes that the fixes made more (or less, below 0) of what was left."""
        if not self.fixes:
            return 0
        return len(self.clean) - len(self.data) + sum(b.copy.bytes[1] - b.copy.bytes[0] for b in self.removed)

    @property
    def duplication(self) -> float:
        """Bytes removed / bytes in, 0..1."""
        return (len(self.data) - len(self.clean) + self.grown) / len(self.data) if self.data else 0.0


# ---------------------------------------------------------------- many documents


class Failure(Record):
    """What could not be read: a file, or the record that is a line of it."""

    file: str  # as it was given; what is no text in its name are lone surrogates
    line: int | None
    message: str


class Difference(Record):
    """Where a document that goes differs from its witness. Spans: bytes of the clean texts; either may be empty."""

    copy: Span
    text: str
    kept: Span
    kept_text: str


class Member(Record):
    """A document of a cluster, compared with its canonical one."""

    document: int
    kind: str  # exact, near, contained, overlap
    resemblance: float  # 0..1, of the sets of their shingles: what both have / what either has
    containment: float  # 0..1, what both have / the smaller set
    witness: int | None  # the document for which it goes; most often the canonical one of the cluster
    reason: str
    differences: tuple[Difference, ...] = ()  # of a near copy that goes, in order

    @property
    def removed(self) -> bool:
        """Whether the document goes."""
        return self.witness is not None


class Cluster(Record):
    """Documents that repeat the one with the number `canonical`; a number below 0 is a document of the index."""

    canonical: int
    members: tuple[Member, ...]


class Passage(Record):
    """Runs of words of a document, one after another, that an earlier one has too. Spans: bytes of the clean texts."""

    document: int
    copy: Span
    first: int
    kept: Span
    words: int  # that match; others may stand between them
    text: str
    removed: bool  # whether the whole paragraphs of it go


class Boilerplate(Record):
    """A line that several documents of a group have; the first of them keeps it."""

    text: str
    documents: int
    first: int
    kept: Span  # bytes of its clean text
    removed: bool


class Shared(Record):
    """What goes from a document because another one has it. Spans are bytes of the two clean texts."""

    document: int
    copy: Span
    first: int
    kept: Span
    words: int
    rule: str  # passage, boilerplate


class Findings(Record):
    """What the documents of a batch share."""

    clusters: tuple[Cluster, ...] = ()
    passages: tuple[Passage, ...] = ()
    boilerplate: tuple[Boilerplate, ...] = ()
    cuts: tuple[Shared, ...] = ()  # by document and place
    capped: int = 0  # fingerprints that so many documents share that each was linked to one of them only

    @property
    def dropped(self) -> dict[int, Member]:
        """The documents that go: how each compares with its witness."""
        return {m.document: m for c in self.clusters for m in c.members if m.witness == c.canonical}
