"""What the tasks promise beyond truth: the seeds' wording, stability, limits, trust, and reasons for what they refuse."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.config import settings as config
from rsflow.dialects import collapsed_boxes, get_dialect
from rsflow.errors import ConfigError
from rsflow.instructions import TASKS, check_task, compose, instruction_id
from rsflow.instructions.facts.objects import collapses_when_rounded
from rsflow.instructions.phrasings import PHRASINGS
from rsflow.records import Instruction, Label, Provenance, Reject, Shape, TileFacts
from rsflow.sensors import SensorName
from rsflow.spatial.geometry import RotatedRectangle, area, bounding_box
from rsflow.text.turns import marks

ANNOTATION = Provenance("annotation", "coco")
PSEUDO = Provenance("labeller", "cfar", quality=0.8)
MEASURED = Provenance("labeller", "scene")
HINT = " Answer the question using a single word or phrase."


def box(
    category: str, *corners: float, source: Provenance = ANNOTATION, score: float | None = None, shown: float = 1.0
) -> Label:
    x0, y0, x1, y1 = corners
    return Label("box", category, source, Shape((x0, y0, x1, y1), (), shown), score=score)


def tile(*labels: Label, vocabulary: tuple[str, ...] = (), sensor: SensorName = "optical") -> TileFacts:
    return TileFacts("t/0", sensor, 512, 512, None, labels, vocabulary)


def made(facts: TileFacts, *tasks: str, seed: int = 0, **limits: Any) -> list[Instruction]:
    return compose(facts, config.Instructions(tasks=tasks, **limits), seed, config.Labels())[0]


def refused(facts: TileFacts, *tasks: str, **limits: int) -> list[Reject]:
    return compose(facts, config.Instructions(tasks=tasks, **limits), 0, config.Labels())[1]


LOOKS = ("never", "if_nothing_else", "always")
SHIPS = tile(
    box("ship", 20, 30, 60, 90),
    box("ship", 300, 310, 420, 400),
    box("plane", 400, 20, 440, 60),
    vocabulary=("ship", "plane", "car"),
)

SEEDS = {
    "classification": "What is the category of this remote sensing image?" + HINT,
    "captioning": "Please provide a one-sentence caption for the provided remote sensing image in details.",
    "region_captioning": "Please provide a short description for this region in this remote sensing image :[[|0]]",
    "grounding": "Please provide the horizontal bounding box coordinate of the region which is described as:the plane"
    " in this remote sensing image",
    "detection": "Detect ships shown in the image using horizontal bounding boxes.",
}


@pytest.mark.parametrize(("task", "wording"), SEEDS.items())
def test_the_seeds_wording_is_one_of_the_phrasings(task: str, wording: str) -> None:
    facts = replace(SHIPS, labels=(*SHIPS.labels, Label("category", "harbour", ANNOTATION)))
    asked = {item.turns[0].text for seed in range(60) for item in made(facts, task, seed=seed, per_task=50)}
    assert wording in asked
    assert len(asked) >= 5


def test_the_seeds_wording_of_detecting_everything_and_of_questions() -> None:
    asked = {item.turns[0].text for seed in range(60) for item in made(SHIPS, "detection", "vqa", seed=seed, per_task=50)}
    assert "Please detect all objects in this image." in asked
    assert "How many ships are there in this image?" + HINT in asked


def test_the_seeds_answers() -> None:
    answers = {item.turns[1].text for seed in range(9) for item in made(SHIPS, "detection", seed=seed)}
    assert answers >= {
        "There are [[2 ships|0,1]]",
        "There is [[1 plane|0]]",
        "There is [[1 plane|0]]. There are [[2 ships|1,2]]",
    }
    assert {item.turns[1].text for item in made(SHIPS, "grounding", per_task=50)} == {"[[|0]]"}


@pytest.mark.parametrize("kind", PHRASINGS)
def test_every_kind_has_at_least_five_phrasings(kind: str) -> None:
    assert len(set(PHRASINGS[kind])) == len(PHRASINGS[kind]) >= 15
    assert all(text[0].isupper() or text.startswith(("{question}", "{Be}", "{Do}")) for text in PHRASINGS[kind])


@pytest.mark.parametrize("kind", PHRASINGS)
def test_no_phrasing_writes_an_article_before_a_name_it_does_not_know(kind: str) -> None:
    """`a {thing}` would read "a aircraft"."""
    names = {name for text in PHRASINGS[kind] for name in re.findall(r"\b[Aa]n? \{(\w+)\}", text)}
    assert not names


def test_phrasings_follow_from_seed_and_tile_alone() -> None:
    alone = made(replace(SHIPS, labels=SHIPS.labels[2:]), "region_captioning")
    among = made(SHIPS, "region_captioning", per_task=50)
    assert alone[0].turns in [item.turns for item in among]
    assert made(SHIPS, seed=1) == made(SHIPS, seed=1)
    assert made(SHIPS, seed=1) != made(SHIPS, seed=2)


def test_the_cap_keeps_different_kinds_of_answers() -> None:
    everything = made(SHIPS, "vqa", per_task=1000)
    few = made(SHIPS, "vqa", per_task=3)
    assert len(few) == 3
    assert len({item.answer["kind"] for item in few}) == 3
    assert all(item in everything for item in few)


@pytest.mark.parametrize("sensor", ["optical", "sar", "infrared"])
def test_every_task_for_every_sensor(sensor: SensorName) -> None:
    dark = Label("fact", "brightness", MEASURED, text="dark", value=0.1)
    outlined = replace(SHIPS.labels[1], shape=Shape((300, 310, 420, 400), (300, 310, 420, 310, 360, 400)))
    facts = replace(SHIPS, sensor=sensor, labels=(SHIPS.labels[0], outlined, dark))
    # The two ships lie aslant to each other, so no relation of a graph is clear.
    assert {item.task for item in made(facts)} == set(TASKS) - {"scene_graph"}


@pytest.mark.parametrize("sensor", ["optical", "sar", "infrared"])
def test_facts_of_the_picture_alone_are_asked_for_and_make_no_caption(sensor: SensorName) -> None:
    facts = tile(
        Label("fact", "brightness", MEASURED, text="dark", value=0.1),
        Label("fact", "texture", MEASURED, text="smooth", value=0.01),
        Label("fact", "brightest_part", MEASURED, text="upper left", value=0.3),
        sensor=sensor,
    )
    assert {item.task for item in made(facts)} == {"vqa"}
    assert not made(facts, appearance="never")
    items = made(facts, appearance="always")
    assert {item.task for item in items} == {"captioning", "vqa", "description"}
    caption = next(item for item in items if item.task == "captioning").turns[1].text
    assert {"optical": "optical", "sar": "SAR", "infrared": "infrared"}[sensor] in caption
    assert "dark and smooth overall, brightest in the upper left" in caption


_ON_THE_GROUND = {
    "object": tile(box("ship", 20, 30, 60, 90)),
    "absence": tile(vocabulary=("ship",)),
    "cover": tile(Label("cover", "water", ANNOTATION, value=0.4)),
    "fact": tile(Label("fact", "mean elevation", Provenance("annotation", "field"), text="m", value=740.0)),
}


@pytest.mark.parametrize("facts", _ON_THE_GROUND.values(), ids=_ON_THE_GROUND)
def test_the_look_of_a_picture_is_no_question_where_something_on_the_ground_is_known(facts: TileFacts) -> None:
    facts = replace(facts, labels=(*facts.labels, Label("fact", "brightness", MEASURED, text="dark", value=0.1)))
    look = [[item.answer.get("name") == "brightness" for item in made(facts, "vqa", appearance=name)] for name in LOOKS]
    assert [any(found) for found in look] == [False, False, True]


def test_covers_that_name_nothing_are_not_on_the_ground() -> None:
    looks = Label("fact", "brightness", MEASURED, text="dark", value=0.1)
    (item,) = made(tile(Label("cover", "unknown", ANNOTATION, value=1.0), looks))
    assert item.answer["name"] == "brightness"


def test_annotated_captions_are_used_word_for_word_and_once() -> None:
    texts = ["Many planes [[x|0]] are here .", "Many planes [[x|0]] are here .", "An airport ."]
    facts = tile(*(Label("caption", "", ANNOTATION, text=text) for text in texts))
    items = made(facts, "captioning")
    assert [item.turns[1].text for item in items] == ["Many planes [ [x|0] ] are here .", "An airport ."]
    assert [item.labels for item in items] == [(0, 1), (2,)]
    assert not any(marks(turn.text) for item in items for turn in item.turns)


def test_a_class_of_the_picture_comes_first_and_two_are_ambiguous() -> None:
    stadium = Label("category", "Stadium", ANNOTATION)
    items = made(tile(stadium, box("car", 0, 0, 9, 9), vocabulary=("car",)), "classification")
    assert items[0].turns[1].text == "Stadium."
    assert items[0].answer == {"kind": "category", "value": "Stadium"}
    both = tile(stadium, Label("category", "park", ANNOTATION))
    assert not made(both, "classification")
    assert [reject.reason for reject in refused(both, "classification")] == ["ambiguous"]


def test_mixed_content_is_not_classified() -> None:
    assert not made(SHIPS, "classification")


def test_a_pseudo_label_needs_quality_and_score() -> None:
    weak = Provenance("labeller", "cfar", quality=0.4)
    unknown = Provenance("labeller", "cfar")
    labels = (
        box("ship", 0, 0, 20, 20, source=weak),
        box("buoy", 50, 0, 70, 20, source=unknown),
        box("boat", 99, 0, 120, 20, source=PSEUDO, score=0.3),
        box("tug", 200, 200, 240, 240, source=PSEUDO, score=0.9),
    )
    items = made(tile(*labels), "region_captioning")
    assert [item.labels for item in items] == [(3,)], "positions are those of all labels"
    assert {position for item in made(tile(*labels)) for position in item.labels} == {3}


@pytest.mark.parametrize("vocabulary", [("ship",), ()])
def test_a_pseudo_box_never_stands_beside_an_annotated_one(vocabulary: tuple[str, ...]) -> None:
    facts = tile(box("Ship", 0, 0, 50, 50), box("ship", 200, 200, 250, 250, source=PSEUDO), vocabulary=vocabulary)
    assert all(1 not in item.labels for item in made(facts))


def test_a_vocabulary_silences_pseudo_boxes_of_an_absent_category() -> None:
    facts = tile(box("ship", 200, 200, 250, 250, source=PSEUDO), vocabulary=("ship",))
    assert all(0 not in item.labels for item in made(facts))


def test_pseudo_boxes_are_there_and_are_neither_counted_nor_listed_whole() -> None:
    facts = tile(box("ship", 0, 0, 50, 50, source=PSEUDO), box("ship", 200, 200, 250, 250, source=PSEUDO))
    kinds = {item.answer["kind"] for item in made(facts, "vqa", per_task=50)}
    assert "count" not in kinds
    assert "yes_no" not in kinds
    assert "at least two ships" in made(facts, "captioning")[0].turns[1].text.lower()
    assert not made(facts, "detection")
    assert not made(facts, "grounding")
    assert {reject.reason for reject in refused(facts, "detection", "grounding")} == {"not_exhaustive"}


def test_nothing_is_said_of_all_objects_where_one_of_an_unlabelled_kind_shows() -> None:
    known = tile(box("ship", 10, 10, 60, 60), vocabulary=("ship", "plane"))
    assert {"all_boxes", "boxes"} <= {item.answer["kind"] for item in made(known, "detection")}
    assert made(known, "classification")
    partly = replace(known, unknown=("harbor",))
    assert {item.answer["kind"] for item in made(partly, "detection")} == {"boxes"}
    assert not made(partly, "classification")


def test_no_cover_is_denied_or_measured_beside_one_that_nobody_knows() -> None:
    water, forest = Label("cover", "water", ANNOTATION, value=0.4), Label("cover", "forest", ANNOTATION, value=0.0)
    sure = tile(water, forest, Label("cover", "background", ANNOTATION, value=0.6))
    assert {"yes_no", "share"} <= {item.answer["kind"] for item in made(sure, "vqa")}
    vague = tile(water, forest, Label("cover", "unknown", ANNOTATION, value=0.6))
    assert not {"yes_no", "share"} & {item.answer["kind"] for item in made(vague, "vqa")}


def test_labels_that_are_not_exhaustive_give_no_list_and_no_unique_phrase() -> None:
    facts = tile(box("ship", 0, 0, 50, 50))
    assert {reject.reason for reject in refused(facts, "detection", "grounding")} == {"not_exhaustive"}
    assert {item.task for item in made(facts)} == {"captioning", "region_captioning"}


def test_too_many_boxes_give_a_reject_and_a_count() -> None:
    facts = tile(*(box("car", 20 * i, 20 * i, 20 * i + 10, 20 * i + 10) for i in range(21)), vocabulary=("car",))
    assert not made(facts, "detection")
    assert [(item.subject, item.reason) for item in refused(facts, "detection")] == [("t/0#detection", "too_many_boxes")]
    assert "21" in {item.turns[1].text for item in made(facts, "vqa", per_task=50)}


def test_a_speck_among_them_forbids_the_list_but_not_the_count() -> None:
    facts = tile(box("car", 0, 0, 30, 30), box("car", 99, 99, 102, 130), vocabulary=("car",))
    assert {reject.reason for reject in refused(facts, "detection")} == {"box_too_small"}
    assert not made(facts, "detection")
    assert "2" in {item.turns[1].text for item in made(facts, "vqa", per_task=50)}
    assert [item.labels for item in made(facts, "region_captioning")] == [(0,)]


def test_what_cannot_be_told_apart_is_not_grounded() -> None:
    facts = tile(box("car", 10, 10, 30, 30), box("car", 12, 40, 32, 60), box("car", 40, 12, 60, 32), vocabulary=("car",))
    near = replace(facts, labels=tuple(box("car", 100 + d, 100 + e, 120 + d, 120 + e) for d, e in ((0, 0), (8, 20), (20, 8))))
    assert not made(near, "grounding")
    assert [reject.reason for reject in refused(near, "grounding")] == ["ambiguous"]


def test_the_largest_needs_a_clear_lead() -> None:
    def phrases(side: float) -> set[str]:
        facts = tile(box("car", 200, 200, 300, 300), box("car", 205, 310, 205 + side, 310 + side), vocabulary=("car",))
        return {item.answer["phrase"] for item in made(facts, "grounding", per_task=50)}

    assert "the largest car" in phrases(80)  # 100² is 1.56 × 80²
    assert "the largest car" not in phrases(90)  # 100² is 1.23 × 90²


def test_nothing_is_asked_of_a_vehicle_beside_a_car() -> None:
    facts = tile(box("car", 10, 10, 30, 30), vocabulary=("car", "vehicle", "small car", "bus"))
    negatives = {item.answer["category"] for seed in range(40) for item in made(facts, "vqa", seed=seed, per_task=50)}
    assert negatives == {"car", "bus"}


def test_an_absent_category_is_asked_for_on_some_tiles() -> None:
    tiles = [replace(SHIPS, tile_id=f"t/{number}", labels=()) for number in range(80)]
    answers = [item.turns[1].text for facts in tiles for item in made(facts, "detection")]
    assert set(answers) == {f"There are no {noun} in the image." for noun in ("ships", "planes", "cars")}
    assert 8 <= len(answers) <= 35


def test_metres_only_where_the_pixel_size_is_known_and_the_object_whole() -> None:
    facts = tile(box("ship", 100, 100, 140, 120), box("ship", 490, 300, 512, 340, shown=0.5), vocabulary=("ship",))
    whole, cut = (item.turns[1].text for item in made(replace(facts, gsd_m=3.0), "region_captioning"))
    assert whole == "The ship in the upper left, within a box of about 120 m by 60 m."
    assert cut == "The ship on the right, cut off by the edge of the image."
    assert " m " not in made(facts, "region_captioning")[0].turns[1].text


def test_unnamed_ground_may_be_the_largest() -> None:
    cover = Label("cover", "water", PSEUDO, value=0.35)
    kinds = {item.answer["kind"] for item in made(tile(cover), "vqa", per_task=50)}
    assert "category" not in kinds
    named = Label("cover", "bare or built-up land", PSEUDO, value=0.2)
    items = made(tile(replace(cover, value=0.7), named), "vqa", per_task=50)
    assert "water" in {item.turns[1].text for item in items}
    assert any("bare or built-up land" in item.turns[0].text for item in items)


def test_a_caption_leaves_no_category_out() -> None:
    captions = {made(SHIPS, "captioning", seed=seed)[0].turns[1].text.lower() for seed in range(30)}
    assert len(captions) >= 4
    assert all("two ships" in caption and "a plane" in caption for caption in captions)


def test_presence_is_asked_in_pairs() -> None:
    facts = replace(SHIPS, vocabulary=("ship", "plane", "car", "bus", "tree"))
    answers = [item.answer for item in made(facts, "vqa", per_task=50) if item.answer["kind"] == "yes_no"]
    plain = [(answer["value"], answer["category"]) for answer in answers if "place" not in answer]
    assert {category for value, category in plain if value} == {"ship", "plane"}
    assert len([value for value, _ in plain if not value]) == 2


def test_a_description_says_where_the_largest_is() -> None:
    facts = tile(box("ship", 20, 20, 60, 60), box("ship", 400, 400, 500, 500), vocabulary=("ship", "car"), sensor="sar")
    facts = replace(facts, labels=(*facts.labels, Label("fact", "texture", MEASURED, text="smooth", value=0.01)))
    text = made(facts, "description")[0].turns[1].text
    assert text == (
        "There are two ships in the image, the larger of them in the lower right. The image is smooth overall. "
        "In summary, this is a smooth SAR image with two ships."
    )


def test_a_conversation_holds_several_tasks_and_its_own_box_numbers() -> None:
    item = made(SHIPS, "conversation")[0]
    assert len(item.turns) >= 6
    assert [turn.role for turn in item.turns[:2]] == ["user", "assistant"]
    assert not any(HINT in turn.text for turn in item.turns)
    used = [index for turn in item.turns for found in marks(turn.text) for index in found.boxes]
    assert used == list(range(len(item.boxes)))
    assert len(item.answer["earlier"]) == len(item.turns) // 2 - 1


def test_a_conversation_repeats_nothing_that_the_sample_says_elsewhere() -> None:
    for seed in range(20):
        items = made(SHIPS, seed=seed)
        singles = {(json.dumps(item.answer, sort_keys=True), item.boxes) for item in items if item.task != "conversation"}
        captions = {item.turns[1].text for item in items if item.task in {"captioning", "description"}}
        for item in items:
            if item.task == "conversation" and not item.boxes:
                said = {json.dumps(answer, sort_keys=True) for answer in [*item.answer["earlier"], item.answer]}
                assert said.isdisjoint(answer for answer, boxes in singles if not boxes)
            assert item.task != "conversation" or captions.isdisjoint(turn.text for turn in item.turns)
    assert any(item.task == "conversation" for seed in range(20) for item in made(SHIPS, seed=seed))


def test_ids_tell_instructions_apart_and_repeat() -> None:
    items = made(SHIPS, per_task=1000)
    ids = [instruction_id(SHIPS.tile_id, item) for item in items]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"t/0#[a-z_]+#[0-9a-f]{8}", name) for name in ids)
    assert ids == [instruction_id(SHIPS.tile_id, item) for item in made(SHIPS, per_task=1000)]


def test_tasks_come_in_the_order_of_the_table() -> None:
    tasks = [item.task for item in made(SHIPS, "vqa", "captioning")]
    assert tasks == sorted(tasks)  # captioning stands before vqa in the table, and in the alphabet


def test_an_empty_tile_makes_nothing() -> None:
    assert compose(tile(), config.Instructions(), 0, config.Labels()) == ([], [])


def test_an_unknown_task_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'captioning'.*classification, captioning, vqa"):
        check_task("captoning")
    with pytest.raises(ConfigError, match="known tasks"):
        made(SHIPS, "translation")


def turned(category: str, x: float, y: float, long: float, short: float, degrees: float, *flags: str) -> Label:
    quad = RotatedRectangle(x, y, long, short, math.radians(degrees)).quad
    return Label("box", category, ANNOTATION, Shape(bounding_box(quad), quad, 1.0, True, flags))


def flagged(category: str, flag: str, *corners: float) -> Label:
    x0, y0, x1, y1 = corners
    return Label("box", category, ANNOTATION, Shape((x0, y0, x1, y1), flags=(flag,)))


def phrase(text: str, *corners: float, category: str = "vehicle") -> Label:
    x0, y0, x1, y1 = corners
    return Label("phrase", category, ANNOTATION, Shape((x0, y0, x1, y1)), text=text)


def question(text: str, answer: str) -> Label:
    return Label("question", answer, ANNOTATION, text=text)


def test_oriented_objects_are_asked_for_in_both_ways() -> None:
    ships = (turned("ship", 100, 100, 120, 30, 30), turned("ship", 350, 300, 200, 40, 100))
    facts = tile(*ships, vocabulary=("ship", "plane"))
    for task in ("grounding", "detection"):
        lengths = {
            (len(item.boxes[0]), item.answer.get("oriented", False)) for item in made(facts, task, per_task=50) if item.boxes
        }
        assert lengths == {(4, False), (8, True)}
    items = [item for item in made(facts, "detection", per_task=50) if item.answer.get("oriented")]
    assert {item.turns[1].text for item in items} == {"There are [[2 ships|0,1]]"}
    assert all(set(item.boxes) == {ship.shape.polygon for ship in ships if ship.shape} for item in items)
    asked = {item.turns[0].text for seed in range(60) for item in made(facts, "detection", seed=seed, per_task=50)}
    assert "Detect ships shown in the image using oriented bounding boxes." in asked
    assert {len(item.boxes[0]) for seed in range(9) for item in made(facts, "region_captioning", seed=seed)} == {4, 8}


def test_one_horizontal_box_among_them_and_the_list_is_horizontal_alone() -> None:
    facts = tile(turned("ship", 100, 100, 120, 30, 30), box("ship", 300, 300, 360, 340), vocabulary=("ship",))
    assert {len(found) for item in made(facts, "detection", per_task=50) for found in item.boxes} == {4}


def test_corners_beyond_the_picture_leave_a_horizontal_box() -> None:
    quad = RotatedRectangle(60, 60, 200, 40, math.radians(45)).quad
    cut = Label("box", "ship", ANNOTATION, Shape((0, 0, 145, 145), quad, 0.8, True))
    assert {len(found) for item in made(tile(cut, vocabulary=("ship",)), per_task=50) for found in item.boxes} == {4}


def test_an_oriented_box_is_measured_along_its_sides() -> None:
    facts = replace(tile(turned("ship", 256, 256, 120, 30, 45), vocabulary=("ship",)), gsd_m=2.0)
    said = made(facts, "region_captioning")[0].turns[1].text
    assert said == "The ship in the centre, within an oriented box of about 240 m by 60 m."
    needle = tile(turned("ship", 256, 256, 200, 2, 45), vocabulary=("ship",))
    assert {reject.reason for reject in refused(needle, "detection", "grounding")} == {"box_too_small"}


def test_polygons_reach_the_structured_answer() -> None:
    ring = (10.0, 10.0, 60.0, 12.04, 50.0, 70.0)
    tree = Label("box", "tree", ANNOTATION, Shape((10, 10, 60, 70), ring))
    facts = tile(tree, box("tree", 300, 300, 340, 350), vocabulary=("tree",))
    listed = next(item for item in made(facts, "detection") if item.answer["kind"] == "boxes")
    assert listed.answer["polygons"] == [[10.0, 10.0, 60.0, 12.0, 50.0, 70.0], []]
    assert {tuple(item.answer.get("polygons", ())[0]) for item in made(facts, "grounding", per_task=50) if item.labels == (0,)}


def test_parts_and_holes_reach_the_structured_answer() -> None:
    outer, hole = (10.0, 10.0, 60.0, 10.0, 60.0, 70.0, 10.0, 70.0), (20.0, 20.0, 30.0, 20.0, 30.0, 30.0)
    apart = (70.0, 10.0, 90.0, 10.0, 90.0, 40.0)
    lake = Label("box", "lake", ANNOTATION, Shape.of_parts((10, 10, 90, 70), ((outer, hole), (apart,))))
    listed = next(item for item in made(tile(lake, vocabulary=("lake",)), "detection") if item.answer["kind"] == "boxes")
    assert listed.answer["polygons"] == [list(outer)]
    assert listed.answer["parts"] == [[[list(outer), list(hole)], [list(apart)]]]


@pytest.mark.parametrize("flag", ["difficult", "crowd", "ignore"])
def test_what_annotators_were_not_sure_of_makes_no_number_and_no_list(flag: str) -> None:
    facts = tile(box("car", 50, 50, 90, 90), flagged("car", flag, 300, 300, 400, 360), vocabulary=("car", "ship"))
    assert {item.task for item in made(facts)} == {"captioning", "vqa", "region_captioning"}
    assert {item.answer["kind"] for item in made(facts, "vqa", per_task=50)} == {"yes_no"}
    assert all(item.labels in {(0,), ()} for item in made(facts, per_task=50))
    assert {reject.reason for reject in refused(facts, "detection", "grounding")} == {"uncertain_objects"}
    alone = tile(flagged("car", flag, 300, 300, 400, 360), vocabulary=("car", "ship"))
    assert {item.answer.get("category") for seed in range(9) for item in made(alone, seed=seed, per_task=50)} <= {"ship", None}
    assert not any("car" in turn.text for seed in range(9) for item in made(alone, seed=seed) for turn in item.turns)
    assert {reject.reason for reject in refused(alone, "detection")} == {"uncertain_objects"}


def test_an_occluded_object_is_one_like_others_but_for_its_size() -> None:
    facts = replace(tile(flagged("car", "occluded", 50, 50, 90, 90), vocabulary=("car",)), gsd_m=1.0)
    assert made(facts, "detection")[0].answer["count"] == 1
    assert made(facts, "region_captioning")[0].turns[1].text == "The car in the upper left."


def test_a_sliver_alone_names_nothing() -> None:
    facts = tile(box("vehicle", 0, 100, 2, 160, shown=0.4), vocabulary=("vehicle", "ship"))
    assert not made(facts, "classification")
    assert all("vehicle" not in turn.text.lower() for item in made(facts, per_task=50) for turn in item.turns)
    beside = replace(facts, labels=(*facts.labels, box("ship", 300, 300, 340, 380)))
    assert not made(beside, "classification"), "a second category is there, though hardly seen"
    assert [item.turns[1].text for item in made(replace(beside, labels=beside.labels[1:]), "classification")] == ["Ship."]


def test_a_box_that_would_collapse_is_refused() -> None:
    facts = replace(tile(box("car", 100, 100, 104.5, 130), vocabulary=("car",)), height_px=1000, width_px=1000)
    assert not any(item.boxes for item in made(facts, per_task=50))
    reasons = [
        (item.subject.partition("#")[2], item.reason) for item in refused(facts, "grounding", "region_captioning", "detection")
    ]
    assert reasons == [(task, "box_collapses") for task in ("grounding", "region_captioning", "detection")]
    assert "1" in {item.turns[1].text for item in made(facts, "vqa", per_task=50)}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(0, 900), min_size=4, max_size=4), st.booleans())
def test_collapse_is_what_the_coarsest_dialect_does(numbers: list[float], tall: bool) -> None:
    height_px, width_px = (900, 437) if tall else (437, 900)
    (x0, x1), (y0, y1) = sorted(numbers[:2]), sorted(numbers[2:])
    found = (x0 * width_px / 900, y0 * height_px / 900, x1 * width_px / 900, y1 * height_px / 900)
    facts = replace(tile(), height_px=height_px, width_px=width_px)
    if area(found) > 1e-3:
        assert collapses_when_rounded(found, facts) == bool(collapsed_boxes(get_dialect("mmrs"), [found], height_px, width_px))


def test_an_expression_is_used_word_for_word_in_both_directions() -> None:
    facts = tile(
        phrase("The tiny vehicle  on the road.", 50, 50, 90, 90), phrase("a large ship", 200, 200, 400, 300, category="ship")
    )
    asked = {item.turns[0].text for seed in range(60) for item in made(facts, "grounding", seed=seed)}
    assert SEEDS["grounding"].replace("the plane", "The tiny vehicle on the road.") in asked
    assert len(asked) >= 10
    assert {item.turns[1].text for item in made(facts, "grounding")} == {"[[|0]]"}
    found = {item.turns[1].text: item.boxes for item in made(facts, "region_captioning")}
    assert found == {"The tiny vehicle on the road.": ((50, 50, 90, 90),), "A large ship": ((200, 200, 400, 300),)}


def test_an_expression_for_several_objects_is_ambiguous() -> None:
    twice = tile(
        phrase("the red car", 50, 50, 90, 90), phrase("The red car.", 300, 300, 340, 340), phrase("a van", 9, 9, 40, 40)
    )
    for task in ("grounding", "region_captioning"):
        assert [item.labels for item in made(twice, task)] == [(2,)]
        assert [item.reason for item in refused(twice, task)] == ["ambiguous"]
    bare = tile(phrase("the vehicle", 50, 50, 90, 90), box("vehicle", 50, 50, 90, 90), box("vehicle", 200, 50, 240, 90))
    assert "ambiguous" in {item.reason for item in refused(bare, "grounding")}
    assert not made(bare, "grounding")
    alone = replace(bare, labels=bare.labels[:2])
    assert [item.answer["phrase"] for item in made(alone, "grounding")] == ["the vehicle"]


def test_an_expression_for_a_speck_is_refused() -> None:
    facts = tile(phrase("the far car", 50, 50, 52, 90), phrase("the thin pole", 100, 100, 104.2, 180))
    assert [item.reason for item in refused(facts, "grounding")] == ["box_too_small", "box_collapses"]


def test_the_same_expression_twice_is_one() -> None:
    facts = tile(phrase("the red car", 50, 50, 90, 90), phrase("the red car", 50, 50, 90, 90.5))
    assert [item.labels for item in made(facts, "grounding")] == [(0, 1)]


def test_questions_are_asked_as_they_are_with_a_hint_at_the_answer() -> None:
    facts = tile(question("is there a road", "yes"), question("How many lakes are there?", "3"))
    items = [item for seed in range(60) for item in made(facts, "vqa", seed=seed)]
    assert {"Is there a road?" + HINT, "How many lakes are there?" + HINT} <= {item.turns[0].text for item in items}
    assert {(item.labels, item.turns[1].text) for item in items} == {((0,), "yes"), ((1,), "3")}
    assert all(item.answer == {"kind": "answer", "value": item.turns[1].text} for item in items)
    assert len({item.turns[0].text for item in items}) >= 10


def test_contradictory_answers_to_a_question_are_refused_and_repeated_ones_count_once() -> None:
    facts = tile(
        question("Is there a road?", "yes"),
        question("is there a  road", "no"),
        question("Is it rural?", "Yes"),
        question("is it rural?", "yes"),
    )
    assert [(item.labels, item.turns[1].text) for item in made(facts, "vqa")] == [((2, 3), "Yes")]
    rejects = refused(facts, "vqa")
    assert [(item.reason, item.detail) for item in rejects] == [
        ("contradictory_answers", "'Is there a road?' is answered no, yes")
    ]


def test_what_people_asked_comes_before_what_rules_ask() -> None:
    facts = replace(SHIPS, labels=(*SHIPS.labels, question("Is it a port?", "yes")))
    kinds = [item.answer["kind"] for item in made(facts, "vqa", per_task=2)]
    assert len(kinds) == 2
    assert "answer" in kinds


def test_text_from_outside_holds_no_mark() -> None:
    facts = tile(question("What is [[x|0]] here?", "a [[y|0]]"), phrase("the [[z|0]] car", 50, 50, 90, 90))
    for item in made(facts, "vqa", "grounding", "region_captioning"):
        assert all(found.boxes == (0,) and item.boxes for turn in item.turns for found in marks(turn.text))
        assert not any("[[x|" in turn.text or "[[y|" in turn.text or "[[z|" in turn.text for turn in item.turns)


@pytest.mark.parametrize("sensor", ["optical", "sar", "infrared"])
def test_a_mask_gives_every_sensor_more_than_detection(sensor: SensorName) -> None:
    water = Label("cover", "water", ANNOTATION, Shape((0, 0, 512, 200)), value=0.35)
    land = Label("cover", "dry land", ANNOTATION, Shape((0, 200, 512, 512)), value=0.65)
    forest = Label("cover", "forest", ANNOTATION, value=0.0)
    facts = tile(water, land, forest, sensor=sensor)
    assert {item.task for item in made(facts)} == {"classification", "captioning", "vqa", "multiple_choice", "grounding"}
    answers = [(item.answer["kind"], item.turns[1].text) for item in made(facts, "vqa", per_task=50)]
    assert {("share", "about 35%"), ("share", "about 65%"), ("category", "dry land"), ("yes_no", "no")} <= set(answers)
    assert [kind for kind, _ in answers].count("yes_no") == 2


def test_a_map_silences_what_a_labeller_says_of_the_ground() -> None:
    mapped = Label("cover", "water", ANNOTATION, value=0.35)
    guessed = Label("cover", "vegetation", PSEUDO, value=0.9)
    assert all(1 not in item.labels for item in made(tile(mapped, guessed), per_task=50))
    assert any(1 in item.labels for item in made(tile(replace(mapped, provenance=PSEUDO), guessed), per_task=50))


def test_pixels_of_objects_are_no_land_cover() -> None:
    mask = Label("cover", "ship", ANNOTATION, Shape((20, 30, 60, 90)), value=0.4)
    facts = replace(SHIPS, labels=(*SHIPS.labels, mask))
    assert all(3 not in item.labels for item in made(facts, per_task=50))


@pytest.mark.parametrize("token", ["<|im_end|>", "<image>", "[INST]", "</s>", "\u202e", "\x1b"])
def test_a_text_that_steers_a_model_makes_no_instruction_and_is_told(token: str) -> None:
    caption = Label("caption", "", ANNOTATION, text=f"A port {token} by the sea.")
    asked = Label("question", f"yes {token}", ANNOTATION, text="Is it day?")
    ship = box("ship", 10, 10, 60, 60)
    items, rejects = compose(tile(caption, asked, ship, vocabulary=("ship",)), config.Instructions(), 0, config.Labels())
    assert items  # the ship is asked about all the same
    assert not any(token in turn.text for item in items for turn in item.turns)
    assert {reject.reason for reject in rejects} >= {"control_token"}


def test_a_caption_of_what_is_only_known_to_be_there_is_in_the_singular() -> None:
    road = Label("presence", "road", Provenance("annotation", "vector"))
    texts = {made(tile(road), "captioning", seed=seed)[0].turns[1].text for seed in range(40)}
    assert "In this optical image, there is at least one road." in texts
    assert not any("are at least one" in text for text in texts)


def test_where_there_is_one_category_alone_nobody_asks_for_it() -> None:
    """Its name would be the answer to every such question."""
    one, several = (tile(box("ship", 10, 10, 60, 60), vocabulary=names) for names in (("ship",), ("ship", "plane")))
    settings = config.Instructions(per_task=50, regions=("point",))
    asked = [compose(each, settings, 0, config.Labels())[0] for each in (one, several)]
    kinds = [{item.answer["kind"] for item in items} for items in asked]
    assert "category" not in kinds[0]
    assert "category" in kinds[1]
    assert made(several, "classification")[0].turns[0].text in PHRASINGS["classification_object"]
