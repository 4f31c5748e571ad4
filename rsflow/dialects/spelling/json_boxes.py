"""Boxes as JSON objects, `{"bbox_2d": [x1, y1, x2, y2]}`: what the Qwen models since 2.5 share.

One idea: one box is an object, several are a list of them, as in the models' own answers. A phrase stands in front of its
JSON: the format has a `label` per box but no place for "13 ships". An oriented box is `{"quad_2d": [x1, y1, … x4, y4]}`, which
is our own: the models know no such key; likewise an outline, `{"polygon_2d": [[x1, y1, …], …]}`. What the numbers mean is for
the dialect to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from rsflow.dialects.contract import NUMBER, BoxCollector, make_region
from rsflow.dialects.spelling.outlines import OutlineForm
from rsflow.dialects.spelling.paths import PathForm
from rsflow.spatial.geometry import Region

_FOUR = rf'"bbox_2d":\s*\[\s*{NUMBER}(?:\s*,\s*{NUMBER}){{3}}\s*\]'
_EIGHT = rf'"quad_2d":\s*\[\s*{NUMBER}(?:\s*,\s*{NUMBER}){{7}}\s*\]'
_LABEL = r'"label":\s*"[^"]*"'
_OBJECT = rf"\{{\s*(?:{_LABEL}\s*,\s*)?(?:{_FOUR}|{_EIGHT})\s*(?:,\s*{_LABEL}\s*)?\}}"
_NUMBERS = re.compile(r'"(?:bbox|quad)_2d":\s*\[([^\]]*)\]')
_WRITTEN_BOXES = re.compile(rf"\[\s*{_OBJECT}(?:\s*,\s*{_OBJECT})*\s*\]|{_OBJECT}")

OUTLINE_FORM = OutlineForm(outline=('{"polygon_2d": [[', "]]}"), between_rings="], [")
PATH_FORM = PathForm(
    {
        "point": ('{"point_2d": [', "]}"),
        "scribble": ('{"scribble_2d": [', "]}"),
        "polygon": ('{"polygon_2d": [[', "]]}"),
    }
)


def write(phrase: str, rows: Sequence[Sequence[int]]) -> str:
    """`rows`: four or eight whole numbers each."""
    objects = [{"bbox_2d" if len(row) == 4 else "quad_2d": list(row)} for row in rows]
    boxes_json = json.dumps(objects if len(objects) > 1 else objects[0])
    return f"{phrase} {boxes_json}" if phrase else boxes_json


def read(text: str, to_pixels: Callable[[Region], Region]) -> tuple[str, list[Region]]:
    """Every object or list of objects becomes a mark without a phrase; a `label` is read and dropped."""
    boxes = BoxCollector([])

    def replaced(match: re.Match[str]) -> str:
        rows = [[float(number) for number in numbers.split(",")] for numbers in _NUMBERS.findall(match[0])]
        return boxes.mark("", [to_pixels(make_region(row)) for row in rows])

    return _WRITTEN_BOXES.sub(replaced, text), boxes.found
