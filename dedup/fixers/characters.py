"""The fixers of single characters: read wrong, escaped, unseen, or written apart.

Why: the words are right, and a reader of bytes sees others.

    "The cafÃ© isn&#8217;t\\u200b open"   ->   mojibake, entities, invisible   ->   "The café isn’t open"
"""

import re
from collections.abc import Iterator
from functools import cache
from html.entities import html5
from itertools import compress
from unicodedata import category, combining, is_normalized, normalize

from dedup.fixers.edit import Edit, apart, apply, differences, trimmed
from dedup.fixers.line import lines

# ---------------------------------------------------------------- mojibake

_CODECS = ("latin-1", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859-2", "mac-roman", "cp437")
_WIDE = re.compile("[\u3000\uff01-\uffef]")
_HALF = re.compile("[Â-ô]&[#0-9A-Za-z]{2,9};")  # of a broken character, that may go on as an entity
_SURROGATES = re.compile("([\ud800-\udfff]+)")


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
    suspect = _suspect()
    for at, stop, _ in lines(text):
        if suspect.search(text, at, stop):
            for piece in _SURROGATES.split(text[at:stop]):
                found += differences(at, piece, _decoded(piece))
                at += len(piece)
    return apart(text, found)


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
    from ftfy import fix_encoding, fix_text

    unescape = bool(_HALF.search(piece)) and fix_encoding(piece) == piece
    plain = apply(piece, _read(piece)) if unescape else piece
    if fix_encoding(plain).replace("\x85", "…") == plain.replace("\x85", "…"):
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

    Not in `SAFE`: nothing tells "Write &amp; for it" from damage, nor Markdown, a URL or the `&pi;` of a C program.

    >>> entities("R&amp;amp;D isn&#8217;t")
    [Edit(start=2, end=10, put=''), Edit(start=15, end=22, put='’')]
    """
    if "&" not in text or _TAG.search(text) or _MENTION.search(text):
        return []
    found = apart(text, _read(text))
    return [] if _TAG.search(apply(text, found)) else found


def _read(text: str) -> Iterator[Edit]:
    """The edits that read the entities of each run of ASCII letters and entities."""
    at = 0
    for match in _RUN.finditer(text):
        start, end = match.span()
        while start > at and (text[start - 1] in "&#;" or (text[start - 1].isascii() and text[start - 1].isalnum())):
            start -= 1
        at = end
        yield trimmed(start, text[start:end], _unescaped(text[start:end]))


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


# ---------------------------------------------------------------- invisible

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
        if all(goes) and before.strip() and after.strip() and re.search(r"[\x0b\x1c-\x1f]", run):
            found.append(Edit(start, end, " "))
        else:
            found += [Edit(at, at + 1, "") for at in compress(range(start, end), goes)]
    return apart(text, found)


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


# ---------------------------------------------------------------- nfc


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
    return apart(text, found)


def _follows(char: str) -> bool:
    """Whether a character may be composed with the one before it: a mark, or a vowel or final of Hangul."""
    return char > "\u02ff" and (category(char)[0] == "M" or combining(char) > 0 or "\u1160" <= char <= "\u11ff")
