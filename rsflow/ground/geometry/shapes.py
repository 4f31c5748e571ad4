"""Geometries of many features: one ring as coordinates (rsflow.ground.geometry.rings), all others as shapely's objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from rsflow.ground.geometry.geometries import Geometries, GeometryFaults, clean_geometries
from rsflow.ground.geometry.rings import Mask, Numbers, Rings, is_every_row, read_rings, write_rings
from rsflow.spatial.geometry import FloatArray

_POLYGON = 3  # type id of shapely
NARROW = (0, 1, 2, 4, 5)  # those of points, lines, rings of lines, and several of them


@dataclass(frozen=True)
class Shapes:
    """`rings`: without points where the geometry is none. `others`: None where it is a ring, or missing."""

    rings: Rings
    others: Geometries

    @classmethod
    def of(cls, geometries: Geometries) -> Shapes:
        plain = (shapely.get_type_id(geometries) == _POLYGON) & (shapely.get_num_interior_rings(geometries) == 0)
        plain &= ~shapely.is_empty(geometries) & ~shapely.has_z(geometries)
        polygons, others = geometries.copy(), geometries.copy()
        polygons[~plain], others[plain] = None, None
        return cls(Rings.of_polygons(polygons), others)

    @classmethod
    def of_rings(cls, rings: Rings) -> Shapes:
        return cls(rings, np.full(len(rings), None, object))

    @classmethod
    def from_wkb(cls, wkb: pa.BinaryArray) -> Shapes:
        """Missing where a value is, or cannot be read."""
        rings, found = read_rings(wkb)
        if not (sound := rings.is_sound).all():
            rings, found = Rings.of_counts(rings.points[sound[rings.index]], np.where(sound, rings.counts, 0)), sound
        others: Geometries = np.full(len(wkb), None, object)
        if not found.all():
            others[~found] = shapely.from_wkb(wkb.filter(pa.array(~found)).to_numpy(zero_copy_only=False), on_invalid="ignore")
        return cls(rings, others)

    def __len__(self) -> int:
        return len(self.others)

    @cached_property
    def is_ring(self) -> Mask:
        found: Mask = self.rings.counts > 0
        return found

    @property
    def is_missing(self) -> Mask:
        found: Mask = shapely.is_missing(self.others) & ~self.is_ring
        return found

    @property
    def types(self) -> npt.NDArray[np.int32]:
        """Type ids of shapely, -1 where a geometry is missing."""
        return np.where(self.is_ring, _POLYGON, shapely.get_type_id(self.others)).astype(np.int32)

    @cached_property
    def geometries(self) -> Geometries:
        return np.where(self.is_ring, self.rings.to_geometries(), self.others)

    @cached_property
    def bounds(self) -> FloatArray:
        if self.is_ring.all():
            return self.rings.bounds
        return np.where(self.is_ring[:, None], self.rings.bounds, shapely.bounds(self.others))

    @cached_property
    def areas(self) -> FloatArray:
        """0 where a geometry is missing."""
        return self.rings.areas if self.is_ring.all() else self.rings.areas + np.nan_to_num(shapely.area(self.others))

    def take(self, rows: npt.NDArray[np.integer]) -> Shapes:
        return self if is_every_row(rows, len(self)) else Shapes(self.rings.take(rows), self.others[rows])

    def put(self, rows: Numbers, other: Shapes) -> Shapes:
        """With those of `other` at these rows."""
        if len(rows) == len(self):
            return other.take(np.argsort(rows))
        chosen = np.arange(len(self))
        chosen[rows] = len(self) + np.arange(len(rows))
        return concat_shapes([self, other]).take(chosen)

    def to_wkb(self) -> pa.BinaryArray:
        if self.is_ring.all():
            return write_rings(self.rings)
        return pa.array(shapely.to_wkb(self.geometries), pa.binary())


def join_shapes(parts: Sequence[tuple[Numbers, Shapes]]) -> Shapes:
    """The shapes of all parts, each part's at its rows; together the rows are 0, 1, …"""
    several = [shapes for rows, shapes in parts if len(rows)]
    if len(several) < 2:
        return several[0] if several else parts[0][1]
    return concat_shapes(several).take(np.argsort(np.concatenate([rows for rows, _ in parts])))


def concat_shapes(several: Sequence[Shapes]) -> Shapes:
    return Shapes(Rings.concat([shapes.rings for shapes in several]), np.concatenate([shapes.others for shapes in several]))


def clip_shapes(shapes: Shapes, boxes: FloatArray) -> Shapes:
    """What of each geometry lies inside its box (n, 4); one that lies wholly inside is itself."""
    bounds = shapes.bounds
    outside = np.flatnonzero(((bounds[:, :2] < boxes[:, :2]) | (bounds[:, 2:] > boxes[:, 2:])).any(axis=1))
    if not len(outside):
        return shapes
    crossing = shapes.take(outside)
    convex = crossing.rings.is_convex
    simple, others = np.flatnonzero(convex), np.flatnonzero(~convex)
    parts = [(simple, Shapes.of_rings(crossing.rings.take(simple).clip(boxes[outside[simple]])))]
    if len(others):
        clipped = shapely.intersection(crossing.take(others).geometries, shapely.box(*boxes[outside[others]].T))
        parts.append((others, Shapes.of(clipped)))
    return shapes.put(outside, join_shapes(parts))


def clean_shapes(shapes: Shapes, missing: Mask, ids: pa.Array, in_degrees: bool, faults: GeometryFaults) -> Shapes:
    """As rsflow.ground.geometry.geometries.clean_geometries does; a convex ring needs no repair."""
    sound = shapes.rings.is_convex
    if in_degrees:
        sound &= ~(np.ptp(shapes.bounds[:, [0, 2]], axis=1) > 180.0)
    convex, rest = np.flatnonzero(sound), np.flatnonzero(~sound)
    parts = [(convex, Shapes.of_rings(shapes.rings.take(convex).normalised()))]
    if len(rest):
        geometries = shapes.take(rest).geometries
        cleaned = clean_geometries(geometries, missing[rest], ids.take(pa.array(rest)), in_degrees, faults)
        parts.append((rest, Shapes.of(cleaned)))
    return join_shapes(parts)


def hash_coordinates(shapes: Shapes, seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """64 bits of each geometry's coordinates in their order, added to its seed."""
    found = seeds.copy()
    points, index = shapely.get_coordinates(shapes.others, return_index=True)
    for coordinates, numbers in ((shapes.rings.points, shapes.rings.index), (points, index)):
        if len(coordinates):
            starts = np.flatnonzero(np.diff(numbers, prepend=-1))
            places = np.arange(len(numbers)) - np.repeat(starts, np.diff([*starts, len(numbers)]))
            found[numbers[starts]] += np.add.reduceat(_mix(coordinates, places.astype(np.uint64)), starts)
    return found


_ODD = np.array([0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)


def _mix(points: FloatArray, places: npt.NDArray[np.uint64]) -> Any:
    bits = np.ascontiguousarray(points).view(np.uint64)
    mixed = (bits[:, 0] ^ (bits[:, 0] >> np.uint64(29))) * _ODD[0] + (bits[:, 1] ^ (bits[:, 1] >> np.uint64(32))) * _ODD[1]
    return (mixed ^ (mixed >> np.uint64(31))) * (places * np.uint64(2) + np.uint64(1))
