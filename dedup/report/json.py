"""`dedup-report/1`: the report for programs. Its schema ships beside this file, dedup-report-1.schema.json."""

import json
from collections.abc import Sequence
from typing import Any

from dedup.config import Config
from dedup.model import Block, Result, Span

SCHEMA = "dedup-report/1"


def report(
    results: Sequence[Result], errors: Sequence[tuple[str, str]], skipped: Sequence[str], config: Config
) -> dict[str, Any]:
    """Return the report of a run: its settings, totals, documents, errors (source, message) and skipped files."""
    bytes_in, bytes_out = sum(len(r.data) for r in results), sum(len(r.clean) for r in results)
    return {
        "schema": SCHEMA,
        "settings": config._asdict(),
        "totals": {
            "documents": len(results),
            "paragraphs": sum(r.paragraphs[0] for r in results),
            "bytes_in": bytes_in,
            "bytes_out": bytes_out,
            "bytes_removed": bytes_in - bytes_out,
            "duplication": (bytes_in - bytes_out) / bytes_in if bytes_in else 0.0,
            "blocks": sum(len(r.removed) for r in results),
            "clusters": 0,
            "errors": len(errors),
            "skipped": len(skipped),
        },
        "documents": [_document(r) for r in results],
        "clusters": [],
        "boilerplate": [],
        "errors": [{"source": source, "message": message} for source, message in errors],
        "skipped": list(skipped),
    }


def _document(result: Result) -> dict[str, Any]:
    return {
        "id": result.source,
        "source": result.source,
        "bytes_in": len(result.data),
        "bytes_out": len(result.clean),
        "paragraphs_in": result.paragraphs[0],
        "paragraphs_out": result.paragraphs[1],
        "encoding": result.encoding,
        "undecoded": result.undecoded,
        "blocks": [_block(result, block) for block in result.blocks],
    }


def _block(result: Result, block: Block) -> dict[str, Any]:
    def words(span: Span) -> dict[str, Any]:
        return {"bytes": span, "text": result.data[span[0] : span[1]].decode(result.encoding, "replace")}

    out = block._asdict()
    out["copy"] = {**block.copy._asdict(), "words": out.pop("words")}
    out["kept"] = {"document": result.source, **block.kept._asdict()}
    out["changes"] = [{"copy": words(change.copy), "kept": words(change.kept)} for change in block.changes]
    return out


def render(results: Sequence[Result], errors: Sequence[tuple[str, str]], skipped: Sequence[str], config: Config) -> str:
    """Return the report as text, ASCII only, so that no content can steer a terminal."""
    return json.dumps(report(results, errors, skipped, config), indent=1) + "\n"
