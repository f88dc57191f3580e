"""The quality gate: how many cases of each class are right may rise, and not fall.

    python -m tests.floors            the table; exit 1 where a class is below its floor, or the case files have changed
    python -m tests.floors --raise    write what is reached now as the new floors, unless one would sink
    python -m tests.floors --lower    the same, and let floors sink

fixtures/floors.json holds, for each case file and class, the number of cases and of those that are right, and the
sha256 of the case files. Known failures have no floor of their own; all cases together have one, so a case may move
from file to file and not disappear.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from tests.cases import FAILING, FILES, FOLDER, digest, load, wrong

FLOORS = FOLDER.parent / "floors.json"
ALL = "all cases"


class Score(NamedTuple):
    cases: int
    right: int

    def below(self, floor: "Score") -> bool:
        """Whether there are fewer cases, or a smaller share of them is right."""
        return self.cases < floor.cases or self.right * floor.cases < floor.right * self.cases


Scores = dict[str, Score]


def measure(folder: Path = FOLDER) -> Scores:
    """The score of each class of each file: `near: wrapped`; and of all cases."""
    marks: dict[str, list[bool]] = {}
    for file in FILES:
        for case in load(file, folder):
            marks.setdefault(f"{file}: {case.kind}", []).append(not wrong(case))
    marks = dict(sorted(marks.items())) | {ALL: [mark for row in marks.values() for mark in row]}
    return {name: Score(len(row), sum(row)) for name, row in marks.items()}


def read(path: Path = FLOORS) -> tuple[str, Scores]:
    """The digest of the case files and the floors."""
    if not path.exists():
        return "", {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["sha256"], {name: Score(*score) for name, score in content["floors"].items()}


def sunk(scores: Scores, floors: Scores) -> list[str]:
    """One line for each floor that is not reached."""
    out = []
    for name, floor in floors.items():
        score = scores.get(name, Score(0, 0))
        if name != ALL and name.startswith(FAILING):
            continue
        if name == ALL and score.cases >= floor.cases:
            continue
        if not score.cases:
            out.append(f"{name}: the class is gone; its floor is {floor.right} of {floor.cases}")
        elif score.below(floor):
            out.append(f"{name}: {score.right} of {score.cases} are right; the floor is {floor.right} of {floor.cases}")
    return out


def check(scores: Scores, sha256: str, path: Path = FLOORS) -> list[str]:
    """What is wrong with the scores or the digest, one line each."""
    known, floors = read(path)
    stale = "the case files or their classes are not those of floors.json: run python -m tests.floors --raise"
    return sunk(scores, floors) + [stale] * (known != sha256 or floors.keys() != scores.keys())


def write(scores: Scores, sha256: str, path: Path = FLOORS, *, lower: bool = False) -> list[str]:
    """Write the scores as floors. Where one would sink, write nothing and say so, unless `lower`."""
    problems = [] if lower else sunk(scores, read(path)[1])
    if not problems:
        rows = ",\n".join(f"    {json.dumps(name)}: [{s.cases}, {s.right}]" for name, s in scores.items())
        path.write_text(f'{{\n  "sha256": "{sha256}",\n  "floors": {{\n{rows}\n  }}\n}}\n', encoding="utf-8")
    return problems


def main(arguments: list[str], folder: Path = FOLDER, path: Path = FLOORS) -> int:
    """Run the gate; see above."""
    if not set(arguments) <= {"--raise", "--lower"}:
        print(__doc__, file=sys.stderr)
        return 2
    scores, sha256 = measure(folder), digest(folder)
    if arguments:
        problems = write(scores, sha256, path, lower="--lower" in arguments)
        problems += ["nothing was written; --lower lets floors sink"] * bool(problems)
    else:
        problems = check(scores, sha256, path)
        for name, score in scores.items():
            print(f"{name:<40} {score.right:>4} of {score.cases:>4}")
    for problem in problems:
        print(f"floors: {problem}", file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
