"""The fixers: damage that has nothing to do with copies, mended only when `--fix` names it.

Why: a scrape is not only doubled. It was read in a wrong encoding, escaped twice, broken at a column, or has the
furniture of its page in it. Each fixer finds one kind of damage and returns edits; who calls it applies them, records
them for the undo, and asks again until nothing is left to mend.

    "It’s a cafÃ©\\n"   ->   Edit(10, 12, "é")   ->   "It's a café\\n"

`SAFE` is the fixers that a person would let run unseen over text that may be right: on 1,443 right texts they touched
only what was damaged. Lone surrogates stand for bytes that did not decode: no fixer touches them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from html.entities import html5
from itertools import compress, pairwise
from pathlib import Path
from typing import NamedTuple
from unicodedata import category, combining, is_normalized, normalize

from dedup.errors import InputError, UsageError

Phrases = Mapping[str, Sequence[str]]


class Edit(NamedTuple):
    """Characters `start` to `end` of a text become `put`."""

    start: int
    end: int
    put: str


class Line(NamedTuple):
    """A line: characters `start` to `stop`, and its line end up to `end`."""

    start: int
    stop: int
    end: int


Fixer = Callable[[str], list[Edit]]

_LINE_END = r"\r\n|\r|\n"
_LINE = re.compile(rf"([^\r\n]*)({_LINE_END}|\Z)")
_SURROGATE = re.compile("([\ud800-\udfff]+)")

# ---------------------------------------------------------------- encoding

_CODECS = ("latin-1", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859-2", "mac-roman", "cp437")
_WIDE = re.compile("[\u3000\uff01-\uffef]")


def mojibake(text: str) -> list[Edit]:
    """Mend text that was UTF-8 and was read as something else, as ftfy does (R. Speer, 2019).

    Only a line in which ftfy finds a broken encoding is touched; such a line becomes what `ftfy.fix_text` makes of it,
    straight quotes included. Full-width characters that stood in it before stay, and so do entities, unless an entity
    is a part of the broken character. U+0085 is a line end to some, so alone it proves nothing.

    >>> mojibake("It’s so.\\nA cafÃ©")
    [Edit(start=14, end=16, put='é')]
    """
    if text.isascii():
        return []
    found: list[Edit] = []
    done = 0
    for match in _suspect().finditer(text):
        if match.start() < done:
            continue
        start = max(text.rfind("\n", done, match.start()), text.rfind("\r", done, match.start())) + 1
        line = _LINE.match(text, start)
        done = line.end(1) if line else len(text)
        for piece in _SURROGATE.split(text[start:done]):
            found += _differences(start, piece, _decoded(piece))
            start += len(piece)
    return _apart(text, found)


@cache
def _suspect() -> re.Pattern[str]:
    """What a broken encoding may show: the first byte of a UTF-8 character and one that goes on, in any codec; C1.

    Quotes and dashes, and the marks that follow small letters in Greek and Cyrillic, are left out: most lines would be
    suspect for them, and a broken line has others too.
    """
    first, more = (
        {c for codec in _CODECS for c in data.decode(codec, "ignore") if c > "\x7f"}
        for data in (bytes([0xC0, *range(0xC2, 0xF5)]), bytes(range(0x80, 0xC0)))
    )
    first -= set("‘’“”«»–—…")
    small = {c for c in first if "\u0370" <= c <= "\u04ff" and c.islower()}
    odd = {c for c in more if c in "Ђ€" or not (c.isalpha() or c in "\xa0\xad·´‘’“”«»–—…„№")}
    lead, marks, letters, any_more = ("".join(sorted(chars)) for chars in (first, odd, small, more))
    return re.compile(
        f"[{lead}\x80-\x84\x86-\x9f](?:(?<=[\x80-\x9f])|(?<![{letters}])[{any_more}&\ufffd]|[{marks}]|(?<=[ÃÂ])[ ?])"
    )


def _decoded(piece: str) -> str:
    """What ftfy makes of a line; the line itself where its encoding is sound."""
    try:
        from ftfy import fix_encoding, fix_text
    except ImportError:
        raise InputError("--fix mojibake: needs ftfy: pip install ftfy, or leave mojibake out of the list") from None
    unescape = False
    fixed = fix_encoding(piece)
    if fixed == piece and (unescape := bool(re.search("[Â-ô]&[#0-9A-Za-z]{2,9};", piece))):
        plain = apply(piece, [_trimmed(start, run, read) for start, run, read in _readings(piece)])
        fixed = piece if fix_encoding(plain) == plain else plain
    if fixed.replace("\x85", "…") == piece.replace("\x85", "…"):
        return piece
    answer: str = fix_text(
        piece, unescape_html=unescape, fix_line_breaks=False, fix_character_width=not _WIDE.search(piece)
    )
    return piece if re.search("[\r\n\ud800-\udfff]", answer) else answer


# ---------------------------------------------------------------- entities

_TAG = re.compile(r"<[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>|</[A-Za-z]|<!--|<![A-Z]|<\?[a-z]")
_MENTION = re.compile(r"[`'\"‘“«„]&[#0-9A-Za-z]{2,31};[`'\"’”»“]")
_AMP = "(?:amp|AMP|#0{0,5}38|#[xX]0{0,4}26);"
_RUN = re.compile(r"&[#0-9A-Za-z]{2,31};[&#;0-9A-Za-z]*+")
_ENTITY = re.compile(rf"&({_AMP})*+(#[0-9]{{1,7}}|#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}})?+(;?)")
_DEPTH = 3  # how often one text is escaped over another at most


def entities(text: str) -> list[Edit]:
    """Read HTML entities that were left in plain text, also where they were escaped more than once.

    Not in a text that is HTML, would become HTML, or writes about it (an entity in quotes): there they are right. An
    entity that is a control character, or none at all, stays.

    >>> entities("R&amp;amp;D isn&#8217;t")
    [Edit(start=2, end=10, put=''), Edit(start=15, end=22, put='’')]
    """
    if "&" not in text or _TAG.search(text) or _MENTION.search(text):
        return []
    found = _apart(text, [_trimmed(start, run, read) for start, run, read in _readings(text)])
    return [] if _TAG.search(apply(text, found)) else found


def _readings(text: str) -> Iterator[tuple[int, str, str]]:
    """The runs of ASCII letters and entities that have one: where each starts, and how it reads."""
    at = 0
    for match in _RUN.finditer(text):
        start, end = match.span()
        while start > at and (text[start - 1] in "&#;" or (text[start - 1].isascii() and text[start - 1].isalnum())):
            start -= 1
        at = end
        yield start, text[start:end], _unescaped(text[start:end])


def _unescaped(run: str) -> str:
    """A run of entities and ASCII letters, read until nothing changes; a run that is escaped too deeply stays."""
    read = run
    for _ in range(_DEPTH):
        before, read = read, _ENTITY.sub(_character, read)
        if before == read:
            return read
    return read if _ENTITY.sub(_character, read) == read else run


def _character(match: re.Match[str]) -> str:
    name = match[2]
    char = ""
    if name and match[3] and name[0] != "#":
        char = html5.get(name + ";", "")
    elif name and match[3]:
        number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        if 0x80 <= number < 0xA0:  # what browsers do: the number is one of Windows-1252
            char = bytes([number]).decode("cp1252", "ignore")
        else:
            char = chr(number) if number < 0x110000 else ""
    if char and not any(category(c) in ("Cc", "Cs", "Cn") for c in char):
        return char
    return "&" + (name or "") + match[3] if match[1] else match.group()


# ---------------------------------------------------------------- characters

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NOTHING = f"\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\xad\u180e\u200b-\u200d\u2060\u206a-\u206f\ufeff{_BIDI}"
_UNSEEN = re.compile(f"[{_NOTHING}\x1b]")
_INVISIBLE = re.compile(
    r"(?P<escape>\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x00-\x1f\ud800-\udfff]*+(?:\x07|\x1b\\)|))"
    rf"|(?P<struck>(?<=_)\x08(?=[^\s\x00-\x1f])|(?<=([^\s\ud800-\udfff]))\x08(?=\3))|(?P<run>[{_NOTHING}]+)"
)
_TURNS = re.compile("[\u0590-\u08ff\u202d\u202e\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
# Scripts in which a joiner does nothing: Latin, Greek, Cyrillic, Kana, Han, Hangul; and punctuation of all of them.
_PLAIN = re.compile("[\x00-\u052f\u1e00-\u1fff\u2000-\u206f\u20a0-\u20cf\u3000-\u9fff\uac00-\ud7a3\uff00-\uffef]?")
# Scripts that mark the bounds of words by a zero-width space, if at all: Thai to Tibetan, Burmese, Khmer, Tai Tham, ...
_UNSPACED = re.compile("[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u1aaf\u1b00-\u1b7f\ua980-\uaaff]")


def invisible(text: str) -> list[Edit]:
    """Remove characters that nobody sees: control characters, escape sequences, zero-width and directional marks.

    Joiners stay beside emoji and in scripts that they shape, zero-width spaces between words of scripts without
    spaces, directional marks in text that has right-to-left letters or turns the order around, soft hyphens that break
    a word at a line end. A separator between words becomes a space; a character that was struck over is struck once.
    C1 controls stay: each is a letter or a quote that was read wrong, so only `mojibake` may answer for it.

    >>> invisible("\\x1b[1mco\\u00adop\\u200b")
    [Edit(start=0, end=4, put=''), Edit(start=6, end=7, put=''), Edit(start=9, end=10, put='')]
    """
    found: list[Edit] = []
    turns: bool | None = None
    end = 0
    while (seen := _UNSEEN.search(text, end)) and (match := _INVISIBLE.match(text, seen.start())):
        done, (start, end) = end, match.span()
        run, before, after = match["run"], text[max(start - 1, 0) : start], text[end : end + 1]
        if run is None:
            found.append(Edit(max(start - 1, done) if match["struck"] else start, end, ""))
            continue
        if turns is None:
            turns = bool(_TURNS.search(text))
        goes = [not _does_something(c, before, after, turns) for c in run]
        apart = all(goes) and before.strip() and after.strip() and re.search(r"[\x0b\x1c-\x1f]", run)
        found += (
            [Edit(start, end, " ")] if apart else [Edit(start + i, start + i + 1, "") for i, g in enumerate(goes) if g]
        )
    return _apart(text, found)


def _does_something(char: str, before: str, after: str, turns: bool) -> bool:
    """Whether an invisible character is right between these two visible ones; "" is an end of the text."""
    if char == "\xad":
        return before.isalpha() and after in ("\n", "\r")
    if char in "\u200c\u200d":
        return not (_PLAIN.fullmatch(before) and _PLAIN.fullmatch(after))
    if char == "\u200b":
        return bool(_UNSPACED.match(before) or _UNSPACED.match(after))
    if char == "\u180e":
        return "\u1800" <= before <= "\u18af"
    return turns and bool(re.match(f"[{_BIDI}]", char))


def nfc(text: str) -> list[Edit]:
    """Write each letter and its marks in the composed form of Unicode (NFC), which most programs compare by.

    Not in `SAFE`: the two forms mean the same, so that neither is damage, and a Han ideograph of compatibility, of
    which Unicode says the same, is to some readers another glyph.

    >>> nfc("cafe\\u0301")
    [Edit(start=3, end=5, put='é')]
    """
    if is_normalized("NFC", text):
        return []
    marks = "".join(sorted(c for c in set(text) if _follows(c)))
    inner = f"[{re.escape(marks)}]" if marks else r"(?!)"
    found = []
    for match in re.finditer(rf"[^\x00-\x7f]{inner}*|[\x00-\x7f]{inner}+", text):
        composed = normalize("NFC", match.group())
        if composed != match.group():
            found.append(Edit(*match.span(), composed))
    return _apart(text, found)


def _follows(char: str) -> bool:
    """Whether a character may be composed with the one before it: a mark, or a vowel or final of Hangul."""
    return char > "\u02ff" and (category(char)[0] == "M" or combining(char) > 0 or "\u1160" <= char <= "\u11ff")


# ---------------------------------------------------------------- lines


def newlines(text: str) -> list[Edit]:
    """End all lines of a text alike: as most of them end, as the first of them does in a tie.

    >>> newlines("a\\r\\nb\\nc\\r\\n")
    [Edit(start=4, end=5, put='\\r\\n')]
    """
    if "\r" not in text:
        return []
    double, single = text.count("\r\n"), text.count("\n")
    counts = {"\r\n": double, "\n": single - double, "\r": text.count("\r") - double}
    if sum(map(bool, counts.values())) < 2:
        return []
    most = max(counts, key=lambda end: (counts[end], -_first(text, end)))
    other = [end for end in ("\r\n", "\n", "\r") if end != most]
    return _apart(text, [Edit(*m.span(), most) for m in re.finditer(_LINE_END, text) if m.group() in other])


def _first(text: str, end: str) -> int:
    match = re.search({"\n": r"(?<!\r)\n", "\r": r"\r(?!\n)"}.get(end, end), text)
    return match.start() if match else len(text)


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
    for start, stop, end in _lines(text):
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
    return _apart(text, sorted(found))


_HYPHENS = r"\-\u2010\xad"
_BROKEN = re.compile(
    rf"(?<![\w/.@{_HYPHENS}])([^\W\d_]{{2,}}+)([{_HYPHENS}][ \t]*+(?:{_LINE_END})[ \t]*+)([^\W\d_]{{2,}}+)"
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
    return _apart(text, found)


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
        if _is_wrapped([text[line.start : line.stop].rstrip(_SPACES) for line in block]):
            for line, after in pairwise(block):
                stop = line.start + len(text[line.start : line.stop].rstrip(_SPACES))
                close = re.search(r"[^\W\d_][-\u2010]$|[\xad—]$", text[max(stop - 2, line.start) : stop])
                found.append(Edit(stop, after.start, "" if close else " "))
    return _apart(text, found)


def _blocks(text: str) -> Iterator[list[Line]]:
    """The stretches of lines between blank lines and indents."""
    block: list[Line] = []
    for line in _lines(text):
        if line.start == line.stop or text[line.start].isspace():
            yield block
            block = []
        if text[line.start : line.stop].strip():
            block.append(line)
    yield block


def _is_wrapped(lines: list[str]) -> bool:
    if len(lines) < _FEWEST or not _NARROWEST <= max(map(len, lines)) <= _WIDEST or any(map(_SHAPED.match, lines)):
        return False
    width = max(map(len, lines))
    full = all(len(line) + 1 + len(after.split(None, 1)[0]) > width for line, after in pairwise(lines))
    return full and sum(line[0].islower() for line in lines[1:]) * 2 > len(lines) - 1


# ---------------------------------------------------------------- furniture

_LONGEST = 80  # characters of a line that may be furniture
_ELLIPSIS = re.compile(r"\[(?:…|\.{3})\]|…|\.{3}")
_ELISION = re.compile(r"(?:\s*+\[(?:…|\.{3})\])++\s*+\Z")


def stubs(text: str, lists: Phrases | None = None) -> list[Edit]:
    """Remove what says that a text goes on elsewhere: "Read more", in the languages of the list.

    As a line of its own, or after an ellipsis at the end of a line; "[…]" also at the very end of the text, since it
    is an editor's mark elsewhere.

    >>> stubs("They left the town… Read more »")
    [Edit(start=19, end=31, put='')]
    """
    keys = _keys(lists)[1]
    found: list[Edit] = []
    last = True
    for start, stop, end in reversed(list(_lines(text))):
        content = text[start:stop]
        if content and not content.isspace():
            size = _without_stub(content, keys, last)
            last &= not size
            if size < len(content):
                found.append(Edit(start + size, stop if size else end, ""))
    return _apart(text, found[::-1])


def _without_stub(content: str, keys: frozenset[str], last: bool) -> int:
    """How many characters of a line stay."""
    size = len(content)
    while True:
        start = max(size - _LONGEST, 0)
        if start == 0 and _named(content[:size], keys):
            return 0
        tails = [m.end() for m in _ELLIPSIS.finditer(content, start, size) if _calls(content[m.end() : size], keys)]
        elision = _ELISION.search(content[start:size]) if last else None
        if not tails and not elision:
            return size
        size = tails[-1] if tails else start + elision.start() if elision else size


def _calls(tail: str, keys: frozenset[str]) -> bool:
    """Whether what follows an ellipsis is a stub: a sentence that goes on does so in lower case, without an arrow."""
    letters = re.search(r"[^\W\d_]", tail)
    goes_on = letters is not None and letters[0].islower() and tail.rstrip()[-1] not in "»›>→])"
    return not goes_on and _named(tail, keys)


def furniture(text: str, lists: Phrases | None = None) -> list[Edit]:
    """Remove lines that belong to the page and not to the text: share bars, cookie notes, labels of adverts.

    Only a whole line that stands in the list goes; case, width, spaces and the punctuation around it do not count.

    >>> furniture("One.\\n* ADVERTISEMENT *\\nTwo.\\n")
    [Edit(start=5, end=23, put='')]
    """
    keys = _keys(lists)[0]
    return _apart(
        text,
        [
            Edit(line.start, line.end, "")
            for line in _lines(text)
            if 0 < line.stop - line.start <= _LONGEST and _named(text[line.start : line.stop], keys)
        ],
    )


def phrases(path: str | None) -> Phrases:
    """Return the list of furniture by language: that in the TOML file `path`, or the one that comes with this package.

    A phrase that ends in an ellipsis is one of `stubs`, any other of `furniture`; # stands for a number. Raises
    InputError, naming the file and the place in it.
    """
    import tomllib

    file = Path(path) if path is not None else Path(__file__).with_name("furniture.toml")
    name = str(file).encode("utf-8", "backslashreplace").decode("utf-8")
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}; give a TOML file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f'{name}: not TOML: {error}; write one list a language: en = ["Advertisement"]') from None
    for language, entries in table.items():
        if not isinstance(entries, list):
            raise InputError(f'{name}: {language} is not a list; write {language} = ["Advertisement", "Read more …"]')
        for number, entry in enumerate(entries, 1):
            if not isinstance(entry, str) or not _key(entry).strip("()[]# "):
                raise InputError(f"{name}: {language}, entry {number}: {entry!r} is no phrase; write words in quotes")
    return table


@cache
def _packaged() -> Phrases:
    return phrases(None)


def _keys(lists: Phrases | None) -> tuple[frozenset[str], frozenset[str]]:
    """The keys of furniture, and those of stubs."""
    return _folded(tuple(entry for listed in (lists or _packaged()).values() for entry in listed))


@lru_cache(maxsize=4)  # as many lists as a run has, and more
def _folded(entries: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    more = [entry.endswith(("…", "...")) for entry in entries]
    keys = [_key(entry) for entry in entries]
    return frozenset(k for k, m in zip(keys, more, strict=True) if not m), frozenset(compress(keys, more))


def _named(line: str, keys: frozenset[str]) -> bool:
    key = _key(line)
    key = key if key in keys else key.strip("()[] ")
    return key in keys and not ("#" in key and line.rstrip().endswith("."))  # a figure may end a sentence


def _key(line: str) -> str:
    """A line as it is compared: folded, numbers as #, without the punctuation around it, brackets excepted."""
    key = re.sub(r"\d+(?:[.,]\d+)*", "#", " ".join(normalize("NFKC", line).casefold().split()))
    start, stop = 0, len(key)
    while start < stop and not _counts(key[start]):
        start += 1
    while start < stop and not _counts(key[stop - 1]):
        stop -= 1
    return key[start:stop]


def _counts(char: str) -> bool:
    return char in "()[]#" or category(char)[0] in "LMN" or category(char) == "Cs"


# ---------------------------------------------------------------- all of them

# In order of application: what mends characters, then what mends lines, then what removes some.
FIXERS: dict[str, Fixer] = {
    "mojibake": mojibake,
    "entities": entities,
    "invisible": invisible,
    "nfc": nfc,
    "newlines": newlines,
    "whitespace": whitespace,
    "hyphenation": hyphenation,
    "wraps": wraps,
    "stubs": stubs,
    "furniture": furniture,
}
_LISTED = {"stubs": stubs, "furniture": furniture}
SAFE: tuple[str, ...] = ("mojibake", "invisible")
_REASONS = {
    "mojibake": "text was read in a wrong encoding; read again in the right one",
    "entities": "HTML entities were left in plain text; read as their characters",
    "invisible": "characters that nobody sees; removed",
    "nfc": "letters and their marks were written apart; composed (NFC)",
    "newlines": "lines ended in different ways; all end as most of them",
    "whitespace": "white space that separates nothing, or of an odd kind; removed, or made a space",
    "hyphenation": "a word was broken at a line end; joined",
    "wraps": "prose was wrapped at a column; joined to paragraphs",
    "stubs": "a note that the text goes on elsewhere; removed",
    "furniture": "a line of the page, not of the text; removed",
}


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """Return the fixers of these names, once each, in order of application; "safe" stands for `SAFE`.

    Raises UsageError for a name that there is not.

    >>> chosen(["whitespace", "safe"])
    ('mojibake', 'invisible', 'whitespace')
    """
    wanted: set[str] = set()
    for name in names:
        if name != "safe" and name not in FIXERS:
            raise UsageError(f"there is no fixer {name!r}: there is safe ({', '.join(SAFE)}), {', '.join(FIXERS)}")
        wanted |= set(SAFE) if name == "safe" else {name}
    return tuple(name for name in FIXERS if name in wanted)


def edits(text: str, name: str, furniture: Phrases | None = None) -> list[Edit]:
    """Return what the fixer `name` mends in `text` (characters): edits ascending and apart, each changes something.

    `furniture` is the list of `phrases` for the fixers that need one; None: that of this package.
    """
    return _LISTED[name](text, furniture) if name in _LISTED else FIXERS[name](text)


def apply(text: str, found: Iterable[Edit]) -> str:
    """Return `text` with these edits, ascending and apart, made."""
    parts: list[str] = []
    at = 0
    for start, end, put in found:
        parts += text[at:start], put
        at = end
    return "".join([*parts, text[at:]])


def reason(name: str) -> str:
    """Return what the fixer `name` found wrong and did, for reports."""
    return _REASONS[name]


def _lines(text: str) -> Iterator[Line]:
    for match in _LINE.finditer(text):
        if match.start() < len(text):
            yield Line(match.start(), match.end(1), match.end())


def _differences(at: int, old: str, new: str) -> list[Edit]:
    """The edits that make `new` of `old`, which stands at `at`: word by word, where they have as many words."""
    if old == new:
        return []
    left, right = old.split(" "), new.split(" ")
    if len(left) != len(right):
        return [_trimmed(at, old, new)]
    found = []
    for word, other in zip(left, right, strict=True):
        if word != other:
            found.append(_trimmed(at, word, other))
        at += len(word) + 1
    return found


def _trimmed(at: int, old: str, new: str) -> Edit:
    """The edit that makes `new` of `old`, which stands at `at`, without what both begin and end with."""
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    return Edit(at + head, at + len(old) - tail, new[head : len(new) - tail])


def _shared(left: str, right: str) -> int:
    """How many characters both begin with."""
    least = min(len(left), len(right))
    return next((i for i in range(least) if left[i] != right[i]), least)


def _apart(text: str, found: Iterable[Edit]) -> list[Edit]:
    """Ascending edits, those that touch made one, those that change nothing left out."""
    apart: list[tuple[int, int, list[str]]] = []
    for start, end, put in found:
        if apart and start <= apart[-1][1]:
            apart[-1][2].append(put)
            apart[-1] = (apart[-1][0], end, apart[-1][2])
        elif put != text[start:end]:
            apart.append((start, end, [put]))
    return [Edit(start, end, put) for start, end, puts in apart if (put := "".join(puts)) != text[start:end]]
