"""One document, from raw bytes to a Result. Reads like a table of contents; the stages do the work."""

from bisect import bisect_left, bisect_right

from dedup.block import find_piece
from dedup.chain import chain
from dedup.config import Config
from dedup.decide import REASONS, decide
from dedup.decode import byte_offsets, byte_spans, decode
from dedup.errors import DedupError
from dedup.extent import extents, runs_together
from dedup.model import Block, Document, Paragraphs, Result, Side, Span, Words, integers
from dedup.normalise import keys, solo_words, words
from dedup.record import TYPE_CHECKING, Record
from dedup.region import regions
from dedup.rewrite import cut, rebuild, undo
from dedup.segment import lines, page, segment
from dedup.shingle import links
from dedup.trace import Run, trace
from dedup.verify import proved

if TYPE_CHECKING:
    from collections.abc import Sequence


def clean_document(data: bytes, config: Config, source: str = "input", *, force_text: bool = False) -> Result:
    """Return the Result of cleaning `data`: what repeats, what went and why, the clean bytes, and the undo.

    Passes are made until one finds nothing to remove, so a second run changes nothing. The undo is proved here.
    Raises InputError for binary data unless `force_text`, UsageError for a configuration out of range.
    """
    config.checked()
    document = original = decode(data, source, force_text=force_text)
    paragraphs = before = segment(document.text)
    passes: list[list[_Cut]] = []
    while True:
        found = _analyse(document, paragraphs, config)
        gone = [c for c in found if c.removed]
        if not gone:
            break
        document = decode(cut(document.data, [c.copy for c in gone]), source, force_text=True)
        paragraphs = segment(document.text)
        passes.append(gone)
    cuts, left = _settle(original, passes, found)
    ops = undo(data, document.data, [c.copy for c in cuts], [c.kept for c in cuts])
    if rebuild(document.data, ops) != data:
        raise DedupError(f"{source}: the undo does not give the input back, so nothing was changed; please report this")
    blocks = _blocks(original, before, sorted([*cuts, *left], key=lambda c: c.copy)) if cuts or left else ()
    counts = len(before.starts), len(paragraphs.starts)
    return Result(source, data, document.data, original.encoding, blocks, ops, counts, original.undecoded)


class _Cut(Record):
    """A decision, in bytes."""

    copy: Span
    kept: Span
    words: int
    removed: bool
    rule: str


def _analyse(document: Document, paragraphs: Paragraphs, config: Config) -> list[_Cut]:
    """Find and judge the repeats of one text. Nothing is proposed for removal that its words do not prove."""
    text = document.text
    tokens = words(text)
    linked = links(tokens, config.min_words)
    if not linked:
        return []
    matches = chain(tokens, linked, config.min_words)
    del linked
    sheet = page(text, paragraphs, tokens)
    candidates, ragged = regions(sheet, matches, [find_piece(sheet, match, config) for match in matches], config)
    pieces = [piece for region in candidates for piece in region.pieces]
    blocked = {piece for piece in pieces if runs_together(sheet, piece) or not proved(sheet, piece, keys)}
    solo = 2 * solo_words(text) > len(tokens.starts)
    found = extents(sheet, decide(sheet, candidates, ragged, blocked, config, solo))
    spans = byte_spans(document, [span for _, copy, kept in found for span in (copy, kept)])
    return [
        _Cut(copy, kept, d.piece.size, d.removed, d.rule)
        for (d, _, _), copy, kept in zip(found, spans[::2], spans[1::2], strict=True)
    ]


# ---------------------------------------------------------------- several passes, one set of positions


def _settle(document: Document, passes: list[list[_Cut]], left: list[_Cut]) -> tuple[list[_Cut], list[_Cut]]:
    """The cuts of all passes in bytes of the input, in order, each with a witness that is kept; and the rest."""
    cuts = [c for found in passes for c in found] if len(passes) < 2 else _traced(document, passes)
    before = _Gaps([c.copy for c in cuts])
    return cuts, [before.restored(c) for c in left]


class _Gaps:
    """Spans that were cut out, and the way from what was left back to where it came from."""

    def __init__(self, spans: list[Span]) -> None:
        self.spans = sorted(spans)
        self.total, self.at = [0], []  # bytes cut up to each gap; where the gap is in what was left
        for start, end in self.spans:
            self.at.append(start - self.total[-1])
            self.total.append(self.total[-1] + end - start)

    def span(self, span: Span) -> Span:
        """The span from which `span` was left."""
        start, end = span
        return start + self.total[bisect_right(self.at, start)], end + self.total[bisect_left(self.at, end)]

    def restored(self, c: _Cut) -> _Cut:
        return c._replace(copy=self.span(c.copy), kept=self.span(c.kept))

    def without(self, span: Span) -> list[Span]:
        """The parts of `span` that no gap holds."""
        out, at = [], span[0]
        for start, end in self.spans[bisect_left(self.spans, (at, at)) : bisect_left(self.spans, (span[1], 0))]:
            if at < start:
                out.append((at, start))
            at = end
        return [*out, (at, span[1])] if at < span[1] else out


def _traced(document: Document, passes: list[list[_Cut]]) -> list[_Cut]:
    """The cuts of several passes; a later pass may have cut around an earlier one, and removed its witnesses."""
    tokens = words(document.text)
    starts = byte_offsets(document, tokens.starts)
    gone = bytearray(len(starts))
    cuts: list[tuple[_Cut, list[Span]]] = []
    pairs: list[tuple[Sequence[int], Sequence[int]]] = []
    for found in passes:
        before = _Gaps([span for _, spans in cuts for span in spans])
        for c in map(before.restored, found):
            cuts.append((c, before.without(c.copy)))
            pairs.append((_inside(starts, c.copy, gone), _inside(starts, c.kept, gone)))
        for copy, _ in pairs[-len(found) :]:
            for word in copy:
                gone[word] = 1
    runs = trace(pairs, len(starts))
    out: list[_Cut] = []
    for (c, spans), pair, at in zip(cuts, pairs, range(len(cuts)), strict=True):
        if at not in runs and spans == [c.copy]:
            out.append(c)
        else:
            parts = runs.get(at) or [Run(pair[0][0], pair[0][-1], pair[1][0], pair[1][-1])]
            out += _parts(document, tokens, starts, c, spans, parts)
    return _absorbed(sorted(out, key=lambda c: c.copy))


def _parts(
    document: Document, tokens: Words, starts: "Sequence[int]", c: _Cut, spans: list[Span], runs: list[Run]
) -> list[_Cut]:
    """One cut as several: each of its spans is split where a run starts; a span without words stands alone for now."""
    at = [starts[r.first] for r in runs]
    out: list[_Cut] = []
    for start, end in spans:
        here = range(bisect_left(at, start), bisect_left(at, end))
        if not here:
            out.append(c._replace(copy=(start, end), words=0))
        edges = [start, *(at[i] for i in here[1:]), end]
        for i, low, high in zip(here, edges, edges[1:], strict=False):
            r = runs[i]
            last = document.text[tokens.starts[r.kept_last] : tokens.end(r.kept_last)]
            kept = starts[r.kept], starts[r.kept_last] + len(last.encode(document.encoding, document.errors))
            out.append(c._replace(copy=(low, high), kept=kept, words=r.last - r.first + 1))
    return out


def _inside(starts: "Sequence[int]", span: Span, gone: bytearray) -> "Sequence[int]":
    """The words in a span of bytes that no earlier cut took."""
    low, high = (bisect_left(starts, at) for at in span)
    return range(low, high) if gone.find(1, low, high) < 0 else [w for w in range(low, high) if not gone[w]]


def _absorbed(cuts: list[_Cut]) -> list[_Cut]:
    """The cuts, those without words joined to the one that they touch."""
    out: list[_Cut] = []
    for c in cuts:
        if out and out[-1].copy[1] == c.copy[0] and (c.words == 0 or out[-1].words == 0):
            weightier = c if c.words else out[-1]
            out[-1] = weightier._replace(copy=(out[-1].copy[0], c.copy[1]))
        else:
            out.append(c)
    return out


# ---------------------------------------------------------------- what readers see


def _blocks(document: Document, paragraphs: Paragraphs, cuts: list[_Cut]) -> tuple[Block, ...]:
    size = len(document.text)
    line_at = byte_offsets(document, integers(size, (start for start, _ in lines(document.text))))
    paragraph_at = byte_offsets(document, paragraphs.starts)

    def side(span: Span) -> Side:
        first, last = span[0], max(span[0], span[1] - 1)
        return Side(
            span,
            (max(1, bisect_right(line_at, first)), max(1, bisect_right(line_at, last))),
            (max(1, bisect_right(paragraph_at, first)), max(1, bisect_right(paragraph_at, last))),
        )

    return tuple(
        Block(
            id=str(number),
            kind="truncated" if c.rule == "truncated-copy" else "exact",
            similarity=1.0,
            copy=side(c.copy),
            kept=side(c.kept),
            words=c.words,
            removed=c.removed,
            rule=c.rule,
            reason=REASONS[c.rule],
        )
        for number, c in enumerate(cuts, 1)
    )
