"""The last step of a label unit: its pictures and raw bands into one file, everything else into its receipt.

One idea: the file is written whole under a name that holds the receipt, so nobody else writes it, and nothing refers to it
until the driver commits the receipt. A row group holds one chunk (neighbouring tiles), which is what shards are dealt in.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from rsflow import schemas
from rsflow.files import storage
from rsflow.lake.receipts import receipt_table
from rsflow.lake.tile_files import write_pictures
from rsflow.stage import BatchFunction, Resources, split_rejected
from rsflow.stages.sample_record import digest, tile_record


@dataclass(frozen=True, slots=True)
class WriteTiles:
    """All of a unit's IN_FLIGHT tiles in one batch in, one RECEIPTS row out. `root` is no part of what the unit depends on."""

    root: str
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1

    def open(self) -> BatchFunction:
        return self._write

    def _write(self, table: pa.Table) -> Iterator[pa.Table]:
        receipt = uuid.uuid4().hex
        kept, rejected = split_rejected(table)
        first = table.select(["unit", "scene_id", "source"]).slice(0, 1).to_pylist()[0]
        file = f"tiles/{first['scene_id']}/{first['unit']}-{receipt[:8]}.parquet"
        places = write_pictures(storage.join(self.root, file), kept["chunk"].to_pylist(), kept) if kept.num_rows else []
        # Label positions, and so label ids, are the order of the tile's list.
        plain = kept.select([f.name for f in schemas.IN_FLIGHT if f.name in schemas.TILES.names]).to_pylist()
        labels = zip(kept["tile_id"].to_pylist(), kept["labels"].to_pylist(), strict=True)
        invalid = kept["raw_invalid"].to_pylist()
        marks = {
            **first,
            "receipt": receipt,
            "step": "label",
            "rows_in": table.num_rows,
            "rows_kept": kept.num_rows,
            "rows_rejected": rejected.num_rows,
            "scene_rejected": False,
            "bytes_read": _pixel_bytes(table),
        }
        yield receipt_table(
            marks,
            tiles=[
                {**row, "digest": digest(tile_record(row, runs or ())), "file": file, **place}
                for row, runs, place in zip(plain, invalid, places, strict=True)
            ],
            labels=[row for tile, found in labels for row in _label_rows(tile, found)],
            rejects=[_reject_row(row) for row in rejected.select(_TOLD).to_pylist()],
        )


_TOLD = ["tile_id", "scene_id", "source", "reject_reason", "reject_detail"]  # of a reject


def _pixel_bytes(table: pa.Table) -> int:
    shapes, kinds = table["pixels_shape"].to_pylist(), table["pixels_dtype"].to_pylist()
    return sum(math.prod(shape) * np.dtype(kind).itemsize for shape, kind in zip(shapes, kinds, strict=True))


def _label_rows(tile: str, labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"label_id": f"{tile}#{i}", "tile_id": tile, **label} for i, label in enumerate(labels)]


def _reject_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "tile",
        "subject": row["tile_id"],
        "scene_id": row["scene_id"],
        "source": row["source"],
        "step": "label",
        "reason": row["reject_reason"],
        "detail": row["reject_detail"],
        "file": "",
        "rows": 1,
    }
