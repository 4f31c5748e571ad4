"""Regions given as points, scribbles, outlines and numbered marks: each shows its object and no other, also once rounded."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import shapely

from rsflow.annotations.parsing.mask_outlines import trace_outline
from rsflow.config import settings as config
from rsflow.dialects import DIALECTS, get_dialect, spell_text
from rsflow.instructions import compose
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts
from rsflow.spatial.polygons import to_geometry
from rsflow.tiles.number_marks import badge_size, draw_marks, place_badges

ANNOTATION = Provenance("annotation", "coco")
ROWS, COLS = np.mgrid[:400, :512]
LAKE = ((ROWS - 120) ** 2 + (COLS - 130) ** 2 < 70**2) & ((ROWS - 110) ** 2 + (COLS - 160) ** 2 >= 30**2)
BAR = (abs(ROWS - 300) < 14) & (abs(COLS - 300) < 120)
THIN = (abs(ROWS - 380) < 3) & (abs(COLS - 100) < 60)


def outlined(category: str, mask: np.ndarray) -> Label:
    rows, cols = np.nonzero(mask)
    box = (float(cols.min()), float(rows.min()), float(cols.max() + 1), float(rows.max() + 1))
    return Label("box", category, ANNOTATION, Shape.of_parts(box, trace_outline(mask)))


def boxed(category: str, x0: float, y0: float, x1: float, y1: float) -> Label:
    return Label("box", category, ANNOTATION, Shape((x0, y0, x1, y1)))


OUTLINED = (outlined("lake", LAKE), outlined("ship", BAR), outlined("pier", THIN), boxed("ship", 400, 40, 470, 80))
TILE = TileFacts("t/0", "optical", 400, 512, None, OUTLINED, ("lake", "ship", "pier"))


def made(facts: TileFacts, *regions: str, task: str = "region_captioning", seed: int = 0) -> list[Instruction]:
    settings = config.Instructions(tasks=(task,), per_task=50, regions=regions)  # type: ignore[arg-type]  # of the Literal
    return compose(facts, settings, seed, config.Labels())[0]


def area_of(label: Label) -> shapely.Geometry:
    assert label.shape
    return to_geometry(label.shape.area_parts) if label.shape.area_parts else shapely.box(*label.shape.box)


@pytest.mark.parametrize("form", ["point", "scribble"])
def test_a_path_lies_on_its_object_alone_however_it_is_rounded(form: str) -> None:
    found = [item for item in made(TILE, form) if item.answer.get("form") == form]
    assert {item.labels[0] for item in found} >= {0, 1, 3}
    assert 2 not in {item.labels[0] for item in found}  # the pier is thinner than a step of the coarsest text form
    step = 512 / 100
    for item in found:
        path = np.array(item.answer["paths"][0]).reshape(-1, 2)
        assert len(path) == (1 if form == "point" else 5)
        rounded = np.round(path / step) * step
        own = area_of(TILE.labels[item.labels[0]])
        assert all(own.buffer(1e-6).covers(shapely.Point(point)) for point in rounded)
        others = [area_of(label) for position, label in enumerate(TILE.labels) if position != item.labels[0]]
        line = shapely.Point(path[0]) if form == "point" else shapely.LineString(path)
        assert not any(other.intersects(line) for other in others)


def test_an_object_below_another_gets_no_point() -> None:
    hidden = replace(TILE, labels=(*OUTLINED, boxed("pier", 390, 30, 480, 90)))
    assert 3 not in {item.labels[0] for item in made(hidden, "point") if item.answer.get("form") == "point"}


def test_an_outline_with_a_hole_or_none_falls_back_to_a_box() -> None:
    ring = (ROWS - 120) ** 2 + (COLS - 130) ** 2
    holed = replace(TILE, labels=(outlined("lake", (ring < 70**2) & (ring > 30**2)), OUTLINED[1], OUTLINED[3]))
    forms = {item.labels[0]: item.answer.get("form", "box") for item in made(holed, "polygon")}
    assert forms == {0: "box", 1: "polygon", 2: "box"}


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("form", ["point", "scribble", "polygon"])
def test_every_family_spells_each_form_with_the_numbers_of_its_boxes(name: str, form: str) -> None:
    dialect = get_dialect(name)
    item = next(item for item in made(TILE, form) if item.answer.get("form") == form)
    spelled = spell_text(dialect, item.turns[0].text, item.boxes, item.answer, 400, 512)
    assert "|@" not in spelled
    path = item.answer["paths"][0]
    numbers = [float(text) for text in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)", spelled)][: len(path)]
    # A box around a point is spelled by the family's own arithmetic: the point's numbers are its first two.
    x, y = path[:2]
    corner = spell_text(dialect, "[[|0]]", ((x, y, 511.0, 399.0),), {}, 400, 512)
    expected = [float(text) for text in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)", corner)][:2]
    assert numbers[:2] == pytest.approx(expected, abs=1.001)
    assert len(numbers) == len(path)


def test_the_default_is_boxes_word_for_word() -> None:
    settings = config.Instructions(tasks=("region_captioning",), per_task=50)
    assert made(TILE, "box", "oriented") == compose(TILE, settings, 0, config.Labels())[0]
    assert not any("form" in item.answer for item in made(TILE, "box", "oriented"))


def test_forms_vary_and_follow_from_seed_and_tile() -> None:
    forms = ("box", "point", "scribble", "polygon")
    every = [item for seed in range(12) for item in made(TILE, *forms, seed=seed) if item.answer["kind"] == "text"]
    counts = Counter(item.answer.get("form", "box") for item in every)
    assert set(counts) == set(forms)
    assert made(TILE, *forms, seed=3) == made(TILE, *forms, seed=3)


def test_marks_number_objects_and_the_answer_is_that_of_the_numbered_one() -> None:
    found = made(TILE, "marks")
    by_mark = {item.answer["mark"]: item for item in found if item.answer["kind"] == "category"}
    assert set(by_mark) == {1, 2, 3, 4}
    for number, item in by_mark.items():
        assert f"mark {number}" in item.turns[0].text
        label = TILE.labels[item.labels[0]]
        assert label.shape
        assert item.answer["marks"][number - 1] == list(label.shape.box)
        assert item.turns[1].text == label.category
    referred = [item for item in made(TILE, "marks", task="grounding") if item.answer["kind"] == "mark"]
    assert {item.answer["phrase"] for item in referred} >= {"the lake", "the pier", "the topmost ship"}
    for item in referred:
        assert item.turns[1].text == str(item.answer["value"])
        label = TILE.labels[item.labels[0]]
        assert label.shape
        assert item.answer["marks"][item.answer["value"] - 1] == list(label.shape.box)


def test_a_mark_is_drawn_beside_its_object_and_hides_none() -> None:
    picture = np.full((400, 512), 120, dtype=np.uint8)
    item = next(item for item in made(TILE, "marks") if "marks" in item.answer)
    drawn = draw_marks(picture, item.answer["marks"], item.answer["badges"])
    assert (picture == 120).all()  # a copy was drawn on
    for label in TILE.labels:
        assert label.shape
        x0, y0, x1, y1 = (int(value) for value in label.shape.box)
        assert (drawn[y0:y1, x0:x1] == 120).all()
    high, wide = badge_size(400, 512)
    digits = [drawn[int(y0) : int(y1), int(x0) : int(x1)] for x0, y0, x1, y1 in item.answer["badges"]]
    assert all(digit.shape == (high, wide) for digit in digits)
    assert len({digit.tobytes() for digit in digits}) == len(digits)
    colour = draw_marks(np.dstack([picture] * 3), item.answer["marks"], item.answer["badges"])
    assert np.array_equal(colour[..., 1], drawn)


def test_crowded_objects_are_marked_only_where_a_badge_has_room() -> None:
    boxes = [(float(x), float(y), x + 20.0, y + 20.0) for y in range(0, 200, 60) for x in range(0, 200, 27)]
    badges = place_badges(boxes, boxes, 210, 210)
    assert 0 < len(badges) <= 9
    shapes = [shapely.box(*badge) for badge in badges.values()]
    assert all(one.intersection(other).area == 0 for one in shapes for other in shapes if one is not other)
    assert all(badge.intersection(shapely.box(*box)).area == 0 for badge in shapes for box in boxes)
    assert all(shapely.box(0, 0, 210, 210).covers(badge) for badge in shapes)
