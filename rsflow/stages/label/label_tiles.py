"""A labeller adds what it sees: pseudo-labels with a score and a known quality, behind the annotations, never over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from rsflow.labellers import Labeller
from rsflow.schemas import label_row
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import measured, pictures, rasters, replace


@dataclass(frozen=True, slots=True)
class LabelTiles:
    """Appends the labeller's labels to `labels`, in tile pixels."""

    labeller: Labeller
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 2

    def open(self) -> BatchFunction:
        return over_kept(self._label)

    def _label(self, table: pa.Table) -> Iterator[pa.Table]:
        units, sizes = table["pixel_unit"].to_pylist(), table["gsd_m"].to_pylist()
        values = rasters(table) if getattr(self.labeller, "needs_stored_values", False) else measured(table)
        tiles = zip(table["labels"].to_pylist(), values, pictures(table), units, sizes, strict=True)
        yield replace(
            table,
            labels=[
                [*labels, *(label_row(label) for label in self.labeller.label(raster, picture, unit, gsd_m))]
                for labels, raster, picture, unit, gsd_m in tiles
            ],
        )
