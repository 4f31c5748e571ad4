"""What a tile shows without a label is unknown there, and complete elsewhere."""

from __future__ import annotations

import pyarrow as pa
import pytest

from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import IN_FLIGHT, label_row
from rsflow.stages.label.annotate_tiles import AnnotateTiles

FROM = Provenance("annotation", "test")


def box(category: str, *corners: float, flags: tuple[str, ...] = ()) -> Label:
    x0, y0, x1, y1 = corners
    return Label("box", category, FROM, Shape((x0, y0, x1, y1), flags=flags))


def known(*labels: Label) -> list[tuple[list[str], list[str], list[str]]]:
    """Categories, vocabulary and what is unknown of two tiles side by side."""
    same = {"labels": [label_row(label) for label in labels], "vocabulary": ["car", "harbor", "ship"]}
    size = {"row_off": 0, "height_px": 100, "width_px": 100, "scene_height_px": 100, "scene_width_px": 200}
    table = pa.Table.from_pylist([{**same, **size, "col_off": col} for col in (0, 100)], schema=IN_FLIGHT)
    (cut,) = AnnotateTiles(0.5).open()(table)
    rows = cut.select(["labels", "vocabulary", "unknown"]).to_pylist()
    return [([label["category"] for label in row["labels"]], row["vocabulary"], row["unknown"]) for row in rows]


def test_what_is_cut_off_is_unknown_in_its_tile_alone() -> None:
    whole = ["car", "harbor", "ship"]
    assert known(box("harbor", 0, 0, 120, 50)) == [(["harbor"], whole, []), ([], ["car", "ship"], ["harbor"])]


@pytest.mark.parametrize(
    ("area", "left"),
    [
        (box("3", 150, 10, 190, 50, flags=("unknown",)), []),
        (box("boat", 150, 10, 190, 50, flags=("unknown",)), ["car", "harbor"]),
        (box("ignored regions", 150, 10, 190, 50), []),
    ],
)
def test_an_area_that_nobody_annotated_leaves_the_other_tile_complete(area: Label, left: list[str]) -> None:
    (_, here, nothing), (_, there, unknown) = known(area)
    assert (here, nothing) == (["car", "harbor", "ship"], [])
    assert (there, unknown) == (left, [area.category])
