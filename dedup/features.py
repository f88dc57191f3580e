"""By what documents find one another: rows of features, from the words of their clean texts.

Why: the rows of a batch may not fit in memory, and those of an index outlive a run. Whoever holds them (`engine`,
`index`) joins them by key; `across` judges what was found, on the texts.

    document   a digest of its words, how many it has, its group and its name
    posting    a fingerprint, and where it stands
    line       the words of a line, how it is written, and where it stands
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from xxhash import xxh3_64_intdigest, xxh3_128_intdigest

from dedup.fingerprint import fingerprints
from dedup.vector import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_LINE = 4  # words of a line that may be boilerplate
_LOW = (1 << 64) - 1
_SPACE = bytes(c for c in range(128) if chr(c).isspace())

Rows = dict[str, dict[str, np.ndarray[Any, Any]]]
"""Of each table of features, its columns."""


def features(batch: Batch, names: "Sequence[str]", groups: "Sequence[str]") -> "Rows":
    """Return the rows for the tables of features of some texts, each with its name and its group. Linear.

    Places are word numbers; `line` has the lines of MIN_LINE words, by their words and by how they are written, but for
    case and white space.
    """
    numbers = np.array(batch.order, np.int64)
    view = memoryview(batch.hashes.tobytes())
    bounds = batch.first.tolist()
    digests = [xxh3_128_intdigest(view[4 * a : 4 * b]) for a, b in pairwise(bounds)]
    prints, texts, places = fingerprints(batch.hashes, batch.first)
    first, sizes, lines = batch.lines(MIN_LINE)
    spans = zip(first.tolist(), sizes.tolist(), strict=True)
    of = np.searchsorted(batch.first, first, "right") - 1
    return {
        "document": {
            "doc": numbers,
            "hi": np.array([digest >> 64 for digest in digests], np.uint64),
            "lo": np.array([digest & _LOW for digest in digests], np.uint64),
            "words": np.diff(batch.first).astype(np.uint32),
            "prints": np.bincount(texts, minlength=len(numbers)).astype(np.uint32),
            "grp": np.array([_digest(groups[number]) for number in batch.order], np.uint64),
            "id": np.array([_digest(names[number]) for number in batch.order], np.uint64),
        },
        "posting": {"fp": prints, "doc": numbers[texts], "place": places.astype(np.uint32)},
        "line": {
            "key": np.array([xxh3_64_intdigest(view[4 * a : 4 * (a + size)]) for a, size in spans], np.uint64),
            "form": np.array([*map(_form, lines)], np.uint64),
            "doc": numbers[of],
            "place": (first - batch.first[of]).astype(np.uint32),
            "size": sizes.astype(np.uint32),
        },
    }


def joined(rows: "Sequence[Rows]") -> Rows:
    """Return the rows of several batches as those of one; documents have their numbers already."""
    rows = rows or [features(Batch([]), [], [])]
    return {
        table: {name: np.concatenate([part[table][name] for part in rows]) for name in columns}
        for table, columns in rows[0].items()
    }


def _form(line: str) -> int:
    """The hash of a line as it is written, but for case and white space."""
    if line.isascii():
        return xxh3_64_intdigest(line.encode().lower().translate(None, _SPACE))
    return _digest("".join(line.casefold().split()))


def _digest(name: str) -> int:
    return xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"))
