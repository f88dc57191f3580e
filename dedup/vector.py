"""The words of many texts at once, and which texts repeat themselves: what `normalise` and `shingle` do, with numpy.

Why: a loop over words in Python is ten times slower than the machine. Here a stretch of text becomes arrays: a table
gives each character its kind, word bounds are edges between kinds, and words are hashed eight bytes at a step (a gather
from the text as 64-bit numbers). Words whose match key is not that of each of their characters by itself are told one
by one.

    texts --join--> windows of 64 Ki characters --kinds--> starts, sizes --UTF-8 of the keys--> hashes
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from unicodedata import category

import numpy as np
from xxhash import xxh3_64_intdigest

from dedup import normalise
from dedup.fingerprint import shingles
from dedup.model import Match, Words
from dedup.normalise import IGNORED, SOLO, key, reading
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Hashes = NDArray[np.uint32]

SCHEME = f"{normalise.SCHEME} gather-1"  # what is a word, and how it is hashed
_END = re.compile(r"[\r\n]")
_WINDOW = 1 << 16  # characters: what is made of them stays in the cache of the processor
_CUT = re.compile(r"[ \n\r\t.,;:!?()\u3001\u3002\uff0c]")  # characters that end every word
_MULTIPLY = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))  # Knuth; splitmix64 (Steele et al. 2014)
_SHORT = 0xFFFF  # characters of a word, as of nearly all
_MANY = 1 << 20  # numbers that are no list
_LONG = 256  # bytes of a word that is not hashed in steps
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)  # of the first bytes, little-endian
_LOWER = bytes(c + 32 if 65 <= c <= 90 else c if 48 <= c <= 57 or 97 <= c <= 122 else 32 for c in range(256))
_BLOCK = 1 << 16  # shingles that are sorted at once: they stay in the cache of the processor
_BELOW = 44  # bits of a shingle's hash beside the number of its text

# The kinds of characters: what separates words, what makes them, what only goes on with them, what is one by itself.
_APART, _LETTER, _INNER, _ALONE, _UNKNOWN = range(5)


class Batch:
    """The words of some texts, one text after the other: those in ASCII first, which are quicker to read.

    `order` has the number of the text at each place. The text at place p has the words first[p]:first[p + 1].
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Read the texts. Time and memory linear in them."""
        readings = [reading(text) for text in texts]
        self.order = sorted(range(len(texts)), key=lambda number: not readings[number].isascii())
        self.place = sorted(range(len(texts)), key=self.order.__getitem__)
        self.texts, self.readings = list(texts), readings
        self.chars = np.array([*accumulate((len(texts[number]) + 1 for number in self.order), initial=0)], np.int64)
        total = int(self.chars[-1])  # more than there are words; memory that is not written to costs nothing
        wide = np.uint32 if total < 1 << 32 else np.uint64
        columns: list[NDArray[Any]] = [np.empty(total, kind) for kind in (wide, np.uint16, np.uint32)]
        count = 0
        for text, at in self._windows():
            found = _words(text, at)
            own = slice(count, count + len(found[0]))
            if found[1].max(initial=0) > _SHORT and columns[1].dtype != wide:
                sizes, columns[1] = columns[1][:count], np.empty(total, wide)
                columns[1][:count] = sizes
            for column, values in zip(columns, found, strict=True):
                column[own] = values
            count = own.stop
        self.starts, self.sizes, self.hashes = (column[:count] for column in columns)
        self.first: Numbers = np.searchsorted(self.starts, self.chars.astype(wide))

    @classmethod
    def of(cls, parts: "Sequence[Part]") -> "Batch":
        """Return the Batch of texts that stand in others."""
        out = cls([])
        out.texts = [batch.texts[number] for batch, number in parts]
        out.readings = [batch.readings[number] for batch, number in parts]
        out.order = out.place = list(range(len(parts)))
        out.chars = np.array([*accumulate((len(text) + 1 for text in out.texts), initial=0)], np.int64)
        spans = [batch.span(number) for batch, number in parts]
        shifts = out.chars[:-1] - np.array([batch.chars[batch.place[number]] for batch, number in parts], np.int64)
        rows = [(batch, span) for (batch, _), span in zip(parts, spans, strict=True)]
        sizes = [span.stop - span.start for span in spans]
        starts = np.concatenate([np.empty(0, np.int64), *(batch.starts[span] for batch, span in rows)])
        out.starts = starts + np.repeat(shifts, sizes)
        out.sizes = np.concatenate([out.sizes, *(batch.sizes[span] for batch, span in rows)])
        out.hashes = np.concatenate([out.hashes, *(batch.hashes[span] for batch, span in rows)])
        out.first = np.array([*accumulate(sizes, initial=0)], np.int64)
        return out

    def _windows(self) -> Iterator[tuple[str, int]]:
        """The texts in stretches that end where a word does, each with the place of its first character."""
        begin = 0
        for _, group in groupby(self.order, lambda number: self.readings[number].isascii()):
            text = "".join(f"{self.readings[number]}\n" for number in group)
            at = 0
            while at < len(text):
                cut = _CUT.search(text, at + _WINDOW) if at + _WINDOW < len(text) else None
                end = cut.end() if cut else len(text)
                yield text[at:end], begin + at
                at = end
            begin += len(text)

    def span(self, number: int) -> slice:
        """Return which words are those of a text."""
        place = self.place[number]
        return slice(int(self.first[place]), int(self.first[place + 1]))

    def words(self, number: int) -> Words:
        """Return the words of a text."""
        own, text = self.span(number), self.readings[number]
        starts, begin = self.starts[own], self.chars[self.place[number]]
        if begin:
            starts = starts - starts.dtype.type(begin)
        return Words(text, _integers(starts), _integers(self.sizes[own]), self.hashes[own].data)

    def lines(self, least: int) -> "tuple[Numbers, Numbers, list[str]]":
        """Return of each line of at least so many words the first one, how many it has, and the line; in order."""
        text = "".join(f"{self.texts[number]}\n" for number in self.order)
        lines = (_END.split(text) if "\r" in text else text.split("\n"))[:-1]
        ends = np.cumsum(np.fromiter(map(len, lines), np.int64, len(lines)) + 1) - 1
        last = np.searchsorted(self.starts, ends.astype(self.starts.dtype))
        sizes = np.diff(last, prepend=0)
        long = np.flatnonzero(sizes >= least)
        return last[long] - sizes[long], sizes[long], [lines[number] for number in long.tolist()]

    def repeating(self, k: int) -> set[int]:
        """Return the texts in which a run of `k` words may stand twice: none is missed."""
        if len(self.hashes) <= k:
            return set()
        values = shingles(self.hashes, k)
        places = np.repeat(np.arange(len(self.order), dtype=np.uint64), np.diff(self.first))[: len(values)]
        packed = places << np.uint64(_BELOW) | values >> np.uint64(64 - _BELOW)
        packed.sort()
        twice = np.unique(packed[1:][packed[1:] == packed[:-1]] >> np.uint64(_BELOW))
        return {self.order[place] for place in twice.tolist()}


Part = tuple[Batch, int]
"""A text of a Batch: its number there."""


def words(text: str) -> Words:
    """Return what `normalise.words` does, but for the hashes, which are those of all texts that are read here."""
    return Batch([text]).words(0)


def matches(found: Words, k: int) -> list[Match]:
    """Return what `shingle.links` and `chain.chain` do: the maximal runs of at least `k` words that stand earlier too.

    Time n log n in the words, memory 4 bytes a word and 12 a distinct shingle.
    """
    hashes = np.frombuffer(found.hashes, np.uint32)
    if len(hashes) <= k:
        return []
    linked = _linked(hashes, k)
    out: list[Match] = []
    floor = at = 0
    while (right := _next(linked, at)) < len(linked):
        left = int(linked[right])
        back = min(right - floor, left)
        more = common(hashes[right - back : right][::-1], hashes[left - back : left][::-1])
        length = k + common(hashes[right + k :], hashes[left + k :])
        out.append(Match(left - more, right - more, more + length))
        floor, at = right, right + length - k + 1
    return out


def _linked(hashes: "Hashes", k: int) -> "NDArray[Any]":
    """Where the shingle of `k` words at each place stands first, and -1 there.

    Blocks are joined within themselves, then what they have of one range of values, range by range: no sort is large,
    and a text that says the same over and over has few distinct shingles.
    """
    total = len(hashes) - k + 1
    linked: NDArray[Any] = np.empty(total, np.int32 if total < 1 << 31 else np.int64)
    blocks = [slice(at, min(at + _BLOCK, total)) for at in range(0, total, _BLOCK)]
    distinct: list[NDArray[np.uint64]] = []  # of each block its shingles, each once, sorted
    first: list[NDArray[Any]] = []  # where each of these stands first
    for own in blocks:
        values = shingles(hashes[own.start : own.stop + k - 1], k)
        places, linked[own] = _grouped(values)
        distinct.append(values[places])
        first.append((own.start + places).astype(linked.dtype))
    if len(blocks) > 1:
        _join(distinct, first)
    for own, places in zip(blocks, first, strict=True):
        found = places[linked[own]]
        found[found == np.arange(own.start, own.stop)] = -1
        linked[own] = found
    return linked


def _join(distinct: "list[NDArray[np.uint64]]", first: "list[NDArray[Any]]") -> None:
    """Write into `first`, for each of the values of several blocks, where it stands first in any of them."""
    edges = np.array([(part << 64) // len(first) for part in range(1, len(first))], np.uint64)
    bounds = [[0, *np.searchsorted(values, edges).tolist(), len(values)] for values in distinct]
    for part in range(len(first)):
        spans = [slice(*bound[part : part + 2]) for bound in bounds]
        rows = [places[span] for places, span in zip(first, spans, strict=True)]
        places, own = _grouped(np.concatenate([values[span] for values, span in zip(distinct, spans, strict=True)]))
        joined, at = np.concatenate(rows)[places][own], 0
        for row in rows:
            row[:] = joined[at : at + len(row)]
            at += len(row)


def _grouped(values: "NDArray[np.uint64]") -> "tuple[Numbers, Numbers]":
    """Where each distinct value stands first, in the order of values, and which of them stands at each place."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.ones(len(values), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    which = np.empty(len(values), np.int64)
    which[order] = np.cumsum(new) - 1
    return order[new], which


def _next(linked: "NDArray[Any]", at: int) -> int:
    """The first place from `at` on with a link; the length, where none has one."""
    step = 16
    while at < len(linked):
        ahead = np.flatnonzero(linked[at : at + step] >= 0)
        if len(ahead):
            return at + int(ahead[0])
        at, step = at + step, min(2 * step, _BLOCK)
    return len(linked)


def common(left: "Hashes", right: "Hashes") -> int:
    """Return the length of the common beginning."""
    size = min(len(left), len(right))
    if not size or left[0] != right[0]:
        return 0
    at, step = 0, 16
    while at < size:
        stop = min(at + step, size)
        differ = np.flatnonzero(left[at:stop] != right[at:stop])
        if len(differ):
            return at + int(differ[0])
        at, step = stop, min(2 * step, _BLOCK)
    return size


def _mixed(values: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    values ^= values >> np.uint64(29)
    values *= _MULTIPLY[1]
    values ^= values >> np.uint64(32)
    return values


def _integers(values: "NDArray[Any]") -> "Sequence[int]":
    """The values as Python reads them quickest, or where they are many in no more room."""
    return values.tolist() if len(values) < _MANY else values.data


def _words(text: str, at: int) -> "tuple[Numbers, Numbers, Hashes]":
    """The starts (from `at` on), sizes and hashes of the words of a window."""
    if text.isascii():
        data = text.encode("ascii").translate(_LOWER)
        starts, ends = _edges(np.frombuffer(data, np.uint8) != 32)
        return starts + at, ends - starts, _hashes(data, starts, ends - starts)
    return _unicode(text, at)


def _edges(inside: "NDArray[np.bool_]") -> "tuple[Numbers, Numbers]":
    """Where each run of True starts and ends."""
    edges = np.flatnonzero(np.concatenate((inside[:1], inside[1:] != inside[:-1], inside[-1:])))
    return edges[::2], edges[1::2]


def _hashes(data: bytes, starts: "Numbers", sizes: "Numbers") -> "Hashes":
    """32-bit hashes of stretches of bytes."""
    padded = np.frombuffer(data + bytes(8), np.uint8)
    eight = np.ndarray((len(data) + 1,), "<u8", padded, strides=(1,))  # the eight bytes from each byte on
    out = (eight[starts] & _MASKS[np.minimum(sizes, 8)]) * _MULTIPLY[0]
    long = np.flatnonzero(sizes > _LONG)
    spans = zip(starts[long].tolist(), (starts + sizes)[long].tolist(), strict=True)
    out[long] = np.array([xxh3_64_intdigest(data[start:end]) for start, end in spans], np.uint64)
    more = np.flatnonzero((sizes > 8) & (sizes <= _LONG))
    at, left = starts[more] + 8, sizes[more] - 8
    while len(more):
        out[more] = _mixed(out[more]) + (eight[at] & _MASKS[np.minimum(left, 8)]) * _MULTIPLY[0]
        keep = left > 8
        more, at, left = more[keep], at[keep] + 8, left[keep] - 8
    return (_mixed(out) >> np.uint64(32)).astype(np.uint32)


# ---------------------------------------------------------------- beyond ASCII

# What is known of each character: the match key of a letter if that is one character, its kind, and whether its words
# are told one by one.
_TABLE = np.full(0x110000, _UNKNOWN << 21, np.uint32)
_KEY, _KIND, _ODD = np.uint32((1 << 21) - 1), np.uint32(21), np.uint32(1 << 24)
_SOLO, _IGNORED = re.compile(f"[{SOLO}]"), frozenset(map(ord, IGNORED))
_JAMO = range(0x1100, 0x1200)  # they join to syllables
_REMEMBERED = 1 << 16  # odd words of which the hash is remembered
_TOLD: dict[str, int] = {}


def _unicode(text: str, at: int) -> "tuple[Numbers, Numbers, Hashes]":
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    known = _TABLE.take(codes, mode="clip")
    kinds = (known >> _KIND).astype(np.uint8) & np.uint8(7)
    unknown = kinds == _UNKNOWN
    if unknown.any():
        _learn(np.unique(codes[unknown]).tolist())
        return _unicode(text, at)
    inner = kinds == _INNER
    if inner.any():  # they are of the kind of what they go on with
        kinds = kinds[np.maximum.accumulate(np.where(inner, 0, np.arange(len(kinds))))]
        inside = (kinds != _APART) & (kinds != _INNER)
    else:
        inside = kinds != _APART
    keys = np.where(inside, known & _KEY, np.uint32(32))
    data = (
        keys.astype("<u4", copy=False).tobytes().decode("utf-32-le", "surrogatepass").encode("utf-8", "surrogatepass")
    )
    if (kinds == _ALONE).any():
        begins = inside & ~inner
        begins[1:] &= (kinds[1:] == _ALONE) | (kinds[:-1] != _LETTER)
        starts = np.flatnonzero(begins)
        ends = np.flatnonzero(inside & np.append(begins[1:] | ~inside[1:], True)) + 1
        widths = sum((keys >= least for least in (0x80, 0x800, 0x10000)), np.ones(len(keys), np.uint8))
        bytes_at = np.concatenate(([0], np.cumsum(widths, dtype=np.int64)))
        first, last = bytes_at[starts], bytes_at[ends]
    else:
        starts, ends = _edges(inside)
        first, last = _edges(np.frombuffer(data, np.uint8) != 32)
    hashes = _hashes(data, first, last - first)
    odd = np.flatnonzero((known & _ODD).astype(bool) & inside)
    if len(odd):
        which = np.unique(np.searchsorted(starts, odd, "right") - 1)
        spans = zip(starts[which].tolist(), ends[which].tolist(), strict=True)
        hashes[which] = _told([text[start:end] for start, end in spans])
    return starts + at, ends - starts, hashes


def _learn(codes: Iterable[int]) -> None:
    """Fill the table for these characters."""
    for code in codes:
        char = chr(code)
        if char.isalnum():
            plain = key(char)
            odd = len(plain) != 1 or category(plain)[0] == "M" or ord(plain) in _JAMO
            kind, plain = _ALONE if _SOLO.match(char) else _LETTER, "\0" if odd else plain
        else:
            odd = code in _IGNORED or category(char)[0] == "M"
            kind, plain = _INNER if odd else _APART, "\0"
        _TABLE[code] = ord(plain) | kind << int(_KIND) | int(_ODD) * odd


def _told(found: list[str]) -> list[int]:
    """The hashes of words."""
    new = [word for word in set(found) if word not in _TOLD]
    if new:
        keys = [key(word).encode("utf-8", "surrogatepass") for word in new]
        sizes = np.array([*map(len, keys)])
        fresh = dict(zip(new, _hashes(b"".join(keys), np.cumsum(sizes) - sizes, sizes).tolist(), strict=True))
        if len(_TOLD) + len(fresh) > _REMEMBERED:  # they are told without being remembered
            return [fresh[word] if word in fresh else _TOLD[word] for word in found]
        _TOLD.update(fresh)
    return [_TOLD[word] for word in found]
