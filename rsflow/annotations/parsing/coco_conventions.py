"""How the tool that wrote a COCO file uses its fields, which only all records of the file together show.

A mark or a polygon that every record has in the same way says how the file was written and nothing of a single object.
"""

from __future__ import annotations

from typing import Any

from rsflow.annotations.parsing.text_files import parse_flag
from rsflow.spatial.geometry import ring_area

LEAST_POLYGONS = 10  # fewer rectangles may be what they look like
ROUNDING = 1e-3  # of an area: what the corners of a polygon were rounded by


def marks_every_mask_as_crowd(records: list[Any]) -> bool:
    """Whether all objects of the file are masks that are marked crowds: then the mark says how they were drawn."""
    objects = [record for record in records if isinstance(record, dict) and "caption" not in record]
    return bool(objects) and all(
        parse_flag(record.get("iscrowd")) and isinstance(record.get("segmentation"), dict) for record in objects
    )


def writes_boxes_as_polygons(records: list[Any]) -> bool:
    """Whether every polygon of the file is the box of its own corners, as in HIT-UAV and after many converters: then none is
    an outline."""
    polygons = [record["segmentation"] for record in records if isinstance(record, dict) and record.get("segmentation")]
    return len(polygons) >= LEAST_POLYGONS and all(map(_is_box, polygons))


def _is_box(segmentation: Any) -> bool:
    rings = segmentation if isinstance(segmentation, list) else []
    if len(rings) == 1 and isinstance(rings[0], list):
        rings = rings[0]
    if len(rings) not in (8, 10) or not all(isinstance(value, (int, float)) for value in rings):
        return False
    width, height = (max(rings[axis::2]) - min(rings[axis::2]) for axis in (0, 1))
    return bool(abs(ring_area(rings) - width * height) <= ROUNDING * width * height)
