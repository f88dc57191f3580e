"""Findings that a team has accepted: `dedup-baseline/1`, so that a check fails on what is new only.

Why counts: a block that was accepted once may move to another line, but one more copy of it is new. A finding is known
by its file and the hash of its words, so a block that was edited is new too.

    {"schema": "dedup-baseline/1", "findings": {"batch/a.txt": {"0f3c...": 1}}}
"""

import json
from collections import defaultdict
from collections.abc import Iterable

from dedup.errors import InputError
from dedup.io import files
from dedup.report.findings import Finding

SCHEMA = "dedup-baseline/1"
Counts = dict[str, dict[str, int]]  # of each file, how many findings of each hash are accepted


def read(path: str) -> Counts:
    """Return the accepted findings in a file. Raises InputError naming it."""
    try:
        found = json.loads(files.read(path))
        if found["schema"] != SCHEMA:
            raise ValueError(f"its schema is {found['schema']!r}, not {SCHEMA!r}")
        counts = found["findings"]
        if not all(type(n) is int for hashes in counts.values() for n in hashes.values()):
            raise ValueError("a count is no number")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{files.show(path)}: not a baseline ({error}); --update-baseline makes one from what is found now"
        ) from None
    return dict(counts)


def write(path: str, found: Iterable[Finding]) -> int:
    """Write these findings as accepted, and return how many they are. The file changes all at once."""
    counts: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    total = 0
    for finding in found:
        counts[finding.place.path][finding.key.partition(":")[0]] += 1
        total += 1
    with files.writing(path) as stream:
        stream.write(json.dumps({"schema": SCHEMA, "findings": counts}, indent=1, sort_keys=True).encode() + b"\n")
    return total
