"""What a pixel measures where neither the source nor the file says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rsflow.calibration import UNCALIBRATED, Calibration
from rsflow.readers import SceneInfo
from rsflow.records import SceneFiles
from rsflow.stages.label.cut_scenes import pixel_unit

INFO = SceneInfo(("red", "nir"), "uint16", 8, 8, "none", None, None, None, None, None)


def unit_of(calibration, sensor="optical", dtype="uint16", **options):
    scene = SceneFiles("s.a", "s", sensor, "auto", {"": "a.tif"}, options)
    return pixel_unit(scene, replace(INFO, dtype=dtype, calibration=calibration))


@pytest.mark.parametrize(
    ("scale", "offset", "dtype", "unit"),
    [
        (1e-4, -0.1, "uint16", "reflectance"),
        (2.75e-5, -0.2, "uint16", "reflectance"),
        (1 / 255, 0.0, "uint8", "reflectance"),
        (0.01, 0.0, "uint16", "dn"),  # radiance
        (0.00341802, 149.0, "uint16", "dn"),  # temperature
        (1e-4, 0.0, "float32", "dn"),  # fractions have no range
    ],
)
def test_a_scale_that_can_only_give_reflectance_gives_it(scale, offset, dtype, unit):
    assert unit_of((Calibration(scale, offset, "", "file tags"),) * 2, dtype=dtype) == unit


def test_every_band_has_to_be_calibrated_and_a_setting_comes_first():
    known = Calibration(1e-4, 0.0, "", "file tags")
    assert unit_of((known, UNCALIBRATED)) == "dn"
    assert unit_of(()) == "dn"
    assert unit_of((known, known), sensor="sar") == "amplitude"
    assert unit_of((known, known), unit="dn") == "dn"
