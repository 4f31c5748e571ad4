"""Areas that changed, from class maps and indices of two dates: the right ones, and none that may be something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rsflow.changes.areas import AreaLimits, is_negligible, large_areas
from rsflow.changes.cover_changes import ClassMap, compare_covers
from rsflow.changes.index_changes import IndexLimits, compare_index, index_plane, move
from rsflow.records import FELL, ROSE, UNKNOWN, Label, Raster

SIZE = 100
NAMES = ("bare", "forest", "water")
SEEN = np.ones((SIZE, SIZE), np.bool_)
LIMITS = AreaLimits(min_px=16, displacement_px=1.0)


def class_map(*patches: tuple[slice, slice, int], names: tuple[str, ...] = NAMES) -> ClassMap:
    codes = np.ones((SIZE, SIZE), np.int16)
    for rows, cols, code in patches:
        codes[rows, cols] = code
    return ClassMap(codes, names, 1.0, "map")


def changed(labels: list[Label]) -> list[tuple[str, str, tuple[float, ...]]]:
    return [
        (one.text, one.category, one.shape.box) for one in labels if one.kind == "change" and UNKNOWN not in one.shape.flags
    ]


def has_unknown(labels: list[Label]) -> bool:
    return any(one.shape and UNKNOWN in one.shape.flags for one in labels)


def is_compared(labels: list[Label]) -> bool:
    return any(one.kind == "compared" for one in labels)


def test_areas_are_told_by_what_they_were_and_became() -> None:
    after = class_map((slice(10, 30), slice(40, 70), 0), (slice(60, 80), slice(5, 25), 2))
    labels = compare_covers(class_map(), after, SEEN, LIMITS)
    assert changed(labels) == [("forest", "bare", (40, 10, 70, 30)), ("forest", "water", (5, 60, 25, 80))]
    assert is_compared(labels)
    assert not has_unknown(labels)
    assert [one.provenance.origin for one in labels] == ["annotation"] * 3


@pytest.mark.parametrize(
    ("patch", "limits"),
    [
        ((slice(10, 90), slice(50, 52), 0), LIMITS),  # narrower than the shift at both edges
        ((slice(10, 90), slice(50, 58), 0), AreaLimits(16, 5.0)),
        ((slice(10, 13), slice(50, 55), 0), LIMITS),  # 15 pixels
    ],
)
def test_what_may_be_misregistration_or_noise_is_no_change_and_not_nothing(patch: Any, limits: AreaLimits) -> None:
    labels = compare_covers(class_map(), class_map(patch), SEEN, limits)
    assert changed(labels) == []
    assert has_unknown(labels)


def test_a_few_specks_leave_the_rest_complete() -> None:
    large, speck = (slice(10, 40), slice(10, 40), 0), (slice(80, 83), slice(80, 83), 0)
    labels = compare_covers(class_map(), class_map(large, speck), SEEN, LIMITS)
    assert len(changed(labels)) == 1
    assert not has_unknown(labels)


def test_ground_that_one_date_does_not_show_is_unknown() -> None:
    hidden = class_map((slice(0, 20), slice(0, 100), -1))
    for before, after, seen in (
        (hidden, class_map(), SEEN),
        (class_map(), hidden, SEEN),
        (class_map(), class_map(), SEEN & (np.arange(SIZE) > 3)),
    ):
        labels = compare_covers(before, after, seen, LIMITS)
        assert changed(labels) == []
        assert has_unknown(labels)
    assert not has_unknown(compare_covers(class_map(), class_map(), SEEN, LIMITS))


def test_maps_of_other_classes_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="classes"):
        compare_covers(class_map(), class_map(names=("bare", "tree", "water")), SEEN, LIMITS)


def test_a_square_must_fit_in_an_area() -> None:
    ring = np.zeros((40, 40), np.bool_)
    ring[5:35, 5:35] = True
    ring[8:32, 8:32] = False  # three pixels wide
    assert not large_areas(ring, AreaLimits(1, 1.5)).any()
    assert large_areas(ring, AreaLimits(1, 1.0)).sum() == ring.sum()
    assert is_negligible(5, 100, 10_000)
    assert not is_negligible(11, 100, 10_000)


def reflectance(ndvi: Any, noise: float = 0.003, seed: int = 0) -> Raster:
    """Red and near infrared of this vegetation index."""
    rng = np.random.default_rng(seed)
    nir = np.full((SIZE, SIZE), 0.3) + rng.normal(scale=noise, size=(SIZE, SIZE))
    return Raster(np.stack([nir * (1 - ndvi) / (1 + ndvi), nir]), SEEN, ("red", "nir"))


def field(value: float = 0.6, **patches: Any) -> Any:
    ndvi = np.full((SIZE, SIZE), value)
    for rows, cols, at in patches.values():
        ndvi[rows, cols] = at
    return ndvi


def compare(before: Any, after: Any, shift: tuple[float, float] = (0.0, 0.0), difference: float = 0.2) -> list[Label]:
    planes = [index_plane(reflectance(ndvi, seed=seed), "ndvi") for seed, ndvi in enumerate((before, after))]
    assert planes[0]
    assert planes[1]
    return compare_index("ndvi", planes[0], planes[1], shift, IndexLimits(difference, 3.0), LIMITS)


def test_an_index_rises_and_falls_by_the_threshold() -> None:
    after = field(cut=(slice(10, 40), slice(10, 40), 0.2), grown=(slice(60, 80), slice(60, 90), 0.9))
    labels = compare(field(), after)
    found = {one.shape.flags: one.shape.box for one in labels if one.kind == "change"}
    assert found == {(FELL,): (10, 10, 40, 40), (ROSE,): (60, 60, 90, 80)}
    assert {one.value for one in labels} == {0.2}
    assert not has_unknown(labels)


def test_a_change_close_to_the_threshold_is_neither_one_nor_none() -> None:
    labels = compare(field(), field(cut=(slice(10, 40), slice(10, 40), 0.43)))
    assert changed(labels) == []
    assert has_unknown(labels)
    labels = compare(field(), field(cut=(slice(10, 40), slice(10, 40), 0.5)))
    assert changed(labels) == []
    assert is_compared(labels)
    assert not has_unknown(labels)


def test_a_season_that_changes_everything_is_no_area_that_changed() -> None:
    labels = compare(field(0.7), field(0.4))
    assert changed(labels) == []
    assert has_unknown(labels)


def test_the_shift_is_taken_out_before_the_dates_are_compared() -> None:
    stripes = np.where(np.arange(SIZE) // 10 % 2, 0.2, 0.7) * np.ones((SIZE, 1))
    shifted = np.roll(stripes, 4, axis=1)
    assert changed(compare(stripes, shifted))  # without it, every edge is a change
    labels = compare(stripes, shifted, (4.0, 0.0))
    assert changed(labels) == []
    moved, known = move(stripes.astype(np.float32), SEEN, (4.0, 0.0))
    assert np.allclose(moved[:, 4:], shifted[:, 4:])
    assert not known[:, :4].any()


def test_fill_and_too_little_ground_say_nothing() -> None:
    plane, known = index_plane(reflectance(field()), "ndvi") or pytest.fail("has both bands")
    little = known & (np.arange(SIZE) < 8)
    assert compare_index("ndvi", (plane, little), (plane, known), (0, 0), IndexLimits(0.2, 3), LIMITS) == []
    half = known & (np.arange(SIZE) < 50)
    labels = compare_index("ndvi", (plane, half), (plane, known), (0, 0), IndexLimits(0.2, 3), LIMITS)
    assert has_unknown(labels)
    assert index_plane(reflectance(field()), "nbr") is None
