"""Random instructions on real scenes whose ground is mapped, for a person to read: do they name what is there, and truly?

One idea: the draw follows from the snapshot and a seed, each instruction as likely as any other, at most `--per-scene` of one
scene. Written are `texts.txt`, one numbered instruction after the other, and `sheet-N.png`, where each stands below its picture
with its boxes. A question about a fact that was measured on the picture or on its bands (brightness, texture, backscatter,
index shares) names nothing on the ground; captions and descriptions that would not are not made.

Whether a text is false no program can tell: that is what the sheets are for.

Run it as `rsflow build benchmarks/ground_texts.yaml && python benchmarks/ground_texts.py ROOT --output FOLDER`.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from rsflow.instructions.wording.attributes import PARTS, PHYSICAL_PARTS
from rsflow.report.pictures.contact_sheet import contact_sheet
from rsflow.report.pictures.show import sample_card
from rsflow.shards.format import Sample
from rsflow.shards.manifest import read_snapshot, snapshot_root
from rsflow.shards.reader import ShardReader

SHEET_CARDS = 9
PICTURE_FACTS = {"brightness", "texture", "colour", *PARTS, "low_backscatter_share", *chain(*PHYSICAL_PARTS.values())}


@dataclass(frozen=True)
class Drawn:
    sample: Sample
    instruction: dict[str, Any]

    @property
    def text(self) -> str:
        turns = "\n".join(f"  {turn['role']}: {turn['text']}" for turn in self.instruction["turns"])
        boxes = "".join(f"\n  box {n}: {[round(value, 1) for value in box]}" for n, box in enumerate(self.instruction["boxes"]))
        return f"{self.sample.record['tile_id']} · {self.instruction['task']}\n{turns}{boxes}"


def read_instructions(root: str) -> Iterator[Drawn]:
    for split in read_snapshot(root).splits.values():
        for shard in split.shards:
            for sample in ShardReader(snapshot_root(root), shard):
                yield from (Drawn(sample, instruction) for instruction in sample.record["instructions"])


def draw(found: list[Drawn], count: int, per_scene: int, seed: int) -> list[Drawn]:
    """`count` of them in random order, at most `per_scene` of one scene."""
    ordered = sorted(found, key=lambda one: str(one.instruction["id"]))
    random.Random(seed).shuffle(ordered)
    taken: Counter[str] = Counter()
    chosen: list[Drawn] = []
    for one in ordered:
        scene = one.sample.record["tile_id"].split("/")[0]
        if len(chosen) < count and taken[scene] < per_scene:
            taken[scene] += 1
            chosen.append(one)
    return chosen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--per-scene", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    drawn = draw(list(read_instructions(asked.root)), asked.count, asked.per_scene, asked.seed)
    lines = []
    count = 0
    for number, one in enumerate(drawn, 1):
        names_ground = one.instruction["answer"].get("name") not in PICTURE_FACTS
        count += names_ground
        lines.append(f"[{number}]{'' if names_ground else ' (nothing on the ground)'} {one.text}")
    (asked.output / "texts.txt").write_text("\n\n".join(lines) + "\n")
    for start in range(0, len(drawn), SHEET_CARDS):
        cards = []
        for number, one in enumerate(drawn[start : start + SHEET_CARDS], start + 1):
            only = replace(one.sample, record={**one.sample.record, "instructions": [one.instruction]})
            card = sample_card(only, one.instruction["task"])
            cards.append(replace(card, title=f"[{number}] {card.title}"))
        contact_sheet(cards, columns=3, picture_px=400).save(asked.output / f"sheet-{start // SHEET_CARDS:02}.png")
    print(f"{count} of {len(drawn)} name something on the ground")
    return 0


if __name__ == "__main__":
    sys.exit(main())
