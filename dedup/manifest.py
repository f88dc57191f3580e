"""The undo, written down: `dedup-manifest/1`, JSON Lines, one record a document.

Why: a tool that edits an only copy must be able to take it back. A record holds the digests of the text before and
after, and the ops that rebuild the first from the second: [start, end] takes these bytes of the clean text, a string
puts in bytes (base64). The digests are xxh3_128; they guard against mistakes, not against malice.

    {"schema": "dedup-manifest/1", "source": "raw.txt", "scheme": "words-1", "version": "0.1.0",
     "input": {"bytes": 6802, "xxh3_128": "..."}, "output": {"bytes": 3503, "xxh3_128": "..."},
     "ops": [[0, 3503], [203, 3502]]}
"""

import base64
import binascii
import json
from typing import Any

from xxhash import xxh3_128, xxh3_128_hexdigest

from dedup.errors import ManifestError
from dedup.model import Op
from dedup.normalise import SCHEME
from dedup.rewrite import rebuild

SCHEMA = "dedup-manifest/1"


def record(source: str, data: bytes, clean: bytes, ops: tuple[Op, ...], **more: Any) -> dict[str, Any]:
    """Return the manifest record of one cleaned document; `more` are further fields, such as its line number."""
    whole = Whole()
    whole.add(data, clean, ops)
    return whole.record(source, **more)


class Whole:
    """What the manifest tells of a text that is written piece by piece."""

    def __init__(self) -> None:
        self.sizes = [0, 0]  # bytes, before and after
        self.digests = xxh3_128(), xxh3_128()
        self.ops: list[Op] = []

    def add(self, data: bytes, clean: bytes, ops: tuple[Op, ...]) -> None:
        """Take in the next piece, before and after, and the ops that rebuild it."""
        at = self.sizes[1]
        for op in ops:
            span = (op.span[0] + at, op.span[1] + at) if op.span else None
            last = self.ops[-1].span if self.ops else None
            if span and last and last[1] == span[0]:
                self.ops[-1] = Op((last[0], span[1]), None)
            else:
                self.ops.append(Op(span, op.literal))
        for side, piece in enumerate((data, clean)):
            self.sizes[side] += len(piece)
            self.digests[side].update(piece)

    def record(self, source: str, **more: Any) -> dict[str, Any]:
        """Return the record of the text; `more` are further fields."""
        from dedup import __version__

        sides = [
            {"bytes": n, "xxh3_128": digest.hexdigest()} for n, digest in zip(self.sizes, self.digests, strict=True)
        ]
        return {
            "schema": SCHEMA,
            "source": str(source),
            **more,
            "scheme": SCHEME,
            "version": __version__,
            "input": sides[0],
            "output": sides[1],
            "ops": [list(o.span) if o.span else base64.b64encode(o.literal or b"").decode("ascii") for o in self.ops],
        }


def dump(entry: dict[str, Any]) -> bytes:
    """Return a record as one line of the manifest file. Names that are not UTF-8 survive."""
    return json.dumps(entry).encode("ascii") + b"\n"


def parse(line: str | bytes, where: str = "the manifest") -> dict[str, Any]:
    """Return the record on one line. Raises ManifestError, naming `where`, for anything that is not a whole record."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{where} is not JSON ({error}); give the file that --manifest wrote") from None
    if not isinstance(entry, dict) or entry.get("schema") != SCHEMA:
        raise ManifestError(f"{where} is not a {SCHEMA} record; give the file that --manifest wrote")
    sizes = [entry.get(side) for side in ("input", "output")]
    if not isinstance(entry.get("ops"), list) or not isinstance(entry.get("source"), str):
        raise ManifestError(f"{where} lacks its ops or its source; the file is damaged")
    if not all(
        isinstance(s, dict) and isinstance(s.get("bytes"), int) and isinstance(s.get("xxh3_128"), str) for s in sizes
    ):
        raise ManifestError(f"{where} lacks a size or digest; the file is damaged")
    return entry


def undo(clean: bytes, entry: dict[str, Any]) -> bytes:
    """Return the input that `entry` records, rebuilt from `clean`.

    Raises ManifestError when `clean` was edited since, or an op points outside it.
    """
    source, output = entry["source"], entry["output"]
    if xxh3_128_hexdigest(clean) != output["xxh3_128"]:
        raise ManifestError(
            f"{source}: the clean text ({len(clean)} bytes) is not the one that was written ({output['bytes']} bytes); "
            "it was edited, or belongs to another manifest"
        )
    if "encoding" in entry:
        clean = recoded(clean, "utf-8", entry["encoding"])
    data = rebuild(clean, tuple(_op(op, len(clean), source) for op in entry["ops"]))
    if xxh3_128_hexdigest(data) != entry["input"]["xxh3_128"]:
        raise ManifestError(f"{source}: the ops do not give the input back; the manifest is damaged")
    return data


def recoded(data: bytes, before: str, after: str) -> bytes:
    """Return text in another encoding. Raises ManifestError for one that is not known, or lacks its characters."""
    errors = "surrogatepass" if "utf-16" in before + after else "surrogateescape"
    try:
        return data.decode(before, errors).encode(after, errors)
    except (LookupError, UnicodeError):
        raise ManifestError(f"the text cannot be written in {after!r} again; the manifest is damaged") from None


def _op(op: Any, size: int, source: str) -> Op:
    if isinstance(op, str):
        try:
            return Op(None, base64.b64decode(op, validate=True))
        except (binascii.Error, ValueError):
            raise ManifestError(f"{source}: an op of the manifest is not base64; the manifest is damaged") from None
    if isinstance(op, list) and len(op) == 2 and all(type(n) is int for n in op) and 0 <= op[0] <= op[1] <= size:
        return Op((op[0], op[1]), None)
    raise ManifestError(f"{source}: op {op!r} points outside the clean text of {size} bytes; the manifest is damaged")
