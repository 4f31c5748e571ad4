"""What a raster on the ground that is no picture holds: classes of a shipped legend, or a quantity such as elevation.

One idea: names propose, values decide. A class raster is proposed only where all of its values are in the legend that its name
or folder names; a quantity only where the raster has a place on the ground.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsflow.errors import DataError, RsflowError
from rsflow.ground.categories.legends import LEGENDS
from rsflow.readers import open_scene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window

WHOLE_PX = 1 << 26  # pixels of a raster that is read whole; of a larger one
WINDOW_PX, WINDOWS = 1024, 8  # so many windows of this size along each side are
_LEGEND_NAMES = {
    "worldcover": r"world_?cover",
    "dynamic_world": r"dynamic_?world",
    "terramesh": r"terramesh",
    "nlcd": r"nlcd",
    "corine": r"corine|(?<![a-z])clc(?![a-z])",
    "cdl": r"(?<![a-z])cdls?(?![a-z])|cropscape",
    "esri": r"(?<![a-z])(?:esri|io)[_-]?(?:lulc|land_?cover)",
}
_QUANTITIES = {
    r"dem|dtm|srtm|ned|elev|elevation": ("elevation", "m"),
    r"dsm": ("surface elevation", "m"),
    r"chm|canopy": ("canopy height", "m"),
    r"hag": ("height above the ground", "m"),
    r"slope": ("slope", "degrees"),
}


@dataclass(frozen=True, slots=True)
class RasterMeaning:
    """`format`: cover or field, with its options, and what to ask about it."""

    format: str
    options: dict[str, Any]
    questions: tuple[str, ...]


def raster_options(path: str) -> RasterMeaning | None:
    """What the raster means, or None where that is not known."""
    name = "/".join(path.lower().split("/")[-3:])
    for legend, words in _LEGEND_NAMES.items():
        if re.search(words, name):
            return RasterMeaning("cover", {"legend": legend}, ()) if _values(path) <= set(LEGENDS[legend]) else None
    stem = posixpath.splitext(posixpath.basename(path))[0].lower()
    folder = posixpath.basename(posixpath.dirname(path)).lower()
    for words, (quantity, unit) in _QUANTITIES.items():
        if re.search(rf"(?<![a-z])(?:{words})(?![a-z])", stem) or re.fullmatch(words, folder):
            question = f"does it hold {quantity}, in {unit}?"
            return RasterMeaning("field", {"quantity": quantity, "unit": unit}, (question,)) if _values(path) else None
    return None


def _values(path: str) -> set[int]:
    """The values of the raster's first band, those with no data left out; empty where it cannot be read or has no place."""
    try:
        with open_scene(SceneFiles("draft.scene", "draft", "optical", "auto", {"": path}, {})) as reader:
            info = reader.info
            if not info.footprint:
                return set()
            rasters = [reader.read(window) for window in _windows(info.height_px, info.width_px)]
    except (DataError, RsflowError):
        return set()
    parts = [raster.pixels[0][raster.valid] for raster in rasters]
    return {int(value) for part in parts for value in np.unique(part[np.isfinite(part)])}


def _windows(height_px: int, width_px: int) -> list[Window]:
    """The whole of a raster, or windows spread over it."""
    if height_px * width_px <= WHOLE_PX:
        return [Window(0, 0, height_px, width_px)]
    high, wide = min(WINDOW_PX, height_px), min(WINDOW_PX, width_px)
    rows, cols = (np.linspace(0, size - part, WINDOWS).astype(int) for size, part in ((height_px, high), (width_px, wide)))
    return [Window(int(row), int(col), high, wide) for row in rows for col in cols]
