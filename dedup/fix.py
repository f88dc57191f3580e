"""The fixers: damage that has nothing to do with copies, mended only when `--fix` names it.

Why: a scrape is not only doubled. It was read in a wrong encoding, escaped twice, broken at a column, or has the
furniture of its page in it. Each fixer finds one kind of damage and returns edits; who calls it applies them, records
them for the undo, and asks again until nothing is left to mend.

    "It’s a cafÃ©\\n"   ->   Edit(10, 12, "é")   ->   "It's a café\\n"

`SAFE` is the fixers that a person would let run unseen over text that may be right: on 1,443 right texts they touched
only what was damaged. Lone surrogates stand for bytes that did not decode: no fixer touches them.
"""

from dedup.errors import UsageError
from dedup.fixers.edit import Edit, apply
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Phrases = Mapping[str, Sequence[str]]

__all__ = ["FIXERS", "LAYOUT", "SAFE", "Edit", "apply", "chosen", "edits", "phrases", "reason"]

# In order of application: what mends characters, then what mends lines, then what removes some. For each the module
# of `fixers` that has the function of its name, and what it found wrong and did.
FIXERS = {
    "mojibake": ("characters", "text was read in a wrong encoding; read again in the right one"),
    "entities": ("characters", "HTML entities were left in plain text; read as their characters"),
    "invisible": ("characters", "characters that nobody sees; removed"),
    "nfc": ("characters", "letters and their marks were written apart; composed (NFC)"),
    "newlines": ("layout", "lines ended in different ways; all end as most of them"),
    "whitespace": ("layout", "white space that separates nothing, or of an odd kind; removed, or made a space"),
    "hyphenation": ("layout", "a word was broken at a line end; joined"),
    "wraps": ("layout", "prose was wrapped at a column; joined to paragraphs"),
    "stubs": ("furniture", "a note that the text goes on elsewhere; removed"),
    "furniture": ("furniture", "a line of the page, not of the text; removed"),
}
SAFE = ("mojibake", "invisible")
LAYOUT = ("entities", "whitespace", "hyphenation", "wraps", "stubs", "furniture")  # these leave fenced code alone


def chosen(names: "Iterable[str]") -> tuple[str, ...]:
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


def edits(text: str, name: str, furniture: "Phrases | None" = None) -> list[Edit]:
    """Return what the fixer `name` mends in `text` (characters): edits ascending and apart, each changes something.

    `furniture` is the list of `phrases` for the fixers that need one; None: that of this package.
    """
    from importlib import import_module

    module = FIXERS[name][0]
    lists = [furniture] if module == "furniture" else []
    found: list[Edit] = getattr(import_module(f"dedup.fixers.{module}"), name)(text, *lists)
    return found


def reason(name: str) -> str:
    """Return what the fixer `name` found wrong and did, for reports."""
    return FIXERS[name][1]


def phrases(path: str | None) -> "Phrases":
    """Return the list of furniture by language: that in the TOML file `path`, or the one that comes with this package.

    Raises InputError, naming the file and the place in it.
    """
    from dedup.fixers import furniture

    return furniture.phrases(path)
