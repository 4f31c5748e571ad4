"""The annotations of a scene are cut with its tiles: clipped, shifted into tile pixels, dropped where too little is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.annotations.joining.clip_labels import clip_labels, find_hidden_categories
from rsflow.instructions.facts.completeness import complete_categories
from rsflow.instructions.wording import english
from rsflow.records import Label
from rsflow.schemas import label_from_row, label_row, window_from_row
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import replace


@dataclass(frozen=True, slots=True)
class AnnotateTiles:
    """Turns `labels` from scene pixels into tile pixels. A label of the whole scene stays only on a tile that shows it all."""

    min_visibility: float
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 3

    def open(self) -> BatchFunction:
        return over_kept(self._annotate)

    def _annotate(self, table: pa.Table) -> Iterator[pa.Table]:
        columns = ["labels", "vocabulary", "row_off", "col_off", "height_px", "width_px", "scene_height_px", "scene_width_px"]
        found = [self._cut(row) for row in table.select(columns).to_pylist()]
        labels, vocabulary, unknown = map(list, zip(*found, strict=True)) if found else ([], [], [])
        yield replace(table, labels=labels, vocabulary=vocabulary, unknown=unknown)

    def _cut(self, row: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str], list[str]]:
        scene = (0.0, 0.0, float(row["scene_width_px"]), float(row["scene_height_px"]))
        labels, window = [label_from_row(label) for label in row["labels"]], window_from_row(row)
        kept = clip_labels(labels, window, self.min_visibility, scene)
        # A sliver of a ship is no label, but to say that there is no ship would be untrue.
        unknown = {*find_hidden_categories(labels, window, self.min_visibility, scene), *_nameless(kept)}
        return [label_row(label) for label in kept], complete_categories(row["vocabulary"], unknown), sorted(unknown)


def _nameless(labels: list[Label]) -> set[str]:
    """Categories of boxes that name nothing ("ignored regions"): what lies in them was not annotated."""
    return {label.category for label in labels if label.kind == "box" and not english.singular_noun(label.category)}
