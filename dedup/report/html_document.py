"""One document on the page: its map, its blocks side by side, and the repeats that stay."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby, pairwise
from typing import TypeVar

from dedup.fix import reason
from dedup.model import Block, Change, Fix, Result, Span
from dedup.report import markup
from dedup.report.beside import COPY, KEPT, Pair, Source, differs, inside
from dedup.report.markup import SIGNS, count, foreign, line, name, places, rest
from dedup.report.run import Run
from dedup.report.safe import visible

_CELLS = 240  # of a map; longer documents share cells
_HEAD, _TAIL = 3, 2  # rows of a block that are always seen
_DIFFER, _FOLDED = 60, 60  # rows of a block that differ, and that are folded, at most
_CHANGES = 40  # marked in one stretch
_SHOWN, _SAME = 1500, 300  # bytes shown of a row; of the words between two changes
_LISTED = 200  # blocks of a document
_BREAKS = re.compile(r"\s*[\r\n]+\s*")

_T = TypeVar("_T")


class Report:
    """A document, told in about so many bytes; `told` are the documents that are told on the page."""

    def __init__(self, run: Run, number: int, result: Result, room: int, told: Collection[int]) -> None:
        self.run, self.number, self.result, self.room, self.told = run, number, result, room, told
        self.source = Source(result)
        self.removed = result.removed[:_LISTED]
        self.alone = run.totals["documents"] == 1
        self.heading = "h3" if self.alone else "h4"

    def draw(self) -> Iterator[str]:
        """Yield the report in parts."""
        yield f'<article id="d{self.number}">\n{"" if self.alone else self.title()}{self.notes()}'
        self.spent(self.map(len(self.removed)))  # the longest that it can be
        blocks = ["".join(self.block(at, block)) for at, block in enumerate(self.removed) if self.room > 0]
        if self.removed:
            yield self.map(len(blocks))
        yield from blocks
        yield rest(len(self.result.removed) - len(blocks), "more removed block")
        if self.result.repeated:
            yield from self.kept(self.result.repeated)
        if self.result.fixes:
            yield from self.mended(self.result.fixes)
        yield "</article>\n"

    def spent(self, part: str) -> str:
        """Return the part, and take it from the room."""
        self.room -= len(part.encode())
        return part

    def title(self) -> str:
        """The name of the document, and what became of it."""
        result, size = self.result, (len(self.result.data), len(self.result.clean))
        gone = markup.percent(size[0] - size[1] + result.grown, size[0])
        what = f"{gone} removed, {markup.change(result.paragraphs, size)}"
        if not result.removed:
            what = f"{count(result.paragraphs[0], 'paragraph')}, {count(size[0], 'byte')}"
        return f"<h3>{name(result.source)} <span>{what}</span></h3>\n"

    def notes(self) -> str:
        """What the name does not say."""
        file, record = self.run.where(self.number) or ("", None)
        encoding, undecoded = self.result.encoding, self.result.undecoded
        notes = [
            f"{name(file)}, line {record:,}" if record else "",
            f"encoding: {encoding}" if encoding != "utf-8" else "",
            f"bytes that are not {encoding}, kept as they are: {undecoded:,}" if undecoded else "",
        ]
        return "".join(f'<p class="note">{note}</p>\n' for note in notes if note)

    def map(self, blocks: int) -> str:
        """One cell a paragraph, or a share of a long document: what it mostly is, and a link to its block.

        Only the first `blocks` are on the page.
        """
        total = self.result.paragraphs[0]
        marks = [(0, 0)] * (total + 1)  # what became of each paragraph, and the block that tells
        for at, block in enumerate(self.removed):
            for mark, side in ((1, block.kept), (2, block.copy)):
                for p in (
                    range(side.paragraphs[0], side.paragraphs[1] + 1) if mark == 2 or block.document is None else ()
                ):
                    marks[p] = max(marks[p], (mark, -at))
        cells = min(total, _CELLS)
        edges = [1 + cell * total // max(cells, 1) for cell in range(cells + 1)]
        out = []
        runs = groupby(pairwise(edges), key=lambda edge: max(marks[edge[0] : edge[1]]))
        for (mark, at), group in runs:
            run = list(group)
            kind = ("", "kept", "gone")[mark]
            row = f"<i>{SIGNS[kind]}</i>" * len(run)
            said = f"{places((run[0][0], run[-1][1] - 1))} {'kept' if mark == 1 else 'removed'}, block {1 - at}"
            if mark and -at < blocks:
                row = f'<a class="{kind}" href="#d{self.number}b{-at}" aria-label="{said}">{row}</a>'
            out.append(row if not mark or -at < blocks else f'<span class="{kind}">{row}</span>')
        unique, kept, gone = (sum(m == mark for m, _ in marks[1:]) for mark in range(3))
        unit = f" <span>a cell is about {round(total / cells):,} paragraphs</span>" if total > cells else ""
        return (
            f'<div class="map" role="group" aria-label="Map of {count(total, "paragraph")}">{"".join(out)}</div>\n'
            f'<p class="legend"><span>· unique {unique:,}</span> <span class="kept">= kept {kept:,}</span> '
            f'<span class="gone">− removed {gone:,}</span>{unit}</p>\n'
        )

    # ------------------------------------------------------------ a block

    def block(self, at: int, block: Block) -> Iterator[str]:
        """A block that went, beside what it repeats."""
        copy, kept = block.copy, block.kept
        alike = f" {min(99.9, 100 * block.similarity):.1f}% alike" if block.kind == "near" else ""
        size = f"{count(self.size(copy.paragraphs), 'paragraph')}, {copy.bytes[1] - copy.bytes[0]:,} bytes"
        notes = [f"{markup.text(block.rule)}: {line(block.reason)}"]
        if block.moved:
            notes.append("the better copy was put in the place of this one")
        elif copy.bytes < kept.bytes and block.document is None:
            notes.append("the later copy stays: it is the better preserved or the more complete one")
        yield self.spent(
            f'<div class="block" id="d{self.number}b{at}">\n'
            f"<{self.heading}><b>{at + 1}</b>{markup.text(block.kind)} copy{alike} "
            f"<span>{places(copy.paragraphs)} repeats {self.other(block)}, {size}, "
            f"{markup.lines(copy.lines)}</span></{self.heading}>\n"
            f'<p class="note">{"; ".join(notes)}</p>\n'
        )
        if block.document is None:
            yield (
                f'<p class="sides"><span class="kept">= kept {places(kept.paragraphs)}</span> '
                f'<span class="gone">− removed {places(copy.paragraphs)}</span></p>\n'
            )
        yield f'<ol class="diff{"" if block.document is None else " alone"}">\n'
        yield from self.rows(block)
        yield "</ol>\n</div>\n"

    def size(self, paragraphs: Span) -> int:
        """How many paragraphs these are."""
        return paragraphs[1] - paragraphs[0] + 1

    def other(self, block: Block) -> str:
        """What a block repeats."""
        first, paragraphs = block.document, places(block.kept.paragraphs)
        if first is None:
            return paragraphs
        if first < 0:  # only its clean text is known there
            return f"{name(self.run.name(first))} of the index"
        return f"{paragraphs} of {name(self.run.name(first), f'd{first}' if first in self.told else '')}"

    def rows(self, block: Block) -> Iterator[str]:
        """The rows of a block: its head, its tail and what differs; what is the same between these is folded."""
        rows, left = self.source.rows(block), _FOLDED
        differ = {n for n, row in enumerate(rows) if block.changes and differs(row, block.changes)}
        seen = {*range(_HEAD), *range(len(rows) - _TAIL, len(rows)), *sorted(differ)[:_DIFFER]}
        for shown, group in groupby(range(len(rows)), key=seen.__contains__):
            numbers = list(group)
            open_ = shown or len(numbers) == 1
            parts = [self.row(rows[n], block) for n in (numbers if open_ else numbers[:left]) if self.room > 0]
            hidden = rest(len(numbers) - len(parts), "more row", "li")
            if open_ or not parts:
                yield "".join(parts) + hidden
                continue
            left -= len(parts)
            same = "" if differ.intersection(numbers) else ", the same words"
            yield (
                f'<li class="fold"><details><summary>{len(numbers):,} more{same}</summary>\n<ol class="diff">\n'
                f"{''.join(parts)}{hidden}</ol></details></li>\n"
            )

    def row(self, row: Pair, block: Block) -> str:
        """The kept side and the copy of a row, or the copy alone."""
        copy = self.cell("gone", row.copy, block.changes, COPY)
        kept = "" if block.document is not None else self.cell("kept", row.kept, block.changes, KEPT)
        return self.spent(f"<li>{kept}{copy}</li>\n")

    def cell(self, mark: str, span: Span, changes: Sequence[Change], side: int) -> str:
        """One side of a row, with its paragraphs."""
        if span[0] == span[1]:
            return f'<div class="{mark}"></div>'
        number = f'<b><span class="v">{mark}: </span>{SIGNS[mark]} {places(self.source.paragraphs(span))}</b>'
        return f'<div class="{mark}">{number}{foreign("p", self.marked(span, changes, side))}</div>'

    # ------------------------------------------------------------ what stays

    def kept(self, repeated: Sequence[Block]) -> Iterator[str]:
        """The repeats that stay, by the rule that kept them."""

        def row(block: Block) -> str:
            words = self.marked(block.copy.bytes, block.changes, COPY, both=True)
            return (
                f'<tr><td data-of="paragraphs">{places(block.copy.paragraphs)} = {self.other(block)}</td>'
                f'<td class="n" data-of="words">{block.words:,}</td>'
                f"<td>{markup.text(block.rule)}: {line(block.reason)}</td>{foreign('td', words)}</tr>\n"
            )

        ordered = sorted(repeated, key=lambda b: (b.rule, b.copy.bytes))
        yield from self.listed(
            "Repeated, kept", "What stays though it repeats, and why", "#Words", ordered, row, "repeat"
        )

    def mended(self, fixes: Sequence[Fix]) -> Iterator[str]:
        """What fixers changed."""

        def row(fix: Fix) -> str:
            old, new = (markup.text(visible(side[:_SAME])) for side in self.result.told(fix))
            words = (f"<del>{old}</del>" if old else "") + (f"<ins>{new}</ins>" if new else "")
            return (
                f'<tr><td data-of="paragraphs">{places(self.source.paragraphs(fix.span))}</td>'
                f'<td class="n" data-of="bytes">{fix.span[1] - fix.span[0]:,}</td>'
                f"<td>{markup.text(fix.rule)}: {markup.text(reason(fix.rule))}</td>{foreign('td', words)}</tr>\n"
            )

        yield from self.listed("Mended", "What fixers changed, and why", "#Bytes", fixes, row, "place")

    def listed(
        self, title: str, caption: str, size: str, found: Sequence[_T], row: Callable[[_T], str], noun: str
    ) -> Iterator[str]:
        """A table of what was found, as far as there is room for it."""
        rows = []
        for one in found[:_LISTED]:
            if self.room <= 0:
                break
            rows.append(self.spent(row(one)))
        yield f'<div class="block">\n<{self.heading}>{title}: {len(found):,}</{self.heading}>\n'
        if rows:
            yield markup.table(caption, f"Paragraphs|{size}|Why|Text", "".join(rows))
        yield rest(len(found) - len(rows), f"more {noun}") + "</div>\n"

    # ------------------------------------------------------------ words

    def marked(self, span: Span, changes: Sequence[Change], side: int, *, both: bool = False) -> str:
        """The words of a span of one side, those that differ marked; `both`: and the kept ones with them."""
        tag, at, out = "ins" if side == KEPT else "del", span[0], []
        found = [(own, c) for own, c in inside(changes, side, span) if own[0] < own[1] or both]
        for (start, end), change in found[:_CHANGES]:
            out.append(self.stretch(at, start, _SAME))
            if start < end:
                out.append(f"<{tag}>{self.stretch(start, end, _SAME)}</{tag}>")
            if both and change.kept[0] < change.kept[1]:
                out.append(f"<ins>{self.stretch(*change.kept, _SAME)}</ins>")
            at = end
        if len(found) > _CHANGES:
            out.append(f" <small>… {count(len(found) - _CHANGES, 'more difference')} …</small> ")
        return "".join(out) + self.stretch(at, span[1], _SAME if found else _SHOWN)

    def stretch(self, start: int, end: int, room: int) -> str:
        """The text of these bytes; of a long stretch its head and its tail."""
        if end - start <= room + 100:
            return self.part(start, end)
        head, tail = self.source.whole(start, start + room * 2 // 3), self.source.whole(start, end - room // 3)
        return f"{self.part(start, head)} <small>… {tail - head:,} bytes …</small> {self.part(tail, end)}"

    def part(self, start: int, end: int) -> str:
        """The text of these bytes, on one line."""
        document = self.source.document
        return markup.text(_BREAKS.sub(" ↵ ", document.data[start:end].decode(document.encoding, "replace")))
