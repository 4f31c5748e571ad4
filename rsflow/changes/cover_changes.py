"""What the land cover of each place was and became, from class maps of two dates.

Both maps must have the same classes: of two legends, a place may have another name without having changed. A map's classes end
where its pixels end, so a reported change must be wider than a pixel of the coarser map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsflow.changes.areas import MOST_AREAS, AreaLimits, Mask, area_shapes, is_negligible, large_areas, unknown_area
from rsflow.records import Label, Provenance

TOPIC = "land cover"


@dataclass(frozen=True, slots=True)
class ClassMap:
    """`codes` (rows, cols): position in `names`, which are sorted; -1 where the class is not known. `pixel_px`: the side of
    the map's own pixels in those of the picture."""

    codes: npt.NDArray[np.int16]
    names: tuple[str, ...]
    pixel_px: float
    name: str


def compare_covers(before: ClassMap, after: ClassMap, visible: Mask, limits: AreaLimits) -> list[Label]:
    """The changed areas by what they were and became, and "compared" where both maps know the picture's ground.

    `visible` (rows, cols): what both pictures show. ValueError where the maps differ in their classes.
    """
    if before.names != after.names:
        raise ValueError(f"classes {before.names} and {after.names}")
    source = Provenance("annotation", "cover", f"{before.name} to {after.name}")
    known = visible & (before.codes >= 0) & (after.codes >= 0)
    differs = known & (before.codes != after.codes)
    labels: list[Label] = []
    large = np.zeros_like(known)
    for old, new, mask in _iter_transitions(before, after, differs):
        counted = large_areas(mask, limits)
        large |= counted
        labels += [Label("change", new, source, shape, old) for shape in area_shapes(counted)]
    specks = differs & ~large
    if len(labels) > MOST_AREAS:
        return [unknown_area(differs, TOPIC, source)]
    unsure = large_areas(~known, limits)
    if not is_negligible(int(specks.sum()), int(large.sum()), known.size):
        unsure = unsure | specks
    if unsure.any():
        labels.append(unknown_area(unsure, TOPIC, source))
    return [Label("compared", TOPIC, source, text="change"), *labels]


def _iter_transitions(before: ClassMap, after: ClassMap, differs: Mask) -> Iterator[tuple[str, str, Mask]]:
    """(what it was, what it is, where) of each pair of classes."""
    pairs = before.codes.astype(np.int32) * len(after.names) + after.codes
    for pair in np.unique(pairs[differs]).tolist():
        old, new = divmod(pair, len(after.names))
        yield before.names[old], after.names[new], np.asarray(differs & (pairs == pair))
