"""Pictures to bytes and back: JPEG by libjpeg-turbo, PNG by Pillow at its fastest level.

One idea: same picture and settings, same bytes; no timestamps, no metadata. JPEG colour is stored at half resolution (4:2:0),
which is what the models' training data has too; PNG is lossless and many times slower to write.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from rsflow.errors import DataError

Picture = npt.NDArray[np.uint8]


def encode(picture: Picture, format: Literal["jpg", "png"], quality: int = 92) -> bytes:
    """A picture (rows, cols) or (rows, cols, 3) as a file's bytes. `quality` 1-100 is for JPEG."""
    picture = np.ascontiguousarray(picture)
    if format == "png":
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "PNG", compress_level=1)
        return stream.getvalue()
    if picture.ndim == 2:
        return bytes(simplejpeg.encode_jpeg(picture[:, :, None], quality=quality, colorspace="GRAY", colorsubsampling="Gray"))
    return bytes(simplejpeg.encode_jpeg(picture, quality=quality, colorspace="RGB", colorsubsampling="420"))


def decode(data: bytes) -> Picture:
    """The picture (rows, cols) or (rows, cols, 3) in the bytes of a JPEG or PNG. Raises DataError("unreadable", ...)."""
    try:
        if data[:2] == b"\xff\xd8":
            grey = simplejpeg.decode_jpeg_header(data)[2] == "Gray"
            picture: Picture = simplejpeg.decode_jpeg(data, colorspace="GRAY" if grey else "RGB")
            return picture[:, :, 0] if grey else picture
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image if image.mode in {"L", "RGB"} else image.convert("RGB"))
    except (ValueError, OSError, SyntaxError) as error:
        raise DataError("unreadable", f"an encoded picture of {len(data)} bytes cannot be decoded: {error}") from error
