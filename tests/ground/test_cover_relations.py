"""Borders and directions between land covers turn and mirror with the ground, and are silent where they are not plain."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsflow.ground.labels.cover_labels import label_cover
from rsflow.ground.labels.cover_relations import relate_covers
from rsflow.instructions.facts import cover_relations
from rsflow.instructions.facts.ground_relations import DIRECTIONS
from rsflow.records import BEARING, BORDER, Provenance, TileFacts
from tests.ground.conftest import GroundBuild, square, write_layer

COVER = Provenance("annotation", "cover", "classes.tif")
SIZE = 60
LEGEND = {1: "forest", 2: "water", 3: "farmland"}
# Forest in the upper half, water a strip at the bottom, farmland between, of which a corner reaches up on the right.
CLASSES = np.full((SIZE, SIZE), 3.0)
CLASSES[:28, :40], CLASSES[48:] = 1.0, 2.0
ORIENTATIONS: list[tuple[int, bool]] = [(turns, mirrored) for turns in range(4) for mirrored in (False, True)]


def oriented(classes: Any, turns: int, mirrored: bool) -> Any:
    """As the picture shows it, mirrored left to right and then turned by quarters, counter-clockwise."""
    return np.rot90(classes[:, ::-1] if mirrored else classes, turns)


def facts_of(classes: Any, ring: list[tuple[float, float]], pixel_m: tuple[float, float] = (10.0, 10.0)) -> TileFacts:
    valid = np.ones(classes.shape, np.bool_)
    labels = label_cover(classes, valid, valid, 1, LEGEND, (), 0, COVER, pixel_m)
    size = math.sqrt(pixel_m[0] * pixel_m[1])
    flat = tuple(value for corner in ring for value in corner)
    return TileFacts("t", "optical", *classes.shape, size, tuple(labels), (), pixel_m, (), flat)


def directions(facts: TileFacts) -> dict[tuple[str, str], str]:
    found = {(one.pair.cover, one.pair.other): one.direction for one in cover_relations.list_directions(facts)}
    return found | {(b, a): DIRECTIONS[(DIRECTIONS.index(way) + 4) % 8] for (a, b), way in found.items()}


NORTH_UP = [(15.0, 0.01), (15.01, 0.01), (15.01, 0.0), (15.0, 0.0)]  # upper left, upper right, lower right, lower left


@pytest.mark.parametrize(("turns", "mirrored"), ORIENTATIONS)
def test_the_ground_is_the_same_however_the_picture_shows_it(turns: int, mirrored: bool) -> None:
    """The corners of the tile on the ground turn with its pixels, so every relation is that of the picture with north up."""
    corners = oriented(np.arange(4).reshape(2, 2), turns, mirrored)
    places = {0: NORTH_UP[0], 1: NORTH_UP[1], 2: NORTH_UP[3], 3: NORTH_UP[2]}
    ring = [places[int(corners[row, col])] for row, col in ((0, 0), (0, 1), (1, 1), (1, 0))]
    facts = facts_of(oriented(CLASSES, turns, mirrored), ring)
    found = directions(facts)
    assert found["forest", "water"] == "north"
    assert found["water", "forest"] == "south"
    borders = {(one.cover, one.other): round(one.value) for one in cover_relations.clear_borders(facts)}
    assert borders == {("farmland", "forest"): 680, ("farmland", "water"): 600}


@pytest.mark.parametrize(("turns", "mirrored"), ORIENTATIONS)
def test_in_a_picture_with_north_up_directions_turn_with_the_ground(turns: int, mirrored: bool) -> None:
    found = directions(facts_of(oriented(CLASSES, turns, mirrored), NORTH_UP))
    assert found["forest", "water"] == ("north", "west", "south", "east")[turns]


@pytest.mark.parametrize("turn_deg", [0.0, 45.0, 100.0, 180.0, 290.0])
@pytest.mark.parametrize("latitude", [0.0, 45.0, 60.0, 80.0])
def test_directions_hold_in_turned_scenes_at_every_latitude(turn_deg: float, latitude: float) -> None:
    turn = math.radians(turn_deg)

    def place(x: float, y: float) -> tuple[float, float]:
        east, north = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        return 15.0 + east / (111_320.0 * math.cos(math.radians(latitude))), latitude + north / 111_320.0

    classes = np.full((SIZE, SIZE), 3.0)
    classes[:20], classes[40:] = 1.0, 2.0
    half = 5.0 * SIZE
    facts = facts_of(classes, [place(-half, half), place(half, half), place(half, -half), place(-half, -half)])
    nearest = (-turn_deg) % 360.0
    off = abs(nearest - 45.0 * round(nearest / 45.0))
    found = directions(facts).get(("forest", "water"))
    assert found == (DIRECTIONS[round(nearest / 45.0) % 8] if off <= 15.0 else None)


def test_pixels_that_are_not_square_are_measured_on_the_ground() -> None:
    classes = np.full((SIZE, SIZE), 3.0)
    classes[:10, :10], classes[-10:, -10:] = 1.0, 2.0
    (label,) = [
        label
        for label in facts_of(classes, NORTH_UP, (10.0, 30.0)).labels
        if label.category == f"{BEARING}forest" and label.text == "water"
    ]
    assert label.value == pytest.approx(math.degrees(math.atan2(-1, 3)) % 360)


@pytest.mark.parametrize("name", ["around it", "mixed", "on both sides"])
def test_nothing_is_said_where_one_is_not_beyond_the_other(name: str) -> None:
    forest = np.zeros((SIZE, SIZE), np.bool_)
    forest[{"around it": np.s_[20:40, 20:40], "mixed": np.s_[::3], "on both sides": np.s_[:15]}[name]] = True
    if name == "on both sides":
        forest[45:] = True
    covers = {"forest": forest, "water": ~forest}
    found = relate_covers(covers, covers, (1.0, 1.0), COVER, is_mapped=True)
    assert not [label for label in found if label.category.startswith(BEARING)]
    assert [label for label in found if label.category.startswith(BORDER)]


def test_where_cover_is_unknown_only_borders_that_are_there_are_told() -> None:
    one, other = np.zeros((2, SIZE, SIZE), np.bool_)
    one[:20], other[50:] = True, True
    covers = {"forest": one, "water": other}
    assert relate_covers(covers, covers, (1.0, 1.0), COVER, is_mapped=False) == []
    other[20:] = True
    (border,) = relate_covers(covers, covers, (1.0, 1.0), COVER, is_mapped=False)
    assert (border.category, border.text, border.value) == (f"{BORDER}forest", "water", SIZE)


@pytest.mark.parametrize(("middle", "count"), [(False, 0), (True, 1)], ids=["no middle", "one middle"])
def test_strips_narrower_than_a_pixel_are_not_apart_from_what_they_run_through(middle: bool, count: int) -> None:
    """Water in quarters of pixels, of which no middle tells, runs all through the forest; farmland is away from both."""
    parts = 4
    fine = np.full((SIZE * parts, SIZE * parts), 1.0)
    fine[: 30 * parts : 4 * parts] = 2.0
    fine[40 * parts :] = 3.0
    if middle:
        fine[34 * parts : 35 * parts] = 2.0
    fine[:, 30 * parts :] = 3.0
    fine[34 * parts : 35 * parts, 30 * parts :] = 2.0 if middle else 3.0
    labels = label_cover(fine, np.ones(fine.shape, np.bool_), np.ones((SIZE, SIZE), np.bool_), parts, LEGEND, (), 0, COVER)
    borders = {(label.category, label.text): label.value for label in labels if label.category.startswith(BORDER)}
    assert 0.0 not in borders.values()
    assert len([pair for pair in borders if "water" in pair or f"{BORDER}water" in pair]) == 2 * count


def test_a_strip_of_a_vector_layer_that_no_middle_shows_is_not_apart(build: GroundBuild, tmp_path: Path) -> None:
    areas = [square(0, 0, 64, 20), square(0, 20, 64, 24), square(0, 44, 64, 20), square(0, 25.6, 64, 0.3), square(10, 50, 9)]
    layer = write_layer(tmp_path / "areas.gpkg", areas, {"use": ["forest", "farmland", "meadow", "lake", "lake"]})
    options = {"rules": [{"category": {"from": "use"}, "kind": "area"}]}
    rows = build.labels(layer, options, entry={"exhaustive": True})
    first = [row for row in rows if row["tile_id"].endswith("/0_0_64") and row["kind"] == "fact"]
    borders = {(row["category"], row["text"]): row["value"] for row in first}
    assert borders[f"{BORDER}forest", "meadow"] == 0.0
    assert (f"{BORDER}farmland", "lake") not in borders  # 5.7 pixels from the pond, and crossed by the strip


def test_areas_of_a_vector_layer_border_on_each_other_and_lie_in_directions(build: GroundBuild, tmp_path: Path) -> None:
    areas = [square(0, 0, 64, 20), square(0, 20, 64, 24), square(0, 44, 64, 20)]
    layer = write_layer(tmp_path / "areas.gpkg", areas, {"use": ["forest", "farmland", "lake"]})
    options = {"rules": [{"category": {"from": "use"}, "kind": "area"}]}
    rows = build.labels(layer, options, entry={"exhaustive": True})
    first = [row for row in rows if row["tile_id"].endswith("/0_0_64") and row["kind"] == "fact"]
    found = {(row["category"], row["text"]): row["value"] for row in first}
    assert found[f"{BORDER}farmland", "forest"] == pytest.approx(640.0, rel=1e-3)
    assert found[f"{BORDER}forest", "lake"] == 0.0
    assert found[f"{BEARING}forest", "lake"] == pytest.approx(0.0, abs=0.5) or found[f"{BEARING}forest", "lake"] > 359.5
    assert found[f"{BEARING}farmland", "forest"] == pytest.approx(180.0, abs=0.5)
