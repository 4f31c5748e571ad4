"""Which features lie at which tiles, as pairs of numbers: one pass of array operations labels all tiles of a read.

A pair is a tile and a feature whose bounds, grown by its positional uncertainty, overlap it. Pairs are ordered by tile, then by
form, then by feature, which is the order of the labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.geometry.shapes import Shapes, clip_shapes
from rsflow.ground.placed_features import PlacedFeatures, TileView
from rsflow.spatial.geometry import FloatArray

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True)
class NearFeatures:
    """Pairs (`tiles[n]`, `rows[n]`): numbers into `views` and into the features of `placed`."""

    placed: PlacedFeatures
    views: Sequence[TileView]
    windows: FloatArray  # of the tiles (views, 4)
    kinds: Sequence[FeatureForm]
    tiles: Numbers
    rows: Numbers

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, chosen: Mask) -> NearFeatures:
        if chosen.all():
            return self
        return replace(self, tiles=self.tiles[chosen], rows=self.rows[chosen])

    @cached_property
    def forms(self) -> npt.NDArray[np.int32]:
        return self.placed.forms[self.rows]

    @cached_property
    def bounds(self) -> FloatArray:
        return self.placed.bounds[self.rows]

    @cached_property
    def frames(self) -> FloatArray:
        """The window of each pair's tile (pairs, 4)."""
        return self.windows[self.tiles]

    @cached_property
    def pixel_m(self) -> FloatArray:
        """Metres of a pixel (width, height) of each pair's tile (pairs, 2)."""
        return np.array([view.pixel_m for view in self.views], np.float64).reshape(-1, 2)[self.tiles]

    def of_form(self, name: str) -> npt.NDArray[Any]:
        """A field of each pair's form."""
        return np.array([getattr(form, name) for form in self.kinds])[self.forms]

    def is_kind(self, *kinds: str) -> Mask:
        found: Mask = np.array([form.kind in kinds for form in self.kinds], np.bool_)[self.forms]
        return found

    def is_inside(self, margins_m: FloatArray) -> Mask:
        """Whether the bounds lie at least so many metres within the tile."""
        dx, dy = (margins_m[:, None] / self.pixel_m).T
        x0, y0, x1, y1 = self.bounds.T
        left, top, right, bottom = self.frames.T
        inside: Mask = (x0 >= left + dx) & (y0 >= top + dy) & (x1 <= right - dx) & (y1 <= bottom - dy)
        return inside

    def overlaps(self, margins_m: FloatArray) -> Mask:
        """Whether the bounds share more than an edge with the tile grown by so many metres."""
        dx, dy = (margins_m[:, None] / self.pixel_m).T
        x0, y0, x1, y1 = self.bounds.T
        left, top, right, bottom = self.frames.T
        found: Mask = (x0 < right + dx) & (x1 > left - dx) & (y0 < bottom + dy) & (y1 > top - dy)
        return found

    def categories(self, chosen: Mask) -> list[tuple[int, str]]:
        """(tile, category) of the chosen pairs, each once."""
        if not chosen.any():
            return []
        codes = np.unique(self.tiles[chosen] * len(self.kinds) + self.forms[chosen]).tolist()
        return [(code // len(self.kinds), self.kinds[code % len(self.kinds)].category) for code in codes]

    def visible_parts(self) -> Shapes:
        """What its tile shows of each feature: inside the window, and not where the tile has no valid pixels."""
        parts = clip_shapes(self.placed.shapes.take(self.rows), self.frames)
        for number in np.unique(self.tiles).tolist():
            if (fill := self.views[number].fill_area) is not None:
                mine = np.flatnonzero(self.tiles == number)
                geometries = parts.take(mine).geometries
                hidden = shapely.intersects(geometries, fill)
                parts = parts.put(mine[hidden], Shapes.of(shapely.difference(geometries[hidden], fill)))
        return parts


def find_near(placed: PlacedFeatures, views: Sequence[TileView], kinds: Sequence[FeatureForm]) -> NearFeatures:
    """All pairs, as far as the largest uncertainty of any form reaches."""
    windows = np.array([view.window.box for view in views], np.float64).reshape(-1, 4)
    margin_m = max((form.uncertainty_m for form in kinds), default=0.0)
    margins = margin_m / np.array([view.pixel_m for view in views], np.float64).reshape(-1, 2)
    grown = windows + np.concatenate([-margins, margins], axis=1)
    found = [_find_overlapping(placed.bounds, grown, tiles) for tiles in _rows_of_tiles(windows)]
    tiles, rows = (np.concatenate([np.array([], np.intp), *some]) for some in zip(*found, strict=True))
    order = np.lexsort((rows, placed.forms[rows], tiles))
    return NearFeatures(placed, views, windows, kinds, tiles[order], rows[order])


def _rows_of_tiles(windows: FloatArray) -> list[Numbers]:
    """The numbers of the windows (n, 4) that lie beside each other, row by row."""
    _, row = np.unique(windows[:, 1], return_inverse=True)
    return [np.flatnonzero(row == number) for number in range(int(row.max(initial=-1)) + 1)]


def _find_overlapping(bounds: FloatArray, grown: FloatArray, tiles: Numbers) -> tuple[Numbers, Numbers]:
    """(tile, feature) of the features whose bounds share more than an edge with one of these tiles; those beside each other."""
    frames = grown[tiles]
    beside = np.flatnonzero((bounds[:, 1] < frames[:, 3].max()) & (bounds[:, 3] > frames[:, 1].min()))
    near, frames = bounds[beside], frames[:, None]
    overlap = (near[:, :2] < frames[..., 2:]) & (near[:, 2:] > frames[..., :2])
    numbers, rows = np.nonzero(overlap[..., 0] & overlap[..., 1])
    return tiles[numbers], beside[rows]
