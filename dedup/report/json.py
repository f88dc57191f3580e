"""`dedup-report/1`: the report for programs. Its schema ships beside this file, dedup-report-1.schema.json."""

from collections.abc import Iterator
from typing import Any, cast

from dedup.model import Block, Boilerplate, Cluster, Passage, Result, Span
from dedup.report.findings import place_at
from dedup.report.run import Run
from dedup.report.safe import dump

SCHEMA = "dedup-report/1"


def render(run: Run) -> Iterator[str]:
    """Yield the report in parts of text, ASCII only, so that no content can steer a terminal or a build log.

    The documents are told one by one, each on a line: of a large batch they would not fit in memory together.
    """
    findings = run.findings
    head = {"schema": SCHEMA, "settings": run.config._asdict(), "totals": run.totals}
    tail = {
        "clusters": [_cluster(run, cluster) for cluster in findings.clusters],
        "passages": [_passage(run, passage) for passage in findings.passages],
        "boilerplate": [_boilerplate(run, line) for line in findings.boilerplate],
        "capped": findings.capped,
        "errors": [
            {"source": _shown(place_at(error.file, error.line).where), "message": error.message} for error in run.errors
        ],
        "skipped": [_shown(file) for file in run.skipped],
        "notes": [_shown(note) for note in run.notes],
    }
    yield dump(head, 1)[:-2] + ',\n "documents": ['
    for at, result, removed in run.outlines():
        yield (",\n" if at else "\n") + dump(_document(run, result, removed))
    yield "\n ],\n" + dump(tail, 1)[2:] + "\n"


def _shown(file: str) -> str:
    """The name of a file as text: JSON has no other bytes."""
    return file.encode("utf-8", "backslashreplace").decode("utf-8")


def _cluster(run: Run, cluster: Cluster) -> dict[str, Any]:
    members = [
        {
            "id": run.name(m.document),
            "kind": m.kind,
            "resemblance": m.resemblance,
            "containment": m.containment,
            "removed": m.removed,
            "witness": None if m.witness is None else run.name(m.witness),
            "reason": m.reason,
            "changes": [
                {
                    "copy": {"bytes": run.side(m.document, d.copy).bytes, "text": d.text},
                    "kept": {"bytes": run.side(cast(int, m.witness), d.kept).bytes, "text": d.kept_text},
                }
                for d in m.differences
            ],
        }
        for m in sorted(cluster.members, key=lambda m: m.document)
    ]
    return {"canonical": run.name(cluster.canonical), "seen": run.seen(cluster.canonical), "members": members}


def _passage(run: Run, passage: Passage) -> dict[str, Any]:
    return {
        "copy": {
            "document": run.name(passage.document),
            **run.side(passage.document, passage.copy)._asdict(),
            "words": passage.words,
        },
        "kept": {"document": run.name(passage.first), **run.side(passage.first, passage.kept)._asdict()},
        "seen": run.seen(passage.first),
        "text": passage.text,
        "removed": passage.removed,
    }


def _boilerplate(run: Run, line: Boilerplate) -> dict[str, Any]:
    return {
        "text": line.text,
        "documents": line.documents,
        "kept": {"document": run.name(line.first), **run.side(line.first, line.kept)._asdict()},
        "removed": line.removed,
    }


def _document(run: Run, result: Result, removed: bool) -> dict[str, Any]:
    size = sum(end - start for start, end in result.pieces)  # the bytes may not be here
    return {
        "id": result.source,
        "source": result.source,
        "bytes_in": len(result.data) or size,
        "bytes_out": 0 if removed else size,
        "paragraphs_in": result.paragraphs[0],
        "paragraphs_out": 0 if removed else result.paragraphs[1],
        "encoding": result.encoding,
        "undecoded": result.undecoded,
        "removed": removed,
        "blocks": [_block(run, result, block) for block in result.blocks],
        "fixes": [
            dict(zip(("rule", "bytes", "text", "put"), (fix.rule, fix.span, *result.told(fix)), strict=True))
            for fix in result.fixes
        ],
    }


def _block(run: Run, result: Result, block: Block) -> dict[str, Any]:
    def words(span: Span) -> dict[str, Any]:
        return {"bytes": span, "text": result.data[span[0] : span[1]].decode(result.encoding, "replace")}

    out = block._asdict()
    out["copy"] = {**block.copy._asdict(), "words": out.pop("words")}
    other = out.pop("document")
    out["kept"] = {"document": result.source if other is None else run.name(other), **block.kept._asdict()}
    out["changes"] = [{"copy": words(change.copy), "kept": words(change.kept)} for change in block.changes]
    return out
