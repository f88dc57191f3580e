"""The diff report as one page: what went, what it repeats, what stays though it repeats, and why.

The page needs nothing from outside and runs nothing. All content is hostile: it stands in text only, behind
`markup.text`; ids are numbers of ours. A batch may be larger than any page: the worst documents are told in full, the
others counted, and no page is larger than 5 MB.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from heapq import heappush, heappushpop, nsmallest
from importlib.resources import files
from typing import NamedTuple

from dedup.model import Boilerplate, Cluster, Failure, Member, Passage, Span
from dedup.report.findings import place_at
from dedup.report.html_document import Report
from dedup.report.markup import (
    change,
    count,
    fit,
    foreign,
    label,
    line,
    lines,
    name,
    percent,
    rest,
    table,
    text,
    verdict,
)
from dedup.report.run import Run
from dedup.report.safe import safe

_WORST = 50  # documents of the table; documents in full
_LISTED, _MEMBERS, _TOLD = 100, 20, 5  # entries of a list; members of a cluster; differences of a member
_OPENING = 110  # characters shown of the text of a document
_DOCUMENTS, _CLUSTERS, _PASSAGES, _LISTS = 2400, 800, 500, 200  # thousand bytes of each part of the page


class _Section(NamedTuple):
    """A part of the page, with its place in the contents."""

    id: str
    title: str
    body: Iterable[str]


class _Row(NamedTuple):
    """A document that stays, as the page tells of it; the largest is the worst."""

    gone: int  # bytes
    blocks: int
    order: int  # its number, negative: of equals, the first is the worst
    name: str
    paragraphs: Span  # before, after
    size: Span


class _Survey:
    """What the first pass over the documents tells: which of them, and which clusters, are the worst."""

    def __init__(self, run: Run) -> None:
        heap: list[_Row] = []
        weights: Counter[int] = Counter()  # of each canonical document, the bytes that go for it
        dropped = run.findings.dropped
        self.losing = self.repeating = 0  # documents that stay: those that lose a part, those with repeats
        alone = run.totals["documents"] == 1
        for number, result, gone in run.results() if alone else run.repeating():
            before, after = len(result.data), len(result.clean) - result.grown
            if gone and number in dropped:
                weights[dropped[number].witness or 0] += before
            if gone or not (result.blocks or result.fixes or alone):
                continue
            self.losing += before > after
            self.repeating += 1
            size = (before, after)
            row = _Row(before - after, len(result.blocks), -number, result.source, result.paragraphs, size)
            if len(heap) < _WORST:
                heappush(heap, row)
            else:
                heappushpop(heap, row)
        self.rows = sorted(heap, reverse=True)
        self.told = {-row.order for row in self.rows}
        self.weights = weights
        self.clusters = nsmallest(_LISTED, run.findings.clusters, lambda c: (-weights[c.canonical], -len(c.members)))

    def name(self, run: Run, document: int) -> str:
        """The name of a document, linked if it is told in full."""
        return name(run.name(document), f"d{document}" if document in self.told else "")


class _Texts(NamedTuple):
    """What the second pass over the documents brings."""

    openings: dict[int, str]  # of the canonical documents: their first words, for those to whom a name says nothing
    reports: dict[int, str]


def _read(run: Run, survey: _Survey) -> _Texts:
    heads = {c.canonical for c in survey.clusters}
    room = 1000 * _DOCUMENTS // max(1, len(survey.told))
    texts = _Texts({}, {})
    for number in sorted(n for n in survey.told | heads if n >= 0):
        result = run.result(number)
        if number in heads:
            start = result.clean[: 4 * _OPENING].decode(result.encoding, "ignore")
            texts.openings[number] = line(" ".join(start.lstrip("\ufeff").split()), _OPENING)
        if number in survey.told:
            report = Report(run, number, result, room, survey.told)
            texts.reports[number] = "".join(report.draw())
    return texts


def render(run: Run) -> Iterator[str]:
    """Yield the page in parts. The documents are passed over twice: to find the worst, and to tell these."""
    survey = _Survey(run)
    texts = _read(run, survey)
    style = files("dedup.report").joinpath("page.css").read_text("utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    subject, story = _story(run, survey)
    parts = (
        _errors(run),
        _worst(run, survey),
        _clusters(run, survey, texts.openings),
        _passages(run, survey),
        _boilerplate(run, survey),
        _documents(run, survey, texts.reports),
    )
    sections = [section for part in parts for section in part]
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>dedup: {label(safe(subject)[-40:])}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the report</a>\n'
        f"<header>\n<p>dedup report</p>\n<h1>{name(subject)} <span>{story}</span></h1>\n{_totals(run)}</header>\n"
    )
    if len(sections) > 1:
        links = "".join(f'<li><a href="#{section.id}">{section.title}</a></li>' for section in sections)
        yield f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n'
    yield '<main id="main">\n'
    for section in sections:
        yield f'<section id="{section.id}">\n<h2>{section.title}</h2>\n'
        yield from section.body
        yield "</section>\n"
    settings = "".join(f"<dt>{text(k)}</dt><dd>{text(str(v))}</dd>" for k, v in run.config._asdict().items())
    yield (
        f"</main>\n<footer>\n<details><summary>Settings of this run</summary><dl>{settings}</dl></details>\n"
        "</footer>\n</body>\n</html>\n"
    )


# ---------------------------------------------------------------- the head of the page


def _story(run: Run, survey: _Survey) -> tuple[str, str]:
    """Of what the page tells, and the whole story in one line."""
    totals = run.totals
    if totals["documents"] == 1 and survey.rows:
        row = survey.rows[0]
        repeats = count(row.blocks, "repeat") + " kept" if row.blocks else "nothing repeats"
        what = f"{repeats}, {count(row.paragraphs[0], 'paragraph')}, {count(row.size[0], 'byte')}"
        if row.gone:
            what = f"{percent(row.gone, row.size[0])} removed, {change(row.paragraphs, row.size)}"
        return row.name, what
    dropped = f"{totals['documents_removed']:,} dropped, " if totals["documents_removed"] else ""
    share = percent(totals["bytes_removed"], totals["bytes_in"])
    what = f"{share} removed, {dropped}{totals['bytes_in']:,} → {totals['bytes_out']:,} bytes"
    return count(totals["documents"], "document"), what


def _totals(run: Run) -> str:
    names = {
        "documents": "Documents",
        "documents_removed": "Dropped",
        "bytes_in": "Bytes in",
        "bytes_out": "Bytes out",
        "duplication": "Duplication",
        "blocks": "Blocks removed",
        "fixes": "Places mended",
        "clusters": "Clusters",
        "skipped": "Files skipped",
        "errors": "Errors",
    }
    totals = {key: f"{run.totals[key]:,}" for key in names}
    totals["duplication"] = percent(run.totals["bytes_removed"], run.totals["bytes_in"])
    tiles = "".join(
        f"<div><dt>{names[key]}</dt><dd>{value}</dd></div>" for key, value in totals.items() if value != "0"
    )
    left = run.totals["bytes_in"] - run.totals["bytes_removed"]
    return f'{_bar((run.totals["bytes_in"], left))}<dl class="totals">{tiles}</dl>\n'


def _bar(size: Span) -> str:
    """What stays and what goes, as a strip; the figures stand beside it."""
    left = round(100 * size[1] / size[0], 1) if size[0] else 100
    return (
        '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="kept" width="{left}" height="1"/>'
        f'<rect class="gone" x="{left}" width="{round(100 - left, 1)}" height="1"/></svg>'
    )


# ---------------------------------------------------------------- the lists


def _error(error: Failure) -> str:
    return f"{name(place_at(error.file, error.line).where)}: {line(error.message)}"


def _errors(run: Run) -> Iterator[_Section]:
    told = (
        ("errors", "Errors", "error", [_error(error) for error in run.errors[:_LISTED]]),
        ("skipped", "Skipped binary files", "file", [name(file) for file in run.skipped[:_LISTED]]),
        ("notes", "Notes", "note", [line(note) for note in run.notes[:_LISTED]]),
    )
    totals = len(run.errors), len(run.skipped), len(run.notes)
    for (id, title, noun, items), total in zip(told, totals, strict=True):
        if items:
            rows = fit((f"<li>{item}</li>\n" for item in items), _LISTS, _LISTED)
            body = ['<ul class="items">\n', *rows, "</ul>\n", rest(total - len(rows), f"more {noun}")]
            yield _Section(id, f"{title}: {total:,}", body)


def _worst(run: Run, survey: _Survey) -> Iterator[_Section]:
    if run.totals["documents"] < 2 or not survey.losing:
        return

    def tell(row: _Row) -> str:
        return (
            f'<tr><th scope="row">{survey.name(run, -row.order)}</th>'
            f'<td class="n" data-of="blocks">{row.blocks:,}</td>'
            f'<td class="n" data-of="paragraphs">{row.paragraphs[0]:,} → {row.paragraphs[1]:,}</td>'
            f'<td class="n" data-of="bytes">{row.size[0]:,} → {row.size[1]:,}</td>'
            f'<td class="n" data-of="removed">{percent(row.gone, row.size[0])}{_bar(row.size)}</td></tr>\n'
        )

    rows = fit((tell(row) for row in survey.rows if row.gone), _LISTS, _WORST)
    dropped = run.totals["documents_removed"]
    caption = f"{count(survey.losing, 'document')} lose a part. The worst first, by the bytes that go."
    if dropped:
        caption += f" {count(dropped, 'document')} dropped whole: see the clusters."
    body = table(caption, "Document|#Blocks|#Paragraphs|#Bytes|#Removed", "".join(rows))
    yield _Section("worst", "The worst documents", [body, rest(survey.losing - len(rows), "more document")])


def _clusters(run: Run, survey: _Survey, openings: dict[int, str]) -> Iterator[_Section]:
    total, gone = len(run.findings.clusters), run.findings.dropped
    if not total:
        return

    def member(cluster: Cluster, m: Member) -> str:
        other = f", for {name(run.name(m.witness))}" if m.witness not in (None, cluster.canonical) else ""
        return (
            f'<tr><th scope="row">{survey.name(run, m.document)}</th>'
            f"<td>{verdict('gone', 'dropped') if m.document in gone else verdict('kept', 'stays')}</td>"
            f"<td>{text(m.kind)}</td>"
            f'<td class="n" data-of="resemblance">{m.resemblance:.2f}</td>'
            f'<td class="n" data-of="containment">{m.containment:.2f}</td>'
            f'<td class="why">{line(m.reason)}{other}{differences(m)}</td></tr>\n'
        )

    def differences(m: Member) -> str:
        told = [
            "".join(f"<{tag}>{line(side)}</{tag}>" for tag, side in (("del", d.text), ("ins", d.kept_text)) if side)
            for d in m.differences[:_TOLD]
        ]
        more = rest(len(m.differences) - len(told), "more difference")
        return foreign("p", " · ".join(told)) + more if told else ""

    def tell(cluster: Cluster) -> str:
        head, seen = cluster.canonical, run.seen(cluster.canonical)
        where = f" in the index, from run {seen['run']:,} of {line(str(seen['started']))}" if seen else ""
        where += f": {count(survey.weights[head], 'byte')} go for it" if survey.weights[head] else ""
        became = verdict("gone", "dropped itself") if head in gone else verdict("kept", "canonical")
        opening = foreign("p", openings[head]) if head in openings else ""
        rows = [member(cluster, m) for m in cluster.members[:_MEMBERS]]
        more = rest(len(cluster.members) - len(rows), "more document")
        return (
            f'<tr class="head"><th colspan="6" scope="rowgroup">{became} '
            f"{survey.name(run, head)}{where}{opening}</th></tr>\n{''.join(rows)}"
            + (f'<tr><td colspan="6">{more}</td></tr>\n' if more else "")
        )

    groups = fit(map(tell, survey.clusters), _CLUSTERS, _LISTED)
    capped = run.findings.capped
    members = {m.document for c in run.findings.clusters for m in c.members}
    caption = f"{count(len(members), 'document')} like a canonical one. The worst first, by the bytes that go."
    if capped:
        caption += f" {count(capped, 'fingerprint')} stand in so many documents that each was linked to the first only."
    body = table(caption, "Document|Verdict|Kind|#Resemblance|#Containment|Why", *groups)
    yield _Section("clusters", f"Clusters: {total:,}", [body, rest(total - len(groups), "more cluster")])


def _passages(run: Run, survey: _Survey) -> Iterator[_Section]:
    found = run.findings.passages
    if not found:
        return

    def place(document: int, span: Span) -> str:
        where = survey.name(run, document)
        if document < 0:  # only its clean text is known there
            return f"{where} of the index"
        return f"{where}, {lines(run.side(document, span).lines)}"

    def tell(p: Passage) -> str:
        became = verdict("gone", "removed") if p.removed else verdict("kept", "stays")
        return (
            f"<li><p>{became} {count(p.words, 'word')}: {place(p.document, p.copy)} = {place(p.first, p.kept)}</p>"
            f"{foreign('p', line(p.text))}</li>\n"
        )

    rows = fit(map(tell, sorted(found, key=lambda p: -p.words)), _PASSAGES, _LISTED)
    body = ['<ol class="items">\n', *rows, "</ol>\n", rest(len(found) - len(rows), "more passage")]
    yield _Section("passages", f"Passages that an earlier document has: {len(found):,}", body)


def _boilerplate(run: Run, survey: _Survey) -> Iterator[_Section]:
    found = run.findings.boilerplate
    if not found:
        return

    def tell(b: Boilerplate) -> str:
        return (
            f"<tr>{foreign('td', line(b.text))}"
            f"<td>{verdict('gone', 'removed') if b.removed else verdict('kept', 'stays')}</td>"
            f'<td class="n" data-of="documents">{b.documents:,}</td>'
            f'<td data-of="first in">{survey.name(run, b.first)}</td></tr>\n'
        )

    rows = fit(map(tell, sorted(found, key=lambda b: -b.documents)), _LISTS, _LISTED)
    body = table("The first document keeps the line.", "Line|Verdict|#Documents|First in", "".join(rows))
    yield _Section("boilerplate", f"Boilerplate: {len(found):,}", [body, rest(len(found) - len(rows), "more line")])


def _documents(run: Run, survey: _Survey, reports: dict[int, str]) -> Iterator[_Section]:
    if not survey.rows:
        return
    total, dropped = run.totals["documents"], run.totals["documents_removed"]
    quiet = total - dropped - survey.repeating
    notes = [
        "The worst first." if len(reports) > 1 else "",
        f"{count(quiet, 'document')} without any repeat." if quiet else "",
        f"{count(dropped, 'document')} dropped whole." if dropped else "",
    ]
    note = f'<p class="note">{" ".join(filter(None, notes))}</p>\n' if any(notes) else ""
    title = f"Documents in full: {len(reports):,} of {survey.repeating:,}" if total > 1 else "Paragraph by paragraph"
    body = [reports[-row.order] for row in survey.rows]
    yield _Section("documents", title, [note, *body, rest(survey.repeating - len(reports), "more document")])
