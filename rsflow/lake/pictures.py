"""Tile files: the encoded pictures of one unit as a Parquet file, a row group per chunk of neighbouring tiles.

One idea: a row group is the smallest thing that is read, and what shards are dealt in, so a shard draws whole row groups from
many files and reads each once. Rows are found by file, row group and row; the tile's id beside the picture proves that it
is the right one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rsflow import storage
from rsflow.errors import LakeError

SCHEMA = pa.schema([("tile_id", pa.string()), ("key", pa.string()), ("picture", pa.large_binary())])


def write_pictures(place: str, chunks: Sequence[int], tiles: pa.Table) -> list[dict[str, int]]:
    """Write the tiles' pictures (columns of SCHEMA), a row group per run of equal chunks.

    Returns `row_group` and `row` (within the group) for each tile, in order.
    """
    places: list[dict[str, int]] = []
    starts = [i for i in range(len(chunks)) if i == 0 or chunks[i] != chunks[i - 1]]
    # Pictures are compressed already, and statistics over them would be large and useless.
    with (
        storage.create(place) as stream,
        pq.ParquetWriter(stream, SCHEMA, compression="none", use_dictionary=False, write_statistics=False) as writer,
    ):
        for group, (start, stop) in enumerate(zip(starts, [*starts[1:], len(chunks)], strict=True)):
            rows = tiles.select(SCHEMA.names).slice(start, stop - start)
            writer.write_table(rows.cast(SCHEMA), row_group_size=stop - start)
            places.extend({"row_group": group, "row": row} for row in range(stop - start))
    return places


def read_pictures(root: str, tiles: Iterable[dict[str, Any]]) -> dict[str, bytes]:
    """The encoded picture of each TILES row (needs tile_id, file, row_group, row), by tile_id. Each row group is read once."""
    files: dict[str, dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for tile in tiles:
        files[tile["file"]][tile["row_group"]].append(tile)
    found: dict[str, bytes] = {}
    for file in sorted(files):
        found.update(_read_file(storage.join(root, file), files[file]))
    return found


@contextmanager
def _told(place: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowInvalid as error:
        raise LakeError(
            f"{place}: is damaged ({error}): delete it, and the rows of its unit in tables/runs, and run `rsflow label` again"
        ) from error


def _read_file(place: str, groups: dict[int, list[dict[str, Any]]]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    fs, path = storage.filesystem(place)
    with storage.told(place, "read"), _told(place), fs.open(path, "rb") as stream:
        file = pq.ParquetFile(stream)
        for group in sorted(groups):
            rows = file.read_row_group(group)
            for tile in groups[group]:
                if rows["tile_id"][tile["row"]].as_py() != tile["tile_id"]:
                    raise LakeError(
                        f"{place}: does not hold {tile['tile_id']} where the tiles table says: the file was replaced"
                    )
                found[tile["tile_id"]] = bytes(rows["picture"][tile["row"]].as_buffer())
    return found
