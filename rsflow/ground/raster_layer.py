"""What a scene takes from a raster on the ground: the files that show its ground, and how their values become labels.

`digest` covers the values on the scene's ground: a new version of a raster labels again only scenes whose ground changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from rsflow.ground.files.raster_files import RasterFile, raster_pixels, sample_tile
from rsflow.ground.labels.cover_labels import label_cover, label_field
from rsflow.ground.placed_features import TileTruth, TileView
from rsflow.ground.scene_grid import SceneGrid
from rsflow.ground.scene_layer import LayerTruth
from rsflow.records import UNKNOWN, Label, Provenance


@dataclass(frozen=True)
class RasterLayer:
    """`legend`: (value, name) pairs of a class raster. `complete`: categories that are absent where the raster has no pixel
    of them. `quantity`, `unit`: of a continuous raster."""

    kind: Literal["cover", "field"]
    name: str
    digest: str
    band: int
    legend: tuple[tuple[int, str | None], ...] = ()
    objects: tuple[str, ...] = ()
    min_px: int = 1
    complete: tuple[str, ...] = ()
    quantity: str = ""
    unit: str = ""
    min_raster_px: float = 0.0  # a tile as large as fewer of its pixels has no label of it
    nodata: float | None = None  # beats what the files say
    licence: str | None = None
    attribution: str = ""
    files: tuple[RasterFile, ...] = field(default=(), compare=False)

    def to_row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> RasterLayer:
        files = tuple(RasterFile(f["path"], f["crs"], tuple(f["transform"]), tuple(f["bounds"])) for f in row["files"])
        pairs = tuple((int(value), name) for value, name in row["legend"])
        lists = {name: tuple(row[name]) for name in ("objects", "complete")}
        return cls(**{**row, **lists, "files": files, "legend": pairs})

    @property
    def provenance(self) -> Provenance:
        return Provenance("annotation", self.kind, self.name)


@dataclass(frozen=True)
class RasterWindow:
    """A raster and the grid of the scene whose tiles it labels."""

    layer: RasterLayer
    grid: SceneGrid

    def label(self, tiles: Sequence[TileView], min_visibility: float) -> list[LayerTruth]:
        """What the raster gives each of the tiles."""
        return [self._label_tile(tile) for tile in tiles]

    def _label_tile(self, tile: TileView) -> LayerTruth:
        layer, window = self.layer, tile.window
        if not layer.files or raster_pixels(layer.files[0], self.grid, window) < layer.min_raster_px:
            return LayerTruth(TileTruth())
        values, known, parts = sample_tile(layer.files, layer.band, self.grid, window, layer.nodata)
        visible = np.ones((window.height_px, window.width_px), np.bool_) if tile.valid is None else tile.valid
        visible = visible[: window.height_px, : window.width_px]
        if layer.kind == "field":
            return LayerTruth(
                TileTruth(label_field(values, known, visible, parts, layer.quantity, layer.unit, layer.provenance))
            )
        labels = label_cover(
            values, known, visible, parts, dict(layer.legend), layer.objects, layer.min_px, layer.provenance, tile.pixel_m
        )
        return LayerTruth(TileTruth(_with_absent(labels, layer)), (), is_mapped=True)


def _with_absent(labels: list[Label], layer: RasterLayer) -> list[Label]:
    """The same with a share of 0 for the complete categories that a wholly mapped tile lacks."""
    present = {label.category for label in labels if label.kind == "cover"}
    if not present or UNKNOWN in present:
        return labels
    return [*labels, *(Label("cover", name, layer.provenance, value=0.0) for name in layer.complete if name not in present)]
