"""Instructions get the turns that a person gave them. Columns only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.instructions import instruction_id
from rsflow.lake.receipts import receipt_table, unit_mark
from rsflow.review.decisions import REVIEWED
from rsflow.review.instructions import as_instruction
from rsflow.stage import BatchFunction, Resources
from rsflow.stages.shard.sample_record import digest, instruction_record


@dataclass(frozen=True, slots=True)
class ReviseInstructions:
    """REVIEW_WORK rows in, one RECEIPTS row out per row: the same instructions with ids and digests of their new turns."""

    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1

    def open(self) -> BatchFunction:
        def revise(table: pa.Table) -> Iterator[pa.Table]:
            for work in table.to_pylist():
                yield receipt_table(unit_mark(work, "review", 0), instructions=[_revised(row) for row in work["instructions"]])

        return revise


def _revised(row: dict[str, Any]) -> dict[str, Any]:
    """The structured answer is of the old text, so that only what it is about stays; checks were passed by the old text too."""
    answer = {
        "kind": "text",
        **{name: value for name, value in json.loads(row["answer"]).items() if name in {"category", "box"}},
    }
    made = as_instruction(row, row["turns"], answer)
    text = json.dumps(answer, sort_keys=True)
    fresh = {"instruction_id": instruction_id(row["tile_id"], made), "answer": text, "generator": REVIEWED, "checks": []}
    changed = {**row, **fresh, "perplexity": None}
    return {**changed, "digest": digest(instruction_record(changed))}
