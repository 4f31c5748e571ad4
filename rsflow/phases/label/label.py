"""The label phase: missing units are cut, labelled and written; their receipts are committed while the run goes on.

One idea: the phase is the table of its steps (rsflow.planning.steps), each resumable to the unit. A run that is interrupted or
killed keeps what was committed: at most `engine.commit_seconds` of work is done again.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.engine.budget import UsageMeter
from rsflow.engine.unit_blocks import scene_reject
from rsflow.errors import DataError, RejectLimitError, UndoneError
from rsflow.files import storage
from rsflow.lake.receipts import commit, read_receipt_rows, receipt_table
from rsflow.lake.tables import Lake
from rsflow.phases.generate.generate import check_failed_share
from rsflow.phases.label.reason_counts import reason_lines
from rsflow.phases.label.run_steps import StepRunner, without_scenes
from rsflow.planning.plan import Plan, undone_text
from rsflow.planning.sources.annotation_rejects import annotation_rejects, lost_annotations
from rsflow.planning.sources.joined_annotations import check_some_left
from rsflow.planning.step import Step
from rsflow.planning.steps import STEPS, generate
from rsflow.schemas.rows import filter_by_values

GONE_SHOWN = 10  # scenes that left their sources, by name


def label(
    built: BuildConfig, lake: Lake, plan: Plan, meter: UsageMeter | None = None, steps: Sequence[Step] | None = None
) -> None:
    """Do what is missing of the label phase, or of these steps.

    Raises RejectLimitError when too many scenes were rejected, BudgetError when models used up the budget, UndoneError when
    scenes could not be read for faults of the surroundings: all others are done then.
    """
    _store_scenes(lake, plan)
    steps = label_steps(built) if steps is None else steps
    runner = StepRunner(built, lake, uuid.uuid4().hex, meter or UsageMeter(built.budget), plan.marks)
    rejects = [*_unreadable_scenes(plan), *([] if plan.undone else _unusable_annotations(plan))]
    if rejects:
        runner.marked = pa.concat_tables([runner.marked, commit(lake, pa.concat_tables(rejects), runner.run)])
    if not plan.undone:  # whose pictures would seem to be missing
        for source, lost in lost_annotations(plan).items():
            if source in plan.annotated:
                check_some_left(source, plan.annotated[source], lost, built.max_reject_share)
    for step in steps:
        runner.run_step(step, plan)
    # Markers of crashed attempts count in their own run only, and their folders would pile up. Not after an error: workers may
    # still be writing there.
    if runner.has_run:
        storage.remove_folder(lake.place("attempts", runner.run))
    _check_reject_share(built, lake, without_scenes(plan, runner.undone), runner.marked)
    if generate.STEP in steps:
        check_failed_share(built, lake, plan, runner.marked)
    if undone := {**plan.undone, **runner.undone}:
        raise UndoneError(undone_text("scenes", plan.scenes.num_rows + len(plan.undone), undone))


def _store_scenes(lake: Lake, plan: Plan) -> None:
    """Bring the table of scenes up to date; those of sources that do not answer stay, those that are gone are reported."""
    before = lake.read("scenes").sort_by("scene_id")
    stays = pc.or_(*(pc.is_in(before[name], pa.array(list(plan.undone), pa.string())) for name in ("source", "scene_id")))
    scenes = pa.concat_tables([plan.scenes, before.filter(stays)]).sort_by("scene_id")
    removed = sorted(set(before["scene_id"].to_pylist()) - set(scenes["scene_id"].to_pylist()))
    if removed:
        shown = ", ".join(removed[:GONE_SHOWN]) + (f" and {len(removed) - GONE_SHOWN} more" if removed[GONE_SHOWN:] else "")
        print(
            f"rsflow: warning: {len(removed)} scenes are no longer in their sources and leave the dataset: {shown}",
            file=sys.stderr,
        )
    if not scenes.equals(before):
        lake.overwrite("scenes", lambda: [scenes])


def label_steps(built: BuildConfig) -> list[Step]:
    """All steps, without generation where only selected tiles are asked about: it has a phase of its own then."""
    return [step for step in STEPS if step is not generate.STEP or not built.asks_selected]


def _unreadable_scenes(plan: Plan) -> Iterator[pa.Table]:
    """The receipts of scenes that could not be opened when the build was planned."""
    rows = {row["scene_id"]: row for row in plan.scenes.filter(plan.scenes["probe_reason"].is_valid()).to_pylist()}
    for unit in plan.missing:
        if not unit.windows:
            row = rows[unit.scene_id]
            work = {**row, "unit": unit.id, "file": (row["files"] or [""])[0]}
            yield scene_reject(work, "label", DataError(row["probe_reason"], row["probe_detail"]))


def _unusable_annotations(plan: Plan) -> Iterator[pa.Table]:
    """The receipts of annotations that are broken or fit no scene: once per content."""
    done = plan.done
    for source, unit, rejects in annotation_rejects(plan):
        if unit not in done:
            marks = {"unit": unit, "receipt": uuid.uuid4().hex, "step": "annotations", "scene_id": "", "source": source}
            counts = {"rows_in": len(rejects), "rows_kept": 0, "rows_rejected": len(rejects), "scene_rejected": False}
            yield receipt_table({**marks, **counts, "bytes_read": 0, "seconds": 0.0}, rejects=rejects)


def _check_reject_share(built: BuildConfig, lake: Lake, plan: Plan, marked: pa.Table) -> None:
    """RejectLimitError with the reasons when the share of rejected scenes is beyond `max_reject_share`."""
    marked = filter_by_values(marked, "unit", sorted(unit.id for unit in plan.units))
    bad = marked.filter(marked["scene_rejected"])
    rejected = set(bad["scene_id"].to_pylist())
    total = plan.scenes.num_rows
    if len(rejected) <= built.max_reject_share * total:
        return
    rows = read_receipt_rows(lake, "rejects", bad["receipt"]).to_pylist()
    raise RejectLimitError(
        f"{len(rejected)} of {total} scenes were rejected, more than max_reject_share={built.max_reject_share} allows:\n"
        f"{reason_lines(rows)}\n"
        "Repair them and run again with --retry-rejects, leave them out of `files`, or raise max_reject_share"
    )
