"""What can be seen in a page about a stretch of it: sentences, line breaks, how well it is preserved. No judgement.

Why: which side of a match could go, whether a repeat is right, and which copy is better preserved are asked of the same
signs. The stages that judge share them here; what a stretch stands in (lists, records, code) is in `structure`. Spans
are half-open, in words.
"""

from bisect import bisect_left

from dedup.model import Page, Span
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

OPENERS = "\uff08\u3010\u3008\u300a\u201c\u2018\u201e\u00ab\u00bf\u00a1([{\u300c\u300e\"'"
CLOSERS = " \t\u00a0\"'\u201c\u201d\u2019\u00bb)]}\u300d\u300f\u200f"
STOPS = frozenset(".!?\u2026\u3002\uff01\uff1f\u0964\u0965\u061f\u06d4\u0589\u1362\u1368\u104b\u17d4")
INSIDE = ".!?"  # stops that stand inside tokens too
_SYMBOLS = frozenset("0123456789@/\\_=<>|#&")  # of numbers, paths, addresses, code: in no word of a sentence
_TOKEN = 32  # characters beside a stop that tell whether it stands inside a token
MARKER = 4  # words that a "read more" after an ellipsis may have
FULLER = 3  # words that one copy must have more to be the more complete one
_FULL_LINE = 30  # characters from which a line may have been wrapped, where no case tells
_TORN = -6  # what a line break inside a sentence weighs against one between paragraphs


def paragraphs(page: Page, span: Span) -> range:
    """The paragraphs that hold words of `span`."""
    return range(page.paragraph(span[0]), bisect_left(page.first, span[1]))


def texture(spans: "Iterable[Span]", weight: float) -> float:
    """Half of the words stand in spans of at least this many words: 16 and more in articles, fewer in verse."""
    sizes = sorted(b - a for a, b in spans)
    half, seen = sum(sizes) / 2, 0
    for size in sizes:
        seen += size
        if seen >= half:
            return size * weight
    return 0.0


def in_lines(page: Page, spans: "Iterable[Span]") -> list[Span]:
    """`spans`, split where paragraphs are."""
    first = page.first
    return [
        (max(first[p], start), min(first[p + 1], end)) for start, end in spans for p in paragraphs(page, (start, end))
    ]


def ends_sentence(page: Page, word: int) -> bool:
    """Whether a paragraph or a sentence ends before `word`. A stop inside a number, a path or a name ends nothing."""
    if page.starts_paragraph(word):
        return True
    text, start, end = page.text, page.words.end(word - 1), page.words.starts[word]
    at = next((at for at in range(end - 1, start - 1, -1) if text[at] in STOPS), None)
    if at is None or text[at] not in INSIDE or any(map(str.isspace, text[at:end])):
        return at is not None
    return _glued(text[max(0, start - _TOKEN) : start].split()[-1], text[end : end + _TOKEN].split()[0])


def _glued(left: str, right: str) -> bool:
    """Whether a stop between these, with no space beside it, ends a sentence to which the next one is glued.

    end.Start and 2021.Start are glued; 3.14, dedup.text, U.S.A, /etc/x.Conf and Node.JS are one token.
    """
    if not _SYMBOLS.isdisjoint(right) or not (left.isdigit() or _SYMBOLS.isdisjoint(left)):
        return False
    if left[-1].islower() or left.isdigit():
        return right[0].isupper() and not right[1:2].isupper()
    return not (left + right).isascii() and not (left[-1].isupper() or right[0].isupper() or right[0].islower())


def broken_off(page: Page, word: int) -> bool:
    """Whether an ellipsis follows right after the word before `word`."""
    at = page.words.end(word - 1)
    tail = page.text[at : at + 6]
    return "..." in tail or "\u2026" in tail


def is_stub(page: Page, end: int) -> bool:
    """Whether the words before `end` break off with an ellipsis, and at most a "read more" after it."""
    return any(broken_off(page, at) for at in range(end, max(0, end - MARKER - 1), -1))


def soft(page: Page, p: int) -> bool:
    """Whether paragraph `p` carries on the sentence of the line before it."""
    text, (starts, ends) = page.text, page.paragraphs
    if blank(text[ends[p - 1] : starts[p]]):
        return False
    last = text[starts[p - 1] : ends[p - 1]].rstrip(CLOSERS)[-1:]
    at = page.first[p]
    initial = text[page.words.starts[at]] if at < len(page.words.starts) else "A"
    if last in STOPS or initial.isupper():
        return False
    return initial.islower() or ends[p - 1] - starts[p - 1] >= _FULL_LINE


def break_mark(page: Page, word: int) -> int:
    """How good the line break before `word` is: 1 where a paragraph is complete, below 0 inside a sentence, else 0."""
    p = page.paragraph(word)
    text, (starts, ends) = page.text, page.paragraphs
    last = text[starts[p - 1] : ends[p - 1]].rstrip(CLOSERS)[-1:]
    if last in STOPS or blank(text[ends[p - 1] : starts[p]]):
        return 1
    return (_TORN if text[page.words.starts[word]].islower() else -1) if soft(page, p) else 0


def torn(page: Page, word: int) -> bool:
    """Whether the line that starts with `word` goes on with a sentence."""
    return 0 < word < len(page.words.starts) and page.starts_paragraph(word) and break_mark(page, word) == _TORN


def garbled(page: Page, span: Span) -> bool:
    """Whether a wrong encoding, or entities, stand in the text of `span`."""
    start, end = page.words.starts[span[0]], page.words.end(span[1] - 1)
    return page.text[start:end] != page.words.reading[start:end]


def garbled_on(page: Page, after: int, before: int) -> bool:
    """Whether the paragraph that follows the word `after - 1` is garbled too, and ends before the word `before`."""
    end = page.first[bisect_left(page.first, after) + 1] if after < before else after
    return after < end <= before and garbled(page, (after, end))


def blank(gap: str) -> bool:
    """Return whether a blank line stands between two lines with this between them."""
    return gap.count("\n") + gap.count("\r") - gap.count("\r\n") > 1
