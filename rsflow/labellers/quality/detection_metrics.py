"""How right detections are: precision, recall and F1 against known boxes.

A detection is right when it can be paired with a true box that no other detection has; pairs are made greedily, the
best overlap first, down to a least intersection over union. Counts of several pictures add up before a ratio is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rsflow.spatial.geometry import Box, iou_matrix


@dataclass(frozen=True, slots=True)
class Score:
    """Counts: boxes found, boxes that are there, pairs of the two. Ratios of nothing are 0."""

    found: int = 0
    true: int = 0
    right: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.found + other.found, self.true + other.true, self.right + other.right)

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.found + self.true) if self.found + self.true else 0.0


def score(found: Sequence[Box], true: Sequence[Box], min_iou: float) -> Score:
    """One picture's counts. `min_iou` above 0; equal overlaps are paired in the order of the boxes."""
    if not found or not true:
        return Score(len(found), len(true))
    overlap = iou_matrix(np.array(found, dtype=np.float64), np.array(true, dtype=np.float64))
    best_first = np.argsort(-overlap, axis=None, kind="stable")
    rows: set[int] = set()
    cols: set[int] = set()
    for row, col in zip(*np.unravel_index(best_first, overlap.shape), strict=True):
        if overlap[row, col] < min_iou:
            break
        if row not in rows and col not in cols:
            rows.add(int(row))
            cols.add(int(col))
    return Score(len(found), len(true), len(rows))
