"""The objects that "the largest" or "the leftmost" may mean.

The margins of rsflow.instructions.wording.references, turned round. There a phrase needs a clear winner; here everything
within the margin of the first may be meant.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.wording.references import AREA_RATIO
from rsflow.spatial.geometry import area, min_area_rectangle

CLEAR = 1.1  # by which a length must be shorter to be plainly so
_EDGES = {"leftmost": (0, 1), "rightmost": (2, -1), "topmost": (1, 1), "bottommost": (3, -1)}


def candidates(things: Sequence[TileObject], picked: str) -> list[TileObject]:
    """Never empty where there are things; all of them for a word that picks nothing."""
    if picked in {"largest", "smallest"}:
        return _by_size(things, picked == "largest")
    if picked in {"longest", "shortest"} and things:
        return _by_length(things, picked == "longest")
    if picked in _EDGES:
        axis, sign = _EDGES[picked]
        first = min(sign * thing.box[axis] for thing in things)
        centre = min(sign * (thing.box[axis % 2] + thing.box[axis % 2 + 2]) for thing in things)
        return [
            thing
            for thing in things
            if sign * thing.box[axis] == first or sign * (thing.box[axis % 2] + thing.box[axis % 2 + 2]) == centre
        ]
    return list(things)


def _by_length(things: Sequence[TileObject], longest: bool) -> list[TileObject]:
    lengths = [max(min_area_rectangle(thing.region).width_px, min_area_rectangle(thing.region).height_px) for thing in things]
    limit = max(lengths) / CLEAR if longest else min(lengths) * CLEAR
    return [thing for thing, length in zip(things, lengths, strict=True) if (length >= limit if longest else length <= limit)]


def _by_size(things: Sequence[TileObject], largest: bool) -> list[TileObject]:
    """By area of the outline or of the box: nobody says which."""
    found = []
    for size in (lambda thing: thing.area_px, lambda thing: area(thing.box)):
        sizes = [size(thing) for thing in things]
        limit = max(sizes) / AREA_RATIO if largest else min(sizes) * AREA_RATIO
        found += [thing for thing, value in zip(things, sizes, strict=True) if (value >= limit if largest else value <= limit)]
    return found
