"""Laws of places: names agree with thirds, directions reverse, and near a border nothing is said."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rsflow.instructions.wording import positions as places
from rsflow.spatial.geometry import Box

HEIGHT_PX, WIDTH_PX = 300, 600
REVERSE = {"left": "right", "right": "left", "above": "below", "below": "above"}


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x0, x1 = sorted((draw(st.floats(0, WIDTH_PX)), draw(st.floats(0, WIDTH_PX))))
    y0, y1 = sorted((draw(st.floats(0, HEIGHT_PX)), draw(st.floats(0, HEIGHT_PX))))
    assume(x1 - x0 > 0.1)
    assume(y1 - y0 > 0.1)
    return (x0, y0, x1, y1)


@given(boxes())
def test_a_named_place_is_the_cell_of_the_centre(box: Box) -> None:
    name = places.place_name(box, HEIGHT_PX, WIDTH_PX)
    if name:
        column, row = int((box[0] + box[2]) / 2 // 200), int((box[1] + box[3]) / 2 // 100)
        assert places.PLACES[min(2, row)][min(2, column)] == name
        assert places.touches_place(box, name, HEIGHT_PX, WIDTH_PX)


@given(boxes(), boxes())
def test_directions_reverse_and_part_the_boxes(a: Box, b: Box) -> None:
    way = places.direction(a, b, HEIGHT_PX, WIDTH_PX)
    assert places.direction(b, a, HEIGHT_PX, WIDTH_PX) == (REVERSE[way] if way else None)
    if way == "left":
        assert a[2] + 0.05 * WIDTH_PX <= b[0] + 1e-6
    if way == "above":
        assert a[3] + 0.05 * HEIGHT_PX <= b[1] + 1e-6


@pytest.mark.parametrize(
    ("box", "name"),
    [
        ((0, 0, 20, 20), "upper left"),
        ((290, 140, 310, 160), "centre"),
        ((10, 140, 20, 160), "left"),
        ((190, 10, 210, 20), None),  # centre on the border between left and middle
        ((0, 0, 600, 20), None),  # as wide as the picture
    ],
)
def test_places_by_hand(box: Box, name: str | None) -> None:
    assert places.place_name(box, HEIGHT_PX, WIDTH_PX) == name


def test_a_side_is_the_whole_third() -> None:
    corner = (10.0, 10.0, 20.0, 20.0)
    assert [name for row in places.PLACES for name in row if places.touches_place(corner, name, HEIGHT_PX, WIDTH_PX)] == [
        "upper left",
        "top",
        "left",
    ]


@pytest.mark.parametrize(
    ("told", "name"),
    [("Upper-Left", "upper left"), ("top_right", "upper right"), ("center", "centre"), ("middle left", "left")],
)
def test_other_names_of_places_are_understood(told: str, name: str) -> None:
    assert places.parse_place(told) == name


def test_an_unknown_place_stays_unsaid() -> None:
    assert places.parse_place("somewhere") is None
