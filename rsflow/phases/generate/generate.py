"""Ask a model for what is chosen and not written yet."""

from __future__ import annotations

import uuid

import pyarrow as pa

from rsflow.config.settings import BuildConfig
from rsflow.engine.budget import UsageMeter, total_usage
from rsflow.errors import RejectLimitError, UndoneError
from rsflow.files import storage
from rsflow.lake.receipts import completed_units, read_receipt_rows
from rsflow.lake.tables import Lake
from rsflow.phases.label.reason_counts import reason_lines
from rsflow.phases.label.run_steps import StepRunner
from rsflow.planning.plan import Plan, undone_text
from rsflow.planning.steps import generate as step
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas.rows import filter_by_values
from rsflow.stages.generate.generated_texts import is_failed_text


def generate(built: BuildConfig, lake: Lake, plan: Plan, meter: UsageMeter) -> None:
    """Do what is missing of the step.

    Raises BudgetError when the budget is spent, RejectLimitError when too many texts failed, UndoneError when pictures could
    not be read for faults of the surroundings.
    """
    runner = StepRunner(built, lake, uuid.uuid4().hex, meter, completed_units(lake))
    runner.run_step(step.STEP, plan)
    if runner.has_run:
        storage.remove_folder(lake.place("attempts", runner.run))
    check_failed_share(built, lake, plan, runner.marked)
    if runner.undone:
        raise UndoneError(undone_text("scenes", plan.scenes.num_rows, runner.undone))


def check_failed_share(built: BuildConfig, lake: Lake, plan: Plan, marked: pa.Table) -> None:
    """RejectLimitError with the reasons when the share of texts without a usable answer is beyond `max_failed_share`."""
    if built.generation is None:
        return
    mine = filter_by_values(marked, "unit", [unit.id for unit in step.STEP.units(UnitIds(plan, marked))])
    usage = total_usage(mine)
    if usage["failed_texts"] <= built.generation.max_failed_share * usage["texts"]:
        return
    rows = read_receipt_rows(lake, "rejects", mine["receipt"]).to_pylist()
    raise RejectLimitError(
        f"{usage['failed_texts']:.0f} of {usage['texts']:.0f} texts failed, more than "
        f"generation.max_failed_share={built.generation.max_failed_share} allows:\n"
        f"{reason_lines([row for row in rows if is_failed_text(row['reason'])])}\n"
        "Remove the cause and run again with --retry-rejects, or raise generation.max_failed_share"
    )
