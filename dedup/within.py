"""One document, from raw bytes to a Result. Reads like a table of contents; the stages do the work."""

from array import array
from bisect import bisect_right
from typing import NamedTuple

from dedup.block import regions
from dedup.chain import chain
from dedup.config import Config
from dedup.decide import REASONS, decide
from dedup.decode import byte_spans, decode
from dedup.errors import DedupError
from dedup.model import Block, Decision, Document, Page, Result, Side, Span
from dedup.normalise import keys, solo_share, words
from dedup.rewrite import cut, rebuild, undo
from dedup.segment import page, segment
from dedup.shingle import links
from dedup.verify import stands_in


def clean_document(data: bytes, config: Config, source: str = "input", *, force_text: bool = False) -> Result:
    """Return the Result of cleaning `data`: what repeats, what went and why, the clean bytes, and the undo.

    Passes are made until one finds nothing to remove, so a second run changes nothing. The undo is proved here.
    Raises InputError for binary data unless `force_text`.
    """
    original = decode(data, source, force_text=force_text)
    document, cuts, kept_repeats = original, list[_Cut](), list[_Cut]()
    while True:
        decisions = _analyse(document, config)
        spans = byte_spans(document, [s for d in decisions for s in (d.copy, d.kept)])
        found = [_Cut(d, c, k) for d, c, k in zip(decisions, spans[::2], spans[1::2], strict=True)]
        gone = [c for c in found if c.decision.removed]
        kept_repeats = [_back(c, cuts) for c in found if not c.decision.removed]
        if not gone:
            break
        document = decode(cut(document.data, [c.copy for c in gone]), source, force_text=True)
        cuts = sorted([*cuts, *(piece for c in gone for piece in _pieces(_back(c, cuts), cuts))], key=lambda c: c.copy)
    removed = [c.copy for c in cuts]
    ops = undo(data, document.data, removed, [c.kept for c in cuts])
    if rebuild(document.data, ops) != data:
        raise DedupError(f"{source}: the undo does not give the input back; nothing was written; please report this")
    blocks = _blocks(original, cuts, kept_repeats)
    paragraphs = len(segment(original.text).starts), len(segment(document.text).starts)
    return Result(source, source, data, document.data, original.encoding, blocks, ops, paragraphs, original.undecoded)


class _Cut(NamedTuple):
    """A decision with its two sides in bytes."""

    decision: Decision
    copy: Span
    kept: Span


def _analyse(document: Document, config: Config) -> list[Decision]:
    """Find and judge the repeats of one text. No removal is proposed that its words do not prove."""
    tokens = words(document.text)
    linked = links(tokens, config.min_words)
    if not linked:
        return []
    matches = chain(tokens, linked, config.min_words)
    del linked
    sheet = page(document.text, tokens)
    candidates, ragged = regions(sheet, matches, config)
    decisions = decide(sheet, candidates, ragged, config, solo_share(document.text) > 0.5 * len(tokens.starts))
    return [d if not d.removed or _proved(document.text, d) else d._replace(removed=False) for d in decisions]


def _proved(text: str, decision: Decision) -> bool:
    return stands_in(keys(text[slice(*decision.copy)]), keys(text[slice(*decision.kept)]))


# ---------------------------------------------------------------- several passes, one set of positions


def _back(found: _Cut, cuts: list[_Cut]) -> _Cut:
    """The same cut in the bytes of the input, of which `cuts` are gone already."""
    return found if not cuts else found._replace(copy=_restored(found.copy, cuts), kept=_restored(found.kept, cuts))


def _restored(span: Span, cuts: list[_Cut]) -> Span:
    start, end = span
    for c in cuts:
        size = c.copy[1] - c.copy[0]
        if c.copy[0] <= start:
            start += size
            end += size
        elif c.copy[0] < end:
            end += size
        else:
            break
    return start, end


def _pieces(found: _Cut, cuts: list[_Cut]) -> list[_Cut]:
    """A cut without what had gone before: one piece for each stretch between earlier cuts."""
    out, at = [], found.copy[0]
    for c in cuts:
        if found.copy[0] < c.copy[1] and c.copy[0] < found.copy[1]:
            if at < c.copy[0]:
                out.append(found._replace(copy=(at, c.copy[0])))
            at = c.copy[1]
    if at < found.copy[1]:
        out.append(found._replace(copy=(at, found.copy[1])))
    return out


# ---------------------------------------------------------------- what readers see


def _blocks(document: Document, cuts: list[_Cut], kept: list[_Cut]) -> tuple[Block, ...]:
    where = _Where(document)
    out = []
    for found in sorted([*cuts, *kept], key=lambda c: c.copy):
        rule = found.decision.rule
        out.append(
            Block(
                id=_name(len(out)),
                kind="truncated" if rule == "truncated-copy" else "exact",
                similarity=1.0,
                copy=where.side(found.copy),
                kept=where.side(found.kept),
                words=found.decision.words,
                removed=found.decision.removed,
                rule=rule,
                reason=REASONS[rule],
            )
        )
    return tuple(out)


def _name(number: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    out = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        out = chr(65 + letter) + out
    return out


class _Where:
    """Bytes to lines and paragraphs."""

    def __init__(self, document: Document) -> None:
        paragraphs = segment(document.text)
        breaks = array("Q", (m for m in _line_ends(document.text)))
        chars = [*paragraphs.starts, *breaks]
        from dedup.decode import byte_offsets

        at = byte_offsets(document, chars)
        self.paragraphs = [at[c] for c in paragraphs.starts]
        self.lines = [at[c] for c in breaks]

    def side(self, span: Span) -> Side:
        start, end = span
        last = max(start, end - 1)
        return Side(
            span,
            (bisect_right(self.lines, start) + 1, bisect_right(self.lines, last) + 1),
            (max(1, bisect_right(self.paragraphs, start)), max(1, bisect_right(self.paragraphs, last))),
        )


def _line_ends(text: str) -> list[int]:
    import re

    return [m.end() for m in re.finditer(r"\r\n|\r|\n", text)]


_ = Page
