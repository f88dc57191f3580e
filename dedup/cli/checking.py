"""The check command: the gate of a batch in CI."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dedup.cli import baseline
from dedup.cli.inputs import Job, Tally
from dedup.cli.reports import found_in, known, open_output, rendered, show, write
from dedup.errors import OutputError, UsageError
from dedup.io import files
from dedup.report import github
from dedup.report.findings import documents, findings
from dedup.report.run import Run
from dedup.report.safe import safe


@dataclass(frozen=True, slots=True)
class Gate:
    """What a batch may have, and how it is told."""

    limit: float  # share of the bytes, 0..1
    document_limit: float  # the same, of each document
    baseline: Path | None
    update: bool
    kind: str  # lines, json, sarif, github, junit
    reports: Sequence[Path]


def check_inputs(job: Job, gate: Gate) -> int:
    """Print what would go and return the exit code: 1 when what is not accepted is more than allowed."""
    if gate.update and gate.baseline is None:
        raise UsageError("--update-baseline: give --baseline FILE")
    known(gate.reports)
    tally = Tally()
    open_output()
    path = os.fspath(gate.baseline) if gate.baseline else ""
    accepted = baseline.read(path) if path and (os.path.exists(path) or not gate.update) else {}
    with found_in(job, tally) as run:
        if gate.update:
            count = baseline.write(path, findings(run))
            show([f"{safe(path)}: {count:,} finding{'' if count == 1 else 's'} accepted\n".encode()])
            return tally.finish()
        run = replace(run, accepted=accepted)
        over, allowed = _judged(run, gate, tally)
        write(run, gate.reports)
        show(rendered(run, gate.kind))
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if gate.kind == "github" and summary:
            _append(summary, github.summary(run, f"{_word(over, tally)}: {allowed}."))
        if gate.kind in ("lines", "github"):
            show([f"{tally.summary().removeprefix('dedup: ')}; {allowed}\n".encode()])
    return tally.finish() or int(over)


def _append(path: str, parts: Iterable[str]) -> None:
    try:
        with open(path, "ab") as stream:
            stream.writelines(map(str.encode, parts))
    except OSError as error:
        raise OutputError(f"{files.show(path)}: cannot be written: {error.strerror or error}") from None


def _word(over: bool, tally: Tally) -> str:
    return "**Failed**" if over or tally.errors else "Passed"


def _judged(run: Run, gate: Gate, tally: Tally) -> tuple[bool, str]:
    """Whether there is more than allowed, and what is allowed in words, beside what is new."""
    size = count = 0
    share = 0.0  # of the worst document
    for _, length, _, found in documents(run):
        here = sum(finding.bytes for finding in found)
        size += here
        count += len(found)
        share = max(share, here / max(1, length))
    total = size / tally.bytes[0] if tally.bytes[0] else 0.0
    over = total > gate.limit or share > gate.document_limit
    verdict = f"allowed {100 * gate.limit:.4g}%"
    if run.accepted:
        verdict += f"; new: {count:,} finding{'' if count == 1 else 's'}, {size:,} bytes, {100 * total:.1f}%"
    if share > gate.document_limit:
        verdict += f"; one document has {100 * share:.1f}%, allowed {100 * gate.document_limit:.4g}%"
    return over, verdict
