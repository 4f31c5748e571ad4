"""The last stage of label units: their pictures and raw bands into one file, everything else into their receipts.

One idea: the file is written whole under a name that nobody else uses, and nothing refers to it until the driver commits the
receipts. Small scenes share a file, because an object store takes as long for a small one as for a large one. A row group holds
one chunk of one unit (neighbouring tiles), which is the piece that shards are made of.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from rsflow import schemas
from rsflow.files import storage
from rsflow.lake.receipts import receipt_table, reject_row, unit_mark
from rsflow.lake.tile_files import write_pictures
from rsflow.records import Reject
from rsflow.stage import BatchFunction, Resources, split_rejected
from rsflow.stages.shard.sample_record import digest, tile_record


@dataclass(frozen=True, slots=True)
class WriteTiles:
    """All IN_FLIGHT tiles of some units in one batch in, unit after unit; one RECEIPTS row per unit out, and one file for all
    of them, named after the first. `root` is no part of what a unit depends on."""

    root: str
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1

    def open(self) -> BatchFunction:
        return self._write

    def _write(self, table: pa.Table) -> Iterator[pa.Table]:
        kept, _ = split_rejected(table)
        first = table.select(["scene_id", "unit"]).slice(0, 1).to_pylist()[0]
        file = f"tiles/{first['scene_id']}/{first['unit']}-{uuid.uuid4().hex[:8]}.parquet"
        # Chunks of two units are no neighbours, whatever their numbers: who reads a tile of the one has no use for the other.
        chunks = list(zip(kept["unit"].to_pylist(), kept["chunk"].to_pylist(), strict=True))
        places = write_pictures(storage.join(self.root, file), chunks, kept) if chunks else []
        place_of = dict(zip(kept["tile_id"].to_pylist(), places, strict=True))
        columns = table.drop_columns(["picture", "raw_bands"])
        start = 0
        for _, rows in groupby(table["unit"].to_pylist()):
            length = len(list(rows))
            yield _receipt(columns.slice(start, length), file, place_of)
            start += length


def _receipt(table: pa.Table, file: str, place_of: dict[str, dict[str, int]]) -> pa.Table:
    """The RECEIPTS row of one unit with these tiles. `place_of`: by tile, where its picture lies in the file."""
    kept, rejected = split_rejected(table)
    (work,) = table.select(["unit", "scene_id", "source"]).slice(0, 1).to_pylist()
    marks = unit_mark(work, "label", table.num_rows, rejected.num_rows, bytes_read=_pixel_bytes(table))
    # Label positions, and so label ids, are the order of the tile's list.
    plain = kept.select([f.name for f in schemas.IN_FLIGHT if f.name in schemas.TILES.names]).to_pylist()
    labels = zip(kept["tile_id"].to_pylist(), kept["labels"].to_pylist(), strict=True)
    return receipt_table(
        marks,
        tiles=[
            {**row, "digest": digest(tile_record(row, runs or ())), "file": file, **place_of[row["tile_id"]]}
            for row, runs in zip(plain, kept["raw_invalid"].to_pylist(), strict=True)
        ],
        labels=[row for tile, found in labels for row in _label_rows(tile, found)],
        rejects=[_reject_row(row) for row in rejected.select(_REJECT_COLUMNS).to_pylist()],
    )


_REJECT_COLUMNS = ["tile_id", "scene_id", "source", "reject_reason", "reject_detail"]


def _pixel_bytes(table: pa.Table) -> int:
    shapes, kinds = table["pixels_shape"].to_pylist(), table["pixels_dtype"].to_pylist()
    return sum(math.prod(shape) * np.dtype(kind).itemsize for shape, kind in zip(shapes, kinds, strict=True))


def _label_rows(tile: str, labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"label_id": f"{tile}#{i}", "tile_id": tile, **label} for i, label in enumerate(labels)]


def _reject_row(row: dict[str, Any]) -> dict[str, Any]:
    return reject_row(row, "label", Reject("tile", row["tile_id"], row["reject_reason"], row["reject_detail"]), rows=1)
