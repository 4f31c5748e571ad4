"""One place seen by several sensors: whether it is one place, which sensor is which, where a thing of one image is in another,
and what all of them show.

Answers follow from the sensors themselves and from labels of each image. A place is carried from one image to another only
where the pictures were measured to lie on each other; what cloud may hide is known from labels of a sensor that sees through
it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import collapses_when_rounded
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.groups.placed_boxes import box_on_other
from rsflow.instructions.groups.sensors import sensor_contrasts, sensor_measurements
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.vqa import quantity_phrase
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import choose
from rsflow.records import SAME_PLACE, Instruction, Reject
from rsflow.text.turns import mark

TASK = "sensors"
CLOUDY = 0.1  # share of an optical image from which its cloud is worth asking about
SEES_THROUGH_CLOUD = frozenset({"sar"})
# As the image is called, and as what took it; sensors of other packages go by their own name.
_NAMES = {
    "optical": ("optical", "an optical camera"),
    "sar": ("radar", "a radar (SAR)"),
    "infrared": ("thermal infrared", "a thermal infrared camera"),
}


def make_instructions(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    if group.kind == "sensors":
        yield from instructions(question_answers(group, settings, seed), group, seed, settings)
    elif group.kind == "places":
        yield from instructions(_same_place(group), group, seed, settings)


def question_answers(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    yield from _same_place(group)
    yield from _which(group, seed)
    yield from _transfers(group, settings, seed)
    yield from _hidden(group, settings)
    yield from sensor_measurements.question_answers(group)
    yield from sensor_contrasts.question_answers(group)
    yield from _description(group, settings)


def sensor_name(sensor: str) -> str:
    """`radar`."""
    return _NAMES.get(sensor, (sensor, ""))[0]


def sensor_maker(sensor: str) -> str:
    """`a radar (SAR)`."""
    return _NAMES.get(sensor, ("", f"{english.with_article(sensor)} sensor"))[1]


def _same_place(group: GroupFacts) -> Iterator[QuestionAnswer]:
    """Where the group's own label says which: there are as many groups of one place with it as of two places."""
    for number, label in group.own_labels():
        if label.kind == "fact" and label.category == SAME_PLACE:
            value = label.value == 1
            full = "Yes, both images show the same place." if value else "No, the images show different places."
            answer = {"kind": "yes_no", "value": value, "category": SAME_PLACE}
            yield QuestionAnswer(TASK, "sensors_same_place", "all", "yes" if value else "no", full, answer, (number,))


def _which(group: GroupFacts, seed: int) -> Iterator[QuestionAnswer]:
    """The sensor of one image, and the image of one sensor, each chosen by hash."""
    numbers = list(range(1, len(group.members) + 1))
    number = choose(numbers, seed, group.tile_id, TASK, "which")
    sensor = group.members[number - 1].facts.sensor
    answer = {"kind": "fact", "name": "sensor", "value": sensor_name(sensor)}
    full = f"Image {number} was taken by {sensor_maker(sensor)}."
    placeholders = {"number": str(number)}
    yield QuestionAnswer(TASK, "sensors_which", str(number), sensor_name(sensor), full, answer, (), (), placeholders)
    number = choose(numbers, seed, group.tile_id, TASK, "find")
    sensor = group.members[number - 1].facts.sensor
    if sum(member.facts.sensor == sensor for member in group.members) == 1:
        answer = {"kind": "fact", "name": f"{sensor} image", "value": f"image {number}"}
        full = f"Image {number} is the {sensor_name(sensor)} image."
        placeholders = {"sensor": sensor_name(sensor), "maker": sensor_maker(sensor)}
        yield QuestionAnswer(TASK, "sensors_find", sensor, f"image {number}", full, answer, (), (), placeholders)


def _transfers(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer]:
    """Of each image with objects, one of them carried to another image."""
    if group.presence_only:
        return
    for place, member in enumerate(group.members):
        things = [
            (found.noun, thing)
            for found in tile_facts.object_groups(member.facts)
            for thing in found.objects
            if thing.shorter_px >= settings.min_box_px and not collapses_when_rounded(thing.box, member.facts)
        ]
        others = [other for other in range(len(group.members)) if other != place]
        if not things or not others:
            continue
        noun, thing = things[choose(range(len(things)), seed, group.tile_id, TASK, place)]
        target = choose(others, seed, group.tile_id, TASK, "to", place)
        if box := box_on_other(thing.box, group, place, target):
            region = mark(f"the {noun}", 1)
            answer = {"kind": "box", "box": 1, "category": noun}
            placeholders = {"region": mark(f"the {noun}", 0), "of": str(place + 1), "to": str(target + 1)}
            labels = (group.first_label(place) + thing.label,)
            yield QuestionAnswer(
                TASK,
                "sensors_transfer",
                f"{place} {thing.label}",
                region,
                f"It is {region}.",
                answer,
                labels,
                (thing.box, box),
                placeholders,
                box_pictures=(place, target),
            )


def _named_groups(group: GroupFacts, place: int, settings: config.Instructions) -> list[Group]:
    return tile_facts.large_enough(tile_facts.object_groups(group.members[place].facts), settings.min_box_px)


def _hidden(group: GroupFacts, settings: config.Instructions) -> Iterator[QuestionAnswer]:
    """What a sensor that sees through cloud shows beside a clouded optical image."""
    for of, clouded in enumerate(group.members):
        if clouded.facts.sensor != "optical" or (clouded.cloud_share or 0.0) < CLOUDY:
            continue
        for to, member in enumerate(group.members):
            found = _named_groups(group, to, settings) if member.facts.sensor in SEES_THROUGH_CLOUD else []
            if not found:
                continue
            things = english.join_list([quantity_phrase(one) for one in found])
            cloud = english.percent_phrase(clouded.cloud_share or 0.0)
            text = f"Cloud covers {cloud} of image {of + 1}; {sensor_name(member.facts.sensor)} sees through it. "
            text += f"Image {to + 1} shows {things}."
            labels = tuple(group.first_label(to) + label for one in found for label in one.labels)
            answer = {"kind": "text", "cloud_share": clouded.cloud_share}
            placeholders = {"of": str(of + 1), "to": str(to + 1)}
            yield QuestionAnswer(TASK, "sensors_hidden", f"{of} {to}", text, text, answer, labels, (), placeholders)


def _description(group: GroupFacts, settings: config.Instructions) -> Iterator[QuestionAnswer]:
    """What every image shows, in sentences; only where two images or more show something that is known."""
    sentences, labels = list[str](), list[int]()
    for place, member in enumerate(group.members):
        start = group.first_label(place)
        covers = [cover for cover in tile_facts.land_covers(member.facts) if cover.name and cover.share >= CLOUDY]
        things = _named_groups(group, place, settings)
        phrases = [f"{cover.name} on {english.percent_phrase(cover.share)} of the area" for cover in covers]
        phrases += [quantity_phrase(one) for one in things]
        if phrases:
            name = sensor_name(member.facts.sensor)
            sentences.append(f"Image {place + 1}, {english.with_article(name)} image, shows {english.join_list(phrases)}.")
            labels += [start + cover.label for cover in covers]
            labels += [start + label for one in things for label in one.labels]
    if len(sentences) > 1:
        text = " ".join(sentences)
        yield QuestionAnswer(TASK, "sensors_description", "all", text, text, {"kind": "text"}, tuple(labels))
