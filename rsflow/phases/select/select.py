"""The select phase: reads columns, selects tiles and instructions, and writes the `selection` table with a reason for each row.

The rules are in `rsflow.curation.select_samples`. Pictures are read only to confirm duplicate candidates.

The result is a pure function of the live rows, the settings and, with `keep_choices` or `splits_by: category`, the previous
selection. A digest of rows and settings is committed with it, so that an unchanged selection is not made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.curation.drop_reasons import Flags
from rsflow.curation.duplicates.pairs.candidates import Confirm
from rsflow.curation.duplicates.pairs.partial_overlap import ConfirmRegions
from rsflow.curation.select_samples import SelectionResult, select_samples, select_tiles
from rsflow.curation.splits.split_groups import scene_groups
from rsflow.curation.task_runner import TaskRunner
from rsflow.engine.execute import task_runner
from rsflow.engine.progress import progress
from rsflow.errors import LakeError
from rsflow.lake.receipts import count_failures
from rsflow.lake.tables import Lake
from rsflow.phases.select.confirm_duplicates import confirm_tile_pairs, confirm_tile_regions
from rsflow.phases.select.confirmation_cache import read_cache, write_cache
from rsflow.phases.select.group_rows import read_group_rows
from rsflow.phases.select.held_out import held_out_file_keys, match_held_out
from rsflow.phases.select.instruction_texts import make_text_reader
from rsflow.phases.select.lake_columns import (
    MIN_CLUSTER_ROWS,
    count_annotations,
    encode_all_instructions,
    instruction_pieces,
    read_instruction_ids,
    read_tiles,
)
from rsflow.phases.select.stratify import read_tile_categories
from rsflow.phases.select.tile_embeddings import load_embeddings
from rsflow.planning.live_rows import LiveRows
from rsflow.schemas import SELECTION
from rsflow.schemas.rows import filter_by_values
from rsflow.stage import fingerprint

VERSION = 10
COLUMNS = [
    *("tile_id", "scene_id", "source", "sensor", "licence", "picture_sha256", "pixels_sha256", "signature", "height_px"),
    *("width_px", "gsd_m", "footprint", "acquired_at", "cell", "source_split", "file", "row_group", "row"),
    *("row_off", "col_off", "anchors", "faint_signature", "keypoints", "keypoint_codes"),
]
ROWS_PER_WRITE = 1_000_000  # instructions written at a time: as texts, a piece is about 200 MB


@dataclass(frozen=True, slots=True)
class SelectionSummary:
    """One selection: the version of the `selection` table that holds it, the digest of what it was made from, and its rows by
    reason (`kept` among them), for tiles, for instructions and for groups. `unplaced`: by source, tiles that are in and say
    neither where they lie nor what they were cut from, if there are several splits."""

    version: int
    digest: str
    tiles: dict[str, int]
    instructions: dict[str, int]
    unplaced: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)


def select(built: BuildConfig, lake: Lake, now: LiveRows) -> SelectionSummary:
    """Decide, write the `selection` table, and say what was decided. LakeError where another build came between."""
    digest = selection_digest(built, now)
    known = last_selection(lake)
    if known and known.digest == digest:
        return known
    with progress("select", "steps", 4, quiet_seconds=2.0) as state:
        _decide(built, lake, now, digest, lambda: state.add(1))
    return require_current_selection(built, lake, now)


def _decide(built: BuildConfig, lake: Lake, now: LiveRows, digest: str, on_step: Callable[[], None]) -> None:
    """Choose samples and write the `selection` table: rows read, instructions encoded, samples chosen, rows written."""
    tiles = read_selection_tiles(built, now)
    groups = read_group_rows(now, tiles, built.seed)
    samples = pa.concat_tables([tiles, groups.rows])
    pieces = instruction_pieces(now)
    held_out, vectors = match_held_out(built.select, lake, tiles), load_embeddings(now, tiles, built.select)
    read_texts = (
        make_text_reader(pieces, now.receipts("instructions").combine_chunks()) if built.select.same_text is not None else None
    )
    on_step()
    with task_runner(built.engine, sum(piece.rows for piece in pieces) > MIN_CLUSTER_ROWS) as runner:
        instructions = encode_all_instructions(built, now, pieces, samples["tile_id"], runner)
        on_step()
        with _confirming(built, lake, tiles, runner) as (confirm, confirm_regions):
            choice = select_samples(
                *(samples, instructions, built.select, built.seed, confirm, held_out, vectors, read_texts, runner),
                confirm_regions,
                groups.members,
            )
    on_step()
    of_groups = {"groups": choice.tiles.counts(tiles.num_rows)} if groups.rows.num_rows else {}
    counts = {
        "tiles": choice.tiles.counts(0, tiles.num_rows),
        "instructions": choice.instructions.counts(),
        "unplaced": _count_unplaced(tiles, choice.split[: tiles.num_rows]),
    }
    lake.overwrite(
        "selection",
        lambda: build_selection_rows(samples, read_instruction_ids(pieces, now), choice, tiles.num_rows),
        {"digest": digest, **counts, **of_groups},
    )
    on_step()


def select_lake_tiles(built: BuildConfig, lake: Lake, now: LiveRows) -> tuple[pa.Table, Flags]:
    """(tiles, whether each is kept by the rules that concern tiles): what `select` keeps at most, with the pictures of every
    group on one side of each split. Nothing is written but the
    cache of confirmed pairs."""
    tiles = read_selection_tiles(built, now)
    groups = read_group_rows(now, tiles, built.seed).members
    held_out, vectors = match_held_out(built.select, lake, tiles), load_embeddings(now, tiles, built.select)
    with (
        task_runner(built.engine, tiles.num_rows > MIN_CLUSTER_ROWS) as runner,
        _confirming(built, lake, tiles, runner) as (confirm, confirm_regions),
    ):
        found = select_tiles(tiles, built.select, built.seed, confirm, held_out, vectors, runner, confirm_regions, groups)
    return tiles, found.reasons.kept


@contextmanager
def _confirming(
    built: BuildConfig, lake: Lake, tiles: pa.Table, runner: TaskRunner
) -> Iterator[tuple[Confirm, ConfirmRegions]]:
    """How candidate pairs are confirmed from pictures, by what is known from before; what is found out is kept."""
    max_error, pictures = built.select.confirm_mae, tiles["picture_sha256"]
    cache = read_cache(lake, max_error)
    yield (
        cache.wrap_pairs(confirm_tile_pairs(lake, tiles, max_error, runner), pictures),
        cache.wrap_regions(confirm_tile_regions(lake, tiles, max_error, runner), pictures),
    )
    write_cache(lake, max_error, cache)


def _count_unplaced(tiles: pa.Table, split: pa.Array) -> dict[str, int]:
    """By source, tiles in one of several splits without a ground cell, whose scene's name gives no parent."""
    if len(split.unique().drop_null()) < 2:
        return {}
    tiles = tiles.filter(pc.and_(pc.is_valid(split), pc.is_null(tiles["cell"])))
    groups = scene_groups(tiles["scene_id"], tiles["cell"])
    alone = tiles["source"].filter(pc.equal(groups, tiles["scene_id"]))
    return dict(sorted(Counter(alone.to_pylist()).items()))


def require_current_selection(built: BuildConfig, lake: Lake, now: LiveRows) -> SelectionSummary:
    """What the `selection` table holds. LakeError where that is not of the present rows and settings."""
    known = last_selection(lake)
    if known is None or known.digest != selection_digest(built, now):
        raise LakeError(
            f"{lake.root}: the selection is not of the present tiles and settings (did another build of it come between?): "
            "run `rsflow select` first"
        )
    return known


def selection_digest(built: BuildConfig, now: LiveRows) -> str:
    """Of all that a selection depends on."""
    marks = now.all_marks
    failures = zip(marks["unit"].to_pylist(), count_failures(marks).tolist(), strict=True)
    units = [f"{unit} {failed:g}" for unit, failed in failures]
    decided = [digest] if (digest := now.decisions.selection_digest) else []
    return fingerprint(VERSION, built.select, built.seed, sorted(units), held_out_file_keys(built.select), *decided)


def last_selection(lake: Lake) -> SelectionSummary | None:
    """What the `selection` table holds, or None before the first selection."""
    metadata = lake.commit_metadata("selection")
    return SelectionSummary(metadata[0], **metadata[1]) if metadata else None


def build_selection_rows(
    tiles: pa.Table, instructions: Iterable[pa.Table], choice: SelectionResult, single: int | None = None
) -> Iterator[pa.Table]:
    """The rows of the `selection` table, in pieces: all samples first, of which `single` (default: all) are tiles, the rest
    groups. `instructions`: ids and tasks, as they were counted."""
    ids, reasons = tiles["tile_id"], choice.tiles.texts()
    single = tiles.num_rows if single is None else single
    yield _selection_piece(
        {
            "kind": pa.concat_arrays([pa.repeat("tile", single), pa.repeat("group", tiles.num_rows - single)]),
            "subject": ids,
            "tile_id": ids,
            "sensor": tiles["sensor"],
            "selected": choice.tiles.kept,
            "reason": reasons.cast(pa.string()),
            "cluster": ids.take(pa.array(choice.cluster)),
            "canonical": ids.take(pa.array(choice.canonical)),
            "split": choice.split,
            "assigned_split": choice.assigned_split,
            "cell": tiles["cell"],
            "repeat": choice.repeat,
        }
    )
    reasons, kept, start = choice.instructions.texts(), choice.instructions.kept, 0
    for part in _rechunk(instructions, ROWS_PER_WRITE):
        rows = slice(start, start + part.num_rows)
        start += part.num_rows
        host = pa.array(choice.host[rows])
        yield _selection_piece(
            {
                "kind": pa.repeat("instruction", part.num_rows),
                "subject": part["instruction_id"],
                "tile_id": ids.take(host),
                "task": part["task"],
                "sensor": tiles["sensor"].take(host),
                "selected": kept[rows],
                "reason": reasons[rows].cast(pa.string()),
            }
        )


def read_selected_rows(lake: Lake, now: LiveRows, version: int | None = None) -> tuple[pa.Table, pa.Table]:
    """(samples with their split and repeat, instructions) that are in, as SAMPLES and INSTRUCTIONS rows.

    `version`: of the `selection` table, where not its last. The `tile_id` of an instruction is the tile that it goes with,
    which may stand for the one that it was made for.
    """
    chosen = lake.read("selection", ["kind", "subject", "tile_id", "selected", "split", "repeat"], {"selected": True}, version)
    tiles = chosen.filter(pc.not_equal(chosen["kind"], "instruction"))
    single = now.tiles()
    groups = now.group_samples()
    single = single.append_column("group", pa.nulls(single.num_rows, groups.schema.field("group").type))
    rows = filter_by_values(pa.concat_tables([single, groups]), "tile_id", tiles["tile_id"])
    for name in ("split", "repeat"):
        rows = rows.append_column(name, _look_up(rows["tile_id"], tiles["tile_id"], tiles[name]))
    chosen = chosen.filter(pc.equal(chosen["kind"], "instruction"))
    instructions = filter_by_values(now.instructions(), "instruction_id", chosen["subject"])
    host = _look_up(instructions["instruction_id"], chosen["subject"], chosen["tile_id"])
    return rows, instructions.set_column(instructions.schema.get_field_index("tile_id"), "tile_id", host)


def read_selection_tiles(built: BuildConfig, now: LiveRows) -> pa.Table:
    """The tiles with the number of their annotations, which decides who stands for a cluster."""
    views = ["signatures"] if built.select.flips else []
    tiles = read_tiles(now, list(dict.fromkeys([*COLUMNS, *views, *built.select.limits])))
    if built.select.keep_choices:
        tiles = tiles.append_column("was_canonical", pc.is_in(tiles["tile_id"], value_set=_canonical_before(now.lake)))
    if built.select.splits_by == "category":
        tiles = tiles.append_column("was_split", _assigned_before(now.lake, tiles["tile_id"]))
        tiles = tiles.append_column("categories", read_tile_categories(now, tiles["tile_id"]))
    rejected = pa.array(sorted(now.rejected_scenes), pa.string())
    tiles = tiles.append_column("n_labels", pa.array(count_annotations(now, tiles["tile_id"])))
    tiles = tiles.append_column("scene_rejected", pc.is_in(tiles["scene_id"], value_set=rejected))
    by_reviewers = pa.array(now.decisions.rejected_tiles, pa.string())
    return tiles.append_column("review_rejected", pc.is_in(tiles["tile_id"], value_set=by_reviewers))


def _canonical_before(lake: Lake) -> pa.Array:
    """The canonical tiles of the previous selection."""
    before = lake.read("selection", ["kind", "subject", "canonical"])
    was_canonical = pc.and_(pc.equal(before["kind"], "tile"), pc.equal(before["subject"], before["canonical"]))
    return before["subject"].filter(was_canonical).combine_chunks()


def _assigned_before(lake: Lake, tiles: pa.ChunkedArray) -> pa.ChunkedArray:
    """The split that each of these tiles was assigned to in the previous selection."""
    before = lake.read("selection", ["subject", "assigned_split"], where={"kind": "tile"})
    return _look_up(tiles, before["subject"], before["assigned_split"])


def _look_up(keys: pa.Array | pa.ChunkedArray, known: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """For each key the value beside it in `known`, or null."""
    return values.take(pc.index_in(keys, value_set=known.combine_chunks()))


def _rechunk(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of at least so many, but for the last, and of fewer than twice as many where they come so."""
    gathered: list[pa.Table] = []
    for table in tables:
        gathered += [table.slice(start, rows) for start in range(0, table.num_rows, rows)]
        if sum(part.num_rows for part in gathered) >= rows:
            yield pa.concat_tables(gathered)
            gathered = []
    if gathered:
        yield pa.concat_tables(gathered)


def _selection_piece(columns: dict[str, Any]) -> pa.Table:
    rows = len(columns["kind"])
    every = {f.name: columns.get(f.name, pa.nulls(rows, f.type)) for f in SELECTION}
    return pa.table(every).cast(SELECTION)
