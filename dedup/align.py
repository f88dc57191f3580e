"""Matches to alignments: a copy that differs, word beside word.

Why: an edited copy is many short runs with other words between them. Runs that follow one another on both sides are
chained, and scored by the words that match (colinear chaining with a bounded look back, as in minimap2, Li 2018). Then
the two stretches are compared word by word, and what does not match is a difference.

    the council voted on Tuesday to keep the old library open
    the council voted on Monday  to keep its old library       ->  3 runs, 2 gaps and an end
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import pairwise

from dedup.model import Alignment, Gap, Match, Page, Span
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    Keys = Callable[[str], list[str]]

Run = tuple[int, int, int]

_LOOK_BACK = 50  # runs among which the one before is looked for
_EDIT = 64  # words that may differ on both sides between two runs
_INSERTED = 400  # words that one side may have more between two runs
_SLACK = 8  # words that the original may have more at the ends of a copy
_EIGHTH = 8  # of the words of a chain: less is a false start
_PHRASE = 4  # of the words of a paragraph: less is no copy of it
_TABLE = 1 << 14  # cells of a comparison; larger gaps are one difference
_GRAM = 3  # words that make a place in a text
_WRONG = 3  # letters of a word that may be wrong
_SPELT = 4  # letters from which a word may be a misspelling of another


def alignments(page: Page, seeds: list[Match], keys: "Keys", least: int) -> list[Alignment]:
    """Return the alignments of at least `least` matching words, in order of their right sides.

    `seeds` are maximal runs in order of their right sides, `keys` gives the match keys of a text. The left side of an
    alignment ends before the right side starts. No two alignments share a run. Time is linear in the seeds, and in the
    words times the size of a gap, which is bounded.
    """
    out = []
    for chain in _joined(list(_chains([seed for seed in seeds if seed.left + seed.length <= seed.right]))):
        if _size(chain) >= least:
            found = _aligned(page, _begun(page, chain), keys)
            if found:
                out.append(found)
    return sorted(out, key=lambda a: a.runs[0].right)


def _chains(seeds: list[Match]) -> "Iterator[list[Match]]":
    """The best chains first; a run is in one of them."""
    score = [2 * seed.length for seed in seeds]
    back, origin = [-1] * len(seeds), [seed.right for seed in seeds]
    for at, seed in enumerate(seeds):
        for before in range(at - 1, max(-1, at - 1 - _LOOK_BACK), -1):
            other = seeds[before]
            left, right = seed.left - other.left - other.length, seed.right - other.right - other.length
            new = seed.length + min(0, left, right)
            if new <= 0 or seed.left <= other.left or seed.left + seed.length > origin[before]:
                continue
            if max(left, right) > _INSERTED or min(left, right) > _EDIT:
                continue
            if abs(left - right) >= other.right - other.left:  # another copy lies between
                continue
            total = score[before] + 2 * new - abs(left - right).bit_length() - max(0, min(left, right)).bit_length()
            if total > score[at]:
                score[at], back[at], origin[at] = total, before, origin[before]
    used = bytearray(len(seeds))
    for last in sorted(range(len(seeds)), key=lambda at: (-score[at], at)):
        chain, at = [], last
        while at >= 0 and not used[at]:
            used[at] = 1
            chain.append(seeds[at])
            at = back[at]
        if chain:
            yield _trimmed(chain[::-1])


def _joined(chains: list[list[Match]]) -> list[list[Match]]:
    """The chains; where a false start kept one from reaching its end, which became another, that start is dropped."""
    chains.sort(key=lambda chain: chain[0].right)
    out: list[list[Match]] = []
    for chain in chains:
        last = out[-1] if out else []
        if last and _follows(last[-1], chain[0]):
            rest = [run for run in last if run.right >= _end(chain[-1])[0]]
            if rest and _EIGHTH * (_size(last) - _size(rest)) < _size(last):
                out[-1] = rest + chain
                continue
        out.append(chain)
    return out


def _begun(page: Page, chain: list[Match]) -> list[Match]:
    """The chain without runs at its start that are little of their paragraphs: set phrases before the copy begins."""
    while True:
        (left, right, _), rest = chain[0], 1
        edges = _edges(page, left), _edges(page, right)
        while rest < len(chain) and chain[rest].right < edges[1][1]:
            rest += 1
        if rest == len(chain) or _PHRASE * _size(chain[:rest]) >= min(b - a for a, b in edges):
            return chain
        chain = chain[rest:]


def _follows(before: Match, after: Match) -> bool:
    left, right = after.left - _end(before)[0], after.right - _end(before)[1]
    return min(left, right) >= 0 and max(left, right) <= _INSERTED and min(left, right) <= _EDIT


def _size(chain: list[Match]) -> int:
    return sum(run.length for run in chain)


def _trimmed(chain: list[Match]) -> list[Match]:
    """The runs of a chain, apart: where two overlap, the later one starts later."""
    out: list[Match] = []
    for run in chain:
        over = max(0, *(end - at for end, at in zip(_end(out[-1]), run, strict=False))) if out else 0
        if over < run.length:
            out.append(Match(run.left + over, run.right + over, run.length - over))
    return out


def _end(run: Match) -> Span:
    return run.left + run.length, run.right + run.length


def _aligned(page: Page, chain: list[Match], keys: "Keys") -> Alignment | None:
    """The alignment of a chain, grown to the edges of its paragraphs, its words compared as strings."""
    left, right = _window(page, chain)
    a, b = (keys(page.text[page.words.starts[s] : page.words.end(e - 1)]) for s, e in (left, right))
    if len(a) != left[1] - left[0] or len(b) != right[1] - right[0]:
        return None
    runs = [Match(left[0] + i, right[0] + j, n) for i, j, n in compare(a, b)]
    return Alignment(tuple(runs), tuple(_gaps(runs, a, b, (left[0], right[0])))) if runs else None


def _window(page: Page, chain: list[Match]) -> tuple[Span, Span]:
    """The words to compare: the chain, and what belongs to its first and last paragraphs on either side."""
    (l0, r0), (l1, r1) = chain[0][:2], _end(chain[-1])
    opening = _edges(page, r0)[0]
    head = min(_EDIT, max(_head(page, r0), _head(page, l0)))
    ends = _edges(page, l1 - 1)[1], _edges(page, r1 - 1)[1]
    tail = min(_EDIT, max(ends[0] - l1, ends[1] - r1))
    # Of two copies in a row the first may seem to run on into the second.
    limit = opening if l0 < opening else r0
    more = _paired(page, *ends, limit)
    end = min(max(l1 + (tail + _SLACK if tail else 0), more[0]), limit)
    start = max(r0 - head, end)
    return (max(0, l0 - (head + _SLACK if head else 0)), end), (start, min(max(r1 + tail, more[1]), page.first[-1]))


def _paired(page: Page, left: int, right: int, limit: int) -> Span:
    """Where the paragraphs end that follow on both sides, near by, and have half of their words in common."""
    hashes, last = page.words.hashes, min(page.first[-1], right + _INSERTED)
    while left < limit and right < last:
        ends = _edges(page, left)[1], _edges(page, right)[1]
        if ends[0] > min(limit, left + _INSERTED) or ends[1] > last:
            break
        a, b = hashes[left : ends[0]].tolist(), hashes[right : ends[1]].tolist()
        if 2 * sum(n for *_, n in compare(a, b)) < max(len(a), len(b)):
            break
        left, right = ends
    return left, right


def _head(page: Page, word: int) -> int:
    """The words before `word` in its paragraph, and of a heading before that."""
    start = _edges(page, word)[0]
    before = _edges(page, start - 1)[0] if start else 0
    return word - (before if start - before <= _SLACK else start)


def _edges(page: Page, word: int) -> Span:
    """The words of the paragraph that holds `word`."""
    at = bisect_right(page.first, word)
    return page.first[at - 1], page.first[at]


def compare(a: "Sequence[Hashable]", b: "Sequence[Hashable]") -> list[Run]:
    """Return the runs (start in a, start in b, length) of words that stand in both lists, in order.

    Runs of words that stand once in each are laid down first, as many as keep their order (patience diff, Cohen); what
    stands between them is compared by longest common subsequence where it is short. Runs shorter than what differs
    before and after them are chance, and left out (as the semantic cleanup of diff-match-patch does, Fraser 2012).
    """
    out: list[Run] = []
    i = j = 0
    for x, y in [*_rising(_unique(a, b)), (len(a), len(b))]:
        if x < i or y < j:
            continue
        start = x, y
        while x < len(a) and start[0] > i and start[1] > j and a[start[0] - 1] == b[start[1] - 1]:
            start = start[0] - 1, start[1] - 1
        out += [(i + p, j + q, n) for p, q, n in _common(a[i : start[0]], b[j : start[1]])]
        i, j = x, y
        while i < len(a) and j < len(b) and a[i] == b[j]:
            i, j = i + 1, j + 1
        if i > start[0]:
            out.append((*start, i - start[0]))
    return _meant(out, len(a), len(b))


def _meant(runs: list[Run], left: int, right: int) -> list[Run]:
    """The runs that are not chance: each is as long as the gap before it, or as the gap after it."""
    out: list[Run] = []
    for run in [*runs, (left, right, 0)]:
        while out:
            (x, y, length), (i, j) = out[-1], (out[-2][0] + out[-2][2], out[-2][1] + out[-2][2]) if out[1:] else (0, 0)
            if length >= min(max(x - i, y - j), max(run[0] - x - length, run[1] - y - length)):
                break
            out.pop()
        out.append(run)
    return out[:-1]


def _unique(a: "Sequence[Hashable]", b: "Sequence[Hashable]") -> list[Span]:
    """Where the same few words start that stand once in `a` and once in `b`, in order of `a`."""
    first, second = _once(a), _once(b)
    return [(x, y) for gram, x in first.items() if (y := second.get(gram, -1)) >= 0 <= x]


def _once(words: "Sequence[Hashable]") -> "dict[tuple[Hashable, ...], int]":
    """Where the same few words start; -1 for those that stand more than once."""
    grams = list(zip(*(words[n:] for n in range(_GRAM)), strict=False))
    at = dict(zip(grams, range(len(grams)), strict=True))
    if len(at) < len(grams):
        at.update((gram, -1) for gram, count in Counter(grams).items() if count > 1)
    return at


def _rising(pairs: list[Span]) -> list[Span]:
    """The most pairs that rise on both sides (patience sorting)."""
    if all(x[1] < y[1] for x, y in pairwise(pairs)):
        return pairs
    tops: list[int] = []
    ends: list[int] = []
    back = [-1] * len(pairs)
    for at, (_, y) in enumerate(pairs):
        pile = bisect_left(tops, y)
        tops[pile : pile + 1] = [y]
        ends[pile : pile + 1] = [at]
        back[at] = ends[pile - 1] if pile else -1
    out, at = [], ends[-1] if ends else -1
    while at >= 0:
        out.append(pairs[at])
        at = back[at]
    return out[::-1]


def _common(a: "Sequence[Hashable]", b: "Sequence[Hashable]") -> "Iterator[Run]":
    """Yield the runs of a longest common subsequence of two short lists; nothing where the table would be too large.

    The table is a number a row (bit-parallel, Hyyrö 2004): with each bit that is 0 the subsequence is one word longer.
    """
    if not a or not b or len(a) * len(b) > _TABLE:
        return
    places: dict[Hashable, int] = {}
    for at, word in enumerate(reversed(b)):
        places[word] = places.get(word, 0) | 1 << at
    if places.keys().isdisjoint(a):
        return
    rows = [every := (1 << len(b)) - 1]
    for word in reversed(a):
        row = rows[-1]
        same = row & places.get(word, 0)
        rows.append(((row + same) | (row - same)) & every)

    i = j = length = 0
    left = every  # a bit for each word of b[j:]
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            i, j, length, left = i + 1, j + 1, length + 1, left >> 1
            continue
        if length:
            yield i - length, j - length, length
            length = 0
        # The longest one of a[i + 1:] and b[j:] has as many words as there are bits of 0.
        if (rows[len(a) - i - 1] & left).bit_count() <= 1 + (rows[len(a) - i] & left >> 1).bit_count():
            i += 1
        else:
            j, left = j + 1, left >> 1
    if length:
        yield i - length, j - length, length


def _gaps(runs: list[Match], a: list[str], b: list[str], base: Span) -> "Iterator[Gap]":
    """What stands between the runs; a gap in which each word is a misspelling of its opposite is alike."""
    first, last, size = (runs[0].left, runs[0].right), _end(runs[-1]), base[1] + len(b)
    # At the ends as many words of the original are told as the copy has there: the rest was only compared.
    edges = [((max(base[0], first[0] - (first[1] - base[1])), base[1]), first)]
    edges += [(_end(x), (y.left, y.right)) for x, y in pairwise(runs)]
    edges.append((last, (min(base[0] + len(a), last[0] + size - last[1]), size)))
    for (l0, r0), (l1, r1) in edges:
        if l0 < l1 or r0 < r1:
            old, new = a[l0 - base[0] : l1 - base[0]], b[r0 - base[1] : r1 - base[1]]
            yield Gap((l0, l1), (r0, r1), _alike(old, new))


def _alike(old: list[str], new: list[str]) -> bool:
    if not old or not new or len(old) + len(new) > _EDIT:
        return False
    if "".join(old) == "".join(new):
        return True
    return len(old) == len(new) and all(x == y or misspelt(x, y) for x, y in zip(old, new, strict=True))


def misspelt(x: str, y: str) -> bool:
    """Whether two words are one word with a few wrong letters: one in four or five, two in six to eight, three in more.

    >>> misspelt("modern", "rnodern"), misspelt("thousand", "th0usand"), misspelt("1990", "1996")
    (True, True, False)
    """
    least, most = sorted((len(x), len(y)))
    allowed = min(least // 3, _WRONG) if least >= _SPELT else 0
    if most - least > allowed or not allowed or x.isdecimal() or y.isdecimal():
        return False
    row = list(range(len(y) + 1))
    for i, c in enumerate(x, 1):
        previous, row[0] = row[0], i
        for j, d in enumerate(y, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (c != d))
    return row[-1] <= allowed
