"""Labels from layers on the ground: what of them lies in each tile, in tile pixels.

The tiles of a unit share one read of each layer. Labels come after those of the pictures' own annotations; completeness follows
from both together (rsflow.instructions.facts.completeness).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.config.select_settings import LICENCE_AND as AND
from rsflow.ground.labels.ground_cover import unmapped_rest
from rsflow.ground.placed_features import TileView
from rsflow.ground.raster_layer import RasterLayer, RasterWindow
from rsflow.ground.scene_grid import SceneGrid
from rsflow.ground.scene_layer import LayerTruth, SceneLayer, WindowFeatures, read_window_features
from rsflow.ground.validity import microseconds
from rsflow.instructions.facts.completeness import complete_categories
from rsflow.records import Label
from rsflow.schemas import LABEL_STRUCT, label_row, unpack_array, window_from_row
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import replace

_TILE = ["row_off", "col_off", "height_px", "width_px", "pixel_m"]
_UNIT = ["unit", "unit_box", "crs", "transform", "acquired_at", "ground"]
_CHANGED = ("labels", "vocabulary", "unknown", "licence", "attribution")


@dataclass(frozen=True, slots=True)
class LabelGround:
    """Adds to `labels`, `vocabulary` and `unknown` what the layers of the scene's ground say of each tile.

    `root`: the lake with the copies of the layers, no part of what labels depend on.
    """

    min_visibility: float
    root: str = field(compare=False)
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 3

    def open(self) -> BatchFunction:
        layers = _UnitLayers(self.root)

        def label(table: pa.Table) -> Iterator[pa.Table]:
            yield self._label(table, layers)

        return over_kept(label)

    def _label(self, table: pa.Table, unit_layers: _UnitLayers) -> pa.Table:
        rows = table.select([*_TILE, *_UNIT, *_CHANGED]).to_pylist()
        layers = unit_layers.of_tile(rows[0])
        if not layers:
            return table
        tiles = [
            TileView(window_from_row(row), tuple(row["pixel_m"]), valid) for row, valid in zip(rows, _valid(table), strict=True)
        ]
        found = [layer.label(tiles, self.min_visibility) for layer in layers]
        for row, tile, *truths in zip(rows, tiles, *found, strict=True):
            _add_labels(row, tile, [layer.layer for layer in layers], truths)
        labels = [row.pop("labels") for row in rows]
        offsets = np.cumsum([0, *map(len, labels)], dtype=np.int32)
        changed = {name: [row[name] for row in rows] for name in _CHANGED if name != "labels"}
        return replace(table, labels=pa.ListArray.from_arrays(offsets, pa.concat_arrays(labels)), **changed)


@dataclass
class _UnitLayers:
    """The layers of the unit whose tiles pass: each is read once for all of them."""

    root: str
    unit: tuple[Any, ...] | None = None
    layers: list[WindowFeatures | RasterWindow] = field(default_factory=list)

    def of_tile(self, row: dict[str, Any]) -> list[WindowFeatures | RasterWindow]:
        """Those of the unit of this tile; none where the scene has no layer or no place."""
        unit = (row["unit"], row["ground"], *row["unit_box"])
        if unit != self.unit:
            entries = [_layer(entry) for entry in json.loads(row["ground"] or "[]")] if row["transform"] is not None else []
            self.layers = [self._read(entry, row) for entry in entries]
            self.unit = unit
        return self.layers

    def _read(self, entry: SceneLayer | RasterLayer, row: dict[str, Any]) -> WindowFeatures | RasterWindow:
        acquired = microseconds(row["acquired_at"]) if row["acquired_at"] else None
        grid = SceneGrid(row["crs"], tuple(row["transform"]))
        if isinstance(entry, RasterLayer):
            return RasterWindow(entry, grid)
        return read_window_features(entry, self.root, grid, tuple(row["unit_box"]), tuple(row["pixel_m"]), acquired)


def _add_labels(
    row: dict[str, Any], tile: TileView, layers: Sequence[SceneLayer | RasterLayer], found: Sequence[LayerTruth]
) -> None:
    """Put what the layers say of a tile into its row."""
    vocabulary, unknown = list(row["vocabulary"] or ()), set(row["unknown"] or ())
    pieces = [piece for layer in found for piece in (*layer.truth.objects, _rows(layer.truth.labels))]
    covered = [area for layer in found for area in layer.truth.covered]
    if covered and not any(layer.is_mapped for layer in found) and (rest := unmapped_rest(covered, tile)):
        pieces.append(_rows([rest]))
    for layer in found:
        vocabulary += [category for category in layer.complete if category not in vocabulary]
        unknown |= layer.truth.unknown
    row["labels"] = pa.concat_arrays([pa.array(row["labels"], LABEL_STRUCT), *pieces])
    used = [layer for layer, has in zip(layers, found, strict=True) if has.truth.labels or has.truth.objects]
    _credit(row, used)
    row["vocabulary"], row["unknown"] = complete_categories(vocabulary, unknown), sorted(unknown)


def _credit(row: dict[str, Any], used: list[SceneLayer | RasterLayer]) -> None:
    """A tile that layers label is under their licences too: an SPDX expression of all, each once."""
    licences = dict.fromkeys([*row["licence"].split(AND), *(layer.licence for layer in used if layer.licence)])
    row["licence"] = AND.join(licences)
    named = [*(row["attribution"] or ()), *(layer.attribution for layer in used if layer.attribution)]
    row["attribution"] = list(dict.fromkeys(named)) or None


def _rows(labels: list[Label]) -> pa.StructArray:
    return pa.array([label_row(label) for label in labels], LABEL_STRUCT)


def _layer(row: dict[str, Any]) -> SceneLayer | RasterLayer:
    return SceneLayer.from_row(row) if row["kind"] == "vector" else RasterLayer.from_row(row)


def _valid(table: pa.Table) -> Iterator[npt.NDArray[np.bool_] | None]:
    """The valid pixels of each tile, None where all are."""
    for number, shape in enumerate(table["pixels_shape"].to_pylist()):
        valid = unpack_array(table["valid"][number], "bool", shape[1:])
        yield None if valid.all() else valid
