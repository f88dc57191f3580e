"""Results to steps: a source piece by piece, before and after, with what undoes each."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.errors import InputError
from dedup.io import files
from dedup.io.documents import Reading, Source, cut
from dedup.io.rows import Row
from dedup.model import Op, Result
from dedup.rewrite import difference

if TYPE_CHECKING:
    from dedup.cli.batch import Batch


class Step(NamedTuple):
    """One document of a source: what stands before it there, its bytes before and after, and its place in the undo."""

    before: bytes
    data: bytes
    clean: bytes
    ops: tuple[Op, ...]
    more: dict[str, Any] | None  # None: no document
    encoding: str = "utf-8"  # of the bytes


def batched(reading: Reading, work: "Batch", number: int) -> Iterator[Step]:
    """Yield the documents of a source of a batch. A line of one that goes is gone with its end."""
    corpus, original = work.corpus, work.originals[number]
    if original.container:
        rows = reading.rows(original, known=True)
        yield from rowed(lambda: next(rows, None), _told(work, number), original)
        return
    path = corpus.sources[number].path
    at, gone = 0, False
    for document in corpus.of(number):
        start, end = corpus.span(document)
        before, at = corpus.part(path, at, start)[gone:], end
        dropped = work.witness(document)
        gone = dropped is not None and original.lines
        if original.lines and document not in work.cuts:
            result, data, clean, ops = corpus.cut(document)
        else:
            result = work.result(document)
            data, clean, ops = cut(corpus.record(document)[1], result)
        more: dict[str, Any] = {"line": corpus.columns["line"][document], "id": result.source} if original.lines else {}
        if dropped is None:
            yield Step(before, data, clean, ops, more, result.encoding)
        else:
            data += corpus.part(path, end, end + 1) if original.lines else b""
            yield Step(before, data, b"", (Op(None, data),), {**more, "dropped": dropped})
    yield Step(files.read(path, at)[gone:], b"", b"", (), None)


def _told(work: "Batch", number: int) -> Iterator[tuple[int, Result, str | None]]:
    for document in work.corpus.of(number):
        yield work.corpus.columns["line"][document], work.result(document), work.witness(document)


def rowed(
    take: Callable[[], Row | None], told: Iterable[tuple[int, Result, str | None]], source: Source, first: int = 1
) -> Iterator[Step]:
    """The rows of a container, which `take` gives in order; `told` gives of those with a text the number and Result.

    Rows are counted from `first` on. With each Result comes the name of the document for which it goes, if it does.
    """
    at, kept = first - 1, False

    def step(row: Row, result: Result | None, dropped: str | None) -> Step:
        nonlocal kept
        data = row.separator + row.raw
        clean = row.cut(result) if result and row.cut else row.raw
        clean = b"" if dropped is not None else (row.separator if kept else b"") + clean
        kept = kept or dropped is None
        more = None if result is None else {"line": at, "id": result.source}
        if more is not None and dropped is not None:
            more["dropped"] = dropped
        return Step(row.before, data, clean, difference(data, clean), more)

    for number, result, dropped in told:
        while at < number:
            row, at = take(), at + 1
            if row is None:
                raise InputError(f"{source.name}: has fewer rows than when it was read first; run it again")
            yield step(row, *((result, dropped) if at == number else (None, None)))
    while row := take():
        at += 1
        yield step(row, None, None)
