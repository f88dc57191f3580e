"""One document, from raw bytes to a Result. Reads like a table of contents; the stages do the work."""

from bisect import bisect_left, bisect_right

from dedup.block import regions
from dedup.chain import chain
from dedup.config import Config
from dedup.decide import REASONS, decide
from dedup.decode import byte_offsets, byte_spans, decode
from dedup.errors import DedupError
from dedup.model import Block, Decision, Document, Result, Side, Span
from dedup.normalise import keys, solo_words, words
from dedup.record import Record
from dedup.rewrite import cut, rebuild, undo
from dedup.segment import lines, page, segment
from dedup.shingle import links
from dedup.trace import trace
from dedup.verify import stands_in


def clean_document(data: bytes, config: Config, source: str = "input", *, force_text: bool = False) -> Result:
    """Return the Result of cleaning `data`: what repeats, what went and why, the clean bytes, and the undo.

    Passes are made until one finds nothing to remove, so a second run changes nothing. The undo is proved here.
    Raises InputError for binary data unless `force_text`, UsageError for a configuration out of range.
    """
    document = original = decode(data, source, force_text=force_text)
    config.checked()
    passes: list[list[_Cut]] = []
    while True:
        found = _analyse(document, config)
        gone = [c for c in found if c.removed]
        if not gone:
            break
        document = decode(cut(document.data, [c.copy for c in gone]), source, force_text=True)
        passes.append(gone)
    cuts, left = _settle(original, passes, found)
    ops = undo(data, document.data, [c.copy for c in cuts], [c.kept for c in cuts])
    if rebuild(document.data, ops) != data:
        raise DedupError(f"{source}: the undo does not give the input back, so nothing was changed; please report this")
    paragraphs = len(segment(original.text).starts), len(segment(document.text).starts)
    blocks = _blocks(original, sorted([*cuts, *left], key=lambda c: c.copy)) if cuts or left else ()
    return Result(source, data, document.data, original.encoding, blocks, ops, paragraphs, original.undecoded)


class _Cut(Record):
    """A decision, in bytes."""

    copy: Span
    kept: Span
    words: int
    removed: bool
    rule: str


def _analyse(document: Document, config: Config) -> list[_Cut]:
    """Find and judge the repeats of one text. Nothing is proposed for removal that its words do not prove."""
    text = document.text
    tokens = words(text)
    linked = links(tokens, config.min_words)
    if not linked:
        return []
    matches = chain(tokens, linked, config.min_words)
    del linked
    sheet = page(text, tokens)
    candidates, ragged = regions(sheet, matches, config)
    solo = 2 * solo_words(text) > len(tokens.starts)
    decisions = [_proved(text, d) for d in decide(sheet, candidates, ragged, config, solo)]
    spans = byte_spans(document, [span for d in decisions for span in (d.copy, d.kept)])
    return [
        _Cut(copy, kept, d.words, d.removed, d.rule)
        for d, copy, kept in zip(decisions, spans[::2], spans[1::2], strict=True)
    ]


def _proved(text: str, decision: Decision) -> Decision:
    """The decision, or `unproved` where the words of both sides are not the same: hashes propose, content decides."""
    if decision.removed and not stands_in(keys(text[slice(*decision.copy)]), keys(text[slice(*decision.kept)])):
        return decision._replace(removed=False, rule="unproved")
    return decision


# ---------------------------------------------------------------- several passes, one set of positions


def _settle(document: Document, passes: list[list[_Cut]], left: list[_Cut]) -> tuple[list[_Cut], list[_Cut]]:
    """The cuts of all passes in bytes of the input, apart and in order, each with a witness that is kept; and the rest."""
    cuts: list[_Cut] = []
    for gone in passes:
        before = sorted(c.copy for c in cuts)
        for c in gone:
            whole = c._replace(copy=_restored(c.copy, before), kept=_restored(c.kept, before))
            cuts += [whole._replace(copy=span) for span in _without(whole.copy, before)]
    before = sorted(c.copy for c in cuts)
    left = [c._replace(copy=_restored(c.copy, before), kept=_restored(c.kept, before)) for c in left]
    return sorted(_traced(document, cuts) if len(passes) > 1 else cuts, key=lambda c: c.copy), left


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


def _traced(document: Document, cuts: list[_Cut]) -> list[_Cut]:
    """The cuts with witnesses that are kept, where a later pass removed the first ones."""
    tokens = words(document.text)
    at = byte_offsets(document, [*tokens.starts, *map(tokens.end, range(len(tokens.starts)))])
    starts = [at[c] for c in tokens.starts]
    inside: list[range] = [range(bisect_left(starts, c.copy[0]), bisect_left(starts, c.copy[1])) for c in cuts]
    gone = bytearray(len(starts))
    pairs: list[tuple[list[int], list[int]]] = []
    for c, copy in zip(cuts, inside, strict=True):
        kept = range(bisect_left(starts, c.kept[0]), bisect_left(starts, c.kept[1]))
        pairs.append((list(copy), [w for w in kept if not gone[w]]))
        gone[copy.start : copy.stop] = b"\1" * len(copy)
    runs = trace(pairs, len(starts))
    out: list[_Cut] = []
    for c, (_, kept_words), parts in zip(cuts, pairs, runs, strict=True):
        if not any(gone[w] for w in kept_words):
            out.append(c)
            continue
        edges = [c.copy[0], *(starts[r.first] for r in parts[1:]), c.copy[1]]
        for r, start, end in zip(parts, edges, edges[1:], strict=False):
            kept = (starts[r.kept], at[tokens.end(r.kept_last)])
            out.append(c._replace(copy=(start, end), kept=kept, words=r.last - r.first + 1))
    return out


# ---------------------------------------------------------------- what readers see


def _blocks(document: Document, cuts: list[_Cut]) -> tuple[Block, ...]:
    starts = [start for start, _ in lines(document.text)]
    paragraphs = list(segment(document.text).starts)
    at = byte_offsets(document, starts + paragraphs)
    line_at, paragraph_at = [at[c] for c in starts], [at[c] for c in paragraphs]

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
