"""The label phase: missing units are cut, labelled and written; their receipts are committed while the run goes on.

Steps, each resumable to the unit: `label` reads scenes; `see` and `generate` let models look at the written pictures
(rsflow.phases.label.model_steps); `instruct` reads columns only, so a changed phrasing does not touch an image. A run that is
interrupted or killed keeps what was committed, at most `engine.commit_seconds` of work is done again.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable

import pyarrow as pa

from rsflow.config.settings import BuildConfig
from rsflow.engine.budget import UsageMeter
from rsflow.engine.commit import commit_receipts
from rsflow.engine.execute import Job, blocks_of, execute
from rsflow.engine.progress import progress
from rsflow.engine.unit_chain import UnitChain, scene_reject
from rsflow.errors import DataError, RejectLimitError, UndoneError
from rsflow.files import storage
from rsflow.lake.receipts import commit, completed_units, read_receipt_rows, receipt_table
from rsflow.lake.tables import Lake, filter_by_values
from rsflow.phases.label.model_steps import generate, see, without
from rsflow.planning.annotation_rejects import annotation_rejects, lost_annotations
from rsflow.planning.joined_annotations import check_some_left
from rsflow.planning.plan import Plan, Unit, label_work, undone_text
from rsflow.planning.step_inputs import gather, receipts_of, slices
from rsflow.planning.work_units import WorkUnits
from rsflow.schemas import INSTRUCT_WORK
from rsflow.stages.write_tiles import WriteTiles


def label(built: BuildConfig, lake: Lake, plan: Plan, meter: UsageMeter | None = None) -> None:
    """Do what is missing of the label phase. Raises RejectLimitError when too many scenes were rejected, BudgetError when the
    models of the run spent what they may, UndoneError when scenes could not be read for faults that are not theirs: all others
    are done then."""
    run, meter = uuid.uuid4().hex, meter or UsageMeter(built.budget)
    if not plan.scenes.equals(lake.read("scenes").sort_by("scene_id")):
        lake.overwrite("scenes", lambda: [plan.scenes])
    units = plan.missing
    _commit_unreadable(lake, plan, [unit for unit in units if not unit.windows], run)
    if not plan.undone:  # whose pictures would seem to be missing
        _commit_annotation_rejects(lake, plan, run)
        for source, rejects in lost_annotations(plan).items():
            if source in plan.annotated:
                check_some_left(source, plan.annotated[source], rejects, built.max_reject_share)
    undone = _label(built, lake, plan, [unit for unit in units if unit.windows], run)
    undone |= see(built, lake, without(plan, undone), run, meter)
    undone |= _instruct(built, lake, without(plan, undone), run)
    undone |= generate(built, lake, without(plan, undone), run, meter)
    plan = without(plan, undone)
    # Markers of crashed attempts count in their own run only, and their folders would pile up. Not after an error: workers may
    # still be writing there.
    storage.remove_folder(lake.place("attempts", run))
    _check_limit(built, lake, plan)
    if undone := {**plan.undone, **undone}:
        raise UndoneError(undone_text("scenes", plan.scenes.num_rows + len(plan.undone), undone))


def _label(built: BuildConfig, lake: Lake, plan: Plan, units: list[Unit], run: str) -> dict[str, str]:
    jobs = []
    by_print: dict[str, list[Unit]] = {}
    recipes = {made.fingerprint: made for made in plan.recipes.values()}
    prints = {name: made.fingerprint for name, made in plan.recipes.items()}
    for unit in units:
        by_print.setdefault(prints[unit.source], []).append(unit)
    for name, mine in by_print.items():
        stages = (*recipes[name].stages, WriteTiles(built.root))
        chain = UnitChain(stages, "label", built.root, run, built.engine.attempts)
        jobs.append(Job(chain, blocks_of(label_work(plan, mine), [unit.bytes for unit in mine])))
    pending = Counter(unit.scene_id for unit in units)
    with progress("label", "units", len(units), {"scenes": len(pending)}) as state:
        return commit_receipts(built, lake, execute(jobs, built.engine), run, state, pending)


def _instruct(built: BuildConfig, lake: Lake, plan: Plan, run: str) -> dict[str, str]:
    """Make the instructions of every labelled unit that lacks them under the present recipe; why scenes were left undone."""
    marked, undone = completed_units(lake), dict[str, str]()
    units = WorkUnits(plan, marked)
    done = set(marked["unit"].to_pylist())
    todo = [(name, unit) for unit in units.fit.values() if (name := units.instruct(unit)) not in done]
    tiles = receipts_of(marked, [unit.id for _, unit in todo])
    merged = units.merged(marked)
    (stage,) = plan.instruct.stages
    chain = UnitChain((stage,), "instruct", built.root, run, built.engine.attempts)
    pending = Counter(unit.scene_id for _, unit in todo)
    with progress("instruct", "units", len(todo), {"scenes": len(pending)}) as state:
        for part in slices(todo):
            work = gather(lake, INSTRUCT_WORK, part, tiles, [merged])
            blocks = blocks_of(work, [0] * work.num_rows)
            undone |= commit_receipts(built, lake, execute([Job(chain, blocks)], built.engine), run, state, pending)
    return undone


def _commit_unreadable(lake: Lake, plan: Plan, units: Iterable[Unit], run: str) -> None:
    refused = plan.scenes.filter(pa.compute.is_valid(plan.scenes["probe_reason"]))
    rows = {row["scene_id"]: row for row in refused.to_pylist()}
    receipts = []
    for unit in units:
        row = rows[unit.scene_id]
        work = {**row, "unit": unit.id, "file": (row["files"] or [""])[0]}
        receipts.append(_settled(scene_reject(work, "label", DataError(row["probe_reason"], row["probe_detail"]))))
    if receipts:
        commit(lake, pa.concat_tables(receipts), run)


def _commit_annotation_rejects(lake: Lake, plan: Plan, run: str) -> None:
    """The broken records of annotation files, and their pictures that no scene is: once per content."""
    done = plan.done
    receipts = []
    for source, unit, rejects in annotation_rejects(plan):
        if unit not in done:
            marks_of = {"unit": unit, "receipt": uuid.uuid4().hex, "step": "annotations", "scene_id": "", "source": source}
            counts = {"rows_in": len(rejects), "rows_kept": 0, "rows_rejected": len(rejects), "scene_rejected": False}
            receipts.append(receipt_table({**marks_of, **counts, "bytes_read": 0, "seconds": 0.0}, rejects=rejects))
    if receipts:
        commit(lake, pa.concat_tables(receipts), run)


def _settled(receipt: pa.Table) -> pa.Table:
    seconds = receipt.schema.get_field_index("seconds")
    return receipt.set_column(seconds, receipt.schema.field(seconds), pa.array([0.0] * receipt.num_rows))


def _check_limit(built: BuildConfig, lake: Lake, plan: Plan) -> None:
    """RejectLimitError with the table of reasons when the share of rejected scenes is beyond `max_reject_share`."""
    wanted = {unit.id for unit in plan.units}
    marked = filter_by_values(completed_units(lake), "unit", sorted(wanted))
    bad = marked.filter(marked["scene_rejected"])
    rejected = set(bad["scene_id"].to_pylist())
    total = plan.scenes.num_rows
    if len(rejected) <= built.max_reject_share * total:
        return
    rows = read_receipt_rows(lake, "rejects", bad["receipt"]).to_pylist()
    reasons = Counter(row["reason"] for row in rows)
    examples = {row["reason"]: row["detail"] for row in rows}
    lines = "\n".join(f"  {count:6}  {reason}: {examples[reason]}" for reason, count in reasons.most_common())
    raise RejectLimitError(
        f"{len(rejected)} of {total} scenes were rejected, more than max_reject_share={built.max_reject_share} allows:\n"
        f"{lines}\n"
        "Repair them and run again with --retry-rejects, leave them out of `files`, or raise max_reject_share"
    )
