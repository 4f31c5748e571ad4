"""What lies where a tile has no valid pixels is not shown by it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.geometry.shapes import Shapes
from rsflow.ground.labels.tile_labels import label_tiles
from rsflow.ground.placed_features import LabelRules, PlacedFeatures, TileTruth, TileView
from rsflow.records import Provenance
from rsflow.spatial.geometry import Window

WINDOW = Window(100, 200, 64, 64)


def truth_of(geometry: shapely.Geometry, valid: np.ndarray, kind: str = "object") -> TileTruth:
    every = np.array([shapely.transform(geometry, lambda found: found + np.array([200.0, 100.0]))], object)
    placed = PlacedFeatures(Shapes.of(every), np.ones(1), np.zeros(1, np.int32), np.array([None]), np.ones(1, np.bool_))
    rules = LabelRules((FeatureForm("lake", kind),), Provenance("annotation", "vector"), "polygon", 0.3)
    (truth,) = label_tiles(placed, [TileView(WINDOW, (1.0, 1.0), valid)], rules)
    return truth


def valid_from(col: int) -> np.ndarray:
    found = np.zeros((64, 64), np.bool_)
    found[:, col:] = True
    return found


@pytest.mark.parametrize(("col", "box", "visibility"), [(0, [10, 20, 30, 40], 1.0), (15, [15, 20, 30, 40], 0.75)])
def test_the_fill_cuts_an_object_as_an_edge_does(col: int, box: list[float], visibility: float) -> None:
    (rows,) = truth_of(shapely.box(10, 20, 30, 40), valid_from(col)).objects
    (row,) = rows.to_pylist()
    assert (row["box"], row["visibility"]) == (box, pytest.approx(visibility))


def test_an_object_that_is_all_fill_is_not_there() -> None:
    truth = truth_of(shapely.box(10, 20, 30, 40), valid_from(32))
    assert not truth.objects
    assert not truth.present
    assert not truth.unknown


def test_an_object_of_which_little_shows_is_unknown() -> None:
    truth = truth_of(shapely.box(10, 20, 30, 40), valid_from(28))
    assert not truth.objects
    assert truth.unknown == {"lake"}


def test_specks_of_the_fill_value_hide_nothing() -> None:
    valid = np.random.default_rng(3).random((64, 64)) > 0.1
    (rows,) = truth_of(shapely.box(10, 20, 30, 40), valid).objects
    assert rows.to_pylist()[0]["visibility"] == 1.0


def test_land_cover_and_its_largest_region_end_at_the_fill() -> None:
    (label,) = truth_of(shapely.box(10, 20, 40, 40), valid_from(32), "area").labels
    assert label.shape
    assert label.shape.box == (32.0, 20.0, 40.0, 40.0)
    assert label.value == pytest.approx(8 * 20 / (32 * 64))
