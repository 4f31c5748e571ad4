"""Landsat Collection 2: every satellite's bands, both levels, and the three forms of the metadata."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from rsflow.config.settings import Scenes, Source
from rsflow.errors import ConfigError, DataError
from rsflow.readers import list_scenes, open_scene
from rsflow.readers.products.landsat import parse_mtl
from rsflow.spatial.geometry import Window

LEVEL_1 = {
    "IMAGE_ATTRIBUTES": {"DATE_ACQUIRED": "2013-04-19", "SCENE_CENTER_TIME": "16:01:51.8294190Z", "SUN_ELEVATION": "30.0"},
    "LEVEL1_RADIOMETRIC_RESCALING": {
        "RADIANCE_MULT_BAND_4": "0.01",
        "RADIANCE_ADD_BAND_4": "-50",
        "RADIANCE_MULT_BAND_10": "3.342E-04",
        "RADIANCE_ADD_BAND_10": "0.1",
        "REFLECTANCE_MULT_BAND_4": "2.0E-05",
        "REFLECTANCE_ADD_BAND_4": "-0.1",
    },
    "LEVEL1_THERMAL_CONSTANTS": {"K1_CONSTANT_BAND_10": "774.8853", "K2_CONSTANT_BAND_10": "1321.0789"},
}


def mtl(groups, form):
    if form == "json":
        return json.dumps({"LANDSAT_METADATA_FILE": groups})
    if form == "xml":
        rows = {group: "".join(f"<{key}>{value}</{key}>" for key, value in values.items()) for group, values in groups.items()}
        return f"<LANDSAT_METADATA_FILE>{''.join(f'<{g}>{rows[g]}</{g}>' for g in rows)}</LANDSAT_METADATA_FILE>"
    lines = ["GROUP = LANDSAT_METADATA_FILE"]
    for group, values in groups.items():
        lines += [f"  GROUP = {group}", *(f'    {key} = "{value}"' for key, value in values.items()), f"  END_GROUP = {group}"]
    return "\n".join([*lines, "END_GROUP = LANDSAT_METADATA_FILE", "END"])


def source(pattern, **scenes):
    return Source("l8", "optical", "public domain", Scenes(str(pattern), product="landsat_c2", **scenes))


@pytest.fixture
def level_1(tmp_path, write_tif):
    """level_1(form, **image attributes) -> a folder with one Level-1 product: red 20,000, thermal 25,000, one pixel of fill."""

    def make(form="json", name="LC08_L1TP_017036_20130419_20200913_02_T1", **image):
        for band, value in (("B4", 20_000), ("B10", 25_000), ("B8", 9_000)):
            pixels = np.full((1, 40, 40), value, "uint16")
            pixels[0, 0, 0] = 0
            write_tif(f"scenes/{name}_{band}.TIF", pixels)
        groups = {**LEVEL_1, "IMAGE_ATTRIBUTES": {**LEVEL_1["IMAGE_ATTRIBUTES"], **image}}
        (tmp_path / "scenes" / f"{name}_MTL.{form}").write_text(mtl(groups, form))
        return tmp_path / "scenes"

    return make


@pytest.mark.parametrize("form", ["json", "xml", "txt"])
def test_level_1_becomes_reflectance_and_kelvin(level_1, form):
    (scene,) = list_scenes(source(level_1(form)))
    with open_scene(scene) as reader:
        assert reader.info.bands == ("red", "thermal")
        red, thermal = reader.info.calibration
        assert (red.unit, thermal.unit, thermal.scale) == ("reflectance", "kelvin", 1.0)
        assert red.scale == pytest.approx(2e-5 / math.sin(math.radians(30)))
        assert red.offset == pytest.approx(-0.1 / math.sin(math.radians(30)))
        assert reader.info.acquired_at.isoformat() == "2013-04-19T16:01:51.829419+00:00"
        assert (reader.info.angles.sun_elevation, reader.info.angles.incidence_angle) == (pytest.approx(30.0), None)
        part = reader.read(Window(0, 0, 2, 2))
        assert part.pixels[1, 1, 1] == pytest.approx(1321.0789 / math.log(774.8853 / (25_000 * 3.342e-4 + 0.1) + 1), rel=1e-6)
        assert math.isnan(part.pixels[1, 0, 0])
        assert part.valid.tolist() == [[False, True], [True, True]]


def test_an_overview_holds_the_same_temperatures(level_1):
    (scene,) = list_scenes(source(level_1()))
    with open_scene(scene) as reader:
        assert reader.overview(10).pixels[1, 5, 5] == reader.read(Window(0, 0, 40, 40)).pixels[1, 20, 20]


def test_many_products_may_share_a_folder_and_the_panchromatic_band_comes_only_when_named(level_1):
    level_1()
    folder = level_1(name="LC09_L1TP_017036_20220419_20220913_02_T1")
    assert [scene.scene_id for scene in list_scenes(source(folder))] == [
        "l8.scenes__LC08_L1TP_017036_20130419_20200913_02_T1",
        "l8.scenes__LC09_L1TP_017036_20220419_20220913_02_T1",
    ]
    (first, _) = list_scenes(source(folder, bands={"grey": "B8"}))
    assert list(first.files) == ["grey"]
    with pytest.raises(ConfigError, match="B77"):
        list_scenes(source(folder, bands={"grey": "B77"}))


def test_a_sun_below_the_horizon_gives_no_reflectance(level_1):
    (scene,) = list_scenes(source(level_1(SUN_ELEVATION="-30.7")))
    with open_scene(scene) as reader:
        assert (reader.info.calibration[0].unit, reader.info.calibration[0].origin) == ("", "")


def test_a_setting_of_the_source_beats_the_metadata(level_1):
    (scene,) = list_scenes(source(level_1(), scale=0.5))
    with open_scene(scene) as reader:
        assert [how.scale for how in reader.info.calibration] == [0.5, 0.5]
        assert reader.read(Window(1, 1, 1, 1)).pixels[1, 0, 0] == 25_000


@pytest.mark.parametrize(
    ("change", "message"), [({"SUN_ELEVATION": "high"}, "SUN_ELEVATION is 'high'"), ({"SUN_ELEVATION": "nan"}, "finite")]
)
def test_impossible_metadata_is_that_scenes_reject(level_1, change, message):
    (scene,) = list_scenes(source(level_1(**change)))
    with pytest.raises(DataError, match=message) as raised:
        open_scene(scene)
    assert raised.value.reason == "bad_metadata"


@pytest.mark.parametrize("form", ["json", "xml", "txt"])
def test_what_is_no_metadata_is_refused_by_name(level_1, form):
    folder = level_1(form)
    (path,) = folder.glob("*_MTL.*")
    path.write_text("[1]" if form == "json" else "GROUP = OTHER")
    (scene,) = list_scenes(source(folder))
    with pytest.raises(DataError, match="Landsat") as raised:
        open_scene(scene)
    assert path.name in raised.value.detail


def test_the_three_forms_of_a_real_file_say_the_same(test_data):
    folder = test_data / "ground/radiometry/landsat_LC08_017036"
    read = {path.suffix: parse_mtl(path.read_text(), path.suffix) for path in folder.glob("*_MTL.*")}
    assert len(read) == 3
    for group in ("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS", "LEVEL1_THERMAL_CONSTANTS"):
        assert read[".json"][group] == read[".xml"][group] == read[".txt"][group]


def test_real_level_2_scenes_hold_reflectance_and_surface_temperature(test_data):
    (scene,) = list_scenes(source(test_data / "ground/radiometry/landsat_LC08_017036"))
    with open_scene(scene) as reader:
        info = reader.info
        assert set(info.bands) == {"red", "nir", "thermal", "qa_pixel"}
        how = dict(zip(info.bands, info.calibration, strict=True))
        assert (how["red"].scale, how["red"].offset, how["red"].unit) == (2.75e-05, -0.2, "reflectance")
        assert (how["thermal"].scale, how["thermal"].offset, how["thermal"].unit) == (0.00341802, 149.0, "kelvin")
        assert not how["qa_pixel"].changes


@pytest.mark.parametrize(
    ("name", "bands"),
    [
        ("LC09_L2SP_010065_20220129_20220131_02_T1_MTL.txt", {"B4": "red", "B10": "thermal"}),
        ("LE07_L2SP_021030_20100109_20200911_02_T1_MTL.xml", {"B3": "red", "B6": "thermal"}),
        ("LM01_L1GS_005037_19720823_20200909_02_T2_MTL.xml", {"B5": "red", "B7": "nir"}),
    ],
)
def test_real_metadata_of_every_generation_is_read(test_data, tmp_path, write_tif, name, bands):
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / name).write_bytes((test_data / "ground/radiometry/landsat_mtl" / name).read_bytes())
    level_2 = "_L2" in name
    for band, common in bands.items():
        word = "" if not level_2 else "ST_" if common == "thermal" else "SR_"
        write_tif(f"scenes/{name[:-7]}{word}{band}.TIF", np.full((1, 8, 8), 9000, "uint16"))
    (scene,) = list_scenes(source(tmp_path / "scenes"))
    with open_scene(scene) as reader:
        assert set(reader.info.bands) == set(bands.values())
        units = [how.unit for how in reader.info.calibration]
        # The first Landsat's night scene has the sun below the horizon.
        assert units == (["reflectance", "kelvin"] if level_2 else ["", ""])
