"""A new version of a layer labels again only scenes whose ground changed; the same input gives the same rows."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely

from rsflow.config.annotation_settings import Annotations
from rsflow.errors import RsflowError
from rsflow.ground.layer_settings import VectorOptions
from rsflow.ground.layer_shift import LayerShift
from rsflow.ground.layer_store import layer_copy
from rsflow.ground.placed_features import TileView
from rsflow.ground.scene_grid import SceneGrid
from rsflow.ground.scene_layer import SceneLayer, read_window_features
from rsflow.inspection.vacuum import Retention, vacuum
from rsflow.lake.tables import create_lake
from rsflow.phases.build import run
from rsflow.planning.plan import make_plan
from rsflow.spatial.geometry import Window
from tests.ground.conftest import (
    EAST,
    NORTH,
    PIXEL,
    GroundBuild,
    assert_same_boxes,
    sample_records,
    settings,
    square,
    write_layer,
    write_scene,
)

OPTIONS = {"rules": [{"category": {"from": "kind"}}]}
HERE, THERE = [square(5, 5, 10), square(30, 20, 12)], [square(205, 5, 10)]


@pytest.fixture
def two(build: GroundBuild) -> GroundBuild:
    """Scene `b` lies 200 pixels east of scene `a`."""
    write_scene(build.folder / "scenes/b.tif", transform=(PIXEL, 0, EAST + 200 * PIXEL, 0, -PIXEL, NORTH))
    return build


def units(build: GroundBuild, file: Path, options: dict[str, Any] = OPTIONS, **more: Any) -> dict[str, str]:
    return {unit.scene_id: unit.id for unit in build.plan(file, options, **more).units}


def test_only_scenes_whose_ground_changed_are_labelled_again(two: GroundBuild, tmp_path: Path) -> None:
    file = tmp_path / "layer.gpkg"
    write_layer(file, [*HERE, *THERE], {"kind": ["house", "barn", "house"]})
    before = units(two, file)

    def again(geometries: list[Any], kinds: list[str], **options: Any) -> set[str]:
        file.unlink()
        write_layer(file, geometries, {"kind": kinds}, **options)
        after = units(two, file)
        return {scene for scene in after if after[scene] != before[scene]}

    assert again([*HERE, *THERE], ["house", "barn", "house"]) == set(), "written again"
    assert again([*THERE, *HERE[::-1]], ["house", "barn", "house"]) == set(), "in another order"
    assert again([*HERE, *HERE, *THERE], ["house", "barn", "house", "barn", "house"]) == set(), "twice"
    assert again([*HERE, *THERE, square(900, 5, 5)], ["house", "barn", "house", "tower"]) == set(), "more elsewhere"
    assert again([*HERE, square(206, 5, 10)], ["house", "barn", "house"]) == {"scenes.b"}, "moved"
    assert again([*HERE, *THERE], ["barn", "barn", "house"]) == {"scenes.a"}, "renamed"
    assert again([*HERE], ["house", "barn"]) == {"scenes.b"}, "gone"


@pytest.mark.parametrize(
    ("options", "far"),
    [
        ({"registration": {"search_m": 80.0}}, 7.0),
        ({"registration": {"search_m": 80.0, "correct": False}}, 7.0),
        ({"uncertainty_m": 50.0}, 4.0),
        ({}, None),
    ],
    ids=["shift", "uncorrected shift", "uncertainty", "neither"],
)
def test_a_feature_that_may_reach_into_a_scene_belongs_to_it(
    build: GroundBuild, tmp_path: Path, options: dict[str, Any], far: float | None
) -> None:
    """A square whose right side is `far` pixels left of the scene may lie in it; one 60 pixels away may not."""
    found = []
    for number, away in enumerate((far or 1.0, 60.0)):
        geometries = [*HERE, square(-10.0 - away, 40, 10)]
        (tmp_path / f"{number}").mkdir()
        near = write_layer(tmp_path / f"{number}/near.gpkg", geometries, {"kind": ["house"] * 3})
        alone = write_layer(tmp_path / f"{number}/alone.gpkg", HERE, {"kind": ["house"] * 2})
        layers = [build.plan(file, {**OPTIONS, **options}).ground.of_scene["scenes.a"][0] for file in (near, alone)]
        found.append(layers[0].digest != layers[1].digest)
    assert found == [far is not None, False]


def test_a_wide_line_beside_a_scene_belongs_to_it(build: GroundBuild, tmp_path: Path) -> None:
    options = {"rules": [{"category": "road", "kind": "line", "width_m": 60.0}]}
    roads = [
        shapely.LineString([(EAST + col * PIXEL, NORTH - 900), (EAST + col * PIXEL, NORTH - 100)]) for col in (50, -2, -30)
    ]
    digests = []
    for number, lines in enumerate((roads[:1], roads[:2], [roads[0], roads[2]])):
        layer = write_layer(tmp_path / f"{number}.gpkg", lines)
        digests.append(build.plan(layer, options).ground.of_scene["scenes.a"][0].digest)
    assert digests[0] == digests[2] != digests[1]


@pytest.mark.parametrize("interest", [False, True])
def test_a_layer_that_reaches_beyond_a_scene_is_complete_in_all_of_it_when_moved(
    build: GroundBuild, tmp_path: Path, interest: bool
) -> None:
    layer = write_layer(tmp_path / "layer.gpkg", [*HERE, square(-80, -80, 5), square(200, 200, 5)], {"kind": ["house"] * 4})
    options: dict[str, Any] = {**OPTIONS, "registration": {"search_m": 50.0}}
    if interest:
        options["area_of_interest"] = str(write_layer(tmp_path / "interest.gpkg", [square(-90, -90, 400)]))
    config = build.config(layer, options, entry={"exhaustive": True})
    planned = make_plan(config, create_lake(config.root)).ground.of_scene["scenes.a"][0]
    assert isinstance(planned, SceneLayer)
    grid = SceneGrid("EPSG:32633", (PIXEL, 0, EAST, 0, -PIXEL, NORTH))
    tiles = [TileView(Window(row, col, 64, 64), (PIXEL, PIXEL)) for row in (0, 64) for col in (0, 64)]
    for dx, dy in ((0.0, 0.0), (3.0, -2.0), (-5.0, 5.0)):
        moved = replace(planned, shift=LayerShift(0.9, dx, dy, dx * PIXEL, dy * PIXEL, 5.0, True))
        window = read_window_features(moved, config.root, grid, (0.0, 0.0, 128.0, 128.0), (PIXEL, PIXEL), None)
        assert [truth.complete for truth in window.label(tiles, 0.3)] == [("house",)] * 4


def test_a_second_build_does_nothing_and_a_new_scene_only_its_own(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "layer.gpkg", [*HERE, *THERE], {"kind": ["house", "barn", "house"]})
    config = build.config(file, OPTIONS)
    run(config, ["label"])
    copies = sorted((tmp_path / "lake/ground").iterdir())
    times = [path.stat().st_mtime_ns for path in copies]
    again = run(config, ["label"])
    assert again.planned.units == 0
    write_scene(tmp_path / "scenes/b.tif", transform=(PIXEL, 0, EAST + 200 * PIXEL, 0, -PIXEL, NORTH))
    assert run(config, ["label"]).planned.units == 1
    assert [path.stat().st_mtime_ns for path in copies] == times, "the layer is not read again"


def test_a_plan_without_a_lake_writes_nothing(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "layer.gpkg", HERE, {"kind": ["house", "barn"]})
    before = sorted(tmp_path.rglob("*"))
    build.plan(file, OPTIONS)
    assert sorted(tmp_path.rglob("*")) == before


def test_labels_do_not_depend_on_how_tiles_are_grouped(build: GroundBuild, tmp_path: Path) -> None:
    """One read for all tiles and a read for each give the same labels; so do other parts of the curve in the copy."""
    random = np.random.default_rng(3)
    shapes = [
        shapely.affinity.rotate(square(*random.uniform(0, 120, 2), *random.uniform(2, 25, 2)), random.uniform(0, 90))
        for _ in range(60)
    ]
    file = write_layer(tmp_path / "layer.gpkg", shapes, {"kind": ["house", "barn"] * 30})
    found = []
    for unit_mb in (64.0, 0.01):
        fresh = GroundBuild(tmp_path / f"build{unit_mb}")
        tiles = {"size_px": 32, "overlap_px": 8, "unit_mb": unit_mb}
        rows = fresh.labels(file, OPTIONS, tiles=tiles)
        found.append([{name: row[name] for name in row if name not in ("unit", "receipt")} for row in rows])
    assert len(found[0]) > 60
    assert found[0] == found[1]


def test_a_layer_and_a_lake_on_s3(bucket: str, build: GroundBuild, tmp_path: Path) -> None:
    import s3fs

    shapefile = write_layer(tmp_path / "layer.shp", HERE, {"kind": ["house", "barn"]})
    remote = s3fs.S3FileSystem(skip_instance_cache=True)
    for path in tmp_path.glob("layer.*"):
        remote.put(str(path), f"{bucket}/layers/{path.name}")
    entry = {"format": "vector", "files": f"s3://{bucket}/layers/*", "options": OPTIONS}
    config = settings(tmp_path, f"{tmp_path}/scenes/*.tif", entry, root=f"s3://{bucket}/lake")
    outcome = run(config, ["label"])
    rows = outcome.lake.read("labels").to_pylist()
    assert_same_boxes([row["box"] for row in rows], [[5, 5, 15, 15], [30, 20, 42, 32]])
    assert run(config, ["label"]).planned.units == 0
    assert shapefile.exists()


def test_names_are_kept_only_where_that_is_asked(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "layer.gpkg", HERE, {"kind": ["house", "house"], "name": ["The Manor", None]})
    assert {row["text"] for row in build.labels(file, OPTIONS)} == {""}
    shutil.rmtree(tmp_path / "lake")
    assert sorted(row["text"] for row in build.labels(file, {**OPTIONS, "name_attribute": "name"})) == ["", "The Manor"]


def test_several_layers_of_one_source_label_together(build: GroundBuild, tmp_path: Path) -> None:
    houses = write_layer(tmp_path / "houses.gpkg", HERE, {"kind": ["house", "house"]})
    roads = write_layer(tmp_path / "roads.gpkg", [square(0, 50, 128, 4)], {"kind": ["road"]})
    entries = [
        {"format": "vector", "files": str(houses), "options": OPTIONS},
        {"format": "vector", "files": str(roads), "options": {"rules": [{"category": "road", "kind": "area"}]}},
    ]
    config = settings(tmp_path, f"{tmp_path}/scenes/*.tif", entries)
    run(config, ["label"])
    rows = [row for row in build.rows("labels") if row["tile_id"] == "scenes.a/0_0_64"]
    found = {(row["kind"], row["category"], row["model"]) for row in rows}
    assert {("box", "house", "houses.gpkg"), ("cover", "road", "roads.gpkg")} <= found
    assert make_plan(config, None).ground.of_scene["scenes.a"][1].digest


def test_samples_name_the_licences_and_attribution_of_the_layers_that_they_rest_on(build: GroundBuild, tmp_path: Path) -> None:
    houses = write_layer(tmp_path / "houses.gpkg", HERE, {"kind": ["house", "house"]})
    entry = {"licence": "ODbL-1.0", "attribution": "© OpenStreetMap contributors"}
    build.labels(houses, OPTIONS, entry=entry)
    tiles = {row["tile_id"]: (row["licence"], row["attribution"]) for row in build.rows("tiles")}
    assert tiles["scenes.a/0_0_64"] == ("CC-BY-4.0 AND ODbL-1.0", ["© OpenStreetMap contributors"])
    assert tiles["scenes.a/64_64_64"] == ("CC-BY-4.0", None), "no label of the layer"
    config = build.config(houses, OPTIONS, entry=entry)
    records = sample_records(run(config))
    (credited,) = [record for record in records if "attribution" in record]
    assert (credited["licence"], credited["attribution"]) == tiles["scenes.a/0_0_64"]
    allowed = build.config(houses, OPTIONS, entry=entry, select={"allow_licences": ["CC-BY-4.0"]})
    with pytest.raises(RsflowError, match="no sample was selected"):
        run(allowed)


def test_copies_of_former_layers_go_when_what_is_former_goes(build: GroundBuild, tmp_path: Path) -> None:
    root = build.folder / "lake"
    old, new = (write_layer(tmp_path / f"{name}.gpkg", [square(5, 5, width)]) for name, width in (("old", 20), ("new", 24)))
    run(build.config(old, {"category": "house"}))
    before = set((root / "ground").iterdir())
    run(build.config(new, {"category": "house"}))
    current = set((root / "ground").iterdir()) - before
    assert (len(before), len(current)) == (2, 2)
    assert not [part for part in vacuum(str(root), Retention(hours=0)) if part.folder == "ground"], (
        "former ones stay unless asked"
    )
    vacuum(str(root), Retention(hours=0, former=False), delete=True)
    assert set((root / "ground").iterdir()) == current
    run(build.config(new, {"category": "house"}))
    assert len(build.rows("labels")) > 0


def test_labels_do_not_depend_on_the_units_that_a_scene_is_divided_into(tmp_path: Path) -> None:
    """One read labels all tiles of a unit; a scene of one unit and of four, with fill in one tile, has the same labels."""
    found = []
    for folder, unit_mb in (("one", 64.0), ("four", 0.0125)):
        build = GroundBuild(tmp_path / folder)
        with rasterio.open(build.scene, "r+") as scene:
            scene.nodata = 0
            scene.write(np.zeros((3, 30, 64), np.uint8), window=rasterio.windows.Window(0, 0, 64, 30))
        shapes = [square(5 + 13 * n, 9 * n, 12, 9) for n in range(9)] + [
            square(20, 60, 80, 10).difference(square(40, 62, 9, 3))
        ]
        file = write_layer(tmp_path / folder / "layer.gpkg", shapes)
        rows = build.labels(file, {"category": "house"}, tiles={"size_px": 64, "unit_mb": unit_mb})
        found.append([(row["tile_id"], row["box"], row["polygon"], row["parts"], row["visibility"]) for row in rows])
    assert len(found[0]) > 6
    assert sorted(found[0], key=repr) == sorted(found[1], key=repr)


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_a_damaged_copy_is_made_again(tmp_path: Path, suffix: str) -> None:
    square = {"type": "Polygon", "coordinates": [[[3.0, 50.0], [3.001, 50.0], [3.001, 50.001], [3.0, 50.0]]]}
    feature = {"type": "Feature", "properties": {}, "geometry": square}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    entry = Annotations("vector", str(tmp_path / "a.geojson"))

    def copy() -> Any:
        return layer_copy(entry, VectorOptions(category="house"), str(tmp_path / "lake"), "here")

    made = copy()
    file = (tmp_path / "lake" / made.file).with_suffix(suffix)
    whole = file.read_bytes()
    for bit in range(0, 8 * len(whole), 997):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        assert (copy(), file.read_bytes()) == (made, whole)
