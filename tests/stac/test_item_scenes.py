"""What a scene takes from its item: bands, calibration, fill, time, place, licence; and what a source's settings beat."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyproj
import pytest
from rasterio.crs import CRS
from rasterio.transform import Affine

from rsflow.calibration import to_physical
from rsflow.readers import SceneReader, open_scene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window
from tests.stac.catalogue import SIDE, Catalogue, band_asset, item, write_band
from tests.stac.conftest import List

Only = Callable[..., SceneFiles]


def values(reader: SceneReader) -> dict[str, float]:
    """The physical value of each band at row 3, column 5."""
    info = reader.info
    raster = to_physical(reader.read(Window(0, 0, info.height_px, info.width_px)), info.calibration, info.nodata)
    return {band: float(pixels[3, 5]) for band, pixels in zip(raster.bands, raster.pixels, strict=True)}


def test_bands_calibration_and_time_come_from_the_item(catalogue: Catalogue, only: Only) -> None:
    catalogue.add_scene("a", gsd=10)
    scene = only(catalogue.folder)
    assert scene.scene_id == "s.a"
    with open_scene(scene) as reader:
        assert reader.info.bands == ("red", "nir")
        assert reader.info.acquired_at == datetime(2020, 6, 1, 10, tzinfo=UTC)
        assert reader.info.nodata == (0.0, 0.0)
        assert {how.origin for how in reader.info.calibration} == {"STAC item"}
        assert values(reader) == pytest.approx({"red": 1005 * 0.0001 - 0.1, "nir": 1105 * 0.0001 - 0.1}, abs=1e-6)
        assert not reader.read(Window(0, 0, 4, 4)).valid[:, 0].any()
    assert scene.options["licence"] == "CC-BY-4.0"
    assert scene.stac_item is not None
    assert (scene.stac_item["id"], scene.stac_item["collection"]) == ("a", "set")
    assert scene.stac_item["providers"] == ["Maker"]


def test_bands_of_stac_1_1_mean_the_same(catalogue: Catalogue, only: Only) -> None:
    old = catalogue.add_scene("a")
    before = only(catalogue.folder)
    new: dict[str, Any] = {**old, "stac_version": "1.1.0", "assets": {}}
    for key, asset in old["assets"].items():
        (eo,), (raster,) = asset["eo:bands"], asset["raster:bands"]
        bands = [{"name": eo["name"], "eo:common_name": eo["common_name"], "raster:scale": raster["scale"]}]
        plain = {name: asset[name] for name in ("href", "type", "roles")}
        new["assets"][key] = {**plain, "bands": bands, "raster:offset": raster["offset"], "nodata": raster["nodata"]}
    catalogue.write("a.json", new)
    assert only(catalogue.folder) == before


def test_settings_beat_the_item(catalogue: Catalogue, only: Only) -> None:
    catalogue.add_scene("a", gsd=10)
    settings = {"scale": 1.0, "nodata": 7.0, "acquired_at": "2019-01-02", "gsd_m": 3.0, "unit": "dn"}
    with open_scene(only(catalogue.folder, {"r": "red"}, scenes=settings)) as reader:
        assert reader.info.bands == ("r",)
        assert values(reader) == pytest.approx({"r": 1005 - 0.1}, abs=1e-3)
        assert reader.info.nodata == (7.0,)
        assert reader.info.gsd_m == 3.0
        assert reader.info.acquired_at == datetime(2019, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("name", ["B04", "red", "RED", "b04"])
def test_a_band_goes_by_its_asset_its_own_and_its_common_name(catalogue: Catalogue, only: Only, name: str) -> None:
    catalogue.add_scene("a")
    with open_scene(only(catalogue.folder, {"x": name})) as reader:
        assert values(reader) == pytest.approx({"x": 1005 * 0.0001 - 0.1}, abs=1e-6)


def test_an_asset_itself_may_state_its_common_name(catalogue: Catalogue, only: Only) -> None:
    """STAC 1.1: what all bands of an asset have in common stands in the asset."""
    assets = {}
    for name, common, value in (("B04", "red", 300), ("B08", "nir", 600)):
        write_band(catalogue.folder / f"{name}.tif", value)
        assets[name] = {"href": f"{name}.tif", "type": "image/tiff", "roles": ["reflectance"], "eo:common_name": common}
    catalogue.add({**item("a", assets), "stac_version": "1.1.0"})
    with open_scene(only(catalogue.folder)) as reader:
        assert values(reader) == pytest.approx({"red": 305, "nir": 605})


def test_the_finest_of_equal_bands_is_taken(catalogue: Catalogue, only: Only) -> None:
    for pixel, value in ((20, 500), (10, 700), (60, 900)):
        write_band(catalogue.folder / f"B04_{pixel}m.tif", value)
    assets = {f"red_{pixel}": {**band_asset(f"B04_{pixel}m.tif", "B04", "red"), "gsd": pixel} for pixel in (20, 10, 60)}
    assets["pan"] = band_asset("none.tif", "B8", "pan")
    assets["preview"] = {**band_asset("none.tif", "B04", "red"), "roles": ["thumbnail"], "gsd": 1}
    catalogue.add(item("a", assets))
    scene = only(catalogue.folder)
    assert scene.files == {"": str(catalogue.folder / "B04_10m.tif")}
    assert scene.options["bands"] == {"red": 1}


def test_bands_of_one_asset_and_of_several_mix(catalogue: Catalogue, only: Only) -> None:
    write_band(catalogue.folder / "rgb.tif", 100, bands=3)
    write_band(catalogue.folder / "nir.tif", 900)
    names = [("r", "red"), ("g", "green"), ("b", "blue")]
    colours = {"href": "rgb.tif", "type": "image/tiff", "roles": ["data"]}
    colours["eo:bands"] = [{"name": name, "common_name": common} for name, common in names]  # type: ignore[assignment]
    colours["raster:bands"] = [{"scale": 0.5, "offset": number} for number in range(3)]  # type: ignore[assignment]
    catalogue.add(item("a", {"colours": colours, "B08": band_asset("nir.tif", "B08", "nir")}))
    with open_scene(only(catalogue.folder)) as reader:
        assert values(reader) == pytest.approx({"red": 52.5, "green": 54, "blue": 55.5, "nir": 905})
    with open_scene(only(catalogue.folder, {"blue": "b", "nir": "B08"})) as reader:
        assert values(reader) == pytest.approx({"blue": 55.5, "nir": 905})
    with open_scene(only(catalogue.folder, {"two": 2}, assets=("colours",))) as reader:
        assert values(reader) == pytest.approx({"two": 54})


def test_a_band_of_an_asset_goes_by_its_number(catalogue: Catalogue, only: Only) -> None:
    write_band(catalogue.folder / "all.tif", 100, bands=4)
    write_band(catalogue.folder / "nir.tif", 900)
    whole = {"href": "all.tif", "type": "image/tiff", "roles": ["data"]}
    catalogue.add(item("a", {"analytic": whole, "B08": band_asset("nir.tif", "B08", "nir")}))
    with open_scene(only(catalogue.folder, {"red": "analytic#3", "nir": "nir"})) as reader:
        assert values(reader) == {"red": 107, "nir": 905}
    listed = {**whole, "eo:bands": [{"name": f"b{number}"} for number in range(4)]}
    catalogue.write("a.json", item("a", {"analytic": listed}))
    broken = only(catalogue.folder, {"red": "analytic"})
    assert broken.options["listing_error"][0] == "missing_band"
    assert "has several bands, name one: b0, b1, b2, b3" in broken.options["listing_error"][1]


def test_an_asset_that_lists_no_bands_is_read_whole(catalogue: Catalogue, only: Only) -> None:
    write_band(catalogue.folder / "all.tif", 100, bands=4)
    catalogue.add(item("a", {"analytic": {"href": "all.tif", "type": "image/tiff", "roles": ["data"], "raster:scale": 2.0}}))
    with open_scene(only(catalogue.folder)) as reader:
        assert len(reader.info.bands) == 4
        assert list(values(reader).values()) == [210, 212, 214, 216]


def test_unnamed_bands_are_calibrated_by_their_position(catalogue: Catalogue, only: Only) -> None:
    write_band(catalogue.folder / "all.tif", 100, bands=2)
    bands = [{"scale": 2.0, "nodata": 0}, {"scale": 3.0, "offset": 1.0}]
    catalogue.add(item("a", {"analytic": {"href": "all.tif", "type": "image/tiff", "roles": ["data"], "raster:bands": bands}}))
    with open_scene(only(catalogue.folder)) as reader:
        assert list(values(reader).values()) == [210, 319]
        assert reader.info.nodata == (0.0, None)


def test_red_edges_are_told_apart_by_wavelength_or_name(catalogue: Catalogue, only: Only) -> None:
    assets = {}
    for name, middle in (("B05", 0.704), ("B06", 0.74), ("B07", 0.783)):
        write_band(catalogue.folder / f"{name}.tif", 100)
        assets[name] = band_asset(f"{name}.tif", name, "rededge")
        assets[name]["eo:bands"][0]["center_wavelength"] = middle
    catalogue.add(item("a", assets))
    assert list(only(catalogue.folder).files) == ["rededge071", "rededge075", "rededge078"]
    for asset in assets.values():
        del asset["eo:bands"][0]["center_wavelength"]
    catalogue.write("a.json", item("a", assets))
    assert list(only(catalogue.folder).files) == ["b05", "b06", "b07"]


def test_a_file_without_a_place_takes_that_of_the_item(catalogue: Catalogue, only: Only) -> None:
    write_band(catalogue.folder / "x.tif", 100, crs=None, transform=Affine.identity())
    asset = band_asset("x.tif", "B1", "red")
    place = {"proj:transform": [20, 0, 400_000, 0, -20, 5_000_000, 0, 0, 1], "proj:shape": [SIDE, SIDE]}
    catalogue.add(item("a", {"B1": {**asset, **place}}, **{"proj:epsg": 32633}))
    with open_scene(only(catalogue.folder)) as reader:
        assert (reader.info.crs, reader.info.transform) == ("EPSG:32633", (20, 0, 400_000, 0, -20, 5_000_000))
        assert reader.info.gsd_m == pytest.approx(20)
        assert reader.info.footprint
    catalogue.write("a.json", item("a", {"B1": {**asset, **place, "proj:shape": [5, 5]}}, **{"proj:code": "EPSG:32633"}))
    with open_scene(only(catalogue.folder)) as reader:
        assert reader.info.crs is None
        assert "places [5, 5]" in str(reader.info.georeference_error)


@pytest.mark.parametrize("key", ["proj:code", "proj:epsg", "proj:wkt2", "proj:projjson"])
def test_every_spelling_of_a_place_is_read(catalogue: Catalogue, only: Only, key: str) -> None:
    write_band(catalogue.folder / "x.tif", 100, crs=None, transform=Affine.identity())
    known = CRS.from_epsg(32633)
    stated = {
        "proj:code": "EPSG:32633",
        "proj:epsg": 32633,
        "proj:wkt2": known.to_wkt(),
        "proj:projjson": json.loads(pyproj.CRS.from_epsg(32633).to_json()),
    }
    bounds = [400_000, 5_000_000 - 20 * SIDE, 400_000 + 20 * SIDE, 5_000_000]
    place = {"proj:code": None, "proj:bbox": bounds, "proj:shape": [SIDE, SIDE]}
    catalogue.add(item("a", {"B1": {**band_asset("x.tif", "B1", "red"), **place, key: stated[key]}}))
    with open_scene(only(catalogue.folder)) as reader:
        assert (reader.info.crs, reader.info.transform) == ("EPSG:32633", (20, 0, 400_000, 0, -20, 5_000_000))


def test_a_file_with_a_place_keeps_it(catalogue: Catalogue, only: Only) -> None:
    write_band(catalogue.folder / "x.tif", 100)
    stated = {"proj:transform": [99, 0, 1, 0, -99, 2], "proj:shape": [SIDE, SIDE], "proj:epsg": 3857}
    catalogue.add(item("a", {"B1": {**band_asset("x.tif", "B1", "red"), **stated}}))
    with open_scene(only(catalogue.folder)) as reader:
        assert (reader.info.crs, reader.info.gsd_m) == ("EPSG:32633", 10)


def test_celsius_becomes_kelvin_once(catalogue: Catalogue, only: Only) -> None:
    write_band(catalogue.folder / "x.tif", 15)
    asset = band_asset("x.tif", "T", "lwir11", scale=0.1, offset=0, unit="degree_celsius")
    catalogue.add(item("a", {"T": asset}))
    with open_scene(only(catalogue.folder)) as reader:
        assert values(reader)["lwir11"] == pytest.approx(20 * 0.1 + 273.15, abs=1e-3)
        assert reader.info.unit == "kelvin"


def test_an_offset_that_the_pixels_already_hold_is_not_added_again(catalogue: Catalogue, only: Only) -> None:
    catalogue.add_scene("a", **{"earthsearch:boa_offset_applied": True})
    with open_scene(only(catalogue.folder)) as reader:
        assert values(reader)["red"] == pytest.approx(1005 * 0.0001, abs=1e-6)


def test_a_period_has_its_middle_as_time(catalogue: Catalogue, only: Only) -> None:
    period = {"datetime": None, "start_datetime": "2020-06-01T00:00:00Z", "end_datetime": "2020-06-03T02:00:00+02:00"}
    catalogue.add_scene("a", **period)
    scene = only(catalogue.folder)
    with open_scene(scene) as reader:
        assert reader.info.acquired_at == datetime(2020, 6, 2, tzinfo=UTC)
    assert scene.stac_item is not None
    assert (scene.stac_item["start"], scene.stac_item["end"]) == ("2020-06-01T00:00:00+00:00", "2020-06-03T00:00:00+00:00")


def test_view_sar_and_version_facts_are_in_the_row(catalogue: Catalogue, only: Only) -> None:
    facts = {"view:sun_azimuth": 120.5, "view:off_nadir": 3, "sar:instrument_mode": "IW", "sar:polarizations": ["VV"]}
    catalogue.add_scene("a", **facts, **{"eo:cloud_cover": 12.5, "processing:version": "05.00", "platform": "sentinel-1a"})
    row = only(catalogue.folder).stac_item
    assert row is not None
    expected = {"sun_azimuth": 120.5, "off_nadir": 3.0, "sar_mode": "IW", "sar_polarizations": ["VV"], "cloud_percent": 12.5}
    assert {name: row[name] for name in expected} == expected
    assert (row["version"], row["platform"], row["incidence_angle"]) == ("05.00", "sentinel-1a", None)


REAL = {
    "sentinel2_items": ["coastal", "blue", "green", "red", "rededge071", "nir", "nir08", "swir16", "swir22", "scl"],
    "landsat_items": ["red", "nir08", "swir16", "lwir11", "qa_pixel"],
    "sentinel1_items": ["vv", "vh"],
}


@pytest.mark.parametrize("folder", REAL)
def test_real_items_give_the_bands_of_their_product(test_data: Path, list_all: List, folder: str) -> None:
    place = test_data / "ground/stac" / folder
    scenes = list_all(place, scenes={"allow_outside": True}).scenes
    good = [scene for scene in scenes if "listing_error" not in scene.options]
    assert good, [scene.options["listing_error"] for scene in scenes]
    assert any(set(REAL[folder]) <= set(scene.files) for scene in good), [sorted(scene.files) for scene in good]


def test_the_bands_of_real_sentinel_2_are_calibrated(test_data: Path, only: Only) -> None:
    scene = only(test_data / "ground/stac/sentinel2_items", scenes={"allow_outside": True})
    assert scene.options["metadata"]["scale"]["red"] == 0.0001
    assert scene.files["red"].endswith("R10m/T07HFE_20190212T192651_B04_10m.tif")
    assert scene.options["stated_georeference"]["swir16"]["transform"] == [20, 0, 600_000, 0, -20, 6_500_020]


def test_a_real_catalogue_is_walked(test_data: Path, list_all: List) -> None:
    found = list_all(test_data / "ground/stac/planet_disaster").scenes
    assert len(found) == 5
    assert {scene.options["licence"] for scene in found} == {"CC-BY-SA-4.0"}
    for scene in found:
        with open_scene(scene) as reader:
            assert reader.info.crs


@pytest.mark.parametrize(
    ("stated", "fill"), [(0, 0.0), ("-5", None), ("7", 7.0), ("nan", None), (float("nan"), None), (-1, None)]
)
def test_fill_values_come_as_numbers_and_as_words(catalogue: Catalogue, only: Only, stated: Any, fill: float | None) -> None:
    write_band(catalogue.folder / "x.tif", 100)
    catalogue.add(item("a", {"B1": band_asset("x.tif", "B1", "red", nodata=stated)}))
    with open_scene(only(catalogue.folder)) as reader:
        assert reader.info.nodata == (fill,)
