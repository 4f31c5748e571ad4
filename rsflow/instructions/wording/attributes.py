"""Measured attributes of the whole picture in words: brightness, texture, colour, extremes, backscatter, indices.

They exist for every tile and every sensor, so that no sensor is left with detection alone. Words about the picture rest on
facts measured on the picture; words about the ground (backscatter, temperature) on facts measured on physical values
(rsflow.labellers.scene). No colour is named where the sensor has none. Values unknown to this module are left unsaid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.records import TileFacts
from rsflow.sensors import SENSORS

# What a fact's text becomes after "the image is".
BRIGHTNESS = {"dark": "dark", "medium": "of medium brightness", "bright": "bright"}
TEXTURE = {value: value for value in ("smooth", "moderately textured", "strongly textured")}
COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "beige", "grey", "black", "white")
PARTS = {"brightest_part": "brightest", "darkest_part": "darkest"}


# Facts about the ground by sensor: category of the fact to the sentence about its place.
PHYSICAL_PARTS = {
    "sar": {
        "strongest_backscatter_part": "The radar backscatter is strongest {at} of the image.",
        "weakest_backscatter_part": "The radar backscatter is weakest {at} of the image.",
    },
    "infrared": {
        "warmest_part": "The measured temperature is highest {at} of the image.",
        "coolest_part": "The measured temperature is lowest {at} of the image.",
    },
    "optical": {},
}
LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Attribute:
    """`value` is the fact's text, `phrase` completes "the image is …"."""

    kind: str
    value: str
    phrase: str
    label: int


def picture_attributes(facts: TileFacts) -> list[Attribute]:
    """Brightness, colour and texture, in this order, as far as they are known and fit the sensor."""
    found = []
    for kind, known in (
        ("brightness", BRIGHTNESS),
        ("colour", {name: f"mainly {name}" for name in COLOURS}),
        ("texture", TEXTURE),
    ):
        measured = tile_facts.measured_fact(facts, kind)
        if measured and measured[1].text in known and (kind != "colour" or SENSORS[facts.sensor].has_colour):
            found.append(Attribute(kind, measured[1].text, known[measured[1].text], measured[0]))
    return found


def extreme_parts(facts: TileFacts) -> list[Attribute]:
    """`brightest in the upper left`, `darkest at the bottom`; neither where both name one place."""
    found = []
    for kind, word in PARTS.items():
        measured = tile_facts.measured_fact(facts, kind)
        place = places.parse_place(measured[1].text) if measured else None
        if measured and place:
            found.append(Attribute(kind, place, f"{word} {places.place_phrase(place)}", measured[0]))
    return [] if len({part.value for part in found}) < len(found) else found


def low_backscatter(facts: TileFacts) -> tuple[int, float] | None:
    """Position and value of the share of low radar backscatter, for radar alone."""
    measured = tile_facts.measured_fact(facts, "low_backscatter_share")
    if facts.sensor != "sar" or measured is None or measured[1].value is None or not 0 <= measured[1].value <= 1:
        return None
    return measured[0], measured[1].value


def question_answers(facts: TileFacts) -> Iterator[QuestionAnswer]:
    yield from appearance_questions(facts)
    yield from physical_part_questions(facts)
    yield from share_questions(facts)


def appearance_questions(facts: TileFacts) -> Iterator[QuestionAnswer]:
    """Of the look of the picture alone."""
    for found in picture_attributes(facts):
        yield _of_attribute(found, f"The image is {found.phrase} overall.")
    for found in extreme_parts(facts):
        yield _of_attribute(found, f"The image is {found.phrase}.")


def share_questions(facts: TileFacts) -> Iterator[QuestionAnswer]:
    """Of how much of the ground has low backscatter."""
    low = low_backscatter(facts)
    if low and low[1] >= LEAST_SHARE:
        full = f"Low and even radar backscatter covers {english.percent_phrase(low[1])} of the image."
        yield _of_share("low_backscatter", "low_backscatter_share", low[1], full, low[0])


def physical_part_questions(facts: TileFacts) -> Iterator[QuestionAnswer]:
    """Of where backscatter and temperature are highest and lowest."""
    for kind, sentence in PHYSICAL_PARTS.get(facts.sensor, {}).items():
        measured = tile_facts.measured_fact(facts, kind)
        place = places.parse_place(measured[1].text) if measured else None
        if measured and place:
            found = Attribute(kind, place, places.place_phrase(place), measured[0])
            yield _of_attribute(found, sentence.format(at=found.phrase))


def _of_attribute(found: Attribute, full: str) -> QuestionAnswer:
    answer = {"kind": "fact", "name": found.kind, "value": found.value}
    return QuestionAnswer("vqa", found.kind, found.kind, found.value, full, answer, (found.label,))


def _of_share(kind: str, name: str, value: float, full: str, label: int) -> QuestionAnswer:
    answer = {"kind": "share", "value": value, "name": name}
    return QuestionAnswer("vqa", kind, name, english.percent_phrase(value), full, answer, (label,))
