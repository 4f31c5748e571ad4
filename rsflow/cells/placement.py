"""The target grids of a scene: one per zone that its footprint meets, or one per cell of Major TOM, and the cells in each.

One idea: it all follows from the footprint and the settings. A cell belongs to a scene where the middle of at least one of its
pixels may lie inside the footprint; each zone has the cells of the scene's part in that zone, so that every place of the scene
is in a cell of its own zone, and cells of two zones overlap along their common edge by less than a cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from rsflow.cells import major_tom
from rsflow.cells.target_grid import TargetGrid
from rsflow.cells.zones import from_degrees, zone_named, zone_part, zone_parts
from rsflow.spatial.geometry import Window

System = Literal["utm", "majortom"]

SEGMENT_DEG = 0.25  # the longest edge of an outline that is projected
EARTH_RADIUS_M = 6_371_008.8
BEND = 2.0  # by which a straight edge in degrees may bend more on a map than an arc of the Earth does


@dataclass(frozen=True, slots=True)
class CellSettings:
    """`gsd_m`: of this sensor's pixels. `cell_px`: the side of a cell in them."""

    system: System
    gsd_m: float
    cell_px: int

    @property
    def side_m(self) -> float:
        return self.cell_px * self.gsd_m


def target_grids(ring: Sequence[float], settings: CellSettings) -> list[TargetGrid]:
    """The grids onto which the scene inside a flat ring of longitudes and latitudes is warped, in order of zones or cells."""
    parts = list(zone_parts(ring))
    if settings.system == "majortom":
        cells = sorted({cell for _, part in parts for cell in major_tom.cells_meeting(part)})
        return [major_tom.cell_grid(row, col, settings.cell_px, settings.gsd_m) for row, col in cells]
    found = []
    for zone, part in parts:
        cells = _find_cells(_project(part, zone.crs), settings, _edge_bend(ring))
        if cells:
            found.append(_make_grid(zone.name, zone.crs, cells, settings))
    return found


def cell_windows(ring: Sequence[float], grid: TargetGrid) -> list[Window]:
    """The windows of the grid's cells that meet the scene inside the ring, by rows from the north."""
    if grid.is_one_cell:
        return [Window(0, 0, grid.height_px, grid.width_px)]
    zone = zone_named(grid.cells.partition("/")[0])
    settings = CellSettings("utm", grid.gsd_m, grid.cell_px)
    cells = _find_cells(_project(zone_part(ring, zone), zone.crs), settings, _edge_bend(ring))
    size = grid.cell_px
    return [Window(row * size - grid.row, col * size - grid.col, size, size) for row, col in cells]


def _make_grid(zone: str, crs: str, cells: list[tuple[int, int]], settings: CellSettings) -> TargetGrid:
    size = settings.cell_px
    rows, cols = [row for row, _ in cells], [col for _, col in cells]
    top, left = min(rows), min(cols)
    height, width = (max(rows) + 1 - top) * size, (max(cols) + 1 - left) * size
    name = f"{zone}/{settings.side_m:.10g}m"
    return TargetGrid(crs, settings.gsd_m, top * size, left * size, height, width, size, name)


def _find_cells(area: shapely.Geometry, settings: CellSettings, bend_m: float) -> list[tuple[int, int]]:
    """(row, col) of the cells of a zone of which a pixel's middle may lie in an area; rows count southward from y = 0."""
    side, half = settings.side_m, settings.gsd_m / 2
    west, south, east, north = area.bounds
    found = []
    shapely.prepare(area)
    for row in range(math.floor((-north - bend_m) / side), math.floor((-south + bend_m) / side) + 1):
        cols = np.arange(math.floor((west - bend_m) / side), math.floor((east + bend_m) / side) + 1)
        top, left = -row * side - half + bend_m, cols * side + half - bend_m
        boxes = shapely.box(left, top - side + settings.gsd_m - 2 * bend_m, left + side - settings.gsd_m + 2 * bend_m, top)
        found += [(row, int(col)) for col in cols[shapely.intersects(area, boxes)]]
    return found


def _project(part: shapely.Geometry, crs: str) -> shapely.Geometry:
    """An area in degrees on a map; edges are cut into short ones first, because the map bends them."""
    mapping = from_degrees(crs)
    dense = shapely.segmentize(part, SEGMENT_DEG)
    return shapely.make_valid(shapely.transform(dense, lambda found: np.stack(mapping.transform(*found.T), axis=1)))


def _edge_bend(ring: Sequence[float]) -> float:
    """By how many metres the true edge of a scene may miss the straight edges of its ring."""
    lons, lats = np.asarray(ring[::2]), np.asarray(ring[1::2])
    steps = np.hypot(np.diff(lons) * np.cos(np.radians(lats[1:])), np.diff(lats))
    longest_m = math.radians(float(np.median(steps)) if len(steps) else 0.0) * EARTH_RADIUS_M
    return BEND * longest_m**2 / (8 * EARTH_RADIUS_M)
