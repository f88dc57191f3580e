"""Compressed files: read as what they hold, and written in the same way again.

Why: scrapes are stored compressed, and a few kilobytes may hold terabytes. A stream is told by its first bytes, not by
its name; it is read in blocks, ends early where it is damaged, and stops where it grows beyond all measure.
"""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, cast

from dedup.errors import InputError
from dedup.io import files

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
SUFFIXES = {
    ".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd",
    ".tgz": "gzip", ".tbz2": "bzip2", ".txz": "xz", ".tzst": "zstd",
}  # fmt: skip
RATIO = 250  # times its size to which a file may grow: prose does not reach 20, identical lines more than a thousand
_FREE = 100 << 20  # bytes that may be read whatever the ratio
_CHUNK = 1 << 10  # bytes decompressed at once: they may be 32 MiB
_BLOCK = 1 << 20
_DAMAGE = (EOFError, OSError, ValueError, lzma.LZMAError, zlib.error)


class Stream(io.RawIOBase):
    """What a file holds, decompressed. Damage ends it early, and `error` says so.

    Raises InputError while it is read, if it grows too large.
    """

    def __init__(self, source: BinaryIO, name: str, ratio: int = RATIO) -> None:
        self.source = cast(io.BufferedReader, source)
        self.name, self.ratio, self.error = name, ratio, ""
        self.taken = self.size = 0  # bytes of the file, and of what it holds
        self.kind = told(self.source.peek(8)[:8])
        self.blocks = self._decoded(_DECODERS[self.kind](name)) if self.kind else None
        self.held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.blocks is None:
            return self.source.readinto(buffer)
        while not self.held and not self.error:
            try:
                self.held = memoryview(next(self.blocks, b""))
            except _DAMAGE as error:
                why = str(error) or "cut short"
                self.error = f"{self.name}: damaged {self.kind} data near byte {self.taken} ({why}); get it anew"
            if not self.held:
                break
            self.size += len(self.held)
            if self.size > max(_FREE, self.ratio * self.taken):
                raise InputError(
                    f"{self.name}: grows to more than {self.ratio} times its size, so it was not read on after "
                    f"{self.size:,} bytes; --max-ratio takes more"
                )
        size = min(len(self.held), len(buffer))
        buffer[:size], self.held = self.held[:size], self.held[size:]
        return size

    def _decoded(self, make: Callable[[], Any]) -> Iterator[bytes]:
        """The contents, block by block and never empty: one member after another, with zeros between them or not."""
        decoder: Any = None
        rest = b""
        while data := rest or self.source.read(_CHUNK):
            self.taken += 0 if rest else len(data)
            rest = b""
            if decoder is None:
                data = data.lstrip(b"\0") if self.size else data
                decoder = make() if data else None
            if decoder:
                yield from filter(None, _decompressed(decoder, data))
                if decoder.eof:
                    rest, decoder = decoder.unused_data, None
        if decoder:
            raise EOFError


def _decompressed(decoder: Any, data: bytes) -> Iterator[bytes]:
    """What these bytes hold; of damaged ones what stands before the damage, as far as the decoder lets one see it."""
    if hasattr(decoder, "needs_input"):  # bzip2, xz: a few bytes may be many blocks
        yield decoder.decompress(data, _BLOCK)
        while not decoder.eof and not decoder.needs_input:
            yield decoder.decompress(b"", _BLOCK)
    elif hasattr(decoder, "copy"):  # gzip
        saved = decoder.copy()
        try:
            yield decoder.decompress(data)
        except zlib.error:
            for at in range(len(data)):
                yield saved.decompress(data[at : at + 1])
            raise
    else:
        yield decoder.decompress(data)


def told(head: bytes) -> str:
    """Return the compression of data that begins so; empty for none."""
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "")


@contextmanager
def opened(path: str, ratio: int = RATIO) -> Iterator[tuple[io.BufferedReader, Stream]]:
    """Open a file (or standard input, for `-`) as what it holds. Raises InputError naming it."""
    name = "standard input" if path == files.STDIN else files.show(path)
    with plain(path) as file, Stream(file, name, ratio) as stream:
        yield io.BufferedReader(stream, 1 << 16), stream


@contextmanager
def plain(path: str) -> Iterator[BinaryIO]:
    """Open a file (or standard input, for `-`) as it is. Raises InputError naming it."""
    name = "standard input" if path == files.STDIN else files.show(path)
    try:
        with open(files.stream_of(path, 0), "rb", closefd=path != files.STDIN) as stream:
            yield stream
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from None


def size(path: str, limit: int) -> int:
    """Return how many bytes a file holds, or more than `limit`, if it holds more. Raises InputError naming it."""
    total = 0
    with opened(path, 1 << 40) as (reader, _):
        while total <= limit and (data := reader.read(_BLOCK)):
            total += len(data)
    return total


def read(path: str, ratio: int = RATIO) -> bytes:
    """Return all that a file holds. Raises InputError naming it, also where it is damaged or grows too large."""
    with opened(path, ratio) as (reader, stream):
        data = reader.read()
        if stream.error:
            raise InputError(stream.error)
        return data


@contextmanager
def compressing(target: BinaryIO, kind: str) -> Iterator[BinaryIO]:
    """Yield a stream that writes to `target`, compressed as `kind`; the same bytes each time."""
    if not kind:
        yield target
        return
    with _WRITERS[kind](target) as stream:
        yield stream


def member(data: bytes, kind: str) -> bytes:
    """Return `data` compressed by itself, as each record of an archive of the web is."""
    out = io.BytesIO()
    with compressing(out, kind) as stream:
        stream.write(data)
    return out.getvalue()


def _zstd(name: str) -> Any:
    try:
        import zstandard
    except ImportError:
        raise InputError(f"{name}: for Zstandard, install the extra: pip install 'dedup-text[zstd]'") from None
    return zstandard


class _Zstd:
    """A decoder of Zstandard whose errors are those of the standard library."""

    def __init__(self, library: Any) -> None:
        self.error, self.decoder = library.ZstdError, library.ZstdDecompressor().decompressobj()

    @property
    def eof(self) -> bool:
        return bool(self.decoder.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self.decoder.unused_data)

    def decompress(self, data: bytes) -> bytes:
        try:
            return bytes(self.decoder.decompress(data))
        except self.error as error:
            raise ValueError(str(error)) from None


_DECODERS: dict[str, Callable[[str], Callable[[], Any]]] = {
    "gzip": lambda _: lambda: zlib.decompressobj(31),
    "bzip2": lambda _: bz2.BZ2Decompressor,
    "xz": lambda _: lzma.LZMADecompressor,
    "zstd": lambda name: partial(_Zstd, _zstd(name)),
}
_WRITERS: dict[str, Callable[[BinaryIO], Any]] = {
    "gzip": lambda target: gzip.GzipFile("", "wb", 6, target, mtime=0),
    "bzip2": lambda target: bz2.BZ2File(target, "wb"),
    "xz": lambda target: lzma.LZMAFile(target, "wb"),  # noqa: SIM115  # `compressing` closes it
    "zstd": lambda target: _zstd("").ZstdCompressor().stream_writer(target, closefd=False),
}
