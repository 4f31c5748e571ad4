"""Scores of many answers: means per task, sensor and source, with confidence intervals and what no picture is needed for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rsflow.evaluation.scores.box_scores import average_precision, region_overlap
from rsflow.evaluation.scores.scoring import Scored
from rsflow.evaluation.scores.text_scores import score_texts

RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles: 95 %
_SEED = 0


@dataclass(frozen=True, slots=True)
class Score:
    """One number of the table. `group`: "all", or a sensor, source or question kind of the task.

    `low`, `high`: 95 % interval by bootstrap over ground cells (pictures of one cell are not independent); None where the
    metric is of the whole (corpus BLEU, average precision) or there is one cell only. `majority`: the same measure for always
    giving the commonest right answer of each question kind and category; None where that is no text.
    """

    task: str
    by: str
    group: str
    metric: str
    value: float
    low: float | None
    high: float | None
    answers: int
    unparsed: int
    majority: float | None = None


def score_table(rows: Sequence[Scored], meteor: bool = False) -> list[Score]:
    """All scores, by task, grouping and group. `meteor`: of each task as a whole, where Java is there."""
    table: list[Score] = []
    for task in sorted({row.question.task for row in rows}):
        own = [row for row in rows if row.question.task == task]
        for by, groups in _groupings(own).items():
            for group, members in groups.items():
                table += _scores(task, by, group, members, meteor and by == "all")
    return table


def _groupings(rows: Sequence[Scored]) -> dict[str, dict[str, list[Scored]]]:
    found: dict[str, dict[str, list[Scored]]] = {"all": {"all": list(rows)}}
    for by, name in {"sensor": "sensor", "source": "source", "kind": "question_type"}.items():
        groups: dict[str, list[Scored]] = defaultdict(list)
        for row in rows:
            groups[str(getattr(row.question, name))].append(row)
        found[by] = dict(sorted(groups.items()))
    return found


def _scores(task: str, by: str, group: str, rows: Sequence[Scored], meteor: bool) -> list[Score]:
    unparsed = sum(not row.parsed for row in rows)
    majority = _majority_accuracy(rows)
    found: list[Score] = []
    for metric in sorted({name for row in rows for name in row.measures}):
        measured = [row for row in rows if metric in row.measures]
        values = np.array([row.measures[metric] for row in measured])
        low, high = bootstrap(values, [row.question.cell for row in measured])
        chance = majority if metric == "accuracy" else None
        found.append(Score(task, by, group, metric, float(values.mean()), low, high, len(measured), unparsed, chance))
    for metric, value in _averages(rows).items():
        found.append(Score(task, by, group, metric, value, None, None, len(rows), unparsed))
    texts = [row for row in rows if row.question.kind == "text"]
    if texts:
        scores = score_texts(_references(texts), [row.words for row in texts], meteor)
        for metric, value in scores.items():
            found.append(Score(task, by, group, metric, value, None, None, len(texts), unparsed))
    lists = [each for row in rows for each in row.boxes]
    precision = average_precision(lists) if lists else None
    if precision is not None:
        found.append(Score(task, by, group, "ap@0.5", precision, None, None, len(lists), unparsed))
    return found


def _averages(rows: Sequence[Scored]) -> dict[str, float]:
    """What papers report of all rows together: `average_accuracy` and `average_ranged_accuracy`, the mean over a set's types of
    question (RSVQA), and `cumulative_iou`, all intersections over all unions (DIOR-RSVG)."""
    found = {}
    types = {row.question.question_type for row in rows if "type" in row.question.answer}
    for metric in ("accuracy", "ranged_accuracy") if len(types) > 1 else ():
        of_types = [
            [row.measures[metric] for row in rows if row.question.question_type == one and metric in row.measures]
            for one in types
        ]
        if all(of_types):
            found[f"average_{metric}"] = float(np.mean([np.mean(values) for values in of_types]))
    overlaps = [_overlap(row) for row in rows if row.question.kind == "box"]
    if overlaps:
        intersection, union = np.sum(overlaps, axis=0)
        found["cumulative_iou"] = float(intersection / union) if union > 0 else 0.0
    return found


def _overlap(row: Scored) -> tuple[float, float]:
    """Intersection and union of the box that is asked for and the answer's first; without one nothing is covered."""
    expected = row.question.boxes[row.question.answer["box"]]
    return region_overlap(expected, row.found[0]) if row.found else (0.0, region_overlap(expected, expected)[1])


def _references(rows: Sequence[Scored]) -> list[list[str]]:
    """The right texts of each row: of a caption all captions of its picture, as the field scores them; else its own."""
    captions: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.question.task == "captioning":
            captions[row.question.key].add(row.reference)
    return [sorted(captions[row.question.key]) if row.question.task == "captioning" else [row.reference] for row in rows]


def bootstrap(values: np.ndarray, cells: Sequence[str], resamples: int = RESAMPLES) -> tuple[float, float] | tuple[None, None]:
    """95 % interval of the mean, drawing whole cells with replacement; None, None for fewer than two cells."""
    names, inverse = np.unique(np.asarray(cells, dtype=object).astype(str), return_inverse=True)
    if len(names) < 2:
        return None, None
    sums = np.bincount(inverse, weights=values, minlength=len(names))
    counts = np.bincount(inverse, minlength=len(names))
    drawn = np.random.default_rng(_SEED).integers(0, len(names), (resamples, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, INTERVAL)
    return float(low), float(high)


def _majority_accuracy(rows: Iterable[Scored]) -> float | None:
    """Accuracy of always giving the commonest right answer, question kind by question kind and category by category."""
    answers: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        if "value" in row.question.answer:
            answers[(row.question.kind, row.question.subject)][str(row.question.answer["value"])] += 1
    total = sum(sum(each.values()) for each in answers.values())
    return sum(each.most_common(1)[0][1] for each in answers.values()) / total if total else None
