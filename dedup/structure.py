"""What a stretch of a page stands in: a quotation, a record, a section, a list, code. No judgement.

Why: text repeats for good reasons inside a structure of its own. The stages that judge ask here whether a copy and its
original stand in one. Spans are half-open, in words.
"""

from bisect import bisect_left, bisect_right
from itertools import groupby

from dedup.evidence import CLOSERS, INSIDE, STOPS, blank, paragraphs
from dedup.model import Page, Span
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COMMENT = " \t#*/;%"  # how a line of a comment begins
_LICENCE = 64  # lines that the text of a licence may have
_BEHIND = 16  # characters that a mark, or a source, behind the last sentence of a paragraph may have
_SENTENCES = 15  # words from which a line with a note or a source behind its stop is no row
_WRAPS = 12  # lines that an item of a list may be wrapped over
# Quotes and what is passed over say nothing; dashes are one sign.
_TYPOGRAPHY = dict.fromkeys(
    map(ord, "\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u00ad\u200b\u200c\u200d\u2060\ufeff")
)
_TYPOGRAPHY |= dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_PREFIX = " \t>-*+\u2022\u00b7"  # marks at the head of a line
BULLETS = ("-", "*", "+", "\u2022", "\u2013", "\u00b7", "\u25aa", "\u25cf", "\u2713", "\u2714")
_ROW_STOPS = (*STOPS, ":")
_QUOTES = (">", "|", "\u00bb")
_COLONS = (":", "\uff1a")
_QUOTED = 3  # paragraphs that a quotation may have, or what closes a section
_ASKS = ("?", "\uff1f", "\u061f")
_QUESTION = 12  # words that a question has at most that is a heading
_UNDERLINES, _UNDERLINE = ("=", "-", "~", "^"), 3  # of such marks the line below a heading has at least so many


def quoted(page: Page, copy: Span, original: Span) -> bool:
    """Whether a copy of few paragraphs, or its original, alone is marked as a quotation.

    By a quote sign, or by a line before it that ends in a colon.
    """
    rows = [paragraphs(page, span) for span in (copy, original)]
    marked = [any(page.line(p).lstrip().startswith(_QUOTES) for p in own) for own in rows]
    introduced = [own[0] > 0 and page.line(own[0] - 1).rstrip().endswith(_COLONS) for own in rows]
    return len(rows[0]) <= _QUOTED and (marked[0] != marked[1] or introduced[0] != introduced[1])


def in_fields(page: Page, copy: Span, original: Span) -> bool:
    """Whether a copy and its original stand in two different records: indented text under `Name: value` lines."""
    rows = [paragraphs(page, span) for span in (copy, original)]
    heads = [_fields(page, own[0]) for own in rows]
    return bool(heads[0] and heads[1]) and heads[0] != heads[1] and all(_in_record(page.line(p)) for p in rows[0][1:])


def _fields(page: Page, p: int) -> list[str]:
    """The `Name: value` lines from paragraph `p` up to the blank line, or the other line, above them."""
    out = []
    while _in_record(page.line(p)):
        if not _indented(page.line(p)):
            out.append(page.line(p))
        if p == 0 or blank(page.text[page.paragraphs.ends[p - 1] : page.paragraphs.starts[p]]):
            break
        p -= 1
    return out


def _in_record(line: str) -> bool:
    name = line.partition(":")[0] if ":" in line else ""
    return _indented(line) or (name[:1].isalpha() and name.replace("-", "").isalnum())


def _indented(line: str) -> bool:
    return line[:1] in (" ", "\t")


def under_notices(page: Page, copy: int, original: int) -> bool:
    """Whether a copy and its original, which start with these words, stand under different copyright lines."""
    notices = [_notice(page, page.paragraph(word)) for word in (copy, original)]
    return bool(notices[0] and notices[1]) and notices[0] != notices[1]


def _notice(page: Page, p: int) -> str:
    """The nearest copyright line from paragraph `p` upwards."""
    lines = (page.line(q).lstrip(_COMMENT).rstrip().casefold() for q in range(p, max(-1, p - _LICENCE), -1))
    return next((line for line in lines if line.startswith(("copyright", "(c)", "\u00a9"))), "")


def under_heads(page: Page, copy: Span, original: Span) -> bool:
    """Whether a copy and its original are indented text under two different lines that are not."""
    rows = [paragraphs(page, span) for span in (copy, original)]
    if not all(_indented(page.line(p)) for own in rows for p in own):
        return False
    heads = [next((page.line(p) for p in range(own[0], -1, -1) if not _indented(page.line(p))), "") for own in rows]
    return all(heads) and heads[0] != heads[1]


class Sections:
    """The sections of a page, which are looked for when they are asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.heads: list[int] | None = None

    def closed(self, copy: Span, original: Span) -> bool:
        """Whether a copy of few paragraphs and its original close two sections, which have different headings."""
        page = self.page
        heads = self.heads = _headings(page) if self.heads is None else self.heads
        above = []
        for span in (copy, original):
            rows = paragraphs(page, span)
            at = bisect_left(heads, rows[0])
            after = heads[at] if at < len(heads) else len(page.paragraphs.starts)
            if not at or len(rows) > _QUOTED or after != rows[-1] + 1:
                return False
            above.append(page.line(heads[at - 1]).strip())
        return above[0] != above[1]


def _headings(page: Page) -> list[int]:
    """The paragraphs that are headings: in #, in **, with a line of marks below, or short questions."""
    out = []
    total = len(page.paragraphs.starts)
    for p in range(total):
        line = page.line(p).strip()
        hashes = line.startswith("#") and line.lstrip("#")[:1] == " "
        bold = line.startswith("**") and line.rstrip(":").endswith("**") and line.count("**") == 2
        question = line.endswith(_ASKS) and page.first[p + 1] - page.first[p] <= _QUESTION
        below = page.line(p + 1).strip() if p + 1 < total and page.first[p + 1] == page.first[p + 2] else ""
        underlined = below[:1] in _UNDERLINES and len(below) >= _UNDERLINE and not below.strip(below[0])
        if hashes or bold or question or underlined:
            out.append(p)
    return out


def in_lists(page: Page, copy: Span, original: Span) -> bool:
    """Whether a copy and its original begin with an item of a list that goes on before or after them."""
    return all(_goes_on(page, paragraphs(page, span)) for span in (copy, original))


def _goes_on(page: Page, rows: range) -> bool:
    if not _item(page.line(rows[0])):
        return False
    before, after = rows[0] - 1, rows[-1] + 1
    while before > 0 and rows[0] - before < _WRAPS and _indented(page.line(before)) and not _item(page.line(before)):
        before -= 1  # a line that the item before is wrapped over
    return (before >= 0 and _item(page.line(before))) or (
        after < len(page.paragraphs.starts) and _item(page.line(after))
    )


def _item(line: str) -> bool:
    """Whether the line begins with a bullet, a number such as 3. or 1.2 or (c), or 3.5 alone, a day, or a bar."""
    mark = (line.split(None, 1) or [""])[0]
    day = mark.strip("()[]:").replace("/", "-").split("-")
    number = mark.strip("()[].")
    letter = len(number) == 1 and number.isalpha()
    numbered = (number.replace(".", "").isdecimal() or letter) and not mark.replace(".", "", letter).isalnum()
    dated = len(day) == 3 and all(map(str.isdecimal, day))
    return (
        mark in BULLETS or mark.startswith(("<li", "|")) or numbered or dated or mark.partition("\u3001")[0].isdecimal()
    )


def coded(page: Page, spans: "Iterable[Span]") -> bool:
    """Whether a quarter of the lines of these spans, or more, are written as code or as data."""
    counts: dict[str, int] = {}  # of lines: many may be the same
    for span in spans:
        for p in paragraphs(page, span):
            line = page.line(p).strip()
            counts[line] = counts.get(line, 0) + 1
    return 4 * sum(n for line, n in counts.items() if _code(line)) >= sum(counts.values()) > 0


def _code(line: str) -> bool:
    """Whether the line is only brackets, opens one, is carried on, ends a call, is an option, or a quoted key or value.

    So is JSON written, and calls, and commands over several lines.
    """
    if line.startswith(("{", "[")) and '":' in line:
        return True
    if line.startswith('"'):
        return line.endswith('",') or '":' in line.partition(" ")[0]
    return (
        not line.strip("()[]{}<>,;")
        or line.endswith(("{", "[", "\\", ");", "};"))
        or (line.startswith("--") and line[2:3].isalpha())
    )


def same_signs(left: str, right: str) -> bool:
    """Whether two lines of the same words have the same signs too, but for what typography changes.

    Entries of a list may say other things by signs alone: |[p| and |]p|, `diff - %t` and `diff %t -`.
    """
    return _signs(left) == _signs(right)


def _signs(line: str) -> list[str]:
    """What stands between the words of a line, but for a mark before it, white space, and what typography changes."""
    from unicodedata import normalize

    line = normalize("NFKC", line).translate(_TYPOGRAPHY).lstrip(_PREFIX)
    return [char for char, _ in groupby(char for char in line if not (char.isalnum() or char.isspace()))]


def in_rows(page: Page, spans: "Iterable[Span]") -> bool:
    """Whether most of these words stand in lines that end no sentence, or the lines are numbered."""
    rows = [p for span in spans for p in paragraphs(page, span)]
    lines = [page.line(p).rstrip(CLOSERS) for p in rows]
    sizes = [page.first[p + 1] - page.first[p] for p in rows]
    prose = sum(size for size, line in zip(sizes, lines, strict=True) if _stopped(line, size))
    numbers = sum(line.strip(" \t.()").isdecimal() for line in lines)
    return len(rows) > 1 and (2 * prose < sum(sizes) or 4 * numbers >= len(rows))


def _stopped(line: str, size: int) -> bool:
    """Whether a line of so many words ends a sentence, or with a note or a source in brackets behind one."""
    if line.endswith(_ROW_STOPS):
        return True
    behind = line[-_BEHIND:]
    return size >= _SENTENCES and any(stop + mark in behind for stop in INSIDE for mark in (" (", "(", " [", "["))


def fenced(text: str, lines: "Iterable[Span]") -> "Iterator[Span]":
    """The fenced code of Markdown: the numbers of each opening line and its closing one; `lines` are their chars."""
    if "```" not in text and "~~~" not in text:
        return
    fence, begun = "", 0
    for number, (start, end) in enumerate(lines):
        line = text[start:end].strip()
        if not fence and line.startswith(("```", "~~~")):
            fence, begun = line[: len(line) - len(line.lstrip(line[0]))], number
        elif fence and line.startswith(fence) and not line.strip(fence[0]):
            yield begun, number
            fence = ""


def fences(page: Page) -> list[Span]:
    """The fenced code of Markdown, in words."""
    lines = zip(page.paragraphs.starts, page.paragraphs.ends, strict=True)
    return [(page.first[begun], page.first[p + 1]) for begun, p in fenced(page.text, lines)]


def in_code(code: "list[Span]", spans: "Iterable[Span]") -> bool:
    """Whether any of the spans begins or ends inside fenced code: to cut it there would leave a fence open."""
    for start, end in spans:
        at = bisect_right(code, (end,)) - 1
        for a, b in code[max(0, bisect_right(code, (start,)) - 1) : at + 1]:
            if a <= start < b or a < end < b:
                return True
    return False
