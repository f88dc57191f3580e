"""A working folder on the disk, for what is too large to hold."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dedup.errors import OutputError
from dedup.io import files


@contextmanager
def working_folder() -> Iterator[str]:
    """A working folder, which is gone at the end, also when a signal ends the program."""
    try:
        folder = tempfile.mkdtemp(prefix="dedup-")
    except OSError as error:
        raise OutputError(f"{tempfile.gettempdir()}: no working folder can be made there: {error.strerror}") from None
    stopped: list[int] = []

    def stop(number: int, _: Any) -> None:
        stopped.append(number)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGPIPE] = signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a write raises BrokenPipeError instead
    try:
        yield folder
    except (KeyboardInterrupt, RuntimeError):
        if stopped:  # DuckDB tells another error instead
            raise SystemExit(128 + stopped[0]) from None
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def full(folder: str, error: Exception) -> str:
    """Say that the working folder cannot be written."""
    said = error.strerror if isinstance(error, OSError) else str(error).partition("\n")[0]
    return f"{files.show(folder)}: the working files cannot be written: {said}; set TMPDIR to a folder with more room"
