"""Parts of a page, and the one way for content to get into it.

Content is hostile: it becomes text, here, and never a part of a tag. A list has room for so many bytes and entries, and
what it leaves out is said, so that a page opens whatever it tells of.
"""

from collections.abc import Iterable
from html import escape

from dedup.model import Span
from dedup.report.safe import safe

LINE, NAME = 400, 160  # characters shown of a line of content, of the name of a document
SIGNS = {"": "·", "kept": "=", "gone": "−"}
# No page may hold these characters; a terminal may.
_NONE = {
    c: f"\\u{c:04x}" for c in [*range(0xFDD0, 0xFDF0), *(p << 16 | c for p in range(17) for c in (0xFFFE, 0xFFFF))]
}


def text(content: str) -> str:
    """Return content as the text of a page.

    >>> text("<b>\\x1b")
    '&lt;b&gt;\\\\x1b'
    """
    return escape(safe(content).translate(_NONE))


def line(content: str, room: int = LINE) -> str:
    """Return content as text, cut to so many characters."""
    return text(content if len(content) <= room else content[:room] + "…")


def label(content: str) -> str:
    """Return the name of a document as text, cut in its middle."""
    return text(content if len(content) <= NAME else f"{content[: NAME // 2]}…{content[-NAME // 2 :]}")


def name(content: str, anchor: str = "") -> str:
    """Return the name of a document, apart from the direction of the text around it; a link, if it has an anchor."""
    out = f"<bdi>{label(content)}</bdi>"
    return f'<a href="#{anchor}">{out}</a>' if anchor else out


def foreign(tag: str, marked: str) -> str:
    """Return an element around words of content, whose language and direction nobody knows."""
    return f'<{tag} lang="" dir="auto">{marked}</{tag}>'


def verdict(mark: str, word: str) -> str:
    """Return what became of something, with its sign."""
    return f'<b class="tag {mark}">{SIGNS[mark]} {word}</b>'


def table(caption: str, head: str, *groups: str) -> str:
    """Return a table of groups of rows. In `head` a # marks a column of figures."""
    cells = "".join(
        f'<th scope="col" class="n">{cell[1:]}</th>' if cell[0] == "#" else f'<th scope="col">{cell}</th>'
        for cell in head.split("|")
    )
    body = "".join(f"<tbody>\n{rows}</tbody>\n" for rows in groups)
    return f"<table>\n<caption>{caption}</caption>\n<thead><tr>{cells}</tr></thead>\n{body}</table>\n"


def fit(rows: Iterable[str], room: int, most: int) -> list[str]:
    """Return the first rows: at most so many thousand bytes of them, and at most so many."""
    out: list[str] = []
    left = 1000 * room
    for row in rows:
        left -= len(row.encode())
        if left < 0 or len(out) == most:
            break
        out.append(row)
    return out


def rest(number: int, noun: str, tag: str = "p") -> str:
    """Return how many are not shown; nothing, if all are."""
    return f'<{tag} class="rest">… {count(number, noun)} not shown</{tag}>\n' if number else ""


def count(number: int, noun: str) -> str:
    """Return how many there are, in words.

    >>> count(1, "more document"), count(2500, "more document")
    ('1 more document', '2,500 more documents')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(part: int, whole: int) -> str:
    """Return a share in percent.

    >>> percent(1, 8), percent(0, 0)
    ('12.5%', '0.0%')
    """
    return f"{100 * part / whole if whole else 0:.1f}%"


def places(span: Span) -> str:
    """Return the numbers from the first to the last.

    >>> places((2, 16)), places((3, 3))
    ('2–16', '3')
    """
    return f"{span[0]:,}" if span[0] == span[1] else f"{span[0]:,}–{span[1]:,}"


def lines(span: Span) -> str:
    """Return the numbers of lines, in words."""
    return f"line{'s' if span[0] < span[1] else ''} {places(span)}"


def change(paragraphs: Span, size: Span) -> str:
    """Return what a document was and is."""
    return f"{paragraphs[0]:,} → {paragraphs[1]:,} paragraphs, {size[0]:,} → {size[1]:,} bytes"
