"""The fixers of lines: how they end, the white space around them, and prose that was broken at a column.

Why: a column, a template or two systems set them, not the author.

    "a repatri-\\r\\nation \\nof"   ->   newlines, whitespace, hyphenation   ->   "a repatriation\\r\\nof"
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from unicodedata import category

from dedup.fixers.edit import Edit, apart
from dedup.fixers.line import LINE_END, Line, lines


def newlines(text: str) -> list[Edit]:
    """End all lines of a text alike: as most of them end, as the first of them does in a tie.

    >>> newlines("a\\r\\nb\\nc\\r\\n")
    [Edit(start=4, end=5, put='\\r\\n')]
    """
    if "\r" not in text:
        return []
    [(most, _), *_] = Counter(match.group() for match in re.finditer(LINE_END, text)).most_common()
    return apart(text, [Edit(*match.span(), most) for match in re.finditer(LINE_END, text) if match.group() != most])


_ODD = "\u00a0\u2000-\u200a\u202f\u205f"
_SPACES = " \t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_HARD = re.compile(rf"(?<=[^\s\ud800-\udfff])[ \t]*+[{_ODD}][ \t{_ODD}]*+(?=[^\s\ud800-\udfff])")


def whitespace(text: str) -> list[Edit]:
    """Remove white space at line ends, blank lines after a blank line, and odd spaces between two plain words.

    A no-break space (or one of another width) is what an editor or a template left where it stands beside another
    space, or between two words of two letters or more. It stays where typographers set it: in numbers, before a unit
    or French punctuation, after initials, abbreviations and words of one letter. Indents stay.

    Not in `SAFE`: Markdown breaks a line by two spaces at its end, and verse may be spaced by blank lines.

    >>> whitespace("A short\\xa0word \\n\\n\\nof 10\\xa0km")
    [Edit(start=7, end=8, put=' '), Edit(start=12, end=13, put=''), Edit(start=15, end=16, put='')]
    """
    found: list[Edit] = []
    blank = False
    for start, stop, end in lines(text):
        bare = start + len(text[start:stop].rstrip(_SPACES))
        was_blank, blank = blank, bare == start
        if blank and was_blank:
            found.append(Edit(start, end, ""))
        elif bare < stop and not (blank and start and text[start - 1] == "\r" and text[stop:end] == "\n"):
            found.append(Edit(bare, stop, ""))  # but never so that CR and LF, of two lines, become one end
    for match in _HARD.finditer(text):
        start, end = match.span()
        words = text[max(start - 3, 0) : start].rstrip(",;")[-2:] + text[end : end + 2]
        if end - start > 1 or (len(words) == 4 and all(category(c)[0] in "LM" for c in words)):
            found.append(Edit(start, end, " "))
    return apart(text, sorted(found))


_HYPHENS = r"\-\u2010\xad"
_BROKEN = re.compile(
    rf"(?<![\w/.@{_HYPHENS}])([^\W\d_]{{2,}}+)([{_HYPHENS}][ \t]*+(?:{LINE_END})[ \t]*+)([^\W\d_]{{2,}}+)"
    rf"[^\w\s{_HYPHENS}/@]*+(?P<gap>[ \t]*+)(?=[\r\n]|(?P<more>\S)|\Z)"
)
_COMPOUND = re.compile(r"(?<![^\W\d_])[^\W\d_]+[-\u2010][^\W\d_]+")
# Second halves that are words in no language that breaks words so: the hyphen before them joins no compound.
_TAIL = re.compile(
    "tions?|tional|sions?|ations?|ational|itions?|ings?|ments?|ness|nesses|ly|ity|ities|ances?|ences?"
    "|ungen|keit|keiten|lich|lich[ers]|lichen|schaften|ción|ciones|sión|siones|zion[ei]|ção|ções"
)


def hyphenation(text: str) -> list[Edit]:
    """Join a word that was broken at a line end; the line then ends after the word.

    A hyphen at a line end may as well be the one of a compound, so there must be evidence: the word stands unbroken
    elsewhere in the text, or its second half is a mere suffix (-tion, -ment, -keit), or the hyphen is a soft one. The
    second half is in lower case; the compound stands nowhere in the text.

    >>> hyphenation("the repatri-\\nation of")
    [Edit(start=11, end=13, put=''), Edit(start=18, end=19, put='\\n')]
    """
    broken = [m for m in _BROKEN.finditer(text) if m[3].islower() and (m[1].islower() or m[1].istitle())]
    if not broken:
        return []
    compounds = {m.group().lower().replace("\u2010", "-") for m in _COMPOUND.finditer(text)}
    broken = [m for m in broken if f"{m[1]}-{m[3]}".lower() not in compounds and (m["gap"] or not m["more"])]
    sure = {_joined(m) for m in broken if _TAIL.fullmatch(m[3]) or m[2][0] == "\xad"}
    wanted = {_joined(m) for m in broken}
    known = sure | {word for m in re.finditer(r"[^\W\d_]+", text) if (word := m.group().lower()) in wanted}
    found = []
    for match in broken:
        if _joined(match) in known:
            found.append(Edit(*match.span(2), ""))
            if match["more"]:
                found.append(Edit(*match.span("gap"), match[2][1:].strip(" \t")))
    return apart(text, found)


def _joined(match: re.Match[str]) -> str:
    return (match[1] + match[3]).lower()


_NARROWEST, _WIDEST = 50, 120  # characters: verse is narrower, whole paragraphs are wider
_FEWEST = 3  # lines of a paragraph that show its column
_SHAPED = re.compile(r"[-*+•·–—>|#=~]|\(?\w{1,3}[.)]\s|.*(?:[{};\\|]$|\S {2,}\S|\t)")


def wraps(text: str) -> list[Edit]:
    """Join the lines of prose that was wrapped at a column; a blank line or an indent still ends a paragraph.

    A paragraph was wrapped if no line of it, 50 to 120 characters wide, had room for the first word of the next, and
    most of the next lines go on in lower case. Verse, lists, tables, code and addresses do not look so, and neither do
    scripts without case, which are left alone.

    >>> wraps("It was the last of the geese that flew over the town\\nbefore the frost, and the only one to land\\n")
    []
    """
    found: list[Edit] = []
    for block in _blocks(text):
        if _is_wrapped([text[line.start : line.stop] for line in block]):
            for line, after in pairwise(block):
                close = re.search(r"(?:[^\W\d_][-\u2010]|[\xad—])\Z", text[line.start : line.stop][-2:])
                found.append(Edit(line.stop, after.start, "" if close else " "))
    return apart(text, found)


def _blocks(text: str) -> Iterator[list[Line]]:
    """The stretches of lines between blank lines and indents; a line stops at the spaces at its end."""
    block: list[Line] = []
    for start, stop, end in lines(text):
        content = text[start:stop].rstrip(_SPACES)
        if not content or content[0].isspace():
            yield block
            block = []
        if content.strip():
            block.append(Line(start, start + len(content), end))
    yield block


def _is_wrapped(block: list[str]) -> bool:
    width = max(map(len, block), default=0)
    if len(block) < _FEWEST or not _NARROWEST <= width <= _WIDEST or any(map(_SHAPED.match, block)):
        return False
    full = all(len(line) + 1 + len(after.split(None, 1)[0]) > width for line, after in pairwise(block))
    return full and sum(line[0].islower() for line in block[1:]) * 2 > len(block) - 1
