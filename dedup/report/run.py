"""What a report tells: the results of a run, and how its documents are called."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dedup.config import Config
from dedup.model import Failure, Findings, Result, Side, Span


def _none(*_: Any) -> Any:
    return None


@dataclass(frozen=True, slots=True)
class Run:
    """The settings, totals, documents and findings of a run, as reports take them."""

    config: Config
    totals: dict[str, Any]
    result: Callable[[int], Result]  # of a document
    errors: Sequence[Failure] = ()
    skipped: Sequence[str] = ()  # files
    notes: Sequence[str] = ()  # what was read in another way than asked for
    # Of each file, how many findings with the same words are accepted; reports of findings leave these out.
    accepted: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    # Files are named as they were given: bytes that are no text are lone surrogates, for each report to escape.
    # Documents have numbers from 0 in the order of the inputs; those of an index, below 0.
    name: Callable[[int], str] = _none  # of a document
    where: Callable[[int], tuple[str, int | None]] = _none  # its file, and its line there if it is a record of one
    side: Callable[[int, Span], Side] = _none  # a span of its clean text, as lines and paragraphs of its input
    seen: Callable[[int], dict[str, Any] | None] = _none  # of a document of an index: where it came from
    repeats: Callable[[], Iterable[int]] | None = None  # documents in which something repeats; None: each may be one
    outline: Callable[[int], Result] | None = None  # of a document: its Result without its bytes
    told: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)  # what `findings` keeps

    def results(self) -> Iterator[tuple[int, Result, bool]]:
        """Yield each document: its number, its Result, and whether it is dropped."""
        return self._read(range(self.totals["documents"]))

    def outlines(self) -> Iterator[tuple[int, Result, bool]]:
        """Yield what `results` does, but where nothing repeats maybe without the bytes; `pieces` tell how many."""
        numbers = range(self.totals["documents"])
        if self.repeats is None or self.outline is None:
            return self.results()
        read, outline = {*self.repeats(), *self.findings.dropped}, self.outline
        dropped = self.findings.dropped
        return ((n, self.result(n) if n in read else outline(n), n in dropped) for n in numbers)

    def repeating(self) -> Iterator[tuple[int, Result, bool]]:
        """Yield the documents that are dropped or may have repeats. The others, often most of a batch, are not read."""
        if self.repeats is None:
            return self.results()
        return self._read(sorted({*self.repeats(), *self.findings.dropped}))

    def _read(self, documents: Iterable[int]) -> Iterator[tuple[int, Result, bool]]:
        dropped = self.findings.dropped
        return ((document, self.result(document), document in dropped) for document in documents)
