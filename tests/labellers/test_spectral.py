"""Land cover: indices by hand, invented ground of known cover, and hand-drawn water."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio

from rsflow.labellers.spectral import Spectral, normalised_difference, white_mask
from rsflow.records import Label, Raster

BANDS = ("blue", "green", "red", "nir", "swir16")
# Reflectances of textbook spectra, x 10,000.
WATER, LEAVES, SOIL, CLOUD = (
    (600, 500, 300, 150, 50),
    (300, 600, 350, 4000, 1800),
    (900, 1200, 1600, 2200, 3000),
    (8000, 8000, 8000, 7600, 4000),
)


def ground(bands: tuple[str, ...] = BANDS, offset: int = 0) -> Raster:
    """100 x 100 pixels: 30 rows of water, 40 of leaves, 20 of soil, 10 of cloud."""
    rows = [WATER] * 30 + [LEAVES] * 40 + [SOIL] * 20 + [CLOUD] * 10
    cube = np.repeat(np.array(rows, np.uint16).T[:, :, None], 100, axis=2) + np.uint16(offset)
    return Raster(cube[[BANDS.index(b) for b in bands]], np.ones((100, 100), bool), bands)


def picture(raster: Raster) -> npt.NDArray[np.uint8]:
    shown = [np.clip(raster.pixels[BANDS.index(band)] / 16, 0, 255) for band in ("red", "green", "blue")]
    return np.dstack(shown).astype(np.uint8)


def shares(labels: list[Label]) -> dict[str, float]:
    return {label.category: round(label.value or 0, 3) for label in labels}


def test_shares_are_those_of_the_ground_and_cloud_is_left_unnamed() -> None:
    labels = Spectral().label(ground(), picture(ground()), "reflectance", 10.0)
    assert shares(labels) == {"water": 0.3, "vegetation": 0.4, "bare or built-up land": 0.2}
    water, leaves, soil = labels
    assert water.shape
    assert leaves.shape
    assert soil.shape is None, "cloud beside it may hide as much again"
    assert water.shape.box == (0, 0, 100, 30)
    assert leaves.shape.box == (0, 30, 100, 70)
    assert all(label.kind == "cover" and 0.5 <= (label.score or 0) <= 1 for label in labels)


def test_invalid_pixels_count_neither_above_nor_below_the_line() -> None:
    raster = ground()
    valid = raster.valid.copy()
    valid[:15] = False
    labels = Spectral().label(Raster(raster.pixels, valid, raster.bands), picture(raster), "reflectance", 10.0)
    assert shares(labels) == {"water": 0.176, "vegetation": 0.471, "bare or built-up land": 0.235}


@pytest.mark.parametrize(
    ("bands", "named"),
    [
        (("red", "nir"), {"vegetation"}),
        (("green", "red", "nir"), {"water", "vegetation"}),
        (("red", "nir", "swir16"), {"vegetation", "bare or built-up land"}),
        (("blue", "green", "red", "nir", "swir16"), {"water", "vegetation", "bare or built-up land"}),
    ],
)
def test_bands_that_are_there_decide_what_is_named(bands: tuple[str, ...], named: set[str]) -> None:
    labels = Spectral().label(ground(bands), np.zeros((100, 100), np.uint8), "reflectance", 10.0)
    assert {label.category for label in labels} == named
    assert shares(labels)["vegetation"] == 0.4


def test_an_offset_in_the_numbers_is_taken_out_before_the_ratios() -> None:
    shifted = ground(offset=1000)
    right = Spectral(offset=-1000).label(shifted, picture(ground()), "reflectance", 10.0)
    assert right == Spectral().label(ground(), picture(ground()), "reflectance", 10.0)
    assert Spectral().label(shifted, picture(ground()), "reflectance", 10.0) != right


def test_bands_go_by_the_names_that_a_source_gives_them() -> None:
    raster = ground()
    renamed = Raster(raster.pixels, raster.valid, ("B02", "B03", "B04", "B8A", "B11"))
    roles = Spectral(bands={"blue": "B02", "green": "B03", "red": "B04", "nir": "B8A", "swir": "B11"})
    assert shares(roles.label(renamed, picture(raster), "reflectance", 10.0)) == shares(
        Spectral().label(raster, picture(raster), "reflectance", 10.0)
    )


def test_a_cover_is_said_to_be_absent_only_where_it_was_looked_for_and_nothing_comes_near() -> None:
    raster = ground()
    sea = Raster(raster.pixels[:, :30].copy(), raster.valid[:30], raster.bands)
    labels = Spectral().label(sea, picture(sea), "reflectance", 10.0)
    assert shares(labels) == {"water": 1.0, "vegetation": 0.0, "bare or built-up land": 0.0}
    assert all(label.shape is None for label in labels if not label.value)
    # Some leaves: too few to be mentioned, too many to be denied.
    sea.pixels[:, :1, :20] = raster.pixels[:, 40:41, :20]
    assert "vegetation" not in shares(Spectral().label(sea, picture(sea), "reflectance", 10.0))
    # Under a cloud there may be anything.
    cloudy = Raster(raster.pixels[:, [*range(30), *range(90, 100)]], raster.valid[:40], raster.bands)
    assert shares(Spectral().label(cloudy, picture(cloudy), "reflectance", 10.0)) == {"water": 0.75}
    # Sparse green is near to vegetation.
    sparse = Raster(sea.pixels.copy(), sea.valid, sea.bands)
    for band, value in enumerate((900, 1000, 1000, 2100, 1500)):
        sparse.pixels[band] = value
    assert "vegetation" not in shares(Spectral().label(sparse, picture(sparse), "reflectance", 10.0))


def test_ratios_are_between_minus_one_and_one_and_zero_of_nothing() -> None:
    a, b = np.array([3.0, 0, 0, np.nan, 5], np.float32), np.array([1.0, 2, 0, 1, 5], np.float32)
    assert normalised_difference(a, b).tolist() == [0.5, -1, 0, 0, 0]


def test_grey_pictures_have_no_white() -> None:
    assert not white_mask(np.full((4, 4), 255, np.uint8)).any()
    assert white_mask(np.full((4, 4, 3), 255, np.uint8)).all()


def test_water_is_where_people_drew_it(test_data: Path) -> None:
    folder = test_data / "multisensor/sen1floods11_spain"
    with rasterio.open(folder / "Spain_7370579_S2Hand.tif") as file:
        pixels = file.read([2, 3, 4, 8, 12])
    with rasterio.open(folder / "Spain_7370579_LabelHand.tif") as file:
        truth = file.read(1)
    raster = Raster(pixels, truth >= 0, BANDS)
    covers = Spectral()._cover_masks(raster)
    drawn = covers["water"][1] & raster.valid
    assert (truth[drawn] == 1).mean() > 0.88
    assert drawn[truth == 1].mean() > 0.8


def test_a_river_delta_is_named_as_one_sees_it(test_data: Path) -> None:
    folder = test_data / "optical_scenes/sentinel2_L2A_aquileia_2019-04-16"
    pixels = np.stack(
        [rasterio.open(folder / f"S2_L2A_2019-04-16_{band}.tiff").read(1) for band in ("B02", "B03", "B04", "B08", "B11")]
    )
    raster = Raster(pixels, (pixels > 0).all(axis=0), BANDS)
    labels = Spectral().label(raster, np.zeros(pixels.shape[1:], np.uint8), "reflectance", 10.0)
    found = shares(labels)
    # Judged by eye: the lagoon in the lower left is about a fifth, fields with and without crop share the rest.
    assert 0.15 < found["water"] < 0.25
    assert found["vegetation"] > 0.25
    assert found["bare or built-up land"] > 0.2
    assert sum(found.values()) <= 1
    assert labels[0].shape is None, "shallows near the threshold may join or part its waters"


def test_of_uncalibrated_numbers_nothing_is_claimed() -> None:
    assert Spectral().label(ground(), picture(ground()), "reflectance", 10.0)
    assert Spectral().label(ground(), picture(ground()), "dn", 10.0) == []


def test_an_offset_of_its_own_calibrates() -> None:
    labels = Spectral(offset=-1000).label(ground(), picture(ground()), "dn", 10.0)
    assert "cover" in {label.kind for label in labels}
