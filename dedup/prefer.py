"""Which of two copies that differ is the better one, paragraph by paragraph.

Why: the canonical text takes each paragraph from its best copy. Where one copy of a paragraph is garbled, broken off or
lacks a sentence, the other one is better. Misprints, torn lines and the like are not told by one paragraph but by the
whole copy: there the two copies are weighed against each other once, and the first stays where nothing tells.
"""

from collections import Counter
from functools import cached_property

from dedup.config import Config
from dedup.evidence import FULLER, MARKER, break_mark, garbled, is_stub, paragraphs
from dedup.model import Alignment, Gap, Page, Span, Unit

_READ = 1 << 18  # characters of the text from which it is learnt how its words are spelt


class Preferences:
    """Which copies of one text are the better ones."""

    def __init__(self, page: Page, config: Config) -> None:
        self.page, self.config = page, config

    def of(self, alignment: Alignment, units: list[Unit]) -> list[bool | None]:
        """Return for each unit whether its right copy is the better one; None where neither is."""
        keep = self.config.keep
        if keep in ("first", "last"):
            return [keep == "last"] * len(units)
        if keep == "longest":
            return [None if u.left.size == u.right.size else u.right.size > u.left.size for u in units]
        whole = self._whole(alignment, units)
        return [whole if own is None else own for own in map(self._paragraph, units)]

    def _paragraph(self, unit: Unit) -> bool | None:
        """What the paragraphs of one unit tell."""
        left, right = (side.span(self.page) for side in (unit.left, unit.right))
        wrong = [garbled(self.page, span) for span in (left, right)]
        if wrong[0] != wrong[1]:
            return wrong[0]
        more = unit.right.size - unit.left.size
        broken = [is_stub(self.page, span[1]) for span in (left, right)]
        if broken[0] != broken[1] and (more if broken[1] else -more) <= MARKER:
            return broken[0]
        return more > 0 if abs(more) >= FULLER else None

    def _whole(self, alignment: Alignment, units: list[Unit]) -> bool | None:
        """What both copies as a whole tell: by their spelling, where that is what differs, and by their lines."""
        if misspelt(alignment):
            votes = [vote for gap in alignment.gaps if gap.alike and (vote := self._spelling.vote(gap))]
            if 2 * abs(sum(votes)) >= len(votes) > 1:
                return sum(votes) > 0
        left, right = (sum(self._breaks(unit[:2][side].span(self.page)) for unit in units) for side in (0, 1))
        return None if left == right else right > left

    def _breaks(self, span: Span) -> int:
        return sum(break_mark(self.page, self.page.first[p]) for p in paragraphs(self.page, span)[1:])

    @cached_property
    def _spelling(self) -> "_Spelling":
        return _Spelling(self.page)


def misspelt(alignment: Alignment) -> bool:
    """Whether most differences are misspellings."""
    return 2 * sum(gap.alike for gap in alignment.gaps) > len(alignment.gaps)


class _Spelling:
    """How the words of a text are spelt, learnt from the text itself."""

    def __init__(self, page: Page) -> None:
        self.page = page
        text = " ".join(page.words.reading[:_READ].casefold().split())
        self.grams = Counter(map("".join, zip(text, text[1:], text[2:], strict=False)))

    def vote(self, gap: Gap) -> int:
        """Above 0 where the words on the right are the better spelt ones, below 0 for the left."""
        words = self.page.words
        left, right = (words.reading[words.starts[a] : words.end(b - 1)].casefold() for a, b in gap[:2])
        accents = [sum(not c.isascii() for c in text) for text in (left, right)]
        if len(left) == len(right) and accents[0] != accents[1]:
            return 1 if accents[1] > accents[0] else -1
        odd = [self._odd(text) for text in (left, right)]
        return (odd[0] > odd[1]) - (odd[0] < odd[1])

    def _odd(self, text: str) -> int:
        """How many letters in a row of `text` stand nowhere else."""
        text = f" {text} "
        return sum(self.grams["".join(gram)] < 2 for gram in zip(text, text[1:], text[2:], strict=False))
