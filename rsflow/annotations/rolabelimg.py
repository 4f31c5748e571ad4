"""roLabelImg XML: VOC with oriented boxes, <robndbox> of cx, cy, w, h, angle (https://github.com/cgvict/roLabelImg).

One idea: the angle is in radians from the x axis towards the y axis, clockwise on the screen, with w along it: the convention
of rsflow.annotations.oriented, so nothing is converted but the form. A horizontal <bndbox>, which the tool writes beside them,
is read too. HIT-UAV's rotated annotations (https://github.com/suojiashun/HIT-UAV-Infrared-Thermal-Dataset) and SSDD's are of
this form; DIOR-R writes the corners instead (x_left_top, y_left_top, ...), which are taken as they stand.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.annotations.annotated_set import AnnotatedSet, merged
from rsflow.annotations.documents import numbers
from rsflow.annotations.gathering import OpenPicture
from rsflow.annotations.oriented import bounds, checked, corners
from rsflow.annotations.shapes import shape_on
from rsflow.annotations.voc import box_of
from rsflow.annotations.xml_file import Element, category_of, flags_of, read_xml, text_of
from rsflow.geometry import Ring
from rsflow.records import Label, Provenance

_FROM = Provenance("annotation", "rolabelimg")
_FIVE = ("cx", "cy", "w", "h", "angle")
_CORNERS = tuple(f"{axis}_{side}" for side in ("left_top", "right_top", "right_bottom", "left_bottom") for axis in "xy")


def read_rolabelimg(files: Sequence[str]) -> AnnotatedSet:
    """roLabelImg files as one annotated set."""
    return merged(read_xml(file, _label) for file in files)


def _label(element: Element, picture: OpenPicture) -> Label:
    size, flags = (picture.height_px, picture.width_px), flags_of(element)
    rotated = element.find("robndbox")
    if rotated is None:
        return Label("box", category_of(element), _FROM, shape_on(box_of(element), (), *size, flags=flags))
    ring = _ring(rotated)
    return Label("box", category_of(element), _FROM, shape_on(bounds(ring), ring, *size, oriented=True, flags=flags))


def _ring(rotated: Element) -> Ring:
    if rotated.find(_CORNERS[0]) is not None:
        return checked(tuple(numbers([text_of(rotated, key) for key in _CORNERS])))
    cx, cy, width, height, angle = numbers([text_of(rotated, key) for key in _FIVE])
    return corners(cx, cy, width, height, angle)
