"""Bytes to text and back, losing nothing.

Why: words are found in text, but the user's bytes are what must survive. UTF-8 is the default; a byte that is not
UTF-8 becomes a lone surrogate (PEP 383) and comes back as the same byte. UTF-16 is read with its byte order mark, and
other encodings where they are named, or where most of what is not ASCII is no UTF-8.

    b"caf\\xe9\\n"   ->   "caf\\udce9\\n"   ->   b"caf\\xe9\\n"
"""

from dedup.errors import BinaryError, UsageError
from dedup.model import Document, Span, integers
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_UTF8 = b"\xef\xbb\xbf"
_ENOUGH = 32  # bytes that are no UTF-8, from which on another encoding is looked for
_LOOKED_AT = 1 << 18  # bytes
_STATEFUL = ("iso2022", "hz", "utf-7", "unicode", "raw", "punycode", "idna", "euc_jis_", "euc_jisx", "shift_jis_",
             "shift_jisx", "big5hkscs")  # fmt: skip  # how the names begin
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def decode(data: bytes, source: str = "input", *, force_text: bool = False, encoding: str = "utf-8") -> Document:
    """Return `data` as a Document whose text encodes back to the same bytes.

    A byte order mark goes before the `encoding`; where this is empty, it is found out. Data that would not come back
    from it is read as UTF-8. Raises BinaryError for data with NUL bytes (a binary, or UTF-16 without its mark) unless
    `force_text`, UsageError for an encoding that is not known.
    """
    mark = data[:2]
    if mark in _UTF16:
        try:
            text = data[2:].decode(_UTF16[mark], "surrogatepass")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text:
            return Document(data, text, _UTF16[mark], "surrogatepass", mark, 0)
    if encoding not in ("", "utf-8") and (document := _encoded(data, codec(encoding))):
        return document
    if b"\0" in data and not force_text:
        raise BinaryError(
            f"{source}: byte {data.index(0)} is NUL, so this looks like a binary file; "
            "use --text to treat it as text all the same"
        )
    mark = _UTF8 if data.startswith(_UTF8) else b""
    undecoded = 0
    try:
        text = data[len(mark) :].decode()
    except UnicodeDecodeError:
        text = data[len(mark) :].decode("utf-8", "surrogateescape")
        undecoded = _undecoded(text)
    if undecoded and not encoding and not mark and (document := _encoded(data, _guessed(data))):
        return document
    return Document(data, text, "utf-8", "surrogateescape", mark, undecoded)


def again(document: Document, data: bytes) -> Document:
    """Return `data`, made of pieces of `document`, as a Document in its encoding, whatever it looks like by itself."""
    mark = document.mark if data.startswith(document.mark) else b""
    text = data[len(mark) :].decode(document.encoding, document.errors)
    return document._replace(data=data, text=text, mark=mark)


def _encoded(data: bytes, encoding: str) -> Document | None:
    """The Document in this encoding, if it gives all bytes back."""
    errors = "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"
    try:
        text = data.decode(encoding, errors)
        if not encoding or text.encode(encoding, errors) != data:
            return None
    except (UnicodeError, LookupError):
        return None
    undecoded = 0 if errors == "surrogatepass" else _undecoded(text)
    return Document(data, text, encoding, errors, b"", undecoded)


def _undecoded(text: str) -> int:
    """How many bytes became no character."""
    return sum(1 for c in text if "\udc80" <= c <= "\udcff")


def codec(name: str) -> str:
    """Return the name of an encoding as Python has it. Raises UsageError for one that cannot be read piece by piece.

    >>> codec("Latin1"), codec("UTF8")
    ('iso8859-1', 'utf-8')
    """
    import codecs

    try:
        found = codecs.lookup(name).name.removesuffix("-sig")
        if "ab".encode(found) == "a".encode(found) + "b".encode(found) and not found.startswith(_STATEFUL):
            return found
        why = "has marks or states between its characters; convert the text first, as with iconv"
    except (LookupError, UnicodeError):
        why = "is not known; use a name such as windows-1252, shift_jis or koi8-r"
    raise UsageError(f"encoding {name} {why}")


def _guessed(data: bytes) -> str:
    """The encoding that the data looks like; empty where that is open. Lines count once: copies tell nothing new."""
    lines = b"\n".join(dict.fromkeys(data[:_LOOKED_AT].split(b"\n")))
    text = lines.decode("utf-8", "surrogateescape")
    undecoded = _undecoded(text)
    if undecoded < _ENOUGH or 2 * undecoded < sum(1 for c in text if c > "\x7f"):
        return ""
    from charset_normalizer import from_bytes

    best = from_bytes(lines).best()
    try:
        return codec(best.encoding) if best else ""
    except UsageError:
        return ""


def byte_offsets(document: Document, chars: "Sequence[int]") -> "Sequence[int]":
    """Return the byte offsets in `document.data` of the ascending character offsets `chars`. One pass over the text."""
    text, at, total = document.text, 0, len(document.mark)
    if not total and document.encoding == "utf-8" and text.isascii():
        return chars
    out = integers(len(document.data))
    for char in chars:
        total += len(text[at:char].encode(document.encoding, document.errors))
        out.append(total)
        at = char
    return out


def byte_spans(document: Document, spans: list[Span]) -> list[Span]:
    """Return character spans as byte spans of `document.data`."""
    chars = sorted({c for span in spans for c in span})
    at = dict(zip(chars, byte_offsets(document, chars), strict=True))
    return [(at[start], at[end]) for start, end in spans]
