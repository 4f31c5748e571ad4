"""Laws of oriented boxes: corners and angles say the same."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsflow.annotations import fit_to_scene, read_annotations
from rsflow.annotations.parsing.oriented_boxes import box_corners, check_corner_order, min_area_rectangle, ring_bounds
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.config.settings import Annotations
from rsflow.errors import DataError
from rsflow.spatial.geometry import ring_area

side = st.floats(1, 500)
place = st.floats(-1000, 1000)


@given(place, place, side, side, st.floats(-10, 10))
def test_corners_and_rectangle_are_inverse(cx: float, cy: float, width: float, height: float, angle: float) -> None:
    ring = box_corners(cx, cy, width, height, angle)
    x, y, long, short, turned = min_area_rectangle(ring)
    assert (x, y) == pytest.approx((cx, cy), abs=1e-4)
    assert (long, short) == pytest.approx((max(width, height), min(width, height)), abs=1e-4)
    assert 0 <= turned < math.pi
    again = box_corners(x, y, long, short, turned)
    near = [
        min(math.dist(a, b) for b in zip(again[::2], again[1::2], strict=True)) for a in zip(ring[::2], ring[1::2], strict=True)
    ]
    assert max(near) < 1e-3
    assert ring_area(ring) == pytest.approx(width * height, rel=1e-6)
    assert check_corner_order(ring) == ring


def test_an_angle_turns_from_right_to_down() -> None:
    # A quarter turn puts the box's own upper right corner below its upper left one.
    ring = box_corners(0, 0, 4, 2, math.pi / 2)
    assert ring == pytest.approx((1, -2, 1, 2, -1, 2, -1, -2))
    assert min_area_rectangle((0, 0, 10, 10, 9, 11, -1, 1))[4] == pytest.approx(math.pi / 4)


@pytest.mark.parametrize("numbers", [(0, 0, 0, 1, 0), (0, 0, 1, -1, 0), (0, 0, 1, 1, math.nan), (math.inf, 0, 1, 1, 0)])
def test_what_is_no_box_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(DataError):
        box_corners(*numbers)


def test_corners_that_do_not_go_round_are_refused() -> None:
    with pytest.raises(DataError, match="crossed_corners"):
        check_corner_order((0, 0, 10, 10, 10, 0, 0, 10))


def test_the_edge_of_the_picture_cuts_an_oriented_box_to_a_polygon_unless_it_is_overshot_by_rounding() -> None:
    ring = box_corners(10, 50, 30, 10, 0.5)
    cut = make_shape(ring_bounds(ring), ring, 100, 100, oriented=True)
    assert not cut.oriented
    assert len(cut.polygon) > 8 or min(cut.polygon[::2]) == 0
    assert cut.box == ring_bounds(cut.polygon)
    near = tuple(value - ring_bounds(ring)[0] - 0.4 if i % 2 == 0 else value for i, value in enumerate(ring))
    kept = make_shape(ring_bounds(near), near, 100, 100, oriented=True)
    assert kept.oriented
    assert len(kept.polygon) == 8
    assert min(kept.polygon[::2]) == 0


@pytest.mark.parametrize("format_", ["dota", "yolo_obb", "rsflow"])
def test_the_box_of_what_the_edge_leaves_of_a_turned_object_holds_nothing_else(tmp_path: Path, format_: str) -> None:
    # A strip across the upper left corner of a picture of 400 pixels: inside it reaches to 80 on both axes.
    quad = [-60, 80, 80, -60, 110, -30, -30, 110]
    spelled = " ".join(str(value / 400) for value in quad)
    line = {"kind": "box", "category": "ship", "box": [-60, -60, 110, 110], "polygon": quad, "oriented": True}
    text = {
        "dota": " ".join(map(str, quad)) + " ship 0",
        "yolo_obb": f"0 {spelled}",
        "rsflow": json.dumps({"file": "a.png", "labels": [line]}),
    }[format_]
    (tmp_path / "classes.txt").write_text("ship\n")
    (tmp_path / "a.txt").write_text(text + "\n")
    same, _ = fit_to_scene(read_annotations(Annotations(format_, str(tmp_path / "a.txt"))).pictures["a"], 400, 400)
    assert same
    (label,) = same.labels
    assert label.shape
    assert label.shape.box == pytest.approx((0, 0, 80, 80))
    assert ring_area(label.shape.polygon) == pytest.approx((80**2 - 20**2) / 2)
    assert not label.shape.oriented


def test_a_turned_object_that_only_its_hull_puts_on_the_picture_is_outside() -> None:
    ring = (-30.0, 10.0, 10.0, -30.0, 5.0, -35.0, -35.0, 5.0)  # x + y is at most -20
    with pytest.raises(DataError, match="box_outside"):
        make_shape(ring_bounds(ring), ring, 100, 100, oriented=True)
