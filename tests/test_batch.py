"""Batches from the command line: many files and records as real processes, their undo, and what goes wrong."""

import json
import os
import random
import re
import signal
import subprocess
from collections.abc import Callable, Mapping
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dedup.manifest import parse, undo
from tests.run import DEDUP, LINUX, ROOT, alive, begun, children, dedup, until
from tests.test_across import SHARE, article
from tests.test_faults import HOSTILE, UNSEEN

ONE, TWO, THREE, FOUR = (article(at) for at in range(1, 5))
PART = "".join(ONE.splitlines(keepends=True)[1:3])
NEAR = ONE.replace(ONE.split()[40], "another", 1)


def _write(folder: Path, texts: Mapping[str, str | bytes]) -> Path:
    """The folder with these files."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    """What a folder holds, by path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _rows(*texts: str, **more: object) -> bytes:
    """JSON Lines of these texts."""
    return b"".join(json.dumps({"id": f"r{n}", "text": text, **more}).encode() + b"\n" for n, text in enumerate(texts))


def _report(*arguments: str | Path) -> dict[str, Any]:
    """The JSON report of these inputs, which keeps to its schema."""
    done = dedup("report", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    _checked(report)
    return report


def _checked(report: dict[str, Any]) -> None:
    """Check that a report keeps to its schema and adds up."""
    jsonschema.validate(report, json.loads((resources("dedup.report") / "dedup-report-1.schema.json").read_text()))
    totals, told = report["totals"], report["documents"]
    assert totals["documents"] == len(told)
    assert totals["documents_removed"] == sum(d["removed"] for d in told)
    assert totals["bytes_in"] == sum(d["bytes_in"] for d in told)
    assert totals["bytes_out"] == sum(d["bytes_out"] for d in told)
    assert totals["bytes_removed"] == totals["bytes_in"] - totals["bytes_out"]
    assert totals["clusters"] == len(report["clusters"])
    assert totals["errors"] == len(report["errors"])


# ---------------------------------------------------------------- folders, records, and the way back

TREE: dict[str, str | bytes] = {
    "a.txt": ONE + ONE,
    "b/again.txt": ONE.upper(),
    "b/near.txt": NEAR,
    "b/other.txt": "\ufeff" + TWO.replace("\n", "\r\n"),
    "c/part.txt": PART,
    "c/utf-16.txt": ("\ufeff" + TWO).encode("utf-16-le"),
    "c/d/noise.txt": TWO.encode() + b"\xff\xe9 noise \xc3\n",
    "c/d/three.txt": THREE[:-1],
    "empty.txt": "",
    "z.txt": THREE,
}


def test_a_folder_is_mirrored_without_its_copies_and_restored_byte_for_byte(tmp_path: Path) -> None:
    raw, out, manifest = _write(tmp_path / "raw", TREE), tmp_path / "out", tmp_path / "m"
    _write(out, {"c/d/three.txt": "of an earlier run", "c/utf-16.txt": "of an earlier run", "mine.txt": "not of dedup"})
    done = dedup("clean", raw, "-d", out, "--manifest", manifest, "-v")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(b"dedup: 10 documents, dropped 3 of them, removed ")
    gone = {"b/again.txt", "c/utf-16.txt", "c/d/three.txt"}
    assert set(_files(out)) == (set(TREE) | {"mine.txt"}) - gone
    assert (out / "a.txt").read_text() == ONE
    assert dedup("restore", out, "--manifest", manifest, "-d", tmp_path / "back").returncode == 0
    assert _files(tmp_path / "back") == _files(raw)
    dropped = {e["source"]: e["dropped"] for e in map(json.loads, manifest.read_bytes().splitlines()) if "dropped" in e}
    assert {Path(k).name: Path(v).name for k, v in dropped.items()} == {
        "again.txt": "a.txt",
        "utf-16.txt": "other.txt",
        "three.txt": "z.txt",
    }
    assert dedup("restore", out / "c" / "d" / "three.txt", "--manifest", manifest).stdout.decode() == THREE[:-1]


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        (["--contained"], {"b/again.txt", "b/other.txt", "c/part.txt", "c/utf-16.txt", "c/d/three.txt"}),
        (["--near", "--contained", "--passages", "--boilerplate", "--min-documents", "2"], None),
        (["--scope", "document"], set()),
    ],
)
def test_files_of_a_folder_that_are_replaced_come_back(
    options: list[str], gone: set[str] | None, tmp_path: Path
) -> None:
    raw, manifest = _write(tmp_path / "raw", TREE), tmp_path / "m"
    done = dedup("clean", raw, "--in-place", "--manifest", manifest, "--audit", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    left = set(_files(raw))
    assert (raw / "a.txt").read_text() == ONE
    assert gone is None or left == set(TREE) - gone
    assert dedup("restore", raw, "--manifest", manifest, "-d", raw).returncode == 0
    assert _files(raw) == _files(_write(tmp_path / "again", TREE))


def test_whole_files_are_not_removed_where_nothing_records_them(tmp_path: Path) -> None:
    raw = _write(tmp_path / "raw", TREE)
    for target in (["--in-place"], ["-d", raw]):
        done = dedup("clean", raw, *target)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"give --manifest FILE, or --scope document" in done.stderr
        assert _files(raw) == _files(_write(tmp_path / "again", TREE))


@pytest.mark.parametrize("given", ["twice", "link", "hard link", "folder and file"])
def test_a_file_that_is_met_twice_is_not_removed_as_its_own_copy(given: str, tmp_path: Path) -> None:
    raw = _write(tmp_path / "raw", {"b.txt": ONE, "c.txt": TWO})
    inputs = [raw]
    if given == "twice":
        inputs = [raw / "b.txt", raw / "b.txt", raw / "c.txt"]
    if given == "link":
        (raw / "a.txt").symlink_to("b.txt")
    if given == "hard link":
        (raw / "a.txt").hardlink_to(raw / "b.txt")
    if given == "folder and file":
        inputs = [raw / "b.txt", raw]
    dedup("clean", *inputs, "--in-place", "--manifest", tmp_path / "m")
    left = [path.read_text() for path in raw.iterdir() if path.exists()]
    assert ONE in left
    assert TWO in left


def _layouts() -> dict[str, bytes]:
    """JSON Lines with copies in every place, by what is odd about them; each of texts of its own."""
    out = {}
    for at, name in enumerate(_LAYOUTS):
        texts = [article(10 * at + 100 + n, 3) for n in range(3)]
        one, two, three, again = (_rows(text).rstrip(b"\n") for text in (texts[0] * 2, *texts[1:], texts[0].upper()))
        lines, end = _LAYOUTS[name]
        known = {"1": one, "2": two, "3": three, "=": again, "+": _rows(texts[0] + texts[1]).rstrip(b"\n")}
        out[f"{name}.jsonl"] = end.join(known.get(line, line.encode()) for line in lines)
    text = article(99, 3) + "café 😀 /"
    escaped = json.dumps(text).replace("/", "\\/").replace("a", "\\u0061").encode()
    odd = b'{"n": 1.50, "text" : ' + escaped + b', "id":"\\u0041", "tags":["a",null]}'
    plain = json.dumps({"text": text, "url": "x"}, ensure_ascii=False).encode()
    out["escapes.jsonl"] = b"\n".join([odd, plain, _rows(text * 2)[:-1], odd, _rows(article(98))])
    return out


_LAYOUTS: dict[str, tuple[str, bytes]] = {
    "last": ("12=", b"\n"),
    "last with its end": ("12= ", b"\n"),
    "last two": ("1==", b"\n"),
    "kept at the end": ("1=2", b"\n"),
    "all but one": ("1=====", b"\n"),
    "return": ("1=2= ", b"\r\n"),
    "return at the end": ("12=", b"\r\n"),
    "blank lines": (" 1  =  2=   ", b"\n"),
    "only blanks at the end": ("1=   ", b"\n"),
    "the first with --contained": ("=23+", b"\n"),
    "nothing goes": ("123 ", b"\n"),
}


@pytest.mark.parametrize("options", [[], ["--contained", "--near", "--passages", "--boilerplate"]])
def test_records_are_restored_byte_for_byte_whichever_lines_go(options: list[str], tmp_path: Path) -> None:
    layouts = _layouts()
    texts = [article(10 * at + 100, 3) for at in range(len(_LAYOUTS))]
    raw = _write(tmp_path / "raw", {**layouts, "zz all go.jsonl": _rows(*texts)})
    out, back = tmp_path / "out", tmp_path / "back"
    done = dedup("clean", raw, "-d", out, "--manifest", tmp_path / "m", *options)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = {name: [line for line in data.split(b"\n") if line.strip()] for name, data in _files(out).items()}
    assert lines["zz all go.jsonl"] == []
    kept = {name: len(set(letters.replace("=", "1").replace(" ", ""))) for name, (letters, _) in _LAYOUTS.items()}
    kept |= {"escapes": 2} | ({"the first with --contained": 2} if options else {})
    assert {name: len(lines[f"{name}.jsonl"]) for name in kept} == kept
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-d", back).returncode == 0
    assert _files(back) == _files(raw)


def test_lines_that_are_no_records_pass_through_and_are_named(tmp_path: Path) -> None:
    good, again, other = (_rows(text)[:-1] for text in (ONE, ONE.upper(), TWO))
    lines = [b"{broken", good, b'{"text": 5}', again, b"[]", again, other, b"\xff\xfe", again, b'"end']
    raw, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    raw.write_bytes(b"\n".join(lines))
    done = dedup("clean", raw, "-o", out, "--manifest", tmp_path / "m")
    assert done.returncode == 2
    assert re.findall(r"in\.jsonl:(\d+): ", done.stderr.decode()) == ["1", "3", "5", "8", "10"]
    assert out.read_bytes() == b"\n".join(line for line in lines if line != again)
    restored = dedup("restore", out, "--manifest", tmp_path / "m")
    assert (restored.returncode, restored.stdout) == (0, raw.read_bytes())


def test_files_without_a_record_come_back_too(tmp_path: Path) -> None:
    raw = _write(tmp_path / "raw", {"a.jsonl": _rows(ONE, ONE), "blank.jsonl": "\n\n", "empty.jsonl": "", "x.txt": ""})
    out, back = tmp_path / "out", tmp_path / "back"
    assert dedup("clean", raw, "-d", out, "--manifest", tmp_path / "m").returncode == 0
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-d", back).returncode == 0
    assert _files(back) == _files(raw)


def test_text_files_and_records_are_one_batch(tmp_path: Path) -> None:
    raw = _write(tmp_path / "raw", {"a.txt": ONE, "b.jsonl": _rows(TWO, ONE.upper(), THREE), "c/d.txt": THREE + THREE})
    out, back = tmp_path / "out", tmp_path / "back"
    assert dedup("clean", raw, "-d", out, "--manifest", tmp_path / "m").returncode == 0
    kept = b"".join(line + b"\n" for line in _rows(TWO, ONE, THREE).splitlines() if b'"r1"' not in line)
    assert _files(out) == {"a.txt": ONE.encode(), "b.jsonl": kept}
    dropped = [e.get("dropped") for e in map(json.loads, (tmp_path / "m").read_bytes().splitlines())]
    assert dropped == [None, None, str(raw / "a.txt"), None, "r2"]
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-d", back).returncode == 0
    assert _files(back) == _files(raw)


def test_standard_input_gives_what_the_file_gives(tmp_path: Path) -> None:
    rows = _rows(ONE, TWO, ONE, TWO + THREE)
    raw = _write(tmp_path, {"in.jsonl": rows}) / "in.jsonl"
    expected = b"".join(line + b"\n" for at, line in enumerate(rows.splitlines()) if at != 2)
    for arguments in ([raw], ["--input-format", "jsonl"]):
        done = dedup("clean", *arguments, stdin=rows)
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, b"")
    out, manifest = tmp_path / "out", tmp_path / "m"
    done = dedup("clean", "-", "--input-format", "jsonl", "-d", out, "--manifest", manifest, stdin=rows)
    assert (done.returncode, [*_files(out).values()]) == (0, [expected])
    assert dedup("restore", out, "--manifest", manifest, "-d", tmp_path / "back").returncode == 0
    assert [*_files(tmp_path / "back").values()] == [rows]


@pytest.mark.parametrize("input_format", ["jsonl", "text"])
def test_a_pipe_with_a_name_is_read_like_a_file(input_format: str, tmp_path: Path) -> None:
    """As `<(zcat scraped.jsonl.gz)` is: it can be read once, and its size is 0."""
    data = {"jsonl": _rows(ONE, TWO, ONE), "text": (ONE + ONE).encode()}[input_format]
    (tmp_path / "in").write_bytes(data)
    command = f"{' '.join(DEDUP)} clean --scope batch --input-format {input_format} <(cat {tmp_path}/in)"
    done = subprocess.run(["bash", "-c", command], capture_output=True, cwd=ROOT, timeout=60, check=False)
    expected = {"jsonl": b"".join(_rows(ONE, TWO).splitlines(keepends=True)), "text": ONE.encode()}[input_format]
    assert done.stdout == expected or (done.returncode, done.stdout) == (2, b""), done


def test_what_is_replaced_is_still_known_to_the_reports_and_to_later_files(tmp_path: Path) -> None:
    """More documents and files than are kept at hand: what a file held is asked of what it was, not of what it is."""
    texts = [article(at, 1) for at in range(100)]
    files: dict[str, str | bytes] = {f"{at:02}.txt": text * 2 for at, text in enumerate(texts[:70])}
    files |= {"a.jsonl": _rows(*(text * 2 for text in texts[70:])), "b.jsonl": _rows(*texts, texts[99] + texts[0])}
    files |= {"c.txt": texts[5], "d/e.txt": texts[80] + article(200)}
    raw, same = (_write(tmp_path / name, files) for name in ("raw", "same"))
    options = ["--passages", "--min-passage", "12", "--boilerplate", "--min-documents", "2", "--report"]
    done = dedup("clean", "raw", "-d", "out", *options, "kept.json", "--manifest", "m", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    done = dedup("clean", "same", "--in-place", *options, "same.json", "--manifest", "m2", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert _files(same) == _files(tmp_path / "out")
    kept, replaced = ((tmp_path / name).read_text() for name in ("kept.json", "same.json"))
    assert replaced == kept.replace('"raw/', '"same/')
    _checked(json.loads(kept))
    manifests = [(tmp_path / name).read_text() for name in ("m", "m2")]
    assert manifests[1].replace('"same/', '"raw/') == manifests[0]
    assert dedup("restore", same, "--manifest", tmp_path / "m2", "-d", same).returncode == 0
    assert _files(same) == _files(raw)


# ---------------------------------------------------------------- one answer


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough bytes for several processes, most of them in a field that is not read: 600 records, each tenth twice."""
    path = tmp_path_factory.mktemp("big") / "big.jsonl"
    chooser = random.Random(7)
    known = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "un", "er") for c in ("th", "sk", "le")]
    with open(path, "w") as stream:
        for number in range(600):
            text = "".join(f"{' '.join(chooser.choices(known, k=18)).capitalize()}.\n" for _ in range(3))
            line = json.dumps({"id": number, "page": "<p>" * 4500, "text": text}) + "\n"
            stream.write(line * (1 + (number % 10 == 0)))
    assert path.stat().st_size > 8 << 20
    return path


def test_processes_memory_reports_and_files_change_no_byte(big: Path, tmp_path: Path) -> None:
    one, two, back = (tmp_path / name for name in ("one.jsonl", "two.jsonl", "back.jsonl"))
    more = ["--near", "--contained", "--passages", "--boilerplate"]
    done = dedup("clean", big, "-o", one, "--manifest", tmp_path / "m1", "-j", "1", "--memory", "4GB", "-v", *more)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"dedup: 660 documents, dropped 60 of them, ")
    report = ["--report", str(tmp_path / "r.json"), "--report", str(tmp_path / "r.txt")]
    few = ["-j", "2", "--memory", "100MB"]
    assert dedup("clean", big, "-o", two, "--manifest", tmp_path / "m2", *few, *report, *more).returncode == 0
    assert one.read_bytes() == two.read_bytes()
    assert (tmp_path / "m1").read_bytes() == (tmp_path / "m2").read_bytes()
    _checked(json.loads((tmp_path / "r.json").read_bytes()))
    assert dedup("restore", two, "--manifest", tmp_path / "m2", "-o", back).returncode == 0
    assert back.read_bytes() == big.read_bytes()

    lines = big.read_bytes().splitlines(keepends=True)
    parts = {f"{at:02}.jsonl": b"".join(lines[at * 17 : (at + 1) * 17]) for at in range(40)}
    raw, out = _write(tmp_path / "raw", parts), tmp_path / "out"
    assert dedup("clean", raw, "-d", out, "-j", "2", *more).returncode == 0
    assert len(_files(out)) == 40
    assert b"".join(_files(out).values()) == one.read_bytes()


# ---------------------------------------------------------------- groups


def test_boilerplate_is_that_of_a_folder_of_a_site_or_of_a_field(tmp_path: Path) -> None:
    texts = [article(at, 2) + SHARE + "\n" for at in range(6)]
    places = ["https://one.example/a", "http://other.example:80/b", "https://one.example/c?d", "one.example", "", None]
    rows = [{"id": at, "text": text, "url": places[at], "site": at % 2} for at, text in enumerate(texts)]
    data = "".join(json.dumps(row) + "\n" for row in rows)
    _write(tmp_path, {"in.jsonl": data} | {f"raw/{at % 2}/{at}.txt": text for at, text in enumerate(texts)})

    def kept(*arguments: str) -> list[bool]:
        done = dedup("clean", "--boilerplate", *arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")
        return [SHARE in json.loads(line)["text"] for line in done.stdout.splitlines()]

    assert kept("in.jsonl", "--min-documents", "2") == [True, True, False, True, False, False]
    assert kept("in.jsonl", "--group-field", "site") == [True, True, False, False, False, False]
    assert kept("in.jsonl", "--group-field", "missing") == [True, False, False, False, False, False]
    assert kept("raw", "-d", "out") == []
    assert [SHARE.encode() in _files(tmp_path / "out")[f"{at % 2}/{at}.txt"] for at in range(6)] == [True] * 2 + [
        False
    ] * 4


def test_no_address_stops_a_run() -> None:
    urls = [
        "http://[::1",
        "http://[bad]/",
        "//",
        "http://",
        "http://a:b:c",
        "\0",
        "\ud800",
        5,
        None,
        {"a": []},
        "x" * 999,
    ]
    rows = b"".join(_rows(article(at, 1) * 2, url=url) for at, url in enumerate(urls))
    done = dedup("clean", "--boilerplate", "--input-format", "jsonl", stdin=rows)
    expected = b"".join(_rows(article(at, 1), url=url) for at, url in enumerate(urls))
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, b"")


# ---------------------------------------------------------------- check


@pytest.mark.parametrize(
    ("allowed", "code"),
    [(None, 1), ("24.9%", 1), ("25%", 0), ("0.251", 0)],
)
def test_check_fails_above_what_is_allowed(allowed: str | None, code: int, tmp_path: Path) -> None:
    """Four documents of one size, two of them the same."""
    text = article(1)
    texts = [text, article(2), text, article(3)]
    rows = "".join(json.dumps({"text": text[: min(map(len, texts))]}) + "\n" for text in texts)
    (tmp_path / "in.jsonl").write_text(rows)
    limit = [] if allowed is None else ["--max-duplication", allowed]
    done = dedup("check", "in.jsonl", *limit, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (code, b"")
    told, verdict = done.stdout.decode().splitlines()
    assert re.match(r"in\.jsonl:3: .* repeats .*: the same words$", told)
    assert verdict.startswith("4 documents, dropped 1 of them, removed 4 of 16 paragraphs, ")


def test_check_says_one_line_where_nothing_repeats(tmp_path: Path) -> None:
    raw = _write(tmp_path, {"a.txt": ONE, "b.txt": TWO, "c.jsonl": _rows(THREE)})
    done = dedup("check", raw)
    assert (done.returncode, done.stdout.count(b"\n"), done.stderr) == (0, 1, b"")
    assert done.stdout.startswith(b"3 documents, removed 0 of 12 paragraphs, 0 bytes, 0.0%; allowed 0%")


def test_check_tells_blocks_copies_passages_and_lines_in_a_line_each(tmp_path: Path) -> None:
    files = {"a.txt": ONE + ONE, "b.txt": TWO + article(7) + THREE + SHARE, "d.txt": ONE}
    _write(tmp_path, {**files, "c.txt": FOUR + article(5) + THREE + SHARE, "e.txt": article(6) + SHARE})
    done = dedup("check", "--passages", "--boilerplate", ".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, b"")
    said = [line.split(": ", 1) for line in done.stdout.decode().splitlines()[:-1]]
    patterns = {
        "./a.txt:5": r"Lines 5-8 repeat lines 1-4: the body of the document again, next to its original",
        "./c.txt:9": r"Lines 9-12 repeat lines 9-12 of \./b\.txt: a passage that an earlier document has",
        "./c.txt:13": r"Line 13 repeats line 13 of \./b\.txt: a line that many documents of the site have",
        "./d.txt:1": r"The document repeats .*\./a\.txt: the same words",
        "./e.txt:5": r"Line 5 repeats line 13 of \./b\.txt: a line that many documents of the site have",
    }
    assert [place for place, _ in said] == list(patterns)
    for place, sentence in said:
        assert re.fullmatch(patterns[place], sentence), (place, sentence)


@pytest.mark.parametrize("command", [["check", "--format", "json"], ["report", "--format", "json"]])
def test_what_cannot_be_read_is_named_once_and_the_rest_is_done(command: list[str], tmp_path: Path) -> None:
    _write(tmp_path, {"raw/a.txt": ONE, "raw/b.txt": ONE, "raw/c.jsonl": b"{broken\n" + _rows(TWO), "raw/x": b"\0ELF"})
    (tmp_path / "raw" / "gone.txt").symlink_to("nowhere")
    done = dedup(*command, "raw", "also-gone.txt", cwd=tmp_path)
    assert done.returncode == 2
    report = json.loads(done.stdout)
    _checked(report)
    assert sorted(error["source"] for error in report["errors"]) == [
        "also-gone.txt",
        "raw/c.jsonl:1",
        "raw/gone.txt",
    ]
    assert report["skipped"] == ["raw/x"]
    assert (report["totals"]["documents"], report["totals"]["documents_removed"]) == (3, 1)
    said = [line for line in done.stderr.decode().splitlines() if "cannot be read" in line]
    assert len(said) == 2


def test_clean_names_what_cannot_be_read_once_and_does_the_rest(tmp_path: Path) -> None:
    raw = _write(tmp_path / "raw", {"a.txt": ONE, "b.txt": ONE, "c.txt": TWO + TWO, "x.bin": b"\x7fELF\0"})
    (raw / "gone.txt").symlink_to("nowhere")
    done = dedup("clean", raw, "-d", tmp_path / "out", "--report", tmp_path / "r.json")
    assert done.returncode == 2
    assert _files(tmp_path / "out") == {"a.txt": ONE.encode(), "c.txt": TWO.encode()}
    assert done.stderr.decode().splitlines() == [
        f"dedup: {raw}/gone.txt: cannot be read: No such file or directory",
        f"dedup: skipped 1 binary files (--text takes them): {raw}/x.bin",
    ]
    _checked(json.loads((tmp_path / "r.json").read_bytes()))


def test_a_binary_file_that_is_given_is_refused_and_not_written(tmp_path: Path) -> None:
    _write(tmp_path, {"a.txt": ONE, "x.bin": b"\x7fELF\0"})
    done = dedup("clean", "a.txt", "x.bin", "-d", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"x.bin: byte 4 is NUL" in done.stderr
    assert _files(tmp_path / "out") == {"a.txt": ONE.encode()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clean", "a.jsonl", "--memory", "much"], "--memory much: give a size such as 500MB or 8GB"),
        (["clean", "a.jsonl", "--memory", "99MB"], "--memory 99MB: use 100MB or more"),
        (["clean", "a.jsonl", "--input-format", "pdf"], "--input-format pdf: there is auto, text, jsonl"),
        (["clean", "a.jsonl", "-j", "-1"], "--jobs"),
        (["clean", "a.jsonl", "--min-passage", "11"], "--min-passage"),
        (["clean", "a.jsonl", "--min-documents", "1"], "--min-documents"),
        (["clean", "a.jsonl", "a.txt"], "several inputs need -d DIR or --in-place"),
        (["clean", "a.jsonl", "--in-place"], "give --manifest FILE, or --scope document"),
        (["clean", "a.txt", "sub", "-d", "out"], "another input would be written to"),
        (["check", "a.jsonl", "--max-duplication", "much"], "--max-duplication much: give a share"),
        (["check", "a.jsonl", "--max-duplication", "nan"], "--max-duplication nan: give a share"),
        (["check", "a.jsonl", "--format", "xml"], "--format xml: there is text, json"),
    ],
)
def test_a_wrong_call_says_what_and_exits_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    files = _write(tmp_path, {"a.jsonl": _rows(ONE, ONE), "a.txt": ONE, "sub/a.txt": TWO})
    before = _files(files)
    done = dedup(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert _files(files) == before


# ---------------------------------------------------------------- reports


def test_the_report_of_a_batch_lists_copies_passages_and_lines(tmp_path: Path) -> None:
    files = {
        "a.txt": ONE + SHARE + "\n",
        "b.txt": ONE.upper() + SHARE,
        "c.txt": TWO + article(7) + THREE + SHARE + "\n",
        "d.txt": FOUR + article(5) + THREE + SHARE + "\n",
        "e.txt": article(6) + SHARE + "\n",
        "f.txt": NEAR + SHARE,
        "g.txt": PART,
    }
    _write(tmp_path, files)
    shown = dedup("report", ".", cwd=tmp_path, env={"COLUMNS": "200"}).stdout.decode()
    assert re.search(r"^Documents that repeat others: 3, 1 dropped$", shown, re.M)
    assert re.search(r"^  \./a\.txt$", shown, re.M)
    assert re.search(r"^    . \./b\.txt  the same words$", shown, re.M)
    assert re.search(r"^    . \./f\.txt  near copy, kept: --near drops such, resemblance 0\.\d\d$", shown, re.M)
    assert re.search(
        r"^    . \./g\.txt  contained copy, kept: .*, resemblance 0\.\d\d, containment 1\.00$", shown, re.M
    )
    assert re.search(r"^Passages that an earlier document has: 1$", shown, re.M)
    assert re.search(r"^  . \./d\.txt:9–1[23] = \./c\.txt:9–1[23], 84 words$", shown, re.M)
    assert re.search(r"^Lines that several documents have: 2$", shown, re.M)
    assert re.search(rf"^  . 5 documents . {SHARE}$", shown, re.M)
    assert re.search(r"^7 documents, 1 dropped, \d+ of [\d,]+ bytes removed, \d+\.\d%$", shown, re.M)


def test_a_long_report_is_cut_short_unless_all_is_asked_for(tmp_path: Path) -> None:
    texts = [article(at) for at in range(12)]
    (tmp_path / "in.jsonl").write_bytes(_rows(*texts, *texts, texts[0] * 2))
    short, full = (dedup("report", "in.jsonl", *more, cwd=tmp_path).stdout.decode() for more in ([], ["--full"]))
    assert re.search(r"^. 25 documents not shown; --full shows all$", short, re.M)
    assert re.search(r"^  . 2 more clusters; --full shows them$", short, re.M)
    assert (short.count("the same words"), full.count("the same words")) == (11, 13)
    assert "--full" not in full
    assert all(f"r{at}" in full for at in range(12))


@pytest.mark.parametrize(("least", "kind", "gone"), [(None, "overlap", False), ("0.6", "near", True)])
def test_how_alike_near_documents_are_is_asked_for(least: str | None, kind: str, gone: bool, tmp_path: Path) -> None:
    """Three words of 84 are others: three of four shingles are common."""
    words = ONE.split(" ")
    edited = " ".join("another" if at in (20, 50, 65) else word for at, word in enumerate(words))
    (tmp_path / "in.jsonl").write_bytes(_rows(ONE, edited))
    given = ["--resemblance", least] if least else []
    report = _report(tmp_path / "in.jsonl", "--near", *given)
    [[member]] = [cluster["members"] for cluster in report["clusters"]]
    assert (member["kind"], member["removed"], len(member["changes"])) == (kind, gone, 3 * gone)
    (tmp_path / "dedup.toml").write_text(f"near = true\nresemblance = {least or 0.8}\n")
    done = dedup("clean", "in.jsonl", "-o", "out.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out.jsonl").read_bytes() == _rows(ONE, *[] if gone else [edited])


@pytest.mark.parametrize("value", ["0.4", "1.1", "x"])
def test_a_resemblance_that_cannot_be_is_refused(value: str, tmp_path: Path) -> None:
    done = dedup("check", "--near", "--resemblance", value, tmp_path)
    assert done.returncode == 2
    assert b"--resemblance" in done.stderr


def test_bytes_that_go_with_a_document_are_counted_once(tmp_path: Path) -> None:
    """The last one loses its passage first, and goes when the rest of it is the second."""
    passage, text = article(3, 2, 18), article(4, 2)
    (tmp_path / "in.jsonl").write_bytes(_rows(passage + article(5, 5), text, passage + text))
    done = dedup("clean", "in.jsonl", "--passages", "-o", "out.jsonl", "--report", "r.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    report = json.loads((tmp_path / "r.json").read_bytes())
    assert report["totals"]["bytes_removed"] == len(passage + text)
    _checked(report)


def test_the_totals_are_those_of_the_files_that_are_written_and_an_audit_changes_nothing(tmp_path: Path) -> None:
    raw, out = _write(tmp_path / "raw", TREE), tmp_path / "out"
    more = ["--near", "--contained", "--passages", "--boilerplate", "--min-documents", "2", "--audit"]
    done = dedup("clean", raw, "-d", out, "--report", tmp_path / "r.json", *more)
    assert (done.returncode, done.stderr) == (0, b"")
    report = json.loads((tmp_path / "r.json").read_bytes())
    _checked(report)
    kept = {Path(d["source"]).name: d["bytes_out"] for d in report["documents"] if not d["removed"]}
    assert kept == {Path(name).name: len(data) for name, data in _files(out).items()}
    assert report == _report(raw, *more[:-1])


EVIL = "\x1b[31mred\x1b]0;owned\x07 \u202eevil\u202c [bold]x[/bold] [/nope] :smile: \x9b2J"


def _hostile(folder: Path) -> Path:
    """Ids, names and texts that would steer a terminal, in clusters, passages, boilerplate, blocks and errors."""
    line = f"Share this {EVIL} story with your friends"
    texts = [
        ONE + line,
        ONE + line,
        TWO + HOSTILE * 2 + THREE + line,
        f"{FOUR}{article(5)}{THREE[:-2]} {EVIL}.\n{line}",
    ]
    texts += [article(7) + line, article(8) + "A passage.\n" + THREE[:-2] + f" {EVIL}.\n" + article(9)]
    rows = [json.dumps({"id": f"{at} {EVIL}", "text": text}) for at, text in enumerate(texts)]
    name = "\x1b[1m[bold]\u202e.jsonl"
    (folder / name).write_text("\n".join([*rows, "{" + EVIL, json.dumps({"text": 5, "id": EVIL})]), encoding="utf-8")
    return folder / name


@pytest.mark.parametrize(
    "command",
    [
        ["report", "--full", "--color", "always"],
        ["report", "--format", "json"],
        ["check"],
        ["clean", "-v", "-o", "out.jsonl", "--report", "r.txt", "--report", "r.json"],
    ],
)
def test_no_content_of_a_batch_steers_a_terminal(command: list[str], tmp_path: Path) -> None:
    options = ["--passages", "--boilerplate", "--near", "--contained"]
    done = dedup(*command, *options, _hostile(tmp_path), cwd=tmp_path, env={"COLUMNS": "400"})
    assert done.returncode == 2
    shown = done.stdout.decode()
    if "always" in command:
        shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    if command[0] == "clean":
        shown = (tmp_path / "r.txt").read_text() + (tmp_path / "r.json").read_text()
    assert not set(shown) & UNSEEN
    assert not set(done.stderr.decode()) & UNSEEN
    assert b"Traceback" not in done.stderr
    if "json" not in command:
        assert "[bold]x[/b" in shown
        assert "0 \\x1b[31mred" in shown


# ---------------------------------------------------------------- what goes wrong


def _at_work(process: "subprocess.Popen[bytes]", folder: Path) -> bool:
    """Whether workers have written some of what they found."""
    return any(path.stat().st_size for path in (folder / "tmp").glob("dedup-*/*.results"))


def _writing(process: "subprocess.Popen[bytes]", folder: Path) -> bool:
    """Whether a part of the output is written."""
    return any(path.stat().st_size for path in (folder / "out").glob(".dedup-*"))


@LINUX
@pytest.mark.parametrize(
    ("number", "code", "moment"),
    [
        (signal.SIGINT, 130, _at_work),
        (signal.SIGTERM, 143, _at_work),
        (signal.SIGINT, 130, _writing),
        (signal.SIGTERM, 143, _writing),
    ],
)
def test_a_signal_in_the_middle_leaves_nothing_behind(
    number: signal.Signals,
    code: int,
    moment: "Callable[[subprocess.Popen[bytes], Path], bool]",
    big: Path,
    tmp_path: Path,
) -> None:
    """Ctrl-C goes to all processes of the terminal, other signals to one."""
    process = begun(tmp_path, big, "-j", "2")
    assert until(lambda: moment(process, tmp_path) or process.poll() is not None)
    assert process.poll() is None
    workers = children(process.pid)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, b"", b"")
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == []
    assert _files(tmp_path / "out") == {"target.jsonl": b"the old text\n"}
    assert until(lambda: not any(map(alive, workers)))
    assert len(workers) > 2 or moment is _writing


@LINUX
def test_no_worker_outlives_a_program_that_is_killed(big: Path, tmp_path: Path) -> None:
    process = begun(tmp_path, big, "-j", "2")
    assert until(lambda: _at_work(process, tmp_path) or process.poll() is not None)
    workers = children(process.pid)
    process.kill()
    process.communicate(timeout=60)
    assert len(workers) >= 2
    assert until(lambda: not any(map(alive, workers)))
    assert _files(tmp_path / "out") == {"target.jsonl": b"the old text\n"}


def test_a_reader_that_goes_away_ends_a_batch_by_sigpipe(big: Path, tmp_path: Path) -> None:
    command = f"{' '.join(DEDUP)} clean {big} -j 2 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    first, code = done.stdout.splitlines()
    assert big.read_bytes().startswith(first)
    assert (code, done.stderr) == (b"141", b"")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(("blocks", "jobs"), [(16, "1"), (16, "2")])
def test_a_full_disk_for_the_working_files_leaves_the_target_as_it_was(
    blocks: int, jobs: str, big: Path, tmp_path: Path
) -> None:
    """A limit of the size of files, which is what a test may do to any disk."""
    _write(tmp_path, {"target.jsonl": "the old text\n"})
    (tmp_path / "tmp").mkdir()
    command = f"ulimit -f {blocks}; trap '' XFSZ; {' '.join(DEDUP)} clean {big} -o {tmp_path}/target.jsonl -j {jobs}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1, done.stderr
    assert done.stderr.startswith(f"dedup: {tmp_path}/tmp/dedup-".encode()), done.stderr
    assert b"the working files cannot be written" in done.stderr
    assert b"TMPDIR" in done.stderr
    assert (tmp_path / "target.jsonl").read_text() == "the old text\n"
    assert [*(tmp_path / "tmp").iterdir()] == []


def test_a_kill_while_files_are_replaced_loses_none_of_them(tmp_path: Path) -> None:
    """Each file is the old one or the new one, or it is gone and the manifest has it."""
    texts = [article(at, 1) for at in range(150)]
    files = {f"{at:03}.txt": text * 2 for at, text in enumerate(texts)} | {
        f"x{at:03}.txt": t for at, t in enumerate(texts)
    }
    raw, manifest = _write(tmp_path / "raw", files), tmp_path / "m"
    process = subprocess.Popen([*DEDUP, "clean", str(raw), "--in-place", "--manifest", str(manifest)], cwd=ROOT)
    assert until(lambda: process.poll() is not None or (manifest.exists() and manifest.stat().st_size > 40_000))
    process.kill()
    process.wait()
    kept = {}
    for line in manifest.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            entry = parse(line)
            kept[entry["path"]] = entry
    left = _files(raw)
    assert set(files) - set(left) <= set(kept)
    for name, text in files.items():
        if left.get(name) != text.encode():
            assert undo(left.get(name, b""), kept[name]) == text.encode()
    assert left["000.txt"] == texts[0].encode()


@pytest.mark.parametrize("scope", ["document", "batch"])
def test_records_behind_a_byte_order_mark_are_cleaned_and_come_back(scope: str, tmp_path: Path) -> None:
    raw, out, back = tmp_path / "raw.jsonl", tmp_path / "out.jsonl", tmp_path / "back.jsonl"
    raw.write_bytes(b"\xef\xbb\xbf" + _rows(ONE + "\n" + ONE, "A line by itself.\n"))
    done = dedup("clean", raw, "-o", out, "--manifest", tmp_path / "m", "--scope", scope)
    assert (done.returncode, done.stderr) == (0, b"")
    assert out.read_bytes() == b"\xef\xbb\xbf" + _rows(ONE, "A line by itself.\n")
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-o", back).returncode == 0
    assert back.read_bytes() == raw.read_bytes()
