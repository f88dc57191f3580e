"""The cuts of several passes, told as cuts of the input: where each was, and the kept text that it repeats.

Why: a pass cleans what the pass before it left. Its spans are spans of that text, and it may remove what an earlier
pass named as a witness. Reports and the undo speak of the input, and name text that is there.
"""

from bisect import bisect_left

from dedup.decode import byte_offsets
from dedup.model import Document, Span, Words
from dedup.normalise import words
from dedup.record import TYPE_CHECKING, Record
from dedup.rewrite import Table
from dedup.trace import Run, trace

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cut(Record):
    """What is known about one stretch that repeats, in bytes."""

    copy: Span
    kept: Span
    words: int
    removed: bool
    rule: str
    detail: str = ""
    moved: bool = False  # the kept bytes take the place of the copy
    left: bool = False  # no copy: the place that moved bytes left

    def seen_in(self, table: Table) -> "Cut":
        """This cut, in the bytes of the text that `table` leads to."""
        return self._replace(copy=table.span(self.copy), kept=table.span(self.kept))


def settle(document: Document, passes: list[tuple[Table, list[Cut]]]) -> list[Cut]:
    """Return the cuts of all passes in bytes of the input, in order, each with a witness that is kept.

    Each pass comes with the Table from its text to the input.
    """
    near = any(c.rule == "near-copy" for _, found in passes for c in found)
    if near:
        return _followed(passes)
    return [c for _, found in passes for c in found] if len(passes) < 2 else _traced(document, passes)


# ---------------------------------------------------------------- cuts of words that stand in what is kept


def _traced(document: Document, passes: list[tuple[Table, list[Cut]]]) -> list[Cut]:
    """The cuts of several passes; a later pass may have cut around an earlier one, and removed its witnesses."""
    tokens = words(document.text)
    starts = byte_offsets(document, tokens.starts)
    gone = bytearray(len(starts))
    cuts: list[tuple[Cut, list[Span]]] = []
    pairs: list[tuple[Sequence[int], Sequence[int]]] = []
    for table, found in passes:
        for c in found:
            cuts.append((c.seen_in(table), table.spans(c.copy)))
            pairs.append((_inside(starts, cuts[-1][0].copy, gone), _inside(starts, cuts[-1][0].kept, gone)))
        for copy, _ in pairs[-len(found) :]:
            for word in copy:
                gone[word] = 1
    runs = trace(pairs, len(starts))
    out: list[Cut] = []
    for (c, spans), pair, at in zip(cuts, pairs, range(len(cuts)), strict=True):
        if at not in runs and spans == [c.copy]:
            out.append(c)
        else:
            parts = runs.get(at) or [Run(pair[0][0], pair[0][-1], pair[1][0], pair[1][-1])]
            out += _parts(document, tokens, starts, c, spans, parts)
    return _absorbed(sorted(out, key=lambda c: c.copy))


def _parts(
    document: Document, tokens: Words, starts: "Sequence[int]", c: Cut, spans: list[Span], runs: list[Run]
) -> list[Cut]:
    """One cut as several: each of its spans is split where a run starts; a span without words stands alone for now."""
    at = [starts[r.first] for r in runs]
    out: list[Cut] = []
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


def _absorbed(cuts: list[Cut]) -> list[Cut]:
    """The cuts, those without words joined to the one that they touch."""
    out: list[Cut] = []
    for c in cuts:
        if out and out[-1].copy[1] == c.copy[0] and (c.words == 0 or out[-1].words == 0):
            weightier = c if c.words else out[-1]
            out[-1] = weightier._replace(copy=(out[-1].copy[0], c.copy[1]))
        else:
            out.append(c)
    return out


# ---------------------------------------------------------------- cuts of words that differ


def _followed(passes: list[tuple[Table, list[Cut]]]) -> list[Cut]:
    """The cuts of several passes; where a later one removed most of a witness, its own witness stands for it."""
    cuts = [c.seen_in(table) for table, found in passes for c in found]
    order = sorted((c for c in cuts if not c.left), key=lambda c: c.copy)
    starts = [c.copy[0] for c in order]

    def final(kept: Span) -> Span:
        for _ in order:
            middle = (kept[0] + kept[1]) // 2
            at = bisect_left(starts, middle + 1) - 1
            if at < 0 or order[at].copy[1] <= middle:
                break
            kept = order[at].kept
        return kept

    return sorted((c._replace(kept=final(c.kept)) for c in cuts), key=lambda c: c.copy)
