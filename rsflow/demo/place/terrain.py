"""What covers the ground of the demo's place, on any grid.

One idea: the cover is a map of a few classes plus the numbers that texture is made from; each sensor turns the same map into
its own physics. Nothing here depends on light, radar or heat.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsflow.demo.place.layout import BLOCK_M, ROAD_M, STREET_M, Place
from rsflow.demo.place.relief import FloatImage, coast_distance, fractal_noise, smooth_noise
from rsflow.demo.place.things import View

WATER, SAND, FIELD, FOREST, GARDEN, ROAD, CONCRETE = range(7)
COVERS = ("water", "sand", "field", "forest", "garden", "road", "concrete")

_STRIP_M = 150.0  # width of a strip of fields


@dataclass(frozen=True, slots=True)
class Terrain:
    """All arrays are (rows, cols).

    `cover`: codes above. `coast_m`: rough distance from the coast, positive on land. `field`: number 0-255 of the field, the
    same over one field. `furrow_m`: metres across the field's rows. `canopy`: tree crowns, variance near 1. `grain`: soil and
    grass texture, variance near 1.
    """

    cover: npt.NDArray[np.uint8]
    coast_m: FloatImage
    field: npt.NDArray[np.uint8]
    furrow_m: FloatImage
    canopy: FloatImage
    grain: FloatImage


def terrain(place: Place, view: View) -> Terrain:
    """The cover of a view's grid."""
    seed, side, xs, ys = place.seed, place.side_m, view.xs, view.ys
    coast = coast_distance(seed, side, xs, ys)
    coast += 1.5 * smooth_noise(seed + 31, side, 9.0, xs, ys)
    field, furrow, border = _fields(place, view)
    canopy = smooth_noise(seed + 41, side, 6.0, xs, ys)
    grain = fractal_noise(seed + 51, side, 48.0, 4, xs, ys)
    woods = fractal_noise(seed + 61, side, side / 6, 5, xs, ys) + 0.08 * canopy

    cover = np.full(coast.shape, FIELD, dtype=np.uint8)
    # Hedges: trees along some of the fields' borders.
    cover[(border < 4.5) & (field % 5 < 2) & (canopy > -0.5)] = FOREST
    cover[(border < 2.5) & (field % 5 == 3)] = ROAD
    cover[woods > 0.75] = FOREST
    cover[coast < 14 + 6 * grain] = SAND
    cover[coast < 0] = WATER
    _pave_town(cover, place, view, canopy)
    _pave_harbour(cover, coast, place, view)
    for road in place.roads:
        _pave_road(cover, road, view)
    return Terrain(cover, coast, field, furrow, canopy, grain)


def _fields(place: Place, view: View) -> tuple[npt.NDArray[np.uint8], FloatImage, FloatImage]:
    """(field number, metres across its rows, metres from its border): strips of fields of uneven length, a little bent."""
    p, q = place.town.to_local(view.xs[None, :], view.ys[:, None])
    q = q + 16 * smooth_noise(place.seed + 71, place.side_m, 420.0, view.xs, view.ys)
    rng = np.random.default_rng([place.seed, 3])
    lengths, starts = rng.uniform(90, 260, 256).astype(np.float32), rng.uniform(0, 500, 256).astype(np.float32)
    numbers = rng.permutation(256).astype(np.uint8)
    strip = np.floor(q / _STRIP_M).astype(np.intp) % 256
    length = lengths[strip]
    at = (p + starts[strip]) / length
    cell = np.floor(at)
    field = numbers[(strip * 37 + cell.astype(np.intp) * 11) % 256]
    in_q = np.mod(q, np.float32(_STRIP_M))
    border = np.minimum(np.minimum(at - cell, 1 - at + cell) * length, np.minimum(in_q, np.float32(_STRIP_M) - in_q))
    return field, np.where(field % 2 == 0, p, q), border


def _pave_town(cover: npt.NDArray[np.uint8], place: Place, view: View, canopy: FloatImage) -> None:
    p, q = place.town.to_local(view.xs[None, :], view.ys[:, None])
    i, j = np.rint(p / BLOCK_M[0]).astype(np.intp), np.rint(q / BLOCK_M[1]).astype(np.intp)
    reach = 1 + max(max(abs(a), abs(b)) for a, b in place.blocks) if place.blocks else 1
    known = np.zeros((2 * reach + 1, 2 * reach + 1), dtype=np.bool_)
    for a, b in place.blocks:
        known[a + reach, b + reach] = True
    town = known[np.clip(i + reach, 0, 2 * reach), np.clip(j + reach, 0, 2 * reach)]
    to_middle = np.abs(p - i * np.float32(BLOCK_M[0])), np.abs(q - j * np.float32(BLOCK_M[1]))
    street = (to_middle[0] > (BLOCK_M[0] - STREET_M) / 2) | (to_middle[1] > (BLOCK_M[1] - STREET_M) / 2)
    cover[town & ~street] = GARDEN
    cover[town & ~street & (canopy > 1.3)] = FOREST
    cover[town & street] = ROAD


def _pave_harbour(cover: npt.NDArray[np.uint8], coast: FloatImage, place: Place, view: View) -> None:
    """The quay and its piers, before a dredged basin. Also moves `coast` there, so that waves and shallows follow."""
    p, q = place.harbour.to_local(view.xs[None, :], view.ys[:, None])
    inland, half = place.quay_m
    basin = (p < 0) & (p > -1.3 * place.pier_m) & (np.abs(q) < 1.12 * half)
    quay = (p >= 0) & (p < inland) & (np.abs(q) < half)
    for pier in place.piers_q:
        quay |= (p > -place.pier_m) & (p <= 0) & (np.abs(q - pier) < 9)
    cover[basin], cover[quay] = WATER, CONCRETE
    coast[basin] = np.minimum(coast[basin], -60)
    coast[quay] = np.maximum(coast[quay], 30)


def _pave_road(cover: npt.NDArray[np.uint8], road: tuple[tuple[float, float], ...], view: View) -> None:
    for (x0, y0), (x1, y1) in itertools.pairwise(road):
        half = ROAD_M / 2
        cols = _span(min(x0, x1) - half - view.x_m, max(x0, x1) + half - view.x_m, view.gsd_m, view.width_px)
        rows = _span(min(y0, y1) - half - view.y_m, max(y0, y1) + half - view.y_m, view.gsd_m, view.height_px)
        x, y = view.xs[cols][None, :], view.ys[rows][:, None]
        length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2
        t = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length2, 0, 1)
        near = np.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)) < half
        cover[rows, cols][near] = ROAD


def _span(low_m: float, high_m: float, gsd_m: float, count: int) -> slice:
    return slice(min(max(int(low_m / gsd_m), 0), count), min(max(int(high_m / gsd_m) + 2, 0), count))
