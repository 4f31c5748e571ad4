"""What tiles show of polygons adds up to the polygons: nothing is lost or counted twice."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.geometry.shapes import Shapes, clip_shapes
from rsflow.ground.labels.tile_labels import label_tiles
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileView
from rsflow.records import Provenance
from rsflow.schemas import label_from_row
from rsflow.spatial.geometry import Window
from rsflow.spatial.polygons import parts_area

FROM = Provenance("annotation", "vector")
coordinates = st.floats(-40, 140, allow_nan=False).map(lambda value: round(value, 9))  # of a pixel
points = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9)


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Geometry:
    """A valid polygon, or several with holes, of some extent."""
    shape = shapely.make_valid(shapely.Polygon(draw(points)), method="structure", keep_collapsed=False)
    hole = shapely.convex_hull(shapely.MultiPoint(draw(points))).buffer(-10)
    return shapely.difference(shape, hole)


def tiles(size: int = 100, step: int = 25) -> list[Window]:
    return [Window(row, col, step, step) for row in range(0, size, step) for col in range(0, size, step)]


@given(st.lists(polygons(), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_the_parts_of_all_tiles_are_the_whole(shapes: list[shapely.Geometry]) -> None:
    every = np.array(shapes, dtype=object)
    whole = shapely.area(shapely.intersection(every, shapely.box(0, 0, 100, 100)))
    frames = [np.tile(np.array(tile.box, np.float64), (len(every), 1)) for tile in tiles()]
    found = sum(clip_shapes(Shapes.of(every), frame).areas for frame in frames)
    np.testing.assert_allclose(found, whole, rtol=1e-9, atol=1e-9 * 100 * 100)


@given(st.lists(polygons().filter(lambda shape: shape.area > 1), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_labels_hold_the_same_area(shapes: list[shapely.Geometry]) -> None:
    every = np.array(shapes, dtype=object)
    placed = PlacedFeatures(
        Shapes.of(every),
        np.ones(len(every)),
        np.zeros(len(every), np.int32),
        np.full(len(every), None),
        np.ones(len(every), np.bool_),
    )
    rules = LabelRules((FeatureForm("house", "object"),), FROM, "polygon", 0.0)
    views = [TileView(tile, (1.0, 1.0)) for tile in tiles()]
    rows = [rows for truth in label_tiles(placed, views, rules) for rows in truth.objects]
    labels = [label_from_row(row) for table in rows for row in table.to_pylist()]
    whole = shapely.area(shapely.intersection(every, shapely.box(0, 0, 100, 100))).sum()
    found = sum(parts_area(label.shape.area_parts) for label in labels if label.shape)
    assert abs(found - whole) <= 1e-9 * max(whole, 1e4)
