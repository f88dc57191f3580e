"""Print what the sentence dedup of datatrove leaves when lines are its sentences and so many in a row are compared."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import SentenceDedupFilter, SentenceDedupSignature, SentenceFindDedups
from datatrove.pipeline.dedup.sentence_dedup import SentDedupConfig
from datatrove.pipeline.readers import JsonlReader

source = Path(sys.argv[1])
# Documents of which little is left are no concern of this job; without that nothing needs a tokenizer.
config = SentDedupConfig(int(sys.argv[2]), split_sentences=False, min_doc_words=0, min_num_sentences=0)
with TemporaryDirectory() as folder:
    reader = JsonlReader(str(source.parent), glob_pattern=source.name)
    signatures, repeats = f"{folder}/signatures", f"{folder}/repeats"
    stages = [
        [reader, SentenceDedupSignature(signatures, config=config)],
        [SentenceFindDedups(signatures, repeats, config=config)],
        [reader, SentenceDedupFilter(repeats, config), lambda data, *_: (print(document.text) for document in data)],
    ]
    for number, stage in enumerate(stages):
        LocalPipelineExecutor(stage, logging_dir=f"{folder}/logs{number}").run()
