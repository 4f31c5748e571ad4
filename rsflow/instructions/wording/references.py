"""Phrases that refer to exactly one object: the only one of its kind, the largest, the leftmost, the one in the upper left.

A phrase is used only with a clear margin: the largest has at least 1.3 times the area of the next; an outermost one leads by 5
% of the side with its centre and with its edge; the one in a place is the only one that touches that place at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.wording import positions as places

AREA_RATIO = 1.3
LEAD = 0.05


def references(group: Group, height_px: int, width_px: int) -> Iterator[tuple[str, TileObject]]:
    """(phrase, object) pairs of a complete group, the plainest first; none where every phrase would be ambiguous."""
    if group.count == 1:
        yield f"the {group.noun}", group.objects[0]
        return
    thing = clearly_largest(group)
    if thing:
        yield f"the largest {group.noun}", thing
    for word, axis, sign, side_px in (
        ("leftmost", 0, 1, width_px),
        ("rightmost", 0, -1, width_px),
        ("topmost", 1, 1, height_px),
        ("bottommost", 1, -1, height_px),
    ):
        thing = _outermost(group, axis, sign, side_px)
        if thing:
            yield f"the {word} {group.noun}", thing
    yield from _only_in_place(group, height_px, width_px)


def clearly_largest(group: Group) -> TileObject | None:
    """The object whose area is clearly the largest, or the only object; None otherwise."""
    ranked = sorted(group.objects, key=lambda thing: thing.area_px, reverse=True)
    if len(ranked) == 1 or ranked[0].area_px >= AREA_RATIO * ranked[1].area_px:
        return ranked[0]
    return None


def _outermost(group: Group, axis: int, sign: int, side_px: int) -> TileObject | None:
    edge = axis if sign > 0 else axis + 2
    by_edge = _leading_object(group, lambda thing: sign * thing.box[edge], LEAD * side_px)
    by_centre = _leading_object(group, lambda thing: sign * (thing.box[axis] + thing.box[axis + 2]) / 2, LEAD * side_px)
    return by_edge if by_edge is by_centre else None


def _leading_object(group: Group, key: Callable[[TileObject], float], margin: float) -> TileObject | None:
    first, second, *_ = sorted(group.objects, key=key)
    return first if key(second) - key(first) >= margin else None


def _only_in_place(group: Group, height_px: int, width_px: int) -> Iterator[tuple[str, TileObject]]:
    for row in places.PLACES:
        for place in row:
            in_place = [thing for thing in group.objects if places.touches_place(thing.box, place, height_px, width_px)]
            if len(in_place) == 1 and places.place_name(in_place[0].box, height_px, width_px) == place:
                yield f"the {group.noun} {places.place_phrase(place)}", in_place[0]
