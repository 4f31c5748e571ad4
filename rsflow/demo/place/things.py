"""The objects that stand, drive and float in the demo's place, and where a sensor's grid shows them.

One idea: an object is a few numbers in metres; its pixels on a grid are those whose centre lies inside its outline, and its
box is exactly the bounds of these pixels. Everything that draws or annotates goes through `footprint`, so a picture and its
annotation cannot disagree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsflow.demo.place.relief import Axis, FloatImage
from rsflow.spatial.geometry import Window

CATEGORIES = ("ship", "vehicle", "building", "storage tank", "chimney")

_ROUND = {"storage tank", "chimney"}


@dataclass(frozen=True, slots=True)
class Frame:
    """A turned and moved coordinate system: p along `angle_deg` (clockwise from east as y points south), q to its right."""

    x_m: float
    y_m: float
    angle_deg: float

    def to_local(self, x: Axis, y: Axis) -> tuple[FloatImage, FloatImage]:
        c, s = math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg))
        dx, dy = x - self.x_m, y - self.y_m
        return (dx * c + dy * s).astype(np.float32), (dy * c - dx * s).astype(np.float32)

    def to_ground(self, p: float, q: float) -> tuple[float, float]:
        c, s = math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg))
        return self.x_m + p * c - q * s, self.y_m + p * s + q * c


@dataclass(frozen=True, slots=True)
class View:
    """A sensor's pixel grid over the place: pixel (row, col) is centred at x = x_m + (col + 0.5) gsd_m, y likewise (south)."""

    x_m: float
    y_m: float
    gsd_m: float
    height_px: int
    width_px: int

    @property
    def xs(self) -> Axis:
        return self.x_m + (np.arange(self.width_px) + 0.5) * self.gsd_m

    @property
    def ys(self) -> Axis:
        return self.y_m + (np.arange(self.height_px) + 0.5) * self.gsd_m


@dataclass(frozen=True, slots=True)
class Structure:
    """One object: its middle, its size along and across its heading, its height, a number that picks its looks, and whether
    it is under way."""

    category: str
    x_m: float
    y_m: float
    length_m: float
    width_m: float
    heading_deg: float
    height_m: float
    look: int
    moving: bool = False

    @property
    def frame(self) -> Frame:
        return Frame(self.x_m, self.y_m, self.heading_deg)

    @property
    def reach_m(self) -> float:
        """Radius of a circle around its middle that holds it."""
        return math.hypot(self.length_m, self.width_m) / 2


@dataclass(frozen=True, slots=True)
class Footprint:
    """Where a thing is on a grid.

    `window`: the bounds of its pixels, so `window.box` is its exact box. `mask` (rows, cols of the window) True on it.
    `along`, `across`: metres from its middle, in its own directions, for every pixel of the window.
    """

    window: Window
    mask: npt.NDArray[np.bool_]
    along: FloatImage
    across: FloatImage

    @property
    def slices(self) -> tuple[slice, slice]:
        w = self.window
        return slice(w.row_off, w.row_stop), slice(w.col_off, w.col_stop)


def footprint(thing: Structure, view: View) -> Footprint | None:
    """The pixels of a thing, or None where it does not lie wholly inside the grid or covers no pixel centre."""
    mask, window = shape_mask(thing, view)
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    row, col = window.row_off + int(rows[0]), window.col_off + int(cols[0])
    tight = Window(row, col, int(rows[-1] - rows[0]) + 1, int(cols[-1] - cols[0]) + 1)
    if row < 0 or col < 0 or tight.row_stop > view.height_px or tight.col_stop > view.width_px:
        return None
    inner = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    return Footprint(tight, inner, *_local(thing, view, tight))


def shape_mask(thing: Structure, view: View, dx_m: float = 0.0, dy_m: float = 0.0) -> tuple[npt.NDArray[np.bool_], Window]:
    """(pixels of the thing moved by dx, dy; the window of the mask, which may reach beyond the grid)."""
    reach = thing.reach_m + view.gsd_m
    col = math.floor((thing.x_m + dx_m - reach - view.x_m) / view.gsd_m)
    row = math.floor((thing.y_m + dy_m - reach - view.y_m) / view.gsd_m)
    side = math.ceil(2 * reach / view.gsd_m) + 1
    window = Window(row, col, side, side)
    return _inside(thing, *_local(thing, view, window, dx_m, dy_m)), window


def sweep(thing: Structure, view: View, dx_m: float, dy_m: float) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]]:
    """The pixels that a thing crosses on its way to (dx, dy): slices of the grid, and the mask in them. So are shadows made."""
    steps = max(1, math.ceil(math.hypot(dx_m, dy_m) / view.gsd_m))
    masks = [shape_mask(thing, view, dx_m * step / steps, dy_m * step / steps) for step in range(steps + 1)]
    low = min(w.row_off for _, w in masks), min(w.col_off for _, w in masks)
    high = max(w.row_stop for _, w in masks), max(w.col_stop for _, w in masks)
    swept = np.zeros((high[0] - low[0], high[1] - low[1]), dtype=np.bool_)
    for mask, w in masks:
        swept[w.row_off - low[0] : w.row_stop - low[0], w.col_off - low[1] : w.col_stop - low[1]] |= mask
    rows = slice(max(0, low[0]), max(0, min(view.height_px, high[0])))
    cols = slice(max(0, low[1]), max(0, min(view.width_px, high[1])))
    return (rows, cols), swept[rows.start - low[0] : rows.stop - low[0], cols.start - low[1] : cols.stop - low[1]]


def around(thing: Structure, view: View, margin_m: float) -> tuple[tuple[slice, slice], FloatImage, FloatImage]:
    """(slices of the grid around a thing, metres along, metres across) for everything within `margin_m` of its reach."""
    reach = thing.reach_m + margin_m
    cols = _clamped(thing.x_m - reach - view.x_m, thing.x_m + reach - view.x_m, view.gsd_m, view.width_px)
    rows = _clamped(thing.y_m - reach - view.y_m, thing.y_m + reach - view.y_m, view.gsd_m, view.height_px)
    window = Window(rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start)
    return (rows, cols), *_local(thing, view, window)


def _clamped(low_m: float, high_m: float, gsd_m: float, count: int) -> slice:
    return slice(min(max(0, math.floor(low_m / gsd_m)), count), min(max(0, math.ceil(high_m / gsd_m)), count))


def _local(thing: Structure, view: View, window: Window, dx_m: float = 0.0, dy_m: float = 0.0) -> tuple[FloatImage, FloatImage]:
    xs = view.x_m + (np.arange(window.col_off, window.col_stop) + 0.5) * view.gsd_m - dx_m
    ys = view.y_m + (np.arange(window.row_off, window.row_stop) + 0.5) * view.gsd_m - dy_m
    return thing.frame.to_local(xs[None, :], ys[:, None])


def _inside(thing: Structure, along: FloatImage, across: FloatImage) -> npt.NDArray[np.bool_]:
    half_length, half_width = thing.length_m / 2, thing.width_m / 2
    if thing.category in _ROUND:
        inside: npt.NDArray[np.bool_] = np.hypot(along / half_length, across / half_width) <= 1
        return inside
    if thing.category == "ship":
        # The bow tapers to a point over the last fifth, the stern a little over the first twentieth.
        half_width = half_width * np.clip(
            np.minimum((half_length - along) / (0.2 * thing.length_m), 0.7 + (half_length + along) / (0.17 * thing.length_m)),
            0,
            1,
        )
    return (np.abs(along) <= half_length) & (np.abs(across) <= half_width)


def outline(thing: Structure) -> list[tuple[float, float]]:
    """The thing's outline in metres of the place: a ring without a repeated first point."""
    a, b = thing.length_m / 2, thing.width_m / 2
    if thing.category in _ROUND:
        turns = [2 * math.pi * k / 24 for k in range(24)]
        ring = [(a * math.cos(turn), b * math.sin(turn)) for turn in turns]
    elif thing.category == "ship":
        ring = [(a, 0.0), (0.6 * a, b), (-0.898 * a, b), (-a, 0.7 * b), (-a, -0.7 * b), (-0.898 * a, -b), (0.6 * a, -b)]
    else:
        ring = [(a, b), (-a, b), (-a, -b), (a, -b)]
    return [thing.frame.to_ground(p, q) for p, q in ring]
