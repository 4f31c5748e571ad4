"""The place through a multispectral camera: uint16 surface reflectance x 10000, bands blue, green, red, nir, swir.

One idea: each cover has a typical reflectance per band; seasons change the fields and the woods, the sun's height and bearing
the shadows, and a cloud hides a part. Numbers are steps of 20, as sensors with few bits deliver, which keeps files small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsflow.demo.cameras.paint import draw_structures
from rsflow.demo.cameras.scene import Rendered, blur, swath, visible_structures
from rsflow.demo.place.layout import Place, structures_on
from rsflow.demo.place.relief import FloatImage, fractal_noise, smooth_noise, smoothstep
from rsflow.demo.place.terrain import CONCRETE, FIELD, FOREST, GARDEN, ROAD, SAND, WATER, Terrain, terrain
from rsflow.demo.place.things import View

BANDS = ("blue", "green", "red", "nir", "swir")
STEP = 20


@dataclass(frozen=True, slots=True)
class Pass:
    """One overflight: which day's things, the season, the light, the swath's turn and, where there is one, a cloud.

    `green` is 1 in full growth and 0 in winter. `sun_deg` is the sun's height, `shade_to_deg` where shadows fall (clockwise
    from east). `cloud` is the middle of the cloud in shares of the place's side.
    """

    date: int
    green: float
    sun_deg: float
    shade_to_deg: float
    turn_deg: float
    cloud: tuple[float, float] | None = None


SCALE = 1e-4  # reflectance of one step of the stored numbers, written into the files as their scale

# Reflectance x 10000 of typical surfaces, by the order of BANDS: our own round figures in the range of spectral libraries.
_COVER = np.array(
    [
        [640, 560, 400, 120, 40],  # water
        [1400, 1750, 2050, 2700, 3300],  # sand
        [900, 1200, 1600, 2200, 2900],  # field (replaced field by field)
        [420, 680, 480, 3000, 1300],  # forest
        [640, 960, 800, 2600, 1700],  # garden
        [1000, 1060, 1110, 1250, 1400],  # road
        [1080, 1180, 1290, 1480, 1750],  # concrete
    ],
    dtype=np.float32,
)
_CROP = np.array([[520, 1020, 600, 4200, 1900], [640, 1180, 800, 3700, 2000], [820, 1420, 1450, 3100, 2700]], dtype=np.float32)
_SOIL = np.array(
    [[800, 1080, 1450, 2000, 2800], [1050, 1400, 1850, 2500, 3300], [700, 920, 1180, 1700, 2400]], dtype=np.float32
)
_BARE_WOOD = np.array([620, 780, 860, 1800, 1700], dtype=np.float32)
_SHALLOW = np.array([950, 1200, 850, 220, 60], dtype=np.float32)
_CLOUD = np.array([5600, 5600, 5600, 5700, 4600], dtype=np.float32)


def render_optical(place: Place, overpass: Pass, view: View) -> Rendered:
    """A scene (5, rows, cols) uint16; 0 is nodata, everything else at least 1 step."""
    ground = terrain(place, view)
    image = _ground_colours(place, overpass, view, ground)
    cloud, shade = _cloud(place, overpass, view)
    valid = swath(view, overpass.turn_deg)
    shown = visible_structures(structures_on(place, overpass.date), view, valid & (cloud < 0.02))
    draw_structures(image, shown, view, overpass.sun_deg, overpass.shade_to_deg)
    image = blur(image, 0.1)
    image *= (0.86 + 0.14 * math.sin(math.radians(overpass.sun_deg))) * (1 - 0.45 * shade)
    image += (_CLOUD[:, None, None] - image) * cloud
    return Rendered(_digitise(image, valid, place.seed, overpass.date), shown)


def _digitise(image: FloatImage, valid: npt.NDArray[np.bool_], seed: int, date: int) -> npt.NDArray[np.uint16]:
    out = np.zeros(image.shape, dtype=np.uint16)
    rng = np.random.default_rng([seed, 5, date])
    for band, values in enumerate(image):
        noisy = values + 12 * rng.standard_normal(values.shape, dtype=np.float32)
        out[band] = np.clip(np.rint(noisy / STEP), 1, 800) * STEP * valid
    return out


def _ground_colours(place: Place, overpass: Pass, view: View, ground: Terrain) -> FloatImage:
    """Reflectance (bands, rows, cols) of the bare place."""
    cover, green = ground.cover, overpass.green
    colours = _COVER.copy()
    colours[FOREST] += (1 - green) * 0.6 * (_BARE_WOOD - colours[FOREST])
    colours[GARDEN] += (1 - green) * 0.4 * (_BARE_WOOD - colours[GARDEN])
    # One row per cover, then one per field: a single look-up colours the whole ground.
    table = np.concatenate([colours, _field_colours(place.seed, overpass)])
    index = np.where(cover == FIELD, ground.field.astype(np.int16) + len(colours), cover)
    texture = _texture(place, overpass, view, ground)
    image = np.empty((len(BANDS), *cover.shape), dtype=np.float32)
    for band in range(len(BANDS)):
        image[band] = table[:, band][index] * texture
    _colour_water(image, place, overpass, view, ground)
    return image


def _field_colours(seed: int, overpass: Pass) -> FloatImage:
    """Reflectance (256, bands) of the fields: between bare soil and crop, by what grows and how far it is."""
    rng = np.random.default_rng([seed, 4])
    crop, soil, ahead = _CROP[rng.choice(3, 256, p=[0.45, 0.35, 0.2])], _SOIL[rng.integers(0, 3, 256)], rng.random(256)
    grown = np.clip((overpass.green * 1.5 + ahead - 0.9) * 1.6, 0, 1)[:, None].astype(np.float32)
    shade = rng.uniform(0.88, 1.12, (256, 1)).astype(np.float32)
    colours: FloatImage = (soil + grown * (crop - soil)) * shade
    return colours


def _texture(place: Place, overpass: Pass, view: View, ground: Terrain) -> FloatImage:
    """A factor near 1 for every pixel: furrows, crowns lit from the sun's side, worn roads, stained concrete."""
    fine = smooth_noise(place.seed + 81, place.side_m, 3.0, view.xs, view.ys)
    furrows = np.sin(ground.furrow_m * np.float32(2 * math.pi / 7.0)) * (0.03 + 0.05 * (ground.field % 3 == 0))
    to = math.radians(overpass.shade_to_deg)
    canopy = ground.canopy
    lit = -math.cos(to) * np.gradient(canopy, axis=1) - math.sin(to) * np.gradient(canopy, axis=0)
    low = 1.6 - overpass.sun_deg / 90
    texture = np.ones_like(canopy)
    for code, factor in {
        SAND: 1 + 0.03 * fine,
        FIELD: 1 + furrows + 0.05 * ground.grain + 0.025 * fine,
        FOREST: np.clip(1 - 0.45 * low * lit / view.gsd_m + 0.16 * canopy + 0.05 * fine, 0.35, 1.7),
        GARDEN: 1 + 0.10 * ground.grain + 0.10 * canopy,
        ROAD: 1 + 0.03 * ground.grain + 0.02 * fine,
        CONCRETE: 1 + 0.05 * ground.grain + 0.02 * fine,
    }.items():
        np.copyto(texture, factor, where=ground.cover == code, casting="same_kind")
    return texture


def _colour_water(image: FloatImage, place: Place, overpass: Pass, view: View, ground: Terrain) -> None:
    """Shallows that show the sand, swell, glitter and surf, in place."""
    water = ground.cover == WATER
    seed, side = place.seed + 7 * overpass.date, place.side_m
    drift = fractal_noise(seed + 91, side, 160.0, 3, view.xs, view.ys)
    ripple = smooth_noise(seed + 92, side, 5.0, view.xs, view.ys)
    x, y = view.xs[None, :].astype(np.float32), view.ys[:, None].astype(np.float32)
    swell = np.sin((0.83 * x + 0.55 * y) * np.float32(2 * math.pi / 21) + 1.8 * drift)
    depth = smoothstep(-ground.coast_m, 0, 150)
    surf = smoothstep(1.6 * swell + 1.2 * ripple - 0.25 * np.abs(ground.coast_m + 7), 0.6, 2.0)
    wave = 1 + 0.05 * swell + 0.06 * ripple + 0.05 * drift
    for band in range(len(BANDS)):
        deep = _COVER[WATER, band]
        colour = (_SHALLOW[band] + (deep - _SHALLOW[band]) * depth) * wave
        colour += (2600 - colour) * surf
        image[band][water] = colour[water]


def _cloud(place: Place, overpass: Pass, view: View) -> tuple[FloatImage, FloatImage]:
    """(opacity of the cloud, depth of its shadow), both (rows, cols) in [0, 1]."""
    if overpass.cloud is None:
        clear = np.zeros((view.height_px, view.width_px), dtype=np.float32)
        return clear, clear
    to, reach = math.radians(overpass.shade_to_deg), 0.05 * place.side_m

    def opacity(dx: float, dy: float) -> FloatImage:
        xs, ys = view.xs - dx, view.ys - dy
        x, y = overpass.cloud or (0.0, 0.0)
        blob = 2.1 - np.hypot(xs[None, :] - x * place.side_m, (ys[:, None] - y * place.side_m) * 1.3) / (0.075 * place.side_m)
        puffs = fractal_noise(place.seed + 95, place.side_m, place.side_m / 9, 6, xs, ys)
        return smoothstep(blob + 0.55 * puffs, 0.0, 0.9)

    return opacity(0.0, 0.0), opacity(reach * math.cos(to), reach * math.sin(to))
