"""FAIR1M XML: fine-grained objects as corner points (https://arxiv.org/abs/2103.05569; the form of the Gaofen contests).

An object is <points> of "x,y" texts, four corners in order with the first repeated, and its class is the name in
<possibleresult>. Four corners are an oriented box as written, another number is a polygon. The picture is named in
<source><filename>. Not kept: <probability>, <type>; points that are not in pixels (<coordinate>) are rejected.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import OpenPicture
from rsflow.annotations.parsing.oriented_boxes import check_corner_order, ring_bounds
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import parse_numbers
from rsflow.annotations.parsing.xml_file import Element, child_text, read_category, read_flags, read_xml
from rsflow.annotations.sets.completeness import with_vocabulary
from rsflow.errors import DataError
from rsflow.records import Label, Provenance
from rsflow.spatial.geometry import Ring

_FROM = Provenance("annotation", "fair1m")


def read_fair1m(files: Sequence[str], *, vocabulary: tuple[str, ...] = ()) -> AnnotatedSet:
    """FAIR1M files as one annotated set."""
    sets = (read_xml(file, _label, objects="objects/object", name_at="source/filename") for file in files)
    return with_vocabulary(merge_sets(sets), vocabulary)


def _label(element: Element, picture: OpenPicture) -> Label:
    unit = child_text(element, "coordinate")
    if unit not in {"", "pixel"}:
        raise DataError("bad_box", f"its points are in {unit!r}, expected pixel")
    ring = read_ring(element)
    size = (picture.height_px, picture.width_px)
    shape = make_shape(ring_bounds(ring), ring, *size, oriented=len(ring) == 8, flags=read_flags(element))
    return Label("box", read_category(element, "possibleresult/name"), _FROM, shape)


def read_ring(element: Element) -> Ring:
    """The corners of an object, the repeated one left out. DataError `bad_polygon` or `crossed_corners`."""
    points = [(point.text or "").strip() for point in element.iterfind("points/point")]
    pairs = [parse_numbers(point.split(",")) for point in points]
    if len(pairs) > 1 and pairs[0] == pairs[-1]:
        pairs.pop()
    if len(pairs) < 3 or any(len(pair) != 2 for pair in pairs):
        raise DataError("bad_polygon", f"points are {points}, expected at least three of the form x,y")
    ring = tuple(value for pair in pairs for value in pair)
    return check_corner_order(ring) if len(ring) == 8 else ring
