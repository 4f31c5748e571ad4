"""The index beside a shard: where each sample's members are, and by what a loader may choose it.

One idea: with the index a loader reads any sample by one range, and knows which samples have which sensor and tasks, without
touching the shard. It is one line of canonical JSON (100,000 samples load in a fraction of a second), so any language reads it:

    {"format": "rsflow-index", "version": 1,
     "kinds": [["optical", ["captioning", "vqa"]], …],                  sorted
     "samples": [["<key>", <kind>, [["jpg", <offset>, <size>], ["json", <offset>, <size>]]], …]}     in key order

Offsets are those of the members' data; each header stands 512 bytes before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from rsflow.errors import SnapshotError
from rsflow.shards.format import BLOCK, canonical_json

_FORMAT, _VERSION = "rsflow-index", 1


class Member(NamedTuple):
    extension: str
    offset: int
    size: int


class IndexedSample(NamedTuple):
    key: str
    sensor: str
    tasks: tuple[str, ...]
    members: tuple[Member, ...]

    @property
    def span(self) -> tuple[int, int]:
        """The sample's bytes in the shard, [start, stop): from its first header to the end of its last member's data."""
        last = self.members[-1]
        return self.members[0].offset - BLOCK, last.offset + last.size


def index_bytes(samples: Sequence[IndexedSample]) -> bytes:
    """The index file of a shard's samples."""
    kinds = sorted({(sample.sensor, sample.tasks) for sample in samples})
    number = {kind: i for i, kind in enumerate(kinds)}
    rows = [(sample.key, number[sample.sensor, sample.tasks], sample.members) for sample in samples]
    return canonical_json({"format": _FORMAT, "version": _VERSION, "kinds": kinds, "samples": rows})


def parse_index(data: bytes, place: str) -> tuple[IndexedSample, ...]:
    """The inverse of `index_bytes`. SnapshotError, naming `place`, where it is none or of a newer version."""
    try:
        content = json.loads(data)
        if content["format"] != _FORMAT or content["version"] != _VERSION:
            raise SnapshotError(f"{place}: format {content['format']} {content['version']}, expected {_FORMAT} {_VERSION}")
        kinds = [(sensor, tuple(tasks)) for sensor, tasks in content["kinds"]]
        return tuple(
            IndexedSample(key, kinds[kind][0], kinds[kind][1], tuple(Member(*member) for member in members))
            for key, kind, members in content["samples"]
        )
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise SnapshotError(f"{place}: is not a shard index ({error}); restore it or build again") from error
