"""roLabelImg XML: VOC with oriented boxes, <robndbox> of cx, cy, w, h, angle (https://github.com/cgvict/roLabelImg).

The angle is in radians from the x axis towards the y axis, clockwise on the screen, with w along it: the convention of
rsflow.annotations.parsing.oriented_boxes, so nothing is converted but the form. Converters also write degrees: the option
`angle` (rsflow.annotations.parsing.oriented_boxes.ANGLES) says so. A horizontal <bndbox>, which the tool writes as well, is
read too. HIT-UAV's rotated annotations (https://github.com/suojiashun/HIT-UAV-Infrared-Thermal-Dataset) and SSDD's are of this
form; DIOR-R writes the corners instead (x_left_top, y_left_top, ...), which are taken as written.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import OpenPicture
from rsflow.annotations.parsing.oriented_boxes import (
    ANGLES,
    DEGREES_HINT,
    box_corners,
    check_corner_order,
    convert_to_radians,
    ring_bounds,
)
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import parse_numbers
from rsflow.annotations.parsing.xml_file import Element, LabelParser, child_text, read_category, read_flags, read_xml
from rsflow.annotations.sets.completeness import with_vocabulary
from rsflow.annotations.voc import read_box
from rsflow.errors import ConfigError, DataError
from rsflow.records import Label, Provenance
from rsflow.spatial.geometry import Ring

_FROM = Provenance("annotation", "rolabelimg")
_FIVE = ("cx", "cy", "w", "h", "angle")
_CORNERS = tuple(f"{axis}_{side}" for side in ("left_top", "right_top", "right_bottom", "left_bottom") for axis in "xy")


def read_rolabelimg(
    files: Sequence[str], *, angle: str = "radians_clockwise", vocabulary: tuple[str, ...] = ()
) -> AnnotatedSet:
    """roLabelImg files as one annotated set. ConfigError for an unknown `angle`.

    Where one angle of the set is no radians none of them is known to be, and every box with an angle is a reject.
    """
    if angle not in ANGLES:
        raise ConfigError(f"annotations.options.angle is {angle!r}, expected one of {', '.join(ANGLES)}")
    sets = [read_xml(file, _with(ANGLES[angle])) for file in files]
    if any(reject.reason == "bad_angle" for one in sets for reject in one.rejects):
        sets = [read_xml(file, _with(None)) for file in files]
    return with_vocabulary(merge_sets(sets), vocabulary)


def _with(radians_of_one: float | None) -> LabelParser:
    return lambda element, picture: _label(element, picture, radians_of_one)


def _label(element: Element, picture: OpenPicture, radians_of_one: float | None) -> Label:
    size, flags = (picture.height_px, picture.width_px), read_flags(element)
    rotated = element.find("robndbox")
    if rotated is None:
        return Label("box", read_category(element), _FROM, make_shape(read_box(element), (), *size, flags=flags))
    ring = read_rotated(rotated, radians_of_one)
    return Label("box", read_category(element), _FROM, make_shape(ring_bounds(ring), ring, *size, oriented=True, flags=flags))


def read_rotated(rotated: Element, radians_of_one: float | None) -> Ring:
    """The corners of a <robndbox>. `radians_of_one`: of the unit of its angle, None where no angle of the set is known.

    DataError where it is no box.
    """
    if rotated.find(_CORNERS[0]) is not None:
        return check_corner_order(tuple(parse_numbers([child_text(rotated, key) for key in _CORNERS])))
    cx, cy, width, height, angle = parse_numbers([child_text(rotated, key) for key in _FIVE])
    if radians_of_one is None:
        raise DataError("bad_angle", f"found angle {angle:g} in a set that has angles beyond a turn: {DEGREES_HINT}")
    return box_corners(cx, cy, width, height, convert_to_radians(angle, radians_of_one))
