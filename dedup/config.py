"""Every threshold, with its name, unit, source and default. The presets are differences from the default."""

from dedup.errors import UsageError
from dedup.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from typing import Literal

    Keep = Literal["best", "first", "last", "longest"]

KEEP = ("best", "first", "last", "longest")
NEAR = 0.9  # the similarity of a bare --near: one word in ten differs


class Config(Record):
    """The settings of a run.

    Sizes count words; a character of a script without spaces counts as half a word wherever a size is judged.
    """

    # A run of this many words that stands twice is found and reported: short enough for a headline, long enough that
    # set phrases of ordinary prose stay out of the report.
    min_words: int = 8
    # A lone paragraph shorter than this never goes for standing twice: bylines, headings, one-line dialogue.
    min_paragraph: int = 15
    # Verse, licences, changelogs and tables have half of their words in lines shorter than this; articles do not.
    min_texture: int = 14
    # A run of whole sentences inside a line goes from this size on, unless it follows its original directly.
    min_sentences: int = 40
    # A list goes only when it stands at the head and again at the foot, and has this many words.
    min_list: int = 20
    # Whether a lone paragraph goes that repeats a sentence of a longer one. Editors set pull quotes on purpose.
    pull_quotes: bool = False
    # A copy that differs goes when this share of its words matches, chance allowed for; None: only exact copies go.
    similarity: float | None = None
    # Whether a copy may go that differs in a figure, a date, a negation or a name.
    near_facts: bool = False
    # Which copy stays: best (the most complete, then the best preserved, then the first), first, last, longest.
    keep: "Keep" = "best"
    # Documents of which this share of 5-word shingles is common are near: the largest that differ by an edit.
    resemblance: float = 0.8
    # Whether a document goes whose text stands in another one as a part of it.
    contained: bool = False
    # A run of this many words that two documents share is reported as a passage: about two sentences.
    min_passage: int = 30
    # Whether whole paragraphs of such runs go from all documents but the first.
    passages: bool = False
    # A line that this many documents of a group (a site, a folder) have is boilerplate.
    min_documents: int = 3
    # Whether such lines go from all documents of the group but the first.
    boilerplate: bool = False
    # The encoding of the inputs. Empty: as their byte order mark says, else UTF-8, else what they look like.
    encoding: str = ""
    # The fixers that mend the text, by name (see `fix.FIXERS`); none unless they are named.
    fix: tuple[str, ...] = ()
    # The file with the lines of page furniture, by language, that the fixer of this name takes; else that of ours.
    furniture: str = ""

    def checked(self) -> "Config":
        """Return this configuration. Raises UsageError for a value outside its range."""
        for name, value in self._asdict().items():
            least = {"min_words": 4, "min_passage": 12, "min_documents": 2}.get(name, 1)
            if name.startswith("min_") and value < least:
                raise UsageError(f"{name} is {value}: use {least} or more")
        if self.similarity is not None and not 0.5 <= self.similarity <= 1:
            raise UsageError(f"similarity is {self.similarity}: use 0.5 to 1; what is less alike is no copy")
        if not 0.5 <= self.resemblance <= 1:
            raise UsageError(f"resemblance is {self.resemblance}: use 0.5 to 1; what is less alike is no copy")
        if self.keep not in KEEP:
            raise UsageError(f"keep is {self.keep}: there is {', '.join(KEEP)}")
        return self


PRESETS = {
    "default": Config(),
    "careful": Config(min_paragraph=30, min_sentences=60, min_list=40),
    "eager": Config(min_paragraph=10, min_sentences=20, min_list=12, pull_quotes=True),
}
