"""What would go, one line a finding: for logs, and for those who read them."""

from collections.abc import Iterator

from dedup.model import Block
from dedup.report.run import Run
from dedup.report.safe import safe


def render(run: Run) -> Iterator[str]:
    """Yield a line for each block and each document that would go."""
    for result, _ in run.results():
        for block in result.removed:
            yield safe(f"{result.source}:{_lines(block.copy.lines)}: repeats {_place(block)}: {block.reason}")
    for cluster in run.findings.clusters:
        head = run.name(cluster.canonical)
        seen = run.seen(cluster.canonical)
        where = f" of the index ({seen['run_name']}, {seen['started']})" if seen else ""
        for member in cluster.members:
            if member.witness == cluster.canonical:
                yield safe(f"{run.name(member.document)}: repeats {head}{where}: {member.reason}")


def _place(block: Block) -> str:
    return f"{block.document + ':' if block.document else ''}{_lines(block.kept.lines)}"


def _lines(lines: tuple[int, int]) -> str:
    return str(lines[0]) if lines[0] == lines[1] else f"{lines[0]}-{lines[1]}"
