"""What changed between two snapshots, by reason.

One idea: snapshots share the shards that did not change, so only the others are read, and only their records. Why a sample
came or went is what the selection says of it now; one that the selection no longer knows left with its scene.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from rsflow.lake.tables import of_values, open_lake
from rsflow.shards.format import canonical_json
from rsflow.shards.manifest import Manifest, read_snapshot
from rsflow.shards.reader import ShardReader

GONE = "its scene is gone, changed, or cut in another way"


@dataclass(frozen=True, slots=True)
class Diff:
    """Samples and instructions that came, went, changed split or changed in content, with counts by reason."""

    counts: Mapping[str, Mapping[str, int]]  # "samples added" … -> reason -> number
    examples: Mapping[str, str]

    def text(self) -> str:
        lines = []
        for what, reasons in self.counts.items():
            lines.append(f"{what}: {sum(reasons.values()):,}" + (f" (for example {self.examples[what]})" if reasons else ""))
            lines += [
                f"  {count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
            ]
        return "\n".join(lines)


def diff(root: str, before: int, after: int) -> Diff:
    """Compare two snapshots of a lake. SnapshotError where one is missing or damaged."""
    old, new = read_snapshot(root, before), read_snapshot(root, after)
    same = _paths(old) & _paths(new)
    was, now = _samples(root, old, same), _samples(root, new, same)
    reasons = _reasons(root, {*was, *(name for _, names, _ in was.values() for name in names)})
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    examples: dict[str, str] = {}

    def note(what: str, reason: str, subject: str) -> None:
        counts[what][reason] += 1
        examples[what] = min(subject, examples.get(what, subject))

    for tile in sorted(was.keys() | now.keys()):
        if tile not in now:
            note("samples removed", reasons.get(tile, GONE), tile)
        elif tile not in was:
            note("samples added", f"in split {now[tile][0]}", tile)
        elif was[tile][0] != now[tile][0]:
            note("samples that changed split", f"{was[tile][0]} to {now[tile][0]}", tile)
        elif was[tile][2] != now[tile][2]:
            note("samples with other content or instructions", "same tile and split", tile)
    had = {name for _, names, _ in was.values() for name in names}
    has = {name for _, names, _ in now.values() for name in names}
    for name in sorted(had - has):
        note("instructions removed", reasons.get(name, GONE), name)
    for name in sorted(has - had):
        note("instructions added", f"task {name.split('#')[-2]}", name)
    return Diff({what: dict(counts[what]) for what in sorted(counts)}, examples)


def _paths(manifest: Manifest) -> set[str]:
    return {shard.path for split in manifest.splits.values() for shard in split.shards}


def _samples(root: str, manifest: Manifest, same: set[str]) -> dict[str, tuple[str, tuple[str, ...], bytes]]:
    """tile_id -> (split, instruction ids, canonical record) of the samples in shards that are not the same."""
    found = {}
    for name, split in manifest.splits.items():
        for shard in split.shards:
            if shard.path not in same:
                for sample in ShardReader(root, shard):
                    record: dict[str, Any] = sample.record
                    ids = tuple(row["id"] for row in record["instructions"])
                    content = canonical_json({key: value for key, value in record.items() if key != "split"})
                    found[record["tile_id"]] = (name, ids, content)
    return found


def _reasons(root: str, subjects: set[str]) -> dict[str, str]:
    """Why these are out, of those that the selection knows."""
    rows = open_lake(root).read("selection", ["subject", "selected", "reason"])
    rows = of_values(rows.filter(pc.invert(rows["selected"])), "subject", sorted(subjects))
    return dict(zip(rows["subject"].to_pylist(), rows["reason"].to_pylist(), strict=True))
