"""Damage: files that are cut short, flipped, packed beyond measure, or written in another encoding than they say.

Why: of a crawl of a million files some are always damaged. What stands before the damage is wanted, what is wrong is to
be told with its place, and no file may end the run, hang it or fill the memory. Each damaged file here is made from a
right one by a seed, so that a failure comes again.
"""

import bz2
import csv
import io
import json
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.resources import files as resources
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import jsonschema
import pyarrow.parquet as pq
import pytest
import zstandard

from dedup.config import Config
from dedup.errors import AuditError, InputError
from dedup.fix import FIXERS
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


def _held(data: bytes) -> bytes:
    """What gzip data holds up to where it is damaged: by zlib, which is given it byte by byte."""
    out, decoder = bytearray(), zlib.decompressobj(31)
    with suppress(zlib.error):
        for at in range(len(data)):
            out += decoder.decompress(data[at : at + 1])
            if decoder.eof:
                return bytes(out) + _held(data[at + 1 :])
    return bytes(out)


def _alike(data: bytes, right: bytes) -> int:
    """How many bytes at the start are the same."""
    same = min(len(data), len(right))
    return next((at for at in range(same) if data[at] != right[at]), same)


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
        stands = _alike(_held(bad), right.data) if packed else at
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
        if not packed or kind == "cut":  # else see the next test
            assert texts[: len(wanted)] == wanted, (bad, errors)
        assert all(path.name in error for error in errors), errors
        some += bool(wanted)
    assert (
        some or suffix in ("txt", "html") or (kind, suffix) == ("cut", "parquet")
    )  # which hold one, or begin at the end


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "warc"])
def test_what_stands_before_a_flipped_byte_of_a_compressed_file_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}.gz"
    for bad in damaged(suffix, ".gz", "flip", 200):
        path.write_bytes(bad.data)
        texts, errors = _read(path, suffix)
        assert texts[: bad.whole] == [doc.text for doc in DOCS[: bad.whole]], (bad, errors)


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
            data = (tmp_path / name).read_bytes()
            right = RIGHT[suffix].data[: RIGHT[suffix].ends[one.whole - 1]]
            assert (_held(data) if packed else data).startswith(right), name
        if packed and name.startswith("cut") and one.data:
            assert f"{name}: ".encode() in run.stderr, name


def test_damaged_files_are_a_batch_and_come_back(ruins: tuple[Path, dict[str, Damaged]], tmp_path: Path) -> None:
    raw, bad = ruins
    out, manifest, back = tmp_path / "out", tmp_path / "m", tmp_path / "back"
    done("clean", raw, "-d", out, "--html-mode", "page", "--manifest", manifest, code=2)
    restored = dedup("restore", out, "--manifest", manifest, "-d", back)
    assert b"Traceback" not in restored.stderr
    assert all(b".parquet: " in line for line in restored.stderr.splitlines()), restored.stderr  # see the next test
    there = {str(path.relative_to(back)): path.read_bytes() for path in back.rglob("*") if path.is_file()}
    plain = [name for name in bad if not name.endswith((".parquet", ".gz"))]
    assert len(there) > len(plain) > len(bad) // 3
    for name in set(plain) & set(there):
        assert there[name] == bad[name].data, name
    for name in there:
        if name.startswith("cut") and name.endswith(".gz"):
            assert _held(there[name]) == _held(bad[name].data), name


def test_the_manifest_has_nothing_of_a_table_that_was_not_written(tmp_path: Path) -> None:
    docs = [*copies(0), *(Doc("first", article(n)) for n in range(10, 20))]
    data = parquet(docs, group=4)
    at = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(3).column(0).data_page_offset
    files = {"a.parquet": data[:at] + b"\xff" * 20 + data[at + 20 :], "b.txt": article(50).encode() * 2}
    raw, out, manifest = write(tmp_path / "raw", files), tmp_path / "out", tmp_path / "m"
    assert b"a.parquet: " in done("clean", raw, "-d", out, "--manifest", manifest, code=2).stderr
    assert [path.name for path in out.iterdir()] == ["b.txt"]
    done("restore", out, "--manifest", manifest, "-d", tmp_path / "back")


@pytest.mark.parametrize(
    ("suffix", "packed", "scope"),
    [
        ("jsonl", ".gz", "batch"),
        ("csv", ".gz", "document"),
        ("warc", ".gz", "batch"),
        ("jsonl", ".xz", "document"),
        ("csv", ".zst", "batch"),
    ],
)
def test_a_download_that_broke_off_is_cleaned_up_to_there(suffix: str, packed: str, scope: str, tmp_path: Path) -> None:
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
    assert b"get it anew" in run.stderr


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


@pytest.mark.parametrize(("packed", "scope"), [(".gz", "batch"), (".bz2", "document"), (".xz", "document")])
def test_a_line_without_end_is_read_so_far_and_no_further(packed: str, scope: str, tmp_path: Path) -> None:
    bomb = tmp_path / f"a.jsonl{packed}"
    bomb.write_bytes(_bomb(packed, _LINE, 300))
    run, errors, size = _measured("clean", bomb, "-o", tmp_path / "out", "--scope", scope)
    assert (run.returncode, run.stdout) == (2, b"")
    assert f"dedup: {bomb}: ".encode() in errors
    assert b"--max-ratio" in errors
    assert errors.count(b"\n") < 2  # the line that it ends in is no JSON
    assert size < 300 or scope == "document"  # see below


def test_nothing_is_written_of_a_line_without_end(tmp_path: Path) -> None:
    bomb = write(tmp_path, {"a.jsonl.zst": _bomb(".zst", _LINE, 300)}) / "a.jsonl.zst"
    assert b"--max-ratio" in done("clean", bomb, "-o", tmp_path / "out", "--scope", "document", code=2).stderr
    assert not (tmp_path / "out").exists()


def test_records_with_large_other_fields_do_not_fill_the_memory(tmp_path: Path) -> None:
    large = write(tmp_path, {"a.jsonl": _LINE * 90}) / "a.jsonl"
    run, errors, size = _measured("clean", large, "-o", tmp_path / "out", "--scope", "document")
    assert (run.returncode, errors) == (0, b"")
    assert size < 150


def test_what_is_said_to_be_right_is_read_whatever_its_ratio(tmp_path: Path) -> None:
    bomb, out = tmp_path / "a.jsonl.gz", tmp_path / "out"
    bomb.write_bytes(_bomb(".gz", _LINE, 120))
    run, errors, size = _measured("clean", bomb, "-o", out, "--max-ratio", "100000")
    assert (run.returncode, errors, size < 300) == (0, b"", True)
    assert out.read_bytes() == _LINE


# ---------------------------------------------------------------- encodings

RUSSIAN = (
    "Вечером паром привёз на остров два мешка писем, потому что всю неделю из-за тумана никто не выходил в море.\n"
    "Почтальон разобрал их до полуночи при свете керосиновой лампы и утром обошёл каждый дом, даже пустую мельницу.\n"
    "Старый смотритель маяка получил сразу семь открыток от внучки и прибил их рядком над печью, чтобы сохли.\n"
)
JAPANESE = (
    "港の古い灯台は去年の冬から灯りが消えたままで、漁師たちは月のない夜には沖へ出なくなった。\n"
    "町の議会は修理の費用を三度も話し合ったが、誰がそれを払うのかは今でも決まっていない。\n"
)
FRENCH = (
    "Le musée de la pêche a rouvert à la mi-août, après que le toit, abîmé par la grêle, eut été refait en ardoise.\n"
    "Les élèves de l'école ont prêté leurs maquettes, et la forêt de mâts occupe désormais tout le côté de l'entrée.\n"
)


@pytest.mark.parametrize(
    ("text", "encoding", "options"),
    [
        (RUSSIAN, "windows-1251", []),
        (RUSSIAN, "windows-1251", ["--scope", "batch"]),
        (RUSSIAN, "koi8-r", ["--encoding", "koi8-r"]),
        (JAPANESE, "shift_jis", ["--encoding", "shift_jis", "--scope", "batch"]),
        (FRENCH, "latin-1", ["--encoding", "latin-1"]),
    ],
)
def test_a_text_is_cleaned_in_its_own_encoding(text: str, encoding: str, options: list[str], tmp_path: Path) -> None:
    out, manifest, data = tmp_path / "out", tmp_path / "m", (text * 2).encode(encoding)
    source = write(tmp_path, {"a.txt": data}) / "a.txt"
    done("clean", source, "-o", out, "--manifest", manifest, *options)
    assert out.read_bytes() == text.encode(encoding)
    assert done("restore", out, "--manifest", manifest).stdout == data


def test_texts_of_all_encodings_are_one_batch_become_utf_8_and_come_back(tmp_path: Path) -> None:
    texts = {
        "a.txt": (RUSSIAN * 2).encode("windows-1251"),
        "b.txt": RUSSIAN.upper().encode(),
        "c.txt": ("\ufeff" + FRENCH * 2).encode("utf-16-le"),
        "d.txt": ("\ufeff" + JAPANESE * 2).encode("utf-16-be"),
        "e.txt": (article(1) + "\udcff\udcc3 noise\n").encode("utf-8", "surrogateescape"),
    }
    raw, manifest = write(tmp_path / "raw", texts), tmp_path / "m"
    done("clean", raw, "-d", tmp_path / "out", "--to-utf8", "--manifest", manifest)
    left = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert left.pop("e.txt") == texts["e.txt"]
    assert {name: data.decode().removeprefix("\ufeff") for name, data in left.items()} == {
        "a.txt": RUSSIAN,
        "c.txt": FRENCH,
        "d.txt": JAPANESE,
    }
    done("restore", tmp_path / "out", "--manifest", manifest, "-d", tmp_path / "back")
    assert found(tmp_path / "back") == known(texts)


def test_bytes_that_do_not_decode_stay() -> None:
    noise = b"\x80\xff \xe9t\xe9 \xc3\n"
    text = article(1).encode()
    assert done("clean", "-", stdin=noise + text + text + noise).stdout == noise + text + noise


def _latin(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode("latin-1")


def test_a_table_is_read_in_the_encoding_that_is_named(tmp_path: Path) -> None:
    data = _latin([("id", "text", "prix"), ("un", FRENCH * 2, "3,50"), ("d\xe9j\xe0", FRENCH.upper(), "4")])
    source = write(tmp_path, {"a.csv": data}) / "a.csv"
    done("clean", source, "-o", tmp_path / "out.csv", "--encoding", "latin-1", "--manifest", tmp_path / "m")
    assert (tmp_path / "out.csv").read_bytes() == _latin([("id", "text", "prix"), ("un", FRENCH, "3,50")])
    assert done("restore", tmp_path / "out.csv", "--manifest", tmp_path / "m").stdout == data


@pytest.mark.parametrize(
    ("name", "said"), [("klingon", b"is not known; use a name such as"), ("iso2022_jp", b"convert the text first")]
)
def test_an_encoding_that_cannot_be_used_is_told(name: str, said: bytes) -> None:
    run = done("clean", "-", "--encoding", name, stdin=b"text\n", code=2)
    assert run.stdout == b""
    assert run.stderr.startswith(f"dedup: encoding {name} ".encode())
    assert said in run.stderr
    assert run.stderr.count(b"\n") == 1


# ---------------------------------------------------------------- fixes

RIGHTLY = (
    "The caf\u00e9 on the pier opens after the first ferry \u2013 its owner says \u00abno\u00bb to all who ask.\n"
    "In the na\u00efve paintings on its walls every boat is blue, every sail is full, and no fisherman has a shadow.\n"
)
WRONGLY = RIGHTLY.encode().decode("cp1252", "surrogateescape").replace("\udc9d", "\x9d").replace("ferry", "fer\u200bry")


def test_texts_are_mended_in_every_format_and_come_back(tmp_path: Path) -> None:
    files = {
        "a.txt": WRONGLY.encode(),
        "b.jsonl": json.dumps({"text": WRONGLY, "n": 1e3}).encode() + b"\n",
        "c.csv": table([Doc("one", WRONGLY)]),
        "d.jsonl": record(Doc("escaped", WRONGLY)) + b"\n",
        "e.txt": RIGHTLY.encode(),
    }
    assert b"\\u00e2\\u20ac\\u201c" in files["b.jsonl"]
    raw, out, manifest = write(tmp_path / "raw", files), tmp_path / "out", tmp_path / "m"
    how = ["--fix", "safe", "--scope", "document"]
    done("clean", raw, "-d", out, *how, "--manifest", manifest, "--report", tmp_path / "r.json")
    left = found(out)
    assert left["a.txt"] == left["e.txt"] == ("", RIGHTLY.encode())
    assert left["b.jsonl"] == ("", json.dumps({"text": RIGHTLY, "n": 1e3}).encode() + b"\n")
    assert left["c.csv"] == ("", table([Doc("one", RIGHTLY)]))
    assert left["d.jsonl"] == ("", record(Doc("escaped", RIGHTLY)) + b"\n")
    report = json.loads((tmp_path / "r.json").read_bytes())
    jsonschema.validate(report, json.loads((resources("dedup.report") / "dedup-report-1.schema.json").read_text()))
    assert report["totals"]["fixes"] == sum(len(document["fixes"]) for document in report["documents"])
    told = [{(fix["rule"], fix["text"], fix["put"]) for fix in d["fixes"]} for d in report["documents"]]
    assert told[0] == told[1] == told[2] == told[3] >= {("mojibake", "\u00c3\u00a9", "\u00e9")}
    assert told[4] == set()
    for fix in report["documents"][0]["fixes"]:
        start, end = fix["bytes"]
        assert files["a.txt"][start:end].decode() == fix["text"]
    done("clean", out, "-d", tmp_path / "again", *how)
    assert found(tmp_path / "again") == left
    done("restore", out, "--manifest", manifest, "-d", tmp_path / "back")
    assert found(tmp_path / "back") == known(files)


def test_copies_are_found_after_the_mending(tmp_path: Path) -> None:
    texts = {"a.txt": RIGHTLY.encode() + WRONGLY.encode(), "b.txt": WRONGLY.encode()}
    raw, out, manifest = write(tmp_path / "raw", texts), tmp_path / "out", tmp_path / "m"
    done("clean", raw, "-d", out, "--fix", "safe", "--manifest", manifest, "--audit")
    assert found(out) == {"a.txt": ("", RIGHTLY.encode())}
    done("restore", out, "--manifest", manifest, "-d", tmp_path / "back")
    assert found(tmp_path / "back") == known(texts)


def test_a_fixer_that_there_is_not_is_told_with_those_there_are() -> None:
    run = done("clean", "-", "--fix", "safe,klingon", stdin=WRONGLY.encode(), code=2)
    assert run.stdout == b""
    assert all(name.encode() in run.stderr for name in ("'klingon'", "safe", *FIXERS))
    assert run.stderr.count(b"\n") == 1


def test_the_furniture_of_a_file_goes(tmp_path: Path) -> None:
    lists = write(tmp_path, {"lists.toml": b'en = ["Ring the harbour bell #"]\n', "bad.toml": b"en = 7\n"})
    text = f"Ring the harbour bell 12\n{RIGHTLY}Advertisement\n".encode()
    how = ["--fix", "furniture", "--furniture"]
    assert done("clean", "-", *how[:2], stdin=text).stdout == text.replace(b"Advertisement\n", b"")
    out, manifest = tmp_path / "out", tmp_path / "m"
    done("clean", "-", *how, lists / "lists.toml", "-o", out, "--manifest", manifest, stdin=text)
    assert out.read_bytes() == f"{RIGHTLY}Advertisement\n".encode()
    assert done("restore", out, "--manifest", manifest).stdout == text
    for name, said in {"bad.toml": b"bad.toml: en is not a list", "none.toml": b"none.toml: cannot be read"}.items():
        assert said in done("clean", "-", *how, tmp_path / name, stdin=text, code=2).stderr
