"""Write the spans of paragraphs seen before, by dolma; last: the room in its filter, and words of an n-gram or 0."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from dolma import deduper

source, target, entries, words = sys.argv[1:]
paragraphs = {"attribute_name": "seen"}
if int(words):
    paragraphs["by_ngram"] = {"ngram_length": int(words), "stride": 1, "overlap_threshold": 0.5}
with TemporaryDirectory() as folder:
    documents = Path(folder, "documents", "batch.jsonl")
    documents.parent.mkdir()
    documents.symlink_to(source)
    deduper(
        {
            "documents": [str(documents)],
            "work_dir": {"input": f"{folder}/in", "output": f"{folder}/out"},
            "dedupe": {"name": "seen", "paragraphs": paragraphs, "skip_empty": True},
            "bloom_filter": {
                "file": f"{folder}/filter",
                "read_only": False,
                "size_in_bytes": 0,
                "estimated_doc_count": int(entries),
                "desired_false_positive_rate": 1e-6,
            },
            "processes": 1,
        }
    )
    shutil.move(f"{folder}/attributes/seen/batch.jsonl", target)
