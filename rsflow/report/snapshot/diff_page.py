"""The page about two snapshots: what changed and why, and their counts side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from rsflow.report.pictures.contact_sheet import contact_sheet
from rsflow.report.pictures.show import sample_card
from rsflow.report.snapshot.charts import bar_chart
from rsflow.report.snapshot.html import Markup, element, figure, picture, table
from rsflow.report.snapshot.numbers import total
from rsflow.report.snapshot.page import JPEG_QUALITY, SHEET_PX, page
from rsflow.report.snapshot.sample_counts import SampleCounts
from rsflow.report.text.counts_table import by_count
from rsflow.shards.format import Sample

ROWS = 40
# What is held side by side: title, counter, position in its key.
COMPARED = (
    ("Samples by split", "samples", 0),
    ("Samples by sensor", "samples", 1),
    ("Samples by source", "samples", 2),
    ("Instructions by task", "instructions", 1),
    ("Objects by category", "objects", 0),
    ("Answers by kind of question", "answers", 0),
)


def diff_page(
    title: str,
    numbers: tuple[int, int],
    changes: Mapping[str, Mapping[str, int]],
    counts: tuple[SampleCounts, SampleCounts],
    examples: Mapping[str, Sequence[Sample]],
    values: dict[str, Any],
) -> str:
    """`changes`: what changed, by reason. `examples`: samples by what happened to them. `values`: the page's numbers."""
    tiles = [(f"{sum(reasons.values()):,}", what) for what, reasons in changes.items()]
    parts = [
        ("What changed, and why", [_changes(changes)]),
        ("Side by side", _side_by_side(numbers, counts)),
        ("Examples", _examples(examples)),
    ]
    return page(title, f"Snapshots {numbers[0]} and {numbers[1]}", tiles, parts, values)


def _changes(changes: Mapping[str, Mapping[str, int]]) -> Markup:
    rows = [[what, reason, f"{number:,}"] for what, reasons in changes.items() for reason, number in by_count(reasons)]
    return table(["change", "reason", "count"], rows, text_columns=2) if rows else element("p", "Nothing changed.")


def _side_by_side(numbers: tuple[int, int], counts: tuple[SampleCounts, SampleCounts]) -> Iterator[Markup]:
    for title, name, position in COMPARED:
        before, after = (total(getattr(each, name), position) for each in counts)
        names = [each for each, _ in by_count(Counter(before) + Counter(after))][:ROWS]
        rows = [[each, f"{before[each]:,}", f"{after[each]:,}", f"{after[each] - before[each]:+,}"] for each in names]
        labels = [f"snapshot {number}" for number in numbers]
        paired = [row for each in names for row in ((f"{each} ({numbers[0]})", before[each]), (f"({numbers[1]})", after[each]))]
        if not names:
            continue
        series = {
            labels[0]: [value if index % 2 == 0 else 0 for index, (_, value) in enumerate(paired)],
            labels[1]: [value if index % 2 else 0 for index, (_, value) in enumerate(paired)],
        }
        chart = bar_chart([label for label, _ in paired], series, name, title)
        yield figure(chart, f"{title}.", table(["", *labels, "change"], rows))


def _examples(examples: Mapping[str, Sequence[Sample]]) -> Iterator[Markup]:
    if not examples:
        yield element("p", "No sample to show.")
    for what, samples in examples.items():
        image = contact_sheet([sample_card(sample, None) for sample in samples], picture_px=SHEET_PX)
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=JPEG_QUALITY)
        yield element("div", figure(picture(buffer.getvalue(), "jpeg", what), what))
