"""The index file of a shard: where each sample's members are, and what loaders filter samples by.

One idea: with the index a loader reads any sample by one range, and knows which samples have which sensor, tasks and source,
without touching the shard. It is one line of canonical JSON by columns, so any language reads it, and it becomes a few arrays
here (about 70 bytes a sample) rather than objects:

    {"format": "rsflow-index", "version": 2,
     "kinds": [["optical", ["captioning", "vqa"], "harbours", 1, ["jpg", "json"]], …],  sensor, tasks, source, repeat, members
     "keys": ["<key>", …],                                                            in key order
     "kind": [<position in kinds>, …],
     "places": [<offset>, <size>, …],                                                 of each member of each sample in turn
     "crc32": [<number>, …]}                                                          of each sample

The CRC-32 (that of zlib) goes over the data of a sample's members, one after the other. An index of an earlier rsflow has no
such column: its samples are read without that check. Offsets are those of the members' data; each header begins 512 bytes
before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt
import orjson

from rsflow.errors import SnapshotError
from rsflow.shards.format import BLOCK, canonical_json

_FORMAT, _VERSION = "rsflow-index", 2

Ints = npt.NDArray[np.int64]


class Member(NamedTuple):
    extension: str
    offset: int
    size: int


class SampleKind(NamedTuple):
    """What samples have in common: `tasks` and `extensions` (of the members) are sorted. `repeat`: how often the selection
    wants them shown per epoch."""

    sensor: str
    tasks: tuple[str, ...]
    source: str
    repeat: int
    extensions: tuple[str, ...]


class IndexedSample(NamedTuple):
    key: str
    sensor: str
    tasks: tuple[str, ...]
    source: str
    repeat: int
    members: tuple[Member, ...]
    crc32: int | None = None

    @property
    def span(self) -> tuple[int, int]:
        """The sample's bytes in the shard, [start, stop): from its first header to the end of its last member's data."""
        last = self.members[-1]
        return self.members[0].offset - BLOCK, last.offset + last.size


@dataclass(frozen=True, eq=False)
class Index(Sequence[IndexedSample]):
    """The samples of a shard in key order. Sample i is of `kinds[kind[i]]`; its members' offsets and sizes are the columns of
    `places` (2, members) from `start[i]` on. `crc32`: of each sample, None where the index was written without."""

    kinds: tuple[SampleKind, ...]
    keys: npt.NDArray[np.bytes_]
    kind: Ints
    start: Ints
    places: Ints
    crc32: Ints | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, i: int) -> IndexedSample: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[IndexedSample, ...]: ...
    def __getitem__(self, i: int | slice) -> IndexedSample | tuple[IndexedSample, ...]:
        if isinstance(i, slice):
            return tuple(self[one] for one in range(*i.indices(len(self))))
        sensor, tasks, source, repeat, extensions = self.kinds[self.kind[i]]
        offsets, sizes = self.member_places(i)
        members = tuple(map(Member, extensions, offsets, sizes))
        crc = None if self.crc32 is None else int(self.crc32[i])
        return IndexedSample(self.keys[i].decode(), sensor, tasks, source, repeat, members, crc)

    def member_places(self, i: int) -> tuple[list[int], list[int]]:
        """The offsets and the sizes of the members of sample `i`."""
        first = self.start[i]
        offsets, sizes = self.places[:, first : first + len(self.kinds[self.kind[i]].extensions)].tolist()
        return offsets, sizes

    def span(self, i: int) -> tuple[int, int]:
        """That of sample `i`, see IndexedSample.span."""
        offsets, sizes = self.member_places(i)
        return offsets[0] - BLOCK, offsets[-1] + sizes[-1]

    def __iter__(self) -> Iterator[IndexedSample]:
        return (self[i] for i in range(len(self)))

    def positions_of_kinds(self, kinds: Sequence[int], repeated: bool = False) -> Ints:
        """The positions of the samples of these kinds, rising; `repeated`: each as often as it is to be shown per epoch."""
        found = np.flatnonzero(np.isin(self.kind, np.array(kinds, dtype=np.int64)))
        if not repeated:
            return found
        repeats = np.array([kind.repeat for kind in self.kinds], dtype=np.int64)
        return np.repeat(found, repeats[self.kind[found]])


def encode_index(samples: Sequence[IndexedSample]) -> bytes:
    """The index file of a shard's samples. All have a CRC-32, or none."""
    of_each = [SampleKind(*one[1:5], tuple(member.extension for member in one.members)) for one in samples]
    kinds = sorted(set(of_each))
    number = {kind: i for i, kind in enumerate(kinds)}
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "kinds": kinds,
        "keys": [one.key for one in samples],
        "kind": [number[kind] for kind in of_each],
        "places": [value for one in samples for member in one.members for value in (member.offset, member.size)],
    }
    crcs = [one.crc32 for one in samples if one.crc32 is not None]
    return canonical_json(content | {"crc32": crcs} if len(crcs) == len(samples) else content)


def parse_index(data: bytes, place: str) -> Index:
    """The inverse of `index_bytes`. SnapshotError, naming `place`, where it is none or of another version."""
    try:
        content = orjson.loads(data)
        if content["format"] != _FORMAT or content["version"] != _VERSION:
            raise SnapshotError(
                f"{place}: format {content['format']} {content['version']}, expected {_FORMAT} {_VERSION}: build again"
            )
        return _index(content)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise SnapshotError(f"{place}: is not a shard index ({error}); restore it or build again") from error


def _index(content: dict[str, Any]) -> Index:
    kinds = tuple(
        SampleKind(sensor, tuple(tasks), source, repeat, tuple(names))
        for sensor, tasks, source, repeat, names in content["kinds"]
    )
    keys = np.array(content["keys"], dtype=np.bytes_)
    kind, places = (np.array(content[name], dtype=np.int64) for name in ("kind", "places"))
    if kind.shape != keys.shape or (kind < 0).any() or not all(one.extensions and one.repeat >= 1 for one in kinds):
        raise ValueError(
            f"{len(keys)} keys and {len(kind)} numbers of kinds, or a kind without members or shown less than once"
        )
    sizes = np.array([len(one.extensions) for one in kinds], dtype=np.int64)[kind]
    if len(places) != 2 * sizes.sum():
        raise ValueError(f"{len(places)} offsets and sizes of {sizes.sum()} members")
    crc32 = np.array(content["crc32"], dtype=np.int64) if "crc32" in content else None
    if crc32 is not None and crc32.shape != keys.shape:
        raise ValueError(f"{len(crc32)} checksums of {len(keys)} samples")
    return Index(kinds, keys, kind, np.cumsum(sizes) - sizes, places.reshape(-1, 2).T.copy(), crc32)
