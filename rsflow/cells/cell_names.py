"""Names of cells, and the places that follow from a name alone.

One idea: tiles of all sensors and dates on one cell have the same name, so whatever must be equal for them is computed from the
name and not from their own numbers, which may differ by rounding.

utm33n/5120m/985/74: zone, side, and how many cells the cell's lower left corner lies north and east of the zone's origin (false
easting 0, northing 0 of the zone's EPSG code). A cell of 5120 m holds four of 2560 m. 199U_1099R: see rsflow.cells.major_tom.
"""

from __future__ import annotations

import re

from rsflow.cells.major_tom import ROW_DEG, columns
from rsflow.cells.zones import from_degrees, zone_named

_UTM = re.compile(r"((?:utm[0-9]{2}|ups)[ns])/([0-9.e+-]+)m/(-?[0-9]+)/(-?[0-9]+)")
_MAJOR_TOM = re.compile(r"([0-9]+)([UD])_([0-9]+)([RL])")


def cell_centre(name: str) -> tuple[float, float]:
    """Longitude and latitude of the middle of a cell; of Major TOM of the ground between points. ValueError for no cell."""
    if found := _UTM.fullmatch(name):
        zone, side, north, east = found[1], float(found[2]), int(found[3]), int(found[4])
        mapping = from_degrees(zone_named(zone).crs)
        lon, lat = mapping.transform((east + 0.5) * side, (north + 0.5) * side, direction="INVERSE")
        return float(lon), float(lat)
    if found := _MAJOR_TOM.fullmatch(name):
        row, col = (int(found[i]) * (1 if found[i + 1] in "UR" else -1) for i in (1, 3))
        return (col + 0.5) * 360.0 / columns(row), (row + 0.5) * ROW_DEG
    raise ValueError(f"{name!r} is no cell of the ground grid, such as utm33n/5120m/985/74 or 199U_1099R")


def sibling_cells(name: str) -> tuple[str, ...]:
    """Three cells near a cell that share no ground with it, each of which has it among its own: diagonal, then beside it.
    Cells of Major TOM overlap their neighbours, so theirs are two points away. ValueError for no cell."""
    if found := _UTM.fullmatch(name):
        north, east, zone = int(found[3]), int(found[4]), f"{found[1]}/{found[2]}m"
        return tuple(f"{zone}/{north ^ up}/{east ^ right}" for up, right in ((1, 1), (1, 0), (0, 1)))
    if found := _MAJOR_TOM.fullmatch(name):
        row, col = int(found[1]), int(found[3])
        return tuple(f"{row ^ up}{found[2]}_{col ^ right}{found[4]}" for up, right in ((2, 2), (2, 0), (0, 2)))
    raise ValueError(f"{name!r} is no cell of the ground grid, such as utm33n/5120m/985/74 or 199U_1099R")
