"""How right labellers are, as a table for people and as JSON for programs.

One idea: a number stands beside how much it rests on (pictures, true boxes), and a score beside the share of boxes with such a
score that are right, so that nobody has to believe either.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rsflow.labellers.quality.coco_metrics import ANY, MOST_BOXES, Quality

_HEAD = ["labeller", "sensor", "category", "pictures", "true", "found", "AP", "AP50", "used", "precision", "recall", "error"]
_WORDS = 3  # columns of words, on the left


def quality_text(qualities: Sequence[Quality], iou: float, notes: Sequence[str]) -> str:
    """A table with a row per labeller, sensor and category, each labeller's reliability over all of them, and the notes."""
    rows = [_HEAD, *([*_key_columns(one), *map(_format_number, _numbers(one).values())] for one in qualities)]
    lines = [
        *_aligned(rows),
        f"AP: mean over IoU 0.50 to 0.95; AP50: at 0.50; all sizes, at most {MOST_BOXES} boxes of a picture (pycocotools).",
        f"used: boxes from labels.min_score up; precision and recall: theirs, at IoU {iou:g}; error: the scores' (ECE), at it.",
    ]
    for one in qualities:
        if one.category == ANY and one.evaluation.judged:
            lines += [
                "",
                f"{one.key} in {one.sensor} pictures: of boxes with a mean score of … so many are right",
                *_reliability_lines(one),
            ]
    return "\n".join([*lines, *([""] if notes else []), *(f"note: {note}" for note in notes)])


def quality_json(qualities: Sequence[Quality], iou: float, notes: Sequence[str]) -> str:
    """The same and the reliability of every row; unknown values are null."""
    rows = [
        {
            **dict(zip(_HEAD[:_WORDS], _key_columns(one), strict=True)),
            **_numbers(one),
            "left_out": one.left_out,
            "reliability": [
                {"boxes": step.scored_boxes, "mean_score": step.mean_score, "right": step.share_right}
                for step in one.evaluation.reliability
            ],
        }
        for one in qualities
    ]
    return json.dumps({"iou": iou, "most_boxes": MOST_BOXES, "qualities": rows, "notes": list(notes)}, indent=1)


def _key_columns(one: Quality) -> list[str]:
    return [one.key, one.sensor, one.category_name]


def _numbers(one: Quality) -> dict[str, int | float | None]:
    found = one.evaluation
    return {
        "pictures": found.pictures,
        "true": found.true,
        "found": len(found.judged),
        "AP": found.ap,
        "AP50": found.ap50,
        "used": found.used,
        "precision": found.precision,
        "recall": found.recall,
        "calibration_error": found.calibration_error,
    }


def _format_number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _reliability_lines(one: Quality) -> list[str]:
    steps = one.evaluation.reliability
    return _aligned([["", "score", "right", "boxes"], *(_reliability_row(step) for step in steps)], words=1)


def _reliability_row(step: Any) -> list[str]:
    return ["", f"{step.mean_score:.2f}", f"{step.share_right:.2f}", f"{step.scored_boxes:,}"]


def _aligned(rows: Sequence[Sequence[str]], words: int = _WORDS) -> list[str]:
    """Columns of words to the left, of numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
