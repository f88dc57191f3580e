"""Documents structured like scrapes, as hypothesis strategies.

Why: a random string seldom repeats anything, so the laws would hold on it by doing nothing. Here an article is made of
random words in several scripts, then damaged as scrapers damage articles, 0-3 times over, and then written down in some
encoding with some line ends. `documents()` mixes these with text that is hostile in other ways: periodic, of two words,
random.

    article:  P1 P2 P3   -> twice, upper case ->   P1 P2 P3 P1 P2 P3 P1 P2 P3 P1 P2 P3   (half of it in capitals)
"""

import codecs
import re
import textwrap
from collections.abc import Callable
from random import Random

from hypothesis import strategies as st

Lines = list[str]

_LATIN = """
the of and to in a is that it was for on as with his they at be this from have or by one had not but what all were when
we there can an your which their said if do will each about how up out them then she many some so these would other into
has more her two like him see time could no make than first been its who now people my made over did down only way find
use may water long little very after words called just where most know river harbour council bridge garden market winter
letter school window mountain engine paper fisher orchard cable ferry museum street naïve café Zürich straße éclair
Übung İstanbul 12 1984 3.14 it's don't U.S. co-op
"""
_CYRILLIC = """
и в не на я быть он с что а по это она этот к но они мы весь который из у то за свой ещё бы год ты от так сказать мочь
для такой человек один город река мост школа письмо зима окно сад рынок гора бумага йод подъезд
"""
_ARABIC = """
في من على إلى أن هذا التي كان مع عن قال بعد كل بين ذلك المدينة النهر الجسر المدرسة الرسالة الشتاء النافذة الحديقة السوق
الجبل كِتَابٌ مُحَمَّد ٢٠٢٤
"""
_HAN = (
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学"
)
_THAI = "ที่ การ เป็น และ ของ ใน มี ได้ ให้ ว่า ไม่ กับ น้ำ สะพาน เมือง"
_ODD = (
    "co\u00adop\u00aderate zero\u200bwidth\u200d \ufeffmark &amp; R&amp;D caf&#233; caf&#xe9; &nbsp; &amp;amp; &bogus;"
    " & &#0; &#55296; cafÃ© Ã©tÃ© â€œquotedâ€\u009d itâ€™s naÃ¯ve Ã Â e\u0301te\u0301 a\u0308\u0323 \u0301lone \x01"
    " \x08bell \x1b[31mred \x7f \x85 \u2028 \u2029 \x0c \x0b ﬁne ﬂow ½ Ⅳ ① ǆ ŉ ß ﷺ 𝒜 👩\u200d👧 🇩🇪 _under_score_"
    " ... … — – “said” ‘so’ «voilà» * # |cell|cell| http://example.org/a?b=c&d=e \u202eoverride\u202c ꙮ"
    " ｆｕｌｌ ｶﾞ は゛ ກາ မြန် ខ្មែរ हिन्दी 한국어 \ufffd \ud800"
)
_ODDITIES = _ODD.split(" ")
_SPACED = [_LATIN.split(), _LATIN.split(), _LATIN.split(), _CYRILLIC.split(), _ARABIC.split()]
_POOLS = [*_SPACED, list(_HAN), _THAI.split()]
_ENDS = [".", ".", ".", "!", "?", "...", "…", ":", "", '."', ".)", "。"]
_OWN_ENDS = [".", ".", ".", ".", ".", "。", ""]  # of the pools


def _sentence(random: Random, script: int, size: int, odd: float) -> str:
    pool = _POOLS[script]
    chosen = [random.choice(_ODDITIES) if random.random() < odd else random.choice(pool) for _ in range(size)]
    text = (" " if script < len(_SPACED) else "").join(chosen)
    end = random.choice(_ENDS) if random.random() < 0.3 else _OWN_ENDS[script]
    return text[:1].upper() + text[1:] + end


def _paragraph(seed: int, size: int, odd: float) -> str:
    """One paragraph of about `size` words. Drawn by a seed: word by word, most of the time would go into drawing."""
    random = Random(seed)
    sentences = []
    while size > 0:
        length = min(size, random.randint(3, 22))
        sentences.append(_sentence(random, seed % len(_POOLS), length, odd))
        size -= length
    return " ".join(sentences)


_seeds = st.integers(0, 2**32 - 1)
_sizes = st.one_of(st.integers(1, 8), st.integers(9, 45), st.integers(20, 45))
_oddity = st.sampled_from([0.0, 0.0, 0.02, 0.2])


@st.composite
def articles(draw: st.DrawFn) -> Lines:
    """A title or none, and 3-10 paragraphs."""
    odd = draw(_oddity)
    script = draw(st.one_of(st.none(), st.integers(0, len(_POOLS) - 1)))
    out = []
    for size in draw(st.lists(_sizes, min_size=3, max_size=10)):
        seed = draw(_seeds)
        out.append(_paragraph(seed if script is None else seed - seed % len(_POOLS) + script, size, odd))
    return out


# ---------------------------------------------------------------- artefacts


def _wrapped(lines: Lines, width: int) -> Lines:
    return [row for line in lines for row in textwrap.wrap(line, width) or [line]]


def _mojibake(line: str) -> str:
    raw = line.encode("utf-8", "surrogatepass")
    return "".join(bytes([b]).decode("cp1252") if b not in b"\x81\x8d\x8f\x90\x9d" else chr(b) for b in raw)


def _curled(line: str) -> str:
    return line.replace("'", "’").replace("...", "…").replace(" - ", " — ").replace("fi", "ﬁ").replace(" ", "\u00a0")


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("é", "&eacute;").replace("'", "&#39;").replace("a", "&#97;")


def _hyphened(line: str) -> str:
    return line.replace("er", "e\u00adr").replace("o", "o\u200b")


_STYLES: list[Callable[[str], str]] = [
    str.upper, str.lower, str.title, _mojibake, _curled, _escaped, _hyphened,
    lambda line: "- " + line, lambda line: "> " + line, lambda line: "\u2022\u00a0" + line, lambda line: "    " + line,
    lambda line: line + " ", lambda line: line + "\n",
]  # fmt: skip


def _edited(lines: Lines, every: int, random: Random) -> Lines:
    """One word in `every` replaced by another of the text, misspelt, left out or put in."""
    pool = " ".join(lines).split(" ")

    def word(word: str) -> str:
        if random.random() * every > 1:
            return word
        other = random.choice(pool)
        return random.choice(
            [other, other, f"{word} {other}", "", word[:2] + "x" + word[3:], word[:3] + " " + word[3:]]
        )

    return [" ".join(map(word, line.split(" "))) for line in lines]


@st.composite
def _copies(draw: st.DrawFn, body: Lines) -> Lines:
    """The body again, as it may look the second time."""
    kind = draw(st.integers(0, 8))
    copy = list(body)
    if kind == 8:
        return _edited(copy, draw(st.sampled_from([8, 12, 25])), Random(draw(_seeds)))
    if kind == 1:
        return _wrapped(copy, draw(st.integers(30, 72)))
    if kind == 2:
        return [" ".join(copy)]
    if kind == 3:
        return list(map(draw(st.sampled_from(_STYLES)), copy))
    if kind == 4:
        return draw(st.permutations(copy))
    if kind == 5:
        copy.insert(draw(st.integers(0, len(copy))), _paragraph(draw(_seeds), draw(_sizes), 0))
    if kind == 6:
        del copy[draw(st.integers(0, max(0, len(copy) - 1)))]
    if kind == 7:
        first = draw(st.integers(0, len(copy) - 1))
        copy = copy[first : draw(st.integers(first + 1, len(copy)))]
    return copy


@st.composite
def _damaged(draw: st.DrawFn, lines: Lines) -> Lines:
    """`lines` after one artefact."""
    body = lines[draw(st.integers(0, min(2, len(lines) - 1))) :]
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return lines + draw(_copies(body))
    if kind == 1:
        return draw(_copies(body)) + lines
    if kind == 2:
        return lines + draw(_copies(body)) + draw(_copies(body))
    if kind == 3:
        return [line for line in lines for _ in range(draw(st.integers(1, 3)))]
    if kind == 4:  # glued without a line end
        copy = draw(_copies(body)) or [""]
        return [*lines[:-1], lines[-1] + draw(st.sampled_from(["", " ", "  "])) + copy[0], *copy[1:]]
    if kind == 5:  # a teaser above the article, or below
        words = body[0].split(" ")
        size = draw(st.integers(1, max(1, len(words) - 1)))
        end = draw(st.sampled_from(["...", "…", " ...", "... Read more", " [...]", "... Continue reading »"]))
        teaser = [" ".join(words[:size]) + end]
        return teaser + lines if draw(st.booleans()) else lines + teaser
    if kind == 6:
        return list(map(draw(st.sampled_from(_STYLES)), lines))
    if kind == 7:
        at = draw(st.integers(0, len(lines)))
        return [*lines[:at], draw(st.sampled_from(lines)), *lines[at:]]
    if kind == 8:  # the end of one paragraph, from some sentence or some word on, after another paragraph or inside it
        parts = re.split(draw(st.sampled_from([" ", "(?<=[.!?\u3002]) *"])), draw(st.sampled_from(lines)))
        pasted = " ".join(parts[draw(st.integers(0, len(parts) - 1)) :])
        at = draw(st.integers(0, len(lines) - 1))
        cut = draw(st.one_of(st.just(len(lines[at])), st.integers(0, len(lines[at]))))
        space = draw(st.sampled_from(["", " "]))
        return [*lines[:at], lines[at][:cut] + space + pasted + space + lines[at][cut:], *lines[at + 1 :]]
    return _wrapped(lines, draw(st.integers(30, 72)))


@st.composite
def _scrapes(draw: st.DrawFn) -> Lines:
    lines = draw(articles())
    for _ in range(draw(st.integers(0, 3))):
        damaged = draw(_damaged(lines))
        lines = damaged if sum(map(len, damaged)) < 12_000 else lines
    return lines


# ---------------------------------------------------------------- text that is hostile in other ways


@st.composite
def _verse(draw: st.DrawFn) -> Lines:
    """Stanzas of short lines, with a refrain after each, word for word or nearly so."""
    refrain = [_paragraph(draw(_seeds), draw(st.integers(3, 9)), 0) for _ in range(draw(st.integers(1, 4)))]
    out: Lines = []
    for _ in range(draw(st.integers(2, 5))):
        out += [_paragraph(draw(_seeds), draw(st.integers(3, 9)), 0) for _ in range(draw(st.integers(1, 4)))]
        out += refrain + [""] * draw(st.integers(0, 1))
    return out


@st.composite
def _periodic(draw: st.DrawFn) -> Lines:
    """A few words or lines over and over, perhaps with something before, after and in between."""
    unit = _paragraph(draw(_seeds), draw(st.integers(1, 30)), draw(_oddity))
    between = draw(st.sampled_from(["", " ", "\n", "\n\n", ". "]))
    text = between.join([unit] * draw(st.integers(2, 12)))
    edge = st.one_of(st.just(""), st.builds(_paragraph, _seeds, st.integers(1, 20), st.just(0.0)))
    return [draw(edge), text + draw(st.sampled_from(["", unit[: len(unit) // 2]])), draw(edge)]


_tiny = st.lists(st.sampled_from(["a ", "b ", "A ", "a. ", "b. ", "a... ", "\n", "\n\n", "c"]), max_size=150)
_sameness = st.builds(
    lambda word, end, times: [word + end] * times,
    st.sampled_from(_POOLS[0]),
    st.sampled_from(["", ".", "..."]),
    st.integers(1, 60),
)
_plain = st.text(st.characters(blacklist_characters="\0"), max_size=300)

lines: st.SearchStrategy[Lines] = st.one_of(
    _scrapes(),
    _scrapes(),
    _scrapes(),
    _verse(),
    _periodic(),
    _sameness,
    _tiny.map(lambda parts: ["".join(parts)]),
    _plain.map(lambda text: [text]),
)


# ---------------------------------------------------------------- written down


_LINE_ENDS = ["\n", "\n", "\n", "\n\n", "\r\n", "\r", "\r\n\r\n", " \n", "\n\r\n", "\x0c\n", "\n \t\n"]
_BROKEN = [b"\xff", b"\xe9", b"\xc3", b"\x80", b"\xed\xa0\x80", b"\xf0\x9f"]  # no UTF-8


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A document as characters, with its line ends."""
    end = draw(st.sampled_from(_LINE_ENDS))
    text = end.join(draw(lines))
    head = draw(st.sampled_from(["", "", "", "\n", "\r\n\r\n", " \n\n"]))
    return head + text + draw(st.sampled_from(["\n", "\n", "", "\n\n\n", "\r\n", " ", end]))


@st.composite
def _encoded(draw: st.DrawFn) -> bytes:
    text = draw(texts()).replace("\0", "")
    kind = draw(st.sampled_from(["utf-8"] * 6 + ["mark", "utf-16-le", "utf-16-be", "latin-1", "noise", "noise"]))
    if kind == "mark":
        return codecs.BOM_UTF8 + text.encode("utf-8", "surrogatepass")
    if kind.startswith("utf-16"):
        mark = codecs.BOM_UTF16_LE if kind.endswith("le") else codecs.BOM_UTF16_BE
        return mark + text.encode(kind, "surrogatepass")
    if kind == "latin-1":
        return text.encode("latin-1", "replace")
    data = text.encode("utf-8", "surrogatepass")
    if kind == "noise":
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, len(data)))
            data = data[:at] + draw(st.sampled_from(_BROKEN)) + data[at:]
    return data


_noise = st.binary(max_size=200).map(lambda data: data.replace(b"\0", b""))


def documents() -> st.SearchStrategy[bytes]:
    """Documents as bytes, without NUL unless they are UTF-16 with its mark."""
    return st.one_of(_encoded(), _encoded(), _encoded(), _encoded(), _encoded(), _encoded(), _noise)
