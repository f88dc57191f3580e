"""Content made safe to show: the one gate in front of every sink."""

_UNSAFE = {c: f"\\x{c:02x}" for c in [*range(0x00, 0x20), 0x7F, *range(0x80, 0xA0)]}
_UNSAFE |= {
    c: f"\\u{c:04x}" for c in [0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
}
_UNSAFE |= {0x09: " ", 0xFEFF: "\\ufeff"}


def safe(text: str) -> str:
    """Return `text` with control characters, escape sequences and bidi overrides made visible; one line.

    >>> safe("a\\x1b[31mb\\nc")
    'a\\\\x1b[31mb\\\\x0ac'
    """
    return text.translate(_UNSAFE).encode("utf-8", "backslashreplace").decode("utf-8")
