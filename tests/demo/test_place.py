"""The place: noise that belongs to the ground, things that do not touch, boxes that are the bounds of pixels."""

from __future__ import annotations

import math

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.demo.place.layout import plan_place, structures_on
from rsflow.demo.place.relief import fractal_noise, smooth_noise
from rsflow.demo.place.things import CATEGORIES, Structure, View, footprint, outline, sweep

metres = st.floats(10, 90)


def test_noise_has_the_same_value_at_the_same_point_whatever_the_pixel_size() -> None:
    fine = smooth_noise(5, 400.0, 30.0, np.arange(0, 400, 1.0), np.arange(0, 400, 1.0))
    coarse = smooth_noise(5, 400.0, 30.0, np.arange(0, 400, 5.0), np.arange(0, 400, 5.0))
    np.testing.assert_array_equal(fine[::5, ::5], coarse)


def test_noise_has_mean_0_and_variance_1_and_differs_by_seed() -> None:
    at = np.arange(0, 4000, 8.0)
    for noise in (smooth_noise(1, 4000.0, 20.0, at, at), fractal_noise(1, 4000.0, 80.0, 3, at, at)):
        assert abs(float(noise.mean())) < 0.1
        assert 0.85 < float(noise.std()) < 1.15
    assert (
        abs(np.corrcoef(smooth_noise(1, 4000.0, 20.0, at, at).ravel(), smooth_noise(2, 4000.0, 20.0, at, at).ravel())[0, 1])
        < 0.05
    )


@given(
    st.sampled_from(CATEGORIES),
    metres,
    metres,
    st.floats(8, 60),
    st.floats(4, 25),
    st.floats(0, 360),
    st.sampled_from([0.7, 1, 1.5]),
)
@settings(max_examples=60, deadline=None)
def test_a_footprint_is_the_pixel_centres_inside_the_outline(
    category: str, x: float, y: float, length: float, width: float, heading: float, gsd: float
) -> None:
    thing = Structure(category, x, y, length, width, heading, 5.0, 0)
    view = View(0.0, 0.0, gsd, int(100 / gsd), int(100 / gsd))
    spot = footprint(thing, view)
    # The round outline is a 24-gon inside the circle: the oracle is exact for the others, and within its sagitta for those.
    ring = shapely.Polygon(outline(thing))
    slack = length * (1 - math.cos(math.pi / 24)) if category in {"storage tank", "chimney"} else 1e-3
    sure, possible = (
        shapely.contains_xy(area, *np.meshgrid(view.xs, view.ys)) for area in (ring.buffer(-1e-3), ring.buffer(slack))
    )
    if spot is None:
        assert not sure.any() or ring.bounds[0] < 1 or ring.bounds[1] < 1 or max(ring.bounds) > 98
        return
    drawn = np.zeros_like(sure)
    rows, cols = spot.slices
    drawn[rows, cols] = spot.mask
    assert not (sure & ~drawn).any()
    assert not (drawn & ~possible).any()
    for axis in (0, 1):
        assert spot.mask.any(axis=axis)[[0, -1]].all(), "the window is not tight"


def test_a_sweep_covers_the_start_and_the_end() -> None:
    thing = Structure("building", 30.0, 30.0, 20.0, 10.0, 30.0, 5.0, 0)
    view = View(0.0, 0.0, 1.0, 64, 64)
    (rows, cols), mask = sweep(thing, view, 12.0, -9.0)
    swept = np.zeros((64, 64), dtype=bool)
    swept[rows, cols] = mask
    for moved in (thing, Structure("building", 42.0, 21.0, 20.0, 10.0, 30.0, 5.0, 0)):
        spot = footprint(moved, view)
        assert spot is not None
        assert swept[spot.slices][spot.mask].all()


def test_nothing_touches_on_any_day_and_only_ships_and_vehicles_move() -> None:
    assert plan_place(7, 1024.0) != plan_place(3, 1024.0)
    for seed in (7, 3):
        place = plan_place(seed, 1024.0)
        assert place == plan_place(seed, 1024.0)
        days = [structures_on(place, day) for day in range(3)]
        for things in days:
            rings = [shapely.Polygon(outline(thing)) for thing in things]
            tree = shapely.STRtree(rings)
            touching = [(a, b) for a, b in tree.query(rings, predicate="intersects").T if a < b]
            assert not touching, [(things[a], things[b]) for a, b in touching]
        still = [{t for t in things if t.category not in {"ship", "vehicle"}} for things in days]
        assert still[0] == still[1] == still[2] == set(place.fixed)
        assert set(days[0]) != set(days[1])
