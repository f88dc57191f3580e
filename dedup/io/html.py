"""HTML pages: the main text as plain text, or all visible text cut in its place, the tags around it as they were.

Why: a page that holds a mobile and a desktop copy of an article is doubled text inside tags. Mode `article` takes the
main text out, and what is written is plain text; where none is found, all visible text is taken, and a note tells it.
Mode `page` knows of each character of the text where it stands, so that only these characters go.

    <div><p>A</p></div><div><p>A</p></div>   ->   <div><p>A</p></div><div><p></p></div>
"""

import codecs
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO

from dedup.errors import BinaryError, InputError
from dedup.io.page import ATTRIBUTES, TOKEN, page, shown
from dedup.io.rows import Options, Row
from dedup.model import Result

_LIMIT = 256 << 20  # bytes of a page
_HEAD = 4096  # bytes in which a page may say how it is encoded
_SAMPLE = 1 << 16  # bytes by which an encoding is guessed
_LARGE = 8 << 20  # characters; what is larger, or has more of these, is no article, or takes the extractor minutes:
_MANY_TAGS = 100_000
_MANY_ATTRIBUTES = 1000  # of one tag
_DEEP = 200  # elements inside one another; from 255 on the extractor's parser loses text without a word

_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_META = re.compile(rb"<meta[^>]*?charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_PREFIX = re.compile(r"\A(?:x-|windows-(?=\d+\Z))")
_KNOWN = re.compile(
    r"utf-8|cp125\d|cp866|cp874|cp9(?:32|49)|iso8859-\d+|koi8-[ru]|mac-(?:roman|cyrillic)|gb18030|big5hkscs|euc_jp|"
    r"iso2022_jp"
)
_MEANT = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "euc_kr": "cp949",
    "utf-16": "utf-8", "utf-16-le": "utf-8", "utf-16-be": "utf-8",
}  # fmt: skip

_NEVER_DEEP = re.compile(  # those that hold nothing, and those that the next one of their kind ends
    "area|base|body|br|col|colgroup|dd|dt|embed|head|hr|html|img|input|li|link|meta|optgroup|option|p|param|rp|rt|"
    "source|tbody|td|tfoot|th|thead|tr|track|wbr"
)


def rows(stream: BinaryIO, options: Options, name: str) -> Iterator[Row]:
    """Yield the page. Raises InputError where it is binary or too large, or there is no way to read or to cut it."""
    data = stream.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise InputError(f"{name}: the page has more than {_LIMIT} bytes; --input-format text reads it as a text")
    if not data:
        return
    text, cut, note = reading(data, options, name)
    if text.strip() or options.known:
        yield Row(b"", b"", data, text, name, "", cut, note=note)
    else:
        error = f"{name}: no text is on this page (a script may put it there); it is passed on as it is"
        yield Row(b"", b"", data, None, error=error)


def reading(data: bytes, options: Options, name: str, declared: str = "") -> tuple[str, Callable[[Result], bytes], str]:
    """Return the text of a page, the function that makes its bytes of the cleaned text, and a note on the text, if any.

    Where that is the text alone, and `options` say that it is known, it is not looked for. `declared` is the encoding
    by the header of HTTP. Raises InputError where the page cannot be read or cut.
    """
    if options.known and options.html_mode == "article":
        return "", _clean, ""
    encoding = charset(data, options.encoding or declared)
    if b"\0" in data[:_HEAD] and not encoding.startswith("utf-16"):
        raise BinaryError(f"{name}: byte {data.index(0)} is NUL, so this looks like a binary file, not like a page")
    if options.html_mode == "article":
        text, why = article(data, encoding, name)
        return text, _clean, f"{name}: {why}, so all visible text was taken" if why else ""
    try:
        found = page(data, encoding)
    except ValueError:
        raise InputError(
            f"{name}: the text cannot be cut in its place, as the bytes are not all {encoding} (--encoding names "
            "another one); --html-mode article makes plain text of the page"
        ) from None
    return found.text, found.cut, ""


def _clean(result: Result) -> bytes:
    return result.clean


# ---------------------------------------------------------------- encodings


def charset(data: bytes, declared: str = "") -> str:
    """Return the encoding of a page, as browsers see it: by its mark, as `declared`, as the page says, or as it looks.

    What is neither declared nor UTF-8 is guessed; where that fails, it is windows-1252.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    meta = _META.search(_COMMENT.sub(b"", data[:_HEAD]))
    for label in (declared, meta[1].decode("latin-1") if meta else ""):
        if known := _encoding(label):
            return known
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(data[:_SAMPLE]).best()
        return _encoding(best.encoding if best else "") or "cp1252"


def _encoding(label: str) -> str:
    """The name that Python has for what browsers take a label for; nothing where they know none."""
    try:
        found = codecs.lookup(_PREFIX.sub("", label.strip(" \t\n\f\r\"'").lower())).name
    except (LookupError, ValueError):
        return ""
    found = _MEANT.get(found, found)
    return found if _KNOWN.fullmatch(found) else ""


# ---------------------------------------------------------------- the main text


def extractor(name: str) -> Callable[..., str | None]:
    """Return what finds the main text of a page. Raises InputError naming `name` where it is not installed."""
    try:
        from trafilatura import extract
    except ImportError:
        raise InputError(
            f"{name}: to read HTML, install the extra: pip install 'dedup-text[html]'; or take --html-mode page, which "
            "needs none"
        ) from None
    found: Callable[..., str | None] = extract
    log = logging.getLogger("trafilatura")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # or Python prints its warnings
    return found


def article(data: bytes, encoding: str, name: str = "page") -> tuple[str, str]:
    """Return the main text of a page; or all of its visible text, and why no main text was taken out.

    The extractor forgets no paragraph that it saw before: its own removal of repeats is off. Raises InputError where
    it is not installed.
    """
    extract = extractor(name)
    source = data.decode(encoding, "replace").replace("\0", "").removeprefix("\ufeff")
    why = _too_much(source)
    if not why:
        try:
            text = extract(source, output_format="txt", deduplicate=False, with_metadata=False)
        except Exception:  # whatever a broken page makes a parser raise
            text = None
        if text and text.strip():
            return text.encode("utf-8", "replace").decode("utf-8"), ""
        why = "no main text was found"
    return shown(source).text, why


def _too_much(source: str) -> str:
    """Why the extractor would lose text of this page, or take minutes for it; nothing where it does not."""
    if len(source) > _LARGE:
        return f"the page has more than {_LARGE} characters"
    tags, depth, opened = 0, 0, Counter[str]()
    for token in TOKEN.finditer(source):
        start, end = token.start(), token.start("inside") if token["raw"] else token.end()
        if end - start > _MANY_ATTRIBUTES and not token["text"] and source[start + 1] not in "!?":
            attributes = ATTRIBUTES.finditer(source, start, end)
            if sum(1 for _ in attributes) > _MANY_ATTRIBUTES:
                return f"a tag of the page has more than {_MANY_ATTRIBUTES} attributes"
        if not token["name"]:
            continue
        tags += 1
        name = token["name"].lower()
        if token["end"]:
            depth -= opened[name] > 0
            opened[name] -= opened[name] > 0
        elif not _NEVER_DEEP.fullmatch(name) and source[end - 2 : end] != "/>":
            opened[name] += 1
            depth += 1
        if tags > _MANY_TAGS:
            return f"the page has more than {_MANY_TAGS} tags"
        if depth > _DEEP:
            return f"elements of the page stand more than {_DEEP} deep"
    return ""
