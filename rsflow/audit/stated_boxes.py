"""Boxes of annotation files as they stand, before a reader cuts them at the picture's edge or leaves them out.

One idea: a reader is kind, for training needs what can be used; an audit is not. COCO and VOC-like XML state the picture's size
beside the boxes, so their readers cut silently, and their numbers are read here once more. Of the other formats the reader's
own rejects tell, and its labels wherever the file knows no size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from rsflow.annotations.annotated_set import normalise_path, picture_name
from rsflow.annotations.text_files import parse_flag, parse_identifier, read_json
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
    """The `bndbox` entries of a VOC-like XML that are four numbers."""
    data = storage.read_bytes(file)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return  # the reader rejects it: no annotation needs them
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError):
        return
    name = picture_name((root.findtext("filename") or "").strip() or file)
    stated = {side: _whole(root.findtext(f"size/{side}")) for side in SIZE_KEYS}
    for index, element in enumerate(root.findall("object")):
        found = [element.findtext(f"bndbox/{key}") for key in ("xmin", "ymin", "xmax", "ymax")]
        try:
            x0, y0, x1, y1 = (float(text or "") for text in found)
        except ValueError:
            continue
        # Two expressions of one object are two objects of the file with one box: the words belong to what tells them apart.
        said = f"{element.findtext('name') or ''} {element.findtext('description') or ''}".strip()
        yield StatedBox(f"{name} object {index}", (file, ""), _size(stated), said, (x0, y0, x1, y1))


BOX_READERS: dict[str, Callable[[str], Iterator[StatedBox]]] = {
    "coco": read_coco_boxes,
    "dior_rsvg": read_voc_boxes,
    "voc": read_voc_boxes,
}


def _size(entry: Any) -> Size | None:
    width, height = (entry.get(side) for side in SIZE_KEYS)
    fit = all(isinstance(side, int | float) and side > 0 for side in (width, height))
    return (int(height), int(width)) if fit else None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() else None


def _is_box(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) == 4
        and all(isinstance(value, int | float) and math.isfinite(value) for value in values)
    )
