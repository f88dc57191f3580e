"""HTML pages: the main text as plain text, or all visible text cut in its place, the tags around it as they were.

Why: a page that holds a mobile and a desktop copy of an article is doubled text inside tags. Mode `article` takes the
main text out, and what is written is plain text. Mode `page` knows of each character of the text where it stands, so
that only these characters go and the page stays well formed.

    <div><p>A</p></div><div><p>A</p></div>   ->   <div><p>A</p></div><div><p></p></div>

Tags are told from text by one regular expression, by the rules of the WHATWG: Python's own parser takes a minute for
400 KB of `<!--`. It never looks back, so that the time grows with the page whatever is in it.
"""

import codecs
import html
import logging
import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, MutableSequence
from dataclasses import dataclass
from typing import BinaryIO

from dedup.errors import InputError
from dedup.io.rows import Options, Row
from dedup.model import Result, Span

LIMIT = 256 << 20  # bytes of a page
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

_WS = " \t\n\f\r"
_ATTRIBUTE = (
    rf"(?:=[^{_WS}/>=]*+|[^{_WS}/>=]++)"
    rf"""(?:[{_WS}]*+=[{_WS}]*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^{_WS}>"'][^{_WS}>]*+)?+)?+"""
)
_REST = rf"(?:[{_WS}/]++|{_ATTRIBUTE})*+(?:>|\Z)"
_RAW = "script|style|title|textarea|noscript|iframe|noembed|noframes"
_TOKEN = re.compile(
    r"(?P<text>(?:[^<]++|<(?![a-zA-Z!?/]))++)"
    rf"|<(?P<raw>{_RAW})(?=[{_WS}/>]){_REST}(?P<inside>(?:[^<]++|<(?!/(?P=raw)[{_WS}/>]))*+)"
    rf"|<(?P<end>/?)(?P<name>[a-zA-Z][^{_WS}/>]*+){_REST}"
    r"|<!--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>|\Z))"
    r"|<[!?/][^>]*+(?:>|\Z)",
    re.IGNORECASE,
)
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_SPECIAL = re.compile(
    rf"[{_WS}]{{2,}}|[\t\n\f\r]|\0|&(?:#[0-9]{{1,99}};?|#[xX][0-9a-fA-F]{{1,99}};?|[a-zA-Z]\w{{0,31}};?)"
)
_SPACES = str.maketrans(dict.fromkeys("\t\n\f\r", " "))
_OPEN_END = re.compile(r"(?:<[/!?]?|&[#0-9A-Za-z]*)\Z")
_TAIL = 128  # characters, more than any name of one is long
_CONTINUING = bytes(range(0x80, 0xC0))  # the bytes of UTF-8 that start no character

_BLOCK = re.compile(
    "address|article|aside|blockquote|body|br|button|caption|center|d[dlt]|details|dialog|dir|div|fieldset|figcaption|"
    "figure|footer|form|frame|frameset|h[1-6]|head|header|hgroup|hr|html|legend|li|listing|main|menu|nav|ol|optgroup|"
    "option|p|plaintext|pre|search|section|select|summary|table|tbody|td|tfoot|th|thead|tr|ul|xmp"
)
_UNSEEN = ("svg", "template")
_VERBATIM = ("pre", "listing", "xmp")
_NEVER_DEEP = re.compile(  # those that hold nothing, and those that the next one of their kind ends
    "area|base|body|br|col|colgroup|dd|dt|embed|head|hr|html|img|input|li|link|meta|optgroup|option|p|param|rp|rt|"
    "source|tbody|td|tfoot|th|thead|tr|track|wbr"
)


def rows(stream: BinaryIO, options: Options, name: str) -> Iterator[Row]:
    """Yield the page. Raises InputError where it is binary or too large, or there is no way to read or to cut it."""
    data = stream.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise InputError(f"{name}: the page has more than {LIMIT} bytes; --input-format text reads it as a text")
    if not data:
        return
    if options.html_mode == "article":
        extractor(name)
    text, cut = reading(data, options, name)
    if text.strip():
        yield Row(b"", b"", data, text, name, "", cut)
    else:
        error = f"{name}: no text is on this page (a script may put it there); it is passed on as it is"
        yield Row(b"", b"", data, None, error=error)


def reading(data: bytes, options: Options, name: str, declared: str = "") -> tuple[str, Callable[[Result], bytes]]:
    """Return the text of a page, and the function that makes its bytes of the cleaned text.

    `declared` is the encoding by the header of HTTP. Raises InputError where the page cannot be read or cut.
    """
    encoding = charset(data, options.encoding or declared)
    if b"\0" in data[:_HEAD] and not encoding.startswith("utf-16"):
        raise InputError(f"{name}: byte {data.index(0)} is NUL, so this looks like a binary file, not like a page")
    if options.html_mode == "article":
        return article(data, options, name, encoding), _clean
    try:
        found = page(data, encoding)
    except ValueError:
        raise InputError(
            f"{name}: the text cannot be cut in its place, as the bytes are not all {encoding} (--encoding names "
            "another one); --html-mode article makes plain text of the page"
        ) from None
    return found.text, found.cut


def _clean(result: Result) -> bytes:
    return result.clean


# ---------------------------------------------------------------- encodings


def charset(data: bytes, declared: str = "") -> str:
    """Return the encoding of a page, as browsers see it: by its mark, as `declared`, as the page says, or as it looks.

    What is neither declared nor UTF-8 is guessed, which takes the extra `html`; else it is windows-1252.
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
        return _guess(data[:_SAMPLE]) or "cp1252"


def _encoding(label: str) -> str:
    """The name that Python has for what browsers take a label for; nothing where they know none."""
    try:
        found = codecs.lookup(_PREFIX.sub("", label.strip(_WS + "\"'").lower())).name
    except (LookupError, ValueError):
        return ""
    found = _MEANT.get(found, found)
    return found if _KNOWN.fullmatch(found) else ""


def _guess(data: bytes) -> str:
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return ""
    best = from_bytes(data).best()
    return _encoding(best.encoding) if best else ""


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


def article(data: bytes, options: Options, name: str = "page", declared: str = "") -> str:
    """Return the main text of a page; all of its visible text where none is found, or it is too much to look for it.

    The extractor forgets no paragraph that it saw before: its own removal of repeats is off. Raises InputError where
    it is not installed.
    """
    extract = extractor(name)
    source = (
        data.decode(charset(data, options.encoding or declared), "replace").replace("\0", "").removeprefix("\ufeff")
    )
    if not _hard(source):
        try:
            text = extract(source, output_format="txt", deduplicate=False, with_metadata=False)
        except Exception:  # whatever a broken page makes a parser raise
            text = None
        if text and text.strip():
            return text.encode("utf-8", "replace").decode("utf-8")
    return _read(source, "utf-8").text


def _hard(source: str) -> bool:
    """Whether the extractor would lose text of this page, or take minutes for it."""
    if len(source) > _LARGE:
        return True
    tags, depth, opened = 0, 0, Counter[str]()
    for token in _TOKEN.finditer(source):
        start, end = token.start(), token.start("inside") if token["raw"] else token.end()
        if end - start > _MANY_ATTRIBUTES and not token["text"] and source[start + 1] not in "!?":
            attributes = _ATTRIBUTES.finditer(source, start, end)
            if sum(1 for _ in attributes) > _MANY_ATTRIBUTES:
                return True
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
        if tags > _MANY_TAGS or depth > _DEEP:
            return True
    return False


# ---------------------------------------------------------------- all of the text, in its place


@dataclass(frozen=True, slots=True)
class Page:
    """The visible text of a page, and where it stands there.

    Run r of the text, from starts[r] to starts[r + 1], is source[begins[r]:ends[r]] (all in characters): the same but
    for its spaces where both are as long, else one character and what it is written as. A line end is written as none.
    """

    source: str
    encoding: str
    text: str
    starts: MutableSequence[int]
    begins: MutableSequence[int]
    ends: MutableSequence[int]

    def cut(self, result: Result) -> bytes:
        """Return the bytes of the page without the text that is not in `result`, and with what was put into it."""
        out, at, place = _Joined(), 0, 0
        for (start, end), put, stays in [*self._pieces(result), ((len(self.text),) * 2, "", True)]:
            if stays and start >= at:
                for begin, stop in self._written((at, start)):
                    out.add(self.source[place:begin])
                    place = stop
                at = end
            else:  # it goes where the text stood that it was put for
                here = self._place(at)
                out.add(self.source[place:here])
                place = here
                moved = (self.source[a:b] if a < b else "<br>" for a, b in self._written((start, end)))
                out.add(self._escaped(put) if put else "".join(moved))
        out.add(self.source[place:])
        return "".join(out.parts).encode(self.encoding, "surrogateescape")

    def _pieces(self, result: Result) -> list[tuple[Span, str, bool]]:
        """What the clean text is made of: characters of the text, or text put in; and whether it stays in its place.

        A piece that stands after one that is later on the page was moved, or that one was: the first of them is.
        """
        data, whole = result.data, result.data == self.text.encode("utf-8", "surrogatepass")
        chars, last = {0: 0}, 0
        for at in sorted({at for span in result.pieces if span[0] < len(data) for at in span}):
            part = data[last:at]
            size = len(part.translate(None, _CONTINUING) if whole else part.decode("utf-8", "surrogateescape"))
            chars[at], last = chars[last] + size, at
        out: list[tuple[Span, str, bool]] = []
        least = len(self.text)
        for start, end in reversed(result.pieces):
            if start < len(data):
                out.append(((chars[start], chars[end]), "", chars[start] <= least))
                least = min(least, chars[start])
            elif start < end:
                put = result.put[start - len(data) : end - len(data)].decode("utf-8", "surrogateescape")
                out.append(((0, 0), put, False))
        return out[::-1]

    def _written(self, span: Span) -> Iterator[Span]:
        """Where the characters `span` of the text are written, run by run."""
        start, stop = span
        run = max(0, bisect_right(self.starts, start) - 1)
        while start < stop:
            first, begin, end = self.starts[run], self.begins[run], self.ends[run]
            last = self.starts[run + 1]
            if last - first == end - begin:
                yield begin + start - first, begin + min(stop, last) - first
            elif start == first:
                yield begin, end
            start = last
            run += 1

    def _place(self, at: int) -> int:
        """Where the character `at` of the text is written; the end of the text, where that stops."""
        if at >= len(self.text):
            return self.ends[-1] if self.ends else 0
        run = bisect_right(self.starts, at) - 1
        first, begin, end = self.starts[run], self.begins[run], self.ends[run]
        exact = self.starts[run + 1] - first == end - begin
        return begin + at - first if exact else begin if at == first else end

    def _escaped(self, put: str) -> str:
        """Text that was put in, as it is written in the source."""
        written = html.escape(put, quote=False).replace("\n", "<br>")
        try:
            written.encode(self.encoding, "surrogateescape")
            return written
        except UnicodeEncodeError:
            return written.encode(self.encoding, "xmlcharrefreplace").decode(self.encoding)


class _Joined:
    """Parts of a page put side by side, an empty comment between those that would become a tag or a character."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.tail = ""

    def add(self, part: str) -> None:
        """Put `part` at the end."""
        if part:
            if _OPEN_END.search(self.tail) and part[0] != "<":
                self.parts.append("<!---->")
            self.parts.append(part)
            self.tail = (self.tail + part)[-_TAIL:]


def page(data: bytes, encoding: str) -> Page:
    """Return the visible text of a page, and where it stands. Raises ValueError where bytes would not come back."""
    source = data.decode(encoding, "surrogateescape")
    if encoding == "iso2022_jp" or source.encode(encoding, "surrogateescape") != data:
        raise ValueError(f"the bytes are not all {encoding}")
    return _read(source, encoding)


def _read(source: str, encoding: str) -> Page:
    text, unseen, verbatim = _Text(source), 0, 0
    for token in _TOKEN.finditer(source, source.startswith("\ufeff")):
        if token["text"]:
            if not unseen:
                text.add(*token.span(), verbatim=verbatim > 0)
            continue
        name, step = (token["name"] or "").lower(), -1 if token["end"] else 1
        if name in _UNSEEN and (step < 0 or source[token.end() - 2 : token.end()] != "/>"):
            unseen = max(0, unseen + step)
        elif not unseen and _BLOCK.fullmatch(name):
            text.broken = True
            verbatim = max(0, verbatim + step * (name in _VERBATIM))
    text.starts.append(text.size)
    return Page(source, encoding, "".join(text.parts), text.starts, text.begins, text.ends)


class _Text:
    """A text in the making: its parts, and its runs as in Page."""

    def __init__(self, source: str) -> None:
        self.source, self.parts, self.size = source, list[str](), 0
        self.starts, self.begins, self.ends = array("q"), array("q"), array("q")
        self.broken = False  # a line ends before the next word
        self.gap: Span | None = None  # the space before the next word

    def add(self, start: int, end: int, *, verbatim: bool) -> None:
        """Add source[start:end], which stands between two tags; spaces at its ends may be those of others."""
        after: Span | None = None
        if not verbatim:
            part = self.source[start:end]
            first, last = end - len(part.lstrip(_WS)), start + len(part.rstrip(_WS))
            self.gap = (start, first) if start < first else self.gap
            if first == end:
                return
            after = (last, end) if last < end else None
            start, end = first, last
        if self.size and (self.broken or self.gap):
            self._run("\n" if self.broken else " ", *(start, start) if self.broken or not self.gap else self.gap)
        self.broken, self.gap = False, after
        for special in _SPECIAL.finditer(self.source, start, end):
            at, stop = special.span()
            mark = special.group()
            if mark[0] == "&":
                read = html.unescape(mark)
                if read == mark:
                    continue
                rest = len(read) - 1
                if rest > 0 and mark.endswith(read[1:]):  # as in &copynow, which is the sign and a word
                    read, stop = read[0], stop - rest
            elif verbatim and mark != "\0":
                continue
            else:
                read = "" if mark == "\0" else " "
            self._run(self.source[start:at], start, at)
            self._run(read if verbatim else read.translate(_SPACES), at, stop)
            start = stop
        self._run(self.source[start:end], start, end)

    def _run(self, text: str, begin: int, end: int) -> None:
        if text:
            self.parts.append(text)
            self.starts.append(self.size)
            self.begins.append(begin)
            self.ends.append(end)
            self.size += len(text)
