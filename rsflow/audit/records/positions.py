"""Words of position against the box they go with: "in the top left" beside a box at the bottom right.

Boxes are read in the set's own spelling and compared as shares of the picture. Only a box clearly on the other side is a fault:
its centre lies beyond the middle by a margin, which is wide where a side alone is named. Words that may be meant among the
objects ("the ship on the left") or lean on something else ("left of the road") are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow import dialects
from rsflow.errors import DataError
from rsflow.imports.box_formats import BOX_FORMATS, Size
from rsflow.imports.conversation import Exchange
from rsflow.spatial.geometry import Box, bounding_box
from rsflow.text.turns import Mark, replace_marks

NOMINAL: Size = (1000, 1000)  # of a picture whose size is not known, where boxes are shares of it
MARGIN = 0.1  # beyond the middle
WIDE_MARGIN = 0.25
CENTRE_MARGIN = 0.38  # between a centre and the middle

_PART = r"(?:corner|side|part|half|edge|portion|area|quadrant|section|third)"
_WHOLE = r"of (?:the|this) (?:image|picture|scene|frame|photo)"
_PLACE = re.compile(
    r"\b(?:in|at|on|near|to|towards?) the (?:(?:far|very) )?"
    r"(?:(?P<row>top|upper|bottom|lower)(?:most)?(?:[ -]+(?P<side>left|right))?|"
    r"(?P<only>left|right)|(?P<mid>centre|center|middle))"
    rf"(?:[ -]hand)?(?P<part> {_PART})?(?P<whole> {_WHOLE})?(?=\s*(?:$|[.,;:!?()\0\[\]]|{_WHOLE}|at\b))",
    re.IGNORECASE,
)
_ONE_OF = re.compile(r"\bthe (?:\w+ ){1,3}$", re.IGNORECASE)  # "the ship on the left" may be the left one of two
_NOT_ITS_PLACE = re.compile(  # of the object: of its course or of a part
    r"\b(?:facing|heading|headed|moving|driving|turning|pointing|flying|sailing|towards?|whose|with|ha[sd]|have|having)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|none|not|neither|nor|never|nothing|without)\b|n't\b", re.IGNORECASE)
_WHERE = re.compile(r"\s*(?:where\b|in (?:which|what) (?:part|corner|area)\b)", re.IGNORECASE)
_SIDE_OF = re.compile(
    r"\0(?P<one>\d+)\0[\s,)]*(?:(?:is|lies|located|situated|directly|just|to|on|the)\s+)*"
    r"(?P<way>left of|right of|above|below)\s+"
    r"(?:(?:the|an?)\s+)?(?:[a-z-]+\s+){0,3}?(?:at\s+)?\0(?P<other>\d+)\0",
    re.IGNORECASE,
)


def find_wrong_positions(exchange: Exchange, form: str, size: Size | None) -> Iterator[str]:
    """`size`: (height_px, width_px) of the picture; None: not known, so that boxes in pixels are not compared."""
    if size is None and BOX_FORMATS[form].max_value is None:
        return
    height, width = size or NOMINAL
    try:
        (asked, asked_boxes), (given, boxes) = (
            _numbered(text, form, (height, width)) for text in (exchange.question, exchange.answer)
        )
    except DataError:
        return  # reported as a box that is none
    groups = [*_beside(given, boxes), *_across((asked, asked_boxes), (given, boxes))]
    for place, box in groups:
        if _contradicts(place, box):
            shown = ", ".join(f"{value:.2f}" for value in box)
            yield f"{place[0].strip()!r}, its box is at {shown} of the width and height: {exchange.answer[:60]!r}"
    yield from _wrong_sides(given, boxes)


def _numbered(text: str, form: str, size: Size) -> tuple[str, list[list[Box]]]:
    """The text with \\0 number \\0 for each mark, and the boxes of each as shares of the picture."""
    height, width = size
    marked, regions = dialects.get_dialect(form).parse(text, height, width)
    groups: list[list[Box]] = []

    def number(found: Mark) -> str:
        rings = [bounding_box(regions[index]) for index in found.boxes]
        groups.append([(x0 / width, y0 / height, x1 / width, y1 / height) for x0, y0, x1, y1 in rings])
        return f"{found.phrase} \0{len(groups) - 1}\0"

    return replace_marks(marked, number), groups


def _beside(text: str, groups: list[list[Box]]) -> Iterator[tuple[re.Match[str], Box]]:
    """(place, box) of an answer that has as many places as marks, each place in the words of its own mark."""
    places = [place for place in _PLACE.finditer(text) if not _is_denied(place)]
    marks = [text.index(f"\0{number}\0") for number in range(len(groups))]
    order = "".join("p" if kind else "m" for _, kind in sorted([*((p.start(), 1) for p in places), *((m, 0) for m in marks)]))
    if places and order in {"pm" * len(marks), "mp" * len(marks)} and len(marks) == len(places):
        for place, boxes in zip(places, groups, strict=True):
            if all(_contradicts(place, box) for box in boxes):
                yield place, boxes[0]


def _is_denied(place: re.Match[str]) -> bool:
    """Whether a sentence says what does not lie there: "None of them lies in the right third of the image"."""
    return _DENIED.search(re.split(r"[.!?;]\s", place.string[: place.start()])[-1]) is not None


def _across(asked: tuple[str, list[list[Box]]], given: tuple[str, list[list[Box]]]) -> Iterator[tuple[re.Match[str], Box]]:
    """A place in the question and a box in the answer, or the other way round."""
    for (words, others), (empty, groups) in ((asked, given), (given, asked)):
        places = list(_PLACE.finditer(words))
        is_stated = len(places) == 1 and bool(places[0]["whole"] or (places[0]["row"] and places[0]["side"]))
        if not is_stated or _NOT_ITS_PLACE.search(words) or (words is given[0] and not _WHERE.match(empty)):
            continue
        if not others and len(groups) == 1 and len(groups[0]) == 1 and not _PLACE.search(empty):
            yield places[0], groups[0][0]


def _contradicts(place: re.Match[str], box: Box) -> bool:
    x, y = (box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5
    if place["mid"]:
        return bool(place["whole"]) and max(abs(x), abs(y)) > CENTRE_MARGIN
    is_absolute = place["part"] or place["whole"] or (place["row"] and place["side"])
    if not is_absolute and _ONE_OF.search(place.string[: place.start()]):
        return False
    margin = MARGIN if is_absolute else WIDE_MARGIN
    row, side = (place["row"] or "").lower(), (place["side"] or place["only"] or "").lower()
    off = {"top": y, "upper": y, "bottom": -y, "lower": -y, "left": x, "right": -x}
    return any(off[word] > margin for word in (row, side) if word)


def _wrong_sides(text: str, groups: list[list[Box]]) -> Iterator[str]:
    """ "The ship [box] is left of the car [box]" where all of the first lies on the other side of the second."""
    for found in _SIDE_OF.finditer(text):
        one, other = groups[int(found["one"])], groups[int(found["other"])]
        if len(one) == len(other) == 1 and _is_opposite(found["way"].lower(), one[0], other[0]):
            yield f"{found['way']!r}, and its box lies on the other side of that of the other object"


def _is_opposite(way: str, one: Box, other: Box) -> bool:
    if way in {"right of", "below"}:
        one, other = other, one
    axis = 1 if way in {"above", "below"} else 0
    return one[axis] >= other[axis + 2]
