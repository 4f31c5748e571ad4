"""Hot targets on invented backgrounds, and on a real picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from rsflow.labellers.hotspot import Hotspot, top_hat
from rsflow.records import Label, Raster
from rsflow.spatial.geometry import iou

TARGET = (60.0, 40.0, 72.0, 48.0)


def ground(side: int = 160) -> npt.NDArray[np.float32]:
    """A warm slope in kelvin with noise, and a large warm roof."""
    rng = np.random.default_rng(2)
    shown = 285 + np.linspace(0, 8, side)[None] + rng.normal(0, 0.1, (side, side))
    shown[90:150, 20:90] += 6
    return shown.astype(np.float32)


def found(
    pixels: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_] | None = None, labeller: Hotspot | None = None
) -> list[Label]:
    raster = Raster(pixels[None], np.ones(pixels.shape, bool) if valid is None else valid, ("lwir",))
    return (labeller or Hotspot()).label(raster, np.zeros(pixels.shape, np.uint8), "kelvin", None)


def with_target(shown: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    x0, y0, x1, y1 = (int(v) for v in TARGET)
    shown = shown.copy()
    shown[y0:y1, x0:x1] += 5
    return shown


def test_a_small_hot_target_is_found_and_slopes_and_roofs_are_not() -> None:
    (label,) = found(with_target(ground()))
    assert label.shape
    assert iou(label.shape.box, TARGET) > 0.9
    assert label.category == "hot target"
    assert 0.5 < (label.score or 0) <= 1
    assert found(ground()) == []


def test_cold_targets_are_none() -> None:
    assert found(2 * ground() - with_target(ground())) == []


def test_size_and_aspect_limit_what_is_a_target() -> None:
    shown = with_target(ground())
    assert found(shown, labeller=Hotspot(min_area_px=120)) == []
    assert found(shown, labeller=Hotspot(max_area_px=80)) == []
    assert found(shown, labeller=Hotspot(max_aspect=1.2)) == []


def test_invalid_pixels_make_and_hide_nothing() -> None:
    shown, valid = with_target(ground()), np.ones((160, 160), bool)
    valid[:, :50], valid[:, 78:] = False, False  # what is left is narrower than the window
    shown[~valid] = 0
    (label,) = found(shown, valid)
    assert label.shape
    assert iou(label.shape.box, TARGET) > 0.9


def test_top_hat_equals_scipys_where_all_is_valid() -> None:
    from scipy import ndimage

    shown = with_target(ground())
    assert np.array_equal(top_hat(shown, np.ones(shown.shape, bool), 9), ndimage.white_tophat(shown, 9, mode="nearest"))


def test_its_stated_quality_is_too_low_for_tasks_by_default(test_data: Path) -> None:
    from rsflow.config.settings import Labels

    assert Hotspot().quality < Labels().min_quality
    path = sorted((test_data / "infrared/hit_uav/JPEGImages").glob("*.jpg"))[0]
    grey = np.asarray(Image.open(path).convert("L"))
    for label in found(grey.astype(np.float32)):
        assert label.shape
        x0, y0, x1, y1 = label.shape.box
        inside, around = grey[int(y0) : int(y1), int(x0) : int(x1)], grey[max(0, int(y0) - 8) : int(y1) + 8]
        assert np.percentile(inside, 75) > np.median(around[:, max(0, int(x0) - 8) : int(x1) + 8])
