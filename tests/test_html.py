"""The page: it tells the whole story, it opens, and no content becomes a part of it."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dedup
from dedup.cli.inputs import Engine, Job, Tally
from dedup.cli.reports import alone, found_in
from dedup.config import Config
from dedup.io.documents import Reading
from dedup.model import Boilerplate, Cluster, Failure, Findings, Member, Passage, Result, Side
from dedup.normalise import keys
from dedup.report import html
from dedup.report.beside import COPY, KEPT, Source
from dedup.report.run import Run
from dedup.report.safe import safe
from tests.documents import documents
from tests.run import SEED

NEAR = Config(similarity=0.8)
KILN = (
    "The brick kiln at Oster Mill was lit again on Friday, for the first time since the flood took its chimney down.\n"
    "It took the two sisters who own it nine days to dry the walls, feeding small fires of ash wood day and night.\n"
    "Their first load is promised to the school, whose garden wall has leaned on a row of barrels since the winter.\n"
    "Whoever wants to see the fire may come after dark, the younger sister says, and had better bring a heavy coat.\n"
)
OTTER = (
    "An otter has moved into the lock at Pell Bridge, and the keeper now opens the gates an hour later than before.\n"
    "He says that nobody on the boats has complained so far, because all of them stand on deck and wait for a sight.\n"
    "The animal sleeps in a drain below the upper gate, eats what the anglers throw back, and fears only geese.\n"
)
STAMPS = (
    "The post museum has found forty sheets of a stamp that was never issued, packed as padding around a clock case.\n"
    "They show a bridge that was drawn for a contest and not built, with a train on it that was never ordered either.\n"
)
DIGEST = (
    "What else the valley read this week, while the rain kept everybody but the postman and his dog inside the house:\n"
    "a recipe for quinces that asks for more patience than sugar, and three letters about the colour of a bench,\n"
    "a list of all the cats that have moved since the market did, drawn up by a pupil who wants to survey land, and,\n"
    "on the last page, as the editor remembers too late every time, the wrong tides for a harbour that is not ours.\n"
)
FOOT = "Write to the editor, or ring the bell at the back door after six in the evening.\n"
EVIL = (
    "<script>alert(1)</script> was chalked on the gate of the mill that morning, and nobody could say what it meant\n"
    "\"><img src=x onerror=alert(1)> stood on the barrels below it in red paint, and ' onclick='alert(2)' beside that\n"
    "</p></article></style><style>*{display:none}</style><!-- and &lt;b&gt; &#60;i&#62; ]]> in the ledger of the kiln\n"
    "bidi \u202egnp.exe\u202c, \u2067isolated\u2069 and \u200fmarked\u200e words, and controls \x1b[31m \x07 \x85 \x0c "
    "\ufffe \U0001ffff too\n"
    '<a href=javascript:alert(3) id=main style=position:fixed><svg onload=alert(4)><form action="//x"> at the end\n'
)
EVIL_NAME = "\"><img src=x onerror=alert(1)>\u202e\x1b' onclick='alert(2)\udce9</title><script>alert(3)</script>"

GLOBAL = {"class", "id"}
PLAIN = (
    "head title style body header main footer section article h1 h2 h3 h4 p span b i small del ins bdi ol ul li "
    "dl dt dd details summary table caption thead tbody tr"
)
ALLOWED = {
    **dict.fromkeys(PLAIN.split(), frozenset[str]()),
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "name", "content"},
    "p": {"lang", "dir"},
    "a": {"href", "aria-label"},
    "nav": {"aria-label"},
    "div": {"role", "aria-label"},
    "th": {"scope", "colspan"},
    "td": {"lang", "dir", "data-of", "colspan"},
    "svg": {"viewbox", "preserveaspectratio", "aria-hidden"},
    "rect": {"width", "height", "x"},
}
VALUES = {
    "id": r"[a-z]+|d\d+(b\d+)?",
    "href": r"#([a-z]+|d\d+(b\d+)?)",
    "class": r"[a-z ]+",
    "aria-label": r"Contents|Map of [\d,]+ paragraphs?|[\d,–]+ (kept|removed), block \d+",
    "data-of": r"[a-z ]+",
    "lang": r"(en)?",
    "dir": "auto",
}


class Node(NamedTuple):
    """An element, with the elements around it."""

    tag: str
    attributes: dict[str, str]
    path: tuple[str, ...]
    parts: list[str]

    @property
    def text(self) -> str:
        return "".join(self.parts)


class Page(HTMLParser):
    """A page, read strictly: each element is known, closed where it must be, and has known attributes only."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.nodes: list[Node] = []
        self.open: list[Node] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {k: v or "" for k, v in attributes}
        assert found.keys() <= ALLOWED[tag] | GLOBAL, (tag, found)
        for key, value in found.items():
            assert re.fullmatch(VALUES.get(key, ".*"), value), (tag, key, value)
        node = Node(tag, found, tuple(n.tag for n in self.open), [])
        self.nodes.append(node)
        if tag != "meta":
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.handle_data(" ")
        assert self.open.pop().tag == tag

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        assert self.open or not data.strip()
        for node in self.open:
            node.parts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def all(self, tag: str, kind: str = "") -> list[Node]:
        return [n for n in self.nodes if n.tag == tag and (not kind or kind in n.attributes.get("class", "").split())]

    def texts(self, tag: str, kind: str = "") -> list[str]:
        return [" ".join(n.text.split()) for n in self.all(tag, kind)]

    def section(self, id: str) -> str:
        """The text of a part of the page."""
        return next(" ".join(n.text.split()) for n in self.nodes if n.attributes.get("id") == id)


def _alone(*results: Result) -> Run:
    tally = Tally()
    for result in results:
        tally.add(result, (result.source, None))
    return alone(NEAR, tally)


def _clean(text: str, config: Config = NEAR, source: str = "kiln.txt") -> Result:
    return dedup.clean(text.encode("utf-8", "surrogatepass"), config)._replace(source=source)


def _page(text: str, config: Config = NEAR) -> Page:
    return Page("".join(html.render(_alone(_clean(text, config)))))


@contextmanager
def _batch(folder: Path, texts: dict[str, str], config: Config, index: str = "") -> Iterator[Run]:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    job = Job(Reading(config), Engine(1, 0, index, add=False), None, [str(folder), str(folder / "missing.txt")])
    with found_in(job, Tally()) as run:
        yield run


BATCH = {
    "kiln.txt": KILN + FOOT,
    "kiln-again.txt": KILN + FOOT,
    "kiln-edited.txt": KILN.replace("nine days", "two weeks").replace("heavy", "thick") + FOOT,
    "otter.txt": OTTER + OTTER + STAMPS + FOOT,
    "digest.txt": DIGEST + OTTER.split("\n", 1)[1],
    "plain.txt": "Nothing at all is said twice in this one.\n",
    "picture.bin": "\0\1\2",
    EVIL_NAME.replace("/", "|").replace("\udce9", ""): EVIL + EVIL,
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    config = Config(similarity=0.8, passages=True, boilerplate=True)
    with _batch(tmp_path_factory.mktemp("in") / "batch", BATCH, config) as run:
        batch = "".join(html.render(run))
    runs = {
        "seed": _alone(dedup.clean(SEED.read_bytes())._replace(source="raw.txt")),
        "near": _alone(_clean(KILN + KILN.replace("nine days", "two weeks"))),
        "hostile": _alone(_clean(EVIL + EVIL, source=EVIL_NAME)),
        "quiet": _alone(_clean(STAMPS)),
        "empty": _alone(_clean("")),
        "none": _alone(),
    }
    return {"batch": batch} | {name: "".join(html.render(run)) for name, run in runs.items()}


KINDS = ["seed", "near", "batch", "hostile", "quiet", "empty", "none"]


# ---------------------------------------------------------------- the page is sound


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_well_nested_and_made_of_known_elements_and_attributes(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    assert [n.attributes.get("lang") for n in page.all("html")] == ["en"]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert all(t.startswith("dedup: ") and len(t) <= 70 for t in page.texts("title"))


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_unique_and_every_link_leads_to_one(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    ids = [n.attributes["id"] for n in page.nodes if "id" in n.attributes]
    assert len(ids) == len(set(ids))
    assert {n.attributes["href"][1:] for n in page.all("a")} <= set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_headings_leave_out_no_level_and_tables_have_captions_and_heads(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    levels = [int(n.tag[1]) for n in page.nodes if re.fullmatch("h[1-6]", n.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("table")) == len(page.all("caption")) == len(page.all("thead"))
    assert all("scope" in n.attributes for n in page.all("th"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_needs_nothing_from_outside_and_allows_its_own_style_only(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    (style,) = page.all("style")
    (policy,) = (n.attributes["content"] for n in page.all("meta") if "http-equiv" in n.attributes)
    digest = b64encode(sha256(style.text.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|https?:|expression|<", style.text)


def test_the_same_run_gives_the_same_page(pages: dict[str, str], tmp_path: Path) -> None:
    with _batch(tmp_path / "batch", BATCH, Config(similarity=0.8, passages=True, boilerplate=True)) as run:
        assert "".join(html.render(run)) == "".join(html.render(run))
    result = dedup.clean(SEED.read_bytes())._replace(source="raw.txt")
    assert "".join(html.render(_alone(result))) == pages["seed"]


def _luminance(colour: str) -> float:
    wide = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(wide[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_all_text_has_enough_contrast_in_light_and_in_dark(pages: dict[str, str]) -> None:
    style = Page(pages["seed"]).all("style")[0].text
    schemes = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", part)) for part in re.findall(r":root {([^}]+)}", style)[:2]
    ]
    assert len(schemes) == 2
    pairs = {
        "ink": ["page", "card", "fill", "gone-fill", "kept-fill", "warn-fill"],
        "soft": ["page", "card", "fill", "gone-fill"],
        "link": ["page", "card", "fill"],
        "kept": ["page", "card", "kept-fill", "kept-mark", "fill"],
        "gone": ["page", "card", "gone-fill", "gone-mark", "fill"],
    }
    for colours in schemes:
        for front, backs in pairs.items():
            for back in backs:
                low, high = sorted(_luminance(colours[name]) for name in (front, back))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (front, back)


# ---------------------------------------------------------------- content stays content


SNIPPETS = [
    "<script>", "</p>", "<!--", "-->", "]]>", "<?", "<!", "</style>", "</title>", "<img src=x onerror=y>", "&lt;",
    "&#60;", "&", '"', "'", ">", "{}", "\x1b", "\u202e", "\u2066", "\ud800", "\ufffe", "\ufeff", "\x85", "\u2028",
]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=6)), max_size=12).map("".join)
SHOWN = {c: f"\\u{c:04x}" for c in (0xFFFE, 0x1FFFF)}


def _elements(name: str, first: str, second: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page that tells of everything, in these words."""
    side = Side((0, 0), (1, 1), (1, 1))
    member = Member(1, first, 1.0, 1.0, 0, second)
    findings = Findings(
        (Cluster(0, (member,)), Cluster(-1, (member._replace(witness=-1),))),
        (Passage(0, (0, 0), -1, (0, 0), 30, first, True),),
        (Boilerplate(first, 3, 0, (0, 0), False),),
    )
    run = _alone(_clean(KILN + KILN, source=name), _clean(STAMPS, source=name))
    seen = {"source": name, "line": 1, "run": 1, "run_name": name, "started": first}
    run = Run(
        run.config, run.totals, run.result, [Failure(name, 7, first)], [name], findings=findings,
        name=lambda _: name, where=lambda _: (name, 7), side=lambda *_: side,
        seen=lambda document: seen if document < 0 else None,
    )  # fmt: skip
    return [(n.tag, n.path) for n in Page("".join(html.render(run))).nodes]


HARMLESS = _elements("a", "b", "c")


@settings(max_examples=80)
@given(hostile, hostile, hostile)
@example(EVIL_NAME, EVIL.splitlines()[0], EVIL.splitlines()[1])
def test_hostile_text_adds_no_element_whatever_it_holds(name: str, first: str, second: str) -> None:
    assert _elements(name, first, second) == HARMLESS


@settings(max_examples=80)
@given(documents())
def test_a_page_of_any_document_is_sound(data: bytes) -> None:
    page = Page("".join(html.render(_alone(dedup.clean(data, NEAR)))))
    ids = [n.attributes["id"] for n in page.nodes if "id" in n.attributes]
    assert len(ids) == len(set(ids))
    assert {n.attributes["href"][1:] for n in page.all("a")} <= set(ids)


def test_what_a_page_shows_of_hostile_text_is_the_text_made_safe(pages: dict[str, str]) -> None:
    page = Page(pages["hostile"])
    shown = [" ".join(safe(row).translate(SHOWN).split()) for row in EVIL.split("\n")[:-1]]
    assert [n.text for n in page.all("p") if "dir" in n.attributes] == [row for row in shown for _ in (KEPT, COPY)]
    assert page.all("h1")[0].text.startswith(safe(EVIL_NAME))
    assert not {*"\x1b\x07\x85\x0c\u202e\u2067\u200f\ufffe"} & {*pages["hostile"]}


# ---------------------------------------------------------------- the story of one document


def test_the_heading_is_the_whole_story_in_one_line(pages: dict[str, str]) -> None:
    assert Page(pages["seed"]).texts("h1") == ["raw.txt 48.5% removed, 31 → 16 paragraphs, 6,802 → 3,503 bytes"]
    assert Page(pages["quiet"]).texts("h1") == ["kiln.txt nothing repeats, 2 paragraphs, 225 bytes"]


def test_the_map_has_a_cell_for_each_paragraph_and_links_to_the_block() -> None:
    page = _page(STAMPS + KILN + KILN)
    assert [n.text for n in page.all("i")] == ["·"] * 2 + ["="] * 4 + ["−"] * 4
    links = [n.attributes for n in page.all("a") if "div" in n.path]
    assert [(a["href"], a["aria-label"]) for a in links] == [
        ("#d0b0", "3–6 kept, block 1"),
        ("#d0b0", "7–10 removed, block 1"),
    ]
    assert page.texts("p", "legend") == ["· unique 2 = kept 4 − removed 4"]


def test_a_long_document_shares_the_cells_of_its_map() -> None:
    rows = "".join(
        f"Row {n} of the ledger tells of {n * 7} barrels, {n * 3} sacks and {n} carts.\n" for n in range(700)
    )
    page = _page(rows + rows, Config())
    cells = [n.text for n in page.all("i")]
    assert len(cells) == 240
    assert cells.count("=") == cells.count("−") == 120
    assert "a cell is about 6 paragraphs" in page.texts("p", "legend")[0]


def test_the_sides_of_a_block_stand_beside_each_other_and_the_middle_is_folded(pages: dict[str, str]) -> None:
    page = Page(pages["seed"])
    shown = [n for n in page.all("li") if n.path.count("details") == 0 and "diff" not in n.attributes.get("class", "")]
    numbers = [re.findall(r"(kept|gone): \S (\d+)", n.text) for n in shown]
    assert [n for n in numbers if len(n) == 2] == [[("kept", str(n)), ("gone", str(n + 15))] for n in (2, 3, 4, 15, 16)]
    assert "10 more, the same words" in page.texts("summary")
    assert len([n for n in page.all("p") if "dir" in n.attributes and "details" in n.path]) == 20


def test_a_block_that_is_too_long_says_how_much_is_not_shown() -> None:
    rows = "".join(f"{row.strip()} Number {n}.\n" for n in range(40) for row in KILN.splitlines())
    page = _page(rows + rows, Config())
    assert "155 more, the same words" in page.texts("summary")
    assert page.texts("li", "rest") == ["… 95 more rows not shown"]


def test_a_long_paragraph_shows_its_head_and_its_tail_and_how_much_is_between() -> None:
    line = " ".join(f"{row} {n}" for n in range(20) for row in KILN.splitlines())
    page = _page(f"{line}\n{STAMPS}{line}\n", Config())
    assert page.texts("small") == [f"… {len(line) - 1500:,} bytes …"] * 2


def test_words_that_differ_are_marked_on_their_side() -> None:
    page = _page(
        KILN + KILN.replace("small fires", "great heaps").replace("heavy coat", "warm scarf").replace("dark, ", "", 1)
    )
    assert page.texts("ins") == ["small fires", "dark", "heavy coat"]
    assert page.texts("del") == ["great heaps", "warm scarf"]
    assert all(n.path[-2:] == ("div", "p") for n in page.all("ins") + page.all("del"))


def test_a_near_copy_that_stays_tells_both_words_and_the_reason() -> None:
    page = _page(KILN + OTTER + KILN.replace("nine days", "twelve days"))
    (kept,) = (n.text for n in page.all("tr") if "near-facts" in n.text)
    assert "nine / twelve" in kept or "twelve / nine" in kept
    assert (page.texts("del"), page.texts("ins")) == (["twelve"], ["nine"])


def test_repeats_that_stay_are_listed_with_the_reason() -> None:
    row = "The bell at the back door is rung after six."
    page = _page(f"{KILN}{row}\n{OTTER}{row}\n{STAMPS}")
    assert "Repeated, kept: 1" in page.texts("h3")
    assert any("too-short: too short to be sure" in text and row[:-1] in text for text in page.texts("tr"))


@pytest.mark.parametrize("form", [str.split, str.splitlines])
def test_a_copy_that_is_wrapped_otherwise_stands_beside_the_same_words(form: Callable[[str], list[str]]) -> None:
    words = form(KILN)
    size = 8 if len(words) > 8 else len(words)
    copy = "\n".join(" ".join(words[n : n + size]) for n in range(0, len(words), size)) + "\n"
    result = _clean(KILN + STAMPS + copy, Config(keep="first"))
    (block,) = result.removed
    rows = Source(result).rows(block)
    kept = [result.data[slice(*row.kept)].decode() for row in rows]
    assert kept == KILN.splitlines()
    assert [" ".join(result.data[slice(*row.copy)].decode().split()) for row in rows] == kept


@settings(max_examples=120)
@given(documents(), st.sampled_from([Config(), NEAR]))
def test_the_rows_of_a_block_hold_all_of_it_and_the_same_words_on_both_sides(data: bytes, config: Config) -> None:
    result = dedup.clean(data, config)
    source = Source(result)

    def read(start: int, end: int) -> str:
        return result.data[start:end].decode(source.document.encoding, "replace")

    for block in result.blocks:
        rows = source.rows(block)
        for side, (start, end) in ((COPY, block.copy.bytes), (KEPT, block.kept.bytes)):
            spans = [row[side] for row in rows]
            edges = [start, *(at for span in spans for at in span), end]
            assert edges == sorted(edges)
            assert not "".join(read(*gap) for gap in zip(edges[::2], edges[1::2], strict=True)).strip()
        if not block.changes and keys(read(*block.copy.bytes)) == keys(read(*block.kept.bytes)):
            assert all(keys(read(*row.copy)) == keys(read(*row.kept)) for row in rows)


# ---------------------------------------------------------------- the story of a batch


def test_a_batch_is_told_with_its_worst_documents_its_clusters_passages_and_lines(pages: dict[str, str]) -> None:
    page = Page(pages["batch"])
    assert re.match(r"7 documents [\d.]+% removed, \d dropped, [\d,]+ → [\d,]+ bytes", page.texts("h1")[0])
    assert "missing.txt: cannot be read" in page.section("errors")
    assert "picture.bin" in page.section("skipped")
    clusters = page.section("clusters")
    assert re.search(r"= canonical \S+kiln.*− dropped exact 1.00 1.00 the same words", clusters)
    assert re.search(r"kiln-edited\S+ = stays near 0\.\d\d 0\.\d\d near copy, kept: two weeks / nine days", clusters)
    assert "The brick kiln at Oster Mill was lit again" in clusters
    assert "Nothing at all is said twice" not in page.all("main")[0].text
    assert re.search(
        r"− removed \d\d words: \S+otter.txt, lines 2–3 = \S+digest.txt, lines 5–6", page.section("passages")
    )
    assert "Write to the editor" in page.section("boilerplate")
    worst = [n.text for n in page.all("a") if "th" in n.path]
    assert any(name.endswith("otter.txt") for name in worst)
    assert "without any repeat" in page.section("documents")


def test_a_document_of_the_index_is_named_with_its_run(tmp_path: Path) -> None:
    path = str(tmp_path / "seen.db")
    from dedup.cli.indexing import add_inputs

    old = tmp_path / "kiln.txt"
    old.write_text(KILN)
    assert add_inputs(Job(Reading(Config()), Engine(1, 0, path, add=True), None, [str(old)])) == 0
    with _batch(tmp_path / "new", {"again.txt": KILN, "other.txt": STAMPS}, Config(), path) as run:
        page = Page("".join(html.render(run)))
    assert re.search(r"kiln.txt in the index, from run 1 of \d{4}-.* bytes go for it", page.section("clusters"))


# ---------------------------------------------------------------- a page opens


def test_the_page_of_the_seed_is_small(pages: dict[str, str]) -> None:
    assert len(pages["seed"].encode()) <= 60_000


def _many(name: str, text: str) -> Run:
    """Ten thousand documents, and as many findings of each kind, all of them as long and as hostile as may be."""
    result, total = _clean(text, source=name), 10_000
    tally = Tally()
    for _ in range(total):
        tally.add(result)
    side = Side((0, 9), (1, 9), (1, 9))
    members = tuple(Member(n, "exact", 1.0, 1.0, 0, name) for n in range(1, 40))
    findings = Findings(
        tuple(Cluster(n, members) for n in range(total)),
        (Passage(1, (0, 9), 0, (0, 9), 40, name * 9, True),) * total,
        (Boilerplate(name * 9, 9, 0, (0, 9), True),) * total,
    )
    return Run(
        Config(), tally.totals(total), lambda _: result,
        [Failure(name, None, name * 9)] * total, [name] * total, findings=findings,
        name=lambda _: name, where=lambda _: (name, 1), side=lambda *_: side,
    )  # fmt: skip


LEDGER = "".join(f"{n} {row} {n * n}\n" * 2 for n, row in enumerate(KILN.splitlines() * 60))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("report.txt", (KILN + OTTER + STAMPS) * 3),
        ('<&"\u202e\x01' * 60, (KILN + OTTER + STAMPS).replace(" ", ' <&"\u202e\x01') * 3),
        ("ledger.txt", LEDGER),
    ],
)
def test_ten_thousand_documents_make_a_page_that_opens_and_counts_the_rest(name: str, text: str) -> None:
    page = "".join(html.render(_many(name, text)))
    assert 100_000 < len(page.encode()) <= 5_000_000
    told = Page(page)
    shown = len(told.all("article"))
    assert told.texts("h2")[-1] == f"Documents in full: {shown} of 9,961"
    assert f"… {9961 - shown:,} more documents not shown" in told.section("documents")
    for part, noun in (("clusters", "cluster"), ("passages", "passage"), ("boilerplate", "line"), ("errors", "error")):
        assert re.search(rf"… [\d,]+ more {noun}s not shown", told.section(part)), part


def test_a_document_full_of_blocks_makes_a_page_that_opens_and_links_only_to_those_it_shows() -> None:
    rows = [f"{KILN.splitlines()[0]} {n} {chr(34) * 1400}\n" for n in range(200)]
    result = _clean("".join(row * 2 for row in rows), Config())
    page = "".join(html.render(_alone(result)))
    assert len(page.encode()) <= 5_000_000
    told = Page(page)
    ids = {n.attributes["id"] for n in told.nodes if "id" in n.attributes}
    shown, blocks = len([id for id in ids if id.startswith("d0b")]), len(result.removed)
    assert 50 < shown < blocks
    assert f"… {blocks - shown} more removed blocks not shown" in told.section("documents")
    assert {n.attributes["href"][1:] for n in told.all("a")} <= ids
