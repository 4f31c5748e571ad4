"""The commands that trade with other projects' forms: sources, export, import and audit.

One idea: as thin as `rsflow.cli`, which parses for them: each calls one function and prints what came of it.
"""

from __future__ import annotations

import argparse

from rsflow.errors import UsageError


def sources(arguments: argparse.Namespace) -> int:
    from rsflow.engine.progress import progress
    from rsflow.planning.recipe import load
    from rsflow.report.sources_text import sources_text

    built = load(arguments.config, arguments.overrides)
    with progress("sources", "looked at", len(built.sources), quiet_seconds=2.0) as state:
        text = sources_text(built, lambda: state.add(1))
    print(text)
    return 0


def export(arguments: argparse.Namespace) -> int:
    from rsflow import exports
    from rsflow.engine.progress import progress
    from rsflow.shards.manifest import read_snapshot

    total = sum(split.samples for split in exports.select_splits(read_snapshot(arguments.root), arguments.split).values())
    with progress("export", "samples", total, quiet_seconds=2.0) as state:
        tally = exports.export(
            arguments.root, arguments.format, arguments.output, arguments.split, arguments.dialect, lambda: state.add(1)
        )
    print(f"{arguments.output}: {tally.pictures:,} pictures, {tally.records:,} records")
    if tally.companions:
        print(f"carried along: {tally.companions:,} companion pictures of other sensors")
    if tally.raw_bands:
        print(f"left out: raw bands of {tally.raw_bands:,} samples, which no export format holds")
    if tally.not_annotated:
        print(f"not in instances: {tally.not_annotated:,} pictures that nobody annotated with objects")
    for reason, count in sorted(tally.left_out.items()):
        print(f"left out: {count:,} instructions, {reason.replace('_', ' ')}")
    if tally.neutralised:
        print(f"made plain: special tokens or control characters in {tally.neutralised:,} instructions")
    return 0


def import_set(arguments: argparse.Namespace) -> int:
    from rsflow.engine.progress import progress
    from rsflow.imports import import_set as adopting

    with progress("import", "records", 0, quiet_seconds=2.0) as state:

        def read() -> None:
            state.total += 1
            state.add(1)

        made = adopting.import_set(
            arguments.path,
            arguments.format,
            arguments.output,
            arguments.pictures,
            arguments.sensor,
            arguments.licence,
            read,
            arguments.allow_outside,
        )
    kinds = ", ".join(f"{count:,} {sensor} {kind}" for (sensor, kind), count in sorted(made.labels.items()))
    print(f"{arguments.path}: {made.records:,} records gave labels: {kinds}")
    if made.rejects:
        why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(made.rejects.items()))
        print(f"refused: {why} (each in {arguments.output.rstrip('/')}/rejects.jsonl)")
    print(f"next: rsflow build {made.config}")
    return 0


def audit(arguments: argparse.Namespace) -> int:
    from rsflow import audit as auditing
    from rsflow.engine.progress import progress
    from rsflow.files import storage
    from rsflow.phases.select.leakage import compare_sets

    if arguments.leak:
        found = compare_sets(*arguments.leak)
        print(found.text())
        return 1 if found.by_test else 0
    if arguments.path is None:
        raise UsageError("give the PATH of a set to audit, or --leak TRAIN TEST to compare two")
    with progress("audit", "looked at", 0, quiet_seconds=2.0) as state:

        def looked(count: int) -> None:
            state.total += count
            state.add(count)

        report = auditing.audit(arguments.path, arguments.format, arguments.pictures, looked, arguments.allow_outside)
    if arguments.json:
        storage.write_bytes(arguments.json, report.to_json().encode())
    print(report.text())
    return 1 if report.faults else 0
