"""Leak checks: of a build's own splits, where a leak stops it, and between any two sets, as a report.

Two sets are compared as a held-out benchmark is (`rsflow.curation.duplicates.pictures.picture_fingerprints`): which pictures
of TEST would be dropped if TRAIN were the benchmark. A set is a folder of pictures or GeoTIFFs, a fingerprint file, or a split
of a lake's latest snapshot, written ROOT@SPLIT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from rsflow.config.select_settings import Select
from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.pictures.fingerprint_parts import PART
from rsflow.curation.duplicates.pictures.image_signature import Picture
from rsflow.curation.duplicates.pictures.picture_fingerprints import FINGERPRINTS, fingerprint_picture, match_fingerprints
from rsflow.curation.splits.leakage import Leak, find_leaks, find_near_duplicate_leaks
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner
from rsflow.errors import RsflowError, UsageError
from rsflow.files import storage
from rsflow.lake.tables import Lake
from rsflow.phases.select.confirm_duplicates import confirm_tile_pairs
from rsflow.phases.select.held_out import Fingerprints, confirm_fingerprints, fingerprint_place
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.tiles.encode import decode

BITS, MAE = 6, 3.0  # as `select` finds near duplicates by default
_WHOLE = {field.name: field.type for field in PART if field.name not in ("left", "top")}  # a picture's keypoints, as of tiles


def check_leaks(
    lake: Lake, tiles: pa.Table, settings: Select, held_out_matches: pa.Array | None = None, runner: TaskRunner = LOCAL_RUNNER
) -> None:
    """RsflowError, naming an example of each kind, where tiles of two splits share a picture, also nearly, or ground, or are
    too near, or where one is still there that matches what is held out (`held_out_matches`, see
    rsflow.phases.select.held_out)."""
    found = find_leaks(tiles, settings.buffer_m)
    compared = tiles if settings.flips else tiles.drop_columns("signatures")
    found += find_near_duplicate_leaks(
        compared, settings.near_bits, confirm_tile_pairs(lake, tiles, settings.confirm_mae, runner), runner
    )
    if held_out_matches is not None and held_out_matches.null_count < len(held_out_matches):
        rows = pa.compute.indices_nonzero(held_out_matches.is_valid())
        first = int(rows[0].as_py())
        found.append(Leak("held out", len(rows), tiles["tile_id"][first].as_py(), held_out_matches[first].as_py()))
    if found:
        text = "\n".join(f"  {leak.what}: {leak.count} tiles, for example {leak.one} and {leak.other}" for leak in found)
        raise RsflowError(
            f"{lake.root}: the splits leak, so no snapshot was written:\n{text}\n"
            "This is a fault of the selection: run `rsflow select` again, and report it if it stays"
        )


@dataclass(frozen=True, slots=True)
class SetLeak:
    """What of a test set is also in a train set: pictures by the test that shows it, and some of their names."""

    train: int
    test: int
    by_test: dict[str, int]
    examples: tuple[tuple[str, str], ...]  # (test, name in the test set)

    def text(self) -> str:
        shared = sum(self.by_test.values())
        lines = [
            f"{shared:,} of {self.test:,} test pictures ({shared / self.test:.1%}) are also in train ({self.train:,} pictures)"
        ]
        lines += [f"  {test:<8} {count:,}" for test, count in self.by_test.items()]
        return "\n".join([*lines, *(f"  {test}: {name}" for test, name in self.examples)])


def compare_sets(train: str, test: str, most_examples: int = 20) -> SetLeak:
    """How much of `test` is in `train`, each picture by the first of: exact, flipped, near, ground, part."""
    known, test_set = _read_set(train), _read_set(test)
    confirm = confirm_fingerprints(test_set.pictures, MAE, known)
    found = match_fingerprints(_upright_columns(test_set.rows), known.rows, BITS, 0.0, *confirm).to_pylist()
    hits = [(why, name) for why, name in zip(found, test_set.rows["name"].to_pylist(), strict=True) if why != "kept"]
    counts = Counter(why for why, _ in hits)
    order = {why: counts[why] for why in ("exact", "flipped", "near", "ground", "part") if counts[why]}
    return SetLeak(known.rows.num_rows, len(found), order, tuple(sorted(hits)[:most_examples]))


def _upright_columns(prints: pa.Table) -> pa.Table:
    """Fingerprints as columns of tiles: of all orientations the first."""
    firsts = {
        column: pa.array([values[0] if values else None for values in prints[name].to_pylist()], kind)
        for column, name, kind in (("pixels_sha256", "pixels_sha256", pa.string()), ("signature", "signatures", pa.int64()))
    }
    wholes = [parts[0] if parts else {} for parts in prints["parts"].to_pylist()]
    columns = {name: pa.array([whole.get(name) for whole in wholes], kind) for name, kind in _WHOLE.items()}
    return pa.table({"picture_sha256": prints["picture_sha256"], "footprint": prints["footprint"], **firsts, **columns})


def _read_set(place: str) -> Fingerprints:
    root, at, split = place.rpartition("@")
    if at and storage.exists(storage.join(root, "snapshots/LATEST")):
        return _fingerprint_snapshot(root, split)
    if storage.exists(storage.join(place, "snapshots/LATEST")):
        raise UsageError(
            f"{place}: is a lake: say which of its splits, {' or '.join(f'{place}@{s}' for s in _list_splits(place))}"
        )
    return fingerprint_place(place)


def _list_splits(root: str) -> list[str]:
    return sorted(read_snapshot(root).splits)


def _fingerprint_snapshot(root: str, split: str) -> Fingerprints:
    if split not in _list_splits(root):
        raise UsageError(f"{root}: has no split {split!r}: it has {', '.join(_list_splits(root))}")
    readers = [ShardReader(root, shard) for shard in read_snapshot(root).splits[split].shards]
    where = [(reader, i) for reader in readers for i in range(len(reader))]
    rows = [_fingerprint_sample(reader.read(i).record, decode(reader.read(i).picture)) for reader, i in where]

    def pictures(test_set: Indices) -> Iterator[Picture]:
        return (decode(where[row][0].read(where[row][1]).picture) for row in test_set)

    return Fingerprints(pa.Table.from_pylist(rows, schema=FINGERPRINTS), pictures)


def _fingerprint_sample(record: dict[str, Any], picture: Picture) -> dict[str, Any]:
    own = {"name": record["tile_id"], "picture_sha256": record["picture_sha256"], "footprint": record["footprint"]}
    return {**own, **fingerprint_picture(picture)}
