"""The window: the stretch of a stream in which a row is looked for.

Why: a row ends where its quotes and brackets say so, which may be megabytes on, and a source may be larger than the
memory. What is held grows until the row is whole, up to a limit, and is let go with it.

    1,"a b               ->   no end of a row is in it: grow
    1,"a b c"\\n2,"d e    ->   take: 1,"a b c"\\n
"""

from typing import Protocol


class Stream(Protocol):
    """What can be read on."""

    def read(self, size: int, /) -> bytes:
        """Return about `size` bytes; none at the end."""


class Window:
    """The stretch of a stream that is looked at: `data` from `at` on, at most `limit` bytes and one.

    It grows by doubling: what is looked at again with each growth is looked at about twice.
    """

    def __init__(self, stream: Stream, block: int, limit: int, data: bytes = b"") -> None:
        self.stream, self.block, self.limit = stream, block, limit
        self.data, self.at, self.ended = data, 0, False

    def grow(self) -> bool:
        """Read on. False where there is nothing to read, or no room."""
        held = len(self.data) - self.at
        wanted = min(max(self.block, held), self.limit + 1 - held)
        if self.ended or wanted <= 0:
            return False
        parts = [self.data[self.at :]]
        while wanted > 0 and (part := self.stream.read(wanted)):
            parts.append(part)
            wanted -= len(part)
        self.ended = wanted > 0
        self.data, self.at = b"".join(parts), 0
        return True

    def more(self) -> bool:
        """Whether anything stands at the place; it is read if need be."""
        return self.at < len(self.data) or (self.grow() and bool(self.data))

    def take(self, end: int) -> bytes:
        """Return what stands between the place and `end`, which is the new place."""
        part = self.data[self.at : end]
        self.at = end
        return part
