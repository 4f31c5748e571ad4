"""Annotation XML, one file per picture: what VOC, roLabelImg, DIOR-RSVG and FAIR1M have in common.

The root is <annotation>, the picture's <size> is in it, objects are elements of one path, and only what an object
says differs; so a format is the path of its objects and a function from an element to a Label.

An XML that cannot be parsed becomes a reject, and so does one with a DTD or entity declarations: no annotation needs them, and
they are how XML reads other files or fills memory. A broken object becomes a reject that names the line it begins on.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element as Element
from xml.parsers import expat

from rsflow.annotations.annotated_set import AnnotatedSet, picture_name
from rsflow.annotations.parsing.file_collector import FileCollector, OpenPicture, collect_categories
from rsflow.annotations.parsing.text_files import parse_flag, parse_identifier
from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.files.xml_document import XmlError, parse_xml
from rsflow.records import Label

LabelParser = Callable[[Element, OpenPicture], Label]


def read_xml(file: str, label_of: LabelParser, objects: str = "object", name_at: str = "filename") -> AnnotatedSet:
    """One file as an annotated set of one picture, or of none and a reject where the file cannot be used.

    `label_of` gets an element and its picture and raises DataError for a broken one. The picture is named after the XML;
    the text at the path `name_at` counts where no scene has that name, for it is often a copy of another file's.
    """
    collector = FileCollector(file)
    data = storage.read_bytes(file)
    try:
        root = parse_annotation(data)
        picture = collector.picture_of_file(stated=(root.findtext(name_at) or "").strip())
    except DataError as error:
        collector.reject("", error)
        return collector.result()
    picture.height_px, picture.width_px = _side(root, "height"), _side(root, "width")
    for index, element in enumerate(root.iterfind(objects)):
        try:
            picture.labels.append(label_of(element, picture))
        except DataError as error:
            place = f"line {_line(data, index)}"
            collector.reject(f"{place} ({picture_name(picture.file)} object {index})", error, picture)
    return collector.result(collect_categories(collector.pictures))


def child_text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def read_category(element: Element, path: str = "name") -> str:
    """The object's class. DataError `unknown_category` where it has none."""
    name = child_text(element, path)
    if not name:
        raise DataError("unknown_category", f"the object has no <{path}>")
    return name


def read_flags(element: Element) -> tuple[str, ...]:
    """The flags of an object: <difficult>, <truncated>, <occluded> and <ignore> that are not 0."""
    named = ("difficult", "truncated", "occluded", "ignore")
    return tuple(name for name in named if parse_flag(child_text(element, name)))


def parse_annotation(data: bytes) -> Element:
    """The <annotation> of an XML. DataError `unsafe_xml` or `unreadable_annotation`."""
    try:
        root = parse_xml(data)
    except XmlError as error:
        raise DataError("unsafe_xml" if error.is_unsafe else "unreadable_annotation", str(error)) from error
    if root.tag != "annotation":
        raise DataError("unreadable_annotation", f"its root is <{root.tag}>, expected <annotation>")
    return root


def _side(root: Element, side: str) -> int | None:
    text = parse_identifier(child_text(root, f"size/{side}")) or ""
    return int(text) if text.isdigit() and int(text) > 0 else None


def _line(data: bytes, index: int) -> int:
    """The line that the object of this number begins on. The tree has no lines, so the file is parsed again for a reject."""
    lines: list[int] = []
    parser = expat.ParserCreate()

    def begin(tag: str, _: dict[str, str]) -> None:
        if tag == "object":
            lines.append(parser.CurrentLineNumber)

    parser.StartElementHandler = begin
    parser.Parse(data, True)
    return lines[index]
