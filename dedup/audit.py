"""Is a result what it claims to be? An independent check: simple, exact, and slower than the work that it checks.

Why: users trust the tool with their only copy. What a word is stays the same definition; all else is done anew, word by
word and without hashes, from nothing but the Result: the clean text is spans of the input; the undo gives the input
back; every removed word is in a block whose witness is kept and holds the same words, but for the differences that the
block lists; and every run of words that still stands twice is reported with the reason why it stays.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate

from dedup.config import Config
from dedup.decode import byte_offsets, decode
from dedup.model import Block, Result, Span
from dedup.normalise import keys, words


def audit(result: Result, config: Config) -> list[str]:
    """Return what is wrong with `result`, made under `config`; nothing where all is right. Linear in the words."""
    return list(_Audit(result, config).failures())


class _Audit:
    def __init__(self, result: Result, config: Config) -> None:
        self.result, self.config = result, config
        document = decode(result.data, force_text=True, encoding=result.encoding)
        tokens = words(document.text)
        self.starts = byte_offsets(document, tokens.starts)
        spans = ((start, tokens.end(at)) for at, start in enumerate(tokens.starts))
        self.keys = [" ".join(keys(document.text[start:end])) for start, end in spans]
        # The words that stay, in the order of the clean text.
        self.kept = [word for span in result.pieces for word in self.inside(span)]
        self.stays = bytearray(len(self.keys))
        for word in self.kept:
            self.stays[word] = 1
        # The words that fixers touched, or may have joined: the fixes that the result lists answer for them.
        self.mended = bytearray(len(self.keys))
        for fix in result.fixes:
            for word in range(
                max(0, bisect_left(self.starts, fix.span[0]) - 1), bisect_right(self.starts, fix.span[1])
            ):
                self.mended[word] = 1

    def inside(self, span: Span) -> range:
        """The words that start in these bytes."""
        return range(bisect_left(self.starts, span[0]), bisect_left(self.starts, span[1]))

    def failures(self) -> "list[str]":
        result = self.result
        out = []
        source = result.data + result.put
        made = b"".join(source[start:end] for start, end in result.pieces) == result.clean
        if not made:
            out.append("the clean text is not made of the input")
        undone = (result.clean[op.span[0] : op.span[1]] if op.span else op.literal or b"" for op in result.ops)
        if b"".join(undone) != result.data:
            out.append("the undo does not give the input back")
        clean = decode(result.clean, force_text=True, encoding=result.encoding).text
        if not result.fixes and [self.keys[word] for word in self.kept] != keys(clean):
            out.append("the words of the clean text are not those of the input")
        told = bytearray(len(self.keys))
        for block in result.removed:
            for word in self.inside(block.copy.bytes):
                told[word] = 1
            if not self.witnessed(block):
                out.append(f"block {block.id}: what was kept does not hold the words of the copy")
        lost = [w for w in range(len(self.keys)) if not self.stays[w] and not told[w] and not self.mended[w]]
        if lost:
            out.append(f"byte {self.starts[lost[0]]}: {len(lost)} words are gone, and no block says why")
        return out + (self.untold() if made else [])

    def witnessed(self, block: Block) -> bool:
        """Whether the witness of a removed block is kept and holds its words, but for the changes that are listed."""
        copy = self.without(block.copy.bytes, [change.copy for change in block.changes])
        kept = self.without(block.kept.bytes, [change.kept for change in block.changes])
        if any(self.mended[word] for word in [*copy, *kept]):
            return all(self.stays[word] or self.mended[word] for word in kept)
        same = [self.keys[word] for word in copy]
        witness = [self.keys[word] for word in kept]
        if not block.changes and witness:
            witness = (witness * (len(same) // len(witness) + 1))[: len(same)]
        return same == witness and all(self.stays[word] for word in kept)

    def without(self, span: Span, changes: list[Span]) -> list[int]:
        """The words of a span that are in none of its changes."""
        changed = {word for change in changes for word in self.inside(change)}
        return [word for word in self.inside(span) if word not in changed]

    def untold(self) -> list[str]:
        """The runs that still stand twice, and that the result does not report. What fixers changed reads otherwise."""
        result, size = self.result, self.config.min_words
        told = bytearray(len(result.data) + len(result.put))  # bytes
        for block in result.blocks:
            for start, end in (block.copy.bytes, block.kept.bytes):
                told[start:end] = b"\1" * (end - start)
        text, places, mended = self.clean_words()
        seen: set[tuple[str, ...]] = set()
        for at in range(len(text) - size + 1):
            run = tuple(text[at : at + size])
            if mended[at + size] > mended[at]:
                continue
            if run in seen and not told[places[at]]:
                return [f"byte {places[at]}: {' '.join(run)!r} still stands twice, and no block says why"]
            seen.add(run)
        return []

    def clean_words(self) -> tuple[list[str], list[int], list[int]]:
        """The words of the clean text, where each starts in the input (bytes), and how many before it are mended."""
        result = self.result
        clean = decode(result.clean, force_text=True, encoding=result.encoding)
        tokens = words(clean.text)
        spans = [(start, tokens.end(at)) for at, start in enumerate(tokens.starts)]
        starts = byte_offsets(clean, tokens.starts)
        ends = byte_offsets(clean, [end for _, end in spans])
        pieces = [0, *accumulate(end - start for start, end in result.pieces)]
        at = [bisect_right(pieces, start) - 1 for start in starts]
        places = [result.pieces[p][0] + start - pieces[p] for p, start in zip(at, starts, strict=True)]
        changed = [
            place >= len(result.data) or (bool(result.fixes) and end > pieces[p + 1])
            for place, end, p in zip(places, ends, at, strict=True)
        ]
        return [" ".join(keys(clean.text[a:b])) for a, b in spans], places, [0, *accumulate(changed)]
