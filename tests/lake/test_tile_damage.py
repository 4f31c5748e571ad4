"""Each bit of a tile file is guarded: a flipped one is an error that names the file, or changes nothing that is read."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pyarrow as pa
import pytest

from rsflow.errors import DamagedFileError
from rsflow.lake.tile_files import RAW_SCHEMA, SCHEMA, read_pictures, read_raw, write_pictures

BANDS = b"\1\2\3" * 40


def test_a_flipped_bit_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pictures = [bytes([i]) * 60 for i in range(4)]
    columns = [
        [f"s/{i}" for i in range(4)],
        [str(i) for i in range(4)],
        pictures,
        [BANDS] * 4,
        [[0, 9, 10, 12 + i] for i in range(4)],
    ]
    fields = [*SCHEMA, *RAW_SCHEMA]
    table = pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)], schema=pa.schema(fields)
    )
    places = write_pictures(str(path), [0, 0, 1, 1], table)
    tiles = [
        {
            "tile_id": f"s/{i}",
            "file": "t.parquet",
            "picture_sha256": hashlib.sha256(pictures[i]).hexdigest(),
            "raw": {"sha256": hashlib.sha256(BANDS).hexdigest()},
            **place,
        }
        for i, place in enumerate(places)
    ]
    whole = read_pictures(str(tmp_path), tiles), read_raw(str(tmp_path), tiles)
    data, chance, refused = path.read_bytes(), random.Random(7), list[str]()
    for bit in chance.sample(range(8 * len(data)), 400):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            assert (read_pictures(str(tmp_path), tiles), read_raw(str(tmp_path), tiles)) == whole
        except DamagedFileError as error:
            refused.append(error.place)
    assert set(refused) == {str(path)}
    assert len(refused) > 200


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match=r"t\.parquet: is missing"):
        read_pictures(str(tmp_path), [{"tile_id": "a", "file": "t.parquet", "row_group": 0, "row": 0}])


def test_a_link_out_of_the_lake_is_not_followed(tmp_path: Path) -> None:
    """But a lake whose folder of tiles lies on another disk is read."""
    lake, disk = tmp_path / "lake", tmp_path / "disk"
    disk.mkdir()
    lake.mkdir()
    table = pa.Table.from_pylist([{"tile_id": "s/0", "key": "0", "picture": b"x"}], schema=SCHEMA)
    (place,) = write_pictures(str(disk / "t.parquet"), [0], table)
    (lake / "tiles").symlink_to(disk)
    tiles = [{"tile_id": "s/0", "file": "tiles/t.parquet", **place}]
    assert read_pictures(str(lake), tiles) == {"s/0": b"x"}
    private = tmp_path / "private.parquet"
    (disk / "t.parquet").rename(private)
    (disk / "t.parquet").symlink_to(private)
    with pytest.raises(DamagedFileError, match="is a link to"):
        read_pictures(str(lake), tiles)
