"""The commands about a lake: what makes one, what tells of one, what looks into one.

One idea: as thin as `rsflow.cli`, which parses for them: each calls one function and prints what came of it.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from rsflow.errors import UsageError

if TYPE_CHECKING:
    from rsflow.config.settings import BuildConfig


def _present(arguments: argparse.Namespace) -> tuple[BuildConfig, str]:
    """The configuration with the sources that are there; what it lacks is told, and returned in a line."""
    from rsflow.config.availability import available, barred
    from rsflow.planning.recipe import load

    built, missing = available(load(arguments.config, arguments.overrides))
    if said := barred(built):
        print(f"rsflow: {said}", file=sys.stderr)
    line = f"{len(missing)} sources were not there and are left out: {', '.join(missing)}" if missing else ""
    if line:
        print(f"rsflow: {line} (see `rsflow sources {arguments.config}`)", file=sys.stderr)
    return built, line


def build(arguments: argparse.Namespace) -> int:
    from rsflow.inspection.report_facts import summary_of, write_card
    from rsflow.phases.build import run
    from rsflow.report.build_summary import summary_text

    built, missing = _present(arguments)
    outcome = run(built, arguments.phases, getattr(arguments, "retry_rejects", False))
    if outcome.sharded and outcome.selected:
        write_card(built, outcome)
    print(summary_text(summary_of(outcome)))
    if missing:
        print(f"lacked        {missing}")
    return 0


def plan(arguments: argparse.Namespace) -> int:
    from rsflow.inspection.report_facts import plan_facts
    from rsflow.lake.tables import find_lake
    from rsflow.phases.build import plan_build, sample
    from rsflow.planning.estimate import estimate_build
    from rsflow.report.plan_text import plan_text

    built, _ = _present(arguments)
    if arguments.sample is not None:
        if arguments.sample < 1:
            raise UsageError(f"--sample is {arguments.sample}: expected a number of scenes from 1")
        sample(built, arguments.sample)
    print(plan_text(plan_facts(estimate_build(plan_build(built, find_lake(built.root))))))
    return 0


def status(arguments: argparse.Namespace) -> int:
    from rsflow.inspection.report_facts import held_text, plan_facts
    from rsflow.phases.build import status
    from rsflow.report.plan_text import plan_text

    held, planned = status(arguments.root)
    print(held_text(held))
    print(planned if isinstance(planned, str) else plan_text(plan_facts(planned)))
    return 0


def verify(arguments: argparse.Namespace) -> int:
    from rsflow.lake.tables import open_lake
    from rsflow.lake.verify import find_damage
    from rsflow.phases.build import lake_balances
    from rsflow.shards.verify import verify_snapshot

    deep = [*find_damage(open_lake(arguments.root))] if arguments.deep else []
    found = verify_snapshot(arguments.root)
    faults = [
        *deep,
        *found.differences,
        *([] if deep else (balance.line() for balance in lake_balances(arguments.root) if not balance.is_balanced)),
    ]
    for fault in faults:
        print(fault)
    if faults:
        print(f"rsflow: {arguments.root}: {len(faults)} differences", file=sys.stderr)
        return 1
    print(f"{arguments.root}: {found.shards} shards, {found.samples} samples, {found.bytes} bytes: all as the manifest says")
    return 0


def show(arguments: argparse.Namespace) -> int:
    from rsflow.report.show import Choice, show

    choice = Choice(arguments.tile, arguments.task, arguments.sensor, arguments.split, arguments.n)
    drawn = show(arguments.root, choice, arguments.output)
    print(f"{arguments.output}: {drawn} samples")
    return 0


def explain(arguments: argparse.Namespace) -> int:
    from rsflow.files import storage
    from rsflow.inspection.explain import explain, pictures_of
    from rsflow.report.explain import explanation, explanation_sheet

    found = explain(arguments.root, arguments.subject)
    print(explanation(found.subject, found.tile, found.members, found.instructions, found.near))
    if arguments.output:
        shown = pictures_of(arguments.root, found, most=9)
        storage.write_bytes(arguments.output, explanation_sheet(shown, arguments.output))
        print(f"{arguments.output}: {len(shown)} pictures")
    return 0


def diff(arguments: argparse.Namespace) -> int:
    from rsflow.inspection.diff import diff

    print(diff(arguments.root, arguments.before, arguments.after).text() or "nothing changed")
    return 0


def vacuum(arguments: argparse.Namespace) -> int:
    from rsflow.inspection.vacuum import Kept
    from rsflow.inspection.vacuum import vacuum as clear
    from rsflow.report.counts_table import size

    for name, least in (("hours", 0), ("keep_snapshots", 1)):
        value = getattr(arguments, name)
        if value is not None and value < least:
            raise UsageError(f"--{name.replace('_', '-')} is {value}: expected a number from {least}")
    waste = clear(arguments.root, Kept(arguments.hours, arguments.keep_snapshots, not arguments.former), arguments.delete)
    for part in waste:
        print(f"{part.folder:20} {len(part.files):7,} files {size(part.bytes):>10}   {part.why}")
    total = f"{sum(len(part.files) for part in waste):,} files, {size(sum(part.bytes for part in waste))}"
    said = "deleted" if arguments.delete else "can go: add --delete" if waste else "nothing to delete"
    print(f"{arguments.root}: {total} {said}")
    return 0


def fingerprint(arguments: argparse.Namespace) -> int:
    from rsflow.phases.select.held_out import fingerprint_place, write_fingerprints

    prints = fingerprint_place(arguments.folder)
    write_fingerprints(prints.rows, arguments.output)
    print(f"{arguments.output}: {prints.rows.num_rows:,} pictures; hold them out with select.held_out")
    return 0


def evaluate_labels(arguments: argparse.Namespace) -> int:
    from rsflow.files import storage
    from rsflow.inspection.evaluate_labels import calibrations, evaluate
    from rsflow.report.label_quality import quality_json, quality_text

    if arguments.calibrate != bool(arguments.output):
        raise UsageError("--calibrate and -o FILE go together: what is learned is written there")
    found = evaluate(arguments.root, arguments.labeller, arguments.iou)
    if arguments.calibrate:
        storage.write_bytes(arguments.output, calibrations(found).to_json())
    tell = quality_json if arguments.json else quality_text
    print(tell(found.qualities, found.iou, found.notes))
    return 0


def stream_bench(arguments: argparse.Namespace) -> int:
    try:
        from rsflow.loading.throughput import Asked, measure
    except ModuleNotFoundError as error:
        raise UsageError(f"stream-bench needs {error.name}: pip install 'rsflow[train]'") from error
    asked = Asked(
        arguments.split,
        arguments.workers,
        arguments.batch,
        arguments.decode,
        arguments.size,
        arguments.cache,
        arguments.seconds,
    )
    print(measure(arguments.url, asked).text())
    return 0


def demo_scenes(arguments: argparse.Namespace) -> int:
    from rsflow.demo.write import write_demo_scenes

    written = write_demo_scenes(arguments.folder, arguments.seed)
    print(f"{len(written.scenes)} scenes with {written.boxes} annotated objects; next: rsflow build {written.config}")
    return 0
