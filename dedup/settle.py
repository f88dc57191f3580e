"""The cuts of several passes, told as cuts of the input: where each was, and the kept text that it repeats.

Why: a pass cleans what the pass before it left. Its spans are spans of that text, and it may remove what an earlier
pass named as a witness. Reports and the undo speak of the input, and name text that is there.
"""

from bisect import bisect_left
from itertools import accumulate

from dedup.decode import byte_offsets
from dedup.model import Document, Span, Words
from dedup.normalise import keys
from dedup.record import TYPE_CHECKING, Record
from dedup.rewrite import Table
from dedup.trace import Run, torn, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Pair = tuple[Sequence[int], Sequence[int]]


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


def settle(document: Document, passes: list[tuple[Table, list[Cut]]], words: "Callable[[str], Words]") -> list[Cut]:
    """Return the cuts of all passes in bytes of the input, in order, each with a witness that is kept.

    Each pass comes with the Table from its text to the input and all that it found. `words` finds those of a text.
    """
    passes = [(table, sorted((c for c in found if c.removed), key=lambda c: c.copy)) for table, found in passes]
    if len(passes) < 2:
        return [c for _, found in passes for c in found]
    tokens = words(document.text)
    starts = byte_offsets(document, tokens.starts)
    cuts = [(c.seen_in(table), table.spans(c.copy), table.spans(c.kept)) for table, found in passes for c in found]
    cuts = [cut for cut in cuts if not cut[0].left]
    pairs = [(_inside(starts, copies), _inside(starts, kept)) for _, copies, kept in cuts]
    begins = {bisect_left(starts, start) for _, copies, _ in cuts for start, _ in copies[1:]}  # a span, and a run
    if any(c.rule == "near-copy" for c, *_ in cuts):
        runs = _differing(document, tokens, [c.rule for c, *_ in cuts], pairs, begins)
    else:
        runs = trace(pairs, len(starts), begins)
    out: list[Cut] = []
    for (c, spans, _), pair, at in zip(cuts, pairs, range(len(cuts)), strict=True):
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
    runs = sorted(runs, key=lambda r: r.first)
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


def _inside(starts: "Sequence[int]", spans: list[Span]) -> "Sequence[int]":
    """The words that start in these spans of bytes."""
    ranges = [range(bisect_left(starts, start), bisect_left(starts, end)) for start, end in spans]
    return ranges[0] if len(ranges) == 1 else [word for words in ranges for word in words]


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


def _differing(
    document: Document, tokens: Words, rules: list[str], pairs: "Sequence[Pair]", begins: set[int]
) -> dict[int, list[Run]]:
    """As `trace`, where copies may differ: a word that matches none is told with the one that it stands opposite to.

    A run ends where the kept words go back, or where words between them are gone.
    """
    from dedup.align import compare

    key, total = keys(document.text), len(tokens.starts)
    witness = list(range(total))
    differs = bytearray(total)  # a word that its witness does not match, but only stands opposite to
    for rule, (gone, kept) in zip(rules, pairs, strict=True):
        if rule != "near-copy":
            for at, word in enumerate(gone):
                witness[word] = kept[at % len(kept)]
            continue
        i = j = 0
        same = compare([key[word] for word in gone], [key[word] for word in kept])
        for x, y, length in [*same, (len(gone), len(kept), 0)]:
            for word in gone[i:x]:
                witness[word], differs[word] = kept[min(j, max(y, 1) - 1)], 1
                j += 1
            for step in range(length):
                witness[gone[x + step]] = kept[y + step]
            i, j = x + length, y + length

    def final(word: int) -> tuple[int, int]:
        differing = 0
        while witness[word] != word:
            differing |= differs[word]
            word = witness[word]
        return word, differing

    lost = [0, *accumulate(witness[word] != word for word in range(total))]
    out: dict[int, list[Run]] = {}
    for at, (gone, kept) in enumerate(pairs):
        if not gone or (not torn(gone) and not torn(kept) and lost[kept[-1] + 1] == lost[kept[0]]):
            continue
        runs: list[Run] = []
        matched = False  # whether the last kept word of the run is matched
        for word in gone:
            stands, differing = final(word)
            last = runs[-1] if runs else None
            onward = last and (
                differing or (stands >= last.kept_last + matched and lost[stands] == lost[last.kept_last])
            )
            if last and onward and word == last.last + 1 and word not in begins:
                runs[-1] = last._replace(last=word, kept_last=last.kept_last if differing else stands)
                matched |= not differing
            else:
                runs.append(Run(word, word, stands, stands))
                matched = not differing
        out[at] = runs
    return out
