"""ZIP and tar: files in a file. Each member that holds texts is read and written as a file is; the others stay.

Why: scrapes travel in archives. A member is never written under its own name, so that none can escape, and what all of
them grow to is limited. Order, names, times and modes stay; what is compressed is compressed anew.
"""

import copy
import os
import shutil
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Protocol, cast

from dedup.errors import InputError, ManifestError
from dedup.io import compression, files

FREE = 100 << 20  # bytes that members may take together, whatever the ratio
_MANY = 1_000_000  # members
_BLOCK = 1 << 20
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError, ValueError)
_ENDS = ("EOFHeaderError", "EmptyHeaderError")  # what `tarfile` calls the end of an archive
_ZIP = ("date_time", "compress_type", "external_attr", "create_system")
_TAR = ("mtime", "mode", "uid", "gid", "uname", "gname")


class Readable(Protocol):
    """What is read in parts."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name, what is known of it besides, and its contents, if it has any that can be read."""

    number: int
    name: str
    info: Any
    stream: "Readable | None"
    wrong: str = ""  # why it cannot be read

    @property
    def about(self) -> dict[str, Any]:
        """What the undo must know to make it again."""
        names = _ZIP if isinstance(self.info, zipfile.ZipInfo) else _TAR
        return {"number": self.number, "name": self.name, **{name: getattr(self.info, name) for name in names}}


def members(path: str, format: str, name: str, ratio: int) -> Iterator[Member]:
    """Yield the members of an archive, in order; each is to be read before the next one is asked for.

    Raises InputError where it is damaged, or grows beyond the limits; what came before is sound.
    """
    size = 0
    limit = max(FREE, ratio * os.stat(path).st_size)
    try:
        with _opened(path, format, ratio) as found:
            for number, (info, stream) in enumerate(found):
                size += info.file_size if isinstance(info, zipfile.ZipInfo) else info.size
                if size > limit or number >= _MANY:
                    raise InputError(
                        f"{name}: grows to more than {ratio} times its size, or has more than {_MANY:,} files, so it "
                        "was not read; --max-ratio takes more"
                    )
                own = info.filename if isinstance(info, zipfile.ZipInfo) else info.name
                outside = os.path.isabs(own) or ".." in own.replace("\\", "/").split("/")
                wrong = "its name leads out of the archive" if outside else ""
                yield Member(number, own, info, stream, wrong)
    except _DAMAGE as error:
        raise InputError(f"{name}: a damaged archive ({error}); what stands before that was read") from None


@contextmanager
def _opened(path: str, format: str, ratio: int) -> Iterator[Iterator[tuple[Any, Readable | None]]]:
    if format == "zip":
        with zipfile.ZipFile(path) as archive:
            yield ((info, None if info.is_dir() else _Lazy(archive, info)) for info in archive.infolist())
        return
    with (
        compression.opened(path, ratio) as (reader, stream),
        tarfile.open(fileobj=reader, mode="r|", tarinfo=_Header) as tar,
    ):
        yield _all_of(tar)
        if stream.error:
            raise InputError(stream.error)


class _Header(tarfile.TarInfo):
    """The head of a member. `tarfile` takes a damaged one for the end of the archive; this is told of it."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> "_Header":
        try:
            return super().fromtarfile(tar)
        except tarfile.HeaderError as error:
            if type(error).__name__ in _ENDS:
                raise
            raise tarfile.ReadError(str(error)) from None


def _all_of(tar: tarfile.TarFile) -> Iterator[tuple[Any, Readable | None]]:
    """The members. Raises ReadError where something stands behind the end, as where archives were put together."""
    for info in tar:
        yield info, tar.extractfile(info) if info.isreg() else None
    while rest := tar.fileobj.read(_BLOCK) if tar.fileobj else b"":
        if rest.strip(b"\0"):
            raise tarfile.ReadError("something stands behind its end: another archive?")


class _Lazy:
    """A file of a ZIP archive, opened when it is read."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self.archive, self.info = archive, info
        self.stream: Any = None

    def read(self, size: int = -1) -> bytes:
        self.stream = self.stream or self.archive.open(self.info)
        return cast(bytes, self.stream.read(size))


def extracted(path: str, format: str, name: str, ratio: int, held: str) -> Iterator[tuple[Member, str | None]]:
    """Yield the members of an archive, each with the file `held` if its contents are in there until the next one.

    What cannot be read has no such file, and says why. Raises as `members` does, and OSError for the file.
    """
    for member in members(path, format, name, ratio):
        if member.stream is None:
            yield member, None
            continue
        wrong = ""
        with open(held, "wb") as out:
            while not wrong:
                try:
                    data = member.stream.read(_BLOCK)
                except _DAMAGE as error:
                    wrong = f"cannot be read: {error}"
                    break
                if not data:
                    break
                out.write(data)
        yield (replace(member, wrong=wrong), None) if wrong else (member, held)


def comment(path: str, format: str) -> bytes:
    """Return the comment of a ZIP archive. Raises InputError where it is damaged."""
    if format != "zip":
        return b""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment
    except _DAMAGE as error:
        raise InputError(f"{files.show(path)}: a damaged archive ({error})") from None


def linked(path: str, format: str, ratio: int) -> set[str]:
    """Return the names of the members of a tar that links lead to."""
    if format != "tar":
        return set()
    try:
        with compression.opened(path, ratio) as (reader, _), tarfile.open(fileobj=reader, mode="r|") as tar:
            return {os.path.normpath(name) for info in tar if info.islnk() or info.issym() for name in _leads_to(info)}
    except _DAMAGE:
        return set()  # it is told when the members are read


def _leads_to(info: tarfile.TarInfo) -> tuple[str, str]:
    """The name that a link has for its target: from the root of the archive, or for a symbolic one from where it is."""
    return info.linkname, os.path.join(os.path.dirname(info.name), info.linkname)


class Writer:
    """An archive as it is written, member by member; ended when the block of it ends."""

    def __init__(self, target: BinaryIO, format: str, comment: bytes = b"") -> None:
        self.zip = zipfile.ZipFile(target, "w") if format == "zip" else None
        self.tar = None if self.zip else tarfile.open(fileobj=target, mode="w|")  # noqa: SIM115  # `__exit__` ends both
        if self.zip:
            self.zip.comment = comment

    def add(self, member: Member, path: str | None, name: str) -> None:
        """Add a member under `name`, with the contents of the file `path`, if it has any."""
        info = copy.copy(member.info)
        if self.zip:
            info.filename = name
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # two members may have one name
                if path is None:
                    self.zip.writestr(info, b"")
                    return
                large = os.stat(path).st_size > 1 << 30
                with open(path, "rb") as source, self.zip.open(info, "w", force_zip64=large) as out:
                    shutil.copyfileobj(source, out, _BLOCK)
        elif self.tar:
            info.name = name
            headers = info.pax_headers.items()
            info.pax_headers = {
                k: v for k, v in headers if k not in ("path", "size") and not k.startswith("GNU.sparse")
            }
            if path is None:
                self.tar.addfile(info)
                return
            info.type, info.sparse, info.size = tarfile.REGTYPE, None, os.stat(path).st_size
            with open(path, "rb") as source:
                self.tar.addfile(info, source)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with suppress(*([Exception] if kind else [])):  # what went wrong is told, and the target is let go
            (self.zip or cast(tarfile.TarFile, self.tar)).close()


def again(about: Mapping[str, Any], format: str) -> Member:
    """Return a member that went, as its `about` tells it. Raises ManifestError for one that is damaged."""
    info: Any
    try:
        if format == "zip":
            year, *rest = about["date_time"]
            if len(rest) != 5 or not 1980 <= year <= 2107 or not all(0 <= part < 64 for part in rest):
                raise ValueError(f"date_time is {about['date_time']!r}")
            info = zipfile.ZipInfo(about["name"], (year, *rest))
        else:
            info = tarfile.TarInfo(about["name"])
        for name in _ZIP[1:] if format == "zip" else _TAR:
            kind = (int, float) if name == "mtime" else type(getattr(info, name))
            if not isinstance(about[name], kind):
                raise ValueError(f"{name} is {about[name]!r}")
            setattr(info, name, about[name])
        return Member(about["number"], about["name"], info, None)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"what is told of a member is damaged ({error})") from None
