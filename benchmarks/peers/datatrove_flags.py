"""Print the ids of documents that are near another one, by the MinHash blocks of datatrove as they come."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

source = Path(sys.argv[1])
with TemporaryDirectory() as folder:
    reader = JsonlReader(str(source.parent), glob_pattern=source.name)
    signatures, buckets, clusters, removed = (
        f"{folder}/{part}" for part in ("signatures", "buckets", "ids", "removed")
    )
    writer = JsonlWriter(removed, output_filename="all.jsonl", compression=None)
    stages = [
        [reader, MinhashDedupSignature(signatures)],
        [MinhashDedupBuckets(signatures, buckets)],
        [MinhashDedupCluster(buckets, clusters)],
        [reader, MinhashDedupFilter(clusters, exclusion_writer=writer)],
    ]
    for number, stage in enumerate(stages):
        tasks = 14 if number == 1 else 1  # one for each bucket
        LocalPipelineExecutor(stage, tasks=tasks, workers=1, logging_dir=f"{folder}/logs{number}").run()
    with open(f"{removed}/all.jsonl", encoding="utf-8") as stream:
        for line in stream:
            print(json.loads(line)["id"])
