"""The place through a radar: float32 amplitude with speckle, one band (vv).

One idea: every surface has a mean backscatter in decibel; the file holds sqrt(power), where power is the mean times gamma noise
of LOOKS looks (fully developed speckle: Goodman 1976, https://doi.org/10.1364/JOSA.66.001145). The radar looks from the west:
walls that face it shine, and what stands behind them lies in shadow. Amplitudes are multiples of 1 / 1024, which keeps files
small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rsflow.demo.cameras.scene import Rendered, blur, swath, visible_structures
from rsflow.demo.place.layout import Place, structures_on
from rsflow.demo.place.relief import FloatImage, fractal_noise, smooth_noise
from rsflow.demo.place.terrain import FIELD, WATER, Terrain, terrain
from rsflow.demo.place.things import Footprint, Structure, View, sweep

BANDS = ("vv",)
LOOKS = 4
STEP = 1 / 1024

# Mean backscatter in dB by the order of terrain.COVERS, at X band and moderate incidence: our own round figures.
_COVER_DB = np.array([-21, -15, -12, -8.5, -9.5, -18, -15], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Pass:
    """One overflight: which day's things, how wet the fields are (dB added), how rough the sea (dB added), the swath's turn."""

    date: int
    wet_db: float
    sea_db: float
    turn_deg: float


def render_sar(place: Place, overpass: Pass, view: View) -> Rendered:
    """A scene (1, rows, cols) float32 amplitude; 0 is nodata, everything else at least 1 step."""
    level = _ground_db(place, overpass, view, terrain(place, view))
    valid = swath(view, overpass.turn_deg)
    shown = visible_structures(structures_on(place, overpass.date), view, valid)
    for thing, _ in shown:
        if thing.category != "ship":
            (rows, cols), mask = sweep(thing, view, 0.8 * thing.height_m, 0.0)
            level[rows, cols][mask] = -24
    for thing, spot in shown:
        rows, cols = spot.slices
        level[rows, cols][spot.mask] = _thing_db(thing, spot)[spot.mask]
    power = blur(np.float32(10) ** (level / np.float32(10)), 0.06)
    rng = np.random.default_rng([place.seed, 6, overpass.date])
    power *= rng.standard_gamma(LOOKS, power.shape, dtype=np.float32) / np.float32(LOOKS)
    amplitude = np.maximum(np.rint(np.sqrt(power) / np.float32(STEP)), 1) * np.float32(STEP) * valid
    return Rendered(amplitude[None].astype(np.float32), shown)


def _ground_db(place: Place, overpass: Pass, view: View, ground: Terrain) -> FloatImage:
    level: FloatImage = _COVER_DB[ground.cover] + np.float32(0.7) * ground.grain
    level += (ground.cover == 3) * np.float32(1.2) * ground.canopy
    fields = np.random.default_rng([place.seed, 8, overpass.date]).normal(overpass.wet_db, 1.8, 256).astype(np.float32)
    level += (ground.cover == FIELD) * fields[ground.field]
    wind = fractal_noise(place.seed + 7 * overpass.date + 3, place.side_m, 300.0, 3, view.xs, view.ys)
    ripple = smooth_noise(place.seed + 7 * overpass.date + 4, place.side_m, 9.0, view.xs, view.ys)
    x, y = view.xs[None, :].astype(np.float32), view.ys[:, None].astype(np.float32)
    swell = np.sin((0.83 * x + 0.55 * y) * np.float32(2 * math.pi / 34) + 1.5 * wind)
    sea = np.float32(overpass.sea_db) + wind + 0.5 * swell + 0.5 * ripple
    level += (ground.cover == WATER) * sea
    return level


def _thing_db(thing: Structure, spot: Footprint) -> FloatImage:
    """Backscatter in dB over a thing's window: strong all over, stronger where its near side meets the ground."""
    a, b = spot.along / (thing.length_m / 2), spot.across / (thing.width_m / 2)
    turn = math.radians(thing.heading_deg)
    # Share of the way from the near (west) edge to the far one, 0 to 1.
    far_side = 0.5 + 0.5 * (a * math.cos(turn) - b * math.sin(turn))
    if thing.category == "storage tank":
        level = -6 + 12 * np.exp(-(((np.hypot(a, b) - 0.9) / 0.12) ** 2)) * (1.15 - far_side)
    elif thing.category == "building":
        level = -4 + 11 * np.exp(-4.5 * np.clip(far_side, 0, 1)) + 1.5 * np.sin(spot.along * 0.8)
    elif thing.category == "ship":
        posts = np.cos(spot.along * (2 * math.pi / 11) + thing.look % 7) * np.cos(spot.across * 0.9)
        level = 2 + 3.5 * posts + 4 * np.exp(-(((a + 0.7) / 0.16) ** 2))
    else:
        level = np.full(a.shape, 7.0 if thing.category == "chimney" else 3.0)
    return np.asarray(level, dtype=np.float32)
