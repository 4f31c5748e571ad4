"""The command that reports on a snapshot with charts and pictures: report."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from rsflow.cli.options import Json, Root
from rsflow.errors import UsageError


def report(
    root: Root,
    snapshot: Annotated[
        int | None, Option(metavar="N", help="the number of a snapshot (default: the latest)", show_default=False)
    ] = None,
    diff: Annotated[
        tuple[int, int] | None, Option(metavar="A B", help="report instead what changed between two snapshots")
    ] = None,
    output: Annotated[
        str | None, Option("-o", "--output", metavar="FILE", help="the page to write (default: report.html in the lake)")
    ] = None,
    json: Json = False,
) -> int:
    """Write a page of charts and pictures about a snapshot, or about two.

    It has charts, a map, contact sheets, what left and why, licences and times.

    The page is one HTML file that needs no other file and no network. With --json its numbers are printed
    and nothing is written.

    Examples:
      rsflow report demo-out/scenes/lake -o report.html
      rsflow report demo-out/scenes/lake --snapshot 1 -o first.html
      rsflow report demo-out/scenes/lake --diff 1 2 -o changes.html
      rsflow report demo-out/scenes/lake --json
    """
    from rsflow.files import storage
    from rsflow.inspection.facts.diff_report import diff_report
    from rsflow.inspection.facts.json_reports import to_json_text
    from rsflow.inspection.facts.snapshot_report import REPORT, read_report

    if diff and (snapshot is not None or json):
        raise UsageError("--diff goes with neither --snapshot nor --json: `rsflow diff ROOT A B --json` prints its numbers")
    if diff:
        place, page = output or storage.join(root, f"report-{diff[0]}-{diff[1]}.html"), diff_report(root, *diff)
    else:
        found = read_report(root, snapshot)
        if json:
            print(to_json_text(found.numbers()))
            return 0
        name = REPORT if snapshot is None else f"report-{snapshot}.html"
        place, page = output or storage.join(root, name), found.page()
    storage.write_bytes(place, page.encode())
    print(f"{place}: {len(page.encode()) / 1e6:.1f} MB, open it in a browser")
    return 0
