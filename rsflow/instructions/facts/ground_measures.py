"""Lengths of lines and borders of land cover, from facts that layers on the ground give (rsflow.ground.labels).

A length has two significant digits, and its answer names the interval that they stand for (`least`, `most`). Whether two covers
border on each other is asked in pairs of yes and no on one tile, so that the question does not give its answer away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.ground_relations import format_distance
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import hash_order
from rsflow.records import BORDER, LENGTH, TileFacts

CLEAR_BORDER_PX = 16  # of a common border that is plainly seen
LEAST_SHARE = 0.05  # of a cover whose neighbours are told


@dataclass(frozen=True, slots=True)
class CoverBorder:
    """`metres` that the land covers of these names have in common; `label`: the position of the fact."""

    cover: str
    other: str
    metres: float
    label: int
    labels: tuple[int, ...]  # the fact and the two covers


def question_answers(facts: TileFacts, seed: int) -> Iterator[QuestionAnswer]:
    for position, label in tile_facts.labels_of_kind(facts, "fact"):
        if label.category.startswith(LENGTH) and label.value:
            yield _length_question(label.category.removeprefix(LENGTH), label.value, position)
    touching = {str(border.label): border for border in clear_borders(facts)}
    apart = {str(border.label): border for border in _borders(facts) if not border.metres}
    key = (seed, facts.tile_id, "vqa", "border")
    for yes, no in zip(hash_order(list(touching), *key), hash_order(list(apart), *key), strict=False):
        yield _border_question(touching[yes], True)
        yield _border_question(apart[no], False)


def clear_borders(facts: TileFacts) -> list[CoverBorder]:
    """Those that are plainly seen, the longest first."""
    least_m = CLEAR_BORDER_PX * (facts.gsd_m or 1.0)
    return sorted(
        (found for found in _borders(facts) if found.metres >= least_m), key=lambda found: (-found.metres, found.label)
    )


def _borders(facts: TileFacts) -> list[CoverBorder]:
    """Of covers that each take enough of the tile."""
    covers = {cover.category: cover for cover in tile_facts.land_covers(facts) if cover.name and cover.share >= LEAST_SHARE}
    found = []
    for position, label in tile_facts.labels_of_kind(facts, "fact"):
        one, other = covers.get(label.category.removeprefix(BORDER)), covers.get(label.text)
        if label.category.startswith(BORDER) and label.value is not None and one and other:
            found.append(CoverBorder(one.name, other.name, label.value, position, (position, one.label, other.label)))
    return found


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


def _border_question(border: CoverBorder, value: bool) -> QuestionAnswer:
    answer = {"kind": "yes_no", "value": value, "category": f"border of {border.cover} and {border.other}"}
    full = (
        f"Yes, {border.cover} borders on {border.other}."
        if value
        else f"No, {border.cover} and {border.other} do not touch in the image."
    )
    fill = {"cover": border.cover, "other": border.other}
    key = f"{border.cover} {border.other}"
    return QuestionAnswer("vqa", "cover_border", key, "yes" if value else "no", full, answer, border.labels, (), fill)
