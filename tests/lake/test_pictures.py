"""Tile files: pictures and raw bands come back from where they were put, and each without the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rsflow.errors import LakeError
from rsflow.lake.tile_files import RawBands, read_pictures, read_raw, write_pictures

CHUNKS = [0, 0, 1, 1, 1]


def columns(raw: bool) -> dict[str, Any]:
    ids = [f"s/{i}" for i in range(len(CHUNKS))]
    plain = {"tile_id": ids, "key": ids, "picture": [f"picture {i}".encode() for i in range(len(ids))]}
    bands = pa.array([bytes([i]) * 5000 for i in range(len(ids))], pa.large_binary())
    runs = pa.array([[], [3, 4], [], [0, 9, 10, 12], []], pa.list_(pa.int64()))
    return {**plain, "raw_bands": bands, "raw_invalid": runs} if raw else plain


def written(root: Path, raw: bool) -> list[dict[str, Any]]:
    table = pa.table(columns(raw))
    places = write_pictures(str(root / "t.parquet"), CHUNKS, table)
    return [{"tile_id": f"s/{i}", "file": "t.parquet", **place} for i, place in enumerate(places)]


@pytest.mark.parametrize("raw", [False, True])
def test_pictures_come_back(tmp_path: Path, raw: bool) -> None:
    tiles = written(tmp_path, raw)
    assert [(tile["row_group"], tile["row"]) for tile in tiles] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert read_pictures(str(tmp_path), tiles[1:4]) == {f"s/{i}": f"picture {i}".encode() for i in (1, 2, 3)}


def test_raw_bands_come_back_and_are_compressed(tmp_path: Path) -> None:
    tiles = written(tmp_path, True)
    assert read_raw(str(tmp_path), tiles[3:]) == {
        "s/3": RawBands(b"\3" * 5000, [0, 9, 10, 12]),
        "s/4": RawBands(b"\4" * 5000, []),
    }
    group = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(1)
    kinds = {group.column(i).path_in_schema: group.column(i).compression for i in range(group.num_columns)}
    assert (kinds["raw_bands"], kinds["picture"]) == ("ZSTD", "UNCOMPRESSED")


def test_a_file_without_raw_bands_is_what_it_was(tmp_path: Path) -> None:
    written(tmp_path, False)
    plain = (tmp_path / "t.parquet").read_bytes()
    table = pa.table(columns(True))
    nulls = {f.name: pa.nulls(table.num_rows, f.type) for f in table.schema if f.name.startswith("raw_")}
    write_pictures(str(tmp_path / "t.parquet"), CHUNKS, pa.table({**columns(False), **nulls}))
    assert (tmp_path / "t.parquet").read_bytes() == plain


def test_another_tile_in_its_place_is_told(tmp_path: Path) -> None:
    tiles = written(tmp_path, True)
    for read in (read_pictures, read_raw):
        with pytest.raises(LakeError, match="does not hold s/9 where the tiles table says"):
            read(str(tmp_path), [{**tiles[0], "tile_id": "s/9"}])
