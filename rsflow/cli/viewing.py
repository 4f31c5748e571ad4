"""The commands that show a lake in a browser and have people judge it: view and review."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from typer import Option

from rsflow.cli.options import Json, Root
from rsflow.errors import UsageError

_PACKAGES = ("starlette", "uvicorn", "duckdb")


def view(
    root: Root,
    host: Annotated[str, Option(metavar="H", help="the address to listen at; any but loopback requires a token")] = "127.0.0.1",
    port: Annotated[int, Option(metavar="N", min=0, max=65535, help="0: 8600, or the next one that is free")] = 0,
    token: Annotated[str, Option(metavar="T", help="the token to require (default: none on loopback, else a new one)")] = "",
    background: Annotated[
        str, Option(metavar="URL", help="tiles behind the map, an address with {z}, {x} and {y} (default: none, no network)")
    ] = "",
    review: Annotated[
        bool, Option("--review", help="let the page accept, reject and correct; else the lake is only read")
    ] = False,
) -> int:
    """Show a lake in the browser: samples, records, map, rejects; --review decides on them.

    Examples:
      rsflow view demo-out/scenes/lake
      rsflow view s3://bucket/lake --port 8700
      rsflow view demo-out/scenes/lake --review
      rsflow view lake --background 'https://tile.openstreetmap.org/{z}/{x}/{y}.png'
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"`rsflow view` needs {', '.join(missing)}: pip install 'rsflow[view]'")
    from rsflow.viewer.serve import ViewSettings, serve

    return serve(ViewSettings(root, host, port, token, background, review))


def review(
    root: Root,
    sample: Annotated[int | None, Option(metavar="N", help="draw N items for review, the same at every call")] = None,
    per: Annotated[str, Option(metavar="S", help="with --sample, by: task, source, sensor, labeller or category")] = "task",
    seed: Annotated[int, Option(metavar="N", help="with --sample, another number draws others")] = 0,
    export: Annotated[str | None, Option(metavar="FILE", help="write decisions, or the drawn tiles for another tool")] = None,
    import_file: Annotated[str | None, Option("--import", metavar="FILE", help="take decisions from a file")] = None,
    form: Annotated[str, Option("--format", metavar="F", help="csv, json, label-studio or cvat (default: by the name)")] = "",
    reviewer: Annotated[str, Option(metavar="NAME", help="with --import, who decided, where the file does not say")] = "",
    json: Json = False,
) -> int:
    """Draw items for review, report what reviewers found, and exchange decisions.

    Decide on the page: `rsflow view ROOT --review`.

    Examples:
      rsflow review lake --sample 200 --per task      draw; then `rsflow view lake --review`
      rsflow review lake                              error rates with their intervals, agreement of the reviewers
      rsflow review lake --export decisions.csv
      rsflow review lake --export tasks.json --format label-studio
      rsflow review lake --import annotations.xml --reviewer ada
    """
    from rsflow.inspection.facts.json_reports import to_json_text
    from rsflow.inspection.review import draw_sample, export_review, import_review, review_json, review_summary
    from rsflow.report.text.review_text import review_text

    if sum(each is not None for each in (sample, export, import_file)) > 1:
        raise UsageError("--sample, --export and --import: one at a time")
    if sample is not None:
        strata = draw_sample(root, per, sample, seed)
        print("\n".join(f"{name:28} {count:6,}" for name, count in strata.items()))
        print(f"{sum(strata.values()):,} items drawn; decide on them: rsflow view {root} --review")
        return 0
    if export is not None:
        print(f"{export}: {export_review(root, export, form):,} written")
        return 0
    if import_file is not None:
        new, every = import_review(root, import_file, form, reviewer)
        print(f"{import_file}: {every:,} decisions, {new:,} of them new; the next build takes them")
        return 0
    found = review_summary(root)
    print(to_json_text(review_json(root, found)) if json else review_text(found))
    return 0
