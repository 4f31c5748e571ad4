"""Laws of merging: what tiles saw of a scene is what the scene shows them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.annotations import clip_labels
from rsflow.labellers.merging.merge_tiles import merge_scene, scene_objects
from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import label_from_row, label_row
from rsflow.spatial.geometry import Box, Window, area, clip_box, shift_box
from rsflow.tiles.grid import cover_windows

Row = dict[str, Any]
SEEN = Provenance("labeller", "detector", "a/model", "r1", quality=0.7)
SCENE = (0.0, 0.0, 320.0, 280.0)
KINDS = ("ship", "car")


def tile_of(window: Window) -> Row:
    names = ("row_off", "col_off", "height_px", "width_px")
    place = {name: getattr(window, name) for name in names}
    return {"tile_id": f"s/{window.row_off}_{window.col_off}", **place}


def row(tile_id: str, place: str, label: Label) -> Row:
    return {"label_id": f"{tile_id}#{place}", "tile_id": tile_id, **label_row(label)}


def seen(things: list[Label], window: Window, least: float = 0.0) -> list[Row]:
    """What a detector without a fault says of a tile: it sees parts, and cannot know that they are parts."""
    tile_id = tile_of(window)["tile_id"]
    found = []
    for thing in things:
        assert thing.shape
        part = clip_box(thing.shape.box, window.box)
        if area(part) > least:
            inside = Shape(shift_box(part, -window.col_off, -window.row_off))
            found.append(Label("box", thing.category, SEEN, inside, score=thing.score))
    return [row(tile_id, f"d.{number}", label) for number, label in enumerate(found)]


def told(rows: list[Row]) -> list[tuple[Any, ...]]:
    """What rows say, whatever their ids: visibility to nine digits, for it is a ratio."""
    labels = [(r["tile_id"], label_from_row(r)) for r in rows]
    return sorted(
        (tile, label.category, label.score, label.shape.box, round(label.shape.visibility, 9), label.shape.polygon)
        for tile, label in labels
        if label.shape
    )


@st.composite
def scenes(draw: st.DrawFn) -> list[Label]:
    """Disjoint boxes of all sizes, at least six pixels apart: the scene is split over and over, and some parts hold one."""
    choice = random.Random(draw(st.integers(0, 2**32)))
    leaves: list[Box] = [SCENE]
    for _ in range(draw(st.integers(0, 14))):
        x0, y0, x1, y1 = leaves.pop(choice.randrange(len(leaves)))
        share = choice.uniform(0.2, 0.8)
        if x1 - x0 > y1 - y0:
            middle = round(8 * (x0 + share * (x1 - x0))) / 8
            leaves += [(x0, y0, middle, y1), (middle, y0, x1, y1)]
        else:
            middle = round(8 * (y0 + share * (y1 - y0))) / 8
            leaves += [(x0, y0, x1, middle), (x0, middle, x1, y1)]
    kept = [
        (x0 + 3, y0 + 3, x1 - 3, y1 - 3) for x0, y0, x1, y1 in leaves if min(x1 - x0, y1 - y0) > 10 and choice.random() < 0.7
    ]
    return [Label("box", choice.choice(KINDS), SEEN, Shape(box), score=(n + 1) / 32) for n, box in enumerate(kept)]


grids = st.builds(
    lambda size, overlap: cover_windows(280, 320, size, overlap),
    st.sampled_from([64, 96, 140, 200]),
    st.sampled_from([0, 1, 7, 32]),
)


@given(scenes(), grids, st.sampled_from([0.0, 0.3, 0.8]), st.randoms(use_true_random=False))
@settings(max_examples=120, deadline=None)
def test_tiles_together_see_what_the_scene_seen_at_once_shows(
    things: list[Label], grid: list[Window], least: float, order: random.Random
) -> None:
    """Merged labels are the true objects cut like annotations; in whatever order tiles and labels come."""
    tiles, labels = [tile_of(w) for w in grid], [r for w in grid for r in seen(things, w)]
    order.shuffle(tiles)
    order.shuffle(labels)
    merged = merge_scene(tiles, labels, least)
    expected = [row(tile_of(w)["tile_id"], "d.0", label) for w in grid for label in clip_labels(things, w, least, SCENE)]
    assert told(merged) == told(expected)
    assert len({r["label_id"] for r in merged}) == len(merged)
    whole = merge_scene([tile_of(Window(0, 0, 280, 320))], seen(things, Window(0, 0, 280, 320)), least)
    found = scene_objects(tiles, labels)
    assert sorted((o.best["category"], o.box) for o in found) == sorted((r["category"], tuple(r["box"])) for r in whole)


@given(scenes(), grids, st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_merging_twice_is_merging_once(things: list[Label], grid: list[Window], seed: int) -> None:
    """Where a tile in five overlooks what another shows whole, too."""
    choice = random.Random(seed)
    size = {thing.score: area(thing.shape.box) for thing in things if thing.shape}
    labels = [r for w in grid for r in seen(things, w)]
    whole = {r["label_id"]: r["score"] for r in labels if area(tuple(r["box"])) == size[r["score"]]}
    labels = [r for r in labels if r["label_id"] in whole or r["score"] not in whole.values() or choice.random() < 0.8]
    tiles = [tile_of(w) for w in grid]
    once = merge_scene(tiles, labels, 0.0)
    twice = merge_scene(tiles, once, 0.0)
    assert told(twice) == told(once)
    assert [r["label_id"] for r in twice] == [r["label_id"] for r in once]


@given(scenes())
def test_a_single_tile_is_left_as_it_is(things: list[Label]) -> None:
    labels = seen(things, Window(0, 0, 280, 320))
    labels[:] = [{**r, "box": [value + 1 / 3 for value in r["box"]]} for r in labels]
    assert merge_scene([tile_of(Window(0, 0, 280, 320))], labels, 0.3) == labels


LEFT, RIGHT = Window(0, 0, 100, 100), Window(0, 80, 100, 100)


def one(window: Window, place: str, box: Box, **changes: Any) -> Row:
    label = Label("box", "ship", SEEN, Shape(shift_box(box, -window.col_off, 0.0)), score=0.9)
    return {**row(tile_of(window)["tile_id"], place, label), **changes}


def merged(*rows: Row, tiles: tuple[Window, ...] = (LEFT, RIGHT), least: float = 0.3) -> list[tuple[str, list[float]]]:
    found = merge_scene([tile_of(w) for w in tiles], list(rows), least)
    return [(r["label_id"], r["box"]) for r in found]


def test_a_whole_view_beats_a_cut_one_however_sure_that_is() -> None:
    parts = (one(LEFT, "d.0", (85, 10, 100, 30), score=0.99), one(RIGHT, "d.0", (84, 11, 120, 31), score=0.4))
    assert merged(*parts, least=0.3) == [("s/0_0#d.0", [84, 11, 100, 31]), ("s/0_80#d.0", [4, 11, 40, 31])]
    (found,) = scene_objects([tile_of(LEFT), tile_of(RIGHT)], parts)
    assert (found.best["label_id"], found.views) == ("s/0_80#d.0", {0: "s/0_0#d.0", 1: "s/0_80#d.0"})


def test_a_sliver_at_the_edge_belongs_to_the_object_around_it() -> None:
    whole, sliver = one(RIGHT, "d.0", (90, 10, 130, 30)), one(LEFT, "d.0", (96, 12, 100, 29))
    assert merged(whole, sliver) == [("s/0_80#d.0", [10, 10, 50, 30])]
    pier = {**sliver, "category": "pier"}
    assert merged(whole, pier)[::2] == [("s/0_0#d.0", [96, 12, 100, 29]), ("s/0_80#d.1", [16, 12, 20, 29])]


def test_what_one_tile_overlooked_the_other_tells_it() -> None:
    assert merged(one(RIGHT, "d.4", (85, 10, 95, 20)), one(LEFT, "d.7", (5, 5, 20, 20))) == [
        ("s/0_0#d.7", [5, 5, 20, 20]),
        ("s/0_0#d.8", [85, 10, 95, 20]),
        ("s/0_80#d.4", [5, 10, 15, 20]),
    ]


def test_categories_are_not_compared_where_both_tiles_look() -> None:
    ship, boat = one(LEFT, "d.0", (82, 10, 98, 20), score=0.6), one(RIGHT, "d.0", (82, 10, 98, 20), category="boat")
    rows = merge_scene([tile_of(LEFT), tile_of(RIGHT)], [ship, boat], 0.3)
    assert [(r["category"], r["score"]) for r in rows] == [("boat", 0.9)] * 2


def test_at_a_seam_the_category_and_the_stretch_of_the_edge_must_agree() -> None:
    right = Window(0, 100, 100, 100)
    left_part = one(LEFT, "d.0", (80, 10, 99.5, 30))
    assert [box for _, box in merged(left_part, one(right, "d.0", (101, 12, 130, 30)), tiles=(LEFT, right))] == [
        [80, 10, 100, 30],
        [0, 10, 30, 30],
    ]
    for apart in (one(right, "d.0", (101, 12, 130, 30), category="pier"), one(right, "d.0", (101, 60, 130, 90))):
        assert len(merged(left_part, apart, tiles=(LEFT, right))) == 2
    assert len(merged(left_part, one(right, "d.0", (104, 12, 130, 30)), tiles=(LEFT, right))) == 2


def test_labellers_annotations_and_other_claims_are_kept_apart() -> None:
    box = (82.0, 10.0, 98.0, 20.0)
    true = Label("box", "ship", Provenance("annotation", "a.json"), Shape((82.3, 10.1, 98.7, 20.2)))
    caption = Label("caption", "", SEEN, text="a quay")
    rows = [
        row("s/0_0", "0", true),
        row("s/0_0", "d.1", caption),
        one(LEFT, "d.0", box),
        one(RIGHT, "e.0", (82, 10, 98, 20), origin_name="other"),
    ]
    found = merge_scene([tile_of(LEFT), tile_of(RIGHT)], rows, 0.3)
    assert rows[0] in found
    assert rows[1] in found
    assert [r["label_id"] for r in found] == ["s/0_0#0", "s/0_0#d.0", "s/0_0#d.1", "s/0_0#e.0", "s/0_80#d.0", "s/0_80#e.0"]


def test_outlines_go_with_their_objects() -> None:
    quad = (110.0, 40.0, 130.0, 60.0, 110.0, 80.0, 90.0, 60.0)
    right = Window(0, 100, 100, 100)
    whole = Label("box", "ship", SEEN, Shape((90, 40, 130, 80), quad, oriented=True), score=0.8)
    (kept,) = merge_scene([tile_of(Window(0, 0, 100, 200)), tile_of(right)], [row("s/0_0", "d.0", whole)], 0.9)
    assert (kept["polygon"], kept["oriented"]) == (list(quad), True)
    parts = clip_labels([whole], LEFT, 0.1, (0, 0, 200, 100)) + clip_labels([whole], right, 0.1, (0, 0, 200, 100))
    claims = [
        {**row(tile_of(w)["tile_id"], "d.0", part), "visibility": 1.0} for w, part in zip((LEFT, right), parts, strict=True)
    ]
    (found,) = scene_objects([tile_of(LEFT), tile_of(right)], claims)
    assert found.box == (90, 40, 130, 80)
    together = merge_scene([tile_of(LEFT), tile_of(right)], claims, 0.0)
    assert [r["visibility"] for r in together] == pytest.approx([1 / 8, 7 / 8])
    assert [r["polygon"] for r in together] == [list(part.shape.polygon) for part in parts if part.shape]


def test_an_outline_keeps_its_parts_and_holes_over_the_tiles_that_show_it() -> None:
    parts = [[[20, 20, 60, 20, 60, 60, 20, 60], [30, 30, 50, 30, 50, 50, 30, 50]], [[70, 20, 90, 20, 90, 60, 70, 60]]]
    outline = tuple(tuple(tuple(map(float, ring)) for ring in part) for part in parts)
    bridge = Label("box", "bridge", Provenance("labeller", "d"), Shape.of_parts((20, 20, 90, 60), outline), score=0.5)
    said = row("s/0_0", "d.0", bridge)
    found = merge_scene([tile_of(Window(0, 0, 100, 100)), tile_of(Window(0, 65, 100, 100))], [said], 0.0)
    assert [one["box"] for one in found] == [[20, 20, 90, 60], [5, 20, 25, 60]]
    assert [one["visibility"] for one in found] == [1, pytest.approx(20 / 50)]  # of 40² - 20² and 20 × 40 pixels
    assert found[0]["parts"] == parts
