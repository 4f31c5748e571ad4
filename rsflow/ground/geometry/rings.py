"""Polygons of one ring as flat coordinates: what shapely does one by one, done for all of them by array operations.

Footprints are nearly always such polygons, and most of them are convex. A convex ring is known to be valid without a test, and
its part in a box needs no overlay: Sutherland and Hodgman's clipping (Reentrant Polygon Clipping, 1974) is exact for it.

Well-known binary (OGC Simple Feature Access, part 1, 8.2) puts 13 bytes before the points of such a polygon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from rsflow.ground.geometry.geometries import Geometries
from rsflow.spatial.geometry import FloatArray

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
_HEADER = np.frombuffer(b"\x01\x03\x00\x00\x00\x01\x00\x00\x00", np.uint8)  # little-endian polygon of one ring
_HEADER_BYTES, _POINT_BYTES = 13, 16
_FULL_TURN = 2 * np.pi
_OF_RING = ("counts", "bounds", "signed_areas", "is_convex")  # properties of each ring that do not depend on the others


@dataclass(frozen=True)
class Rings:
    """Ring i has the points (x, y) from `starts[i]` to before `starts[i + 1]`, the last one equal to the first; it may have
    none."""

    points: FloatArray
    starts: Numbers

    @classmethod
    def of_counts(cls, points: FloatArray, counts: Numbers) -> Rings:
        return cls(points, np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]))

    @classmethod
    def concat(cls, several: Sequence[Rings]) -> Rings:
        return cls.of_counts(
            np.concatenate([np.empty((0, 2)), *(rings.points for rings in several)]),
            np.concatenate([np.empty(0, np.int64), *(rings.counts for rings in several)]),
        )

    @classmethod
    def of_polygons(cls, polygons: Geometries) -> Rings:
        """Of polygons without holes; None has no points."""
        points, index = shapely.get_coordinates(polygons, return_index=True)
        return cls.of_counts(points, np.bincount(index, minlength=len(polygons)))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def counts(self) -> Numbers:
        return np.diff(self.starts)

    @cached_property
    def index(self) -> Numbers:
        """The number of each point's ring."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def is_sound(self) -> Mask:
        """Which have points, the last one at the first, and no coordinate that is not a finite number."""
        found: Mask = np.array(np.isfinite(self.bounds).all(axis=1), np.bool_)
        found[found] = (self.points[self.starts[:-1][found]] == self.points[self.starts[1:][found] - 1]).all(axis=1)
        return found

    def take(self, rows: npt.NDArray[np.integer]) -> Rings:
        if is_every_row(rows, len(self)):
            return self
        counts = self.counts[rows]
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        places = np.arange(starts[-1]) + np.repeat(self.starts[:-1][rows] - starts[:-1], counts)
        taken = Rings(self.points[places], starts)
        # What is known of these rings need not be computed again.
        vars(taken).update({name: vars(self)[name][rows] for name in _OF_RING if name in vars(self)})
        return taken

    def map(self, mapping: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]) -> Rings:
        return Rings(np.stack(mapping(self.points[:, 0], self.points[:, 1]), axis=1), self.starts)

    def shift(self, offsets: FloatArray) -> Rings:
        """Each ring moved by its offset (n, 2)."""
        return Rings(self.points + offsets[self.index], self.starts)

    @cached_property
    def bounds(self) -> FloatArray:
        """x0, y0, x1, y1 of each ring (n, 4), NaN of one without points."""
        found = np.full((len(self), 4), np.nan)
        if len(self.points):
            filled = self.counts > 0
            found[filled, :2] = np.minimum.reduceat(self.points, self.starts[:-1][filled])
            found[filled, 2:] = np.maximum.reduceat(self.points, self.starts[:-1][filled])
        return found

    @cached_property
    def signed_areas(self) -> FloatArray:
        """Positive where the points run from x to y (counter-clockwise where y points up)."""
        away = self.points - self.points[np.repeat(self.starts[:-1], self.counts)]
        crosses = away[:-1, 0] * away[1:, 1] - away[1:, 0] * away[:-1, 1]
        # Of the step from one ring to the next nothing counts: a ring's last point is at its origin.
        return self._sums(np.concatenate([crosses, np.zeros(min(1, len(away)))])) / 2

    @property
    def areas(self) -> FloatArray:
        return np.abs(self.signed_areas)

    def _sums(self, values: FloatArray) -> FloatArray:
        """Of one value per point, the sum over each ring."""
        found = np.zeros(len(self))
        filled = self.counts > 0
        if filled.any():
            found[filled] = np.add.reduceat(values, self.starts[:-1][filled])
        return found

    @cached_property
    def is_convex(self) -> Mask:
        """Whether a ring turns one way only, and once round, so that it is a valid polygon; not if it repeats a point."""
        found = self.counts > 3
        if not found.any():
            return found
        steps = np.diff(self.points, axis=0, append=self.points[:1])
        last = self.starts[1:][self.counts > 0] - 1
        steps[last] = steps[self.starts[:-1][self.counts > 0]]  # after a ring's last edge comes its first
        following = np.roll(steps, -1, axis=0)
        crosses = steps[:, 0] * following[:, 1] - steps[:, 1] * following[:, 0]
        turns = np.arctan2(crosses, (steps * following).sum(axis=1))
        # A repeated point has a step of length 0, and a spike a turn of half a circle: neither is below 3 in size and a turn.
        bad = (np.abs(turns) > 3.0) | ~(steps != 0).any(axis=1)
        turns[last], bad[last] = 0.0, False
        total = self._sums(turns)
        one_way = np.abs(self._sums(np.abs(turns)) - np.abs(total)) < 1e-12
        convex: Mask = found & one_way & (np.abs(np.abs(total) - _FULL_TURN) < 1e-6) & (self._sums(bad.astype(np.float64)) == 0)
        return convex

    def normalised(self) -> Rings:
        """In the order of shapely's `normalize`: clockwise (y up), from the leftmost and then lowest point. All have points."""
        if not len(self):
            return self
        steps = np.where(self.signed_areas > 0, -1, 1)
        lengths = self.counts - 1
        low_x = self.bounds[:, 0][self.index]
        ys = np.where(self.points[:, 0] == low_x, self.points[:, 1], np.inf)
        lowest = ys == np.minimum.reduceat(ys, self.starts[:-1])[self.index]
        _, first = np.unique(self.index[lowest], return_index=True)
        start = np.flatnonzero(lowest)[first] - self.starts[:-1]
        places = np.arange(len(self.points)) - self.starts[:-1][self.index]
        chosen = (start[self.index] + steps[self.index] * places) % lengths[self.index]
        return Rings(self.points[self.starts[:-1][self.index] + chosen], self.starts)

    def to_geometries(self) -> Geometries:
        """As polygons; None for rings without points."""
        found: Geometries = np.full(len(self), None, object)
        filled = self.counts > 0
        if filled.any():
            offsets = np.concatenate([self.starts[:-1][filled], self.starts[-1:]])
            parts = (offsets, np.arange(len(offsets)))
            found[filled] = shapely.from_ragged_array(shapely.GeometryType.POLYGON, self.points, parts)
        return found

    def clip(self, boxes: FloatArray) -> Rings:
        """What of each convex ring lies inside its box (n, 4); a ring without points where that has no area."""
        found = self._clip_between(0, boxes[:, 0], boxes[:, 2])._clip_between(1, boxes[:, 1], boxes[:, 3])
        empty = found.areas == 0
        if not empty.any():
            return found
        return Rings.of_counts(found.points[~empty[found.index]], np.where(empty, 0, found.counts))

    def _clip_between(self, axis: int, low: FloatArray, high: FloatArray) -> Rings:
        """What of each convex ring lies between its limits along an axis: the parts of its edges there, one after the other."""
        starts, ends = self.points[:-1], self.points[1:]
        low, high = low[self.index[:-1]], high[self.index[:-1]]
        begin, end = starts[:, axis], ends[:, axis]
        first, last = np.clip(begin, low, high), np.clip(end, low, high)
        kept = (first != last) | ((begin >= low) & (begin <= high))
        kept[self.starts[1:][self.counts > 0][:-1] - 1] = False  # from one ring to the next is no edge
        enters, leaves = kept & (first != begin), kept & (last != end)
        slope = (ends - starts) / np.where(begin == end, 1.0, end - begin)[:, None]
        entry = np.where(enters[:, None], starts + slope * (first - begin)[:, None], starts)
        entry[enters, axis] = first[enters]
        leave = starts + slope * (last - begin)[:, None]
        leave[:, axis] = last
        both = np.stack([kept, leaves], axis=1)
        points = np.stack([entry, leave], axis=1)[both]
        return _close(points, np.repeat(self.index[:-1], 2)[both.ravel()], len(self))


def is_every_row(rows: npt.NDArray[np.integer], count: int) -> bool:
    """Whether `rows` are all of 0, 1, … `count` - 1 in this order."""
    return len(rows) == count and bool((rows == np.arange(count)).all())


def _close(points: FloatArray, index: Numbers, count: int) -> Rings:
    """Rings of points without the last one; `index`: the ring of each. Fewer than three points enclose nothing."""
    counts = np.bincount(index, minlength=count)
    if counts.min(initial=3) < 3:
        kept = (counts >= 3)[index]
        points, counts = points[kept], np.where(counts >= 3, counts, 0)
    filled = counts > 0
    stops = np.cumsum(counts)[filled]
    return Rings.of_counts(np.insert(points, stops, points[stops - counts[filled]], axis=0), counts + filled)


def read_rings(wkb: pa.BinaryArray) -> tuple[Rings, Mask]:
    """(rings, which values are one): polygons of one ring of four points or more, in two dimensions.

    Rings of other values have no points.
    """
    data, offsets = _buffers(wkb)
    sizes = np.diff(offsets)
    counts, rest = np.divmod(sizes - _HEADER_BYTES, _POINT_BYTES)
    found = (counts >= 4) & (rest == 0)
    heads = data[offsets[:-1][found, None] + np.arange(_HEADER_BYTES)]
    stated = np.ascontiguousarray(heads[:, len(_HEADER) :]).view("<i4")[:, 0]
    found[found] = (heads[:, : len(_HEADER)] == _HEADER).all(axis=1) & (stated == counts[found])
    body = np.repeat(found, sizes)
    body[offsets[:-1][found, None] + np.arange(_HEADER_BYTES)] = False
    points = data[body].view("<f8").reshape(-1, 2)
    starts = np.concatenate([[0], np.cumsum(np.where(found, counts, 0))])
    return Rings(points, starts), found


def write_rings(rings: Rings) -> pa.BinaryArray:
    """The well-known binary of each ring, all of which have points."""
    offsets = _HEADER_BYTES * np.arange(len(rings) + 1) + _POINT_BYTES * rings.starts
    data = np.empty(offsets[-1], np.uint8)
    heads = offsets[:-1, None] + np.arange(_HEADER_BYTES)
    counts = rings.counts.astype("<i4").view(np.uint8).reshape(-1, 4)
    data[heads] = np.concatenate([np.broadcast_to(_HEADER, (len(rings), len(_HEADER))), counts], axis=1)
    body = np.ones(len(data), np.bool_)
    body[heads] = False
    data[body] = np.ascontiguousarray(rings.points).view(np.uint8).ravel()
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(rings), [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    )


def _buffers(wkb: pa.BinaryArray) -> tuple[npt.NDArray[np.uint8], Numbers]:
    """All bytes of the values, and where each begins in them (n + 1,). Missing values have none."""
    if not len(wkb):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    large = wkb.cast(pa.large_binary())  # of a slice, the cast may have another offset
    _, offsets, data = large.buffers()
    places = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
    every = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return every[places[0] : places[-1]], places - places[0]
