"""What goes, one Finding a removal: the facts that SARIF, GitHub and JUnit each tell in their own notation.

Why one walk: three reports that each read the Results in their own way would soon count differently. A document that
is dropped is one Finding: what repeats inside it goes with it. So the bytes of the Findings add up to `bytes_removed`.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

from xxhash import xxh3_128_hexdigest

from dedup.decide import REASONS
from dedup.model import Member, Result, Span
from dedup.normalise import keys
from dedup.record import Record
from dedup.report.run import Run

DOCUMENTS = {
    "exact-document": "a document that has the same words as another one",
    "near-document": "a document that differs from another one in some words",
    "contained-document": "a document that stands in another one as a part of it",
}
_RECORD = re.compile(r"(.+):([0-9]+)", re.DOTALL)


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
        return f"record {self.where}" if self.name == self.where else f"record {self.name} ({self.where})"

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


def documents(run: Run) -> Iterator[tuple[Result, Place, list[Finding]]]:
    """Yield each document with its place and what goes of it, none of them held: a batch may be large."""
    dropped = run.findings.dropped
    cuts = defaultdict(list)
    for cut in run.findings.cuts:
        if cut.first != cut.document:
            cuts[cut.document].append(cut)
    counts: Counter[tuple[str, str]] = Counter()

    def key(result: Result, place: Place, span: Span) -> str:
        text = result.data[slice(*span)].decode(result.encoding, "replace")
        digest = xxh3_128_hexdigest(" ".join(keys(text)).encode("utf-8", "surrogatepass"))
        counts[place.file, digest] += 1
        return f"{digest}:{counts[place.file, digest]}"

    for number, (result, removed) in enumerate(run.results()):
        place = Place(result.source, *run.where(number), None)
        if removed:
            found = [_document(run, dropped[number], result, place, key(result, place, (0, len(result.data))))]
        else:
            firsts = {run.side(number, cut.copy).bytes: cut.first for cut in cuts[number]}
            found = []
            for block in result.removed:
                here = place._replace(lines=block.copy.lines)
                first = firsts[block.copy.bytes] if block.document else number
                name, where = (block.document, run.where(first)) if block.document else (place.name, place[1:3])
                start, end = block.copy.bytes
                kept = Place(name, *where, block.kept.lines)
                stable = key(result, place, (start, end))
                found.append(Finding(block.rule, block.reason, here, kept, _seen(run, first), end - start, stable))
        yield result, place, found


def findings(run: Run) -> Iterator[Finding]:
    """Yield what goes, in the order of the documents and of their bytes."""
    return chain.from_iterable(found for _, _, found in documents(run))


def located(source: str) -> Place:
    """Return the place that an error names: a file, or FILE:LINE where it is a record."""
    match = _RECORD.fullmatch(source)
    return Place(source, match[1], int(match[2]), None) if match else Place(source, source, None, None)


def _document(run: Run, member: Member, result: Result, place: Place, key: str) -> Finding:
    witness = place_of(run, member.document if member.witness is None else member.witness)
    seen = "" if member.witness is None else _seen(run, member.witness)
    return Finding(f"{member.kind}-document", member.reason, place, witness, seen, len(result.data), key)


def place_of(run: Run, document: int) -> Place:
    """Return the place of all of a document."""
    return Place(run.name(document), *run.where(document), None)


def _seen(run: Run, document: int) -> str:
    seen = run.seen(document)
    return f", which the index has from run {seen['run']} of {seen['started']}" if seen else ""
