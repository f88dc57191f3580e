"""JSON Lines: each record is cleaned by itself; all other bytes of the line stay.

Why: a record is more than its text. Only the string literal of the text field is cut, so that the order and the bytes
of all other fields, and the way in which the text itself is escaped, are what they were.

    {"id": 7, "text": "A.\\nB.\\nA.", "tags": []}   ->   {"id": 7, "text": "A.\\nB.\\n", "tags": []}
"""

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import orjson

from dedup.errors import InputError
from dedup.model import Op, Result, Span
from dedup.rewrite import Put, Table, undo

_SPACE = re.compile(r"[ \t\n\r]*")
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")
_DECODER = json.JSONDecoder()
_DEEP = 500
_MARK = b"\xef\xbb\xbf"


class Record:
    """One parsed line: its fields, and where (bytes) the literal of the text field stands, quotes excluded."""

    def __init__(self, line: bytes, where: str, text_field: str) -> None:
        self.line, self.where, self.field = line, where, text_field
        self.begin = len(_MARK) if line.startswith(_MARK) else 0  # a byte order mark stands before the first one
        try:
            self.fields = _fields(line[self.begin :])
        except (ValueError, IndexError, RecursionError) as error:
            raise InputError(f"{where}: not a JSON object ({error}); the line is passed on as it is") from None
        text = self.fields.get(text_field)
        if not isinstance(text, str):
            found = f"is {type(text).__name__}" if text_field in self.fields else "is missing"
            raise InputError(
                f"{where}: field {text_field!r} {found}, text is needed (--text-field names another field); "
                "the line is passed on as it is"
            )
        self.text = text

    @cached_property
    def _place(self) -> tuple[int, str]:
        source = self.line[self.begin :].decode("utf-8")
        start, end = _parse(source)[1][self.field]
        return self.begin + len(source[: start + 1].encode()), source[start + 1 : end - 1]

    @property
    def at(self) -> int:
        """Where the literal starts."""
        return self._place[0]

    @property
    def literal(self) -> str:
        """The text as it is written."""
        return self._place[1]


def _fields(line: bytes) -> dict[str, Any]:
    """The members of a JSON object. What the quick reader does not take, or rounds, is read by the standard one."""
    if line.count(b"[") + line.count(b"{") > _DEEP:  # perhaps too deep to be cut
        return _parse(line.decode("utf-8"))[0]
    try:
        fields = orjson.loads(line)
        if isinstance(fields, dict) and float not in map(type, fields.values()):
            return fields
    except ValueError:
        pass
    return _parse(line.decode("utf-8"))[0]


def _parse(source: str) -> tuple[dict[str, Any], dict[str, Span]]:
    """The members of a JSON object, and the character span of each value."""
    fields: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    at = _skip(source, 0)
    if source[at] != "{":
        raise ValueError("no object")
    at = _skip(source, at + 1)
    while source[at] != "}":
        if source[at] != '"':
            raise ValueError(f"a name is expected at character {at}")
        name, at = _DECODER.raw_decode(source, at)
        at = _skip(source, at)
        if source[at] != ":":
            raise ValueError(f"':' is expected at character {at}")
        at = _skip(source, at + 1)
        value, end = _DECODER.raw_decode(source, at)
        fields[name], spans[name] = value, (at, end)
        at = _skip(source, end)
        if source[at] == ",":
            at = _skip(source, at + 1)
            if source[at] == "}":
                raise ValueError(f"a name is expected at character {at}")
        elif source[at] != "}":
            raise ValueError(f"',' or '}}' is expected at character {at}")
    if _skip(source, at + 1) != len(source):
        raise ValueError(f"more text after the object, at character {at + 1}")
    return fields, spans


def _skip(source: str, at: int) -> int:
    match = _SPACE.match(source, at)
    return match.end() if match else at


def cut(record: Record, result: Result) -> tuple[bytes, tuple[Op, ...]]:
    """Return the line of `record` with its text cleaned to `result`, and the ops that rebuild the line from it."""
    if not result.removed and not result.fixes:
        return record.line, (Op((0, len(record.line)), None),) if record.line else ()
    size, base = len(result.data), len(record.line)
    witnesses = [(b.copy.bytes[0], b.kept.bytes[0]) for b in result.removed if b.document is None]
    own = [piece for piece in result.pieces if piece[0] < size]
    places = sorted({at for span in [*own, *witnesses] for at in span})
    raw = dict(zip(places, _raw_offsets(record, places), strict=True))
    last = record.at + len(record.literal.encode("utf-8", "surrogatepass"))
    inside, put = list[Span](), b""
    for start, end in result.pieces:
        if start < size:
            inside.append((raw[start], raw[end]))
        else:
            text = result.put[start - size : end - size].decode("utf-8", "surrogatepass")
            written = json.dumps(text, ensure_ascii=record.literal.isascii())[1:-1].encode("utf-8", "surrogatepass")
            inside.append((base + len(put), base + len(put) + len(written)))
            put += written
    table = Table([(0, record.at), *inside, (last, base)], put=Put(base, put, ()))
    line = table.text(record.line)
    return line, undo(record.line, line, table, [(raw[copy], raw[kept]) for copy, kept in witnesses])


def _raw_offsets(record: Record, places: list[int]) -> Iterator[int]:
    """Where in the bytes of the line the ascending byte offsets `places` of the decoded text stand."""
    literal, at, raw, text = record.literal, 0, record.at, 0
    wanted = iter(places)
    place = next(wanted, None)
    for match in [*_ESCAPE.finditer(literal), None]:
        plain = literal[at : match.start() if match else len(literal)].encode("utf-8", "surrogatepass")
        while place is not None and place <= text + len(plain):
            yield raw + place - text
            place = next(wanted, None)
        if match:
            text += len(plain) + len(json.loads(f'"{match.group()}"').encode("utf-8", "surrogatepass"))
            raw += len(plain) + len(match.group())
            at = match.end()


def lines(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield (number, line, line end) of the lines of `data`."""
    at, number = 0, 0
    while at < len(data):
        end = data.find(b"\n", at)
        stop = len(data) if end < 0 else end
        number += 1
        yield number, data[at:stop], data[stop : stop + 1]
        at = stop + 1
