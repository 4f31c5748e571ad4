"""CFAR on invented speckle with known targets, and on real ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from rsflow.annotations import read_annotations
from rsflow.config.settings import Annotations
from rsflow.labellers.cfar import Cfar, land_mask, ring_statistics, to_amplitude
from rsflow.labellers.quality.detection_metrics import Score, score
from rsflow.records import Label, Raster
from rsflow.sensors import PixelUnit
from rsflow.spatial.geometry import iou

Amplitude = npt.NDArray[np.float32]
SHIP = (120.0, 90.0, 160.0, 102.0)


def sea(side: int = 300, seed: int = 1) -> Amplitude:
    """Single-look speckle: Rayleigh amplitude."""
    return np.random.default_rng(seed).rayleigh(10, (side, side)).astype(np.float32)


def with_ship(water: Amplitude) -> Amplitude:
    x0, y0, x1, y1 = (int(v) for v in SHIP)
    shown = water.copy()
    shown[y0:y1, x0:x1] = 20 * shown[y0:y1, x0:x1].mean()
    return shown


def found(pixels: npt.NDArray[np.floating], unit: PixelUnit = "amplitude", gsd_m: float | None = None) -> list[Label]:
    return Cfar().label(Raster(pixels[None], np.isfinite(pixels), ("vv",)), np.zeros(pixels.shape, np.uint8), unit, gsd_m)


def test_a_ship_on_speckle_is_found_where_it_is_and_nothing_else() -> None:
    (label,) = found(with_ship(sea()))
    assert label.shape
    assert iou(label.shape.box, SHIP) > 0.8
    assert (label.kind, label.category) == ("box", "ship")
    assert 0.5 < (label.score or 0) <= 1
    for seed in range(5):
        assert found(sea(seed=seed)) == []


def test_units_are_brought_to_one_scale_and_scale_does_not_matter() -> None:
    amplitude = with_ship(sea())
    boxes = [label.shape for label in found(amplitude)]
    with_gap = np.where(amplitude > 0, amplitude, np.nan)
    assert [label.shape for label in found(amplitude * 64)] == boxes
    assert [label.shape for label in found(with_gap.astype(np.float64) ** 2, "power")] == boxes
    assert [label.shape for label in found(20 * np.log10(with_gap.astype(np.float64)), "db")] == boxes


def test_a_swath_edge_is_no_target() -> None:
    shown = with_ship(sea())
    shown[:, :60] = np.nan
    (label,) = found(shown)
    assert label.shape
    assert iou(label.shape.box, SHIP) > 0.8


def test_land_holds_no_ships_and_does_not_hide_those_beside_it() -> None:
    shown = with_ship(sea())
    shown[150:] = 5 * shown[150:]
    shown[200:210, 100:130] = 2000
    (label,) = found(shown)
    assert label.shape
    assert iou(label.shape.box, SHIP) > 0.8


def test_a_town_without_water_is_no_fleet() -> None:
    rng = np.random.default_rng(3)
    town = sea() * rng.choice([1, 1, 2, 6], (30, 30)).repeat(10, 0).repeat(10, 1)
    town[100:110, 100:130] = 1500
    assert found(town.astype(np.float32)) == []


def test_a_known_pixel_size_says_what_is_too_small_or_too_large() -> None:
    shown = with_ship(sea())
    assert len(found(shown, gsd_m=3.0)) == 1  # 120 m long
    assert found(shown, gsd_m=0.5) == []  # 20 m x 6 m: less than the least vessel
    assert found(shown, gsd_m=30.0) == []  # 1200 m


def test_ring_statistics_are_those_of_the_rings_pixels() -> None:
    amplitude, use = sea(40), np.random.default_rng(5).random((40, 40)) > 0.2
    mean, sd = ring_statistics(amplitude, use, 15, 7)
    for row, col in ((20, 20), (0, 0), (39, 13)):
        ring = np.zeros((40, 40), bool)
        ring[max(0, row - 7) : row + 8, max(0, col - 7) : col + 8] = True
        ring[max(0, row - 3) : row + 4, max(0, col - 3) : col + 4] = False
        assert mean[row, col] == pytest.approx(amplitude[ring & use].mean(), rel=1e-5)
        assert sd[row, col] == pytest.approx(amplitude[ring & use].std(), rel=1e-4)


def test_a_ring_without_pixels_gives_no_statistics() -> None:
    mean, sd = ring_statistics(sea(40), np.zeros((40, 40), bool), 15, 7)
    assert np.isinf(mean).all()
    assert np.isinf(sd).all()


def test_land_is_what_is_bright_over_a_large_area() -> None:
    shown = sea()
    shown[:, 200:] *= 4
    shown[50:60, 50:60] *= 4
    mask = land_mask(shown, np.ones(shown.shape, bool), 2.0, 25, 6000)
    assert mask[:, 220:].all()
    assert not mask[:, :180].any()


def test_what_is_not_finite_is_not_valid() -> None:
    amplitude, valid = to_amplitude(np.array([[np.nan, np.inf, -np.inf, 20.0]]), np.ones((1, 4), bool), "db")
    assert valid.tolist() == [[False, False, False, True]]
    assert amplitude.tolist() == [[0, 0, 0, 10]]


def test_real_ships_are_found_as_well_as_the_docstring_says(test_data: Path) -> None:
    folder = test_data / "sar/hrsid"
    total = Score()
    for name, picture in read_annotations(Annotations("coco", str(folder / "derived_coco.json"))).pictures.items():
        grey = np.asarray(Image.open(folder / "JPEGImages" / f"{name}.jpg").convert("L"))
        boxes = [label.shape.box for label in found(grey.astype(np.float32)) if label.shape]
        total += score(boxes, [label.shape.box for label in picture.labels if label.shape], 0.3)
    assert total.precision >= 0.9
    assert total.f1 >= 0.8


@pytest.mark.parametrize("contrast", [1.3, 1.6, 2.0])
def test_bright_things_on_fields_without_water_are_no_ships(contrast: float) -> None:
    rng = np.random.default_rng(7)
    fields = contrast ** rng.standard_normal((6, 6)).repeat(100, 0).repeat(100, 1)
    farmland = (fields * sea(600)).astype(np.float32)
    farmland[290:302, 220:260] = 400
    assert found(farmland) == []
