"""Alignments to variants: which copy of a paragraph goes when the copies differ. Only asked for by `--near`.

Why: an editor who finds an article twice, once with misprints, does not keep both. Paragraph by paragraph the better
copy stays: the one that lacks nothing, is not garbled, breaks off nowhere; else the first. Where the better one stands
in the other copy it is put in the place of the worse, so that the article reads on. A copy goes when as many of its
words match as the asked similarity lets one expect, give or take what chance allows (binomial, in standard deviations).

Removed:  near-copy
Kept:     near-facts (a figure, date, negation or name differs), near-unlike, and the reasons of `decide`
Neither:  near-chance (what was compared and is no copy; told only where everything is)
"""

import math
from collections import Counter
from itertools import pairwise

from dedup.config import Config
from dedup.evidence import (
    break_mark,
    garbled,
    in_fields,
    in_lines,
    in_rows,
    is_stub,
    paragraphs,
    quoted,
    texture,
)
from dedup.model import Alignment, Gap, Half, Page, Span, Unit, Variant
from dedup.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fact = Callable[[Page, Span, Span], int]

HARD = 2  # see facts.py
_REGION, _PARAGRAPH = 2.0, 4.0  # standard deviations that a whole copy, and one paragraph of it, may fall below
_LARGE = 3  # times the shortest lone paragraph: what is copied on this scale is no refrain
_LONE = 2  # times the shortest lone exact copy: what differs needs more words to be sure
_NOISE = 4  # one difference in so many may be a name for a name by chance, where all else differs too
_MARKER = 4  # words by which a stub may be longer: its "read more"
_FULLER = 3  # words that one copy must have more to be the more complete one
_PART = 0.8  # share of a paragraph below which a lone copy of it is a part pulled out


class _Choice(Record):
    """A unit, its copy that would go, and the differences that forbid it."""

    unit: Unit
    loser: Half
    winner: Half
    facts: tuple[tuple[Span, Span, int], ...]


def variants(
    page: Page, found: list[tuple[Alignment, list[Unit]]], config: Config, fact: "Fact", weight: float
) -> list[Variant]:
    """Return what happens to each near copy. What is removed is apart, and what it is kept for is not removed.

    `found` are the alignments with their units; `fact` says whether giving up words for others changes a fact (0 no,
    1 perhaps, 2 yes); `weight` is what a word counts where sizes are judged. Alignments that are exact in all their
    paragraphs are left to `decide`.
    """
    judge = _Judge(page, config, fact, weight)
    total = len(page.words.starts)
    gone, held = bytearray(total), bytearray(total)
    out: list[Variant] = []
    for alignment, units in sorted(found, key=lambda pair: -sum(run.length for run in pair[0].runs)):
        for variant in judge.variants(alignment, units):
            (a, b), (c, d) = variant.copy, variant.kept
            if variant.removed:
                if gone.find(1, a, b) >= 0 or held.find(1, a, b) >= 0 or gone.find(1, c, d) >= 0:
                    continue
                if variant.moved and held.find(1, c, d) >= 0:
                    continue
                gone[a:b] = b"\1" * (b - a)
                held[c:d] = b"\1" * (d - c)
            out.append(variant)
    return out


class _Judge:
    def __init__(self, page: Page, config: Config, fact: "Fact", weight: float) -> None:
        self.page, self.config, self.fact, self.weight = page, config, fact, weight
        self.texture = texture(zip(page.first, page.first[1:], strict=False), weight)
        self.seen: Counter[bytes] = Counter()

    def variants(self, alignment: Alignment, found: list[Unit]) -> list[Variant]:
        units = [u for u in found if self._may_go(u.left, u.right) or self._may_go(u.right, u.left)]
        if not units:
            start, end = alignment.runs[0], alignment.runs[-1]
            sides = (start.right, end.right + end.length), (start.left, end.left + end.length)
            return [Variant(*sides, False, False, "near-chance", ())]
        misspelt = 2 * sum(gap.alike for gap in alignment.gaps) > len(alignment.gaps)
        better = [self._better(unit, misspelt) for unit in units]
        host_right = self._host_right(units, better)
        choices = [c for u, right in zip(units, better, strict=True) if (c := self._choose(u, right, host_right))]
        out = [self._unlike(u) for u in found if u not in units and self._edited(u)]
        for group in self._groups(choices):
            for rule, part in self._ruled(group):
                if rule == "near-copy":
                    guarded = self._guarded(part)
                    out += [self._stays(c, "near-facts") for c in guarded]
                    go = [c for c in part if c not in guarded]
                    out += self._go(go, host_right) if any(map(self._differs, go)) else []
                else:
                    out += [self._stays(c, rule) for c in part if self._differs(c)]
        return out

    def _host_right(self, units: list[Unit], better: list[bool | None]) -> bool:
        """Whether the later copy stays in its place: it has paragraphs of its own, or is the better one in most."""
        more = self._own([u.right for u in units]) - self._own([u.left for u in units])
        if abs(more) * self.weight >= self.config.min_paragraph:
            return more > 0
        right = sum(u.right.size for u, b in zip(units, better, strict=True) if b)
        return 2 * right > sum(u.right.size for u in units)

    def _own(self, sides: list[Half]) -> int:
        """The words that stand between these paragraphs of a copy and are not in the other one."""
        used = {p for side in sides for p in side.paragraphs}
        rows = range(sides[0].paragraphs[0], sides[-1].paragraphs[-1] + 1) if sides else range(0)
        return sum(self.page.first[p + 1] - self.page.first[p] for p in rows if p not in used)

    def _groups(self, choices: list[_Choice]) -> list[list[_Choice]]:
        """The choices as one, where they are a part of the document laid down again; else each run of neighbours."""
        for sides in ([c.unit.left for c in choices], [c.unit.right for c in choices]):
            if self._own(sides) > sum(side.size for side in sides):
                break
        else:
            return [choices] if choices else []
        return _neighbours(choices)

    # ------------------------------------------------------------ which copy goes

    def _choose(self, unit: Unit, right_better: bool | None, host_right: bool) -> _Choice | None:
        """Which copy of a unit should go; None if neither is like the other, or the other cannot take its place."""
        sides = unit.left, unit.right
        may = [self._may_go(side, other) for side, other in (sides, sides[::-1])]
        # What is to take the place of its copy must be whole.
        may = [may[0] and (host_right or unit.right.whole()), may[1] and (not host_right or unit.left.whole())]
        if not any(may):
            return None
        left_goes = may[0] and (not may[1] or (host_right if right_better is None else right_better))
        loser, winner = (unit.left, unit.right) if left_goes else (unit.right, unit.left)
        gaps = [(gap.left, gap.right) if left_goes else (gap.right, gap.left) for gap in unit.gaps]
        facts = () if self.config.near_facts else ((*gap, n) for gap in gaps if (n := self.fact(self.page, *gap)))
        return _Choice(unit, loser, winner, tuple(facts))

    def _may_go(self, side: Half, other: Half) -> bool:
        """Whether a side is like enough to the other to go for it; a short part of a paragraph is a part on purpose."""
        if not self._like(side.matched, side.size, _PARAGRAPH):
            return False
        short = side.size * self.weight < _LONE * self.config.min_paragraph
        return side.size >= _PART * other.size or not short or is_stub(self.page, side.span(self.page)[1])

    def _like(self, matched: int, size: int, deviations: float) -> bool:
        """Whether as many words match as the asked similarity lets one expect, give or take what chance allows."""
        s = self.config.similarity or 1.0
        return matched >= s * size - deviations * math.sqrt(size * s * (1 - s))

    def _better(self, unit: Unit, misspelt: bool) -> bool | None:
        """Whether the right copy is the better one, None if neither; `misspelt`: most differences are misspellings."""
        left, right = (side.span(self.page) for side in (unit.left, unit.right))
        keep = self.config.keep
        if keep in ("first", "last"):
            return keep == "last"
        if keep == "longest":
            return None if unit.left.size == unit.right.size else unit.right.size > unit.left.size
        wrong = [garbled(self.page, span) for span in (left, right)]
        if wrong[0] != wrong[1]:
            return wrong[0]
        more = unit.right.size - unit.left.size
        broken = [is_stub(self.page, span[1]) for span in (left, right)]
        if broken[0] != broken[1] and (more if broken[1] else -more) <= _MARKER:
            return broken[0]
        if abs(more) >= _FULLER:
            return more > 0
        spelling = sum(self._spelling(gap) for gap in unit.gaps if misspelt and gap.alike)
        if spelling:
            return spelling > 0
        breaks = self._breaks(right) - self._breaks(left)
        return breaks > 0 if breaks else None

    def _spelling(self, gap: Gap) -> int:
        """Above 0 where the words on the right are those that the document uses elsewhere, below 0 on the left."""
        if not self.seen:
            self.seen.update(self._word(at) for at in range(len(self.page.words.starts)))
        left, right = (all(self.seen[self._word(at)] > 1 for at in range(*span)) for span in (gap.left, gap.right))
        return right - left

    def _word(self, at: int) -> bytes:
        return self.page.words.hashes[at : at + 1].tobytes()

    def _breaks(self, span: Span) -> int:
        rows = paragraphs(self.page, span)
        return sum(break_mark(self.page, self.page.first[p]) for p in rows[1:])

    # ------------------------------------------------------------ whether it goes

    def _differs(self, choice: _Choice) -> bool:
        """Whether the loser is more than one verbatim run of the winner, which `decide` would see."""
        start, end = choice.loser.span(self.page)
        left = choice.loser == choice.unit.left
        gaps = [gap.left if left else gap.right for gap in choice.unit.gaps]
        return choice.loser.matched < choice.loser.size or any(start < gap[0] <= gap[1] < end for gap in gaps)

    def _ruled(self, group: list[_Choice]) -> "Iterator[tuple[str, list[_Choice]]]":
        """The rules that decide on the parts of a copy."""
        page, config = self.page, self.config
        if not any(map(self._differs, group)):
            return
        words = sum(c.loser.size for c in group)
        if not self._like(sum(c.loser.matched for c in group), words, _REGION):
            if words * self.weight >= _LONE * config.min_paragraph:
                yield "near-unlike", group
            return
        copies, originals = _spans(page, group)
        between = min(abs(originals[0][0] - copies[-1][1]), abs(copies[0][0] - originals[-1][1]))
        large = words * self.weight >= _LARGE * config.min_paragraph
        if large and between * _NOISE <= words and 3 * words >= len(page.words.starts):
            yield "near-copy", group
            return
        rest: list[_Choice] = []
        for run in _neighbours(group):
            copies, originals = _spans(page, run)
            later = run[0].unit.right.span(page)[0], run[-1].unit.right.span(page)[1]
            earlier = run[0].unit.left.span(page)[0]
            if between and quoted(page, later, earlier):
                yield "quotation", run
            elif in_fields(page, later, earlier):
                yield "clause", run
            elif in_rows(page, copies) and in_rows(page, originals):
                yield "list", run
            else:
                rest += run
        if any(map(self._differs, rest)):
            yield self._rule(rest), rest

    def _rule(self, choices: list[_Choice]) -> str:
        """The rule that decides on a copy that is no quotation and no list."""
        copies, originals = _spans(self.page, choices)
        size = sum(c.loser.size for c in choices) * self.weight
        if size < _LONE * self.config.min_paragraph:
            return "too-short"
        prose = self.texture >= self.config.min_texture
        lines = max(texture(in_lines(self.page, spans), self.weight) for spans in (copies, originals))
        if lines < self.config.min_paragraph:
            return "list" if prose else "refrain"
        part = len(choices) == 1 and choices[0].loser.size < _PART * choices[0].winner.size
        if part and not is_stub(self.page, copies[0][1]):
            return "pull-quote"
        return "near-copy" if prose or size >= _LARGE * self.config.min_paragraph else "refrain"

    def _guarded(self, choices: list[_Choice]) -> list[_Choice]:
        """The choices that would give up a fact. A name for a name is noise where much else differs as well."""
        soft = sum(n < HARD for c in choices for *_, n in c.facts)
        differences = sum(len(c.unit.gaps) for c in choices) - sum(n == HARD for c in choices for *_, n in c.facts)
        noise = soft * _NOISE <= differences
        return [c for c in choices if any(n == HARD or not noise for *_, n in c.facts)]

    def _edited(self, unit: Unit) -> bool:
        """Whether a unit of which neither side may go is a copy all the same: half of its words match."""
        less = min(unit.left, unit.right, key=lambda side: side.size)
        return 2 * less.matched >= less.size and less.size * self.weight >= self.config.min_paragraph

    def _unlike(self, unit: Unit) -> Variant:
        return Variant(unit.right.span(self.page), unit.left.span(self.page), False, False, "near-unlike", ())

    def _stays(self, choice: _Choice, rule: str) -> Variant:
        left, right = choice.unit.left.span(self.page), choice.unit.right.span(self.page)
        facts = tuple((self._text(a), self._text(b)) for a, b, _ in choice.facts) if rule == "near-facts" else ()
        return Variant(right, left, False, False, rule, facts)

    def _text(self, span: Span) -> str:
        words = self.page.words
        return (
            " ".join(self.page.text[words.starts[span[0]] : words.end(span[1] - 1)].split())
            if span[0] < span[1]
            else ""
        )

    # ------------------------------------------------------------ in the order of reading

    def _go(self, choices: list[_Choice], host_right: bool) -> list[Variant]:
        """The variants of the copies that go, neighbours told as one."""
        out: list[tuple[_Choice, Variant]] = []
        for at, choice in enumerate(choices):
            kept = choice.winner.span(self.page)
            moved = (choice.loser == choice.unit.right) == host_right
            moved = moved and not (not host_right and self._open_end(choices[at:]))
            if moved or not choice.loser.whole():
                runs = [choice.loser.span(self.page)] if moved else choice.loser.runs(self.page)
                out += [(choice, Variant(run, kept, moved, True, "near-copy", ())) for run in runs]
                continue
            variant = Variant(choice.loser.span(self.page), kept, False, True, "near-copy", ())
            if out and not out[-1][1].moved and _follows(out[-1][0], choice):
                last = out.pop()[1]
                variant = variant._replace(copy=(last.copy[0], variant.copy[1]), kept=(last.kept[0], variant.kept[1]))
            out.append((choice, variant))
        return [variant for _, variant in out]

    def _open_end(self, rest: list[_Choice]) -> bool:
        """Whether the earlier copy breaks off here: the later one goes on with all that is left, in its own place."""
        return all(c.loser == c.unit.left for c in rest) and (
            rest[-1].unit.right.size >= rest[-1].unit.left.size + _FULLER
            or is_stub(self.page, rest[-1].unit.left.span(self.page)[1])
        )


def _neighbours(choices: list[_Choice]) -> list[list[_Choice]]:
    """The choices, apart where other paragraphs stand between two of them in either copy."""
    out = [choices[:1]] if choices else []
    for before, after in pairwise(choices):
        if all(x.paragraphs[-1] + 1 == y.paragraphs[0] for x, y in zip(before.unit[:2], after.unit[:2], strict=True)):
            out[-1].append(after)
        else:
            out.append([after])
    return out


def _spans(page: Page, choices: list[_Choice]) -> tuple[list[Span], list[Span]]:
    """The words of the copies that go, and those of the originals."""
    return [c.loser.span(page) for c in choices], [c.winner.span(page) for c in choices]


def _follows(before: _Choice, after: _Choice) -> bool:
    """Whether both copies of one unit stand right after those of another, and the same one goes."""
    same = (before.loser == before.unit.left) == (after.loser == after.unit.left)
    return (
        same
        and before.loser.whole()
        and all(
            x.paragraphs[-1] + 1 == y.paragraphs[0]
            for x, y in ((before.loser, after.loser), (before.winner, after.winner))
        )
    )
