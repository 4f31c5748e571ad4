"""Facts of continuous rasters of the ground, from labels of rsflow.ground.labels: mean values, and where extremes
lie.

A number is given with two significant digits, and its answer names the interval that this rounding stands for (`least`,
`most`). A place is stated only where highest and lowest differ clearly and the extreme lies clearly in one part of the image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import positions as places
from rsflow.records import Label, TileFacts

SOURCE = "field"  # name of the provenance of such facts
LEAST_RANGE = 0.05  # of highest and lowest value, against the larger of the two, for a place to be stated
_MEAN = "mean "


def question_answers(facts: TileFacts) -> Iterator[QuestionAnswer]:
    found = {
        label.category: (position, label) for position, label in tile_facts.labels_of_kind(facts, "fact") if _is_field(label)
    }
    for name, (position, label) in found.items():
        if name.startswith(_MEAN) and label.value is not None:
            quantity = name.removeprefix(_MEAN)
            yield _mean(quantity, label.value, label.text, position)
            highest, lowest = found.get(f"highest {quantity}"), found.get(f"lowest {quantity}")
            if highest and lowest and _differ(highest[1], lowest[1]):
                yield from _place("highest", quantity, highest, facts)
                yield from _place("lowest", quantity, lowest, facts)


def _is_field(label: Label) -> bool:
    return label.provenance.origin == "annotation" and label.provenance.name == SOURCE


def _mean(quantity: str, value: float, unit: str, position: int) -> QuestionAnswer:
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 1.0
    rounded = round(value / step) * step
    value_text = f"about {rounded:g} {unit}".rstrip()
    answer = {
        "kind": "fact",
        "name": f"mean {quantity}",
        "value": value_text,
        "number": value,
        "unit": unit,
        "least": rounded - step / 2,
        "most": rounded + step / 2,
    }
    full = f"The mean {quantity} of the area is {value_text}."
    return QuestionAnswer("vqa", "field_mean", quantity, value_text, full, answer, (position,), (), {"quantity": quantity})


def _place(which: str, quantity: str, found: tuple[int, Label], facts: TileFacts) -> Iterator[QuestionAnswer]:
    position, label = found
    place = places.place_name(label.shape.box, facts.height_px, facts.width_px) if label.shape else None
    if place:
        answer = {"kind": "fact", "name": f"{which} {quantity}", "value": place}
        full = f"The {quantity} is {which} {places.place_phrase(place)} of the image."
        placeholders = {"quantity": quantity}
        yield QuestionAnswer("vqa", f"field_{which}", quantity, place, full, answer, (position,), (), placeholders)


def _differ(highest: Label, lowest: Label) -> bool:
    if highest.value is None or lowest.value is None:
        return False
    return highest.value - lowest.value >= LEAST_RANGE * max(abs(highest.value), abs(lowest.value), 1e-12)
