"""Labels from layers on the ground: what of them lies in each tile, in tile pixels.

Neighbouring tiles share one read of each layer. Labels come after those of the pictures' own annotations; completeness follows
from both together (rsflow.instructions.facts.completeness).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from rsflow.ground.scene_layer import SceneLayer, WindowFeatures, read_window_features
from rsflow.ground.validity import microseconds
from rsflow.instructions.facts.completeness import complete_categories
from rsflow.records import Label
from rsflow.schemas import LABEL_STRUCT, label_row, unpack_array, window_from_row
from rsflow.spatial.geometry import Box
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import replace

_COLUMNS = ["row_off", "col_off", "height_px", "width_px", "pixel_m", "crs", "transform", "acquired_at", "ground"]
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
        return over_kept(self._label)

    def _label(self, table: pa.Table) -> Iterator[pa.Table]:
        rows = table.select([*_COLUMNS, *_CHANGED]).to_pylist()
        entries = [_layer(entry) for entry in json.loads(rows[0]["ground"] or "[]")]
        if not entries or rows[0]["transform"] is None:
            yield table
            return
        layers = [self._features(entry, rows) for entry in entries]
        for row, valid in zip(rows, _valid(table), strict=True):
            self._add(row, layers, valid)
        labels = [row.pop("labels") for row in rows]
        offsets = np.cumsum([0, *map(len, labels)], dtype=np.int32)
        changed = {name: [row[name] for row in rows] for name in _CHANGED if name != "labels"}
        yield replace(table, labels=pa.ListArray.from_arrays(offsets, pa.concat_arrays(labels)), **changed)

    def _features(self, entry: SceneLayer | RasterLayer, rows: list[dict[str, Any]]) -> WindowFeatures | RasterWindow:
        first = rows[0]
        acquired = microseconds(first["acquired_at"]) if first["acquired_at"] else None
        grid = SceneGrid(first["crs"], tuple(first["transform"]))
        if isinstance(entry, RasterLayer):
            return RasterWindow(entry, grid)
        return read_window_features(entry, self.root, grid, _around(rows), tuple(first["pixel_m"]), acquired)

    def _add(
        self, row: dict[str, Any], layers: list[WindowFeatures | RasterWindow], valid: npt.NDArray[np.bool_] | None
    ) -> None:
        tile = TileView(window_from_row(row), tuple(row["pixel_m"]), valid)
        vocabulary, unknown = list(row["vocabulary"] or ()), set(row["unknown"] or ())
        found = [layer.label(tile, self.min_visibility) for layer in layers]
        pieces = [piece for layer in found for piece in (*layer.truth.objects, _rows(layer.truth.labels))]
        covered = [area for layer in found for area in layer.truth.covered]
        if covered and not any(layer.is_mapped for layer in found) and (rest := unmapped_rest(covered, tile)):
            pieces.append(_rows([rest]))
        for layer in found:
            vocabulary += [category for category in layer.complete if category not in vocabulary]
            unknown |= layer.truth.unknown
        row["labels"] = pa.concat_arrays([pa.array(row["labels"], LABEL_STRUCT), *pieces])
        used = [layer.layer for layer, has in zip(layers, found, strict=True) if has.truth.labels or has.truth.objects]
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


def _around(rows: list[dict[str, Any]]) -> Box:
    boxes = [window_from_row(row).box for row in rows]
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return (min(x0s), min(y0s), max(x1s), max(y1s))


def _valid(table: pa.Table) -> Iterator[npt.NDArray[np.bool_] | None]:
    """The valid pixels of each tile, None where all are."""
    for number, shape in enumerate(table["pixels_shape"].to_pylist()):
        valid = unpack_array(table["valid"][number], "bool", shape[1:])
        yield None if valid.all() else valid
