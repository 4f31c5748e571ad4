"""The plan of the demo's place: where its harbour, town and roads are, and what stands and moves there on each date.

One idea: everything is decided here, in metres, from the seed alone, before any sensor looks. Buildings, tanks and chimneys
stay; ships and vehicles are drawn anew for every date. No two things touch: what would touch another is not placed.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsflow.demo.place.relief import coast_distance
from rsflow.demo.place.things import Frame, Structure

BLOCK_M = (92.0, 72.0)  # a town block with half of the streets around it
STREET_M = 10.0
ROAD_M = 13.0

Road = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A square of ground of side `side_m`, origin at its north-west corner, x to the east, y to the south."""

    seed: int
    side_m: float
    harbour: Frame
    town: Frame
    blocks: frozenset[tuple[int, int]]  # (p, q) numbers of the town's blocks
    roads: tuple[Road, ...]
    fixed: tuple[Structure, ...]

    @property
    def quay_m(self) -> tuple[float, float]:
        """Length from the waterfront inland, and half width along it."""
        return 0.17 * self.side_m, 0.14 * self.side_m

    @property
    def piers_q(self) -> tuple[float, float]:
        return -0.08 * self.side_m, 0.07 * self.side_m

    @property
    def pier_m(self) -> float:
        return 0.08 * self.side_m


def plan_place(seed: int, side_m: float) -> Place:
    """The place of a seed. The same seed and side give an equal value."""
    rng = np.random.default_rng([seed, 1])
    ground = _Ground(seed, side_m)
    harbour = Frame(ground.coast_x(0.58 * side_m) + 0.01 * side_m, 0.58 * side_m, float(rng.uniform(-9, 9)))
    town_x, town_y = min(0.72 * side_m, harbour.x_m + 0.36 * side_m), 0.34 * side_m
    town = Frame(town_x, town_y, float(rng.uniform(14, 34)))
    roads = _roads(side_m, harbour, town, rng)
    bare = Place(seed, side_m, harbour, town, _blocks(town, side_m, ground), roads, ())
    yard = _Yard(roads)
    _fill_harbour(bare, yard, rng)
    _fill_town(bare, yard, rng)
    _fill_country(bare, yard, ground, rng)
    return Place(seed, side_m, harbour, town, bare.blocks, roads, tuple(yard.things))


def structures_on(place: Place, date: int) -> tuple[Structure, ...]:
    """Everything that is there on the `date`-th day: what is fixed, and that day's ships and vehicles."""
    rng = np.random.default_rng([place.seed, 2, date])
    yard = _Yard((), list(place.fixed))
    _moor_ships(place, yard, rng)
    _sail_ships(place, yard, _Ground(place.seed, place.side_m), rng)
    _park_vehicles(place, yard, rng)
    _drive_vehicles(place, yard, rng)
    return tuple(yard.things)


class _Ground:
    """The coast, looked up at any point (on a grid of 4 m)."""

    def __init__(self, seed: int, side_m: float) -> None:
        self.side_m = side_m
        at = (np.arange(math.ceil(side_m / 4)) + 0.5) * 4
        self.land = coast_distance(seed, side_m, at, at)

    def coast_m(self, x: float, y: float) -> float:
        """Metres from the coast, positive on land; points outside count as the nearest inside."""
        last = self.land.shape[0] - 1
        return float(self.land[min(max(int(y / 4), 0), last), min(max(int(x / 4), 0), last)])

    def coast_x(self, y: float) -> float:
        """Where the row y meets the sea: east of it is land for at least a while."""
        row: npt.NDArray[np.float32] = self.land[min(int(y / 4), self.land.shape[0] - 1)]
        wet = np.flatnonzero(row[: int(0.6 * row.size)] < 0)
        return float(wet[-1] + 1) * 4 if wet.size else 0.25 * self.side_m


class _Yard:
    """The things placed so far; `put` adds one unless it would come too near to another or stand on a road."""

    def __init__(self, roads: tuple[Road, ...], things: list[Structure] | None = None) -> None:
        self.things = things or []
        self.roads = np.array([point for road in roads for point in road]).reshape(-1, 2)

    def put(self, thing: Structure, gap_m: float) -> bool:
        if self.roads.size:
            nearest = np.hypot(self.roads[:, 0] - thing.x_m, self.roads[:, 1] - thing.y_m).min()
            if nearest < thing.reach_m + ROAD_M:
                return False
        if any(_is_near(thing, other, gap_m) for other in self.things):
            return False
        self.things.append(thing)
        return True


def _is_near(a: Structure, b: Structure, gap_m: float) -> bool:
    """Whether the (loose) upright rectangles around two things come nearer than the gap."""
    reach = a.reach_m + b.reach_m + gap_m
    if abs(a.x_m - b.x_m) > reach or abs(a.y_m - b.y_m) > reach:
        return False
    (ax, ay), (bx, by) = _half_extent(a), _half_extent(b)
    return abs(a.x_m - b.x_m) < ax + bx + gap_m and abs(a.y_m - b.y_m) < ay + by + gap_m


def _half_extent(thing: Structure) -> tuple[float, float]:
    c, s = abs(math.cos(math.radians(thing.heading_deg))), abs(math.sin(math.radians(thing.heading_deg)))
    a, b = thing.length_m / 2, thing.width_m / 2
    return a * c + b * s, a * s + b * c


def _roads(side_m: float, harbour: Frame, town: Frame, rng: np.random.Generator) -> tuple[Road, ...]:
    gate = harbour.to_ground(0.17 * side_m, 0.0)
    middle = (town.x_m, town.y_m)
    bend = 0.06 * side_m * rng.uniform(0.5, 1.0, 3)
    return (
        _curve(gate, middle, float(bend[0]), 0.0),
        _curve(middle, (1.05 * side_m, 0.52 * side_m), 0.0, -float(bend[1])),
        _curve(middle, (0.62 * side_m, -0.05 * side_m), -float(bend[2]), 0.0),
        _curve(gate, (0.6 * side_m, 1.05 * side_m), float(bend[1]), 0.0),
    )


def _curve(start: tuple[float, float], stop: tuple[float, float], dx: float, dy: float) -> Road:
    """A quadratic Bezier curve whose middle is pulled aside, as a point about every 12 m."""
    pulled = ((start[0] + stop[0]) / 2 + 2 * dx, (start[1] + stop[1]) / 2 + 2 * dy)
    count = max(8, math.ceil(math.dist(start, stop) / 12))
    points = []
    for step in range(count + 1):
        t = step / count
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        points.append((a * start[0] + b * pulled[0] + c * stop[0], a * start[1] + b * pulled[1] + c * stop[1]))
    return tuple(points)


def _blocks(town: Frame, side_m: float, ground: _Ground) -> frozenset[tuple[int, int]]:
    rx, ry = 0.23 * side_m / BLOCK_M[0], 0.17 * side_m / BLOCK_M[1]
    reach = range(-math.ceil(max(rx, ry)), math.ceil(max(rx, ry)) + 1)
    kept = set()
    for i in reach:
        for j in reach:
            x, y = town.to_ground(i * BLOCK_M[0], j * BLOCK_M[1])
            frayed = (i / rx) ** 2 + (j / ry) ** 2 + 0.25 * math.sin(3.1 * i + 1.7 * j)
            if frayed < 1 and ground.coast_m(x, y) > 60:
                kept.add((i, j))
    return frozenset(kept)


def _fill_town(place: Place, yard: _Yard, rng: np.random.Generator) -> None:
    """Houses in two rows on most blocks, one large building on some, a park on a few."""
    inner = BLOCK_M[0] - STREET_M, BLOCK_M[1] - STREET_M
    for i, j in sorted(place.blocks):
        kind = rng.random()
        p0, q0 = i * BLOCK_M[0], j * BLOCK_M[1]
        lots = [(0.0, 0.0, inner[0] - 16, inner[1] - 20)] if kind < 0.2 else [] if kind < 0.3 else _house_lots(inner)
        for p, q, width, depth in lots:
            length, across = width * rng.uniform(0.66, 0.86), depth * rng.uniform(0.6, 0.8)
            x, y = place.town.to_ground(p0 + p, q0 + q)
            height = float(rng.uniform(6, 11) if len(lots) > 1 else rng.uniform(12, 20))
            yard.put(
                Structure("building", x, y, float(length), float(across), place.town.angle_deg, height, _random_variant(rng)),
                1.0,
            )


def _house_lots(inner: tuple[float, float]) -> list[tuple[float, float, float, float]]:
    width, depth = inner[0] / 3, inner[1] / 2
    return [((k - 1) * width, side * depth / 2, width, depth) for k in range(3) for side in (-1, 1)]


def _fill_harbour(place: Place, yard: _Yard, rng: np.random.Generator) -> None:
    """Warehouses in the north of the quay, tanks and chimneys in its south."""
    inland, half = place.quay_m
    angle = place.harbour.angle_deg
    for p in np.arange(0.3 * inland, 0.95 * inland, 62.0):
        for q in np.arange(-0.92 * half, -0.12 * half, 50.0):
            x, y = place.harbour.to_ground(float(p), float(q))
            size = rng.uniform(38, 52), rng.uniform(22, 32)
            yard.put(Structure("building", x, y, float(size[0]), float(size[1]), angle, 12.0, _random_variant(rng)), 3.0)
    for p in np.arange(0.36 * inland, 0.97 * inland, 54.0):
        for q in np.arange(0.3 * half, 0.95 * half, 54.0):
            x, y = place.harbour.to_ground(float(p), float(q))
            wide = float(rng.uniform(24, 44))
            yard.put(Structure("storage tank", x, y, wide, wide, 0.0, 13.0, _random_variant(rng)), 3.0)
    for q in (0.08, 0.17, 0.24):
        x, y = place.harbour.to_ground(0.9 * inland, q * half)
        yard.put(Structure("chimney", x, y, 9.0, 9.0, 0.0, 55.0, _random_variant(rng)), 4.0)


def _fill_country(place: Place, yard: _Yard, ground: _Ground, rng: np.random.Generator) -> None:
    """Lone farm buildings between the fields."""
    for _ in range(round((place.side_m / 130) ** 2 / 3)):
        x, y = (float(v) for v in rng.uniform(0.1, 0.97, 2) * place.side_m)
        size = rng.uniform(18, 38), rng.uniform(11, 18)
        barn = Structure(
            "building", x, y, float(size[0]), float(size[1]), float(rng.uniform(0, 180)), 8.0, _random_variant(rng)
        )
        if ground.coast_m(x, y) > 60 and not in_harbour(place, x, y, 60) and not in_town(place, x, y):
            yard.put(barn, 8.0)


def in_town(place: Place, x: float, y: float) -> bool:
    p, q = place.town.to_local(np.array(x), np.array(y))
    return (round(float(p) / BLOCK_M[0]), round(float(q) / BLOCK_M[1])) in place.blocks


def in_harbour(place: Place, x: float, y: float, margin_m: float) -> bool:
    p, q = (float(v) for v in place.harbour.to_local(np.array(x), np.array(y)))
    inland, half = place.quay_m
    return -place.pier_m - margin_m < p < inland + margin_m and abs(q) < half + margin_m


def _moor_ships(place: Place, yard: _Yard, rng: np.random.Generator) -> None:
    """Ships alongside the piers and the quay, each berth taken on about two days in three."""
    half, angle = place.quay_m[1], place.harbour.angle_deg
    longest = min(120.0, 0.9 * place.pier_m)
    berths = [(-0.55 * place.pier_m, q + side, 0.0) for q in place.piers_q for side in (-22.0, 22.0)]
    berths += [(-14.0, q * half, 90.0) for q in (-0.86, -0.3, 0.02, 0.3, 0.8)]
    for p, q, turn in berths:
        if rng.random() < 0.34:
            continue
        length = float(rng.uniform(0.6, 1.0) * longest)
        x, y = place.harbour.to_ground(p, q)
        heading = angle + turn + 180 * float(rng.integers(2))
        yard.put(Structure("ship", x, y, length, length / float(rng.uniform(6, 7.5)), heading, 12.0, _random_variant(rng)), 2.0)


def _sail_ships(place: Place, yard: _Yard, ground: _Ground, rng: np.random.Generator) -> None:
    """Ships at sea, at least 70 m from the coast."""
    for _ in range(round((place.side_m / 110) ** 2 / 6)):
        x, y = (float(v) for v in rng.uniform(0.02, 0.98, 2) * place.side_m)
        length = float(rng.choice([26, 40, 64, 96, 140]) * rng.uniform(0.85, 1.15))
        width, heading = length / float(rng.uniform(4.2, 6.2)), float(rng.uniform(0, 360))
        ship = Structure("ship", x, y, length, width, heading, 10.0, _random_variant(rng), moving=bool(rng.random() < 0.7))
        at_sea = ground.coast_m(x, y) < -70 and x < 0.6 * place.side_m  # not on the lake
        if at_sea and not in_harbour(place, x, y, 100):
            yard.put(ship, 30.0)


def _park_vehicles(place: Place, yard: _Yard, rng: np.random.Generator) -> None:
    """Lorries in rows on the apron behind the waterfront."""
    inland, half = place.quay_m
    for row in (0.09, 0.16):
        for q in np.arange(-0.9 * half, 0.9 * half, 13.0):
            if rng.random() < 0.55:
                continue
            x, y = place.harbour.to_ground(row * inland, float(q))
            heading = place.harbour.angle_deg + float(rng.normal(0, 1.5))
            yard.put(Structure("vehicle", x, y, float(rng.uniform(11, 15)), 4.4, heading, 4.0, _random_variant(rng)), 2.5)


def _drive_vehicles(place: Place, yard: _Yard, rng: np.random.Generator) -> None:
    """Lorries on the roads, on the right-hand lane of either direction."""
    for road in place.roads:
        for (x0, y0), (x1, y1) in itertools.pairwise(road[2:-1]):
            if rng.random() > 0.2:
                continue
            lane = Frame(x0, y0, math.degrees(math.atan2(y1 - y0, x1 - x0)) + 180 * float(rng.integers(2)))
            x, y = lane.to_ground(0.0, ROAD_M / 4)
            length = float(rng.uniform(9, 15))
            heading = lane.angle_deg + float(rng.normal(0, 2))
            yard.put(Structure("vehicle", x, y, length, 4.2, heading, 4.0, _random_variant(rng), moving=True), 6.0)


def _random_variant(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))
