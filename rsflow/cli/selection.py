"""The commands about what is in a dataset, what is out and why: explain, rejects, diff and fingerprint."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from rsflow.cli.options import Json, Root
from rsflow.errors import UsageError


def explain(
    root: Root,
    subject: Annotated[
        str,
        Argument(metavar="ID", help="of a tile (or its sample key), an instruction, a scene or a rejected annotation record"),
    ],
    output: Annotated[
        str | None, Option("-o", "--output", metavar="FILE", help="draw the tile and its duplicates side by side")
    ] = None,
    json: Json = False,
) -> int:
    """Report why a tile, instruction, scene or annotation record is in or out.

    Examples:
      rsflow explain demo-out/scenes/lake 1f0c23d5a8b94e67
      rsflow explain demo-out/scenes/lake optical-7/0_0_512 -o duplicates.png
      rsflow explain demo-out/scenes/lake 'train.json annotations[3]'
    """
    from rsflow.files import storage
    from rsflow.inspection.explain import Explained, read_cluster_pictures
    from rsflow.inspection.explain import explain as find
    from rsflow.inspection.facts.json_reports import explain_json, to_json_text
    from rsflow.report.explain import explanation_sheet, explanation_text, rejects_text

    found = find(root, subject)
    if output and not isinstance(found, Explained):
        raise UsageError(f"{subject}: -o draws tiles and instructions that a selection knows, and this is none")
    if json:
        print(to_json_text(explain_json(found)))
    elif isinstance(found, Explained):
        print(
            explanation_text(
                found.subject, found.tile, found.members, found.instructions, found.near, found.pictures, found.transfers
            )
        )
    else:
        print(rejects_text(found.subject, found.scene, found.tiles, found.rejects))
    if output and isinstance(found, Explained):
        shown = read_cluster_pictures(root, found, most=9)
        storage.write_bytes(output, explanation_sheet(shown, output))
        print(f"{output}: {len(shown)} pictures", file=sys.stderr if json else sys.stdout)
    return 0


def replay(
    root: Root,
    unit: Annotated[str, Argument(metavar="UNIT", help="the id of a finished unit or its beginning, or of a tile")],
    stage: Annotated[
        str | None,
        Option("--stage", metavar="X", help="the stage, such as ScreenTiles (default: the last)", show_default=False),
    ] = None,
    output: Annotated[str, Option("-o", "--output", metavar="DIR", help="where the stage's input and output go")] = "replay",
    json: Json = False,
) -> int:
    """Run one stage of a unit again on its own input, and compare with what was recorded.

    Exit 1 where what comes out is not what was recorded. The input and the output of the stage are kept as
    Arrow files, to be looked at or run again.

    Examples:
      rsflow replay lake imagery.scene_9/0_0_256 --stage ScreenTiles
      rsflow replay lake 1f0c23d5a8b9 -o screening --json
    """
    from dataclasses import asdict

    from rsflow.inspection.facts.json_reports import to_json_text
    from rsflow.phases.replay import replay as run

    found = run(root, unit, stage, output)
    if json:
        print(to_json_text({**asdict(found), "same": found.is_same}))
        return 0 if found.is_same else 1
    print(f"unit {found.unit}, step {found.step}: {' > '.join(found.stages)}")
    print(f"{found.stage}: {found.rows_in:,} rows in, {found.rows_out:,} out; kept in {', '.join(found.saved)}")
    for table in found.tables:
        print(f"{table.table}: {table.recorded:,} rows recorded, {table.replayed:,} replayed")
        print("\n".join(f"  {line}" for line in table.differences), end="\n" if table.differences else "")
    print("all as recorded" if found.is_same else "not as recorded")
    return 0 if found.is_same else 1


def rejects(
    root: Root,
    source: Annotated[str, Option(metavar="NAME", help="only rejects of this source")] = "",
    reason: Annotated[str, Option(metavar="R", help="only rejects with this reason")] = "",
    scene: Annotated[str, Option(metavar="ID", help="only rejects of this scene")] = "",
    limit: Annotated[int, Option("-n", metavar="N", help="print at most N of them")] = 50,
    json: Json = False,
) -> int:
    """List what left while a lake was labelled, each with its reason.

    Examples:
      rsflow rejects demo-out/scenes/lake
      rsflow rejects demo-out/scenes/lake --source optical --reason cloudy -n 10
      rsflow rejects demo-out/scenes/lake --json
    """
    from rsflow.inspection.facts.json_reports import rejects_json, to_json_text
    from rsflow.inspection.rejects import RejectFilter, find_rejects
    from rsflow.report.explain import reject_lines

    if limit < 0:
        raise UsageError(f"-n is {limit}: expected a number from 0")
    rows = find_rejects(root, RejectFilter(source, reason, scene))
    print(to_json_text(rejects_json(root, rows)) if json else "\n".join(reject_lines(rows, limit)))
    return 0


def diff(
    root: Root,
    before: Annotated[int, Argument(metavar="A", help="the number of a snapshot, as in snapshots/A.json")],
    after: Annotated[int, Argument(metavar="B", help="the number of another")],
    json: Json = False,
) -> int:
    """Report what changed between two snapshots, by reason.

    Examples:
      rsflow diff demo-out/scenes/lake 1 2
    """
    from rsflow.inspection.diff import diff as compare
    from rsflow.inspection.facts.json_reports import diff_json, to_json_text

    found = compare(root, before, after)
    print(to_json_text(diff_json(root, before, after, found)) if json else found.text() or "nothing changed")
    return 0


def fingerprint(
    folder: Annotated[str, Argument(metavar="DIR", help="a folder of pictures or GeoTIFFs, a benchmark's for example")],
    output: Annotated[str, Option("-o", "--output", metavar="FILE", help="the file to write, it ends in .parquet")],
) -> int:
    """Write fingerprints of pictures, so that others can hold them out without having them.

    Examples:
      rsflow fingerprint benchmark/ -o benchmark.parquet
    """
    from rsflow.phases.select.held_out import fingerprint_place, write_fingerprints

    prints = fingerprint_place(folder)
    write_fingerprints(prints.rows, output)
    print(f"{output}: {prints.rows.num_rows:,} pictures; hold them out with select.held_out")
    return 0
