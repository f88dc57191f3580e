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


def _tar(files: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]  # the mode is chosen below
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode, info.uname = len(data), 1_600_000_000, 0o640, "ann"
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "first.txt"
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


def test_a_manifest_that_names_other_places_is_refused(tmp_path: Path) -> None:
    raw, out, manifest = tmp_path / "a.zip", tmp_path / "out", tmp_path / "m"
    raw.write_bytes(_zip(FILES))
    assert dedup("clean", raw, "-d", out, "--manifest", manifest).returncode == 0
    entries = [json.loads(line) for line in manifest.read_bytes().splitlines()]
    for field, value in (("path", "../a.zip"), ("path", "/tmp/a.zip"), ("member", {"number": "x"}), ("archive", 5)):
        manifest.write_text("".join(json.dumps({**entry, field: value}) + "\n" for entry in entries))
        done = dedup("restore", out, "--manifest", manifest, "-d", tmp_path / "back")
        assert (done.returncode, b"Traceback" in done.stderr) == (2, False), (field, value, done.stderr)
    assert not (tmp_path / "back").exists() or not any((tmp_path / "back").rglob("*.zip"))
