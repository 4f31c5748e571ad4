"""Labels become instructions. Columns only: a changed prompt or phrasing never reads a pixel."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.config import settings as config
from rsflow.instructions import VERSION, compose, instruction_id
from rsflow.instructions.checks.imported_texts import count_imported
from rsflow.instructions.facts.tile_facts import trusted_labels, with_labels
from rsflow.lake.receipts import receipt_table, reject_row, unit_mark
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.schemas import label_from_row, label_sort_key
from rsflow.stage import BatchFunction, Resources, over_rows
from rsflow.stages.shard.sample_record import digest, instruction_record


@dataclass(frozen=True, slots=True)
class InstructTiles:
    """INSTRUCT_WORK rows in, one RECEIPTS row out per row. A tile that no instruction fits is kept all the same."""

    instructions: config.Instructions
    labels: config.Labels
    seed: int
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = VERSION

    def open(self) -> BatchFunction:
        return over_rows(self._unit)

    def _unit(self, work: dict[str, Any]) -> pa.Table:
        labels = labels_by_tile(work)
        facts = [facts_of(tile, labels[tile["tile_id"]]) for tile in work["tiles"]]
        ids = [[row["label_id"] for row in labels[tile["tile_id"]]] for tile in work["tiles"]]
        made = (compose(one, self.instructions, self.seed, self.labels) for one in facts)
        imported: Counter[str] = Counter()
        for one in facts:
            imported += count_imported(with_labels(one, trusted_labels(one, self.labels)))
        return instructions_receipt(work, "instruct", zip([one.tile_id for one in facts], ids, made, strict=True), imported)


def labels_by_tile(work: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The labels of every tile of a unit, in their order: the table has none of its own."""
    labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(work["labels"], key=lambda row: label_sort_key(row["label_id"])):
        labels[row["tile_id"]].append(row)
    return labels


def instructions_receipt(
    work: dict[str, Any],
    step: str,
    composed: Iterable[tuple[str, Sequence[str], tuple[Sequence[Instruction], Sequence[Reject]]]],
    counts: Mapping[str, float] | None = None,
) -> pa.Table:
    """The receipt of a unit: of every tile or group its id, the ids of its labels in order, and what rules made of them.
    `counts` become the mark's usage."""
    made: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    count = 0
    for subject, label_ids, (instructions, rejects) in composed:
        made.extend(instruction_row(subject, instruction, label_ids) for instruction in instructions)
        refused.extend(reject_row(work, step, reject, rows=0) for reject in rejects)
        count += 1
    usage = [{"name": name, "value": float(value)} for name, value in (counts or {}).items()]
    marks = unit_mark(work, step, count, usage=usage) if usage else unit_mark(work, step, count)
    return receipt_table(marks, instructions=made, rejects=refused)


def facts_of(tile: dict[str, Any], labels: list[dict[str, Any]]) -> TileFacts:
    """What instructions may rest on, from the columns of a tile and of its labels in order."""
    return TileFacts(
        tile["tile_id"],
        tile["sensor"],
        tile["height_px"],
        tile["width_px"],
        tile["gsd_m"],
        tuple(label_from_row(row) for row in labels),
        tuple(tile["vocabulary"] or ()),
        _pair(tile["pixel_m"]),
        tuple(tile["unknown"] or ()),
        tuple(tile["footprint"]) if tile.get("footprint") else None,
    )


def _pair(values: list[float] | None) -> tuple[float, float] | None:
    return (values[0], values[1]) if values else None


def instruction_row(tile_id: str, instruction: Instruction, label_ids: Sequence[str]) -> dict[str, Any]:
    """The INSTRUCTIONS row of a tile's instruction, but for its delivery. `label_ids` are of the tile's labels, in order."""
    row = {
        "instruction_id": instruction_id(tile_id, instruction),
        "tile_id": tile_id,
        "task": instruction.task,
        "turns": [{"role": turn.role, "text": turn.text} for turn in instruction.turns],
        "boxes": [list(box) for box in instruction.boxes],
        "box_pictures": list(instruction.box_pictures) or None,
        "label_ids": [label_ids[position] for position in instruction.labels],
        "answer": json.dumps(instruction.answer, sort_keys=True),
        "generator": instruction.generator,
        "checks": list(instruction.checks),
    }
    return {**row, "digest": digest(instruction_record(row))}
