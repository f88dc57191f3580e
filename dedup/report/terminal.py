"""The diff report for people, drawn with Rich: what went, what it repeats, what stays though it repeats, and why.

The signs carry the meaning and colour only repeats it, so the report reads the same through a pipe.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby

from rich.console import Console
from rich.text import Text

from dedup.decode import byte_offsets, decode
from dedup.fix import reason
from dedup.model import Block, Boilerplate, Change, Cluster, Difference, Fix, Passage, Result, Side, Span
from dedup.report.run import Run
from dedup.report.safe import safe, visible
from dedup.segment import segment

_WIDE = 100  # columns from which the two sides stand beside each other
_CELLS = 60  # cells of the map; longer documents share cells
_HEAD, _TAIL = 3, 2  # paragraphs shown of a long block
_SHOWN = 2000  # bytes of a paragraph that may be shown at most
_TOLD = 5  # differences shown of a document that is dropped
_FIXES = 3  # places shown of what a fixer mended
_LISTED = 10  # blocks shown of each list, unless all are asked for


class _Signs:
    """The characters of the report, plain where the terminal has no others."""

    def __init__(self, encoding: str) -> None:
        try:
            "█▓░→–…⋮│".encode(encoding)
            self.unique, self.kept, self.gone, self.to, self.dash, self.cut, self.more, self.bar = "█▓░→–…⋮│"
        except (UnicodeEncodeError, LookupError):
            self.unique, self.kept, self.gone, self.to, self.dash, self.cut, self.more, self.bar = "#=.>-~:|"


def show(console: Console, result: Result, *, full: bool = False) -> None:
    """Print the report of one document."""
    _Report(console, result, full).draw()


def show_run(console: Console, run: Run, *, full: bool = False) -> None:
    """Print the report of a run: of its documents, and of what they share."""
    total, shown = run.totals["documents"], 0
    every = full or total <= _LISTED
    for _, result, removed in run.results() if every else run.repeating():
        blocks = [b for b in result.blocks if b.document is None]
        if not every and (removed or not blocks):
            continue
        if not every and shown == _LISTED:
            break
        if shown:
            console.print()
        shown += 1
        show(console, result._replace(blocks=tuple(blocks)), full=full)
    if total > 1:
        _Across(console, run, full).draw(total - shown)
    for note in run.notes:
        console.print(Text(f"note: {safe(note)}", "yellow"), soft_wrap=True)


def explain(console: Console, result: Result, passes: Sequence[Sequence[Block]]) -> None:
    """Print every match that was considered, pass by pass: what, where, its witness, its score, its rule."""
    report = _Report(console, result, full=True)
    for number, blocks in enumerate(passes, 1):
        report.line()
        report.line(f"Pass {number}: {_count(len(blocks), 'match')} considered".replace("matchs", "matches"), "bold")
        for block in blocks:
            report.considered(block)


def headline(result: Result, to: str = "→") -> str:
    """The whole story in one line."""
    before, after = result.paragraphs
    undecoded = f"  {result.undecoded:,} bytes are not {result.encoding}, kept as they are" if result.undecoded else ""
    if not result.removed and result.fixes:
        sizes = f"{len(result.data):,} {to} {len(result.clean):,} bytes"
        return f"{safe(result.source)}  {_count(before, 'paragraph')}  {sizes}  mended, nothing removed{undecoded}"
    if not result.removed:
        repeats = f"{_count(len(result.repeated), 'repeat')} kept" if result.repeated else "nothing repeats"
        size = f"{_count(before, 'paragraph')}  {_count(len(result.data), 'byte')}"
        return f"{safe(result.source)}  {size}  {repeats}{undecoded}"
    return (
        f"{safe(result.source)}  {before:,} {to} {after:,} paragraphs  "
        f"{len(result.data):,} {to} {len(result.clean):,} bytes  {100 * result.duplication:.1f}% removed{undecoded}"
    )


class _Across:
    """What the documents of a batch share."""

    def __init__(self, console: Console, run: Run, full: bool) -> None:
        self.console, self.run, self.full = console, run, full
        self.sign = _Signs(console.encoding)

    def draw(self, hidden: int) -> None:
        findings, totals = self.run.findings, self.run.totals
        if hidden:
            self.line()
            self.line(f"{self.sign.more} {_count(hidden, 'document')} not shown; --full shows all", "dim")
        if findings.clusters:
            members = sum(len(c.members) for c in findings.clusters)
            self.line()
            self.line(f"Documents that repeat others: {members:,}, {totals['documents_removed']:,} dropped", "bold")
            self.some([partial(self.cluster, c) for c in findings.clusters], "cluster")
        if findings.passages:
            self.line()
            self.line(f"Passages that an earlier document has: {len(findings.passages):,}", "bold")
            self.some([partial(self.passage, p) for p in findings.passages], "passage")
        if findings.boilerplate:
            self.line()
            self.line(f"Lines that several documents have: {len(findings.boilerplate):,}", "bold")
            rows = sorted(findings.boilerplate, key=lambda b: -b.documents)
            self.some([partial(self.boilerplate, b) for b in rows], "line")
        if findings.capped:
            self.line()
            self.line(
                f"{_count(findings.capped, 'fingerprint')} stand in so many documents that each of these was compared "
                "with the first only",
                "yellow",
            )
        self.line()
        dropped = f"{totals['documents_removed']:,} dropped, " if totals["documents_removed"] else ""
        self.line(
            f"{_count(totals['documents'], 'document')}, {dropped}{totals['bytes_removed']:,} of "
            f"{_count(totals['bytes_in'], 'byte')} removed, {100 * totals['duplication']:.1f}%",
            "bold",
        )

    def some(self, rows: Sequence[Callable[[], None]], name: str) -> None:
        """A list, cut short unless all of it is asked for."""
        for row in rows if self.full else rows[:_LISTED]:
            row()
        if len(rows) > _LISTED and not self.full:
            self.line(f"  {self.sign.more} {_count(len(rows) - _LISTED, f'more {name}')}; --full shows them", "dim")

    def cluster(self, cluster: Cluster) -> None:
        seen = self.run.seen(cluster.canonical)
        where = f"  in the index: {seen['run_name']}, {seen['started']}" if seen else ""
        self.line(f"  {self.name(cluster.canonical)}{safe(where)}", "green")
        for member in cluster.members:
            sign, style = (self.sign.gone, "red") if member.removed else (self.sign.kept, "")
            alike = "" if member.kind == "exact" else f", resemblance {member.resemblance:.2f}"
            alike += f", containment {member.containment:.2f}" if member.kind in ("contained", "overlap") else ""
            self.line(f"    {sign} {self.name(member.document)}  {safe(member.reason)}{alike}", style)
            self.differences(member.differences)

    def differences(self, told: Sequence[Difference]) -> None:
        """Where a document that goes differs: [-its words-]{+words of its witness+}."""
        row = Text("        ")
        for difference in told if self.full else told[:_TOLD]:
            old, new = (safe(side if self.full else side[:_SHOWN]) for side in (difference.text, difference.kept_text))
            row.append(f"[-{old}-]" if old else "", "red").append(f"{{+{new}+}}" if new else "", "green").append(" ")
        if len(told) > _TOLD and not self.full:
            row.append(f"{self.sign.more} {len(told) - _TOLD:,} more; --full shows them", "dim")
        if told:
            self.console.print(row, soft_wrap=True)

    def passage(self, passage: Passage) -> None:
        sign, style = (self.sign.gone, "red") if passage.removed else (self.sign.kept, "")
        here, there = (
            f"{self.name(document)}:{_range(self.run.side(document, span).lines, self.sign.dash)}"
            for document, span in ((passage.document, passage.copy), (passage.first, passage.kept))
        )
        self.line(f"  {sign} {here} = {there}, {_count(passage.words, 'word')}", style)
        self.line(f"    {self.sign.bar} {safe(passage.text)}", "dim")

    def boilerplate(self, line: Boilerplate) -> None:
        sign, style = (self.sign.gone, "red") if line.removed else (self.sign.kept, "")
        self.line(f"  {sign} {line.documents:,} documents {self.sign.bar} {safe(line.text)}", style)

    def name(self, document: int) -> str:
        return safe(self.run.name(document))

    def line(self, text: str = "", style: str = "") -> None:
        row = Text(text, style)
        row.truncate(self.console.width, overflow="ellipsis" if self.sign.more == "⋮" else "crop")
        self.console.print(row, soft_wrap=True)


class _Report:
    def __init__(self, console: Console, result: Result, full: bool) -> None:
        self.console, self.result, self.full = console, result, full
        self.sign = _Signs(console.encoding)
        self.width = console.width
        self.paragraphs = _Paragraphs(result)

    def draw(self) -> None:
        self.line(headline(self.result, self.sign.to), "bold")
        removed, repeated = self.result.removed, self.result.repeated
        if removed:
            self.line()
            self.map(removed)
        for block in self.some(removed):
            self.line()
            self.block(block)
        self.rest(removed)
        if repeated:
            self.line()
            self.line(f"Repeated, kept: {len(repeated):,}", "bold")
            for rule, group in groupby(sorted(repeated, key=lambda b: b.rule), key=lambda b: b.rule):
                self.kept(rule, list(group))
        if self.result.fixes:
            self.line()
            self.line(f"Mended: {_count(len(self.result.fixes), 'place')}", "bold")
            for rule, fixes in groupby(sorted(self.result.fixes, key=lambda fix: fix.rule), key=lambda fix: fix.rule):
                self.mended(rule, list(fixes))

    # ------------------------------------------------------------ parts

    def map(self, removed: Sequence[Block]) -> None:
        """One cell a paragraph, or a share of a long document; a cell shows its weightiest part."""
        total = self.result.paragraphs[0]
        marks = [0] * (total + 1)
        for block in removed:
            for side, mark in ((block.kept, 1), (block.copy, 2)):
                for p in range(side.paragraphs[0], side.paragraphs[1] + 1):
                    marks[p] = max(marks[p], mark)
        count = min(total, _CELLS)
        row = Text(f"  {1:>3} ")
        for cell in range(count):
            low, high = 1 + cell * total // count, 1 + (cell + 1) * total // count
            mark = max(marks[low : max(high, low + 1)])
            row.append((self.sign.unique, self.sign.kept, self.sign.gone)[mark], ("", "green", "red")[mark])
        row.append(f" {total}")
        legend = f"    {self.sign.unique} unique  {self.sign.kept} kept  {self.sign.gone} removed"
        if len(row) + len(legend) <= self.width:
            self.print(row.append(legend, "dim"))
        else:
            self.print(row)
            self.print(Text("     " + legend, "dim"))

    def block(self, block: Block) -> None:
        copy, kept = block.copy, block.kept
        paragraphs = copy.paragraphs[1] - copy.paragraphs[0] + 1
        title = Text().append(f"{block.id}  ", "bold")
        alike = f"  {_percent(block.similarity)} alike" if block.kind == "near" else ""
        size = f"{_count(paragraphs, 'paragraph')}  {copy.bytes[1] - copy.bytes[0]:,} bytes"
        title.append(f"{block.kind} copy{alike}  {size}  ")
        title.append(f"{self.range(copy)} = {self.range(kept)}", "bold")
        self.print(title)
        self.print(Text(f"   {block.rule}: {block.reason}", "dim"))
        if block.moved:
            self.print(Text(f"   the better copy, {self.range(kept)}, was put in the place of this one", "dim"))
        elif copy.bytes < kept.bytes:
            self.print(Text("   the later copy stays: it is the better preserved or the more complete one", "dim"))
        rows = list(self.marked(block) if block.changes else self.rows(copy, kept))
        shown = rows if self.full or len(rows) <= _HEAD + _TAIL + 1 else rows[:_HEAD] + rows[-_TAIL:]
        for at, row in enumerate(shown):
            if len(shown) < len(rows) and at == _HEAD:
                same = "" if block.changes else ", the same words"
                self.print(Text(f"      {self.sign.more} {len(rows) - len(shown):,} more{same}", "dim"))
            self.print(row)

    def mended(self, rule: str, fixes: Sequence[Fix]) -> None:
        """What one fixer did: [-what stood there-]{+what stands there now+}."""
        self.print(Text(f"  {rule}: {len(fixes):,}  {reason(rule)}", "dim"))
        for fix in fixes if self.full else fixes[:_FIXES]:
            p = self.paragraphs.at(fix.span[0])
            old, new = (safe(visible(side[:_SHOWN])) for side in self.result.told(fix))
            row = Text(f"    {p}  ").append(f"[-{old}-]" if old else "", "red")
            self.print(row.append(f"{{+{new}+}}" if new else "", "green"))
        if len(fixes) > _FIXES and not self.full:
            self.print(Text(f"    {self.sign.more} {len(fixes) - _FIXES:,} more", "dim"))

    def rows(self, copy: Side, kept: Side) -> Iterable[Text]:
        """The paragraphs of a copy beside those that they repeat; where they do not pair, the copy alone."""
        copies = range(copy.paragraphs[0], copy.paragraphs[1] + 1)
        originals = range(kept.paragraphs[0], kept.paragraphs[1] + 1)
        paired = len(copies) == len(originals)
        digits = len(str(max(copies[-1], originals[-1])))
        for p, q in zip(copies, originals if paired else [0] * len(copies), strict=True):
            text = self.paragraphs.text(p, copy.bytes)
            if paired and self.width >= _WIDE:
                half = (self.width - 2 * digits - 10) // 2
                row = (
                    Text()
                    .append(f"  {q:>{digits}} ", "green")
                    .append(self.fit(self.paragraphs.text(q, kept.bytes), half, pad=True), "")
                )
                yield (
                    row.append(f" {self.sign.bar} ", "dim")
                    .append(f"- {p:>{digits}} ", "red")
                    .append(self.fit(text, half), "")
                )
            else:
                number = f"  - {p:>{digits}} = {q:<{digits}} " if paired else f"  - {p:>{digits}} "
                yield Text().append(number, "red").append(self.fit(text, self.width - len(number)), "")

    def marked(self, block: Block) -> Iterable[Text]:
        """The paragraphs of a near copy that differ: [-words of the copy-]{+words of what is kept+}."""
        first, last = block.copy.paragraphs
        starts, told = [c.copy[0] for c in block.changes], 0
        for p in range(first, last + 1):
            start, end = self.paragraphs.span(p, block.copy.bytes)
            here = block.changes[bisect_left(starts, start) : bisect_right(starts, end)]
            changes = [c for c in here if c.copy[1] <= end]
            told += len(changes)
            if changes:
                number = f"  - {p} " if first < last else "  - "
                row = self.marks(start, end, changes, self.width - len(number))
                yield Text().append(number, "red").append_text(row)
        if told < len(starts):
            yield Text(f"      {_count(len(starts) - told, 'difference')} across paragraphs", "dim")

    def marks(self, start: int, end: int, changes: Sequence[Change], width: int) -> Text:
        """A stretch of the copy with its changes marked, cut to `width` so that the first change is seen."""
        part, at, out = self.paragraphs.part, start, Text()
        for change in changes:
            before = part(at, change.copy[0])
            if not out and len(before) > width // 3 and not self.full:
                before = self.sign.cut + before[-(width // 4) :]
            out.append(before)
            old, new = part(*change.copy), part(*change.kept)
            out.append(f"[-{old}-]" if old else "", "red").append(f"{{+{new}+}}" if new else "", "green")
            at = change.copy[1]
        out.append(part(at, end))
        if out.cell_len > width and not self.full:
            out.truncate(max(1, width - 1))
            out.append(self.sign.cut)
        return out

    def kept(self, rule: str, blocks: Sequence[Block]) -> None:
        reason = (
            blocks[0].reason if all(b.reason == blocks[0].reason for b in blocks) else blocks[0].reason.split(":")[0]
        )
        self.print(Text().append(f"  {rule}: ", "yellow").append(safe(reason), "dim"))
        for block in self.some(blocks):
            number = f"    {self.range(block.copy)} = {self.range(block.kept)}  {_count(block.words, 'word')}  "
            if block.changes:
                self.print(
                    Text(number).append_text(self.marks(*block.copy.bytes, block.changes, self.width - len(number)))
                )
                continue
            text = self.paragraphs.text(block.copy.paragraphs[0], block.copy.bytes)
            self.print(Text(number).append(self.fit(text, self.width - len(number)), "dim"))
        self.rest(blocks, "    ")

    def considered(self, block: Block) -> None:
        verdict = "removed" if block.removed else "kept"
        places = f"{self.range(block.copy)} = {self.range(block.kept)}"
        alike = f"{_count(block.words, 'word')}  {_percent(block.similarity)} alike"
        row = Text(f"  {verdict:8}", "red" if block.removed else "green").append(f"{places:>15}  ", "bold")
        self.print(row.append(f"{alike}  {block.rule}: ", "").append(safe(block.reason), "dim"))

    # ------------------------------------------------------------ helpers of the parts

    def some(self, blocks: Sequence[Block]) -> Sequence[Block]:
        return blocks if self.full else blocks[:_LISTED]

    def rest(self, blocks: Sequence[Block], indent: str = "") -> None:
        if len(self.some(blocks)) < len(blocks):
            self.line(f"{indent}{self.sign.more} {len(blocks) - _LISTED:,} more; --full shows all", "dim")

    def range(self, side: Side) -> str:
        return _range(side.paragraphs, self.sign.dash)

    def fit(self, text: str, width: int, *, pad: bool = False) -> str:
        out = Text(text)
        if out.cell_len > width:
            out.truncate(max(1, width - 1))
            out.append(self.sign.cut)
        return out.plain + " " * max(0, width - out.cell_len) if pad else out.plain

    def line(self, text: str = "", style: str = "") -> None:
        self.print(Text(text, style))

    def print(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)


class _Paragraphs:
    """The paragraphs of the input, by number, safe to show."""

    def __init__(self, result: Result) -> None:
        self.document = decode(result.data, force_text=True, encoding=result.encoding)
        paragraphs = segment(self.document.text)
        self.starts = byte_offsets(self.document, paragraphs.starts)
        self.ends = byte_offsets(self.document, paragraphs.ends)

    def span(self, number: int, within: Span) -> Span:
        """Where paragraph `number` (from 1) lies, as far as it is inside the bytes `within`."""
        return max(self.starts[number - 1], within[0]), min(self.ends[number - 1], within[1])

    def at(self, place: int) -> int:
        """The paragraph (from 1) that holds this byte, or stands before it."""
        return max(1, bisect_right(self.starts, place))

    def text(self, number: int, within: Span) -> str:
        """Paragraph `number`, as far as it lies inside the bytes `within`."""
        return self.part(*self.span(number, within)).strip()

    def part(self, start: int, end: int) -> str:
        """The text of these bytes, or what may be shown of it."""
        return safe(self.document.data[start : min(end, start + _SHOWN)].decode(self.document.encoding, "replace"))


def _percent(share: float) -> str:
    """A share in percent; 100 only where it is whole."""
    return f"{min(share, 0.999 if share < 1 else 1) * 100:.1f}%"


def _range(span: Span, dash: str) -> str:
    return f"{span[0]}" if span[0] == span[1] else f"{span[0]}{dash}{span[1]}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
