"""What a scene takes from a vector layer: the features on its ground, and what may be concluded from those that are not there.

One idea: everything that decides a scene's labels is in one value that travels with its units and names them. A layer whose
features changed elsewhere gives an equal value, so the scene is not labelled again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rsflow.files import storage
from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.geometry.pixel_geometries import place_shapes, to_pixels
from rsflow.ground.geometry.shapes import NARROW, Shapes
from rsflow.ground.labels.cover_relations import relate_covers
from rsflow.ground.labels.ground_cover import draw_area, widen
from rsflow.ground.labels.tile_labels import label_tiles
from rsflow.ground.layer_copy import Features, read_features
from rsflow.ground.layer_settings import OutlineKind
from rsflow.ground.layer_shift import LayerShift
from rsflow.ground.layer_store import local_copy
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileTruth, TileView, overlaps_box
from rsflow.ground.scene_grid import SceneGrid, project_box
from rsflow.ground.validity import ALWAYS_AFTER, ALWAYS_BEFORE
from rsflow.records import LENGTH, Label, Provenance
from rsflow.spatial.geometry import Box, enclosing_box
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

    def label(self, tiles: Sequence[TileView], min_visibility: float) -> list[LayerTruth]:
        """What the layer gives each of the tiles, neighbours within the window."""
        rules = LabelRules(self.kinds, self.layer.provenance, self.layer.outline, min_visibility)
        truths = label_tiles(self._around(tiles), tiles, rules)
        found = [
            self._add_absent(truth) if is_complete else LayerTruth(truth)
            for truth, is_complete in zip(truths, self._are_complete(tiles), strict=True)
        ]
        for layer_truth, tile in zip(found, tiles, strict=True):
            layer_truth.truth.labels += self._relations(layer_truth, tile)
        return found

    def _around(self, tiles: Sequence[TileView]) -> PlacedFeatures:
        """The features that may reach into the tiles; objects that are drawn as points or lines become areas."""
        if not self._is_drawn_narrow.any():
            return self.placed
        margin = _margin(self.kinds, tiles[0].pixel_m)
        x0, y0, x1, y1 = enclosing_box([tile.window.box for tile in tiles])
        box = (x0 - margin[0], y0 - margin[1], x1 + margin[0], y1 + margin[1])
        chosen = np.flatnonzero(overlaps_box(self.placed.bounds, box))
        placed = self.placed.take(chosen)
        rows = np.flatnonzero(self._is_drawn_narrow[chosen])
        if not len(rows):
            return placed
        widths = np.array([form.width_m or 0.0 for form in self.kinds])[placed.forms[rows]]
        areas = Shapes.of(widen(placed.shapes.others[rows], widths, tiles[0].pixel_m))
        return replace(placed, shapes=placed.shapes.put(rows, areas))

    @cached_property
    def _is_drawn_narrow(self) -> npt.NDArray[np.bool_]:
        """Which features are objects that are drawn as points or lines."""
        is_object = np.array([form.kind == "object" for form in self.kinds], np.bool_)[self.placed.forms]
        return is_object & np.isin(self.placed.shapes.types, NARROW)

    def _are_complete(self, tiles: Sequence[TileView]) -> list[bool]:
        if self.complete_area is None:
            return [False] * len(tiles)
        shapely.prepare(self.complete_area)
        found: list[bool] = shapely.covers(self.complete_area, [shapely.box(*tile.window.box) for tile in tiles]).tolist()
        return found

    def _add_absent(self, truth: TileTruth) -> LayerTruth:
        """With what follows where the layer is complete: lengths, and covers of which the tile has none."""
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
        return LayerTruth(truth, tuple(name for name in self.layer.complete if name not in covers), mapped)

    def _relations(self, found: LayerTruth, tile: TileView) -> list[Label]:
        areas = found.truth.areas
        if len(areas) < 2:
            return []
        shown = {name: draw_area(area, tile) for name, area in areas.items()}
        touched = {name: draw_area(area, tile, all_touched=True) for name, area in areas.items()}
        return relate_covers(shown, touched, tile.pixel_m, self.layer.provenance, found.is_mapped)


@dataclass(frozen=True)
class LayerTruth:
    """What a layer gives a tile. `complete`: categories of which every object is in the layer. `is_mapped`: it knows all of
    the tile's land cover, so that what it leaves open is covered by none of its categories, which then have a share of 0."""

    truth: TileTruth
    complete: tuple[str, ...] = ()
    is_mapped: bool = False


def read_window_features(
    layer: SceneLayer, root: str, grid: SceneGrid, window: Box, pixel_m: tuple[float, float], acquired: int | None
) -> WindowFeatures:
    """Read what of a layer lies in a window (scene pixels). `acquired`: microseconds since 1970, None where it is not known."""
    forms, grid = layer.placed_forms, layer.place_on(grid)
    margin = _margin(forms, pixel_m)
    x0, y0, x1, y1 = window
    around = (x0 - margin[0], y0 - margin[1], x1 + margin[0], y1 + margin[1])
    found = read_features(
        local_copy(storage.join(root, layer.file)), forms, project_box(layer.crs, grid.bounds(around), grid.crs)
    )
    gsd_m = (pixel_m[0] * pixel_m[1]) ** 0.5
    shapes, shares = place_shapes(found.shapes, layer.crs, grid, around, gsd_m)
    dated, period_known = _is_in_period(found, acquired)
    kept = np.flatnonzero(~shapes.is_missing & dated)
    placed = PlacedFeatures(shapes, shares, found.forms, found.names, period_known).take(kept)
    return WindowFeatures(layer, found.kinds, placed, _complete_area(layer, root, grid, window, gsd_m))


def _is_in_period(found: Features, acquired: int | None) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(not known to be absent at the time, known to be there). A period that is empty is one that could not be read."""
    unbounded = (found.since == ALWAYS_BEFORE) & (found.until == ALWAYS_AFTER)
    readable = found.since < found.until
    if acquired is None:
        return np.ones(len(found), np.bool_), unbounded
    is_valid = (found.since <= acquired) & (acquired < found.until)
    return is_valid | ~readable, is_valid & readable


def feature_reach(forms: Sequence[FeatureForm]) -> float:
    """How far beyond what is drawn a feature may reach, in metres."""
    return max((form.uncertainty_m + (form.width_m or 0.0) for form in forms), default=0.0)


def _margin(forms: Sequence[FeatureForm], pixel_m: tuple[float, float]) -> tuple[float, float]:
    """The same in pixels, along x and y."""
    metres = feature_reach(forms)
    return metres / pixel_m[0], metres / pixel_m[1]


def _complete_area(layer: SceneLayer, root: str, grid: SceneGrid, window: Box, gsd_m: float) -> shapely.Geometry | None:
    """Where the layer is complete, in pixels: its area of interest, or else its own extent."""
    if not layer.complete:
        return None
    if layer.interest is None:
        area, crs = (np.array([shapely.box(*layer.bounds)]) if layer.bounds else np.array([], object)), layer.crs
    else:
        boxes = project_box(layer.interest.crs, grid.bounds(window), grid.crs)
        file = local_copy(storage.join(root, layer.interest.file))
        area, crs = read_features(file, layer.interest.forms, boxes).shapes.geometries, layer.interest.crs
    placed, _ = to_pixels(area, crs, grid, window, gsd_m)
    return shapely.union_all(placed)
