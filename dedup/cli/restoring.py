"""The restore command: clean files and their manifest to the inputs that they were."""

import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from dedup.__main__ import complain
from dedup.cli.folder import working_folder
from dedup.errors import DedupError, InputError, ManifestError, UsageError
from dedup.io import archive, compression, files, jsonl, parquet
from dedup.io.rows import Options
from dedup.manifest import parse, undo


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
                str(g[0].get("packed" if "archive" in g[0] else "compression", "")),
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
    for source, target, packed, entries in work:
        try:
            if target != files.STDIN and os.path.dirname(target):
                files.make_folder(os.path.dirname(target))
            if "archive" in entries[0]:
                _restore_archive(source, target, packed, entries)
            else:
                _restore(source, target, packed, entries)
        except DedupError as error:
            code = complain(str(error))
    return code


def _restore_archive(source: str, target: str, packed: str, entries: list[dict[str, Any]]) -> None:
    """Write the archive that was cleaned to `source`: its members as they were, those that went in their places."""
    format = str(entries[0]["archive"])
    by_member: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        by_member.setdefault(entry["member"]["number"], []).append(entry)
    gone = {n: found for n, found in by_member.items() if _whole(found)}
    with working_folder() as folder, files.writing(target) as file, compression.compressing(file, packed) as out:
        held, back = os.path.join(folder, "member"), os.path.join(folder, "back")
        writer = archive.Writer(out, format)

        def put(member: archive.Member, path: str | None, number: int) -> None:
            if number not in by_member:
                writer.add(member, path, member.name)
                return
            about = by_member[number][0]["member"]
            _restore(path or "", back, str(by_member[number][0].get("compression", "")), by_member[number])
            writer.add(member, back, str(about["name"]))

        number = 0
        for member, path in archive.extracted(source, format, files.show(source), sys.maxsize, held):
            while number in gone:
                put(archive.again(gone[number][0]["member"], format), None, number)
                number += 1
            put(member, path, number)
            number += 1
        while number in gone:
            put(archive.again(gone[number][0]["member"], format), None, number)
            number += 1
        writer.close()


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
            with compression.compressing(stream, packed) as out:
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
    data = files.read(path)
    for number, line, end in jsonl.lines(data):
        try:
            entry = parse(line, f"{files.show(path)}:{number}")
        except ManifestError:
            if end:
                raise
            complain(f"{files.show(path)}:{number}: the last record is incomplete; its file had not been written yet")
            return list(groups.values()), True
        if not all(isinstance(entry.get(name, ""), str) for name in ("path", "clean", "compression", "encoding")):
            raise ManifestError(f"{files.show(path)}:{number}: the path is no text; the manifest is damaged")
        entry.setdefault("path", os.path.basename(entry["source"]))
        about = entry.get("member")
        if about is not None and not (isinstance(about, dict) and isinstance(about.get("number"), int)):
            raise ManifestError(f"{files.show(path)}:{number}: what is told of the member is damaged")
        groups.setdefault(entry["path"] if about else entry["source"], []).append(entry)
    if not groups:
        raise ManifestError(f"{files.show(path)}: no record in it; give the file that --manifest wrote")
    return list(groups.values()), False


def _chosen(groups: list[list[dict[str, Any]]], clean: str, manifest: Path) -> list[dict[str, Any]]:
    """The records that belong to the file `clean`: the only ones, or those of its name."""
    if len(groups) == 1:
        return groups[0]
    named = [g for g in groups if os.path.basename(g[0]["path"]) == os.path.basename(clean) or g[0]["source"] == clean]
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
