"""The index: what it keeps of earlier runs, what it refuses, and what a kill leaves of it."""

import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup import __version__, index, vector
from dedup.across import find
from dedup.config import Config
from dedup.decode import decode
from dedup.engine import Tables
from dedup.errors import IndexFileError, InputError
from dedup.features import features
from dedup.index import Index, Seen
from dedup.model import Document, Findings
from dedup.vector import SCHEME
from dedup.within import Input, clean_documents

WHEN = "2026-01-31T06:00:00+00:00"
FERRY = (
    "The ferry to the outer island stops running in November, and the forty people who live there all year know it.\n"
    "They fill their cellars in October, they mend the roofs, and whoever has a tooth that aches has it drawn.\n"
    "The post comes by helicopter when the wind allows, which in a good winter means twice between two moons.\n"
)
BRIDGE = (
    "Engineers have closed the iron bridge at Harrow Lock after a barge struck its eastern pier on Sunday night.\n"
    "Nobody was hurt, but the crack runs deeper than a hand, and lorries must take the long road over the hill.\n"
    "A temporary crossing for people on foot is promised for the first week of spring, weather and money permitting.\n"
)
ORCHARD = (
    "Old apple trees bear fruit nobody remembers the name of, so a retired teacher walks from farm to farm and asks.\n"
    "She has drawn two hundred kinds in pencil, cut each apple in half, and written down what the owners call it.\n"
    "Seven of them grow nowhere else, and one, small and grey as a stone, keeps in straw until the next blossom.\n"
)
CHOIR = (
    "The harbour choir sings its last concert in the fish hall before the builders come and take the roof away.\n"
    "There will be no chairs, says the conductor, because herring never needed any, and the sound is better standing.\n"
    "Tickets are free, boots are advised, and those who cannot sing are asked to hum along in the second half.\n"
)
BULK = 1000  # documents of a run that takes its time
ARTICLES = {"ferry": FERRY, "bridge": BRIDGE, "orchard": ORCHARD}


class Batch:
    """The documents of a run, by name, with their features in tables."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.names = list(texts)
        data = [text.encode("utf-8", "surrogatepass") for text in texts.values()]
        named = [Input(d, n, True) for n, d in zip(self.names, data, strict=True)]
        read = clean_documents(named, Config(), words=True)
        found = [r for r in read if not isinstance(r, InputError)]
        self.documents = [decode(result.clean, force_text=True) for result, _ in found]
        self.words = vector.Batch.of([words for _, words in found if words])
        self.columns = features(self.words, self.names, [""] * len(self.names))
        self.tables = Tables()
        self.tables.add(self.columns, 0)

    def features(self) -> list[tuple[tuple[int, ...], list[tuple[int, int]]]]:
        """Of each document its digest and its words, and its fingerprints with their places."""
        out: list[tuple[tuple[int, ...], list[tuple[int, int]]]] = [((), [])] * len(self.names)
        document, posting = self.columns["document"], self.columns["posting"]
        for row in zip(*(document[name].tolist() for name in ("doc", "hi", "lo", "words")), strict=True):
            out[row[0]] = row[1:], []
        for doc, *found in zip(*(posting[name].tolist() for name in ("doc", "fp", "place")), strict=True):
            out[doc][1].append(tuple(found))
        return out

    def rows(self, *dropped: int) -> "Iterator[index.Row]":
        for n, (name, document) in enumerate(zip(self.names, self.documents, strict=True)):
            if n not in dropped:
                text = document.text.encode("utf-8", "surrogatepass")
                yield n, name, "raw.jsonl", n + 1, len(document.data), text

    def find(self, seen: Index, config: Config) -> Findings:
        return find(self.tables, Corpus(self, seen), config)


class Corpus:
    """The documents of a batch, and those of an index."""

    def __init__(self, batch: Batch, seen: Index) -> None:
        self.batch, self.seen = batch, seen

    def text(self, document: int) -> Document:
        if document >= 0:
            return self.batch.documents[document]
        return decode(self.seen.text(document).encode("utf-8", "surrogateescape"), force_text=True)

    def hashes(self, document: int) -> bytes:
        if document < 0:
            return vector.Batch([self.seen.text(document)]).hashes.tobytes()
        return self.batch.words.hashes[self.batch.words.span(document)].tobytes()


def _add(path: Path, texts: dict[str, str], name: str = "first", *dropped: int) -> int:
    """Index a run with these documents, as the command line does."""
    batch = Batch(texts)
    with Index(str(path), batch.tables.base, create=True) as seen:
        seen.load()
        return seen.add(name, WHEN, batch.rows(*dropped))


def _spoil(path: Path, *queries: str) -> None:
    with duckdb.connect(str(path)) as base:
        for query in queries:
            base.execute(query)


def _python(code: str, *arguments: object, **more: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all examples of a property share."""
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="module")
def model(folder: Path) -> bytes:
    """The file of an index of three articles."""
    _add(folder / "model.duckdb", ARTICLES)
    return (folder / "model.duckdb").read_bytes()


@pytest.fixture
def path(tmp_path: Path, model: bytes) -> Path:
    """An index of three articles."""
    path = tmp_path / "seen.duckdb"
    path.write_bytes(model)
    return path


# ---------------------------------------------------------------- opening


def test_a_missing_index_is_made_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "seen.duckdb"
    with pytest.raises(IndexFileError, match=r"no such index; `dedup index add .*seen\.duckdb IN\.\.\.` makes one"):
        Index(str(path))
    assert not list(tmp_path.iterdir())
    with Index(str(path), create=True) as seen:
        assert seen.stats()["documents"] == 0
    assert list(tmp_path.iterdir()) == [path]


def test_an_index_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match=r"none/seen\.duckdb: cannot be made: .*No such file"):
        Index(str(tmp_path / "none" / "seen.duckdb"), create=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("data", [b"", b"a letter\n", b"SQLite format 3\0" + bytes(8192), bytes(8) + b"DUCK"])
def test_a_file_of_another_kind_is_refused_and_stays_as_it_is(data: bytes, create: bool, tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_bytes(data)
    with pytest.raises(IndexFileError, match=r"letter: cannot be opened as an index: .*`dedup index add"):
        Index(str(path), create=create)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [data]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match=r"cannot be opened as an index: .*directory"):
        Index(str(tmp_path), create=True)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("create table other (n integer)", "it has no dedup-index/1 tables"),
        ("create table meta (n integer)", "it has no dedup-index/1 tables"),
        ("create table meta (schema varchar)", "it has no dedup-index/1 tables"),
        ("create table meta as select 'dedup-index/2' as schema", "it is dedup-index/2, not dedup-index/1"),
    ],
)
def test_a_database_that_is_no_index_is_refused(query: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    _spoil(path, query)
    with pytest.raises(IndexFileError, match=reason):
        Index(str(path))
    _spoil(path, "from duckdb_tables()")  # it was let go


@pytest.mark.parametrize(("name", "value"), [("SCHEME", "words-2"), ("SHINGLE", 7), ("WINDOW", 5)])
def test_an_index_of_another_make_is_refused(
    name: str, value: object, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = duckdb.connect()
    with monkeypatch.context() as patch:
        patch.setattr(index, name, value)
        with pytest.raises(IndexFileError, match=f"made with scheme {SCHEME}, .* {value}.*`dedup index add NEW IN"):
            Index(str(path), base)
    with Index(str(path), base) as seen:
        assert seen.stats()["documents"] == 3


def test_a_name_may_have_quotes_and_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _add(Path('what\'s "seen" 見.duckdb'), ARTICLES) == 3
    assert [p.name for p in tmp_path.iterdir()] == ['what\'s "seen" 見.duckdb']


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match="surrogates not allowed"):
        Index(str(tmp_path / "caf\udce9.duckdb"), create=True)


HOLD = """
import sys
from dedup.index import Index
with Index(sys.argv[1], read_only=len(sys.argv) > 2):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("read_only", [True, False])
def test_an_index_that_stays_in_use_is_refused(read_only: bool, path: Path) -> None:
    with _python(HOLD, path) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(IndexFileError, match=r"another process is using it \(waited 0\.3 s\); try again later"):
            Index(str(path), read_only=read_only, wait=0.3)
        holder.communicate()


def test_an_index_in_use_is_waited_for(path: Path) -> None:
    with _python(HOLD, path) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "open\n"
        assert holder.stdin
        threading.Timer(0.3, holder.stdin.close).start()
        with Index(str(path)) as seen:
            assert seen.stats()["documents"] == 3


def test_many_may_read_at_once(path: Path) -> None:
    with _python(HOLD, path, "read only") as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "open\n"
        with Index(str(path), read_only=True, wait=0) as seen:
            assert seen.stats()["documents"] == 3
        holder.communicate()


ADD = """
import pickle, sys
from dedup.engine import Tables
from dedup.index import Index
path, features, name = sys.argv[1:]
with open(features, "rb") as stream:
    columns, rows = pickle.load(stream)
tables = Tables()
tables.add(columns, 0)
print("ready", flush=True)
sys.stdin.readline()
with Index(path, tables.base, create=True) as seen:
    seen.load()
    seen.add(name, "2026-02-01", rows)
"""


def _written(path: Path, texts: dict[str, str]) -> Path:
    """What ADD reads."""
    batch = Batch(texts)
    path.write_bytes(pickle.dumps((batch.columns, list(batch.rows()))))
    return path


def test_two_that_make_one_index_at_once_both_add_to_it(tmp_path: Path) -> None:
    path = tmp_path / "seen.duckdb"
    features = _written(tmp_path / "features", ARTICLES)
    adders = [_python(ADD, path, features, name) for name in ("one", "two")]
    for adder in adders:
        _go(adder)
    assert [adder.communicate()[1] for adder in adders] == ["", ""]
    with Index(str(path)) as seen:
        assert {run["name"] for run in seen.stats()["runs"]} == {"one", "two"}
        assert seen.verify() == (3, 3, [])


READ = """
import os, sys
from dedup.features import features
from dedup.index import Index
os.chdir(sys.argv[1])
if os.getuid() == 0:
    os.setuid(65534)
try:
    open("new", "w")
except PermissionError:
    pass
with Index("seen.duckdb", read_only=True) as seen:
    print(*seen.verify(), *[run["name"] for run in seen.stats()["runs"]])
"""


def test_an_index_is_read_where_nothing_can_be_written() -> None:
    with TemporaryDirectory() as name:  # a folder that others may enter
        folder = Path(name)
        _add(folder / "seen.duckdb", ARTICLES)
        _left_by_a_kill(folder / "seen.duckdb")
        for file in folder.iterdir():
            file.chmod(0o444)
        folder.chmod(0o555)
        assert _python(READ, folder).communicate() == ("3 3 [] first again\n", "")
        assert [file.name for file in sorted(folder.iterdir())] == ["seen.duckdb", "seen.duckdb.wal"]
        folder.chmod(0o755)


def _left_by_a_kill(path: Path) -> None:
    """Add an empty run in a process that is killed before it closes the file."""
    code = (
        "import os, sys\nfrom dedup.engine import Tables\nfrom dedup.index import Index\n"
        "seen = Index(sys.argv[1], Tables().base)\nseen.add('again', 'then', [])\nos.kill(os.getpid(), 9)"
    )
    with _python(code, path) as killed:
        assert killed.communicate()[1] == ""
    assert killed.returncode == -signal.SIGKILL


def test_an_index_that_is_open_to_read_is_not_written(path: Path) -> None:
    batch = Batch({"choir": CHOIR})
    with Index(str(path), batch.tables.base, read_only=True) as seen:
        seen.load()
        with pytest.raises(IndexFileError, match="read-only"):
            seen.add("second", WHEN, batch.rows())
        with pytest.raises(IndexFileError, match="read-only"):
            seen.forget(run=1)
        assert seen.stats()["documents"] == 3


# ---------------------------------------------------------------- a batch


def test_a_copy_of_a_document_of_an_earlier_run_goes_for_it(path: Path) -> None:
    batch = Batch({"choir": CHOIR, "stolen": BRIDGE.replace("\n", " ").upper()})
    with Index(str(path), batch.tables.base) as seen:
        seen.load()
        [(canonical, [member])] = batch.find(seen, Config()).clusters
        assert (member.document, member.kind, member.removed) == (1, "exact", True)
        assert canonical == 2 - Index.OFFSET
        assert seen.provenance(canonical) == Seen(2, "bridge", "raw.jsonl", 2, 1, "first", WHEN)
        assert seen.text(canonical) == BRIDGE
        assert seen.add("second", WHEN, batch.rows(member.document)) == 1
        assert seen.verify() == (4, 4, [])


def test_a_near_copy_goes_for_the_earlier_document(tmp_path: Path) -> None:
    text = BRIDGE + ORCHARD + FERRY
    assert _add(tmp_path / "seen.duckdb", {"first": text}) == 1
    batch = Batch({"later": text.replace("Engineers have", "Engineers who came have")})
    with Index(str(tmp_path / "seen.duckdb"), batch.tables.base) as seen:
        seen.load()
        [(canonical, [member])] = batch.find(seen, Config(similarity=0.8)).clusters
        assert (seen.provenance(canonical).id, member.kind, member.removed) == ("first", "near", True)


def test_a_document_that_comes_again_is_known_and_not_added_twice(path: Path) -> None:
    batch = Batch({"choir": CHOIR, **ARTICLES})
    with Index(str(path), batch.tables.base) as seen:
        seen.load()
        assert batch.tables.base.execute("from known order by doc").fetchall() == [(1,), (2,), (3,)]
        assert not batch.find(seen, Config(similarity=0.8)).dropped
        assert seen.add("second", WHEN, batch.rows()) == 1
        assert [run["documents"] for run in seen.stats()["runs"]] == [3, 1]
        assert seen.verify() == (4, 4, [])


def test_a_document_that_came_again_changed_stands_beside_the_old_one(path: Path) -> None:
    assert _add(path, {"ferry": FERRY + "Updated on Monday.\n"}, "second") == 1
    with Index(str(path)) as seen:
        assert [seen.provenance(number - Index.OFFSET).id for number in (1, 4)] == ["ferry", "ferry"]
        assert seen.forget(id="ferry") == 2


def test_an_earlier_version_of_a_document_is_found_by_all_others_and_not_by_itself(path: Path) -> None:
    """Its name says what it is: records without ids are named by their line, and another text stands there next day."""
    batch = Batch({"ferry": FERRY + "Updated on Monday.\n", "bridge": FERRY, "copy": ORCHARD})
    with Index(str(path), batch.tables.base) as seen:
        seen.load()
        exact = [(doc, seen.provenance(first).id) for doc, first in batch.tables.exact()]
        assert exact == [(1, "ferry"), (2, "orchard")]
        pairs = sorted((doc, seen.provenance(other).id) for doc, other in batch.tables.pairs() if other < 0)
        assert pairs == [(1, "ferry"), (2, "orchard")]
        runs = {(doc, seen.provenance(first).id) for doc, _, first, _ in batch.tables.runs(())}
        assert runs == {(1, "ferry"), (2, "orchard")}


def test_a_document_that_is_cut_to_what_it_was_before_is_known(path: Path) -> None:
    batch = Batch({"ferry": FERRY + "Subscribe to our letter, it costs nothing at all.\n", "choir": CHOIR})
    with Index(str(path), batch.tables.base) as seen:
        seen.load()
        assert batch.tables.base.execute("from known").fetchall() == []
        batch.tables.replace([0], [Batch({"": FERRY}).columns])
        assert seen.add("second", WHEN, batch.rows()) == 1
        assert seen.provenance(4 - Index.OFFSET).id == "choir"


def test_texts_are_fetched_many_at_once_and_each_is_its_own(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order, by few at once where they are large; also those that the batch has not."""
    texts = {f"{at}": f"{' '.join(f'{word}{at}' for word in FERRY.split())}\n" for at in range(150)}
    _add(path, texts)
    monkeypatch.setattr(index, "_BYTES", 100 * len(texts["7"]))
    order = random.Random(1).sample(range(150), 120)
    batch = Batch({f"again {at}": texts[f"{at}"] for at in order})
    with Index(str(path), batch.tables.base) as seen:
        seen.load()
        known = [first for _, first in batch.tables.exact()]
        assert [seen.provenance(first).id for first in known] == [f"{at}" for at in order]
        assert [seen.text(first) for first in known] == [texts[f"{at}"] for at in order]
        queries = [seen._blobs.cache_info().misses, seen._seen.cache_info().misses]
        assert max(queries) <= 4
        left = sorted(set(range(150)) - set(order))
        assert [seen.provenance(4 + at - Index.OFFSET).id for at in left] == [f"{at}" for at in left]


def test_a_copy_under_another_name_is_not_known(path: Path) -> None:
    batch = Batch({"stolen": FERRY})
    with Index(str(path), batch.tables.base) as seen:
        seen.load()
        assert batch.tables.base.execute("from known").fetchall() == []


WORDS = st.lists(st.sampled_from("abcd"), max_size=24).map(" ".join)


@settings(max_examples=12)
@given(old=st.lists(WORDS, max_size=12), new=st.lists(WORDS, max_size=12))
@example(old=[""], new=["", "a"])
def test_a_batch_meets_what_shares_its_words_or_a_fingerprint(old: list[str], new: list[str], folder: Path) -> None:
    path = folder / "seen.duckdb"
    path.unlink(missing_ok=True)
    first, batch = (
        Batch({f"{of} {n}": text for n, text in enumerate(texts)}) for of, texts in [("old", old), ("", new)]
    )
    with Index(str(path), first.tables.base, create=True) as seen:
        seen.add("first", WHEN, first.rows())
    with Index(str(path), batch.tables.base) as seen:
        seen.load()
    prints = {fp for _, found in batch.features() for fp, _ in found}
    digests = {words for words, _ in batch.features()}
    met = {
        n: (words, found)
        for n, (words, found) in enumerate(first.features(), 1)
        if words in digests or prints & {fp for fp, _ in found}
    }
    base = batch.tables.base
    assert base.execute(
        "select doc + ?, hi, lo, words, prints, grp from document where doc < 0 order by doc", [Index.OFFSET]
    ).fetchall() == [(n, *words, len(found), 0) for n, (words, found) in met.items()]
    assert base.execute(
        "select doc + ?, fp, place from posting where doc < 0 order by doc, place", [Index.OFFSET]
    ).fetchall() == [(n, *posting) for n, (_, found) in met.items() for posting in found if posting[0] in prints]


# ---------------------------------------------------------------- adding


def test_only_the_documents_that_stay_are_added_in_their_order(path: Path) -> None:
    texts = {f"note {n}": f"Note {n}.\n{CHOIR}" for n in range(5)}
    assert _add(path, texts, "second", 0, 3) == 3
    with Index(str(path)) as seen:
        found = [seen.provenance(number - Index.OFFSET) for number in (4, 5, 6)]
        assert [(s.id, s.line, s.run, s.run_name) for s in found] == [
            (f"note {n}", n + 1, 2, "second") for n in (1, 2, 4)
        ]


def test_a_run_that_adds_nothing_is_recorded(path: Path) -> None:
    assert _add(path, {}, "nothing") == 0
    with Index(str(path)) as seen:
        assert [(run["number"], run["name"], run["documents"]) for run in seen.stats()["runs"]] == [
            (1, "first", 3),
            (2, "nothing", 0),
        ]


def test_texts_are_written_batch_by_batch(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_ROWS", 2)
    batch = Batch({f"note {n}": f"Note {n}.\n{CHOIR}" for n in range(7)})
    written = []
    with Index(str(path), batch.tables.base) as seen:

        def rows() -> "Iterator[index.Row]":
            for row in batch.rows():
                written.extend(seen.base.execute("select count(*) - 3 from seen.document").fetchall())
                yield row

        assert seen.add("second", WHEN, rows()) == 7
        assert [count for (count,) in written] == [0, 0, 2, 2, 4, 4, 6]
        assert seen.verify() == (10, 10, [])


def test_a_batch_ends_where_its_texts_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_BYTES", 10)
    rows = [(n, "", "", None, 0, bytes(size)) for n, size in enumerate([3, 3, 4, 40, 1, 9, 2])]
    assert [[row[0] for row in batch] for batch in index._batches(rows)] == [[0, 1, 2], [3], [4, 5], [6]]


def test_a_document_without_features_is_refused(path: Path) -> None:
    batch = Batch({"choir": CHOIR})
    with Index(str(path), batch.tables.base) as seen:
        with pytest.raises(IndexFileError, match="NOT NULL"):
            seen.add("second", WHEN, [(7, "none", "", None, 0, b"")])
        assert seen.add("second", WHEN, batch.rows()) == 1


def test_a_run_that_fails_leaves_nothing(path: Path) -> None:
    batch = Batch({"choir": CHOIR})

    def rows() -> "Iterator[index.Row]":
        yield from batch.rows()
        raise KeyboardInterrupt

    with Index(str(path), batch.tables.base) as seen:
        with pytest.raises(KeyboardInterrupt):
            seen.add("second", WHEN, rows())
        assert [run["name"] for run in seen.stats()["runs"]] == ["first"]
        assert seen.verify() == (3, 3, [])
        assert seen.add("second", WHEN, batch.rows()) == 1


ANY = st.text(st.characters(codec=None, exclude_categories=[]), max_size=60)


@settings(max_examples=12)
@given(rows=st.lists(st.tuples(ANY, ANY, st.none() | st.integers(1, 1 << 31), ANY), max_size=12), name=ANY)
@example(rows=[("", "caf\udce9", None, "\ud83d\0 half"), ("\0", "", 1, "")], name="\udcff")
def test_any_name_and_any_text_come_back(rows: list[tuple[str, str, int | None, str]], name: str, folder: Path) -> None:
    path = folder / "seen.duckdb"
    path.unlink(missing_ok=True)
    batch = Batch({f"{n}": "" for n in range(len(rows))})
    with Index(str(path), batch.tables.base, create=True) as seen:
        seen.add(name, WHEN, ((n, *row[:3], 0, row[3].encode("utf-8", "surrogatepass")) for n, row in enumerate(rows)))
        for number, (id, source, line, text) in enumerate(rows, 1):
            doc = number - Index.OFFSET
            assert seen.provenance(doc) == Seen(number, id, source, line, 1, name, WHEN)
            assert seen.text(doc) == text


# ---------------------------------------------------------------- kills and full disks


def _many(count: int) -> dict[str, str]:
    chance = random.Random(7)
    vocabulary = (FERRY + BRIDGE + ORCHARD + CHOIR).split()
    return {f"note {n}": "\n".join(" ".join(chance.choices(vocabulary, k=60)) for _ in range(4)) for n in range(count)}


def _go(adder: "subprocess.Popen[str]") -> None:
    assert adder.stdin
    assert adder.stdout
    adder.stdout.readline()
    adder.stdin.write("go\n")
    adder.stdin.flush()


@pytest.fixture(scope="module")
def bulk(folder: Path) -> Path:
    """A batch of BULK documents, for ADD."""
    return _written(folder / "bulk", _many(BULK))


def _second_is_there(path: Path) -> bool:
    """Whether the second run is in the index; the first one is, and both are whole."""
    with Index(str(path)) as seen:
        stats = seen.stats()
        assert [run["documents"] for run in stats["runs"]] == [3, BULK][: len(stats["runs"])]
        assert stats["documents"] == sum(run["documents"] for run in stats["runs"])
        assert [(stats["fingerprints"],)] == seen.base.execute("select sum(prints) from seen.document").fetchall()
        assert seen.verify(20)[2] == []
        return len(stats["runs"]) == 2


def test_a_kill_at_any_moment_leaves_every_finished_run_and_nothing_else(path: Path, model: bytes, bulk: Path) -> None:
    adder = _python(ADD, path, bulk, "second")
    _go(adder)
    start = time.monotonic()
    assert adder.communicate() == ("", "")
    took = time.monotonic() - start
    assert _second_is_there(path)
    for at in range(12):
        path.write_bytes(model)
        with _python(ADD, path, bulk, "second") as adder:
            _go(adder)
            time.sleep(took * (at + 0.5) / 12)
            adder.kill()
        _second_is_there(path)
        assert _add(path, {"choir": CHOIR}, "third") == 1


@pytest.mark.parametrize("limit", [600_000, 1_000_000, 2_000_000, 3_000_000])
def test_a_full_disk_leaves_every_finished_run_and_nothing_else(limit: int, path: Path, bulk: Path) -> None:
    limited = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    )
    adder = _python(limited + ADD, path, bulk, "second")
    _go(adder)
    said = adder.communicate()[1]
    assert _second_is_there(path) == (said == "")
    if said:
        assert "IndexFileError" in said.splitlines()[-1], said
    assert _add(path, {"choir": CHOIR}, "third") == 1


# ---------------------------------------------------------------- forgetting


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ({"id": "bridge"}, ["ferry", "orchard", "choir"]),
        ({"id": "Bridge"}, ["ferry", "bridge", "orchard", "choir"]),
        ({"run": 1}, ["choir"]),
        ({"run": 3}, ["ferry", "bridge", "orchard", "choir"]),
        ({"id": "ferry", "run": 2}, ["bridge", "orchard"]),
        ({}, ["ferry", "bridge", "orchard", "choir"]),
    ],
)
def test_what_is_forgotten_is_gone_with_its_fingerprints(what: dict[str, Any], left: list[str], path: Path) -> None:
    _add(path, {"choir": CHOIR}, "second")
    with Index(str(path)) as seen:
        assert seen.forget(**what) == 4 - len(left)
        assert seen.forget(**what) == 0
        found = seen.base.execute("select id from seen.document order by number").fetchall()
        assert [bytes(id).decode() for (id,) in found] == left
        assert seen.verify() == (len(left), len(left), [])
        assert len(seen.stats()["runs"]) == 2


def test_what_was_forgotten_is_new_when_it_comes_again(path: Path) -> None:
    with Index(str(path)) as seen:
        seen.forget(run=1)
    batch = Batch(ARTICLES)
    with Index(str(path), batch.tables.base) as seen:
        seen.load()
        assert batch.tables.base.execute("select doc from document where doc < 0 union all from known").fetchall() == []
        assert seen.add("second", WHEN, batch.rows()) == 3
        assert [run["documents"] for run in seen.stats()["runs"]] == [0, 3]
        assert seen.verify() == (3, 3, [])


# ---------------------------------------------------------------- what it holds


def test_stats_count_what_is_there(path: Path) -> None:
    _add(path, {"choir": CHOIR}, "second")
    batch = Batch({**ARTICLES, "choir": CHOIR})
    with Index(str(path), read_only=True) as seen:
        stats = seen.stats()
    runs = stats.pop("runs")
    assert stats == {
        "documents": 4,
        "words": len(batch.words.hashes),
        "fingerprints": sum(len(found) for _, found in batch.features()),
        "text": sum(len(d.data) for d in batch.documents),
        "file": path.stat().st_size,
        "scheme": SCHEME,
        "version": __version__,
    }
    assert [(r["number"], r["name"], r["started"], r["documents"]) for r in runs] == [
        (1, "first", WHEN, 3),
        (2, "second", WHEN, 1),
    ]
    assert all(r["finished"] > r["started"] for r in runs)


def test_stats_of_an_empty_index_are_zeros(tmp_path: Path) -> None:
    with Index(str(tmp_path / "seen.duckdb"), create=True) as seen:
        stats = seen.stats()
        assert [stats[name] for name in ("documents", "words", "fingerprints", "text", "runs")] == [0, 0, 0, 0, []]
        assert seen.verify() == seen.verify(5) == (0, 0, [])


BROKEN = "document 2 (bridge): its text cannot be read: "
OTHER = "document 2 (bridge): its text does not have the words that it was added with"
PRINTS = "document 2 (bridge): its fingerprints are not those of its text"
SPOILED = {
    "update document set text = 'no zlib'::blob where number = 2": [BROKEN],
    f"update document set text = unhex('{zlib.compress(b'caf' + bytes([233])).hex()}') where number = 2": [BROKEN],
    f"update document set text = unhex('{zlib.compress(CHOIR.encode()).hex()}') where number = 2": [OTHER, PRINTS],
    "update document set hi = hi + 1 where number = 2": [OTHER],
    "update document set words = words + 1 where number = 2": [OTHER],
    "update document set prints = prints + 1 where number = 2": [PRINTS],
    "delete from posting where fp = (select min(fp) from posting where number = 2)": [PRINTS],
    "update posting set place = place + 1 where fp = (select max(fp) from posting where number = 2)": [PRINTS],
    "insert into posting select max(fp) + 1, number, 0 from posting where number = 2 group by number": [PRINTS],
    "update document set identity = identity + 1 where number = 2": [
        "document 2 (bridge): its identity is not that of its id"
    ],
    "insert into posting values (1, 9, 0), (2, 9, 5)": ["document 9 is not there, and has 2 fingerprints"],
    "delete from run": ["run 1 is not recorded, and has 3 documents"],
    "insert into document from document where number = 2": ["document 2 is there 2 times"],
}


@pytest.mark.parametrize("query", SPOILED)
def test_verify_finds_what_is_spoiled(query: str, path: Path) -> None:
    _spoil(path, query)
    with Index(str(path)) as seen:
        looked, documents, wrong = seen.verify()
    assert looked == documents == 3 + ("into document" in query)
    assert [found[: len(told)] for found, told in zip(wrong, SPOILED[query], strict=True)] == SPOILED[query]


@pytest.mark.parametrize("looked_at_once", [2, 256])
def test_verify_looks_at_a_sample_that_is_spread_evenly(
    looked_at_once: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_LOOKED", looked_at_once)
    _add(path, {f"note {n}": f"Note {n}.\n{CHOIR}" for n in range(7)}, "second")
    _spoil(path, "update document set hi = hi + 1")

    def found(sample: "int | None") -> list[int]:
        looked, documents, wrong = seen.verify(sample)
        assert (looked, documents) == (len(wrong), 10)
        return [int(told.split()[1]) for told in wrong]

    with Index(str(path)) as seen:
        assert found(0) == []
        assert found(1) == [1]
        assert found(3) == found(3) == [1, 4, 7]
        assert found(9) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert found(10) == found(99) == found(None) == list(range(1, 11))
