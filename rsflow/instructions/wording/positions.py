"""Positions and directions in a picture, in words, only where the words are clear.

The picture is divided into 3 x 3 cells. An object's place is the cell of its centre; it has none when the centre lies near a
border between cells or the object spans more than 60 % of a side. Corner names mean the corner cell; "top", "left", "right"
and "bottom" mean the whole third when a question asks what lies there, so that an answer holds in either reading.
"""

from __future__ import annotations

from rsflow.spatial.geometry import Box

MARGIN = 0.02  # of a side: how far a centre must be from the border between two cells
SPAN = 0.6  # of a side: a longer object has no single place
GAP = 0.05  # of a side: how far apart two things must be to be beside each other

PLACES = (
    ("upper left", "top", "upper right"),
    ("left", "centre", "right"),
    ("lower left", "bottom", "lower right"),
)

# What a border's name means where a question or claim asks what lies there: the whole third.
WIDE_PLACES = {
    "top": PLACES[0],
    "bottom": PLACES[2],
    "left": tuple(row[0] for row in PLACES),
    "right": tuple(row[2] for row in PLACES),
}
_PREPOSITIONS = {"top": "at the top", "bottom": "at the bottom", "left": "on the left", "right": "on the right"}
_OTHER_NAMES = {
    **dict.fromkeys(["center", "middle", "middle centre", "centre centre", "central"], "centre"),
    **dict.fromkeys(["upper centre", "upper middle", "top centre", "upper center", "top center", "top middle", "upper"], "top"),
    **dict.fromkeys(
        ["lower centre", "lower middle", "bottom centre", "lower center", "bottom center", "bottom middle", "lower"], "bottom"
    ),
    **dict.fromkeys(["middle left", "centre left", "center left", "left centre"], "left"),
    **dict.fromkeys(["middle right", "centre right", "center right", "right centre"], "right"),
    **{f"top {side}": f"upper {side}" for side in ("left", "right")},
    **{f"bottom {side}": f"lower {side}" for side in ("left", "right")},
}


def parse_place(text: str) -> str | None:
    """The standard name of a place ("upper left" for "top-left"), None for anything that is no place."""
    name = " ".join(text.lower().replace("-", " ").replace("_", " ").split())
    name = _OTHER_NAMES.get(name, name)
    return name if any(name in row for row in PLACES) else None


def place_phrase(place: str) -> str:
    """`in the upper left`, `at the top`, `on the left`."""
    return _PREPOSITIONS.get(place, f"in the {place}")


def place_name(box: Box, height_px: int, width_px: int) -> str | None:
    """The name of the cell that holds the box's centre, None where that is not clear."""
    if box[2] - box[0] > SPAN * width_px or box[3] - box[1] > SPAN * height_px:
        return None
    column = _third_index((box[0] + box[2]) / 2 / width_px)
    row = _third_index((box[1] + box[3]) / 2 / height_px)
    return None if column is None or row is None else PLACES[row][column]


def touches_place(box: Box, place: str, height_px: int, width_px: int, margin: float = MARGIN) -> bool:
    """Whether any of the box lies in the place or within the margin (a share of the side) around it."""
    x0, y0, x1, y1 = _place_bounds(place)
    return (
        box[0] < (x1 + margin) * width_px
        and box[2] > (x0 - margin) * width_px
        and box[1] < (y1 + margin) * height_px
        and box[3] > (y0 - margin) * height_px
    )


def direction(subject: Box, other: Box, height_px: int, width_px: int) -> str | None:
    """`left`, `right`, `above` or `below`: where the subject is, seen from the other; None unless that is clear.

    Clear: a gap of at least 5 % of the side between the two boxes along that axis, and centres at least twice as far
    apart along it as across it.
    """
    dx = (subject[0] + subject[2] - other[0] - other[2]) / 2
    dy = (subject[1] + subject[3] - other[1] - other[3]) / 2
    if abs(dx) >= 2 * abs(dy):
        gap = max(other[0] - subject[2], subject[0] - other[2])
        return ("left" if dx < 0 else "right") if gap >= GAP * width_px else None
    if abs(dy) >= 2 * abs(dx):
        gap = max(other[1] - subject[3], subject[1] - other[3])
        return ("above" if dy < 0 else "below") if gap >= GAP * height_px else None
    return None


def offsets_towards(way: str, subject: Box, other: Box, height_px: int, width_px: int) -> tuple[float, float]:
    """(how far the subject's centre lies from the other's, how far its edge reaches beyond the other's) towards `left`,
    `right`, `above` or `below`, in shares of the side; negative on the opposite side."""
    axis, side = (0, width_px) if way in {"left", "right"} else (1, height_px)
    centre = (subject[axis] + subject[axis + 2] - other[axis] - other[axis + 2]) / 2 / side
    if way in {"left", "above"}:
        return -centre, (other[axis] - subject[axis]) / side
    return centre, (subject[axis + 2] - other[axis + 2]) / side


def size_word(area_px: float, height_px: int, width_px: int) -> str:
    """How much of the picture it takes: `small` (under 1 %), `medium-sized` (under 10 %) or `large`."""
    share = area_px / (height_px * width_px)
    return "small" if share < 0.01 else "medium-sized" if share < 0.1 else "large"


def _third_index(share: float) -> int | None:
    if any(abs(share - border) < MARGIN for border in (1 / 3, 2 / 3)):
        return None
    return min(2, max(0, int(share * 3)))


def _place_bounds(place: str) -> Box:
    row, column = next((r, c) for r, names in enumerate(PLACES) for c, known in enumerate(names) if known == place)
    x0, x1 = (0.0, 1.0) if place in {"top", "bottom"} else (column / 3, (column + 1) / 3)
    y0, y1 = (0.0, 1.0) if place in {"left", "right"} else (row / 3, (row + 1) / 3)
    return (x0, y0, x1, y1)
