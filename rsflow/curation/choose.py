"""The whole choice, over columns: which tiles and instructions are in, in which split, and which rule dropped the rest.

One idea: a chain of rules, each of which sees what the ones before it left. Of tiles: scenes rejected in part, licences, limits
on scores, duplicates, clusters with something held out, ground too near another split; of instructions: their tile, copies of
one text on one picture, quotas; and last, tiles left with nothing to say.

Nothing here depends on the order of rows, on files or on a clock; pictures are seen only through `confirm`.

A duplicate is a source of more annotations, not only waste: what another source, or another task, says of the same picture at
the same size goes with the tile that stands for it.

Size, for 100 M tiles and 1 billion instructions: verdicts, clusters, places and splits are about 60 bytes a tile (6 GB), codes,
hashes and verdicts 32 bytes an instruction (32 GB), and the id columns as much as they are long (20 and 90 GB). Passes: one
over each column, one sort of the signatures, one lookup of each instruction's tile. Measured: benchmarks/select_phase.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config import Balance, Select
from rsflow.curation.balance import apply_quotas, cap_each
from rsflow.curation.candidates import Confirm
from rsflow.curation.duplicates import find_duplicates
from rsflow.curation.ground import boxes_of
from rsflow.curation.groups import Indices
from rsflow.curation.hashing import stable_hashes
from rsflow.curation.mixture import caps_of, check_met
from rsflow.curation.splits import FREE, NOWHERE, assign_splits, near_stronger, pins
from rsflow.curation.verdicts import Flags, Verdicts

BUFFER = "split_buffer"
SOURCE = "held_out:source"
TEXT = "duplicate_text"


@dataclass(frozen=True, slots=True)
class Choice:
    """`cluster` and `canonical` are rows of tiles, `split` is null for tiles that are not in. `carrier`: the row of the tile
    that an instruction goes with: its own, or the one that stands for it."""

    tiles: Verdicts
    cluster: Indices
    canonical: Indices
    split: pa.Array
    instructions: Verdicts
    carrier: Indices


def choose(
    tiles: pa.Table, instructions: pa.Table, settings: Select, seed: int, confirm: Confirm, caught: pa.Array | None = None
) -> Choice:
    """Decide over all rows.

    `tiles` has what `find_duplicates` needs and scene_id, scene_rejected, source, licence, cell, source_split, and the columns
    that `settings.limits` names. `instructions` has instruction_id (its tile, "#", and what it says), tile_id and task, each
    tile_id among those of `tiles`, and `category` where a quota asks for it. `confirm` gets rows of `tiles`. `caught`: per tile
    "<benchmark>:<test>" where it matches something that is held out, else null.
    """
    verdicts = Verdicts(tiles.num_rows)
    _single_rules(tiles, settings, verdicts)
    cluster, canonical = _duplicates(tiles, settings, confirm, verdicts)
    if caught is not None:
        _hold_out(cluster, caught, verdicts)
    split = _splits(tiles, cluster, settings, seed, verdicts)
    own = np.asarray(pc.index_in(instructions["tile_id"], value_set=_one(tiles["tile_id"]))).astype(np.int64)
    carrier = _carriers(tiles, instructions["task"], own, canonical, verdicts)
    chosen = _instructions(instructions, tiles, own, carrier, settings, seed, verdicts)
    _drop_silent(own, carrier, chosen, verdicts)
    return Choice(verdicts, cluster, canonical, _only(split, verdicts.kept), chosen, carrier)


def _single_rules(tiles: pa.Table, settings: Select, verdicts: Verdicts) -> None:
    """The rules that look at one tile at a time."""
    verdicts.drop(np.asarray(tiles["scene_rejected"]), "scene_rejected")
    licences = _one(pc.dictionary_encode(tiles["licence"]))
    allowed = np.array([settings.allows(name) for name in licences.dictionary.to_pylist()], dtype=np.bool_)
    verdicts.drop(~allowed[np.asarray(licences.indices)], "licence")
    for column, (least, most) in settings.limits.items():
        values = np.asarray(tiles[column].cast(pa.float64()).fill_null(np.nan))
        # Comparisons with NaN are false: what was not measured is beyond no limit.
        verdicts.drop(values < (-np.inf if least is None else least), f"limit:{column}")
        verdicts.drop(values > (np.inf if most is None else most), f"limit:{column}")


def _duplicates(tiles: pa.Table, settings: Select, confirm: Confirm, verdicts: Verdicts) -> tuple[Indices, Indices]:
    """The row that names each tile's cluster and the row that stands for it; the others of the cluster are dropped."""
    rows = np.flatnonzero(verdicts.kept)
    taken = tiles.take(pa.array(rows)) if len(rows) < tiles.num_rows else tiles
    found = find_duplicates(taken, settings.near_bits, lambda pairs: confirm(rows[pairs]))
    verdicts.drop_each(rows, found["reason"])
    names = _one(found["tile_id"])
    cluster, canonical = np.arange(tiles.num_rows), np.arange(tiles.num_rows)
    cluster[rows] = rows[np.asarray(pc.index_in(found["cluster"], value_set=names))]
    canonical[rows] = rows[np.asarray(pc.index_in(found["canonical"], value_set=names))]
    return cluster, canonical


def _hold_out(cluster: Indices, caught: pa.Array, verdicts: Verdicts) -> None:
    """What was caught leaves, and with it every duplicate that would stay in its place."""
    rows = np.flatnonzero(np.asarray(caught.is_valid()))
    by_cluster = np.full(len(cluster), -1, dtype=np.int64)
    by_cluster[cluster[rows[::-1]]] = rows[::-1]  # the first of several
    members = np.flatnonzero(by_cluster[cluster] >= 0)
    benchmark = pc.list_element(pc.split_pattern(caught.take(pa.array(by_cluster[cluster[members]])), ":"), 0)
    why = pc.coalesce(caught.take(pa.array(members)), pc.binary_join_element_wise(benchmark, "cluster", ":"))
    verdicts.drop_each(members, pc.binary_join_element_wise("held_out", why, ":"))


def _splits(tiles: pa.Table, cluster: Indices, settings: Select, seed: int, verdicts: Verdicts) -> pa.Array:
    """The split of every tile that is kept so far; what belongs to no split of ours or is too near a stronger one leaves."""
    rows = np.flatnonzero(verdicts.kept)
    strongest = np.full(len(cluster), FREE, dtype=np.int64)
    np.maximum.at(strongest, cluster, pins(tiles["source_split"], settings.source_splits, settings.splits))
    table = tiles.select(["tile_id", "cell", "scene_id"]).append_column("cluster", pa.array(cluster)).take(pa.array(rows))
    split = assign_splits(table, settings.splits, seed, strongest[cluster[rows]])
    verdicts.drop(rows[np.asarray(pc.equal(split, NOWHERE))], SOURCE)
    boxes = boxes_of(tiles["footprint"])[rows]
    verdicts.drop(rows[near_stronger(boxes, split, settings.splits, settings.buffer_m)], BUFFER)
    place = np.full(tiles.num_rows, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    return split.take(pa.array(place, mask=place < 0))


def _carriers(tiles: pa.Table, task: pa.ChunkedArray, own: Indices, canonical: Indices, verdicts: Verdicts) -> Indices:
    """The tile that each instruction goes with: the one that stands for its own, where it may say something new of it.

    That is where the two have one sensor and one size (so boxes fit), and where they are of two sources, or the tile that
    stays has no instruction of this task. A copy within one source would repeat what is said already, in other words.
    """
    fits = verdicts.kept[canonical] & (canonical != np.arange(len(canonical)))
    for name in ("sensor", "height_px", "width_px"):
        codes = _codes(tiles[name])
        fits &= codes == codes[canonical]
    moved = np.flatnonzero(fits[own])
    if not len(moved):
        return own
    tasks = _codes(task)
    width = int(tasks.max()) + 1
    target = canonical[own[moved]]
    hosts = np.zeros(len(canonical), dtype=np.bool_)
    hosts[target] = True
    at = np.flatnonzero(hosts[own])
    said = np.unique(own[at] * width + tasks[at])
    source = _codes(tiles["source"])
    new = (source[own[moved]] != source[target]) | ~np.isin(target * width + tasks[moved], said)
    carrier = own.copy()
    carrier[moved[new]] = target[new]
    return carrier


def _instructions(
    instructions: pa.Table, tiles: pa.Table, own: Indices, carrier: Indices, settings: Select, seed: int, verdicts: Verdicts
) -> Verdicts:
    chosen = Verdicts(instructions.num_rows)
    chosen.drop_each(np.arange(instructions.num_rows), verdicts.take(carrier, "tile:"))
    _drop_repeats(instructions, own != carrier, carrier, chosen)
    rows = np.flatnonzero(chosen.kept)
    keyed = {name: _of_tiles(tiles[name], carrier[rows]) for name in ("sensor", "source", "licence")}
    some = [name for name in ("instruction_id", "task", "category") if name in instructions.column_names]
    taken = instructions.select(some).take(pa.array(rows)) if len(rows) < instructions.num_rows else instructions.select(some)
    for name, values in keyed.items():
        taken = taken.append_column(name, values)
    wanted = settings.balance or Balance()
    _, why = apply_quotas(taken, caps_of(taken, settings.quotas, wanted), seed, wanted.least)
    chosen.drop_each(rows, why)
    if wanted.per_category:
        beyond = cap_each(taken["category"], wanted.per_category, taken["instruction_id"], seed)
        chosen.drop(rows[beyond], "quota:each category")
    if wanted.exactly:
        check_met(taken.filter(pa.array(chosen.kept[rows])), wanted)
    return chosen


def _drop_repeats(instructions: pa.Table, guest: Flags, carrier: Indices, chosen: Verdicts) -> None:
    """Of instructions that say the same on one tile, one stays: the tile's own, else that of the smallest id."""
    guests = np.flatnonzero(chosen.kept & guest)
    if not len(guests):
        return
    rows = np.flatnonzero(np.isin(carrier, np.unique(carrier[guests])) & chosen.kept)
    ids = instructions["instruction_id"].take(pa.array(rows))
    said = stable_hashes(pc.replace_substring_regex(ids, "^.*#([^#]*#[^#]*)$", "\\1"), 0)
    order = np.lexsort((np.asarray(pc.rank(ids)), guest[rows], said, carrier[rows]))
    same = (np.diff(carrier[rows][order]) == 0) & (said[order][1:] == said[order][:-1])
    chosen.drop(rows[order[1:][same]], TEXT)


def _drop_silent(own: Indices, carrier: Indices, chosen: Verdicts, verdicts: Verdicts) -> None:
    """Tiles that are in but have nothing to be trained on: `no_instruction` from the start, `quota` since the quotas."""
    count = len(verdicts.kept)
    had, has = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    had[own] = True
    had[carrier] = True
    has[carrier[chosen.kept]] = True
    verdicts.drop(had & ~has, "quota")
    verdicts.drop(~has, "no_instruction")


def _of_tiles(values: pa.ChunkedArray, rows: Indices) -> pa.DictionaryArray:
    """A column of the tiles for many rows, without copying a text per row."""
    encoded = _one(pc.dictionary_encode(values))
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(rows)), encoded.dictionary)


def _codes(values: pa.ChunkedArray) -> Indices:
    """Equal values, equal numbers; null is -1."""
    return np.asarray(_one(pc.dictionary_encode(values)).indices.fill_null(-1), dtype=np.int64)


def _only(values: pa.Array, rows: Flags) -> pa.Array:
    return pc.if_else(pa.array(rows), values, pa.scalar(None, pa.string()))


def _one(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
