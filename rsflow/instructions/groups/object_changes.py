"""Which objects are new and which are gone, from objects that are annotated without gaps at both dates of a pair.

One idea: what lies near nothing of its category at the other date, however inaccurately both are placed, is new or gone; what
lies on something of its own size is the same object; all between is neither, and its category is then not counted. How far an
object may lie from where it is drawn is taken from its size: labels whose uncertainty is above a quarter of their shorter side
have no box (docs/ground.md). Objects move with the measured shift of the pictures.

Nothing is concluded from pictures with fill, with more than a little cloud, or whose shift is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import shapely

from rsflow.instructions.facts.objects import TileObject, is_uncertain, tile_object
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.records import Shape
from rsflow.spatial.geometry import shift_box
from rsflow.spatial.polygons import geometry_iou, scale_parts, to_geometry, translate_parts

WHOLE = 0.999  # valid share from which a picture shows all of its ground
CLEAR = 0.05  # share of cloud up to which it does
PLACED_WITHIN = 0.25  # of an object's shorter side
REGISTERED_PX = 1.0  # what a measured shift, and drawing by hand, may be wrong by
SAME_IOU = 0.5  # of the outlines of one object at two dates


@dataclass(frozen=True, slots=True)
class ObjectChanges:
    """Of one category: objects, in pixels of the last picture. `is_unknown`: there are others that may have changed. `labels`:
    of all objects of both dates."""

    new: tuple[TileObject, ...]
    gone: tuple[TileObject, ...]
    is_unknown: bool
    labels: tuple[int, ...]


def object_changes(group: GroupFacts, stated: Collection[str]) -> dict[str, ObjectChanges]:
    """By category that is annotated without gaps at both dates; not those of which changes are `stated` otherwise."""
    first, last = group.members[0], group.members[-1]
    if group.presence_only or not _shows_all(first) or not _shows_all(last) or last.shift_px is None:
        return {}
    known = {*first.facts.vocabulary} & {*last.facts.vocabulary}
    known -= {*first.facts.unknown, *last.facts.unknown, *stated}
    return {category: found for category in sorted(known) if (found := _compare(group, category)) is not None}


def _shows_all(member: GroupMember) -> bool:
    return member.valid_share >= WHOLE and (member.cloud_share is None or member.cloud_share <= CLEAR)


def _compare(group: GroupFacts, category: str) -> ObjectChanges | None:
    """None where neither date has an object of the category, and where one is uncertain, or known without its place."""
    last = len(group.members) - 1
    if not all(_has_places(member, category) for member in (group.members[0], group.members[last])):
        return None
    before, after = list(_place_objects(group, 0, category)), list(_place_objects(group, last, category))
    labels = tuple(thing.label for thing in (*before, *after))
    if not labels:
        return None
    removed, unsure_before = _find_unpartnered(before, after, group.members[last])
    new, unsure_after = _find_unpartnered(after, before, group.members[last])
    return ObjectChanges(new, removed, unsure_before or unsure_after, labels)


def _has_places(member: GroupMember, category: str) -> bool:
    mine = [label for label in member.facts.labels if label.category == category]
    return all(label.kind != "presence" and not is_uncertain(label) for label in mine)


def _place_objects(group: GroupFacts, place: int, category: str) -> Iterator[TileObject]:
    """The objects of a picture in pixels of the last one."""
    first, last = group.members[place], group.members[-1]
    dx, dy = (last.shift_px or (0.0, 0.0)) if place == 0 else (0.0, 0.0)
    for number, label in group.labels(place):
        if label.kind == "box" and label.category == category and label.shape:
            scale = last.facts.width_px / first.facts.width_px
            yield tile_object(number, _move_shape(label.shape, dx, dy, scale), last.facts)


def _move_shape(shape: Shape, dx: float, dy: float, scale: float) -> Shape:
    """A shape at another scale, moved to the right and down."""
    box = shift_box((shape.box[0] * scale, shape.box[1] * scale, shape.box[2] * scale, shape.box[3] * scale), dx, dy)
    parts = translate_parts(scale_parts(shape.area_parts, scale, scale), dx, dy)
    return Shape.of_parts(box, parts, shape.visibility, shape.oriented, shape.flags)


def _find_unpartnered(
    mine: Sequence[TileObject], others: Sequence[TileObject], last: GroupMember
) -> tuple[tuple[TileObject, ...], bool]:
    """(the objects that nothing at the other date may be, whether there are some of which nobody can say)."""
    shapes, tree = (
        [_geometry(thing) for thing in others],
        shapely.STRtree([_geometry(thing, _margin(thing)) for thing in others]),
    )
    found, unsure = list[TileObject](), False
    for thing in mine:
        near = tree.query(_geometry(thing, _margin(thing)), predicate="intersects").tolist()
        if not near and _is_inside(thing, last):
            found.append(thing)
        elif not any(geometry_iou(_geometry(thing), shapes[other]) >= SAME_IOU for other in near):
            unsure = True
    return tuple(found), unsure


def _is_inside(thing: TileObject, last: GroupMember) -> bool:
    """Whether the object is whole, and both pictures show where it is."""
    dx, dy = last.shift_px or (0.0, 0.0)
    x0, y0, x1, y1 = thing.box
    left, top, margin = max(dx, 0.0), max(dy, 0.0), _margin(thing)
    right, bottom = last.facts.width_px + min(dx, 0.0), last.facts.height_px + min(dy, 0.0)
    return not thing.truncated and left + margin <= x0 and top + margin <= y0 and x1 + margin <= right and y1 + margin <= bottom


def _margin(thing: TileObject) -> float:
    return PLACED_WITHIN * thing.shorter_px + REGISTERED_PX


def _geometry(thing: TileObject, margin: float = 0.0) -> shapely.Geometry:
    shape = to_geometry(thing.outline) if thing.outline else shapely.box(*thing.box)
    return shape.buffer(margin, join_style="mitre") if margin else shape
