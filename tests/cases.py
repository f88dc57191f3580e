"""The case files, read and judged: what is believed about one document each, sorted by how sure the belief is.

synthetic.toml: damage made on purpose. near.toml: copies that differ. wild.toml: damage as real scrapes show it.
negative.toml: repeats that stay. known_failures.toml: what should happen and does not yet; a case that starts to pass
must move to another file. texts.toml: the articles that the others are made of.

A part of `raw` or `clean` is a line. In it `{name}`, `{name 2}` and `{name 2-4}` are the paragraphs of a text, and
`{name|change|old>new}` is that text after the changes below, and with new words for old ones. Where a case has
`for = {x = [...]}`, each value (each combination, or each row of a list) is a case of its own, with `$x` in its parts
replaced; a string names a list of texts.toml. `near = true` asks for near copies, `config` sets any field of
dedup.Config. `rule` must be among the rules that remove, or that keep if nothing may change; `stays` among those that
keep; `class` is what the floors count, the rule if there is none.
"""

import hashlib
import html
import re
import textwrap
import tomllib
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import dedup
from dedup.config import NEAR

FOLDER = Path(__file__).parent.parent / "fixtures" / "cases"
REPAIRED, RIGHT, FAILING = ("synthetic", "near", "wild"), ("negative",), ("known_failures",)
FILES = (*REPAIRED, *RIGHT, *FAILING)

Lines = list[str]


class Case(NamedTuple):
    file: str
    name: str
    note: str
    kind: str
    raw: str
    clean: str
    rule: str
    stays: str
    config: dedup.Config


# ---------------------------------------------------------------- changes

# Words that say something no editor changes in passing: figures, days and negations of the texts that we have.
_FIXED_WORDS = """
once twice half double first second third four five seven eight nine eleven fourteen nineteen hundred thousand
never none nobody nothing without neither drei sieben eine einen keine nicht niemand erste größte ohne нет никто
семь двадцать обе первого первый года больше три без لم لن ليس غير ثلاثة أربع ألف כל לא בלי שנה מאה אין
"""
_FIXED = frozenset(_FIXED_WORDS.split())
_FIXED_SIGNS = frozenset("一二三四五六七八九十百千万年月日不没無无未非别な七人次")
_WORD = re.compile(r"[\u0e01-\u0e2e\u3041-\u3096\u4e00-\u9fff]|[^\W\d_\u0e01-\u0e5b\u3041-\u30ff\u4e00-\u9fff]+")
_LEAST = 4  # letters of a word that is changed
_MISREAD_LETTERS = """
rn>m m>rn li>h cl>d e>c h>b i>l ш>щ н>п и>н е>с ב>כ ר>ד ה>ח ן>ו خ>ح ت>ث ر>ز ب>ي
日>曰 未>末 大>太 人>入 的>旳 己>已 は>ほ る>ろ れ>ね さ>き ค>ด ถ>ภ บ>ป น>ม
"""
_MISREAD = tuple(_MISREAD_LETTERS.split())
_DIGITS = ("l>1", "o>0", "s>5")  # letters that a scan takes for digits
_SPELT = """
colour>color harbour>harbor neighbour>neighbor favour>favor labour>labor honour>honor grey>gray centre>center
theatre>theater metre>meter traveller>traveler travelled>traveled programme>program organise>organize
recognise>recognize apologise>apologize realise>realize cheque>check catalogue>catalog mould>mold plough>plow
storey>story whilst>while towards>toward judgement>judgment ß>ss ё>е
"""
_SPELLINGS = [pair.split(">") for pair in _SPELT.split()]


def _mojibake(line: str) -> str:
    """UTF-8 read as Windows-1252."""
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in line.encode())


def _typeset(line: str) -> str:
    line = re.sub(r'"(?=\w)', "“", line).replace('"', "”").replace("'", "’").replace(" - ", "\u00a0— ")
    return line.replace("fi", "ﬁ").replace("fl", "ﬂ").replace(" to ", " to\u00a0")


def _hyphened(line: str) -> str:
    line = re.sub(r"(?<=[a-zа-я]{3})(?=[a-zа-я]{3})", "\u00ad", line)
    return line.replace("e ", "e\u200b ").replace("и ", "и\u200b ")


def _changed(line: str, every: int, change: Callable[[str, Random, Lines], str]) -> str:
    """The line with one plain word changed in each stretch of `every` words: no name, figure, date or negation."""
    random, words = Random(f"{every} {line}"), list(_WORD.finditer(line))
    plain = [m for m in words if _plain(m[0])]
    pool = sorted({m[0] for m in plain})
    for start in reversed(range(0, len(words) - every // 2, every)):
        fit = [(m, new) for m in words[start : start + every] if m in plain and (new := change(m[0], random, pool))]
        if fit:
            match, new = random.choice(fit)
            line = line[: match.start()] + new + line[match.end() :]
    return line


def _plain(word: str) -> bool:
    solo = len(word) == 1 and word > "\u0e00" and word not in _FIXED_SIGNS
    return solo or (len(word) >= _LEAST and word == word.lower() and word not in _FIXED)


def _other(word: str, random: Random, pool: Lines) -> str:
    return random.choice([w for w in pool if w != word and len(w) + 2 >= len(word)] or [""])


def _noise(pairs: tuple[str, ...]) -> Callable[[str, Random, Lines], str]:
    def noise(word: str, random: Random, _: Lines) -> str:
        fit = [pair.split(">") for pair in pairs if pair.split(">")[0] in word]
        if not fit:
            return ""
        old, new = random.choice(fit)
        return word.replace(old, new, 1)

    return noise


def _edited(every: int) -> Callable[[Lines], Lines]:
    return _each(lambda line: _changed(line, every, _other))


def _spelt(line: str) -> str:
    for old, new in _SPELLINGS:
        line = line.replace(old, new).replace(old.capitalize(), new.capitalize())
    return line


def _cut(lines: Lines) -> Lines:
    """Broken off in mid sentence, a little after the middle of the last line."""
    line = lines[-1][: len(lines[-1]) * 6 // 10]
    return [*lines[:-1], (line.rpartition(" ")[0] or line).rstrip(" ,.;:–-") + "..."]


def _sentences(line: str) -> Lines:
    return re.findall(r".+?(?:[.!?؟]+[\"”]?(?:\s+|$)|。)|.+$", line)


def _middle(lines: Lines) -> Lines:
    words = " ".join(lines).split(" ")
    return [" ".join(words[len(words) // 6 : len(words) * 5 // 6])]


def _each(change: Callable[[str], str]) -> Callable[[Lines], Lines]:
    return lambda lines: [change(line) for line in lines]


def _wrapped(width: int, indent: str = "") -> Callable[[Lines], Lines]:
    return lambda lines: [indent + row for line in lines for row in textwrap.wrap(line, width)]


_CHANGES: dict[str, Callable[[Lines], Lines]] = {
    "blank": lambda lines: "\n\n".join(lines).split("\n"),
    "bulleted": _each(lambda line: "- " + line),
    "closed": lambda lines: ["".join(lines)],
    "cr": lambda lines: ["\r".join([*lines, ""])],
    "crlf": lambda lines: ["\r\n".join([*lines, ""])],
    "cut": _cut,
    "edited10": _edited(10),
    "edited25": _edited(25),
    "escaped": _each(lambda line: html.escape(line).replace("é", "&eacute;").replace("-", "&#8211;")),
    "hyphened": _each(_hyphened),
    "interleaved": lambda lines: [line for line in lines for _ in range(2)],
    "joined": lambda lines: [" ".join(lines)],
    "less": _each(lambda line: "".join(_sentences(line)[:-1]).rstrip() or line),
    "middle": _middle,
    "misread": _each(lambda line: _changed(line, 12, _noise(_MISREAD))),
    "misread_digits": _each(lambda line: _changed(line, 12, _noise(_DIGITS))),
    "mojibake": _each(_mojibake),
    "narrow": _wrapped(72, " "),
    "paired": lambda lines: [row for line in lines for row in (line, _changed(line, 10, _other))],
    "opening": _each(lambda line: _sentences(line)[0].rstrip()),
    "quoted": _each(lambda line: "> " + line),
    "reversed": lambda lines: lines[::-1],
    "spelt": _each(_spelt),
    "teaser": _each(lambda line: " ".join(line.split(" ")[:17]) if " " in line[:60] else line[:40]),
    "typeset": _each(_typeset),
    "upper": _each(str.upper),
    "wrapped": _wrapped(72),
}
_NAMED = re.compile(r"\{(?P<name>\w+)(?: (?P<first>\d+)(?P<to>-)?(?P<last>\d+)?)?(?P<changes>(?:\|[^|{}]+)*)\}")


def _apply(lines: Lines, change: str) -> Lines:
    if ">" not in change:
        return _CHANGES[change](lines)
    old, _, new = change.partition(">")
    if not any(old in line for line in lines):
        raise ValueError(f"{old!r} is not in {lines}")
    return [line.replace(old, new) for line in lines]


# ---------------------------------------------------------------- files


def _build(parts: str | Lines, texts: dict[str, str], end: bool) -> str:
    """The document that `parts` describe: a text as it stands, or lines with named texts in them."""
    if isinstance(parts, str):
        return parts

    def named(match: re.Match[str]) -> str:
        lines = texts[match["name"]].strip("\n").split("\n")
        if match["first"]:
            last = None if match["to"] and not match["last"] else int(match["last"] or match["first"])
            lines = lines[int(match["first"]) - 1 : last]
        original = lines
        for change in match["changes"].split("|")[1:]:
            # `new`: only the lines that were changed
            lines = [line for line in lines if line not in original] if change == "new" else _apply(lines, change)
        return "\n".join(lines)

    return "\n".join(_NAMED.sub(named, part) for part in parts) + "\n" * end


def _expanded(case: dict[str, Any], lists: dict[str, Lines]) -> list[dict[str, Any]]:
    """The case, once for each combination of the values that its `for` gives."""
    given = case.get("for", {})
    if isinstance(given, dict):
        values = [lists[value] if isinstance(value, str) else value for value in given.values()]
        given = [dict(zip(given, row, strict=True)) for row in product(*values)]
    out = []
    for row in given:
        made = dict(case)
        for key, value in row.items():
            for field in ("raw", "clean"):
                if field in made:
                    parts = made[field]
                    swap = [part.replace(f"${key}", value) for part in ([parts] if isinstance(parts, str) else parts)]
                    made[field] = swap[0] if isinstance(parts, str) else swap
        made["name"] += "".join(f" [{value}]" for value in row.values())
        out.append(made)
    return out


@cache
def load(file: str, folder: Path = FOLDER) -> tuple[Case, ...]:
    """The cases of a file, expanded and built."""
    shared = tomllib.loads((folder / "texts.toml").read_text(encoding="utf-8"))
    content = tomllib.loads((folder / f"{file}.toml").read_text(encoding="utf-8"))
    texts, out = {**shared["texts"], **content.get("texts", {})}, []
    for entry in content.get("case", []):
        for case in _expanded(entry, shared["lists"]):
            raw = _build(case["raw"], texts, case.get("end", True))
            clean = _build(case["clean"], texts, case.get("end", True)) if "clean" in case else raw
            fields = {"similarity": NEAR, **case.get("config", {})} if case.get("near") else case.get("config", {})
            rule = case.get("rule", "")
            kind = case.get("class") or rule
            out.append(
                Case(
                    file,
                    case["name"],
                    case["note"],
                    kind,
                    raw,
                    clean,
                    rule,
                    case.get("stays", ""),
                    dedup.Config(**fields),
                )
            )
    return tuple(out)


def digest(folder: Path = FOLDER) -> str:
    """The sha256 of the case files."""
    return hashlib.sha256(b"\0".join((folder / f"{file}.toml").read_bytes() for file in (*FILES, "texts"))).hexdigest()


@cache
def wrong(case: Case) -> str:
    """What is wrong with the result of a case; empty if nothing is."""
    result = dedup.clean(case.raw, case.config)
    removed, stays = {b.rule for b in result.removed}, {b.rule for b in result.repeated}
    report = "\n".join(f"{b.rule} {b.removed} {b.copy.lines} {b.kept.lines}" for b in result.blocks)
    if result.text != case.clean:
        return f"{report}\n--- wanted\n{case.clean}--- got\n{result.text}"
    if dedup.restore(result.clean, dedup.to_manifest(result)) != case.raw.encode():
        return "what is restored is not what was there"
    if dedup.clean(result.clean, case.config).clean != result.clean:
        return "a second run changes it"
    if case.raw == case.clean and removed:
        return f"{report}\nsomething went"
    if case.rule and case.rule not in (removed if case.raw != case.clean else stays):
        return f"{report}\nno block has the rule {case.rule}"
    return f"{report}\nno block stays for {case.stays}" if case.stays and case.stays not in stays else ""
