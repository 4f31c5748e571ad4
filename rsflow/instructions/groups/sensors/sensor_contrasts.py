"""Spots that radar or thermal infrared measures and a photograph does not show: where they are, by how much they differ from
their surroundings, which known object stands there, and what radar measures under cloud.

Numbers are those of the group's own labels (rsflow.stages.group.cell_sensors). What a spot consists of is never stated for one
spot: strong echoes come from metal and from walls at right angles, weak ones from calm water and other smooth surfaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import collapses_when_rounded
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.groups.placed_boxes import box_on_other
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.records import LOW_ECHO, STRONG_ECHO, UNDER_CLOUD, WARM_SPOT, Label
from rsflow.spatial.geometry import Box, iou
from rsflow.text.turns import mark

TASK = "sensors"
ASKED_SPOTS = 2
SAME_IOU = 0.2  # of the boxes of a spot and of the object that it is: heat and echoes reach beyond outlines, or show a part
LEAD = {WARM_SPOT: 1.0, STRONG_ECHO: 3.0}  # by which a spot's contrast must exceed all others for it to stand out most
LEAST_LOW_SHARE = 0.01
_SUPERLATIVES = {
    WARM_SPOT: "stands out most from its surroundings in warmth",
    STRONG_ECHO: "stands out most from its surroundings in radar echo",
}


@dataclass(frozen=True, slots=True)
class _Spot:
    """`to`: the place of the image that measures it; `of`: of the photograph, with its `box` there."""

    number: int
    label: Label
    of: int
    to: int
    box: Box

    @property
    def contrast(self) -> float:
        return self.label.value or 0.0

    @property
    def phrase(self) -> str:
        """By how much it differs: `about 9 kelvin warmer than its surroundings`."""
        if self.label.category == WARM_SPOT:
            return f"about {self.contrast:.0f} kelvin warmer than its surroundings"
        return f"about {self.contrast:.0f} decibels stronger in echo than its surroundings"


def question_answers(group: GroupFacts) -> Iterator[QuestionAnswer]:
    spots = list(_find_spots(group))
    for name in LEAD:
        mine = sorted((spot for spot in spots if spot.label.category == name), key=lambda spot: (-spot.contrast, spot.number))
        if mine and _stands_out_most(group, mine[0]):
            yield _ask_superlative(mine[0])
        for spot in mine[:ASKED_SPOTS]:
            yield _ask_contrast(group, spot)
    yield from _ask_under_cloud(group, spots)


def _find_spots(group: GroupFacts) -> Iterator[_Spot]:
    """Those that have a place in a photograph of the group."""
    roles = {member.role: place for place, member in enumerate(group.members)}
    optical = next((place for place, member in enumerate(group.members) if member.facts.sensor == "optical"), None)
    if optical is None or group.presence_only:
        return
    for number, label in group.own_labels():
        if label.category not in LEAD or not label.shape or label.text not in roles or label.value is None:
            continue
        to = roles[label.text]
        box = box_on_other(label.shape.box, group, to, optical)
        if box and not collapses_when_rounded(box, group.members[optical].facts):
            yield _Spot(number, label, optical, to, box)


def _stands_out_most(group: GroupFacts, spot: _Spot) -> bool:
    """By its lead over all measured spots of its category, those without a place in the photograph too."""
    category = spot.label.category
    others = (label for number, label in group.own_labels() if label.category == category and number != spot.number)
    return all(spot.contrast - (label.value or 0.0) >= LEAD[category] for label in others)


def _ask_superlative(spot: _Spot) -> QuestionAnswer:
    answer = {"kind": "box", "box": 0, "category": spot.label.category}
    text = mark("the spot", 0)
    what = _SUPERLATIVES[spot.label.category]
    placeholders = {"of": str(spot.of + 1), "to": str(spot.to + 1), "what": what}
    full = f"As image {spot.to + 1} measures it, {text} {what}."
    subject = f"{spot.to} {spot.label.category}"
    return QuestionAnswer(
        TASK, "sensors_spot", subject, text, full, answer, (spot.number,), (spot.box,), placeholders, box_pictures=(spot.of,)
    )


def _ask_contrast(group: GroupFacts, spot: _Spot) -> QuestionAnswer:
    """By how much a place differs; it is called by the one object that stands there."""
    noun, labels, box = _find_object_at(group, spot)
    name = "contrast of temperature" if spot.label.category == WARM_SPOT else "contrast of radar echo"
    unit = "kelvin" if spot.label.category == WARM_SPOT else "decibels"
    answer = {"kind": "fact", "name": name, "value": spot.phrase, "number": spot.contrast, "unit": unit}
    region = mark(f"the {noun}" if noun else "the area", 0)
    placeholders = {"region": region, "of": str(spot.of + 1), "to": str(spot.to + 1)}
    full = f"It is {spot.phrase}."
    numbers = (spot.number, *labels)
    subject = f"{spot.to} {spot.number}"
    return QuestionAnswer(
        TASK,
        "sensors_contrast",
        subject,
        spot.phrase,
        full,
        answer,
        numbers,
        (box,),
        placeholders,
        box_pictures=(spot.of,),
    )


def _find_object_at(group: GroupFacts, spot: _Spot) -> tuple[str, tuple[int, ...], Box]:
    """(noun, labels, box) of the one object of the photograph that is the spot: in whose box its middle is, and about as large.
    "" and the spot's own box where there is none."""
    x, y = (spot.box[0] + spot.box[2]) / 2, (spot.box[1] + spot.box[3]) / 2
    found = [
        (one.noun, (group.first_label(spot.of) + thing.label,), thing.box)
        for one in tile_facts.object_groups(group.members[spot.of].facts)
        for thing in one.objects
        if thing.box[0] <= x <= thing.box[2] and thing.box[1] <= y <= thing.box[3]
    ]
    if len(found) == 1 and " of " not in found[0][0] and iou(found[0][2], spot.box) >= SAME_IOU:
        return found[0]
    return "", (), spot.box


def _ask_under_cloud(group: GroupFacts, spots: list[_Spot]) -> Iterator[QuestionAnswer]:
    roles = {member.role: place for place, member in enumerate(group.members)}
    echoes = [spot for spot in spots if spot.label.category == STRONG_ECHO]  # infrared does not see through cloud
    hidden = [spot for spot in echoes if spot.label.shape and UNDER_CLOUD in spot.label.shape.flags]
    low = [(number, label) for number, label in group.own_labels() if label.category == LOW_ECHO and label.text in roles]
    for to in sorted({spot.to for spot in hidden} | {roles[label.text] for _, label in low}):
        of = next(place for place, member in enumerate(group.members) if member.facts.sensor == "optical")
        phrases, labels = list[str](), list[int]()
        for number, label in low:
            if roles[label.text] == to and (label.value or 0.0) >= LEAST_LOW_SHARE:
                share = english.percent_phrase(label.value or 0.0)
                phrases.append(f"a smooth surface that returns little, as calm water does, on {share} of the image")
                labels.append(number)
        mine = [spot for spot in hidden if spot.to == to]
        boxes = tuple(spot.box for spot in mine)
        if mine:
            many = "one spot" if len(mine) == 1 else f"{english.number_word(len(mine))} spots"
            stands = "stands" if len(mine) == 1 else "stand"
            phrases.append(
                f"{mark(many, *range(len(mine)))} that {stands} out, with a much stronger echo than the surroundings"
            )
            labels += [spot.number for spot in mine]
        if phrases:
            text = f"Under the cloud of image {of + 1}, image {to + 1} measures {english.join_list(phrases)}."
            placeholders = {"of": str(of + 1), "to": str(to + 1)}
            answer = {"kind": "text", "under_cloud": len(mine)}
            pictures = (of,) * len(mine)
            yield QuestionAnswer(
                *(TASK, "sensors_under_cloud", f"{of} {to}", text, text, answer, tuple(labels), boxes, placeholders),
                box_pictures=pictures,
            )
