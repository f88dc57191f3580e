"""Arrays of JSON objects: each element is cleaned by itself; all other bytes of the array stay.

Why: an array may be larger than the memory, and written in a way that no program writes it again. It is cut into its
elements by strings and brackets alone; each is then read and cut as a line of JSON Lines is.

    [{"id": 7, "text": "A.\\nB.\\nA."}    ->   [{"id": 7, "text": "A.\\nB.\\n"}
     , {"id": 8, "text": "C."}]                , {"id": 8, "text": "C."}]

An element is what stands between two commas of the array, whatever it is, so that a bad one spoils no other. Only where
a quote or a bracket is lost, all up to the next one that fits, which may be the end, is one element.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import BinaryIO

from dedup.errors import InputError
from dedup.io import jsonl
from dedup.io.rows import Options, Row
from dedup.io.window import Window
from dedup.model import Result

_BLOCK = 1 << 20  # bytes read at once
_LIMIT = 256 << 20  # bytes of an element
_DEEP = 500  # brackets inside one another; with more, Python's reader may run out of stack
_SPACE = b" \t\r\n"
_MARK = b"\xef\xbb\xbf"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_BETWEEN = re.compile(rb'(?:[^"{}\[\],]++|%s)*+[{}\[\],]' % _STRING, re.DOTALL)
_INSIDE = re.compile(rb'(?:[^"{}\[\]]++|%s)*+[{}\[\]]' % _STRING, re.DOTALL)  # of an element
_KINDS = {b"{": "an object", b'"': "a string"}


def rows(stream: BinaryIO, options: Options, name: str) -> Iterator[Row]:
    """Yield the elements of an array. Raises InputError where the source is something else."""
    window = Window(stream, _BLOCK, _LIMIT)
    gap = _opening(window, name)  # what stands in front of an element
    number, at, mark = 0, 0, "," if gap.endswith(b"[") else "nothing"
    while mark == ",":
        end, mark, wrong = _element(window)
        body = window.take(end)
        raw = body.strip(_SPACE)
        start = len(body) - len(body.lstrip(_SPACE))
        gap += body[:start]
        if not raw and mark in ("", "]"):  # an empty array, or a comma too many
            break
        number, at = number + 1, at + len(gap)
        before, separator = (b"", gap) if number > 1 else (gap, b"")
        yield _row(Row(before, separator, raw, None), options, f"{name}: record {number} at byte {at}", wrong)
        at += len(raw)
        gap = body[start + len(raw) :] + (window.take(window.at + 1) if mark == "," else b"")
    yield from _rest(window, gap, mark, f"{name}: after record {number} at byte {at}")


def _opening(window: Window, name: str) -> bytes:
    """The bytes up to the bracket that opens the array, which are taken; all there are where nothing else is there."""
    while True:
        found = window.data.removeprefix(_MARK).lstrip(_SPACE)
        if (found and len(window.data) >= len(_MARK)) or not window.grow():
            break
    at = len(window.data) - len(found)
    if found and found[:1] != b"[":
        kind = _KINDS.get(found[:1], repr(found[:8])[1:])
        raise InputError(
            f"{name}: not a JSON array: it starts with {kind} at byte {at}, and an array of objects is needed at top "
            "level; --input-format jsonl reads an object a line, --input-format text reads it all as one text"
        )
    return window.take(at + 1)


def _element(window: Window) -> tuple[int, str, str]:
    """Where the element at the place ends, what ends it (a comma, the bracket, nothing), and why it is not read."""
    at, depth, deepest = 0, 0, 0  # from the place on, which moves as more is read
    while True:
        match = (_INSIDE if depth else _BETWEEN).match(window.data, window.at + at)
        if match:
            at = match.end() - window.at
            mark = chr(window.data[match.end() - 1])
            if mark in "{[":
                depth += 1
                deepest = depth if depth > deepest else deepest
            elif depth:
                depth -= 1
            elif mark != "}":
                deep = f"its brackets stand {deepest} deep, and at most {_DEEP} are read"
                return match.end() - 1, mark, deep if deepest > _DEEP else ""
        elif not window.grow():
            long = f"it has more than {window.limit} bytes; a quote or a bracket may not be closed there"
            return len(window.data), "" if window.ended else "more", "" if window.ended else long


def _row(row: Row, options: Options, where: str, wrong: str) -> Row:
    """The row with what was read from its bytes, unless something is wrong with them."""
    if wrong or not row.raw:
        return replace(row, error=f"{where}: {wrong or 'an element is missing'}; it is passed on as it is")
    try:
        record = jsonl.Record(row.raw, where, options.text_field)
    except InputError as error:
        return replace(row, error=str(error))
    names = [record.fields.get(field) for field in (options.id_field, options.group_field or "url")]
    id, group = ["" if name is None else str(name) for name in names]
    return replace(row, text=record.text, id=id, group=group, cut=partial(_cut, record))


def _cut(record: jsonl.Record, result: Result) -> bytes:
    return jsonl.cut(record, result)[0]


def _rest(window: Window, gap: bytes, mark: str, where: str) -> Iterator[Row]:
    """Pass on what stands after the last element."""
    if mark == "]":
        gap += window.take(window.at + 1)
    error = f"{where}: the array is not closed; the file may have been cut off there" if not mark else ""
    while True:
        part = window.take(len(window.data))
        if mark == "]" and part.strip(_SPACE):
            error, mark = f"{where}: the array is closed, and more follows; it is passed on as it is", ""
        if gap or part or error:
            yield Row(gap + part, b"", b"", None, error=error)
        gap, error = b"", ""
        if not window.more():
            return
