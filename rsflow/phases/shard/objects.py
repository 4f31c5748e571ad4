"""The objects that samples hold: the boxes and outlines of selected tiles, as far as they are trusted.

One idea: annotated objects are all held, whatever their texts name or list; those that labellers found are held where they may
feed a text (rsflow.instructions.facts.tile_facts.trusted_labels).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.settings import Labels
from rsflow.instructions.facts.tile_facts import trusted_labels
from rsflow.planning.live_rows import LiveRows
from rsflow.schemas import INSTRUCT_TILE_COLUMNS, LABELS, OBJECTS, label_sort_key
from rsflow.schemas.rows import filter_by_values
from rsflow.stages.instruct.instruct_tiles import facts_of


def objects_of(now: LiveRows, tiles: pa.Table, settings: Labels) -> pa.Table:
    """OBJECTS rows of these selected tiles (TILES rows), sorted by tile and the label's place in it."""
    columns = [name for name in LABELS.names if name not in {"unit", "receipt"}]
    labels = filter_by_values(now.labels(columns), "tile_id", tiles["tile_id"])
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in labels.filter(pc.equal(labels["kind"], "box")).to_pylist():
        rows[row["tile_id"]].append(row)
    facts = tiles.select(INSTRUCT_TILE_COLUMNS)
    kept = (_usable(tile, rows.get(tile["tile_id"], []), settings) for tile in facts.sort_by("tile_id").to_pylist())
    found = [row for mine in kept for row in mine]
    return pa.Table.from_pylist([{name: row[name] for name in OBJECTS.names} for row in found], schema=OBJECTS)


def _usable(tile: dict[str, Any], labels: list[dict[str, Any]], settings: Labels) -> Iterator[dict[str, Any]]:
    ordered = sorted(labels, key=lambda row: label_sort_key(row["label_id"]))
    kept = (
        set(trusted_labels(facts_of(tile, ordered), settings)) if any(row["origin"] != "annotation" for row in ordered) else ()
    )
    return (row for position, row in enumerate(ordered) if row["origin"] == "annotation" or position in kept)
