"""The labels of one tile from a class raster: shares of land cover, largest regions, and regions that are objects.

Shares are of the tile's valid pixels. Where the raster has no value the cover is UNKNOWN; classes that say nothing count for
what is there, but are no label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.annotations.parsing.mask_outlines import find_components, trace_outline
from rsflow.ground.labels.cover_relations import SIDES, relate_covers
from rsflow.records import UNKNOWN, Label, Provenance, Shape
from rsflow.spatial.polygons import parts_bounds, translate_parts

Mask = npt.NDArray[np.bool_]


def label_cover(
    values: npt.NDArray[np.float64],
    known: Mask,
    visible: Mask,
    parts: int,
    legend: dict[int, str | None],
    objects: Sequence[str],
    min_px: int,
    provenance: Provenance,
    pixel_m: tuple[float, float] = (1.0, 1.0),
) -> list[Label]:
    """`values`, `known` (k * rows, k * cols): samples, and whether the raster has one; `visible` (rows, cols): valid pixels of
    the tile; `parts`: k. Raises no DataError: values missing from the legend were refused before."""
    valid = np.repeat(np.repeat(visible, parts, axis=0), parts, axis=1)
    total = int(valid.sum())
    if not total:
        return []
    no_data = [value for value, name in legend.items() if name is None]
    classed = known & valid & ~np.isin(values, no_data)
    labels: list[Label] = []
    regions: dict[str, Mask] = {}
    touched: dict[str, Mask] = {}
    for category in sorted({name for name in legend.values() if name}):
        mine = classed & np.isin(values, [value for value, name in legend.items() if name == category])
        if mine.any():
            regions[category] = middle = mine[parts // 2 :: parts, parts // 2 :: parts]
            samples = mine.reshape(visible.shape[0], parts, visible.shape[1], parts)
            touched[category] = np.logical_or.reduce(samples, axis=(1, 3))
            labels.append(Label("cover", category, provenance, _find_largest(middle), value=int(mine.sum()) / total))
            labels += _objects(middle, category, min_px, provenance) if category in objects else []
    rest = (total - int(classed.sum())) / total
    is_mapped = not rest and not np.isin(values[classed], [value for value, name in legend.items() if name == ""]).any()
    labels += relate_covers(regions, touched, pixel_m, provenance, is_mapped)
    return [*labels, Label("cover", UNKNOWN, provenance, value=rest)] if rest > 0 else labels


def _find_largest(mask: Mask) -> Shape | None:
    """The largest region of pixels that are joined by their sides; None where no pixel's middle is of the class."""
    numbered, count = ndimage.label(mask, structure=SIDES)
    if not count:
        return None
    number = int(np.bincount(numbered.ravel())[1:].argmax()) + 1
    rows, cols = ndimage.find_objects(numbered)[number - 1]
    outline = translate_parts(trace_outline(numbered[rows, cols] == number), cols.start, rows.start)
    return Shape.of_parts(parts_bounds(outline), outline)


def _objects(mask: Mask, category: str, min_px: int, provenance: Provenance) -> list[Label]:
    return [
        Label("box", category, provenance, Shape.of_parts(box, outline))
        for box, outline, pixels in find_components(mask)
        if pixels >= min_px
    ]


def label_field(
    values: npt.NDArray[np.float64],
    known: Mask,
    visible: Mask,
    parts: int,
    quantity: str,
    unit: str,
    provenance: Provenance,
) -> list[Label]:
    """Facts of a continuous raster over the tile's valid pixels: mean, lowest and highest value, each with the unit as its
    text, the extremes with the box of all pixels that have them.

    None where less than `LEAST_KNOWN` of the pixels has a value.
    """
    valid = known & np.repeat(np.repeat(visible, parts, axis=0), parts, axis=1)
    if not visible.any() or valid.sum() < LEAST_KNOWN * visible.sum() * parts**2:
        return []
    facts = [Label("fact", f"mean {quantity}", provenance, text=unit, value=float(values[valid].mean()))]
    for name, found in (("lowest", values[valid].min()), ("highest", values[valid].max())):
        rows, cols = (place // parts for place in np.nonzero(valid & (values == found)))
        box = (float(cols.min()), float(rows.min()), cols.max() + 1.0, rows.max() + 1.0)
        facts.append(Label("fact", f"{name} {quantity}", provenance, Shape(box), unit, float(found)))
    return facts


LEAST_KNOWN = 0.9  # share of the tile's pixels that must have a value
