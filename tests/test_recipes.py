"""RECIPES.md tells the truth: each block of Python in it runs as it stands, with the library that it is for.

    ```python          ->   exec, in a folder of its own   ->   cleaned texts, dropped documents, an exact undo
    result = ...
    ```

datasets and Scrapy run in processes of their own: the one is set up by its environment, the other runs its loop once.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import dedup
from tests.run import CANONICAL, ROOT, SEED

TEXT = (ROOT / "RECIPES.md").read_text(encoding="utf-8")
BLOCKS = {
    title: re.findall(r"^```python\n(.*?)^```", part, re.M | re.S)
    for title, part in re.findall(r"^#{1,2} (.*?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
}
LEAD = "The council voted on Tuesday to keep the old library open for another five years at least."
REST = "Nobody in the café had expected it, least of all the staff, who had packed their boxes in the rain."
TWICE = f"Library saved\n{LEAD}\nNobody in the cafÃ© had expected it\u200b.\n{LEAD}\n"
ONCE = f"Library saved\n{LEAD}\nNobody in the café had expected it.\n"
SAME = f"Library saved\n\n{LEAD.upper()}\n\nNobody in the café had expected it.\n"
OTHER = f"Weather\n{REST}\r\n"
PAGES = [
    {"url": "a", "text": TWICE},
    {"url": "b", "text": None},
    {"url": "c", "text": SAME},
    {"url": "d", "text": OTHER},
    {"url": "e", "text": ""},
    {"url": "f", "text": None},
]
CLEANED = [ONCE, None, SAME, OTHER, "", None]
REPEATS = [None, None, "a", None, None, None]
RESTORED = [TWICE, OTHER, ""]  # of the pages that stay and have a text


def run(*blocks: str, **given: Any) -> dict[str, Any]:
    """Return the names that the blocks define, given those that they start from."""
    names = given
    for block in blocks:
        exec(compile(block, "RECIPES.md", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, where `dedup` can be called by its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.fspath(Path(sys.executable).parent), prepend=os.pathsep)
    return tmp_path


def child(script: Path, *arguments: str, **env: str) -> str:
    """Return what a Python script prints. Warnings are errors there too."""
    # Python 3.12 and newer warn where a process with threads forks, which the workers of datasets do.
    warnings = ["-Werror", "-Wignore:This process:DeprecationWarning"]
    command = [sys.executable, *warnings, os.fspath(script), *arguments]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.fspath, (script.parent, ROOT))), **env}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=env, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---------------------------------------------------------------- tables


COMMON = BLOCKS["Recipes"][0]


@pytest.mark.parametrize("index", [None, [1, 1, 2, 2, 2, 0]], ids=["numbered", "labels that repeat"])
def test_pandas_cleans_a_column_drops_repeats_and_undoes(index: list[int] | None) -> None:
    pandas = import_module("pandas")
    names = run(COMMON, *BLOCKS["pandas"], frame=pandas.DataFrame(PAGES, index=index))
    frame, kept = names["frame"], names["kept"]
    assert [text if isinstance(text, str) else None for text in frame["text"]] == CLEANED
    assert [name if isinstance(name, str) else None for name in frame["repeats"]] == REPEATS
    assert kept["url"].to_list() == ["a", "b", "d", "e", "f"]
    assert names["raw"] == RESTORED


@pytest.mark.parametrize("pages", [PAGES[:0], PAGES[1:2]], ids=["no rows", "no texts"])
def test_pandas_takes_a_frame_with_nothing_to_clean(pages: list[dict[str, Any]]) -> None:
    pandas = import_module("pandas")
    names = run(COMMON, *BLOCKS["pandas"], frame=pandas.DataFrame(pages, columns=["url", "text"]))
    assert (len(names["kept"]), names["raw"]) == (len(pages), [])


def test_polars_streams_a_file_drops_repeats_and_undoes(desk: Path) -> None:
    (desk / "pages.jsonl").write_text("".join(json.dumps(page) + "\n" for page in PAGES))
    names = run(COMMON, *BLOCKS["Polars"])
    frame = names["frame"].with_columns(names["repeats"])
    assert frame["text"].to_list() == CLEANED
    assert frame["repeats"].to_list() == REPEATS
    assert names["kept"]["url"].to_list() == ["a", "b", "d", "e", "f"]
    assert names["raw"]["text"].to_list() == RESTORED


def test_polars_calls_the_function_once_for_each_text(desk: Path) -> None:
    (desk / "pages.jsonl").write_text("".join(json.dumps(page) + "\n" for page in PAGES))
    seen: list[str] = []
    counted = "_cleaned = cleaned\ndef cleaned(text):\n    seen.append(text)\n    return _cleaned(text)\n"
    run(COMMON, counted, *BLOCKS["Polars"], seen=seen)
    assert sorted(seen) == sorted([TWICE, SAME, OTHER, ""])


def test_near_copies_go_when_the_configuration_asks_and_a_witness_always_stays() -> None:
    article = CANONICAL.read_text(encoding="utf-8")
    edited = [article.replace("offer", new) for new in ("proposal", "gift")]
    names = run(COMMON)
    texts = [LEAD, edited[0], article, edited[1], article, LEAD]
    assert names["witnesses"](range(6), texts) == [None, None, None, None, "2", "0"]
    found = names["witnesses"](range(6), texts, dedup.Config(similarity=0.9))
    assert found.count(None) == 2
    assert {found[int(name)] for name in found if name} == {None}


def test_text_with_nul_or_half_characters_is_cleaned_and_restored() -> None:
    names = run(COMMON)
    for text in ("a\0b", "half \ud83d of a pair", "\ufeffmarked", f"{LEAD}\r{LEAD}\0\r\n"):
        assert names["restored"](names["cleaned"](text)) == text


def test_threads_may_share_everything() -> None:
    names, raw = run(COMMON), SEED.read_text(encoding="utf-8")
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(names["cleaned"], [raw, TWICE] * 6))
        found = list(pool.map(names["witnesses"], ["ab"] * 4, [[raw, raw]] * 4))
    assert rows == [names["cleaned"](raw), names["cleaned"](TWICE)] * 6
    assert found == [[None, "a"]] * 4


# ---------------------------------------------------------------- datasets


DATASETS = """
import json, os, sys
from datasets import Dataset, disable_progress_bars
from datasets.fingerprint import Hasher

disable_progress_bars()
pages, runs = json.loads(sys.argv[1]), []
if __name__ == "__main__":
    blocks = json.loads(sys.argv[2])
    for config in ("", "CONFIG = Config(min_words=9)", ""):
        names = {"dataset": Dataset.from_list(pages), "__name__": "__main__"}
        for block in (blocks[0], config, *blocks[1:]):
            exec(block, names)
        dataset, kept = names["dataset"], names["kept"]
        prints = [Hasher.hash(names[name]) for name in ("cleaned_rows", "settings")]
        runs.append([dataset.to_list(), kept["url"][:], names["raw"], prints, kept._fingerprint])
    print(json.dumps(runs))
"""


def test_datasets_maps_in_processes_drops_repeats_and_undoes(desk: Path) -> None:
    script = desk / "recipe.py"
    script.write_text(DATASETS)
    blocks = json.dumps([COMMON, *BLOCKS["Hugging Face datasets"]])
    offline = {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": os.fspath(desk / "home")}
    first, second = (
        json.loads(child(script, json.dumps(PAGES), blocks, **offline, PYTHONHASHSEED=seed)) for seed in ("1", "2")
    )
    rows, kept, raw, prints, whole = first[0]
    assert [row["text"] for row in rows] == CLEANED
    assert [row["repeats"] for row in rows] == REPEATS
    assert (kept, raw) == (["a", "b", "d", "e", "f"], RESTORED)
    assert [prints, whole] == first[2][3:] == second[0][3:], "another run, another fingerprint"
    assert whole != first[1][4], "another configuration, the same fingerprint"


# ---------------------------------------------------------------- Scrapy


SPIDER = """
import dataclasses, json, sys
from pathlib import Path
import scrapy
from scrapy.crawler import CrawlerProcess
from myproject import settings

@dataclasses.dataclass
class Page:
    url: str
    body: str | None
    manifest: str = ""

class Record(scrapy.Item):
    url, body, manifest = scrapy.Field(), scrapy.Field(), scrapy.Field()

class Pages(scrapy.Spider):
    name = "pages"
    start_urls = json.loads(sys.argv[1])
    custom_settings = {"CONCURRENT_REQUESTS": 1, "TELNETCONSOLE_ENABLED": False, "LOG_LEVEL": "WARNING"}

    def parse(self, response):
        name = Path(response.url).name
        body = Path(response.url.removeprefix("file://")).read_bytes().decode()
        kind = {"b": Page, "c": Record}.get(name[0], dict)
        yield kind(url=name, body=body)

own = {key: value for key, value in vars(settings).items() if key.isupper()}
feeds = {"FEEDS": {"feed.jsonl": {"format": "jsonlines"}}}
process = CrawlerProcess({**own, **feeds, **json.loads(sys.argv[2])})
crawler = process.create_crawler(Pages)
process.crawl(crawler)
process.start()
found = {key: value for key, value in crawler.stats.get_stats().items() if key.startswith(("dedup/", "item_", "log_"))}
print(json.dumps(found))
"""
IN_A_THREAD = [
    ("import hashlib", "import asyncio, hashlib"),
    ("def process_item", "async def process_item"),
    ("dedup.clean(text,", "await asyncio.to_thread(dedup.clean, text,"),
]


def crawl(desk: Path, pages: dict[str, str], pipeline: str, **settings: Any) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the feed of a crawl of these pages, by URL, and what Scrapy counted."""
    (desk / "myproject").mkdir()
    (desk / "myproject" / "__init__.py").touch()
    (desk / "myproject" / "pipelines.py").write_text(pipeline)
    (desk / "myproject" / "settings.py").write_text(BLOCKS["Scrapy"][1])
    (desk / "crawl.py").write_text(SPIDER)
    for name, text in pages.items():
        (desk / name).write_bytes(text.encode())
    urls = json.dumps([(desk / name).as_uri() for name in pages])
    stats = json.loads(child(desk / "crawl.py", urls, json.dumps(settings)))
    lines = (desk / "feed.jsonl").read_text().splitlines()
    return {row["url"]: row for row in map(json.loads, lines)}, stats


SITE = {"a.txt": TWICE, "b.txt": f"Weather\n{LEAD}\n{LEAD}\n", "c.txt": OTHER, "d.txt": " \n", "e.txt": ""}


@pytest.mark.parametrize("thread", [False, True], ids=["as it stands", "in a thread"])
def test_scrapy_cleans_items_of_each_kind_and_drops_what_it_saw(desk: Path, thread: bool) -> None:
    pipeline = BLOCKS["Scrapy"][0]
    for old, new in IN_A_THREAD if thread else []:
        assert pipeline.count(old) == 1
        pipeline = pipeline.replace(old, new)
    again = ONCE.replace("\n", "\r\n\r\n")
    site = {**SITE, "f.txt": again}
    feed, stats = crawl(desk, site, pipeline)
    [gone] = site.keys() - feed.keys()
    assert gone in ("a.txt", "f.txt"), "the one that came second"
    clean = {**site, "a.txt": ONCE, "b.txt": f"Weather\n{LEAD}\n"}
    assert {name: row["body"] for name, row in feed.items()} == {n: t for n, t in clean.items() if n != gone}
    less = sum(len(site[n].encode()) - len(clean[n].encode()) for n in feed)
    assert {key: value for key, value in stats.items() if "reason" not in key} == {
        "dedup/kept": 3,
        "dedup/dropped": 1,
        "dedup/bytes_saved": less,
        "item_scraped_count": 5,
        "item_dropped_count": 1,
        "log_count/WARNING": 1,  # of the item that was dropped
    }
    restored = run(COMMON)["restored"]
    for name in feed.keys() & {"a.txt", "b.txt", "c.txt", "f.txt"}:
        assert restored({"text": feed[name]["body"], "manifest": feed[name]["manifest"]}) == site[name]


def test_scrapy_leaves_the_manifest_out_when_told(desk: Path) -> None:
    feed, _ = crawl(desk, {"a.txt": TWICE}, BLOCKS["Scrapy"][0], DEDUP_MANIFEST_FIELD="")
    assert feed == {"a.txt": {"url": "a.txt", "body": ONCE}}


@pytest.mark.parametrize("config", [{"fix": ["typo"]}, {"similarity": 2}, {"similarty": 0.9}], ids=str)
def test_the_scrapy_pipeline_refuses_a_wrong_setting_at_once(config: dict[str, Any]) -> None:
    pipeline = run(BLOCKS["Scrapy"][0])["DedupPipeline"]
    settings = import_module("scrapy.settings").Settings({"DEDUP_CONFIG": config})
    with pytest.raises((dedup.UsageError, TypeError)):
        pipeline(settings, None)


# ---------------------------------------------------------------- other languages


def test_a_pipe_cleans_drops_and_undoes() -> None:
    records = [{"id": n, "text": text} for n, text in enumerate((TWICE, SAME.replace("\u200b", ""), OTHER))]
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    raw = SEED.read_bytes()
    names = run(*BLOCKS["Any language: a pipe"], raw=raw, lines=lines)
    assert names["clean"] == dedup.clean(raw).clean
    assert [json.loads(line)["id"] for line in names["kept"].splitlines()] == [0, 2]
    assert names["back"] == lines
    with pytest.raises(subprocess.CalledProcessError):
        names["piped"](b"a\0b")


def test_the_recipes_are_short_and_every_block_is_run() -> None:
    assert TEXT.count("\n") <= 160
    counts = {
        "Recipes": 1,
        "pandas": 1,
        "Polars": 1,
        "Hugging Face datasets": 1,
        "Scrapy": 2,
        "Any language: a pipe": 1,
    }
    assert {title: len(blocks) for title, blocks in BLOCKS.items()} == counts
