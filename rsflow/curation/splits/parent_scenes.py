"""Which pictures were cut from one parent, by their names: such pictures share ground, though none of them says where it lies.

Cutters write a window's offsets into its name. Forms that can mean nothing else are taken at once:
`P1__1024__0___512` (scale, column, row), `P1_0_800_600_1400` (both bounds of columns and rows, of a square), `P1_x512_y0` and
`P1_r3_c4`. A plain `P1_512_0`, with or without sizes after it, may count anything, so it is taken only where all names of one
parent lie on a grid: offsets with a common step of at least 16, or indices that fill most of a rectangle.

What has no such name may still be a window of something that its name does not show. Windows that overlap are found by their
pixels (`rsflow.curation.duplicates.pairs.partial_overlap`); of neighbours that only touch nothing is known.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from math import gcd

_EXPLICIT = (
    re.compile(r"(?P<parent>.+?)__\d+(?:\.\d+)?__-?\d+___-?\d+"),
    re.compile(r"(?P<parent>.+?)[_-](?:x|col|c)[_-]?\d+[_-]?(?:y|row|r)[_-]?\d+", re.IGNORECASE),
    re.compile(r"(?P<parent>.+?)[_-](?:y|row|r)[_-]?\d+[_-]?(?:x|col|c)[_-]?\d+", re.IGNORECASE),
)
_BOUNDS = re.compile(r"(?P<parent>.+?)[_-](\d+)[_-](\d+)[_-](\d+)[_-](\d+)")
# Two offsets and, after them, two, one or no numbers that all windows of the parent have: their sizes.
_OFFSETS = tuple(
    re.compile(rf"(?P<parent>.+)[_-](?P<x>\d+)[_-](?P<y>\d+)(?P<size>(?:[_-]\d+){{{numbers}}})") for numbers in (2, 1, 0)
)
_MIN_STEP = 16  # pixels
_MIN_FILLED = 0.6  # of the rectangle that indices span

Offsets = list[tuple[int, int]]


def parent_scenes(names: Sequence[str], certain: bool = False) -> list[str | None]:
    """The name of the parent of each of these different names, None where it is not known; `certain`: no grids."""
    parents = [_explicit_parent(name) for name in names]
    for pattern in () if certain else _OFFSETS:
        groups: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        sizes: dict[str, set[str]] = defaultdict(set)
        for number, name in enumerate(names):
            if parents[number] is None and (found := pattern.fullmatch(name)):
                groups[found["parent"]][number] = int(found["x"]), int(found["y"])
                sizes[found["parent"]].add(found["size"])
        for parent, offsets in groups.items():
            if _is_size(sizes[parent]) and _is_grid([*offsets.values()]):
                for number in offsets:
                    parents[number] = parent
    return parents


def _explicit_parent(name: str) -> str | None:
    for pattern in _EXPLICIT:
        if found := pattern.fullmatch(name):
            return found["parent"]
    if found := _BOUNDS.fullmatch(name):
        left, right, top, bottom = (int(number) for number in found.groups()[1:])
        if right - left == bottom - top >= _MIN_STEP:
            return found["parent"]
    return None


def _is_size(found: set[str]) -> bool:
    """Whether these are one size, as pictures have, or none."""
    if len(found) > 1:
        return False
    return all(int(number) >= _MIN_STEP for size in found for number in re.findall(r"\d+", size))


def _is_grid(offsets: Offsets) -> bool:
    columns, rows = (sorted(set(values)) for values in zip(*offsets, strict=True))
    if len(set(offsets)) < len(offsets) or len(offsets) < 2:
        return False
    if all(_step(values) >= _MIN_STEP for values in (columns, rows) if len(values) > 1):
        return True
    dense = all(values[-1] - values[0] < 2 * len(values) for values in (columns, rows))
    return dense and min(len(columns), len(rows)) > 1 and len(offsets) >= _MIN_FILLED * len(columns) * len(rows)


def _step(values: list[int]) -> int:
    """What divides all offsets, which are counted from 0; the last window of a line may be shifted inward."""
    return gcd(*(values[:-1] if len(values) > 2 else values))
