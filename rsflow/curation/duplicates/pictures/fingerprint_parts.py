"""Parts of pictures in fingerprints: keypoints by which tiles are recognised that show a crop of a held-out picture.

One idea: a fingerprint holds the keypoints of the whole picture and, where it is much larger than a tile, of windows of it, and
each is compared with the tiles as two splits are (`pairs.partial_overlap`). The pixels decide where the pictures are available;
where only fingerprints are, more keypoints must agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.pairs.partial_overlap import (
    MIN_AGREEING,
    ConfirmRegions,
    Floats,
    KeypointSets,
    find_overlaps,
    tile_keypoints,
)
from rsflow.curation.duplicates.pictures.image_signature import Picture
from rsflow.curation.duplicates.pictures.keypoints import find_keypoints, pack_positions
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS
from rsflow.curation.task_runner import LOCAL_RUNNER

PART = pa.struct(
    [
        *((name, pa.int32()) for name in ("left", "top", "width_px", "height_px")),
        ("keypoints", pa.list_(pa.int32())),  # packed positions, see rsflow.curation.duplicates.pictures.keypoints
        ("keypoint_codes", pa.list_(pa.int64())),
    ]
)
WINDOW_PX = 512  # a picture with a longer side has windows of this size beside the whole, each shifted by half
MIN_UNCONFIRMED = 6  # keypoints that must agree where no pixels can be compared

Flags = npt.NDArray[np.bool_]


def describe_parts(picture: Picture) -> list[dict[str, Any]]:
    """The parts (PART) of a picture: the whole, and of a large one its windows."""
    height, width = picture.shape[:2]
    places = [(0, 0, width, height)]
    if max(height, width) > WINDOW_PX:
        places += [
            (left, top, min(WINDOW_PX, width - left), min(WINDOW_PX, height - top))
            for top in _window_starts(height)
            for left in _window_starts(width)
        ]
    return [_describe_part(picture, *place) for place in places]


def crop_part(picture: Picture, part: dict[str, int]) -> Picture:
    """What a part shows."""
    top, left = part["top"], part["left"]
    return picture[top : top + part["height_px"], left : left + part["width_px"]]


def tiles_showing_parts(
    tiles: pa.Table, rows: Indices, grounded: tuple[Flags, Flags], prints: pa.Table, confirm: ConfirmRegions | None
) -> Indices:
    """Of `rows` of tiles those that have a part in common with a picture of `prints`.

    `grounded`: of all tiles and all prints, whether their ground is known; two such are compared by ground alone. `confirm`
    gets (n, 3) number of the part among all parts, tile row, orientation, with the regions; None where there are no pixels.
    """
    theirs, owner = _part_keypoints(prints)
    ours = tile_keypoints(tiles, rows)
    if ours is None or not len(owner) or not len(rows):
        return np.empty(0, dtype=np.int64)
    count = len(owner)

    def confirm_parts(pairs: Indices, regions: Floats) -> Flags:
        if confirm is None:
            return np.ones(len(pairs), dtype=np.bool_)
        return confirm(np.column_stack([pairs[:, 0], rows[pairs[:, 1] - count], pairs[:, 2]]), regions)

    found = find_overlaps(
        _concatenate(theirs, ours),
        np.arange(count),
        count + np.arange(len(rows)),
        np.concatenate([grounded[1][owner], grounded[0][rows]]),
        confirm_parts,
        ORIENTATIONS,
        LOCAL_RUNNER,
        MIN_AGREEING if confirm else MIN_UNCONFIRMED,
    )
    return np.unique(rows[found[:, 1] - count])


def iter_parts(prints: pa.Table) -> Iterator[tuple[int, dict[str, Any]]]:
    """(row, part) of all parts of fingerprints, in the order of their numbers."""
    places = [pa.field(name, pa.int32()) for name in ("left", "top", "width_px", "height_px")]
    owner, parts = _flatten_parts(prints)
    columns = [parts.field(place.name) for place in places]
    yield from zip(owner.tolist(), pa.StructArray.from_arrays(columns, fields=places).to_pylist(), strict=True)


def _window_starts(side: int) -> range:
    return range(0, max(side - WINDOW_PX // 2, 1), WINDOW_PX // 2)


def _describe_part(picture: Picture, left: int, top: int, width: int, height: int) -> dict[str, Any]:
    place = {"left": left, "top": top, "width_px": width, "height_px": height}
    positions, codes = find_keypoints(np.ascontiguousarray(crop_part(picture, place)))
    return {**place, "keypoints": pack_positions(positions), "keypoint_codes": codes.view(np.int64)}


def _flatten_parts(prints: pa.Table) -> tuple[Indices, pa.StructArray]:
    lists = prints["parts"].combine_chunks()
    return np.asarray(pc.list_parent_indices(lists)).astype(np.int64), lists.flatten()


def _part_keypoints(prints: pa.Table) -> tuple[KeypointSets, Indices]:
    owner, parts = _flatten_parts(prints)
    positions, codes = parts.field("keypoints"), parts.field("keypoint_codes")
    counts = np.asarray(pc.list_value_length(positions), dtype=np.int64)
    sizes = np.stack([np.asarray(parts.field(name), dtype=np.int64) for name in ("height_px", "width_px")], axis=1)
    numbers = np.asarray(codes.flatten(), dtype=np.int64).view(np.uint64)
    return KeypointSets.build(counts, np.asarray(positions.flatten(), dtype=np.int32), numbers, sizes), owner


def _concatenate(first: KeypointSets, second: KeypointSets) -> KeypointSets:
    return KeypointSets(
        np.concatenate([first.starts, first.starts[-1] + second.starts[1:]]),
        np.concatenate([first.positions, second.positions]),
        np.concatenate([first.codes, second.codes]),
        np.concatenate([first.heights, second.heights]),
        np.concatenate([first.widths, second.widths]),
    )
