"""The commands about a lake as a whole: status, costs, verify, vacuum and show."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from rsflow.cli.options import Json, Root
from rsflow.errors import UsageError


def status(root: Root, json: Json = False) -> int:
    """Report what a lake holds, its row balance, and what a build would do.

    Examples:
      rsflow status demo-out/scenes/lake
      rsflow status s3://bucket/lake
    """
    from rsflow.inspection.facts.json_reports import status_json, to_json_text
    from rsflow.inspection.facts.report_facts import describe_lake, plan_facts
    from rsflow.phases.build import status
    from rsflow.report.text.plan_text import plan_text

    contents, planned = status(root)
    if json:
        print(to_json_text(status_json(contents, planned)))
        return 0
    print(describe_lake(contents))
    print(planned if isinstance(planned, str) else plan_text(plan_facts(planned)))
    return 0


def costs(root: Root, json: Json = False) -> int:
    """Report what generating models have cost over all runs, by source, kind of text and model.

    Examples:
      rsflow costs demo-out/scenes/lake
    """
    from rsflow.generation.spending.costs import list_costs
    from rsflow.inspection.facts.json_reports import costs_json, to_json_text
    from rsflow.lake.tables import open_lake
    from rsflow.report.text.costs_text import costs_text

    lines = list_costs(open_lake(root).root)
    print(to_json_text(costs_json(root, lines)) if json else costs_text(root, lines))
    return 0


def verify(
    root: Root,
    deep: Annotated[
        bool, Option("--deep", help="also read all tables and tile files of the lake, and run chains of reasoning, again")
    ] = False,
    json: Json = False,
) -> int:
    """Read all shards of the latest snapshot again; exit 1 on any difference from its manifest.

    Examples:
      rsflow verify demo-out/scenes/lake
      rsflow verify demo-out/scenes/lake --deep
    """
    from rsflow.engine.progress import progress
    from rsflow.inspection.facts.json_reports import to_json_text, verify_json
    from rsflow.inspection.replay_chains import find_changed_chains
    from rsflow.lake.integrity.verify import find_damage
    from rsflow.lake.tables import open_lake
    from rsflow.phases.build import lake_balances
    from rsflow.shards.manifest import read_snapshot
    from rsflow.shards.verify import verify_snapshot

    lake_differences = [*find_damage(open_lake(root))] if deep else []
    if deep and not lake_differences:  # damaged rows prove nothing
        lake_differences = [*find_changed_chains(open_lake(root))]
    shards = [shard for split in read_snapshot(root).splits.values() for shard in split.shards]
    with progress("verify", "shards", len(shards), quiet_seconds=2.0) as state:
        checked = verify_snapshot(root, each=lambda shard: state.add(1, samples=shard.samples))
    unbalanced = [] if lake_differences else [balance.line() for balance in lake_balances(root) if not balance.is_balanced]
    differences = [*lake_differences, *checked.differences, *unbalanced]
    if json:
        print(to_json_text(verify_json(root, checked, differences)))
        return 1 if differences else 0
    for difference in differences:
        print(difference)
    if differences:
        print(f"rsflow: {root}: {len(differences)} differences", file=sys.stderr)
        return 1
    print(f"{root}: {checked.shards} shards, {checked.samples} samples, {checked.bytes} bytes: all as the manifest says")
    return 0


def vacuum(
    root: Root,
    delete: Annotated[bool, Option("--delete", help="delete them (not while a build of this root runs)")] = False,
    keep_snapshots: Annotated[
        int | None, Option(metavar="N", help="the last N snapshots stay (default: all)", show_default=False)
    ] = None,
    former: Annotated[
        bool,
        Option("--former", help="also tiles and copies of layers that the configuration of the last build no longer asks for"),
    ] = False,
    hours: Annotated[int, Option(metavar="H", help="younger files stay; 168 hours are a week")] = 168,
    json: Json = False,
) -> int:
    """List the files of a lake that nothing will read again, and delete them where asked.

    Examples:
      rsflow vacuum demo-out/scenes/lake                        only list them
      rsflow vacuum demo-out/scenes/lake --keep-snapshots 2 --hours 0 --delete
    """
    from rsflow.inspection.facts.json_reports import to_json_text, vacuum_json
    from rsflow.inspection.vacuum import Retention
    from rsflow.inspection.vacuum import vacuum as find_waste
    from rsflow.report.text.counts_table import format_bytes

    _check_at_least("--hours", hours, 0)
    _check_at_least("--keep-snapshots", keep_snapshots, 1)
    waste = find_waste(root, Retention(hours, keep_snapshots, not former), delete)
    if json:
        print(to_json_text(vacuum_json(root, waste, delete)))
        return 0
    for part in waste:
        print(f"{part.folder:20} {len(part.files):7,} files {format_bytes(part.bytes):>10}   {part.why}")
    total = f"{sum(len(part.files) for part in waste):,} files, {format_bytes(sum(part.bytes for part in waste))}"
    outcome = "deleted" if delete else "can go: add --delete" if waste else "nothing to delete"
    print(f"{root}: {total} {outcome}")
    return 0


def relocate(
    root: Root,
    old: Annotated[str, Argument(metavar="OLD", help="the folder that sources were in, as the last build knew it")],
    new: Annotated[str, Argument(metavar="NEW", help="the folder that they are in now")],
) -> int:
    """Tell a lake that its sources were moved, so that nothing is labelled again.

    Every scene is read at its new place and compared; where one is missing or differs, nothing is changed. A lake itself may be
    moved like any folder. Then change the paths in your configuration as well.

    Examples:
      rsflow relocate lake /data/archive /mnt/archive
      rsflow relocate s3://bucket/lake s3://old/scenes s3://new/scenes
    """
    from rsflow.phases.relocate import relocate as move

    moved = move(root, old, new)
    print(f"{root}: {moved.moved:,} scenes lie in {new} now; {moved.settings} paths of the last configuration were changed")
    print("Change them in your configuration file as well: the next build then finds everything done")
    return 0


def _check_at_least(option: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise UsageError(f"{option} is {value}: expected a number from {least}")


def show(
    root: Root,
    tile: Annotated[str | None, Option(metavar="ID", help="only this tile (its id or sample key)")] = None,
    task: Annotated[
        str | None, Option(metavar="T", help="only samples with an instruction of this task, and just these instructions")
    ] = None,
    sensor: Annotated[str | None, Option(metavar="S", help="only samples of this sensor")] = None,
    split: Annotated[str | None, Option(metavar="NAME", help="only samples of this split")] = None,
    count: Annotated[int, Option("-n", metavar="N", help="how many samples")] = 12,
    output: Annotated[str, Option("-o", "--output", metavar="FILE", help="the picture to write")] = "sheet.png",
) -> int:
    """Draw samples with their boxes and text as a contact sheet.

    Examples:
      rsflow show demo-out/scenes/lake -o sheet.png
      rsflow show demo-out/scenes/lake --task grounding --sensor sar -n 4 -o sar.png
    """
    from rsflow.report.pictures.show import SampleFilter
    from rsflow.report.pictures.show import show as draw

    drawn = draw(root, SampleFilter(tile, task, sensor, split, count), output)
    print(f"{output}: {drawn} samples")
    return 0
