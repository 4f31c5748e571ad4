"""Facts against pictures that are made to have them."""

from __future__ import annotations

import colorsys

import numpy as np
import numpy.typing as npt
import pytest

from rsflow.labellers.scene import COLOURS, PARTS, Scene, colour_index
from rsflow.records import Raster
from rsflow.sensors import PixelUnit

Picture = npt.NDArray[np.uint8]


def facts(picture: Picture, valid: npt.NDArray[np.bool_] | None = None, unit: PixelUnit = "dn") -> dict[str, tuple[str, float]]:
    good = np.ones(picture.shape[:2], bool) if valid is None else valid
    labels = Scene().label(Raster(np.zeros((1, *picture.shape[:2])), good, ("b",)), picture, unit, None)
    assert all(label.kind == "fact" and label.provenance.quality == 1 for label in labels)
    return {label.category: (label.text, label.value or 0.0) for label in labels}


def grey(level: int, side: int = 96) -> Picture:
    return np.full((side, side), level, np.uint8)


@pytest.mark.parametrize(("level", "word"), [(20, "dark"), (128, "medium"), (220, "bright")])
def test_brightness_is_the_mean_of_valid_pixels(level: int, word: str) -> None:
    picture, valid = grey(level), np.ones((96, 96), bool)
    picture[:50], valid[:50] = 255 - level, False
    assert facts(picture, valid)["brightness"] == (word, pytest.approx(level / 255))


def test_texture_is_of_the_ground_and_not_of_single_pixels() -> None:
    rng = np.random.default_rng(0)
    assert facts(grey(100))["texture"] == ("smooth", 0)
    speckle = np.clip(rng.normal(128, 15, (96, 96)), 0, 255).astype(np.uint8)
    assert facts(speckle)["texture"][0] == "smooth"
    fields = rng.integers(0, 2, (12, 12)).repeat(8, 0).repeat(8, 1)
    assert facts((100 + 20 * fields).astype(np.uint8))["texture"][0] == "moderately textured"
    assert facts((60 + 130 * fields).astype(np.uint8))["texture"][0] == "strongly textured"


@pytest.mark.parametrize(("index", "part"), list(enumerate(PARTS)))
def test_the_brightest_and_the_darkest_part_are_where_they_are(index: int, part: str) -> None:
    row, col = divmod(index, 3)
    place = (slice(row * 32, row * 32 + 32), slice(col * 32, col * 32 + 32))
    bright, dark = grey(100), grey(100)
    bright[place], dark[place] = 160, 30
    assert facts(bright)["brightest_part"] == (part, pytest.approx(160 / 255))
    assert "darkest_part" not in facts(bright)
    assert facts(dark)["darkest_part"][0] == part


def test_parts_with_few_pixels_do_not_compete() -> None:
    picture, valid = grey(100), np.ones((96, 96), bool)
    picture[:32, :32], valid[:32, 2:32] = 0, False  # two columns are left of it
    assert "darkest_part" not in facts(picture, valid)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((200, 30, 30), "red"),
        ((230, 140, 20), "orange"),
        ((120, 80, 30), "brown"),
        ((230, 220, 40), "yellow"),
        ((40, 140, 50), "green"),
        ((20, 190, 200), "cyan"),
        ((40, 70, 65), "green"),  # a forest in the shade
        ((20, 70, 80), "blue"),
        ((30, 60, 200), "blue"),
        ((150, 40, 180), "purple"),
        ((10, 20, 15), "black"),
        ((120, 125, 118), "grey"),
        ((250, 250, 245), "white"),
    ],
)
def test_colours_have_the_names_that_people_give_them(rgb: tuple[int, int, int], name: str) -> None:
    picture = np.full((64, 64, 3), rgb, np.uint8)
    assert facts(picture)["colour"] == (name, 1.0)


def test_hues_are_those_of_the_standard_library() -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (500, 3)).astype(np.uint8)
    for pixel, index in zip(pixels, colour_index(pixels), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255))
        if (
            saturation > 0.16
            and value > 0.16
            and not 14 < hue * 360 < 71
            and min(abs(hue * 360 - e) for e in (165, 180, 200, 260, 330)) > 1
        ):
            cyan = (165, 200) if value >= 0.6 else (180, 180)  # dull cyan is green or blue
            low, high = {
                "red": (-31, 15), "green": (70, cyan[0]), "cyan": cyan, "blue": (cyan[1], 260), "purple": (260, 330),
            }[COLOURS[index]]  # fmt: skip
            assert low <= hue * 360 <= high or low <= hue * 360 - 360 <= high


def test_a_picture_without_one_main_colour_or_without_colour_has_no_colour_fact() -> None:
    mixed = np.zeros((60, 60, 3), np.uint8)
    mixed[:20], mixed[20:40], mixed[40:] = (200, 30, 30), (30, 60, 200), (40, 140, 50)
    assert "colour" not in facts(mixed)
    assert "colour" not in facts(np.dstack([grey(90)] * 3))


def test_low_backscatter_is_told_of_radar_only() -> None:
    decibel = np.full((1, 96, 96), -8.0)
    decibel[:, :48] = -25
    raster = Raster(decibel, np.ones((96, 96), bool), ("vv",))
    (fact,) = [one for one in Scene().label(raster, grey(10), "db", None) if one.category == "low_backscatter_share"]
    assert fact.text == "dark and smooth"
    assert fact.value == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("unit", ["amplitude", "power", "kelvin", "dn"])
def test_a_dark_picture_of_numbers_without_a_scale_says_nothing_of_backscatter(unit: PixelUnit) -> None:
    assert "low_backscatter_share" not in facts(grey(10), unit=unit)


def physical(values: npt.NDArray[np.float64], unit: PixelUnit) -> dict[str, str]:
    picture = np.full(values.shape, 128, np.uint8)  # says nothing of the values
    labels = Scene().label(Raster(values[None], np.isfinite(values), ("b",)), picture, unit, None)
    return {label.category: label.text for label in labels if label.category.endswith("_part")}


def test_the_ground_is_measured_on_physical_values_and_not_on_the_picture() -> None:
    decibel = np.full((96, 96), -10.0)
    decibel[:32, :32], decibel[64:, 64:] = -2.0, -20.0
    said = {"strongest_backscatter_part": "upper left", "weakest_backscatter_part": "lower right"}
    assert physical(decibel, "db") == said
    assert physical(10 ** (decibel / 10), "power") == said
    assert physical(decibel, "amplitude") == physical(decibel, "dn") == {}
    kelvin = np.full((96, 96), 290.0)
    kelvin[32:64, 32:64], kelvin[:32, 64:] = 296.0, 285.0
    assert physical(kelvin, "kelvin") == {"warmest_part": "centre", "coolest_part": "upper right"}
    kelvin[32:64, 32:64] = 290.4
    assert "warmest_part" not in physical(kelvin, "kelvin")
