"""The whole choice, over columns: which tiles and instructions are in, in which split, and which rule dropped the rest.

One idea: a chain of rules, each of which sees what the ones before it left. Of tiles: scenes rejected in part, licences, limits
on scores, duplicates, clusters with something held out, ground too near another split, pictures like one of another split; of
instructions: their tile, limits on scores, copies of one text on one picture, quotas; and last, tiles left with nothing to say.

Nothing here depends on the order of rows, on files or on a clock; pictures are seen only through `confirm`.

Size on paper, for 100 M tiles and 1 billion instructions: the columns of a tile are some 360 bytes, ids and digests the most
of it, and what is decided of it 100 more, together 46 GB; an instruction is 24 bytes, with what is told of texts 44, and its
tile, host and verdict 20, together 64 GB. Passes: one over each column, one sort of the instructions per rule on texts and
per cap, and as many look-ups of signatures as `rsflow.curation.duplicates.hamming` says. Nothing is shuffled; what a cluster is
sent stands in `rsflow.phases.select.lake_columns`. Measured: benchmarks/select_phase.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Balance, Select
from rsflow.curation.balance.quotas import row_values
from rsflow.curation.balance.repeat_factors import repeat_factors
from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import DropReasons, Flags
from rsflow.curation.duplicates.candidates import Confirm
from rsflow.curation.duplicates.deduplicate import confirm_by_position, deduplicate
from rsflow.curation.duplicates.embeddings import TileEmbeddings
from rsflow.curation.duplicates.partial_overlap import ConfirmRegions
from rsflow.curation.duplicates.text_similarity import ReadTexts
from rsflow.curation.select_instructions import assign_host_tiles, select_instructions
from rsflow.curation.splits.assign_splits import assign_tile_splits
from rsflow.curation.splits.split_groups import splits_by_strength
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner


@dataclass(frozen=True, slots=True)
class SelectionResult:
    """`cluster` and `canonical` are rows of tiles, `split` is null for tiles that are not in, `assigned_split` says where they
    belong. `host`: the row of the tile that an instruction goes with: its own, or the one that stands for it. `repeat`: how
    often a tile is to be shown."""

    tiles: DropReasons
    cluster: Indices
    canonical: Indices
    split: pa.Array
    assigned_split: pa.Array
    instructions: DropReasons
    host: Indices
    repeat: Indices


def select_samples(
    tiles: pa.Table,
    instructions: pa.Table,
    settings: Select,
    seed: int,
    confirm: Confirm,
    held_out_matches: pa.Array | None = None,
    embedded: TileEmbeddings | None = None,
    read_texts: ReadTexts | None = None,
    runner: TaskRunner = LOCAL_RUNNER,
    confirm_regions: ConfirmRegions | None = None,
) -> SelectionResult:
    """Decide over all rows.

    `tiles` has what `deduplicate` needs and scene_id, scene_rejected, source, licence, cell, source_split, and the columns that
    `settings.limits` names; with categories (lists) splits are dealt by these, with was_split what was dealt before stays.
    `instructions` are numbered (`rsflow.curation.instruction_columns`), with `category` where a rule asks for it
    (`needs_categories`) and the columns that `settings.instruction_limits` names. `confirm` gets rows of `tiles`.
    `held_out_matches`: per tile "<benchmark>:<test>" where it matches something that is held out, else null. `embedded`: their
    vectors, where semantic duplicates are asked for. `read_texts` gives the folded texts of instructions; without it texts are
    not compared. `runner`: where pairs are looked for. `confirm_regions` gets rows of `tiles` too; without it, or without their
    keypoints, pictures of two splits are not searched for common parts.
    """
    verdicts = DropReasons(tiles.num_rows)
    _apply_tile_rules(tiles, settings, verdicts)
    cluster, canonical, same = _drop_duplicates(tiles, settings, confirm, verdicts, embedded, runner)
    if held_out_matches is not None:
        _drop_held_out(cluster, held_out_matches, verdicts)
    assigned_split = assign_tile_splits(tiles, cluster, settings, seed, confirm, verdicts, runner, confirm_regions)
    own = np.asarray(instructions["tile"]).astype(np.int64)
    host = assign_host_tiles(tiles, instructions["task"], own, canonical, verdicts.kept[canonical] & same)
    tile_reasons = verdicts.take(host, "tile:")
    chosen = select_instructions(instructions, tiles, own, host, tile_reasons, settings, seed, read_texts)
    _drop_without_instructions(own, host, chosen, verdicts)
    split = _mask_values(assigned_split, verdicts.kept)
    repeat = _count_repeats(tiles["tile_id"], split, instructions, host, chosen.kept, settings)
    return SelectionResult(verdicts, cluster, canonical, split, assigned_split, chosen, host, repeat)


def needs_categories(settings: Select) -> bool:
    """Whether any rule looks at the categories that an instruction is about."""
    balance = settings.balance or Balance()
    keyed = any("category:" in key for key in [*settings.quotas, *balance.keys()])
    return keyed or bool(balance.per_category or balance.least_per_category or balance.repeat)


def _apply_tile_rules(tiles: pa.Table, settings: Select, verdicts: DropReasons) -> None:
    """The rules that look at one tile at a time."""
    verdicts.drop(np.asarray(tiles["scene_rejected"]), "scene_rejected")
    licences = _as_one_array(pc.dictionary_encode(tiles["licence"]))
    allowed = np.array([settings.allows(name) for name in licences.dictionary.to_pylist()], dtype=np.bool_)
    verdicts.drop(~allowed[np.asarray(licences.indices)], "licence")
    verdicts.limit(tiles, settings.limits)


def _drop_duplicates(
    tiles: pa.Table,
    settings: Select,
    confirm: Confirm,
    verdicts: DropReasons,
    embedded: TileEmbeddings | None,
    runner: TaskRunner,
) -> tuple[Indices, Indices, Flags]:
    """The row that names each tile's cluster, the row that stands for it, and whether that one shows the very same picture.

    The others of the cluster are dropped.
    """
    rows = np.flatnonzero(verdicts.kept)
    taken = tiles.take(pa.array(rows)) if len(rows) < tiles.num_rows else tiles
    confirm_rows = confirm_by_position(confirm, rows) if len(rows) < tiles.num_rows else confirm
    some = embedded.of(rows) if embedded else None
    found = deduplicate(taken, settings.near_bits, confirm_rows, settings.licence_preference, some, runner)
    verdicts.drop_each(rows, found["reason"])
    names = _as_one_array(found["tile_id"])
    cluster, canonical = np.arange(tiles.num_rows), np.arange(tiles.num_rows)
    cluster[rows] = rows[np.asarray(pc.index_in(found["cluster"], value_set=names))]
    canonical[rows] = rows[np.asarray(pc.index_in(found["canonical"], value_set=names))]
    same = np.ones(tiles.num_rows, dtype=np.bool_)
    same[rows] = np.asarray(found["same_picture"])
    return cluster, canonical, same


def _drop_held_out(cluster: Indices, held_out_matches: pa.Array, verdicts: DropReasons) -> None:
    """What matches leaves, and with it every duplicate that would stay in its place."""
    rows = np.flatnonzero(np.asarray(held_out_matches.is_valid()))
    by_cluster = np.full(len(cluster), -1, dtype=np.int64)
    by_cluster[cluster[rows[::-1]]] = rows[::-1]  # the first of several
    members = np.flatnonzero(by_cluster[cluster] >= 0)
    benchmark = pc.list_element(pc.split_pattern(held_out_matches.take(pa.array(by_cluster[cluster[members]])), ":"), 0)
    why = pc.coalesce(held_out_matches.take(pa.array(members)), pc.binary_join_element_wise(benchmark, "cluster", ":"))
    verdicts.drop_each(members, pc.binary_join_element_wise("held_out", why, ":"))


def _count_repeats(
    ids: pa.ChunkedArray, split: pa.Array, instructions: pa.Table, host: Indices, kept: Flags, settings: Select
) -> Indices:
    """1 for every tile that is in, more for those of the largest split that rare categories ask for; 0 for the others."""
    shown = np.asarray(split.is_valid()).astype(np.int64)
    if settings.balance is None or settings.balance.repeat is None:
        return shown
    rows = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(split, splits_by_strength(settings.splits)[0]), False)))
    place = np.full(len(shown), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    row, category = row_values(instructions["category"])
    place_of = place[host[row]]
    trained = kept[row] & (place_of >= 0)
    shown[rows] = repeat_factors(ids.take(pa.array(rows)), place_of[trained], category[trained], settings.balance.repeat)
    return shown


def _drop_without_instructions(own: Indices, host: Indices, chosen: DropReasons, verdicts: DropReasons) -> None:
    """Tiles that are in but have nothing to be trained on: `no_instruction` from the start, `quota` since the quotas."""
    count = len(verdicts.kept)
    had, has = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    had[own] = True
    had[host] = True
    has[host[chosen.kept]] = True
    verdicts.drop(had & ~has, "quota")
    verdicts.drop(~has, "no_instruction")


def _mask_values(values: pa.Array, rows: Flags) -> pa.Array:
    return pc.if_else(pa.array(rows), values, pa.scalar(None, pa.string()))


def _as_one_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
