"""The pixels onto which a scene is warped: a rectangle of one pixel lattice of a zone, divided into cells.

One idea: a lattice has an origin in the zone's coordinates and a pixel size, and its pixels are numbered from the origin:
columns to the east, rows to the south. Grids of different scenes on one lattice differ in the range of these numbers alone, so
that the centre of a pixel has the same coordinates, to the last bit, in every scene and every window.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox
from rasterio.transform import Affine

from rsflow.spatial.geometry import FloatArray, Window


@dataclass(frozen=True, slots=True)
class TargetGrid:
    """Rows [row, row + height_px) and columns [col, col + width_px) of the lattice at (`origin_x`, `origin_y`).

    `cell_px`: side of a cell in pixels. `cells`: what names of cells begin with, where a grid has several; of a grid that is
    one cell its whole name, and `is_one_cell` is true.
    """

    crs: str
    gsd_m: float
    row: int
    col: int
    height_px: int
    width_px: int
    cell_px: int
    cells: str
    origin_x: float = 0.0
    origin_y: float = 0.0
    is_one_cell: bool = False

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """a, b, c, d, e, f of the affine map from column and row of this grid to x and y."""
        x, y = self.origin_x + self.col * self.gsd_m, self.origin_y - self.row * self.gsd_m
        return (self.gsd_m, 0.0, x, 0.0, -self.gsd_m, y)

    @property
    def geobox(self) -> GeoBox:
        return GeoBox((self.height_px, self.width_px), Affine(*self.transform), self.crs)

    def cell_name(self, window: Window) -> str:
        """The name (rsflow.cells.cell_names) of the cell that a window of this grid is."""
        if self.is_one_cell:
            return self.cells
        north = -(self.row + window.row_off) // self.cell_px - 1
        east = (self.col + window.col_off) // self.cell_px
        return f"{self.cells}/{north}/{east}"

    def coordinates(self, cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """x and y of positions given in columns and rows of the lattice."""
        return self.origin_x + cols * self.gsd_m, self.origin_y - rows * self.gsd_m

    def pixels(self, xs: FloatArray, ys: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(columns, rows) in pixels of this grid: 0 is its western and its northern edge."""
        cols = (np.asarray(xs) - self.origin_x) / self.gsd_m - self.col
        return cols, (self.origin_y - np.asarray(ys)) / self.gsd_m - self.row

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
