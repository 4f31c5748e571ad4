"""Pascal VOC XML: one file per picture, horizontal boxes
(http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html).

The corners xmin, ymin, xmax, ymax are taken as written. The devkit counts pixels from 1 and includes
the last one, which would make the box (xmin - 1, ymin - 1, xmax, ymax); most sets that use the form today (HIT-UAV, NEON
trees, all that LabelImg writes) count from 0. No file says which, the difference is one pixel, and a rule that holds for every
file is worth more than that pixel.

Kept as flags: <difficult>, <truncated>, <occluded>. Not kept, because a label has no room for them: <pose>, <part>. The sets
DIOR, HRRSD, SSDD, HRSID and AIR-SARShip (16-bit SAR TIFF beside the XML) come in this form.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import OpenPicture
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.xml_file import Element, child_text, read_category, read_flags, read_xml
from rsflow.annotations.sets.completeness import with_vocabulary
from rsflow.errors import DataError
from rsflow.records import Label, Provenance
from rsflow.spatial.geometry import Box

# The format, not the file, names the origin: a set is thousands of files, and each of them is its picture's.
_FROM = Provenance("annotation", "voc")


def read_voc(files: Sequence[str], *, vocabulary: tuple[str, ...] = ()) -> AnnotatedSet:
    """VOC files as one annotated set."""
    return with_vocabulary(merge_sets(read_xml(file, _label) for file in files), vocabulary)


def read_box(element: Element) -> Box:
    """The <bndbox> of an object. DataError `bad_box` where it has none or it is not of four numbers."""
    bounds = element.find("bndbox")
    if bounds is None:
        hint = " (a <robndbox> is an oriented box: format rolabelimg)" if element.find("robndbox") is not None else ""
        raise DataError("bad_box", f"the object has no <bndbox>{hint}")
    found = [child_text(bounds, key) for key in ("xmin", "ymin", "xmax", "ymax")]
    try:
        x0, y0, x1, y1 = map(float, found)
    except ValueError as error:
        raise DataError("bad_box", f"xmin, ymin, xmax, ymax are {found}, expected four numbers") from error
    return (x0, y0, x1, y1)


def _label(element: Element, picture: OpenPicture) -> Label:
    shape = make_shape(read_box(element), (), picture.height_px, picture.width_px, flags=read_flags(element))
    return Label("box", read_category(element), _FROM, shape)
