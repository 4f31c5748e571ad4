"""How a question shows the object that it is about: a box, an oriented box, an outline, a point, a scribble, or a numbered
mark that is drawn on the picture.

One idea: the forms of the settings (`instructions.regions`) that can show this object and no other are its choice, and a hash
decides. Marks are chosen for a whole tile, because its picture is drawn with them (rsflow.stages.shard.write_shards).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded
from rsflow.instructions.facts.outlines import written_outline
from rsflow.instructions.facts.region_paths import point_inside, scribble_inside
from rsflow.instructions.wording.hash_choice import hash_number
from rsflow.records import TileFacts
from rsflow.spatial.geometry import Box, Region
from rsflow.text.turns import mark, path_mark
from rsflow.tiles.number_marks import place_badges

LEAST_MARKS = 2


@dataclass(frozen=True, slots=True)
class GivenRegion:
    """`words`: what a question calls it, `the point [[|@0]]`; `region`: the box that the instruction holds; `fields`: what its
    form in the structured answer, nothing for boxes."""

    form: str
    words: str
    region: Region
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TileMarks:
    """The numbers of the objects (by position in the tile's labels) that are marked, and all marked boxes in their order."""

    numbers: Mapping[int, int]
    boxes: tuple[Box, ...]
    badges: tuple[Box, ...]

    def give(self, thing: TileObject) -> GivenRegion:
        number = self.numbers[thing.label]
        return GivenRegion("marks", f"mark {number}", thing.box, {"form": "marks", "mark": number, **self.fields})

    @property
    def fields(self) -> dict[str, Any]:
        """The marks on the picture in a structured answer."""
        return {"marks": [list(box) for box in self.boxes], "badges": [list(badge) for badge in self.badges]}


def tile_marks(facts: TileFacts, settings: config.Instructions, seed: int) -> TileMarks | None:
    """The marks of a tile whose objects are shown by marks; None for any other tile, or where fewer than two fit."""
    forms = settings.regions
    if "marks" not in forms or hash_number(seed, facts.tile_id, "marks") % len(forms):
        return None
    things = [
        thing for group in tile_facts.object_groups(facts) for thing in group.objects if thing.shorter_px >= settings.min_box_px
    ]
    all_boxes = [label.shape.box for label in facts.labels if label.shape]
    found = place_badges([thing.box for thing in things], all_boxes, facts.height_px, facts.width_px)
    if len(found) < LEAST_MARKS:
        return None
    numbers = {things[position].label: number for number, position in enumerate(found, 1)}
    return TileMarks(numbers, tuple(things[position].box for position in found), tuple(found.values()))


def give_region(thing: TileObject, facts: TileFacts, settings: config.Instructions, seed: int) -> GivenRegion:
    """The object in one of the forms, other than marks, that can show it; as a box where none can."""
    possible = [found for form in settings.regions if (found := _in_form(form, thing, facts))]
    if not possible:
        return GivenRegion("box", f"the box {mark('', 0)}", thing.box)
    key = " ".join(f"{value:.2f}" for value in thing.box)
    return possible[hash_number(seed, facts.tile_id, "oriented", key) % len(possible)]


def _in_form(form: str, thing: TileObject, facts: TileFacts) -> GivenRegion | None:
    if form == "box":
        return GivenRegion(form, f"the box {mark('', 0)}", thing.box)
    if form == "oriented":
        fits = thing.quad and not collapses_when_rounded(thing.quad, facts)
        return GivenRegion(form, f"the rotated box {mark('', 0)}", thing.quad) if fits and thing.quad else None
    if form == "polygon":
        rings = written_outline(thing.outline, facts) if thing.outline else None
        path = rings[0] if rings and len(rings) == 1 else None  # one line cannot draw holes or several parts
    elif form == "point":
        path = point_inside(thing, facts)
    else:
        path = scribble_inside(thing, facts) if form == "scribble" else None
    if path is None:
        return None
    word = "outline" if form == "polygon" else form
    return GivenRegion(form, f"the {word} {path_mark(0)}", thing.box, {"form": form, "paths": [list(path)]})
