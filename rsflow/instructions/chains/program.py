"""Programs of a few steps over what is known of a tile: locate, filter, count, measure, compare.

One idea: a step is plain JSON, `{"op": "locate", "category": "ship"}`, that names earlier steps by their numbers, and its
result is plain JSON too: numbers, words, or lists of objects, which are numbered in the order in which they were first
located. So a chain that was written can be run again from the tile's labels, and every result compared.

A step that the facts cannot answer for certain (a category that is not complete, an object on the edge between two places, two
that are about equally near) is a ChainError; nothing is guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.records import TileFacts
from rsflow.spatial.geometry import Box, Region
from rsflow.spatial.polygons import to_geometry

Step = dict[str, Any]

NEARER = 1.3  # how many times as far the second nearest must be
ROUGHLY = 0.02  # by how much a share's or distance's replay may differ: they are stored rounded to two digits


class ChainError(Exception):
    """The facts do not answer a step for certain."""


@dataclass
class Run:
    """A program's run: the `results` of its steps, and the `objects` that it located."""

    facts: TileFacts
    results: list[Any] = field(default_factory=list)
    objects: list[TileObject] = field(default_factory=list)

    @property
    def boxes(self) -> tuple[Region, ...]:
        return tuple(thing.box for thing in self.objects)

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(thing.label for thing in self.objects)

    def things(self, step: int) -> list[TileObject]:
        return [self.objects[number] for number in self.results[step]]

    def one(self, step: int) -> TileObject:
        """The only object of a step's result."""
        found = self.things(step)
        if len(found) != 1:
            raise ChainError(f"step {step} has {len(found)} objects, not one")
        return found[0]


def run_program(steps: Sequence[Step], facts: TileFacts) -> Run:
    """Run all steps. ChainError where one has no certain result."""
    run = Run(facts)
    for step in steps:
        run.results.append(OPERATIONS[step["op"]](run, step))
    return run


def replay(answer: dict[str, Any], boxes: Sequence[Sequence[float]], facts: TileFacts) -> str:
    """Run a written chain again: "" where every result and box comes out as it was written, else what differs.

    `answer`: the structured answer of a chain, `steps` with their `result`; `boxes`: those of its instruction.
    """
    steps = answer["steps"]
    try:
        run = run_program(steps, facts)
    except (ChainError, KeyError, IndexError) as error:
        return f"the labels do not answer it any more ({error})"
    for number, (step, result) in enumerate(zip(steps, run.results, strict=True)):
        if not _is_same(step["result"], result):
            return f"step {number + 1} ({step['op']}): written {step['result']!r}, found {result!r}"
    if [list(box) for box in run.boxes] != [list(box) for box in boxes]:
        return f"boxes: written {len(boxes)}, found {len(run.boxes)} or others"
    return ""


def _is_same(written: Any, found: Any) -> bool:
    if isinstance(written, float) or isinstance(found, float):
        return math.isclose(written, found, rel_tol=ROUGHLY, abs_tol=1e-6)
    return bool(written == found)


def _locate(run: Run, step: Step) -> list[int]:
    """Every object of a category; none where it is known to be absent."""
    noun = english.singular_noun(step["category"])
    groups = {group.noun: group for group in tile_facts.object_groups(run.facts)}
    if noun not in groups:
        if noun not in {english.singular_noun(category) for category in tile_facts.absent_categories(run.facts)}:
            raise ChainError(f"{noun}: whether there are more is not known")
        return []
    if not groups[noun].complete:
        raise ChainError(f"{noun}: not every instance is known")
    first = len(run.objects)
    run.objects += groups[noun].objects
    return list(range(first, len(run.objects)))


def _inside(run: Run, step: Step) -> list[int]:
    """Those of an earlier step that are in a place; each must be plainly in it or plainly outside."""
    size = (run.facts.height_px, run.facts.width_px)
    found = []
    for number in run.results[step["of"]]:
        box, place = run.objects[number].box, step["place"]
        if places.place_name(box, *size) in places.WIDE_PLACES.get(place, (place,)):
            found.append(number)
        elif places.touches_place(box, place, *size):
            raise ChainError(f"an object lies on the edge of the {place}")
    return found


def _count(run: Run, step: Step) -> int:
    return len(run.results[step["of"]])


def _compare(run: Run, step: Step) -> str:
    one, other = (run.results[number] for number in step["of"])
    return "more" if one > other else "fewer" if one < other else "equal"


def _subtract(run: Run, step: Step) -> int:
    left = int(run.results[step["from"]]) - int(step["number"])
    if left < 0:
        raise ChainError("fewer are there than are taken away")
    return left


def _distance(run: Run, step: Step) -> float:
    """Between the middles of two objects, in metres on the ground."""
    ends = [run.one(number) for number in step["of"]]
    if any(thing.truncated for thing in ends):
        raise ChainError("the tile shows only a part, whose middle is another")
    return _round(_metres(run.facts, *(_middle(thing.box) for thing in ends)))


def _nearest(run: Run, step: Step) -> list[int]:
    """Of an earlier step the object nearest to another step's only one, middle to middle."""
    to = _middle(run.one(step["to"]).box)
    ranked = sorted((math.dist(_middle(run.objects[number].box), to), number) for number in run.results[step["of"]])
    if len(ranked) < 2 or ranked[1][0] < NEARER * ranked[0][0]:
        raise ChainError("no object is clearly the nearest")
    return [ranked[0][1]]


def _share(run: Run, step: Step) -> float:
    """Of the picture that objects with known outlines cover together."""
    things = run.things(step["of"])
    if not things or not all(thing.outline or thing.quad for thing in things):
        raise ChainError("an outline is not known")
    together = shapely.union_all([to_geometry(thing.outline or ((thing.quad or (),),)) for thing in things])
    return _round(together.area / (run.facts.height_px * run.facts.width_px))


OPERATIONS: dict[str, Callable[[Run, Step], Any]] = {
    "locate": _locate,
    "inside": _inside,
    "count": _count,
    "compare": _compare,
    "subtract": _subtract,
    "distance": _distance,
    "nearest": _nearest,
    "share": _share,
}


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _metres(facts: TileFacts, one: tuple[float, float], other: tuple[float, float]) -> float:
    if facts.gsd_m is None:
        raise ChainError("the size of a pixel is not known")
    return facts.metres(other[0] - one[0], other[1] - one[1])


def _round(value: float) -> float:
    """To two significant digits."""
    return float(f"{value:.2g}")
