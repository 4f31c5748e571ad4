"""The whole selection over columns: which tiles and instructions are selected, their splits, and the rule that dropped each
other.

Rules run in order, each on what the rules before it kept. Tiles: scenes rejected in part, what reviewers rejected, licences,
limits on scores, duplicates, clusters that match a held-out benchmark, split assignment, tiles too near to another split,
pictures like those of another split, pictures that overlap one of another split. Instructions: dropped tiles, what reviewers
rejected or corrected, limits on scores, repeated texts of one picture, quotas. Last, tiles without instructions.

The result does not depend on the order of rows, on files or on time; pictures are read only through `confirm`.

Estimated for 100 M tiles and 1 billion instructions: 360 bytes per tile, mostly ids and digests, and 100 for the results,
together 46 GB; 24 bytes per instruction, 44 with texts, and 20 for its tile, host and result, together 64 GB. Measured:
benchmarks/select_phase.py.
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
from rsflow.curation.duplicates.deduplicate import confirm_by_position, deduplicate
from rsflow.curation.duplicates.pairs.candidates import Confirm
from rsflow.curation.duplicates.pairs.partial_overlap import ConfirmRegions
from rsflow.curation.duplicates.pictures.embeddings import TileEmbeddings
from rsflow.curation.duplicates.texts.text_similarity import ReadTexts
from rsflow.curation.group_verdicts import GroupMembers, judge_groups
from rsflow.curation.select_instructions import assign_host_tiles, select_instructions
from rsflow.curation.splits.assign_splits import assign_tile_splits
from rsflow.curation.splits.split_groups import splits_by_strength
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner
from rsflow.curation.value_codes import encode_values


@dataclass(frozen=True, slots=True)
class SelectionResult:
    """Per tile: `cluster` and `canonical` (rows of tiles), `split` (null where dropped), `assigned_split` (also of dropped
    tiles), `repeat` (showings per epoch). Per instruction: `host`, the row of the tile that it goes with, which is its own tile
    or the canonical one."""

    tiles: DropReasons
    cluster: Indices
    canonical: Indices
    split: pa.Array
    assigned_split: pa.Array
    instructions: DropReasons
    host: Indices
    repeat: Indices


@dataclass(frozen=True, slots=True)
class TileSelection:
    """Per tile: why it was dropped; `cluster`, `canonical` and `assigned_split` as of SelectionResult; `same_picture`, whether
    its canonical tile shows the same picture unflipped."""

    reasons: DropReasons
    cluster: Indices
    canonical: Indices
    same_picture: Flags
    assigned_split: pa.Array


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
    groups: GroupMembers | None = None,
) -> SelectionResult:
    """Select over all rows.

    Where there are `groups`, the last rows of `tiles` are theirs, and only what quotas and instructions need is read of
    them: a group is in where all its pictures may be (`rsflow.curation.group_verdicts`).

    `tiles` has what `deduplicate` needs and scene_id, scene_rejected, review_rejected (optional), source, licence, cell,
    source_split, and the columns that `settings.limits` names; with categories (lists) splits are assigned by these, with
    was_split earlier assignments stay.
    `instructions` are numbered (`rsflow.curation.instruction_columns`), with `category` where a rule asks for it
    (`needs_categories`) and the columns that `settings.instruction_limits` names. `confirm` gets rows of `tiles`.
    `held_out_matches`: per tile "<benchmark>:<test>" where it matches something that is held out, else null. `embedded`: their
    vectors, where semantic duplicates are asked for. `read_texts` gives the folded texts of instructions; without it texts are
    not compared. `runner`: where pairs are looked for. `confirm_regions` gets rows of `tiles` too; without it, or without their
    keypoints, pictures of two splits are not searched for common parts.
    """
    members = groups or GroupMembers.none()
    single = tiles.slice(0, tiles.num_rows - members.count)
    found = select_tiles(single, settings, seed, confirm, held_out_matches, embedded, runner, confirm_regions, members)
    found = add_groups(found, members)
    verdicts, canonical = found.reasons, found.canonical
    own = np.asarray(instructions["tile"]).astype(np.int64)
    host = assign_host_tiles(tiles, instructions["task"], own, canonical, verdicts.kept[canonical] & found.same_picture)
    tile_reasons = verdicts.take(host, "tile:")
    chosen = select_instructions(instructions, tiles, own, host, tile_reasons, settings, seed, read_texts)
    _drop_without_instructions(own, host, chosen, verdicts)
    split = _mask_values(found.assigned_split, verdicts.kept)
    repeat = _count_repeats(tiles["tile_id"], split, instructions, host, chosen.kept, settings)
    return SelectionResult(verdicts, found.cluster, canonical, split, found.assigned_split, chosen, host, repeat)


def select_tiles(
    tiles: pa.Table,
    settings: Select,
    seed: int,
    confirm: Confirm,
    held_out_matches: pa.Array | None = None,
    embedded: TileEmbeddings | None = None,
    runner: TaskRunner = LOCAL_RUNNER,
    confirm_regions: ConfirmRegions | None = None,
    groups: GroupMembers | None = None,
) -> TileSelection:
    """Apply the rules that need no instruction. Arguments as of `select_samples`; no row of `tiles` is a group's."""
    reasons = DropReasons(tiles.num_rows)
    _apply_tile_rules(tiles, settings, reasons)
    cluster, canonical, same = _drop_duplicates(tiles, settings, confirm, reasons, embedded, runner)
    if held_out_matches is not None:
        _drop_held_out(cluster, held_out_matches, reasons)
    ties = groups.ties(canonical) if groups else None
    assigned_split = assign_tile_splits(tiles, cluster, settings, seed, confirm, reasons, runner, confirm_regions, ties)
    return TileSelection(reasons, cluster, canonical, same, assigned_split)


def add_groups(found: TileSelection, groups: GroupMembers) -> TileSelection:
    """The verdicts of tiles, and after them those of groups."""
    if not groups.count:
        return found
    reasons, split = judge_groups(groups, found.canonical, found.reasons, found.assigned_split)
    own = np.arange(len(found.canonical), len(found.canonical) + groups.count)
    cluster, canonical = np.concatenate([found.cluster, own]), np.concatenate([found.canonical, own])
    same = np.concatenate([found.same_picture, np.ones(groups.count, dtype=np.bool_)])
    return TileSelection(reasons, cluster, canonical, same, split)


def needs_categories(settings: Select) -> bool:
    """Whether any rule looks at the categories that an instruction is about."""
    balance = settings.balance or Balance()
    keyed = any("category:" in key for key in [*settings.quotas, *balance.keys()])
    return keyed or bool(balance.per_category or balance.least_per_category or balance.repeat)


def _apply_tile_rules(tiles: pa.Table, settings: Select, verdicts: DropReasons) -> None:
    """Apply the rules that concern one tile at a time."""
    verdicts.drop(np.asarray(tiles["scene_rejected"]), "scene_rejected")
    if "review_rejected" in tiles.column_names:
        verdicts.drop(np.asarray(tiles["review_rejected"]), "review:rejected")
    licences = encode_values(tiles["licence"])
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
    """Per tile the row that names its cluster, its canonical row, and whether that shows the same picture unflipped.

    Drops the other tiles of each cluster.
    """
    rows = np.flatnonzero(verdicts.kept)
    taken = tiles.take(pa.array(rows)) if len(rows) < tiles.num_rows else tiles
    confirm_rows = confirm_by_position(confirm, rows) if len(rows) < tiles.num_rows else confirm
    some = embedded.of(rows) if embedded else None
    found = deduplicate(taken, settings.near_bits, confirm_rows, settings.licence_preference, some, runner)
    verdicts.drop_each(rows, found["reason"])
    names = found["tile_id"].combine_chunks()
    cluster, canonical = np.arange(tiles.num_rows), np.arange(tiles.num_rows)
    cluster[rows] = rows[np.asarray(pc.index_in(found["cluster"], value_set=names))]
    canonical[rows] = rows[np.asarray(pc.index_in(found["canonical"], value_set=names))]
    same = np.ones(tiles.num_rows, dtype=np.bool_)
    same[rows] = np.asarray(found["same_picture"])
    return cluster, canonical, same


def _drop_held_out(cluster: Indices, held_out_matches: pa.Array, verdicts: DropReasons) -> None:
    """Drop the tiles that match a benchmark, with all tiles of their clusters."""
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
    """1 for selected tiles, more for those of the largest split with rare categories; 0 for dropped tiles."""
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
    """Drop tiles without instructions: as `quota` where the quotas dropped them, else as `no_instruction`."""
    count = len(verdicts.kept)
    had, has = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    had[own] = True
    had[host] = True
    has[host[chosen.kept]] = True
    verdicts.drop(had & ~has, "quota")
    verdicts.drop(~has, "no_instruction")


def _mask_values(values: pa.Array, rows: Flags) -> pa.Array:
    return pc.if_else(pa.array(rows), values, pa.scalar(None, pa.string()))
