"""GitHub Actions: workflow commands, which become annotations of the diff, and the Markdown summary of a step.

GitHub shows ten annotations of a kind a step, so the largest findings come first and the rest is counted in words. All
content goes through `safe` and has its signs escaped: no line of it is a command, no cell of it is Markdown or HTML.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest, nsmallest
from itertools import islice

from dedup.model import Cluster, Member
from dedup.report.findings import CAPPED, Finding, Place, count, documents, findings, place_at, place_of
from dedup.report.run import Run
from dedup.report.safe import safe

SHOWN = 10  # annotations of a kind
_LENGTH = 1000  # characters of a message; GitHub cuts at 4,096
_ROWS = 100  # of a table of the summary
_ROOM = 150_000  # bytes of such a table; there are six, and GitHub takes no summary over 1 MiB
_CELL = 200  # characters of content in a cell
_DATA = {ord(c): f"%{ord(c):02X}" for c in "%\r\n"}
_PROPERTY = _DATA | {ord(c): f"%{ord(c):02X}" for c in ":,"}
_SIGNS = {at: f"&#{at};" for at in range(0x21, 0x7F) if not chr(at).isalnum()}


def render(run: Run) -> Iterator[str]:
    """Yield the commands, a line each: errors, warnings, and a notice of what these leave out."""
    for error in run.errors[:SHOWN]:
        yield _command("error", error.message, place_at(error.file, error.line), "dedup")
    seen: Counter[str] = Counter()
    shown = nlargest(SHOWN, _counted(findings(run), seen), key=lambda finding: finding.bytes)
    for finding in shown:
        yield _command("warning", finding.sentence, finding.place, f"{finding.rule}, {count(finding.bytes, 'byte')}")
    left = []
    if rest := seen["findings"] - len(shown):
        size = seen["bytes"] - sum(finding.bytes for finding in shown)
        left.append(f"{count(rest, 'smaller finding')} ({count(size, 'byte')})")
    if len(run.errors) > SHOWN:
        left.append(count(len(run.errors) - SHOWN, "more error"))
    if run.skipped:
        left.append(f"{count(len(run.skipped), 'file')} skipped as binary")
    said = [f"Without an annotation: {', '.join(left)}."] if left else []
    said += [f"{CAPPED[0].upper()}{CAPPED[1:]}."] if run.findings.capped else []
    if said:
        yield _command("notice", " ".join(said), None, "dedup")


def summary(run: Run, verdict: str = "") -> Iterator[str]:
    """Yield the Markdown of a step summary: the verdict, the totals, what is worst of each kind; under 1 MiB in all."""
    totals, shared = run.totals, run.findings
    seen: Counter[str] = Counter()
    worst = nlargest(_ROWS, _rows(run, seen), key=lambda row: row[0])
    yield f"## dedup\n\n{verdict}\n\n" if verdict else "## dedup\n\n"
    yield (
        f"**{100 * seen['bytes'] / max(1, totals['bytes_in']):.1f}%** of {count(totals['bytes_in'], 'byte')} goes: "
        f"{count(seen['findings'], 'finding')} of {count(seen['bytes'], 'byte')} in {seen['documents']:,} of "
        f"{count(totals['documents'], 'document')}. {count(len(run.errors), 'error')}, "
        f"{count(len(run.skipped), 'file')} skipped as binary.\n"
    )
    if run.accepted:
        yield "\nWhat the baseline accepts is left out.\n"
    if shared.capped:
        yield f"\n{CAPPED[0].upper()}{CAPPED[1:]}.\n"
    yield from _table(
        "Documents that repeat the most",
        ("Document", "Findings", "Bytes", "Go", "Share"),
        (
            (_code(place.title), f"{found:,}", f"{size:,}", f"{gone:,}", f"{100 * gone / size:.1f}%")
            for gone, found, size, place in worst
        ),
        seen["documents"],
    )
    pairs = [(cluster, member) for cluster in shared.clusters for member in cluster.members]
    yield from _table(
        "Documents that repeat others",
        ("Document", "Repeats", "Kind", "Alike", "Contained", "Goes", "Why"),
        (
            _pair(run, *pair)
            for pair in nsmallest(_ROWS, pairs, key=lambda pair: (not pair[1].removed, -pair[1].resemblance))
        ),
        len(pairs),
    )
    yield from _table(
        "Passages that an earlier document has",
        ("Document", "Repeats", "Words", "Goes", "Text"),
        (
            (_title(run, p.document), _title(run, p.first), f"{p.words:,}", _yes(p.removed), _code(p.text))
            for p in nlargest(_ROWS, shared.passages, key=lambda p: p.words)
        ),
        len(shared.passages),
    )
    yield from _table(
        "Lines that several documents have",
        ("Line", "Documents", "First", "Goes"),
        (
            (_code(b.text), f"{b.documents:,}", _title(run, b.first), _yes(b.removed))
            for b in nlargest(_ROWS, shared.boilerplate, key=lambda b: b.documents)
        ),
        len(shared.boilerplate),
    )
    yield from _table("Errors", ("Error",), ((_code(error.message),) for error in run.errors), len(run.errors))
    yield from _table("Skipped files", ("File",), ((_code(file),) for file in run.skipped), len(run.skipped))


def _counted(found: Iterable[Finding], seen: Counter[str]) -> Iterator[Finding]:
    for finding in found:
        seen["findings"] += 1
        seen["bytes"] += finding.bytes
        yield finding


def _rows(run: Run, seen: Counter[str]) -> Iterator[tuple[int, int, int, Place]]:
    """Of each document with findings: bytes that go, findings, bytes, place. All are counted in `seen`."""
    for _, size, place, found in documents(run):
        if found:
            seen["documents"] += 1
            gone = sum(finding.bytes for finding in _counted(found, seen))
            yield gone, len(found), size, place


def _command(kind: str, message: str, place: Place | None, title: str) -> str:
    properties: dict[str, str | int] = {}
    if place:
        first, last = place.region
        properties = {"file": place.path, "line": first, "endLine": last}
    properties["title"] = title
    said = ",".join(f"{name}={safe(str(value)).translate(_PROPERTY)}" for name, value in properties.items())
    return f"::{kind} {said}::{_cut(safe(message), _LENGTH).translate(_DATA)}\n"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], total: int) -> Iterator[str]:
    """A table, cut short where it would be too long; what is not in it is counted."""
    if not total:
        return
    yield f"\n### {title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}\n"
    shown = size = 0
    for row in islice(rows, _ROWS):
        line = f"| {' | '.join(row)} |\n"
        size += len(line.encode())
        if size > _ROOM:
            break
        shown += 1
        yield line
    if shown < total:
        yield f"\n{total - shown:,} more are not shown here.\n"


def _pair(run: Run, cluster: Cluster, member: Member) -> Sequence[str]:
    alike = f"{100 * member.resemblance:.0f}%", f"{100 * member.containment:.0f}%"
    pair = _title(run, member.document), _title(run, cluster.canonical)
    return *pair, member.kind, *alike, _yes(member.removed), _code(member.reason)


def _title(run: Run, document: int) -> str:
    return _code(place_of(run, document).title) + (" in the index" if document < 0 else "")


def _yes(removed: bool) -> str:
    return "yes" if removed else "no"


def _code(text: str) -> str:
    """Content as code, every sign an entity."""
    return f"<code>{_cut(safe(text), _CELL).translate(_SIGNS)}</code>"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
