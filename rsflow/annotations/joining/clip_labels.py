"""The labels of one window of a scene, from the labels of the whole scene.

Boxes and outlines, with all parts and holes, are clipped to the window and carry the share of the object that is left; the box
is that of what is left of the outline; what shows too little of itself is no label of the tile; and a label of the whole scene
(its class, a caption, a question, a phrase such as "the largest ship", a measured fact) is kept only where the tile is the
whole scene. An oriented box stays one as long as all of it is shown.

Of a pair of dates every part of a changed area and of a damaged object is kept, however little of it a tile shows, with the
share that is visible: what is not kept would seem not to have changed. That changes were looked for holds of every part.

`find_hidden_categories` names the categories of which a tile shows less than a label, or an area where they are not annotated:
of those it can neither the number nor the absence be stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rsflow.records import PAIR_KINDS, UNKNOWN, Label, Shape
from rsflow.spatial.geometry import Box, Window, area, clip_box, shift_box
from rsflow.spatial.polygons import clip_parts, parts_area, parts_bounds, translate_parts

_PLACED = frozenset({"box", "change", "damage"})


def clip_labels(labels: Sequence[Label], window: Window, min_visibility: float, scene_box: Box) -> list[Label]:
    """The labels of a window, in tile pixels and in the order of `labels` (which are in scene pixels).

    `scene_box` is the whole scene; a window may reach beyond it (a padded tile), a label never does. Visibility is visible area
    over whole area (of the outline without its holes, where there is one), times what it already was; an object of which less
    than `min_visibility` is visible is left out.
    """
    shows_all = _covers(window.box, scene_box)
    found = (
        _visible(label, scene_box, window) if label.kind in _PLACED else label
        for label in labels
        if shows_all or not is_of_whole_picture(label)
    )
    return [label for label in found if label and _is_kept(label, min_visibility)]


def is_of_whole_picture(label: Label) -> bool:
    """Whether what the label says is true of the whole picture only: not of its parts."""
    return label.kind not in _PLACED and not (label.kind == "compared" and label.value != 1)


def find_hidden_categories(labels: Sequence[Label], window: Window, min_visibility: float, scene_box: Box) -> tuple[str, ...]:
    """The sorted categories of what the window shows and `cut` does not keep: objects too little of which is seen, and areas
    that are flagged as unknown."""
    found = (_visible(label, scene_box, window) for label in labels if label.kind == "box")
    shown = {label.category for label in found if label and label.shape and not _labelled(label.shape, min_visibility)}
    return tuple(sorted(shown))


def _is_kept(label: Label, min_visibility: float) -> bool:
    return label.shape is None or label.kind in PAIR_KINDS or _labelled(label.shape, min_visibility)


def _labelled(shape: Shape, min_visibility: float) -> bool:
    return shape.visibility >= min_visibility and UNKNOWN not in shape.flags


def _visible(label: Label, scene_box: Box, window: Window) -> Label | None:
    """The label in tile pixels, or None where the window shows nothing of it."""
    shape = label.shape
    if shape is None or not (
        shape.box[0] < window.col_stop
        and shape.box[2] > window.col_off
        and shape.box[1] < window.row_stop
        and shape.box[3] > window.row_off
    ):
        return None
    frame = clip_box(window.box, scene_box)
    if _covers(frame, shape.box):
        return replace(label, shape=_moved(shape, window))
    left = _clipped_outline(shape, frame) if shape.polygon else _clipped_box(shape, frame)
    return replace(label, shape=_moved(left, window)) if left and left.visibility > 0 else None


def _clipped_box(shape: Shape, frame: Box) -> Shape:
    inside = clip_box(shape.box, frame)
    return Shape(inside, (), shape.visibility * area(inside) / area(shape.box), False, shape.flags)


def _clipped_outline(shape: Shape, frame: Box) -> Shape | None:
    whole = parts_area(shape.area_parts)
    if whole == 0:
        return _clipped_box(shape, frame)
    left = clip_parts(shape.area_parts, frame)
    if not left:
        return None
    share = min(1.0, parts_area(left) / whole)
    # What is left of a rotated rectangle has another number of corners: an exact outline, and no oriented box any more.
    return Shape.of_parts(parts_bounds(left), left, shape.visibility * share, False, shape.flags)


def _moved(shape: Shape, window: Window) -> Shape:
    """From scene to tile pixels."""
    dx, dy = float(-window.col_off), float(-window.row_off)
    outline = translate_parts(shape.area_parts, dx, dy)
    return Shape.of_parts(shift_box(shape.box, dx, dy), outline, shape.visibility, shape.oriented, shape.flags)


def _covers(outer: Box, inner: Box) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
