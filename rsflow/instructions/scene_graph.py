"""Scene graphs: the objects of a picture and the relations between them, as triples (subject, predicate, object).

One idea: predicates are computed, from boxes and outlines in the picture and, where the size of a pixel is known, from
distances on the ground; a pair whose relation is not clear has no triple. The whole graph is asked for only where every object
of the tile is known; the relation of two objects that the question shows needs no such promise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import shapely

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded
from rsflow.instructions.facts.region_paths import object_area
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.instructions.wording.hash_choice import choose
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.text.turns import mark

MOST_OBJECTS = 6
INSIDE_SHARE = 0.95  # of the subject's area that lies within the object's outline
_OF = {"left": "left of", "right": "right of", "above": "above", "below": "below"}
INSIDE = "inside"
PREDICATES = (*_OF.values(), INSIDE)


@dataclass(frozen=True, slots=True)
class Triple:
    """`subject` and `object` are positions in a list of objects; `metres` lie between their middles, None where unknown."""

    subject: int
    predicate: str
    object: int
    metres: float | None

    def text(self) -> str:
        """`(1, left of, 2, 40 m)`, objects counted from 1."""
        distance = "" if self.metres is None else f", {self.metres:g} m"
        return f"({self.subject + 1}, {self.predicate}, {self.object + 1}{distance})"

    def record(self) -> dict[str, Any]:
        known = {} if self.metres is None else {"metres": self.metres}
        return {"subject": self.subject, "predicate": self.predicate, "object": self.object, **known}


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer]:
    groups = tile_facts.object_groups(facts)
    named = [
        (group, thing)
        for group in groups
        for thing in group.objects
        if thing.shorter_px >= settings.min_box_px and not collapses_when_rounded(thing.box, facts)
    ]
    if is_whole(facts) and len(named) == sum(group.count for group in groups) and 2 <= len(named) <= MOST_OBJECTS:
        yield from _graph_question(named, facts)
    clear = [pair for pair in combinations(named, 2) if relation(pair[0][1], pair[1][1], facts)]
    if clear:
        yield _pair_question(choose(clear, seed, facts.tile_id, "scene graph", "pair"), facts)


def is_whole(facts: TileFacts) -> bool:
    """Whether every object that the tile shows is known for certain."""
    groups = tile_facts.object_groups(facts)
    no_others = not facts.unknown and not tile_facts.objects_without_place(facts)
    return no_others and len(groups) == len(tile_facts.uncertain_by_noun(facts)) and all(group.complete for group in groups)


def relation(subject: TileObject, other: TileObject, facts: TileFacts) -> str | None:
    """The predicate of a triple; None where it is not clear."""
    if _lies_inside(subject, other):
        return INSIDE
    way = places.direction(subject.box, other.box, facts.height_px, facts.width_px)
    return _OF[way] if way else None


def find_triples(things: Sequence[TileObject], facts: TileFacts) -> Iterator[Triple]:
    """One triple for each pair with a clear relation, of the earlier object to the later one unless the later is inside it."""
    for one, other in combinations(range(len(things)), 2):
        first, second = (other, one) if _lies_inside(things[other], things[one]) else (one, other)
        predicate = relation(things[first], things[second], facts)
        if predicate:
            yield Triple(first, predicate, second, _metres_between(things[first], things[second], facts))


def replay_graph(answer: dict[str, Any], boxes: Sequence[Sequence[float]], facts: TileFacts) -> str:
    """Compute a written graph again: "" where it comes out as it was written, else what differs."""
    if not is_whole(facts):
        return "not every object of the tile is known any more"
    things = [thing for group in tile_facts.object_groups(facts) for thing in group.objects]
    if [list(thing.box) for thing in things] != [list(box) for box in boxes]:
        return f"objects: written {len(boxes)}, found {len(things)} or others"
    found = [triple.record() for triple in find_triples(things, facts)]
    return "" if found == answer["triples"] else f"triples: written {answer['triples']!r}, found {found!r}"


def _graph_question(named: Sequence[tuple[Group, TileObject]], facts: TileFacts) -> Iterator[QuestionAnswer]:
    things = [thing for _, thing in named]
    triples = list(find_triples(things, facts))
    if not triples:
        return
    lines = [f"{number}: {mark(group.noun, number - 1)}" for number, (group, _) in enumerate(named, 1)]
    text = "\n".join([*lines, *(triple.text() for triple in triples)])
    answer = {
        "kind": "scene_graph",
        "objects": [{"category": group.category, "box": place} for place, (group, _) in enumerate(named)],
        "triples": [triple.record() for triple in triples],
    }
    labels, boxes = tuple(thing.label for thing in things), tuple(thing.box for thing in things)
    yield QuestionAnswer("scene_graph", "scene_graph", "whole", text, text, answer, labels, boxes)


def _pair_question(pair: Sequence[tuple[Group, TileObject]], facts: TileFacts) -> QuestionAnswer:
    (one, subject), (other, thing) = pair
    predicate = relation(subject, thing, facts) or ""
    return QuestionAnswer(
        task="scene_graph",
        kind="relation_between",
        subject=f"{subject.box} {thing.box}",
        short_answer=predicate,
        full_answer=f"{english.capitalise(mark(f'the {one.noun}', 0))} is {predicate} {mark(f'the {other.noun}', 1)}.",
        answer={"kind": "predicate", "value": predicate, "subject": one.category, "object": other.category},
        labels=(subject.label, thing.label),
        boxes=(subject.box, thing.box),
        placeholders={"subject": mark(f"the {one.noun}", 0), "object": mark(f"the {other.noun}", 1)},
    )


def _lies_inside(subject: TileObject, other: TileObject) -> bool:
    """Whether the other's outline is known and holds the subject; a box holds more than its object."""
    if not (other.outline or other.quad) or other.area_px <= subject.area_px:
        return False
    area = object_area(subject)
    return bool(shapely.intersection(area, object_area(other)).area >= INSIDE_SHARE * area.area)


def _metres_between(one: TileObject, other: TileObject, facts: TileFacts) -> float | None:
    """Between the middles of two whole objects, to two significant digits."""
    if facts.gsd_m is None or one.truncated or other.truncated:
        return None
    x, y = ((other.box[axis] + other.box[axis + 2] - one.box[axis] - one.box[axis + 2]) / 2 for axis in (0, 1))
    found = facts.metres(x, y)
    return float(f"{found:.2g}") if math.isfinite(found) and found > 0 else None
