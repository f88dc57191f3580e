"""The match key: what makes two words the same word.

Why: a copy is seldom byte-identical. It was wrapped, curled its quotes, changed its case, or went through a wrong
encoding. Words are compared by a key that ignores all of that; the key is never shown and never written.

    It&#8217;s  a ﬁne day   ->   it s a fine day
    “IT’S A FINE DAY”       ->   it s a fine day

A word is a run of letters, marks and digits, NFKC and case folded. In scripts without spaces each character (with its
marks) is a word. Everything else only separates words; default-ignorable characters (soft hyphen, zero-width, bidi
marks) inside a word are passed over.

What only some text needs is imported where it needs it: ASCII text needs neither `re` nor the Unicode tables, and `re`
alone is half of the start-up that the bare filter may cost.
"""

from itertools import accumulate, compress, count, islice

from xxhash import xxh3_64_digest

from dedup.model import Words, integers
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

SCHEME = "words-1"

# Latin-1: ASCII letters lower-cased, other letters and digits kept, all else a space.
_LATIN = bytes(c + 32 if 65 <= c <= 90 else c if chr(c).isalnum() else 32 for c in range(256))
_ASCII = _LATIN[:128].decode("ascii")
_BATCH = 1 << 18  # characters tokenised at once: a list of all words of a large text would not fit
_SOME = 1 << 12  # words
_RUN = 16  # words that are looked for at once: in a longer run that stands twice so many do too
_REMEMBERED = 1 << 16  # words of which the hash is remembered
_PAD, _GAP = "\u2060", "\x1f"  # they fill what was read as fewer characters: in a word, and behind what is none
# Han, Kana, Thai, Lao, Khmer, Burmese: written without spaces between words.
SOLO = (
    "\u0e01-\u0e5b\u0e81-\u0edf\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# Default-ignorable: soft hyphen, joiners, zero-width and bidi marks, variation selectors.
IGNORED = "\u00ad\u034f\u061c\u180e\ufeff" + "".join(
    map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), *range(0xFE00, 0xFE10)])
)
_IGNORE = dict.fromkeys(map(ord, IGNORED))
_ENTITY = r"&(?:amp;)*(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"

# UTF-8 read as Windows-1252 (or Latin-1): a lead byte and its continuation bytes, as the characters they turned into.
# Left out are the sequences that ordinary text has too: a capital with an accent before a closing quote or a no-break
# space or another capital, a small letter with an accent before two such marks.
_CAPITALS = "ŠŒŽŸ"
_TAIL = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™š›œž"
_MARKS = "[\u00a0‘’“”«»…–—]"
_FILL = f"[{_PAD}{_GAP}]"
_NEXT = f"{_FILL}*[{_TAIL}{_CAPITALS}]"
_MOJIBAKE = (
    f"(?=[Â-ô])(?:[Â-ÇÎ-ß]{_FILL}*[{_TAIL}]|(?<![A-Z])[Â-ß]{_FILL}*[{_CAPITALS}](?![A-Z])"
    f"|(?:(?<=[a-z])[È-Í]{_FILL}*(?!\u00a0)|[È-Í]{_FILL}*(?!\u00a0|[‘’“”»…]\\W))[{_TAIL}]"
    f"|[à-ï](?!\u00a0|{_MARKS}{{2}})(?:{_NEXT}){{2}}"
    f"|[ð-ô](?:{_NEXT}){{3}}){_GAP}*"
)
_PERHAPS = f"[Â-ô][{_PAD}{_GAP}{_TAIL}{_CAPITALS}]"  # how each of them begins


class _Digests(dict[str, bytes]):
    """Word to 32-bit hash of its match key, as bytes; remembers the words it has room for."""

    def __missing__(self, word: str) -> bytes:
        value = xxh3_64_digest(key(word).encode("utf-8", "surrogatepass"))[:4]
        if len(self) < _REMEMBERED:
            self[word] = value
        return value


_DIGESTS = _Digests()  # shared by all texts of a run: the hash of a word is the same in each


def words(text: str) -> Words:
    """Return the words of `text`: their character spans, and 32-bit xxh3 hashes of their match keys.

    Time linear in the text; 10 bytes of memory a word.
    """
    text = reading(text)
    starts, sizes, hashes = integers(len(text)), integers(0xFFFF, size=len(text)), bytearray()
    digest_of = _DIGESTS.__getitem__
    for at, found in _spaced_words(text) if _simple(text) else _unicode_words(text):
        lengths = list(map(len, found))
        try:
            sizes.extend(lengths)
        except OverflowError:  # a word of more than 65,535 characters
            sizes = integers(len(text), [*sizes[: len(starts)], *lengths], size=len(text))
        starts.extend(at)
        hashes += b"".join(map(digest_of, found))
    return Words(text, starts, sizes, memoryview(hashes).cast("I"))


def keys(text: str) -> list[str]:
    """Return the match keys of the words of `text`, in order.

    >>> keys("“It’s NAÏVE,” 北京")
    ['it', 's', 'naïve', '北', '京']
    """
    text = reading(text)
    if text.isascii():
        return text.translate(_ASCII).split()
    found = _found(text)
    key_of = {word: key(word) for word in set(found)}
    return [key_of[word] for word in found]


def repeating(text: str, k: int) -> bool:
    """Return whether a run of `k` words may stand twice in `text`: none is missed. Quicker than to look where."""
    text, k = reading(text), min(k, _RUN)
    found = _found(text)
    each = found if text.isascii() else list(map(_DIGESTS.__getitem__, found))
    hashes, seen, size = map(hash, zip(*(each[at:] for at in range(k)), strict=False)), set[int](), 0
    while some := list(islice(hashes, _SOME)):
        seen.update(some)
        size += len(some)
        if len(seen) < size:
            return True
    return False


def solo_words(text: str) -> int:
    """Return how many words of `text` are characters of scripts without spaces."""
    if text.isascii():
        return 0
    import re

    return sum(c.isalnum() for run in re.findall(f"[{SOLO}]+", text) for c in run)


def reading(text: str) -> str:
    """Return `text` with entities and mojibake read as their characters; same length, so offsets stay.

    >>> reading("caf&#233; & cafÃ©").replace("\\u2060", "")
    'café & café'
    """
    if "&" in text and ";" in text:
        import re

        text = re.sub(_ENTITY, _read_entity, text)
    if text.isascii():
        return text
    import re

    return re.sub(_MOJIBAKE, _read_mojibake, text) if re.search(_PERHAPS, text) else text


def _read_entity(match: "re.Match[str]") -> str:
    import html

    source = match.group()
    plain = html.unescape("&" + source.replace("&", "").replace("amp;", ""))
    return _padded(plain, len(source)) if len(plain) < len(source) else source


def _read_mojibake(match: "re.Match[str]") -> str:
    source = match.group()
    try:
        plain = b"".join(_byte(c) for c in source if c not in (_PAD, _GAP)).decode("utf-8")
    except UnicodeDecodeError:
        return source
    return _padded(plain, len(source))


def _padded(plain: str, size: int) -> str:
    return plain + (_PAD if _in_word(plain[-1:]) else _GAP) * (size - len(plain))


def _in_word(char: str) -> bool:
    """Whether a character makes a word, or goes on with one."""
    from unicodedata import category

    return char.isalnum() or char in IGNORED or category(char)[0] == "M"


def _byte(char: str) -> bytes:
    try:
        return char.encode("cp1252")
    except UnicodeEncodeError:
        return char.encode("latin-1")


def _found(text: str) -> list[str]:
    """The words of a text as it is read, ASCII in lower case."""
    return _spaced(text).split() if _simple(text) else _pattern(text).findall(text)


def _simple(text: str) -> bool:
    """Whether all words are of letters and digits of Latin-1, without characters that are passed over."""
    return text.isascii() or not any(_in_word(c) for c in set(text) if c > "\xff" or c == "\xad")


def _spaced(text: str) -> str:
    """A simple text with a space for each character that separates words."""
    if text.isascii():
        return text.translate(_ASCII)
    return text.encode("latin-1", "replace").translate(_LATIN).decode("latin-1")


def _spaced_words(text: str) -> "Iterator[tuple[list[int], list[str]]]":
    """Batches of (starts, words) of a simple text."""
    at, total = 0, len(text)
    while at < total:
        end = at + _BATCH
        while end < total and text[end].isalnum():
            end += 1
        parts = _spaced(text[at:end]).split(" ")
        # Part i starts after the i parts and i spaces before it; an empty part is a second space.
        starts = map(int.__add__, accumulate(map(len, parts), initial=at), count())
        if any(parts):
            yield list(compress(starts, parts)), list(filter(None, parts))
        at = end


def _unicode_words(text: str) -> "Iterator[tuple[list[int], list[str]]]":
    matches = _pattern(text).finditer(text)
    while batch := list(islice(matches, _BATCH // 8)):
        yield [m.start() for m in batch], [m.group() for m in batch]


def _pattern(text: str) -> "re.Pattern[str]":
    """The word pattern for the characters that `text` has: only these are looked up in the Unicode tables."""
    import re
    from unicodedata import category

    marks = "".join(sorted(c for c in set(text) if c > "\u02ff" and category(c)[0] == "M"))
    inner = f"[{re.escape(marks)}{IGNORED}]"
    if not re.search(rf"[{SOLO}]", text):
        return re.compile(rf"[^\W_](?:[^\W_]|{inner})*")
    return re.compile(rf"(?=[^\W_])[{SOLO}]{inner}*|(?:(?![{SOLO}])[^\W_])(?:(?![{SOLO}])[^\W_]|{inner})*")


def key(word: str) -> str:
    """Return the match key of one word."""
    if word.isascii():
        return word.lower()
    from unicodedata import normalize

    return normalize("NFKC", normalize("NFKC", word.translate(_IGNORE)).casefold())
