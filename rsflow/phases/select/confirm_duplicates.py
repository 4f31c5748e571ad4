"""Comparison of pictures that signatures or keypoints propose as duplicates.

Pictures are read a block of pairs at a time and reduced to thumbnails at once; the comparison is
`rsflow.curation.duplicates.deduplicate.is_same_picture`, with the second picture in the orientation of the pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.deduplicate import is_same_picture
from rsflow.curation.duplicates.pairs.candidates import Confirm
from rsflow.curation.duplicates.pairs.partial_overlap import ConfirmRegions, Floats
from rsflow.curation.duplicates.pictures.image_signature import Picture, region_thumbnail, thumbnail
from rsflow.curation.duplicates.pictures.orientations import apply_orientation
from rsflow.curation.task_runner import TaskRunner
from rsflow.lake.tables import Lake
from rsflow.lake.tile_files import read_pictures
from rsflow.tiles.encode import decode

ReadPictures = Callable[[Indices], Iterable[Picture]]

PICTURE_LOCATION = ["tile_id", "file", "row_group", "row", "picture_sha256"]  # the columns that say where a tile's picture lies

_BLOCK = 2048
_REGION_BLOCK = 64  # pairs whose whole pictures are held


def make_picture_reader(lake: Lake, tiles: pa.Table) -> ReadPictures:
    """Reads the pictures of rows of `tiles`, which has the columns PICTURE_LOCATION."""
    places = tiles.select(PICTURE_LOCATION)

    def pictures(rows: Indices) -> Iterator[Picture]:
        requested = places.take(pa.array(rows)).to_pylist()
        found = read_pictures(lake.root, requested)
        return (decode(found[row["tile_id"]]) for row in requested)

    return pictures


def confirm_tile_pairs(lake: Lake, tiles: pa.Table, most: float, runner: TaskRunner) -> Confirm:
    """The same of tiles with each other, block by block wherever `runner` does them."""
    places = tiles.select(PICTURE_LOCATION)

    def confirm(pairs: Indices) -> npt.NDArray[np.bool_]:
        size = min(_BLOCK, -(-len(pairs) // runner.tasks) or 1)
        blocks = [_locate_pairs(places, pairs[start : start + size]) for start in range(0, len(pairs), size)]
        return np.concatenate([np.empty(0, dtype=np.bool_), *runner.each(_compare_pictures, blocks, (lake.root, most))])

    return confirm


def _locate_pairs(places: pa.Table, pairs: Indices) -> tuple[list[dict[str, Any]], Indices]:
    """(where the pictures of some pairs lie, the pairs by positions in that list)."""
    rows, numbers = np.unique(pairs[:, :2], return_inverse=True)
    return places.take(pa.array(rows)).to_pylist(), np.column_stack([numbers.reshape(-1, 2), pairs[:, 2]])


def _compare_pictures(work: tuple[list[dict[str, Any]], Indices], root: str, most: float) -> Iterator[npt.NDArray[np.bool_]]:
    requested, pairs = work
    found = read_pictures(root, requested)
    yield is_same_picture(np.stack([thumbnail(decode(found[row["tile_id"]])) for row in requested]), pairs, most)


def confirm_tile_regions(lake: Lake, tiles: pa.Table, most: float, runner: TaskRunner) -> ConfirmRegions:
    """Decides for each pair of tiles whether its regions show the same, block by block wherever `runner` does them."""
    places = tiles.select(PICTURE_LOCATION)

    def confirm(pairs: Indices, regions: Floats) -> npt.NDArray[np.bool_]:
        size = min(_BLOCK, -(-len(pairs) // runner.tasks) or 1)
        parts = [slice(start, start + size) for start in range(0, len(pairs), size)]
        blocks = [(*_locate_pairs(places, pairs[part]), regions[part]) for part in parts]
        return np.concatenate([np.empty(0, dtype=np.bool_), *runner.each(_compare_regions, blocks, (lake.root, most))])

    return confirm


def _compare_regions(
    work: tuple[list[dict[str, Any]], Indices, Floats], root: str, most: float
) -> Iterator[npt.NDArray[np.bool_]]:
    requested, pairs, regions = work
    found = read_pictures(root, requested)
    pictures = [decode(found[row["tile_id"]]) for row in requested]
    yield _is_same_region(pictures, pictures, pairs, regions, most)


def _is_same_region(
    ours: Sequence[Picture], theirs: Sequence[Picture], pairs: Indices, regions: Floats, most: float
) -> npt.NDArray[np.bool_]:
    """Whether each (our number, their number, orientation) shows the same in its two regions."""
    shown = [
        (region_thumbnail(apply_orientation(ours[a], orientation), own), region_thumbnail(theirs[b], other))
        for (a, b, orientation), (own, other) in zip(pairs.tolist(), regions.reshape(-1, 2, 4).tolist(), strict=True)
    ]
    numbers = np.arange(len(shown))
    return is_same_picture(
        np.array(shown).reshape(-1, *shown[0][0].shape), np.stack([2 * numbers, 2 * numbers + 1], axis=1), most
    )


def confirm_regions(ours: ReadPictures, theirs: ReadPictures, most: float) -> ConfirmRegions:
    """Decides for each (our row, their row, orientation) whether the two regions show the same."""

    def confirm(pairs: Indices, regions: Floats) -> npt.NDArray[np.bool_]:
        answers = [np.empty(0, dtype=np.bool_)]
        for start in range(0, len(pairs), _REGION_BLOCK):
            block = pairs[start : start + _REGION_BLOCK]
            (rows, left), (others, right) = (np.unique(block[:, side], return_inverse=True) for side in (0, 1))
            numbered = np.column_stack([left, right, block[:, 2]])
            some = regions[start : start + _REGION_BLOCK]
            answers.append(_is_same_region([*ours(rows)], [*theirs(others)], numbered, some, most))
        return np.concatenate(answers)

    return confirm


def confirm_pairs(ours: ReadPictures, most: float, theirs: ReadPictures) -> Confirm:
    """Decides for each (our row, their row, orientation) whether the first shows the second turned so.

    `most`: the mean error in grey levels that is still one picture.
    """

    def confirm(pairs: Indices) -> npt.NDArray[np.bool_]:
        blocks = [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]
        answers = [_confirm_block(block, ours, theirs, most) for block in blocks]
        return np.concatenate([np.empty(0, dtype=np.bool_), *answers])

    return confirm


def _confirm_block(pairs: Indices, ours: ReadPictures, theirs: ReadPictures, most: float) -> npt.NDArray[np.bool_]:
    rows, left = np.unique(pairs[:, 0], return_inverse=True)
    others, right = np.unique(pairs[:, 1], return_inverse=True)
    shown = [thumbnail(picture) for pictures, requested in ((ours, rows), (theirs, others)) for picture in pictures(requested)]
    numbers = np.stack([left, len(rows) + right], axis=1)
    return is_same_picture(np.stack(shown), np.column_stack([numbers, pairs[:, 2]]), most)
