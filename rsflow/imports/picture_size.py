"""The size of a picture as a build sees it: upright, with the EXIF orientation applied (rsflow.readers.picture)."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from rsflow.errors import DataError, StorageError
from rsflow.files import storage
from rsflow.imports.box_formats import Size
from rsflow.readers.picture import ORIENTATION

_HEADER = 1 << 16  # bytes that hold a picture's size, nearly always
_TRANSPOSED = frozenset([5, 6, 7, 8])  # EXIF orientations that exchange rows and columns (Exif 2.32, tag 274)


def read_size(place: str) -> Size:
    """(height_px, width_px), from the header alone where that is enough. DataError `unreadable_picture`."""
    try:
        return _measure(storage.read_bytes(place, 0, _HEADER))
    except (OSError, ValueError, SyntaxError):
        pass  # a header that is longer than that: thumbnails may stand before the size
    try:
        return _measure(storage.read_bytes(place))
    except (OSError, ValueError, SyntaxError, StorageError) as error:
        raise DataError("unreadable_picture", f"{place}: {error}") from error


def upright_size(image: Image.Image) -> Size:
    """(height_px, width_px) of an opened picture once it is turned upright."""
    # Without EXIF before the pixels of a PNG Pillow would decode all of them to search behind.
    exif = image.getexif() if image.format != "PNG" or "exif" in image.info else {}
    size = image.height, image.width
    return (size[1], size[0]) if exif.get(ORIENTATION) in _TRANSPOSED else size


def _measure(data: bytes) -> Size:
    with Image.open(BytesIO(data)) as image:
        return upright_size(image)
