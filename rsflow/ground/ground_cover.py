"""What share of a tile the areas and lines of a layer cover, by category.

One idea: features of one category are united before they are measured, so ground that two polygons share counts once, and a
road is one area however many pieces it was drawn in. Shares are of the tile's valid pixels. A line is as wide as its form says,
measured on the ground, where pixels need not be square.

The share holds where the boundary, uncertain by `uncertainty_m` to both sides, could change it by at most `SHARE_ERROR`; else
the category is there if it is left after its edge is taken off by that much.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt
import shapely

from rsflow.ground.classify import FeatureForm
from rsflow.ground.geometries import Geometries
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileView
from rsflow.records import UNKNOWN, Label, Shape
from rsflow.spatial.geometry import FloatArray, Window, shift_box
from rsflow.spatial.polygons import from_geometry, parts_bounds, translate_parts

SHARE_ERROR = 0.02  # by which a share may be wrong
CORNER_SEGMENTS = 4  # of a quarter circle, where lines are widen


def measure_covers(placed: PlacedFeatures, tile: TileView, rules: LabelRules) -> tuple[list[Label], list[str], set[str]]:
    """(covers in tile pixels, categories that are there without a known share, categories of which more may be there).

    What no feature covers is the cover UNKNOWN; whoever knows that a layer is exhaustive takes it away.
    """
    frame = shapely.box(*tile.window.box)
    labels: list[Label] = []
    present: list[str] = []
    unknown: set[str] = set()
    areas: list[shapely.Geometry] = []
    for category, rows in _by_category(placed, rules).items():
        forms = [rules.forms[placed.forms[row]] for row in rows]
        uncertainty_m = max(form.uncertainty_m for form in forms)
        united = shapely.intersection(shapely.union_all(_surfaces(placed.geometries[rows], forms, tile)), frame)
        if not all(placed.period_known[row] for row in rows):
            unknown.add(category)
            continue
        size = float(shapely.area(united))
        if size == 0 or size * tile.pixel_m2 < forms[0].min_area_m2 or size < forms[0].min_area_px:
            unknown |= {category} if size else set()
            continue
        reach = max(tile.reach(uncertainty_m))
        if uncertainty_m and reach * shapely.length(united) > SHARE_ERROR * shapely.area(frame):
            left = shapely.buffer(united, -reach)
            present += [category] if not shapely.is_empty(left) else []
            unknown.add(category)
            continue
        areas.append(united)
        labels.append(Label("cover", category, rules.provenance, _largest(united, tile.window), value=_share(united, tile)))
    if areas:
        rest = max(0.0, 1.0 - _share(shapely.union_all(areas), tile))
        labels += [Label("cover", UNKNOWN, rules.provenance, value=rest)] if rest > 1e-9 else []
    return labels, present, unknown


def _by_category(placed: PlacedFeatures, rules: LabelRules) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for row, number in enumerate(placed.forms.tolist()):
        form = rules.forms[number]
        if form.kind == "area" or (form.kind == "line" and form.width_m):
            found[form.category].append(row)
    return dict(sorted(found.items()))


def _surfaces(geometries: Geometries, forms: list[FeatureForm], tile: TileView) -> Geometries:
    """Polygons as they are, lines widened on the ground; anything else covers nothing."""
    widths = np.array([form.width_m or 0.0 for form in forms])
    narrow = shapely.get_dimensions(geometries) < 2
    found: Geometries = geometries.copy()
    found[narrow] = widen(geometries[narrow], widths[narrow], tile.pixel_m)
    return found


def widen(geometries: Geometries, widths_m: FloatArray, pixel_m: tuple[float, float]) -> Geometries:
    """The ground within half of its width of each geometry (pixels): lines end where they end, a point becomes a disc."""
    size = np.array(pixel_m)
    on_ground = shapely.transform(geometries, lambda found: found * size)
    points = shapely.get_dimensions(geometries) == 0
    wide = np.where(
        points,
        shapely.buffer(on_ground, widths_m / 2, quad_segs=CORNER_SEGMENTS),
        shapely.buffer(on_ground, widths_m / 2, quad_segs=CORNER_SEGMENTS, cap_style="flat"),
    )
    found: Geometries = shapely.transform(wide, lambda found: found / size)
    return found


def _share(area: shapely.Geometry, tile: TileView) -> float:
    """Of the valid pixels; exact where all are valid, else by the middles of pixels."""
    window = tile.window
    if tile.valid is None:
        return min(1.0, float(shapely.area(area)) / (window.height_px * window.width_px))
    return float(_middles_inside(area, window)[tile.valid[: window.height_px, : window.width_px]].mean())


def _middles_inside(area: shapely.Geometry, window: Window) -> npt.NDArray[np.bool_]:
    xs = window.col_off + np.arange(window.width_px) + 0.5
    ys = window.row_off + np.arange(window.height_px) + 0.5
    shapely.prepare(area)
    inside: npt.NDArray[np.bool_] = shapely.contains_xy(area, *np.meshgrid(xs, ys))
    return inside


def _largest(area: shapely.Geometry, window: Window) -> Shape:
    """The largest connected part, in tile pixels."""
    pieces = shapely.get_parts(area)
    part = from_geometry(pieces[int(np.argmax(shapely.area(pieces)))])
    dx, dy = -float(window.col_off), -float(window.row_off)
    return Shape.of_parts(shift_box(parts_bounds(part), dx, dy), translate_parts(part, dx, dy))
