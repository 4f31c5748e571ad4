"""Tile files: the encoded pictures of one unit as a Parquet file, a row group per chunk of neighbouring tiles.

One idea: a row group is the smallest thing that is read, and what shards are made of, so a shard draws whole row groups from
many files and reads each once. Rows are found by file, row group and row; the tile's id beside the picture proves that it
is the right one. Raw bands, where they were kept, are columns of their own: who wants pictures reads none of them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from rsflow.errors import DamagedFileError, DataError
from rsflow.files import storage
from rsflow.files.data_paths import check_link
from rsflow.files.faults import classify_error

SCHEMA = pa.schema([("tile_id", pa.string()), ("key", pa.string()), ("picture", pa.large_binary())])
RAW_SCHEMA = pa.schema([("raw_bands", pa.large_binary()), ("raw_invalid", pa.list_(pa.int64()))])

T = TypeVar("T")


class RawBands(NamedTuple):
    """Bands as the member of rsflow.shards.format, and the runs of invalid pixels (rsflow.stages.label.keep_bands)."""

    bands: bytes
    invalid: list[int]


def write_pictures(place: str, chunks: Sequence[Hashable], tiles: pa.Table) -> list[dict[str, int]]:
    """Write the tiles' pictures (columns of SCHEMA), and their raw bands (of RAW_SCHEMA) where these are there and not null, a
    row group per run of equal chunks.

    Returns `row_group` and `row` (within the group) for each tile, in order.
    """
    raw = "raw_bands" in tiles.column_names and tiles["raw_bands"].null_count < tiles.num_rows
    schema = pa.schema([*SCHEMA, *RAW_SCHEMA]) if raw else SCHEMA
    places: list[dict[str, int]] = []
    starts = [i for i in range(len(chunks)) if i == 0 or chunks[i] != chunks[i - 1]]
    # Pictures are compressed already, and statistics over them would be large and useless.
    with (
        storage.create(place) as stream,
        pq.ParquetWriter(
            stream,
            schema,
            compression={"raw_bands": "zstd"} if raw else "none",
            use_dictionary=False,
            write_statistics=False,
            write_page_checksum=True,
        ) as writer,
    ):
        for group, (start, stop) in enumerate(zip(starts, [*starts[1:], len(chunks)], strict=True)):
            rows = tiles.select(schema.names).slice(start, stop - start)
            writer.write_table(rows.cast(schema), row_group_size=stop - start)
            places.extend({"row_group": group, "row": row} for row in range(stop - start))
    return places


def read_pictures(root: str, tiles: Iterable[dict[str, Any]]) -> dict[str, bytes]:
    """The encoded picture of each TILES row (needs tile_id, file, row_group, row), by tile_id. Each row group is read once."""
    return _read(root, tiles, ["picture"], lambda rows, row: _bytes(rows["picture"][row]))


def read_raw(root: str, tiles: Iterable[dict[str, Any]]) -> dict[str, RawBands]:
    """The raw bands of each TILES row, as `read_pictures` does. All of them must have been kept."""
    return _read(
        root,
        tiles,
        RAW_SCHEMA.names,
        lambda rows, row: RawBands(_bytes(rows["raw_bands"][row]), rows["raw_invalid"][row].as_py()),
    )


def _read(
    root: str, tiles: Iterable[dict[str, Any]], columns: Sequence[str], take: Callable[[pa.Table, int], T]
) -> dict[str, T]:
    files: dict[str, dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for tile in tiles:
        files[tile["file"]][tile["row_group"]].append(tile)
    found: dict[str, T] = {}
    for file in sorted(files):
        _check_link(root, file)
        found.update(_read_file(storage.join(root, file), files[file], columns, take))
    return found


def _check_link(root: str, file: str) -> None:
    try:
        check_link(root, file)
    except DataError as error:
        raise _damaged(storage.join(root, file), error.detail) from error


@contextmanager
def _translate_errors(place: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DamagedFileError(f"{place}: is missing{_MEND}") from error
    except (pa.ArrowException, ValueError, KeyError, IndexError) as error:
        raise _damaged(place, str(error)) from error
    except OSError as error:
        if error.errno is None and classify_error(error, place) is None:  # pyarrow, of bytes that are no Parquet
            raise _damaged(place, str(error)) from error
        raise


def _damaged(place: str, why: str) -> DamagedFileError:
    return DamagedFileError(f"{place}: is damaged ({why}){_MEND}")


_MEND = ": a build that meets it makes it again; else delete it and run `rsflow build CONFIG`"


def _read_file(
    place: str, groups: dict[int, list[dict[str, Any]]], columns: Sequence[str], take: Callable[[pa.Table, int], T]
) -> dict[str, T]:
    found: dict[str, T] = {}
    fs, path = storage.filesystem(place)
    with storage.translate_errors(place, "read"), _translate_errors(place), fs.open(path, "rb") as stream:
        file = pq.ParquetFile(stream, page_checksum_verification=True)
        for group in sorted(groups):
            rows = file.read_row_group(group, columns=["tile_id", *columns])
            for tile in groups[group]:
                if rows["tile_id"][tile["row"]].as_py() != tile["tile_id"]:
                    raise _damaged(place, f"it does not hold {tile['tile_id']} where the tiles table says")
                found[tile["tile_id"]] = take(rows, tile["row"])
                _check(place, tile, found[tile["tile_id"]])
    return found


def _check(place: str, tile: dict[str, Any], found: Any) -> None:
    """DamagedFileError where a picture or raw bands do not have the SHA-256 in the tile's row."""
    if isinstance(found, RawBands):
        expected, data = (tile.get("raw") or {}).get("sha256"), found.bands
    else:
        expected, data = tile.get("picture_sha256"), found
    if expected and hashlib.sha256(data).hexdigest() != expected:
        raise _damaged(place, f"{tile['tile_id']} does not have the SHA-256 that was committed")


def _bytes(value: pa.Scalar) -> bytes:
    return bytes(value.as_buffer())
