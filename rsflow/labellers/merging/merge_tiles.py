"""Merge the boxes that a labeller found tile by tile into objects of the scene, and cut these back into tiles.

Boxes are moved to scene pixels; those that show the same object (rsflow.labellers.merging.cross_tile_matches) become one box,
and every tile that shows enough of it gets its part, as with annotations. So all tiles agree on an object, one that is cut by
a tile's edge has the right visibility, and an object missed in one tile is added from another. This is non-maximum suppression
over the scene; categories are not compared where pixels can be.

The best view of an object has the fewest sides cut by its tile, then the highest score. Where it is not cut, its box is the
object's; otherwise the box around all views is. Coordinates are rounded to 1/1024 pixel, so that moving between tile and scene
pixels is exact.

Boxes of one tile are not compared with each other; that is the labeller's task. Annotations, and labels that are no boxes, pass
unchanged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from rsflow.labellers.merging.cross_tile_matches import Flags, Numbers, Views, same_objects, sides_cut
from rsflow.schemas import label_sort_key
from rsflow.spatial.geometry import Box, FloatArray, Part, Parts, area, ring_area
from rsflow.spatial.polygons import from_geometry, parts_area, to_geometry, translate_parts

MIN_IOU = 0.5  # from which two boxes agree
EDGE_PX = 2.0  # so near to its tile's edge a side counts as cut

Row = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

STEPS = 1024  # of a pixel: a power of two, so that whole pixels can be added and taken off without rounding


@dataclass(frozen=True, slots=True)
class SceneObject:
    """An object of a scene, in scene pixels.

    `best` is the label row that stands for it, and its `label_id` is the object's id; `views` are the ids of all labels that
    show it by the position of their tile. `visibility`: how much of the whole object all tiles together show.
    """

    best: Mapping[str, Any]
    box: Box
    outline: Parts
    visibility: float
    views: Mapping[int, str]


def merge_scene(tiles: Rows, labels: Rows, min_visibility: float) -> list[Row]:
    """The labels of a scene's tiles with each labeller's boxes merged, sorted by tile and place in it.

    `tiles`: all tiles of one scene (tile_id, row_off, col_off, height_px, width_px). `labels`: their label rows (the columns
    of LABELS but `unit` and `receipt`), in any order. Boxes agree from MIN_IOU on, in the ground of both tiles; a side within
    EDGE_PX of its tile's edge counts as cut by it. A part of which a tile shows less than `min_visibility` is left out.
    A tile that had no label of an object gets one with the next free number. With a single tile nothing changes.
    """
    ordered = _sort_tiles(tiles)
    if len(ordered) < 2:
        return _sort_labels(labels)
    boxes, other_rows = _boxes(labels), [dict(row) for row in labels if not _is_predicted_box(row)]
    found = scene_objects(ordered, boxes)
    return _sort_labels([*other_rows, *_rows_per_tile(ordered, found, min_visibility, _FreeLabelIds(labels))])


def scene_objects(tiles: Rows, labels: Rows) -> list[SceneObject]:
    """The objects that labellers found in a scene, each once, in the order of the first tile that shows them."""
    ordered = _sort_tiles(tiles)
    position = {tile["tile_id"]: number for number, tile in enumerate(ordered)}
    rows = sorted(_boxes(labels), key=lambda row: (position[row["tile_id"]], label_sort_key(row["label_id"])))
    if not rows:
        return []
    tile = np.array([position[row["tile_id"]] for row in rows], dtype=np.int64)
    window = _windows(ordered)[tile]
    box = _round_coordinates(np.array([row["box"] for row in rows], dtype=np.float64) + np.tile(window[:, :2], 2))
    labeller = _enumerate_values(
        (label_sort_key(row["label_id"])[0], row["origin_name"], row["model"], row["revision"]) for row in rows
    )
    views = Views(
        box, window, sides_cut(box, window, EDGE_PX), tile, labeller, _enumerate_values(row["category"] for row in rows)
    )
    return list(_build_objects(rows, views, same_objects(views, MIN_IOU, EDGE_PX)))


def _build_objects(rows: Sequence[Mapping[str, Any]], views: Views, number: Numbers) -> Iterator[SceneObject]:
    score = np.array([row["score"] or 0.0 for row in rows])
    best_first = np.lexsort((-score, views.cut.sum(axis=1), number))
    starts = np.flatnonzero(np.diff(number[best_first], prepend=-1))
    boxes = _merge_boxes(views.box[best_first], views.cut[best_first], starts)
    for members, whole in zip(np.split(best_first, starts[1:]), boxes.tolist(), strict=True):
        mine = [rows[i] for i in members]
        outline = _merge_outlines(mine, views.window[members], complete=not views.cut[members[0]].any())
        size = _area(whole, outline)
        # The visibility of a part is known only from an earlier merge.
        parts = [_area(views.box[i].tolist(), _outline(row)) for i, row in zip(members, mine, strict=True)]
        shares = [_visibility(row) * size / part for row, part in zip(mine, parts, strict=True) if part]
        seen_in = {int(views.tile[i]): row["label_id"] for i, row in zip(members, mine, strict=True)}
        yield SceneObject(mine[0], tuple(whole), outline, min(1.0, max(shares, default=1.0)), seen_in)


def _merge_boxes(box: FloatArray, cut: Flags, starts: Numbers) -> FloatArray:
    """The box of each run of views (the best first) that begins at `starts`: the best one's where that is whole, else all."""
    low, high = np.minimum.reduceat(box[:, :2], starts), np.maximum.reduceat(box[:, 2:], starts)
    return np.where(cut[starts].any(axis=1, keepdims=True), np.concatenate([low, high], axis=1), box[starts])


def _merge_outlines(rows: Rows, windows: FloatArray, complete: bool) -> Parts:
    """The outline in scene pixels: the best view's where that is whole or alone, else of all; empty where it has none."""
    if not rows[0]["polygon"]:
        return ()
    outlines = [
        _round_outline(translate_parts(_outline(row), *corner))
        for row, corner in zip(rows, windows[:, :2].tolist(), strict=True)
    ]
    if complete or len(rows) == 1:
        return outlines[0]
    return _round_outline(from_geometry(shapely.union_all([to_geometry(outline) for outline in outlines if outline])))


class _FreeLabelIds:
    """Label ids that are still free."""

    def __init__(self, labels: Rows) -> None:
        self._last: dict[tuple[str, str], int] = defaultdict(lambda: -1)
        for row in labels:
            key, position = label_sort_key(row["label_id"])
            self._last[row["tile_id"], key] = max(self._last[row["tile_id"], key], position)

    def next(self, tile_id: str, like: str) -> str:
        """An id in this tile for a label of the same labeller as the label `like`."""
        key, _ = label_sort_key(like)
        self._last[tile_id, key] += 1
        return f"{tile_id}#{key}{'.' if key else ''}{self._last[tile_id, key]}"


def _rows_per_tile(tiles: Rows, objects: Sequence[SceneObject], min_visibility: float, free: _FreeLabelIds) -> Iterator[Row]:
    """The rows of every tile that shows enough of an object."""
    if not objects:
        return
    windows = _windows(tiles)
    boxes = np.array([found.box for found in objects])
    tree = shapely.STRtree(shapely.box(*windows.T))
    pairs = np.asarray(tree.query(shapely.box(*boxes.T)))
    pairs = pairs[:, np.lexsort((pairs[1], pairs[0]))]
    low = np.maximum(boxes[pairs[0], :2], windows[pairs[1], :2])
    high = np.minimum(boxes[pairs[0], 2:], windows[pairs[1], 2:])
    meet = (low < high).all(axis=1)
    parts = np.concatenate([low, high], axis=1)[meet].tolist()
    for number, at, part in zip(*pairs[:, meet].tolist(), parts, strict=True):
        found, tile = objects[number], tiles[at]
        shape = _clip_to_tile(found, tuple(part))
        visibility = shape["visibility"] * found.visibility
        if visibility >= min_visibility - 1e-9:
            known = found.views.get(at) or free.next(tile["tile_id"], found.best["label_id"])
            corner = (-tile["col_off"], -tile["row_off"])
            place = {
                "box": list(_shift_ring(shape["box"], *corner)),
                **_columns(_round_outline(translate_parts(shape.pop("outline"), *corner))),
            }
            yield {**found.best, **shape, **place, "label_id": known, "tile_id": tile["tile_id"], "visibility": visibility}


def _clip_to_tile(found: SceneObject, part: Box) -> Row:
    """Box, outline, visibility and `oriented` of what is inside `part` (the object's box clipped to a tile)."""
    if part == found.box:
        return {"box": part, "outline": found.outline, "visibility": 1.0, "oriented": found.best["oriented"]}
    if not found.outline:
        return {"box": part, "outline": (), "visibility": area(part) / area(found.box), "oriented": False}
    whole = to_geometry(found.outline)
    inside = shapely.intersection(whole, shapely.box(*part))
    if not inside.area:
        return {"box": part, "outline": (), "visibility": 0.0, "oriented": False}
    bounds = _round_coordinates(np.array(inside.bounds)).tolist()
    return {"box": bounds, "outline": from_geometry(inside), "visibility": inside.area / whole.area, "oriented": False}


def _is_predicted_box(row: Mapping[str, Any]) -> bool:
    return bool(row["kind"] == "box" and row["origin"] == "labeller")


def _boxes(labels: Rows) -> Rows:
    return [row for row in labels if _is_predicted_box(row)]


def _sort_tiles(tiles: Rows) -> Rows:
    return sorted(tiles, key=lambda tile: (tile["row_off"], tile["col_off"], tile["tile_id"]))


def _sort_labels(labels: Rows) -> list[Row]:
    return sorted(map(dict, labels), key=lambda row: (row["tile_id"], label_sort_key(row["label_id"])))


def _windows(tiles: Rows) -> FloatArray:
    """Boxes (n, 4) of the tiles in scene pixels."""
    corners = [(t["col_off"], t["row_off"], t["col_off"] + t["width_px"], t["row_off"] + t["height_px"]) for t in tiles]
    return np.array(corners, dtype=np.float64)


def _enumerate_values(values: Iterable[Any]) -> Numbers:
    known: dict[Any, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int64)


def _round_coordinates(values: FloatArray) -> FloatArray:
    rounded: FloatArray = np.round(values * STEPS) / STEPS
    return rounded


def _shift_ring(ring: Sequence[float], dx: float, dy: float) -> tuple[float, ...]:
    return tuple(round((value + (dy if i % 2 else dx)) * STEPS) / STEPS for i, value in enumerate(ring))


def _visibility(row: Mapping[str, Any]) -> float:
    return 1.0 if row["visibility"] is None else float(row["visibility"])


def _area(box: Sequence[float], outline: Parts) -> float:
    return parts_area(outline) if outline else area((box[0], box[1], box[2], box[3]))


def _outline(row: Mapping[str, Any]) -> Parts:
    """Of a label row: `parts` where it has several or holes, else `polygon`."""
    if row.get("parts"):
        return tuple(tuple(map(tuple, part)) for part in row["parts"])
    return ((tuple(row["polygon"]),),) if row["polygon"] else ()


def _columns(outline: Parts) -> Row:
    """The inverse of `_outline`; `polygon` is also the outer ring of the largest of several parts."""
    largest: Part = max(outline, key=lambda part: ring_area(part[0]), default=((),))
    simple = len(outline) < 2 and len(largest) == 1
    return {"polygon": list(largest[0]), "parts": None if simple else [[list(ring) for ring in part] for part in outline]}


def _round_outline(outline: Parts) -> Parts:
    return tuple(tuple(_shift_ring(ring, 0.0, 0.0) for ring in part) for part in outline)
