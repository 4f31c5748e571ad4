"""Whether a vector file is all there, where GDAL reads what is left of a truncated one and reports nothing.

The blobs of an OpenStreetMap PBF must end with the file (https://wiki.openstreetmap.org/wiki/PBF_Format), an XML file with
the end of its root element, lines of GeoJSON with an object; a shapefile must be as long as its header says (ESRI Shapefile
Technical Description, 1998).
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

from rsflow.errors import ConfigError

_ROOT = re.compile(rb"<\s*([A-Za-z_][\w.:-]*)[\s>]")
_EDGE_BYTES = 4096  # of a file that are inspected


def check_whole(path: str) -> None:
    """ConfigError where a local file is empty, or one of these formats and truncated."""
    if not os.path.getsize(path):
        raise ConfigError(f"{path}: is empty: it has 0 bytes; fetch it again")
    for endings, check in _CHECKS.items():
        if path.lower().endswith(endings):
            check(path)


def _check_xml_end(path: str) -> None:
    """ConfigError where the file does not end with the end of its root element."""
    with open(path, "rb") as stream:
        root = _ROOT.search(re.sub(rb"<!--.*?-->|<[?!][^>]*>", b"", stream.read(_EDGE_BYTES), flags=re.DOTALL))
    if root is None:
        raise ConfigError(f"{path}: is no XML file: fetch it again")
    end = rb"</\s*" + re.escape(root[1]) + rb"\s*>\s*(<!--.*?-->\s*)*$"
    if not re.search(end, _tail(path), flags=re.DOTALL):
        raise ConfigError(f"{path}: is truncated: it does not end with </{root[1].decode()}>; fetch it again")


def _check_pbf(path: str) -> None:
    """ConfigError where the file ends within one of its blobs."""
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        at = 0
        while at < size:
            head = stream.read(4)
            length = struct.unpack(">I", head)[0] if len(head) == 4 else 0
            header = stream.read(length) if 0 < length <= 64 * 1024 else b""
            data = _data_size(header)
            if len(header) != length or data is None:
                raise ConfigError(f"{path}: is no OpenStreetMap PBF, or damaged at byte {at:,}: fetch it again")
            if at + 4 + length + data > size:
                raise ConfigError(
                    f"{path}: is truncated: it has {size:,} bytes, its last block ends at {at + 4 + length + data:,}"
                )
            at = stream.seek(data, os.SEEK_CUR)


def _data_size(header: bytes) -> int | None:
    """`datasize` (field 3) of a BlobHeader message."""
    at = 0
    while at < len(header):
        tag, at = _varint(header, at)
        value, at = _varint(header, at)
        if tag >> 3 == 3:
            return value
        at += value if tag & 7 == 2 else 0
    return None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            break
    return value, at


def _check_shapefile(path: str) -> None:
    with open(path, "rb") as stream:
        header = stream.read(28)
    stem = os.path.splitext(path)[0]
    if not any(os.path.exists(stem + ending) for ending in (".shx", ".SHX")):
        raise ConfigError(
            f"{path}: has no {os.path.basename(stem)}.shx beside it, which says where its features begin: fetch that too "
            "(or make it again: ogrinfo --config SHAPE_RESTORE_SHX YES)"
        )
    stated = 2 * struct.unpack(">I", header[24:])[0] if len(header) == 28 else 100
    if stated > os.path.getsize(path):
        raise ConfigError(f"{path}: is truncated: it has {os.path.getsize(path):,} bytes, its header says {stated:,}")


def _check_archive(path: str) -> None:
    if not zipfile.is_zipfile(path):
        raise ConfigError(f"{path}: is no zip archive, or truncated: fetch it again")


def _check_gzip(path: str) -> None:
    with gzip.open(path) as stream:
        try:
            while stream.read(1 << 20):
                pass
        except (OSError, EOFError, zlib.error) as error:
            raise ConfigError(f"{path}: is no gzip file, or truncated: {error}; fetch it again") from error


def _check_lines(path: str) -> None:
    tail = _tail(path).rstrip(b"\x1e\r\n\t ")
    if tail and not tail.endswith(b"}"):
        raise ConfigError(f"{path}: is truncated: its last line is no whole object")


def _tail(path: str) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(max(0, os.path.getsize(path) - _EDGE_BYTES))
        return stream.read()


_CHECKS: dict[tuple[str, ...], Callable[[str], None]] = {
    (".pbf",): _check_pbf,
    (".osm", ".gml", ".kml"): _check_xml_end,
    (".shp",): _check_shapefile,
    (".zip", ".kmz", ".shz"): _check_archive,
    (".gz",): _check_gzip,
    (".geojsonl", ".geojsons", ".ndjson", ".jsonl"): _check_lines,
}
