"""How the demo's objects look to the optical camera: roofs, decks, cargo, shadows, wakes.

One idea: each category has one small painter that gets the object's own coordinates (a along, b across, both -1 to 1 from edge
to edge) and the direction of the shadows seen from the object, and returns a colour for every pixel of its window.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.demo.cameras.scene import Shown
from rsflow.demo.place.relief import FloatImage
from rsflow.demo.place.things import Footprint, Structure, View, around, sweep

Colours = npt.NDArray[Any]  # (rows, cols, bands) floats

# Reflectance x 10000 in blue, green, red, nir, swir: our own round figures.
_ROOFS = np.array(
    [
        [900, 1100, 1900, 2400, 2600],
        [980, 1200, 2150, 2600, 2800],
        [1700, 1750, 1800, 1950, 2000],
        [2900, 2950, 2950, 3000, 2600],
        [860, 900, 960, 1060, 1200],
        [1550, 1450, 1350, 1500, 1800],
    ],
    dtype=np.float32,
)
_DECKS = np.array(
    [
        [900, 920, 1800, 2200, 2400],
        [1700, 1750, 1800, 1900, 1900],
        [1300, 1650, 1350, 1700, 1800],
        [2800, 2850, 2900, 2900, 2600],
    ],
    dtype=np.float32,
)
_CARGO = np.array(
    [
        [900, 900, 2300, 2500, 2400],
        [2300, 1500, 900, 1500, 1600],
        [1000, 1800, 1100, 2000, 1900],
        [1100, 2100, 2600, 2700, 2600],
        [2900, 2900, 2900, 2900, 2600],
    ],
    dtype=np.float32,
)
_PAINTS = np.array(
    [
        [3900, 3900, 3900, 3800, 3300],
        [3500, 3500, 3600, 3500, 3100],
        [800, 850, 3300, 3500, 3200],
        [900, 2700, 3500, 3600, 3300],
    ],
    dtype=np.float32,
)


def draw_structures(image: FloatImage, shown: Shown, view: View, sun_deg: float, shade_to_deg: float) -> None:
    """Draw shadows and wakes, then the things themselves over them, in place; `image` (bands, rows, cols)."""
    shade_to = math.radians(shade_to_deg)
    for thing, _ in shown:
        if thing.moving and thing.category == "ship":
            _draw_wake(image, thing, view)
        length = thing.height_m / math.tan(math.radians(sun_deg))
        (rows, cols), mask = sweep(thing, view, length * math.cos(shade_to), length * math.sin(shade_to))
        # Water is dark already: what reaches the camera from it is mostly not direct sunlight.
        image[:, rows, cols][:, mask] *= np.float32(0.75 if thing.category == "ship" else 0.42)
    for thing, spot in shown:
        rows, cols = spot.slices
        image[:, rows, cols][:, spot.mask] = _paint(thing, spot, shade_to)[:, spot.mask]


def _draw_wake(image: FloatImage, thing: Structure, view: View) -> None:
    """Foam that widens and fades behind a ship under way, and along its sides."""
    (rows, cols), along, across = around(thing, view, 2.5 * thing.length_m)
    behind = thing.length_m * 0.45 + along
    spread = thing.width_m * 0.42 - 0.14 * np.minimum(behind, 0)
    foam = np.exp(-((across / spread) ** 2)) * np.exp(np.minimum(behind, 0) / (1.1 * thing.length_m)) * (behind < 0)
    image[:, rows, cols] += 1100 * foam * (0.7 + 0.3 * np.sin(along * 0.9))


def _paint(thing: Structure, spot: Footprint, shade: float) -> FloatImage:
    """Colours (bands, rows, cols) of a thing over its window."""
    a, b = spot.along / (thing.length_m / 2), spot.across / (thing.width_m / 2)
    colours: FloatImage = _PAINTERS[thing.category](thing, a, b, shade - math.radians(thing.heading_deg))
    return np.moveaxis(colours, -1, 0)


def _paint_building(thing: Structure, a: FloatImage, b: FloatImage, shade: float) -> Colours:
    """A gable roof whose slopes differ in light; large buildings are flat with a parapet and plant on top."""
    roof = _ROOFS[thing.look % len(_ROOFS)]
    if thing.width_m < 19:
        slopes = 1 - 0.24 * np.sign(b) * math.sin(shade) + 0.12 * (np.abs(b) < 0.12)
        return np.asarray(roof * slopes[..., None])
    edge = np.maximum(np.abs(a), np.abs(b)) > 1 - 3 / thing.width_m
    plant = (np.abs(a - 0.3) < 0.14) & (np.abs(b + 0.2) < 0.2) | (np.abs(a + 0.4) < 0.1) & (np.abs(b - 0.25) < 0.16)
    return np.asarray(roof * (1 + 0.22 * edge - 0.4 * plant)[..., None])


def _paint_ship(thing: Structure, a: FloatImage, b: FloatImage, shade: float) -> Colours:
    """Deck, bulwark, a white house aft, and cargo in bays on the larger ones."""
    look = thing.look
    out = np.broadcast_to(_DECKS[look % len(_DECKS)], (*a.shape, _DECKS.shape[1])).copy()
    if thing.length_m > 55:
        bay, row = np.floor((a + 1) * thing.length_m / 13).astype(np.intp), np.floor((b + 1) * 2.5).astype(np.intp)
        colour = _CARGO[(bay * 7 + row * 3 + look) % len(_CARGO)]
        gap = np.mod((a + 1) * thing.length_m / 13, 1) < 0.12
        laden = (a > -0.5) & (a < 0.72) & (np.abs(b) < 0.82) & ~gap & ((bay * 5 + look) % 4 > 0)
        out[laden] = colour[laden]
    out[(a > -0.84) & (a < -0.58) & (np.abs(b) < 0.8)] = (3600, 3600, 3600, 3500, 3000)
    out[(a > -0.74) & (a < -0.66) & (np.abs(b) < 0.3)] = (700, 700, 800, 900, 900)
    return out


def _paint_tank(thing: Structure, a: FloatImage, b: FloatImage, shade: float) -> Colours:
    """A white lid, lit from one side, with a rim and a manhole."""
    radius = np.hypot(a, b)
    light = 1 - 0.14 * (a * math.cos(shade) + b * math.sin(shade)) - 0.22 * (radius > 0.88)
    light = light - 0.3 * (np.hypot(a - 0.5, b) < 0.12)
    white = np.array([3100, 3150, 3150, 3050, 2700], dtype=np.float32) * (1.0 if thing.look % 3 else 0.86)
    return np.asarray(white * light[..., None])


def _paint_chimney(thing: Structure, a: FloatImage, b: FloatImage, shade: float) -> Colours:
    """A red and white crown around the dark flue."""
    radius, turn = np.hypot(a, b)[..., None], np.arctan2(b, a)[..., None]
    crown = np.where(np.mod(turn, math.pi / 2) < math.pi / 4, (900, 900, 3300, 3400, 3200), (3600, 3600, 3600, 3500, 3200))
    return np.asarray(np.where(radius < 0.4, (250, 250, 250, 260, 280), crown))


def _paint_vehicle(thing: Structure, a: FloatImage, b: FloatImage, shade: float) -> Colours:
    """A lorry: its box in one paint, a gap, its cab in another."""
    box, cab = _PAINTS[thing.look % len(_PAINTS)], _PAINTS[thing.look // 8 % len(_PAINTS)]
    return np.asarray(np.where((a > 0.62)[..., None], cab, np.where((a > 0.5)[..., None], box * np.float32(0.4), box)))


_PAINTERS = {
    "building": _paint_building,
    "ship": _paint_ship,
    "storage tank": _paint_tank,
    "chimney": _paint_chimney,
    "vehicle": _paint_vehicle,
}
