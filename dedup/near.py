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
from bisect import bisect_right
from itertools import accumulate, pairwise

from dedup.config import Config
from dedup.evidence import FULLER, ends_sentence, garbled, garbled_on, in_lines, is_stub, texture
from dedup.model import HARD, Half, Near, Page, Span, Unit, Variant
from dedup.record import TYPE_CHECKING, Record
from dedup.structure import (
    Sections,
    coded,
    fences,
    in_code,
    in_fields,
    in_lists,
    in_rows,
    quoted,
    under_heads,
    under_notices,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Changed = Callable[[Span, Span, bool], int]

_REGION, _PARAGRAPH = 2.0, 4.0  # standard deviations that a whole copy, and one paragraph of it, may fall below
_LARGE = 3  # times the shortest lone paragraph: what is copied on this scale is no refrain
_LONE = 2  # times the shortest lone exact copy: what differs needs more words to be sure
_NOISE = 4  # one difference in so many may be a name for a name by chance, where all else differs too
_STATEMENT = 5  # words of a sentence that no other one can stand for
_SLID = 3  # words by which a gap may seem to stand before or after its place
_SENTENCE = 3  # words of a sentence that would be missed
_PART = 0.8  # share of a paragraph below which a lone copy of it is a part pulled out


class _Candidate(Record):
    """A unit, whether its right copy is the better one, and which of its copies may go."""

    unit: Unit
    right_better: bool | None
    left_may: bool
    right_may: bool


class _Choice(Record):
    """A unit, its copy that would go, and the differences that forbid it."""

    unit: Unit
    loser: Half
    winner: Half
    facts: tuple[tuple[Span, Span, int], ...]


def variants(page: Page, found: list[Near], config: Config, changed: "Changed", weight: float) -> list[Variant]:
    """Return what happens to each near copy. What is removed is apart, and what it is kept for is not removed.

    `changed` says whether giving up words for others, which they may be a misspelling of, changes a fact (NONE, SOFT,
    HARD); `weight` is what a word counts where sizes are judged. Copies that are exact in all their paragraphs are left
    to `decide`.
    """
    judge = _Judge(page, config, changed, weight)
    total = len(page.words.starts)
    gone, held, told = bytearray(total), bytearray(total), bytearray(total)
    out: list[Variant] = []

    def free(variant: Variant) -> bool:
        taken = any(
            x.find(1, *span) >= 0 for x, span in ((gone, variant.copy), (held, variant.copy), (gone, variant.kept))
        )
        return not variant.removed or not (taken or (variant.moved and held.find(1, *variant.kept) >= 0))

    for near in sorted(found, key=lambda near: -sum(unit.left.matched for unit in near.units)):
        if near.units:
            # A later copy is one copy: what a larger alignment tells is not told again by one that strays into it.
            start, end = near.units[0].right.span(page)[0], near.units[-1].right.span(page)[1]
            if 2 * told.count(1, start, end) > end - start:
                continue
            told[start:end] = b"\1" * (end - start)
        for plain in judge.variants(near):
            for variant in filter(free, (judge.headed(plain), plain)):
                if variant.removed:
                    for marks, (start, end) in ((gone, variant.copy), (held, variant.kept)):
                        marks[start:end] = b"\1" * (end - start)
                out.append(variant)
                break
    return out


class _Judge:
    def __init__(self, page: Page, config: Config, changed: "Changed", weight: float) -> None:
        self.page, self.config, self.changed, self.weight = page, config, changed, weight
        self.total, self.code = len(page.words.starts), fences(page)
        self.sections = Sections(page)
        self.least = config.min_paragraph / weight
        self.texture = texture(zip(page.first, page.first[1:], strict=False), weight)

    def variants(self, near: Near) -> list[Variant]:
        candidates: list[_Candidate] = []
        out: list[Variant] = []
        for unit, right in zip(near.units, near.right_better, strict=True):
            candidate = _Candidate(unit, right, *self._may_go(unit))
            if candidate.left_may or candidate.right_may:
                candidates.append(candidate)
            elif self._edited(unit):
                out.append(
                    Variant(unit.right.span(self.page), unit.left.span(self.page), False, False, "near-unlike", ())
                )
        if not candidates:
            start, end = near.alignments[0].runs[0], near.alignments[-1].runs[-1]
            sides = (start.right, end.right + end.length), (start.left, end.left + end.length)
            return out or [Variant(*sides, False, False, "near-chance", ())]
        interleaved = len(near.alignments) > 1
        host_right = not interleaved and self._host_right(candidates, near.misspelt)
        first, last = self._ends(candidates)
        choices = []
        for at, candidate in enumerate(candidates):
            if choice := self._choose(candidate, host_right, at <= first or at >= last, near.misspelt):
                choices.append(choice)
        for group in [choices] if interleaved else self._groups(choices):
            for rule, part in self._ruled(group, interleaved):
                out += self._told(rule, part, host_right)
        return out

    def _told(self, rule: str, choices: list[_Choice], host_right: bool) -> list[Variant]:
        """The variants of choices that one rule decides on."""
        noise = self._noise(choices)
        go: list[_Choice] = []
        guarded: list[_Choice] = []
        for choice in choices:
            (guarded if any(n == HARD or not noise for *_, n in choice.facts) else go).append(choice)
        if sum(c.loser.size for c in go) < self.least:
            rule = "too-short"  # a heading, say, of what stays for another reason
        if rule == "near-copy":
            out = self._go(go, host_right)
        else:
            out = [self._stays(c, rule) for c in go if self._differs(c)]
            guarded = [c for c in guarded if c.loser.size >= self.least]
        return out + [self._stays(c, "near-facts") for c in guarded]

    def _host_right(self, candidates: list[_Candidate], misspelt: bool) -> bool:
        """Whether the later copy stays in its place: it has paragraphs of its own, or is the better one in most.

        The rest of a worse copy that goes on between the two would come to stand before the better one.
        """
        left, right = [c.unit.left for c in candidates], [c.unit.right for c in candidates]
        more = self._own(right) - self._own(left)
        if abs(more) >= self.least:
            return more > 0
        if 2 * sum(c.unit.right.size for c in candidates if c.right_better) <= sum(half.size for half in right):
            return False
        after, before = left[-1].span(self.page)[1], right[0].span(self.page)[0]
        return before - after < self.least or not (misspelt or garbled_on(self.page, after, before))

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

    def headed(self, variant: Variant) -> Variant:
        """The variant, with the heading above the copy that goes where the same stands above the one that stays."""
        page, first = self.page, self.page.first
        (a, b), (c, d) = variant.copy, variant.kept
        if not variant.removed or variant.moved or not (page.starts_paragraph(a) and page.starts_paragraph(c)):
            return variant
        p, q = page.paragraph(a) - 1, page.paragraph(c) - 1
        if min(p, q) < 0 or page.line(p).strip().casefold() != page.line(q).strip().casefold():
            return variant
        size = a - first[p]
        if size >= self.config.min_words or not (first[p] >= d or b <= first[q]):
            return variant
        return variant._replace(copy=(a - size, b), kept=(c - size, d))

    # ------------------------------------------------------------ which copy goes

    def _ends(self, candidates: list[_Candidate]) -> tuple[int, int]:
        """Where a copy begins and ends, headings apart."""
        large = [at for at, c in enumerate(candidates) if c.unit.right.size >= self.least]
        return (large[0], large[-1]) if large else (len(candidates), 0)

    def _choose(self, candidate: _Candidate, host_right: bool, at_an_end: bool, misspelt: bool) -> _Choice | None:
        """Which copy of a unit should go; None if the better one cannot take the place of the other."""
        unit, right_better = candidate.unit, candidate.right_better
        # What is to take the place of its copy must be whole.
        left_may = candidate.left_may and (host_right or unit.right.whole())
        right_may = candidate.right_may and (not host_right or unit.left.whole())
        left_goes = right_better if right_better is not None else host_right if left_may and right_may else left_may
        loser, winner = (unit.left, unit.right) if left_goes else (unit.right, unit.left)
        if not (left_may if left_goes else right_may) or (at_an_end and self._joined(unit, winner)):
            return None
        facts = []
        for gap in [] if self.config.near_facts else unit.gaps:
            lost, kept = (gap.left, gap.right) if left_goes else (gap.right, gap.left)
            grave = self.changed(lost, kept, gap.alike)
            # A name that is spelt otherwise is a misspelling where most differences are.
            if grave == HARD or (grave and not (gap.alike and misspelt)):
                facts.append((lost, kept, grave))
        return _Choice(unit, loser, winner, tuple(facts))

    def _may_go(self, unit: Unit) -> tuple[bool, bool]:
        """Whether the left and the right copy of a unit are like enough to the other one to go for it.

        A sentence of its own forbids it; a short part of a paragraph must be all there.
        """
        out = []
        for side, other in ((unit.left, unit.right), (unit.right, unit.left)):
            short = side.size < _PART * other.size and side.size * self.weight < _LONE * self.config.min_paragraph
            like = self._like(side.matched, side.size, 0 if short else _PARAGRAPH)
            own = any(self._own_sentence(gap) for gap in _facing(unit, side)) or self._own_paragraph(unit, side)
            out.append(like and not own)
        return out[0], out[1]

    def _own_paragraph(self, unit: Unit, side: Half) -> bool:
        """Whether one of the paragraphs of a side is mostly missing in the other one: a heading came in by chance."""
        if len(side.paragraphs) < 2:
            return False
        gaps = [gap[:2][side is unit.right] for gap in unit.gaps if not gap.alike]
        starts = [start for start, _ in gaps]
        before = [0, *accumulate(end - start for start, end in gaps)]

        def missing(word: int) -> int:
            """The words in gaps up to here."""
            at = bisect_right(starts, word)
            return before[at] - (max(0, gaps[at - 1][1] - word) if at else 0)

        edges = [(self.page.first[p], self.page.first[p + 1]) for p in side.paragraphs]
        return any(b - a >= _STATEMENT and 2 * (missing(b) - missing(a)) > b - a for a, b in edges)

    def _own_sentence(self, gap: tuple[Span, Span]) -> bool:
        """Whether the first side of a gap holds a whole sentence that the second, shorter or not, does not have.

        A gap may have slid: where a sentence begins as the next one does, its first words seem to match.
        """
        (start, end), (a, b) = gap
        if end - start < _SENTENCE or is_stub(self.page, end):
            return False
        edges = [
            at
            for at in range(max(0, start - _SLID), end + _SLID + 1)
            if at <= self.total and ends_sentence(self.page, at)
        ]
        size = max((y - x for x, y in pairwise(edges)), default=0)
        return _SENTENCE <= size <= end - start and (b - a < size or size >= _STATEMENT)

    def _joined(self, unit: Unit, winner: Half) -> bool:
        """Whether the winner has words of its own before or after the copy: it is the copy, glued to something."""
        loser = unit.left if winner is unit.right else unit.right
        start, end = loser.span(self.page)
        if is_stub(self.page, end):
            return False
        edges = [(a, b) for a, b in _facing(unit, winner) if b[0] - start < _SENTENCE or end - b[1] < _SENTENCE]
        return any(a[1] - a[0] >= _SENTENCE and 2 * (b[1] - b[0]) < a[1] - a[0] for a, b in edges)

    def _like(self, matched: int, size: int, deviations: float) -> bool:
        """Whether as many words match as the asked similarity lets one expect, give or take what chance allows."""
        s = self.config.similarity or 1.0
        return matched >= s * size - deviations * math.sqrt(size * s * (1 - s))

    # ------------------------------------------------------------ whether it goes

    def _differs(self, choice: _Choice) -> bool:
        """Whether the loser is more than one verbatim run of the winner, which `decide` would see; or a garbled one."""
        start, end = choice.loser.span(self.page)
        left = choice.loser == choice.unit.left
        if left and garbled(self.page, (start, end)):
            return True
        gaps = [gap.left if left else gap.right for gap in choice.unit.gaps]
        return choice.loser.matched < choice.loser.size or any(start < gap[0] <= gap[1] < end for gap in gaps)

    def _ours(self, choices: list[_Choice]) -> bool:
        """Whether copies differ here, or each lacks something; the rest is left to `decide`."""
        return any(map(self._differs, choices)) or len({c.loser == c.unit.left for c in choices}) > 1

    def _ruled(self, group: list[_Choice], interleaved: bool) -> "Iterator[tuple[str, list[_Choice]]]":
        """The rules that decide on the parts of a copy."""
        page, config = self.page, self.config
        if not self._ours(group):
            return
        words = sum(c.loser.size for c in group)
        if not self._like(sum(c.loser.matched for c in group), words, _REGION):
            if words * self.weight >= _LONE * config.min_paragraph:
                yield "near-unlike", group
            return
        if interleaved:
            yield self._rule(group), group
            return
        copies, originals = _spans(page, group)
        between = min(abs(originals[0][0] - copies[-1][1]), abs(copies[0][0] - originals[-1][1]))
        large = words * self.weight >= _LARGE * config.min_paragraph
        whole = large and between * _NOISE <= words and 3 * words >= len(page.words.starts)
        rest: list[_Choice] = []
        for run in _neighbours(group):
            copies, originals = _spans(page, run)
            later = run[0].unit.right.span(page)[0], run[-1].unit.right.span(page)[1]
            earlier = run[0].unit.left.span(page)[0], run[-1].unit.left.span(page)[1]
            if not whole and quoted(page, later, earlier):
                yield "quotation", run
            elif (
                in_fields(page, later, earlier)
                or under_notices(page, later[0], earlier[0])
                or (not whole and (under_heads(page, later, earlier) or self.sections.closed(later, earlier)))
            ):
                yield "clause", run
            elif coded(page, [*copies, *originals]) or (not whole and in_code(self.code, [*copies, *originals])):
                yield "code", run
            elif not whole and (in_lists(page, later, earlier) or all(in_rows(page, x) for x in (copies, originals))):
                yield "list", run
            else:
                rest += run
        if self._ours(rest):
            yield "near-copy" if whole else self._rule(rest), rest

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

    def _noise(self, choices: list[_Choice]) -> bool:
        """Whether a name for a name is noise: much else differs as well."""
        facts = [n for c in choices for *_, n in c.facts]
        hard = facts.count(HARD)
        return (len(facts) - hard) * _NOISE <= sum(len(c.unit.gaps) for c in choices) - hard

    def _edited(self, unit: Unit) -> bool:
        """Whether a unit of which neither side may go is a copy all the same: half of its words match."""
        less = min(unit.left, unit.right, key=lambda side: side.size)
        return 2 * less.matched >= less.size >= self.least

    def _stays(self, choice: _Choice, rule: str) -> Variant:
        left, right = choice.unit.left.span(self.page), choice.unit.right.span(self.page)
        facts = tuple((lost, kept) for lost, kept, _ in choice.facts) if rule == "near-facts" else ()
        return Variant(right, left, False, False, rule, facts)

    # ------------------------------------------------------------ in the order of reading

    def _go(self, choices: list[_Choice], host_right: bool) -> list[Variant]:
        """The variants of the copies that go, neighbours told as one."""
        out: list[tuple[_Choice, Variant]] = []
        open_end = len(choices) if host_right else self._open_end(choices)
        for at, choice in enumerate(choices):
            kept = choice.winner.span(self.page)
            moved = (choice.loser == choice.unit.right) == host_right and at < open_end
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

    def _open_end(self, choices: list[_Choice]) -> int:
        """The choice from which the earlier copy breaks off: the later one goes on, in its own place, with the rest."""
        at = len(choices)
        while at and choices[at - 1].loser == choices[at - 1].unit.left:
            at -= 1
        if at == len(choices):
            return at
        left, right, _ = choices[-1].unit
        return at if right.size >= left.size + FULLER or is_stub(self.page, left.span(self.page)[1]) else len(choices)


def _facing(unit: Unit, side: Half) -> list[tuple[Span, Span]]:
    """The gaps of a unit, one side first."""
    return [(gap.left, gap.right) if side is unit.left else (gap.right, gap.left) for gap in unit.gaps]


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
