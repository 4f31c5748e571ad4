"""Readers: one file per scene format, behind one contract (rsflow.readers.contract).

To add a format: write a module with an opener that takes SceneFiles and returns a SceneReader, and name it in READERS.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from rsflow.errors import DataError
from rsflow.plugins import PluginTable
from rsflow.readers.band_files import open_bands
from rsflow.readers.contract import SceneInfo, SceneReader
from rsflow.readers.geotiff import open_geotiff
from rsflow.readers.picture import open_picture
from rsflow.readers.scene_listing import list_scenes
from rsflow.records import SceneFiles

__all__ = ["READERS", "SceneInfo", "SceneReader", "list_scenes", "open_scene", "select_reader"]

READERS: PluginTable[Callable[[SceneFiles], SceneReader]] = PluginTable(
    "rsflow.readers",
    {
        "geotiff": open_geotiff,
        "bands": open_bands,
        "picture": open_picture,
    },
)

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
    """Open a scene with its reader. Raises DataError where it cannot be opened."""
    return READERS[select_reader(files)](files)


def _name(place: str) -> str:
    # An address may carry a query (a signature) after the file's name.
    return (urlsplit(place).path if place.startswith(("http://", "https://")) else place).lower()
