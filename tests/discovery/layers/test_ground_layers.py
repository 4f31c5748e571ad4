"""`rsflow init` on layers on the ground: proposed where they lie on scenes, asked about where names do not tell, and built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
import yaml
from pyproj import CRS
from rasterio.transform import from_origin

from rsflow.cli import main
from rsflow.discovery import (
    Question,
    answer_questions,
    attach_layers,
    find_annotations,
    find_scene_groups,
    list_tree,
    pair_sources,
)

EAST, NORTH, PIXEL = 500_000.0, 5_000_000.0, 10.0


def write_raster(place: Path, values: Any, size: int = 128, count: int = 3, **profile: Any) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "driver": "GTiff",
        "height": size,
        "width": size,
        "count": count,
        "dtype": "uint8",
        "crs": "EPSG:32633",
        **profile,
    }
    with rasterio.open(place, "w", **settings, transform=from_origin(EAST, NORTH, PIXEL, PIXEL)) as file:
        file.write(np.broadcast_to(np.asarray(values), (count, size, size)).astype(settings["dtype"]))


def write_layer(
    place: Path, rows: list[dict[str, Any]], shift: float = 0.0, side: float = 200.0, kind: str = "Polygon"
) -> None:
    """Squares (or lines) along the scene's diagonal, one per row of attributes."""
    features = []
    for number, properties in enumerate(rows):
        x, y = EAST + 100 + shift + 40 * number, NORTH - 400 - 40 * number - (side / 2 if side > 1000 else 0)
        ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
        geometry = {"type": kind, "coordinates": [ring] if kind == "Polygon" else ring[:2]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    write_raster(tmp_path / "place/image.tif", np.random.default_rng(1).integers(0, 250, (3, 128, 128)))
    return tmp_path / "place"


def discovered(folder: Path) -> tuple[list[Any], str]:
    tree = list_tree([str(folder)])
    groups = find_scene_groups(tree)
    sources, unused = attach_layers(tree, groups, *pair_sources(tree, groups, find_annotations(tree)))
    return sources, "\n".join(f"{each.place}: {each.reason}" for each in unused)


def test_every_kind_of_layer_is_proposed_and_the_draft_builds(scene: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_layer(scene / "buildings.geojson", [{"height": 3.0}] * 4)
    write_layer(
        scene / "landuse.geojson", [{"class": name} for name in ["meadow", "forest", "meadow", "forest", "orchard", "orchard"]]
    )
    write_layer(scene / "city.geojson", [{"building": "yes", "highway": None, "amenity": "school", "name": "x"}] * 3)
    write_layer(scene / "roads.geojson", [{"surface": "paved"}] * 3, kind="LineString")
    write_raster(scene / "ESA_WorldCover_v200_Map.tif", np.tile([10, 30, 50, 80], 32), count=1)
    write_raster(scene / "dem.tif", np.arange(128), count=1, dtype="float32")
    config = scene.parent / "draft.yaml"
    assert main(["init", str(scene), "-o", str(config), "--root", str(scene.parent / "lake")]) == 0
    draft = yaml.safe_load(config.read_text())
    (source,) = draft["sources"]
    entries = {Path(entry["files"]).name: entry for entry in source["annotations"]}
    assert {name: entry["format"] for name, entry in entries.items()} == {
        "buildings.geojson": "vector",
        "landuse.geojson": "vector",
        "city.geojson": "vector",
        "roads.geojson": "vector",
        "ESA_WorldCover_v200_Map.tif": "cover",
        "dem.tif": "field",
    }
    assert entries["buildings.geojson"]["options"] == {"category": "building"}
    assert entries["landuse.geojson"]["options"] == {"rules": [{"category": {"from": "class"}}]}
    assert entries["city.geojson"]["options"] == {"rules": [{"tags": "osm"}]}
    assert entries["roads.geojson"]["options"]["rules"][0]["category"] == "road"
    assert entries["ESA_WorldCover_v200_Map.tif"]["options"] == {"legend": "worldcover"}
    assert entries["dem.tif"]["options"] == {"quantity": "elevation", "unit": "m"}
    text = config.read_text()
    assert "attribute class: meadow (2), forest (2), orchard (2)" in text
    assert "how wide are these lines" in text
    capsys.readouterr()
    code = main(["build", str(config), "engine.kind=inline", "tiles.cell_km=0.3", "select.splits={train: 1.0}"])
    assert code == 0, capsys.readouterr().err
    made = json.loads((scene.parent / "lake/snapshots/1.json").read_text())
    assert sum(shard["samples"] for split in made["splits"].values() for shard in split["shards"]) > 0


def write_geoparquet(place: Path, rows: list[dict[str, Any]], shift: float = 0.0) -> None:
    """Squares on the scene's diagonal, as write_layer's."""
    corners = [(EAST + 100 + shift + 40 * number, NORTH - 400 - 40 * number) for number in range(len(rows))]
    column = {"encoding": "WKB", "geometry_types": ["Polygon"], "crs": CRS("EPSG:32633").to_json_dict()}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    squares = pa.array(shapely.to_wkb([shapely.box(x, y, x + 200, y + 200) for x, y in corners]))
    table = pa.Table.from_pylist(rows).append_column("geometry", squares)
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), place)


def test_geoparquet_is_a_layer_and_other_parquet_is_none(scene: Path) -> None:
    write_geoparquet(scene / "footprints_overture.parquet", [{"class": name} for name in ["house", "house", "shed", "shed"]])
    write_geoparquet(scene / "buildings.geoparquet", [{"height": "3"}], shift=90_000)
    pq.write_table(pa.table({"a": [1]}), scene / "table.parquet")
    (source,), unused = discovered(scene.parent)
    (layer,) = source.layers
    assert (Path(layer.file).name, layer.format) == ("footprints_overture.parquet", "vector")
    assert layer.rule is not None
    assert (layer.rule.features, layer.rule.geometry) == (4, "Polygon")
    assert layer.rule.options == {"rules": [{"category": {"from": "class"}}]}
    assert "buildings.geoparquet: a vector layer; no scene" in unused
    assert "1 Parquet tables" in unused


def test_a_layer_over_products_and_band_files_is_proposed(tmp_path: Path) -> None:
    name = "LC08_L1TP_017036_20130419_20200913_02_T1"
    for band in ("B2", "B4"):
        write_raster(tmp_path / f"product/{name}_{band}.TIF", 20_000, count=1, dtype="uint16")
        write_raster(tmp_path / f"bands/place_{band}.tif", 200, count=1)
    rescaling = {f"REFLECTANCE_{what}_BAND_{band}": value for what, value in (("MULT", 2e-5), ("ADD", -0.1)) for band in (2, 4)}
    attributes = {"DATE_ACQUIRED": "2013-04-19", "SCENE_CENTER_TIME": "16:01:51Z", "SUN_ELEVATION": "30.0"}
    groups = {"IMAGE_ATTRIBUTES": attributes, "LEVEL1_RADIOMETRIC_RESCALING": rescaling}
    (tmp_path / f"product/{name}_MTL.json").write_text(json.dumps({"LANDSAT_METADATA_FILE": groups}))
    for folder in ("product", "bands"):
        write_layer(tmp_path / folder / "buildings.geojson", [{}] * 3)
    sources, _ = discovered(tmp_path)
    layers = {source.scenes.product or "bands": [Path(layer.file).parent.name for layer in source.layers] for source in sources}
    assert "product" in layers["landsat_c2"]
    assert "bands" in layers["bands"]


def test_what_nothing_names_is_a_comment_and_the_draft_builds_without_it(scene: Path) -> None:
    write_layer(scene / "layer7.geojson", [{"a": "q1"}, {"a": "q2"}])
    config = scene.parent / "draft.yaml"
    assert main(["init", str(scene), "-o", str(config), "--root", "lake"]) == 0
    assert "annotations" not in yaml.safe_load(config.read_text())["sources"][0]
    assert "#     files: " in config.read_text()
    uncommented = "\n".join(
        line.replace("    # ", "    ", 1) if "ASK" not in line and line.startswith("    # ") else line
        for line in config.read_text().splitlines()
        if "a layer of" not in line and "attribute " not in line
    )
    (entry,) = yaml.safe_load(uncommented)["sources"][0]["annotations"]
    assert (entry["format"], Path(entry["files"]).name) == ("vector", "layer7.geojson")


def test_layers_elsewhere_are_named_with_the_reason(scene: Path) -> None:
    write_layer(scene / "buildings.geojson", [{}] * 2, shift=90_000)
    write_layer(scene / "countries.geojson", [{"name": "somewhere"}], shift=-500_000, side=1_000_000)
    (scene / "roads.geojson").write_text('{"type": "FeatureCollection", "features": [')
    (source,), unused = discovered(scene.parent)
    assert source.layers == ()
    assert "buildings.geojson: a vector layer; no scene" in unused
    assert "countries.geojson: a vector layer; no scene" in unused
    assert "roads.geojson: cannot be read" in unused


def test_an_area_beside_a_layer_bounds_it(scene: Path) -> None:
    write_layer(scene / "trees.geojson", [{}] * 3)
    write_layer(scene / "aoi.geojson", [{}], side=900)
    (source,), unused = discovered(scene.parent)
    (layer,) = source.layers
    assert (Path(layer.file).name, Path(layer.area_of_interest).name) == ("trees.geojson", "aoi.geojson")
    assert unused == ""


def test_a_class_raster_with_values_that_its_legend_lacks_is_not_proposed(scene: Path) -> None:
    write_raster(scene / "worldcover.tif", np.tile([10, 31], 64), count=1)
    (source,), unused = discovered(scene.parent)
    assert source.layers == ()
    assert "worldcover.tif" in unused


def test_answers_take_the_place_of_questions(scene: Path) -> None:
    write_raster(scene / "one.tif", 7, count=1, dtype="uint16")
    sources, _ = discovered(scene.parent)
    asked: list[Question] = []
    replies = iter(["", "xray", "sar", "CC-BY-4.0"])  # of the picture, then of the file of one band

    def reply(question: Question) -> str:
        asked.append(question)
        return next(replies)

    sources = answer_questions(sources, reply)
    assert [question.kind for question in asked] == ["licence", "sensor", "sensor", "licence"]
    by_licence = {source.licence: source for source in sources}
    assert by_licence["CC-BY-4.0"].sensor == "sar"
    assert by_licence["CC-BY-4.0"].sensor_reason == "you"
    assert "unknown" in by_licence


def test_nothing_is_asked_where_nobody_sits(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: pytest.fail(f"asked {prompt}"))
    assert main(["init", str(scene), "-o", str(scene / "draft.yaml"), "--root", "lake"]) == 0
