"""Labels of several pictures of one place become instructions that compare them. Columns only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.config import settings as config
from rsflow.instructions import VERSION, compose_group
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.lake.receipts import receipt_table, unit_mark
from rsflow.records import Reject
from rsflow.schemas import label_from_row, label_sort_key
from rsflow.stage import BatchFunction, Resources
from rsflow.stages.instruct.instruct_tiles import facts_of, instruction_row


@dataclass(frozen=True, slots=True)
class InstructGroups:
    """COMPARE_WORK rows in, one RECEIPTS row out per row. A group that no instruction fits is kept all the same."""

    instructions: config.Instructions
    labels: config.Labels
    seed: int
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 100 * VERSION + 1  # of the rules of all tasks, and of those of groups

    def open(self) -> BatchFunction:
        def compare(table: pa.Table) -> Iterator[pa.Table]:
            for row in table.to_pylist():
                yield self._unit(row)

        return compare

    def _unit(self, work: dict[str, Any]) -> pa.Table:
        tiles = {tile["tile_id"]: tile for tile in work["tiles"]}
        labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in sorted(work["labels"], key=lambda row: label_sort_key(row["label_id"])):
            labels[row["tile_id"]].append(row)
        made: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for group in work["groups"]:
            facts = _group_facts(group, tiles, labels)
            instructions, rejects = compose_group(facts, self.instructions, self.seed, self.labels)
            owners = [*(member["tile_id"] for member in group["members"]), group["group_id"]]
            ids = [row["label_id"] for owner in owners for row in labels[owner]]
            made.extend(instruction_row(facts.tile_id, instruction, ids) for instruction in instructions)
            refused.extend(_reject_row(work, reject) for reject in rejects)
        marks = unit_mark(work, "compare", len(work["groups"]))
        return receipt_table(marks, instructions=made, rejects=refused)


def _group_facts(
    group: dict[str, Any], tiles: dict[str, dict[str, Any]], labels: dict[str, list[dict[str, Any]]]
) -> GroupFacts:
    members = tuple(_member(member, tiles[member["tile_id"]], labels[member["tile_id"]]) for member in group["members"])
    own = tuple(label_from_row(row) for row in labels[group["group_id"]])
    return GroupFacts(group["group_id"], group["kind"], members, bool(group["presence_only"]), own)


def _member(member: dict[str, Any], tile: dict[str, Any], labels: list[dict[str, Any]]) -> GroupMember:
    shift = (member["dx_px"], member["dy_px"]) if member["dx_px"] is not None and member["dy_px"] is not None else None
    latitudes = (tile["footprint"] or [])[1::2]
    return GroupMember(
        facts_of(tile, labels),
        member["role"],
        tile["acquired_at"],
        tile["cloud_share"],
        (min(latitudes) + max(latitudes)) / 2 if latitudes else None,
        shift,
        tile["valid_share"],
    )


def _reject_row(work: dict[str, Any], reject: Reject) -> dict[str, Any]:
    # `rows` 0: no group left with it, only an instruction that was never made.
    same = {"kind": reject.kind, "subject": reject.subject, "reason": reject.reason, "detail": reject.detail}
    return {**same, "scene_id": work["scene_id"], "source": work["source"], "step": "compare", "file": reject.file, "rows": 0}
