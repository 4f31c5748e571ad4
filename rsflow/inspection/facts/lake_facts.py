"""What a lake records of a snapshot beyond its samples, for the report: why rows left, sources, labellers, times.

One idea: everything is read back from tables and notes; where the sources cannot be reached now, all finished work of the lake
counts instead of the work that its configuration wants, and the report says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.config.stac_settings import OF_ITEMS
from rsflow.errors import RsflowError
from rsflow.inspection.evaluate_labels import evaluate_live_rows
from rsflow.inspection.facts.labeller_facts import labeller_quality
from rsflow.labellers.quality.coco_metrics import Quality
from rsflow.lake.receipts import completed_units, read_receipt_rows
from rsflow.lake.tables import Lake
from rsflow.phases.build import plan_build, read_config
from rsflow.phases.row_balance import step_balances
from rsflow.phases.shard.shard import selection_version
from rsflow.planning.live_rows import LiveRows, read_live_rows
from rsflow.report.snapshot.facts import FunnelStep, LakeFacts, MeasuredQuality, SourceLine, StageTime

_EVERYTHING = "So steps count everything that the lake holds, also what earlier settings made."
MOST_LABELS = 3_000_000  # with more, labellers are measured by their own command: it takes minutes and gigabytes


@dataclass(frozen=True)
class KnownLake:
    """`built`: the last configuration; `now`: the rows that it wants; None where they cannot be known, and `notes` why."""

    built: BuildConfig | None
    now: LiveRows | None
    notes: tuple[str, ...] = ()


def know_lake(lake: Lake) -> KnownLake:
    """The last configuration and the rows that it wants, from its sources as they are now."""
    try:
        built = read_config(lake)
    except RsflowError as error:
        return KnownLake(None, None, (f"What was configured is not known: {error}", _EVERYTHING))
    try:
        return KnownLake(built, read_live_rows(lake, plan_build(built, lake), allow_missing=True))
    except RsflowError as error:
        return KnownLake(built, None, (f"The sources cannot be planned: {error}", _EVERYTHING))


def lake_facts(lake: Lake, snapshot: int, known: KnownLake) -> LakeFacts:
    """Facts about the lake now, and about the selection that the snapshot was made of."""
    notes = list(known.notes)
    marks = pa.concat_tables(list(known.now.marks.values())) if known.now else completed_units(lake)
    funnel = (*_label_funnel(lake, marks), *_selection_funnel(lake, snapshot, notes))
    measured = _measured_quality(known, notes)
    facts = LakeFacts(
        funnel, tuple(_stage_times(marks)), origins=_label_origins(lake, marks), measured=measured, notes=tuple(notes)
    )
    if known.built is None:
        return facts
    return replace(
        facts,
        sources=_source_lines(known.built, marks),
        wanted=dict(sorted(known.built.select.splits.items())),
        quality=labeller_quality(known.built),
    )


def _label_funnel(lake: Lake, marks: pa.Table) -> Iterator[FunnelStep]:
    label = marks.filter(pc.equal(marks["step"], "label"))
    bad = set(label.filter(label["scene_rejected"])["scene_id"].to_pylist())
    scenes = set(label["scene_id"].to_pylist())
    rejects = read_receipt_rows(lake, "rejects", marks["receipt"], ["kind", "scene_id", "step", "reason", "rows"])
    reasons = {row["scene_id"]: row["reason"] for row in rejects.to_pylist() if row["kind"] == "scene"}
    left = Counter(reasons.get(each, "rejected") for each in bad)
    yield FunnelStep("read", "scenes", len(scenes), len(scenes - bad), _others(left))
    yield from (
        FunnelStep(each.step, each.what, each.rows_in, each.parts.get("kept", 0), _others(each.parts))
        for each in step_balances(lake, marks)
        if each.rows_in
    )
    lost = Counter(row["reason"] for row in rejects.to_pylist() if row["kind"] == "annotation")
    if lost:
        labels = read_receipt_rows(lake, "labels", label["receipt"], ["origin"])
        kept = int(pc.sum(pc.equal(labels["origin"], "annotation")).as_py() or 0)
        yield FunnelStep("annotations", "labels kept and records that left", kept + lost.total(), kept, _others(lost))


def _selection_funnel(lake: Lake, snapshot: int, notes: list[str]) -> Iterator[FunnelStep]:
    """Of the selection that the snapshot was made of, of which every version stays readable."""
    version = selection_version(lake, snapshot)
    if version is None:
        notes.append(f"Which selection snapshot {snapshot} was made of was not noted: why rows were not selected is not known.")
        return
    rows = lake.read("selection", ["kind", "reason"], version=version)
    for kind in ("tile", "instruction"):
        reasons = Counter(rows.filter(pc.equal(rows["kind"], kind))["reason"].to_pylist())
        yield FunnelStep("select", f"{kind}s", reasons.total(), reasons["kept"], _others(reasons))


def _others(parts: dict[str, int] | Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(parts.items()) if name != "kept" and number}


def _stage_times(marks: pa.Table) -> Iterator[StageTime]:
    """Sums over the marks, per step and stage, in the order in which they first ran."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0, 0, 0.0])
    for row in marks.select(["step", "rows_in", "bytes_read", "stage_seconds"]).to_pylist():
        for each in row["stage_seconds"] or ():
            found = sums[row["step"], each["stage"]]
            for index, amount in enumerate((1, row["rows_in"], row["bytes_read"], each["seconds"])):
                found[index] += amount
    for (step, stage), (units, rows, size, seconds) in sums.items():
        yield StageTime(step, stage, int(units), int(rows), int(size), round(seconds, 3))


def _label_origins(lake: Lake, marks: pa.Table) -> dict[str, int]:
    """Labels by who made them: annotations, and each labeller by name; measured facts are no opinions."""
    rows = read_receipt_rows(lake, "labels", marks["receipt"], ["kind", "origin", "origin_name"])
    counts: Counter[str] = Counter()
    for row in rows.group_by(["kind", "origin", "origin_name"]).aggregate([([], "count_all")]).to_pylist():
        if row["origin"] == "annotation":
            counts["annotations"] += row["count_all"]
        elif row["kind"] != "fact":
            counts[row["origin_name"]] += row["count_all"]
    return dict(sorted(counts.items()))


def _source_lines(built: BuildConfig, marks: pa.Table) -> tuple[SourceLine, ...]:
    label = (
        marks.filter(pc.equal(marks["step"], "label")).select(["source", "scene_id", "rows_kept", "scene_rejected"]).to_pylist()
    )
    bad = {row["scene_id"] for row in label if row["scene_rejected"]}
    scenes = Counter(source for source, _ in {(row["source"], row["scene_id"]) for row in label if row["scene_id"] not in bad})
    tiles: Counter[str] = Counter()
    for row in label:
        tiles[row["source"]] += row["rows_kept"]
    return tuple(
        SourceLine(one.name, one.sensor, one.licence or OF_ITEMS, scenes[one.name], tiles[one.name]) for one in built.sources
    )


def _measured_quality(known: KnownLake, notes: list[str]) -> tuple[MeasuredQuality, ...]:
    if known.built is None or known.now is None:
        return ()
    if known.now.labels(["label_id"]).num_rows > MOST_LABELS:
        notes.append("Labellers are measured by `rsflow evaluate-labels`: this lake has too many labels to do it for a report.")
        return ()
    try:
        found = evaluate_live_rows(known.built, known.now)
    except RsflowError as error:
        notes.append(f"Labellers were not measured on this lake: {error}")
        return ()
    return tuple(_measured(one) for one in found.qualities)


def _measured(one: Quality) -> MeasuredQuality:
    found = one.evaluation
    counts = found.pictures, found.true, len(found.judged)
    return MeasuredQuality(one.key, one.sensor, one.category_name, *counts, found.precision, found.recall)
