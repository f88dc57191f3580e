"""What goes, one Finding a removal: the facts that SARIF, GitHub and JUnit each tell in their own notation.

Why one walk: reports that each read the Results in their own way would soon count differently. A document that is
dropped is one Finding: what repeats inside it goes with it. So the bytes of the Findings add up to `bytes_removed`, but
for the line ends that moved paragraphs leave behind.
"""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from xxhash import xxh3_128_hexdigest

from dedup.decide import REASONS
from dedup.model import Result, Span
from dedup.normalise import keys
from dedup.record import Record
from dedup.report.run import Run
from dedup.report.safe import safe

DOCUMENTS = {
    "exact-document": "a document that has the same words as another one",
    "near-document": "a document that differs from another one in some words",
    "contained-document": "a document that stands in another one as a part of it",
}
CAPPED = "so many documents share some of their text that each was compared with the first of them only"

_HELD = 10_000  # documents


class Place(Record):
    """Some lines of a document, or all of it; a document is a file, or the record that is a line of one."""

    name: str  # of the document
    file: str
    record: int | None  # its line
    lines: Span | None  # of the document, which for a record are those of its text

    @property
    def path(self) -> str:
        """The file, without `./`: sites that compare paths compare letters."""
        return os.path.normpath(self.file)

    @property
    def region(self) -> Span:
        """Lines of the file, first and last."""
        return (self.record, self.record) if self.record else self.lines or (1, 1)

    @property
    def where(self) -> str:
        """The file, and the line of the record."""
        return f"{self.file}:{self.record}" if self.record else self.file

    @property
    def title(self) -> str:
        """How a sentence names the document."""
        if not self.record:
            return self.file
        return f"record {self.where}" if self.name == safe(self.where) else f"record {self.name} ({self.where})"

    @property
    def said(self) -> str:
        """The lines in words; nothing where it is all of the document."""
        if not self.lines:
            return ""
        first, last = self.lines
        return f"line {first}" if first == last else f"lines {first}-{last}"


class Finding(Record):
    """One removal: what goes, the text that stays for it, and by which rule."""

    rule: str
    reason: str
    place: Place
    kept: Place
    seen: str  # the run of the index that the kept text is from
    bytes: int
    key: str  # stable while lines move: the hash of the words, and a count of the removals of a file that share it

    @property
    def told(self) -> tuple[str, str, str]:
        """A sentence in three parts. The middle one stands for the kept text and has no content in it, so it may be
        made a link.
        """
        record = f"record {self.place.name}" if self.place.record else ""
        what = " of ".join(filter(None, (self.place.said, record))) or "the document"
        verb = "repeat" if what.startswith("lines") else "repeats"
        apart = (self.kept.file, self.kept.record) != (self.place.file, self.place.record)
        other = f" of {self.kept.title}{self.seen}" if apart or self.seen else ""
        return f"{what[0].upper()}{what[1:]} {verb}", self.kept.said or "the text", f"{other}: {self.reason}"

    @property
    def sentence(self) -> str:
        """What happens, in words, without its full stop."""
        head, link, tail = self.told
        return f"{head} {link}{tail}"

    @property
    def about(self) -> str:
        """What the rule means, whatever the case."""
        return REASONS.get(self.rule) or DOCUMENTS.get(self.rule) or self.reason


class Told(Record):
    """A document that may have findings: its number, its bytes, its place, and what goes of it."""

    number: int
    size: int
    place: Place
    found: list[Finding]


def documents(run: Run) -> Iterator[Told]:
    """Yield the documents that may have findings. What the run accepts is left out.

    Several reports ask: what is found is kept, unless the batch is large.
    """
    if run.told:
        yield from run.told
        return
    held: list[Told] = []
    for number, told in enumerate(_documents(run)):
        if number < _HELD:
            held.append(told)
        yield told
    if len(held) < _HELD:
        run.told[:] = held


def _documents(run: Run) -> Iterator[Told]:
    clusters = run.findings.clusters
    dropped = {m.document: (m, c.canonical) for c in clusters for m in c.members if m.witness == c.canonical}
    counts: Counter[tuple[str, str]] = Counter()
    for number, result, removed in run.repeating():
        place = Place(result.source, *run.where(number), None)
        found = []
        if removed:
            member, first = dropped[number]
            kept = place_of(run, first)
            gone = [(f"{member.kind}-document", member.reason, place, (0, len(result.data)), kept, first)]
        else:
            gone = []
            for block in sorted(result.removed, key=lambda block: (block.copy.bytes[0], -block.copy.bytes[1])):
                first = number if block.document is None else block.document
                kept = place if block.document is None else place_of(run, first)
                if first >= 0:  # of a document of the index only the clean text is known, not the lines of its file
                    kept = kept._replace(lines=block.kept.lines)
                here = place._replace(lines=block.copy.lines)
                gone.append((block.rule, block.reason, here, block.copy.bytes, kept, first))
        sizes = _sizes([span for _, _, _, span, _, _ in gone])
        for (rule, reason, here, span, kept, first), size in zip(gone, sizes, strict=True):
            digest = _digest(result, span)
            counts[here.path, digest] += 1
            times = counts[here.path, digest]
            if times > run.accepted.get(here.path, {}).get(digest, 0):
                found.append(Finding(rule, reason, here, kept, _index(run, first), size, f"{digest}:{times}"))
        yield Told(number, len(result.data), place, found)


def _sizes(spans: list[Span]) -> list[int]:
    """How many bytes each has by itself: a passage may be cut around what was gone already."""
    sizes = [end - start for start, end in spans]
    around: list[int] = []
    for at, (start, end) in enumerate(spans):
        while around and spans[around[-1]][1] <= start:
            around.pop()
        if around:
            sizes[around[-1]] -= min(end, spans[around[-1]][1]) - start
        around.append(at)
    return sizes


def _digest(result: Result, span: Span) -> str:
    """The hash of the words in a span of bytes."""
    text = result.data[slice(*span)].decode(result.encoding, "replace")
    return xxh3_128_hexdigest(" ".join(keys(text)).encode("utf-8", "surrogatepass"))


def _index(run: Run, document: int) -> str:
    seen = run.seen(document) if document < 0 else None
    return f", which the index has from run {seen['run']} of {seen['started']}" if seen else ""


def findings(run: Run) -> Iterator[Finding]:
    """Yield what goes, in the order of the documents and of their bytes."""
    return chain.from_iterable(told.found for told in documents(run))


def place_at(file: str, line: int | None = None) -> Place:
    """Return the place of all of a file, or of a record of it, whose name is not known."""
    return Place(file, file, line, None)


def place_of(run: Run, document: int) -> Place:
    """Return the place of all of a document."""
    return Place(run.name(document), *run.where(document), None)


def count(number: int, noun: str) -> str:
    """Return how many there are, in words.

    >>> count(1, "finding"), count(2500, "finding")
    ('1 finding', '2,500 findings')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
