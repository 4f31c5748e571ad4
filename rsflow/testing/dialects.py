"""The laws of a dialect (rsflow.dialects.contract)."""

from __future__ import annotations

import math

import numpy as np

from rsflow.dialects import Dialect, displacement_px
from rsflow.spatial.geometry import Region
from rsflow.testing.laws import require
from rsflow.text.turns import mark, marks

SIZES = ((512, 512), (1000, 700), (1, 3), (37, 2048))  # (height, width) of pictures
BOXES = 50  # of random boxes a picture
PLAIN = ("", "There is no ship.", "Is it 3.5 m wide, or 4?\nYes.")


def check_dialect(dialect: Dialect) -> None:
    """Run all laws: plain text passes unchanged, boxes come back within the stated rounding and in their order."""
    for height_px, width_px in SIZES:
        for text in PLAIN:
            require(dialect.spell(text, [], height_px, width_px) == text, f"text without marks is spelled as it is: {text!r}")
            require(dialect.parse(text, height_px, width_px) == (text, []), f"text without boxes is parsed as it is: {text!r}")
        _check_boxes(dialect, height_px, width_px)
    _check_groups(dialect)
    _check_index(dialect)


def _check_boxes(dialect: Dialect, height_px: int, width_px: int) -> None:
    limit = math.hypot(*dialect.max_rounding_px(height_px, width_px)) * 1.0001 + 1e-6
    boxes = _random_boxes(height_px, width_px)
    for box in boxes:
        moved = displacement_px(dialect, box, height_px, width_px)
        require(
            moved <= limit, f"{box} on {height_px} x {width_px} moves by at most max_rounding_px ({limit:g}): found {moved:g}"
        )
    text = f"See {mark('a ship', 0)} and {mark('', 1)}."
    written = dialect.spell(text, boxes[:2], height_px, width_px)
    require(dialect.spell(text, boxes[:2], height_px, width_px) == written, "the same text is spelled in the same way")
    require("a ship" in written, f"a phrase is part of the text: found {written!r}")
    require("[[a ship|" not in written and "[[|" not in written, f"no mark is left over: found {written!r}")
    _, found = dialect.parse(written, height_px, width_px)
    require(len(found) == 2, f"two boxes come back from {written!r}: found {len(found)}")
    for box, back in zip(boxes[:2], found, strict=True):
        distance = max(abs(a - b) for a, b in zip(box, back, strict=True))
        require(distance <= limit, f"boxes come back in their order: {box} came back as {back}")


def _check_groups(dialect: Dialect) -> None:
    boxes: list[Region] = [(0.0, 0.0, 50.0, 40.0), (60.0, 20.0, 90.0, 80.0)]
    text, found = dialect.parse(dialect.spell(f"See {mark('2 ships', 0, 1)}.", boxes, 100, 100), 100, 100)
    groups = [one.boxes for one in marks(text)]
    require((groups, len(found)) == ([(0, 1)], 2), f"boxes of one mark come back as one mark: found {groups} in {text!r}")


def _random_boxes(height_px: int, width_px: int) -> list[Region]:
    rng = np.random.default_rng(7)
    boxes: list[Region] = []
    for x, y, width, height in rng.uniform(size=(BOXES, 4)).tolist():
        x0, y0 = 0.9 * x * width_px, 0.9 * y * height_px
        boxes.append((x0, y0, x0 + (0.05 + 0.95 * width) * (width_px - x0), y0 + (0.05 + 0.95 * height) * (height_px - y0)))
    return [*boxes, (0.0, 0.0, float(width_px), float(height_px))]


def _check_index(dialect: Dialect) -> None:
    try:
        dialect.spell(mark("a ship", 1), [(0.0, 0.0, 1.0, 1.0)], 10, 10)
    except IndexError:
        return
    raise AssertionError("a mark of a box that is not there is an IndexError")
