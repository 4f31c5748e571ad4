"""Measured attributes of the whole picture as words: brightness, texture, colour, its brightest and darkest part.

One idea: these facts exist for every tile and every sensor, so that no sensor is left with detection alone. What is said
keeps to the sensor: no colours where it has none, backscatter only of radar. Values that this module does not know are left
unsaid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.instructions import english, tile_facts
from rsflow.instructions import positions as places
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.records import TileFacts
from rsflow.sensors import SENSORS

# What a fact's text becomes after "the image is".
BRIGHTNESS = {"dark": "dark", "medium": "of medium brightness", "bright": "bright"}
TEXTURE = {value: value for value in ("smooth", "moderately textured", "strongly textured")}
COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "beige", "grey", "black", "white")
PARTS = {"brightest_part": "brightest", "darkest_part": "darkest"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """`value` is the fact's own text, `said` completes "the image is …"."""

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
    bright = SENSORS[facts.sensor].bright
    fill = {"strongest": bright.replace("strong", "strongest", 1), "weakest": bright.replace("strong", "weakest", 1)}
    for found in picture_attributes(facts):
        yield _claim(found, found.value, f"The image is {found.phrase} overall.", {})
    for found in extreme_parts(facts):
        yield _claim(found, found.value, f"The image is {found.phrase}.", fill)
    low = low_backscatter(facts)
    if low and low[1] >= 0.01:
        share = english.percent_phrase(low[1])
        full = f"Low and even radar backscatter covers {share} of the image."
        answer = {"kind": "share", "value": low[1], "name": "low_backscatter_share"}
        yield QuestionAnswer("vqa", "low_backscatter", "low_backscatter", share, full, answer, (low[0],))


def _claim(found: Attribute, short: str, full: str, fill: dict[str, str]) -> QuestionAnswer:
    answer = {"kind": "fact", "name": found.kind, "value": found.value}
    return QuestionAnswer("vqa", found.kind, found.kind, short, full, answer, (found.label,), (), fill)
