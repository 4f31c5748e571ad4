"""How well an answer's outlines cover what was asked for.

One idea: the area that all outlines of an answer cover, against the area that the right ones cover: the intersection over union
that referring segmentation is scored by (gIoU is its mean over questions, https://arxiv.org/abs/2308.00692, section 4.1).
"""

from __future__ import annotations

from collections.abc import Iterable

import shapely

from rsflow.dialects import Dialect
from rsflow.dialects.spelling.outlines import Rings, parse_outlines
from rsflow.evaluation.questions import Question
from rsflow.spatial.polygons import even_odd_area, geometry_iou

OUTLINE_KINDS = frozenset({"outline", "outlines"})


def outline_measures(question: Question, text: str, dialect: Dialect) -> dict[str, float] | None:
    """`iou` of the answer's area with the right one; None where the answer has no outline."""
    _, found = parse_outlines(dialect, text, question.height_px, question.width_px)
    if not found:
        return None
    return {"iou": geometry_iou(_area(found), _area(_exact(question)))}


def _exact(question: Question) -> list[Rings]:
    answer = question.answer
    parts = answer.get("parts") or [[[ring]] for ring in answer["polygons"]]
    return [tuple(tuple(ring) for part in outline for ring in part) for outline in parts]


def _area(outlines: Iterable[Rings]) -> shapely.Geometry:
    return shapely.union_all([even_odd_area(rings) for rings in outlines])
