"""What a lake names of itself is no link out of it; a whole folder on another disk is fine."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.errors import DataError, SnapshotError
from rsflow.files.data_paths import check_link
from rsflow.shards.manifest import Manifest, ShardEntry, Split, read_snapshot, write_snapshot


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "private.tar").write_bytes(b"x")
    (tmp_path / "lake/shards/train").mkdir(parents=True)
    return tmp_path / "lake"


def test_links_within_a_folder_pass_and_others_do_not(lake: Path) -> None:
    file = lake / "shards/train/a.tar"
    file.write_bytes(b"x")
    (lake / "shards/train/b.tar").symlink_to(file)
    (lake / "shards/train/c.tar").symlink_to("../../../private.tar")
    (lake / "shards/val").symlink_to(lake.parent)
    for name in ("train/a.tar", "train/b.tar", "train/missing.tar"):
        check_link(str(lake), f"shards/{name}")
    for name in ("train/c.tar", "val/private.tar"):
        with pytest.raises(DataError, match="is a link to") as caught:
            check_link(str(lake), f"shards/{name}")
        assert caught.value.reason == "path_outside"
    check_link("s3://bucket/lake", "shards/train/c.tar")


def test_a_snapshot_that_names_such_a_link_is_refused(lake: Path) -> None:
    (lake / "shards/train/c.tar").symlink_to("../../../private.tar")
    shard = ShardEntry("shards/train/c.tar", 1, 1, 1, "0" * 64, 1, "0" * 64)
    number = write_snapshot(str(lake), Manifest("f", 1, {"train": Split((shard,), {})}))
    with pytest.raises(SnapshotError, match=r"snapshots/1\.json: names a file that it may not"):
        read_snapshot(str(lake), number)
