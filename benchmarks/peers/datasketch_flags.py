"""Print the ids of documents that are near an earlier one, by datasketch."""

import json
import sys

from datasketch import MinHash, MinHashLSH

near = MinHashLSH(threshold=0.8, num_perm=128)
sketches = {}
with open(sys.argv[1], encoding="utf-8") as stream:
    for line in stream:
        record = json.loads(line)
        words = record["text"].lower().split()
        sketch = MinHash(num_perm=128)
        sketch.update_batch([" ".join(words[at : at + 5]).encode() for at in range(max(1, len(words) - 4))])
        if any(sketch.jaccard(sketches[other]) >= 0.8 for other in near.query(sketch)):
            print(record["id"])
        near.insert(record["id"], sketch)
        sketches[record["id"]] = sketch
