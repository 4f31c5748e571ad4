"""Sentinel-1 GRD: amplitudes to sigma0 by the product's own tables."""

from __future__ import annotations

import numpy as np
import pytest

from rsflow.config.settings import Scenes, Source
from rsflow.errors import DataError
from rsflow.readers import list_scenes, open_scene
from rsflow.readers.contract import ViewAngles
from rsflow.readers.products.sentinel1 import FLOOR, Table
from rsflow.spatial.geometry import Window

NAME = "s1a-iw-grd-{band}-20240118t171404-20240118t171421-000638-000538-00{number}"
LINES, PIXELS = (0, 20, 40), (0, 30, 59)


def vectors(tag, values_tag, value):
    """`value(line, pixel)` at every point of the grid."""
    rows = "".join(
        f"<{tag}><line>{line}</line><pixel>{' '.join(map(str, PIXELS))}</pixel>"
        f"<{values_tag}>{' '.join(str(value(line, pixel)) for pixel in PIXELS)}</{values_tag}></{tag}>"
        for line in LINES
    )
    return f"<x><adsHeader><startTime>2024-01-18T17:14:04.727079</startTime></adsHeader>{rows}"


def gain(line, pixel):
    return 200.0 + 2 * line + pixel


def noise(line, pixel):
    return 900.0 + 10 * line - 3 * pixel


GAINS = {"sigmaNought": 1.0, "betaNought": 0.8, "gamma": 0.9}  # of each table, relative to the first


def calibration():
    """All three tables at the same points, as in ESA's files."""
    rows = "".join(
        f"<calibrationVector><line>{line}</line><pixel>{' '.join(map(str, PIXELS))}</pixel>"
        + "".join(f"<{tag}>{' '.join(str(gain(line, at) * factor) for at in PIXELS)}</{tag}>" for tag, factor in GAINS.items())
        + "</calibrationVector>"
        for line in LINES
    )
    return f"<x><adsHeader><startTime>2024-01-18T17:14:04.727079</startTime></adsHeader>{rows}</x>"


@pytest.fixture
def safe(tmp_path, write_tif):
    """safe(amplitude) -> a GRD product of 41 rows and 60 columns, VV and VH, whose first column is border."""

    def make(amplitude=150, azimuth="", calibrations=("vv", "vh"), angles=("3.0e+01", "40")):
        top = "S1A_IW_GRDH_1SDV_X.SAFE"
        for number, band in enumerate(("vv", "vh"), 1):
            pixels = np.full((1, 41, 60), amplitude, "uint16")
            pixels[0, :, 0] = 0
            write_tif(f"{top}/measurement/{NAME.format(band=band, number=number)}.tiff", pixels, sensor=None)
            folder = tmp_path / top / "annotation" / "calibration"
            folder.mkdir(parents=True, exist_ok=True)
            name = NAME.format(band=band, number=number)
            if band in calibrations:
                (folder / f"calibration-{name}.xml").write_text(calibration())
            (folder / f"noise-{name}.xml").write_text(vectors("noiseRangeVector", "noiseRangeLut", noise) + azimuth + "</x>")
            points = "".join(
                f"<geolocationGridPoint><incidenceAngle>{angle}</incidenceAngle></geolocationGridPoint>" for angle in angles
            )
            (folder.parent / f"{name}.xml").write_text(f"<p><startTime>2024-01-18T17:14:04.727079</startTime>{points}</p>")
        (tmp_path / top / "manifest.safe").write_text("<x/>")
        return tmp_path / "*.SAFE"

    return make


def source(pattern, **scenes):
    return Source("s1", "sar", "Copernicus", Scenes(str(pattern), product="sentinel1_grd", **scenes))


def test_sigma0_is_power_less_noise_over_the_square_of_the_gain(safe):
    (scene,) = list_scenes(source(safe()))
    assert sum("annotation" in path for path in scene.sidecars) == 6
    with open_scene(scene) as reader:
        assert reader.info.bands == ("vv", "vh")
        assert (reader.info.unit, reader.info.dtype) == ("power", "float32")
        assert reader.info.acquired_at.isoformat() == "2024-01-18T17:14:04.727079+00:00"
        part = reader.read(Window(10, 20, 20, 30))
        # Both tables are planes, so that bilinear interpolation gives them back everywhere.
        expected = [[(150**2 - noise(y, x)) / gain(y, x) ** 2 for x in range(20, 50)] for y in range(10, 30)]
        np.testing.assert_allclose(part.pixels[0], expected, rtol=1e-6)
        np.testing.assert_array_equal(part.pixels[0], reader.read(Window(0, 0, 41, 60)).pixels[0, 10:30, 20:50])


def test_the_border_is_fill_and_what_is_all_noise_has_a_floor(safe):
    (scene,) = list_scenes(source(safe(amplitude=3)))
    with open_scene(scene) as reader:
        part = reader.read(Window(0, 0, 4, 4))
        assert not part.valid[:, 0].any()
        assert part.valid[:, 1:].all()
        assert np.isnan(part.pixels[:, :, 0]).all()
        assert (part.pixels[:, :, 1:] == np.float32(FLOOR)).all()


def test_noise_varies_along_the_flight_too_within_its_block(safe):
    block = (
        "<noiseAzimuthVector><firstAzimuthLine>0</firstAzimuthLine><lastAzimuthLine>40</lastAzimuthLine>"
        "<firstRangeSample>0</firstRangeSample><lastRangeSample>9</lastRangeSample>"
        "<line>0 40</line><noiseAzimuthLut>1 3</noiseAzimuthLut></noiseAzimuthVector>"
    )
    (scene,) = list_scenes(source(safe(azimuth=block)))
    with open_scene(scene) as reader:
        pixels = reader.read(Window(20, 0, 1, 60)).pixels[0, 0]
    assert pixels[9] == pytest.approx((150**2 - 2 * noise(20, 9)) / gain(20, 9) ** 2, rel=1e-6)
    assert pixels[10] == pytest.approx((150**2 - noise(20, 10)) / gain(20, 10) ** 2, rel=1e-6)


def test_a_missing_table_is_that_scenes_reject_and_a_changed_one_makes_another_scene(safe):
    (scene,) = list_scenes(source(safe(calibrations=("vv",))))
    with pytest.raises(DataError, match="calibration-\\*-vh") as raised:
        open_scene(scene)
    assert raised.value.reason == "bad_metadata"


def test_a_table_is_constant_beyond_its_ends():
    table = Table(np.array([5.0]), (np.array([2.0, 4.0]),), (np.array([1.0, 3.0]),))
    np.testing.assert_array_equal(table.at(np.array([0.0, 9.0]), np.array([0.0, 3.0, 9.0])), [[1, 2, 3]] * 2)


def test_real_tables_are_read(test_data, tmp_path, write_tif):
    real = next((test_data / "ground/radiometry").glob("S1C_*.SAFE"))
    copy = tmp_path / real.name
    for path in real.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(real)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (annotation,) = (copy / "annotation").glob("*.xml")
    write_tif(f"{real.name}/measurement/{annotation.stem}.tiff", np.full((1, 300, 8087), 100, "uint16"))
    (scene,) = list_scenes(source(tmp_path / "*.SAFE"))
    with open_scene(scene) as reader:
        assert reader.info.bands == ("hh",)
        assert reader.info.acquired_at.year == 2025
        decibel = 10 * np.log10(reader.read(Window(100, 0, 50, 8087)).pixels[0])
    assert -30 < decibel.min() < decibel.max() < 0


@pytest.mark.parametrize(("quantity", "factor"), [("sigma0", 1.0), ("beta0", 0.8), ("gamma0", 0.9)])
def test_the_setting_chooses_the_table(safe, quantity, factor):
    pattern = safe()
    default, asked = (list_scenes(source(pattern, **more))[0] for more in ({}, {"backscatter": quantity}))
    assert "backscatter" not in default.options
    with open_scene(default) as reader, open_scene(asked) as other:
        one, two = (each.read(Window(5, 5, 10, 10)).pixels for each in (reader, other))
        np.testing.assert_allclose(two, one / factor**2, rtol=1e-5)


def test_only_the_radar_product_has_such_tables(tmp_path):
    with pytest.raises(ValueError, match="backscatter is 'gamma0': only product: sentinel1_grd"):
        Scenes(str(tmp_path / "*.SAFE"), product="sentinel2_l2a", backscatter="gamma0")


def test_the_mean_incidence_angle_is_found(safe):
    (scene,) = list_scenes(source(safe()))
    with open_scene(scene) as reader:
        assert reader.info.angles == ViewAngles(incidence_angle=35.0)


@pytest.mark.parametrize("angle", ["steep", "-3", "nan"])
def test_an_impossible_angle_is_told(safe, angle):
    (scene,) = list_scenes(source(safe(angles=("30", angle))))
    with pytest.raises(DataError, match="incidenceAngle") as caught:
        open_scene(scene)
    assert caught.value.reason == "bad_metadata"
