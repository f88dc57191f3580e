"""Print the ids of documents that are near an earlier one, by rensa."""

import json
import sys

from rensa import RMinHash, RMinHashLSH

near = RMinHashLSH(threshold=0.8, num_perm=128, num_bands=16)
sketches = []
with open(sys.argv[1], encoding="utf-8") as stream:
    for number, line in enumerate(stream):
        record = json.loads(line)
        words = record["text"].lower().split()
        sketch = RMinHash(num_perm=128, seed=42)
        sketch.update([" ".join(words[at : at + 5]) for at in range(max(1, len(words) - 4))])
        if any(sketch.jaccard(sketches[other]) >= 0.8 for other in near.query(sketch)):
            print(record["id"])
        near.insert(number, sketch)
        sketches.append(sketch)
