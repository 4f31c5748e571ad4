"""What is wrong with a layer is told by file, layer and value before any tile is cut."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import shapely

from rsflow.errors import ConfigError
from rsflow.ground.files.layer_files import list_layers
from rsflow.planning.sources.annotation_rejects import lost_annotations
from tests.ground.conftest import GroundBuild, square, write_layer, write_scene

HOUSE = {"category": "house"}


def told(build: GroundBuild, files: Path | str, options: dict[str, Any] | None = None, **more: Any) -> str:
    with pytest.raises(ConfigError) as found:
        build.plan(files, HOUSE if options is None else options, **more)
    return str(found.value)


def test_a_layer_without_a_reference_system_is_refused_until_it_is_stated(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "bare.shp", [square(5, 5, 20)], crs=None)
    text = told(build, file)
    assert "bare.shp" in text
    assert "names no coordinate reference system" in text
    assert "options.crs" in text
    assert len(build.plan(file, {**HOUSE, "crs": "EPSG:32633"}).ground.of_scene) == 1


def test_a_layer_of_other_ground_names_both_bounding_boxes(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "far.gpkg", [square(5000, 5, 20)])
    text = told(build, file)
    assert "overlaps none of the 1 scenes" in text
    assert "(550000, 4999750, 550200, 4999950)" in text, "of the layer"
    assert "(500000, 4998720, 501280, 5000000)" in text, "of the scenes, in the same coordinates"


def test_metres_in_a_file_of_degrees_are_suspected(build: GroundBuild, tmp_path: Path) -> None:
    shape = shapely.geometry.mapping(square(5, 5, 20))
    features = [{"type": "Feature", "properties": {}, "geometry": shape}]
    (tmp_path / "metres.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert "these are no degrees" in told(build, tmp_path / "metres.geojson")
    plan = build.plan(tmp_path / "metres.geojson", {**HOUSE, "crs": "EPSG:32633"})
    assert all(layer.digest for layers in plan.ground.of_scene.values() for layer in layers)


def test_exchanged_latitudes_and_longitudes_are_suspected(build: GroundBuild, tmp_path: Path) -> None:
    right = write_layer(tmp_path / "right.geojson", [square(5, 5, 20)], file_crs="EPSG:4326")
    record = json.loads(right.read_text())
    for ring in record["features"][0]["geometry"]["coordinates"]:
        ring[:] = [[y, x] for x, y in ring]
    (tmp_path / "swapped.geojson").write_text(json.dumps(record))
    assert "latitudes stand where longitudes belong" in told(build, tmp_path / "swapped.geojson")


def test_an_empty_layer(build: GroundBuild, tmp_path: Path) -> None:
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    assert "has no feature at all" in told(build, tmp_path / "empty.geojson")


def test_damaged_and_absent_files(build: GroundBuild, tmp_path: Path) -> None:
    (tmp_path / "cut.geojson").write_text('{"type": "FeatureCollection", "features": [{"type": "Fea')
    assert "cut.geojson: cannot read it as a vector file" in told(build, tmp_path / "cut.geojson")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 nothing")
    assert "cut.parquet: cannot read it as Parquet" in told(build, tmp_path / "cut.parquet")
    (tmp_path / "cut.gpkg").write_bytes(b"SQLite format 3\0" + bytes(200))
    assert "cut.gpkg" in told(build, tmp_path / "cut.gpkg")
    assert "matches no file" in told(build, tmp_path / "absent*.gpkg")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_locked_file(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "locked.gpkg", [square(5, 5, 20)])
    file.chmod(0)
    assert "locked.gpkg" in told(build, file)


def test_a_layer_that_is_not_there(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "two.gpkg", [square(5, 5, 20)], layer="houses")
    assert "has no layer 'roads'; its layers: houses" in told(build, file, {**HOUSE, "layers": ["roads"]})


def test_files_of_different_reference_systems(build: GroundBuild, tmp_path: Path) -> None:
    for number, crs in enumerate(("EPSG:32633", "EPSG:4326")):
        write_layer(tmp_path / f"part{number}.gpkg", [square(5, 5, 20)], file_crs=crs)
    assert "differ in their coordinate reference systems" in told(build, f"{tmp_path}/part*.gpkg")


def test_values_that_no_rule_maps_are_listed_with_their_numbers(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "kinds.gpkg", [square(5 * n, 5, 4) for n in range(6)], {"kind": list("aabbbc")})
    rule = {"category": {"from": "kind", "map": {"a": "house"}}}
    plan = build.plan(file, {"rules": [rule]})
    assert "no rule takes kind=b (3), kind=c (1)" in plan.ground.notes[0]
    lost = {reject.subject: reject for reject in lost_annotations(plan)["scenes"]}
    assert {name: reject.reason for name, reject in lost.items()} == {
        "kinds.gpkg: kind=b": "no_rule",
        "kinds.gpkg: kind=c": "no_rule",
    }
    text = told(build, file, {"rules": [{"category": {"from": "kind", "map": {"z": "house"}}}]})
    assert "kind=b (3), kind=a (2), kind=c (1)" in text


def test_a_layer_without_any_rule(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "plain.gpkg", [square(5, 5, 20)])
    assert "gives no category" in told(build, file, {})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"rules": [{"category": "a", "where": "=x"}]}, "rules.0.where"),
        ({"rules": [{"category": "a", "where": {"x": {"more": 3}}}]}, "known: at_least"),
        ({"rules": [{"category": "a", "where": {"x": {"above": "tall"}}}]}, "limits must be numbers"),
        ({"rules": [{"category": "a", "tags": "osm"}]}, "either a category or tags"),
        ({**HOUSE, "crs": "EPSG:99999999"}, "not known to PROJ"),
        ({**HOUSE, "validity": {"since": "yesterday"}}, "validity.since"),
        ({**HOUSE, "colour": "red"}, "colour: unknown key"),
    ],
)
def test_wrong_options(build: GroundBuild, tmp_path: Path, options: dict[str, Any], expected: str) -> None:
    file = write_layer(tmp_path / "plain.gpkg", [square(5, 5, 20)], {"x": [1]})
    assert expected in told(build, file, options)


def test_broken_geometries_are_repaired_or_left_out_and_counted_by_id(build: GroundBuild, tmp_path: Path) -> None:
    bow = shapely.Polygon([(500_100, 4_999_900), (500_300, 4_999_700), (500_300, 4_999_900), (500_100, 4_999_700)])
    line = shapely.Polygon([(500_100, 4_999_500), (500_300, 4_999_500), (500_100, 4_999_500)])
    shapes = [square(5, 40, 20), bow, line, shapely.Polygon(), square(5, 40, 20)]
    file = write_layer(tmp_path / "broken.gpkg", shapes, {"name": ["a", "bow", "line", "empty", "again"]})
    options = {**HOUSE, "id_attribute": "name"}
    lost = {reject.reason: reject for reject in lost_annotations(build.plan(file, options))["scenes"]}
    assert {reason: reject.detail.strip() for reason, reject in lost.items()} == {
        "geometry_empty": "features empty",
        "geometry_repaired": "features bow",
        "geometry_without_area": "features line",
        "repeated_feature": "records that draw a feature of the layer again: it counts once",
    }
    rows = build.labels(file, options)
    assert sorted(len(row["parts"] or [row["polygon"]]) for row in rows) == [1, 2], "the square, and the bow's two halves"


def test_scenes_without_a_map_projection_are_counted(build: GroundBuild, tmp_path: Path) -> None:
    write_scene(tmp_path / "scenes/b.tif", None, (1, 0, 0, 0, 1, 0))
    file = write_layer(tmp_path / "house.gpkg", [square(5, 5, 20)])
    plan = build.plan(file, HOUSE)
    assert list(plan.ground.of_scene) == ["scenes.a"]
    assert [(reject.subject, reject.reason) for reject in plan.ground.rejects["scenes"]] == [("scenes.b", "no_place")]
    shutil.rmtree(tmp_path / "scenes")
    write_scene(tmp_path / "scenes/b.tif", None, (1, 0, 0, 0, 1, 0))
    assert "none of the source's scenes has a place on the ground" in told(build, file)


def test_scenes_without_a_date_are_counted_where_features_have_a_period(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "house.gpkg", [square(5, 5, 20)])
    options = {**HOUSE, "validity": {"since": "2015"}}
    (lost,) = lost_annotations(build.plan(file, options))["scenes"]
    assert (lost.subject, lost.reason) == ("scenes.a", "no_time")
    assert "set scenes.acquired_at" in lost.detail
    assert not lost_annotations(build.plan(file, options, scenes={"acquired_at": "2020-01-01"})).get("scenes")


def test_the_box_of_scenes_in_degrees_is_the_one_where_they_are(build: GroundBuild, tmp_path: Path) -> None:
    text = told(build, write_layer(tmp_path / "far.gpkg", [shapely.box(-84, 33, -83, 34)], crs="EPSG:4326"))
    assert "the scenes, in the same coordinates, within (15, 45.1" in text


@pytest.mark.parametrize("name", ["layer.vrt", "layer.geojson"])
def test_a_file_that_names_other_files_is_no_layer(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    source = f"<SrcDataSource>{tmp_path}/secret.geojson</SrcDataSource>"
    (tmp_path / name).write_text(f'<OGRVRTDataSource><OGRVRTLayer name="secret">{source}</OGRVRTLayer></OGRVRTDataSource>')
    with pytest.raises(ConfigError, match="names other files"):
        list_layers(str(tmp_path / name))
