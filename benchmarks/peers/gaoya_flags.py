"""Print the ids of documents that are near an earlier one, by gaoya."""

import json
import sys

from gaoya.minhash import MinHashStringIndex

near = MinHashStringIndex(
    hash_size=32, jaccard_threshold=0.8, num_bands=42, band_size=3, analyzer="word", lowercase=True, ngram_range=(5, 5)
)
with open(sys.argv[1], encoding="utf-8") as stream:
    for number, line in enumerate(stream):
        record = json.loads(line)
        if near.query(record["text"]):
            print(record["id"])
        near.insert_document(number, record["text"])
