"""Which further files decide what is read of a scene: masks, overviews, .aux.xml, world files, the sources of a VRT.

One idea: they are found when scenes are listed, so that a scene's sign of change covers them, a worker need not look for them,
and GDAL asks an object store for them only where there are some.

Locally GDAL's own list of a file's companions is followed by name
(https://gdal.org/en/stable/drivers/raster/gtiff.html#sidecar-files); of objects in a store those count that are called like the
scene's file with a suffix behind it (a.tif.msk). What a web server has beside a file cannot be known.
"""

from __future__ import annotations

import os
import posixpath
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress

import rasterio

from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.readers import gdal
from rsflow.readers.listing.mosaic_sources import check_sources

APPENDED = (".msk", ".aux.xml", ".ovr", ".msk.ovr")  # behind the whole name: a.tif.msk
REPLACED = (".aux", ".rpb", ".imd", ".pvl", ".tfw", ".tifw", ".tiffw", ".wld", ".j2w", ".jp2w", ".tab")  # for the suffix
SUFFIXED = ("_rpc.txt", "_metadata.txt", "_mtl.txt")  # behind the name without its suffix
WORLD_FILES = (".jgw", ".jpgw", ".jpegw", ".pgw", ".pngw", ".bpw", ".bmpw", ".prj")  # of pictures, for the suffix
VRT = ".vrt"
_PICTURES = (".tif", ".tiff", ".jp2", ".jpg", ".jpeg", ".png", ".bmp", ".webp")


def find_sidecars(files: Iterable[str], near: FolderListings, folders_up: int = 0, allow_outside: bool = False) -> list[str]:
    """The further files of a scene's files, sorted; those of a VRT's sources too. A VRT that may not be read (`check_sources`)
    has none, and what it names is not contacted: opening the scene reports it."""
    found: set[str] = set()
    own = set(files)
    left = [file for file in own if not file.lower().endswith(VRT) or _is_allowed(file, folders_up, allow_outside)]
    while left:
        place = left.pop()
        more = near.companions_of(place) + (_sources(place) if place.lower().endswith(VRT) else [])
        left += [each for each in more if each not in found | own and not _is_sidecar(each, place)]
        found.update(each for each in more if each not in own)
    return sorted(found)


def drop_sidecars(places: Sequence[str]) -> list[str]:
    """The files without those that belong to another of them, which a wide pattern finds too: a.tif.msk and a.tfw of a.tif."""
    among = {place.lower() for place in places}
    stems = {posixpath.splitext(place)[0] for place in among if place.endswith(_PICTURES)}

    def belongs(place: str) -> bool:
        appended = any(place.endswith(end) and place.removesuffix(end) in among for end in APPENDED)
        behind = any(place.endswith(end) and place.removesuffix(end) in stems for end in (*REPLACED, *WORLD_FILES, *SUFFIXED))
        return appended or behind

    return [place for place in places if not belongs(place.lower())]


class FolderListings:
    """What lies beside files, each folder (or pattern of a store) listed once."""

    def __init__(self) -> None:
        self._listed: dict[str, dict[str, list[str]]] = {}
        self._remote: dict[str, list[str]] = {}

    def add_remote(self, pattern: str) -> None:
        """List what is called like the pattern's files with a suffix behind it: one request, whatever their number."""
        for place in storage.glob(pattern + ".*"):
            name = next((place[: -len(end)] for end in sorted(APPENDED, key=len, reverse=True) if place.endswith(end)), None)
            if name:
                self._remote.setdefault(name, []).append(place)

    def companions_of(self, place: str) -> list[str]:
        if storage.is_remote(place):
            return self._remote.get(place, [])
        folder, name = posixpath.split(place.removeprefix("file://"))
        stem = posixpath.splitext(name)[0]
        candidates = {(name + end).lower() for end in APPENDED} | {(stem + end).lower() for end in (*REPLACED, *SUFFIXED)}
        names = self._names(folder)
        return [posixpath.join(folder, each) for low in candidates for each in names.get(low, ()) if each != name]

    def _names(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._listed:
            listed: dict[str, list[str]] = {}
            with storage.translate_errors(folder, "list"), suppress(FileNotFoundError, NotADirectoryError):
                for entry in os.listdir(folder or "."):
                    listed.setdefault(entry.lower(), []).append(entry)
            self._listed[folder] = listed
        return self._listed[folder]


def _is_allowed(file: str, folders_up: int, allow_outside: bool) -> bool:
    try:
        check_sources(file, folders_up, allow_outside)
    except DataError:
        return False
    return True


def _is_sidecar(place: str, of: str) -> bool:
    return place.startswith(of + ".")


def _sources(place: str) -> list[str]:
    """The files that a VRT is made of, as GDAL lists them; none where it is damaged: opening the scene reports that."""

    def files() -> Sequence[str]:
        with gdal.translate_errors(place), gdal.environment(place), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(gdal.gdal_path(place)) as dataset:
                found: Sequence[str] = dataset.files
                return found

    try:
        listed = gdal.with_retries(place, files)
    except DataError:
        return []
    return [each for each in map(gdal.place_from_gdal_path, listed) if each != place]
