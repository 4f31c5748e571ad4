"""Chains of reasoning: programs that replay, what is not certain is not asked, and what a sensor cannot show."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from rsflow.config import settings as config
from rsflow.instructions import compose
from rsflow.instructions.chains import ChainError, replay, run_program
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts
from rsflow.sensors import SensorName

ANNOTATION = Provenance("annotation", "coco")


def box(category: str, x: float, y: float, side: float = 30.0, shown: float = 1.0) -> Label:
    return Label("box", category, ANNOTATION, Shape((x, y, x + side, y + side), (), shown))


HARBOUR = TileFacts(
    tile_id="t/0",
    sensor="optical",
    height_px=512,
    width_px=512,
    gsd_m=0.5,
    labels=(*(box("ship", 20.0 + 80 * i, 20.0) for i in range(4)), box("bridge", 100, 200), box("lighthouse", 400, 400)),
    vocabulary=("bridge", "ship", "lighthouse", "plane"),
)


def made(facts: TileFacts, seed: int = 0) -> list[Instruction]:
    return compose(facts, config.Instructions(tasks=("reasoning",), per_task=50), seed, config.Labels())[0]


def chains(facts: TileFacts, seeds: int = 20) -> dict[str, list[Instruction]]:
    found: dict[str, list[Instruction]] = {}
    for seed in range(seeds):
        for item in made(facts, seed):
            if item.answer["kind"] == "chain":
                found.setdefault(item.answer["chain"], []).append(item)
    return found


def test_every_kind_of_chain_is_made_and_replays_after_a_round_trip() -> None:
    found = chains(HARBOUR)
    assert set(found) == {"more_of", "count_inside", "nearest_to", "distance_between", "left_after"} - {"nearest_to"}
    assert set(chains(replace(HARBOUR, labels=(*HARBOUR.labels[:4], box("bridge", 20, 60))))) >= {"nearest_to"}
    for item in (item for items in found.values() for item in items):
        assert replay(json.loads(json.dumps(item.answer)), item.boxes, HARBOUR) == ""


def test_a_replay_finds_each_changed_fact() -> None:
    (item, *_) = chains(HARBOUR)["left_after"]
    fewer = replace(HARBOUR, labels=HARBOUR.labels[1:])
    assert "step 1" in replay(item.answer, item.boxes, fewer)
    moved = replace(HARBOUR, labels=(box("ship", 21.0, 20.0), *HARBOUR.labels[1:]))
    assert "boxes" in replay(item.answer, item.boxes, moved)
    unknown = replace(HARBOUR, vocabulary=())
    assert "not every instance is known" in replay(item.answer, item.boxes, unknown)
    wrong = json.loads(json.dumps(item.answer))
    wrong["steps"][2]["result"] += 1
    assert "step 3 (subtract)" in replay(wrong, item.boxes, HARBOUR)


def test_the_distance_is_measured_along_both_axes_of_pixels() -> None:
    oblong = replace(HARBOUR, pixel_m=(1.0, 2.0), gsd_m=2**0.5)
    steps = [
        {"op": "locate", "category": "bridge"},
        {"op": "locate", "category": "lighthouse"},
        {"op": "distance", "of": [0, 1]},
    ]
    assert run_program(steps, oblong).results[2] == 500.0  # 300 columns of 1 m, 200 rows of 2 m


@pytest.mark.parametrize(
    "steps",
    [
        [{"op": "locate", "category": "car"}],  # nobody looked for cars
        [{"op": "locate", "category": "ship"}, {"op": "inside", "of": 0, "place": "left"}],  # one lies across the border
        [{"op": "locate", "category": "ship"}, {"op": "locate", "category": "bridge"}, {"op": "nearest", "of": 0, "to": 1}],
        [{"op": "locate", "category": "ship"}, {"op": "share", "of": 0}],  # boxes are no areas
    ],
)
def test_what_is_not_certain_has_no_result(steps: list[dict[str, object]]) -> None:
    with pytest.raises(ChainError):
        run_program(steps, replace(HARBOUR, labels=(*HARBOUR.labels, box("ship", 155.0, 20.0))))


def test_without_a_pixel_size_or_with_a_cut_object_no_distance_is_told() -> None:
    assert "distance_between" not in chains(replace(HARBOUR, gsd_m=None))
    cut = replace(HARBOUR, labels=(*HARBOUR.labels[:5], box("lighthouse", 482, 400, shown=0.5)))
    assert "distance_between" not in chains(cut)


def test_yes_and_no_are_in_balance() -> None:
    answers = Counter(item.answer["value"] for item in chains(HARBOUR, 300)["more_of"])
    assert 0.25 < answers["yes"] / answers.total() < 0.6


@pytest.mark.parametrize(("sensor", "asked"), [("optical", "temperature"), ("sar", "colour"), ("infrared", "colour")])
def test_what_the_sensor_cannot_show_is_said_to_be_untold(sensor: SensorName, asked: str) -> None:
    found = [
        item
        for number in range(40)
        for item in made(replace(HARBOUR, sensor=sensor, tile_id=f"t/{number}"))
        if item.answer["kind"] == "unanswerable"
    ]
    assert 3 <= len(found) <= 20
    assert {item.answer["asked"] for item in found} == {asked}
    assert all(item.turns[-1].text.startswith("That cannot be told from this picture") for item in found)
