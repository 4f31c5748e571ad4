"""What changed between two snapshots, by reason.

One idea: snapshots share the shards that did not change, so only the others are read, and only their records. Why a sample left
is what the later snapshot's own selection says of it, why one came is what the earlier one's said: every snapshot's selection
stays readable as a version of its table. What a selection does not know was not there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rsflow.lake.tables import open_lake
from rsflow.phases.shard.shard import selection_version
from rsflow.schemas.rows import filter_by_values
from rsflow.shards.format import canonical_json
from rsflow.shards.manifest import Manifest, read_snapshot
from rsflow.shards.reader import ShardReader

GONE = "its scene is gone, changed, or cut in another way"
NEW = "new"
SELECTION_LOST = "its selection was not kept"


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


@dataclass(frozen=True, slots=True)
class SnapshotSide:
    """What one of the two snapshots has in shards that the other has not, and the reasons that its selection gives for the
    rest.
    """

    samples: Mapping[str, tuple[str, tuple[str, ...], bytes]]  # tile_id -> (split, instruction ids, canonical record)
    told: Mapping[str, str] | None  # why a subject is out; None where its selection was not kept

    @property
    def instructions(self) -> set[str]:
        return {name for _, names, _ in self.samples.values() for name in names}

    def why(self, subject: str, unknown: str) -> str:
        """Why the subject is out; `unknown` where the selection does not know it."""
        return SELECTION_LOST if self.told is None else self.told.get(subject, unknown)


def diff(root: str, before: int, after: int) -> Diff:
    """Compare two snapshots of a lake. SnapshotError where one is missing or damaged."""
    was, now = _read_sides(root, before, after)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    examples: dict[str, str] = {}

    def note(what: str, reason: str, subject: str) -> None:
        counts[what][reason] += 1
        examples[what] = min(subject, examples.get(what, subject))

    for tile in sorted(was.samples.keys() | now.samples.keys()):
        old, new = was.samples.get(tile), now.samples.get(tile)
        if new is None:
            note("samples removed", now.why(tile, GONE), tile)
        elif old is None:
            note("samples added", f"in split {new[0]}, before: {was.why(tile, NEW)}", tile)
        elif old[0] != new[0]:
            note("samples that changed split", f"{old[0]} to {new[0]}", tile)
        elif old[2] != new[2]:
            note("samples with other content", "instructions" if old[1] != new[1] else "picture or record", tile)
    for name in sorted(was.instructions - now.instructions):
        note("instructions removed", now.why(name, GONE), name)
    for name in sorted(now.instructions - was.instructions):
        note("instructions added", f"task {name.split('#')[-2]}, before: {was.why(name, NEW)}", name)
    return Diff({what: dict(counts[what]) for what in sorted(counts)}, examples)


def _read_sides(root: str, before: int, after: int) -> tuple[SnapshotSide, SnapshotSide]:
    old, new = read_snapshot(root, before), read_snapshot(root, after)
    same = _shard_paths(old) & _shard_paths(new)
    was, now = _read_samples(root, old, same), _read_samples(root, new, same)
    subjects = {*was, *now, *(name for side in (was, now) for _, names, _ in side.values() for name in names)}
    return SnapshotSide(was, _read_reasons(root, before, subjects)), SnapshotSide(now, _read_reasons(root, after, subjects))


def _shard_paths(manifest: Manifest) -> set[str]:
    return {shard.path for split in manifest.splits.values() for shard in split.shards}


def _read_samples(root: str, manifest: Manifest, same: set[str]) -> dict[str, tuple[str, tuple[str, ...], bytes]]:
    """The reasons of a Side for the samples in shards that are not the same."""
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


def _read_reasons(root: str, snapshot: int, subjects: set[str]) -> dict[str, str] | None:
    """Why these are out of a snapshot, of those that its selection knows; None for one of an rsflow that noted no version."""
    lake = open_lake(root)
    version = selection_version(lake, snapshot)
    if version is None:
        return None
    rows = lake.read("selection", ["subject", "selected", "reason"], where={"selected": False}, version=version)
    rows = filter_by_values(rows, "subject", sorted(subjects))
    return dict(zip(rows["subject"].to_pylist(), rows["reason"].to_pylist(), strict=True))
