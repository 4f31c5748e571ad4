"""How much of a scene graph an answer gives: its triples, once its objects are matched with the right ones by their boxes.

One idea: objects of an answer are numbered in the order of their boxes, as the questions ask; a number stands for the right
object whose box it overlaps most, from IoU 0.5 on (the matching of scene graph detection,
https://arxiv.org/abs/1701.02426, section 5). F1 is taken over triples without distances.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.evaluation.questions import Question
from rsflow.evaluation.scores.box_scores import mean_matched_iou, region_iou
from rsflow.instructions.languages.zh_regions import english_triples
from rsflow.spatial.geometry import Region

LEAST_IOU = 0.5
_TRIPLE = re.compile(r"\(\s*(\d+)\s*,\s*([a-z][a-z ]*?)\s*,\s*(\d+)")


def graph_measures(question: Question, text: str, boxes: Sequence[Region]) -> dict[str, float] | None:
    """`triple_f1` and `iou` (of the boxes); None where the answer has neither boxes nor triples. `text`: without boxes."""
    written = [(int(a) - 1, predicate, int(b) - 1) for a, predicate, b in _TRIPLE.findall(english_triples(text).lower())]
    if not written and not boxes:
        return None
    right = {(one["subject"], one["predicate"], one["object"]) for one in question.answer["triples"]}
    matched = [_match(box, question.boxes) for box in boxes]
    found = {
        (matched[a], predicate, matched[b])
        for a, predicate, b in written
        if 0 <= a < len(matched) and 0 <= b < len(matched) and matched[a] is not None and matched[b] is not None
    }
    total = len(right) + max(len(found), len(set(written)))
    f1 = 2 * len(right & found) / total if total else 0.0
    return {"triple_f1": f1, "iou": mean_matched_iou(list(question.boxes), list(boxes))}


def _match(box: Region, expected: Sequence[Region]) -> int | None:
    """The position of the region that the box overlaps most; None below LEAST_IOU."""
    overlaps = [region_iou(box, other) for other in expected]
    best = max(range(len(overlaps)), key=overlaps.__getitem__, default=None)
    return best if best is not None and overlaps[best] >= LEAST_IOU else None
