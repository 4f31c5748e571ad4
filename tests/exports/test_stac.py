"""A snapshot as a STAC collection: what pystac validates and reads back, and what the table of the same items holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pystac
import pytest
from shapely.geometry import shape

from rsflow.config.settings import Scenes, Source
from rsflow.config.stac_settings import StacSearch
from rsflow.exports import export
from rsflow.exports.geospatial.stac_items import bounds, spdx
from rsflow.readers import open_scene
from rsflow.shards.format import Sample
from rsflow.stac.listing import list_stac_scenes
from tests.exports.conftest import HEIGHT, WIDTH, sample, write_root

RING = [15.0, 45.2, 15.1, 45.2, 15.1, 45.1, 15.0, 45.1]
DATELINE = [179.9, 10.1, 180.1, 10.1, 180.1, 10.0, 179.9, 10.0]


def placed(number: int, split: str, ring: list[float], **facts: Any) -> Sample:
    """A sample with an outline, a time and bands."""
    one = sample(number, split)
    known = {
        "footprint": ring,
        "crs": "EPSG:4326",
        "acquired_at": f"2020-06-0{number + 1}T10:20:30+00:00",
        "bands": ["red", "nir"],
    }
    return replace(one, record={**one.record, **known, **facts})


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """Three samples of training in two shards (one with a picture of another sensor), and a plain one for validation."""
    other = placed(1, "train", RING, licence="public domain", attribution=["© someone"])
    other = replace(other, others={"sar.png": other.picture}, record={**other.record, "companions": [{"sensor": "sar"}]})
    shards = [[placed(0, "train", RING), other], [placed(2, "train", DATELINE)]]
    write_root(tmp_path / "lake", {"train": shards, "val": [[sample(9, "val")]]})
    export(str(tmp_path / "lake"), "stac", str(tmp_path / "out"))
    return tmp_path / "out"


def items(folder: Path) -> dict[str, pystac.Item]:
    """By the sample's tile."""
    found = pystac.Collection.from_file(str(folder / "collection.json")).get_items(recursive=True)
    return {item.properties["rsflow:tile"]: item for item in found}


def documents(folder: Path) -> Iterator[pystac.STACObject]:
    for path in sorted(folder.rglob("*.json")):
        if path.name != "export.json":
            yield pystac.read_file(str(path))


def test_every_document_is_valid_without_a_network(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("asked the network"))
    kinds = []
    for document in documents(exported):
        document.validate()
        kinds.append(document.STAC_OBJECT_TYPE.name)
    assert (kinds.count("COLLECTION"), kinds.count("CATALOG"), kinds.count("ITEM")) == (1, 5, 4)


def test_items_say_what_their_samples_say(exported: Path) -> None:
    found = items(exported)
    assert len(found) == 4
    item = found[f"s.1/0_0_{WIDTH}x{HEIGHT}"]
    assert item.datetime == datetime(2020, 6, 2, 10, 20, 30, tzinfo=UTC)
    assert item.bbox == pytest.approx([15.0, 45.1, 15.1, 45.2])
    properties = {name.removeprefix("rsflow:"): value for name, value in item.properties.items()}
    assert {name: properties[name] for name in ("sensor", "split", "tasks", "instructions", "attribution", "licence")} == {
        "sensor": "optical",
        "split": "train",
        "tasks": ["captioning", "detection", "region_captioning", "vqa"],
        "instructions": 4,
        "attribution": ["© someone"],
        "licence": "public domain",
    }
    assert (properties["license"], properties["gsd"], properties["shard"]) == ("other", 0.5, "shards/train/0.tar")
    assert properties["bands"] == ["red", "nir"]


def test_assets_and_links_lead_to_what_was_written(exported: Path) -> None:
    for item in items(exported).values():
        for asset in item.assets.values():
            assert Path(str(asset.get_absolute_href())).is_file()
        assert Path(str(item.get_collection().get_self_href())) == exported / "collection.json"  # type: ignore[union-attr]
        assert item.get_parent()
    assert set(items(exported)[f"s.1/0_0_{WIDTH}x{HEIGHT}"].assets) == {"picture", "sar"}
    collection = pystac.Collection.from_file(str(exported / "collection.json"))
    assert all(Path(str(asset.get_absolute_href())).is_file() for asset in collection.assets.values())


def test_the_collection_sums_its_items_up(exported: Path) -> None:
    collection = pystac.Collection.from_file(str(exported / "collection.json"))
    assert collection.license == "other"
    assert [provider.name for provider in collection.providers or []] == ["© someone", "rsflow"]
    assert collection.extent.spatial.bboxes == [[-180.0, 10.0, 180.0, 45.2]]
    assert collection.extent.temporal.intervals == [
        [datetime(2020, 6, 1, 10, 20, 30, tzinfo=UTC), datetime(2020, 6, 3, 10, 20, 30, tzinfo=UTC)]
    ]
    assert collection.summaries.lists["rsflow:split"] == ["train", "val"]
    assert collection.summaries.lists["rsflow:licence"] == ["MIT", "public domain"]


def test_what_is_unknown_is_said_to_be(exported: Path) -> None:
    item = items(exported)[f"s.9/0_0_{WIDTH}x{HEIGHT}"]
    assert (item.geometry, item.bbox, item.datetime) == (None, None, None)
    assert item.properties["rsflow:is_time_known"] is False
    assert item.common_metadata.start_datetime.year == 1850  # type: ignore[union-attr]


def test_an_outline_over_the_antimeridian_has_two_parts_and_a_box_that_crosses(exported: Path) -> None:
    item = items(exported)[f"s.2/0_0_{WIDTH}x{HEIGHT}"]
    assert item.geometry is not None
    assert item.geometry["type"] == "MultiPolygon"
    assert item.bbox == pytest.approx([179.9, 10.0, -179.9, 10.1])


def test_the_table_holds_the_same_items(exported: Path) -> None:
    stac_geoparquet = pytest.importorskip("stac_geoparquet")
    written = items(exported)
    read: dict[str, pystac.Item] = {}
    for split, count in (("train", 3), ("val", 0)):
        path = exported / f"items_{split}.parquet"
        table = pq.read_table(path)
        assert table.num_rows == count
        for data in stac_geoparquet.arrow.stac_table_to_items(table):
            item = pystac.Item.from_dict(data)
            item.validate()
            read[item.properties["rsflow:tile"]] = item
    assert read.keys() == written.keys() - {f"s.9/0_0_{WIDTH}x{HEIGHT}"}
    assert json.loads((exported / "export.json").read_text())["items_without_place"] == 1
    for tile, item in read.items():
        expected = written[tile]
        assert (item.id, item.datetime, item.bbox) == (expected.id, expected.datetime, expected.bbox)
        assert shape(item.geometry).equals(shape(expected.geometry))
        assert item.properties["rsflow:tasks"] == expected.properties["rsflow:tasks"]
        assert item.assets["picture"].href.startswith("./images/")
        assert (exported / item.assets["picture"].href).is_file()


def test_one_split_is_a_collection_of_another_name(exported: Path, tmp_path: Path) -> None:
    export(str(tmp_path / "lake"), "stac", str(tmp_path / "one"), "val")
    whole, part = (pystac.Collection.from_file(str(folder / "collection.json")) for folder in (exported, tmp_path / "one"))
    assert part.id == f"{whole.id}-val"
    assert whole.id == f"rsflow-{json.loads((exported / 'export.json').read_text())['snapshot'][:12]}"


def test_the_collection_is_a_source_of_scenes_again(exported: Path) -> None:
    source = Source("again", "optical", "", Scenes(stac=StacSearch(str(exported))))
    found = {scene.stac_item["id"]: scene for scene in list_stac_scenes(source).scenes if scene.stac_item}
    assert found.keys() == {item.id for item in items(exported).values()}
    for scene in found.values():
        with open_scene(scene) as reader:
            assert (reader.info.height_px, reader.info.width_px) == (HEIGHT, WIDTH)


def test_geopandas_reads_the_table(exported: Path) -> None:
    geopandas = pytest.importorskip("geopandas")
    frame = geopandas.read_parquet(exported / "items_train.parquet")
    assert frame.crs == "OGC:CRS84"
    assert sorted(frame["rsflow:tile"]) == [f"s.{number}/0_0_{WIDTH}x{HEIGHT}" for number in range(3)]
    assert frame.geometry.is_valid.all()
    assert json.loads(pq.read_schema(exported / "items_train.parquet").metadata[b"stac-geoparquet"])["version"] == "1.0.0"


@pytest.mark.parametrize(
    ("licence", "spelled"), [("CC-BY-4.0", "CC-BY-4.0"), ("public domain", "other"), ("unknown", "unknown")]
)
def test_licences_are_spelled_as_stac_takes_them(licence: str, spelled: str) -> None:
    assert spdx(licence) == spelled


def test_a_globe_is_no_antimeridian() -> None:
    from shapely import MultiPolygon, box

    assert bounds(MultiPolygon([box(-180, -90, 1, 90), box(0, -90, 180, 90)])) == [-180, -90, 180, 90]
