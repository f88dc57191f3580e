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
from typing import Any, BinaryIO, cast

from dedup.errors import InputError
from dedup.io import files

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
RATIO = 250  # times its size to which a file may grow: prose does not reach 20, identical lines more than a thousand
_FREE = 100 << 20  # bytes that may be read whatever the ratio
_CHUNK = 1 << 10  # bytes of zstd decompressed at once: they may be 32 MiB


class _Counted(io.RawIOBase):
    """A stream that counts the bytes that were read."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.count = stream, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class Stream(io.RawIOBase):
    """What a file holds, decompressed. Damage ends it early, and `error` says so."""

    def __init__(self, source: BinaryIO, name: str, ratio: int = RATIO) -> None:
        self.source = source if hasattr(source, "peek") else io.BufferedReader(cast(io.RawIOBase, source))
        self.name, self.ratio, self.error, self.size = name, ratio, "", 0
        self.kind = told(self.source.peek(8)[:8])
        self.counted = _Counted(self.source)
        self.decoded = _READERS[self.kind](self.counted, name) if self.kind else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _some(self, size: int) -> bytes:
        if self.error:
            return b""
        try:
            if self.decoded is None:
                return self.source.read(size)
            data = self.decoded(min(size, 1 << 20))
        except (EOFError, OSError, ValueError, lzma.LZMAError, zlib.error) as error:
            if self.decoded is None:
                raise
            self.error = (
                f"{self.name}: damaged {self.kind} data near byte {self.counted.count} ({error or 'cut short'})"
            )
            self.error += "; what stands before it was read"
            return b""
        self.size += len(data)
        if self.size > max(_FREE, self.ratio * self.counted.count):
            self.error = (
                f"{self.name}: grows to more than {self.ratio} times its size, so it was not read on after "
                f"{self.size:,} bytes; --max-ratio takes more"
            )
            return b""
        return data

    def close(self) -> None:
        if not self.closed and self.source.fileno() != 0:
            self.source.close()
        super().close()


def told(head: bytes) -> str:
    """Return the compression of data that begins so; empty for none."""
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "")


@contextmanager
def opened(path: str, ratio: int = RATIO) -> Iterator[tuple[io.BufferedReader, Stream]]:
    """Open a file (or standard input, for `-`) as what it holds. Raises InputError naming it."""
    name = "standard input" if path == files.STDIN else files.show(path)
    try:
        with Stream(open(0 if path == files.STDIN else path, "rb", closefd=path != files.STDIN), name, ratio) as stream:
            yield io.BufferedReader(stream, 1 << 16), stream
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from None


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


def _zstd_reader(source: _Counted, name: str) -> Callable[[int], bytes]:
    blocks, held = _zstd_blocks(source, _zstd(name)), bytearray()

    def some(size: int) -> bytes:
        while not held and (block := next(blocks, None)) is not None:
            held.extend(block)
        out = bytes(held[:size])
        del held[:size]
        return out

    return some


def _zstd_blocks(source: _Counted, zstandard: Any) -> Iterator[bytes]:
    decoder, rest = None, b""
    while data := rest or source.read(_CHUNK):
        rest = b""
        decoder = decoder or zstandard.ZstdDecompressor().decompressobj()
        try:
            yield decoder.decompress(data)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from None
        if decoder.eof:
            rest, decoder = decoder.unused_data, None
    if decoder:
        raise EOFError


_READERS: dict[str, Callable[[_Counted, str], Callable[[int], bytes]]] = {
    # Each gives what is there, so that nothing that stands before damage is lost.
    "gzip": lambda source, _: gzip.GzipFile(fileobj=source).read1,
    "bzip2": lambda source, _: bz2.BZ2File(source).read1,
    "xz": lambda source, _: lzma.LZMAFile(cast(BinaryIO, source)).read1,  # noqa: SIM115  # closed with what it reads
    "zstd": _zstd_reader,
}
_WRITERS: dict[str, Callable[[BinaryIO], Any]] = {
    "gzip": lambda target: gzip.GzipFile("", "wb", 6, target, mtime=0),
    "bzip2": lambda target: bz2.BZ2File(target, "wb"),
    "xz": lambda target: lzma.LZMAFile(target, "wb"),  # noqa: SIM115  # `compressing` closes it
    "zstd": lambda target: _zstd("").ZstdCompressor(level=10).stream_writer(target, closefd=False),
}
