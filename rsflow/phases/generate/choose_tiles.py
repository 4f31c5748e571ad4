"""Choose what a model is asked to write: kinds of text for the tiles that the selection will keep.

The rules of the selection on tiles need no instruction, so they are known before anything is paid: duplicates, licences,
limits, held-out benchmarks and splits. Of each kind of text no more are asked for than quotas on its task will keep, and some
to spare for texts that fail. Tiles that a later selection lets in are asked about then.
"""

from __future__ import annotations

from math import ceil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Select
from rsflow.config.settings import BuildConfig
from rsflow.curation.balance.quotas import apply_quotas
from rsflow.curation.splits.ground import assign_regions, bounding_boxes
from rsflow.instructions.prompts import text_kinds
from rsflow.lake.tables import Lake
from rsflow.phases.select.held_out import held_out_file_keys
from rsflow.phases.select.select import select_lake_tiles
from rsflow.planning.chosen_tiles import ChosenTiles, read_chosen_tiles, write_chosen_tiles
from rsflow.planning.live_rows import LiveRows
from rsflow.planning.steps import generate, instruct
from rsflow.stage import fingerprint

VERSION = 1
COLUMNS = ["tile_id", "sensor", "source", "licence", "footprint"]
SPARE = 1.1  # texts asked for, per text that a quota keeps


def choose_tiles(built: BuildConfig, lake: Lake, now: LiveRows) -> ChosenTiles:
    """What a model is to be asked under the present rows and settings; kept in the lake, and made again only where these
    changed."""
    digest = choice_digest(built, now)
    known = read_chosen_tiles(lake.root)
    if known.digest == digest:
        return known
    tiles, kept = select_lake_tiles(built, lake, now)
    return write_chosen_tiles(lake.root, digest, _kinds_by_tile(built, tiles.select(COLUMNS).filter(pa.array(kept)), now))


def choice_digest(built: BuildConfig, now: LiveRows) -> str:
    """Of all that a choice depends on, which no instruction is part of."""
    steps = [step for step in now.marks if step not in {instruct.STEP.name, generate.STEP.name}]
    units = sorted(unit for step in steps for unit in now.marks[step]["unit"].to_pylist())
    kinds = built.generation.kinds if built.generation else ()
    return fingerprint(VERSION, built.select, built.seed, kinds, units, held_out_file_keys(built.select))


def _kinds_by_tile(built: BuildConfig, tiles: pa.Table, now: LiveRows) -> pa.Table:
    """Per tile the kinds of text within the quotas, as rows of chosen tiles."""
    kinds = text_kinds(built.generation) if built.generation else {}
    region = assign_regions(bounding_boxes(tiles["footprint"]), built.select.regions, built.select.region_deg)
    columns = {name: tiles[name] for name in COLUMNS[:-1]} | {"region": region}
    candidates = pa.concat_tables([_candidates(pa.table(columns), name, kind.task) for name, kind in kinds.items()])
    kept, _ = apply_quotas(candidates, _caps(built.select), built.seed)
    chosen = candidates.filter(kept).select(["tile_id", "kind"])
    chosen = chosen.append_column("rank", pc.index_in(chosen["kind"], value_set=pa.array([*kinds])))
    chosen = chosen.sort_by([("tile_id", "ascending"), ("rank", "ascending")])
    listed = chosen.group_by("tile_id", use_threads=False).aggregate([("kind", "list")])
    units = now.read("tiles", ["tile_id", "unit"])
    at = pc.index_in(listed["tile_id"], value_set=units["tile_id"].combine_chunks())
    return pa.table({"unit": units["unit"].take(at), "tile_id": listed["tile_id"], "kinds": listed["kind_list"]})


def _candidates(tiles: pa.Table, kind: str, task: str) -> pa.Table:
    """A text of this kind for every tile, as the rules on quotas see instructions."""
    own = pc.binary_join_element_wise(tiles["tile_id"], kind, "#")
    tiles = tiles.append_column("instruction_id", own)
    for name, value in (("kind", kind), ("task", task)):
        tiles = tiles.append_column(name, pa.array(np.full(tiles.num_rows, value, dtype=object), pa.string()))
    return tiles


def _caps(select: Select) -> dict[str, int]:
    """The most texts by key of a quota. What a text will be about is not known, so quotas on categories ask for no fewer."""
    exact = select.balance.exactly if select.balance else {}
    quotas = {key: min(most, select.quotas.get(key, most)) for key, most in exact.items()}
    return {key: ceil(SPARE * most) for key, most in {**select.quotas, **quotas}.items() if "category:" not in key}
