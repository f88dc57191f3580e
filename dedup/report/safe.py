"""Content made safe to show: the one gate in front of every sink."""

import json
import re
from typing import Any

_UNSAFE = {c: f"\\x{c:02x}" for c in [*range(0x00, 0x20), 0x7F, *range(0x80, 0xA0)]}
_UNSAFE |= {
    c: f"\\u{c:04x}" for c in [0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
}
_UNSAFE |= {0x09: " ", 0xFEFF: "\\ufeff"}
# Commands of the runners that read a build log: `##[error]`, `##vso[...]` anywhere in a line, `::error::` at its start.
_COMMAND = re.compile(r"(?<=#)#(?=\w*\[)|^(\s*:):(?=\w)")


def safe(text: str) -> str:
    """Return `text` on one line, with control characters, escape sequences and bidi overrides made visible; none of it
    can be read as a command of a build log.

    >>> safe("a\\x1b[31mb\\nc"), safe("##[error]x"), safe("::error::x")
    ('a\\\\x1b[31mb\\\\x0ac', '#\\\\x23[error]x', ':\\\\x3aerror::x')
    """
    if text.isascii() and text.isprintable() and "##" not in text and "::" not in text:
        return text
    text = text.translate(_UNSAFE).encode("utf-8", "backslashreplace").decode("utf-8")
    return _COMMAND.sub(lambda match: f"{match[1]}\\x3a" if match[1] else "\\x23", text)


def visible(text: str) -> str:
    """Return `text` with a name for each character that nobody sees, such as a zero-width one.

    >>> visible("so\\xadft\\u200b \\n")
    'so<U+00AD>ft<U+200B> ↵'
    """
    shown = text.replace("\r\n", "↵").replace("\n", "↵")
    return "".join(c if c.isprintable() or "\udc80" <= c <= "\udcff" else f"<U+{ord(c):04X}>" for c in shown)


def dump(value: Any, indent: int | None = None) -> str:
    """Return `value` as JSON, in ASCII and so that no content is a command of a build log; it reads as what it was.

    >>> dump(["##[error]é"])
    '["#\\\\u0023[error]\\\\u00e9"]'
    """
    return json.dumps(value, indent=indent).replace("##", "#\\u0023")
