"""Which of two copies that differ is the better one, paragraph by paragraph.

Why: the canonical text takes each paragraph from its best copy. Where one copy of a paragraph is garbled, broken off or
lacks a sentence, the other one is better. Misprints, torn lines and the like are not told by one paragraph but by the
whole copy: there the two copies are weighed against each other once, and the first stays where nothing tells.
"""

from collections import Counter

from dedup.config import Config
from dedup.evidence import break_mark, garbled, is_stub, paragraphs
from dedup.model import Alignment, Gap, Page, Span, Unit

_FULLER = 3  # words that one copy must have more to be the more complete one
_MARKER = 4  # words by which a stub may be longer: its "read more"
_READ = 1 << 18  # characters of the text from which it is learnt how its words are spelt


def preferences(page: Page, alignment: Alignment, units: list[Unit], config: Config) -> list[bool | None]:
    """Return for each unit whether its right copy is the better one; None where neither is."""
    if config.keep in ("first", "last"):
        return [config.keep == "last"] * len(units)
    if config.keep == "longest":
        return [None if u.left.size == u.right.size else u.right.size > u.left.size for u in units]
    whole = _whole(page, alignment, units)
    return [whole if own is None else own for own in (_paragraph(page, unit) for unit in units)]


def misspelt(alignment: Alignment) -> bool:
    """Whether most differences are misspellings."""
    return 2 * sum(gap.alike for gap in alignment.gaps) > len(alignment.gaps)


def _paragraph(page: Page, unit: Unit) -> bool | None:
    """What the paragraphs of one unit tell."""
    left, right = (side.span(page) for side in (unit.left, unit.right))
    wrong = [garbled(page, span) for span in (left, right)]
    if wrong[0] != wrong[1]:
        return wrong[0]
    more = unit.right.size - unit.left.size
    broken = [is_stub(page, span[1]) for span in (left, right)]
    if broken[0] != broken[1] and (more if broken[1] else -more) <= _MARKER:
        return broken[0]
    return more > 0 if abs(more) >= _FULLER else None


def _whole(page: Page, alignment: Alignment, units: list[Unit]) -> bool | None:
    """What both copies as a whole tell: by their spelling, where that is what differs, and by their lines."""
    if misspelt(alignment):
        spelling = _Spelling(page)
        votes = [vote for gap in alignment.gaps if gap.alike and (vote := spelling.vote(gap))]
        if 2 * abs(sum(votes)) >= len(votes) > 1:
            return sum(votes) > 0
    left, right = (sum(_breaks(page, unit[:2][side].span(page)) for unit in units) for side in (0, 1))
    return None if left == right else right > left


def _breaks(page: Page, span: Span) -> int:
    return sum(break_mark(page, page.first[p]) for p in paragraphs(page, span)[1:])


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
