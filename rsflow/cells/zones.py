"""The map projections of the ground grid: the 60 zones of UTM in two hemispheres, and one polar map beyond each.

One idea: every place belongs to exactly one zone by its longitude and latitude alone: strips of 6 degrees between 80 degrees
south and 84 degrees north, without the exceptions of Norway and Svalbard, and the polar stereographic maps (UPS) beyond.
The EPSG codes are those of WGS 84: 32601 to 32660, 32701 to 32760, 32661 (north pole), 32761 (south pole).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import shapely
from pyproj import Transformer
from shapely import affinity

from rsflow.spatial.geometry import Box

STRIP_DEG = 6.0
SOUTH_DEG, NORTH_DEG = -80.0, 84.0  # where UTM ends
_NAME = re.compile(r"utm([0-9]{2})([ns])|ups([ns])")


@dataclass(frozen=True, slots=True)
class Zone:
    """`number` 1 to 60 of a strip, 0 of a polar map."""

    number: int
    is_north: bool

    @property
    def name(self) -> str:
        """For example utm33n, upss."""
        hemisphere = "n" if self.is_north else "s"
        return f"utm{self.number:02d}{hemisphere}" if self.number else f"ups{hemisphere}"

    @property
    def crs(self) -> str:
        return f"EPSG:{(32600 if self.is_north else 32700) + (self.number or 61)}"

    @property
    def area(self) -> Box:
        """West, south, east, north in degrees."""
        if not self.number:
            return (-180.0, NORTH_DEG, 180.0, 90.0) if self.is_north else (-180.0, -90.0, 180.0, SOUTH_DEG)
        west = -180.0 + STRIP_DEG * (self.number - 1)
        return (west, 0.0, west + STRIP_DEG, NORTH_DEG) if self.is_north else (west, SOUTH_DEG, west + STRIP_DEG, 0.0)


ZONES: tuple[Zone, ...] = tuple(Zone(number, is_north) for is_north in (True, False) for number in range(61))


def zone_named(name: str) -> Zone:
    """The inverse of `Zone.name`. ValueError for any other text."""
    found = _NAME.fullmatch(name)
    if not found or (found[1] and not 1 <= int(found[1]) <= 60):
        raise ValueError(f"{name!r} is no zone of the ground grid: expected utm01n to utm60s, upsn or upss")
    return Zone(int(found[1] or 0), (found[2] or found[3]) == "n")


def zone_of(lon: float, lat: float) -> Zone:
    """The zone that a position in degrees belongs to; strips hold their western edge."""
    if not SOUTH_DEG <= lat < NORTH_DEG:
        return Zone(0, lat > 0)
    return Zone(int((lon + 180.0) % 360.0 // STRIP_DEG) + 1, lat >= 0)


def zone_part(ring: Sequence[float], zone: Zone) -> shapely.Geometry:
    """What lies in a zone of the area inside a flat ring of longitudes and latitudes (in degrees); empty where nothing does."""
    west, south, east, north = zone.area
    lats = ring[1::2]
    # A ring across the antimeridian runs on beyond 180 degrees.
    turns = [turn for turn in (-360.0, 0.0, 360.0) if min(ring[::2]) + turn < east and max(ring[::2]) + turn > west]
    if not turns or min(lats) >= north or max(lats) <= south:
        return shapely.Polygon()
    outline = shapely.make_valid(shapely.Polygon(list(zip(ring[::2], lats, strict=True))))
    area = shapely.box(west, south, east, north)
    parts = [shapely.intersection(affinity.translate(outline, turn), area) for turn in turns]
    return shapely.union_all([part for part in parts if part.area > 0])


def zone_parts(ring: Sequence[float]) -> Iterator[tuple[Zone, shapely.Geometry]]:
    """The zones that the area inside a ring meets, each with its part of it."""
    for zone in ZONES:
        if not (part := zone_part(ring, zone)).is_empty:
            yield zone, part


@lru_cache(maxsize=64)
def from_degrees(crs: str) -> Transformer:
    """From longitude and latitude (WGS 84) to x and y of a projection."""
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)
