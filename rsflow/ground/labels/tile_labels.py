"""The labels of one tile from the features of a vector layer.

One idea: a label says no more than the layer supports. An object is a box with its outline, as far as the tile shows it; ground
of one category is a share of the tile; what is too small, too little seen or too uncertain in place is no label, and makes its
category unknown there, so that it is neither counted nor denied.

Where a feature may lie `uncertainty_m` from where it is drawn, its box holds only if that is at most a quarter of its shorter
side (boxes so far apart still overlap by more than half); else it is known to be there, if it lies so far within the tile that
it cannot be outside; else nothing is known.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.geometries import Geometries
from rsflow.ground.labels.ground_cover import measure_covers
from rsflow.ground.labels.object_labels import object_rows
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileTruth, TileView, overlaps_box
from rsflow.records import Label
from rsflow.spatial.geometry import Box

POINT_EXTENT_M = 10.0  # what a thing of unknown extent is taken to measure, to tell whether it can be seen
WHOLE = 1.0 - 1e-9  # a share from which nothing is missing but what arithmetic lost
BOX_SHARE = 0.25  # of an object's shorter side that its place may be uncertain by, for its box to be told


def label_tile(placed: PlacedFeatures, tile: TileView, rules: LabelRules) -> TileTruth:
    """What the features say of the tile."""
    truth = TileTruth()
    margin = max((form.uncertainty_m for form in rules.forms), default=0.0)
    placed = placed.rows(overlaps_box(placed.bounds, _grown(tile, margin)))
    for number in np.unique(placed.forms).tolist():
        form = rules.forms[number]
        near = np.flatnonzero((placed.forms == number) & overlaps_box(placed.bounds, _grown(tile, form.uncertainty_m)))
        dated = near[placed.period_known[near]]
        if len(dated) < len(near):
            truth.unknown.add(form.category)
        if form.kind == "object":
            _add_objects(truth, placed, dated, tile, form, rules)
        elif len(near) and (form.kind == "point" or (form.kind == "line" and not form.width_m)):
            truth.unknown.add(form.category)
            visible = POINT_EXTENT_M**2 / tile.pixel_m2 >= form.min_area_px
            if visible and _surely_inside(placed.bounds[dated], tile, form).any():
                truth.present.add(form.category)
    measure_covers(truth, placed, tile, rules)
    labelled = truth.labelled | {label.category for label in truth.labels}
    truth.labels += [Label("presence", category, rules.provenance) for category in sorted(truth.present - labelled)]
    return truth


def _add_objects(
    truth: TileTruth,
    placed: PlacedFeatures,
    rows: npt.NDArray[np.int64],
    tile: TileView,
    form: FeatureForm,
    rules: LabelRules,
) -> None:
    """Add the labels of the features `rows`, and what is known of those that get none."""
    whole = placed.geometries[rows]
    clipped = clip_to_tile(whole, tile)
    wholes, visible = shapely.area(whole), shapely.area(clipped)
    visible_share = np.divide(visible, wholes, out=np.zeros(len(rows)), where=wholes > 0) * placed.shares[rows]
    large = (wholes / placed.shares[rows] * tile.pixel_m2 >= form.min_area_m2) & (visible >= form.min_area_px)
    exact = np.ones(len(rows), np.bool_)
    if form.uncertainty_m:
        exact = form.uncertainty_m <= BOX_SHARE * _shorter_sides_m(whole, tile)
    shown = visible > 0
    labelled = shown & exact & large & (visible_share >= rules.min_visibility)
    # What only comes near may reach in where its place is uncertain.
    if ((shown | bool(form.uncertainty_m)) & ~labelled).any():
        truth.unknown.add(form.category)
    if (shown & ~labelled & large & _surely_inside(placed.bounds[rows], tile, form)).any():
        truth.present.add(form.category)
    if labelled.any():
        offset = np.array([tile.window.col_off, tile.window.row_off], np.float64)
        in_tile = shapely.transform(clipped[labelled], lambda found: found - offset)
        visibility = np.where(visible_share > WHOLE, 1.0, visible_share)[labelled]
        names = placed.names[rows[labelled]].tolist()
        truth.objects.append(object_rows(in_tile, visibility, names, form.category, rules.provenance, rules.outline))
        truth.labelled.add(form.category)


def clip_to_tile(geometries: Geometries, tile: TileView) -> Geometries:
    """What the tile shows of each: inside its window, and not where it has no valid pixels."""
    clipped = clip_to(geometries, tile.window.box)
    if tile.fill_area is not None:
        hidden = shapely.intersects(clipped, tile.fill_area)
        clipped[hidden] = shapely.difference(clipped[hidden], tile.fill_area)
    return clipped


def clip_to(geometries: Geometries, box: Box) -> Geometries:
    """What of each lies inside the box; one that lies wholly inside is itself."""
    x0, y0, x1, y1 = shapely.bounds(geometries).T
    reaching = ~((x0 >= box[0]) & (y0 >= box[1]) & (x1 <= box[2]) & (y1 <= box[3]))
    clipped: Geometries = geometries.copy()
    clipped[reaching] = shapely.intersection(geometries[reaching], shapely.box(*box))
    return clipped


def _shorter_sides_m(geometries: Geometries, tile: TileView) -> npt.NDArray[np.float64]:
    on_ground = shapely.transform(geometries, lambda found: found * np.array(tile.pixel_m))
    rectangles = shapely.minimum_rotated_rectangle(on_ground)
    # Of a rectangle, area and perimeter give the sides: s (p / 2 - s) = a.
    half, areas = shapely.length(rectangles) / 2, shapely.area(rectangles)
    sides: npt.NDArray[np.float64] = (half - np.sqrt(np.maximum(half**2 - 4 * areas, 0.0))) / 2
    return sides


def _surely_inside(bounds: npt.NDArray[np.float64], tile: TileView, form: FeatureForm) -> npt.NDArray[np.bool_]:
    x0, y0, x1, y1 = _grown(tile, -form.uncertainty_m)
    inside: npt.NDArray[np.bool_] = (bounds[:, 0] >= x0) & (bounds[:, 1] >= y0) & (bounds[:, 2] <= x1) & (bounds[:, 3] <= y1)
    return inside


def _grown(tile: TileView, metres: float) -> Box:
    dx, dy = tile.reach(metres)
    x0, y0, x1, y1 = tile.window.box
    return (x0 - dx, y0 - dy, x1 + dx, y1 + dy)
