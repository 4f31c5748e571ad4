"""Draws random texts of a snapshot to be read one by one: python benchmarks/draw_texts.py ROOT SOURCE [NUMBER] [SEED]

Each is judged by hand as true, trivial (it says nothing that the question does not), awkward (wrong or unidiomatic words) or
false. The same arguments draw the same texts.
"""

from __future__ import annotations

import random
import sys

from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader


def main() -> None:
    root, source = sys.argv[1:3]
    number, seed = (int(sys.argv[n]) if len(sys.argv) > n else default for n, default in ((3, 100), (4, 1)))
    texts = [
        instruction
        for split in read_snapshot(root).splits.values()
        for shard in split.shards
        for sample in ShardReader(root, shard)
        if sample.record["source"] == source
        for instruction in sample.record["instructions"]
    ]
    for place, one in enumerate(random.Random(seed).sample(texts, min(number, len(texts))), 1):
        print(f"{place}. {one['id']} {[[round(value) for value in box] for box in one['boxes']][:6]}")
        for turn in one["turns"]:
            print(f"   {turn['role']}: {turn['text']}")


if __name__ == "__main__":
    main()
