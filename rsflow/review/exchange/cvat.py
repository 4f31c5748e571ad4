"""Boxes to and from CVAT: its XML for images, version 1.1.

Form: https://docs.cvat.ai/docs/manual/advanced/xml_format/. A picture is named by its sample key, and each box has the
attribute `target`, which is the label's; CVAT keeps both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import defusedxml.ElementTree

from rsflow.errors import UsageError
from rsflow.review.exchange.boxes import Answer, FoundBox, exported_boxes

TARGET = "target"  # the attribute that names the label
CORNERS = ("xtl", "ytl", "xbr", "ybr")


def label_specs(categories: Sequence[str]) -> str:
    """The labels of the task to make in CVAT, for the "Raw" tab of its label constructor (JSON)."""
    target = {"name": TARGET, "mutable": False, "input_type": "text", "default_value": "", "values": []}
    return json.dumps([{"name": name, "attributes": [target]} for name in categories], indent=1, ensure_ascii=False)


def to_xml(tiles: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]], categories: Sequence[str]) -> str:
    """The document of tiles (tile_id, key, width_px, height_px, picture_format) with their labels of these categories."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    labels = _task_labels(root)
    for category in categories:
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = category
        attribute = ElementTree.SubElement(ElementTree.SubElement(label, "attributes"), "attribute")
        for name, text in (
            ("name", TARGET),
            ("mutable", "False"),
            ("input_type", "text"),
            ("default_value", ""),
            ("values", ""),
        ):
            ElementTree.SubElement(attribute, name).text = text
    for number, (tile, rows) in enumerate(tiles):
        size = {"width": str(tile["width_px"]), "height": str(tile["height_px"])}
        name = f"{tile['key']}.{tile['picture_format']}"
        image = ElementTree.SubElement(root, "image", {"id": str(number), "name": name, **size})
        for target, row in exported_boxes(rows).items():
            corners = {name: f"{value:.2f}" for name, value in zip(CORNERS, row["box"], strict=True)}
            box = ElementTree.SubElement(image, "box", {"label": row["category"], "source": "auto", "occluded": "0", **corners})
            ElementTree.SubElement(box, "attribute", {"name": TARGET}).text = target
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _task_labels(root: ElementTree.Element) -> ElementTree.Element:
    """The element of the task's labels: readers of the form ask for it, as datumaro does."""
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    return ElementTree.SubElement(task, "labels")


def read_answers(text: str, place: str, reviewer: str, tile_ids: Mapping[str, str]) -> list[Answer]:
    """What a person made of each picture. `tile_ids`: by sample key. UsageError where the document is none of CVAT's."""
    if not reviewer:
        raise UsageError(f"{place}: CVAT does not say who decided: name the person with --reviewer")
    try:
        root = defusedxml.ElementTree.fromstring(text)
        found = []
        for image in root.iter("image"):
            key = str(image.attrib["name"]).rpartition("/")[2].partition(".")[0]
            if key in tile_ids:
                found.append(Answer(tile_ids[key], [_box(each) for each in image.iter("box")], reviewer, None))
    except (ElementTree.ParseError, defusedxml.DefusedXmlException, KeyError, ValueError) as error:
        raise UsageError(f"{place}: is no XML for images of CVAT (version 1.1): {error!r}") from error
    if not found:
        raise UsageError(f"{place}: names no picture of this lake: expected the names that `rsflow review ROOT --export` wrote")
    return found


def _box(element: Any) -> FoundBox:
    targets = [each.text or "" for each in element.iter("attribute") if each.attrib.get("name") == TARGET]
    x0, y0, x1, y1 = (float(element.attrib[name]) for name in CORNERS)
    return FoundBox(targets[0] if targets else "", str(element.attrib["label"]), (x0, y0, x1, y1))
