"""The README tells the truth: its commands run, and print what it says."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import dedup
from dedup.config import Config
from dedup.decide import REASONS
from dedup.fix import FIXERS
from dedup.io.compression import RATIO
from tests.run import CANONICAL, DEDUP, ROOT, SEED

README = (ROOT / "README.md").read_text(encoding="utf-8")
SONG = """The Ferryman's Song

The boats go down at the break of day
And the river runs on, my dear
And the river runs on, and it bears us away

The nets are mended, the lamps are lit,
The ferryman sits at his oar to sit

The boats go down at the break of day
And the river runs on, my dear
And the river runs on, and it bears us away
"""
EDITED = """The old library stays
The council voted on Tuesday to keep the old library open for another five years, and the mayor said it was a good day.
Nobody had expected it, least of all the staff, who had packed their boxes and looked for work in other towns.
Children from two schools sang on the steps in the rain while their teachers held umbrellas over the musicians.
The council voted on Tuesday to keep the old library open for another six years, and the mayor said it was a good day.
Nobody had expected it, least of all the workers, who had packed their boxes and looked for work in other towns.
Children from two schools sang on the stairs in the rain while their teachers held umbrellas over the musicians.
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files that the README speaks of."""
    shutil.copy(SEED, tmp_path / "raw.txt")
    (tmp_path / "song.txt").write_text(SONG)
    (tmp_path / "edited.txt").write_text(EDITED)
    (tmp_path / "scraped").mkdir()
    shutil.copy(SEED, tmp_path / "scraped" / "a.txt")
    shutil.copy(CANONICAL, tmp_path / "scraped" / "b.txt")
    records = [{"id": n, "text": p.read_text(encoding="utf-8")} for n, p in enumerate((SEED, CANONICAL))]
    (tmp_path / "batch.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    (tmp_path / "tomorrow.jsonl").write_text(json.dumps({"id": "new", "text": records[0]["text"]}) + "\n")
    return tmp_path


def test_every_console_block_prints_what_the_readme_says(desk: Path) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```", README, re.M | re.S)
    assert len(blocks) >= 6
    script = f'dedup() {{ {" ".join(DEDUP)} "$@"; }}\n'
    for block in blocks:
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            done = subprocess.run(
                ["bash", "-c", script + command],
                capture_output=True,
                cwd=desk,
                env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONUTF8": "1"},
                check=False,
            )
            assert done.returncode == 0, (command, done.stderr)
            assert (done.stdout + done.stderr).decode() == expected, command


def test_the_python_example_holds(desk: Path) -> None:
    result = dedup.clean((desk / "raw.txt").read_bytes())
    assert [(b.rule, b.copy.lines, b.kept.lines) for b in result.removed] == [("whole-copy", (17, 31), (2, 16))]
    assert dedup.restore(result.clean, dedup.to_manifest(result)) == result.data


def test_every_rule_stands_in_the_readme() -> None:
    assert [rule for rule in REASONS if f"| `{rule}` |" not in README] == []


def test_the_readme_names_every_fixer_and_extra() -> None:
    assert [name for name in FIXERS if f"`{name}`" not in README] == []
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert [name for name in extras if name not in ("all", "dev") and f"`[{name}]`" not in README] == []


def test_the_readme_names_the_defaults() -> None:
    config = Config()
    assert f"under {config.min_paragraph} words" in README
    assert f"{config.min_sentences} words and more" in README
    assert f"All runs of {config.min_words} words" in README
    assert f"more than {RATIO} times its size" in README


def test_the_readme_is_short_and_the_changelog_is_there() -> None:
    assert README.count("\n") <= 250
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
