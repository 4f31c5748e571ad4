"""Looking at pictures: whether pairs that signatures propose show one picture.

One idea: pictures are read a block of pairs at a time, shrunk to thumbnails at once and forgotten; what is compared is
`rsflow.curation.duplicates.alike`, with the other picture turned as the pair says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.curation.candidates import Confirm
from rsflow.curation.duplicates import alike
from rsflow.curation.groups import Indices
from rsflow.curation.signature import Picture, thumbnail
from rsflow.lake.pictures import read_pictures
from rsflow.lake.tables import Lake
from rsflow.tiles.encode import decode

PicturesOf = Callable[[Indices], Iterable[Picture]]

PLACE = ["tile_id", "file", "row_group", "row"]  # the columns that say where a tile's picture lies

_BLOCK = 2048


def tile_pictures(lake: Lake, tiles: pa.Table) -> PicturesOf:
    """Reads the pictures of rows of `tiles`, which has the columns PLACE."""
    places = tiles.select(PLACE)

    def pictures(rows: Indices) -> Iterator[Picture]:
        asked = places.take(pa.array(rows)).to_pylist()
        found = read_pictures(lake.root, asked)
        return (decode(found[row["tile_id"]]) for row in asked)

    return pictures


def confirmation(ours: PicturesOf, most: float, theirs: PicturesOf | None = None) -> Confirm:
    """Tells for each (our row, their row, orientation) whether the first shows the second turned so.

    Without `theirs` both rows are ours. `most`: the mean error in grey levels that is still one picture.
    """

    def confirm(pairs: Indices) -> npt.NDArray[np.bool_]:
        blocks = [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]
        answers = [_confirmed(block, ours, theirs, most) for block in blocks]
        return np.concatenate([np.empty(0, dtype=np.bool_), *answers])

    return confirm


def _confirmed(pairs: Indices, ours: PicturesOf, theirs: PicturesOf | None, most: float) -> npt.NDArray[np.bool_]:
    if theirs is None:
        rows, places = np.unique(pairs[:, :2], return_inverse=True)
        shown, numbers = [thumbnail(picture) for picture in ours(rows)], places.reshape(-1, 2)
    else:
        rows, left = np.unique(pairs[:, 0], return_inverse=True)
        others, right = np.unique(pairs[:, 1], return_inverse=True)
        shown = [thumbnail(picture) for pictures, asked in ((ours, rows), (theirs, others)) for picture in pictures(asked)]
        numbers = np.stack([left, len(rows) + right], axis=1)
    return alike(np.stack(shown), np.column_stack([numbers, pairs[:, 2]]), most)
