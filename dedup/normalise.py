"""The match key: what makes two words the same word.

Why: a copy is seldom byte-identical. It was wrapped, curled its quotes, changed its case, or went through a wrong
encoding. Words are compared by a key that ignores all of that; the key is never shown and never written.

    "It&#8217;s  a ﬁne day"   ->   it s a fine day
    “IT’S A FINE DAY”         ->   it s a fine day

A word is a run of letters, marks and digits, NFKC and case folded. In scripts without spaces each character (with its
marks) is a word. Everything else only separates words; default-ignorable characters (soft hyphen, zero-width, bidi
marks) inside a word are passed over.
"""

import html
import re
import unicodedata
from array import array

from xxhash import xxh3_64_intdigest

from dedup.model import Words, offsets

SCHEME = "words-1"

# Han, Kana, Thai, Lao, Khmer, Burmese: written without spaces between words.
_SOLO = (
    "\u0e01-\u0e5b\u0e81-\u0edf\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_IGNORED = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
_PAD = "\u2060"
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_IS_SOLO = re.compile(rf"(?=[^\W_])[{_SOLO}]")
_DROP_IGNORED = re.compile(f"[{_IGNORED}]+")
_ENTITY = re.compile(r"&(?:amp;)*(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

# UTF-8 read as Windows-1252 (or Latin-1): a lead byte and its continuation bytes, as the characters they turned into.
# Left out are the sequences that ordinary text has too: a capital with an accent before a closing quote or a no-break
# space, a small letter with an accent before two such marks.
_TAIL = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MARKS = "[\u00a0‘’“”«»…–—]"
_NEXT = f"{_PAD}*[{_TAIL}]"
_MOJIBAKE = re.compile(
    f"[Â-ÇÎ-ß]{_NEXT}"
    f"|(?:(?<=[a-z])[È-Í]{_PAD}*(?!\u00a0)|[È-Í]{_PAD}*(?!\u00a0|[‘’“”»…]\\W))[{_TAIL}]"
    f"|[à-ï](?!\u00a0|{_MARKS}{{2}})(?:{_NEXT}){{2}}"
    f"|[ð-ô](?:{_NEXT}){{3}}"
)


def reading(text: str) -> str:
    """Return `text` with entities and mojibake read as their characters; same length, so offsets stay.

    >>> reading("caf&#233; & cafÃ©").replace("\\u2060", "")
    'café & café'
    """
    if "&" in text:
        text = _ENTITY.sub(_read_entity, text)
    return text if text.isascii() else _MOJIBAKE.sub(_read_mojibake, text)


def _read_entity(match: re.Match[str]) -> str:
    source = match.group()
    plain = html.unescape("&" + source.rpartition("&")[2].rpartition("amp;")[2])
    return plain + _PAD * (len(source) - len(plain)) if len(plain) < len(source) else source


def _read_mojibake(match: re.Match[str]) -> str:
    source = match.group()
    try:
        plain = b"".join(_byte(c) for c in source if c != _PAD).decode("utf-8")
    except UnicodeDecodeError:
        return source
    return plain + _PAD * (len(source) - len(plain))


def _byte(char: str) -> bytes:
    try:
        return char.encode("cp1252")
    except UnicodeEncodeError:
        return char.encode("latin-1")


def words(text: str) -> Words:
    """Return the words of `text`: where each starts (chars) and a 32-bit hash of its match key.

    Time linear in the text; 8 bytes of memory a word.
    """
    text = reading(text)
    starts, hashes = offsets(len(text)), array("I")
    ascii_only = text.isascii()
    pattern = _ASCII_WORD if ascii_only else _pattern(text)
    for match in pattern.finditer(text):
        starts.append(match.start())
        word = match.group()
        key = word.lower() if ascii_only else _key(word)
        hashes.append(xxh3_64_intdigest(key.encode("utf-8", "surrogatepass")) & 0xFFFFFFFF)
    return Words(text, pattern, starts, hashes)


def keys(text: str) -> list[str]:
    """Return the match keys of the words of `text`, in order.

    >>> keys("“It’s NAÏVE,” 北京")
    ['it', 's', 'naïve', '北', '京']
    """
    text = reading(text)
    return [_key(m) for m in _pattern(text).findall(text)]


def solo_share(text: str) -> int:
    """Return how many words of `text` are characters of scripts without spaces."""
    return 0 if text.isascii() else sum(1 for _ in _IS_SOLO.finditer(text))


def _pattern(text: str) -> re.Pattern[str]:
    """The word pattern for the characters that `text` has: only these are looked up in the Unicode tables."""
    marks = "".join(sorted(c for c in set(text) if c > "\u02ff" and unicodedata.category(c)[0] == "M"))
    inner = f"[{re.escape(marks)}{_IGNORED}]"
    if not _IS_SOLO.search(text):
        return re.compile(rf"[^\W_](?:[^\W_]|{inner})*")
    return re.compile(rf"(?=[^\W_])[{_SOLO}]{inner}*|(?:(?![{_SOLO}])[^\W_])(?:(?![{_SOLO}])[^\W_]|{inner})*")


def _key(word: str) -> str:
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _DROP_IGNORED.sub("", word)).casefold())


