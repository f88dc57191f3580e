"""Cuts to Blocks: what readers see.

Why: the stages speak of bytes and words. A reader wants the lines and paragraphs of both sides, what kind of copy it
is, and of a copy that differs the words in which it does.
"""

from bisect import bisect_right

from dedup.decide import REASONS
from dedup.decode import byte_offsets
from dedup.model import Block, Change, Document, Paragraphs, Side, Span, integers
from dedup.normalise import keys, words
from dedup.record import TYPE_CHECKING
from dedup.segment import lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dedup.rewrite import Table
    from dedup.settle import Cut


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


def blocks(document: Document, paragraphs: Paragraphs, cuts: "list[Cut]") -> list[Block]:
    """Return the Blocks of `document` that these cuts are, numbered from 1."""
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
    return out


def seen_in(block: Block, table: "Table", side: "Callable[[Span], Side]") -> Block:
    """Return a Block in the bytes of the text that `table` leads to, the lines and paragraphs of which `side` tells."""
    changes = tuple(Change(table.span(change.copy), table.span(change.kept)) for change in block.changes)
    copy, kept = side(table.span(block.copy.bytes)), side(table.span(block.kept.bytes))
    return block._replace(copy=copy, kept=kept, changes=changes)


def _changes(document: Document, c: "Cut") -> tuple[float, tuple[Change, ...]]:
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
    chars = [at for start, size in zip(tokens.starts, tokens.sizes, strict=True) for at in (start, start + size)]
    at = byte_offsets(part._replace(text=text), chars)
    return keys(text), [span[0] + x for x in at]


def _bytes(at: "Sequence[int]", first: int, last: int, within: Span) -> Span:
    """The bytes of the words first:last, whose starts and ends in turn are `at`; where there are none, the place."""
    if first < last:
        return at[2 * first], at[2 * last - 1]
    place = at[2 * first - 1] if first else within[0]
    return place, place
