"""A changed bit anywhere in a snapshot gives the loop the same pictures and words, or an error that names the file."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from rsflow.errors import SnapshotError, StorageError
from rsflow.loading.loader import Loader
from rsflow.loading.reading.sample_reader import ReadOptions
from rsflow.loading.stream import stream
from rsflow.shards.manifest import Manifest, ShardEntry, read_snapshot, write_snapshot

FLIPS = 120


def content(root: Path, **options: Any) -> dict[str, bytes]:
    """What a loop gets of each sample, by key."""
    loader = Loader(stream(root, batch_size=8, decode=False, **options))
    found = {}
    for batch in loader:
        for i, key in enumerate(batch["key"]):
            example = {name: column[i] for name, column in batch.items() if name != "image"}
            found[key] = orjson.dumps(example, option=orjson.OPT_SERIALIZE_NUMPY) + batch["image"][i]
    return found


def content_or_error(root: Path) -> tuple[dict[str, bytes] | None, str]:
    try:
        return content(root), ""
    except (SnapshotError, StorageError) as error:
        return None, str(error)


def flip(place: Path, draw: random.Random) -> bytes:
    """Change one bit of the file; returns what it held."""
    data = place.read_bytes()
    changed, at = bytearray(data), draw.randrange(8 * len(data))
    changed[at // 8] ^= 1 << at % 8
    place.write_bytes(changed)
    return data


@pytest.mark.parametrize("checksums", [True, False])
def test_no_flipped_bit_changes_what_a_loop_gets(lake: Any, tmp_path: Path, checksums: bool) -> None:
    root = shutil.copytree(lake.root, tmp_path / "lake")
    if not checksums:
        as_an_earlier_rsflow_wrote_it(root)
    number = (root / "snapshots/LATEST").read_text().split()[0]
    files = [*(root / "shards/train").iterdir(), root / f"snapshots/{number}.json"]
    whole, draw = content(root), random.Random(9)
    named = 0
    for _ in range(FLIPS):
        place = draw.choice(files)
        held = flip(place, draw)
        found, error = content_or_error(root)
        place.write_bytes(held)
        assert found == whole or place.name in error
        named += bool(error)
    assert named > FLIPS // 2
    assert content(root) == whole


def test_what_is_skipped_is_counted_and_the_rest_is_as_it_was(lake: Any, tmp_path: Path) -> None:
    root = shutil.copytree(lake.root, tmp_path / "lake")
    whole, draw = content(root), random.Random(4)
    for place in sorted((root / "shards/train").glob("*.tar"))[:4]:
        for _ in range(3):
            flip(place, draw)
    dataset = stream(root, decode=False, read_options=ReadOptions(on_damage="skip"))
    found = list(dataset)
    skipped = dataset.stats()["skipped"]
    assert skipped > 0
    assert len(found) == len(whole)
    assert len({one["key"] for one in found}) >= len(whole) - skipped
    kept = content(root, read_options=ReadOptions(on_damage="skip"))
    assert {key: whole[key] for key in kept} == kept


def as_an_earlier_rsflow_wrote_it(root: Path) -> None:
    """Take the checksums out of every index, and say so in the manifest."""
    manifest = read_snapshot(str(root))

    def without(shard: ShardEntry) -> ShardEntry:
        place = root / shard.index_path
        index = json.loads(place.read_bytes())
        del index["crc32"]
        data = json.dumps(index).encode()
        place.write_bytes(data)
        return replace(shard, index_bytes=len(data), index_sha256=sha256(data).hexdigest())

    splits = {
        name: replace(split, shards=tuple(without(shard) for shard in split.shards)) for name, split in manifest.splits.items()
    }
    write_snapshot(str(root), Manifest(manifest.config_fingerprint, manifest.seed, splits))
