"""One document, from raw bytes to a Result. Reads like a table of contents; the stages do the work."""

from bisect import bisect_right

from dedup.block import find_piece
from dedup.chain import chain
from dedup.config import Config
from dedup.decide import REASONS, decide
from dedup.decode import byte_offsets, byte_spans, decode
from dedup.errors import DedupError, InputError
from dedup.extent import extents, runs_together, variant_extents
from dedup.model import Block, Change, Document, Match, Near, Paragraphs, Result, Side, Span, Words, integers
from dedup.normalise import keys, solo_words, words
from dedup.record import TYPE_CHECKING
from dedup.region import regions
from dedup.rewrite import Table, rebuild, undo
from dedup.segment import lines, page, segment
from dedup.settle import Cut, settle
from dedup.shingle import links
from dedup.verify import proved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from dedup.vector import Part

    class Kernel(Protocol):
        """What finds the words of a text, and those that stand twice."""

        def words(self, text: str, /) -> Words:
            """Return the words of a text."""

        def matches(self, found: Words, k: int, /) -> list[Match]:
            """Return the maximal runs of at least `k` words that stand earlier too."""


_LARGE = 1 << 19  # bytes from which on numpy saves more than its import costs
_SEED = 4  # words in a row that may be a part of a copy that differs


def clean_document(data: bytes, config: Config, source: str = "input", *, force_text: bool = False) -> Result:
    """Return the Result of cleaning `data`: what repeats, what went and why, the clean bytes, and the undo.

    Passes are made until one finds nothing to remove, so a second run changes nothing. The undo is proved here.
    Raises InputError for binary data unless `force_text`, UsageError for a configuration out of range.
    """
    config.checked()
    return _cleaning(data, config, source, force_text).result()


def clean_documents(
    inputs: "Sequence[tuple[bytes, str, bool]]", config: Config, *, words: bool = False
) -> "list[tuple[Result, Part | None] | InputError]":
    """Return for each (data, source, force_text) what `clean_document` returns or raises, all of them read at once.

    If `words` are asked for, with each Result come those of its clean text: a Batch, and the number of the text there.
    Raises UsageError for a configuration out of range.
    """
    config.checked()
    if not words and sum(len(data) for data, *_ in inputs) < _LARGE:
        return [_one(data, source, force_text, config) for data, source, force_text in inputs]
    from dedup import vector

    read: list[_Cleaning | InputError] = []
    for data, source, force_text in inputs:
        try:
            read.append(_Cleaning(decode(data, source, force_text=force_text), source, vector, config))
        except InputError as error:
            read.append(error)
    least = config.min_words if config.similarity is None else min(_SEED, config.min_words)
    going = [cleaning for cleaning in read if isinstance(cleaning, _Cleaning)]
    while going:
        batch = vector.Batch([cleaning.document.text for cleaning in going])
        for number, cleaning in enumerate(going):
            cleaning.words = (batch, number) if words else None
        repeating = batch.repeating(least)
        going = [c for n, c in enumerate(going) if n in repeating and c.go_on(batch.words(n))]
    return [(c.result(), c.words) if isinstance(c, _Cleaning) else c for c in read]


def _one(data: bytes, source: str, force_text: bool, config: Config) -> "tuple[Result, Part | None] | InputError":
    try:
        return clean_document(data, config, source, force_text=force_text), None
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
    document, result = cleaning.original, cleaning.result()
    paragraphs = cleaning.before or segment(document.text)
    passes = [*cleaning.passes, (cleaning.table, cleaning.found)]
    return result, tuple(_blocks(document, paragraphs, _told(table, found)) for table, found in passes)


def _kernel(size: int) -> "Kernel":
    """What finds words and matches: of a small text the readable stages, of a large one (bytes) numpy."""
    if size < _LARGE:
        return _Readable()
    from dedup import vector

    return vector


class _Readable:
    words = staticmethod(words)

    @staticmethod
    def matches(found: Words, k: int) -> list[Match]:
        return chain(found, links(found, k), k)


def _cleaning(data: bytes, config: Config, source: str, force_text: bool) -> "_Cleaning":
    """The passes over a document, all made."""
    cleaning = _Cleaning(decode(data, source, force_text=force_text), source, _kernel(len(data)), config)
    while cleaning.go_on(cleaning.kernel.words(cleaning.document.text)):
        pass
    return cleaning


class _Cleaning:
    """The passes over one document."""

    words: "Part | None" = None  # those of the text that is left, if they were asked for

    def __init__(self, document: Document, source: str, kernel: "Kernel", config: Config) -> None:
        self.original = self.document = document
        self.source, self.kernel, self.config = source, kernel, config
        self.table = Table([(0, len(document.data))])  # from the text that is left to the input
        self.passes: list[tuple[Table, list[Cut]]] = []  # those that removed something, and what each found
        self.found: list[Cut] = []  # by the last pass
        self.before: Paragraphs | None = None  # those of the document, once they are known
        self.after: Paragraphs | None = None  # those of the text that is left

    def go_on(self, tokens: Words) -> bool:
        """Make a pass over the text that is left, which has these words; say whether it removed something."""
        document = self.document
        paragraphs = self.after = segment(document.text)
        self.before = self.before or paragraphs
        found = self.found = []
        if self.config.similarity is not None:
            found += _differing(document, paragraphs, tokens, self.kernel, self.config)
        if not any(c.removed for c in found):
            found += _analyse(document, paragraphs, tokens, self.kernel, self.config)
        gone = sorted((c for c in found if c.removed), key=lambda c: c.copy)
        if gone:
            self.passes.append((self.table, found))
            self.found = []
            self.table = self.table.after((c.copy, c.kept if c.moved else None) for c in gone)
            self.document, self.after = decode(self.table.text(self.original.data), self.source, force_text=True), None
        return bool(gone)

    def result(self) -> Result:
        """The Result, its undo proved."""
        data, clean, source = self.original.data, self.document.data, self.source
        cuts = settle(self.original, self.passes, self.kernel.words)
        ops = undo(data, clean, self.table, [(c.copy[0], c.kept[0]) for c in cuts])
        if rebuild(clean, ops) != data:
            raise DedupError(
                f"{source}: the undo does not give the input back, so nothing was changed; please report this"
            )
        paragraphs = self.before or segment(self.original.text)
        told = [*(c for c in cuts if not c.left), *_outermost(_told(self.table, self.found))]
        blocks = _blocks(self.original, paragraphs, sorted(told, key=lambda c: c.copy)) if told else ()
        left = self.after or (segment(self.document.text) if self.passes else paragraphs)
        encoding, undecoded = self.original.encoding, self.original.undecoded
        counts = len(paragraphs.starts), len(left.starts)
        return Result(source, data, clean, encoding, blocks, ops, tuple(self.table.pieces), counts, undecoded)


def _analyse(document: Document, paragraphs: Paragraphs, tokens: Words, kernel: "Kernel", config: Config) -> list[Cut]:
    """Find and judge the repeats of one text. Nothing is proposed for removal that its words do not prove."""
    text = document.text
    matches = kernel.matches(tokens, config.min_words)
    if not matches:
        return []
    sheet = page(text, paragraphs, tokens)
    candidates, ragged = regions(sheet, matches, [find_piece(sheet, match, config) for match in matches], config)
    pieces = [piece for region in candidates for piece in region.pieces]
    blocked = {piece for piece in pieces if runs_together(sheet, piece) or not proved(sheet, piece, keys)}
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


def _told(table: Table, found: list[Cut]) -> list[Cut]:
    """What a pass found, in the bytes of the input and in their order."""
    return sorted((c.seen_in(table) for c in found if not c.left), key=lambda c: c.copy)


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


# ---------------------------------------------------------------- what readers see


def sides(document: Document, paragraphs: Paragraphs) -> "Callable[[Span], Side]":
    """Return the function that tells the lines and paragraphs of a span of bytes of `document`.

    A span may begin with blank lines: its first paragraph is the first that has text in it.
    """
    size = len(document.text)
    line_at = byte_offsets(document, integers(size, (start for start, _ in lines(document.text))))
    paragraph_at, paragraph_to = byte_offsets(document, paragraphs.starts), byte_offsets(document, paragraphs.ends)

    def side(span: Span) -> Side:
        first, last = span[0], max(span[0], span[1] - 1)
        end = max(1, bisect_right(paragraph_at, last))
        return Side(
            span,
            (max(1, bisect_right(line_at, first)), max(1, bisect_right(line_at, last))),
            (min(end, bisect_right(paragraph_to, first) + 1), end),
        )

    return side


def _blocks(document: Document, paragraphs: Paragraphs, cuts: list[Cut]) -> tuple[Block, ...]:
    side = sides(document, paragraphs)
    out = []
    near = any(c.rule.startswith("near-") for c in cuts)
    for number, c in enumerate(cuts, 1):
        similarity, changes = _changes(document, c) if near else (1.0, ())
        kind = "truncated" if c.rule == "truncated-copy" else "near" if changes else "exact"
        reason = f"{REASONS[c.rule]}: {c.detail}" if c.detail else REASONS[c.rule]
        out.append(
            Block(
                str(number), kind, similarity, side(c.copy), side(c.kept), c.words, c.removed, c.rule, reason, changes,
                c.moved,
            )
        )  # fmt: skip
    return tuple(out)


def _changes(document: Document, c: Cut) -> tuple[float, tuple[Change, ...]]:
    """How alike a copy and the other text are (the share of its words that match), and where they differ, in bytes."""
    from dedup.align import compare

    (copy, copy_at), (kept, kept_at) = (_words_in(document, span) for span in (c.copy, c.kept))
    runs = compare(copy, kept)
    matched = sum(length for *_, length in runs)
    changes, i, j = [], 0, 0
    for x, y, length in [*runs, (len(copy), len(kept), 0)]:
        if i < x or j < y:
            changes.append(Change(_bytes(copy_at, i, x, c.copy), _bytes(kept_at, j, y, c.kept)))
        i, j = x + length, y + length
    return matched / max(1, len(copy)), tuple(changes)


def _words_in(document: Document, span: Span) -> tuple[list[str], list[int]]:
    """The match keys of the words in a span of bytes, and where each starts and ends (bytes), in turn."""
    part = document._replace(data=document.data[slice(*span)], mark=b"")
    text = part.data.decode(part.encoding, part.errors)
    tokens = words(text)
    chars = [at for word, start in enumerate(tokens.starts) for at in (start, tokens.end(word))]
    at = byte_offsets(part._replace(text=text), chars)
    return [" ".join(keys(text[a:b])) for a, b in zip(chars[::2], chars[1::2], strict=True)], [span[0] + x for x in at]


def _bytes(at: "Sequence[int]", first: int, last: int, within: Span) -> Span:
    """The bytes of the words first:last, whose starts and ends in turn are `at`; where there are none, the place."""
    if first < last:
        return at[2 * first], at[2 * last - 1]
    place = at[2 * first - 1] if first else within[0]
    return place, place
