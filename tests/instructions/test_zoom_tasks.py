"""One scene at three scales: boxes are exact in each picture, nothing too small is denied, counts rest on complete labels."""

from __future__ import annotations

import pytest

from rsflow.config import settings as config
from rsflow.instructions import compose_group
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.instructions.phrasings import PHRASINGS, zoom
from rsflow.instructions.zoom_groups import box_at_scale
from rsflow.records import DETAIL, MIDDLE, OVERVIEW, Instruction, Label, Provenance, Shape, TileFacts

FROM = Provenance("annotation", "test")
SIZE = 256
# The scene has 4096 pixels a side: the overview is 16 times coarser, the scale between 4 times.
MIDDLE_BOX, DETAIL_BOX = (64.0, 128.0, 128.0, 192.0), (96.0, 144.0, 112.0, 160.0)
Box = tuple[float, float, float, float]


def box(category: str, where: Box, visibility: float = 1.0) -> Label:
    return Label("box", category, FROM, Shape(where, visibility=visibility))


def count(category: str, value: int) -> Label:
    return Label("count", category, FROM, value=float(value))


def picture(role: str, labels: tuple[Label, ...], where: Box | None, **more: tuple[str, ...]) -> GroupMember:
    facts = TileFacts(
        f"t/{role}", "optical", SIZE, SIZE, None, labels, more.get("vocabulary", ()), None, more.get("unknown", ())
    )
    return GroupMember(facts, role, box_in_first=where)


def scene(
    overview: tuple[Label, ...] = (),
    middle: tuple[Label, ...] = (),
    detail: tuple[Label, ...] = (),
    unknown: tuple[str, ...] = (),
    vocabulary: tuple[str, ...] = ("ship", "plane"),
) -> GroupFacts:
    members = (
        picture(OVERVIEW, overview, None, unknown=unknown),
        picture(MIDDLE, middle, MIDDLE_BOX),
        picture(DETAIL, detail, DETAIL_BOX, vocabulary=vocabulary),
    )
    return GroupFacts("zoom:t/detail", "zoom", members)


def made(group: GroupFacts, seed: int = 1) -> list[Instruction]:
    return [
        one for one in compose_group(group, config.Instructions(per_task=100), seed, config.Labels())[0] if one.task == "zoom"
    ]


def single(group: GroupFacts) -> list[Instruction]:
    return [one for one in made(group) if len(one.turns) == 2]


def test_every_question_has_fifteen_different_phrasings() -> None:
    for kind, phrasings in zoom.PHRASINGS.items():
        assert len({*phrasings}) == len(phrasings) >= 15, kind
        assert PHRASINGS[kind] == phrasings


def test_each_picture_is_found_in_the_coarser_ones() -> None:
    found = {(one.box_pictures[0], one.boxes[0]) for one in single(scene())}
    assert found == {(0, MIDDLE_BOX), (0, DETAIL_BOX), (1, (128.0, 64.0, 192.0, 128.0))}


def test_boxes_go_through_all_scales_without_loss() -> None:
    group, ship = scene(), (32.0, 64.0, 96.0, 128.0)
    middle = box_at_scale(ship, group, 2, 1)
    assert middle == (136.0, 80.0, 152.0, 96.0)
    assert box_at_scale(ship, group, 2, 0) == (98.0, 148.0, 102.0, 152.0)
    assert box_at_scale(middle, group, 1, 2) == pytest.approx(ship)


def test_an_object_is_followed_where_a_picture_shows_all_of_it() -> None:
    ship = box("ship", (32.0, 64.0, 96.0, 128.0))
    pairs = {
        one.box_pictures: one.boxes
        for one in single(scene(detail=(ship,)))
        if one.answer.get("category") == "ship" and one.answer["kind"] == "box"
    }
    assert pairs[2, 1] == ((32.0, 64.0, 96.0, 128.0), (136.0, 80.0, 152.0, 96.0))
    beyond = box("ship", (120.0, 60.0, 200.0, 90.0))  # of the picture between, partly outside of the detail
    assert not [one for one in single(scene(middle=(beyond,))) if one.box_pictures == (1, 2)]


def test_too_small_is_not_visible_and_never_denied() -> None:
    small, large = box("ship", (10.0, 10.0, 30.0, 30.0)), box("island", (0.0, 100.0, 150.0, 250.0))
    group = scene(detail=(small, large), unknown=("ship",))
    said = {(one.turns[-1].text, one.answer["category"]) for one in single(group) if one.answer["kind"] == "yes_no"}
    assert ("no, it is not visible at this scale", "ship") in said
    assert ("yes", "island") in said
    assert not any("no ship" in turn.text for one in made(group) for turn in one.turns)
    (shown,) = [one for one in single(group) if one.answer["kind"] == "text"]
    assert shown.turns[-1].text == "Image 3 shows a ship, too small to be recognised at the scale of image 1."


def test_what_the_edge_cuts_is_not_called_too_small() -> None:
    cut = box("ship", (10.0, 0.0, 200.0, 6.0), visibility=0.1)
    assert not [one for one in single(scene(detail=(cut,))) if one.answer["kind"] == "yes_no"]


def test_the_whole_is_counted_only_where_it_is_known() -> None:
    ships = (box("ship", (32.0, 64.0, 96.0, 128.0)),)
    assert not [one for one in made(scene(detail=ships)) if "count" in {one.answer["kind"]}]
    group = scene(overview=(count("ship", 37), count("plane", 0)), detail=ships, unknown=("ship",))
    (total,) = [one for one in single(group) if one.answer["kind"] == "count" and one.answer["value"]]
    assert (total.turns[-1].text, total.answer["visible"], total.labels) == ("37", False, (0,))


def test_a_dialogue_goes_from_the_overview_to_the_detail() -> None:
    ships = (box("ship", (32.0, 64.0, 96.0, 128.0)), box("ship", (120.0, 64.0, 160.0, 90.0)))
    group = scene((box("island", (5.0, 5.0, 60.0, 60.0)), count("ship", 37)), (), ships, ("ship",))
    (dialogue,) = [one for one in made(group) if len(one.turns) > 2]
    assert [turn.text for turn in dialogue.turns[1::2]] == [
        "Image 1 shows an island.",
        "In image 1, [[the area of image 2|0]] is here.",
        "In image 2, [[the area of image 3|1]] is here.",
        "Image 3 shows two ships.",
        "There are [[2 ships|2,3]].",
        "There are 37 ships in the whole scene; not all of them are large enough to be recognised at the scale of image 1.",
    ]
    assert dialogue.box_pictures == (0, 1, 2, 2)
    assert dialogue.boxes[2:] == ((32.0, 64.0, 96.0, 128.0), (120.0, 64.0, 160.0, 90.0))
    assert len(dialogue.answer["earlier"]) == 5
