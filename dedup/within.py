"""One document, from raw bytes to a Result. Reads like a table of contents; the stages do the work."""

from bisect import bisect_left, bisect_right

from dedup.block import regions
from dedup.chain import chain
from dedup.config import Config
from dedup.decide import REASONS, decide
from dedup.decode import byte_offsets, byte_spans, decode
from dedup.errors import DedupError
from dedup.model import Block, Document, Paragraphs, Result, Side, Span
from dedup.normalise import keys, solo_words, words
from dedup.record import TYPE_CHECKING, Record
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
    candidates, ragged = regions(sheet, matches, config)
    solo = 2 * solo_words(text) > len(tokens.starts)
    sound = [r for r in candidates if all(proved(sheet, piece, keys) for piece in r.pieces)]
    decisions = decide(sheet, sound, ragged, config, solo)
    spans = byte_spans(document, [span for d in decisions for span in (d.copy, d.kept)])
    return [
        _Cut(copy, kept, d.words, d.removed, d.rule)
        for d, copy, kept in zip(decisions, spans[::2], spans[1::2], strict=True)
    ]


# ---------------------------------------------------------------- several passes, one set of positions


def _settle(document: Document, passes: list[list[_Cut]], left: list[_Cut]) -> tuple[list[_Cut], list[_Cut]]:
    """The cuts of all passes in bytes of the input, apart and in order, each with a witness that is kept; and the rest."""
    if len(passes) < 2:
        cuts = passes[0] if passes else []
    else:
        cuts = _traced(document, passes)
    before = sorted(c.copy for c in cuts)
    return cuts, [c._replace(copy=_restored(c.copy, before), kept=_restored(c.kept, before)) for c in left]


def _restored(span: Span, cuts: list[Span]) -> Span:
    """A span of the text that the sorted `cuts` have left, as a span of the text that they were taken from."""
    start, end = span
    for a, b in cuts:
        if a <= start:
            start, end = start + b - a, end + b - a
        elif a < end:
            end += b - a
        else:
            break
    return start, end


def _without(span: Span, cuts: list[Span]) -> list[Span]:
    """The parts of `span` that no cut holds."""
    out, at = [], span[0]
    for a, b in cuts:
        if at < b and a < span[1]:
            if at < a:
                out.append((at, a))
            at = b
    return [*out, (at, span[1])] if at < span[1] else out


def _traced(document: Document, passes: list[list[_Cut]]) -> list[_Cut]:
    """The cuts of several passes, where a later pass may have cut around, and removed the witnesses of, an earlier one."""
    tokens = words(document.text)
    starts = byte_offsets(document, tokens.starts)
    gone = bytearray(len(starts))
    cuts: list[tuple[_Cut, list[Span]]] = []
    pairs: list[tuple[Sequence[int], Sequence[int]]] = []
    before: list[Span] = []
    for found in passes:
        for c in found:
            c = c._replace(copy=_restored(c.copy, before), kept=_restored(c.kept, before))
            cuts.append((c, _without(c.copy, before)))
            sides = [range(*(bisect_left(starts, at) for at in span)) for span in (c.copy, c.kept)]
            copy, kept = (
                [w for w in side if not gone[w]] if gone.find(1, side.start, side.stop) >= 0 else side for side in sides
            )
            pairs.append((copy, kept))
        for copy, _ in pairs[-len(found) :]:
            for word in copy:
                gone[word] = 1
        before = sorted(span for _, spans in cuts for span in spans)
    runs = trace(pairs, len(starts))
    out: list[_Cut] = []
    for at, (c, spans) in enumerate(cuts):
        if at not in runs and spans == [c.copy]:
            out.append(c)
            continue
        copy, kept = pairs[at]
        parts = runs.get(at) or [Run(copy[0], copy[-1], kept[0], kept[-1])]
        # Every span starts where a run does, or holds no word at all and goes with the cut that it touches.
        edges = sorted({a for a, _ in spans} | {starts[r.first] for r in parts})
        for start, end in ((max(a, e), f) for a, b in spans for e, f in _between(edges, a, b)):
            r = next((r for r in parts if start <= starts[r.first] < end), None)
            if r is None:
                out.append(c._replace(copy=(start, end), words=0))
            else:
                (kept_span,) = byte_spans(document, [(tokens.starts[r.kept], tokens.end(r.kept_last))])
                out.append(c._replace(copy=(start, end), kept=kept_span, words=r.last - r.first + 1))
    return _absorbed(sorted(out, key=lambda c: c.copy))


def _between(edges: list[int], start: int, end: int) -> list[Span]:
    inner = [e for e in edges if start < e < end]
    return list(zip([start, *inner], [*inner, end], strict=True))


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
    line_at = byte_offsets(document, (start for start, _ in lines(document.text)))
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
