"""One document, from raw bytes to a Result. Reads like a table of contents; the stages do the work."""

from dedup.block import find_piece
from dedup.chain import chain
from dedup.config import Config
from dedup.decide import decide
from dedup.decode import again, byte_spans, decode
from dedup.errors import DedupError, InputError
from dedup.extent import extents, runs_together, variant_extents
from dedup.model import Block, Document, Match, Near, Op, Paragraphs, Result, Span, Words
from dedup.normalise import keys, repeating, solo_words, words
from dedup.record import TYPE_CHECKING, Record
from dedup.region import regions
from dedup.rewrite import Table, rebuild, undo
from dedup.segment import page, segment
from dedup.settle import Cut, settle
from dedup.shingle import links
from dedup.tell import blocks, seen_in, sides
from dedup.verify import proved, same_figures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from dedup.vector import Part

    class Kernel(Protocol):
        """What finds the words of a text, and those that stand twice."""

        def words(self, text: str, /) -> Words:
            """Return the words of a text."""

        def matches(self, found: Words, k: int, /) -> list[Match]:
            """Return the maximal runs of at least `k` words that stand earlier too."""


_LARGE = 1 << 19  # bytes from which on numpy saves more than its import costs
_VAST = 3 << 19  # bytes from which on this is so even where nothing repeats
_SEED = 4  # words in a row that may be a part of a copy that differs


class Input(Record):
    """A document to clean."""

    data: bytes
    source: str
    force_text: bool = False
    encoding: str | None = None  # None: that of the configuration

    def under(self, config: Config) -> Config:
        """Return the configuration for this document."""
        return config if self.encoding is None else config._replace(encoding=self.encoding)


def clean_document(data: bytes, config: Config, source: str = "input", *, force_text: bool = False) -> Result:
    """Return the Result of cleaning `data`: what repeats, what went and why, the clean bytes, and the undo.

    Passes are made until one finds nothing to remove, so a second run changes nothing. The undo is proved here.
    Raises InputError for binary data unless `force_text`, UsageError for a configuration out of range.
    """
    config.checked()
    return _cleaning(data, config, source, force_text).result()


def clean_documents(
    inputs: "Sequence[Input]", config: Config, *, words: bool = False
) -> "list[tuple[Result, Part | None] | InputError]":
    """Return for each of the inputs what `clean_document` returns or raises, all of them read at once.

    If `words` are asked for, with each Result come those of its clean text: a Batch, and the number of the text there.
    Raises UsageError for a configuration out of range.
    """
    config.checked()
    if not words and sum(len(given.data) for given in inputs) < _LARGE:
        return [_one(given, config) for given in inputs]
    from dedup import vector

    read: list[_Cleaning | InputError] = []
    for given in inputs:
        try:
            read.append(_Cleaning(given.data, given.source, given.force_text, vector, given.under(config)))
        except InputError as error:
            read.append(error)
    going = [cleaning for cleaning in read if isinstance(cleaning, _Cleaning)]
    while going:
        batch = vector.Batch([cleaning.stage.left.text for cleaning in going])
        for number, cleaning in enumerate(going):
            cleaning.words = (batch, number) if words else None
        repeating = batch.repeating(_least(config))
        going = [c for n, c in enumerate(going) if c.go_on(batch.words(n) if n in repeating else None)]
    return [_result(c, given, config) if isinstance(c, _Cleaning) else c for c, given in zip(read, inputs, strict=True)]


def _result(cleaning: "_Cleaning", given: Input, config: Config) -> "tuple[Result, Part | None]":
    if cleaning.steady():
        return cleaning.result(), cleaning.words
    from dedup import vector

    result = _cleaning(given.data, config._replace(encoding="utf-8"), given.source, given.force_text).result()
    text = decode(result.clean, force_text=True).text
    return result, (vector.Batch([text]), 0) if cleaning.words else None


def _one(given: Input, config: Config) -> "tuple[Result, Part | None] | InputError":
    try:
        return clean_document(given.data, given.under(config), given.source, force_text=given.force_text), None
    except InputError as error:
        return error


def explain_document(
    data: bytes, config: Config, source: str = "input", *, force_text: bool = False
) -> tuple[Result, tuple[tuple[Block, ...], ...]]:
    """Return what `clean_document` returns, and for each pass every match that it considered.

    Raises as `clean_document` does.
    """
    config.checked()
    cleaning = _cleaning(data, config, source, force_text)
    passes = [(s, s.told(*p)) for s in cleaning.stages for p in s.passes]
    passes.append((cleaning.stage, cleaning.stage.told(cleaning.stage.table, cleaning.stage.found)))
    return cleaning.result(), tuple(cleaning.placed([told]) for told in passes)


def _least(config: Config) -> int:
    """How many words in a row must stand twice for a text to be looked at."""
    return config.min_words if config.similarity is None else min(_SEED, config.min_words)


class _BySize:
    """What finds words and matches: of a small text the readable stages, of a large one numpy, once it is needed."""

    def __init__(self, size: int) -> None:
        self.large, self.loaded = size >= _LARGE, False

    def _kernel(self) -> "Kernel":
        from dedup import vector

        self.loaded = True
        return vector

    def words(self, text: str) -> Words:
        return self._kernel().words(text) if self.large else words(text)

    def matches(self, found: Words, k: int) -> list[Match]:
        return self._kernel().matches(found, k) if self.large else chain(found, links(found, k), k)

    def repeating(self, text: str, k: int) -> Words | None:
        """The words of a text in which a run of `k` words may stand twice."""
        if len(text) < (_LARGE if self.loaded else _VAST) and not repeating(text, k):
            return None
        return self.words(text)


def _cleaning(data: bytes, config: Config, source: str, force_text: bool) -> "_Cleaning":
    """The passes over a document, all made."""
    kernel = _BySize(len(data))
    cleaning = _Cleaning(data, source, force_text, kernel, config)
    while cleaning.go_on(kernel.repeating(cleaning.stage.left.text, _least(config))):
        pass
    return cleaning if cleaning.steady() else _cleaning(data, config._replace(encoding="utf-8"), source, force_text)


class _Stage:
    """The passes over one text: that of the input, or what fixers made of the text that the stage before left."""

    def __init__(self, document: Document, base: Table) -> None:
        self.document = self.left = document
        self.base = base  # from the document to the input
        self.table = Table([(0, len(document.data))])  # from the text that is left to the document
        self.passes: list[tuple[Table, list[Cut]]] = []  # those that removed something, and what each found
        self.found: list[Cut] = []  # by the last pass
        self.before: Paragraphs | None = None  # those of the document, once they are known
        self.after: Paragraphs | None = None  # those of the text that is left

    def go_on(self, tokens: Words, kernel: "Kernel", config: Config) -> bool:
        """Make a pass over the text that is left, which has these words; say whether it removed something."""
        document = self.left
        paragraphs = self.after = segment(document.text)
        self.before = self.before or paragraphs
        found = self.found = []
        if config.similarity is not None:
            found += _differing(document, paragraphs, tokens, kernel, config)
        if not any(c.removed for c in found):
            found += _analyse(document, paragraphs, tokens, kernel, config)
        gone = sorted((c for c in found if c.removed), key=lambda c: c.copy)
        if gone:
            self.passes.append((self.table, found))
            self.found = []
            self.table = self.table.after((c.copy, c.kept if c.moved else None) for c in gone)
            self.left, self.after = again(document, self.table.text(self.document.data)), None
        return bool(gone)

    def told(self, table: Table, found: list[Cut]) -> list[Cut]:
        """What a pass found, in the bytes of the document and in their order; what stands apart there, part by part."""
        out: list[Cut] = []
        for c in found:
            if c.left:
                continue
            out.append(c.seen_in(table))
            if table.moved and len(parts := table.spans(c.copy)) > 1 and not c.removed:
                texts = [again(self.document, self.document.data[slice(*part)]).text for part in parts]
                sizes = [len(keys(text)) for text in texts]
                out[-1:] = [out[-1]._replace(copy=p, words=n) for p, n in zip(parts, sizes, strict=True) if n]
        return sorted(out, key=lambda c: c.copy)

    def blocks(self, cuts: list[Cut]) -> list[Block]:
        """The Blocks that these cuts of the document are."""
        self.before = self.before or segment(self.document.text)
        return blocks(self.document, self.before, sorted(cuts, key=lambda c: c.copy)) if cuts else []


class _Cleaning:
    """The way of one document: its passes, and what fixers do between them."""

    words: "Part | None" = None  # those of the text that is left, if they were asked for

    def __init__(self, data: bytes, source: str, force_text: bool, kernel: "Kernel", config: Config) -> None:
        self.input = decode(data, source, force_text=force_text, encoding=config.encoding)
        self.source, self.kernel, self.config = source, kernel, config
        self.stages = [_Stage(self.input, Table([(0, len(data))]))]
        if config.fix:
            self.mend()

    @property
    def stage(self) -> _Stage:
        """The last one."""
        return self.stages[-1]

    def go_on(self, tokens: Words | None) -> bool:
        """Make a pass over the text that is left, which has these words; say whether there is more to do.

        None: words of which nothing repeats.
        """
        stage = self.stage
        if tokens is not None and stage.go_on(tokens, self.kernel, self.config):
            return True
        return bool(self.config.fix and stage.passes) and self.mend()

    def steady(self) -> bool:
        """Whether what is left looks like text in the encoding that the input looked like: a second run reads it so."""
        found = self.input.encoding
        if self.config.encoding or found == "utf-8" or self.input.mark:
            return True
        return decode(self.stage.left.data, force_text=True, encoding="").encoding == found

    def mend(self) -> bool:
        """Begin a stage with what fixers make of the text that is left; say whether they changed it."""
        from dedup.mend import mended

        stage = self.stage
        found = mended(stage.left, stage.base.then(stage.table), self.input.data, self.config)
        if found:
            stage.found = []  # what repeats is looked for anew
            self.stages = [*(s for s in self.stages if s.passes), _Stage(*found)]
        return found is not None

    def placed(self, told: "list[tuple[_Stage, list[Cut]]]") -> tuple[Block, ...]:
        """The Blocks of the input that these cuts of the documents of stages are."""
        found = [(stage, block) for stage, cuts in told for block in stage.blocks(cuts)]
        if any(stage.base.put.fixes for stage, _ in found):
            side = sides(self.input, segment(self.input.text))
            found = [(stage, seen_in(block, stage.base, side)) for stage, block in found]
        ordered = sorted((block for _, block in found), key=lambda b: b.copy.bytes)
        return tuple(block._replace(id=str(number)) for number, block in enumerate(ordered, 1))

    def result(self) -> Result:
        """The Result, its undo proved."""
        data, last = self.input.data, self.stage
        if not last.passes and not last.found and len(self.stages) == 1 and last.document is self.input:
            count = len((last.before or segment(self.input.text)).starts)
            span = 0, len(data)
            ops: tuple[Op, ...] = (Op(span, None),) if data else ()
            return Result(
                self.source, data, data, self.input.encoding, (), ops, (span,), (count, count), self.input.undecoded
            )
        table, clean = last.base.then(last.table), last.left.data
        cuts = [(stage, settle(stage.document, stage.passes, self.kernel.words)) for stage in self.stages]
        witnesses = sorted((s.base.span(c.copy)[0], s.base.span(c.kept)[0]) for s, found in cuts for c in found)
        ops = undo(data, clean, table, witnesses)
        if rebuild(clean, ops) != data:
            raise DedupError(
                f"{self.source}: the undo does not give the input back, so nothing was changed; please report this"
            )
        told = [(stage, [c for c in found if not c.left]) for stage, found in cuts]
        told[-1][1].extend(_outermost(last.told(last.table, last.found)))
        first = self.stages[0]
        before = first.before if first.document is self.input else None
        after = last.after or (None if last.passes or last.document is not self.input else before)
        counts = [
            len((known or segment(text)).starts) for known, text in ((before, self.input.text), (after, last.left.text))
        ]
        return Result(
            self.source, data, clean, self.input.encoding, self.placed(told), ops, tuple(table.pieces),
            (counts[0], counts[1]), self.input.undecoded, table.put.text, table.put.fixes,
        )  # fmt: skip


def _analyse(document: Document, paragraphs: Paragraphs, tokens: Words, kernel: "Kernel", config: Config) -> list[Cut]:
    """Find and judge the repeats of one text. Nothing is proposed for removal that its words do not prove."""
    text = document.text
    matches = kernel.matches(tokens, config.min_words)
    if not matches:
        return []
    sheet = page(text, paragraphs, tokens)
    candidates, ragged = regions(sheet, matches, [find_piece(sheet, match, config) for match in matches], config)
    pieces = [piece for region in candidates for piece in region.pieces]
    blocked = {
        piece: "figures" if same else "part-of-paragraph"
        for piece in pieces
        if not (same := not runs_together(sheet, piece) and proved(sheet, piece, keys))
        or not same_figures(sheet, piece)
    }
    found = extents(sheet, decide(sheet, candidates, ragged, blocked, config, _weight(text, tokens)))
    spans = byte_spans(document, [span for _, copy, kept in found for span in (copy, kept)])
    return [
        Cut(copy, kept, d.piece.size, d.removed, d.rule)
        for (d, _, _), copy, kept in zip(found, spans[::2], spans[1::2], strict=True)
    ]


def _differing(
    document: Document, paragraphs: Paragraphs, tokens: Words, kernel: "Kernel", config: Config
) -> list[Cut]:
    """Find and judge the copies of one text that differ: what `--near` adds."""
    from dedup.align import alignments
    from dedup.facts import Facts
    from dedup.interleave import interleaved
    from dedup.near import variants
    from dedup.prefer import Preferences, misspelt
    from dedup.units import units

    text = document.text
    weight = _weight(text, tokens)
    size = int(_SEED / weight)
    matches = kernel.matches(tokens, size)
    if not matches:
        return []
    sheet = page(text, paragraphs, tokens)
    found = alignments(sheet, matches, keys, config.min_words)
    preferences, pairs = Preferences(sheet, config), []
    for alignment in found:
        parts = units(sheet, alignment)
        pairs.append(Near((alignment,), tuple(parts), tuple(preferences.of(alignment, parts)), misspelt(alignment)))
    near = interleaved(sheet, pairs, keys)
    out: list[Cut] = []
    judged = variants(sheet, near, config, Facts(sheet, keys).changed, weight)
    for v, copy, kept, left in variant_extents(sheet, judged):
        detail = "; ".join(f"{sheet.phrase(a) or '-'} / {sheet.phrase(b) or '-'}" for a, b in v.facts)
        out.append(Cut(copy, kept, v.copy[1] - v.copy[0], v.removed, v.rule, detail, v.moved))
        if left:
            out.append(Cut(left, copy, 0, True, v.rule, left=True))
    spans = iter(byte_spans(document, [span for c in out for span in (c.copy, c.kept)]))
    return [c._replace(copy=next(spans), kept=next(spans)) for c in out]


def _outermost(cuts: list[Cut]) -> list[Cut]:
    """The repeats of the last pass, without those that are parts of a copy that differs and stays."""
    out: list[Cut] = []
    around: list[Cut] = []
    for c in sorted(cuts, key=lambda c: (c.copy[0], -c.copy[1], not c.rule.startswith("near-"))):
        around = [n for n in around if n.copy[1] > c.copy[0]]
        if c.rule == "near-chance" or any(_holds(n.copy, c.copy) and _holds(n.kept, c.kept) for n in around):
            continue
        out.append(c)
        if c.rule.startswith("near-"):
            around.append(c)
    return out


def _holds(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _weight(text: str, tokens: Words) -> float:
    """What a word counts where sizes are judged: half, where most are characters of a script without spaces."""
    return 0.5 if 2 * solo_words(text) > len(tokens.starts) else 1.0
