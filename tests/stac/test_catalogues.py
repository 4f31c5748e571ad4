"""Static catalogues: which items are found, and what becomes of broken documents, forbidden addresses and replaced items."""

from __future__ import annotations

import codecs
import gzip
import json
import os
from pathlib import Path
from typing import Any

import fsspec
import pytest

from rsflow.errors import ConfigError
from rsflow.files import storage
from rsflow.readers import open_scene
from rsflow.stac.listing import StacScenes
from tests.stac.api_server import ApiServer
from tests.stac.catalogue import Catalogue, band_asset, item, write_band
from tests.stac.conftest import List


def errors(found: StacScenes) -> dict[str, str]:
    """Reason of each broken scene by the name of the document that it stands for."""
    broken = {one.files[""]: one.options["listing_error"] for one in found.scenes if "listing_error" in one.options}
    return {place.rpartition("/")[2]: reason for place, (reason, _) in broken.items()}


def details(found: StacScenes) -> str:
    return "\n".join(one.options["listing_error"][1] for one in found.scenes if "listing_error" in one.options)


def names(found: StacScenes) -> list[str]:
    return [one.scene_id for one in found.scenes if "listing_error" not in one.options]


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


BROKEN: dict[str, tuple[Any, str, str]] = {
    "type": (without(item("x", {"a": band_asset("x.tif", "B", "red")}), "type"), "not_stac", "has no `type`"),
    "version": (without(item("x", {}), "stac_version"), "not_stac", "no `stac_version`"),
    "kind": ({**item("x", {}), "type": "Topology"}, "not_stac", "its type is 'Topology'"),
    "json": ("{broken", "not_stac", "is no JSON"),
    "list": ([1], "not_stac", "holds a list"),
    "id": (without(item("x", {}), "id"), "bad_item", "has no `id`"),
    "assets": (item("x", {}), "no_assets", "has no assets"),
    "list of assets": ({**item("x", {}), "assets": [1]}, "bad_item", "`assets` of item x is a list"),
    "no pixels": (item("x", {"m": {"href": "m.xml", "type": "text/xml"}}), "no_raster", "it has m"),
    "no href": (item("x", {"a": {"type": "image/tiff", "roles": ["data"]}}), "bad_item", "without an href"),
    "no time": (item("x", {"a": band_asset("x.tif", "B", "red")}, datetime=None), "no_time", "neither datetime nor"),
    "bad time": (item("x", {"a": band_asset("x.tif", "B", "red")}, datetime="soon"), "bad_time", "is 'soon'"),
    "scale": (item("x", {"a": band_asset("x.tif", "B", "red", scale="big")}), "bad_calibration", "its scale is 'big'"),
    "bands": (item("x", {"a": {**band_asset("x.tif", "B", "red"), "eo:bands": 3}}), "bad_item", "eo:bands of asset 'a'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_item_is_a_reject_and_the_others_are_scenes(catalogue: Catalogue, list_all: List, name: str) -> None:
    document, reason, message = BROKEN[name]
    catalogue.add_scene("good")
    catalogue.write("x.json", document)
    catalogue.link("./x.json")
    found = list_all(catalogue.folder)
    assert errors(found) == {"x.json": reason}
    assert message in details(found)
    assert names(found) == ["s.good"]


def test_links_that_lead_nowhere_are_rejects(catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("good")
    catalogue.link("./missing.json")
    catalogue.link("./gone/catalog.json", "child")
    assert errors(list_all(catalogue.folder)) == {"missing.json": "broken_link", "catalog.json": "broken_link"}


def test_a_cycle_of_catalogues_ends(catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("a")
    links = [{"rel": "child", "href": "../collection.json"}, {"rel": "child", "href": "./catalog.json"}]
    catalogue.write("sub/catalog.json", {"type": "Catalog", "stac_version": "1.0.0", "id": "sub", "links": links})
    catalogue.link("./sub/catalog.json", "child")
    catalogue.link("./sub/catalog.json", "child")
    assert [one.scene_id for one in list_all(catalogue.folder).scenes] == ["s.a"]


def test_an_asset_that_is_missing_from_an_item_is_named_with_those_it_has(catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("a")
    for settings in ({"bands": {"red": "B99"}}, {"assets": ("B99",)}):
        found = list_all(catalogue.folder, **settings)
        assert errors(found) == {"a.json": "missing_asset"}
        assert "'B99'" in details(found)
        assert "B04, B08" in details(found)


def test_one_id_for_two_items_keeps_one(catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("a")
    other = {**item("a", {"B04": band_asset("a/B04.tif", "B04", "red")}), "id": "a"}
    catalogue.write("b.json", other)
    catalogue.link("./b.json")
    catalogue.write("c.json", (catalogue.folder / "a.json").read_text())  # the same again is no fault
    catalogue.link("./c.json")
    found = list_all(catalogue.folder)
    assert (names(found), errors(found)) == (["s.a"], {"b.json": "duplicate_id"})


def test_one_id_in_two_collections_is_two_scenes(catalogue: Catalogue, list_all: List) -> None:
    first = catalogue.add_scene("a")
    catalogue.write("other/a.json", {**first, "collection": "other", "assets": {"x": band_asset("../a/B04.tif", "B04", "red")}})
    catalogue.link("./other/a.json")
    assert names(list_all(catalogue.folder)) == ["s.other__a", "s.set__a"]


OUTSIDE = [
    "../secret.tif",
    "/etc/passwd",
    "file:///etc/passwd",
    "/vsicurl/https://host/x.tif",
    "https://host/x.tif",
    "link/x.tif",
]


@pytest.mark.parametrize("href", OUTSIDE)
def test_an_asset_outside_of_the_catalogue_is_refused(catalogue: Catalogue, list_all: List, href: str) -> None:
    write_band(catalogue.folder.parent / "secret.tif", 1)
    write_band(catalogue.folder.parent / "elsewhere/x.tif", 1)
    (catalogue.folder / "link").symlink_to(catalogue.folder.parent / "elsewhere")
    catalogue.add(item("a", {"B": band_asset(href, "B", "red")}))
    assert errors(list_all(catalogue.folder)) == {"a.json": "path_outside"}


def test_items_outside_of_the_catalogue_are_refused_unless_allowed(catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("a")
    catalogue.write("../outer.json", item("outer", {"B": band_asset("secret.tif", "B", "red")}))
    write_band(catalogue.folder.parent / "secret.tif", 1)
    catalogue.link("../outer.json")
    assert errors(list_all(catalogue.folder)) == {"collection.json#../outer.json".rpartition("/")[2]: "path_outside"}
    allowed = list_all(catalogue.folder, scenes={"allow_outside": True})
    assert names(allowed) == ["s.a", "s.outer"]


def test_a_collection_that_is_not_there_is_looked_for_once(
    catalogue: Catalogue, list_all: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [catalogue.add_scene(name) for name in ("a", "b", "c")]
    for document in items:
        document["links"] = [{"rel": "collection", "href": "./gone.json"}]
    catalogue.write("all.json", {"type": "FeatureCollection", "features": items})
    read: list[str] = []
    plain = storage.read_bytes
    monkeypatch.setattr(storage, "read_bytes", lambda place: read.append(place.rpartition("/")[2]) or plain(place))
    found = list_all(catalogue.folder / "all.json")
    assert {scene.options.get("licence") for scene in found.scenes} == {None}
    assert read == ["all.json", "gone.json"]


@pytest.mark.parametrize("name", ["all.json", "all.json.gz", "all.geojson.gz"])
def test_documents_may_be_compressed_and_begin_with_a_mark(catalogue: Catalogue, list_all: List, name: str) -> None:
    items = {"type": "FeatureCollection", "features": [catalogue.add_scene(each) for each in ("a", "b")]}
    text = codecs.BOM_UTF8 + json.dumps(items).encode()
    (catalogue.folder / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert len(list_all(catalogue.folder / name).scenes) == 2


def test_a_damaged_compressed_document_is_named(catalogue: Catalogue, list_all: List) -> None:
    (catalogue.folder / "all.json.gz").write_bytes(gzip.compress(b'{"type": "FeatureCollection", "features": []}' * 50)[:-9])
    with pytest.raises(ConfigError, match=r"all\.json\.gz: is no whole gzip file"):
        list_all(catalogue.folder / "all.json.gz")


def test_names_of_files_may_be_spelled_as_addresses_are(catalogue: Catalogue, list_all: List) -> None:
    write_band(catalogue.folder / "my file.tif", 1)
    catalogue.add(item("a", {"B": band_asset("./my%20file.tif", "B", "red")}))
    (scene,) = list_all(catalogue.folder).scenes
    with open_scene(scene) as reader:
        assert reader.info.bands == ("red",)


def test_a_folder_of_items_an_item_and_an_item_collection_are_catalogues_too(catalogue: Catalogue, list_all: List) -> None:
    items = [catalogue.add_scene(name) for name in ("a", "b")]
    os.unlink(catalogue.folder / "collection.json")
    catalogue.write("other.json", {"not": "stac"})
    assert names(list_all(catalogue.folder)) == ["s.a", "s.b"]
    assert names(list_all(catalogue.folder / "b.json")) == ["s.b"]
    catalogue.write("both.json", {"type": "FeatureCollection", "features": items})
    assert names(list_all(catalogue.folder / "both.json")) == ["s.a", "s.b"]


def test_what_is_no_catalogue_is_an_error(tmp_path: Path, catalogue: Catalogue, list_all: List) -> None:
    with pytest.raises(ConfigError, match="there is no such file or folder"):
        list_all(tmp_path / "none")
    (tmp_path / "x.json").write_text('{"type": "Topology"}')
    with pytest.raises(ConfigError, match="its type is 'Topology'"):
        list_all(tmp_path / "x.json")
    with pytest.raises(ConfigError, match="has no item that fits"):
        list_all(catalogue.folder)


def test_searches_take_what_they_name(tmp_path: Path, catalogue: Catalogue, list_all: List) -> None:
    for number, clouds in enumerate((5, 50, None)):
        extra = {} if clouds is None else {"eo:cloud_cover": clouds}
        catalogue.add_scene(f"i{number}", datetime=f"2020-0{number + 1}-15T00:00:00Z", platform=f"p{number}", **extra)
    place = catalogue.folder

    def found(**search: Any) -> list[str]:
        return [name.removeprefix("s.") for name in names(list_all(place, **search))]

    assert found(period="2020-02-01/..") == ["i1", "i2"]
    assert found(period="2020-02") == ["i1"]
    assert found(max_cloud_percent=20) == ["i0"]
    assert found(query={"platform": {"in": ["p1", "p2"]}}) == ["i1", "i2"]
    assert found(collections=("set",)) == ["i0", "i1", "i2"]
    assert found(sort=("-datetime",), limit=2) == ["i1", "i2"]
    assert found(sort=("eo:cloud_cover",), limit=1) == ["i0"]
    assert found(bbox=(14.0, 45.0, 15.05, 45.15)) == ["i0", "i1", "i2"]
    area = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    for nowhere in ({"bbox": (0.0, 0.0, 1.0, 1.0)}, {"area": area}, {"collections": ("other",)}):
        with pytest.raises(ConfigError, match="no item that fits"):
            found(**nowhere)
    (tmp_path / "area.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [{"geometry": None}]}))
    with pytest.raises(ConfigError, match="no GeoJSON geometry"):
        found(area=str(tmp_path / "area.geojson"))
    with pytest.raises(ConfigError, match="does not filter"):
        found(filter={"op": "=", "args": [1, 1]})


def test_replaced_items_leave_with_a_reason(catalogue: Catalogue, list_all: List) -> None:
    place = {"grid:code": "MGRS-33TXY", "platform": "sentinel-2a"}
    catalogue.add_scene("first", **place, **{"processing:version": "05.9"})
    catalogue.add_scene("second", **place, **{"processing:version": "05.10"})
    catalogue.add_scene("elsewhere", **{**place, "grid:code": "MGRS-33TXZ"}, **{"processing:version": "05.9"})
    catalogue.add_scene("silent", **place)
    catalogue.add_scene("old", deprecated=True)
    document = catalogue.add_scene("linked")
    document["links"] = [{"rel": "successor-version", "href": "./second.json"}]
    catalogue.write("linked.json", document)
    found = list_all(catalogue.folder)
    assert names(found) == ["s.elsewhere", "s.second", "s.silent"]
    reasons = {reject.subject: reject.reason for reject in found.rejects}
    assert reasons == {"s.first": "superseded", "s.old": "deprecated", "s.linked": "superseded"}
    assert "replaced by version 05.10, second" in next(each.detail for each in found.rejects if each.subject == "s.first")


def test_a_catalogue_on_a_web_server_gives_the_same_scenes(api: ApiServer, catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("a")
    catalogue.add(item("out", {"B": band_asset(f"{api.address}/other/x.tif", "B", "red")}))
    catalogue.add(item("up", {"B": band_asset("../x.tif", "B", "red")}))
    catalogue.add(item("local", {"B": band_asset("file:///etc/passwd", "B", "red")}))
    catalogue.link("./gone.json")
    api.folder = str(catalogue.folder.parent)
    found = list_all(f"{api.address}/files/catalogue/collection.json")
    assert names(found) == ["s.a"]
    outside = dict.fromkeys(("out.json", "up.json", "local.json"), "path_outside")
    assert errors(found) == {**outside, "gone.json": "broken_link"}
    with open_scene(next(one for one in found.scenes if one.scene_id == "s.a")) as reader:
        assert reader.info.bands == ("red", "nir")
    allowed = list_all(f"{api.address}/files/catalogue/collection.json", scenes={"allow_outside": True})
    assert errors(allowed) == {"local.json": "path_outside", "gone.json": "broken_link"}


def test_a_catalogue_in_a_bucket_gives_the_same_scenes(bucket: str, catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("a")
    catalogue.add(item("out", {"B": band_asset("s3://other/x.tif", "B", "red")}))
    fsspec.filesystem("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).put(
        str(catalogue.folder), f"{bucket}/set", recursive=True
    )
    found = list_all(f"s3://{bucket}/set")
    assert (names(found), errors(found)) == (["s.a"], {"out.json": "path_outside"})
    local = next(one for one in list_all(catalogue.folder).scenes if one.scene_id == "s.a")
    with open_scene(found.scenes[0]) as far, open_scene(local) as near:
        assert far.info == near.info
        assert (far.overview(32).pixels == near.overview(32).pixels).all()
