"""The select phase: which tiles and instructions are in, decided on columns; every drop has its reason in `selection`.

One idea: this module reads columns and writes the verdicts; what is decided, and in which order, is `rsflow.curation.choose`.
Pixels are read only to confirm candidates for near duplicates.

The result is a pure function of the rows that count and the settings; its digest is written beside it, so selecting again
from the same rows is known to be done. The digest goes first and comes back last: a table that was left half written is not
taken for a selection.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow import storage
from rsflow.config import Balance, BuildConfig, Select
from rsflow.curation.candidates import Confirm
from rsflow.curation.choose import Choice, choose
from rsflow.curation.duplicates import alike
from rsflow.curation.signature import thumbnail
from rsflow.engine.current import Current
from rsflow.engine.held_out import caught, held_out_key
from rsflow.lake.pictures import read_pictures
from rsflow.lake.receipts import rows_of
from rsflow.lake.tables import Lake, of_values
from rsflow.schemas import SELECTION
from rsflow.stage import fingerprint
from rsflow.tiles.encode import decode

VERSION = 3
COLUMNS = [
    *("tile_id", "scene_id", "source", "sensor", "licence", "picture_sha256", "pixels_sha256", "signature", "height_px"),
    *("width_px", "gsd_m", "footprint", "acquired_at", "cell", "source_split", "file", "row_group", "row"),
]
PIECE = 2_000_000  # instructions written at a time: as texts, a piece is about 400 MB


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
    storage.remove(lake.place("selection.json"))
    tiles = _tiles(built, now)
    instructions = _instructions(built.select, now)
    confirm = _confirmation(lake, tiles, built.select.confirm_mae)
    choice = choose(tiles, instructions, built.select, built.seed, confirm, caught(built.select, lake, tiles))
    for number, rows in enumerate(selection_rows(tiles, instructions, choice)):
        (lake.append if number else lake.overwrite)("selection", rows)
    result = Selected(digest, choice.tiles.counts(), choice.instructions.counts())
    storage.write_bytes(lake.place("selection.json"), json.dumps(asdict(result), indent=1, sort_keys=True).encode())
    return result


def selection_digest(built: BuildConfig, now: Current) -> str:
    """Of all that a selection depends on."""
    units = [unit for marks in (now.label, now.instruct) for unit in marks["unit"].to_pylist()]
    return fingerprint(VERSION, built.select, built.seed, sorted(units), held_out_key(built.select))


def last_selection(lake: Lake) -> Selected | None:
    """What the `selection` table holds, or None before the first selection."""
    names = [field.name for field in fields(Selected)]
    told = lake.note("selection.json", names)
    return Selected(**{name: told[name] for name in names}) if told else None


def selection_rows(tiles: pa.Table, instructions: pa.Table, choice: Choice) -> Iterator[pa.Table]:
    """The rows of the `selection` table, in pieces: all tiles first."""
    ids, reasons = tiles["tile_id"], choice.tiles.texts()
    yield _piece(
        {
            "kind": pa.repeat("tile", tiles.num_rows),
            "subject": ids,
            "tile_id": ids,
            "sensor": tiles["sensor"],
            "selected": choice.tiles.kept,
            "reason": reasons.cast(pa.string()),
            "cluster": ids.take(pa.array(choice.cluster)),
            "canonical": ids.take(pa.array(choice.canonical)),
            "split": choice.split,
            "cell": tiles["cell"],
        }
    )
    reasons, kept = choice.instructions.texts(), choice.instructions.kept
    for start in range(0, instructions.num_rows, PIECE):
        part = instructions.slice(start, PIECE)
        rows = slice(start, start + part.num_rows)
        carrier = pa.array(choice.carrier[rows])
        yield _piece(
            {
                "kind": pa.repeat("instruction", part.num_rows),
                "subject": part["instruction_id"],
                "tile_id": ids.take(carrier),
                "task": part["task"],
                "sensor": tiles["sensor"].take(carrier),
                "selected": kept[rows],
                "reason": reasons[rows].cast(pa.string()),
            }
        )


def selected_rows(lake: Lake, now: Current) -> tuple[pa.Table, pa.Table]:
    """(tiles with their split, instructions) that are in, as TILES and INSTRUCTIONS rows.

    The `tile_id` of an instruction is the tile that it goes with, which may stand for the one that it was made for.
    """
    chosen = lake.read("selection", ["kind", "subject", "tile_id", "selected", "split"])
    chosen = chosen.filter(chosen["selected"])
    tiles = chosen.filter(pc.equal(chosen["kind"], "tile"))
    rows = of_values(now.tiles(), "tile_id", tiles["tile_id"])
    rows = rows.append_column("split", _looked_up(rows["tile_id"], tiles["tile_id"], tiles["split"]))
    chosen = chosen.filter(pc.equal(chosen["kind"], "instruction"))
    instructions = of_values(now.instructions(), "instruction_id", chosen["subject"])
    carrier = _looked_up(instructions["instruction_id"], chosen["subject"], chosen["tile_id"])
    return rows, instructions.set_column(instructions.schema.get_field_index("tile_id"), "tile_id", carrier)


def _tiles(built: BuildConfig, now: Current) -> pa.Table:
    """The tiles with the number of their annotations, which decides who stands for a cluster."""
    tiles = now.tiles(list(dict.fromkeys([*COLUMNS, *built.select.limits])))
    rejected = pa.array(sorted(now.rejected_scenes), pa.string())
    labels = rows_of(now.lake, "labels", now.label["receipt"], ["tile_id", "origin"])
    counts = labels.filter(pc.equal(labels["origin"], "annotation")).group_by("tile_id").aggregate([("tile_id", "count")])
    number = _looked_up(tiles["tile_id"], counts["tile_id"], counts["tile_id_count"])
    tiles = tiles.append_column("n_labels", pc.fill_null(number, 0))
    return tiles.append_column("scene_rejected", pc.is_in(tiles["scene_id"], value_set=rejected))


def _instructions(settings: Select, now: Current) -> pa.Table:
    """In no order: there are too many to sort for nothing. With the categories they are about only where a rule asks."""
    columns = ["instruction_id", "tile_id", "task"]
    wanted = settings.balance or Balance()
    keys = [*settings.quotas, *wanted.keys()]
    if not wanted.per_category and not any("category:" in key for key in keys):
        return rows_of(now.lake, "instructions", now.instruct["receipt"], columns).select(columns)
    rows = rows_of(now.lake, "instructions", now.instruct["receipt"], [*columns, "label_ids"])
    return rows.select(columns).append_column("category", _categories(now, rows["label_ids"]))


def _categories(now: Current, label_ids: pa.ChunkedArray) -> pa.ListArray:
    """The categories of the labels that each instruction rests on."""
    labels = rows_of(now.lake, "labels", now.label["receipt"], ["label_id", "category"])
    lists = label_ids.combine_chunks()
    parents = np.asarray(pc.list_parent_indices(lists))
    named = _looked_up(lists.flatten(), labels["label_id"], labels["category"]).combine_chunks()
    offsets = np.searchsorted(parents, np.arange(len(lists) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), named)


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


def _looked_up(keys: pa.Array | pa.ChunkedArray, known: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """For each key the value beside it in `known`, or null."""
    return values.take(pc.index_in(keys, value_set=known.combine_chunks()))


def _piece(columns: dict[str, Any]) -> pa.Table:
    rows = len(columns["kind"])
    every = {f.name: columns.get(f.name, pa.nulls(rows, f.type)) for f in SELECTION}
    return pa.table(every).cast(SELECTION)
