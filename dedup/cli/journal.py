"""The manifest as it is written: a record is on the disk before the file that it can take back is replaced."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from dedup.errors import OutputError, UsageError
from dedup.io import files
from dedup.manifest import dump


class Journal:
    """The open manifest."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream, self.name, self.broken = stream, name, False

    def write(self, entry: dict[str, Any]) -> None:
        """Add a record. Raises OutputError, which ends the run."""
        self._do(lambda: self.stream.write(dump(entry)))

    def copy(self, records: IO[bytes]) -> None:
        """Add records that were written elsewhere. Raises OutputError, which ends the run."""
        self._do(lambda: shutil.copyfileobj(records, self.stream))

    def sync(self) -> None:
        """See to it that the records are on the disk. Raises OutputError, which ends the run."""
        self._do(self.stream.flush)
        with suppress(OSError):  # a device has nothing to sync
            os.fsync(self.stream.fileno())

    def _do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            self.broken = True
            raise OutputError(f"{self.name}: cannot be written: {error.strerror or error}; the run was ended") from None


@contextmanager
def opened(manifest: Path, places: dict[str, str]) -> Iterator[Journal]:
    """Open the manifest: written all at once, but where inputs are replaced a new file that grows record by record."""
    path = os.fspath(manifest)
    name = files.show(path)
    if not any(source != files.STDIN and same(source, target) for source, target in places.items()):
        with files.writing(path) as stream:
            yield Journal(stream, name)
        return
    try:
        new = open(path, "xb")  # noqa: SIM115  # an error of the block is none of the opening
    except FileExistsError:
        raise UsageError(
            f"{name}: the manifest of an earlier run is there, and inputs are to be replaced; "
            "give another name, or the way back to the first text would be lost"
        ) from None
    except OSError as error:
        raise OutputError(f"{name}: cannot be written: {error.strerror or error}") from None
    with new:
        yield Journal(new, name)


def same(source: str, target: str) -> bool:
    """Whether both are one file."""
    try:
        return os.path.samefile(source, target)
    except OSError:
        return False
