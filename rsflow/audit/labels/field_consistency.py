"""Fields of annotation files that say the same thing twice: box and polygon, box and area, ids, names of pictures.

Makers compute one field from another, so where the two disagree one of them was changed afterwards, or belongs to
another object. How much they may differ is what rounding, the VOC corner that is counted within, and hand-drawn boxes explain.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from rsflow.annotations.annotated_set import normalise_path, picture_name
from rsflow.annotations.csv_boxes import IMAGE_COLUMNS
from rsflow.annotations.parsing.text_files import parse_flag, parse_identifier, read_json, read_lines, shorten, stem
from rsflow.annotations.parsing.xml_file import Element, parse_annotation
from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.spatial.geometry import Box, area, iou, ring_area
from rsflow.spatial.polygons import parts_area
from rsflow.spatial.run_lengths import decode_mask

Fault = tuple[str, str, str]  # fault, where, what is wrong

EDGE_TOLERANCE_PX = 3.0  # a polygon may end so far from its box
MIN_OVERLAP = 0.7  # or be as much of it, intersection over union
AREA_TOLERANCE = 0.2  # an area may differ so much from that of the box and that of the polygon


def find_coco_faults(files: tuple[str, ...]) -> Iterator[Fault]:
    """Ids and pictures that stand twice in a file, categories without a name or with two ids, pictures without a size or in two
    splits, and records whose `area`, `bbox`, `segmentation` and `score` are no numbers or do not fit together."""
    for file in files:
        data = read_json(file, "coco")
        records, images, categories = (
            [entry for entry in data.get(key, []) if isinstance(entry, dict)]
            for key in ("annotations" if "annotations" in data else "annotation", "images", "categories")
        )
        for what, entries in (("image", images), ("annotation", records), ("category", categories)):
            yield from _twice(what, entries)
        yield from _images(images)
        yield from _named_categories(categories)
        for index, record in enumerate(records):
            yield from _record(f"annotation {record.get('id', index)}", record)


def find_caption_faults(files: tuple[str, ...]) -> Iterator[Fault]:
    """Pictures that a caption list has in two splits."""
    for file in files:
        data = read_json(file, "captions")
        lists = [data["images"]] if isinstance(data, dict) and isinstance(data.get("images"), list) else list(data.values())
        entries = [entry for entries in lists if isinstance(entries, list) for entry in entries if isinstance(entry, dict)]
        yield from _two_splits((entry.get("filename") or entry.get("file_name"), entry.get("split")) for entry in entries)


def find_repeated_lines(files: tuple[str, ...]) -> Iterator[Fault]:
    """Lines of objects that stand twice in one file."""
    for file in files:
        seen: set[str] = set()
        for number, line in read_lines(file):
            text = " ".join(line.split())
            if text in seen and any(c.isdigit() for c in text):
                yield "repeated_label", f"{stem(file)} line {number}", f"{text[:60]!r} stands there twice"
            seen.add(text)


def find_csv_faults(files: tuple[str, ...]) -> Iterator[Fault]:
    """Repeated lines, and pictures that a column `split` has in two splits."""
    yield from find_repeated_lines(files)
    for file in files:
        rows = list(csv.reader(line for _, line in read_lines(file)))
        head = [name.strip().lower() for name in rows[0]] if rows else []
        image = next((name for name in IMAGE_COLUMNS if name in head), None)
        if image and "split" in head:
            place = (head.index(image), head.index("split"))
            yield from _two_splits((row[place[0]], row[place[1]]) for row in rows[1:] if len(row) > max(place))


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
        for side in ("width", "height"):
            text = root.findtext(f"size/{side}")
            if text is not None and text.strip() and not _is_positive(text):
                yield "wrong_size", stem(file), f"its {side} is {text.strip()!r}, expected a number above 0"
        for index, element in enumerate(root.iter("object")):
            yield from _element(f"{picture_name(name or file)} object {index}", element)


FIELD_CHECKS: dict[str, Callable[[tuple[str, ...]], Iterator[Fault]]] = {
    "captions": find_caption_faults,
    "coco": find_coco_faults,
    "csv": find_csv_faults,
    **dict.fromkeys(("dior_rsvg", "fair1m", "rolabelimg", "voc"), find_voc_faults),
    **dict.fromkeys(("dota", "yolo", "yolo_obb"), find_repeated_lines),
}


def _images(entries: list[dict[str, Any]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for entry in entries:
        name = str(entry.get("file_name") or entry.get("filename") or "")
        if name and normalise_path(name) in seen:
            yield "repeated_entry", name, "two entries of images have this file"
        seen.add(normalise_path(name))
        sides = [entry.get(side) for side in ("width", "height")]
        if any(side is not None and not _is_positive(side) for side in sides):
            yield "wrong_size", name, f"its width and height are {sides[0]!r} and {sides[1]!r}, expected numbers above 0"
    yield from _two_splits((entry.get("file_name") or entry.get("filename"), entry.get("split")) for entry in entries)


def _named_categories(entries: list[dict[str, Any]]) -> Iterator[Fault]:
    ids: dict[str, str] = {}
    for entry in entries:
        number, name = parse_identifier(entry.get("id")), entry.get("name")
        if not number or not isinstance(name, str) or not name.strip():
            yield "broken_category", f"category {entry.get('id')!r}", f"found {shorten(entry)}, expected id and name"
        elif ids.setdefault(name.strip(), number) != number:
            yield "repeated_category", f"category {number}", f"{name!r} is category {ids[name.strip()]} too"


def _two_splits(pairs: Iterable[tuple[Any, Any]]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for name, split in pairs:
        if isinstance(name, str) and isinstance(split, str) and name.strip() and split.strip():
            before = first.setdefault(normalise_path(name.strip()), split.strip())
            if before != split.strip():
                yield "two_splits", name, f"stands in the splits {before} and {split}"


def _twice(what: str, entries: list[dict[str, Any]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for entry in entries:
        number = parse_identifier(entry.get("id"))
        if number and number in seen:
            yield "repeated_id", f"{what} {number}", f"two entries have the {what} id {number}"
        seen.add(number or "")


def _record(where: str, record: dict[str, Any]) -> Iterator[Fault]:
    corners, flat, score = record.get("bbox"), record.get("area"), record.get("score")
    box = _xyxy(corners) if isinstance(corners, list) and len(corners) == 4 and _numbers(corners, 4) else None
    outlines, crowd = _outlines(record.get("segmentation")), parse_flag(record.get("iscrowd"))
    if box and outlines:
        yield from _away(where, box, outlines)
    if flat is not None and box and area(box) > 0 and not crowd:
        yield from _area(where, flat, box, outlines if isinstance(record.get("segmentation"), list) else [])
    yield from (("polygon_crossed", where, "the sides of its polygon cross") for ring in outlines if _is_crossed(ring))
    if score is not None and not (isinstance(score, int | float) and math.isfinite(score) and 0 <= score <= 1):
        yield "score_out_of_range", where, f"its score is {score!r}, expected a number from 0 to 1"


def _outlines(segmentation: Any) -> list[list[float]]:
    """The rings of a polygon, or the bounds of a run-length mask as a ring; none where it is neither."""
    if isinstance(segmentation, list):
        return [ring for ring in segmentation if _numbers(ring, 6)]
    try:
        mask = decode_mask(segmentation) if isinstance(segmentation, dict) else np.zeros((0, 0), bool)
    except DataError:
        return []  # the reader rejects it
    rows, cols = np.flatnonzero(mask.any(axis=1)).tolist(), np.flatnonzero(mask.any(axis=0)).tolist()
    if not rows:
        return []
    x0, y0, x1, y1 = float(cols[0]), float(rows[0]), cols[-1] + 1.0, rows[-1] + 1.0
    return [[x0, y0, x1, y0, x1, y1, x0, y1]]


def _is_crossed(ring: list[float]) -> bool:
    """Whether a ring crosses itself so far that its area by corners is not the area that it goes round."""
    whole = parts_area(((tuple(ring),),))
    return whole > 0 and abs(ring_area(ring) - whole) > AREA_TOLERANCE * whole


def _is_positive(value: Any) -> bool:
    text = parse_identifier(value) or ""
    return text.isdecimal() and int(text) > 0


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
        found = f"its polygon has {sum(parts):g}" if parts else f"its box has {width * height:g}"
        yield "area_differs", where, f"its area is {flat:g}, {found}"


def _away(where: str, box: Box, outlines: list[list[float]]) -> Iterator[Fault]:
    xs, ys = ([value for ring in outlines for value in ring[axis::2]] for axis in (0, 1))
    around = (min(xs), min(ys), max(xs), max(ys))
    off = max(abs(a - b) for a, b in zip(box, around, strict=True))
    if off > EDGE_TOLERANCE_PX and iou(box, around) < MIN_OVERLAP:
        place = ", ".join(f"{value:g}" for value in around)
        yield "polygon_away", where, f"its polygon lies in ({place}), its box is ({', '.join(f'{v:g}' for v in box)})"


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
