"""Plain pictures: JPEG, PNG, BMP, WebP, as annotated sets deliver them.

One idea: a picture is small enough to decode whole, once, when it is opened, so damage is found before anything is cut. Pixels
come upright, as every viewer and labelling tool shows them: the EXIF orientation is applied. What a PNG calls transparent, by
an alpha channel or by a value (tRNS), has no value; nor has what GDAL's files beside the picture mask (.msk, .aux.xml).

A radar or infrared picture saved as colour with equal channels becomes one band. Refused: more than `MAX_PX` pixels, truncated
files, and 16-bit colour, which Pillow would silently cut to 8 (the geotiff reader takes it).
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from rsflow.calibration import missing_values
from rsflow.errors import DataError, StorageError, UnavailableError
from rsflow.files import storage
from rsflow.readers import gdal
from rsflow.readers.bands.band_tags import resolve_fill_value
from rsflow.readers.bands.statistics_sample import decimated_shape
from rsflow.readers.contract import SceneInfo, SceneReader, check_inside, resolve_pixel_size
from rsflow.readers.listing.acquisition_time import find_acquisition_time
from rsflow.records import Raster, SceneFiles
from rsflow.sensors import SENSORS
from rsflow.spatial.geometry import Window

MAX_PX = 400_000_000
ORIENTATION = 274  # EXIF tag
GREY_SLACK = 2  # JPEG's colour conversion moves equal channels apart by so many grey levels at most

Image.MAX_IMAGE_PIXELS = None  # Pillow would refuse at 179 million pixels; MAX_PX is our limit and names the file


def open_picture(files: SceneFiles) -> Picture:
    """Decode the one file of a scene. Raises DataError("missing_file" | "unreadable" | "unsupported" | "too_large", ...)."""
    if list(files.files) != [""]:
        raise DataError("unsupported", f"{files.scene_id}: has files {sorted(files.files)}, the picture reader takes one file")
    place = files.files[""]
    masked = any(sidecar in {place + ".msk", place + ".aux.xml"} for sidecar in files.sidecars)
    pixels, alpha = _decode(_bytes(place), place, _sidecar_mask(place) if masked else None)
    if not SENSORS[files.sensor].has_colour and len(pixels) == 3 and _is_grey(pixels):
        pixels = pixels[1:2]  # green carries most of the luminance, so it is the least changed by colour conversion
    return Picture(place, pixels, alpha, files.options)


class Picture(SceneReader):
    """A decoded picture: `pixels` (bands, rows, cols), `alpha` (rows, cols) or None."""

    def __init__(self, place: str, pixels: npt.NDArray[Any], alpha: npt.NDArray[Any] | None, options: dict[str, Any]) -> None:
        bands = _names(len(pixels), options.get("bands"), place)
        self._pixels = pixels[[index for _, index in bands]] if options.get("bands") else pixels
        self._valid = np.ones(pixels.shape[1:], np.bool_) if alpha is None else alpha != 0
        lost = [
            missing_values(band, resolve_fill_value(None, name, options, band.dtype))
            for band, (name, _) in zip(self._pixels, bands, strict=True)
        ]
        gaps = [mask for mask in lost if mask is not None]
        if len(gaps) == len(lost):
            self._valid &= ~np.logical_and.reduce(gaps)
        time = find_acquisition_time(options.get("acquired_at"), place)
        size, names = resolve_pixel_size(options, None), tuple(name for name, _ in bands)
        height, width = int(pixels.shape[1]), int(pixels.shape[2])
        gsd = size[0] if size else None
        self.info = SceneInfo(names, str(pixels.dtype), height, width, gsd_m=gsd, acquired_at=time, pixel_m=size)
        self.block_shape = (height, width)

    def read(self, window: Window) -> Raster:
        check_inside(window, self.info)
        rows, cols = slice(window.row_off, window.row_stop), slice(window.col_off, window.col_stop)
        return Raster(self._pixels[:, rows, cols].copy(), self._valid[rows, cols].copy(), self.info.bands)

    def overview(self, max_px: int) -> Raster:
        height, width = self.info.height_px, self.info.width_px
        small_height, small_width = decimated_shape(height, width, max_px)
        rows = np.arange(small_height) * height // small_height
        cols = np.arange(small_width) * width // small_width
        return Raster(self._pixels[:, rows[:, None], cols], self._valid[rows[:, None], cols], self.info.bands)

    def footprint_of(self, window: Window) -> None:
        return None

    def close(self) -> None:
        """Nothing stays open."""


def _bytes(place: str) -> bytes:
    try:
        return storage.read_bytes(place)
    except UnavailableError:
        raise
    except StorageError as error:
        missing = isinstance(error.__cause__, FileNotFoundError)
        raise DataError("missing_file" if missing else "unreadable", str(error)) from error


def _sidecar_mask(place: str) -> npt.NDArray[np.uint8]:
    """GDAL's mask (rows, cols) of a picture as it is stored, 0 where a mask file or a fill value in .aux.xml says so."""

    def read() -> npt.NDArray[np.uint8]:
        with gdal.open_dataset(place, has_sidecars=True) as dataset, gdal.translate_errors(place):
            mask: npt.NDArray[np.uint8] = dataset.dataset_mask()
            return mask

    return gdal.with_retries(place, read)


def _decode(
    data: bytes, place: str, mask: npt.NDArray[np.uint8] | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """(pixels (bands, rows, cols), alpha or None); alpha is 0 where `mask` is."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PX:
                size = f"{image.width} x {image.height} pixels"
                raise DataError(
                    "too_large", f"{place}: is {size}, a plain picture may have {MAX_PX:,}; make it a tiled GeoTIFF"
                )
            plain = image.format == "JPEG" and image.mode in {"L", "RGB"}
            pixels, alpha = _jpeg(data, image) if plain else _other(image, place)
            if mask is not None:
                alpha = mask if alpha is None else np.where(mask == 0, 0, alpha)
            turn = int(image.getexif().get(ORIENTATION, 1))  # read last: it may decode the picture
            return apply_orientation(pixels, turn), None if alpha is None else apply_orientation(alpha, turn)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        # SyntaxError is what Pillow raises for a broken PNG chunk.
        raise DataError("unreadable", f"{place}: {error}") from error


def _jpeg(data: bytes, image: Image.Image) -> tuple[npt.NDArray[Any], None]:
    # simplejpeg, because it is twice as fast and treats libjpeg's warnings of broken data as errors.
    colours = simplejpeg.decode_jpeg(data, colorspace="GRAY" if image.mode == "L" else "RGB")
    return np.ascontiguousarray(colours.transpose(2, 0, 1)), None


def _other(image: Image.Image, place: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    tiles = image.tile if isinstance(image, ImageFile) else []
    raw_mode = str(tiles[0][3]) if tiles else ""
    if image.mode not in {"L", "I", "F", "1"} and not image.mode.startswith("I;16") and "16" in raw_mode:
        raise DataError(
            "unsupported", f"{place}: has 16-bit colour; set `reader: geotiff` for its source, which keeps all bits"
        )
    if image.mode in {"1", "L", "F"} or image.mode.startswith("I"):
        return _grey(image)
    if image.mode == "LA":
        grey = np.asarray(image)
        return np.ascontiguousarray(grey[None, :, :, 0]), grey[:, :, 1]
    has_alpha = image.mode in {"RGBA", "PA", "La", "RGBa"} or "transparency" in image.info
    colours = np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
    return np.ascontiguousarray(colours[:, :, :3].transpose(2, 0, 1)), colours[:, :, 3] if has_alpha else None


def _grey(image: Image.Image) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    grey = np.asarray(image.convert("L") if image.mode == "1" else image)
    clear = image.info.get("transparency")
    # Of a one-bit picture the value is 0 or 1, its grey 0 or 255.
    value = clear * 255 if image.mode == "1" and clear == 1 else clear
    return grey[None], None if not isinstance(value, int) else (grey != value).astype(np.uint8)


def apply_orientation(plane: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Rows and columns (the last two axes) turned as EXIF says (Exif 2.32, tag 274); 1 and unknown: as stored."""
    if orientation in {5, 6, 7, 8}:
        plane = plane.swapaxes(-1, -2)
    rows = slice(None, None, -1) if orientation in {3, 4, 7, 8} else slice(None)
    cols = slice(None, None, -1) if orientation in {2, 3, 6, 7} else slice(None)
    return np.ascontiguousarray(plane[..., rows, cols])


def _is_grey(pixels: npt.NDArray[Any]) -> bool:
    red, green, blue = pixels.astype(np.int16)
    return bool(max(np.abs(red - green).max(), np.abs(blue - green).max()) <= GREY_SLACK)


def _names(count: int, requested: dict[str, int] | None, place: str) -> list[tuple[str, int]]:
    """(name, position from 0) of each band of the result."""
    if not requested:
        return list(zip(("red", "green", "blue") if count == 3 else ("grey",), range(count), strict=True))
    absent = {name: number for name, number in requested.items() if not (str(number).isdigit() and 1 <= int(number) <= count)}
    if absent:
        raise DataError("missing_band", f"{place}: has bands 1 to {count}, the source asks for {absent}")
    return [(name, int(number) - 1) for name, number in requested.items()]
