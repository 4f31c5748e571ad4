"""Boxes to and from Label Studio: its tasks with predictions, and its JSON export with annotations.

Form: https://labelstud.io/guide/tasks and https://labelstud.io/tags/rectanglelabels (x, y, width and height in per cent of the
picture). A region keeps its id, which is the label's target here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rsflow.errors import UsageError
from rsflow.review.exchange.boxes import Answer, FoundBox, exported_boxes

CONTROL, OBJECT = "label", "image"


def label_config(categories: Sequence[str]) -> str:
    """The labelling interface that the tasks are for."""
    from xml.sax.saxutils import quoteattr

    labels = "".join(f"<Label value={quoteattr(name)}/>" for name in categories)
    view = (
        f'<Image name="{OBJECT}" value="$image"/><RectangleLabels name="{CONTROL}" toName="{OBJECT}">{labels}</RectangleLabels>'
    )
    return f"<View>{view}</View>\n"


def to_task(tile: Mapping[str, Any], labels: Sequence[Mapping[str, Any]], image: str) -> dict[str, Any]:
    """A task of a tile (tile_id, key, width_px, height_px) whose picture is at `image`."""
    results = [_region(target, row, tile) for target, row in exported_boxes(labels).items()]
    data = {"image": image, "tile_id": tile["tile_id"], "key": tile["key"]}
    return {"data": data, "predictions": [{"model_version": "rsflow", "result": results}]}


def _region(target: str, row: Mapping[str, Any], tile: Mapping[str, Any]) -> dict[str, Any]:
    x0, y0, x1, y1 = row["box"]
    across, down = 100 / tile["width_px"], 100 / tile["height_px"]
    value = {"x": x0 * across, "y": y0 * down, "width": (x1 - x0) * across, "height": (y1 - y0) * down, "rotation": 0}
    size = {"original_width": tile["width_px"], "original_height": tile["height_px"]}
    names = {"id": target, "type": "rectanglelabels", "from_name": CONTROL, "to_name": OBJECT}
    return {**names, **size, "value": {**value, "rectanglelabels": [row["category"]]}}


def read_answers(text: str, place: str, reviewer: str) -> list[Answer]:
    """The annotations of an export. UsageError where it is none; annotations that were cancelled are left out."""
    try:
        tasks = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{place}: is not JSON: {error}") from error
    if not isinstance(tasks, list):
        raise UsageError(f"{place}: expected a list of tasks, as Label Studio exports it (JSON, not JSON-MIN)")
    found = []
    for number, task in enumerate(tasks):
        try:
            tile_id = str(task["data"]["tile_id"])
            done = [each for each in task.get("annotations", []) if not each.get("was_cancelled")]
            found += [Answer(tile_id, _boxes(each["result"]), reviewer or _who(each), _when(each)) for each in done]
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise UsageError(f"{place}: task {number} is none of `rsflow review ROOT --export`: {error!r}") from error
    return found


def _boxes(results: Sequence[Mapping[str, Any]]) -> list[FoundBox]:
    found = []
    for each in results:
        if each.get("type") != "rectanglelabels":
            continue
        value, across, down = each["value"], each["original_width"] / 100, each["original_height"] / 100
        x0, y0 = float(value["x"]) * across, float(value["y"]) * down
        box = (x0, y0, x0 + float(value["width"]) * across, y0 + float(value["height"]) * down)
        found.append(FoundBox(str(each.get("id", "")), str(value["rectanglelabels"][0]), box))
    return found


def _who(annotation: Mapping[str, Any]) -> str:
    person = annotation.get("completed_by")
    return str(person.get("email") or person.get("id")) if isinstance(person, dict) else f"label-studio-{person}"


def _when(annotation: Mapping[str, Any]) -> datetime | None:
    text = annotation.get("updated_at") or annotation.get("created_at")
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None
