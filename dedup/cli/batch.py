"""A batch: documents cleaned by several processes, then compared with one another and with an index."""

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import lru_cache

import duckdb

from dedup.across import find
from dedup.cli.alone import spreading
from dedup.cli.folder import full, working_folder
from dedup.cli.inputs import SMALL, Engine, Tally
from dedup.cli.lasting import Place, changed, lasting
from dedup.cli.progress import progress, size
from dedup.config import Config
from dedup.decode import decode
from dedup.engine import Tables
from dedup.errors import OutputError
from dedup.index import Index
from dedup.io.corpus import Corpus, Gathered, Unit, gather, units
from dedup.io.documents import Reading, Source
from dedup.left import edited, sides_of
from dedup.model import Failure, Findings, Result, Shared, Side, Span
from dedup.processes import processes
from dedup.report.run import Run
from dedup.rewrite import Table

_NAMED = 5  # sources that the name of a run tells
_SHARE = 0.5  # of the memory of the machine, where no limit is given
_REST = 0.4  # of the limit is for the tables; the rest is for Python, the workers and what tables take beyond a limit


class Batch:
    """The documents of a batch after the work: which go, and what is cut from the others."""

    def __init__(self, corpus: Corpus, findings: Findings, adding: bool) -> None:
        self.corpus, self.findings, self.adding = corpus, findings, adding
        self.originals: Sequence[Source] = corpus.sources  # as they were given
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.dropped = findings.dropped
        self.sides = lru_cache(64)(self._sides)
        self.cuts: dict[int, list[Shared]] = defaultdict(list)
        for cut in findings.cuts:
            self.cuts[cut.document].append(cut)

    def result(self, document: int) -> Result:
        """The Result of a document, without what other documents have too."""
        result, cuts = self.corpus.result(document), self.cuts.get(document)
        return edited(result, cuts, self.corpus.result) if cuts else result

    def repeats(self) -> set[int]:
        """The documents in which something repeats, or that lose what others have."""
        return self.corpus.repeating() | self.cuts.keys()

    def failed(self, source: int, tally: Tally) -> bool:
        """Whether a source could not be read, so that nothing is to be written for it."""
        file = self.corpus.sources[source].file
        unread = file in tally.skipped or any((error.file, error.line) == (file, None) for error in tally.errors)
        return not self.corpus.of(source) and unread

    def drops(self, source: int) -> bool:
        """Whether a source is one document, and that is dropped."""
        documents = self.corpus.of(source)
        single = self.originals[source].format in ("text", "html")
        return single and len(documents) == 1 and documents[0] in self.dropped

    def witness(self, document: int) -> str | None:
        """The name of the document for which this one is dropped, if it is."""
        member = self.dropped.get(document)
        return member and self.corpus.name(member.document if member.witness is None else member.witness)

    def side(self, document: int, span: Span) -> Side:
        """A span of the clean text of a document, as it stands in its input."""
        side, table = self.sides(document)
        return side(table.span(span))

    def _sides(self, document: int) -> tuple[Callable[[Span], Side], Table]:
        result = self.corpus.result(document)
        return sides_of(result), Table.of(result)

    def count(self, tally: Tally) -> None:
        """Take what goes because other documents have it from what is left."""
        for document in self.dropped:
            self.cuts.pop(document, None)  # all of it goes
            tally.bytes[1] -= self.corpus.columns["out"][document]
            tally.paragraphs[1] -= self.corpus.result(document).paragraphs[1]
        for document, cuts in self.cuts.items():
            before, after = self.corpus.result(document), self.result(document)
            tally.bytes[1] -= len(before.clean) - len(after.clean)
            tally.paragraphs[1] -= before.paragraphs[1] - after.paragraphs[1]
            tally.blocks += len(cuts)
        tally.dropped = len(self.dropped)

    def remember(self, written: Sequence[int]) -> int:
        """Add to the index what stays of these sources, if that was asked for; return how many documents."""
        index, corpus = self.corpus.index, self.corpus
        if index is None or not self.adding:
            return 0
        numbers = (n for source in written for n in corpus.of(source) if n not in self.dropped)
        names = [corpus.sources[source].name for source in written]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        return index.add(", ".join(names[:_NAMED]) + more, self.started, map(self._row, numbers))

    def _row(self, document: int) -> tuple[int, str, str, int | None, int, bytes]:
        result, columns = self.result(document), self.corpus.columns
        text = decode(result.clean, force_text=True, encoding=result.encoding).text.encode("utf-8", "surrogatepass")
        source = self.corpus.sources[columns["source"][document]].name
        return document, result.source, source, columns["line"][document] or None, len(text), text

    def run(self, config: Config, tally: Tally) -> Run:
        """What reports tell of the batch."""
        return Run(
            config,
            tally.totals(len(self.findings.clusters)),
            self.result,
            tally.errors,
            tally.skipped,
            tally.notes,
            findings=self.findings,
            name=self.corpus.name,
            where=self.corpus.where,
            side=self.side,
            seen=self.corpus.seen,
            repeats=self.repeats,
            outline=self.corpus.outline,
        )


@contextmanager
def batch(
    reading: Reading, found: Sequence[Source], engine: Engine, tally: Tally, replaced: Collection[str] | None = None
) -> Iterator[Batch]:
    """Read and compare the documents of a batch. Its working folder is there until the block ends.

    What the files `replaced` hold now is known until then. None: nothing will be written.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(working_folder())
        place = Place(reading, folder, replaced or ())
        try:
            with spreading(engine, [source for source in found if changed(source)]) as spread:
                sources = [*lasting(place, found, spread, tally)]
            records = (n for n, source in enumerate(found) if source.lines and not source.container)
            written = set[int]() if replaced is None else set(records)
            work = _worked(reading, [one.source for one in sources], written, folder, engine, tally, stack)
            work.originals = [one.original for one in sources]
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except (OSError, duckdb.Error) as error:
            raise OutputError(f"{full(folder, error)}, or give more --memory") from None
        yield work


def _worked(
    reading: Reading,
    sources: Sequence[Source],
    written: set[int],
    folder: str,
    engine: Engine,
    tally: Tally,
    stack: ExitStack,
) -> Batch:
    memory = engine.memory or int(_SHARE * _machine())
    tables = Tables(folder, int(_REST * memory), engine.processes)
    stack.callback(tables.close)
    corpus = Corpus(folder, reading, sources)
    stack.callback(corpus.close)
    for gathered in _gathered(reading, sources, written, folder, engine, tally):
        first = corpus.add(gathered)
        tables.add(gathered.rows, first)
        _merge(tally, gathered)
    if engine.index:
        index = Index(engine.index, tables.base, create=engine.add, read_only=not engine.add)
        corpus.index = stack.enter_context(index)
        corpus.index.load()
    work = Batch(corpus, find(tables, corpus, reading.config), engine.add)
    work.count(tally)
    return work


def _gathered(
    reading: Reading, sources: Sequence[Source], written: set[int], folder: str, engine: Engine, tally: Tally
) -> Iterator[Gathered]:
    whole = sum(map(size, sources))
    workers = 1 if whole < SMALL else engine.processes
    errors: list[Failure] = []
    jobs = (
        Unit(reading, folder, n, [(p, sources[p.source]) for p in parts], written & {p.source for p in parts})
        for n, parts in enumerate(units(sources, errors))
    )
    with progress(whole, engine.bar) as advance, processes(workers, folder) as spread:
        for gathered in spread(gather, jobs):
            yield gathered
            advance(gathered.read)
    for error in errors:
        tally.fail(error)


def _merge(tally: Tally, gathered: Gathered) -> None:
    documents, before, after, size, blocks, fixes, grown = gathered.totals
    tally.documents += documents
    tally.paragraphs[0] += before
    tally.paragraphs[1] += after
    tally.bytes[0] += size
    tally.bytes[1] += sum(gathered.columns["out"])
    tally.blocks += blocks
    tally.fixes += fixes
    tally.grown += grown
    tally.skipped += gathered.skipped
    for error in gathered.errors:
        tally.fail(error)


def _machine() -> int:
    """Bytes of memory of the machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 4 << 30
