"""Every threshold, with its name, unit, source and default. The presets are differences from the default."""

from dataclasses import dataclass, replace

from dedup.errors import UsageError


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a run.

    Sizes count words; a character of a script without spaces counts as half a word wherever a size is judged.
    """

    # A run of this many words that stands twice is found and reported. 8 is the shortest run that, in news text, is
    # rarely a set phrase (Clough and Stevenson 2011 use 5-grams to suspect reuse and need several of them).
    min_words: int = 8
    # A lone paragraph shorter than this is never removed for standing twice: bylines, headings, one-line dialogue.
    min_paragraph: int = 15
    # Verse, licences, changelogs and tables have half of their words in lines shorter than this; articles do not.
    min_texture: int = 14
    # A run of whole sentences inside a line is cut from this size on, unless it follows its original directly.
    min_sentences: int = 40
    # A list is cut only when it stands at the head and again at the foot, and has this many words.
    min_list: int = 20
    # Whether a lone paragraph goes that repeats a sentence of a longer one. Editors set pull quotes on purpose.
    pull_quotes: bool = False

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not isinstance(value, bool) and value < 1:
                raise UsageError(f"{name} is {value}: it must be at least 1")
        if self.min_words < 4:
            raise UsageError(f"min_words is {self.min_words}: runs shorter than 4 words are set phrases, use 4 or more")


PRESETS: dict[str, Config] = {
    "default": Config(),
    "careful": replace(Config(), min_paragraph=30, min_sentences=60, min_list=40),
    "eager": replace(Config(), min_paragraph=10, min_sentences=20, min_list=12, pull_quotes=True),
}
