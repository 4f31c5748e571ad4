"""The place through a thermal camera: uint16 brightness temperature, kelvin x 100, one band (tir).

One idea: covers and things have a temperature that depends on the hour (water holds its warmth at night, roofs and roads lose
theirs, engines and flues are warm at any time); a little blur and the camera's noise do the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rsflow.demo.cameras.scene import Rendered, blur, swath, visible_structures
from rsflow.demo.place.layout import Place, structures_on
from rsflow.demo.place.relief import FloatImage, fractal_noise
from rsflow.demo.place.terrain import FIELD, FOREST, Terrain, terrain
from rsflow.demo.place.things import Footprint, Structure, View

BANDS = ("tir",)
NOISE_K = 0.08
STEP = 5  # hundredths of a kelvin

# Kelvin by the order of terrain.COVERS, after sunset in May and before dawn in November.
_EVENING = np.array([287.5, 290.0, 287.0, 286.0, 287.5, 292.0, 291.5], dtype=np.float32)
_DAWN = np.array([285.5, 279.5, 277.5, 279.0, 278.0, 280.5, 280.0], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Pass:
    """One overflight: which day's things, whether it is dawn (else evening), and the swath's turn."""

    date: int
    dawn: bool
    turn_deg: float


def render_infrared(place: Place, overpass: Pass, view: View) -> Rendered:
    """A scene (1, rows, cols) uint16; 0 is nodata."""
    kelvin = _ground_kelvin(place, overpass, view, terrain(place, view))
    valid = swath(view, overpass.turn_deg)
    shown = visible_structures(structures_on(place, overpass.date), view, valid)
    for thing, spot in shown:
        rows, cols = spot.slices
        kelvin[rows, cols][spot.mask] = _thing_kelvin(thing, spot, overpass.dawn)[spot.mask]
    kelvin = blur(kelvin, 0.12)
    kelvin += np.float32(NOISE_K) * np.random.default_rng([place.seed, 9, overpass.date]).standard_normal(
        kelvin.shape, dtype=np.float32
    )
    counts = np.rint(kelvin * (100 / STEP)) * STEP * valid
    return Rendered(counts[None].astype(np.uint16), shown)


def _ground_kelvin(place: Place, overpass: Pass, view: View, ground: Terrain) -> FloatImage:
    kelvin: FloatImage = (_DAWN if overpass.dawn else _EVENING)[ground.cover]
    fields = np.random.default_rng([place.seed, 10, overpass.date]).normal(0, 0.7, 256).astype(np.float32)
    kelvin += (ground.cover == FIELD) * (fields[ground.field] + np.float32(0.25) * ground.grain)
    kelvin += (ground.cover == FOREST) * np.float32(0.35) * ground.canopy
    kelvin += np.float32(0.12) * ground.grain
    air = fractal_noise(place.seed + 13 * overpass.date + 5, place.side_m, place.side_m / 3, 3, view.xs, view.ys)
    return kelvin + np.float32(0.5) * air


def _thing_kelvin(thing: Structure, spot: Footprint, dawn: bool) -> FloatImage:
    """Temperature over a thing's window. `look` says how warm it is within its kind."""
    a, b = spot.along / (thing.length_m / 2), spot.across / (thing.width_m / 2)
    base, vary = 279.0 if dawn else 290.0, (thing.look % 100) / 100
    if thing.category == "vehicle":
        kelvin = base + 7 + 5 * vary + np.where(a > 0.4, 8 + 4 * vary, 0)
    elif thing.category == "ship":
        engine = np.exp(-(((a + 0.7) / 0.14) ** 2) - (b / 0.8) ** 2)
        kelvin = base + (9 if dawn else 2.5) + 3 * vary + 14 * engine
    elif thing.category == "chimney":
        kelvin = base + 12 + 35 * np.exp(-((np.hypot(a, b) / 0.6) ** 2))
    elif thing.category == "storage tank":
        kelvin = base + 5 + 3 * vary - 1.2 * (np.hypot(a, b) > 0.86)
    else:
        kelvin = base + 4 + 4 * vary + 0.8 * (np.abs(b) < 0.15)
    return np.asarray(kelvin, dtype=np.float32)
