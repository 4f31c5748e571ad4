"""How the land covers of a tile lie to each other: which border on which, and in which direction one lies from another.

One idea: both are measured on masks, whatever the covers came from, and stated only where they are clear. Covers border on
each other where their pixels touch by their sides; they lie apart where more than APART_PX pixels are between any parts of
them, however narrow; between the two nothing is stated. One lies in a direction from another where, along the line through
their middles, nearly all of the one is beyond nearly all of the other.

Directions are degrees in the picture, clockwise from its upper edge, measured in metres; where north is, a tile's place tells
(rsflow.instructions.facts.cover_relations).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.records import BEARING, BORDER, Label, Provenance
from rsflow.spatial.geometry import FloatArray

Mask = npt.NDArray[np.bool_]
Position = npt.NDArray[np.float64]

APART_PX = 5  # by which two covers must be apart to have no common border
BEYOND = 0.95  # share of a cover that lies beyond as much of the other, in the direction from it
SIDES = ndimage.generate_binary_structure(2, 1)


def relate_covers(
    regions: Mapping[str, Mask],
    touched: Mapping[str, Mask],
    pixel_m: tuple[float, float],
    provenance: Provenance,
    is_mapped: bool,
) -> list[Label]:
    """Facts of every two covers that have pixels and share none. `regions`, `touched` (rows, cols) by category: the pixels
    whose middle a cover has, and those of which it has any part. `is_mapped`: the cover of the whole tile is known; where it is
    not, only existing borders are stated."""
    names = sorted(name for name, mask in regions.items() if mask.any())
    pairs = [(one, other) for one, other in combinations(names, 2) if not (regions[one] & regions[other]).any()]
    borders = [found for found in _borders(regions, touched, pairs, pixel_m, provenance) if found.value or is_mapped]
    return [*borders, *_bearings(regions, pairs, pixel_m, provenance)] if is_mapped else borders


def _borders(
    regions: Mapping[str, Mask],
    touched: Mapping[str, Mask],
    pairs: list[tuple[str, str]],
    pixel_m: tuple[float, float],
    provenance: Provenance,
) -> Iterator[Label]:
    """How many metres the common border of two covers is long, 0 where no part of one is near the other."""
    near = {name: ndimage.binary_dilation(mask, SIDES, APART_PX) for name, mask in touched.items()}
    for one, other in pairs:
        mine, theirs = regions[one], regions[other]
        if not (near[one] & touched[other]).any():
            yield Label("fact", f"{BORDER}{one}", provenance, text=other, value=0.0)
            continue
        beside = (mine[:, :-1] & theirs[:, 1:]).sum() + (theirs[:, :-1] & mine[:, 1:]).sum()
        below = (mine[:-1] & theirs[1:]).sum() + (theirs[:-1] & mine[1:]).sum()
        if length := float(beside * pixel_m[1] + below * pixel_m[0]):
            yield Label("fact", f"{BORDER}{one}", provenance, text=other, value=length)


def _bearings(
    regions: Mapping[str, Mask], pairs: list[tuple[str, str]], pixel_m: tuple[float, float], provenance: Provenance
) -> Iterator[Label]:
    """In which direction the first of two covers lies from the second."""
    places = {name: _places(mask, pixel_m) for name, mask in regions.items() if mask.any()}
    for one, other in pairs:
        if one in places and other in places and (found := bearing_deg(places[one], places[other])) is not None:
            yield Label("fact", f"{BEARING}{one}", provenance, text=other, value=found)


def _places(mask: Mask, pixel_m: tuple[float, float]) -> Position:
    """(n, 2) metres to the right and down of a mask's pixels."""
    rows, cols = np.nonzero(mask)
    return np.stack([cols * pixel_m[0], rows * pixel_m[1]], axis=1)


def bearing_deg(mine: Position, theirs: Position) -> float | None:
    """The direction of the middle of `mine` (n, 2) from that of `theirs`; None where they do not lie beyond each other."""
    step: FloatArray = mine.mean(axis=0) - theirs.mean(axis=0)
    length = float(np.hypot(*step))
    if not length:
        return None
    nearest = np.quantile(mine @ (step / length), 1 - BEYOND)
    farthest = np.quantile(theirs @ (step / length), BEYOND)
    return math.degrees(math.atan2(step[0], -step[1])) % 360.0 if nearest >= farthest else None
