"""The features of a batch, joined by key in DuckDB.

Why: a batch may be larger than memory. What the workers find goes into tables that spill to disk under a limit of
memory; each answer has a stated order, so it is the same for any number of workers.
"""

import os
from itertools import groupby
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from dedup.across import find
from dedup.config import Config
from dedup.decode import decode
from dedup.errors import InputError
from dedup.features import Rows, features
from dedup.left import edited
from dedup.model import Document, Findings, Result
from dedup.vector import Batch
from dedup.within import Input, clean_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CAP = 100  # documents that share a fingerprint and are all compared; of more, each is compared with the first only
LEAST = 0.2  # of the fingerprints of the smaller document; pairs that share half of their shingles share more than this
_ROWS = 4096  # fetched at once

_TABLES = """
create table document (doc bigint, hi ubigint, lo ubigint, words uinteger, prints uinteger, grp ubigint, id ubigint);
create table posting (fp ubigint, doc bigint, place uinteger);
create table line (key ubigint, form ubigint, doc bigint, place uinteger, size uinteger);
create table gone (doc bigint);
"""

# Those that are known under the same name and words come first: nothing is a duplicate of itself.
_EXACT = """
select doc, first from (
    select doc, first_value(doc) over (partition by hi, lo order by doc not in (from known), doc) as first
    from document where words > 0 and doc not in (from gone)
) where doc >= 0 and first <> doc order by doc
"""

# Rank: what the index has first, then the most complete, then the first. A pair is (its better one, the other); an
# earlier version of a document, which the index has under the same name, is no pair of it.
_RANKED = """
create or replace table ranked as
    select doc, id, prints, row_number() over (order by doc >= 0 and doc not in (from known), words desc, doc) as rank
    from document where prints > 0 and doc not in (from gone);
create or replace table shared as
    select fp, count(*) as documents, min(rank) as head from posting join ranked using (doc)
    group by fp having count(*) > 1;
create or replace table linked as
    select fp, documents, head, rank from posting join shared using (fp) join ranked using (doc);
"""

_PAIRS = f"""
with pair as (
    select a.rank as better, b.rank as other from linked a join linked b using (fp)
    where a.documents <= {CAP} and a.rank < b.rank
    union all
    select head, rank from linked where documents > {CAP} and rank > head
), counted as (
    select better, other, count(*) as common from pair group by better, other
)
select o.doc, b.doc from counted
join ranked b on b.rank = better join ranked o on o.rank = other
where o.doc >= 0 and common >= {LEAST} * least(b.prints, o.prints) and not (b.doc < 0 and b.id = o.id)
order by other, better
"""

_LINES = """
create or replace table boiler as
    select grp, key, count(distinct doc) as documents, min(doc) as first, arg_min(place, (doc, place)) as there
    from line join document using (doc) where doc >= 0 and doc not in (from gone)
    group by grp, key having count(distinct doc) >= ?
"""

_FORMS = """
with written as (
    select grp, key, count(distinct doc) as n, any_value(documents) as total, any_value(first) as first,
        any_value(there) as there, min(line.doc) as doc, arg_min(place, (line.doc, place)) as place,
        row_number() over (partition by grp, key order by count(distinct doc) desc, min(line.doc)) as nth
    from line join document using (doc) join boiler using (grp, key)
    where doc >= 0 and doc not in (from gone) group by grp, key, form
)
select case when n < ? then total else n end as documents, doc, place, first, there
from written where n >= ? or nth = 1 order by doc, place
"""

_RUNS = """
with kept as (
    select fp, doc, place from posting where fp in (select fp from shared) and doc not in (from gone)
), started as (
    select fp, min(doc) as first, arg_min(place, doc) as there from kept group by fp having count(*) > 1
)
select doc, place, first, there from kept join started using (fp) anti join apart using (doc, first)
join document own using (doc) join document other on other.doc = first
where first <> doc and doc >= 0 and not (first < 0 and own.id = other.id) order by doc, place, first, there
"""

_CHANGED = """
update document set hi = batch.hi, lo = batch.lo, words = batch.words, prints = batch.prints
from batch where document.doc = batch.doc
"""


class Tables:
    """The features of a batch. `memory` is the limit in bytes, above which tables go to `folder`."""

    def __init__(self, folder: "str | None" = None, memory: "int | None" = None, threads: int = 1) -> None:
        self.capped = 0
        self.base = duckdb.connect(os.path.join(folder, "tables.duckdb") if folder else ":memory:")
        settings: dict[str, Any] = {"threads": threads, "preserve_insertion_order": False}
        if memory:
            settings["memory_limit"] = f"{memory // 1_000_000}MB"
        if folder:
            settings["temp_directory"] = os.path.join(folder, "spill")
        for name, value in settings.items():
            self.base.execute(f"set {name} = ?", [value])
        self.base.execute(_TABLES)
        self.base.execute("create table known (doc bigint)")

    def close(self) -> None:
        """Give memory and files back."""
        self.base.close()

    def add(self, rows: Rows, first: int) -> None:
        """Add the rows that `features` made of documents, which are numbered from `first` on."""
        for table, columns in rows.items():
            if len(columns["doc"]):
                columns["doc"] = columns["doc"] + np.int64(first)
                self.base.register("batch", columns)
                self.base.execute(f"insert into {table} by name from batch")
                self.base.unregister("batch")

    def replace(self, documents: "Sequence[int]", parts: "Iterable[Rows]") -> None:
        """Take these rows for those of `documents`, which keep their names and groups. In each part it goes on."""
        numbers, at = np.array(documents, np.int64), 0
        self.base.register("batch", {"doc": numbers})
        for table in ("posting", "line"):  # in one go: each delete reads the whole table
            self.base.execute(f"delete from {table} where doc in (from batch)")
        self.base.unregister("batch")
        for rows in parts:
            own = numbers[at : at + len(rows["document"]["doc"])]
            at += len(own)
            for columns in rows.values():
                columns["doc"] = own[columns["doc"]]
            self.base.register("batch", rows.pop("document"))
            self.base.execute(_CHANGED)
            self.base.unregister("batch")
            self.add(rows, 0)

    def _rows(self, query: str, values: "Sequence[Any]" = ()) -> "Iterator[Any]":
        found = self.base.cursor().execute(query, list(values))
        while rows := found.fetchmany(_ROWS):
            yield from rows

    def drop(self, documents: "Iterable[int]") -> None:
        """Leave these documents out from now on."""
        numbers = {"doc": np.fromiter(documents, np.int64)}
        self.base.register("batch", numbers)
        self.base.execute("insert into gone from batch")
        self.base.unregister("batch")

    def exact(self) -> "Iterator[tuple[int, int]]":
        """Yield (document, the document that it repeats), by document."""
        return self._rows(_EXACT)

    def pairs(self) -> "Iterator[tuple[int, int]]":
        """Yield (document, a more complete or equal and earlier one), documents in the order of completeness."""
        self.base.execute(_RANKED)
        [(self.capped,)] = self.base.execute(f"select count(*) from shared where documents > {CAP}").fetchall()
        return self._rows(_PAIRS)

    def lines(self, least: int) -> "Iterator[tuple[int, int, int, int, int]]":
        """Yield (documents, one, place there, the first, place there) of lines that `least` documents of a group have.

        Of a line that is written in several ways each way that is as frequent by itself, else the most frequent one,
        as the document `one` has it.
        """
        self.base.execute(_LINES, [least])
        return self._rows(_FORMS, [least, least])

    def holders(self) -> "Iterator[tuple[int, int, int, int, int]]":
        """Yield (document, place, words, first document, place there) of each of these lines, in order."""
        return self._rows(
            "select doc, place, size, first, there from line join document using (doc) join boiler using (grp, key) "
            "where doc not in (from gone) order by doc, place"
        )

    def runs(self, but: "Iterable[tuple[int, int]]") -> "Iterator[tuple[int, int, int, int]]":
        """Yield (document, place, first document with this fingerprint, place there), in order, `but` of pairs."""
        pairs = np.array([*but], np.int64).reshape(-1, 2)
        self.base.register("batch", {"doc": pairs[:, 0].copy(), "first": pairs[:, 1].copy()})
        self.base.execute("create or replace table apart as from batch")
        self.base.unregister("batch")
        return self._rows(_RUNS)


# ---------------------------------------------------------------- in memory


class _Texts:
    """The documents of a small batch."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.texts: list[Document] = []
        self.words: list[bytes] = []

    def hashes(self, document: int) -> bytes:
        return self.words[document]

    def text(self, document: int) -> Document:
        return self.texts[document]


def clean_batch(
    documents: "Iterable[tuple[str, str | bytes]]", config: Config, force_text: bool = False
) -> "tuple[tuple[Result, ...], Findings]":
    """Return the Results of the documents (name, text), each cleaned by itself, and what they share.

    Held in memory; `Findings` counts documents from 0 and names those that go (`dropped`). What `Config(passages=)` and
    `Config(boilerplate=)` cut is out of the Results. Raises as `clean_document` does.
    """
    corpus = _Texts()
    inputs = [
        Input(text.encode("utf-8", "surrogatepass"), name, force_text, "utf-8")
        if isinstance(text, str)
        else Input(text, name, force_text)
        for name, text in documents
    ]
    parts = []
    for cleaned in clean_documents(inputs, config, words=True):
        if isinstance(cleaned, InputError):
            raise cleaned
        result, words = cleaned
        corpus.results.append(result)
        corpus.texts.append(decode(result.clean, force_text=True, encoding=result.encoding))
        parts += [words] if words else []
    batch = Batch.of(parts)
    corpus.words = [batch.hashes[batch.span(number)].tobytes() for number in range(len(parts))]
    tables = Tables()
    try:
        names = [given.source for given in inputs]
        tables.add(features(batch, names, [""] * len(names)), 0)
        findings = find(tables, corpus, config)
    finally:
        tables.close()
    cuts = {number: list(group) for number, group in groupby(findings.cuts, lambda cut: cut.document)}
    results = enumerate(corpus.results)
    of = corpus.results.__getitem__
    return tuple(edited(result, cuts[n], of) if n in cuts else result for n, result in results), findings
