"""Damage: files that are cut short, flipped, packed beyond measure, or written in another encoding than they say.

Why: of a crawl of a million files some are always damaged. What stands before the damage is wanted, what is wrong is to
be told with its place, and no file may end the run, hang it or fill the memory. Each damaged file here is made from a
right one by a seed, so that a failure comes again.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
import zstandard

from dedup.config import Config
from dedup.errors import AuditError, InputError
from dedup.io.documents import Reading, Source, documents, stretches
from dedup.io.rows import Options
from tests.run import DEDUP, ROOT, dedup
from tests.test_across import article
from tests.test_containers import (
    INFO,
    PACK,
    Doc,
    archived,
    array,
    copies,
    done,
    found,
    jsonl,
    known,
    page,
    parquet,
    record,
    table,
    warc,
    write,
)

# ---------------------------------------------------------------- right files, and how they are damaged

DOCS = [Doc(f"d{n}", article(n, 3, 12)) for n in range(1, 13)]


def _ends(parts: list[bytes]) -> list[int]:
    """Where each part but the first ends."""
    return [sum(map(len, parts[: n + 1])) for n in range(1, len(parts))]


def _rows(data: bytes, separator: bytes) -> list[int]:
    """Where each row of a table ends, the header left out: all lines of a text but the last are inside quotes."""
    return [at + len(separator) for at in range(len(data)) if data.startswith(separator, at)][1:]


class Right(NamedTuple):
    """A file that is right."""

    data: bytes
    ends: list[int]  # where each of the DOCS ends there, as far as it is read before what follows
    options: Options = Options(html_mode="page")


RIGHT = {
    "txt": Right(DOCS[0].text.encode(), []),
    "jsonl": Right(jsonl(DOCS), _ends([b"", *(record(doc) + b"\n" for doc in DOCS)])),
    "json": Right(array(DOCS), _ends([b"[\n  ", *(record(doc) + b"\n  , " for doc in DOCS)])),
    "csv": Right(table(DOCS), _rows(table(DOCS), b'"\r\n')),
    "html": Right(page(DOCS[0]), []),
    "warc": Right(warc(DOCS), _ends([INFO, *map(archived, DOCS)])),
    "parquet": Right(parquet(DOCS, group=3), []),
}
FORMATS = [(suffix, packed) for suffix in RIGHT for packed in ("", ".gz") if (suffix, packed) != ("parquet", ".gz")]


def _groups(data: bytes) -> list[int]:
    """Where each row of a table in Parquet ends: where the row group does that it is in."""
    about = pq.ParquetFile(io.BytesIO(data)).metadata
    ends: list[int] = []
    for group in map(about.row_group, range(about.num_row_groups)):
        last = group.column(group.num_columns - 1)
        starts = [at for at in (last.dictionary_page_offset, last.data_page_offset) if at]
        ends += [min(starts) + last.total_compressed_size] * group.num_rows
    return ends


def _prefix(data: bytes, right: bytes) -> int:
    """How many bytes of what damaged gzip data holds are right: by zlib, which is given it byte by byte."""
    out, decoder = bytearray(), zlib.decompressobj(31)
    try:
        for at in range(len(data)):
            out += decoder.decompress(data[at : at + 1])
    except zlib.error:
        pass
    return next((at for at, (one, other) in enumerate(zip(out, right, strict=False)) if one != other), len(out))


class Damaged(NamedTuple):
    """A damaged file, and how many of the DOCS stand whole before the damage."""

    data: bytes
    whole: int


def damaged(suffix: str, packed: str, kind: str, number: int) -> Iterator[Damaged]:
    """Yield so many files of a format that are cut short, or have a byte that was flipped."""
    random = Random(f"{suffix}{packed}{kind}")
    right = RIGHT[suffix]
    data = PACK[packed](right.data)
    for _ in range(number):
        at = random.randrange(len(data))
        changed = bytes([data[at] ^ random.randrange(1, 256)])
        bad = data[:at] if kind == "cut" else data[:at] + changed + data[at + 1 :]
        stands = _prefix(bad, right.data) if packed else at
        ends = (_groups(right.data) if kind == "flip" else []) if suffix == "parquet" else right.ends
        ends = ends if not ends or ends[-1] > stands or suffix != "parquet" else []  # the footer
        yield Damaged(bad, sum(end <= stands for end in ends))


# ---------------------------------------------------------------- in this process


def _read(path: Path, suffix: str) -> tuple[list[str], list[str]]:
    """The texts that are read of a file, and the errors."""
    texts, errors = list[str](), list[str]()
    reading = Reading(Config(), suffix.replace("txt", "text"), RIGHT[suffix].options)

    def fail(_: Source, line: int | None, error: AuditError | InputError) -> None:
        errors.append(str(error))

    source = reading.source(str(path), str(path), path.name, False)
    try:
        for group in documents(reading, stretches(reading, source, fail), fail):
            texts += [one.result.text for one in group]
    except InputError as error:
        errors.append(str(error))
    return texts, errors


@pytest.mark.parametrize("suffix", RIGHT)
def test_the_right_files_are_read_whole(suffix: str, tmp_path: Path) -> None:
    for packed in ("", ".gz") if suffix != "parquet" else ("",):
        path = tmp_path / f"a.{suffix}{packed}"
        path.write_bytes(PACK[packed](RIGHT[suffix].data))
        several = [doc.text for doc in DOCS[: 1 if suffix in ("txt", "html") else None]]
        texts, errors = _read(path, suffix)
        assert [text.split() for text in texts] == [text.split() for text in several]
        assert errors == []
    if RIGHT[suffix].ends:
        assert len(RIGHT[suffix].ends) == len(DOCS)


@pytest.mark.parametrize(("suffix", "packed"), FORMATS)
@pytest.mark.parametrize("kind", ["cut", "flip"])
def test_what_stands_before_damage_is_read(kind: str, suffix: str, packed: str, tmp_path: Path) -> None:
    path, some = tmp_path / f"a.{suffix}{packed}", 0
    for bad in damaged(suffix, packed, kind, 200):
        path.write_bytes(bad.data)
        texts, errors = _read(path, suffix)
        wanted = [doc.text for doc in DOCS[: bad.whole]]
        assert texts[: len(wanted)] == wanted, (bad, errors)
        assert all(path.name in error for error in errors), errors
        some += bool(wanted)
    assert some or not RIGHT[suffix].ends


# ---------------------------------------------------------------- from the command line


@pytest.fixture(scope="module")
def ruins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Damaged]]:
    """A folder of damaged files of every kind, and what each holds."""
    bad = {
        f"{kind}/{number}.{suffix}{packed}": one
        for kind in ("cut", "flip")
        for suffix, packed in FORMATS
        for number, one in enumerate(damaged(suffix, packed, kind, 6))
    }
    return write(tmp_path_factory.mktemp("ruins") / "raw", {name: one.data for name, one in bad.items()}), bad


def _held(path: Path) -> bytes:
    """What is right of what a damaged file holds."""
    data = path.read_bytes()
    if not path.name.endswith(".gz") or not data.startswith(b"\x1f\x8b"):
        return data
    out, decoder = b"", zlib.decompressobj(31)
    try:
        for at in range(len(data)):
            out += decoder.decompress(data[at : at + 1])
    except zlib.error:
        pass
    return out


def test_no_damaged_file_of_a_folder_keeps_the_others_from_being_cleaned(
    ruins: tuple[Path, dict[str, Damaged]], tmp_path: Path
) -> None:
    raw, bad = ruins
    write(raw, {"z.txt": (article(99) * 2).encode()})
    run = done("clean", raw, "-d", tmp_path, "--scope", "document", "--html-mode", "page", code=2)
    assert (tmp_path / "z.txt").read_bytes() == article(99).encode()
    for name, one in bad.items():
        _, suffix, *packed = Path(name).name.split(".")
        if suffix == "parquet" or (packed and name.startswith("flip")) or not one.whole:
            assert (tmp_path / name).exists() or f"{name}: ".encode() in run.stderr, name
        else:
            assert _held(tmp_path / name).startswith(RIGHT[suffix].data[: RIGHT[suffix].ends[one.whole - 1]]), name
        if packed and name.startswith("cut") and one.data:
            assert f"{name}: ".encode() in run.stderr, name


def test_damaged_files_are_a_batch_and_come_back(ruins: tuple[Path, dict[str, Damaged]], tmp_path: Path) -> None:
    raw, bad = ruins
    out, manifest, back = tmp_path / "out", tmp_path / "m", tmp_path / "back"
    done("clean", raw, "-d", out, "--html-mode", "page", "--manifest", manifest, code=2)
    done("restore", out, "--manifest", manifest, "-d", back)
    there = {str(path.relative_to(back)) for path in back.rglob("*") if path.is_file()}
    assert len(there) > len(bad) // 2
    for name in there & {name for name in bad if not name.endswith((".parquet", ".gz"))}:
        assert (back / name).read_bytes() == bad[name].data, name
    for name in there & {name for name in bad if name.startswith("cut") and name.endswith(".gz")}:
        assert _held(back / name) == _held(raw / name), name


@pytest.mark.parametrize("scope", ["document", "batch"])
@pytest.mark.parametrize("packed", [".gz", ".xz", ".zst"])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "warc"])
def test_a_download_that_broke_off_is_cleaned_up_to_there(suffix: str, packed: str, scope: str, tmp_path: Path) -> None:
    if (scope == "batch") != (packed == ".gz"):
        pytest.skip("one scope each, as the streams are the same")
    docs = [Doc(f"d{n}", article(n, 30, 20)) for n in range(1, 40)]
    make: Callable[[list[Doc]], bytes] = {"jsonl": jsonl, "csv": table, "warc": warc}[suffix]
    right = make(docs)
    data = PACK[packed](right)
    bad = tmp_path / f"bad.{suffix}{packed}"
    bad.write_bytes(data[: len(data) * 3 // 4])
    run = done("clean", bad, "--scope", scope, code=2)
    assert len(run.stdout) > len(right) // 2
    assert right.startswith(run.stdout)
    assert f"{bad}: damaged ".encode() in run.stderr
    assert b" near byte " in run.stderr
    assert b"what stands before it was read" in run.stderr


# ---------------------------------------------------------------- bombs

_MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], timeout=100)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""
_LINE = b'{"text": "One line, over and over.", "pad": "' + b"0" * (1 << 20) + b'"}\n'
_PARTS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.compressobj(6, wbits=31),
    ".bz2": bz2.BZ2Compressor,
    ".xz": lambda: lzma.LZMACompressor(preset=0),
    ".zst": lambda: zstandard.ZstdCompressor().compressobj(),
}


def _bomb(packed: str, block: bytes, megabytes: int) -> bytes:
    """So many blocks of a megabyte, compressed twenty at once: the streams stand one after the other."""
    stream = _PARTS[packed]()
    part = b"".join([stream.compress(block) for _ in range(20)] + [stream.flush()])
    return part * (megabytes // 20)


def _measured(*arguments: str | Path) -> tuple["subprocess.CompletedProcess[bytes]", bytes, int]:
    """The finished process, its errors, and how many megabytes of memory it had at most."""
    command = [sys.executable, "-c", _MEASURED, *DEDUP, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=120, check=False)
    errors, _, size = run.stderr.rstrip().rpartition(b"\n")
    return run, errors if errors else b"", int(size) // 1000


@pytest.mark.parametrize("packed", _PARTS)
def test_zeros_without_end_are_not_read_and_nothing_is_written(packed: str, tmp_path: Path) -> None:
    bomb, out = tmp_path / f"a.txt{packed}", tmp_path / "out"
    bomb.write_bytes(_bomb(packed, bytes(1 << 20), 300))
    run, errors, size = _measured("clean", bomb, "-o", out)
    assert (run.returncode, run.stdout, out.exists()) == (2, b"", False)
    assert errors.startswith(f"dedup: {bomb}: ".encode())
    assert b"--max-ratio" in errors
    assert errors.count(b"\n") == 0
    assert size < 300


@pytest.mark.parametrize(("packed", "scope"), [(".gz", "batch"), (".bz2", "document"), (".xz", "batch"), (".zst", "document")])
def test_a_line_without_end_is_read_so_far_and_no_further(packed: str, scope: str, tmp_path: Path) -> None:
    bomb, out = tmp_path / f"a.jsonl{packed}", tmp_path / "out"
    bomb.write_bytes(_bomb(packed, _LINE, 300))
    run, errors, size = _measured("clean", bomb, "-o", out, "--scope", scope)
    assert (run.returncode, run.stdout) == (2, b"")
    assert f"dedup: {bomb}: ".encode() in errors
    assert b"--max-ratio" in errors
    assert size < 300
    assert not out.exists()


def test_what_is_said_to_be_right_is_read_whatever_its_ratio(tmp_path: Path) -> None:
    bomb, out = tmp_path / "a.jsonl.gz", tmp_path / "out"
    bomb.write_bytes(_bomb(".gz", _LINE, 120))
    run, errors, size = _measured("clean", bomb, "-o", out, "--max-ratio", "100000")
    assert (run.returncode, errors, size < 300) == (0, b"", True)
    assert out.read_bytes() == _LINE
