"""Every format that holds the same features gives the same labels, wherever both lie on the globe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS, Transformer

from tests.ground.conftest import GroundBuild, assert_same_boxes, square, write_layer, write_scene

SHAPES = [
    square(5, 6, 10),
    square(30, 20, 8, 14),
    square(60, 40, 10),
    shapely.difference(square(90, 90, 20), square(95, 95, 5)),
]
KINDS = ["house", "barn", "house", "hall"]
BOXES = [
    [5, 6, 15, 16],
    [30, 20, 38, 34],
    [60, 40, 64, 50],  # a square across two tiles
    [0, 40, 6, 50],
    [26, 26, 46, 46],
]
OPTIONS = {"rules": [{"category": {"from": "kind"}}]}
FORMATS = {
    "geojson": {"COORDINATE_PRECISION": "12"},
    "gpkg": {},
    "shp": {},
    "fgb": {},
    "gml": {},
    "kml": {"driver": "LIBKML"},
    "geojsonl": {"driver": "GeoJSONSeq", "COORDINATE_PRECISION": "12"},
}


def boxes(rows: list[dict[str, object]]) -> list[list[float]]:
    return [row["box"] for row in rows if row["kind"] == "box"]  # type: ignore[misc]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_format_gives_the_labels_of_its_features(build: GroundBuild, tmp_path: Path, suffix: str) -> None:
    options = dict(FORMATS[suffix])
    file = write_layer(tmp_path / f"layer.{suffix}", SHAPES, {"kind": KINDS}, file_crs="EPSG:4326", **options)
    rows = build.labels(file, OPTIONS)
    assert_same_boxes(boxes(rows), BOXES, within=1e-3)
    assert sorted(row["category"] for row in rows) == ["barn", "hall", "house", "house", "house"]
    (hall,) = [row for row in rows if row["category"] == "hall"]
    assert [len(part) for part in hall["parts"]] == [2], "the hole is kept"


def test_geoparquet_gives_the_same_labels(build: GroundBuild, tmp_path: Path) -> None:
    column = {"encoding": "WKB", "geometry_types": ["Polygon"], "crs": CRS("EPSG:32633").to_json_dict()}
    geo = {"version": "1.1.0", "primary_column": "where", "columns": {"where": column}}
    table = pa.table({"kind": KINDS, "where": shapely.to_wkb(np.array(SHAPES))})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), tmp_path / "layer.parquet")
    assert_same_boxes(boxes(build.labels(tmp_path / "layer.parquet", OPTIONS)), BOXES)


@pytest.mark.parametrize(
    "crs", ["EPSG:4326", "EPSG:3857", "EPSG:32632", "EPSG:3035", "EPSG:4267", "+proj=laea +lat_0=45 +lon_0=15"]
)
def test_a_layer_may_have_any_reference_system(build: GroundBuild, tmp_path: Path, crs: str) -> None:
    file = write_layer(tmp_path / "layer.gpkg", SHAPES, {"kind": KINDS}, file_crs=crs)
    assert_same_boxes(boxes(build.labels(file, OPTIONS)), BOXES, within=1e-3)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:3035", "+proj=sinu +R=6371007.181"])
def test_a_scene_may_have_any_reference_system(build: GroundBuild, tmp_path: Path, crs: str) -> None:
    """A square of the scene's own pixels is that box, whichever system the layer is in."""
    x, y = Transformer.from_crs("EPSG:32633", crs, always_xy=True).transform(500_000.0, 5_000_000.0)
    step = 1e-4 if crs == "EPSG:4326" else 10.0
    write_scene(build.scene, crs, (step, 0, x, 0, -step, y))
    mine = shapely.box(x + 10 * step, y - 30 * step, x + 22 * step, y - 14 * step)
    file = write_layer(tmp_path / "layer.gpkg", [mine], crs=crs, file_crs=None)
    assert_same_boxes(boxes(build.labels(file, {"category": "house"})), [[10, 14, 22, 30]])
    mapping = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    fine = shapely.transform(shapely.segmentize(mine, step), lambda a, b: mapping.transform(a, b), interleaved=False)
    file = write_layer(tmp_path / "other.gpkg", [fine], crs="EPSG:4326")
    rows = build.labels(file, {"category": "barn"})
    assert_same_boxes(boxes([row for row in rows if row["category"] == "barn"]), [[10, 14, 22, 30]], within=0.05)


@pytest.mark.parametrize("west", [179.99, -180.004, 179.998])
def test_scenes_and_features_meet_across_the_antimeridian(build: GroundBuild, tmp_path: Path, west: float) -> None:
    """RFC 7946 cuts a feature at 180 degrees; another file lets its longitudes run on. Both are one object."""
    write_scene(build.scene, "EPSG:4326", (1e-4, 0, west, 0, -1e-4, 10.0))
    east = west if west > 0 else west + 360.0  # of the scene, from 179.99 on
    cut = shapely.MultiPolygon([shapely.box(179.9985, 9.996, 180.0, 9.998), shapely.box(-180.0, 9.996, -179.999, 9.998)])
    running = shapely.box(179.9985, 9.996, 180.001, 9.998)
    x0 = (179.9985 - east) / 1e-4
    tile = 64 * (x0 // 64)
    expected = sum(
        max(0.0, min(stop, x0 + 25) - max(start, x0)) for start, stop in ((tile, tile + 64), (tile + 64, tile + 128))
    )
    for number, geometry in enumerate((cut, running)):
        file = write_layer(tmp_path / f"layer{number}.gpkg", [geometry], crs="EPSG:4326")
        rows = [row for row in build.labels(file, {"category": f"kind {number}"}) if row["category"] == f"kind {number}"]
        widths = [box[2] - box[0] for box in boxes(rows)]
        assert sum(widths) == pytest.approx(expected, abs=1e-3)
        assert {round(box[3] - box[1], 3) for box in boxes(rows)} == {20.0}


def test_a_layer_of_boxes_only_has_no_outlines_unless_that_is_asked_for(build: GroundBuild, tmp_path: Path) -> None:
    boxes = [square(4 + 10 * (i % 5), 4 + 20 * (i // 5), 6, 8) for i in range(10)]
    for shapes, options, has_outlines in (
        (boxes, {}, False),
        (boxes, {"outline": "polygon"}, True),
        ([*boxes[:9], boxes[9].buffer(0.0).convex_hull.intersection(shapely.affinity.rotate(boxes[9], 20))], {}, True),
        (boxes[:9], {}, True),  # so few may be what they look like
    ):
        file = write_layer(tmp_path / f"{len(list(tmp_path.iterdir()))}.geojson", shapes, file_crs="EPSG:32633")
        rows = GroundBuild(tmp_path / f"build{file.stem}").labels(file, {"category": "house", "crs": "EPSG:32633", **options})
        found = [row for row in rows if row["kind"] == "box" and row["tile_id"].endswith("/0_0_64")]
        assert len(found) == len(shapes)
        assert {bool(len(row["polygon"])) for row in found} == {has_outlines}
