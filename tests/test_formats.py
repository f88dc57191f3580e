"""The reports for other programs: SARIF, GitHub Actions, JUnit. Each says the same, and no content steers a reader."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dedup.cli.inputs import Engine, Job, Tally
from dedup.cli.reports import found_in, rendered
from dedup.config import Config
from dedup.io.documents import Reading
from dedup.model import Result
from dedup.report import github, junit, sarif
from dedup.report.findings import Finding, findings
from dedup.report.json import render
from dedup.report.run import Run
from dedup.report.safe import safe
from dedup.within import clean_document
from tests.run import ROOT, SEED, dedup

HEAD = "The Harbour Gazette, founded by three ferrymen and a baker"
FLOOD = (
    "The river came over the lower quay a little after four in the morning, and when the bakers were up it stood two "
    "steps high in the cellar of the chandler, who had moved nothing, since in his father's time it never rose so far."
)
PUMPS = (
    "Two pumps were sent from the brewery and a third from the school, and they ran until noon on borrowed diesel, and "
    "a chain of neighbours handed ropes, lamps and tins of tar up the stairs and laid them out along the church wall."
)
BILL = (
    "What it will cost nobody wants to say yet, but the council has promised the first thousand, the brewery has given "
    "its pumps for nothing, and the chandler has put a jar on his counter that was full of coins before the evening."
)
GOATS = (
    "Four goats that had escaped from the fair were found on the roof of the post office, where they ate the geraniums "
    "and would not come down for bread, for apples, or for the fire brigade with its longest and newest ladder."
)
LADDER = (
    "In the end a girl of nine climbed up with a bell that she had from her grandmother, rang it twice, and walked off "
    "over the flat roofs towards the meadow without turning round once, and all four of them followed her in a line."
)
CLOCK = (
    "The clock of the town hall has been seven minutes late since the spring, so the buses now leave by the clock and "
    "the trains by the sun, and whoever wants to change between them has learned to drink a coffee in the meantime."
)
SAUSAGE = (
    "At the market the price of a sausage has gone up by a fifth, which the butcher explains by mustard, his wife by "
    "the butcher, and the dogs of the town, who have always been paid in ends, by a general decline of manners."
)
EAGER = Config(contained=True, passages=True, boilerplate=True)


@contextmanager
def _run(
    *inputs: Path | str, config: Config = EAGER, scope: str | None = None, index: Path | str = ""
) -> Iterator[Run]:
    job = Job(Reading(config), Engine(1, 0, os.fspath(index)), scope, [os.fspath(path) for path in inputs])
    with found_in(job, Tally()) as run:
        yield run


@pytest.fixture
def batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A batch with one removal of every kind, a record that is none, and a binary file."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text(f"{HEAD}\n{FLOOD}\n{PUMPS}\n{BILL}\n{FLOOD}\n")
    (folder / "b.txt").write_text(f"{HEAD}\n{FLOOD}\n{PUMPS}\n{BILL}\n".upper())
    records = [
        {"id": "goats", "text": f"{HEAD}\n{GOATS}\n{LADDER}\n"},
        {"id": "clock", "text": f"{PUMPS}\nNobody could say what this has to do with the clock.\n{CLOCK}\n"},
        {"id": "broken", "text": 7},
        {"id": "late", "text": f"{HEAD}\n{SAUSAGE}\nThis is told in the square.\n{SAUSAGE}\n"},
    ]
    (folder / "c.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "d.txt").write_text(LADDER)
    (folder / "e").write_bytes(b"\x89PNG\0\0")
    monkeypatch.chdir(tmp_path)
    with _run("in") as run:
        yield run


# ---------------------------------------------------------------- findings


def _told(found: Iterator[Finding]) -> list[tuple[str, object, str, str, object]]:
    return [(f.place.where, f.place.lines, f.rule, f.kept.where, f.kept.lines) for f in found]


def test_every_removal_is_one_finding_that_names_what_stays_for_it(batch: Run) -> None:
    assert _told(findings(batch)) == [
        ("in/a.txt", (5, 5), "prose-copy", "in/a.txt", (2, 2)),
        ("in/b.txt", None, "exact-document", "in/a.txt", None),
        ("in/c.jsonl:1", (1, 1), "boilerplate", "in/a.txt", (1, 1)),
        ("in/c.jsonl:2", (1, 1), "passage", "in/a.txt", (3, 3)),
        ("in/c.jsonl:4", (1, 1), "boilerplate", "in/a.txt", (1, 1)),
        ("in/c.jsonl:4", (4, 4), "prose-copy", "in/c.jsonl:4", (2, 2)),
        ("in/d.txt", None, "contained-document", "in/c.jsonl:1", None),
    ]


def test_the_bytes_of_the_findings_are_the_bytes_removed(batch: Run) -> None:
    assert sum(finding.bytes for finding in findings(batch)) == batch.totals["bytes_removed"] > 0


def test_a_passage_that_was_cut_around_another_one_counts_its_own_bytes(tmp_path: Path) -> None:
    start, end = (" ".join(text.split()[:18]) + "." for text in (CLOCK, SAUSAGE))
    for name, text in {"a": [start, end, GOATS], "b": [FLOOD, PUMPS], "c": [LADDER, start, FLOOD, end]}.items():
        (tmp_path / name).write_text("\n".join([*text, ""]))
    with _run(tmp_path) as run:
        outer, inner = findings(run)
        assert outer.bytes + inner.bytes == run.totals["bytes_removed"]
    assert (outer.place.lines, inner.place.lines) == ((2, 4), (3, 3))
    assert (outer.bytes, inner.bytes) == (len(f"{start}\n{end}\n"), len(f"{FLOOD}\n"))


def test_a_finding_says_in_words_what_happens(batch: Run) -> None:
    said = {finding.rule: finding.sentence for finding in findings(batch)}
    assert said == {
        "prose-copy": "Line 4 of record late repeats line 2: paragraphs of prose again",
        "exact-document": "The document repeats the text of in/a.txt: the same words",
        "boilerplate": "Line 1 of record late repeats line 1 of in/a.txt: a line that many documents of the site have",
        "passage": "Line 1 of record clock repeats line 3 of in/a.txt: a passage that an earlier document has",
        "contained-document": "The document repeats the text of record goats (in/c.jsonl:1): contained copy",
    }
    with _run(SEED) as run:
        (finding,) = findings(run)
    assert finding.sentence.startswith("Lines 17-31 repeat lines 2-16: ")


def _keys(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with _run(path) as run:
        return [finding.key for finding in findings(run)]


def test_the_key_of_a_finding_stays_when_lines_move_or_are_set_anew_and_tells_copies_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    (key,) = _keys(path, f"{FLOOD}\n{PUMPS}\n{FLOOD}\n")
    assert _keys(path, f"{BILL}\n{FLOOD}\n{PUMPS}\n{GOATS}\n{FLOOD.upper()}\n") == [key]
    first, second = _keys(path, f"{FLOOD}\n{PUMPS}\n{FLOOD}\n{GOATS}\n{FLOOD}\n")
    assert {first, second} == {key, key.removesuffix(":1") + ":2"}
    assert _keys(path, f"{FLOOD}\n{BILL}\n{PUMPS}\n{BILL}\n") != [key]


def test_what_is_accepted_is_in_no_report_but_one_more_copy_of_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"{FLOOD}\n{PUMPS}\n{FLOOD}\n{GOATS}\n{FLOOD}\n")
    with _run(path) as run:
        place, key = next(findings(run)).place.path, next(findings(run)).key.partition(":")[0]
        for times, left in ((1, 1), (2, 0)):
            some = replace(run, accepted={place: {key: times}})
            assert len(list(findings(some))) == len(_log(some)["results"]) == left
            assert len(list(github.render(some))) == _suite(some)["failures"] == left
            assert "What the baseline accepts is left out." in "".join(github.summary(some))


def test_what_the_index_has_is_named_with_its_run(tmp_path: Path) -> None:
    old, new, other = tmp_path / "old.txt", tmp_path / "new.txt", tmp_path / "other.txt"
    old.write_text(f"{FLOOD}\n{PUMPS}\n{BILL}\n{FLOOD}\n")
    new.write_text(f"{FLOOD}\n{PUMPS}\n{BILL}\n".upper())
    other.write_text(f"{GOATS}\n{LADDER}\n{CLOCK}\n{SAUSAGE}\n{BILL}\n")
    assert dedup("index", "add", tmp_path / "db", old).returncode == 0
    with _run(new, other, index=tmp_path / "db") as run:
        found, results = list(findings(run)), _log(run)["results"]
    # Of the old text the index has what was left of it: where that stands in the file is not known.
    assert _told(iter(found)) == [
        (str(new), None, "exact-document", str(old), None),
        (str(other), (5, 5), "passage", str(old), None),
    ]
    for finding, result in zip(found, results, strict=True):
        assert re.search(r"repeats the text of \S*old\.txt, which the index has from run 1 of 20", finding.sentence)
        assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == f"file://{old}"


def test_documents_are_told_one_by_one() -> None:
    read: list[int] = []

    def result(number: int) -> Result:
        read.append(number)
        return clean_document(SEED.read_bytes(), Config(), f"{number}.txt")

    run = Run(Config(), {"documents": 50}, result, where=lambda number: (f"{number}.txt", None))
    parts = iter(sarif.render(run, "1"))
    while "7.txt" not in next(parts):
        pass
    assert read == list(range(8))
    read.clear()
    assert len("".join(junit.render(run)).split("<failure")) == 51
    assert len(list(findings(run))) == 50
    assert read == list(range(50)), "what was found is told again, not found again"


@pytest.mark.parametrize("kind", ["lines", "json", "sarif", "github", "junit", "html", "text"])
def test_a_document_in_which_nothing_repeats_is_not_read_again(tmp_path: Path, kind: str) -> None:
    texts = [
        f"{CLOCK}\n",
        f"{FLOOD}\n{PUMPS}\n{FLOOD}\n",
        f"{LADDER}\n",
        f"{LADDER}\n",
        f"{HEAD}\n",
        f"{PUMPS} {HEAD}\n",
    ]
    records = [{"id": n, "text": text} for n, text in enumerate([*texts, "", *map("Number {}.".format, range(8))])]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    with _run(tmp_path / "a.jsonl") as run:
        read: list[int] = []

        def result(number: int) -> Result:
            read.append(number)
            return run.result(number)

        assert b"".join(rendered(replace(run, result=result), kind))
        assert 1 in read
        assert not {0, 4, *range(6, 15)}.intersection(read)
        assert [*rendered(run, kind)] == [*rendered(replace(run, repeats=None), kind)]


# ---------------------------------------------------------------- SARIF

_LINE = {"type": "integer", "minimum": 1}
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "pattern": "[.]$"}}}
_WHERE = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "id": {"const": 1},
        "message": _TEXT,
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "additionalProperties": False,
                    "properties": {
                        "uri": {"type": "string", "pattern": "^(file:///)?([A-Za-z0-9._~/-]|%[0-9A-F]{2})+$"}
                    },
                },
                "region": {
                    "type": "object",
                    "required": ["startLine"],
                    "additionalProperties": False,
                    "properties": {"startLine": _LINE, "endLine": _LINE},
                },
            },
        },
    },
    "additionalProperties": False,
}
# What SARIF 2.1.0 asks of the part of it that is used here.
_SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "pattern": "sarif-schema-2[.]1[.]0[.]json$"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["columnKind", "results", "invocations", "tool"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"const": "unicodeCodePoints"},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["ruleId", "ruleIndex", "message", "locations", "partialFingerprints"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"const": "warning"},
                                "message": _TEXT,
                                "locations": {"type": "array", "minItems": 1, "maxItems": 1, "items": _WHERE},
                                "relatedLocations": {"type": "array", "minItems": 1, "maxItems": 1, "items": _WHERE},
                                "partialFingerprints": {
                                    "type": "object",
                                    "minProperties": 1,
                                    "additionalProperties": {"type": "string"},
                                },
                                "properties": {"type": "object"},
                            },
                        },
                    },
                    "invocations": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful", "toolExecutionNotifications"],
                            "additionalProperties": False,
                            "properties": {
                                "executionSuccessful": {"type": "boolean"},
                                "toolExecutionNotifications": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["level", "message"],
                                        "additionalProperties": False,
                                        "properties": {
                                            "level": {"enum": ["note", "warning", "error"]},
                                            "message": _TEXT,
                                            "locations": {"type": "array", "items": _WHERE},
                                        },
                                    },
                                },
                            },
                        },
                    },
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "version", "informationUri", "rules"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"const": "dedup"},
                                    "version": {"type": "string"},
                                    "informationUri": {
                                        "type": "string",
                                        "pattern": "^data:text/plain,[A-Za-z0-9%._-]+$",
                                    },
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id", "shortDescription", "fullDescription", "help"],
                                            "properties": {
                                                "id": {"type": "string", "pattern": "^[a-z-]+$"},
                                                "shortDescription": _TEXT,
                                                "fullDescription": _TEXT,
                                                "help": _TEXT,
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}


def _checked(log: Any) -> Any:
    """The run of a log. Raises ValueError for what no reader of SARIF could follow."""
    jsonschema.validate(log, _SARIF)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    keys = Counter()  # type: Counter[tuple[str, str]]
    for result in run["results"]:
        here, there = result["locations"][0]["physicalLocation"], result["relatedLocations"][0]["physicalLocation"]
        for region in (here["region"], there["region"]):
            if region.get("endLine", region["startLine"]) < region["startLine"]:
                raise ValueError("a region ends before it starts")
        if rules[result["ruleIndex"]] != result["ruleId"]:
            raise ValueError("a rule has the index of another one")
        text = result["message"]["text"]
        if safe(text) != text:
            raise ValueError("the message has control characters")
        if re.findall(r"\]\(([^)]*)\)", text) != ["1"]:
            raise ValueError("the message has not one link, to the text that stays")
        if "{" in text.replace("{{", "") or "}" in text.replace("}}", ""):
            raise ValueError("the message has a placeholder and nothing to put there")
        keys[here["artifactLocation"]["uri"], result["partialFingerprints"]["removedText/v1"]] += 1
    if keys and max(keys.values()) > 1:
        raise ValueError("two results cannot be told apart")
    return run


def _log(run: Run, **options: int) -> Any:
    text = "".join(sarif.render(run, "1.2.3", **options))
    assert text.isascii()
    assert "##" not in text
    return _checked(json.loads(text))


def test_the_seed_is_one_result_with_its_kept_copy_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with _run("./fixtures/seed/raw.txt") as run:
        (result,) = _log(run)["results"]
    where, kept = result["locations"][0]["physicalLocation"], result["relatedLocations"][0]["physicalLocation"]
    assert where == {
        "artifactLocation": {"uri": "fixtures/seed/raw.txt"},
        "region": {"startLine": 17, "endLine": 31},
    }
    assert kept["region"] == {"startLine": 2, "endLine": 16}
    assert result["message"]["text"].startswith("Lines 17-31 repeat [lines 2-16](1): the body of the document again")
    assert (result["ruleId"], result["properties"]["bytes"]) == ("whole-copy", 3299)


def test_a_record_is_at_its_line_and_its_own_lines_are_told(batch: Run) -> None:
    result = next(r for r in _log(batch)["results"] if r["properties"]["document"] == "late")
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 4, "endLine": 4}
    assert result["message"]["text"].startswith("Line 1 of record late repeats [line 1](1) of in/a.txt")
    assert result["properties"]["lines"] == [1, 1]


def test_errors_and_skipped_files_are_notifications_with_their_place(batch: Run) -> None:
    (invocation,) = _log(batch)["invocations"]
    assert not invocation["executionSuccessful"]
    error, skipped = invocation["toolExecutionNotifications"]
    assert (error["level"], skipped["level"]) == ("error", "note")
    assert error["message"]["text"].startswith("in/c.jsonl:3: field 'text' is int")
    assert error["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "in/c.jsonl"},
        "region": {"startLine": 3, "endLine": 3},
    }
    assert skipped["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "in/e"}
    with _run(SEED) as run:
        assert _log(run)["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def _uris(run: Run) -> tuple[list[bytes], list[tuple[bytes, int | None]]]:
    """The files of the results, and those of the notifications with their lines."""
    log = _log(run)
    notes = log["invocations"][0]["toolExecutionNotifications"]
    places = [entry["locations"][0]["physicalLocation"] for entry in [*log["results"], *notes]]
    found = [
        (os.path.basename(unquote_to_bytes(place["artifactLocation"]["uri"])), place["region"].get("endLine"))
        for place in places
    ]
    return [file for file, _ in found[: len(log["results"])]], found[len(log["results"]) :]


def test_names_that_are_not_utf_8_or_end_like_a_line_keep_their_bytes_and_their_place(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/in"
    os.mkdir(folder)
    text = f"{FLOOD}\n{PUMPS}\n{FLOOD}\n".encode()
    contents = {b"caf\xe9:7": text, b"caf\xe9:8": b"\0\1", b"\xe9.jsonl": json.dumps({"text": text.decode()}).encode()}
    contents[b"\xe9.jsonl"] += b"\n{\n"
    for name, content in contents.items():
        with open(folder + b"/" + name, "wb") as stream:
            stream.write(content)
    os.symlink("nowhere", folder + b"/x:2")
    with _run(os.fsdecode(folder)) as run:
        found, notes = _uris(run)
        assert found == [b"caf\xe9:7", b"\xe9.jsonl"]
        assert set(notes) == {(b"caf\xe9:8", None), (b"x:2", None), (b"\xe9.jsonl", 2)}
        report = json.loads("".join(render(run)))
        assert sorted(os.path.basename(error["source"]) for error in report["errors"]) == ["\\udce9.jsonl:2", "x:2"]
        assert [os.path.basename(file) for file in report["skipped"]] == ["caf\\udce9:8"]
        (bare,) = (f for f in findings(run) if f.place.record)
        assert bare.place.title == f"record {bare.place.where}", "its name says no more than its place"
        _sound(run)
    with _run(os.fsdecode(folder + b"/caf\xe9:7")) as run:
        assert _uris(run) == ([b"caf\xe9:7"], [])


def test_results_over_the_limit_are_counted(batch: Run) -> None:
    run = _log(batch, limit=2)
    assert len(run["results"]) == 2
    assert run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"] == (
        "Not listed: 5 more findings; the limit is 2."
    )


_Spoil = Callable[[Any, Any], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run, result: result.update(ruleId="nonsense"),
        lambda run, result: result.update(level="bad"),
        lambda run, result: result.update(bogus=1),
        lambda run, result: result.pop("message"),
        lambda run, result: result["message"].update(text="See [this](2)."),
        lambda run, result: result["message"].update(text="[A](1) is {0}."),
        lambda run, result: result["message"].update(text="[A](1) is \x1b[31mred."),
        lambda run, result: result["locations"].append(result["locations"][0]),
        lambda run, result: result["locations"][0]["physicalLocation"]["region"].update(startLine=0),
        lambda run, result: result["locations"][0]["physicalLocation"]["region"].update(endLine=1),
        lambda run, result: result["locations"][0]["physicalLocation"]["artifactLocation"].update(uri="a b"),
        lambda run, result: run["results"].append(result),
        lambda run, result: run["invocations"][0].pop("executionSuccessful"),
        lambda run, result: run["tool"]["driver"]["rules"].pop(),
    ],
)
def test_a_spoilt_log_is_caught_by_the_check_of_these_tests(batch: Run, spoil: _Spoil) -> None:
    log = json.loads("".join(sarif.render(batch, "1")))
    _checked(log)
    spoil(log["runs"][0], log["runs"][0]["results"][0])
    with pytest.raises((jsonschema.ValidationError, ValueError, IndexError)):
        _checked(log)


@given(st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name and b"/" not in name))
@example(b"a b%41[1]{x}|\xc3\xa9:y.txt")
@example(b"caf\xe9\n\x1b.txt")
def test_the_uri_of_a_file_leads_back_to_its_bytes(name: bytes) -> None:
    for folder in (b"in/", b"/tmp/"):
        path = folder + name
        found = sarif.uri(os.fsdecode(path))
        assert re.fullmatch(r"(file://)?([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", found)
        assert unquote_to_bytes(found.removeprefix("file://")) == path


# ---------------------------------------------------------------- GitHub


def _command(line: str) -> tuple[str, dict[str, str], str]:
    """A line as the runner of GitHub Actions reads it: command, properties, message."""
    assert line.startswith("::"), line
    end = line.index("::", 2)
    name, _, rest = line[2:end].partition(" ")
    properties = dict(part.split("=", 1) for part in rest.split(","))
    return name, {key: _unescaped(value, "\r\n:,%") for key, value in properties.items()}, _unescaped(line[end + 2 :])


def _unescaped(text: str, signs: str = "\r\n%") -> str:
    for sign in signs:
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text


def _commands(run: Run) -> list[tuple[str, dict[str, str], str]]:
    text = "".join(github.render(run))
    lines = text.split("\n")
    assert lines.pop() == ""
    assert lines == text.splitlines()
    return [_command(line) for line in lines]


def test_the_seed_is_one_warning_at_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with _run("fixtures/seed/raw.txt") as run:
        assert list(github.render(run)) == [
            "::warning file=fixtures/seed/raw.txt,line=17,endLine=31,title=whole-copy%2C 3%2C299 bytes"
            "::Lines 17-31 repeat lines 2-16: the body of the document again, next to its original\n"
        ]


def test_errors_come_first_then_the_largest_findings_then_a_notice_of_the_rest(batch: Run) -> None:
    commands = _commands(batch)
    assert [name for name, _, _ in commands] == ["error", *["warning"] * 7, "notice"]
    assert commands[0][1] == {"file": "in/c.jsonl", "line": "3", "endLine": "3", "title": "dedup"}
    sizes = [int(properties["title"].split(", ")[1].split()[0]) for _, properties, _ in commands[1:-1]]
    assert sizes == sorted((finding.bytes for finding in findings(batch)), reverse=True)
    assert commands[-1][2] == "Without an annotation: 1 file skipped as binary."


def test_no_more_annotations_than_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    records = [{"id": n, "text": f"{GOATS}\nNumber {n}.\n{GOATS}\n{CLOCK[: 100 + n]}\n"} for n in range(13)]
    lines = [json.dumps(record) for record in records] + ["{"] * 12
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    with _run(tmp_path / "a.jsonl", scope="document") as run:
        commands = _commands(run)
        total = sum(finding.bytes for finding in findings(run))
    assert Counter(name for name, _, _ in commands) == {"error": 10, "warning": 10, "notice": 1}
    size = 3 * (len(GOATS) + 1)
    assert total == size // 3 * 13
    assert commands[-1][2] == f"Without an annotation: 3 smaller findings ({size} bytes), 2 more errors."


def test_a_clean_run_has_no_annotation(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(FLOOD)
    with _run(tmp_path / "a.txt") as run:
        assert list(github.render(run)) == []


class _Page(HTMLParser):
    """The tags, the code and the headings of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.code: list[str] = []
        self.cells: Counter[int] = Counter()
        self.inside = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(" ".join([tag, *(name for name, _ in attributes)]))
        if tag == "code":
            self.inside = True
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.code[-1] += data


def _page(run: Run) -> _Page:
    """The step summary as a reader of Markdown draws it: only our own tags, whatever the content."""
    text = "".join(github.summary(run))
    assert len(text.encode()) < 1_000_000
    page = _Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    assert page.tags <= {"h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code"}
    return page


def test_the_step_summary_has_the_totals_and_what_is_worst(batch: Run) -> None:
    text = "".join(github.summary(batch))
    size, gone = batch.totals["bytes_in"], batch.totals["bytes_removed"]
    assert (
        f"**{100 * gone / size:.1f}%** of {size:,} bytes goes: 7 findings of {gone:,} bytes in 6 of 6 documents."
        in text
    )
    titles = ["Documents that repeat the most", "Documents that repeat others", "Passages that an earlier document has"]
    titles += ["Lines that several documents have", "Errors", "Skipped files"]
    assert re.findall("^### (.*)$", text, re.MULTILINE) == titles
    code = _page(batch).code
    assert code[0] == "in/b.txt"
    assert {HEAD, "record goats (in/c.jsonl:1)", "contained copy", "in/e"} <= set(code)


def test_the_step_summary_stays_below_what_github_takes_and_counts_the_rest(tmp_path: Path) -> None:
    records = [{"id": "|`<" * 100 + str(n), "text": f"{n // 4} {FLOOD}\n{PUMPS}\n"} for n in range(480)]
    (tmp_path / "a.jsonl").write_text("\n".join([json.dumps(record) for record in records] + ["|" * 300] * 120))
    with _run(tmp_path / "a.jsonl", config=Config()) as run:
        text = "".join(github.summary(run))
        _page(run)
        pairs = sum(len(cluster.members) for cluster in run.findings.clusters)
    tables = {table.partition("\n")[0]: table for table in text.split("\n### ")[1:]}
    shown = {title: table.count("\n| <code>") for title, table in tables.items()}
    left = {title: int(n) for title, table in tables.items() for n in re.findall(r"\n(\d+) more are not shown", table)}
    assert shown["Documents that repeat the most"] == shown["Errors"] == 100
    assert shown["Documents that repeat others"] < 100, "cut for its size"
    assert {title: shown[title] + left[title] for title in left} == {
        "Documents that repeat the most": 480 - 120,
        "Documents that repeat others": pairs,
        "Errors": 120,
    }


# ---------------------------------------------------------------- JUnit


def _suite(run: Run) -> dict[str, int]:
    """The totals of the file, which are those of its cases."""
    text = "".join(junit.render(run))
    assert text.isascii()
    assert "##" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    root = ElementTree.fromstring(text)
    (suite,) = root
    counts = {"tests": len(suite)}
    for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        counts[total] = len(suite.findall(f"testcase/{tag}"))
    for element in (root, suite):
        assert {name: int(element.attrib[name]) for name in counts} == counts
    return counts


def test_each_document_is_a_test_that_fails_with_its_findings(batch: Run) -> None:
    assert _suite(batch) == {"tests": 8, "failures": 6, "errors": 1, "skipped": 1}
    suite = ElementTree.fromstring("".join(junit.render(batch)))[0]
    places = [
        "in/a.txt",
        "in/b.txt",
        "in/c.jsonl:1",
        "in/c.jsonl:2",
        "in/c.jsonl:4",
        "in/d.txt",
        "in/c.jsonl:3",
        "in/e",
    ]
    assert [case.attrib["name"] for case in suite] == places
    failure = suite[4][0]
    assert failure.attrib == {"message": "2 findings, 278 of 525 bytes", "type": "prose-copy"}
    assert (failure.text or "").split("\n")[1:3] == [
        "- Line 1 of record late repeats line 1 of in/a.txt: a line that many documents of the site have "
        "(boilerplate, 59 bytes)",
        "- Line 4 of record late repeats line 2: paragraphs of prose again (prose-copy, 219 bytes)",
    ]


def test_a_test_has_the_same_name_when_it_passes(tmp_path: Path) -> None:
    names = []
    for text in (f"{FLOOD}\n{PUMPS}\n{FLOOD}\n", f"{FLOOD}\n{PUMPS}\n"):
        (tmp_path / "a.txt").write_text(text)
        with _run(tmp_path / "a.txt") as run:
            (case,) = ElementTree.fromstring("".join(junit.render(run)))[0]
        names.append((case.attrib["classname"], case.attrib["name"], len(case)))
    assert names == [("dedup", str(tmp_path / "a.txt"), 1), ("dedup", str(tmp_path / "a.txt"), 0)]


# ---------------------------------------------------------------- hostile content

_FRAGMENTS = ["]]>", "::error::x", "::stop-commands::t", "##[add-mask]a", "##vso[task.x]", "##teamcity[x]", "[bold]"]
_FRAGMENTS += [
    "<script>x</script>",
    "<!--",
    "-->",
    "&lt;",
    "&#10;",
    "](http://example.org)",
    "[x](1)",
    "](",
    "{0}",
    "{{",
]
_FRAGMENTS += [
    "%0A",
    "%25",
    "%3A%3A",
    ",",
    ":",
    "=",
    "|",
    "`",
    "```",
    "\\",
    "\\|",
    "\\]",
    "~~~",
    "*x*",
    "__x__",
    "#",
    ">",
]
_FRAGMENTS += [
    "http://example.org",
    "www.example.org",
    "@someone",
    '"',
    "'",
    "<td>",
    "?",
    "\n",
    "\r\n",
    "\t",
    "\n\n# x",
]
_FRAGMENTS += ["\n::warning::y", "\x1b[31m", "\x1b]0;x\x07", "\x85", "\x9b", "\u202e", "\u2028", "\u2066", "\ufeff"]
_FRAGMENTS += ["\ud800", "\udce9", "\ufffe", "\uffff", "\U0001fffe", "\x7f", "\x01"]
_hostile = st.lists(
    st.one_of(
        st.sampled_from(_FRAGMENTS),
        st.text(st.characters(categories=["L", "P", "S", "Z", "Cc", "Cf", "Cs", "Cn"]), max_size=4),
    ),
    min_size=1,
    max_size=6,
).map("".join)


def _file_name(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").replace(b"/", b"_").replace(b"\0", b"_")[:200] + b".txt"


def _sound(run: Run) -> None:
    """Every report can be read, says the same, and has only what it is to have."""
    found = list(findings(run))
    assert sum(finding.bytes for finding in found) == run.totals["bytes_removed"]
    log = _log(run)
    assert [result["partialFingerprints"]["removedText/v1"] for result in log["results"]] == [f.key for f in found]
    commands = _commands(run)
    count = Counter(name for name, _, _ in commands)
    assert set(count) <= {"error", "warning", "notice"}
    assert count["warning"] == min(10, len(found))
    assert count["error"] == min(10, len(run.errors))
    said = {(safe(f.place.path), safe(f.sentence)[:999]) for f in found}
    told = {(properties["file"], message[:999]) for name, properties, message in commands if name == "warning"}
    assert told <= said
    page = _page(run)
    assert {safe(f.place.title)[:199] for f in found} == {
        code[:199] for code in page.code[: len({(f.place.file, f.place.record) for f in found})]
    }
    suite = _suite(run)
    assert suite["tests"] == run.totals["documents"] + len(run.errors) + len(run.skipped)
    assert suite["failures"] == len({(f.place.file, f.place.record) for f in found})


@settings(max_examples=60)
@given(_hostile, _hostile)
def test_no_name_and_no_text_of_a_file_steers_a_reader(name: str, text: str) -> None:
    content = f"{text}\n{FLOOD}\n{PUMPS}\n{text}\n{BILL}\n{FLOOD}\n{text}".encode("utf-8", "surrogatepass")
    with TemporaryDirectory() as folder:
        path = os.fsencode(folder) + b"/" + _file_name(name)
        with open(path, "wb") as stream:
            stream.write(content.replace(b"\0", b""))
        with _run(os.fsdecode(path), config=Config()) as run:
            _sound(run)
            for result in _log(run)["results"]:
                found = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                assert unquote_to_bytes(found.removeprefix("file://")) == path


@settings(max_examples=12)
@given(_hostile, _hostile, _hostile)
def test_no_record_of_a_batch_steers_a_reader(first: str, second: str, line: str) -> None:
    line = f"{line} and five words more here"
    records = [
        {"id": first, "text": f"{line}\n{FLOOD}\n{PUMPS}\n{BILL}"},
        {"id": second, "text": f"{line}\n{FLOOD}\n{PUMPS}\n{BILL}"},
        {"id": second, "text": f"{line}\n{GOATS}\n{FLOOD}\n{line}\n{CLOCK}\n{CLOCK}"},
        {"id": first, "text": f"{line}\n{LADDER}\nOne {line}, two {line}, three {line}."},
        {"id": line, "text": 0},
    ]
    with TemporaryDirectory() as folder:
        path = os.fsencode(folder) + b"/" + _file_name(first).replace(b".txt", b".jsonl")
        with open(path, "wb") as stream:
            stream.write("\n".join([*map(json.dumps, records), line]).encode("utf-8", "surrogatepass"))
        with _run(os.fsdecode(path)) as run:
            assert run.totals["documents"] == 4
            _sound(run)
