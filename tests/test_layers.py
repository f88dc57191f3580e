"""Imports run one way, and the bare filter imports little."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run import ROOT, SEED

PACKAGE = ROOT / "dedup"
# Each room, and the rooms that it may use. A stage uses no stage.
BASE = {"errors", "record", "model", "config", "evidence", "structure"}
STAGES = {
    "decode",
    "segment",
    "normalise",
    "shingle",
    "chain",
    "block",
    "region",
    "verify",
    "decide",
    "extent",
    "rewrite",
    "trace",
    "align",
    "near",
    "units",
    "prefer",
    "interleave",
    "fingerprint",
    "fix",
}
ALLOWED = {
    "errors": set(),
    "record": set(),
    "model": {"record"},
    "config": {"errors", "record"},
    "evidence": {"record", "model"},
    "structure": {"record", "model", "evidence"},
    **dict.fromkeys(STAGES, BASE),
    "fix": BASE | {"fixers"},
    "fixers": BASE,
    "facts": {"model", "record", "evidence"},
    "settle": BASE | STAGES,
    "tell": BASE | STAGES | {"settle"},
    "mend": BASE | STAGES,
    "vector": BASE | STAGES,
    "within": BASE | STAGES | {"settle", "tell", "mend", "facts", "vector"},
    "features": BASE | STAGES | {"vector"},
    "left": BASE | STAGES | {"within", "tell", "features", "vector"},
    "across": BASE | STAGES | {"within", "left", "features", "vector"},
    "engine": BASE | STAGES | {"within", "left", "across", "features", "vector"},
    "index": BASE | STAGES | {"features", "vector", "__init__"},
    "audit": BASE | STAGES,
    "processes": {"errors"},
    "manifest": BASE | STAGES | {"__init__"},
    "io": BASE | STAGES | {"within", "features", "vector", "audit", "index", "io"},
    "report": BASE | STAGES | {"report"},
    "cli": BASE
    | STAGES
    | {
        "within",
        "left",
        "across",
        "engine",
        "processes",
        "index",
        "manifest",
        "io",
        "report",
        "cli",
        "__main__",
        "__init__",
    },
    "__main__": {"errors", "config", "within", "cli", "__init__"},
    "__init__": BASE | {"within", "manifest", "engine"},
}


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= set(names) if node.module in ("dedup", "dedup.io", "dedup.report") else {node.module}
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in PACKAGE.rglob("*.py")}
    known = {name if name in modules or f"{name}.__init__" in modules else name.rpartition(".")[0] for name in found}
    return {_room(name) for name in known if name.split(".")[0] == "dedup"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert _imports(path) - {room} <= ALLOWED[room], path


@pytest.mark.parametrize("room", sorted(STAGES))
def test_a_stage_imports_no_stage(room: str) -> None:
    assert not _imports(PACKAGE / f"{room}.py") & STAGES


def test_the_bare_filter_imports_nothing_heavy() -> None:
    code = (
        "import sys\nbefore = set(sys.modules)\n"
        "from dedup.within import clean_document\nfrom dedup.config import Config\n"
        "clean_document(sys.stdin.buffer.read(), Config())\nprint(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=SEED.read_bytes(), capture_output=True, cwd=ROOT, check=True)
    heavy = {"re", "typing", "dataclasses", "array", "unicodedata", "json", "typer", "rich", "numpy"}
    assert not heavy & set(done.stdout.decode().split())


@pytest.mark.parametrize("options", [["report"], ["check"], ["clean", "-o", os.devnull]])
def test_a_small_document_needs_no_numpy(options: list[str]) -> None:
    code = (
        "import sys\nfrom dedup.cli import run\nrun(sys.argv[1:])\n"
        "heavy = {'numpy', 'duckdb'} & set(sys.modules)\nassert not heavy, heavy"
    )
    command = [sys.executable, "-c", code, *options[:1], str(SEED), *options[1:]]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False, text=True)
    assert "heavy" not in done.stderr, done.stderr


def test_only_the_command_line_prints_or_exits() -> None:
    for path in PACKAGE.rglob("*.py"):
        names = {n.id for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Name)}
        outside = path.parent.name != "cli" and path.name != "__main__.py"
        assert not (outside and names & {"print", "exit", "quit"}), path
