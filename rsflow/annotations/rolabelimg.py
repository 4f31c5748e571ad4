"""roLabelImg XML: VOC with oriented boxes, <robndbox> of cx, cy, w, h, angle (https://github.com/cgvict/roLabelImg).

One idea: the angle is in radians from the x axis towards the y axis, clockwise on the screen, with w along it: the convention
of rsflow.annotations.oriented_boxes, so nothing is converted but the form. Converters also write degrees:
the option `angle` (rsflow.annotations.oriented_boxes.ANGLES) says so. A horizontal <bndbox>, which the tool writes beside them,
is read too. HIT-UAV's rotated annotations (https://github.com/suojiashun/HIT-UAV-Infrared-Thermal-Dataset) and SSDD's are of
this form; DIOR-R writes the corners instead (x_left_top, y_left_top, ...), which are taken as they stand.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.annotations.annotated_set import AnnotatedSet, merged
from rsflow.annotations.file_collector import OpenPicture
from rsflow.annotations.oriented_boxes import ANGLES, DEGREES, bounds, checked, corners, radians
from rsflow.annotations.shapes import shape_on
from rsflow.annotations.text_files import numbers
from rsflow.annotations.voc import box_of
from rsflow.annotations.xml_file import Element, LabelOf, category_of, flags_of, read_xml, text_of
from rsflow.errors import ConfigError, DataError
from rsflow.records import Label, Provenance
from rsflow.spatial.geometry import Ring

_FROM = Provenance("annotation", "rolabelimg")
_FIVE = ("cx", "cy", "w", "h", "angle")
_CORNERS = tuple(f"{axis}_{side}" for side in ("left_top", "right_top", "right_bottom", "left_bottom") for axis in "xy")


def read_rolabelimg(files: Sequence[str], *, angle: str = "radians_clockwise") -> AnnotatedSet:
    """roLabelImg files as one annotated set. ConfigError for an unknown `angle`.

    Where one angle of the set is no radians none of them is known to be, and every box with an angle is a reject.
    """
    if angle not in ANGLES:
        raise ConfigError(f"annotations.options.angle is {angle!r}, expected one of {', '.join(ANGLES)}")
    sets = [read_xml(file, _with(ANGLES[angle])) for file in files]
    if any(reject.reason == "bad_angle" for one in sets for reject in one.rejects):
        sets = [read_xml(file, _with(None)) for file in files]
    return merged(sets)


def _with(radians_of_one: float | None) -> LabelOf:
    return lambda element, picture: _label(element, picture, radians_of_one)


def _label(element: Element, picture: OpenPicture, radians_of_one: float | None) -> Label:
    size, flags = (picture.height_px, picture.width_px), flags_of(element)
    rotated = element.find("robndbox")
    if rotated is None:
        return Label("box", category_of(element), _FROM, shape_on(box_of(element), (), *size, flags=flags))
    ring = _ring(rotated, radians_of_one)
    return Label("box", category_of(element), _FROM, shape_on(bounds(ring), ring, *size, oriented=True, flags=flags))


def _ring(rotated: Element, radians_of_one: float | None) -> Ring:
    if rotated.find(_CORNERS[0]) is not None:
        return checked(tuple(numbers([text_of(rotated, key) for key in _CORNERS])))
    cx, cy, width, height, angle = numbers([text_of(rotated, key) for key in _FIVE])
    if radians_of_one is None:
        raise DataError("bad_angle", f"found angle {angle:g} in a set that has angles beyond a turn: {DEGREES}")
    return corners(cx, cy, width, height, radians(angle, radians_of_one))
