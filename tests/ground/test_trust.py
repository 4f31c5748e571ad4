"""What may be said of features that are small, uncertain, of another time, or not all there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from tests.ground.conftest import EAST, NORTH, PIXEL, GroundBuild, square, write_layer


def tile(rows: list[dict[str, Any]], tile_id: str = "scenes.a/0_0_64") -> dict[str, Any]:
    return next(row for row in rows if row["tile_id"] == tile_id)


def kinds(rows: list[dict[str, Any]], tile_id: str = "scenes.a/0_0_64") -> list[tuple[str, str]]:
    return [(row["kind"], row["category"]) for row in rows if row["tile_id"] == tile_id]


def at(col: float, row: float) -> shapely.Point:
    return shapely.Point(EAST + PIXEL * col, NORTH - PIXEL * row)


@pytest.mark.parametrize(
    ("uncertainty_m", "col", "said", "unknown"),
    [
        (0, 20, [("box", "house")], []),
        (25, 20, [("box", "house")], []),  # a quarter of 100 m
        (26, 20, [("presence", "house")], ["house"]),
        (190, 20, [("presence", "house")], ["house"]),  # 200 m from the edge of the tile
        (210, 20, [], ["house"]),
        (30, 1, [], ["house"]),  # 10 m from the edge: it may lie outside
    ],
)
def test_uncertainty_decides_between_a_box_presence_and_nothing(
    build: GroundBuild, tmp_path: Path, uncertainty_m: float, col: float, said: list[tuple[str, str]], unknown: list[str]
) -> None:
    file = write_layer(tmp_path / "house.gpkg", [square(col, 20, 10)])
    rows = build.labels(file, {"category": "house", "uncertainty_m": uncertainty_m}, entry={"exhaustive": True})
    assert kinds(rows) == said
    assert tile(build.rows("tiles"))["unknown"] == unknown


def test_what_is_too_small_to_be_seen_is_neither_labelled_nor_denied(build: GroundBuild, tmp_path: Path) -> None:
    shapes = [square(5, 5, 3), square(20, 20, 4), square(40, 40, 10)]
    far = [square(100, 100, 5)]
    file = write_layer(tmp_path / "houses.gpkg", [*shapes, *far], {"kind": ["hut", "house", "barn", "barn"]})
    options = {"rules": [{"category": {"from": "kind"}, "min_area_m2": 1000}]}
    rows = build.labels(file, options, entry={"exhaustive": True})
    assert kinds(rows) == [("box", "barn"), ("box", "house")]
    assert tile(build.rows("tiles"))["unknown"] == ["hut"]
    (whole,) = [r for r in build.rows("tiles") if r["tile_id"] == "scenes.a/0_0_64"]
    assert whole["vocabulary"] == [] or "hut" not in whole["vocabulary"]


def test_nothing_is_complete_unless_that_is_said_and_only_within_the_area_of_interest(
    tmp_path: Path,
) -> None:
    corners = [square(1, 1, 10), square(117, 117, 10)]
    file = write_layer(tmp_path / "houses.gpkg", corners, {"kind": ["house", "barn"]})
    options = {"rules": [{"category": {"from": "kind"}}]}

    def vocabularies(entry: dict[str, Any], options: dict[str, Any] = options) -> dict[str, list[str]]:
        fresh = GroundBuild(tmp_path / f"build{len(list(tmp_path.iterdir()))}")
        fresh.labels(file, options, entry=entry)
        return {row["tile_id"].removeprefix("scenes.a/"): sorted(row["vocabulary"]) for row in fresh.rows("tiles")}

    assert set(map(tuple, vocabularies({}).values())) == {()}
    # The layer's own extent begins at pixel 1 and ends at 127: no tile of 64 pixels lies within it.
    assert set(map(tuple, vocabularies({"exhaustive": True}).values())) == {()}
    west = write_layer(tmp_path / "west.gpkg", [square(-10, -10, 75, 200)], {"x": [1]})
    inside = {**options, "area_of_interest": str(west)}
    found = vocabularies({"exhaustive": True}, inside)
    assert found == {"0_0_64": ["barn", "house"], "0_64_64": [], "64_0_64": ["barn", "house"], "64_64_64": []}
    assert vocabularies({"exhaustive": ["barn"]}, inside)["0_0_64"] == ["barn"]


@pytest.mark.parametrize(
    ("validity", "acquired", "said", "unknown"),
    [
        ({"since": "2015"}, "2015-01-01", True, False),
        ({"since": "2015"}, "2014-12-31", False, False),
        ({"until": "2015-06"}, "2015-06-30", True, False),
        ({"until": "2015-06"}, "2015-07-01", False, False),
        ({"since_attribute": "built", "until_attribute": "razed"}, "2016-05-01", True, False),
        ({"since_attribute": "built", "until_attribute": "razed"}, "2021-05-01", False, False),
        ({"since": "2015"}, None, False, True),  # nobody knows when the scene was taken
        ({}, None, True, False),
    ],
)
def test_features_of_another_time_are_not_there(
    build: GroundBuild, tmp_path: Path, validity: dict[str, str], acquired: str | None, said: bool, unknown: bool
) -> None:
    file = write_layer(tmp_path / "house.gpkg", [square(20, 20, 10)], {"built": ["2015-07-31"], "razed": ["2020"]})
    scenes = {"acquired_at": acquired} if acquired else {}
    rows = build.labels(file, {"category": "house", "validity": validity}, scenes=scenes)
    assert kinds(rows) == ([("box", "house")] if said else [])
    assert tile(build.rows("tiles"))["unknown"] == (["house"] if unknown else [])


def test_a_date_that_cannot_be_read_is_no_bound(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "house.gpkg", [square(20, 20, 10)], {"built": ["long ago"]})
    options = {"category": "house", "validity": {"since_attribute": "built"}}
    rows = build.labels(file, options, scenes={"acquired_at": "2020-01-01"})
    assert kinds(rows) == []
    assert tile(build.rows("tiles"))["unknown"] == ["house"]
    assert [r["reason"] for r in build.rows("rejects")] == ["date_unreadable"]


def test_points_and_lines_have_the_extent_that_rules_give_them(build: GroundBuild, tmp_path: Path) -> None:
    well = write_layer(tmp_path / "well.gpkg", [at(30, 30)])
    (disc,) = build.labels(well, {"rules": [{"category": "well", "diameter_m": 100}]})
    assert disc["box"] == pytest.approx([25, 25, 35, 35])
    road = write_layer(tmp_path / "road.gpkg", [shapely.LineString([at(-5, 32), at(140, 32)])])
    rows = [row for row in build.labels(road, {"rules": [{"category": "road", "width_m": 80}]}) if row["category"] == "road"]
    assert {row["tile_id"]: (row["kind"], round(row["value"], 9), row["box"]) for row in rows} == {
        "scenes.a/0_0_64": ("cover", 8 / 64, [0.0, 28.0, 64.0, 36.0]),
        "scenes.a/0_64_64": ("cover", 8 / 64, [0.0, 28.0, 64.0, 36.0]),
    }


def test_a_point_without_extent_is_told_only_where_it_could_be_seen(build: GroundBuild, tmp_path: Path) -> None:
    file = write_layer(tmp_path / "well.gpkg", [at(30, 30)])
    assert build.labels(file, {"category": "well"}) == [], "pixels of 10 m"
    rows = build.labels(file, {"rules": [{"category": "mast", "min_area_px": 0}]})
    assert ("presence", "mast") in kinds(rows)


def test_areas_are_shares_of_the_tile_and_the_rest_is_unknown_or_not(build: GroundBuild, tmp_path: Path) -> None:
    shapes = [square(0, 0, 32, 64), square(16, 0, 32, 64), square(48, 0, 16)]  # two that overlap, and a corner
    file = write_layer(tmp_path / "cover.gpkg", shapes, {"kind": ["forest", "forest", "water"]})
    options = {"rules": [{"category": {"from": "kind"}, "kind": "area"}]}

    def shares(rows: list[dict[str, Any]]) -> dict[str, float]:
        return {r["category"]: round(r["value"], 9) for r in rows if r["tile_id"] == "scenes.a/0_0_64" and r["kind"] == "cover"}

    assert shares(build.labels(file, options)) == {"forest": 48 / 64, "water": 1 / 16, "unknown": 3 / 16}
    interest = write_layer(tmp_path / "all.gpkg", [square(-50, -50, 300)])
    entry = {"exhaustive": True, "licence": "ODbL-1.0"}
    again = GroundBuild(tmp_path / "again")
    rows = again.labels(file, {**options, "area_of_interest": str(interest)}, entry=entry)
    assert shares(rows) == {"forest": 48 / 64, "water": 1 / 16}
    elsewhere = {r["category"]: r["value"] for r in rows if r["tile_id"] == "scenes.a/64_64_64"}
    assert elsewhere == {"forest": 0.0, "water": 0.0}, "what is truly not there has a share of nothing"
