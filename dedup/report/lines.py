"""What would go, one line a finding: for logs, and for those who read them."""

from collections.abc import Iterator
from typing import Any

from dedup.report.findings import findings
from dedup.report.run import Run
from dedup.report.safe import dump, safe


def render(run: Run) -> Iterator[str]:
    """Yield a line for each removal: its file and line, so that editors find the place, and what it repeats."""
    for finding in findings(run):
        yield safe(f"{finding.place.file}:{finding.place.region[0]}: {finding.sentence}") + "\n"


def hits(run: Run, as_json: bool) -> Iterator[str]:
    """Yield a line for each document, and each passage of one, that the index has: what, where, and from which run."""
    for cluster in run.findings.clusters:
        for member in cluster.members if cluster.canonical < 0 else ():
            found: dict[str, Any] = {
                "id": run.name(member.document),
                "kind": member.kind,
                "resemblance": member.resemblance,
                "containment": member.containment,
                "seen": {"id": run.name(cluster.canonical), **(run.seen(cluster.canonical) or {})},
            }
            alike = f"{member.kind}, resemblance {member.resemblance:.2f}, containment {member.containment:.2f}"
            yield dump(found) if as_json else _hit(found["id"], alike, found["seen"])
    for passage in run.findings.passages:
        if passage.first < 0:
            found = {
                "id": run.name(passage.document),
                "kind": "passage",
                "span": run.side(passage.document, passage.copy)._asdict(),
                "words": passage.words,
                "text": passage.text,
                "seen": {
                    "id": run.name(passage.first),
                    **(run.seen(passage.first) or {}),
                    "span": run.side(passage.first, passage.kept)._asdict(),
                },
            }
            where = f"{found['id']}:{_lines(found['span']['lines'])}"
            yield dump(found) if as_json else _hit(where, f"{passage.words} words", found["seen"])


def _hit(where: str, alike: str, seen: dict[str, Any]) -> str:
    line = f":{seen['line']}" if seen["line"] else ""
    return safe(f"{where}: {seen['id']} ({seen['source']}{line}, run {seen['run']} of {seen['started']}): {alike}")


def _lines(lines: tuple[int, int]) -> str:
    return str(lines[0]) if lines[0] == lines[1] else f"{lines[0]}-{lines[1]}"
