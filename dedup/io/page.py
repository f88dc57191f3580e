"""The visible text of a page, with the place of each character of it, so that only these characters are cut.

Why: what stands twice on a page is text, and what stands around it are tags, each of which another one may need. The
text goes and all tags stay, so that the page stays well formed.

    <p>A &amp; B</p><p>A</p>   ->   A & B\\nA   ->   <p>A &amp; B</p><p></p>

Tags are told from text by one regular expression, by the rules of the WHATWG: Python's own parser takes a minute for
400 KB of `<!--`. It never looks back, so that the time grows with the page whatever is in it.
"""

import html
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, MutableSequence
from dataclasses import dataclass

from dedup.io.rows import decoded
from dedup.model import Result, Span

_WS = " \t\n\f\r"
_ATTRIBUTE = (
    rf"(?:=[^{_WS}/>=]*+|[^{_WS}/>=]++)"
    rf"""(?:[{_WS}]*+=[{_WS}]*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^{_WS}>"'][^{_WS}>]*+)?+)?+"""
)
_REST = rf"(?:[{_WS}/]++|{_ATTRIBUTE})*+(?:>|\Z)"
_RAW = "script|style|title|textarea|noscript|iframe|noembed|noframes"
TOKEN = re.compile(  # of a page: text, an element of raw text with what is inside, a tag, a comment
    r"(?P<text>(?:[^<]++|<(?![a-zA-Z!?/]))++)"
    rf"|<(?P<raw>{_RAW})(?=[{_WS}/>]){_REST}(?P<inside>(?:[^<]++|<(?!/(?P=raw)[{_WS}/>]))*+)"
    rf"|<(?P<end>/?)(?P<name>[a-zA-Z][^{_WS}/>]*+){_REST}"
    r"|<!--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>|\Z))"
    r"|<[!?/][^>]*+(?:>|\Z)",
    re.IGNORECASE,
)
ATTRIBUTES = re.compile(_ATTRIBUTE)  # of a tag; its name is one of them
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
        data, chars, last = result.data, {0: 0}, 0
        for at in sorted({at for span in result.pieces if span[0] < len(data) for at in span}):
            chars[at], last = chars[last] + len(data[last:at].translate(None, _CONTINUING)), at
        out: list[tuple[Span, str, bool]] = []
        least = len(self.text)
        for start, end in reversed(result.pieces):
            if start < len(data):
                out.append(((chars[start], chars[end]), "", chars[start] <= least))
                least = min(least, chars[start])
            elif start < end:
                out.append(((0, 0), decoded(result.put[start - len(data) : end - len(data)]), False))
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
        """Text that was put in, as it is written in the source: by its number what the encoding lacks."""
        written = html.escape(put, quote=False).replace("\n", "<br>")
        return written.translate({ord(c): f"&#{ord(c)};" for c in set(written) if not _has(self.encoding, c)})


def _has(encoding: str, char: str) -> bool:
    try:
        char.encode(encoding, "surrogateescape")
        return True
    except UnicodeEncodeError:
        return False


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
    return shown(source, encoding)


def shown(source: str, encoding: str = "utf-8") -> Page:
    """Return the visible text of the source of a page."""
    text, unseen, verbatim = _Text(source), 0, 0
    for token in TOKEN.finditer(source, source.startswith("\ufeff")):
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
