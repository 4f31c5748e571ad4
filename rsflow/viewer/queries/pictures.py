"""The encoded pictures of samples, read out of tile files by row.

One idea: the pictures of one row group are read together, as the page asks for neighbours next; the last ones are kept.
Rejected tiles are in no file, and are cut from their scenes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, NamedTuple

from rsflow.errors import UsageError
from rsflow.lake.tile_files import read_pictures
from rsflow.viewer.index.index import SampleIndex

MOST_BYTES = 256 * 2**20

MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}

_PLACES = """
SELECT o.tile_id, o.key, o.file, o.row_group, o.row, o.picture_format, lower(hex(o.sha256)) AS picture_sha256
FROM samples s JOIN samples o ON o.file = s.file AND o.row_group = s.row_group WHERE s.key = $key
"""


class Picture(NamedTuple):
    data: bytes
    media_type: str
    sha256: str


def rejected_picture(index: SampleIndex, n: int) -> bytes:
    """The JPEG of the rejected tile with this number. UsageError where it is no tile, or its scene is not at hand."""
    found = index.rows("SELECT scene_id, subject FROM rejects WHERE n = $n AND kind = 'tile'", {"n": n})
    if not found:
        raise UsageError(f"reject {n} is no tile of this lake")
    return index.receipts.scenes.cut(found[0]["scene_id"], found[0]["subject"])


class Pictures:
    """Pictures by sample key; at most MOST_BYTES are held."""

    def __init__(self, index: SampleIndex) -> None:
        self._index = index
        self._held: OrderedDict[str, Picture] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def read(self, key: str) -> Picture:
        """The picture of a sample. UsageError where there is no such sample, DamagedFileError where its file is damaged."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        places = self._index.rows(_PLACES, {"key": key})
        if not places:
            raise UsageError(f"this lake has no sample with the key {key!r}")
        found = read_pictures(self._index.lake.root, places)
        with self._lock:
            for place in places:
                self._hold(place, found[place["tile_id"]])
            return self._held[key]

    def _hold(self, place: dict[str, Any], data: bytes) -> None:
        if place["key"] in self._held:
            return
        self._held[place["key"]] = Picture(data, MEDIA_TYPES[place["picture_format"]], place["picture_sha256"])
        self._bytes += len(data)
        while self._bytes > MOST_BYTES and len(self._held) > 1:
            self._bytes -= len(self._held.popitem(last=False)[1].data)
