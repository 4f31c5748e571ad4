"""The classes that RSVQA's papers make of numbers: counts of the low-resolution set, and areas of the high-resolution one.

Source: VQA_model/VocabEncoder.py of https://github.com/syvlo/RSVQA: 0 stays, then up to 10, 100, 1000, and more; areas alike,
in square metres. An answer may be a number, or the class in its words ("between 10 and 100", "more than 1000m2").
"""

from __future__ import annotations

import re

from rsflow.evaluation.scores.short_answers import parse_number

RSVQA_TYPES = frozenset({"area", "comp", "count", "presence", "rural_urban"})
_BOUNDS = (0, 10, 100, 1000)
_AREA = re.compile(r"(?<=\d)\s*(?:m2|m²|square met(?:re|er)s?)", re.IGNORECASE)
_BETWEEN = re.compile(r"between (\d+) and (\d+)")
_MORE = re.compile(r"(?:(?:more|greater|larger|bigger|higher) than|over|above) (\d+)")


def number_class(text: str) -> int | None:
    """The position of the class that an answer names or falls into; None where it has no number, or several."""
    plain = re.sub(r"\s+", " ", _AREA.sub("", text.lower().replace(",", "")))
    if found := _BETWEEN.search(plain):
        low, high = map(int, found.groups())
        # The papers say "between 0 and 10", others "between 1 and 10" or "between 11 and 100".
        return _class_of(high) if high in _BOUNDS[1:] and low - _BOUNDS[_class_of(high) - 1] in {0, 1} else None
    if found := _MORE.search(plain):
        return len(_BOUNDS) if int(found[1]) == _BOUNDS[-1] else None
    number = parse_number(plain)
    return None if number is None or number < 0 else _class_of(number)


def _class_of(number: float) -> int:
    return next((place for place, bound in enumerate(_BOUNDS) if number <= bound), len(_BOUNDS))
