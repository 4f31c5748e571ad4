"""Answers about several pictures: which picture a box is on, and numbers and shares that an answer gives for each.

Texts number pictures ("image 1"). A box is on the picture that the answer names last before it; before any name, on that of the
right answer's boxes, so that a list of boxes of image 2 need not say so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial

from rsflow.dialects import Dialect
from rsflow.evaluation.questions import Question
from rsflow.evaluation.scores.box_scores import mean_matched_iou
from rsflow.evaluation.scores.short_answers import parse_number
from rsflow.spatial.geometry import Region

SHARE_TOLERANCE = 0.05  # as far as "about 35 %" may be from the measured share

_PICTURE = re.compile(r"\b(?:image|picture)[ -](\d+)\b", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?(?:%|percent)", re.IGNORECASE)

BoxesByPicture = dict[int, list[Region]]


def answer_picture(question: Question) -> int:
    """The picture that the right answer's boxes are on, the first of them where they are on several."""
    boxes = question.answer.get("boxes") or ([question.answer["box"]] if "box" in question.answer else [])
    return question.box_pictures[boxes[0]] if boxes and question.box_pictures else 0


def parse_boxes(dialect: Dialect, text: str, question: Question) -> tuple[str, list[Region], BoxesByPicture]:
    """(the text with marks, its boxes, these by picture) of an answer about a group."""
    found, boxes, by_picture = "", list[Region](), defaultdict[int, list[Region]](list)
    names = list(_PICTURE.finditer(text))
    starts = [0, *(name.start() for name in names)]
    pictures = [answer_picture(question), *(int(name[1]) - 1 for name in names)]
    for start, stop, picture in zip(starts, [*starts[1:], len(text)], pictures, strict=True):
        size = question.sizes[picture] if 0 <= picture < len(question.sizes) else question.sizes[0]
        plain, mine = dialect.parse(text[start:stop], *size)
        found += re.sub(r"\|([\d,]+)\]\]", partial(_renumber, start=len(boxes)), plain)
        boxes += mine
        by_picture[picture] += mine
    return found, boxes, dict(by_picture)


def _renumber(numbers: re.Match[str], start: int) -> str:
    return f"|{','.join(str(int(number) + start) for number in numbers[1].split(','))}]]"


def judge_boxes_in_both(question: Question, by_picture: BoxesByPicture) -> dict[str, float] | None:
    """The mean over the pictures of how well the boxes on each overlap; boxes on the wrong picture overlap nothing."""
    if not any(by_picture.values()):
        return None
    expected: BoxesByPicture = defaultdict(list)
    for index in question.answer["boxes"]:
        expected[question.box_pictures[index]].append(question.boxes[index])
    overlaps = [mean_matched_iou(boxes, by_picture.get(picture, [])) for picture, boxes in expected.items()]
    errors = [abs(len(boxes) - len(by_picture.get(picture, []))) for picture, boxes in expected.items()]
    return {"iou": sum(overlaps) / len(overlaps), "count_error": float(max(errors))}


def judge_counts(question: Question, text: str) -> dict[str, float] | None:
    """A number for each picture, in their order ("two ships in image 1 and no ships in image 2"): right is each of them."""
    expected = question.answer["values"]
    clauses = _PICTURE.split(text)[:-1:2]
    found = [0.0 if re.search(r"\bno\b", clause) else parse_number(clause) for clause in clauses]
    if len(found) != len(expected) or None in found:
        return None
    errors = [abs((number or 0.0) - value) for number, value in zip(found, expected, strict=True)]
    return {"accuracy": float(not any(errors)), "count_error": max(errors)}


def judge_shares(question: Question, text: str) -> dict[str, float] | None:
    """The shares before and after, in percent."""
    found = [float(share) / 100 for share in _PERCENT.findall(text)]
    if len(found) != 2:
        return None
    error = max(abs(found[0] - question.answer["from"]), abs(found[1] - question.answer["to"]))
    return {"accuracy": float(error <= SHARE_TOLERANCE), "share_error": error}
