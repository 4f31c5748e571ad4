"""Which pictures of other sensors a sample holds beside its own (`shard.companions`).

One idea: a companion is what the selection had nothing against and a reader of the sample's texts would expect. What shares
ground with a tile that is in, and was neither held out nor gave way at an edge, is on the tile's side of every split; that it
has no texts of its own does not matter. Where a text compares sensors, the sample holds the very picture that was compared, or
none of that sensor.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import first_equal_row
from rsflow.curation.drop_reasons import KEPT, Flags
from rsflow.planning.groups.companion_pairs import Pairs, best_fitting, showing
from rsflow.planning.groups.group_samples import group_pictures
from rsflow.planning.live_rows import LiveRows
from rsflow.schemas import COMPANIONS, OF_MEMBER
from rsflow.schemas.rows import filter_by_values

ALLOWED = (KEPT, "no_instruction", "quota")  # the last two of a tile lack texts, and passed every rule on pictures

_DAY_US = 86_400_000_000


def companions_of(now: LiveRows, tiles: pa.Table, instructions: pa.Table, sensors: Sequence[str]) -> pa.Table:
    """COMPANIONS rows for these selected tiles and instructions, sorted by tile, then sensor."""
    if not sensors:
        return COMPANIONS.empty_table()
    others = now.tiles()
    verdicts = now.lake.read("selection", ["kind", "subject", "reason"], where={"kind": "tile"})
    is_allowed = _among(others, filter_by_values(verdicts, "reason", ALLOWED)["subject"])
    compares, carries = comparing(instructions)
    pairs = showing(tiles, others)
    pairs = pairs.take(~_among(tiles, carries)[pairs.one])
    found = select_companions(pairs, tiles, others, is_allowed, _among(tiles, compares), sensors)
    rows = others.take(pa.array(found.other)).append_column("companion_of", tiles["tile_id"].take(pa.array(found.one)))
    # Beyond that, digits depend on the release of GEOS.
    for name, values in (("iou", found.iou), ("shown", found.shown)):
        rows = rows.append_column(name, pa.array(values.round(3)))
    for name in ("number", *OF_MEMBER):
        rows = rows.append_column(name, pa.nulls(rows.num_rows, COMPANIONS.field(name).type))
    return rows.select(COMPANIONS.names)


def select_companions(
    pairs: Pairs, tiles: pa.Table, others: pa.Table, is_allowed: Flags, compared: Flags, sensors: Sequence[str]
) -> Pairs:
    """For each tile at most one other of each of `sensors`, sorted by tile and sensor.

    Of those that may be taken (`is_allowed`, by row of `others`), the one whose outline fits best, to a hundredth; then the
    nearest in time; then the first. A tile with texts that compare sensors (`compared`) holds the one that was compared, or
    none of its sensor. Columns of both tables: sensor, acquired_at (may be null).
    """
    kind = np.asarray(pc.index_in(others["sensor"], value_set=pa.array(sorted({*sensors}), pa.string())).fill_null(-1))
    named = best_fitting(pairs)
    fixed = np.full(tiles.num_rows, -1)
    fixed[named.one] = named.other
    fixed[~compared] = -1
    bound = fixed[pairs.one]
    free = (bound < 0) | (bound == pairs.other) | (kind[bound] != kind[pairs.other])
    left = pairs.take(is_allowed[pairs.other] & free & (kind[pairs.other] >= 0))
    days_between = np.abs(_days(tiles)[left.one] - _days(others)[left.other])
    order = np.lexsort((left.other, np.nan_to_num(days_between, nan=np.inf), -left.iou.round(2), kind[left.other], left.one))
    places = np.stack([left.one, kind[left.other]], axis=1)[order]
    return left.take(order[np.unique(places, axis=0, return_index=True)[1]])


def group_members(now: LiveRows, tiles: pa.Table) -> pa.Table:
    """COMPANIONS rows of all pictures of the groups among these selected samples, in the order of groups and pictures."""
    chosen = tiles.filter(pc.is_valid(tiles["group"]))["tile_id"]
    if not len(chosen):
        return COMPANIONS.empty_table()
    return group_pictures(filter_by_values(now.groups(), "group_id", chosen), now.tiles())


def further_members(members: pa.Table) -> pa.Table:
    """The pictures of groups without the first of each, which is the sample's own."""
    return members.filter(pc.greater(members["number"], 1))


def with_companions(tiles: pa.Table, companions: pa.Table) -> pa.Table:
    """The tiles, and the companions that are not among them, in every split that shows them: all that a snapshot can leak."""
    if not companions.num_rows:
        return tiles
    # A group is shown as its members.
    single = tiles.filter(pc.is_null(tiles["group"]))
    split = tiles["split"].take(pc.index_in(companions["companion_of"], value_set=tiles["tile_id"].combine_chunks()))
    others = companions.append_column("split", split)
    for name in ("repeat", "group"):
        others = others.append_column(name, pa.nulls(len(split), tiles.schema.field(name).type))
    every = pa.concat_tables([single, others.select(tiles.column_names)])
    first = first_equal_row(pc.binary_join_element_wise(every["split"], every["tile_id"], "/"))
    return every.filter(pa.array(first == np.arange(len(first))))


def comparing(instructions: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """The tiles with texts that compare sensors; and those of them that carry one of another tile, which they stand for: its
    ground need not be theirs."""
    rows = filter_by_values(instructions.select(["instruction_id", "tile_id", "task", "answer"]), "task", ["reasoning"])
    topics = [json.loads(answer).get("topic") for answer in rows["answer"].to_pylist()]
    rows = rows.filter(pa.array([topic == "sensors" for topic in topics], pa.bool_()))
    made_for = pa.array([name.rsplit("#", 2)[0] for name in rows["instruction_id"].to_pylist()], pa.string())
    return rows["tile_id"], rows["tile_id"].filter(pc.not_equal(rows["tile_id"], made_for))


def _among(tiles: pa.Table, ids: pa.ChunkedArray) -> Flags:
    return np.asarray(pc.is_in(tiles["tile_id"], value_set=ids.combine_chunks()), dtype=np.bool_)


def _days(rows: pa.Table) -> npt.NDArray[np.float64]:
    """When each was acquired, in days; NaN where that is not known."""
    times = rows["acquired_at"].cast(pa.int64()).cast(pa.float64()).fill_null(np.nan)
    return np.asarray(times) / _DAY_US
