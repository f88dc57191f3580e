"""Files in, files out: nothing torn, nothing lost.

Why: the input may be an only copy, and the output may be the input. A target is written beside itself, flushed to the
disk and renamed over, so that at any moment it is the old file or the new one.
"""

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from dedup.errors import InputError, OutputError

STDIN = "-"
_PREFIX, _SUFFIX = ".dedup-", "~"  # of the temporary file beside a target


def show(path: str | os.PathLike[str]) -> str:
    """Return a file name for messages: what cannot be encoded is escaped."""
    return os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")


def identity(path: str) -> object:
    """Return what two paths of one file have in common, whether it is there or not; devices and streams are no file."""
    if path == STDIN:
        return STDIN, object()
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else object()


def stream_of(path: str, number: int) -> str | int:
    """Return what to open for `path`; for `-` standard input (0) or output (1). Raises OSError where that is closed."""
    if path != STDIN:
        return path
    if (sys.stdin, sys.stdout)[number] is None:
        raise OSError(errno.EBADF, "it is closed")
    return number


def read(path: str, start: int = 0, end: int | None = None) -> bytes:
    """Return the bytes of a file, or those from `start` to `end`, or of standard input for `-`.

    Raises InputError naming the file.
    """
    try:
        with open(stream_of(path, 0), "rb", closefd=path != STDIN) as stream:
            if start:
                stream.seek(start)
            return stream.read(-1 if end is None else end - start)
    except OSError as error:
        name = "standard input" if path == STDIN else show(path)
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from None


def blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the bytes of a stream in whole lines, about `size` bytes at once."""
    while block := stream.read(size):
        yield block if block.endswith(b"\n") else block + stream.readline()


def listed(path: str, end: bytes) -> list[str]:
    """Return the file names in a file, each ended by `end`. Raises InputError naming the file."""
    return [os.fsdecode(name) for name in read(path).split(end) if name]


def remove(path: str) -> None:
    """Remove a file, if it is there. Raises OutputError naming it."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise OutputError(f"{show(path)}: cannot be removed: {error.strerror or error}") from None


def walk(path: str, errors: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (path, path inside the folder) of the files below a folder, sorted; links to folders are not followed.

    Our own temporary files are passed over.

    A folder that cannot be read is added to `errors`, and the walk goes on.
    """

    def note(error: OSError) -> None:
        errors.append(f"{show(error.filename or path)}: cannot be read: {error.strerror or error}")

    for folder, folders, names in os.walk(path, onerror=note):
        folders.sort(key=os.fsencode)
        for name in sorted(names, key=os.fsencode):
            full = os.path.join(folder, name)
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
                continue  # left by a run of ours that was killed: the file itself is there
            if stat.S_ISREG(_mode(full)) or os.path.islink(full):
                yield full, os.path.relpath(full, path)


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0


@contextmanager
def writing(path: str) -> Iterator[BinaryIO]:
    """Open `path` for writing so that it changes all at once, when the block ends well, or not at all.

    `-` is standard output. Links are written through; the mode of an existing file stays. What is not a regular file (a
    device, a pipe) is written directly. Raises OutputError naming the file, and leaves no temporary file behind.
    """
    name = "standard output" if path == STDIN else show(path)
    try:
        if path == STDIN or not stat.S_ISREG(_mode(path) or stat.S_IFREG):
            with open(stream_of(path, 1), "wb", closefd=path != STDIN) as stream:
                yield stream
                stream.flush()
        else:
            with _replacing(os.path.realpath(path)) as stream:
                yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{name}: cannot be written: {error.strerror or error}; nothing was changed there") from None


@contextmanager
def _replacing(target: str) -> Iterator[BinaryIO]:
    folder = os.path.dirname(target)
    handle, temporary = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=folder or ".")
    try:
        with open(handle, "wb") as stream:
            yield stream
            stream.flush()
            _like(temporary, target)
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    with suppress(OSError):  # the rename itself is made durable where the system lets a folder be synced
        descriptor = os.open(folder or ".", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _like(temporary: str, target: str) -> None:
    """Give a new file the owner, attributes and mode of the one that it replaces, as far as the system lets us."""
    try:
        old = os.stat(target)
    except OSError:
        os.chmod(temporary, 0o666 & ~_umask())
        return
    with suppress(OSError):
        os.chown(temporary, old.st_uid, old.st_gid)
    with suppress(OSError, AttributeError):  # not every system has them
        for name in os.listxattr(target):
            os.setxattr(temporary, name, os.getxattr(target, name))
    os.chmod(temporary, stat.S_IMODE(old.st_mode))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def inside(folder: str, name: str) -> str:
    """Return the path of `name` below `folder`. Raises InputError for a name that leads outside, through links too."""
    path = os.path.join(folder, name)
    root, real = os.path.realpath(folder), os.path.realpath(path)
    if os.path.isabs(name) or ".." in name.split(os.sep) or os.path.commonpath([root, real]) != root:
        raise InputError(f"{show(name)}: the path leads out of {show(folder)}; it is not used")
    return path


def make_folder(folder: str) -> None:
    """Make a folder and those above it. Raises OutputError naming it."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{show(folder)}: cannot be made: {error.strerror or error}") from None
