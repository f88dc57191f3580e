"""Decisions to clean bytes and the ops of the undo: the only place that makes bytes.

Why: what is kept keeps its bytes, so the output is the input with spans cut out; and the undo is the list of what to
take from the output and what to put back. A removed span that stands byte for byte in the output is taken from there:
on a doubled article the undo holds no text at all.
"""

from bisect import bisect_left

from dedup.model import Op, Span

_SEED = 64  # bytes that a removed span must share with the output to be taken from there


def cut(data: bytes, removed: list[Span]) -> bytes:
    """Return `data` without the spans `removed` (bytes, in order, apart)."""
    out, at = [], 0
    for start, end in removed:
        out.append(data[at:start])
        at = end
    out.append(data[at:])
    return b"".join(out)


def undo(data: bytes, clean: bytes, removed: list[Span], kept: list[Span]) -> tuple[Op, ...]:
    """Return the ops that rebuild `data` from `clean`.

    `kept` names for each removed span the span of `data` that it repeats. Where the bytes are the same they are taken
    from the clean text; only what differs is stored.
    """
    ops: list[Op] = []
    shift = [0]
    for start, end in removed:
        shift.append(shift[-1] + end - start)
    at = written = 0
    for (start, end), witness in zip(removed, kept, strict=True):
        if at < start:
            ops.append(Op((written, written + start - at), None))
            written += start - at
        near = witness[0] - shift[bisect_left(removed, (witness[0], 0))]
        ops += _source(data[start:end], clean, near)
        at = end
    if at < len(data):
        ops.append(Op((written, written + len(data) - at), None))
    return _merged(ops)


def rebuild(clean: bytes, ops: tuple[Op, ...]) -> bytes:
    """Return the bytes that `ops` make of `clean`."""
    return b"".join(clean[op.span[0] : op.span[1]] if op.span else op.literal or b"" for op in ops)


def _source(piece: bytes, clean: bytes, near: int) -> list[Op]:
    """The ops for one removed span: the longest stretch around its witness that is the same, the rest as bytes."""
    for lead in range(min(len(piece), 8) + 1):
        key = piece[lead : lead + _SEED]
        if len(key) < min(_SEED, len(piece) - lead) or not key:
            break
        start = clean.find(key, max(0, near - _SEED), near + 2 * _SEED + len(key))
        if start < 0:
            continue
        length = _common(piece, lead, clean, start)
        ops = [Op(None, piece[:lead])] if lead else []
        ops.append(Op((start, start + length), None))
        if lead + length < len(piece):
            ops.append(Op(None, piece[lead + length :]))
        return ops
    return [Op(None, piece)]


def _common(left: bytes, i: int, right: bytes, j: int) -> int:
    """Length of the common prefix of left[i:] and right[j:]; doubling and halving compares, so C does the work."""
    low, high = 0, min(len(left) - i, len(right) - j)
    while low < high:
        step = (low + high + 1) // 2
        if left[i + low : i + step] == right[j + low : j + step]:
            low = step
        else:
            high = step - 1
    return low


def _merged(ops: list[Op]) -> tuple[Op, ...]:
    out: list[Op] = []
    for op in ops:
        last = out[-1] if out else None
        if last and op.span and last.span and last.span[1] == op.span[0]:
            out[-1] = Op((last.span[0], op.span[1]), None)
        elif last and op.literal and last.literal:
            out[-1] = Op(None, last.literal + op.literal)
        else:
            out.append(op)
    return tuple(out)
