"""What thermal infrared and radar measure that a photograph does not show: where the ground is warmest and coolest, where it
returns most and least of the radar's pulse, with the measured numbers.

Only measured facts in kelvin or decibel are used (rsflow.labellers.scene); uncalibrated numbers are no statement about the
ground. A part of one image is a part of another only where the pictures were measured to lie on each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.records import Label

TASK = "sensors"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A fact with a part of the image: its name, how a text calls what is extreme there, and the unit of its value."""

    fact: str
    what: str
    unit: str


MEASUREMENTS = (
    Measurement("warmest_part", "the ground is warmest", "kelvin"),
    Measurement("coolest_part", "the ground is coolest", "kelvin"),
    Measurement("strongest_backscatter_part", "the radar echo is strongest", "decibels"),
    Measurement("weakest_backscatter_part", "the radar echo is weakest", "decibels"),
)


def question_answers(group: GroupFacts) -> Iterator[QuestionAnswer]:
    optical = [place for place, member in enumerate(group.members) if member.facts.sensor == "optical"]
    for place, member in enumerate(group.members):
        known = [(one, found) for one in MEASUREMENTS if (found := tile_facts.measured_fact(member.facts, one.fact))]
        if not known or member.facts.sensor == "optical" or not optical:
            continue
        yield _ask_measured(group, place, optical[0], known)
        if _are_registered(group, place, optical[0]):
            for one, (position, label) in known:
                yield _ask_part(group, place, optical[0], one, position, label)


def _ask_measured(
    group: GroupFacts, place: int, optical: int, known: list[tuple[Measurement, tuple[int, Label]]]
) -> QuestionAnswer:
    clauses = [f"that {one.what} {_place_phrase(label)} ({_value_phrase(one, label)} on average)" for one, (_, label) in known]
    text = f"Image {place + 1} measures {english.join_list(clauses)}."
    labels = tuple(group.first_label(place) + position for _, (position, _) in known)
    answer = {"kind": "text", "measured": {one.fact: label.value for one, (_, label) in known}}
    placeholders = {"of": str(optical + 1), "to": str(place + 1)}
    return QuestionAnswer(TASK, "sensors_measured", f"{optical} {place}", text, text, answer, labels, (), placeholders)


def _ask_part(group: GroupFacts, place: int, optical: int, one: Measurement, position: int, label: Label) -> QuestionAnswer:
    """Where in the photograph something is that the other image measures."""
    answer = {"kind": "fact", "name": one.fact, "value": label.text, "number": label.value, "unit": one.unit}
    full = f"As image {place + 1} measures it, {one.what} {_place_phrase(label)} of image {optical + 1}."
    placeholders = {"of": str(optical + 1), "to": str(place + 1), "what": one.what}
    labels = (group.first_label(place) + position,)
    return QuestionAnswer(TASK, "sensors_part", f"{place} {one.fact}", label.text, full, answer, labels, (), placeholders)


def _place_phrase(label: Label) -> str:
    return places.place_phrase(label.text)


def _value_phrase(one: Measurement, label: Label) -> str:
    return f"about {label.value:.0f} {one.unit}" if one.unit == "kelvin" else f"about {label.value:.1f} {one.unit}"


def _are_registered(group: GroupFacts, one: int, other: int) -> bool:
    members = (group.members[one], group.members[other])
    return not group.presence_only and all(member.shift_px is not None and member.valid_share >= 0.999 for member in members)
