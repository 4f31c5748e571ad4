"""The labels of tiles from the features of a vector layer.

One idea: a label says no more than the layer supports. An object is a box with its outline, as far as the tile shows it; ground
of one category is a share of the tile; what is too small, too little seen or too uncertain in place is no label, and makes its
category unknown there, so that it is neither counted nor denied.

Where a feature may lie `uncertainty_m` from where it is drawn, its box holds only if that is at most a quarter of its shorter
side (boxes so far apart still overlap by more than half); else it is known to be there, if it lies so far within the tile that
it cannot be outside; else nothing is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from rsflow.ground.geometry.geometries import Geometries
from rsflow.ground.geometry.shapes import Shapes
from rsflow.ground.labels.ground_cover import measure_covers
from rsflow.ground.labels.near_features import Mask, NearFeatures, find_near
from rsflow.ground.labels.object_labels import object_rows
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileTruth, TileView
from rsflow.records import Label
from rsflow.spatial.geometry import FloatArray

POINT_EXTENT_M = 10.0  # assumed extent of a thing of unknown size, to decide whether it is visible
WHOLE = 1.0 - 1e-9  # a share from which nothing is missing but what arithmetic lost
BOX_SHARE = 0.25  # largest uncertainty of an object's place, as a share of its shorter side, with which its box is a label


def label_tiles(placed: PlacedFeatures, tiles: Sequence[TileView], rules: LabelRules) -> list[TileTruth]:
    """The labels that the features give each of the tiles, all of one scene."""
    truths = [TileTruth() for _ in tiles]
    reached = find_near(placed, tiles, rules.forms)
    near = reached.where(reached.overlaps(reached.of_form("uncertainty_m")))
    dated = placed.period_known[near.rows]
    _add_unknown(truths, near, ~dated)
    _add_objects(truths, near.where(dated & near.is_kind("object")), rules)
    _add_without_extent(truths, near, dated)
    _add_covers(truths, reached.where(reached.is_kind("area", "line")), rules)
    for truth in truths:
        labelled = truth.labelled | {label.category for label in truth.labels}
        truth.labels += [Label("presence", category, rules.provenance) for category in sorted(truth.present - labelled)]
    return truths


def _add_unknown(truths: Sequence[TileTruth], near: NearFeatures, chosen: Mask) -> None:
    for tile, category in near.categories(chosen):
        truths[tile].unknown.add(category)


def _add_present(truths: Sequence[TileTruth], near: NearFeatures, chosen: Mask) -> None:
    for tile, category in near.categories(chosen):
        truths[tile].present.add(category)


def _add_objects(truths: Sequence[TileTruth], near: NearFeatures, rules: LabelRules) -> None:
    """Add the labels of objects, and what is known of those that get none."""
    parts = near.visible_parts()
    shares, areas, visible = near.placed.shares[near.rows], near.placed.shapes.areas[near.rows], parts.areas
    seen = np.divide(visible, areas, out=np.zeros(len(near)), where=areas > 0) * shares
    large = areas / shares * near.pixel_m.prod(axis=1) >= near.of_form("min_area_m2")
    large &= visible >= near.of_form("min_area_px")
    uncertainty_m = near.of_form("uncertainty_m")
    shown = visible > 0
    labelled = shown & large & (seen >= rules.min_visibility) & _has_exact_place(near, uncertainty_m)
    # What only comes near may reach in where its place is uncertain.
    _add_unknown(truths, near, (shown | (uncertainty_m > 0)) & ~labelled)
    _add_present(truths, near, shown & ~labelled & large & near.is_inside(uncertainty_m))
    _add_rows(
        truths, near.where(labelled), parts.take(np.flatnonzero(labelled)), np.where(seen > WHOLE, 1.0, seen)[labelled], rules
    )


def _add_rows(
    truths: Sequence[TileTruth], near: NearFeatures, parts: Shapes, visibility: FloatArray, rules: LabelRules
) -> None:
    categories = [rules.forms[number].category for number in near.forms.tolist()]
    names = near.placed.names[near.rows].tolist()
    rows = object_rows(parts, near.frames[:, :2], visibility, names, categories, rules.provenance, rules.outline)
    stops = np.searchsorted(near.tiles, np.arange(len(truths)), side="right").tolist()
    for truth, start, stop in zip(truths, [0, *stops], stops, strict=False):
        if start < stop:
            truth.objects.append(rows.slice(start, stop - start))
            truth.labelled |= set(categories[start:stop])


def _add_without_extent(truths: Sequence[TileTruth], near: NearFeatures, dated: Mask) -> None:
    """Points and lines without a width: of these only that they are there can be known."""
    bare = near.is_kind("point") | (near.is_kind("line") & ~near.of_form("width_m").astype(np.bool_))
    _add_unknown(truths, near, bare)
    visible = POINT_EXTENT_M**2 / near.pixel_m.prod(axis=1) >= near.of_form("min_area_px")
    _add_present(truths, near, bare & dated & visible & near.is_inside(near.of_form("uncertainty_m")))


def _add_covers(truths: Sequence[TileTruth], near: NearFeatures, rules: LabelRules) -> None:
    for number in np.unique(near.tiles).tolist():
        rows = near.rows[near.tiles == number]
        measure_covers(truths[number], near.placed.take(rows), near.views[number], rules)


def _has_exact_place(near: NearFeatures, uncertainty_m: FloatArray) -> Mask:
    """Whether the place of each object is known well enough for a box."""
    exact: Mask = uncertainty_m == 0
    doubtful = np.flatnonzero(~exact)
    if len(doubtful):
        sides = _shorter_sides_m(near.placed.shapes.take(near.rows[doubtful]).geometries, near.pixel_m[doubtful])
        exact[doubtful] = uncertainty_m[doubtful] <= BOX_SHARE * sides
    return exact


def _shorter_sides_m(geometries: Geometries, pixel_m: FloatArray) -> FloatArray:
    """Of the minimum rotated rectangle of each, on the ground. `pixel_m` (n, 2)."""
    points, index = shapely.get_coordinates(geometries, return_index=True)
    rectangles = shapely.minimum_rotated_rectangle(shapely.set_coordinates(geometries.copy(), points * pixel_m[index]))
    # Of a rectangle, area and perimeter give the sides: s (p / 2 - s) = a.
    half, areas = shapely.length(rectangles) / 2, shapely.area(rectangles)
    sides: FloatArray = (half - np.sqrt(np.maximum(half**2 - 4 * areas, 0.0))) / 2
    return sides
