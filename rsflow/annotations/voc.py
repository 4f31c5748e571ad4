"""Pascal VOC XML: one file per picture, horizontal boxes (http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html).

One idea: xmin, ymin, xmax, ymax are taken as the box's corners, as they stand. The devkit counts pixels from 1 and includes the
last one, which would make the box (xmin - 1, ymin - 1, xmax, ymax); most sets that use the form today (HIT-UAV, NEON trees,
all that LabelImg writes) count from 0. No file says which, the difference is one pixel, and a rule that holds for every file
is worth more than that pixel.

The picture is named by <filename>, or by the XML's own name where it is missing. Not kept, because a label has no room for
them: <pose>, <difficult>, <truncated> (it gives no share), <occluded>, <part>. An XML that cannot be parsed becomes a reject,
and so does one with a DTD or entity declarations: no annotation needs them, and they are how XML reads other files or fills
memory.
"""

from __future__ import annotations

import posixpath
import re
from xml.etree import ElementTree

from rsflow import storage
from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, picture_name
from rsflow.annotations.shapes import shape_on
from rsflow.errors import DataError
from rsflow.geometry import Box
from rsflow.records import Label, Provenance, Reject


def read_voc(file: str) -> AnnotatedSet:
    """One VOC file as an annotated set of one picture, or of none and a reject where the file cannot be used."""
    try:
        root = _root(storage.read_bytes(file))
    except DataError as error:
        return AnnotatedSet({}, (), (Reject("annotation", posixpath.basename(file), error.reason, error.detail, file),))
    named = (root.findtext("filename") or "").strip() or posixpath.splitext(posixpath.basename(file))[0]
    height_px, width_px = _size(root, "height"), _size(root, "width")
    labels: list[Label] = []
    rejects: list[Reject] = []
    # The format, not the file, names the origin: a set is thousands of files, and each of them is its picture's.
    provenance = Provenance("annotation", "voc")
    for index, element in enumerate(root.findall("object")):
        try:
            shape = shape_on(_box(element), (), height_px, width_px)
            labels.append(Label("box", _category(element), provenance, shape))
        except DataError as error:
            rejects.append(Reject("annotation", f"{picture_name(named)} object {index}", error.reason, error.detail, file))
    picture = AnnotatedPicture(picture_name(named), named, height_px, width_px, tuple(labels), not rejects)
    categories = tuple(sorted({label.category for label in labels}))
    return AnnotatedSet({picture.name: picture}, categories, tuple(rejects))


def _root(data: bytes) -> ElementTree.Element:
    # Before parsing: expat would expand internal entities, whatever the encoding (UTF-16 puts a zero byte between letters).
    if re.search(rb"<!(DOCTYPE|ENTITY)", data.replace(b"\0", b""), re.IGNORECASE):
        raise DataError("unsafe_xml", "the XML declares a document type or entities, which annotations do not need: remove it")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError("unreadable_annotation", f"is not XML: {error}") from error
    if root.tag != "annotation":
        raise DataError("unreadable_annotation", f"its root is <{root.tag}>, expected <annotation>")
    return root


def _size(root: ElementTree.Element, side: str) -> int | None:
    text = (root.findtext(f"size/{side}") or "").strip()
    return int(text) if text.isdigit() and int(text) > 0 else None


def _category(element: ElementTree.Element) -> str:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise DataError("unknown_category", "the object has no <name>")
    return name


def _box(element: ElementTree.Element) -> Box:
    bounds = element.find("bndbox")
    if bounds is None:
        hint = " (a <robndbox> is an oriented box: another format)" if element.find("robndbox") is not None else ""
        raise DataError("bad_box", f"the object has no <bndbox>{hint}")
    found = [(bounds.findtext(key) or "").strip() for key in ("xmin", "ymin", "xmax", "ymax")]
    try:
        x0, y0, x1, y1 = map(float, found)
    except ValueError as error:
        raise DataError("bad_box", f"xmin, ymin, xmax, ymax are {found}, expected four numbers") from error
    return (x0, y0, x1, y1)
