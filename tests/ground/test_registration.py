"""Layers that were moved by a known amount are moved back, and stay where they are drawn where no shift can be known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from PIL import Image, ImageDraw

from rsflow.config.settings import BuildConfig
from rsflow.errors import ConfigError
from rsflow.ground.layer_shift import LayerShift
from rsflow.ground.registration import choose_windows, draw_cover
from rsflow.ground.scene_grid import SceneGrid
from rsflow.ground.scene_layer import SceneLayer
from rsflow.lake.tables import create_lake, open_lake
from rsflow.phases.build import run
from rsflow.planning.plan import make_plan
from rsflow.spatial.geometry import Window
from tests.ground.conftest import EAST, NORTH, settings, write_layer

SIZE, METRE = 256, 0.5
BUILDINGS = "ground/vector_imagery/alexandria_dsm_buildings"
JOPLIN = "ground/change/joplin_2011_nw"


def move(geometries: Any, east: float, north: float) -> Any:
    return shapely.transform(np.array(geometries, dtype=object), lambda found: found + np.array([east, north]))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[shapely.Polygon]]:
    """A picture of 49 houses, bright and dark, on rough ground, and their outlines in UTM."""
    rng = np.random.default_rng(5)
    picture = Image.fromarray(rng.normal(110, 12, (SIZE, SIZE)).clip(0, 255).astype(np.uint8))
    houses = []
    for row in range(16, SIZE - 20, 34):
        for col in range(16, SIZE - 20, 34):
            x, y = col + int(rng.integers(-6, 7)), row + int(rng.integers(-6, 7))
            wide, high = (int(value) for value in rng.integers(9, 18, 2))
            ImageDraw.Draw(picture).rectangle((x, y, x + wide - 1, y + high - 1), fill=int(rng.choice([40, 200])))
            houses.append(
                shapely.box(EAST + x * METRE, NORTH - (y + high) * METRE, EAST + (x + wide) * METRE, NORTH - y * METRE)
            )
    path = tmp_path_factory.mktemp("town") / "town.tif"
    transform = rasterio.Affine(METRE, 0, EAST, 0, -METRE, NORTH)
    profile = {"driver": "GTiff", "count": 3, "height": SIZE, "width": SIZE, "dtype": "uint8", "photometric": "RGB"}
    with rasterio.open(path, "w", crs="EPSG:32633", transform=transform, **profile) as out:
        out.write(np.stack([np.asarray(picture)] * 3))
    return path, houses


def configure(folder: Path, scene: Path, layer: Path, **options: Any) -> BuildConfig:
    entry = {"format": "vector", "files": str(layer), "options": {"category": "house", **options}}
    return settings(folder, str(scene), entry, tiles={"size_px": SIZE})


def shift_of(folder: Path, scene: Path, layer: Path, **registration: Any) -> LayerShift:
    (layers,) = make_plan(configure(folder, scene, layer, registration=registration), None).ground.of_scene.values()
    assert isinstance(layers[0], SceneLayer)
    assert layers[0].shift is not None
    return layers[0].shift


def labels(folder: Path, scene: Path, layer: Path, **options: Any) -> list[dict[str, Any]]:
    run(configure(folder, scene, layer, **options), ["label"])
    return open_lake(str(folder / "lake")).read("labels").to_pylist()


@pytest.mark.parametrize(("east", "north"), [(0.0, 0.0), (1.6, -2.3), (-4.1, 3.2)])
def test_a_moved_layer_is_found(tmp_path: Path, town: tuple[Path, list[shapely.Polygon]], east: float, north: float) -> None:
    scene, houses = town
    layer = write_layer(tmp_path / "a.gpkg", move(houses, east, north))
    found = shift_of(tmp_path, scene, layer)
    assert found.confidence > 0.6
    assert METRE / 2 <= found.remaining_uncertainty(5.0) < 2.0
    assert found.remaining_uncertainty(0.1) == 0.1
    assert (found.dx_m, found.dy_m) == (pytest.approx(-east, abs=0.2), pytest.approx(north, abs=0.2))


def test_labels_are_moved_back_and_say_so(tmp_path: Path, town: tuple[Path, list[shapely.Polygon]]) -> None:
    scene, houses = town
    layer = write_layer(tmp_path / "moved.gpkg", move(houses, 2.0, 1.5))
    assert {row["kind"] for row in labels(tmp_path, scene, layer, uncertainty_m=5.0)} == {"presence"}
    rows = labels(tmp_path, scene, layer, uncertainty_m=5.0, registration={})
    boxes = [row for row in rows if row["kind"] == "box" and row["revision"]]
    assert len(boxes) == len(houses)
    true = [
        [(x0 - EAST) / METRE, (NORTH - y1) / METRE, (x1 - EAST) / METRE, (NORTH - y0) / METRE]
        for x0, y0, x1, y1 in shapely.bounds(np.array(houses)).tolist()
    ]
    np.testing.assert_allclose(np.array(sorted(row["box"] for row in boxes)), np.array(sorted(true)), atol=0.5)
    assert all(row["revision"].startswith("moved by -4.") and "confidence 0." in row["revision"] for row in boxes)


def test_a_scene_smaller_than_the_search_is_planned(tmp_path: Path, town: tuple[Path, list[shapely.Polygon]]) -> None:
    scene, houses = town
    with rasterio.open(scene) as found:
        pixels, profile = found.read(window=((0, 64), (0, 64))), found.profile
    with rasterio.open(tmp_path / "small.tif", "w", **{**profile, "height": 64, "width": 64}) as out:
        out.write(pixels)
    layer = write_layer(tmp_path / "a.gpkg", houses)
    assert shift_of(tmp_path, tmp_path / "small.tif", layer, search_m=50.0).dx_px is None


def test_a_shift_that_is_not_corrected_makes_places_uncertain(tmp_path: Path, town: tuple[Path, list[shapely.Polygon]]) -> None:
    scene, houses = town
    layer = write_layer(tmp_path / "moved.gpkg", move(houses, 3.0, 4.0))
    found = shift_of(tmp_path, scene, layer, correct=False)
    assert not found.is_corrected
    assert found.remaining_uncertainty(1.0) == pytest.approx(5.0, abs=0.3)
    assert found.move(SceneGrid("EPSG:32633", (METRE, 0, EAST, 0, -METRE, NORTH))).transform[2] == EAST
    assert found.description.startswith("as drawn, misregistered by")


def test_where_nothing_agrees_no_shift_is_known(tmp_path: Path, town: tuple[Path, list[shapely.Polygon]]) -> None:
    scene, houses = town
    rng = np.random.default_rng(0)
    scattered = [move([house], *rng.uniform(-9, 9, 2))[0] for house in houses]
    found = shift_of(tmp_path, scene, write_layer(tmp_path / "scattered.gpkg", scattered))
    assert (found.dx_px, found.is_corrected) == (None, False)
    assert found.remaining_uncertainty(3.0) == 3.0
    few = shift_of(tmp_path, scene, write_layer(tmp_path / "few.gpkg", houses[:2]))
    assert few.dx_px is None


def test_a_shift_beyond_the_search_is_not_known(tmp_path: Path, town: tuple[Path, list[shapely.Polygon]]) -> None:
    scene, houses = town
    layer = write_layer(tmp_path / "far.gpkg", move(houses, 14.0, 0.0))
    assert shift_of(tmp_path, scene, layer, search_m=3.0).dx_px is None


def test_the_finding_is_kept_until_layer_or_scene_change(tmp_path: Path, town: tuple[Path, list[shapely.Polygon]]) -> None:
    scene, houses = town
    lake = create_lake(str(tmp_path / "lake"))
    for east, kept in ((1.0, 1), (1.0, 1), (2.0, 2)):
        layer = write_layer(tmp_path / "a.gpkg", move(houses, east, 0.0))
        plan = make_plan(configure(tmp_path, scene, layer, registration={}), lake)
        assert len(list((tmp_path / "lake/ground").glob("*.shift.json"))) == kept
        assert f"misregistration known of 1 of 1 scenes, median {east:.1f} m, corrected" in plan.ground.notes[0]


@pytest.mark.parametrize("wrong", [{"search_m": 0}, {"min_confidence": 2}, {"corect": True}])
def test_wrong_settings_are_refused(tmp_path: Path, town: tuple[Path, list[shapely.Polygon]], wrong: dict[str, Any]) -> None:
    layer = write_layer(tmp_path / "a.gpkg", town[1])
    with pytest.raises(ConfigError, match=f"registration.{next(iter(wrong))}"):
        shift_of(tmp_path, town[0], layer, **wrong)


@pytest.mark.parametrize(
    ("scene", "layer", "within_px"),
    [
        (f"{BUILDINGS}/dsm.tif", f"{BUILDINGS}/buildings.geojson", 0.5),
        (f"{JOPLIN}/pre_tile_337-9136.tif", f"{JOPLIN}/joplin.geojson", 0.5),
    ],
)
def test_real_footprints_moved_by_a_known_amount(
    test_data: Path, tmp_path: Path, scene: str, layer: str, within_px: float
) -> None:
    """Against the shift that they have as delivered: at Joplin 2.8 m, plain to the eye."""
    import pyogrio

    frame = pyogrio.read_dataframe(test_data / layer)
    with rasterio.open(test_data / scene) as dataset:
        crs, metre = dataset.crs, dataset.res[0]
        found = frame.to_crs(crs).geometry.to_numpy()
        found = found[shapely.intersects(found, shapely.box(*dataset.bounds))]
    shifts = [
        shift_of(
            tmp_path,
            test_data / scene,
            write_layer(tmp_path / f"{number}.gpkg", move(found, east * metre, north * metre), crs=crs.to_string()),
            search_m=10 * metre,
        )
        for number, (east, north) in enumerate([(0.0, 0.0), (2.7, -3.4)])
    ]
    before, after = ((shift.dx_px, shift.dy_px) for shift in shifts)
    assert None not in before
    assert None not in after
    assert math.dist((after[0] + 2.7, after[1] + 3.4), before) < within_px  # type: ignore[operator]  # no None, see above


def test_windows_lie_where_edges_are_and_are_spread() -> None:
    rng = np.random.default_rng(1)
    edges = np.concatenate([rng.uniform((100, 100), (300, 300), (50, 2)), rng.uniform((3000, 2000), (3200, 2200), (50, 2))])
    found = choose_windows(edges, np.ones(100), (2400, 4000), 384)
    assert {(window.row_off // 600, window.col_off // 1000) for window in found} >= {(0, 0), (3, 2)}
    for window in found:
        x0, y0, x1, y1 = window.box
        assert ((edges[:, 0] >= x0 - 96) & (edges[:, 0] < x1 + 96) & (edges[:, 1] >= y0 - 96) & (edges[:, 1] < y1 + 96)).any()
    assert choose_windows(edges[:0], np.ones(0), (2400, 4000), 384) == []


def test_a_pixel_is_as_bright_as_the_share_of_it_that_is_covered() -> None:
    cover = draw_cover(np.array([shapely.box(10.5, 20.25, 12, 22)], dtype=object), Window(20, 10, 4, 4))
    np.testing.assert_allclose(cover, [[0.375, 0.75, 0, 0], [0.5, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


def test_a_moved_grid_in_any_orientation() -> None:
    grid = SceneGrid("EPSG:32633", (3.0, 1.0, EAST, 1.5, -2.0, NORTH))
    xs, ys = grid.coordinates(np.array([5.0]), np.array([7.0]))
    assert [float(value[0]) for value in grid.shifted(2.5, -1.0).pixels(xs, ys)] == pytest.approx([7.5, 6.0])
