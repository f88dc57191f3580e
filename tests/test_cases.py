"""The case files hold; see cases.py for what is in them."""

from typing import Any

import pytest

from tests.cases import FAILING, FILES, REPAIRED, RIGHT, Case, load, wrong


def _params(files: tuple[str, ...]) -> list[Any]:
    return [pytest.param(case, id=f"{file}: {case.name}") for file in files for case in load(file)]


@pytest.mark.parametrize("case", _params(REPAIRED))
def test_a_damaged_article_is_repaired(case: Case) -> None:
    assert wrong(case) == ""


@pytest.mark.parametrize("case", _params(RIGHT))
def test_a_repeat_that_is_right_stays(case: Case) -> None:
    assert wrong(case) == ""


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="known failure: once it passes, move it to another file")
@pytest.mark.parametrize("case", _params(FAILING))
def test_a_known_failure_still_fails(case: Case) -> None:
    assert wrong(case) == ""


def test_the_case_files_say_what_they_mean() -> None:
    cases = [case for file in FILES for case in load(file)]
    assert len({case.name for case in cases}) == len(cases)
    assert [case.name for case in cases if not case.note or not case.kind] == []
    assert [c.name for c in cases if c.file in REPAIRED and c.raw == c.clean] == []
    assert [c.name for c in cases if c.file in RIGHT and c.raw != c.clean] == []
