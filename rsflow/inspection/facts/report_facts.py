"""The results of a run, in the form that reports take.

One idea: the engine knows what happened, the report knows how to say it, and neither knows the other. This is the one place
where the numbers of the first are put into the facts of the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.engine.budget import total_usage
from rsflow.files import storage
from rsflow.inspection.facts.labeller_facts import labeller_quality
from rsflow.inspection.facts.source_lines import source_lines
from rsflow.inspection.review import read_review_summary
from rsflow.lake.receipts import read_receipt_rows
from rsflow.phases.build import BuildResult, LakeStatus
from rsflow.phases.select.stratify import count_by_stratum
from rsflow.planning.estimates.estimate import BuildEstimate
from rsflow.planning.sources.zoom_scales import stored_scene_id
from rsflow.report.build_summary import BuildSummary, ModelUse, SceneCounts, ShardCounts
from rsflow.report.dataset_card.card import CardFacts, SnapshotFacts, SourceFacts, dataset_card
from rsflow.report.text.plan_text import ModelFacts, PlanFacts
from rsflow.shards.manifest import Manifest, Split

CARD = "card.md"

_IMPORTED = "imported_"  # usage of instructing that counts the sentences of captions
_SENTENCES = ("claimed_", "free_", "unread_")  # usage of generating models that counts sentences


def plan_facts(counts: BuildEstimate) -> PlanFacts:
    models = tuple(ModelFacts(model.name, model.tiles, model.measured, model.expected) for model in counts.models)
    lines = tuple(line for source in counts.sources for line in source_lines(source))
    return PlanFacts(
        counts.scenes,
        counts.units,
        counts.tiles,
        counts.bytes,
        counts.instruct_units,
        models,
        counts.layers,
        lines,
        counts.warnings,
    )


def describe_lake(lake_status: LakeStatus) -> str:
    """What a lake holds, as `rsflow status` begins."""
    rows = ", ".join(f"{number:,} {name}" for name, number in lake_status.rows.items())
    latest = lake_status.snapshot or "none yet"
    empty = [f"empty source {name}: {why}" for name, why in lake_status.empty_sources.items()]
    balances = [balance.line() for balance in lake_status.balances]
    return "\n".join([lake_status.root, f"holds {rows}", f"latest snapshot: {latest}", *balances, *empty])


def summarise_build(outcome: BuildResult) -> BuildSummary:
    """What `rsflow build` says at its end."""
    scenes = outcome.planned.scenes
    rejected = len({*map(stored_scene_id, outcome.now.rejected_scenes)})
    counts = SceneCounts(scenes["new"], scenes["changed"] + scenes["to_label"], scenes["done"], rejected)
    sharded = outcome.sharded
    return BuildSummary(
        root=outcome.lake.root,
        scenes=counts,
        tiles_kept=int(pc.sum(outcome.now.label["rows_kept"]).as_py() or 0),
        rejects=_count_rejects(outcome),
        instructions=_sum_counts(sharded.manifest.splits.values()) if sharded else _count_instructions(outcome),
        seconds=outcome.seconds,
        snapshot=outcome.lake.place("snapshots", f"{sharded.snapshot}.json") if sharded else None,
        shards=_count_shards(sharded.manifest, sharded.written) if sharded else None,
        balances=tuple(balance.line() for balance in outcome.balances),
        models=tuple(_iterate_model_use(outcome)),
        empty_sources=outcome.empty_sources,
        unplaced=outcome.selected.unplaced if outcome.selected else {},
    )


def _iterate_model_use(outcome: BuildResult) -> Iterator[ModelUse]:
    """What each model's step took beside what the plan had expected."""
    expected = {model.name: model.expected for model in outcome.planned.models}
    for used in outcome.used:
        yield ModelUse(
            used.name,
            used.tiles,
            used.seconds,
            used.first_seconds,
            used.ramp_seconds,
            used.busy_share,
            used.idle_gpu_seconds,
            dict(used.amounts),
            expected.get(used.name, {}),
        )


def write_card(built: BuildConfig, outcome: BuildResult) -> str:
    """Write the dataset card of the run's snapshot beside its lake; returns its place."""
    place = outcome.lake.place(CARD)
    storage.write_bytes(place, dataset_card(card_facts(built, outcome)).encode())
    return place


def card_facts(built: BuildConfig, outcome: BuildResult) -> CardFacts:
    """Everything that the card says. Needs a run that ended with a snapshot (ValueError)."""
    if outcome.sharded is None or outcome.selected is None:
        raise ValueError("a card is of a snapshot: run all phases")
    manifest = outcome.sharded.manifest
    shards = [shard for split in manifest.splits.values() for shard in split.shards]
    snapshot = SnapshotFacts(
        outcome.lake.root,
        f"snapshots/{outcome.sharded.snapshot}.json",
        manifest.digest,
        manifest.config_fingerprint,
        manifest.seed,
        len(shards),
        sum(shard.bytes for shard in shards),
    )
    dropped = Counter(outcome.selected.tiles) + Counter(outcome.selected.instructions)
    del dropped["kept"]
    return CardFacts(
        name=built.root.rstrip("/").rpartition("/")[2],
        snapshot=snapshot,
        sources=_source_facts(built, outcome),
        samples={name: split.samples for name, split in manifest.splits.items()},
        instructions={name: _sum_counts([split]) for name, split in manifest.splits.items()},
        rejects=_count_rejects(outcome),
        dropped=dict(dropped),
        quality=labeller_quality(built),
        origins=_count_label_origins(outcome),
        by_source=_count_by_source(built, outcome),
        made=_count_by_task(outcome),
        wanted=built.select.splits,
        strata=count_by_stratum(outcome.now),
        reviewed=read_review_summary(outcome.lake),
        imported=_sum_imported(outcome),
        sentences={name: n for name, n in total_usage(outcome.now.all_marks).items() if name.startswith(_SENTENCES)},
    )


def _count_rejects(outcome: BuildResult) -> dict[str, int]:
    """By reason: each unreadable scene once, every other row by itself. Refused instructions are no loss of data: left out."""
    rows = outcome.now.rejects()
    rows = rows.filter(pc.not_equal(rows["kind"], "instruction")).select(["kind", "subject", "reason"]).to_pylist()
    scenes = {(row["subject"], row["reason"]) for row in rows if row["kind"] == "scene"}
    # Several pictures of one name may be missing, and each is a loss.
    return dict(Counter(reason for _, reason in scenes) + Counter(row["reason"] for row in rows if row["kind"] != "scene"))


def _sum_counts(splits: Iterable[Split]) -> dict[tuple[str, str], int]:
    tally: Counter[tuple[str, str]] = Counter()
    for split in splits:
        for task, by_sensor in split.counts.items():
            tally.update({(task, sensor): count for sensor, count in by_sensor.items()})
    return dict(tally)


def _count_by_task(outcome: BuildResult) -> dict[str, int]:
    rows = read_receipt_rows(outcome.lake, "instructions", outcome.now.receipts("instructions"), ["task"])
    counts = rows.group_by("task").aggregate([("task", "count")])
    return dict(zip(counts["task"].to_pylist(), counts["task_count"].to_pylist(), strict=True))


def _count_instructions(outcome: BuildResult) -> dict[tuple[str, str], int]:
    """Instructions as they were made, before any selection."""
    sensors = outcome.now.samples(["tile_id", "sensor"])
    sensor = dict(zip(sensors["tile_id"].to_pylist(), sensors["sensor"].to_pylist(), strict=True))
    rows = outcome.now.instructions(["instruction_id", "tile_id", "task"]).to_pylist()
    return dict(Counter((row["task"], sensor[row["tile_id"]]) for row in rows))


def _count_shards(manifest: Manifest, written: int) -> ShardCounts:
    shards = [shard for split in manifest.splits.values() for shard in split.shards]
    samples = {name: split.samples for name, split in manifest.splits.items()}
    return ShardCounts(len(shards), sum(shard.bytes for shard in shards), written, samples)


def _source_facts(built: BuildConfig, outcome: BuildResult) -> tuple[SourceFacts, ...]:
    marks = outcome.now.label
    kept: Counter[str] = Counter()
    for row in marks.select(["source", "rows_kept"]).to_pylist():
        kept[row["source"]] += row["rows_kept"]
    fit = marks.filter(pc.invert(marks["scene_rejected"])).select(["source", "scene_id"]).to_pylist()
    bad = outcome.now.rejected_scenes
    scenes = Counter(source for source, _ in {(row["source"], row["scene_id"]) for row in fit if row["scene_id"] not in bad})
    source_of = {row["tile_id"]: row["source"] for row in outcome.now.samples(["tile_id", "source"]).to_pylist()}
    chosen = outcome.lake.read("selection", ["kind", "tile_id", "selected"])
    chosen = chosen.filter(pc.and_(chosen["selected"], pc.not_equal(chosen["kind"], "instruction")))
    samples = Counter(source_of[tile] for tile in chosen["tile_id"].to_pylist())
    stated = outcome.plan.scenes.select(["source", "licence"]).to_pylist()
    licences = {
        s.name: s.licence or ", ".join(sorted({row["licence"] for row in stated if row["source"] == s.name}))
        for s in built.sources
    }
    return tuple(
        SourceFacts(s.name, s.sensor, licences[s.name], scenes[s.name], kept[s.name], samples[s.name]) for s in built.sources
    )


def _count_by_source(built: BuildConfig, outcome: BuildResult) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Pictures and instructions in the dataset by (split, task, published set); several sources may make up a set."""
    sets = {source.name: source.published.part_of or source.name for source in built.sources}
    rows = outcome.lake.read("selection", ["kind", "subject", "tile_id", "selected", "split"])
    rows = rows.filter(rows["selected"])
    splits = rows.filter(pc.not_equal(rows["kind"], "instruction")).select(["tile_id", "split"])
    chosen = rows.filter(pc.equal(rows["kind"], "instruction")).select(["subject", "tile_id"])
    # An instruction may go with another tile than it was made on (a duplicate's); its source is that of its own.
    made = outcome.now.instructions(["instruction_id", "tile_id", "task"]).rename_columns(["subject", "made_on", "task"])
    tiles = outcome.now.samples(["tile_id", "source"]).rename_columns(["made_on", "source"])
    joined = chosen.join(splits, "tile_id").join(made, "subject").join(tiles, "made_on")
    counts = joined.group_by(["split", "task", "source"]).aggregate([("tile_id", "count_distinct"), ("tile_id", "count")])
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in counts.to_pylist():
        key = (row["split"], row["task"], sets[row["source"]])
        pictures, instructions = found.get(key, (0, 0))
        found[key] = (pictures + row["tile_id_count_distinct"], instructions + row["tile_id_count"])
    return found


def _count_label_origins(outcome: BuildResult) -> dict[tuple[str, str], int]:
    """Labels in the lake by who says so: ("annotation", "") or ("labeller", its name). Measured facts are no opinions."""
    rows = outcome.now.labels(["label_id", "kind", "origin", "origin_name"])
    annotated = pc.equal(rows["origin"], "annotation")
    rows = rows.filter(pc.or_(annotated, pc.not_equal(rows["kind"], "fact")))
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows.group_by(["origin", "origin_name"]).aggregate([("label_id", "count")]).to_pylist():
        counts[row["origin"], row["origin_name"] if row["origin"] == "labeller" else ""] += row["label_id_count"]
    return dict(counts)


def _sum_imported(outcome: BuildResult) -> dict[str, dict[str, float]]:
    """By source: how its captions were compared with its labels."""
    marks = outcome.now.all_marks
    found: dict[str, dict[str, float]] = {}
    for source in sorted(set(marks["source"].to_pylist())):
        total = total_usage(marks.filter(pc.equal(marks["source"], source)))
        counts = {name: number for name, number in total.items() if name.startswith(_IMPORTED)}
        found |= {source: counts} if counts else {}
    return found
