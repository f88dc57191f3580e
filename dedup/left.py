"""What is left of the documents of a batch when others have parts of them, and what that rests on.

Why: a part goes because an earlier document keeps its words. That one may lose them itself, for another: then what went
for it rests on that other one, word by word. So each cut names a document that has the words in the end.
"""

from bisect import bisect_left
from collections import defaultdict
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dedup import vector
from dedup.config import Config
from dedup.decide import REASONS
from dedup.decode import again, byte_offsets, decode
from dedup.evidence import soft
from dedup.features import Rows, features
from dedup.model import Block, Document, Page, Result, Shared, Side, Span
from dedup.normalise import keys, words
from dedup.rewrite import Table, undo
from dedup.segment import page, segment
from dedup.tell import sides
from dedup.within import clean_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

SHARED = {
    "passage": "a passage that an earlier document has",
    "boilerplate": "a line that many documents of the site have",
}
_PART = 1 << 19  # characters of documents of which the features are found in one go


class Corpus(Protocol):
    """The documents of a batch, and those of an index."""

    def hashes(self, document: int) -> bytes:
        """Return the 32-bit hashes of the words."""

    def text(self, document: int) -> Document:
        """Return the clean text."""


class Left:
    """What is left of the clean text of each document."""

    def __init__(self, corpus: Corpus, config: Config) -> None:
        self.corpus, self.config = corpus, config
        self.cuts: list[Shared] = []
        self.gone: dict[int, list[Span]] = defaultdict(list)  # of each document, bytes of its clean text that are cut
        self.resting: dict[int, set[int]] = defaultdict(set)  # the cuts for which it keeps the words, by number
        self.of: dict[int, set[int]] = defaultdict(set)  # and those that are its own
        self.now: dict[int, Table] = {}  # from what is left of a document to its clean text
        self.pending: dict[int, list[Span]] = defaultdict(list)  # bytes of what is left that go next
        self.sheet = lru_cache(64)(self._sheet)
        self.places = lru_cache(64)(self._places)
        self.words = lru_cache(512)(self._words)

    def _sheet(self, document: int) -> tuple[Document, Page]:
        found = self.text(document)
        return found, page(found.text, segment(found.text), vector.words(found.text))

    def text(self, document: int) -> Document:
        """What is left of the clean text of a document."""
        clean = self.corpus.text(document)
        table = self.now.get(document)
        return decode(table.text(clean.data), force_text=True) if table else clean

    def _words(self, document: int) -> "NDArray[np.uint32]":
        if document in self.now:
            return vector.Batch([self.text(document).text]).hashes
        return np.frombuffer(self.corpus.hashes(document), np.uint32)

    def cut(self, document: int, copy: Span, first: int, kept: Span, rule: str) -> bool:
        """Cut whole paragraphs, the words `copy`, from a document, if `first` keeps these words; say whether."""
        (text, sheet), (other, there) = self.sheet(document), self.sheet(first)
        p, q = sheet.paragraph(copy[0]), sheet.paragraph(copy[1] - 1) + 1
        if any(soft(sheet, at) for at in (p, q) if 0 < at < len(sheet.paragraphs.starts)):
            return False  # a line of a wrapped paragraph: what is left would be torn
        if kept[1] > len(there.words.starts) or keys(sheet.phrase(copy)) != keys(there.phrase(kept)):
            return False
        starts = [*sheet.paragraphs.starts, len(sheet.text)]
        begin, end = byte_offsets(text, [starts[p], starts[q]])
        out, stays = self._parts(document, (begin, end)), self._parts(first, bytes_of(other, there, kept))
        if any(_meets(self.gone[document], part) for part in out):
            return False
        if any(_meets(self.gone.get(first, []), part) for part in stays):
            return False
        if not self.carried(document, copy, first, kept[0] - copy[0]):
            return False
        here, kept_there = (out[0][0], out[-1][1]), (stays[0][0], stays[-1][1])
        self._note(Shared(document, here, first, kept_there, copy[1] - copy[0], rule))
        self.gone[document] += out
        self.pending[document].append((begin, end))
        return True

    def _note(self, cut: Shared, number: "int | None" = None) -> None:
        """Enter a cut, or put it in the place of the one with this number."""
        if number is None:
            number = len(self.cuts)
            self.cuts.append(cut)
        self.cuts[number] = cut
        self.of[cut.document].add(number)
        self.resting[cut.first].add(number)

    def carried(self, document: int, copy: Span, first: int, shift: int) -> bool:
        """Let what rests on these words of a document rest on those of the first one, `shift` words on; say if it can.

        A cut of which only some words are concerned becomes several, unless it is a line of the site.
        """
        if not self.resting[document]:
            return True
        places, concerned = self.places(document), []
        for number in sorted(self.resting[document]):
            cut = self.cuts[number]
            a, b = (bisect_left(places, place) for place in cut.kept)
            low, high = max(a, copy[0]), min(b, copy[1])
            if low < high:
                starts = self._starts(cut)
                torn = cut.rule == "boilerplate" and (low, high) != (a, b)
                if torn or not len(starts) == cut.words == b - a:
                    return False
                concerned.append((number, starts, (a, low, high, b)))
        for number, starts, bounds in concerned:
            cut, given = self.cuts[number], [number]
            self.resting[document].discard(number)
            edges = [*starts, cut.copy[1]]
            edges[0] = cut.copy[0]
            for (i, j), holder in zip(pairwise(bounds), (document, first, document), strict=True):
                if i < j:
                    here = edges[i - bounds[0]], edges[j - bounds[0]]
                    moved = shift if holder == first else 0
                    stays = self._parts(holder, bytes_of(*self.sheet(holder), (i + moved, j + moved)))
                    kept = stays[0][0], stays[-1][1]
                    part = cut._replace(copy=here, first=holder, kept=kept, words=j - i)
                    self._note(part, given.pop() if given else None)
        return True

    def _places(self, document: int) -> list[int]:
        """Where the words of what is left of a document start, in bytes of its clean text."""
        text, sheet = self.sheet(document)
        return [self.clean(document, (at, at + 1))[0] for at in byte_offsets(text, sheet.words.starts)]

    def _starts(self, cut: Shared) -> list[int]:
        """Where the words of a cut start, in bytes of the clean text; those of others inside it aside."""
        text, begin = self.corpus.text(cut.document), cut.copy[0]
        others = (self.cuts[number].copy for number in self.of[cut.document])
        inner = _joined(span for span in others if span != cut.copy and begin <= span[0] and span[1] <= cut.copy[1])
        table = Table([cut.copy]).after(((a - begin, b - begin), None) for a, b in inner)
        found = again(text, table.text(text.data))
        return [table.span((at, at + 1))[0] for at in byte_offsets(found, words(found.text).starts)]

    def _parts(self, document: int, span: Span) -> list[Span]:
        """Bytes of what is left of a document, as stretches of its clean text; what stood between them is gone."""
        table = self.now.get(document)
        return table.spans(span) if table else [span]

    def clean(self, document: int, span: Span) -> Span:
        """Bytes of what is left of a document, as bytes of its clean text."""
        table = self.now.get(document)
        return table.span(span) if table else span

    def settled(self) -> "Iterator[Rows]":
        """Take what was cut out of the documents, and yield the features of what is left, those of many in one."""
        texts, size = list[str](), 0
        for document, spans in self.pending.items():
            texts.append(self._anew(document, spans))
            size += len(texts[-1])
            if size >= _PART:
                yield _features(texts)
                texts, size = [], 0
        yield _features(texts)
        self.pending.clear()
        for cache in (self.sheet, self.places, self.words):
            cache.cache_clear()

    def _anew(self, document: int, spans: "list[Span]") -> str:
        """What is left of a document of which these bytes go, and after them what it repeats now."""
        data = self.corpus.text(document).data
        table = (self.now.get(document) or Table([(0, len(data))])).after((span, None) for span in sorted(spans))
        # A cut may have laid two copies side by side. What differs in a word is left to a run that can tell of it.
        result = clean_document(table.text(data), self.config._replace(similarity=None), force_text=True)
        needed = [self.cuts[number].kept for number in self.resting[document]]
        copies = [b for b in result.removed if not any(_meets(needed, s) for s in table.spans(b.copy.bytes))]
        for block in copies:
            copy, kept = table.span(block.copy.bytes), table.span(block.kept.bytes)
            self._note(Shared(document, copy, document, kept, block.words, block.rule))
            self.gone[document] += table.spans(block.copy.bytes)
        self.now[document] = table.after((span, None) for span in sorted(block.copy.bytes for block in copies))
        return decode(self.now[document].text(data), force_text=True).text


def edited(result: Result, cuts: "Sequence[Shared]", of: "Callable[[int], Result]") -> Result:
    """Return `result` without what other documents have too; `of` gives the Results of these."""
    before = Table.of(result)
    table = before.after((span, None) for span in _joined(cut.copy for cut in cuts))
    clean = table.text(result.data)
    blocks, side = list(result.blocks), sides_of(result)
    for cut in cuts:
        other = of(cut.first)
        here, there = side(before.span(cut.copy)), sides_of(other)(Table.of(other).span(cut.kept))
        reason = SHARED.get(cut.rule) or REASONS[cut.rule]
        first = cut.first if cut.first != cut.document else None
        # What a copy within the document repeats may be gone too: then it stands where that stands.
        (start, end), inner = here.bytes, [b.kept.bytes for b in blocks]
        blocks = [
            b._replace(kept=there, document=first) if b.removed and b.document is None and start <= a < z <= end else b
            for b, (a, z) in zip(blocks, inner, strict=True)
        ]
        blocks.append(Block("", "exact", 1.0, here, there, cut.words, True, cut.rule, reason, document=first))
    blocks = [b._replace(id=str(n)) for n, b in enumerate(sorted(blocks, key=lambda b: b.copy.bytes), 1)]
    witnesses = [(b.copy.bytes[0], b.kept.bytes[0]) for b in blocks if b.removed and b.document is None]
    after = len(segment(decode(clean, force_text=True, encoding=result.encoding).text).starts)
    return result._replace(
        clean=clean,
        blocks=tuple(blocks),
        ops=undo(result.data, clean, table, witnesses),
        pieces=tuple(table.pieces),
        paragraphs=(result.paragraphs[0], after),
    )


def _joined(spans: "Iterable[Span]") -> "list[Span]":
    """The spans in order; those that meet (one was cut around another that was gone already) are one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            start, last = out.pop()
            end = max(end, last)
        out.append((start, end))
    return out


def sides_of(result: Result) -> "Callable[[Span], Side]":
    """Return the function that tells the lines and paragraphs of a span of bytes of the input of `result`."""
    document = decode(result.data, force_text=True, encoding=result.encoding)
    return sides(document, segment(document.text))


def _features(texts: list[str]) -> "Rows":
    return features(vector.Batch(texts), [""] * len(texts), [""] * len(texts))


def _meets(spans: list[Span], span: Span) -> bool:
    return any(a < span[1] and span[0] < b for a, b in spans)


def bytes_of(document: Document, sheet: Page, span: Span) -> Span:
    """The bytes of the words of `span`."""
    start, end = byte_offsets(document, [sheet.words.starts[span[0]], sheet.words.end(span[1] - 1)])
    return start, end
