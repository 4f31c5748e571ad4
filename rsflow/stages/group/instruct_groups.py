"""Labels of several pictures of one place become instructions that compare them. Columns only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.config import settings as config
from rsflow.instructions import VERSION, compose_group
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.schemas import label_from_row
from rsflow.stage import BatchFunction, Resources, over_rows
from rsflow.stages.instruct.instruct_tiles import facts_of, instructions_receipt, labels_by_tile


@dataclass(frozen=True, slots=True)
class InstructGroups:
    """COMPARE_WORK rows in, one RECEIPTS row out per row. A group that no instruction fits is kept all the same."""

    instructions: config.Instructions
    labels: config.Labels
    seed: int
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 100 * VERSION + 4  # of the rules of all tasks, and of those of groups

    def open(self) -> BatchFunction:
        return over_rows(self._unit)

    def _unit(self, work: dict[str, Any]) -> pa.Table:
        tiles = {tile["tile_id"]: tile for tile in work["tiles"]}
        labels = labels_by_tile(work)
        facts = [_group_facts(group, tiles, _known_labels(group, labels)) for group in work["groups"]]
        ids = [_label_ids(group, _known_labels(group, labels)) for group in work["groups"]]
        made = (compose_group(one, self.instructions, self.seed, self.labels) for one in facts)
        return instructions_receipt(work, "compare", zip([one.tile_id for one in facts], ids, made, strict=True))


def _known_labels(group: dict[str, Any], labels: Mapping[str, list[dict[str, Any]]]) -> Mapping[str, list[dict[str, Any]]]:
    """By tile the labels that count in a group. What one date has from the other says nothing of what changed between them, so
    labels from other tiles count beside another sensor only."""
    if group["kind"] == "sensors":
        return labels
    return {owner: [row for row in labels[owner] if not row["transferred_from"]] for owner in _owners(group)}


def _label_ids(group: dict[str, Any], labels: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    return [row["label_id"] for owner in _owners(group) for row in labels[owner]]


def _owners(group: dict[str, Any]) -> list[str]:
    """What the labels of a group belong to: its members in their order, then itself."""
    return [*(member["tile_id"] for member in group["members"]), group["group_id"]]


def _group_facts(
    group: dict[str, Any], tiles: dict[str, dict[str, Any]], labels: Mapping[str, list[dict[str, Any]]]
) -> GroupFacts:
    members = tuple(_member(member, tiles[member["tile_id"]], labels[member["tile_id"]]) for member in group["members"])
    own = tuple(label_from_row(row) for row in labels[group["group_id"]])
    return GroupFacts(group["group_id"], group["kind"], members, bool(group["presence_only"]), own)


def _member(member: dict[str, Any], tile: dict[str, Any], labels: list[dict[str, Any]]) -> GroupMember:
    shift = (member["dx_px"], member["dy_px"]) if member["dx_px"] is not None and member["dy_px"] is not None else None
    box = member["box_in_first"]
    longitude, latitude = (_middle((tile["footprint"] or [])[axis::2]) for axis in (0, 1))
    return GroupMember(
        facts_of(tile, labels),
        member["role"],
        tile["acquired_at"],
        tile["cloud_share"],
        latitude,
        shift,
        (box[0], box[1], box[2], box[3]) if box else None,
        tile["valid_share"],
        longitude,
    )


def _middle(degrees: list[float]) -> float | None:
    """Of a footprint's coordinates; None where there are none, and where they reach over the antimeridian."""
    if not degrees or max(degrees) - min(degrees) > 180:
        return None
    return (min(degrees) + max(degrees)) / 2
