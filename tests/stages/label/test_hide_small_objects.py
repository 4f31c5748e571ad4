"""Objects too small for a scale are neither named nor denied there, and counted over the whole scene."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import IN_FLIGHT, label_row
from rsflow.stages.label.hide_small_objects import HideSmallObjects

FROM = Provenance("annotation", "test")


def box(category: str, size: float, *flags: str) -> Label:
    return Label("box", category, FROM, Shape((10.0, 10.0, 10 + 3 * size, 10 + size), flags=flags))


def hide(*labels: Label, reduction: int | None = 8, **more: Any) -> dict[str, Any]:
    same = {"reduction": reduction, "row_off": 0, "col_off": 0, "height_px": 100, "width_px": 100}
    row = {**same, "scene_height_px": 100, "scene_width_px": 100, "unknown": [], "vocabulary": ["ship", "plane", "car"], **more}
    table = pa.Table.from_pylist([{**row, "labels": [label_row(label) for label in labels]}], schema=IN_FLIGHT)
    (found,) = list(HideSmallObjects(4.0).open()(table))
    (result,) = found.to_pylist()
    return result


def kinds(row: dict[str, Any]) -> list[tuple[str, str, float | None]]:
    return [(label["kind"], label["category"], label["value"]) for label in row["labels"]]


def test_what_is_too_small_is_no_label_and_its_category_is_unknown() -> None:
    row = hide(box("ship", 3.9), box("ship", 4.0), box("plane", 20))
    assert kinds(row)[:2] == [("box", "ship", None), ("box", "plane", None)]
    assert row["vocabulary"] == ["plane", "car"]
    assert row["unknown"] == ["ship"]


def test_the_whole_scene_is_counted_where_every_object_is_certain() -> None:
    row = hide(box("ship", 1), box("ship", 9), box("plane", 9), box("plane", 9, "difficult"))
    assert [each for each in kinds(row) if each[0] == "count"] == [("count", "ship", 2.0), ("count", "car", 0.0)]


def test_nothing_is_counted_of_what_is_not_annotated_everywhere() -> None:
    row = hide(box("ship", 9), box("boat", 9), vocabulary=[])
    assert not [each for each in kinds(row) if each[0] == "count"]


def test_a_part_of_the_scene_counts_nothing() -> None:
    row = hide(box("ship", 1), width_px=50)
    assert kinds(row) == []
    assert row["unknown"] == ["ship"]


def test_tiles_of_the_scene_itself_stay_the_same() -> None:
    row = hide(box("ship", 1), reduction=None)
    assert kinds(row) == [("box", "ship", None)]
    assert row["vocabulary"] == ["ship", "plane", "car"]


def test_a_rotated_object_is_measured_along_its_own_sides() -> None:
    thin = (10.0, 10.0, 40.0, 40.0, 39.0, 41.0, 9.0, 11.0)
    turned = Label("box", "bridge", FROM, Shape((9.0, 10.0, 40.0, 41.0), thin, oriented=True))
    assert kinds(hide(turned, vocabulary=["bridge"])) == [("count", "bridge", 1.0)]
