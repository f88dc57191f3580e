"""What an only copy must survive: damage, names that mislead, links, and being named twice."""

import gzip
import json
import os
import pty
import subprocess
import zipfile
from pathlib import Path
from random import Random

import pytest

import dedup as package
from tests.run import DEDUP, dedup

ONE = (
    "The council voted on Tuesday to keep the old library open for another five years, and the mayor was content.\n\n"
    "Nobody had expected it, least of all the librarians, who had packed their boxes and looked for work elsewhere.\n"
)
TWO = ONE.replace("library", "theatre").replace("Tuesday", "Friday")


def _jsonl(*texts: str) -> bytes:
    return "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts)).encode()


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz"])
@pytest.mark.parametrize("scope", ["document", "batch"])
def test_a_damaged_file_is_not_replaced_by_what_stood_before_the_damage(name: str, scope: str, tmp_path: Path) -> None:
    texts = [f"{ONE}{n} {TWO}" for n in range(50)]
    data = _jsonl(*texts) if "jsonl" in name else b"text\n" + b"".join(json.dumps(t).encode() + b"\n" for t in texts)
    packed = bytearray(gzip.compress(data) + gzip.compress(data[len(data) // 2 :]))
    packed[len(packed) // 3] ^= 255
    raw = tmp_path / name
    raw.write_bytes(packed)
    done = dedup("clean", raw, "--in-place", "--manifest", tmp_path / "m", "--scope", scope)
    assert (done.returncode, b"it was not replaced" in done.stderr) == (2, True)
    assert raw.read_bytes() == packed


@pytest.mark.parametrize("scope", ["document", "batch"])
def test_a_file_that_is_named_twice_comes_back(scope: str, tmp_path: Path) -> None:
    raw, manifest = tmp_path / "a.jsonl", tmp_path / "m"
    raw.write_bytes(_jsonl(ONE + "\n" + ONE, TWO, TWO))
    before = raw.read_bytes()
    again = tmp_path / "x" / ".." / "a.jsonl"
    (tmp_path / "x").mkdir()
    done = dedup("clean", raw, again, "--in-place", "--manifest", manifest, "--scope", scope)
    assert done.returncode == 0
    assert raw.read_bytes() != before
    assert dedup("restore", raw, "--manifest", manifest, "-o", raw).returncode == 0
    assert raw.read_bytes() == before


def test_a_manifest_that_tells_of_a_file_twice_is_refused(tmp_path: Path) -> None:
    raw, out, manifest = tmp_path / "a.txt", tmp_path / "out.txt", tmp_path / "m"
    raw.write_text(ONE + "\n" + ONE)
    assert dedup("clean", raw, "-o", out, "--manifest", manifest).returncode == 0
    manifest.write_bytes(manifest.read_bytes() * 2)
    done = dedup("restore", out, "--manifest", manifest)
    assert (done.returncode, done.stdout, b"recorded twice" in done.stderr) == (2, b"", True)


def test_files_of_one_name_in_two_folders_come_back(tmp_path: Path) -> None:
    raws = [tmp_path / folder / "a.jsonl" for folder in ("p", "q")]
    for raw, text in zip(raws, (ONE, TWO), strict=True):
        raw.parent.mkdir()
        raw.write_bytes(_jsonl(text + "\n" + text, "A line.\n"))
    before = [raw.read_bytes() for raw in raws]
    assert dedup("clean", *raws, "--in-place", "--manifest", tmp_path / "m", "--scope", "document").returncode == 0
    for raw, data in zip(raws, before, strict=True):
        assert raw.read_bytes() != data
        assert dedup("restore", raw, "--manifest", tmp_path / "m", "-o", raw).returncode == 0
        assert raw.read_bytes() == data


def test_a_name_does_not_hide_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "looks like a binary file.txt.gz").write_bytes(gzip.compress(ONE.encode())[:60])
    (folder / "b.txt").write_text(ONE)
    done = dedup("clean", folder, "-d", tmp_path / "out")
    assert (done.returncode, b"damaged gzip data" in done.stderr) == (2, True)


def test_an_output_does_not_follow_a_link_out_of_its_folder(tmp_path: Path) -> None:
    folder, out, victim = tmp_path / "in", tmp_path / "out", tmp_path / "victim"
    folder.mkdir()
    out.mkdir()
    (folder / "a.txt").write_text(ONE + "\n" + ONE)
    victim.write_text("mine\n")
    (out / "a.txt").symlink_to(victim)
    done = dedup("clean", folder, "-d", out)
    assert (done.returncode, victim.read_text()) == (2, "mine\n")


def test_elements_that_are_no_records_stay_with_their_commas(tmp_path: Path) -> None:
    raw = tmp_path / "a.json"
    raw.write_text(f"[ ,{json.dumps({'text': ONE})}, 7,{json.dumps({'text': ONE})}]")
    done = dedup("clean", raw)
    assert done.returncode == 2
    assert done.stdout.decode() == f"[ ,{json.dumps({'text': ONE})}, 7]"


def test_the_name_of_a_settings_file_is_safe_to_show(tmp_path: Path) -> None:
    folder = tmp_path / "d\x1b[31m\nmin-words = 4"
    folder.mkdir()
    (folder / "dedup.toml").write_text("near = 0.8\n")
    done = dedup("clean", "--print-config", cwd=folder)
    assert (done.returncode, b"\x1b" in done.stdout, b"\nmin-words" in done.stdout) == (0, False, False)
    assert b"similarity = 0.8" in done.stdout


def test_no_archive_is_written_to_a_terminal(tmp_path: Path) -> None:
    raw = tmp_path / "a.zip"
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("a.txt", ONE)
    screen, end = pty.openpty()
    done = subprocess.run([*DEDUP, "clean", raw], stdout=end, stderr=subprocess.PIPE, check=False)
    os.close(end)
    os.close(screen)
    assert (done.returncode, b"give -o FILE" in done.stderr) == (2, True)


def test_settings_do_not_say_where_to_write(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(ONE)
    (tmp_path / "dedup.toml").write_text('[clean]\nmanifest = "../victim"\n')
    done = dedup("clean", "a.txt", "-o", "b.txt", cwd=tmp_path)
    assert (done.returncode, b"there is no setting manifest" in done.stderr) == (2, True)
    assert not (tmp_path.parent / "victim").exists()


def test_each_record_of_an_archive_of_the_web_is_compressed_by_itself(tmp_path: Path) -> None:
    def record(number: int, text: str) -> bytes:
        head = (
            f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: text/plain\r\n"
        )
        return f"{head}Content-Length: {len(text)}\r\n\r\n{text}\r\n\r\n".encode()

    records = [record(1, ONE + "\n" + ONE), record(2, TWO)]
    raw, out, back = tmp_path / "a.warc.gz", tmp_path / "out", tmp_path / "back"
    raw.write_bytes(b"".join(map(gzip.compress, records)))
    assert dedup("clean", raw, "-d", out, "--manifest", tmp_path / "m").returncode == 0
    assert dedup("restore", out, "--manifest", tmp_path / "m", "-d", back).returncode == 0
    assert gzip.decompress((back / raw.name).read_bytes()) == b"".join(records)
    for folder in (out, back):
        assert (folder / raw.name).read_bytes().count(b"\x1f\x8b\x08") == 2
    assert gzip.decompress((out / raw.name).read_bytes()) == record(1, ONE) + record(2, TWO)


def test_what_text_looks_like_does_not_change_with_its_copies() -> None:
    accents, plain = (
        ["détail", "réglé", "modèle", "général", "sévère", "préféré", "médecin"],
        ["maison", "jardin", "porte", "livre", "ville"],
    )
    for seed in range(40):
        random = Random(seed)
        short = " ".join(random.sample(accents, 5) + plain).capitalize() + "."
        long = " ".join(random.choice(plain) + random.choice(["", "", "é", "ù"]) for _ in range(46)).capitalize() + "."
        wrapped = " ".join(long.split()[:23]) + "\n" + " ".join(long.split()[23:])
        lines = [short, "Le premier paragraphe.", long, "Une autre ligne sans rien.", short, "Encore une.", wrapped]
        once = package.clean("\n\n".join(lines).encode("cp1252"))
        assert package.clean(once.clean).clean == once.clean


@pytest.mark.parametrize("kind", ["text", "json", "html", "sarif"])
def test_each_report_tells_that_a_page_was_read_otherwise(kind: str, tmp_path: Path) -> None:
    raw = tmp_path / "a.html"
    raw.write_text(f"<html><body>{'<div>' * 300}{ONE}{'</div>' * 300}</body></html>")
    done = dedup("report", raw, "--format", kind)
    assert (done.returncode, b"200 deep" in done.stdout, b"200 deep" in done.stderr) == (0, True, True)
