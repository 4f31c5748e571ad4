"""Fields of annotation files that say the same thing twice: box and polygon, box and area, ids, names of pictures.

One idea: makers compute one field from another, so where the two disagree one of them was changed afterwards, or belongs to
another object. How much they may differ is what rounding, the VOC corner that is counted within, and hand-drawn boxes explain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from rsflow.annotations.annotated_set import picture_name
from rsflow.annotations.text_files import read_json, stem
from rsflow.annotations.xml_file import Element, parse_annotation
from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.spatial.geometry import Box, area, iou, ring_area

Fault = tuple[str, str, str]  # fault, where, what is wrong

EDGE_TOLERANCE_PX = 3.0  # a polygon may end so far from its box
MIN_OVERLAP = 0.7  # or be as much of it, intersection over union
AREA_TOLERANCE = 0.2  # an area may differ so much from that of the box and that of the polygon


def find_coco_faults(files: tuple[str, ...]) -> Iterator[Fault]:
    """Ids that stand twice in a file, and records whose `area`, `bbox` and `segmentation` do not fit together."""
    for file in files:
        data = read_json(file, "coco")
        records = [record for record in data.get("annotations", data.get("annotation", [])) if isinstance(record, dict)]
        for what, entries in (
            ("image", data.get("images", [])),
            ("annotation", records),
            ("category", data.get("categories", [])),
        ):
            yield from _twice(what, [entry for entry in entries if isinstance(entry, dict)])
        for index, record in enumerate(records):
            yield from _record(f"annotation {record.get('id', index)}", record)


def find_voc_faults(files: tuple[str, ...]) -> Iterator[Fault]:
    """Polygons away from their `bndbox`, and pictures that several files say they annotate."""
    first: dict[str, str] = {}
    for file in files:
        root = _root(file)
        if root is None:
            continue
        name = (root.findtext("filename") or "").strip()
        before = first.setdefault(picture_name(name), file) if name else file
        if before != file and picture_name(name) != stem(file):
            yield "ambiguous_picture", stem(file), f"its <filename> is {name!r}, which is that of {stem(before)} too"
        for index, element in enumerate(root.iter("object")):
            yield from _element(f"{picture_name(name or file)} object {index}", element)


FIELD_CHECKS: dict[str, Callable[[tuple[str, ...]], Iterator[Fault]]] = {
    "coco": find_coco_faults,
    **dict.fromkeys(("dior_rsvg", "fair1m", "rolabelimg", "voc"), find_voc_faults),
}


def _twice(what: str, entries: list[dict[str, Any]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for entry in entries:
        number = entry.get("id")
        if isinstance(number, int | float | str) and not isinstance(number, bool):
            if str(number) in seen:
                yield "repeated_id", f"{what} {number}", f"two entries have the {what} id {number}"
            seen.add(str(number))


def _record(where: str, record: dict[str, Any]) -> Iterator[Fault]:
    corners, rings, flat = record.get("bbox"), record.get("segmentation"), record.get("area")
    box = _xyxy(corners) if isinstance(corners, list) and len(corners) == 4 and _numbers(corners, 4) else None
    outlines = [ring for ring in rings if _numbers(ring, 6)] if isinstance(rings, list) else []
    if box and outlines:
        yield from _away(where, box, outlines)
    if flat is not None and box and area(box) > 0 and not record.get("iscrowd"):
        yield from _area(where, flat, box, outlines)


def _area(where: str, flat: Any, box: Box, outlines: list[list[float]]) -> Iterator[Fault]:
    """Rings may lie in each other (holes) or beside each other, so that the true area is between their difference and sum."""
    if isinstance(flat, bool) or not isinstance(flat, int | float) or not math.isfinite(flat) or flat <= 0:
        yield "area_differs", where, f"its area is {flat!r}, expected a number above 0"
        return
    parts = sorted((ring_area(ring) for ring in outlines), reverse=True)
    least = max(2 * parts[0] - sum(parts), 0.0) if parts else 0.0
    width, height = box[2] - box[0], box[3] - box[1]
    most = (width + 1) * (height + 1)  # corners that are counted within
    slack = 2 * (width + height)  # pixels of an edge
    low, high = least * (1 - AREA_TOLERANCE) - slack, max(most, sum(parts)) * (1 + AREA_TOLERANCE)
    # Without a polygon the area may be that of a mask within the box.
    if flat > high or flat < low:
        held = f"its polygon has {sum(parts):g}" if parts else f"its box has {width * height:g}"
        yield "area_differs", where, f"its area is {flat:g}, {held}"


def _away(where: str, box: Box, outlines: list[list[float]]) -> Iterator[Fault]:
    xs, ys = ([value for ring in outlines for value in ring[axis::2]] for axis in (0, 1))
    around = (min(xs), min(ys), max(xs), max(ys))
    off = max(abs(a - b) for a, b in zip(box, around, strict=True))
    if off > EDGE_TOLERANCE_PX and iou(box, around) < MIN_OVERLAP:
        said = ", ".join(f"{value:g}" for value in around)
        yield "polygon_away", where, f"its polygon lies in ({said}), its box is ({', '.join(f'{v:g}' for v in box)})"


def _element(where: str, element: Element) -> Iterator[Fault]:
    box, ring = _floats(element.find("bndbox"), ("xmin", "ymin", "xmax", "ymax")), _ring(element.find("polygon"))
    if box and len(ring) >= 6:
        yield from _away(where, (box[0], box[1], box[2], box[3]), [ring])


def _ring(polygon: Element | None) -> list[float]:
    """`<x1/><y1/><x2/>...` or `<pt><x/><y/></pt>`, the two ways that VOC-like files spell a polygon."""
    if polygon is None:
        return []
    try:
        points = [float(text) for point in polygon.iter("pt") for text in (point.findtext("x", ""), point.findtext("y", ""))]
        return points or [float(child.text or "") for child in polygon]
    except ValueError:
        return []


def _floats(element: Element | None, keys: tuple[str, ...]) -> list[float]:
    try:
        return [float(element.findtext(key, "")) for key in keys] if element is not None else []
    except ValueError:
        return []


def _root(file: str) -> Element | None:
    """None where the reader rejects the file."""
    try:
        return parse_annotation(storage.read_bytes(file))
    except DataError:
        return None


def _xyxy(bbox: list[float]) -> Box:
    x, y, width, height = map(float, bbox)
    return (x, y, x + width, y + height)


def _numbers(values: Any, least: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) >= least
        and len(values) % 2 == 0
        and all(type(value) in (int, float) and math.isfinite(value) for value in values)
    )
