"""Lengths of lines, from facts that layers on the ground give (rsflow.ground.labels).

A length has two significant digits, and its answer names the interval that they stand for (`least`, `most`).
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.ground_relations import format_distance
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.records import LENGTH, TileFacts


def question_answers(facts: TileFacts) -> Iterator[QuestionAnswer]:
    for position, label in tile_facts.labels_of_kind(facts, "fact"):
        if label.category.startswith(LENGTH) and label.value:
            yield _length_question(label.category.removeprefix(LENGTH), label.value, position)


def _length_question(category: str, length_m: float, position: int) -> QuestionAnswer:
    many = english.pluralise(english.singular_noun(category))
    length_text, least, most = format_distance(length_m)
    answer = {
        "kind": "fact",
        "name": f"length of {many}",
        "value": f"about {length_text}",
        "number": length_m,
        "unit": "m",
        "least": least,
        "most": most,
    }
    full = f"The {many} in the image are about {length_text} long together."
    return QuestionAnswer("vqa", "line_length", category, f"about {length_text}", full, answer, (position,), (), {"many": many})
