"""The pictures of a cell's tiles: decoded once, with what of them is no fill, and their measured shifts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from rsflow.cells.registration import UNKNOWN_SHIFT, Shift, Structure, measure_shift, structure
from rsflow.errors import DataError
from rsflow.lake.tile_files import read_pictures
from rsflow.tiles.encode import decode

BLACK = 8  # levels up to which a pixel may be fill that JPEG changed
WHOLE = 0.999  # valid share from which a picture has no fill
SPECK_PX = 3  # dark spots smaller than this are no fill

NO_SHIFT = Shift(0.0, 0.0, 1.0)
Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class CellPictures:
    """The pictures of a cell's tiles by tile_id, their structure by size, and the shifts of pairs: searched up to `search_px`,
    known from `min_confidence` on."""

    def __init__(self, root: str, rows: dict[str, dict[str, Any]], search_px: int, min_confidence: float) -> None:
        self._rows, self._search_px, self._min_confidence = rows, search_px, min_confidence
        self._encoded = read_pictures(root, rows.values())
        self._decoded: dict[str, tuple[Picture, Mask] | None] = {}
        self._structures: dict[tuple[str, tuple[int, int]], Structure | None] = {}
        self._shifts: dict[tuple[str, str], Shift] = {}

    def shifts(self, names: list[str]) -> list[Shift]:
        """Of each tile against the first, in pixels of its own picture."""
        return [NO_SHIFT, *(self.shift(names[0], name) for name in names[1:])]

    def shift(self, first: str, other: str) -> Shift:
        """Of one tile against another, in pixels of its own picture."""
        if (first, other) not in self._shifts:
            self._shifts[first, other] = self._measure(first, other)
        return self._shifts[first, other]

    def picture(self, name: str) -> tuple[Picture, Mask] | None:
        """(picture, which of its pixels are no fill); None where it cannot be decoded."""
        if name not in self._decoded:
            try:
                picture = decode(self._encoded[name])
            except DataError:
                self._decoded[name] = None
            else:
                self._decoded[name] = (picture, _valid(picture, self._rows[name]["valid_share"]))
        return self._decoded[name]

    def _measure(self, first: str, other: str) -> Shift:
        sizes = [(self._rows[name]["height_px"], self._rows[name]["width_px"]) for name in (first, other)]
        common = min(sizes)
        pair = [self._structure(name, common) for name in (first, other)]
        if pair[0] is None or pair[1] is None:
            return UNKNOWN_SHIFT
        found = measure_shift(pair[0], pair[1], self._search_px)
        if found.dx_px is None or found.dy_px is None or found.confidence < self._min_confidence:
            return UNKNOWN_SHIFT
        scale = sizes[1][0] / common[0]
        return replace(found, dx_px=found.dx_px * scale, dy_px=found.dy_px * scale)

    def _structure(self, name: str, size: tuple[int, int]) -> Structure | None:
        """None where the picture cannot be decoded."""
        if (name, size) not in self._structures:
            found = self.picture(name)
            if found is None:
                self._structures[name, size] = None
            else:
                picture, valid = found
                grey = picture.astype(np.float32).mean(axis=2) if picture.ndim == 3 else picture.astype(np.float32)
                self._structures[name, size] = structure(_resized(grey, size), _resized(valid, size) > WHOLE)
        return self._structures[name, size]


def _valid(picture: npt.NDArray[np.uint8], valid_share: float) -> npt.NDArray[np.bool_]:
    """Which pixels are no fill: a written picture shows fill in black, and so may dark water be where there is none."""
    if valid_share >= WHOLE:
        return np.ones(picture.shape[:2], np.bool_)
    dark = (picture if picture.ndim == 2 else picture.max(axis=2)) <= BLACK
    return np.asarray(~ndimage.binary_opening(dark, iterations=SPECK_PX))


def _resized(plane: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """A plane (rows, cols) at another size, each pixel the mean of what it covers."""
    if plane.shape == size:
        return plane.astype(np.float32)
    image = Image.fromarray(plane.astype(np.float32))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BOX))
