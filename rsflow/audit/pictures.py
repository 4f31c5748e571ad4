"""The pictures that a set names: there or not, whole or not, how large, and the same one under another name.

Each picture is read once, by a few threads; kept are its size and a digest of its bytes. Whole means decoded: a header may be
fine where the data ends early.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import simplejpeg
from PIL import Image

from rsflow.audit.report import Report
from rsflow.errors import DataError, StorageError
from rsflow.files import storage
from rsflow.imports.box_formats import Size
from rsflow.imports.picture_size import upright_size
from rsflow.readers import open_scene
from rsflow.records import SceneFiles

THREADS = 8
DECIMATED_PX = 1024
_NAME_FAULTS = frozenset(["path_outside", "ambiguous_picture"])
_RASTERS = (".tif", ".tiff", ".jp2")

T = TypeVar("T")

# Scenes of an archive are larger than Pillow's guard against bombs allows; a header that lies costs one failed decoding.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class InspectedPicture:
    """`fault`: (reason, detail), or None for a whole picture, which then has a size."""

    size: Size | None
    digest: bytes
    fault: tuple[str, str] | None = None


@dataclass
class Pictures:
    """The pictures that were inspected so far. `report` gets each fault once.

    `locate` gives the place of a picture by the name that the set has for it, or None (rsflow.imports.picture_finder). Without
    it only pictures that lie in the set's own file are inspected.
    """

    report: Report
    locate: Callable[[str], str | None] | None
    _sizes: dict[int, Size | None] = field(default_factory=dict)
    _first: dict[bytes, str] = field(default_factory=dict)

    def size(self, name: str) -> Size | None:
        """The size of a picture that `inspect` was given; None where it is missing or unreadable."""
        return self._sizes.get(_key(name))

    def inspect(self, named: Iterable[tuple[str, str]], pool: ThreadPoolExecutor, embedded: Mapping[str, bytes]) -> None:
        """Inspect the pictures of these (where, name) pairs that were not seen before, and report what is wrong with them.
        `embedded`: the bytes, by name, of those that lie in the set's own file."""
        fresh = {name: where for where, name in named if _key(name) not in self._sizes}
        if self.locate is None:
            fresh = {name: where for name, where in fresh.items() if name in embedded}
        found_pictures = pool.map(lambda name: self._inspect(name, embedded.get(name)), fresh)
        for (name, where), found in zip(fresh.items(), found_pictures, strict=True):
            self._sizes[_key(name)] = found.size
            self.report.count_inspected("pictures")
            if found.fault:
                self.report.add(found.fault[0], where, found.fault[1])
            else:
                self._once(where, name, found.digest)

    def _inspect(self, name: str, data: bytes | None) -> InspectedPicture:
        return inspect_picture(name, self.locate or (lambda name: None), data)

    def _once(self, where: str, name: str, digest: bytes) -> None:
        first = self._first.setdefault(digest, name)
        if first != name:
            self.report.add("repeated_picture", where, f"{name} has the same bytes as {first}")


def inspect_picture(name: str, locate: Callable[[str], str | None], data: bytes | None = None) -> InspectedPicture:
    """Decode one picture, of the bytes `data` or else at its place. `locate` gives that, None where there is none, and may
    raise DataError `path_outside`."""
    try:
        if data is not None:
            return InspectedPicture(_decoded(data), _digest(data))
        place = locate(name)
        if place is None:
            return InspectedPicture(None, b"", ("missing_picture", f"there is no {name} in the folder of the pictures"))
        data = storage.read_bytes(place)
        size = _raster(place) if place.lower().endswith(_RASTERS) else _decoded(data)
        return InspectedPicture(size, _digest(data))
    except DataError as error:
        reason = error.reason if error.reason in _NAME_FAULTS else "unreadable_picture"
        return InspectedPicture(None, b"", (reason, error.detail))
    except (StorageError, ValueError, OSError, SyntaxError) as error:  # SyntaxError: Pillow, of a broken PNG
        return InspectedPicture(None, b"", ("unreadable_picture", f"{name}: {error}"))


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _decoded(data: bytes) -> Size:
    """(height_px, width_px) of a picture that decodes to its end. ValueError, OSError or SyntaxError where it does not."""
    with Image.open(io.BytesIO(data)) as image:
        if data[:2] == b"\xff\xd8":
            height, width, _, _ = simplejpeg.decode_jpeg_header(data)
            # An eighth of the size: all of the data is read, little of it is computed. The size counts as whole rows of blocks.
            simplejpeg.decode_jpeg(data, min_height=max(1, height // 8), min_width=max(1, width // 8))
        else:
            image.load()
        return upright_size(image)


def _raster(place: str) -> Size:
    """The same of what Pillow knows too little of (many bands, 16 bits), read decimated by the reader that a build uses."""
    with open_scene(SceneFiles("audit", "audit", "optical", "geotiff", {"": place})) as reader:
        reader.overview(DECIMATED_PX)
        return reader.info.height_px, reader.info.width_px


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest())
