"""The case files: what is believed about one document each, sorted by how sure the belief is.

synthetic.toml: damage made on purpose. wild.toml: damage as real scrapes show it. negative.toml: repeats that stay.
known_failures.toml: what should happen and does not yet; a case that starts to pass must move to another file.
"""

import html
import re
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dedup

FOLDER = Path(__file__).parent.parent / "fixtures" / "cases"

Lines = list[str]
Case = dict[str, Any]


def _mojibake(line: str) -> str:
    """UTF-8 read as Windows-1252."""
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in line.encode())


def _typeset(line: str) -> str:
    line = re.sub(r'"(?=\w)', "“", line).replace('"', "”").replace("'", "’").replace(" - ", "\u00a0— ")
    return line.replace("fi", "ﬁ").replace("fl", "ﬂ").replace(" to ", " to\u00a0")


def _hyphened(line: str) -> str:
    return re.sub(r"(?<=[a-z]{3})(?=[a-z]{3})", "\u00ad", line).replace("e ", "e\u200b ")


def _each(change: Callable[[str], str]) -> Callable[[Lines], Lines]:
    return lambda lines: [change(line) for line in lines]


_CHANGES: dict[str, Callable[[Lines], Lines]] = {
    "bulleted": _each(lambda line: "- " + line),
    "blank": lambda lines: "\n\n".join(lines).split("\n"),
    "closed": lambda lines: ["".join(lines)],
    "cr": lambda lines: ["\r".join([*lines, ""])],
    "crlf": lambda lines: ["\r\n".join([*lines, ""])],
    "escaped": _each(lambda line: html.escape(line).replace("é", "&eacute;").replace("-", "&#8211;")),
    "hyphened": _each(_hyphened),
    "interleaved": lambda lines: [line for line in lines for _ in range(2)],
    "joined": lambda lines: [" ".join(lines)],
    "mojibake": _each(_mojibake),
    "quoted": _each(lambda line: "> " + line),
    "teaser": _each(lambda line: " ".join(line.split(" ")[:17])),
    "typeset": _each(_typeset),
    "upper": _each(str.upper),
    "wrapped": lambda lines: [row for line in lines for row in textwrap.wrap(line, 72)],
}
_NAMED = re.compile(r"\{(?P<name>\w+)(?: (?P<first>\d+)(?:-(?P<last>\d+))?)?(?P<changes>(?:\|\w+)*)\}")


def _build(parts: str | Lines, texts: dict[str, str], end: bool) -> str:
    """The document that `parts` describe: a text as it stands, or lines with named texts in them."""
    if isinstance(parts, str):
        return parts

    def named(match: re.Match[str]) -> str:
        lines = texts[match["name"]].strip("\n").split("\n")
        if match["first"]:
            lines = lines[int(match["first"]) - 1 : int(match["last"] or match["first"])]
        for change in match["changes"].split("|")[1:]:
            lines = _CHANGES[change](lines)
        return "\n".join(lines)

    return "\n".join(_NAMED.sub(named, part) for part in parts) + "\n" * end


def _cases(stem: str) -> list[Case]:
    content = tomllib.loads((FOLDER / f"{stem}.toml").read_text(encoding="utf-8"))
    texts, out = content.get("texts", {}), []
    for case in content["case"]:
        raw = _build(case["raw"], texts, case.get("end", True))
        clean = _build(case["clean"], texts, case.get("end", True)) if "clean" in case else raw
        out.append({**case, "raw": raw, "clean": clean})
    return out


def _params(*stems: str) -> list[Any]:
    return [pytest.param(case, id=f"{stem}: {case['name']}") for stem in stems for case in _cases(stem)]


def _assert_repaired(case: Case) -> dedup.Result:
    result = dedup.clean(case["raw"])
    report = [(b.rule, b.removed, b.copy.lines, b.kept.lines) for b in result.blocks]
    assert result.text == case["clean"], report
    assert dedup.restore(result.clean, dedup.to_manifest(result)) == case["raw"].encode()
    assert dedup.clean(result.clean).clean == result.clean
    return result


@pytest.mark.parametrize("case", _params("synthetic", "wild"))
def test_a_damaged_article_is_repaired(case: Case) -> None:
    result = _assert_repaired(case)
    assert case["rule"] in {block.rule for block in result.removed}


@pytest.mark.parametrize("case", _params("negative"))
def test_a_repeat_that_is_right_stays(case: Case) -> None:
    result = _assert_repaired(case)
    assert not result.removed
    if "rule" in case:
        assert case["rule"] in {block.rule for block in result.repeated}


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="known failure: once it passes, move it to another file")
@pytest.mark.parametrize("case", _params("known_failures"))
def test_a_known_failure_still_fails(case: Case) -> None:
    result = _assert_repaired(case)
    assert case["raw"] == case["clean"] or case["rule"] in {block.rule for block in result.removed}


def test_no_two_cases_have_one_name() -> None:
    names = [case["name"] for stem in ("synthetic", "wild", "negative", "known_failures") for case in _cases(stem)]
    assert len(names) == len(set(names))
    assert all(case["note"] for stem in ("synthetic", "wild", "negative", "known_failures") for case in _cases(stem))
