"""The boxes of instructions as arrays, made for many instructions at once.

One idea: a small array takes longer to make, and far longer to send to another process, than the few numbers in it. So the
boxes of a sample, or of a whole batch where workers hand batches over, are one block, and each instruction gets a view of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.spatial.geometry import bounding_box, corners

Floats = npt.NDArray[np.float32]
Instructions = Iterable[dict[str, Any]]

# Of a box, clockwise from its upper left (rsflow.spatial.geometry.corners), as positions in it.
_CORNERS = np.array([0, 1, 2, 1, 2, 3, 0, 3])
_NUMBERS = frozenset({4, 8})  # of a box, and of an oriented one


def extract_boxes(instructions: Instructions) -> list[Any]:
    """The boxes of all instructions in order; `boxes` of each is from now on how many it had.

    ValueError for a box of other than four or eight numbers.
    """
    found: list[Any] = []
    for one in instructions:
        found += one["boxes"]
        one["boxes"] = len(one["boxes"])
    if not _NUMBERS.issuperset(map(len, found)):
        raise ValueError("a box of other than four or eight numbers")
    return found


def pack_boxes(boxes: list[Any]) -> tuple[Floats, Floats]:
    """(n, 4), x0, y0, x1, y1 of each box, of an oriented one its hull; and (n, 8), its four corners."""
    if not boxes:
        return np.empty((0, 4), dtype=np.float32), np.empty((0, 8), dtype=np.float32)
    if all(len(box) == 4 for box in boxes):
        hulls = np.array(boxes, dtype=np.float32)
        return hulls, hulls.take(_CORNERS, axis=1)
    return np.array([bounding_box(box) for box in boxes], dtype=np.float32), np.array(
        [corners(box) for box in boxes], dtype=np.float32
    )


def restore_boxes(instructions: Instructions, hulls: Floats, quads: Floats) -> None:
    """Give each instruction its `boxes` and `quads`: views of the blocks, which hold those of all in order."""
    stop = 0
    for one in instructions:
        start, stop = stop, stop + one["boxes"]
        one["boxes"], one["quads"] = hulls[start:stop], quads[start:stop]
