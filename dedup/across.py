"""Many documents, each cleaned by itself: which of them repeat one another, and what goes. Reads in four steps.

    documents --features--> tables --exact--> same words            dropped
                                   --near---> near, contained       dropped when asked, proved as in one document
                                   --lines--> boilerplate           lines that many documents of a site have
                                   --runs---> passages              what else two documents share

Why tables: the features of a batch may not fit in memory; whoever holds them (`engine`) joins them by key, and gives
rows back in a stated order, so the answer does not depend on how many workers made them.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from dedup.config import Config
from dedup.decode import byte_spans
from dedup.features import Rows
from dedup.fingerprint import distinct, overlap, shingles
from dedup.left import Corpus, Left, bytes_of
from dedup.model import (
    Boilerplate,
    Change,
    Cluster,
    Difference,
    Findings,
    Member,
    Page,
    Passage,
    Span,
)
from dedup.normalise import keys, reading
from dedup.vector import common
from dedup.verify import figures
from dedup.within import clean_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dedup.fingerprint import Hashes

HALF = 0.5  # documents are a pair when they share half of what either has, or half of the smaller one
CONTAINED = 0.95  # of the shingles of the smaller document; the rest is what is glued to its ends
GAP = 16  # words between two runs of one passage, at most, on either side
_BREAK = "\n\n"  # between two documents that are judged as one


class Tables(Protocol):
    """The features of a batch, joined by key. Documents have numbers in their order; those of an index are negative."""

    capped: int  # fingerprints that so many documents share that each was linked to one of them only

    def exact(self) -> "Iterable[tuple[int, int]]":
        """Yield (document, the document that it repeats), by document: both have the same digest."""

    def pairs(self) -> "Iterable[tuple[int, int]]":
        """Yield (document, a more complete or equal and earlier one), documents in the order of completeness."""

    def lines(self, least: int) -> "Iterable[tuple[int, int, int, int, int]]":
        """Yield (documents, one, place there, the first, place there) of lines that `least` documents of a group have.

        Of a line that is written in several ways each way that is as frequent by itself, else the most frequent one,
        as the document `one` has it.
        """

    def holders(self) -> "Iterable[tuple[int, int, int, int, int]]":
        """Yield (document, place, words, first document, place there) of each of these lines, in order."""

    def runs(self, but: "Iterable[tuple[int, int]]") -> "Iterable[tuple[int, int, int, int]]":
        """Yield (document, place, first document with this fingerprint, place there), in order, `but` of pairs."""

    def drop(self, documents: "Iterable[int]") -> None:
        """Leave these documents out from now on."""

    def replace(self, documents: "Sequence[int]", parts: "Iterable[Rows]") -> None:
        """Take these rows for those of `documents`; each part has those of the next few, counted from 0."""


def find(tables: Tables, corpus: Corpus, config: Config) -> Findings:
    """Return what the documents of `corpus` share, and what of it goes under `config`."""
    work = _Across(tables, corpus, config)
    boilerplate: dict[tuple[int, Span, str], tuple[Boilerplate, int | None]] = {}
    passages: dict[tuple[int, Span], Passage] = {}
    more = True
    while more:
        # What stays is told of what is left in the end.
        boilerplate = {place: line for place, line in boilerplate.items() if line[0].removed}
        passages = {place: passage for place, passage in passages.items() if passage.removed}
        work.exact()
        work.near()
        for line, cut in work.boilerplate():
            boilerplate.setdefault((line.first, line.kept, line.text), (line, cut))
        for passage in work.passages():
            passages.setdefault((passage.document, passage.copy), passage)
        more = work.settled()
    clusters = [
        Cluster(head, tuple(work.clusters[head].values())) for head in sorted(work.clusters) if work.clusters[head]
    ]
    lines = [
        line if cut is None else line._replace(first=work.left.cuts[cut].first, kept=work.left.cuts[cut].kept)
        for line, cut in boilerplate.values()
    ]
    return Findings(
        tuple(clusters),
        tuple(passages[place] for place in sorted(passages)),
        tuple(sorted(lines, key=lambda line: (line.first, line.kept, line.text))),
        tuple(sorted(work.left.cuts)),
        tables.capped,
    )


class _Across:
    def __init__(self, tables: Tables, corpus: Corpus, config: Config) -> None:
        self.tables, self.config = tables, config
        self.clusters: dict[int, dict[int, Member]] = defaultdict(dict)
        self.heads: dict[int, set[int]] = defaultdict(set)  # of each document, those of the clusters that it is in
        self.pairs: set[tuple[int, int]] = set()  # documents that are alike now, each way round
        self.copies: set[tuple[int, int]] = set()  # and of these the near ones, and parts
        self.dropped: set[int] = set()
        self.left = Left(corpus, config)
        self.shingles = lru_cache(512)(self._shingles)

    def _shingles(self, document: int) -> "Hashes":
        return distinct(shingles(self.left.words(document)))

    def enter(self, head: int, member: Member) -> None:
        """Put a document into the cluster of `head`. What was told of it there stays, unless it goes."""
        known = self.clusters[head].get(member.document)
        if known is None or (member.witness == head and known.witness != head):
            self.clusters[head][member.document] = member
        self.heads[head].add(head)
        self.heads[member.document].add(head)

    # ------------------------------------------------------------ documents

    def exact(self) -> None:
        """Documents of the same words: all but the first go."""
        for document, first in self.tables.exact():
            if self._same(first, document) and self.left.carried(
                document, (0, len(self.left.words(document))), first, 0
            ):
                self._drop(Member(document, "exact", 1.0, 1.0, first, "the same words"), first)
        self.tables.drop(self.dropped)

    def _drop(self, member: Member, witness: int) -> None:
        """Let a document go for `witness`, and with it those that went for the document."""
        document = member.document
        self.dropped.add(document)
        self.enter(witness, member)
        for copy in [m for m in self.clusters[document].values() if m.witness == document]:
            del self.clusters[document][copy.document]
            self.heads[copy.document].discard(document)
            told = member.differences
            if self.left.text(copy.document).data != self.left.text(document).data:
                why, again = self._proof(copy.document, witness)
                told = copy.differences if why else again
            self.enter(witness, member._replace(document=copy.document, differences=told))

    def _same(self, first: int, document: int) -> bool:
        left, right = self.left.text(first), self.left.text(document)
        if left.text == right.text:
            return True
        return keys(left.text) == keys(right.text) and figures(reading(left.text)) == figures(reading(right.text))

    def near(self) -> None:
        """Documents that share half of their shingles, or half of the smaller one's; one that is proved a copy goes."""
        self.pairs.clear()
        self.copies.clear()
        while True:
            gone = [
                document
                for document, rows in groupby(self.tables.pairs(), lambda row: row[0])
                if self._paired(document, [other for _, other in rows])
            ]
            self.tables.drop(gone)
            if not (gone and self.tables.capped):
                return

    def _paired(self, document: int, others: list[int]) -> bool:
        mine = self.shingles(document)
        found = []
        for other in others:
            resemblance, containment = overlap(mine, self.shingles(other))
            if max(resemblance, containment) >= HALF:
                found.append((-resemblance, -containment, other))
        apart = []
        gone = False
        for resemblance, containment, other in sorted(found):
            member = self._judged(document, other, -resemblance, -containment, gone)
            if member.removed:
                gone = True
                self._drop(member, other)
            else:
                apart.append((other, member))
        for other, member in apart:
            both = {(document, other), (other, document)}
            self.pairs |= both
            self.copies |= both if member.kind != "overlap" else set()
            if not self.heads[document] & self.heads[other]:
                self.enter(other, member)
            if document in self.clusters:
                same = [copy.document for copy in self.clusters[document].values() if copy.kind == "exact"]
                self.enter(document, member._replace(document=other))
                for number in same if other in self.clusters else ():
                    self.enter(other, member._replace(document=number, witness=document))
        return gone

    def _judged(self, document: int, other: int, resemblance: float, containment: float, gone: bool) -> Member:
        """The pair, and whether `document` goes for `other`, unless it is `gone` already."""
        config, changes = self.config, tuple["Difference", ...]()
        near, contained = resemblance >= config.resemblance, containment >= CONTAINED
        kind = "near" if near else "contained" if contained else "overlap"
        asked = (near and config.similarity is not None) or (contained and config.contained)
        if not near and not contained:
            reason = "shares a part"
        elif gone:
            asked, reason = False, f"{kind} copy"
        elif not asked:
            reason = f"{kind} copy, kept: {'--near' if near else '--contained'} drops such"
        elif self.left.resting[document]:
            asked, reason = False, f"{kind} copy, kept: others have lost what it has"
        elif other in self.dropped:
            asked, reason = False, f"{kind} copy, kept: the other was dropped itself"
        else:
            reason, changes = self._proof(document, other)
            asked, reason = not reason, reason or f"{kind} copy"
        return Member(document, kind, resemblance, containment, other if asked else None, reason, changes)

    def _proof(self, document: int, other: int) -> "tuple[str, tuple[Difference, ...]]":
        """Why `document` may not go for `other`; else nothing, and where they differ.

        Both are judged as if they stood in one text.
        """
        texts = [self.left.text(number).text for number in (other, document)]
        start = len(texts[0].rstrip().encode("utf-8", "surrogatepass"))
        both = _BREAK.join(texts).encode("utf-8", "surrogatepass")
        result = clean_document(both, self.config._replace(keep="first"), force_text=True)
        left = b"".join(both[max(start, a) : b] for a, b in result.pieces if b > start)
        if any(block.moved or block.copy.bytes[0] < start for block in result.removed):
            return "kept: the other is not the better copy", ()
        if not keys(left.decode("utf-8", "replace")):
            changes = [c for block in result.removed for c in block.changes]
            return "", self._differences(document, other, both, changes)
        for block in result.repeated:
            if block.copy.bytes[0] >= start and block.rule.startswith("near-"):
                return block.reason, ()
        return "kept: it has words that the other has not", ()

    def _differences(
        self, document: int, other: int, both: bytes, changes: "Sequence[Change]"
    ) -> "tuple[Difference, ...]":
        """Changes between two documents that were judged as one, in the bytes of the clean text of each."""
        places = sorted({at for change in changes for span in change for at in span})
        chars = dict(zip(places, _chars(both, places), strict=True))
        begin = len(self.left.text(other).text) + len(_BREAK)

        def told(number: int, spans: "list[Span]", first: int) -> "list[tuple[Span, str]]":
            here = [(max(0, chars[a] - first), max(0, chars[b] - first)) for a, b in spans]
            of = zip(byte_spans(self.left.text(number), here), spans, strict=True)
            return [
                (self.left.clean(number, span), both[slice(*at)].decode("utf-8", "surrogatepass")) for span, at in of
            ]

        copies, kept = told(document, [c.copy for c in changes], begin), told(other, [c.kept for c in changes], 0)
        return tuple(Difference(*a, *b) for a, b in zip(copies, kept, strict=True))

    # ------------------------------------------------------------ parts of documents

    def boilerplate(self) -> "Iterator[tuple[Boilerplate, int | None]]":
        """Lines that several documents of a group have. Where they go, the first document keeps its own.

        With each that goes comes the number of one of the cuts.
        """
        lines = list(self.tables.lines(self.config.min_documents))
        if self.config.boilerplate:
            for document, place, size, first, there in self.tables.holders():
                if document != first:
                    self.left.cut(document, (place, place + size), first, (there, there + size), "boilerplate")
        gone = {(cut.first, cut.kept): number for number, cut in enumerate(self.left.cuts)}
        for count, one, place, first, there in lines:
            written, (text, sheet) = self.left.sheet(one)[1], self.left.sheet(first)
            span = self.left.clean(first, bytes_of(text, sheet, (there, sheet.first[sheet.paragraph(there) + 1])))
            told = written.line(written.paragraph(place)).strip()
            yield Boilerplate(told, count, first, span, (first, span) in gone), gone.get((first, span))

    def passages(self) -> "Iterator[Passage]":
        """Runs of words that a document shares with an earlier one, boilerplate aside; of a pair only what goes.

        From near copies and from parts of others nothing goes: whether these stay is asked for by other names.
        """
        lines = _Follower(self.tables.holders())
        apart = self.copies if self.config.passages else self.pairs
        for document, rows in groupby(self.tables.runs(apart), lambda row: row[0]):
            known = [(place, place + size) for _, place, size, *_ in lines.of(document)]
            for first, runs in self._chains(self._runs(document, rows)):
                matched = sum(_own(copy, known) for copy, _ in runs)
                if matched < self.config.min_passage:
                    continue
                gone = [self._cut_run(document, first, copy, kept) for copy, kept in runs if self.config.passages]
                if (document, first) in self.pairs and not any(gone):
                    continue
                copy, kept = ((runs[0][side][0], runs[-1][side][1]) for side in (0, 1))
                pages = self.left.sheet(document), self.left.sheet(first)
                here = self.left.clean(document, bytes_of(*pages[0], copy))
                there = self.left.clean(first, bytes_of(*pages[1], kept))
                yield Passage(document, here, first, there, matched, pages[0][1].phrase(copy), any(gone))

    def _runs(self, document: int, rows: "Iterable[tuple[int, int, int, int]]") -> "list[tuple[int, Span, Span]]":
        """The maximal runs that have these fingerprints, as (earlier document, words here, words there), in order."""
        mine = self.left.words(document)
        covered: dict[tuple[int, int], int] = {}
        found = []
        for _, at, first, there in rows:
            if covered.get((first, there - at), 0) > at:
                continue
            theirs = self.left.words(first)
            start = at - common(mine[:at][::-1], theirs[:there][::-1])
            end = at + common(mine[at:], theirs[there:])
            covered[first, there - at] = end
            found.append((first, (start, end), (start + there - at, end + there - at)))
        return sorted(found, key=lambda run: run[1])

    def _chains(self, runs: "list[tuple[int, Span, Span]]") -> "list[tuple[int, list[tuple[Span, Span]]]]":
        """Runs with one earlier document that follow one another on both sides: a passage, perhaps edited."""
        out: list[tuple[int, list[tuple[Span, Span]]]] = []
        last: dict[int, list[tuple[Span, Span]]] = {}
        for first, copy, kept in runs:
            chain = last.get(first)
            if chain and all(0 <= span[0] - end <= GAP for span, (_, end) in zip((copy, kept), chain[-1], strict=True)):
                chain.append((copy, kept))
            else:
                last[first] = [(copy, kept)]
                out.append((first, last[first]))
        return out

    def _cut_run(self, document: int, first: int, copy: Span, kept: Span) -> bool:
        """Cut the whole paragraphs of a run that is long enough; say whether."""
        start, end = _whole(self.left.sheet(document)[1], copy)
        shift = kept[0] - copy[0]
        long = end - start >= self.config.min_passage
        return long and self.left.cut(document, (start, end), first, (start + shift, end + shift), "passage")

    def settled(self) -> bool:
        """Take what was cut out of the documents, and say whether there was any."""
        changed = [*self.left.pending]
        if changed:
            self.tables.replace(changed, self.left.settled())
        self.shingles.cache_clear()
        return bool(changed)


class _Follower:
    """Rows in the order of their documents, read along with others in that order."""

    def __init__(self, rows: "Iterable[tuple[int, ...]]") -> None:
        self.groups = groupby(rows, lambda row: row[0])
        self.at, self.rows = -1, list["tuple[int, ...]"]()

    def of(self, document: int) -> "list[tuple[int, ...]]":
        """The rows of a document; documents are asked for in order."""
        while self.at < document:
            self.at, rows = next(self.groups, (1 << 62, iter(())))
            self.rows = list(rows)
        return self.rows if self.at == document else []


def _own(run: Span, lines: list[Span]) -> int:
    """The words of `run` that are in none of these lines."""
    return run[1] - run[0] - sum(max(0, min(end, run[1]) - max(start, run[0])) for start, end in lines)


def _whole(sheet: Page, run: Span) -> Span:
    """The words of the paragraphs that are wholly in `run`."""
    first = sheet.first
    start = bisect_left(first, run[0])
    end = bisect_right(first, run[1]) - 1
    return (first[start], first[end]) if start < end else (run[0], run[0])


def _chars(data: bytes, places: "Sequence[int]") -> "Iterator[int]":
    """The ascending byte offsets `places` in UTF-8 as characters."""
    at = total = 0
    for place in places:
        total += len(data[at:place].decode("utf-8", "surrogatepass"))
        at = place
        yield total
