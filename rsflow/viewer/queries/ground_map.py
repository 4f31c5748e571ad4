"""Where samples lie: outlines of footprints where few are in view, else counts per cell of a grid over the view."""

from __future__ import annotations

from typing import Any

from rsflow.viewer.index.lake_rows import LakeRows
from rsflow.viewer.queries.filters import SampleFilter
from rsflow.viewer.queries.pages import condition_of

MOST_OUTLINES = 1_500
CELLS = 96  # of the grid, along the longer side


def ground_map(rows: LakeRows, chosen: SampleFilter) -> dict[str, Any]:
    """`extent`: west, south, east, north of all that a filter lets through (null where nothing has a place), `placed` and
    `unplaced` samples; `outlines` (key, split, selected, ring) or `cells` (west, south, east, north, split, count)."""
    condition, parameters, tables = condition_of(rows, chosen)
    summed = rows.index.table(
        "SELECT min(west) AS west, min(south) AS south, max(east) AS east, max(north) AS north, count(west) AS placed, "
        f"count(*) - count(west) AS unplaced FROM samples s WHERE {condition}",
        parameters,
        tables,
    ).to_pylist()[0]
    extent = [summed.pop(name) for name in ("west", "south", "east", "north")]
    found: dict[str, Any] = {**summed, "extent": extent if extent[0] is not None else None, "outlines": [], "cells": []}
    if not found["placed"]:
        return found
    if found["placed"] <= MOST_OUTLINES:
        return {**found, "outlines": _outlines(rows, condition, parameters, tables)}
    west, south, east, north = chosen.box or extent
    step = max(east - west, north - south, 1e-9) / CELLS
    query = (
        "SELECT split, count(*) AS count, CAST(floor(((west + east) / 2 - $w) / $step) AS INTEGER) AS across, "
        f"CAST(floor(((south + north) / 2 - $s) / $step) AS INTEGER) AS up FROM samples s WHERE {condition} "
        "AND west IS NOT NULL GROUP BY split, across, up ORDER BY up, across, split"
    )
    cells = rows.index.table(query, {**parameters, "w": west, "s": south, "step": step}, tables).to_pylist()
    found["cells"] = [
        [west + cell["across"] * step, south + cell["up"] * step, step, cell["split"], cell["count"]] for cell in cells
    ]
    return found


def _outlines(rows: LakeRows, condition: str, parameters: dict[str, Any], tables: dict[str, Any]) -> list[list[Any]]:
    query = f"SELECT tile_id, key, split, selected FROM samples s WHERE {condition} AND west IS NOT NULL ORDER BY n"
    known = rows.index.table(query, parameters, tables).to_pylist()
    rings = {
        row["tile_id"]: row["footprint"]
        for row in rows.read("tiles", "tile_id", [row["tile_id"] for row in known], ["tile_id", "footprint"])
    }
    return [[row["key"], row["split"], row["selected"], rings.get(row["tile_id"])] for row in known]
