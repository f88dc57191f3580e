"""Decisions to clean bytes and the ops of the undo: the only place that makes bytes.

Why: what is kept keeps its bytes, so the output is spans of the input, in their order unless a better copy was put in
the place of a worse one; and the undo is the list of what to take from the output and what to put back. A removed span
that stands byte for byte in the output is taken from there: on a doubled article the undo holds no text at all.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise

from dedup.model import Fix, Op, Result, Span
from dedup.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterable

_SEED = 64  # bytes that a removed span must share with the output to be taken from there


class Put(Record):
    """What fixers put in. In the numbering of a Table it stands behind the other text, from byte `base` on."""

    base: int
    text: bytes
    fixes: tuple[Fix, ...]

    def origin(self, span: Span) -> Span:
        """Return the span of the other text that these bytes were put in for; what was not put in is its own."""
        if not self.fixes or span[0] < self.base:
            return span
        first = bisect_right(self.fixes, span[0], key=lambda fix: fix.put[0]) - 1
        last = bisect_left(self.fixes, span[1], key=lambda fix: fix.put[0]) - 1
        return self.fixes[first].span[0], self.fixes[max(first, last)].span[1]


_NOTHING = Put(0, b"", ())


class Table:
    """A text made of spans of another, in any order: the way from the bytes of the one to those of the other.

    Spans of the other text from `put.base` on are spans of what fixers put in.
    """

    def __init__(self, pieces: list[Span], moved: bool = False, put: Put = _NOTHING) -> None:
        self.pieces, self.moved = pieces, moved  # whether any piece stands before one that came before it
        self.put = put
        self.starts = [0, *accumulate(end - start for start, end in pieces)]

    @classmethod
    def of(cls, result: Result) -> "Table":
        """Return the Table from the clean text of `result` to its input."""
        return cls(list(result.pieces), put=Put(len(result.data), result.put, result.fixes))

    def text(self, data: bytes) -> bytes:
        """Return the bytes that the pieces of `data` make, and of what was put in."""
        source = data + self.put.text if self.put.text else data
        return b"".join(source[start:end] for start, end in self.pieces)

    def spans(self, span: Span) -> list[Span]:
        """Return the spans of the other text that `span` was made of; neighbours are joined."""
        out: list[Span] = []
        for at in range(bisect_right(self.starts, span[0]) - 1, bisect_left(self.starts, span[1])):
            start, size = self.pieces[at][0], self.starts[at]
            part = start + max(0, span[0] - size), start + min(span[1], self.starts[at + 1]) - size
            if out and out[-1][1] == part[0] and (part[0] != self.put.base or not self.put.text):
                part = out.pop()[0], part[1]
            out.append(part)
        return out

    def span(self, span: Span) -> Span:
        """Return the span of the other text that `span` was left of; the largest part where its parts were moved."""
        empty = span[0] == span[1]
        if empty or not (self.moved or self.put.fixes):
            first = min(bisect_right(self.starts, span[0]), len(self.pieces)) - 1
            last = max(first, bisect_left(self.starts, span[1]) - 1)  # an empty span may stand between two pieces
            shift = [self.pieces[at][0] - self.starts[at] for at in (first, last)]
            start, end = span[0] + shift[0], span[1] + shift[1]
            if self.put.fixes and self.pieces[first][0] >= self.put.base:
                return (self.put.origin((start, start + 1))[0],) * 2
            return start, end
        parts = [self.put.origin(part) for part in self.spans(span)]
        if all(x[0] <= y[0] and x[1] <= y[1] for x, y in pairwise(parts)):
            return parts[0][0], parts[-1][1]
        return max(parts, key=lambda part: part[1] - part[0])

    def after(self, cuts: "Iterable[tuple[Span, Span | None]]") -> "Table":
        """Return the Table of this text after `cuts`: spans that go, in order and apart, and what takes their place."""
        out: list[Span] = []
        at, moved = 0, self.moved
        for (start, end), put in cuts:
            if at < start:
                out += self.spans((at, start))
            if put:
                out += self.spans(put)
                moved = True
            at = end
        if at < self.starts[-1]:
            out += self.spans((at, self.starts[-1]))
        return Table(out, moved, self.put)

    def mended(self, rule: str, edits: "Iterable[tuple[Span, bytes]]", base: int) -> "Table":
        """Return the Table of this text after these edits of a fixer; the other text has `base` bytes."""
        out: list[Span] = []
        texts, fixes = [self.put.text], list(self.put.fixes)
        at, top = 0, base + len(self.put.text)
        for (start, end), text in edits:
            if at < start:
                out += self.spans((at, start))
            put = top, top + len(text)
            fixes.append(Fix(rule, self.span((start, end)), put))
            if text:
                out.append(put)
                texts.append(text)
            at, top = end, put[1]
        if at < self.starts[-1]:
            out += self.spans((at, self.starts[-1]))
        return Table(out, self.moved, Put(base, b"".join(texts), tuple(fixes)))

    def then(self, table: "Table") -> "Table":
        """Return the Table from the text that `table` made of this one."""
        return Table(
            [span for piece in table.pieces for span in self.spans(piece)], table.moved or self.moved, self.put
        )


def undo(data: bytes, clean: bytes, table: Table, witnesses: list[tuple[int, int]]) -> tuple[Op, ...]:
    """Return the ops that rebuild `data` from `clean`, which `table` made of it.

    `witnesses` names for each place of `data` from which something is gone, in order, the place that it repeats. Where
    the bytes are the same they are taken from the clean text; only what differs is stored.
    """
    ops: list[Op] = []
    order = sorted(row for row in zip(table.pieces, table.starts, strict=False) if row[0][0] < len(data))
    places = [start for (start, _), _ in order]

    def near(place: int) -> int:
        (start, _), at = order[max(0, bisect_right(places, place) - 1)]
        return at + place - start

    at, w = 0, 0
    for (start, end), place in [*order, ((len(data), len(data)), 0)]:
        while at < start:
            while w + 1 < len(witnesses) and witnesses[w + 1][0] <= at:
                w += 1
            stop = min(start, witnesses[w + 1][0]) if w + 1 < len(witnesses) else start
            ops += _source(data[at:stop], clean, near(witnesses[w][1]) if order and witnesses else 0)
            at = stop
        if start < end:
            ops.append(Op((place, place + end - start), None))
        at = end
    return _merged(ops)


def difference(before: bytes, after: bytes) -> tuple[Op, ...]:
    """Return the ops that rebuild `before` from `after`: what both begin and end with is taken from there."""
    head = _common(before, 0, after, 0)
    tail = _common(before[head:][::-1], 0, after[head:][::-1], 0)
    ops = Op((0, head), None), Op(None, before[head : len(before) - tail]), Op((len(after) - tail, len(after)), None)
    return tuple(op for op in ops if op.literal or (op.span and op.span[0] < op.span[1]))


def rebuild(clean: bytes, ops: tuple[Op, ...]) -> bytes:
    """Return the bytes that `ops` make of `clean`."""
    return b"".join(clean[op.span[0] : op.span[1]] if op.span else op.literal or b"" for op in ops)


def _source(piece: bytes, clean: bytes, near: int) -> list[Op]:
    """The ops for one removed span: the longest stretch around its witness that is the same, the rest as bytes."""
    for lead in range(min(len(piece), 8) + 1):
        key = piece[lead : lead + _SEED]
        if len(key) < min(_SEED, len(piece) - lead) or not key:
            break
        start = clean.find(key, max(0, near - _SEED), near + 2 * _SEED + len(key))
        if start < 0:
            continue
        length = _common(piece, lead, clean, start)
        ops = [Op(None, piece[:lead])] if lead else []
        ops.append(Op((start, start + length), None))
        if lead + length < len(piece):
            ops.append(Op(None, piece[lead + length :]))
        return ops
    return [Op(None, piece)]


def _common(left: bytes, i: int, right: bytes, j: int) -> int:
    """Length of the common prefix of left[i:] and right[j:]; doubling and halving compares, so C does the work."""
    low, high = 0, min(len(left) - i, len(right) - j)
    while low < high:
        step = (low + high + 1) // 2
        if left[i + low : i + step] == right[j + low : j + step]:
            low = step
        else:
            high = step - 1
    return low


def _merged(ops: list[Op]) -> tuple[Op, ...]:
    out: list[Op] = []
    for op in ops:
        last = out[-1] if out else None
        if last and op.span and last.span and last.span[1] == op.span[0]:
            out[-1] = Op((last.span[0], op.span[1]), None)
        elif last and op.literal and last.literal:
            out[-1] = Op(None, last.literal + op.literal)
        else:
            out.append(op)
    return tuple(out)
