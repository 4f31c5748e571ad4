"""Product folders: bands, dates and physical values found by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.transform import from_origin

from rsflow.config.settings import BuildConfig, Scenes, Source
from rsflow.config.validation import check
from rsflow.errors import ConfigError, DataError
from rsflow.planning.estimates.estimate import estimate_build
from rsflow.planning.plan import make_plan
from rsflow.readers import list_scenes, open_scene
from rsflow.readers.contract import ViewAngles
from rsflow.spatial.geometry import Window


def metadata(offset: str, level: str = "BOA", quantification: str = "10000") -> str:
    offsets = "".join(f'<{offset} band_id="{i}">-1000</{offset}>' for i in range(13)) if offset else ""
    name = f"{level}_QUANTIFICATION_VALUE".lstrip("_")
    return (
        '<?xml version="1.0"?><n1:P xmlns:n1="urn:x"><PRODUCT_START_TIME>2022-04-13T15:07:59.024Z</PRODUCT_START_TIME>'
        f"<{name}>{quantification}</{name}>{offsets}</n1:P>"
    )


def source(pattern, product="sentinel2_l2a", **scenes):
    return Source("s2", "optical", "CC-BY-4.0", Scenes(str(pattern), product=product, **scenes))


@pytest.fixture
def safe(tmp_path, write_tif):
    """safe(text of its metadata) -> a Level-2A folder with three bands of 1500, and classes."""

    def make(text):
        top = "S2B_MSIL2A_X.SAFE/GRANULE/L2A_X/IMG_DATA"
        for folder, band, step in (
            ("R10m", "B04", 10),
            ("R10m", "B08", 10),
            ("R20m", "B04", 20),
            ("R20m", "B11", 20),
            ("R20m", "SCL", 20),
        ):
            size = 400 // step
            pixels = np.full((1, size, size), 4 if band == "SCL" else 1500, "uint8" if band == "SCL" else "uint16")
            pixels[0, 0, 0] = 0
            write_tif(f"{top}/{folder}/T_X_{band}_{step}m.tif", pixels, transform=from_origin(500_000, 5_000_000, step, step))
        (tmp_path / "S2B_MSIL2A_X.SAFE" / "MTD_MSIL2A.xml").write_text(text)
        return tmp_path / "*.SAFE"

    return make


@pytest.mark.parametrize(("text", "offset"), [(metadata("BOA_ADD_OFFSET"), -0.1), (metadata(""), 0.0)])
def test_a_level_2a_folder_is_a_scene_of_reflectances(safe, text, offset):
    (scene,) = list_scenes(source(safe(text)))
    assert scene.files["red"].endswith("R10m/T_X_B04_10m.tif")
    assert scene.sidecars[0].endswith("MTD_MSIL2A.xml")
    with open_scene(scene) as reader:
        info = reader.info
        assert info.bands == ("red", "nir", "swir16", "scl")
        assert (info.height_px, info.unit, info.nodata[0], info.nodata[3]) == (40, "reflectance", 0.0, None)
        assert info.acquired_at is not None
        assert (info.acquired_at.year, info.acquired_at.hour) == (2022, 15)
        for how in info.calibration[:3]:
            assert (how.scale, how.offset, how.origin) == (1e-4, pytest.approx(offset), "MTD_MSIL2A.xml")
        assert not info.calibration[3].changes
        assert not reader.read(Window(0, 0, 1, 1)).valid.any()


def test_settings_beat_the_metadata_and_bands_may_be_chosen(safe):
    (scene,) = list_scenes(source(safe(metadata("BOA_ADD_OFFSET")), bands={"r": "B04", "short": "B11"}, offset=0.0, nodata=7.0))
    with open_scene(scene) as reader:
        assert reader.info.bands == ("r", "short")
        assert [how.offset for how in reader.info.calibration] == [0.0, 0.0]
        assert reader.info.nodata == (7.0, 7.0)
    with pytest.raises(ConfigError, match="B99"):
        list_scenes(source(safe(metadata("")), bands={"r": "B99"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<a", "no XML"),
        ("<a/>", "QUANTIFICATION"),
        (metadata("", quantification="0"), "above 0"),
        (metadata("", quantification="ten"), "BOA_QUANTIFICATION_VALUE is 'ten', expected a finite number"),
        (metadata("BOA_ADD_OFFSET").replace("-1000", "minus"), "BOA_ADD_OFFSET is 'minus', expected a finite number"),
        (metadata("").replace("2022-04-13T", "yesterday "), "its time is 'yesterday 15:07:59.024Z', expected ISO 8601"),
    ],
)
def test_damaged_metadata_is_that_scenes_fault(safe, text, said):
    (scene,) = list_scenes(source(safe(text)))
    with pytest.raises(DataError, match=said) as caught:
        open_scene(scene)
    assert caught.value.reason == "bad_metadata"
    assert "MTD_MSIL2A.xml" in caught.value.detail


def angles(sun="32.7", azimuth="62.3"):
    views = "".join(
        f"<Mean_Viewing_Incidence_Angle><ZENITH_ANGLE>{view}</ZENITH_ANGLE></Mean_Viewing_Incidence_Angle>" for view in (10, 11)
    )
    return (
        f"<t><Mean_Sun_Angle><ZENITH_ANGLE>{sun}</ZENITH_ANGLE><AZIMUTH_ANGLE>{azimuth}</AZIMUTH_ANGLE></Mean_Sun_Angle>"
        f"{views}</t>"
    )


def test_angles_of_the_tile_are_found(safe, tmp_path):
    (bare,) = list_scenes(source(safe(metadata(""))))
    tile = tmp_path / "S2B_MSIL2A_X.SAFE/GRANULE/L2A_X/MTD_TL.xml"
    tile.write_text(angles())
    (scene,) = list_scenes(source(tmp_path / "*.SAFE"))
    with open_scene(bare) as without, open_scene(scene) as reader:
        assert without.info.angles == ViewAngles()
        assert reader.info.angles == ViewAngles(pytest.approx(57.3), 62.3, 10.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<t><Mean_Sun", "MTD_TL.xml is no XML"),
        (angles(sun="high"), "ZENITH_ANGLE is 'high', expected a finite number"),
        (angles(azimuth="nan"), "AZIMUTH_ANGLE is 'nan'"),
        (angles(azimuth="-90"), "AZIMUTH_ANGLE is -90, expected degrees from 0 to 360"),
        ('<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><t>&b;</t>', "MTD_TL.xml is no XML"),
    ],
)
def test_damaged_angles_are_that_scenes_fault(safe, tmp_path, text, said):
    pattern = safe(metadata(""))
    (tmp_path / "S2B_MSIL2A_X.SAFE/GRANULE/L2A_X/MTD_TL.xml").write_text(text)
    (scene,) = list_scenes(source(pattern))
    with pytest.raises(DataError, match=said) as caught:
        open_scene(scene)
    assert caught.value.reason == "bad_metadata"


def test_a_product_without_band_files_is_a_counted_reject(safe, tmp_path):
    """Downloaded in part: the metadata is there, no band is. Nothing that names the scene's first file may fail on it."""
    safe(metadata("BOA_ADD_OFFSET"))
    lonely = tmp_path / "S2A_MSIL2A_Y.SAFE/MTD_MSIL2A.xml"
    lonely.parent.mkdir()
    lonely.write_text(metadata("BOA_ADD_OFFSET"))
    entry = {"product": "sentinel2_l2a", "files": str(tmp_path / "*.SAFE")}
    config = {
        "root": str(tmp_path / "lake"),
        "sources": [
            {"name": "s2", "sensor": "optical", "licence": "CC-BY-4.0", "scenes": entry, "labellers": [{"name": "scene"}]}
        ],
    }
    built = check(BuildConfig, config, "test")
    plan = make_plan(built, None)
    (row,) = [row for row in plan.scenes.to_pylist() if row["probe_reason"]]
    assert (row["probe_reason"], row["probe_detail"]) == (
        "missing_file",
        f"{lonely}: no file of any band lies beside it: download the whole product",
    )
    estimate = estimate_build(built, plan, None)
    assert any("1 scenes cannot be opened (missing_file (1))" in warning for warning in estimate.warnings)


def test_real_level_2a_folders_open(test_data):
    folder = test_data / "ground/radiometry/S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857.SAFE"
    (scene,) = list_scenes(source(folder))
    with open_scene(scene) as reader:
        assert {"red", "green", "blue", "nir", "nir08", "swir16", "swir22", "scl"} <= set(reader.info.bands)
        assert {how.origin for how in reader.info.calibration} == {"MTD_MSIL2A.xml", ""}
        assert reader.info.angles.sun_elevation == pytest.approx(90 - 32.707, abs=1e-3)
        assert reader.info.angles.incidence_angle == pytest.approx(10.9, abs=0.2)
        assert reader.read(Window(0, 0, 8, 8)).pixels.shape[0] == len(reader.info.bands)
