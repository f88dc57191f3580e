"""The fixers that remove what belongs to the page and not to the text, by a list of phrases in many languages.

Why: no copy of it need stand in the document, so that only its words tell it.

    "They left… Read more »\\nADVERTISEMENT\\n"   ->   stubs, furniture   ->   "They left…\\n"
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from unicodedata import category, normalize

from dedup.errors import InputError
from dedup.fixers.edit import Edit, apart
from dedup.fixers.line import lines

Phrases = Mapping[str, Sequence[str]]

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
    for start, stop, end in reversed(list(lines(text))):
        content = text[start:stop]
        if content and not content.isspace():
            size = _without_stub(content, keys, last)
            last &= not size
            if size < len(content):
                found.append(Edit(start + size, stop if size else end, ""))
    return apart(text, found[::-1])


def _without_stub(content: str, keys: frozenset[str], last: bool) -> int:
    """How many characters of a line stay."""
    size = len(content)
    while True:
        start = max(size - _LONGEST, 0)
        if start == 0 and _named(content[:size], keys):
            return 0
        tails = [m.end() for m in _ELLIPSIS.finditer(content, start, size) if _calls(content[m.end() : size], keys)]
        elision = _ELISION.search(content[start:size]) if last else None
        if tails:
            size = tails[-1]
        elif elision:
            size = start + elision.start()
        else:
            return size


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
    return apart(
        text,
        [
            Edit(line.start, line.end, "")
            for line in lines(text)
            if 0 < line.stop - line.start <= _LONGEST and _named(text[line.start : line.stop], keys)
        ],
    )


@cache  # a run reads its list once, not for each document
def phrases(path: str | None) -> Phrases:
    """Return the list of furniture by language: that in the TOML file `path`, or the one that comes with this package.

    A phrase that ends in an ellipsis is one of `stubs`, any other of `furniture`; # stands for a number. Raises
    InputError, naming the file and the place in it.
    """
    file = Path(path) if path is not None else Path(__file__).parents[1] / "furniture.toml"
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


def _keys(lists: Phrases | None) -> tuple[frozenset[str], frozenset[str]]:
    """The keys of furniture, and those of stubs."""
    lists = phrases(None) if lists is None else lists
    return _folded(tuple(entry for listed in lists.values() for entry in listed))


@lru_cache(maxsize=4)  # as many lists as a run has, and more
def _folded(entries: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    more = {entry for entry in entries if entry.endswith(("…", "..."))}
    return frozenset(_key(entry) for entry in entries if entry not in more), frozenset(map(_key, more))


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
