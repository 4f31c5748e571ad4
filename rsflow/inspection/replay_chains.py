"""Chains of reasoning and scene graphs run again from the lake's labels (`rsflow verify --deep`).

One idea: a chain's answer holds its program and every step's result (rsflow.instructions.chains). Run on the lake's present
labels of the tile, each must give the same result.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from rsflow.config import settings as config
from rsflow.instructions.chains import replay
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.scene_graph import replay_graph
from rsflow.lake.tables import Lake
from rsflow.phases.build import plan_build, read_config
from rsflow.planning.live_rows import LiveRows, read_live_rows
from rsflow.records import TileFacts
from rsflow.schemas import label_sort_key
from rsflow.schemas.rows import filter_by_values
from rsflow.stages.instruct.instruct_tiles import facts_of

_REPLAYS = {"chain": replay, "scene_graph": replay_graph}


def find_changed_chains(lake: Lake) -> Iterator[str]:
    """A line for each chain and scene graph of the live instructions whose result differs from what was written."""
    built = read_config(lake)
    now = read_live_rows(lake, plan_build(built, lake), allow_missing=True)
    chains = _chains(now)
    if not chains:
        return
    facts = _facts(now, pa.array(sorted({row["tile_id"] for row in chains})), built.labels)
    for row in chains:
        fault = _REPLAYS[row["answer"]["kind"]](row["answer"], row["boxes"], facts[row["tile_id"]])
        if fault:
            yield f"instruction {row['instruction_id']}: its answer does not follow from the labels: {fault}"


def _chains(now: LiveRows) -> list[dict[str, Any]]:
    rows = now.instructions(["instruction_id", "tile_id", "task", "boxes", "answer"])
    found = filter_by_values(rows, "task", ["reasoning", "scene_graph"]).sort_by("instruction_id").to_pylist()
    parsed = [{**row, "answer": json.loads(row["answer"])} for row in found]
    return [row for row in parsed if row["answer"]["kind"] in _REPLAYS]


def _facts(now: LiveRows, tile_ids: pa.Array, settings: config.Labels) -> dict[str, TileFacts]:
    labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in filter_by_values(now.labels(), "tile_id", tile_ids).to_pylist():
        labels[row["tile_id"]].append(row)
    found = {}
    for tile in filter_by_values(now.tiles(), "tile_id", tile_ids).to_pylist():
        mine = sorted(labels[tile["tile_id"]], key=lambda row: label_sort_key(row["label_id"]))
        whole = facts_of(tile, mine)
        found[tile["tile_id"]] = tile_facts.with_labels(whole, tile_facts.trusted_labels(whole, settings))
    return found
