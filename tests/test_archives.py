"""ZIP and tar: members in, members out, and nothing of an archive escapes, is lost, or grows without end."""

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from dedup.errors import InputError
from dedup.io.archive import extracted
from tests.run import dedup

ONE = (
    "The council voted on Tuesday to keep the old library open for another five years, and the mayor was content.\n\n"
    "Nobody had expected it, least of all the librarians, who had packed their boxes and looked for work elsewhere.\n\n"
    "Children from two schools sang on the steps in the rain while their teachers held umbrellas over the musicians.\n"
)
TWO = ONE.replace("library", "theatre").replace("Tuesday", "Friday").replace("schools", "villages")
BINARY = bytes(range(256)) * 4
TIME = (2021, 3, 4, 5, 6, 8)


def _jsonl(*texts: str) -> bytes:
    return "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts)).encode()


FILES = {
    "first.txt": (ONE + "\n" + ONE).encode(),
    "notes/records.jsonl": _jsonl(TWO, "A line by itself.\n", TWO),
    "notes/picture.bin": BINARY,
    "again.txt": ONE.encode(),
    "packed.txt.gz": gzip.compress((TWO + "\n" + TWO + "One line more.\n").encode(), mtime=0),
    "last.txt": ONE.upper().encode(),
}
LEFT = {
    "first.txt": ONE.encode(),
    "notes/records.jsonl": _jsonl(TWO, "A line by itself.\n"),
    "notes/picture.bin": BINARY,
    "packed.txt.gz": (TWO + "\nOne line more.\n").encode(),
}


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, TIME)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o640 << 16
            archive.writestr(info, data)
    return out.getvalue()


def _tar(files: dict[str, bytes], mode: Literal["w", "w:gz", "w:xz"] = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode, info.uname = len(data), 1_600_000_000, 0o640, "ann"
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "elsewhere"
        archive.addfile(link)
    return out.getvalue()


MAKE: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "a.zip": _zip,
    "a.tar": _tar,
    "a.tar.gz": lambda files: _tar(files, "w:gz"),
    "a.tar.xz": lambda files: _tar(files, "w:xz"),
}


def _members(path: Path) -> list[tuple[object, ...]]:
    """What an archive holds, with all that is kept of each member; compressed members as what they hold."""

    def held(data: bytes) -> bytes:
        return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data

    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            return [(i.filename, i.date_time, i.external_attr, i.compress_type, held(archive.read(i))) for i in infos]
    with tarfile.open(path) as tar:
        return [
            (i.name, i.mtime, i.mode, i.uname, i.linkname, held(file.read()) if (file := tar.extractfile(i)) else b"")
            for i in tar
            if not i.issym()
        ] + [(i.name, i.linkname) for i in tar if i.issym()]


@pytest.fixture(params=MAKE)
def raw(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    path.write_bytes(MAKE[path.name](FILES))
    return path


def _contents(path: Path) -> dict[object, object]:
    return {member[0]: member[-1] for member in _members(path) if member[0] != "link"}


def test_an_archive_is_a_batch_and_comes_back(raw: Path, tmp_path: Path) -> None:
    out, back, manifest = tmp_path / "out", tmp_path / "back", tmp_path / "m"
    done = dedup("clean", raw, "-d", out, "--manifest", manifest, "-v")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"7 documents, dropped 3 of them" in done.stderr
    assert b"picture.bin" in done.stderr
    assert _contents(out / raw.name) == LEFT
    kept = [member for member in _members(raw) if member[0] in LEFT or member[0] == "link"]
    assert [m[:-1] for m in _members(out / raw.name)] == [m[:-1] for m in kept]
    assert dedup("restore", out, "--manifest", manifest, "-d", back).returncode == 0
    assert _members(back / raw.name) == _members(raw)
    one = tmp_path / f"one{''.join(raw.suffixes)}"
    assert dedup("restore", out / raw.name, "--manifest", manifest, "-o", one).returncode == 0
    assert _members(one) == _members(raw)


def test_members_are_cleaned_each_by_itself_when_asked(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{''.join(raw.suffixes)}"
    assert dedup("clean", raw, "-o", out, "--scope", "document").returncode == 0
    right = {**FILES, "first.txt": ONE.encode(), "packed.txt.gz": (TWO + "\nOne line more.\n").encode()}
    assert _contents(out) == right


def test_an_archive_is_replaced_and_comes_back(raw: Path, tmp_path: Path) -> None:
    before = _members(raw)
    assert dedup("clean", raw, "--in-place").returncode == 2  # whole members may go, and nothing would tell of them
    assert _members(raw) == before
    assert dedup("clean", raw, "--in-place", "--manifest", tmp_path / "m").returncode == 0
    assert _contents(raw) == LEFT
    assert dedup("restore", raw, "--manifest", tmp_path / "m", "-o", raw).returncode == 0
    assert _members(raw) == before


def test_findings_name_the_member(raw: Path) -> None:
    done = dedup("check", raw)
    assert done.returncode == 1
    assert f"{raw}/first.txt:".encode() in done.stdout
    assert f"{raw}/notes/records.jsonl:3: ".encode() in done.stdout
    report = json.loads(dedup("report", raw, "--format", "json").stdout)
    assert report["skipped"] == [f"{raw}/notes/picture.bin"]
    assert report["totals"]["documents_removed"] == 3


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_on_standard_input_goes_to_standard_output(kind: str, tmp_path: Path) -> None:
    done = dedup("clean", "-", "--input-format", kind, stdin=MAKE[f"a.{kind}"](FILES))
    assert done.returncode == 0
    (tmp_path / f"out.{kind}").write_bytes(done.stdout)
    assert _contents(tmp_path / f"out.{kind}") == LEFT


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "a/../../out.txt", "..\\out.txt"])
@pytest.mark.parametrize("kind", ["a.zip", "a.tar"])
def test_a_name_that_leads_out_is_told_and_passed_on(kind: str, name: str, tmp_path: Path) -> None:
    raw = tmp_path / "in" / kind
    raw.parent.mkdir()
    raw.write_bytes(MAKE[kind]({name: (ONE + ONE).encode(), "b.txt": (TWO + TWO).encode()}))
    done = dedup("clean", raw, "-d", tmp_path / "out", "--manifest", tmp_path / "m")
    assert done.returncode == 2
    assert b"its name leads out of the archive" in done.stderr
    found = _contents(tmp_path / "out" / kind)
    assert (found[name], found["b.txt"]) == ((ONE + ONE).encode(), TWO.encode())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "m", "out"]


def test_an_archive_in_an_archive_stays_as_it_is(tmp_path: Path) -> None:
    inner = _zip(FILES)
    raw = tmp_path / "a.zip"
    raw.write_bytes(_zip({"inner.zip": inner, "a.txt": (ONE + ONE).encode()}))
    done = dedup("clean", raw, "-d", tmp_path / "out")
    assert (done.returncode, b"inner.zip" in done.stderr) == (0, True)
    assert _contents(tmp_path / "out" / "a.zip") == {"inner.zip": inner, "a.txt": ONE.encode()}


@pytest.mark.parametrize("kind", ["a.zip", "a.tar.gz"])
def test_an_archive_that_grows_beyond_all_measure_is_refused(kind: str, tmp_path: Path) -> None:
    raw = tmp_path / kind
    raw.write_bytes(MAKE[kind]({"a.txt": ONE.encode(), "big.txt": bytes(1) * (200 << 20)}))
    done = dedup("clean", raw, "-d", tmp_path / "out", "--scope", "document")
    assert done.returncode == 2
    assert b"--max-ratio" in done.stderr


def test_a_size_that_is_a_lie_is_found_out(tmp_path: Path) -> None:
    data = bytearray(_zip({"a.txt": ONE.encode(), "big.txt": bytes(200 << 20)}))
    size = (200 << 20).to_bytes(4, "little")
    raw = tmp_path / "a.zip"
    raw.write_bytes(bytes(data).replace(size, (1000).to_bytes(4, "little")))
    done = dedup("clean", raw, "-d", tmp_path / "out", "--scope", "document")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    written = tmp_path / "out" / "a.zip"
    assert not written.exists() or written.stat().st_size < 10_000


def test_what_is_damaged_is_named_and_the_rest_is_cleaned(tmp_path: Path) -> None:
    data = bytearray(_zip(FILES))
    at = data.index(b"first.txt") + 40
    data[at] ^= 255
    raw, out = tmp_path / "a.zip", tmp_path / "out"
    raw.write_bytes(data)
    done = dedup("clean", raw, "-d", out, "--scope", "document")
    assert (done.returncode, b"first.txt: cannot be read" in done.stderr) == (2, True)
    assert sorted(map(str, _contents(out / "a.zip"))) == sorted(FILES.keys() - {"first.txt"})
    before = raw.read_bytes()
    assert dedup("clean", raw, "--in-place", "--scope", "document").returncode == 2
    assert raw.read_bytes() == before


@pytest.mark.parametrize("kind", MAKE)
def test_damage_is_an_error_and_never_another_one(kind: str, tmp_path: Path) -> None:
    whole, random = MAKE[kind](FILES), Random(5)
    cuts = [whole[: len(whole) * n // 200] for n in range(200)]
    flips = [bytearray(whole) for _ in range(200)]
    for flipped in flips:
        flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
    path, held = tmp_path / kind, tmp_path / "held"
    format = "zip" if kind.endswith("zip") else "tar"
    for data in [*cuts, *map(bytes, flips)]:
        path.write_bytes(data)
        found, said = [], kind
        try:
            for member, contents in extracted(os.fspath(path), format, kind, 250, os.fspath(held)):
                if contents and not member.wrong:
                    found.append((member.name, held.read_bytes()))
        except InputError as error:
            said = str(error)
        assert kind in said
        right = [name for name, text in found if FILES.get(name) == text]
        assert len(right) >= len(found) - 1 or format == "tar"  # a ZIP has a checksum of each


BROKEN: list[tuple[str, object]] = [
    ("path", "../a.zip"), ("path", "/tmp/a.zip"), ("path", "a\0b"), ("member", {"number": "x"}), ("member", 7),
    ("archive", 5), ("archive", "evil"), ("packed", "foo"), ("packed", ["gzip"]), ("compression", "foo"), ("line", [1]),
    ("of", None), ("encoding", "\0"), ("clean", "../x"), ("unread", "x"), ("comment", "zz"), ("count", 99),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BROKEN, ids=repr)
def test_a_manifest_that_was_tampered_with_is_refused(field: str, value: object, tmp_path: Path) -> None:
    raw, out, manifest = tmp_path / "a.zip", tmp_path / "out", tmp_path / "m"
    raw.write_bytes(_zip(FILES))
    assert dedup("clean", raw, "-d", out, "--manifest", manifest).returncode == 0
    entries = [json.loads(line) for line in manifest.read_bytes().splitlines()]
    manifest.write_text("".join(json.dumps({**entry, field: value}) + "\n" for entry in entries))
    done = dedup("restore", out, "--manifest", manifest, "-d", tmp_path / "back")
    assert (done.returncode, b"Traceback" in done.stderr, b"Exception" in done.stderr) == (2, False, False), done.stderr
    assert not any((tmp_path / "back").rglob("*.zip"))


@pytest.mark.parametrize("about", [{"date_time": [3000, 1, 1, 0, 0, 0]}, {"date_time": "x"}, {"external_attr": None}])
def test_a_member_that_cannot_be_made_again_is_told(about: dict[str, object], tmp_path: Path) -> None:
    raw, out, manifest = tmp_path / "a.zip", tmp_path / "out", tmp_path / "m"
    raw.write_bytes(_zip(FILES))
    assert dedup("clean", raw, "-d", out, "--manifest", manifest).returncode == 0
    entries = [json.loads(line) for line in manifest.read_bytes().splitlines()]
    for entry in entries:
        entry.get("member", {}).update(about)
    manifest.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    done = dedup("restore", out, "--manifest", manifest, "-d", tmp_path / "back")
    assert (done.returncode, b"Traceback" in done.stderr, b"Exception" in done.stderr) == (2, False, False), done.stderr


def test_an_archive_that_is_named_twice_is_cleaned_once(tmp_path: Path) -> None:
    folder, manifest = tmp_path / "in", tmp_path / "m"
    folder.mkdir()
    raw = folder / "a.zip"
    raw.write_bytes(_zip(FILES))
    before = _members(raw)
    assert dedup("clean", folder, raw, raw, "--in-place", "--manifest", manifest).returncode == 0
    assert _contents(raw) == LEFT
    assert dedup("restore", raw, "--manifest", manifest, "-o", raw).returncode == 0
    assert _members(raw) == before


def test_archives_of_one_name_in_two_folders_come_back(tmp_path: Path) -> None:
    raws = [tmp_path / name / "a.zip" for name in ("p", "q")]
    for raw, text in zip(raws, (ONE, TWO), strict=True):
        raw.parent.mkdir()
        raw.write_bytes(_zip({"a.txt": (text + "\n" + text).encode(), "bin": BINARY}))
    before = [_members(raw) for raw in raws]
    assert dedup("clean", *raws, "--in-place", "--manifest", tmp_path / "m").returncode == 0
    for raw, members in zip(raws, before, strict=True):
        assert _members(raw) != members
        assert dedup("restore", raw, "--manifest", tmp_path / "m", "-o", raw).returncode == 0
        assert _members(raw) == members


def test_an_archive_without_texts_and_the_comment_of_one_come_back(tmp_path: Path) -> None:
    folder, out, back = tmp_path / "in", tmp_path / "out", tmp_path / "back"
    folder.mkdir()
    (folder / "b.zip").write_bytes(_zip({"bin": BINARY}))
    with zipfile.ZipFile(folder / "b.zip", "a") as archive:
        archive.comment = b"licence: CC"
    (folder / "a.txt").write_text(ONE)
    assert dedup("clean", folder, "-d", out, "--manifest", tmp_path / "m").returncode == 0
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-d", back).returncode == 0
    for place in (out, back):
        assert _members(place / "b.zip") == _members(folder / "b.zip")
        assert zipfile.ZipFile(place / "b.zip").comment == b"licence: CC"


def test_what_could_not_be_kept_is_told_by_the_undo(tmp_path: Path) -> None:
    data = bytearray(_zip(FILES))
    data[data.index(b"first.txt") + 40] ^= 255
    raw, out = tmp_path / "a.zip", tmp_path / "out"
    raw.write_bytes(data)
    assert dedup("clean", raw, "-d", out, "--manifest", tmp_path / "m").returncode == 2
    done = dedup("restore", out, "--manifest", tmp_path / "m", "-d", tmp_path / "back")
    assert (done.returncode, b"1 damaged members" in done.stderr) == (2, True)
    assert _contents(tmp_path / "back" / "a.zip") == _contents(out / "a.zip") | {
        name: FILES[name] if not name.endswith("gz") else gzip.decompress(FILES[name])
        for name in FILES
        if name != "first.txt"
    }


def test_a_link_keeps_what_it_leads_to(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("a.txt", "b.txt"):
            info = tarfile.TarInfo(name)
            info.size = len(ONE)
            tar.addfile(info, io.BytesIO(ONE.encode()))
        link = tarfile.TarInfo("c.txt")
        link.type, link.linkname = tarfile.LNKTYPE, "b.txt"
        tar.addfile(link)
    raw = tmp_path / "a.tar"
    raw.write_bytes(out.getvalue())
    done = dedup("clean", raw, "-d", tmp_path / "out")
    assert (done.returncode, b"b.txt: is what a link leads to" in done.stderr) == (0, True)
    with tarfile.open(tmp_path / "out" / "a.tar") as tar:
        assert tar.getnames() == ["a.txt", "b.txt", "c.txt"]


def test_a_page_in_an_archive_is_not_replaced_by_its_text(tmp_path: Path) -> None:
    paragraphs = "".join(f"<p>{line}</p>" for line in ONE.split("\n\n") * 2)
    page = f"<html><body><article>{paragraphs}</article></body></html>"
    raw = tmp_path / "a.zip"
    raw.write_bytes(_zip({"a.html": page.encode(), "a.html.txt": TWO.encode()}))
    before = raw.read_bytes()
    assert dedup("clean", raw, "--in-place", "--scope", "document").returncode == 2
    assert raw.read_bytes() == before
    assert dedup("clean", raw, "-d", tmp_path / "out", "--scope", "document", "--html-mode", "page").returncode == 0
    assert list(_contents(tmp_path / "out" / "a.zip")) == ["a.html", "a.html.txt"]


def test_compressed_members_share_one_limit(tmp_path: Path) -> None:
    packed = gzip.compress(bytes(60 << 20), mtime=0)
    raw = tmp_path / "a.zip"
    raw.write_bytes(_zip({f"{n}.txt.gz": packed for n in range(4)}))
    done = dedup("clean", raw, "-d", tmp_path / "out", "--scope", "document")
    assert (done.returncode, b"--max-ratio" in done.stderr) == (2, True)
