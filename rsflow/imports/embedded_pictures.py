"""Pictures that lie in the file of a set itself, written as files that a build can read."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from rsflow.errors import DataError
from rsflow.files import storage

SUFFIXES = {"BMP": ".bmp", "JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp"}  # by Pillow's names of formats


def write_picture(data: bytes, name: str, folder: str) -> str:
    """The place of the picture below `folder`; one that is there already is kept, for `name` holds a digest of `data`.

    DataError `unreadable_picture` where the bytes are no picture of SUFFIXES.
    """
    try:
        with Image.open(BytesIO(data)) as image:
            found = image.format or "of no format"
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError("unreadable_picture", f"{name} in the set's own file: {error}") from error
    if found not in SUFFIXES:
        raise DataError("unreadable_picture", f"{name} in the set's own file is {found}, expected {', '.join(SUFFIXES)}")
    place = storage.join(folder, f"{name.replace(' ', '_')}{SUFFIXES[found]}")
    if not storage.exists(place):
        storage.write_bytes(place, data)
    return place
