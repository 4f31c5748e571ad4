"""Borders and directions between land covers, from facts that layers on the ground give (rsflow.ground.labels).

Whether two covers border on each other is asked in pairs of yes and no on one tile, so that the question does not give its
answer away. A direction is one of eight on the ground, stated within a margin of its middle, where the tile has a place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.ground_relations import direction_name
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import hash_order
from rsflow.records import BEARING, BORDER, TileFacts
from rsflow.spatial.geodesy import axis_bearings

CLEAR_BORDER_PX = 16  # of a common border that is plainly seen
LEAST_SHARE = 0.05  # of a cover whose neighbours are stated


@dataclass(frozen=True, slots=True)
class CoverPair:
    """What a fact measures of the land covers of these names; `label`: the position of the fact."""

    cover: str
    other: str
    value: float
    label: int
    labels: tuple[int, ...]  # the fact and the two covers


@dataclass(frozen=True, slots=True)
class CoverDirection:
    """`cover` lies to the `direction` of `other` on the ground."""

    pair: CoverPair
    direction: str

    @property
    def sentence(self) -> str:
        return f"{english.capitalise(self.pair.cover)} lies {self.direction} of {self.pair.other}."


def question_answers(facts: TileFacts, seed: int) -> Iterator[QuestionAnswer]:
    touching = {str(border.label): border for border in clear_borders(facts)}
    apart = {str(border.label): border for border in _pairs(facts, BORDER) if not border.value}
    key = (seed, facts.tile_id, "vqa", "border")
    for yes, no in zip(hash_order(list(touching), *key), hash_order(list(apart), *key), strict=False):
        yield _border_question(touching[yes], True)
        yield _border_question(apart[no], False)
    for found in list_directions(facts):
        yield _direction_question(found)


def clear_borders(facts: TileFacts) -> list[CoverPair]:
    """Those that are plainly seen, the longest first."""
    least_m = CLEAR_BORDER_PX * (facts.gsd_m or 1.0)
    clear = [found for found in _pairs(facts, BORDER) if found.value >= least_m]
    return sorted(clear, key=lambda found: (-found.value, found.label))


def list_directions(facts: TileFacts) -> list[CoverDirection]:
    """Of the pairs that lie beyond each other, those near one of the eight directions on the ground."""
    bearings = axis_bearings(facts.footprint) if facts.footprint else None
    if bearings is None:
        return []
    named = [(pair, direction_name(ground_bearing(pair.value, bearings))) for pair in _pairs(facts, BEARING)]
    return [CoverDirection(pair, direction) for pair, direction in named if direction]


def ground_bearing(picture_deg: float, bearings: tuple[float, float]) -> float:
    """Degrees from north of a direction in the picture (clockwise from its upper edge). `bearings`: those on the ground in
    which the picture's columns (to the right) and rows (down) run."""
    right, down = (math.radians(bearing) for bearing in bearings)
    along, across = math.sin(math.radians(picture_deg)), -math.cos(math.radians(picture_deg))
    east = along * math.sin(right) + across * math.sin(down)
    return math.degrees(math.atan2(east, along * math.cos(right) + across * math.cos(down)))


def _pairs(facts: TileFacts, beginning: str) -> list[CoverPair]:
    """Facts of covers that each take enough of the tile."""
    covers = {cover.category: cover for cover in tile_facts.land_covers(facts) if cover.name and cover.share >= LEAST_SHARE}
    found = []
    for position, label in tile_facts.labels_of_kind(facts, "fact"):
        one, other = covers.get(label.category.removeprefix(beginning)), covers.get(label.text)
        if label.category.startswith(beginning) and label.value is not None and one and other:
            found.append(CoverPair(one.name, other.name, label.value, position, (position, one.label, other.label)))
    return found


def _border_question(border: CoverPair, value: bool) -> QuestionAnswer:
    answer = {"kind": "yes_no", "value": value, "category": f"border of {border.cover} and {border.other}"}
    full = (
        f"Yes, {border.cover} borders on {border.other}."
        if value
        else f"No, {border.cover} and {border.other} do not touch in the image."
    )
    fill = {"cover": border.cover, "other": border.other}
    key = f"{border.cover} {border.other}"
    return QuestionAnswer("vqa", "cover_border", key, "yes" if value else "no", full, answer, border.labels, (), fill)


def _direction_question(found: CoverDirection) -> QuestionAnswer:
    pair = found.pair
    fill = {"cover": pair.cover, "other": pair.other}
    answer = {"kind": "fact", "name": "direction", "value": found.direction, "subject": pair.cover, "object": pair.other}
    key = f"{pair.cover} {pair.other}"
    return QuestionAnswer("vqa", "cover_direction", key, found.direction, found.sentence, answer, pair.labels, (), fill)
