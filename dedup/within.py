"""One document, from raw bytes to a Result. Reads like a table of contents; the stages do the work."""

from bisect import bisect_right

from dedup.block import find_piece
from dedup.chain import chain
from dedup.config import Config
from dedup.decide import REASONS, decide
from dedup.decode import byte_offsets, byte_spans, decode
from dedup.errors import DedupError
from dedup.extent import extents, runs_together, variant_extents
from dedup.model import Block, Change, Document, Near, Page, Paragraphs, Result, Side, Span, Words, integers
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

_SEED = 4  # words in a row that may be a part of a copy that differs


def clean_document(data: bytes, config: Config, source: str = "input", *, force_text: bool = False) -> Result:
    """Return the Result of cleaning `data`: what repeats, what went and why, the clean bytes, and the undo.

    Passes are made until one finds nothing to remove, so a second run changes nothing. The undo is proved here.
    Raises InputError for binary data unless `force_text`, UsageError for a configuration out of range.
    """
    return _clean(data, config, source, force_text)[0]


def read_document(
    data: bytes, config: Config, source: str = "input", *, force_text: bool = False
) -> tuple[Result, Document, Page]:
    """Return what `clean_document` returns, and the clean text as a Document and as a Page, to compare it by.

    Raises as `clean_document` does.
    """
    result, _, _, document, tokens = _clean(data, config, source, force_text)
    return result, document, page(document.text, segment(document.text), tokens)


def explain_document(
    data: bytes, config: Config, source: str = "input", *, force_text: bool = False
) -> tuple[Result, tuple[tuple[Block, ...], ...]]:
    """Return what `clean_document` returns, and for each pass every match that it considered.

    Raises as `clean_document` does.
    """
    result, document, passes, _, _ = _clean(data, config, source, force_text)
    paragraphs = segment(document.text)
    return result, tuple(_blocks(document, paragraphs, _told(table, found)) for table, found in passes)


def _clean(
    data: bytes, config: Config, source: str, force_text: bool
) -> tuple[Result, Document, list[tuple[Table, list[Cut]]], Document, Words]:
    """The Result, the document, what each pass found (with the Table from its text to the input), the clean text."""
    config.checked()
    document = original = decode(data, source, force_text=force_text)
    paragraphs = before = segment(document.text)
    table = Table([(0, len(data))])
    passes: list[tuple[Table, list[Cut]]] = []
    while True:
        tokens = words(document.text)
        found = [] if config.similarity is None else _differing(document, paragraphs, tokens, config)
        if not any(c.removed for c in found):
            found += _analyse(document, paragraphs, tokens, config)
        passes.append((table, found))
        gone = sorted((c for c in found if c.removed), key=lambda c: c.copy)
        if not gone:
            break
        table = table.after((c.copy, c.kept if c.moved else None) for c in gone)
        document = decode(table.text(data), source, force_text=True)
        paragraphs = segment(document.text)
    cuts = settle(original, passes[:-1])
    ops = undo(data, document.data, table, [(c.copy[0], c.kept[0]) for c in cuts])
    if rebuild(document.data, ops) != data:
        raise DedupError(f"{source}: the undo does not give the input back, so nothing was changed; please report this")
    told = sorted([*(c for c in cuts if not c.left), *_outermost(_told(table, found))], key=lambda c: c.copy)
    blocks = _blocks(original, before, told) if told else ()
    pieces, counts = tuple(table.pieces), (len(before.starts), len(paragraphs.starts))
    result = Result(source, data, document.data, original.encoding, blocks, ops, pieces, counts, original.undecoded)
    return result, original, passes, document, tokens


def _analyse(document: Document, paragraphs: Paragraphs, tokens: Words, config: Config) -> list[Cut]:
    """Find and judge the repeats of one text. Nothing is proposed for removal that its words do not prove."""
    text = document.text
    linked = links(tokens, config.min_words)
    if not linked:
        return []
    matches = chain(tokens, linked, config.min_words)
    del linked
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


def _differing(document: Document, paragraphs: Paragraphs, tokens: Words, config: Config) -> list[Cut]:
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
    linked = links(tokens, size)
    if not linked:
        return []
    sheet = page(text, paragraphs, tokens)
    found = alignments(sheet, chain(tokens, linked, size), keys, config.min_words)
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
    """Return the function that tells the lines and paragraphs of a span of bytes of `document`."""
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
