"""The sources of a batch as its workers read them: texts and JSON Lines, not compressed, that are there until the end.

Why: a batch is read more than once. What can be read once only, is packed, or will be replaced, is a file in the
working folder until then. To take the text out of pages takes longer than all that comes after, so that several
processes do it.
"""

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from dedup.cli.alone import Files, by_frames, units
from dedup.cli.inputs import Tally
from dedup.cli.progress import size
from dedup.errors import InputError
from dedup.io import compression
from dedup.io.documents import Frames, Reading, Source, read, working
from dedup.io.formats import FRAMED

if TYPE_CHECKING:
    from dedup.processes import Spread

_NAME = 100  # characters of a name that one of ours keeps


class Place(NamedTuple):
    """Where sources are kept."""

    reading: Reading
    folder: str
    replaced: Collection[str]  # paths of files that will be replaced


class Lasting(NamedTuple):
    """A source that lasts."""

    source: Source
    original: Source  # as it can be read again


def changed(source: Source) -> bool:
    """Whether the workers read another file than the source is."""
    return source.container or bool(source.packed)


def lasting(place: Place, found: Sequence[Source], spread: "Spread", tally: Tally) -> Iterator[Lasting]:
    """Yield the sources as they last, in order, and tell what is met. Raises OSError where the folder is full."""
    apart = {n: size(s) for n, s in enumerate(found) if changed(s) and not s.once and s.format not in FRAMED}
    alike = place._replace(replaced=())  # it matters to none of them, and goes along with each job
    done = chain.from_iterable(spread(partial(_files, alike), units(found, apart)))
    for number, source in enumerate(found):
        if number in apart:
            one, part = next(done)
            tally.take(part)
            yield one
        else:
            yield _lasting(place, number, source, spread, tally)


def _files(place: Place, files: Files) -> list[tuple[Lasting, Tally]]:
    tallies = [Tally([]) for _ in files.sources]
    found = zip(files.sources, tallies, strict=True)
    return [(_lasting(place, number, source, map, tally), tally) for (number, source), tally in found]


def _lasting(place: Place, number: int, source: Source, spread: "Spread", tally: Tally) -> Lasting:
    once, path = source.once, os.path.join(place.folder, f"{number}-{os.path.basename(source.path)[-_NAME:]}")
    if not once and not changed(source):
        if source.path not in place.replaced:
            return Lasting(source, source)
        with suppress(OSError):  # another file system
            os.link(os.path.realpath(source.path), path)
            return Lasting(replace(source, path=path), source)
    lines, original = source.lines, source
    with open(path, "wb") as copy:
        try:
            if once and source.container:
                original = _copied(source, f"{path}-again")
            copy.writelines(_blocks(place.reading, original, spread, tally))
        except InputError as error:
            tally.skip_or_fail(original, error)
            lines = True  # no line, no document
    return Lasting(replace(original, path=path, format="jsonl" if lines else "text", packed=""), original)


def _copied(source: Source, path: str) -> Source:
    with open(path, "wb") as copy, compression.plain(source.path) as stream:
        shutil.copyfileobj(stream, copy)
    return replace(source, path=path)


def _blocks(reading: Reading, source: Source, spread: "Spread", tally: Tally) -> Iterator[bytes]:
    if source.format in FRAMED:
        yield from by_frames(partial(_read, reading), reading, source, tally, spread)
    elif source.lines:
        yield from working(reading, source, tally.fail_document, tally.noted)
    else:
        yield compression.read(source.path, reading.max_ratio)


def _read(reading: Reading, frames: Frames) -> tuple[Tally, bytes]:
    tally = Tally([])
    return tally, read(reading, frames, tally.fail_document, tally.noted)
