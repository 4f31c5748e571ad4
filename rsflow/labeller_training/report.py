"""The results of a training, and which tiles to label next: as tables for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rsflow.labeller_training.quality import CategoryQuality
from rsflow.labeller_training.suggest import Suggestions
from rsflow.labeller_training.train import TrainedLabeller
from rsflow.labellers.quality.coco_metrics import ANY

_HEAD = ("category", "true", "found", "right", "precision", "recall", "F1", "AP50")


def training_text(trained: TrainedLabeller) -> str:
    """The table of categories, what it rests on, and how to name the labeller."""
    rows = [_HEAD, *(_row(one) for one in trained.qualities)]
    tiles = ", ".join(f"{name} {count:,}" for name, count in trained.tiles.items())
    settings = trained.labeller_settings
    measured = f"found: labels with a calibrated score from {trained.threshold:g} up; right: " + (
        "of the annotated class" if trained.settings.task == "classification" else f"at IoU {trained.settings.iou:g}"
    )
    return "\n".join(
        [
            f"{settings['name']} of {trained.parameters:,} parameters; tiles: {tiles}",
            *_table(rows),
            measured,
            *(f"note: {note}" for note in trained.notes),
            f"use it: labellers: [{{name: {settings['name']}, model: {settings['model']}}}]",
        ]
    )


def training_json(trained: TrainedLabeller) -> str:
    ratios = [{**asdict(one), "precision": one.precision, "recall": one.recall, "f1": one.f1} for one in trained.qualities]
    return json.dumps(
        {
            "labeller": trained.labeller_settings, "task": trained.settings.task, "source": trained.settings.source,
            "iou": trained.settings.iou, "threshold": trained.threshold, "parameters": trained.parameters,
            "tiles": trained.tiles, "qualities": ratios, "notes": list(trained.notes),
        },
        indent=1,
    )  # fmt: skip


def suggestions_text(found: Suggestions) -> str:
    """A row for each tile, and what the list rests on."""
    head = ("tile", "source", "worth", "uncertainty", "novelty", "labels")
    rows = [
        head,
        *((one.tile_id, one.source, f"{one.worth:.3f}", f"{one.uncertainty:.3f}", f"{one.novelty:.3f}", str(one.labels))
          for one in found.rows),
    ]  # fmt: skip
    counted = f"{len(found.rows):,} of {found.candidates:,} tiles without annotations; novelty by {found.by}"
    return "\n".join([*_table(rows), counted, *(f"note: {note}" for note in found.notes)])


def suggestions_json(found: Suggestions) -> str:
    rows = [asdict(one) for one in found.rows]
    return json.dumps({"candidates": found.candidates, "by": found.by, "tiles": rows, "notes": list(found.notes)}, indent=1)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(row, widths)) for row in rows]


def _padded(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """The category to the left, numbers to the right."""
    cells = zip(row, widths, strict=True)
    return [cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(cells)]


def _row(one: CategoryQuality) -> tuple[str, ...]:
    numbers = (one.precision, one.recall, one.f1, one.ap50)
    counts = (f"{count:,}" for count in (one.true, one.found, one.right))
    return ("any" if one.category == ANY else one.category, *counts, *("-" if n is None else f"{n:.3f}" for n in numbers))
