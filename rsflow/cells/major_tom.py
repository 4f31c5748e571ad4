"""The grid of Major TOM (https://arxiv.org/abs/2402.12095), so that cells join with the sets that are published on it.

One idea: points about 10 km apart, in rows of equal latitude, counted from the equator (U up, D down) and from the meridian of
Greenwich (R right, L left); a cell's picture reaches from its point to the north-east, in the point's UTM zone, with an equal
margin on all sides: 10,680 m in the published pictures, from 340 m south-west of the point.

The numbers follow the reference implementation (ESA-PhiLab/Major-TOM, src/grid.py), its sphere of 6,378.137 km included.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import shapely

from rsflow.cells.target_grid import TargetGrid
from rsflow.cells.zones import from_degrees, zone_of

RADIUS_KM = 6378.137
SPACING_KM = 10
SPACING_M = 1000.0 * SPACING_KM
LATITUDES = 80.0  # north and south of it UTM has no zones, and the published sets no cells
ROWS = math.ceil(math.pi * RADIUS_KM / SPACING_KM)  # from pole to pole
ROW_DEG = 180.0 / ROWS


def columns(row: int) -> int:
    """How many points stand in a row."""
    return math.ceil(2 * math.pi * RADIUS_KM * math.cos(math.radians(row * ROW_DEG)) / SPACING_KM)


def cell_name(row: int, col: int) -> str:
    """For example 199U_1099R. `col` is counted eastward from Greenwich, and westward where it is negative."""
    return f"{abs(row)}{'U' if row >= 0 else 'D'}_{abs(col)}{'R' if col >= 0 else 'L'}"


def cell_grid(row: int, col: int, side_px: int, gsd_m: float) -> TargetGrid:
    """The pixels of one cell. ValueError where its side is shorter than the points are apart."""
    margin = (side_px * gsd_m - SPACING_M) / 2
    if margin < 0:
        raise ValueError(f"{side_px} pixels of {gsd_m:g} m are less than the {SPACING_M:g} m that Major TOM's points are apart")
    lon, lat = col * 360.0 / columns(row), row * ROW_DEG
    zone = zone_of(lon, lat)
    x, y = from_degrees(zone.crs).transform(lon, lat)
    west, north = x - margin, y - margin + side_px * gsd_m
    return TargetGrid(zone.crs, gsd_m, 0, 0, side_px, side_px, side_px, cell_name(row, col), west, north, True)


def cells_meeting(part: shapely.Geometry) -> Iterator[tuple[int, int]]:
    """(row, col) of the cells whose ground between points meets an area in degrees, longitudes within 180, by rows."""
    west, south, east, north = part.bounds
    for row in range(math.floor(max(south, -LATITUDES) / ROW_DEG), math.floor(min(north, LATITUDES) / ROW_DEG) + 1):
        count = columns(row)
        width = 360.0 / count
        for col in range(math.floor(west / width), math.floor(east / width) + 1):
            box = shapely.box(col * width, row * ROW_DEG, (col + 1) * width, (row + 1) * ROW_DEG)
            if shapely.intersection(box, part).area > 0:
                yield row, _to_signed_column(col, count)


def _to_signed_column(col: int, count: int) -> int:
    """The column in the reference's range: east of Greenwich below half a turn, west of it down to half a turn."""
    col %= count
    return col if 2 * col < count else col - count
