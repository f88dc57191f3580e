"""JUnit XML: each document a test, which fails where something of it goes; for the test pages of CI servers.

A test keeps its name and class whether it passes or fails: servers tell by these what is new and what was mended.
"""

from collections.abc import Iterator
from html import escape

from dedup.report.findings import Finding, count, documents, place_at
from dedup.report.run import Run
from dedup.report.safe import safe

_INVALID = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}  # no characters of XML, and no controls that safe() knows


def render(run: Run) -> Iterator[str]:
    """Yield the file in parts of text, ASCII only. The documents are read twice: the totals stand before them."""
    failed, total = sum(bool(told.found) for told in documents(run)), run.totals["documents"]
    totals = (
        f'tests="{total + len(run.errors) + len(run.skipped)}" failures="{failed}" '
        f'errors="{len(run.errors)}" skipped="{len(run.skipped)}"'
    )
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="dedup" {totals}>\n<testsuite name="dedup" {totals}>\n'
    at = 0
    for number, size, place, found in documents(run):
        yield from _passed(run, range(at, number))
        yield _case(place.where, _failure(found, size) if found else "")
        at = number + 1
    yield from _passed(run, range(at, total))
    for error in run.errors:
        yield _case(place_at(error.file, error.line).where, f'<error message="{_text(error.message)}"/>')
    for file in run.skipped:
        yield _case(file, '<skipped message="it looks like a binary file"/>')
    yield "</testsuite>\n</testsuites>\n"


def _passed(run: Run, numbers: range) -> Iterator[str]:
    for number in numbers:
        yield _case(place_at(*run.where(number)).where, "")


def _failure(found: list[Finding], size: int) -> str:
    gone = sum(finding.bytes for finding in found)
    worst = max(found, key=lambda finding: finding.bytes)
    said = f"{count(len(found), 'finding')}, {gone:,} of {count(size, 'byte')}"
    lines = "\n".join(
        f"- {_text(finding.sentence)} ({finding.rule}, {count(finding.bytes, 'byte')})" for finding in found
    )
    return f'<failure message="{said}" type="{worst.rule}">\n{lines}\n</failure>'


def _case(name: str, inside: str) -> str:
    return f'<testcase classname="dedup" name="{_text(name)}">{inside}</testcase>\n'


def _text(text: str) -> str:
    """Content as XML, in ASCII; none of it can be read as a command of a build log: `##[error]`, `##vso[...]`."""
    text = escape(safe(text)).replace("##", "#&#35;")
    return text if text.isascii() else text.translate(_INVALID).encode("ascii", "xmlcharrefreplace").decode()
