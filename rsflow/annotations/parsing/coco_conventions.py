"""How the tool that wrote a COCO file uses its fields, which only all records of the file together show.

A mark or a polygon that every record has in the same way says how the file was written and nothing of a single object.
"""

from __future__ import annotations

from typing import Any

from rsflow.annotations.parsing.text_files import parse_flag
from rsflow.records import Reject
from rsflow.spatial.geometry import Ring, ring_area

POLYGON_MEANINGS = ("outlines", "boxes", "oriented_boxes")

LEAST_POLYGONS = 10  # fewer rectangles may be what they look like
ROUNDING = 1e-3  # of an area: what the corners of a polygon were rounded by
FARTHEST = 1e12  # pixels: what lies beyond is no coordinate, and its square no float
OBLIQUE = 0.05  # of a diagonal: by how much drawn corners may miss those of a rectangle


def marks_every_mask_as_crowd(records: list[Any]) -> bool:
    """Whether all objects of the file are masks that are marked crowds: then the mark says how they were drawn."""
    objects = [record for record in records if isinstance(record, dict) and "caption" not in record]
    return bool(objects) and all(
        parse_flag(record.get("iscrowd")) and isinstance(record.get("segmentation"), dict) for record in objects
    )


def keypoint_rejects(records: list[Any], file: str) -> list[Reject]:
    """One reject that counts the records with keypoints, which no label holds; none without them."""
    count = sum(bool(record.get("keypoints")) for record in records if isinstance(record, dict))
    found = f"{count:,} records have keypoints, which are left out; their boxes and outlines are kept"
    return [Reject("annotation", "annotations", "keypoints", found, file)] if count else []


def find_polygon_meaning(records: list[Any]) -> str:
    """Which of POLYGON_MEANINGS the polygons of the file are.

    "boxes" where each is an upright rectangle, as in HIT-UAV and after many converters, "oriented_boxes" where each is a
    rectangle and some are turned, as in COCO forms of DOTA, else "outlines".
    """
    polygons = [record["segmentation"] for record in records if isinstance(record, dict) and record.get("segmentation")]
    corners = [read_rectangle(polygon) for polygon in polygons]
    if len(corners) < LEAST_POLYGONS or not all(corners):
        return "outlines"
    return "boxes" if all(_is_upright(ring) for ring in corners) else "oriented_boxes"


def read_rectangle(segmentation: Any) -> Ring:
    """The four corners of a polygon of one part that is a rectangle, upright or turned; empty for anything else."""
    ring = segmentation if isinstance(segmentation, list) else []
    if len(ring) == 1 and isinstance(ring[0], list):
        ring = ring[0]
    if len(ring) == 10 and ring[:2] == ring[8:]:
        ring = ring[:8]
    if len(ring) != 8 or not all(map(_is_coordinate, ring)):
        return ()
    a, b, c, d = (complex(x, y) for x, y in zip(ring[::2], ring[1::2], strict=True))
    far = OBLIQUE * max(abs(a - c), abs(b - d))
    is_rectangle = far > 0 and abs(a + c - b - d) / 2 <= far and abs(abs(a - c) - abs(b - d)) <= far
    return tuple(map(float, ring)) if is_rectangle and ring_area(ring) > 0 else ()


def _is_coordinate(value: Any) -> bool:
    return type(value) in (int, float) and -FARTHEST < value < FARTHEST


def _is_upright(ring: Ring) -> bool:
    width, height = (max(ring[axis::2]) - min(ring[axis::2]) for axis in (0, 1))
    return bool(abs(ring_area(ring) - width * height) <= ROUNDING * width * height)
