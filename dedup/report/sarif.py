"""SARIF 2.1.0: what goes, for sites and editors that show findings beside the text.

One result a removal, at the place of what goes; the text that stays for it is linked from the message. The rules are
those that were met, so they stand after the results: of a large batch these would not fit in memory together.
"""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from dedup.report.findings import CAPPED, Finding, Place, count, findings, place_at
from dedup.report.run import Run
from dedup.report.safe import dump, safe

LIMIT = 25_000  # results: GitHub refuses a file that has more
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# What is known of the program in itself: it has no page of its own, and validators warn where there is nothing.
_ABOUT = "data:text/plain," + quote("dedup finds the repeated blocks of scraped text. The rest: dedup --help")
_HELP = "dedup report shows both texts, dedup clean removes the copy, dedup restore puts it back."
_MESSAGE = str.maketrans({"{": "{{", "}": "}}"})  # single ones are placeholders


def render(run: Run, version: str, limit: int = LIMIT) -> Iterator[str]:
    """Yield the log in parts of text, ASCII only. What is over `limit` is counted in a notification."""
    rules: dict[str, tuple[int, str]] = {}
    at = -1
    yield f'{{"$schema": "{_SCHEMA}", "version": "2.1.0", "runs": [{{"columnKind": "unicodeCodePoints", "results": ['
    for at, finding in enumerate(findings(run)):
        if at < limit:
            index, _ = rules.setdefault(finding.rule, (len(rules), finding.about))
            yield (",\n" if at else "\n") + dump(_result(finding, index))
    notes = [_note("error", error.message, place_at(error.file, error.line)) for error in run.errors]
    notes += [_note("note", f"{file}: skipped, it looks like a binary file", place_at(file)) for file in run.skipped]
    notes += [_note("note", note) for note in run.notes]
    if at >= limit:
        notes.append(_note("warning", f"Not listed: {count(at + 1 - limit, 'more finding')}; the limit is {limit:,}"))
    if run.findings.capped:
        notes.append(_note("warning", CAPPED))
    invocation = {"executionSuccessful": not run.errors, "toolExecutionNotifications": notes}
    driver = {
        "name": "dedup",
        "version": version,
        "informationUri": _ABOUT,
        "rules": [_rule(name, about) for name, (_, about) in rules.items()],
    }
    yield f'\n], "invocations": {dump([invocation])},\n"tool": {dump({"driver": driver})}}}]}}\n'


def uri(path: str) -> str:
    """Return the URI of a file, relative if `path` is.

    >>> uri("a b/50%é[1].txt"), uri("/tmp/x:y"), uri("caf\\udce9")
    ('a%20b/50%25%C3%A9%5B1%5D.txt', 'file:///tmp/x%3Ay', 'caf%E9')
    """
    path = quote(os.fsencode(path))
    return f"file://{path}" if path.startswith("/") else path


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    head, link, tail = finding.told
    properties = {
        "bytes": finding.bytes,
        "document": safe(finding.place.name),
        "lines": finding.place.lines,
        "kept": {"document": safe(finding.kept.name), "lines": finding.kept.lines},
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": "warning",
        "message": {"text": f"{_message(head)} [{link}](1){_message(tail)}."},
        "locations": [_location(finding.place)],
        "relatedLocations": [{"id": 1, **_location(finding.kept), "message": {"text": "The text that stays."}}],
        "partialFingerprints": {"removedText/v1": finding.key},
        "properties": properties,
    }


def _message(text: str) -> str:
    """Content in a message with links: none of it is a link or a placeholder."""
    return safe(text).translate(_MESSAGE).replace("](", "] (")


def _location(place: Place) -> dict[str, Any]:
    first, last = place.region
    region = {"startLine": first, "endLine": last} if place.record or place.lines else {"startLine": 1}
    return {"physicalLocation": {"artifactLocation": {"uri": uri(place.path)}, "region": region}}


def _note(level: str, message: str, place: Place | None = None) -> dict[str, Any]:
    note = {"level": level, "message": {"text": _message(message).rstrip(".") + "."}}
    return {**note, "locations": [_location(place)]} if place else note


def _rule(name: str, about: str) -> dict[str, Any]:
    short = f"{about[0].upper()}{about[1:]}."
    rest = (
        "Some words differ."
        if name.startswith("near-")
        else "The same words stand in the text that is kept, in the same order."
    )
    return {
        "id": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": f"{short} {rest}"},
        "help": {"text": _HELP},
        "defaultConfiguration": {"level": "warning"},
    }
