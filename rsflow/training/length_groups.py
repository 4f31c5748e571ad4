"""Groups of rows of like length, so that short answers are not computed at the length of the longest.

One idea: a row is padded to the longest of its group, and a group ends where a row has less than half of the text of the
group's longest: at most half of what is computed is then padding. Grouping changes how a step is computed and not what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

Example = Mapping[str, Any]

_SHORTEST = 0.5  # of the longest row of a group
_TEMPLATE_CHARACTERS = 80  # that a row has beside its own text: the template's, and its picture's tokens


def group_by_length(examples: Sequence[Example], grouping: Literal["joined", "each", "first"]) -> list[list[Example]]:
    """The rows of a batch as examples of one row each, in groups, the longest first; each with its sample's picture. Rows of
    the same length keep their order."""
    rows = sorted(_rows(examples, grouping), key=_length, reverse=True)
    groups: list[list[Example]] = []
    for row in rows:
        if not groups or _length(row) < _SHORTEST * _length(groups[-1][0]):
            groups.append([])
        groups[-1].append(row)
    return groups


def _rows(examples: Sequence[Example], grouping: str) -> Iterator[Example]:
    for example in examples:
        filled = [one for one in example["instructions"] if one["turns"]]
        if grouping == "joined":
            yield example
            continue
        for instruction in filled[:1] if grouping == "first" else filled:
            yield {**example, "instructions": [instruction]}


def _length(row: Example) -> int:
    return _TEMPLATE_CHARACTERS + sum(len(turn["text"]) for one in row["instructions"] for turn in one["turns"])
