"""The report of what changed between two snapshots."""

from __future__ import annotations

from rsflow.inspection.diff import diff
from rsflow.inspection.facts.json_reports import diff_json, to_plain
from rsflow.inspection.facts.snapshot_report import read_snapshot_samples
from rsflow.report.snapshot.diff_page import diff_page
from rsflow.report.snapshot.numbers import count_numbers
from rsflow.shards.format import Sample
from rsflow.shards.manifest import read_snapshot


def diff_report(root: str, before: int, after: int) -> str:
    """The page as HTML. SnapshotError where a snapshot is missing or damaged."""
    found = diff(root, before, after)
    named = {what: tile for what, tile in found.examples.items() if what.startswith("samples")}
    sides = [read_snapshot_samples(root, read_snapshot(root, number), set(named.values())) for number in (before, after)]
    examples: dict[str, list[Sample]] = {}
    for what, tile in named.items():
        shown = [side.named[tile] for side in sides if tile in side.named]
        examples[f"{what}: {tile}" + (" (before and after)" if len(shown) > 1 else "")] = shown
    values = {
        **diff_json(root, before, after, found),
        "before_counts": count_numbers(sides[0].counts),
        "after_counts": count_numbers(sides[1].counts),
    }
    title = root.rstrip("/").rpartition("/")[2]
    return diff_page(title, (before, after), found.counts, (sides[0].counts, sides[1].counts), examples, to_plain(values))
