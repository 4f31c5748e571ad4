"""Tasks of several pictures: answers are those of the facts, and nothing is said that the facts do not carry."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from rsflow.cells.groups import CellTile
from rsflow.cells.presentation import order_by_hash
from rsflow.cells.registration import Shift
from rsflow.config import settings as config
from rsflow.instructions import compose_group
from rsflow.instructions.groups import apparent_changes
from rsflow.instructions.groups.dates.sun_elevation import sun_elevation
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.instructions.phrasings import PHRASINGS, change, damage, index_change, sensors, series
from rsflow.records import GONE, NEW, UNKNOWN, Instruction, Label, Provenance, Shape, TileFacts
from rsflow.text.turns import marks

SIZE = 200
FROM = Provenance("annotation", "test")
SHIPS = [Label("box", "ship", Provenance("annotation", "test"), Shape((20.0 * i, 20, 20.0 * i + 15, 40))) for i in range(3)]
ALL = config.Instructions(per_task=100)


def area(box: tuple[float, float, float, float], category: str = "building", text: str = "", *flags: str) -> Label:
    x0, y0, x1, y1 = box
    ring = (x0, y0, x1, y0, x1, y1, x0, y1)
    return Label("change", category, FROM, Shape(box, ring, flags=flags), text)


def compared(category: str = "building", text: str = "change", value: float | None = None) -> Label:
    return Label("compared", category, FROM, text=text, value=value)


def member(*labels: Label, role: str = "after", **more: Any) -> GroupMember:
    names = {"sensor", "vocabulary", "gsd_m"}
    facts = {"sensor": "optical", "gsd_m": None, "vocabulary": (), **{name: more.pop(name) for name in names & more.keys()}}
    tile = TileFacts(f"t/{role}", facts["sensor"], SIZE, SIZE, facts["gsd_m"], labels, facts["vocabulary"])
    return GroupMember(tile, role, **more)


def pair(*labels: Label, **more: Any) -> GroupFacts:
    return GroupFacts("pair:t/after", "pair", (member(role="before"), member(*labels, **more)))


def made(group: GroupFacts, seed: int = 1) -> list[Instruction]:
    return compose_group(group, ALL, seed, config.Labels())[0]


def kinds(group: GroupFacts) -> dict[str, list[Instruction]]:
    found: dict[str, list[Instruction]] = {}
    for one in made(group):
        found.setdefault(one.answer["kind"], []).append(one)
    return found


def answers(group: GroupFacts) -> list[str]:
    return [one.turns[-1].text for one in made(group)]


def test_every_question_has_fifteen_different_phrasings() -> None:
    for table in (change.PHRASINGS, index_change.PHRASINGS, damage.PHRASINGS, series.PHRASINGS, sensors.PHRASINGS):
        for kind, phrasings in table.items():
            assert len({*phrasings}) == len(phrasings) >= 15, kind
            assert PHRASINGS[kind] == phrasings


def test_areas_are_counted_measured_and_boxed_where_all_are_known() -> None:
    group = pair(compared(), area((10, 10, 50, 30)), area((100, 120, 160, 180)), gsd_m=0.5)
    found = kinds(group)
    (boxes,) = found["boxes"]
    assert boxes.boxes == ((10, 10, 50, 30), (100, 120, 160, 180))
    assert boxes.box_pictures == (1, 1)
    assert boxes.answer["polygons"][0] == [10, 10, 50, 10, 50, 30, 10, 30]
    (both,) = found["boxes_in_both"]
    assert both.box_pictures == (0, 0, 1, 1)
    assert [mark.boxes for mark in marks(both.turns[-1].text)] == [(0, 1), (2, 3)]
    (count,) = found["count"]
    assert (count.answer["value"], count.turns[-1].text) == (2, "two")
    (share,) = found["share"]
    assert share.answer["value"] == pytest.approx((40 * 20 + 60 * 60) / SIZE**2)
    (ground,) = [one for one in found["fact"] if one.answer["name"].startswith("changed ground")]
    assert ground.answer["number"] == pytest.approx((40 * 20 + 60 * 60) * 0.25)
    assert ground.turns[-1].text == "about 1100 square metres"
    assert {one.answer["value"] for one in found["yes_no"]} == {True, False}


def test_nothing_is_counted_listed_or_denied_where_not_all_is_known() -> None:
    for group in (
        pair(area((10, 10, 50, 30))),  # nobody looked everywhere
        pair(compared(), area((10, 10, 50, 30)), area((100, 100, 140, 140), "land cover", "", UNKNOWN)),
    ):
        found = kinds(group)
        assert not {"boxes", "boxes_in_both", "count", "share", "text"} & found.keys()
        assert {one.answer["value"] for one in found["yes_no"]} == {True}
    for group in (pair(), pair(compared(), area((1, 1, 40, 40), "land cover", "", UNKNOWN)), pair(compared("", value=1.0))):
        assert made(group) == []


def test_that_nothing_changed_is_said_of_pairs_that_were_searched() -> None:
    found = kinds(pair(compared(), compared("road")))
    assert {one.answer["value"] for one in found["yes_no"]} == {False}
    assert [one.turns[-1].text for one in found["text"]] == ["Nothing changed: no change of buildings or roads took place."]
    assert all(one.answer["changed"] is False for one in made(pair(compared())))


def test_no_change_is_claimed_below_the_measured_shift() -> None:
    small, large = area((10, 10, 18, 18)), area((100, 100, 160, 160))
    shifted = kinds(pair(compared(), small, large, shift_px=(3.0, 4.0)))
    assert not {"boxes", "count", "share"} & shifted.keys()  # the small one may be the shift itself
    assert {one.answer["value"] for one in shifted["yes_no"]} == {True}
    assert not any(
        one.answer["kind"] == "yes_no" and one.answer["value"] for one in made(pair(compared(), small, shift_px=(3.0, 4.0)))
    )
    (both,) = kinds(pair(compared(), large, shift_px=(3.0, -4.0)))["boxes_in_both"]
    assert both.boxes == ((97, 104, 157, 164), (100, 100, 160, 160))


def test_transitions_and_directions_say_what_became_what() -> None:
    group = pair(compared("land cover"), area((10, 10, 60, 60), "building", "low vegetation"))
    said = answers(group)
    assert "from low vegetation to building area" in said
    assert any("one area where low vegetation became building area" in text for text in said)
    directed = pair(compared(), area((10, 10, 60, 60), "building", "", NEW), area((100, 100, 150, 150), "building", "", GONE))
    facts = {one.answer["value"] for one in kinds(directed)["fact"]}
    assert {"built", "removed"} <= facts


def damaged(box: tuple[float, float, float, float], state: str, *flags: str, visibility: float = 1.0) -> Label:
    return Label("damage", "building", FROM, Shape(box, visibility=visibility, flags=flags), state)


def test_damage_is_counted_and_described_where_every_state_is_known() -> None:
    labels = [
        damaged((10, 10, 30, 30), "destroyed"),
        damaged((50, 50, 70, 70), "no damage"),
        damaged((90, 9, 120, 30), "destroyed"),
    ]
    group = pair(compared(text="damage"), *labels)
    found = kinds(group)
    counts = {one.answer["category"]: one.answer["value"] for one in found["count"]}
    assert counts == {"building, destroyed": 2, "building, no damage": 1}
    assert "Of three buildings, the images show one undamaged building and two destroyed buildings." in answers(group)
    for unsure in (damaged((140, 140, 160, 160), "", UNKNOWN), damaged((190, 9, 200, 30), "destroyed", visibility=0.2)):
        less = kinds(pair(compared(text="damage"), *labels, unsure))
        assert not {"count", "boxes", "text"} & less.keys()
        assert [one.answer["value"] for one in less["yes_no"]] == [True]


def test_what_only_seems_to_change_is_named_where_it_was_measured() -> None:
    summer, winter = datetime(2020, 7, 20, tzinfo=UTC), datetime(2020, 1, 20, tzinfo=UTC)
    before = member(role="before", acquired_at=summer, latitude=47.0, cloud_share=0.3)
    after = member(acquired_at=winter, latitude=47.0, cloud_share=0.0, shift_px=(2.0, 2.0))
    (said,) = [one for one in made(GroupFacts("g", "pair", (before, after))) if "reasons" in one.answer]
    assert said.answer["reasons"] == ["cloud", "season", "shift"]
    assert said.turns[-1].text == (
        "Cloud covers about 30% of image 1. The images were taken in different seasons, image 1 in summer and image 2 in "
        "winter. Image 2 is shifted by about 3 pixels."
    )
    assert apparent_changes.season(member(acquired_at=winter, latitude=-47.0)) == "summer"
    for unknown in (member(acquired_at=winter), member(latitude=47.0), member(acquired_at=winter, latitude=5.0)):
        assert apparent_changes.season(unknown) is None
    assert apparent_changes.season(member(acquired_at=datetime(2020, 9, 9, tzinfo=UTC), latitude=47.0)) is None


def test_longer_shadows_are_named_where_the_sun_stood_lower() -> None:
    noon = {"latitude": 47.0, "longitude": 15.0}
    winter, summer = (datetime(2020, month, 21, 11, tzinfo=UTC) for month in (1, 6))
    group = GroupFacts("g", "pair", (member(role="before", acquired_at=summer, **noon), member(acquired_at=winter, **noon)))
    (said,) = [one for one in made(group) if "shadow" in one.answer.get("reasons", ())]
    text = "The sun stood lower in image 2, at about 23 degrees, than in image 1, at about 66 degrees, so shadows"
    assert text in said.turns[-1].text
    midnight = winter.replace(hour=0)
    unknown = (member(**noon), member(acquired_at=midnight, **noon), member(acquired_at=winter, sensor="sar", **noon))
    assert [apparent_changes.sun_height(one) for one in unknown] == [None] * 3


@pytest.mark.parametrize(
    ("time", "latitude", "longitude", "elevation"),
    [  # as the metadata of Landsat scenes state them, near the middle of the scene
        ("1988-08-14T13:00:47+00:00", -4.33, -50.07, 49.76),
        ("2020-12-04T19:02:11+00:00", 47.43, -123.38, 18.81),
        ("1986-04-24T14:54:18+00:00", -10.11, -80.70, 46.93),
    ],
)
def test_the_suns_height_is_that_of_metadata(time: str, latitude: float, longitude: float, elevation: float) -> None:
    assert sun_elevation(datetime.fromisoformat(time), latitude, longitude) == pytest.approx(elevation, abs=0.5)


def cover(name: str, share: float) -> Label:
    return Label("cover", name, FROM, value=share)


def dates(*members: GroupMember) -> GroupFacts:
    return GroupFacts("dates:c", "dates", members)


def test_series_follow_land_cover_and_numbers_over_the_dates() -> None:
    group = dates(
        member(cover("water", 0.2), role="date1", vocabulary=("ship",)),
        member(cover("water", 0.6), *SHIPS[:1], role="date2", vocabulary=("ship",)),
        member(cover("water", 0.4), *SHIPS, role="date3", vocabulary=("ship",)),
    )
    said = answers(group)
    assert "It grew from about 20% to about 40% of the image." in said
    assert "No ships in image 1, a ship in image 2 and three ships in image 3." in said
    assert Counter(said)["image 2"] == 2  # the most water, and the first ship
    unknown = dates(group.members[0], member(cover("water", 0.25), *SHIPS[:1], role="date2"))
    assert made(unknown) == []  # a change below the limit, and ships that nobody listed


def test_when_in_the_series_things_changed_or_went_is_told_of_one_step() -> None:
    shares = (0.2, 0.25, 0.6, 0.62)
    group = dates(
        *(
            member(cover("water", share), *(SHIPS if number < 2 else ()), role=f"date{number + 1}", vocabulary=("ship",))
            for number, share in enumerate(shares)
        )
    )
    said = {one.answer["name"]: one.answer["value"] for one in kinds(group)["fact"]}
    assert said["when water changed most"] == "between image 2 and image 3"
    assert said["when ships changed most"] == "between image 2 and image 3"
    assert said["first image without ship"] == "image 3"
    two = dates(group.members[0], group.members[-1])
    assert not any("when" in one.answer["name"] for one in kinds(two)["fact"])


def shuffled(*members: GroupMember) -> GroupFacts:
    return GroupFacts("shuffled:c", "shuffled", members)


def test_the_order_of_dates_is_asked_where_a_measured_development_tells_it() -> None:
    def view(day: int, share: float) -> GroupMember:
        return member(cover("water", share), role=f"view{day}", acquired_at=datetime(2020, 7, day, tzinfo=UTC))

    group = shuffled(view(9, 0.7), view(2, 0.2), view(5, 0.4))
    assert {one.answer["value"] for one in made(group)} == {"image 2, image 3 and image 1", "image 2", "image 1"}
    assert all("share of water grew" in one.turns[0].text for one in made(group))
    ships = shuffled(
        *(
            member(*SHIPS[:count], vocabulary=("ship",), acquired_at=datetime(2020, 7, day, tzinfo=UTC))
            for day, count in ((9, 1), (5, 3))
        )
    )
    assert {one.answer["value"] for one in made(ships)} == {"image 1", "image 2"}
    assert all("number of ships fell" in one.turns[0].text for one in made(ships))
    for silent in (
        shuffled(view(9, 0.7), view(2, 0.2), view(5, 0.75)),  # up and down
        shuffled(view(9, 0.25), view(2, 0.2)),  # below what shares are measured with
        shuffled(view(9, 0.7), view(9, 0.2)),  # no order
        shuffled(member(cover("water", 0.1)), view(9, 0.5)),  # no time
    ):
        assert made(silent) == []


def test_shares_of_pictures_with_fill_are_not_compared() -> None:
    assert made(dates(member(cover("water", 0.2)), member(cover("water", 0.9), valid_share=0.8))) == []


def test_a_sensor_is_recognised_and_a_box_carried_to_the_other_picture() -> None:
    ship = Label("box", "ship", FROM, Shape((20, 40, 60, 80)))
    optical = member(role="optical", cloud_share=0.4, shift_px=(0.0, 0.0))
    radar = member(ship, role="sar", sensor="sar", shift_px=(2.0, -3.0), vocabulary=("ship",))
    group = GroupFacts("sensors:c", "sensors", (optical, radar))
    (carried,) = kinds(group)["box"]
    assert carried.boxes == ((20, 40, 60, 80), (18, 43, 58, 83))
    assert carried.box_pictures == (1, 0)
    assert "Cloud covers about 40% of image 1; radar sees through it. Image 2 shows a ship." in answers(group)
    names = {(one.answer["name"], one.answer["value"]) for one in kinds(group)["fact"]}
    assert names <= {("sensor", "optical"), ("sensor", "radar"), ("sar image", "image 2"), ("optical image", "image 1")}
    loose = GroupFacts("sensors:c", "sensors", group.members, presence_only=True)
    unmeasured = GroupFacts("sensors:c", "sensors", (optical, member(ship, role="sar", sensor="sar")))
    assert not any(one.answer["kind"] == "box" for each in (loose, unmeasured) for one in made(each))


def test_no_sensor_has_a_place_of_its_own_in_the_order_of_pictures() -> None:
    firsts = Counter[str]()
    for number in range(400):
        tiles = [CellTile(f"{sensor}/{number}", sensor, None, 1.0, None) for sensor in ("optical", "sar")]
        members = [(tiles[0], "optical", Shift(0.0, 0.0, 1.0)), (tiles[1], "sar", Shift(4.0, -2.0, 0.5))]
        heights = {tiles[0].tile_id: 100, tiles[1].tile_id: 50}
        ordered = order_by_hash(members, heights, f"g{number}")
        firsts[ordered[0][1]] += 1
        assert ordered[0][2] == Shift(0.0, 0.0, 1.0)
        assert ordered[1][2] == (Shift(4.0, -2.0, 0.5) if ordered[0][1] == "optical" else Shift(-8.0, 4.0, 0.5))
    assert min(firsts.values()) > 150


def test_labels_are_numbered_through_all_pictures() -> None:
    first = member(Label("box", "tree", FROM, Shape((1, 1, 9, 9))), role="before")
    group = GroupFacts("g", "pair", (first, member(compared(), area((10, 10, 60, 60)))))
    for one in made(group):
        assert {*one.labels} <= {1, 2}


def fact(name: str, text: str, value: float) -> Label:
    return Label("fact", name, Provenance("labeller", "scene", quality=1.0), text=text, value=value)


def test_what_thermal_and_radar_measure_is_told_with_its_numbers_and_its_part() -> None:
    warm = fact("warmest_part", "upper left", 305.4), fact("coolest_part", "right", 291.0)
    thermal = member(*warm, role="infrared", sensor="infrared", shift_px=(0.5, 0.0))
    photograph = member(role="optical", sensor="optical", shift_px=(0.0, 0.0))
    group = GroupFacts("sensors:t", "sensors", (photograph, thermal))
    found = [one for one in made(group) if "measured" in one.answer]
    assert [one.turns[-1].text for one in found] == [
        "Image 2 measures that the ground is warmest in the upper left (about 305 kelvin on average) and that the ground is "
        "coolest on the right (about 291 kelvin on average)."
    ]
    parts = {one.answer["name"]: one for one in made(group) if one.answer.get("unit") == "kelvin"}
    assert {name: one.answer["value"] for name, one in parts.items()} == {"warmest_part": "upper left", "coolest_part": "right"}
    assert "image 1" in parts["warmest_part"].turns[0].text
    # Where the pictures are not known to lie on each other, a part of one is none of the other; nothing of numbers alone.
    apart = GroupFacts("sensors:t", "sensors", (photograph, thermal), presence_only=True)
    assert [one for one in made(apart) if one.answer.get("unit")] == []
    bright = member(fact("brightest_part", "upper left", 0.9), role="infrared", sensor="infrared", shift_px=(0.5, 0.0))
    assert not any("measured" in one.answer for one in made(GroupFacts("sensors:t", "sensors", (photograph, bright))))


def spots(*facts: tuple[str, tuple[float, ...], float, tuple[str, ...]], role: str = "infrared") -> tuple[Label, ...]:
    return tuple(Label("fact", name, FROM, Shape(box, flags=flags), role, value=value) for name, box, value, flags in facts)


def test_spots_that_a_photograph_does_not_show_are_placed_measured_and_named() -> None:
    ship = Label("box", "ship", FROM, Shape((20, 40, 60, 80)))
    optical = member(ship, role="optical", shift_px=(0.0, 0.0), vocabulary=("ship",))
    thermal = member(role="infrared", sensor="infrared", shift_px=(2.0, -3.0))
    own = spots(("warm spot", (30, 42, 60, 75), 9.2, ()), ("warm spot", (100, 100, 110, 110), 4.0, ()))
    group = GroupFacts("sensors:c", "sensors", (optical, thermal), own=own)
    facts = {one.answer["value"]: one for one in kinds(group)["fact"] if one.answer["name"] == "contrast of temperature"}
    warm = facts["about 9 kelvin warmer than its surroundings"]
    assert ("the ship" in warm.turns[0].text, warm.boxes) == (True, ((20, 40, 60, 80),))
    assert facts["about 4 kelvin warmer than its surroundings"].boxes == ((98, 103, 108, 113),)
    (strongest,) = [one for one in kinds(group)["box"] if one.answer["category"] == "warm spot"]
    assert (strongest.boxes, strongest.box_pictures) == (((28, 45, 58, 78),), (0,))
    unplaced = GroupFacts("sensors:c", "sensors", (optical, thermal), presence_only=True, own=own)
    assert not any("contrast" in str(one.answer) or "spot" in str(one.answer) for one in made(unplaced))


def test_what_radar_measures_under_cloud_is_told() -> None:
    optical = member(role="optical", cloud_share=0.4, shift_px=(0.0, 0.0))
    radar = member(role="sar", sensor="sar", shift_px=(0.0, 0.0))
    hidden = spots(("strong echo", (30, 42, 60, 75), 15.0, ("under cloud",)), role="sar")
    low = Label("fact", "low echo under cloud", FROM, text="sar", value=0.2)
    (one,) = [
        one
        for one in made(GroupFacts("sensors:c", "sensors", (optical, radar), own=(*hidden, low)))
        if "under_cloud" in one.answer
    ]
    assert one.turns[-1].text == (
        "Under the cloud of image 1, image 2 measures a smooth surface that returns little, as calm water does, on about 20% "
        "of the image and [[one spot|0]] that stands out, with a much stronger echo than the surroundings."
    )


def superlatives(*own: Label, role: str) -> list[str]:
    optical = member(role="optical", sensor="optical", shift_px=(0.0, 0.0))
    other = member(role=role, sensor=role, shift_px=(40.0, 0.0))
    group = GroupFacts("sensors:c", "sensors", (optical, other), own=own)
    return [" ".join(turn.text for turn in one.turns) for one in kinds(group).get("box", [])]


@pytest.mark.parametrize(("name", "role"), [("strong echo", "sar"), ("warm spot", "infrared")])
def test_the_spot_of_the_highest_contrast_is_asked_for_by_its_contrast(name: str, role: str) -> None:
    first, second = (name, (60, 60, 70, 70), 18.0, ()), (name, (90, 90, 99, 99), 12.0, ())
    (text,) = superlatives(*spots(first, second, role=role), role=role)
    assert "stands out most from its surroundings in " in text
    assert "small spot" in text
    assert "edge" in text
    assert "strongest" not in text
    assert "warmest" not in text


def test_a_spot_without_a_place_in_the_photograph_is_ranked_too() -> None:
    outside = ("strong echo", (2, 60, 12, 70), 18.0, ())
    inside = ("strong echo", (90, 90, 99, 99), 12.0, ())
    assert superlatives(*spots(outside, inside, role="sar"), role="sar") == []
    assert len(superlatives(*spots(inside, role="sar"), role="sar")) == 1


def test_infrared_measures_nothing_under_cloud() -> None:
    optical = member(role="optical", cloud_share=0.4, shift_px=(0.0, 0.0))
    thermal = member(role="infrared", sensor="infrared", shift_px=(0.0, 0.0))
    own = spots(("warm spot", (30, 42, 60, 75), 15.0, ("under cloud",)))
    assert not any("under_cloud" in one.answer for one in made(GroupFacts("g", "sensors", (optical, thermal), own=own)))


@pytest.mark.parametrize(("kind", "value"), [("sensors", 1.0), ("places", 0.0)])
def test_whether_two_images_show_one_place_is_the_groups_own_fact(kind: str, value: float) -> None:
    pictures = (member(role="optical", sensor="optical"), member(role="sar", sensor="sar"))
    own = (Label("fact", "same place", FROM, value=value),)
    answered = [one for one in made(GroupFacts("g", kind, pictures, True, own)) if one.answer.get("category") == "same place"]
    assert [(one.answer["value"], one.turns[-1].text, one.labels) for one in answered] == [
        (bool(value), "yes" if value else "no", (0,))
    ]
    assert not any(one.answer.get("category") == "same place" for one in made(GroupFacts("g", kind, pictures, True)))


def test_no_kind_of_question_is_worded_in_two_tables() -> None:
    from rsflow.instructions import phrasings

    tables = [module.PHRASINGS for module in vars(phrasings).values() if hasattr(module, "PHRASINGS")]
    kinds = Counter(kind for table in tables for kind in table)
    assert {kind for kind, count in kinds.items() if count > 1} == set()
    assert kinds.keys() == PHRASINGS.keys()
