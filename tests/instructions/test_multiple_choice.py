"""Multiple choice beyond truth (see test_truth): letters in balance, wrong options near the right one, none of them unknown."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rsflow.config import settings as config
from rsflow.instructions import compose
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts

ANNOTATION = Provenance("annotation", "coco")
TILE = TileFacts(
    tile_id="t/0",
    sensor="optical",
    height_px=512,
    width_px=512,
    gsd_m=None,
    labels=tuple(Label("box", "ship", ANNOTATION, Shape((x, 20.0, x + 30, 90.0))) for x in (20.0, 100.0, 180.0, 260.0)),
    vocabulary=("ship", "plane", "car", "bridge"),
)


def made(facts: TileFacts, seed: int = 0) -> list[Instruction]:
    return compose(facts, config.Instructions(tasks=("multiple_choice",), per_task=50), seed, config.Labels())[0]


def test_each_letter_is_right_about_equally_often() -> None:
    letters = Counter(
        item.answer["letter"]
        for number in range(200)
        for item in made(replace(TILE, tile_id=f"t/{number}"))
        if item.answer["about"] == "count"
    )
    assert sorted(letters) == list("ABCD")
    assert all(30 <= count <= 70 for count in letters.values())


def test_the_right_number_is_not_known_from_its_place_among_the_others() -> None:
    ranks = Counter(
        sorted(map(int, item.answer["options"])).index(4)
        for number in range(200)
        for item in made(replace(TILE, tile_id=f"t/{number}"))
        if item.answer["about"] == "count"
    )
    assert max(ranks.values()) < 120


def test_options_are_never_things_of_which_nothing_is_known() -> None:
    unknown = replace(TILE, vocabulary=())
    assert made(unknown) == []
    only_ships = replace(TILE, vocabulary=("ship",))
    assert {item.answer["about"] for item in made(only_ships)} == {"count"}


def test_a_scene_class_is_asked_among_the_classes_of_its_set() -> None:
    labels = (Label("category", "harbour", ANNOTATION),)
    facts = replace(TILE, labels=labels, vocabulary=("harbour", "airport", "forest", "river"))
    (item,) = made(facts)
    assert item.answer["value"] == "harbour"
    assert set(item.answer["options"]) == {"harbour", "airport", "forest", "river"}
    assert item.turns[0].text.count("\n") == 5


def test_large_numbers_have_wrong_numbers_that_are_plainly_apart() -> None:
    many = replace(
        TILE, labels=tuple(Label("box", "ship", ANNOTATION, Shape((9.0 * i, 20.0, 9.0 * i + 8, 90.0))) for i in range(40))
    )
    counts = [item for item in made(many) if item.answer["about"] == "count"]
    assert all(abs(int(option) - 40) >= 8 for item in counts for option in item.answer["options"] if option != "40")
