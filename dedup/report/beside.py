"""The two sides of a block, paragraph beside paragraph.

A copy may be wrapped otherwise than what it repeats, or stand on one line. The rows are cut where a paragraph begins on
one side, and on the other side before the same word:

    = 2  One fine day.         - 4  One fine day. Two
    = 3  Two rainy ones.       - 5  rainy ones.          ->   row 1: 2 | start of 4,   row 2: 3 | rest of 4, and 5
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from dedup.decode import byte_offsets, decode
from dedup.model import Block, Change, Result, Span
from dedup.normalise import words
from dedup.segment import segment

COPY, KEPT = range(2)  # the sides, as a Change has them
_ALIGNED = 1 << 20  # bytes of a side up to which its words are looked at
_NEAR = 64  # bytes looked at for the blank before a word


class Pair(NamedTuple):
    """One row of a block: bytes of the copy, and the bytes of the kept side that have the same words."""

    copy: Span
    kept: Span


class Source:
    """The input of a document and its paragraphs, in bytes."""

    def __init__(self, result: Result) -> None:
        self.document = decode(result.data, force_text=True, encoding=result.encoding)
        paragraphs = segment(self.document.text)
        self.starts = byte_offsets(self.document, paragraphs.starts)
        self.ends = byte_offsets(self.document, paragraphs.ends)

    def paragraphs(self, span: Span) -> Span:
        """Return the numbers, from 1, of the first and the last paragraph of a span."""
        return bisect_right(self.starts, span[0]), bisect_left(self.starts, span[1])

    def trim(self, span: Span) -> Span:
        """Return the span without the line ends around it."""
        first, last = bisect_right(self.ends, span[0]), bisect_left(self.starts, span[1]) - 1
        if first > last:
            return span[0], span[0]
        return max(span[0], self.starts[first]), min(span[1], self.ends[last])

    def whole(self, start: int, at: int) -> int:
        """Return the place at or before `at` where a character begins, as far as the bytes from `start` are text."""
        if self.document.encoding != "utf-8":
            return at - (at - start) % 2
        return next((p for p in range(at, max(start, at - 4), -1) if self.document.data[p] & 0xC0 != 0x80), at)

    def rows(self, block: Block) -> list[Pair]:
        """Return the rows of a block; the kept side of one that repeats another document is empty."""
        copy, kept = block.copy.bytes, block.kept.bytes
        right = self._cuts(copy)
        if block.document is not None:
            return [Pair(self.trim(span), (0, 0)) for span in pairwise([*right, copy[1]])]
        left = self._cuts(kept)
        if max(kept[1] - kept[0], copy[1] - copy[0]) > _ALIGNED:  # one by one
            left += [kept[1]] * (len(right) - len(left))
            right += [copy[1]] * (len(left) - len(right))
        else:
            of_copy, of_kept = self._meetings(block)
            if len(left) > 1:
                right = self._across(left, of_kept, of_copy, copy)
            else:
                left = self._across(right, of_copy, of_kept, kept)
        sides = zip(pairwise([*right, copy[1]]), pairwise([*left, kept[1]]), strict=True)
        return [Pair(self.trim(x), self.trim(y)) for x, y in sides]

    def _cuts(self, span: Span) -> list[int]:
        """Where the span begins, and each further paragraph in it."""
        return [span[0], *self.starts[bisect_right(self.starts, span[0]) : bisect_left(self.starts, span[1])]]

    def _meetings(self, block: Block) -> tuple[list[int], list[int]]:
        """Where the same words stand in the copy and on the kept side: between two changes, one for one."""
        of_copy: list[int] = []
        of_kept: list[int] = []
        right, left = block.copy.bytes[0], block.kept.bytes[0]
        ends = Change((block.copy.bytes[1],) * 2, (block.kept.bytes[1],) * 2)
        for copy, kept in (*block.changes, ends):
            both = list(zip(self._words(right, copy[0]), self._words(left, kept[0]), strict=False))
            of_copy += [x for x, _ in both] + [copy[0]]
            of_kept += [y for _, y in both] + [kept[0]]
            right, left = copy[1], kept[1]
        return of_copy, of_kept

    def _words(self, start: int, end: int) -> list[int]:
        """Where the words of these bytes begin."""
        data = self.document.data[start:end]
        text = data.decode(self.document.encoding, self.document.errors)
        part = self.document._replace(data=data, text=text, mark=b"")
        return [start + at for at in byte_offsets(part, words(text).starts)]

    def _across(self, cuts: Sequence[int], own: Sequence[int], other: Sequence[int], span: Span) -> list[int]:
        """The cuts of one side as places of the other: before the same word, with the signs in front of it."""
        out = [span[0]]
        for cut in cuts[1:]:
            at = bisect_left(own, cut)
            place, before = other[at], other[at - 1] if at else span[0]
            first = self.starts[bisect_right(self.starts, place) - 1]
            if first <= before:  # no paragraph begins between the two words
                data = self.document.data[max(before, place - _NEAR) : place]
                gap = data.decode(self.document.encoding, self.document.errors)
                blank = max((n for n, char in enumerate(gap, 1) if char.isspace()), default=len(gap))
                first = place - len(gap[blank:].encode(self.document.encoding, self.document.errors))
            out.append(max(out[-1], first))
        return out


def inside(changes: Sequence[Change], side: int, span: Span) -> list[tuple[Span, Change]]:
    """Return the changes that touch a span of one side, each with what it has of the span; that may be nothing."""
    start, end = span
    low = bisect_left(changes, start, key=lambda c: c[side][1])
    high = bisect_right(changes, end, key=lambda c: c[side][0])
    return [((max(c[side][0], start), min(c[side][1], end)), c) for c in changes[low:high]]


def differs(row: Pair, changes: Sequence[Change]) -> bool:
    """Return whether words of the row stand on one side only."""
    return any(span[0] < span[1] for side in (COPY, KEPT) for span, _ in inside(changes, side, row[side]))
