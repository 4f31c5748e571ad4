"""The commands that read and write other projects' datasets: sources, import and export."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from rsflow.cli.options import AllowOutside, Config, Json, Overrides, Root
from rsflow.sensors import SensorName


def sources(config: Config, overrides: Overrides = None, json: Json = False) -> int:
    """Report which sources of a recipe are there, and how to get the rest.

    Examples:
      rsflow sources configs/mmrs_1m.yaml
    """
    from rsflow.engine.progress import progress
    from rsflow.inspection.facts.json_reports import sources_json, to_json_text
    from rsflow.planning.recipe import load
    from rsflow.report.text.sources_text import source_states, sources_text

    built = load(config, overrides or [])
    with progress("sources", "looked at", len(built.sources), quiet_seconds=2.0) as state:
        states = source_states(built, lambda: state.add(1))
    print(to_json_text(sources_json(states)) if json else sources_text(built, states))
    return 0


def export(
    root: Root,
    format: Annotated[str, Option(metavar="F", help="such as coco or llava: docs/exports.md lists them")],
    output: Annotated[str, Option("-o", "--output", metavar="DIR", help="a new or empty folder, or a former export's")],
    split: Annotated[str | None, Option(metavar="NAME", help="only this split (default: all)")] = None,
    dialect: Annotated[str | None, Option(metavar="D", help="spell boxes in this dialect instead of the format's own")] = None,
    pseudo_labels: Annotated[
        bool, Option("--pseudo-labels", help="coco: objects that labellers found too, with scores")
    ] = False,
) -> int:
    """Write the latest snapshot in the form that another project's loader reads.

    Examples:
      rsflow export demo-out/scenes/lake --format llava -o llava-out
      rsflow export demo-out/scenes/lake --format coco --split test -o coco-out
    """
    from rsflow import exports
    from rsflow.engine.progress import progress
    from rsflow.shards.manifest import read_snapshot

    total = sum(part.samples for part in exports.select_splits(read_snapshot(root), split).values())
    with progress("export", "samples", total, quiet_seconds=2.0) as state:
        tally = exports.export(root, format, output, split, dialect, lambda: state.add(1), pseudo_labels)
    print(f"{output}: {tally.pictures:,} pictures, {tally.records:,} records")
    for line in tally.lines():
        print(line)
    return 0


def import_set(
    path: Annotated[str, Argument(metavar="PATH", help="its JSON, JSON lines or Parquet")],
    format: Annotated[str, Option(metavar="F", help="mmrs, llava, geochat, qwen, qwen2, qwen3 or internvl")],
    output: Annotated[str, Option("-o", "--output", metavar="DIR", help="where the annotations and config.yaml go")],
    pictures: Annotated[
        str | None, Option(metavar="DIR", help="the folder its picture paths start from (default: the file's)")
    ] = None,
    sensor: Annotated[SensorName | None, Option(help="of all its pictures (default: from its records or paths)")] = None,
    licence: Annotated[str, Option(metavar="L", help="of the set")] = "unknown",
    allow_outside: AllowOutside = False,
) -> int:
    """Make a source of an instruction set that others wrote.

    Examples:
      rsflow import llava.json --format llava --pictures images/ -o imported
    """
    from rsflow.engine.progress import progress
    from rsflow.imports.import_set import import_set as convert

    with progress("import", "records", 0, quiet_seconds=2.0) as state:

        def count() -> None:
            state.total += 1
            state.add(1)

        made = convert(path, format, output, pictures, sensor, licence, count, allow_outside)
    kinds = ", ".join(f"{number:,} {sensor} {kind}" for (sensor, kind), number in sorted(made.labels.items()))
    print(f"{path}: {made.records:,} records gave labels: {kinds}")
    if made.rejects:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(made.rejects.items()))
        print(f"refused: {reasons} (each in {output.rstrip('/')}/rejects.jsonl)")
    print(f"next: rsflow build {made.config}")
    return 0
