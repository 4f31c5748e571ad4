"""What a virtual raster names: the files behind a VRT must lie below the folder that the user gave.

One idea: a VRT is read as XML before GDAL opens it, because GDAL follows what it names without asking: other folders,
`/vsicurl/` addresses, drivers' own spellings (`NETCDF:"/a/b.nc":v`), VRTs in VRTs. Every text that may be a file is held to
rsflow.files.data_paths. Detected by content, not by ending. Refused without `allow_outside`: what leads out, service
descriptions (WMS, tile indexes), which are addresses, and XML with entities
(https://gdal.org/en/stable/drivers/raster/vrt.html).
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator

from rsflow.errors import DataError, StorageError
from rsflow.files import storage
from rsflow.files.data_paths import resolve_below
from rsflow.files.xml_document import XmlError, parse_xml

_SWITCH = "if it is meant, set allow_outside: true beside its `files`"
MOST = 64 << 20  # bytes of a VRT's XML
DEEPEST = 8  # VRTs in VRTs
_START = 512
_VIRTUAL = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(VRTDataset|GDAL_W\w+|GDALTileIndexDataset)\b", re.DOTALL
)
_FILES = frozenset(["SourceFilename", "SourceDataset", "SourceRaster", "SrcDSName", "Filename", "CutlineDS", "DataSource"])
_DRIVER = re.compile(r"^([A-Za-z][A-Za-z0-9_]+):(?!//)")  # NETCDF:"a.nc":v, GTIFF_DIR:1:a.tif
# Drivers whose names hold one file. All others (WMS, PG, MEM, STACIT ...) name addresses, databases or memory.
_OF_FILES = frozenset(
    [
        *("bag", "derived_subdataset", "gpkg", "gtiff_dir", "gtiff_raw", "hdf4", "hdf4_eos", "hdf4_sds", "hdf5", "hdf5image"),
        *("netcdf", "nitf_im", "radarsat_2_calib", "rcm_calib", "rasterlite", "sentinel1_calib", "sentinel2_l1b"),
        *("sentinel2_l1c", "sentinel2_l1c_tile", "sentinel2_l2a", "zarr"),
    ]
)
_NETWORK = (("/vsis3/", "s3://"), ("/vsicurl/", ""))
_PATH_LIKE = re.compile(r"^\s*(?:/|\.\.?[/\\]|[A-Za-z]:[\\/]|[A-Za-z0-9+.-]+://)|[/\\]\.\.[/\\]")


def check_sources(place: str, folders_up: int = 0, allow_outside: bool = False) -> None:
    """DataError `path_outside` where the file at `place` is a virtual raster that names a file outside.

    Outside is what is not below the folder `folders_up` above the file's own. Nothing for every other kind of file.
    """
    if not allow_outside:
        folder = posixpath.dirname(place) or "."
        for _ in range(folders_up):
            folder = posixpath.dirname(folder)
        _check(place, folder, 0)


def _check(place: str, folder: str, depth: int) -> None:
    kind = _virtual(place)
    if kind is None:
        return
    if kind != "VRTDataset":
        raise DataError("path_outside", f"{place}: is a {kind}, which names addresses; {_SWITCH}")
    if depth >= DEEPEST:
        raise DataError("unreadable", f"{place}: is a VRT in {depth} VRTs, expected at most {DEEPEST}")
    for name, relative in _named(place):
        base = posixpath.dirname(place) if relative else ""
        try:
            below = resolve_below(folder, _absolute(_file_of(name), base, folder))
        except DataError as error:
            raise DataError(error.reason, f"{place}: {error.detail}") from error
        if storage.exists(below):
            _check(below, folder, depth + 1)


def _absolute(name: str, base: str, folder: str) -> str:
    """A source's name as it is found: from the VRT's folder where it is relative to it, else from the working folder."""
    for sign, scheme in _NETWORK:
        if name.startswith(sign) and storage.is_remote(folder):
            return scheme + name.removeprefix(sign)
    if posixpath.isabs(name) or "://" in name:
        return name
    whole = posixpath.join(base, name)
    return whole if storage.is_remote(whole) else os.path.abspath(whole)


def _virtual(place: str) -> str | None:
    try:
        match = _VIRTUAL.match(storage.read_bytes(place, 0, _START))
    except StorageError:
        return None  # the reader that opens the file reports that it cannot be read
    return match[1].decode() if match else None


def _named(place: str) -> Iterator[tuple[str, bool]]:
    """(name, whether it is relative to the VRT) of everything in the VRT that may be a file."""
    data = storage.read_bytes(place, 0, MOST)
    try:
        root = parse_xml(data)
    except XmlError as error:
        raise DataError("path_outside" if error.is_unsafe else "unreadable", f"{place}: {error}") from error
    for element in root.iter():
        text = (element.text or "").strip()
        if element.tag in _FILES and text:
            relative = element.get("relativeToVRT", element.get("relativetoVRT", "0")) == "1"
            yield text, relative
        elif element.tag in {"Argument", "Option", "OOI", "MDI"} and _PATH_LIKE.search(text):
            yield text, False


def _file_of(name: str) -> str:
    """The file in a driver's spelling of a part of a file; the name itself where it is a plain path."""
    if name.startswith("<"):
        raise DataError("path_outside", "a source is itself a virtual raster in text, expected a file")
    driver = _DRIVER.match(name)
    if not driver:
        return name
    parts = (part for part in re.split(r'[:"]', name)[1:] if "/" in part or "." in part or "\\" in part)
    found = next(parts, "") if driver[1].lower() in _OF_FILES else ""
    if not found:
        raise DataError("path_outside", f"{name!r} is of driver {driver[1]}, expected a file; {_SWITCH}")
    return found
