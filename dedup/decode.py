"""Bytes to text and back, losing nothing.

Why: words are found in text, but the user's bytes are what must survive. UTF-8 is the default; a byte that is not
UTF-8 becomes a lone surrogate (PEP 383) and comes back as the same byte. UTF-16 is read only with its byte order mark.

    b"caf\\xe9\\n"   ->   "caf\\udce9\\n"   ->   b"caf\\xe9\\n"
"""

from dedup.errors import InputError
from dedup.model import Document, Span, integers
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_UTF8 = b"\xef\xbb\xbf"
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def decode(data: bytes, source: str = "input", *, force_text: bool = False) -> Document:
    """Return `data` as a Document whose text encodes back to the same bytes.

    Raises InputError for data with NUL bytes (a binary, or UTF-16 without its mark) unless `force_text`.
    """
    mark = data[:2]
    if mark in _UTF16:
        try:
            text = data[2:].decode(_UTF16[mark], "surrogatepass")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text:
            return Document(data, text, _UTF16[mark], "surrogatepass", mark, 0)
    if b"\0" in data and not force_text:
        raise InputError(
            f"{source}: byte {data.index(0)} is NUL, so this looks like a binary file; "
            "use --text to treat it as text all the same"
        )
    mark = _UTF8 if data.startswith(_UTF8) else b""
    text = data[len(mark) :].decode("utf-8", "surrogateescape")
    undecoded = 0 if text.isascii() else sum(1 for c in text if "\udc80" <= c <= "\udcff")
    return Document(data, text, "utf-8", "surrogateescape", mark, undecoded)


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
