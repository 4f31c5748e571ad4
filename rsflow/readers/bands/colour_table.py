"""Files of one band whose numbers are entries of a colour table: the colours are looked up, which makes a picture of them.

Entries that are wholly transparent, and numbers beyond the table, have no value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.enums import ColorInterp

COLOURS = ("red", "green", "blue")
# How GDAL makes overviews of a colour table by its entries or their colours; other ways mix the numbers.
KEEP_COLOURS = frozenset({"NEAREST", "MODE", "AVERAGE", "GAUSS", "RMS"})


@dataclass(frozen=True, slots=True)
class ColourTable:
    """`entries` (numbers, 4): red, green, blue, alpha of each number. `bands`: names of the looked-up bands, of COLOURS.

    `index`: the band of the file that holds the numbers, from 1.
    """

    entries: npt.NDArray[np.uint8]
    bands: tuple[str, ...]
    index: int

    def apply(
        self, numbers: npt.NDArray[Any], valid: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """Pixels (bands, rows, cols) and which are valid, from numbers (rows, cols)."""
        inside = (numbers >= 0) & (numbers < len(self.entries))
        colours = self.entries[np.where(inside, numbers, 0)]
        chosen = colours[:, :, [COLOURS.index(band) for band in self.bands]]
        return np.ascontiguousarray(chosen.transpose(2, 0, 1)), valid & inside & (colours[:, :, 3] > 0)


def read_colour_table(dataset: Any, requested: dict[str, int] | None) -> ColourTable | None:
    """The table of an open rasterio dataset with one such band; None where there is none, or the source wants other bands."""
    names = tuple(requested) if requested else COLOURS
    kinds = [kind for kind in dataset.colorinterp if kind != ColorInterp.alpha]
    if kinds != [ColorInterp.palette] or not set(names) <= set(COLOURS):
        return None
    index = list(dataset.colorinterp).index(ColorInterp.palette) + 1
    table = dataset.colormap(index)
    entries = np.zeros((max(table) + 1, 4), np.uint8)
    for number, colour in table.items():
        entries[number] = colour
    return ColourTable(entries, names, index)


def keeps_colours(overview: Any, index: int) -> bool:
    """Whether the numbers of a dataset that is an overview are entries of its colour table, as far as it states how they were
    made, which recent versions of GDAL note."""
    return overview.tags(index).get("RESAMPLING") in KEEP_COLOURS
