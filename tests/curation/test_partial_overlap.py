"""Crops, enlargements and shifted windows are found in the pictures that they were cut from, and nothing else is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.deduplicate import is_same_picture
from rsflow.curation.duplicates.pairs import partial_overlap
from rsflow.curation.duplicates.pairs.partial_overlap import (
    Flags,
    Floats,
    KeypointSets,
    find_overlaps,
    overlapping_weaker_tiles,
)
from rsflow.curation.duplicates.pictures.image_signature import Picture, region_thumbnail
from rsflow.curation.duplicates.pictures.keypoints import (
    SCALES,
    WORKING_PX,
    find_keypoints,
    orient_codes,
    pack_positions,
    unpack_positions,
)
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation

SIDE = 300


def terrain(seed: int, side: int = SIDE) -> Picture:
    """A made scene: fields and blobs of several sizes."""
    random = np.random.default_rng(seed)
    layers = [ndimage.gaussian_filter(random.normal(size=(side, side)), sigma) * sigma * 2 for sigma in (2, 4, 8, 16)]
    grey = np.clip(128 + 40 * np.sum(layers, axis=0), 0, 255).astype(np.uint8)
    return np.stack([grey, grey // 2 + 40, 255 - grey], axis=2)


def cut(
    picture: Picture, top: int, left: int, side: int, scale: float = 1.0, orientation: int = 0, quality: int = 80
) -> Picture:
    part = Image.fromarray(picture[top : top + side, left : left + side])
    size = round(side * scale)
    data = io.BytesIO()
    part.resize((size, size), Image.Resampling.BICUBIC).save(data, "JPEG", quality=quality)
    return apply_orientation(np.asarray(Image.open(data)), orientation)


def sets_of(pictures: list[Picture]) -> KeypointSets:
    found = [find_keypoints(picture) for picture in pictures]
    counts, sizes = np.array([len(codes) for _, codes in found]), np.array([picture.shape[:2] for picture in pictures])
    packed = np.concatenate([pack_positions(positions) for positions, _ in found])
    return KeypointSets.build(counts, packed, np.concatenate([codes for _, codes in found]), sizes)


def overlaps(
    pictures: list[Picture], strong: list[int], weak: list[int], grounded: list[int] | None = None
) -> set[tuple[int, int]]:
    known = np.isin(np.arange(len(pictures)), grounded or [])
    found = find_overlaps(sets_of(pictures), np.array(strong), np.array(weak), known, confirm_with(pictures))
    return {(int(a), int(b)) for a, b, _ in found}


def confirm_with(pictures: list[Picture]) -> partial_overlap.ConfirmRegions:
    def confirm(pairs: Indices, regions: Floats) -> Flags:
        shown = []
        for (a, b, orientation), own in zip(pairs.tolist(), regions, strict=True):
            shown += [
                region_thumbnail(apply_orientation(pictures[a], orientation), own[:4]),
                region_thumbnail(pictures[b], own[4:]),
            ]
        return is_same_picture(np.stack(shown), np.arange(len(shown)).reshape(-1, 2), 3.0)

    return confirm


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_codes_of_a_turned_picture_are_turned_codes(orientation: int) -> None:
    picture = terrain(1, 201)
    positions, codes = find_keypoints(picture)
    turned, turned_codes = find_keypoints(apply_orientation(picture, orientation))
    sizes = np.full(len(positions), 201.0)
    moved = partial_overlap._oriented_points(positions[:, :2].astype(np.float64), 201.0, 201.0, orientation)
    assert len(sizes) > 20
    expected = {
        (x, y, s, c)
        for (x, y), s, c in zip(
            moved.tolist(), positions[:, 2].tolist(), orient_codes(codes, orientation).tolist(), strict=True
        )
        if s < 4
    }
    found = {(*map(float, p[:2]), p[2], c) for p, c in zip(turned.tolist(), turned_codes.tolist(), strict=True)}
    # Larger blobs lie on a coarser grid, which begins at another side.
    assert len(expected & found) >= 0.7 * len(expected)


def test_positions_survive_packing() -> None:
    positions = np.array([[0, 0, SCALES[0]], [WORKING_PX - 1, WORKING_PX - 1, SCALES[-1]], [17, 250, 6]])
    np.testing.assert_array_equal(unpack_positions(pack_positions(positions)), positions)


@pytest.mark.parametrize("picture", [np.zeros((1, 1), np.uint8), np.full((40, 70, 3), 9, np.uint8), terrain(2, 20)])
def test_what_is_small_or_flat_has_no_keypoints(picture: Picture) -> None:
    positions, codes = find_keypoints(picture)
    assert len(positions) == len(codes) == 0


def test_crops_of_any_place_size_and_orientation_are_found_and_nothing_else() -> None:
    random = np.random.default_rng(0)
    scenes = [terrain(seed) for seed in range(8)]
    crops = []
    for number, scene in enumerate(scenes):
        side = int(random.integers(130, 220))
        top, left = random.integers(0, SIDE - side, 2)
        crops.append(cut(scene, top, left, side, float(2 ** random.uniform(-0.6, 1)), number))
    found = overlaps([*scenes, *crops], list(range(8, 16)), list(range(8)))
    assert found == {(8 + number, number) for number in range(8)}
    turned_round = overlaps([*scenes, *crops], list(range(8)), list(range(8, 16)))
    assert turned_round == {(number, 8 + number) for number in range(8)}


def test_windows_that_share_a_quarter_are_found_and_neighbours_are_not() -> None:
    scene = terrain(3, 500)
    windows = [scene[:250, :250], scene[100:350, 100:350], scene[:250, 250:]]
    assert overlaps(windows, [0], [1]) == {(0, 1)}
    assert overlaps(windows, [0], [2]) == set()


def test_two_of_known_ground_are_not_compared_but_one_of_them_with_a_crop_is() -> None:
    scene = terrain(4)
    pictures = [scene, scene[20:, 20:].copy(), cut(scene, 50, 60, 180)]
    assert overlaps(pictures, [0], [1, 2], grounded=[0, 1]) == {(0, 2)}


def test_the_tile_of_the_weaker_split_leaves_and_what_left_pushes_nothing() -> None:
    a, b = terrain(5), terrain(6)
    both = np.concatenate([a[:, 150:], b[:, :150]], axis=1)  # shows half of each
    pictures = [a, both, b]
    leaves = overlapping_weaker_tiles(sets_of(pictures), np.array([2, 1, 0]), np.zeros(3, np.bool_), confirm_with(pictures))
    assert leaves.tolist() == [False, True, False]


def test_different_scenes_are_hardly_asked_about() -> None:
    scenes = [terrain(seed, 150) for seed in range(40)]
    asked: list[int] = []

    def confirm(pairs: Indices, regions: Floats) -> Flags:
        asked.append(len(pairs))
        return np.zeros(len(pairs), np.bool_)

    find_overlaps(sets_of(scenes), np.arange(20), np.arange(20, 40), np.zeros(40, np.bool_), confirm)
    assert sum(asked) <= 8
