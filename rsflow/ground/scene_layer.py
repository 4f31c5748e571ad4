"""What a scene takes from a vector layer: the features on its ground, and what may be concluded from those that are not there.

One idea: everything that decides a scene's labels is in one value that travels with its units and names them. A layer whose
features changed elsewhere gives an equal value, so the scene is not labelled again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rsflow.files import storage
from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.labels.cover_relations import relate_covers
from rsflow.ground.labels.ground_cover import draw_area, widen
from rsflow.ground.labels.tile_labels import label_tile
from rsflow.ground.layer_copy import Features, read_features
from rsflow.ground.layer_settings import OutlineKind
from rsflow.ground.layer_shift import LayerShift
from rsflow.ground.layer_store import local_copy
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileTruth, TileView
from rsflow.ground.scene_grid import SceneGrid, project_box, to_pixels
from rsflow.ground.validity import ALWAYS_AFTER, ALWAYS_BEFORE
from rsflow.records import LENGTH, Label, Provenance
from rsflow.spatial.geometry import Box
from rsflow.stage import YOUNGER


@dataclass(frozen=True)
class AreaOfInterest:
    """A copy of polygons, with what is in it on the scene's ground."""

    crs: str
    digest: str
    file: str = field(compare=False)
    forms: tuple[FeatureForm, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class SceneLayer:
    """`complete`: categories of which the layer has every feature within `bounds` (of its coordinates, as far as the scene's
    ground reaches) and within `interest`. `digest`: of the features on the scene's ground. `file`: the copy, below the root."""

    name: str
    crs: str
    digest: str
    bounds: Box | None
    complete: tuple[str, ...]
    interest: AreaOfInterest | None
    outline: OutlineKind
    licence: str | None
    attribution: str
    file: str = field(compare=False)
    forms: tuple[FeatureForm, ...] = field(default=(), compare=False)
    kind: str = "vector"
    shift: LayerShift | None = field(default=None, metadata=YOUNGER)

    def to_row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> SceneLayer:
        interest = row["interest"] and AreaOfInterest(**{**row["interest"], "forms": _forms(row["interest"]["forms"])})
        parsed = {
            "interest": interest,
            "bounds": tuple(row["bounds"]) if row["bounds"] else None,
            "complete": tuple(row["complete"]),
            "forms": _forms(row["forms"]),
            "shift": row["shift"] and LayerShift(**row["shift"]),
        }
        return cls(**{**row, **parsed})

    @property
    def provenance(self) -> Provenance:
        return Provenance("annotation", self.kind, self.name, self.shift.description if self.shift else "")

    @property
    def placed_forms(self) -> tuple[FeatureForm, ...]:
        """The forms, as uncertain in place as they are after the shift was measured."""
        shift = self.shift
        if shift is None:
            return self.forms
        return tuple(replace(form, uncertainty_m=shift.remaining_uncertainty(form.uncertainty_m)) for form in self.forms)

    def place_on(self, grid: SceneGrid) -> SceneGrid:
        """The grid on which the layer's coordinates are mapped to the scene's pixels: moved by a shift that is corrected."""
        return self.shift.move(grid) if self.shift else grid


def _forms(rows: Sequence[dict[str, Any]]) -> tuple[FeatureForm, ...]:
    return tuple(FeatureForm(**row) for row in rows)


@dataclass(frozen=True)
class WindowFeatures:
    """A layer's features around a window of a scene, ready to label the tiles in it."""

    layer: SceneLayer
    kinds: tuple[FeatureForm, ...]
    placed: PlacedFeatures
    complete_area: shapely.Geometry | None  # in pixels; None: nowhere

    def label(self, tile: TileView, min_visibility: float) -> LayerTruth:
        rules = LabelRules(self.kinds, self.layer.provenance, self.layer.outline, min_visibility)
        truth = label_tile(self.placed, tile, rules)
        if self.complete_area is None or not shapely.covers(self.complete_area, shapely.box(*tile.window.box)):
            truth.labels += self._relations(truth, tile, is_mapped=False)
            return LayerTruth(truth)
        truth.labels += [
            Label("fact", f"{LENGTH}{name}", self.layer.provenance, text="m", value=length)
            for name, length in truth.line_lengths.items()
            if length and name in self.layer.complete and name not in truth.unknown
        ]
        covers = {form.category for form in self.layer.forms if form.kind in ("area", "line")}
        mapped = bool(covers) and covers <= {*self.layer.complete} - truth.unknown
        if mapped:
            present = {label.category for label in truth.labels}
            absent = sorted(covers - present)
            truth.labels += [Label("cover", category, self.layer.provenance, value=0.0) for category in absent]
        truth.labels += self._relations(truth, tile, mapped)
        return LayerTruth(truth, tuple(name for name in self.layer.complete if name not in covers), mapped)

    def _relations(self, truth: TileTruth, tile: TileView, is_mapped: bool) -> list[Label]:
        if len(truth.areas) < 2:
            return []
        shown = {name: draw_area(area, tile) for name, area in truth.areas.items()}
        return relate_covers(shown, tile.pixel_m, self.layer.provenance, is_mapped)


@dataclass(frozen=True)
class LayerTruth:
    """What a layer says of a tile. `complete`: categories of which every object is in the layer. `is_mapped`: it knows all of
    the tile's land cover, so that what it leaves open is covered by none of its categories, which then have a share of 0."""

    truth: TileTruth
    complete: tuple[str, ...] = ()
    is_mapped: bool = False


def read_window_features(
    layer: SceneLayer, root: str, grid: SceneGrid, window: Box, pixel_m: tuple[float, float], acquired: int | None
) -> WindowFeatures:
    """Read what of a layer lies in a window (scene pixels). `acquired`: microseconds since 1970, None where it is not known."""
    forms, grid = layer.placed_forms, layer.place_on(grid)
    margin = [max((form.uncertainty_m + (form.width_m or 0.0) for form in forms), default=0.0) / side for side in pixel_m]
    x0, y0, x1, y1 = window
    around = (x0 - margin[0], y0 - margin[1], x1 + margin[0], y1 + margin[1])
    found = read_features(
        local_copy(storage.join(root, layer.file)), forms, project_box(layer.crs, grid.bounds(around), grid.crs)
    )
    gsd_m = (pixel_m[0] * pixel_m[1]) ** 0.5
    geometries, shares = to_pixels(found.geometries, layer.crs, grid, around, gsd_m)
    dated, period_known = _in_period(found, acquired)
    kept = ~shapely.is_missing(geometries) & dated
    geometries = _with_extent(geometries[kept], [found.kinds[number] for number in found.forms[kept]], pixel_m)
    placed = PlacedFeatures(
        geometries, shapely.bounds(geometries), shares[kept], found.forms[kept], found.names[kept], period_known[kept]
    )
    return WindowFeatures(layer, found.kinds, placed, _complete_area(layer, root, grid, window, gsd_m))


def _in_period(found: Features, acquired: int | None) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(not known to be absent at the time, known to be there). A period that is empty is one that could not be read."""
    unbounded = (found.since == ALWAYS_BEFORE) & (found.until == ALWAYS_AFTER)
    readable = found.since < found.until
    if acquired is None:
        return np.ones(len(found), np.bool_), unbounded
    there = (found.since <= acquired) & (acquired < found.until)
    return there | ~readable, there & readable


def _with_extent(geometries: Any, forms: Sequence[FeatureForm], pixel_m: tuple[float, float]) -> Any:
    """Objects that are drawn as points or lines become areas."""
    narrow = (shapely.get_dimensions(geometries) < 2) & np.array([form.kind == "object" for form in forms], np.bool_)
    if narrow.any():
        widths = np.array([form.width_m or 0.0 for form in forms])
        geometries[narrow] = widen(geometries[narrow], widths[narrow], pixel_m)
    return geometries


def _complete_area(layer: SceneLayer, root: str, grid: SceneGrid, window: Box, gsd_m: float) -> shapely.Geometry | None:
    """Where the layer is complete, in pixels: its area of interest, or else its own extent."""
    if not layer.complete:
        return None
    if layer.interest is None:
        area, crs = (np.array([shapely.box(*layer.bounds)]) if layer.bounds else np.array([], object)), layer.crs
    else:
        boxes = project_box(layer.interest.crs, grid.bounds(window), grid.crs)
        file = local_copy(storage.join(root, layer.interest.file))
        area, crs = read_features(file, layer.interest.forms, boxes).geometries, layer.interest.crs
    placed, _ = to_pixels(area, crs, grid, window, gsd_m)
    return shapely.union_all(placed)
