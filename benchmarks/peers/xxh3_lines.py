"""Print each line once: xxh3 of every line, and a set."""

import sys

from xxhash import xxh3_64_intdigest

seen = set()
with open(sys.argv[1], "rb") as stream:
    for line in stream:
        key = xxh3_64_intdigest(line)
        if key not in seen:
            seen.add(key)
            sys.stdout.buffer.write(line)
