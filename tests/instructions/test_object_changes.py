"""Objects of two dates: new, gone, the same, or none of these for sure."""

from __future__ import annotations

from typing import Any

import pytest

from rsflow.config import settings as config
from rsflow.instructions import compose_group
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.instructions.groups.object_changes import ObjectChanges, object_changes
from rsflow.records import Label, Provenance, Shape, TileFacts

SIZE = 200
FROM = Provenance("annotation", "vector", "houses")
Box = tuple[float, float, float, float]


def house(box: Box, **more: Any) -> Label:
    return Label("box", "building", FROM, Shape(box, **more))


def member(boxes: list[Any], role: str, vocabulary: tuple[str, ...] = ("building",), **more: Any) -> GroupMember:
    labels = tuple(box if isinstance(box, Label) else house(box) for box in boxes)
    return GroupMember(TileFacts(f"t/{role}", "optical", SIZE, SIZE, 1.0, labels, vocabulary), role, **more)


def dates(
    before: list[Any], after: list[Any], shift: tuple[float, float] | None = (0.0, 0.0), kind: str = "dates", **more: Any
) -> GroupFacts:
    return GroupFacts(
        "dates:t", kind, (member(before, "date1", shift_px=(0.0, 0.0)), member(after, "date2", shift_px=shift, **more))
    )


def changes(group: GroupFacts) -> ObjectChanges:
    return object_changes(group, ())["building"]


OLD, OTHER = (20.0, 20.0, 40.0, 40.0), (100.0, 100.0, 130.0, 120.0)


def test_what_is_near_nothing_at_the_other_date_is_new_or_gone() -> None:
    found = changes(dates([OLD], [OTHER]))
    assert ([thing.box for thing in found.gone], [thing.box for thing in found.new]) == ([OLD], [OTHER])
    assert found.labels == (0, 1)
    assert not found.is_unknown


def test_the_same_object_drawn_twice_is_no_change() -> None:
    found = changes(dates([OLD], [(22.0, 19.0, 42.0, 40.0)]))
    assert (found.new, found.gone, found.is_unknown) == ((), (), False)


@pytest.mark.parametrize(
    "after",
    [
        (20.0, 20.0, 80.0, 40.0),  # it may have grown
        (43.0, 20.0, 63.0, 40.0),  # beside it, nearer than both may be misplaced
        (48.0, 20.0, 68.0, 40.0),
    ],
)
def test_between_the_same_and_another_one_nobody_knows(after: Box) -> None:
    found = changes(dates([OLD], [after]))
    assert (found.new, found.gone, found.is_unknown) == ((), (), True)
    texts = [one.turns[-1].text for one in compose_group(dates([OLD], [after]), config.Instructions(), 1, config.Labels())[0]]
    assert texts == []


def test_objects_move_with_the_shift_of_the_pictures() -> None:
    moved = (26.0, 17.0, 46.0, 37.0)
    assert changes(dates([OLD], [moved], (6.0, -3.0))) == ObjectChanges((), (), False, (0, 1))
    gone = changes(dates([OLD], [OTHER], (6.0, -3.0))).gone
    assert [thing.box for thing in gone] == [moved]


def test_one_that_the_other_picture_does_not_show_is_not_gone() -> None:
    edge = (185.0, 20.0, 199.0, 40.0)
    found = changes(dates([edge], [OTHER], (10.0, 0.0)))
    assert (found.gone, found.is_unknown) == ((), True)
    cut = changes(dates([], [house((0.0, 20.0, 20.0, 40.0), visibility=0.5)]))
    assert (cut.new, cut.is_unknown) == ((), True)


@pytest.mark.parametrize(
    "group",
    [
        dates([OLD], [OTHER], None),  # not registered
        dates([OLD], [OTHER], vocabulary=()),  # not every building is known
        dates([OLD], [OTHER], cloud_share=0.3),
        dates([OLD], [OTHER], valid_share=0.9),
        dates([OLD], [house(OTHER, flags=("crowd",))]),
        dates([], []),
    ],
)
def test_nothing_is_concluded_where_a_date_does_not_show_or_know_all(group: GroupFacts) -> None:
    assert object_changes(group, ()) == {}


def test_an_object_smaller_than_the_shift_is_no_change() -> None:
    small = (100.0, 100.0, 110.0, 110.0)
    group = dates([OLD], [(26.0, 20.0, 46.0, 40.0), small], (6.0, 0.0))
    made, _ = compose_group(group, config.Instructions(tasks=("change",)), 1, config.Labels())
    assert [one.answer.get("reasons") for one in made] == [["shift"]]


def test_counts_boxes_and_areas_are_those_of_the_objects() -> None:
    group = dates([OLD, (60.0, 20.0, 80.0, 40.0)], [OLD, OTHER, (150.0, 20.0, 170.0, 40.0)])
    made, _ = compose_group(group, config.Instructions(per_task=100), 1, config.Labels())
    counts = {one.answer["category"]: one.answer["value"] for one in made if one.answer["kind"] == "count"}
    assert (counts["new buildings"], counts["removed buildings"]) == (2, 1)
    (ground,) = [one for one in made if str(one.answer.get("name")).startswith("changed ground")]
    assert ground.answer["number"] == 600 + 400 + 400
    said = [one.turns[-1].text for one in made]
    assert any(text.startswith("There are [[two new buildings|0,1]]") for text in said)


def test_that_no_building_changed_is_said_where_all_are_the_same() -> None:
    made, _ = compose_group(dates([OLD, OTHER], [OLD, OTHER]), config.Instructions(tasks=("change",)), 1, config.Labels())
    assert {one.answer["changed"] for one in made} == {False}
    assert "Nothing changed: no change of buildings took place." in [one.turns[-1].text for one in made]
