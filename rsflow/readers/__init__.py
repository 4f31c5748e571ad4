"""Readers: one file per scene format, behind one contract (rsflow.readers.contract).

To add a format: write a module with an opener that takes SceneFiles and returns a SceneReader, and name it in READERS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from rsflow.cells.target_grid import TargetGrid
from rsflow.errors import DataError
from rsflow.plugins import PluginTable
from rsflow.readers.band_files import open_bands
from rsflow.readers.contract import SceneInfo, SceneReader
from rsflow.readers.geotiff import open_geotiff
from rsflow.readers.listing.scene_listing import list_scenes
from rsflow.readers.picture import open_picture
from rsflow.readers.reduced_scene import ReducedScene
from rsflow.readers.warped_scene import WarpedScene
from rsflow.records import SceneFiles

__all__ = ["GRID", "READERS", "REDUCED", "SceneInfo", "SceneReader", "list_scenes", "open_scene", "select_reader"]

READERS: PluginTable[Callable[[SceneFiles], SceneReader]] = PluginTable(
    "rsflow.readers",
    {
        "geotiff": open_geotiff,
        "bands": open_bands,
        "picture": open_picture,
    },
)

# The option of a scene that is warped: {"target": a TargetGrid, "resampling": …, "is_whole": whether one tile shows all of it}.
GRID = "grid"

# The option of a scene at a coarser scale: {"factor": how many times, "scale": which scale of its files that is}.
REDUCED = "reduced"

SUFFIXES = {
    **dict.fromkeys((".tif", ".tiff", ".jp2", ".vrt"), "geotiff"),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".webp"), "picture"),
}


def select_reader(files: SceneFiles) -> str:
    """The key in READERS that opens a scene: its own, or for "auto" by what its files are called."""
    if files.reader != "auto":
        return files.reader
    if set(files.files) != {""}:
        return "bands"
    name = _name(files.files[""])
    for suffix, reader in SUFFIXES.items():
        if name.endswith(suffix):
            return reader
    raise DataError("unsupported", f"{files.files['']}: no reader for this suffix (known: {', '.join(SUFFIXES)}); set `reader`")


def open_scene(files: SceneFiles) -> SceneReader:
    """Open a scene with its reader, on the ground grid (GRID) or at the coarser scale (REDUCED) that its options name.

    Raises DataError where it cannot be opened.
    """
    grid = files.options.get(GRID)
    if grid is None and REDUCED not in files.options:
        return READERS[select_reader(files)](files)
    options = {name: value for name, value in files.options.items() if name not in {GRID, REDUCED}}
    stored = open_scene(replace(files, options=options))
    try:
        if grid is not None:
            return WarpedScene(stored, TargetGrid(**grid["target"]), grid["resampling"])
        return ReducedScene(stored, files.options[REDUCED]["factor"])
    except BaseException:
        stored.close()
        raise


def _name(place: str) -> str:
    # An address may carry a query (a signature) after the file's name.
    return (urlsplit(place).path if place.startswith(("http://", "https://")) else place).lower()
