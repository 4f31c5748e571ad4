"""The pictures that a set names: there or not, whole or not, how large, and the same one under another name.

One idea: each picture is read once, by a few threads, and leaves sixteen bytes behind: its size, and a digest of its bytes.
Whole means decoded: a header may be fine where the data ends early. A path is looked for below the folder as it is spelled,
then by its last part, for sets lose and gain folders as they travel.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import simplejpeg
from PIL import Image

from rsflow.audit.report import Report
from rsflow.errors import DataError, StorageError
from rsflow.files import storage
from rsflow.files.data_paths import resolve_below
from rsflow.imports.box_formats import Size
from rsflow.readers import open_scene
from rsflow.records import SceneFiles

THREADS = 8
DECIMATED_PX = 1024
_RASTERS = (".tif", ".tiff", ".jp2")

T = TypeVar("T")

# Scenes of an archive are larger than Pillow's guard against bombs allows; a header that lies costs one failed decoding.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Inspected:
    """`fault`: (reason, detail), or None for a whole picture, which then has a size."""

    size: Size | None
    digest: bytes
    fault: tuple[str, str] | None = None


@dataclass
class Pictures:
    """The pictures below a folder, as far as they were asked for. `report` gets each fault once.

    `locate` gives the place of a picture by the name that the set has for it, or None.
    """

    folder: str
    report: Report
    locate: Callable[[str, str], str | None] = field(default_factory=lambda: locate_picture)
    _sizes: dict[int, Size | None] = field(default_factory=dict)
    _first: dict[bytes, str] = field(default_factory=dict)

    def size(self, name: str) -> Size | None:
        """The size of a picture that `look` has seen; None where it is missing or unreadable."""
        return self._sizes.get(_key(name))

    def inspect(self, named: Iterable[tuple[str, str]], pool: ThreadPoolExecutor) -> None:
        """Inspect the pictures of these (where, name) pairs that were not seen before, and report what is wrong with them."""
        fresh = {name: where for where, name in named if _key(name) not in self._sizes}
        for (name, where), found in zip(fresh.items(), pool.map(self._inspect, fresh), strict=True):
            self._sizes[_key(name)] = found.size
            self.report.count_inspected("pictures")
            if found.fault:
                self.report.add(found.fault[0], where, found.fault[1])
            else:
                self._once(where, name, found.digest)

    def _once(self, where: str, name: str, digest: bytes) -> None:
        first = self._first.setdefault(digest, name)
        if first != name:
            self.report.add("repeated_picture", where, f"{name} has the same bytes as {first}")

    def _inspect(self, name: str) -> Inspected:
        try:
            place = self.locate(self.folder, name)
            if place is None:
                return Inspected(None, b"", ("missing_picture", f"{name} is not below {self.folder}"))
            data = storage.read_bytes(place)
            size = _raster(place) if place.lower().endswith(_RASTERS) else _decoded(data)
            return Inspected(size, hashlib.blake2b(data, digest_size=16).digest())
        except DataError as error:
            reason = "path_outside" if error.reason == "path_outside" else "unreadable_picture"
            return Inspected(None, b"", (reason, error.detail))
        except (StorageError, ValueError, OSError, SyntaxError) as error:  # SyntaxError: Pillow, of a broken PNG
            return Inspected(None, b"", ("unreadable_picture", f"{name}: {error}"))


def locate_picture(folder: str, name: str, allow_outside: bool = False) -> str | None:
    """Where the picture is: below the folder as spelled, or by its last part; None where it is neither.

    DataError `path_outside` where the name leads out of the folder.
    """
    spelled = resolve_below(folder, name, allow_outside)
    if storage.exists(spelled):
        return spelled
    last = resolve_below(folder, os.path.basename(name.replace("\\", "/")), allow_outside)
    return last if storage.exists(last) else None


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _decoded(data: bytes) -> Size:
    """(height_px, width_px) of a picture that decodes to its end. ValueError, OSError or SyntaxError where it does not."""
    if data[:2] == b"\xff\xd8":
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        # An eighth of the size: all of the data is read, little of it is computed. The size counts as whole rows of blocks.
        simplejpeg.decode_jpeg(data, min_height=max(1, height // 8), min_width=max(1, width // 8))
        return height, width
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
        image.load()
        return height, width


def _raster(place: str) -> Size:
    """The same of what Pillow knows too little of (many bands, 16 bits), read decimated by the reader that a build uses."""
    with open_scene(SceneFiles("audit", "audit", "optical", "geotiff", {"": place})) as reader:
        reader.overview(DECIMATED_PX)
        return reader.info.height_px, reader.info.width_px


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
