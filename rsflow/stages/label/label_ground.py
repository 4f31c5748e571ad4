"""Labels from layers on the ground: what of them lies in each tile, in tile pixels.

The tiles of a unit share one read of each vector layer. Labels come after those of the pictures' own annotations; completeness
follows from both together (rsflow.instructions.facts.completeness).
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
from rsflow.spatial.geometry import Window, enclosing_box, window_from_box
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import replace

_TILE = ["row_off", "col_off", "height_px", "width_px", "pixel_m"]
_UNIT = ["scene_id", "unit", "unit_windows", "crs", "transform", "acquired_at", "ground"]
_CHANGED = ("labels", "vocabulary", "unknown", "licence", "attribution")


@dataclass(frozen=True, slots=True)
class LabelGround:
    """Adds to `labels`, `vocabulary` and `unknown` what the layers of the scene's ground say of each tile.

    `root`: the lake with the copies of the layers, no part of what labels depend on.
    """

    min_visibility: float
    root: str = field(compare=False)
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 4

    def open(self) -> BatchFunction:
        units = _UnitLabels(self.root, self.min_visibility)

        def label(table: pa.Table) -> Iterator[pa.Table]:
            yield _label_table(table, units)

        return over_kept(label)


def _label_table(table: pa.Table, units: _UnitLabels) -> pa.Table:
    rows = table.select([*_TILE, *_UNIT, *_CHANGED]).to_pylist()
    units.move_to(rows[0])
    if not units.layers:
        return table
    tiles = [
        TileView(window_from_row(row), tuple(row["pixel_m"]), valid) for row, valid in zip(rows, _valid(table), strict=True)
    ]
    found = [units.label(number, tiles) for number in range(len(units.layers))]
    for row, tile, *truths in zip(rows, tiles, *found, strict=True):
        _add_labels(row, tile, [layer.layer for layer in units.layers], truths)
    labels = [row.pop("labels") for row in rows]
    offsets = np.cumsum([0, *map(len, labels)], dtype=np.int32)
    changed = {name: [row[name] for row in rows] for name in _CHANGED if name != "labels"}
    return replace(table, labels=pa.ListArray.from_arrays(offsets, pa.concat_arrays(labels)), **changed)


@dataclass
class _UnitLabels:
    """What the layers say of all tiles of the unit that passes: a vector layer is read once and labels them at once.

    A tile without valid pixels somewhere is labelled for itself, because what they hide is known only when it comes.
    """

    root: str
    min_visibility: float
    unit: tuple[Any, ...] | None = None
    layers: list[WindowFeatures | RasterWindow] = field(default_factory=list)
    known: list[dict[_Place, LayerTruth]] = field(default_factory=list)  # by layer

    def move_to(self, row: dict[str, Any]) -> None:
        """To the unit of this tile. It has no layers where the scene has none, or no place."""
        unit = (row["scene_id"], row["unit"], row["ground"])
        if unit == self.unit:
            return
        entries = [_layer(entry) for entry in json.loads(row["ground"] or "[]")] if row["transform"] is not None else []
        views = [TileView(window_from_box(found[:4]), (found[4], found[5])) for found in row["unit_windows"]] if entries else []
        self.layers = [self._read(entry, row, views) for entry in entries]
        self.known = [self._label_all(layer, views) for layer in self.layers]
        self.unit = unit

    def _read(
        self, entry: SceneLayer | RasterLayer, row: dict[str, Any], views: Sequence[TileView]
    ) -> WindowFeatures | RasterWindow:
        acquired = microseconds(row["acquired_at"]) if row["acquired_at"] else None
        grid = SceneGrid(row["crs"], tuple(row["transform"]))
        if isinstance(entry, RasterLayer):
            return RasterWindow(entry, grid)
        box = enclosing_box([view.window.box for view in views])
        return read_window_features(entry, self.root, grid, box, views[0].pixel_m, acquired)

    def _label_all(self, layer: WindowFeatures | RasterWindow, views: Sequence[TileView]) -> dict[_Place, LayerTruth]:
        if isinstance(layer, RasterWindow):
            return {}
        return dict(zip(map(_place, views), layer.label(views, self.min_visibility), strict=True))

    def label(self, number: int, tiles: Sequence[TileView]) -> list[LayerTruth]:
        """What the layer of this number says of tiles of the unit."""
        known = [None if tile.valid is not None else self.known[number].get(_place(tile)) for tile in tiles]
        rest = [tile for tile, truth in zip(tiles, known, strict=True) if truth is None]
        more = iter(self.layers[number].label(rest, self.min_visibility) if rest else ())
        return [truth or next(more) for truth in known]


_Place = tuple[Window, tuple[float, float]]


def _place(tile: TileView) -> _Place:
    return tile.window, tile.pixel_m


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
