"""The whole choice, over columns: which tiles and instructions are in, in which split, and which rule dropped the rest.

One idea: a chain of rules, each of which sees what the ones before it left. Of tiles: scenes rejected in part, licences, limits
on scores, duplicates, clusters with something held out, ground too near another split; of instructions: their tile, limits on
scores, copies of one text on one picture, quotas; and last, tiles left with nothing to say.

Nothing here depends on the order of rows, on files or on a clock; pictures are seen only through `confirm`.

A duplicate is a source of more annotations, not only waste: what another source, or another task, says of the same picture at
the same size goes with the tile that stands for it.

Size, for 100 M tiles and 1 billion instructions: verdicts, clusters, places and splits are about 60 bytes a tile (6 GB), codes,
hashes and verdicts 32 bytes an instruction (32 GB), and the id columns as much as they are long (20 and 90 GB). Passes: one
over each column, one sort of the signatures, one lookup of each instruction's tile. Measured: benchmarks/select_phase.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config import Balance, Select
from rsflow.curation.balance import row_values
from rsflow.curation.candidates import Confirm
from rsflow.curation.duplicates import find_duplicates, of_rows
from rsflow.curation.embeddings import Embedded
from rsflow.curation.ground import boxes_of, regions_of
from rsflow.curation.groups import Indices, components
from rsflow.curation.mixture import balanced
from rsflow.curation.repeats import repeats_of
from rsflow.curation.sayings import sketch_of
from rsflow.curation.splits import FREE, NOWHERE, assign_splits, near_stronger, pins, strengths
from rsflow.curation.texts import TextsOf, alike_in_groups
from rsflow.curation.verdicts import Flags, Verdicts

BUFFER = "split_buffer"
SOURCE = "held_out:source"
TEXT = "duplicate_text"
FLOOD = "template"


@dataclass(frozen=True, slots=True)
class Choice:
    """`cluster` and `canonical` are rows of tiles, `split` is null for tiles that are not in. `carrier`: the row of the tile
    that an instruction goes with: its own, or the one that stands for it. `repeat`: how often a tile is to be shown."""

    tiles: Verdicts
    cluster: Indices
    canonical: Indices
    split: pa.Array
    instructions: Verdicts
    carrier: Indices
    repeat: Indices


def choose(
    tiles: pa.Table,
    instructions: pa.Table,
    settings: Select,
    seed: int,
    confirm: Confirm,
    caught: pa.Array | None = None,
    embedded: Embedded | None = None,
    texts_of: TextsOf | None = None,
) -> Choice:
    """Decide over all rows.

    `tiles` has what `find_duplicates` needs and scene_id, scene_rejected, source, licence, cell, source_split, and the columns
    that `settings.limits` names. `instructions` are numbered (`rsflow.curation.numbered`), with `category` where a rule asks for
    it (`asks_category`) and the columns that `settings.instruction_limits` names. `confirm` gets rows of `tiles`. `caught`: per tile
    "<benchmark>:<test>" where it matches something that is held out, else null.
    """
    verdicts = Verdicts(tiles.num_rows)
    _single_rules(tiles, settings, verdicts)
    cluster, canonical, same = _duplicates(tiles, settings, confirm, verdicts, embedded)
    if caught is not None:
        _hold_out(cluster, caught, verdicts)
    split = _splits(tiles, cluster, settings, seed, verdicts)
    own = np.asarray(instructions["tile"]).astype(np.int64)
    carrier = _carriers(tiles, instructions["task"], own, canonical, verdicts.kept[canonical] & same)
    chosen = _instructions(instructions, tiles, own, carrier, settings, seed, verdicts, texts_of)
    _drop_silent(own, carrier, chosen, verdicts)
    split = _only(split, verdicts.kept)
    repeat = _repeats(tiles["tile_id"], split, instructions, carrier, chosen.kept, settings)
    return Choice(verdicts, cluster, canonical, split, chosen, carrier, repeat)


def asks_category(settings: Select) -> bool:
    """Whether any rule looks at the categories that an instruction is about."""
    wanted = settings.balance or Balance()
    keyed = any("category:" in key for key in [*settings.quotas, *wanted.keys()])
    return keyed or bool(wanted.per_category or wanted.least_per_category or wanted.repeat)


def _single_rules(tiles: pa.Table, settings: Select, verdicts: Verdicts) -> None:
    """The rules that look at one tile at a time."""
    verdicts.drop(np.asarray(tiles["scene_rejected"]), "scene_rejected")
    licences = _one(pc.dictionary_encode(tiles["licence"]))
    allowed = np.array([settings.allows(name) for name in licences.dictionary.to_pylist()], dtype=np.bool_)
    verdicts.drop(~allowed[np.asarray(licences.indices)], "licence")
    _limit(tiles, settings.limits, verdicts)


def _limit(rows: pa.Table, limits: Mapping[Any, tuple[float | None, float | None]], verdicts: Verdicts) -> None:
    for column, (least, most) in limits.items():
        values = np.asarray(rows[column].cast(pa.float64()).fill_null(np.nan))
        # Comparisons with NaN are false: what was not measured is beyond no limit.
        verdicts.drop(values < (-np.inf if least is None else least), f"limit:{column}")
        verdicts.drop(values > (np.inf if most is None else most), f"limit:{column}")


def _duplicates(
    tiles: pa.Table, settings: Select, confirm: Confirm, verdicts: Verdicts, embedded: Embedded | None
) -> tuple[Indices, Indices, Flags]:
    """The row that names each tile's cluster, the row that stands for it, and whether that one shows the very same picture.

    The others of the cluster are dropped.
    """
    rows = np.flatnonzero(verdicts.kept)
    taken = tiles.take(pa.array(rows)) if len(rows) < tiles.num_rows else tiles
    ask = (lambda pairs: confirm(of_rows(rows, pairs))) if len(rows) < tiles.num_rows else confirm
    some = embedded.of(rows) if embedded else None
    found = find_duplicates(taken, settings.near_bits, ask, settings.licence_preference, some)
    verdicts.drop_each(rows, found["reason"])
    names = _one(found["tile_id"])
    cluster, canonical = np.arange(tiles.num_rows), np.arange(tiles.num_rows)
    cluster[rows] = rows[np.asarray(pc.index_in(found["cluster"], value_set=names))]
    canonical[rows] = rows[np.asarray(pc.index_in(found["canonical"], value_set=names))]
    same = np.ones(tiles.num_rows, dtype=np.bool_)
    same[rows] = np.asarray(found["same_picture"])
    return cluster, canonical, same


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


def _carriers(tiles: pa.Table, task: pa.ChunkedArray, own: Indices, canonical: Indices, may: Flags) -> Indices:
    """The tile that each instruction goes with: the one that stands for its own, where it may say something new of it.

    That is where the two show the very same picture (`may`: exact and near duplicates, not flipped, shifted or merely similar
    ones), have one sensor and one size (so boxes fit), and where they are of two sources, or the tile that stays has no
    instruction of this task. A copy within one source would repeat what is said already, in other words.

    So this is where the annotations of a cluster unite: as instructions, each still made from the labels of its own tile and
    naming them (`label_ids`), whether a person or a model made these. A pseudo-labelled twin of an annotated tile gives its
    instructions too, under the same condition; labels themselves stay with their tiles.
    """
    fits = may & (canonical != np.arange(len(canonical)))
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
    instructions: pa.Table,
    tiles: pa.Table,
    own: Indices,
    carrier: Indices,
    settings: Select,
    seed: int,
    verdicts: Verdicts,
    texts_of: TextsOf | None,
) -> Verdicts:
    chosen = Verdicts(instructions.num_rows)
    chosen.drop_each(np.arange(instructions.num_rows), verdicts.take(carrier, "tile:"))
    _limit(instructions, settings.instruction_limits, chosen)
    _drop_repeats(instructions, own != carrier, carrier, chosen)
    if texts_of and instructions.num_rows:
        _drop_alike(instructions, own != carrier, carrier, settings, texts_of, chosen)
    if settings.max_template_share is not None and instructions.num_rows:
        _drop_floods(instructions, settings.max_template_share, chosen)
    rows = np.flatnonzero(chosen.kept)
    keyed = {name: _of_tiles(tiles[name], carrier[rows]) for name in ("sensor", "source", "licence")}
    some = [name for name in ("order", "task", "category") if name in instructions.column_names]
    taken = instructions.select(some).take(pa.array(rows)) if len(rows) < instructions.num_rows else instructions.select(some)
    for name, values in keyed.items():
        taken = taken.append_column(name, values)
    region = regions_of(boxes_of(tiles["footprint"]), settings.regions, settings.region_deg)
    taken = taken.append_column("region", _of_tiles(region, carrier[rows]))
    chosen.drop_each(rows, balanced(taken, settings.quotas, settings.balance or Balance(), seed))
    return chosen


def _repeats(
    ids: pa.ChunkedArray, split: pa.Array, instructions: pa.Table, carrier: Indices, kept: Flags, settings: Select
) -> Indices:
    """1 for every tile that is in, more for those of the largest split that rare categories ask for; 0 for the others."""
    shown = np.asarray(split.is_valid()).astype(np.int64)
    if settings.balance is None or settings.balance.repeat is None:
        return shown
    rows = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(split, strengths(settings.splits)[0]), False)))
    place = np.full(len(shown), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    row, category = row_values(instructions["category"])
    place_of = place[carrier[row]]
    trained = kept[row] & (place_of >= 0)
    shown[rows] = repeats_of(ids.take(pa.array(rows)), place_of[trained], category[trained], settings.balance.repeat)
    return shown


def _drop_repeats(instructions: pa.Table, guest: Flags, carrier: Indices, chosen: Verdicts) -> None:
    """Of instructions that say the same on one tile, one stays: the tile's own, else that which comes first."""
    guests = np.flatnonzero(chosen.kept & guest)
    if not len(guests):
        return
    rows = np.flatnonzero(np.isin(carrier, np.unique(carrier[guests])) & chosen.kept)
    said, first = (np.asarray(instructions[name])[rows] for name in ("said", "order"))
    order = np.lexsort((first, guest[rows], said, carrier[rows]))
    same = (np.diff(carrier[rows][order]) == 0) & (said[order][1:] == said[order][:-1])
    chosen.drop(rows[order[1:][same]], TEXT)


def _drop_alike(
    instructions: pa.Table, guest: Flags, carrier: Indices, settings: Select, texts_of: TextsOf, chosen: Verdicts
) -> None:
    """Of instructions of any task that say the same of one picture, or nearly, one stays: as above."""
    rows = np.flatnonzero(chosen.kept)
    sketches = sketch_of(instructions, rows)
    pairs = alike_in_groups(carrier[rows], sketches, settings.same_text or 1.0, lambda some: texts_of(rows[some]))
    label = components(len(rows), pairs)
    order = np.lexsort((np.asarray(instructions["order"])[rows], guest[rows], label))
    chosen.drop(rows[order[1:][np.diff(label[order]) == 0]], TEXT)


def _drop_floods(instructions: pa.Table, share: float, chosen: Verdicts) -> None:
    """Of one form of words, at most this share of all that its task has; those stay that come first."""
    rows = np.flatnonzero(chosen.kept)
    task = _codes(instructions["task"])[rows]
    form, first = (np.asarray(instructions[name])[rows] for name in ("form", "order"))
    order = np.lexsort((first, form, task))
    new = np.concatenate([[True], (np.diff(task[order]) != 0) | (np.diff(form[order]) != 0)])[: len(rows)]
    start = np.flatnonzero(new)[np.cumsum(new) - 1]
    most = np.maximum(np.floor(np.bincount(task) * share), 1)
    chosen.drop(rows[order[np.arange(len(rows)) - start >= most[task[order]]]], FLOOD)


def _drop_silent(own: Indices, carrier: Indices, chosen: Verdicts, verdicts: Verdicts) -> None:
    """Tiles that are in but have nothing to be trained on: `no_instruction` from the start, `quota` since the quotas."""
    count = len(verdicts.kept)
    had, has = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    had[own] = True
    had[carrier] = True
    has[carrier[chosen.kept]] = True
    verdicts.drop(had & ~has, "quota")
    verdicts.drop(~has, "no_instruction")


def _of_tiles(values: pa.Array | pa.ChunkedArray, rows: Indices) -> pa.DictionaryArray:
    """A column of the tiles for many rows, without copying a text per row."""
    encoded = _one(values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values))
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
