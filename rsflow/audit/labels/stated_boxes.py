"""Boxes of annotation files as they stand, before a reader cuts them at the picture's edge or leaves them out.

COCO and XML files state the picture's size, so their readers clip boxes at its edge without a reject; an audit reports
such boxes, and reads the numbers from the file again. For the other formats the reader's rejects and labels are enough, because
their files state no size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rsflow.annotations.annotated_set import normalise_path, picture_name
from rsflow.annotations.fair1m import read_ring
from rsflow.annotations.parsing.oriented_boxes import ring_bounds
from rsflow.annotations.parsing.text_files import parse_flag, parse_identifier, read_json, stem
from rsflow.annotations.parsing.xml_file import Element, child_text, parse_annotation
from rsflow.annotations.rolabelimg import read_rotated
from rsflow.annotations.voc import read_box
from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.imports.box_formats import Size
from rsflow.spatial.geometry import Box

SIZE_KEYS = ("width", "height")


@dataclass(frozen=True, slots=True)
class StatedBox:
    """One box of a file: `where` it stands, its picture, the stated size (None: not stated), category and corners.

    `picture`: (annotation file, the picture's path as that file spells it; "" where the file describes one picture).
    """

    where: str
    picture: tuple[str, str]
    size: Size | None
    category: str
    box: Box


def read_coco_boxes(file: str) -> Iterator[StatedBox]:
    """The `bbox` entries of a COCO file that are four numbers and belong to a picture; the reader rejects the others."""
    data = read_json(file, "coco")
    names = {parse_identifier(entry.get("id")): str(entry.get("name")) for entry in data.get("categories", [])}
    images = {parse_identifier(entry.get("id")): entry for entry in data["images"] if isinstance(entry, dict)}
    for index, record in enumerate(data.get("annotations", data.get("annotation", []))):
        entry = images.get(parse_identifier(record.get("image_id"))) if isinstance(record, dict) else None
        name = (entry.get("file_name") or entry.get("filename")) if entry else None
        if entry is None or not isinstance(name, str) or parse_flag(record.get("iscrowd")) or not _is_box(record.get("bbox")):
            continue
        x, y, width, height = map(float, record["bbox"])
        category = names.get(parse_identifier(record.get("category_id")), "")
        where = f"annotation {record.get('id', index)}"
        yield StatedBox(where, (file, normalise_path(name)), _size(entry), category, (x, y, x + width, y + height))


def read_voc_boxes(file: str) -> Iterator[StatedBox]:
    """The boxes of the objects of a VOC, DIOR-RSVG or roLabelImg XML; the reader rejects those that are none."""
    # Two expressions of one object are two objects of the file with one box: the description distinguishes them.
    return _xml_boxes(file, "object", ("name", "description"), _voc_box)


def read_fair1m_boxes(file: str) -> Iterator[StatedBox]:
    """The bounds of the objects of a FAIR1M XML; the reader rejects those that have none."""
    return _xml_boxes(file, "objects/object", ("possibleresult/name",), lambda element: ring_bounds(read_ring(element)))


def _xml_boxes(file: str, path: str, names: tuple[str, ...], box_of: Callable[[Element], Box]) -> Iterator[StatedBox]:
    try:
        root = parse_annotation(storage.read_bytes(file))
    except DataError:
        return
    size = {side: parse_identifier(root.findtext(f"size/{side}")) for side in SIZE_KEYS}
    for index, element in enumerate(root.iterfind(path)):
        try:
            box = box_of(element)
        except DataError:
            continue
        if not all(map(math.isfinite, box)):
            continue
        category = " ".join(filter(None, (child_text(element, name) for name in names)))
        yield StatedBox(f"{picture_name(stem(file))} object {index}", (file, ""), _size(size), category, box)


def _voc_box(element: Element) -> Box:
    rotated = element.find("robndbox")
    return read_box(element) if rotated is None else ring_bounds(read_rotated(rotated, 1.0))


BOX_READERS: dict[str, Callable[[str], Iterator[StatedBox]]] = {
    "coco": read_coco_boxes,
    "fair1m": read_fair1m_boxes,
    **dict.fromkeys(("dior_rsvg", "rolabelimg", "voc"), read_voc_boxes),
}


def _size(entry: Any) -> Size | None:
    width, height = (parse_identifier(entry.get(side)) or "" for side in SIZE_KEYS)
    fit = width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0
    return (int(height), int(width)) if fit else None


def _is_box(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) == 4
        and all(isinstance(value, int | float) and math.isfinite(value) for value in values)
    )
