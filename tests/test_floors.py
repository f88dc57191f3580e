"""The gate holds, and it would not hold if a score fell."""

from pathlib import Path

import pytest

from tests.cases import FAILING, FILES, FOLDER, digest
from tests.floors import ALL, Score, check, main, measure, read, sunk, write

SHA256 = digest()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with the case files, and what is reached now as the floors."""
    (tmp_path / "cases").mkdir()
    for file in FOLDER.glob("*.toml"):
        (tmp_path / "cases" / file.name).write_bytes(file.read_bytes())
    assert write(measure(), SHA256, tmp_path / "floors.json") == []
    return tmp_path


def test_no_class_is_below_its_floor() -> None:
    assert check(measure(), SHA256) == []


def test_a_lowered_score_fails(copy: Path) -> None:
    path, scores = copy / "floors.json", measure()
    name = next(name for name in scores if not name.startswith(FAILING))
    worse = scores | {name: scores[name]._replace(right=scores[name].right - 1)}
    fewer = scores | {name: Score(scores[name].cases - 1, scores[name].right - 1)}
    assert [line.partition(" are right")[0] for line in check(worse, SHA256, path)] == [
        f"{name}: {worse[name].right} of {worse[name].cases}"
    ]
    assert len(check(fewer, SHA256, path)) == 1
    assert len(check(scores, "another digest", path)) == 1
    assert "the class is gone" in check({k: v for k, v in scores.items() if k != name}, SHA256, path)[0]


def test_more_cases_need_as_large_a_share() -> None:
    floor = {"near: wrapped": Score(10, 9)}
    assert sunk({"near: wrapped": Score(20, 18)}, floor) == []
    assert len(sunk({"near: wrapped": Score(20, 17)}, floor)) == 1
    assert len(sunk({"near: wrapped": Score(9, 9)}, floor)) == 1


def test_a_known_failure_may_move_and_not_disappear() -> None:
    floor = {"known_failures: list": Score(2, 0), ALL: Score(9, 7)}
    assert sunk({ALL: Score(9, 9)}, floor) == []
    assert sunk({"known_failures: list": Score(3, 0), ALL: Score(10, 7)}, floor) == []
    assert len(sunk({ALL: Score(7, 7)}, floor)) == 1


def test_raise_refuses_to_lower(copy: Path) -> None:
    path, scores = copy / "floors.json", measure()
    before, name = path.read_bytes(), next(name for name in scores if not name.startswith(FAILING))
    worse = scores | {name: Score(scores[name].cases, scores[name].right - 1)}
    assert len(write(worse, SHA256, path)) == 1
    assert path.read_bytes() == before
    assert write(worse, SHA256, path, lower=True) == []
    assert read(path)[1][name] == worse[name]
    assert write(scores, SHA256, path) == []
    assert path.read_bytes() == before


def test_the_script_says_what_to_do(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, path = copy / "cases", copy / "floors.json"
    assert main([], cases, path) == 0
    with (cases / "wild.toml").open("a", encoding="utf-8") as file:
        file.write("# a remark\n")
    assert main([], cases, path) == 1
    assert "--raise" in capsys.readouterr().err
    assert main(["--raise"], cases, path) == 0
    assert main([], cases, path) == 0
    monkeypatch.setattr("tests.floors.FILES", FILES[1:])
    assert main(["--raise"], cases, path) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert main(["--raise", "--lower"], cases, path) == 0
    assert main(["--anything"], cases, path) == 2
