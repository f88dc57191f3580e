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
from itertools import pairwise

from dedup.config import Config
from dedup.evidence import ends_sentence, garbled, in_fields, in_lines, in_rows, is_stub, quoted, texture
from dedup.model import Half, Near, Page, Span, Unit, Variant
from dedup.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fact = Callable[[Page, Span, Span, bool], int]

HARD = 2  # see facts.py
_REGION, _PARAGRAPH = 2.0, 4.0  # standard deviations that a whole copy, and one paragraph of it, may fall below
_LARGE = 3  # times the shortest lone paragraph: what is copied on this scale is no refrain
_LONE = 2  # times the shortest lone exact copy: what differs needs more words to be sure
_NOISE = 4  # one difference in so many may be a name for a name by chance, where all else differs too
_FULLER = 3  # words that one copy must have more to be the more complete one
_STATEMENT = 5  # words of a sentence that no other one can stand for
_SLID = 3  # words by which a gap may seem to stand before or after its place
_SENTENCE = 3  # words of a sentence that would be missed
_PART = 0.8  # share of a paragraph below which a lone copy of it is a part pulled out


class _Choice(Record):
    """A unit, its copy that would go, and the differences that forbid it."""

    unit: Unit
    loser: Half
    winner: Half
    facts: tuple[tuple[Span, Span, int], ...]


def variants(page: Page, found: list[Near], config: Config, fact: "Fact", weight: float) -> list[Variant]:
    """Return what happens to each near copy. What is removed is apart, and what it is kept for is not removed.

    `found` is in order of the right copies; `fact` says whether giving up words for others changes a fact (0 no,
    1 perhaps, 2 yes); `weight` is what a word counts where sizes are judged. Copies that are exact in all their
    paragraphs are left to `decide`.
    """
    judge = _Judge(page, config, fact, weight)
    total = len(page.words.starts)
    gone, held, told = bytearray(total), bytearray(total), bytearray(total)
    out: list[Variant] = []
    for near in sorted(found, key=lambda near: -sum(unit.left.matched for unit in near.units)):
        if near.units:
            # A later copy is one copy: what a larger alignment tells is not told again by one that strays into it.
            start, end = near.units[0].right.span(page)[0], near.units[-1].right.span(page)[1]
            if 2 * told.count(1, start, end) > end - start:
                continue
            told[start:end] = b"\1" * (end - start)
        for variant in judge.variants(near):
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
        self.total = len(page.words.starts)
        self.least = config.min_paragraph / weight
        self.texture = texture(zip(page.first, page.first[1:], strict=False), weight)

    def variants(self, near: Near) -> list[Variant]:
        pairs = [(u, b) for u, b in zip(near.units, near.right_better, strict=True) if any(self._may_go(u))]
        if not pairs:
            start, end = near.alignments[0].runs[0], near.alignments[-1].runs[-1]
            sides = (start.right, end.right + end.length), (start.left, end.left + end.length)
            return [Variant(*sides, False, False, "near-chance", ())]
        units = [unit for unit, _ in pairs]
        interleaved = len(near.alignments) > 1
        host_right = not interleaved and self._host_right(units, [right for _, right in pairs], near.misspelt)
        choices = [c for u, right in pairs if (c := self._choose(u, right, host_right, units, near.misspelt))]
        out = [self._unlike(u) for u in near.units if u not in units and self._edited(u)]
        for group in [choices] if interleaved else self._groups(choices):
            for rule, part in self._ruled(group, interleaved):
                guarded = self._guarded(part)
                go = [c for c in part if c not in guarded]
                if rule == "near-copy":
                    out += self._go(go, host_right)
                else:
                    out += [self._stays(c, rule) for c in go if self._differs(c)]
                known = rule == "near-copy"
                out += [self._stays(c, "near-facts") for c in guarded if known or c.loser.size >= self.least]
        return out

    def _host_right(self, units: list[Unit], right_better: list[bool | None], misspelt: bool) -> bool:
        """Whether the later copy stays in its place: it has paragraphs of its own, or is the better one in most.

        The rest of a worse copy that goes on between the two would come to stand before the better one.
        """
        more = self._own([u.right for u in units]) - self._own([u.left for u in units])
        if abs(more) >= self.least:
            return more > 0
        right = sum(u.right.size for u, better in zip(units, right_better, strict=True) if better)
        between = units[-1].left.span(self.page)[1], units[0].right.span(self.page)[0]
        rest = between[1] - between[0] >= self.least and (misspelt or garbled(self.page, between))
        return 2 * right > sum(u.right.size for u in units) and not rest

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

    def _choose(
        self, unit: Unit, right_better: bool | None, host_right: bool, units: list[Unit], misspelt: bool
    ) -> _Choice | None:
        """Which copy of a unit should go; None if the better one cannot take the place of the other."""
        may = self._may_go(unit)
        # What is to take the place of its copy must be whole.
        may = may[0] and (host_right or unit.right.whole()), may[1] and (not host_right or unit.left.whole())
        left_goes = right_better if right_better is not None else host_right if all(may) else may[0]
        loser, winner = (unit.left, unit.right) if left_goes else (unit.right, unit.left)
        if not may[0 if left_goes else 1] or (self._at_an_end(unit, units) and self._joined(unit, winner)):
            return None
        facts = []
        for gap in [] if self.config.near_facts else unit.gaps:
            lost, kept = (gap.left, gap.right) if left_goes else (gap.right, gap.left)
            grave = self.fact(self.page, lost, kept, gap.alike)
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
            out.append(like and not any(self._own_sentence(gap) for gap in _facing(unit, side)))
        return out[0], out[1]

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

    def _at_an_end(self, unit: Unit, units: list[Unit]) -> bool:
        """Whether a copy begins or ends with this unit, headings apart."""
        large = [u for u in units if u.right.size >= self.least]
        return (
            not large
            or unit.right.paragraphs <= large[0].right.paragraphs
            or unit.right.paragraphs >= large[-1].right.paragraphs
        )

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
            earlier = run[0].unit.left.span(page)[0]
            if not whole and quoted(page, later, earlier):
                yield "quotation", run
            elif in_fields(page, later, earlier):
                yield "clause", run
            elif not whole and in_rows(page, copies) and in_rows(page, originals):
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
