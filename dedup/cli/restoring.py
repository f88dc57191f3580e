"""The restore command: clean files and their manifest to the inputs that they were."""

import io
import os
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

from dedup.__main__ import complain
from dedup.cli.folder import working_folder
from dedup.cli.journal import same
from dedup.errors import DedupError, InputError, ManifestError, UsageError
from dedup.io import archive, compression, files, formats, jsonl, parquet, warc
from dedup.io.rows import Options
from dedup.manifest import parse, undo
from dedup.report.safe import safe

# What the fields of a record may raise that are of the right kind, and wrong. (zipfile says NotImplementedError of a
# compression that there is not.)
_DAMAGED = (LookupError, TypeError, ValueError, ArithmeticError, NotImplementedError, struct.error)


def restore_files(clean: str, manifest: Path, output: Path | None, directory: Path | None) -> int:
    """Rebuild the inputs of a run from its clean files, and return the exit code."""
    groups, torn = _records(os.fspath(manifest))
    if os.path.isdir(clean):
        if directory is None:
            raise UsageError("a folder is restored with -d DIR")
        work = [
            (
                files.inside(clean, g[0].get("clean", g[0]["path"])),
                files.inside(os.fspath(directory), g[0]["path"]),
                _packed(g),
                g,
            )
            for g in groups
        ]
    else:
        if directory is not None:
            raise UsageError("-d goes with a folder; give -o FILE")
        packed = compression.SUFFIXES.get(output.suffix.lower(), "") if output else ""
        work = [(clean, os.fspath(output) if output else files.STDIN, packed, _chosen(groups, clean, manifest))]
    code = 2 if torn else 0
    _check(work, manifest)
    for source, target, packed, entries in work:
        try:
            if target != files.STDIN and os.path.dirname(target):
                files.make_folder(os.path.dirname(target))
            if "of" in entries[0] or "archive" in entries[0]:
                code = max(code, _restore_archive(source, target, packed, entries))
            else:
                _restore(source, target, packed, entries)
        except DedupError as error:
            code = complain(safe(str(error)))
        except _DAMAGED as error:
            code = complain(safe(f"{files.show(source)}: a field of its record is damaged ({error})"))
    return code


def _check(work: list[tuple[str, str, str, list[dict[str, Any]]]], manifest: Path) -> None:
    """Raise ManifestError where two records have one file, UsageError where the manifest would be written over."""
    if any(target != files.STDIN and same(target, os.fspath(manifest)) for _, target, *_ in work):
        raise UsageError(f"{files.show(os.fspath(manifest))}: is the manifest; give another name for the output")
    seen: dict[str, str] = {}
    for source, target, _, entries in work:
        for path in {os.path.realpath(source), os.path.realpath(target)} if len(work) > 1 else ():
            if path in seen:
                raise ManifestError(
                    f"{files.show(source)}: {entries[0]['source']} and {seen[path]} have this one name below different "
                    "folders; give one clean file and -o FILE for each"
                )
            seen[path] = str(entries[0]["source"])


def _restore_archive(source: str, target: str, packed: str, entries: list[dict[str, Any]]) -> int:
    """Write the archive that was cleaned to `source`, its members as they were, those that went in their places.

    Returns the exit code: 2 if members were left out of it, which cannot come back.
    """
    head = next((entry for entry in entries if "archive" in entry), None)
    name = files.show(source)
    if head is None:
        raise ManifestError(f"{name}: no record tells of the archive itself; it had not been written yet")
    format, unread = head["archive"], set(head["unread"])
    by_member: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry is not head:
            by_member.setdefault(entry["member"]["number"], []).append(entry)
    with working_folder() as folder, files.writing(target) as file, compression.compressing(file, packed) as out:
        held, back = os.path.join(folder, "member"), os.path.join(folder, "back")
        with archive.Writer(out, format, bytes.fromhex(head["comment"])) as writer:
            parts = archive.extracted(source, format, name, sys.maxsize, held)
            for number in range(head["count"]):
                records = by_member.pop(number, [])
                if number in unread:
                    continue
                gone = bool(records) and _whole(records)
                there = (archive.again(records[0]["member"], format), None) if gone else next(parts, None)
                if there is None or there[0].wrong.startswith("cannot"):
                    raise ManifestError(f"{name}: member {number + 1} of {head['count']} is missing, or damaged")
                member, path = there
                if records:
                    _restore(path or "", back, str(records[0].get("compression", "")), records)
                    path = back
                writer.add(member, path, str(records[0]["member"]["name"]) if records else member.name)
            if by_member or next(parts, None) is not None:
                raise ManifestError(
                    f"{name}: other members are recorded than there are; it belongs to another manifest"
                )
    if unread or head["torn"]:
        return complain(f"{safe(name)}: {len(unread)} damaged members and what stood after the damage were not kept")
    return 0


def _packed(entries: list[dict[str, Any]]) -> str:
    """How what these records tell of was compressed."""
    head = next((entry for entry in entries if "archive" in entry), entries[0])
    return str(head.get("packed" if "archive" in head else "compression", ""))


def _whole(entries: list[dict[str, Any]]) -> bool:
    """Whether these records tell of a file that was dropped."""
    return "line" not in entries[0] and "dropped" in entries[0]


def _restore(source: str, target: str, packed: str, entries: list[dict[str, Any]]) -> None:
    table = entries[0].get("format") == "parquet"
    if not table:
        data = _rebuilt(b"" if _whole(entries) else compression.read(source, sys.maxsize), entries)
    with files.writing(target) as stream:
        if table:
            _rebuild_table(source, stream, entries)
        else:
            _write(data, stream, packed, entries[0].get("format") == "warc")


def _write(data: bytes, target: BinaryIO, packed: str, members: bool) -> None:
    """Write a file; of an archive of the web each record compressed by itself."""
    if members and packed == "gzip":
        for row in warc.rows(io.BytesIO(data), Options(html_mode="page"), ""):
            piece = row.before + row.separator + row.raw
            target.write(compression.member(piece, packed) if piece else b"")
        return
    with compression.compressing(target, packed) as out:
        out.write(data)


def _rebuild_table(source: str, target: BinaryIO, entries: list[dict[str, Any]]) -> None:
    """Write the table that was cleaned to `source`. Its lines are rows, counted from 1."""
    by_line = {entry["line"]: entry for entry in entries if "line" in entry}
    field = str(entries[0].get("field", "text"))
    dropped = {line - 1: undo(b"", entry) for line, entry in by_line.items() if "dropped" in entry}
    texts: dict[int, bytes] = {}
    number = 0
    for row in parquet.rows(source, Options(text_field=field), files.show(source)):
        while number in dropped:
            number += 1
        if row.error:
            raise InputError(row.error)
        if number + 1 in by_line:
            texts[number] = undo(row.raw, by_line[number + 1])
        number += 1
    parquet.restore(source, target, texts, dropped, field)


def _records(path: str) -> tuple[list[list[dict[str, Any]]], bool]:
    """The records of a manifest, file by file; and whether its last line is torn: its file was not written either."""
    groups: dict[str, list[dict[str, Any]]] = {}
    seen: set[tuple[Any, ...]] = set()
    data = files.read(path)
    for number, line, end in jsonl.lines(data):
        try:
            entry = parse(line, f"{files.show(path)}:{number}")
        except ManifestError:
            if end:
                raise
            complain(
                f"{safe(files.show(path))}:{number}: the last record is incomplete; its file had not been written yet"
            )
            return list(groups.values()), True
        if not _sound(entry):
            raise ManifestError(f"{files.show(path)}:{number}: a field of the record is damaged")
        entry.setdefault("path", os.path.basename(entry["source"]))
        key = entry.get("of", entry["source"])
        place = key, entry.get("member", {}).get("number"), entry.get("line"), "archive" in entry
        if place in seen:
            raise ManifestError(
                f"{files.show(path)}:{number}: {entry['source']} is recorded twice; the manifest is damaged"
            )
        seen.add(place)
        groups.setdefault(key, []).append(entry)
    if not groups:
        raise ManifestError(f"{files.show(path)}: no record in it; give the file that --manifest wrote")
    return list(groups.values()), False


_KINDS = ("", "gzip", "bzip2", "xz", "zstd")


def _sound(entry: dict[str, Any]) -> bool:
    """Whether the fields of a record are of the kinds that `clean` writes."""
    texts = ("source", "path", "clean", "of", "encoding", "field", "dropped", "comment")
    member = entry.get("member", {"number": 0, "name": ""})
    return (
        all(isinstance(entry.get(name, ""), str) and "\0" not in entry.get(name, "") for name in texts)
        and all(entry.get(name, "") in _KINDS for name in ("compression", "packed"))
        and entry.get("archive", "zip") in formats.ARCHIVES
        and entry.get("format", "warc") in ("warc", "parquet")
        and isinstance(entry.get("line", 0), int)
        and isinstance(member, dict)
        and isinstance(member.get("number"), int)
        and isinstance(member.get("name"), str)
        and all(map(_named, (entry.get("path", ""), entry.get("clean", ""), member["name"])))
        and ("of" in entry) == ("member" in entry)
        and ("archive" not in entry or _sound_archive(entry))
    )


def _named(name: str) -> bool:
    """Whether a file can have the name."""
    try:
        os.fsencode(name)
    except UnicodeError:
        return False
    return True


def _sound_archive(entry: dict[str, Any]) -> bool:
    unread = entry.get("unread")
    hexadecimal = set(entry.get("comment", "")) <= set("0123456789abcdef") and len(entry.get("comment", "")) % 2 == 0
    numbers = isinstance(unread, list) and all(isinstance(number, int) for number in unread)
    return numbers and hexadecimal and isinstance(entry.get("count"), int) and "torn" in entry


def _chosen(groups: list[list[dict[str, Any]]], clean: str, manifest: Path) -> list[dict[str, Any]]:
    """The records that belong to the file `clean`: the only ones, those of this file, or those of its name."""
    if len(groups) == 1:
        return groups[0]
    exact = [g for g in groups if g[0].get("of", g[0]["source"]) == clean]
    base = os.path.basename(clean)
    named = exact or [
        g for g in groups if base in (os.path.basename(g[0]["path"]), os.path.basename(g[0].get("clean", "")))
    ]
    if len(named) != 1:
        raise ManifestError(
            f"{files.show(os.fspath(manifest))}: {len(groups)} files are recorded, and {len(named)} have the name of "
            f"{files.show(clean)}; restore the folder that -d wrote"
        )
    return named[0]


def _rebuilt(clean: bytes, entries: list[dict[str, Any]]) -> bytes:
    if "line" not in entries[0]:
        return undo(clean, entries[0])
    by_line = {entry["line"]: entry for entry in entries}
    out: list[bytes] = []
    number = 1

    def dropped() -> int:
        """Put in the lines that were dropped here; return the number of the next one."""
        at = number
        while "dropped" in by_line.get(at, {}):
            out.append(undo(b"", by_line.pop(at)))
            at += 1
        return at

    for _, line, end in jsonl.lines(clean):
        number = dropped()
        out += [undo(line, by_line.pop(number)) if number in by_line else line, end]
        number += 1
    number = dropped()
    if by_line:
        raise ManifestError(
            f"{entries[0]['source']}: {number - 1} lines, but line {max(by_line)} is recorded; lines are missing"
        )
    return b"".join(out)
