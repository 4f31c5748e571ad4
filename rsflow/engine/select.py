"""The select phase: which tiles and instructions are in, decided on columns; every drop has its reason in `selection`.

In order: tiles of scenes that were rejected in part, licences that are not allowed, duplicates (pixels are read only to confirm
candidates), quotas, and tiles left without an instruction. Splits are dealt to what remains, by ground cell and cluster.

The result is a pure function of the rows that count and the settings; its digest is written beside it, so selecting again
from the same rows is known to be done.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow import storage
from rsflow.config import BuildConfig, Select
from rsflow.curation.balance import apply_quotas
from rsflow.curation.candidates import Confirm
from rsflow.curation.duplicates import alike, find_duplicates
from rsflow.curation.signature import thumbnail
from rsflow.curation.splits import assign_splits
from rsflow.engine.current import Current
from rsflow.lake.pictures import read_pictures
from rsflow.lake.tables import Lake, of_values
from rsflow.schemas import SELECTION
from rsflow.stage import fingerprint
from rsflow.tiles.encode import decode

VERSION = 2
COLUMNS = [
    *("tile_id", "scene_id", "sensor", "licence", "picture_sha256", "pixels_sha256", "signature", "height_px", "width_px"),
    *("gsd_m", "footprint", "acquired_at", "cell", "file", "row_group", "row"),
]


@dataclass(frozen=True, slots=True)
class Selected:
    """Counts of one selection: rows in, and rows by reason (`kept` among them), for tiles and for instructions."""

    digest: str
    tiles: dict[str, int]
    instructions: dict[str, int]


def select(built: BuildConfig, lake: Lake, now: Current) -> Selected:
    """Decide, write the `selection` table, and say what was decided."""
    digest = selection_digest(built, now)
    known = last_selection(lake)
    if known and known.digest == digest:
        return known
    tiles = _tiles(now)
    reasons, clusters = _drop_tiles(built.select, lake, tiles, now)
    instructions, instruction_reasons = _drop_instructions(built, now, tiles, reasons)
    reasons = _without_instructions(tiles, reasons, instructions, instruction_reasons)
    kept = np.array([reason == "kept" for reason in reasons], dtype=bool)
    splits = _splits(built, tiles, clusters, kept)
    rows = _rows(tiles, reasons, clusters, splits, instructions, instruction_reasons)
    lake.overwrite("selection", rows)
    result = Selected(digest, dict(Counter(reasons)), dict(Counter(instruction_reasons)))
    storage.write_bytes(lake.place("selection.json"), json.dumps(_plain(result), indent=1, sort_keys=True).encode())
    return result


def selection_digest(built: BuildConfig, now: Current) -> str:
    """Of all that a selection depends on."""
    units = [unit for marks in (now.label, now.instruct) for unit in marks["unit"].to_pylist()]
    return fingerprint(VERSION, built.select, built.seed, sorted(units))


def last_selection(lake: Lake) -> Selected | None:
    """What the `selection` table holds, or None before the first selection."""
    place = lake.place("selection.json")
    return Selected(**json.loads(storage.read_text(place))) if storage.exists(place) else None


def _plain(selected: Selected) -> dict[str, Any]:
    return {name: getattr(selected, name) for name in ("digest", "tiles", "instructions")}


def _tiles(now: Current) -> pa.Table:
    """The tiles with the number of their annotations, which decides who stands for a cluster."""
    tiles = now.tiles(COLUMNS)
    labels = now.labels(["label_id", "tile_id", "origin"])
    counts = labels.filter(pc.equal(labels["origin"], "annotation")).group_by("tile_id").aggregate([("tile_id", "count")])
    number = dict(zip(counts["tile_id"].to_pylist(), counts["tile_id_count"].to_pylist(), strict=True))
    return tiles.append_column("n_labels", pa.array([number.get(tile, 0) for tile in tiles["tile_id"].to_pylist()], pa.int64()))


def _drop_tiles(settings: Select, lake: Lake, tiles: pa.Table, now: Current) -> tuple[list[str], pa.Table]:
    """A reason per tile, and the clusters of all tiles (tile_id, cluster, canonical; a tile on its own is its own cluster)."""
    rejected = now.rejected_scenes
    reasons = [
        "scene_rejected" if scene in rejected else "licence" if not settings.allows(licence) else "kept"
        for scene, licence in zip(tiles["scene_id"].to_pylist(), tiles["licence"].to_pylist(), strict=True)
    ]
    kept = np.flatnonzero([reason == "kept" for reason in reasons])
    candidates = tiles.take(pa.array(kept))
    found = find_duplicates(candidates, settings.near_bits, _confirmation(lake, candidates, settings.confirm_mae))
    own = tiles["tile_id"].to_pylist()
    cluster, canonical = list(own), list(own)
    for position, row in zip(kept.tolist(), found.to_pylist(), strict=True):
        reasons[position] = row["reason"] or "kept"
        cluster[position], canonical[position] = row["cluster"], row["canonical"]
    return reasons, pa.table({"tile_id": tiles["tile_id"], "cluster": cluster, "canonical": canonical})


def _confirmation(lake: Lake, tiles: pa.Table, most: float) -> Confirm:
    """The function that tells for pairs of rows whether their pictures are the same; it reads just these pictures."""
    rows = tiles.select(["tile_id", "file", "row_group", "row"])

    def confirm(pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        wanted, positions = np.unique(pairs, return_inverse=True)
        asked = rows.take(pa.array(wanted)).to_pylist()
        pictures = read_pictures(lake.root, asked)
        thumbnails = np.stack([thumbnail(decode(pictures[row["tile_id"]])) for row in asked])
        return alike(thumbnails, positions.reshape(pairs.shape), most)

    return confirm


def _drop_instructions(built: BuildConfig, now: Current, tiles: pa.Table, reasons: list[str]) -> tuple[pa.Table, list[str]]:
    """The instructions of all tiles with their sensor, and a reason for each."""
    instructions = now.instructions(["instruction_id", "tile_id", "task"])
    position = {tile: i for i, tile in enumerate(tiles["tile_id"].to_pylist())}
    of_tile = [position[tile] for tile in instructions["tile_id"].to_pylist()]
    instructions = instructions.append_column("sensor", tiles["sensor"].take(pa.array(of_tile, pa.int64())))
    found = ["kept" if reasons[i] == "kept" else f"tile:{reasons[i]}" for i in of_tile]
    kept = np.flatnonzero([reason == "kept" for reason in found])
    selected, why = apply_quotas(instructions.take(pa.array(kept)), built.select.quotas, built.seed)
    for place, fits, reason in zip(kept.tolist(), selected.to_pylist(), why.to_pylist(), strict=True):
        if not fits:
            found[place] = reason
    return instructions, found


def _without_instructions(tiles: pa.Table, reasons: list[str], instructions: pa.Table, why: list[str]) -> list[str]:
    """Tiles that are in but have nothing to be trained on: `no_instruction` from the start, `quota` since the quotas."""
    had = set(instructions["tile_id"].to_pylist())
    has = {tile for tile, reason in zip(instructions["tile_id"].to_pylist(), why, strict=True) if reason == "kept"}
    return [
        reason if reason != "kept" or tile in has else "quota" if tile in had else "no_instruction"
        for tile, reason in zip(tiles["tile_id"].to_pylist(), reasons, strict=True)
    ]


def _splits(built: BuildConfig, tiles: pa.Table, clusters: pa.Table, kept: npt.NDArray[np.bool_]) -> list[str | None]:
    """The split of every tile that stays; null for the others."""
    stay = np.flatnonzero(kept)
    table = tiles.select(["tile_id", "cell", "scene_id"]).append_column("cluster", clusters["cluster"]).take(pa.array(stay))
    splits: list[str | None] = [None] * tiles.num_rows
    for position, name in zip(stay.tolist(), assign_splits(table, built.select.splits, built.seed).to_pylist(), strict=True):
        splits[position] = name
    return splits


def _rows(
    tiles: pa.Table, reasons: list[str], clusters: pa.Table, splits: list[str | None], instructions: pa.Table, why: list[str]
) -> pa.Table:
    of_tiles = pa.table(
        {
            "kind": ["tile"] * tiles.num_rows,
            "subject": tiles["tile_id"],
            "tile_id": tiles["tile_id"],
            "task": pa.nulls(tiles.num_rows, pa.string()),
            "sensor": tiles["sensor"],
            "selected": [reason == "kept" for reason in reasons],
            "reason": reasons,
            "cluster": clusters["cluster"],
            "canonical": clusters["canonical"],
            "split": pa.array(splits, pa.string()),
            "cell": tiles["cell"],
        }
    )
    of_instructions = pa.table(
        {
            "kind": ["instruction"] * instructions.num_rows,
            "subject": instructions["instruction_id"],
            "tile_id": instructions["tile_id"],
            "task": instructions["task"],
            "sensor": instructions["sensor"],
            "selected": [reason == "kept" for reason in why],
            "reason": why,
            **{name: pa.nulls(instructions.num_rows, pa.string()) for name in ("cluster", "canonical", "split", "cell")},
        }
    )
    return pa.concat_tables([of_tiles.cast(SELECTION), of_instructions.cast(SELECTION)])


def selected_rows(lake: Lake, now: Current) -> tuple[pa.Table, pa.Table]:
    """(tiles with their split, instructions) that are in, as TILES and INSTRUCTIONS rows."""
    chosen = lake.read("selection")
    chosen = chosen.filter(chosen["selected"])
    tiles = chosen.filter(pc.equal(chosen["kind"], "tile"))
    split = dict(zip(tiles["tile_id"].to_pylist(), tiles["split"].to_pylist(), strict=True))
    rows = of_values(now.tiles(), "tile_id", tiles["tile_id"])
    rows = rows.append_column("split", pa.array([split[tile] for tile in rows["tile_id"].to_pylist()], pa.string()))
    ids = chosen.filter(pc.equal(chosen["kind"], "instruction"))["subject"]
    return rows, of_values(now.instructions(), "instruction_id", ids)
