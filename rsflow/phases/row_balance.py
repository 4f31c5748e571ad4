"""Nothing is silently lost: for every step, the input rows are those that were kept and those rejected with a reason.

One idea: both sides are counted from different records (marks against rows, selection against manifest), so a row that vanished
shows up as a sum that does not close.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.lake.receipts import read_receipt_rows
from rsflow.lake.tables import Lake
from rsflow.planning.steps import STEPS
from rsflow.planning.steps.transfer import STEP as TRANSFER
from rsflow.shards.manifest import Manifest

# What a selection chooses: kind, table, column of its ids.
_SELECTED = (("tile", "tiles", "tile_id"), ("instruction", "instructions", "instruction_id"), ("group", "groups", "group_id"))


@dataclass(frozen=True, slots=True)
class Balance:
    """One equation: `rows_in` must equal the sum of `parts` (kept and every reason)."""

    step: str
    what: str
    rows_in: int
    parts: dict[str, int]

    @property
    def is_balanced(self) -> bool:
        return self.rows_in == sum(self.parts.values())

    def line(self) -> str:
        kept = self.parts.get("kept", 0)
        others = [f"{number} {reason}" for reason, number in sorted(self.parts.items()) if reason != "kept" and number]
        sign = "=" if self.is_balanced else "≠"
        return f"{self.step}: {self.rows_in} {self.what} {sign} " + " + ".join([f"{kept} kept", *others])


def step_balances(lake: Lake, marked: pa.Table) -> list[Balance]:
    """Of all steps of the label phase whose rows are counted, by these marks."""
    return [*label_balance(lake, marked), *model_balances(lake, marked), *transfer_balance(lake, marked)]


def label_balance(lake: Lake, marked: pa.Table) -> list[Balance]:
    """Of the label step: windows by the marks of these units, against the rows of tiles and rejects that they delivered."""
    marked = marked.filter(pc.equal(marked["step"], "label"))
    kept = read_receipt_rows(lake, "tiles", marked["receipt"], ["receipt"]).num_rows
    return [_step_balance(lake, marked, "label", "windows", kept)]


def model_balances(lake: Lake, marked: pa.Table) -> list[Balance]:
    """Of the steps that models run, by these marks: tiles in, tiles kept, and the rows of rejects that they delivered."""
    balances = []
    for step in (step.name for step in STEPS if step.runs_model):
        mine = marked.filter(pc.equal(marked["step"], step))
        if mine.num_rows:
            balances.append(_step_balance(lake, mine, step, "tiles", pc.sum(mine["rows_kept"]).as_py() or 0))
    return balances


def transfer_balance(lake: Lake, marked: pa.Table) -> list[Balance]:
    """Of the step that passes labels between tiles: labels that its marks considered, against the rows that it delivered."""
    mine = marked.filter(pc.equal(marked["step"], TRANSFER.name))
    if not mine.num_rows:
        return []
    kept = read_receipt_rows(lake, "labels", mine["receipt"], ["receipt"]).num_rows
    return [_step_balance(lake, mine, TRANSFER.name, "labels", kept)]


def _step_balance(lake: Lake, marked: pa.Table, step: str, what: str, kept: int) -> Balance:
    """Rows in by the marks of a step's units, against `kept` rows and the rejects that these units delivered."""
    parts = Counter({"kept": kept})
    for row in read_receipt_rows(lake, "rejects", marked["receipt"], ["reason", "rows"]).to_pylist():
        parts[row["reason"]] += row["rows"]
    return Balance(step, what, pc.sum(marked["rows_in"]).as_py() or 0, dict(parts))


def select_balance(lake: Lake) -> list[Balance]:
    """Of the selection: the counts that were committed with it against its rows."""
    known = lake.commit_metadata("selection")
    if known is None:
        return []
    version, counts = known
    rows = lake.read("selection", ["kind", "reason"], version=version)
    balances = []
    kinds = [("tile", "tiles"), ("instruction", "instructions"), *([("group", "groups")] if "groups" in counts else [])]
    for kind, name in kinds:
        found = Counter(rows.filter(pc.equal(rows["kind"], kind))["reason"].to_pylist())
        balances.append(Balance("select", name, sum(counts[name].values()), dict(found)))
    return balances


def present_balance(lake: Lake, marked: pa.Table) -> list[Balance]:
    """Of what was selected: it must still be among the rows that finished units delivered."""
    known = lake.commit_metadata("selection")
    if known is None:
        return []
    rows = lake.read("selection", ["kind", "subject"], {"selected": True}, known[0])
    balances = []
    for kind, table, column in _SELECTED:
        subjects = rows.filter(pc.equal(rows["kind"], kind))["subject"]
        if kind == "group" and not len(subjects):
            continue
        delivered = set(read_receipt_rows(lake, table, marked["receipt"], [column])[column].to_pylist())
        kept = sum(subject in delivered for subject in subjects.to_pylist())
        balances.append(Balance("lake", f"selected {table}", len(subjects), {"kept": kept}))
    return balances


def shard_balance(lake: Lake, manifest: Manifest, version: int | None = None) -> list[Balance]:
    """Of the shards: tiles and instructions that the selection (its last version, or this one) took, against the manifest's
    counts."""
    rows = lake.read("selection", ["kind", "split"], {"selected": True}, version)
    chosen = rows["kind"].to_pylist()
    shards = [shard for split in manifest.splits.values() for shard in split.shards]
    # Split by split, so that a sample which changed sides is missed on one of them.
    selected = Counter(split for split in rows["split"].to_pylist() if split is not None)
    written = Counter({name: sum(shard.samples for shard in split.shards) for name, split in manifest.splits.items()})
    samples = (selected & written).total() if selected.total() >= written.total() else written.total()
    counted = sum(n for split in manifest.splits.values() for by in split.counts.values() for n in by.values())
    return [
        Balance("shard", "samples", len(chosen) - chosen.count("instruction"), {"kept": samples}),
        Balance("shard", "instructions", chosen.count("instruction"), {"kept": sum(s.instructions for s in shards)}),
        Balance("shard", "instructions by task and sensor", chosen.count("instruction"), {"kept": counted}),
    ]
