"""The commands about what is in a dataset, what is out and why: explain, diff and fingerprint."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from rsflow.cli.options import Root


def explain(
    root: Root,
    subject: Annotated[str, Argument(metavar="TILE|INSTRUCTION", help="its id, or the sample key of a tile")],
    output: Annotated[
        str | None, Option("-o", "--output", metavar="FILE", help="draw the tile and its duplicates side by side")
    ] = None,
) -> int:
    """Report why a tile or an instruction is in or out, and by which rule.

    Examples:
      rsflow explain demo-out/scenes/lake 1f0c23d5a8b94e67
      rsflow explain demo-out/scenes/lake optical-7/0_0_512 -o duplicates.png
    """
    from rsflow.files import storage
    from rsflow.inspection.explain import explain as find
    from rsflow.inspection.explain import read_cluster_pictures
    from rsflow.report.explain import explanation_sheet, explanation_text

    found = find(root, subject)
    print(explanation_text(found.subject, found.tile, found.members, found.instructions, found.near))
    if output:
        shown = read_cluster_pictures(root, found, most=9)
        storage.write_bytes(output, explanation_sheet(shown, output))
        print(f"{output}: {len(shown)} pictures")
    return 0


def diff(
    root: Root,
    before: Annotated[int, Argument(metavar="A", help="the number of a snapshot, as in snapshots/A.json")],
    after: Annotated[int, Argument(metavar="B", help="the number of another")],
) -> int:
    """Report what changed between two snapshots, by reason.

    Examples:
      rsflow diff demo-out/scenes/lake 1 2
    """
    from rsflow.inspection.diff import diff as compare

    print(compare(root, before, after).text() or "nothing changed")
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
