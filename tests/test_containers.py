"""Every format, compressed or not, from the command line: what is cut, what stays, and the way back.

Why: a scrape is stored as tables, arrays, pages and archives, most of them compressed. A reader may be right by itself
and the run wrong all the same, as where a file is read twice, or written under another name than it is restored from.
So one folder holds every format in every compression, and is cleaned, judged and restored as one.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files as resources
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from dedup.io.compression import told
from tests.run import dedup
from tests.test_across import article


class Doc(NamedTuple):
    """A document, by its name."""

    id: str
    text: str


Docs = Sequence[Doc]

# ---------------------------------------------------------------- documents in every format


def record(doc: Doc) -> bytes:
    """A JSON object that no program writes again in the same way."""
    return f'{{"id" : "{doc.id}","text":{json.dumps(doc.text)}, "tags":[1,2.50,"caf\u00e9"], "big": 1e400}}'.encode()


def jsonl(docs: Docs) -> bytes:
    """A record a line."""
    return b"".join(record(doc) + b"\n" for doc in docs)


def array(docs: Docs) -> bytes:
    """An array of records."""
    return b"[\n  " + b"\n  , ".join(map(record, docs)) + b"\n]\n"


def table(docs: Docs, delimiter: str = ",") -> bytes:
    """CSV or TSV with a column on each side of the text."""
    out = io.StringIO()
    rows = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    rows.writerows([("id", "text", "price"), *((doc.id, doc.text, "2,50\u20ac") for doc in docs)])
    return out.getvalue().encode()


def page(doc: Doc, gone: int = 0) -> bytes:
    """A page, a line of the text a paragraph, with so many at its end that are empty."""
    paragraphs = [*(f"<p class='x'>{line}</p>" for line in doc.text.splitlines()), *["<p class='x'></p>"] * gone]
    return ("<!DOCTYPE html>\n<html><body><main>\n" + "\n".join(paragraphs) + "\n</main></body></html>\n").encode()


def archived(doc: Doc) -> bytes:
    """A record of WARC."""
    body = doc.text.encode()
    head = f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <{doc.id}>\r\nX-Odd:  kept \r\n"
    return f"{head}Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n\r\n"


INFO = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 9\r\n\r\nby: hand\n\r\n\r\n"


def warc(docs: Docs) -> bytes:
    """An archive."""
    return INFO + b"".join(map(archived, docs))


def parquet(docs: Docs, packed: str = "", group: int = 100) -> bytes:
    """A table with a list and a number in each row, and metadata."""
    fields = {
        "number": pa.array(range(len(docs)), pa.uint16()),
        "id": pa.array([doc.id for doc in docs]),
        "text": pa.array([doc.text for doc in docs], pa.large_string()),
        "tags": pa.array([[doc.id, None] for doc in docs]),
    }
    if docs and docs[0].id == "first":  # that of a row goes with it, and so its number does
        fields["number"] = pa.array(
            [{"first": 0, "second": 1, "third": 2, "fourth": 3}[d.id] for d in docs], pa.uint16()
        )
    out, codec = io.BytesIO(), {"": "none", ".gz": "gzip", ".bz2": "brotli", ".xz": "snappy", ".zst": "zstd"}[packed]
    rows = pa.table(fields).replace_schema_metadata({"made by": "hand"})
    pq.write_table(rows, out, compression=codec, row_group_size=group)
    return out.getvalue()


def members(data: bytes) -> bytes:
    """An archive compressed record by record."""
    return b"".join(gzip.compress(b"WARC/1.0\r\n" + part, mtime=0) for part in data.split(b"WARC/1.0\r\n")[1:])


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.decompress,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
SEVERAL: dict[str, Callable[[Docs], bytes]] = {
    "jsonl": jsonl,
    "json": array,
    "csv": table,
    "tsv": lambda docs: table(docs, "\t"),
    "warc": warc,
}
KINDS = [(suffix, packed) for suffix in ("txt", "html", *SEVERAL, "parquet") for packed in PACK]


def stored(suffix: str, packed: str, docs: Docs, doubled: str = "") -> dict[str, bytes]:
    """The files that hold these documents, by name: one, where the format holds several, else one each.

    Of the page of the document `doubled` the second half is empty.
    """
    if suffix == "parquet":
        return {"all.parquet": parquet(docs, packed)}
    if suffix == "txt":
        return {f"{doc.id}.txt{packed}": PACK[packed](doc.text.encode()) for doc in docs}
    if suffix == "html":
        sizes = {doubled: 4}
        return {f"{doc.id}.html{packed}": PACK[packed](page(doc, sizes.get(doc.id, 0))) for doc in docs}
    data = SEVERAL[suffix](docs)
    return {f"all.{suffix}{packed}": members(data) if (suffix, packed) == ("warc", ".gz") else PACK[packed](data)}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """The folder with these files."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def forest(docs: Callable[[int], Docs], doubled: str = "") -> dict[str, bytes]:
    """Files of every kind; those of each kind hold documents of their own, told by a number."""
    return {
        f"{suffix}{packed}/{name}": data
        for number, (suffix, packed) in enumerate(KINDS)
        for name, data in stored(suffix, packed, docs(10 * number), doubled).items()
    }


def held(name: str, data: bytes) -> Any:
    """What a file holds: the bytes that it decompresses to, or the table."""
    if not name.endswith(".parquet"):
        return UNPACK[told(data)](data)
    rows = pq.read_table(io.BytesIO(data))
    return rows.schema.to_string(), rows.schema.metadata, rows.to_pylist()


def known(files: dict[str, bytes]) -> dict[str, Any]:
    """What these files hold, by name, and how each is compressed."""
    return {name: (told(data), held(name, data)) for name, data in files.items()}


def found(folder: Path) -> dict[str, Any]:
    """What the files of a folder hold, as `known` tells it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return known({str(path.relative_to(folder)): path.read_bytes() for path in paths})


def done(*arguments: str | Path, code: int = 0, **how: Any) -> "subprocess.CompletedProcess[bytes]":
    """The finished process, which ended with this code, and said something only where that is an error."""
    run = dedup(*arguments, **how)
    assert run.returncode == code, run
    assert bool(run.stderr) == (code == 2), run.stderr
    assert b"Traceback" not in run.stderr
    return run


# ---------------------------------------------------------------- nothing to do


def single(number: int) -> Docs:
    """Documents without a copy."""
    return [Doc(name, article(number + at)) for at, name in enumerate(("one", "two", "three"), 1)]


@pytest.mark.parametrize("scope", ["document", "batch"])
def test_what_has_no_copies_is_written_as_it_is(scope: str, tmp_path: Path) -> None:
    files = forest(single)
    raw, out, manifest = write(tmp_path / "raw", files), tmp_path / "out", tmp_path / "m"
    how = ["--scope", scope, "--html-mode", "page"]
    assert done("clean", raw, "-d", out, *how, "--manifest", manifest).stdout == b""
    assert found(out) == known(files)
    done("restore", out, "--manifest", manifest, "-d", tmp_path / "back")
    tables = {name for name in files if name.endswith(".parquet")}
    assert {name: held for name, held in found(tmp_path / "back").items() if name not in tables} == known(
        {name: data for name, data in files.items() if name not in tables}
    )


def test_a_table_without_copies_comes_back_with_its_folder(tmp_path: Path) -> None:
    files = {"a.parquet": parquet(single(0)), "b.txt": article(4).encode()}
    done("clean", write(tmp_path / "raw", files), "-d", tmp_path / "out", "--manifest", tmp_path / "m")
    done("restore", tmp_path / "out", "--manifest", tmp_path / "m", "-d", tmp_path / "back")
    assert found(tmp_path / "back") == known(files)


def test_an_archive_is_compressed_record_by_record(tmp_path: Path) -> None:
    files = stored("warc", ".gz", single(0))
    done("clean", write(tmp_path / "raw", files), "-d", tmp_path / "out")
    data = (tmp_path / "out" / "all.warc.gz").read_bytes()
    assert data.count(gzip.compress(b"")[:4]) >= 4


# ---------------------------------------------------------------- copies in documents, and among them


def copies(number: int) -> Docs:
    """A document that is doubled, one with its words again, and two of their own."""
    one, two, three = (article(number + at) for at in (1, 2, 3))
    return [Doc("first", one + one), Doc("second", one.upper()), Doc("third", two), Doc("fourth", three)]


def cleaned(number: int, scope: str = "batch") -> Docs:
    """What is left of them."""
    _, *rest = copies(number)
    return [Doc("first", article(number + 1)), *rest[scope == "batch" :]]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of every kind of file, with copies in each."""
    return write(tmp_path_factory.mktemp("copies") / "raw", forest(copies))


@pytest.mark.parametrize("scope", ["document", "batch"])
def test_copies_go_and_all_else_stays_and_the_way_back_is_exact(scope: str, raw: Path, tmp_path: Path) -> None:
    out, again, manifest = tmp_path / "out", tmp_path / "again", tmp_path / "m"
    how = ["--scope", scope, "--html-mode", "page"]
    done("clean", raw, "-d", out, *how, "--manifest", manifest, "--audit")
    left = found(out)
    expected = known(forest(lambda number: cleaned(number, scope), "first"))
    assert {name: left.get(name) for name in expected} == expected
    assert set(left) == set(expected)
    done("clean", out, "-d", again, *how)
    assert found(again) == left
    done("restore", out, "--manifest", manifest, "-d", tmp_path / "back")
    assert found(tmp_path / "back") == found(raw)


def _valid(report: bytes) -> Any:
    told = json.loads(report)
    jsonschema.validate(told, json.loads((resources("dedup.report") / "dedup-report-1.schema.json").read_text()))
    return told


def test_check_and_report_tell_of_every_kind_of_file(raw: Path) -> None:
    judged = _valid(done("check", raw, "--format", "json", "--html-mode", "page", code=1).stdout)
    report = _valid(done("report", raw, "--format", "json", "--html-mode", "page").stdout)
    assert judged == report
    assert report["errors"] == report["skipped"] == []
    totals = report["totals"]
    assert totals["documents"] == 4 * len(KINDS)
    assert totals["documents_removed"] == totals["blocks"] == totals["clusters"] == len(KINDS)
    assert 0.3 < totals["duplication"] < 0.5
    done("check", raw, "--max-duplication", "60%", "--html-mode", "page")


def test_a_large_batch_has_the_same_answer_by_one_worker_and_by_two(tmp_path: Path) -> None:
    docs = [Doc(f"d{n}", " ".join(f"harbourmastership{n:x}q{at}" for at in range(500)) + ".\n") for n in range(690)]
    docs += [Doc(f"again{n}", docs[n].text.upper()) for n in range(0, 690, 13)]
    files = {"a.csv.gz": gzip.compress(table(docs[:500]), 1), "b.jsonl.zst": PACK[".zst"](jsonl(docs[500:]))}
    raw = write(tmp_path / "raw", files)
    assert sum(len(held(name, data)) for name, data in files.items()) > 8 << 20
    for workers in ("1", "2"):
        done("clean", raw, "-d", tmp_path / workers, "-j", workers, "--manifest", tmp_path / f"m{workers}")
    assert found(tmp_path / "1") == found(tmp_path / "2")
    assert (tmp_path / "m1").read_bytes() == (tmp_path / "m2").read_bytes()
    assert b"again" not in found(tmp_path / "1")["b.jsonl.zst"][1]
    done("restore", tmp_path / "2", "--manifest", tmp_path / "m2", "-d", tmp_path / "back")
    assert found(tmp_path / "back") == found(raw)


# ---------------------------------------------------------------- where it is read from and written to


@pytest.mark.parametrize(("suffix", "packed"), [("csv", ".zst"), ("warc", ".gz")])
def test_one_file_goes_to_standard_output_as_plain_bytes(suffix: str, packed: str, raw: Path) -> None:
    number = 10 * KINDS.index((suffix, packed))
    shown = done("clean", raw / f"{suffix}{packed}" / f"all.{suffix}{packed}").stdout
    assert shown == SEVERAL[suffix](cleaned(number))


@pytest.mark.parametrize(("kind", "target"), [("jsonl", ".zst"), ("csv.xz", ".gz")])
def test_the_name_of_an_output_says_how_it_is_compressed(kind: str, target: str, raw: Path, tmp_path: Path) -> None:
    suffix, _, packed = kind.partition(".")
    number = 10 * KINDS.index((suffix, f".{packed}" if packed else ""))
    out, manifest = tmp_path / f"out.{suffix}{target}", tmp_path / "m"
    source = raw / kind / f"all.{kind}"
    done("clean", source, "-o", out, "--manifest", manifest)
    data = out.read_bytes()
    assert data[:2] == PACK[target](b"x")[:2] or not target
    assert held(out.name, data) == SEVERAL[suffix](cleaned(number))
    assert done("restore", out, "--manifest", manifest).stdout == held("", source.read_bytes())
    done("restore", out, "--manifest", manifest, "-o", tmp_path / "back.bz2")
    assert bz2.decompress((tmp_path / "back.bz2").read_bytes()) == held("", source.read_bytes())


def test_files_of_every_kind_are_replaced_and_come_back(tmp_path: Path) -> None:
    kinds = [("jsonl", ".gz"), ("csv", ""), ("csv", ".xz"), ("parquet", ""), ("txt", ".zst"), ("warc", ".gz")]
    files = {
        f"{suffix}{packed}-{name}": data
        for suffix, packed in kinds
        for name, data in stored(suffix, packed, copies(10 * KINDS.index((suffix, packed)))).items()
    }
    raw, manifest = write(tmp_path / "raw", files), tmp_path / "m"
    assert b"--manifest" in done("clean", raw, "--in-place", code=2).stderr
    assert found(raw) == known(files)
    done("clean", raw, "--in-place", "--manifest", manifest, "-j", "2")
    left = found(raw)
    assert left == known({
        f"{suffix}{packed}-{name}": data
        for suffix, packed in kinds
        for name, data in stored(suffix, packed, cleaned(10 * KINDS.index((suffix, packed)))).items()
    })  # fmt: skip
    assert b"an earlier run" in done("clean", raw, "--in-place", "--manifest", manifest, code=2).stderr
    assert found(raw) == left
    done("restore", raw, "--manifest", manifest, "-d", tmp_path / "back")
    assert found(tmp_path / "back") == known(files)


def test_the_text_of_a_page_does_not_replace_the_page(tmp_path: Path) -> None:
    files = {"page.html": page(Doc("", article(1) * 2)), "two/page.html.gz": gzip.compress(page(Doc("", article(2))))}
    raw, manifest = write(tmp_path / "raw", files), tmp_path / "m"
    assert b"--html-mode page" in done("clean", raw, "--in-place", "--manifest", manifest, code=2).stderr
    assert found(raw) == known(files)
    done("clean", raw, "--in-place", "--manifest", manifest, "--html-mode", "page")
    assert found(raw) != known(files)
    done("restore", raw, "--manifest", manifest, "-d", tmp_path / "back")
    assert found(tmp_path / "back") == known(files)


@pytest.mark.parametrize(
    ("suffix", "packed", "scope"),
    [("csv", "", "document"), ("csv", ".gz", "batch"), ("json", ".zst", "document")],
)
def test_standard_input_holds_any_format(suffix: str, packed: str, scope: str) -> None:
    (data,) = stored(suffix, packed, copies(0)).values()
    shown = done("clean", "-", "--scope", scope, "--input-format", suffix, stdin=data).stdout
    assert shown == SEVERAL[suffix](cleaned(0, scope))


def test_a_compressed_text_on_standard_input_is_told_by_its_bytes() -> None:
    assert done("clean", "-", stdin=gzip.compress(article(1).encode() * 2)).stdout == article(1).encode()


SCOPES = ["document", "batch"]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_table_on_standard_input_comes_back(scope: str, tmp_path: Path) -> None:
    data, out, manifest = parquet(copies(0)), tmp_path / "out.parquet", tmp_path / "m"
    how = ["--input-format", "parquet", "--scope", scope]
    done("clean", "-", *how, "-o", out, "--manifest", manifest, stdin=data)
    assert held(out.name, out.read_bytes()) == held(out.name, parquet(cleaned(0, scope)))
    done("restore", out, "--manifest", manifest, "-o", tmp_path / "back.parquet")
    assert held(out.name, (tmp_path / "back.parquet").read_bytes()) == held(out.name, data)


def _piped(suffix: str, packed: str, scope: str, folder: Path) -> None:
    """Check that a pipe with a name is cleaned; what is left of what is written to it is let go."""
    ((name, data),) = stored(suffix, packed, copies(0)).items()
    ((_, clean),) = stored(suffix, "", cleaned(0, scope)).items()
    pipe, out = folder / name, folder / f"out.{suffix}"
    os.mkfifo(pipe)

    def fill() -> None:
        with suppress(BrokenPipeError):
            pipe.write_bytes(data)

    writer = Thread(target=fill, daemon=True)
    writer.start()
    done("clean", pipe, "--input-format", suffix, "--scope", scope, "-o", out)
    writer.join(60)
    assert held(out.name, out.read_bytes()) == held(out.name, clean)


@pytest.mark.parametrize(("suffix", "packed", "scope"), [("csv", "", "document"), ("jsonl", ".gz", "batch")])
def test_a_pipe_with_a_name_is_read_once(suffix: str, packed: str, scope: str, tmp_path: Path) -> None:
    _piped(suffix, packed, scope, tmp_path)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_table_from_a_pipe_with_a_name_is_kept_until_it_is_written(scope: str, tmp_path: Path) -> None:
    _piped("parquet", "", scope, tmp_path)


MIXED = {
    "a/text.txt": (article(1) * 2).encode(),
    "a/text.txt.bz2": bz2.compress(article(2).encode()),
    "a/z-copy.md": article(1).upper().encode(),
    "b/page.html": page(Doc("", article(3) * 2)),
    "b/page.htm.gz": gzip.compress(page(Doc("", article(4)))),
    "b/z-again.html": page(Doc("", article(3))),
    "c/rows.jsonl": jsonl(copies(10)),
    "c/rows.json.xz": lzma.compress(array(copies(20))),
    "c/rows.csv.zst": PACK[".zst"](table(copies(30))),
    "d/rows.tsv": table(copies(40), "\t"),
    "d/crawl.warc.gz": members(warc(copies(50))),
    "d/crawl.warc": INFO + archived(Doc("p", article(6))),
    "e/rows.parquet": parquet(copies(60)),
    "e/cats.png": b"\x89PNG\r\n\x1a\n\0\0",
    "empty.csv": b"",
    "empty.html": b"",
    "empty.jsonl.gz": gzip.compress(b""),
}


@pytest.mark.parametrize("scope", ["document", "batch"])
def test_a_folder_of_all_formats_is_cleaned_and_comes_back(scope: str, tmp_path: Path) -> None:
    raw, out, manifest = write(tmp_path / "raw", MIXED), tmp_path / "out", tmp_path / "m"
    run = dedup("clean", raw, "-d", out, "--scope", scope, "--manifest", manifest)
    assert run.returncode == 0, run.stderr
    assert b"skipped 1 binary files" in run.stderr
    left = found(out)
    assert left["a/text.txt"] == ("", article(1).encode())
    assert left["b/page.html.txt"][1].decode().split() == article(3).split()
    assert left["b/page.htm.gz.txt"][1].decode().split() == article(4).split()
    assert left["c/rows.csv.zst"] == ("zstd", table(cleaned(30, scope)))
    assert left["e/rows.parquet"][1] == held("x.parquet", parquet(cleaned(60, scope)))
    assert ("a/z-copy.md" in left, "b/z-again.html.txt" in left) == (scope == "document",) * 2
    done("restore", out, "--manifest", manifest, "-d", tmp_path / "back")
    back, before = found(tmp_path / "back"), known(MIXED)
    del before["e/cats.png"]
    assert set(back) == set(before)
    assert back == before


def _without(folder: Path, *modules: str) -> dict[str, str]:
    """The environment of a child in which these modules are not installed."""
    (folder / "sitecustomize.py").write_text(f"import sys\nfor name in {modules!r}:\n    sys.modules[name] = None\n")
    return {"PYTHONPATH": os.fspath(folder)}


@pytest.mark.parametrize(
    ("module", "name", "extra", "scope"),
    [
        ("pyarrow", "a.parquet", "parquet", "batch"),
        ("trafilatura", "a.html", "html", "batch"),
        ("zstandard", "a.csv.zst", "zstd", "batch"),
        ("zstandard", "a.txt.zst", "zstd", "document"),
        ("zstandard", "a.txt.zst", "zstd", "batch"),
    ],
)
def test_a_missing_extra_is_named_and_the_rest_is_done(
    module: str, name: str, extra: str, scope: str, tmp_path: Path
) -> None:
    data = {"parquet": parquet(copies(0)), "html": MIXED["b/page.html"], "zstd": PACK[".zst"](table(copies(0)))}
    raw = write(tmp_path / "raw", {"b.txt": (article(9) * 2).encode(), name: data[extra]})
    run = done("clean", raw, "-d", tmp_path / "out", "--scope", scope, code=2, env=_without(tmp_path, module))
    assert f"{name}: ".encode() in run.stderr
    assert f"install the extra: pip install 'dedup-text[{extra}]'".encode() in run.stderr
    assert run.stderr.count(b"\n") == 1
    assert found(tmp_path / "out") == {"b.txt": ("", article(9).encode())}


def test_what_needs_no_extra_is_done_without_any(tmp_path: Path) -> None:
    files = {"a.csv.gz": gzip.compress(table(copies(70))), "b.html": MIXED["b/page.html"], "c.warc": warc(copies(10))}
    raw, out = write(tmp_path / "raw", files), tmp_path / "out"
    none = _without(tmp_path, "pyarrow", "trafilatura", "fastwarc", "zstandard", "charset_normalizer")
    done("clean", raw, "-d", out, "--html-mode", "page", env=none)
    left = found(out)
    assert left["a.csv.gz"][1] == table(cleaned(70))
    assert left["b.html"][1] == page(Doc("", article(3)), 4)
    assert left["c.warc"][1] == warc(cleaned(10))


# ---------------------------------------------------------------- settings of a project

SHARED = b'[tool.dedup]\ntext-field = "body"\njobs = 1\n[tool.dedup.check]\nmax-duplication = "99%"\n'
BODY = jsonl(copies(0)).replace(b'"text"', b'"body"')
CLEAN = jsonl(cleaned(0)).replace(b'"text"', b'"body"')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with settings, and a folder with a file that needs them."""
    files = {"pyproject.toml": SHARED, "in/deep/a.jsonl": BODY, "in/deep/b.jsonl": jsonl(copies(0))}
    return write(tmp_path / "project", files)


def test_the_settings_of_a_project_hold_in_all_of_its_folders(project: Path) -> None:
    deep = project / "in" / "deep"
    assert done("clean", "a.jsonl", cwd=deep).stdout == CLEAN
    done("check", "a.jsonl", cwd=deep)
    done("check", "a.jsonl", "--max-duplication", "1%", cwd=deep, code=1)
    assert done("clean", "b.jsonl", "--text-field", "text", cwd=deep).stdout == jsonl(cleaned(0))


def test_the_nearest_settings_hold_and_dedup_toml_before_pyproject_toml(project: Path) -> None:
    write(project / "in", {"pyproject.toml": b"[project]\nname = 'other'\n"})
    assert b'text-field = "body"' in done("clean", "--print-config", cwd=project / "in").stdout
    write(project, {"dedup.toml": b'text-field = "text"\n'})
    shown = done("clean", "--print-config", cwd=project / "in" / "deep").stdout
    assert f"# defaults from {project / 'dedup.toml'}".encode() in shown
    assert b'text-field = "text"' in shown
    write(project / "in" / "deep", {"dedup.toml": b"near = true\n"})
    shown = done("clean", "--print-config", cwd=project / "in" / "deep").stdout
    assert b"near = true" in shown
    assert b'text-field = "text"' in shown  # its default


def test_what_is_printed_is_a_file_of_settings(project: Path) -> None:
    shown = done("clean", "--near", "0.8", "--fix", "nfc,safe", "--print-config", cwd=project).stdout
    table = tomllib.loads(shown.decode())
    told = (table["text-field"], table["similarity"], table["fix"], table["near"], table["jobs"])
    assert told == ("body", 0.8, "nfc,safe", True, 1)
    write(project, {"other.toml": shown})
    again = done("clean", "--config", "other.toml", "--print-config", cwd=project).stdout
    assert tomllib.loads(again.decode()) == table
    assert done("in/deep/a.jsonl", "--config=other.toml", "--scope", "batch", cwd=project).stdout == CLEAN


def test_each_option_of_check_is_a_setting(project: Path) -> None:
    write(project, {"dedup.toml": b'text-field = "body"\n[check]\nmax-duplication-per-document = "1%"\n'})
    shown = done("check", "--print-config", cwd=project).stdout
    assert tomllib.loads(shown.decode())["max-duplication-per-document"] == "1%"


def test_the_bare_filter_reads_no_settings(project: Path) -> None:
    write(project, {"dedup.toml": b"this is no TOML"})
    text = article(1).encode()
    assert done(cwd=project, stdin=text * 2).stdout == text
    assert b"dedup.toml: is not TOML" in done("clean", "-", cwd=project, stdin=text, code=2).stderr


def test_a_furniture_file_stands_beside_the_settings_that_name_it(project: Path) -> None:
    settings = b'fix = ["furniture"]\nfurniture = "lists/own.toml"\n'
    write(project, {"dedup.toml": settings, "lists/own.toml": b'en = ["Ring twice"]\n'})
    text = article(1).encode()
    assert done("clean", "-", cwd=project / "in" / "deep", stdin=b"Ring twice\n" + text).stdout == text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (b'text-fild = "body"', "there is no setting text-fild for clean; did you mean text-field?"),
        (b'near = "yes"', "near = 'yes': true or false is needed"),
        (b"text-field = true", "text-field = True: a text or a number is needed"),
        (b'min-words = "many"', "min-words = 'many': a number is needed"),
        (b"[klingon]\nnear = true", "there is no command klingon"),
        (b"[clean]\nbaseline = 'b'", "there is no setting baseline for clean"),
    ],
)
def test_settings_that_are_wrong_are_told_with_file_and_key(settings: bytes, said: str, project: Path) -> None:
    write(project, {"dedup.toml": settings + b"\n"})
    run = done("clean", "-", cwd=project, stdin=b"text\n", code=2)
    assert run.stdout == b""
    assert run.stderr.startswith(f"dedup: {project / 'dedup.toml'}: ".encode())
    assert said.encode() in run.stderr
    assert run.stderr.count(b"\n") == 1
