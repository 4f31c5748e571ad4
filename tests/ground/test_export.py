"""Labels written back in ground coordinates are where they came from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from rsflow.exports import export
from rsflow.ground.files import geoparquet
from rsflow.ground.geometry.pixel_geometries import to_pixels
from rsflow.ground.scene_grid import SceneGrid
from rsflow.phases.build import run
from tests.ground.conftest import GroundBuild, write_layer, write_scene

GRIDS = {
    "utm": ("EPSG:32633", (10.0, 0, 500_000.0, 0, -10.0, 5_000_000.0)),
    "degrees": ("EPSG:4326", (1e-4, 0, 15.0, 0, -1e-4, 60.0)),
    "mercator": ("EPSG:3857", (10.0, 0, 1_600_000.0, 0, -10.0, 9_000_000.0)),
    "rotated": ("EPSG:32633", (8.0, 6.0, 500_000.0, 6.0, -8.0, 5_000_000.0)),
    "antimeridian": ("EPSG:32760", (10.0, 0, 833_000.0, 0, -10.0, 8_200_000.0)),
    "polar": ("EPSG:3995", (10.0, 0, 100_000.0, 0, -10.0, 200_000.0)),
}


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("form", ["geojson", "geoparquet"])
def test_a_round_trip_keeps_outlines_to_a_tenth_of_a_pixel(build: GroundBuild, tmp_path: Path, name: str, form: str) -> None:
    crs, transform = GRIDS[name]
    write_scene(build.scene, crs, transform)
    grid = SceneGrid(crs, transform)
    houses = [shapely.box(9, 7, 30, 25), shapely.box(70, 10, 90, 31), shapely.Polygon([(20, 80), (40, 70), (50, 100)])]
    on_ground = [shapely.transform(house, lambda x, y: grid.coordinates(x, y), interleaved=False) for house in houses]
    file = write_layer(tmp_path / "houses.gpkg", on_ground, crs=crs)
    run(build.config(file, {"category": "house"}, select={"splits": {"train": 1.0}}))
    tally = export(str(tmp_path / "lake"), form, str(tmp_path / "out"))
    assert tally.records == 3
    if form == "geojson":
        meta, _, wkb, _ = pyogrio.raw.read(tmp_path / "out/labels_train.geojson")
        assert meta["crs"] == "EPSG:4326"
        written = shapely.from_wkb(wkb)
    else:
        tables = list(geoparquet.read_batches(str(tmp_path / "out/labels_train.parquet"), (), 1000))
        assert geoparquet.read_description(str(tmp_path / "out/labels_train.parquet"))[0] == "OGC:CRS84"
        written = shapely.from_wkb(np.concatenate([table["geometry"].to_numpy() for table in tables]))
    back, _ = to_pixels(written, "EPSG:4326", grid, (0.0, 0.0, 128.0, 128.0), 10.0)
    for house in houses:
        assert min(shapely.hausdorff_distance(house, found) for found in back) < 0.1


def test_features_name_what_they_are_and_tiles_have_outlines(build: GroundBuild, tmp_path: Path) -> None:
    house = shapely.box(500_100, 4_999_700, 500_300, 4_999_900)
    file = write_layer(tmp_path / "houses.gpkg", [house])
    entry = {"licence": "ODbL-1.0", "attribution": "OSM", "exhaustive": True}
    run(build.config(file, {"category": "house"}, entry=entry, select={"splits": {"train": 1.0}}))
    export(str(tmp_path / "lake"), "geojson", str(tmp_path / "out"))
    (feature,) = json.loads((tmp_path / "out/labels_train.geojson").read_text())["features"]
    assert feature["id"] == "scenes.a/0_0_64#0"
    expected = {"category": "house", "origin": "annotation", "licence": "CC-BY-4.0 AND ODbL-1.0", "attribution": "OSM"}
    assert expected.items() <= feature["properties"].items()
    tiles = json.loads((tmp_path / "out/tiles_train.geojson").read_text())["features"]
    assert feature["properties"]["tile_id"] in {tile["id"] for tile in tiles}
    assert all(shapely.geometry.shape(tile["geometry"]).is_valid for tile in tiles)
