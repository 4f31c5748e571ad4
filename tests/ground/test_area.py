"""What tiles show of polygons adds up to the polygons: nothing is lost or counted twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from rsflow.config.annotation_settings import Annotations
from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.geometry.pixel_geometries import to_pixels
from rsflow.ground.geometry.shapes import Shapes, clip_shapes
from rsflow.ground.labels.tile_labels import label_tiles
from rsflow.ground.layer_settings import Rule, VectorOptions
from rsflow.ground.layer_store import layer_copy
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileView
from rsflow.ground.scene_grid import SceneGrid
from rsflow.ground.scene_layer import SceneLayer, read_window_features
from rsflow.records import Provenance
from rsflow.schemas import label_from_row
from rsflow.spatial.geometry import Window, enclosing_box
from rsflow.spatial.polygons import parts_area
from rsflow.tiles.grid import cover_windows
from tests.ground.conftest import write_layer

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


SCENES = {
    "north up": ("EPSG:32633", (2.0, 0.0, 500_000.0, 0.0, -2.0, 5_000_000.0)),
    "rotated": ("EPSG:32633", (1.6, 0.9, 500_000.0, 0.9, -1.6, 5_000_000.0)),
    "degrees": ("EPSG:4326", (3e-5, 0.0, 15.0, 0.0, -2e-5, 45.0)),
    "antimeridian": ("EPSG:4326", (3e-5, 0.0, 179.995, 0.0, -2e-5, 60.0)),
    "Mercator": ("EPSG:3857", (3.0, 0.0, 1_670_000.0, 0.0, -3.0, 5_620_000.0)),
}
SIDE, TILE = 512, 128


def made_features(grid: SceneGrid) -> np.ndarray:
    """Houses, rings with a yard, and pairs of both, some across the scene's edge, in longitudes that run on beyond 180."""
    random = np.random.default_rng(5)
    found = []
    for number in range(120):
        house = shapely.affinity.rotate(shapely.box(0, 0, *random.uniform(4, 160, 2)), random.uniform(0, 90))
        corner = shapely.affinity.translate(house, *random.uniform(-60, SIDE, 2))
        yard = shapely.difference(corner, shapely.affinity.scale(corner, 0.5, 0.3))
        two = shapely.union(yard, shapely.affinity.translate(corner, 200, 30))
        found.append((corner, yard, two)[number % 3])
    coordinates = shapely.transform(np.array(found, object), lambda x, y: grid.coordinates(x, y), interleaved=False)
    mapping = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    return shapely.transform(coordinates, lambda x, y: mapping.transform(x, y), interleaved=False)


@pytest.mark.parametrize("name", SCENES)
def test_a_layer_labels_the_area_that_it_has_on_a_scene(tmp_path: Path, name: str) -> None:
    """Whatever the scene's projection and rotation: summed over tiles and units, within 1e-9 of the whole."""
    grid = SceneGrid(*SCENES[name])
    features = made_features(grid)
    file = write_layer(tmp_path / "layer.gpkg", features, crs="EPSG:4326")
    rule = Rule(category="house", min_area_px=0.0)
    copy = layer_copy(Annotations("vector", str(file)), VectorOptions(rules=(rule,)), str(tmp_path), "here")
    summary = copy.summary
    layer = SceneLayer("b", summary.crs, "", None, (), None, "polygon", None, "", copy.file, summary.forms)
    windows = cover_windows(SIDE, SIDE, TILE)
    labelled = 0.0
    for unit in (windows[:8], windows[8:]):
        box = enclosing_box([window.box for window in unit])
        found = read_window_features(layer, str(tmp_path), grid, box, (2.0, 2.0), None)
        for truth in found.label([TileView(window, (2.0, 2.0)) for window in unit], 0.0):
            rows = [row for table in truth.truth.objects for row in table.to_pylist()]
            labelled += sum(parts_area(shape.area_parts) for row in rows if (shape := label_from_row(row).shape))
    placed, _ = to_pixels(features, "EPSG:4326", grid, (0.0, 0.0, SIDE, SIDE), 2.0)
    whole = shapely.area(shapely.intersection(placed, shapely.box(0, 0, SIDE, SIDE))).sum()
    assert whole > 4 * SIDE * SIDE / 10
    assert abs(labelled - whole) <= 1e-9 * whole
