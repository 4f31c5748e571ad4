"""Boxes to and from CVAT: its XML for images, version 1.1.

Form: https://docs.cvat.ai/docs/manual/advanced/xml_format/. A picture is named by its sample key, and each box has the
attribute `target`, which is the label's; CVAT keeps both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import defusedxml.ElementTree

from rsflow.errors import UsageError
from rsflow.review.exchange.boxes import Answer, FoundBox, exported_boxes

CORNERS = ("xtl", "ytl", "xbr", "ybr")


def to_xml(tiles: Iterable[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]) -> str:
    """The document of tiles (tile_id, key, width_px, height_px, picture_format) with their labels."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    for number, (tile, labels) in enumerate(tiles):
        size = {"width": str(tile["width_px"]), "height": str(tile["height_px"])}
        name = f"{tile['key']}.{tile['picture_format']}"
        image = ElementTree.SubElement(root, "image", {"id": str(number), "name": name, **size})
        for target, row in exported_boxes(labels).items():
            corners = {name: f"{value:.2f}" for name, value in zip(CORNERS, row["box"], strict=True)}
            box = ElementTree.SubElement(image, "box", {"label": row["category"], "source": "auto", "occluded": "0", **corners})
            ElementTree.SubElement(box, "attribute", {"name": "target"}).text = target
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


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
    targets = [each.text or "" for each in element.iter("attribute") if each.attrib.get("name") == "target"]
    x0, y0, x1, y1 = (float(element.attrib[name]) for name in CORNERS)
    return FoundBox(targets[0] if targets else "", str(element.attrib["label"]), (x0, y0, x1, y1))
