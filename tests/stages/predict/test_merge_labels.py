"""MergeLabels: a scene's tiles in, what may be told of the models' boxes out."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import PICTURE_WORK, label_row
from rsflow.stages.predict.merge_labels import MergeLabels


def seen(tile: str, name: str, model: str, box: tuple[float, float, float, float], number: int = 0) -> dict[str, Any]:
    origin = Provenance("labeller", name, model, "r", quality=0.6)
    place = f"{name}-abc.{number}" if model else str(number)
    return {"label_id": f"{tile}#{place}", "tile_id": tile, **label_row(Label("box", "ship", origin, Shape(box), score=0.8))}


def merged(labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two tiles of 100 x 100 that overlap by 50 columns."""
    tiles = [
        {"tile_id": f"s/{n}", "row_off": 0, "col_off": 50 * n, "height_px": 100, "width_px": 100, "source": "s"}
        for n in range(2)
    ]
    work = {"unit": "u", "scene_id": "s", "source": "s", "tiles": tiles, "labels": labels}
    (receipt,) = MergeLabels(0.3).open()(pa.Table.from_pylist([work], schema=PICTURE_WORK))
    (row,) = receipt.to_pylist()
    assert (row["step"], row["rows_in"], row["rows_kept"]) == ("merge", 2, 2)
    found: list[dict[str, Any]] = row["labels"]
    return found


def test_what_one_tile_saw_is_told_of_every_tile_that_shows_it() -> None:
    found = merged([seen("s/0", "detector", "a", (60.0, 10.0, 80.0, 20.0))])
    assert [(row["tile_id"], row["box"]) for row in found] == [
        ("s/0", [60.0, 10.0, 80.0, 20.0]),
        ("s/1", [10.0, 10.0, 30.0, 20.0]),
    ]


def test_agreement_with_a_labeller_without_weights_raises_the_grade_and_repeats_nothing() -> None:
    box = (5.0, 10.0, 30.0, 20.0)
    (alone,) = merged([seen("s/0", "detector", "a", box)])
    (agreed,) = merged([seen("s/0", "detector", "a", box), seen("s/0", "cfar", "", box)])
    assert agreed["label_id"] == alone["label_id"]
    assert agreed["quality"] > alone["quality"] == 0.6


def test_an_outline_becomes_the_polygon_of_the_box_that_it_was_found_in() -> None:
    box, ring = (5.0, 10.0, 30.0, 20.0), (5.0, 10.0, 30.0, 10.0, 17.0, 20.0)
    origin = Provenance("labeller", "outliner", "sam", "r", quality=0.6)
    outline = label_row(Label("fact", "outline", origin, Shape(box, ring), value=0.5, score=0.9))
    (found,) = merged([seen("s/0", "detector", "a", box), {"label_id": "s/0#outliner-abc.0", "tile_id": "s/0", **outline}])
    assert (found["kind"], tuple(found["box"]), tuple(found["polygon"])) == ("box", box, ring)
    elsewhere = {**outline, "box": [40.0, 40.0, 60.0, 60.0]}
    kept = merged([seen("s/0", "detector", "a", box), {"label_id": "s/0#outliner-abc.0", "tile_id": "s/0", **elsewhere}])
    assert [row["kind"] for row in kept] == ["box", "fact"]
