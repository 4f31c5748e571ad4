"""What models saw in the tiles of a scene becomes labels that may be told: outlined, merged over tiles, graded by agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.instructions.wording.english import singular_noun
from rsflow.labellers.merging.agreement import raise_agreed_quality
from rsflow.labellers.merging.merge_tiles import merge_scene
from rsflow.lake.receipts import receipt_table, unit_mark
from rsflow.schemas import label_sort_key
from rsflow.stage import BatchFunction, Resources, over_rows


@dataclass(frozen=True, slots=True)
class MergeLabels:
    """PICTURE_WORK rows in, each with all tiles of one scene; one RECEIPTS row out per row, with the models' labels only."""

    min_visibility: float
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 3

    def open(self) -> BatchFunction:
        return over_rows(self._scene)

    def _scene(self, work: dict[str, Any]) -> pa.Table:
        predicted = _outlined([row for row in work["labels"] if label_sort_key(row["label_id"])[0]])
        others = [row for row in work["labels"] if not label_sort_key(row["label_id"])[0]]
        merged = merge_scene(work["tiles"], predicted, self.min_visibility)
        marks = unit_mark(work, "merge", len(work["tiles"]))
        # Labellers without weights have a voice in what is agreed on; their own labels stand already and stay as they are.
        return receipt_table(marks, labels=raise_agreed_quality([*merged, *others], singular_noun)[: len(merged)])


def _outlined(predicted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, where a model's box has the polygon that another model found in it; that outline is then no fact of its own.

    Outlines of annotated boxes stay facts: an annotation is never changed.
    """
    outlines = {_box_key(row): row for row in predicted if row["kind"] == "fact" and row["category"] == "outline"}
    used = {_box_key(row) for row in predicted if row["kind"] == "box"} & outlines.keys()
    return [
        {**row, **_outline(outlines[_box_key(row)])} if row["kind"] == "box" and _box_key(row) in used else row
        for row in predicted
        if row["kind"] == "box" or _box_key(row) not in used
    ]


def _outline(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in ("polygon", "parts")}


def _box_key(row: dict[str, Any]) -> tuple[str, tuple[float, ...]]:
    return row["tile_id"], tuple(row["box"] or ())
