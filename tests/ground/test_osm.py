"""OpenStreetMap extracts through GDAL's driver, and the table of tags."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.config.annotation_settings import Annotations
from rsflow.errors import ConfigError
from rsflow.ground.categories.osm_tags import OSM_TAGS
from rsflow.ground.files.layer_files import list_layers
from rsflow.ground.layer_copy import read_features, write_copy
from rsflow.ground.layer_settings import Rule, VectorOptions
from rsflow.ground.layer_store import layer_copy
from tests.ground.conftest import square, write_layer

TAGS = VectorOptions(rules=(Rule(tags="osm"),))

LANE = """<?xml version="1.0"?><osm version="0.6">
{nodes}
<way id="-7" version="1"><nd ref="-1"/><nd ref="-2"/><nd ref="-3"/><nd ref="-4"/><nd ref="-1"/>
 <tag k="building" v="yes"/><tag k="name" v="Hall"/></way>
<way id="8" version="1"><nd ref="-1"/><nd ref="-3"/><tag k="highway" v="primary"/></way>
<way id="9" version="1"><nd ref="-2"/><nd ref="-4"/><tag k="highway" v="proposed"/></way>
<way id="10" version="1"><nd ref="-1"/><nd ref="-2"/><nd ref="-3"/><nd ref="-4"/><nd ref="-1"/>
 <tag k="building" v="no"/><tag k="leisure" v="pitch"/></way>
</osm>"""
CORNERS = [(45.0, 15.0), (45.0, 15.001), (45.001, 15.001), (45.001, 15.0)]
NODES = "\n".join(f'<node id="{-n}" version="1" lat="{lat}" lon="{lon}"/>' for n, (lat, lon) in enumerate(CORNERS, 1))


def test_ways_become_objects_and_lines_by_their_tags(tmp_path: Path) -> None:
    (tmp_path / "lane.osm").write_text(LANE.format(nodes=NODES))
    copy = layer_copy(Annotations("vector", str(tmp_path / "lane.osm")), TAGS, str(tmp_path / "lake"), "here")
    assert copy.summary.counts == {"building": 1, "road": 1, "sports field": 1}
    assert ("highway", "proposed", 1) in copy.summary.unmapped
    found = read_features(str(tmp_path / "lake" / copy.file), copy.summary.forms)
    kinds = {found.kinds[number].category: found.kinds[number] for number in found.forms}
    assert (kinds["road"].kind, kinds["road"].width_m) == ("line", 9.0)
    assert kinds["building"].kind == "object"


def test_tags_of_a_file_that_keeps_them_as_attributes(test_data: Path, tmp_path: Path) -> None:
    file = test_data / "ground/vector_imagery/spacenet4_atlanta/geotiff_labels.geojson"
    copy = layer_copy(Annotations("vector", str(file)), TAGS, str(tmp_path), "here")
    assert copy.summary.counts == {"building": 43}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("extracts/test.osm.pbf", {"building": 2143, "road": 195, "forest": 10}),
        ("extracts/overpass.osm", {"park": 5}),
        ("portland/portland-central-filtered.osm.pbf", {"motorway": 1}),
    ],
)
def test_real_extracts(test_data: Path, tmp_path: Path, name: str, counts: dict[str, int]) -> None:
    layers = list_layers(str(test_data / "ground/osm" / name), ("points", "lines", "multipolygons"))
    summary = write_copy(layers, "EPSG:4326", TAGS, {}, "here", str(tmp_path / "copy.parquet"))
    assert all(summary.counts.get(category, 0) >= least for category, least in counts.items()), summary.counts
    ids = [name for _, names in summary.faults.values() for name in names]
    assert all(name.split("/")[0] in {"node", "way", "relation"} for name in ids)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_a_truncated_extract_is_told(test_data: Path, tmp_path: Path, share: float) -> None:
    """GDAL reads what is left of it, and says nothing."""
    whole = (test_data / "ground/osm/extracts/test.osm.pbf").read_bytes()
    (tmp_path / "cut.osm.pbf").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ConfigError, match=r"cut\.osm\.pbf: is truncated"):
        list_layers(str(tmp_path / "cut.osm.pbf"))


def test_what_is_no_extract_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.osm.pbf").write_bytes(b"this is text and no protocol buffer at all")
    with pytest.raises(ConfigError, match="is no OpenStreetMap PBF"):
        list_layers(str(tmp_path / "text.osm.pbf"))
    (tmp_path / "cut.osm").write_text(LANE.format(nodes=NODES)[:400])
    with pytest.raises(ConfigError, match=r"cut\.osm"):
        layer_copy(Annotations("vector", str(tmp_path / "cut.osm")), TAGS, str(tmp_path / "lake"), "here")


def test_the_table_names_what_can_be_seen_in_plain_words() -> None:
    kinds = [tag for values in OSM_TAGS.values() for tag in values.values()]
    assert len({tag.category for tag in kinds}) >= 150
    assert all((tag.kind == "line") == (tag.width_m is not None) for tag in kinds)
    assert all(tag.category.replace("-", " ").replace(" ", "").isalpha() for tag in kinds)


@pytest.mark.parametrize("suffix", ["gml", "kml", "geojsonl", "geojson", "gpkg", "shp", "fgb"])
def test_a_truncated_file_of_any_format_is_told(tmp_path: Path, suffix: str) -> None:
    driver = {"kml": {"driver": "LIBKML"}, "geojsonl": {"driver": "GeoJSONSeq"}}.get(suffix, {})
    shapes = [square(n, n, 10) for n in range(300)]
    file = write_layer(tmp_path / f"layer.{suffix}", shapes, {"kind": ["house"] * 300}, file_crs="EPSG:4326", **driver)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(0.8 * len(whole)) - 7])
    with pytest.raises(ConfigError, match=rf"layer\.{suffix}"):
        layer_copy(Annotations("vector", str(file)), VectorOptions(category="house"), str(tmp_path / "lake"), "here")
