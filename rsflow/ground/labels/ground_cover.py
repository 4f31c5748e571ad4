"""What share of a tile the areas and lines of a layer cover, by category.

One idea: features of one category are united before they are measured, so ground that two polygons share counts once, and a
road is one area however many pieces it was drawn in. Shares are of the tile's valid pixels. A line is as wide as its form says,
measured on the ground, where pixels need not be square.

The share holds where the boundary, uncertain by `uncertainty_m` to both sides, could change it by at most `SHARE_ERROR`; else
the category is there if it is left after its edge is taken off by that much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.geometry.geometries import Geometries
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileTruth, TileView
from rsflow.records import UNKNOWN, Label, Provenance, Shape
from rsflow.spatial.geometry import FloatArray, Window, shift_box
from rsflow.spatial.polygons import from_geometry, parts_bounds, translate_parts

SHARE_ERROR = 0.02  # by which a share may be wrong
LENGTH_ERROR = 0.05  # of a length that a feature may lie from where it is drawn
LEAST_SHARE = 1e-9  # below it, arithmetic is all that there is
LEAST_WIDTH_PX = 1.0  # of a line that can be seen
CORNER_SEGMENTS = 4  # of a quarter circle, where lines are widen


def measure_covers(truth: TileTruth, placed: PlacedFeatures, tile: TileView, rules: LabelRules) -> None:
    """Add the shares of areas and lines to the truth, or what is known instead of a share."""
    frame = shapely.box(*tile.window.box)
    shown = frame if tile.fill_area is None else shapely.difference(frame, tile.fill_area)
    for category, rows in _by_category(truth, placed, tile, rules).items():
        forms = [rules.forms[placed.forms[row]] for row in rows]
        united = shapely.intersection(shapely.union_all(to_surfaces(placed.geometries[rows], forms, tile.pixel_m)), shown)
        if shapely.is_empty(united):
            continue
        reach = max(tile.reach(max(form.uncertainty_m for form in forms)))
        if not placed.period_known[rows].all() or not _is_visible(united, forms, tile):
            truth.unknown.add(category)
        elif reach * shapely.length(united) > SHARE_ERROR * shapely.area(frame):
            truth.unknown.add(category)
            if not shapely.is_empty(shapely.buffer(united, -reach)):
                truth.present.add(category)
        else:
            truth.covered.append(united)
            if all(form.kind == "area" for form in forms):
                truth.areas[category] = united
            shape = _largest(united, tile.window)
            truth.labels.append(Label("cover", category, rules.provenance, shape, value=_share(united, tile)))
            length_m = _length_m(placed.geometries[rows], shown, tile)
            if max(form.uncertainty_m for form in forms) <= LENGTH_ERROR * length_m:
                truth.line_lengths[category] = length_m


def unmapped_rest(covered: list[shapely.Geometry], tile: TileView) -> Label | None:
    """The cover UNKNOWN: the share of the tile that none of these areas covers, None where that is nothing."""
    rest = 1.0 - _share(shapely.union_all(covered), tile)
    return Label("cover", UNKNOWN, Provenance("annotation", "vector"), value=rest) if rest > LEAST_SHARE else None


def _by_category(truth: TileTruth, placed: PlacedFeatures, tile: TileView, rules: LabelRules) -> dict[str, list[int]]:
    """Rows of areas and of lines that are wide enough to be seen. Categories of narrower lines are unknown."""
    found: dict[str, list[int]] = defaultdict(list)
    for number in np.unique(placed.forms).tolist():
        form = rules.forms[number]
        if form.kind == "line" and form.width_m and max(tile.reach(form.width_m)) < LEAST_WIDTH_PX:
            truth.unknown.add(form.category)
        elif form.kind == "area" or (form.kind == "line" and form.width_m):
            found[form.category] += np.flatnonzero(placed.forms == number).tolist()
    return dict(sorted(found.items()))


def _is_visible(united: shapely.Geometry, forms: list[FeatureForm], tile: TileView) -> bool:
    """Whether the tile shows enough of it for the least areas of its forms."""
    size = float(shapely.area(united))
    return size * tile.pixel_m2 >= min(f.min_area_m2 for f in forms) and size >= min(f.min_area_px for f in forms)


def to_surfaces(geometries: Geometries, forms: Sequence[FeatureForm], pixel_m: tuple[float, float]) -> Geometries:
    """Polygons as they are, lines widened on the ground; anything else covers nothing."""
    widths = np.array([form.width_m or 0.0 for form in forms])
    narrow = shapely.get_dimensions(geometries) < 2
    found: Geometries = geometries.copy()
    found[narrow] = widen(geometries[narrow], widths[narrow], pixel_m)
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


def _length_m(geometries: Geometries, shown: shapely.Geometry, tile: TileView) -> float:
    """Of all lines among them, what two share once, within the shown ground; 0 where there are none."""
    lines = shapely.intersection(shapely.union_all(geometries[shapely.get_dimensions(geometries) == 1]), shown)
    return float(shapely.length(shapely.transform(lines, lambda found: found * np.array(tile.pixel_m))))


def _share(area: shapely.Geometry, tile: TileView) -> float:
    """Of the valid pixels; exact where all are valid, else by the middles of pixels."""
    window = tile.window
    if tile.valid is None:
        return min(1.0, float(shapely.area(area)) / (window.height_px * window.width_px))
    return float(_middles_inside(area, window)[tile.valid[: window.height_px, : window.width_px]].mean())


def draw_area(area: shapely.Geometry, tile: TileView, all_touched: bool = False) -> npt.NDArray[np.bool_]:
    """(rows, cols): which valid pixels of the tile have their middle in an area (pixels of the scene), or any part of them."""
    from rasterio import Affine
    from rasterio.features import rasterize

    window = tile.window
    shape = (window.height_px, window.width_px)
    place = Affine.translation(window.col_off, window.row_off)
    drawn = rasterize([area], shape, transform=place, all_touched=all_touched, dtype="uint8") == 1
    return np.asarray(drawn if tile.valid is None else drawn & tile.valid[: shape[0], : shape[1]])


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
