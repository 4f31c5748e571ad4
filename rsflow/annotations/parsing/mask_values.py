"""The values of a pixel mask, and the legend that says what they mean.

A value is a number, or a colour as red * 65536 + green * 256 + blue. A legend names every value that occurs: a category, ""
(valid, nothing to be named) or None (no data); which of two ways its keys are written in says how the mask is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.errors import ConfigError, DataError
from rsflow.files import storage

Values = npt.NDArray[np.integer[Any]]
Meaning = Mapping[int, str | None]


@contextmanager
def ignore_unplaced_masks() -> Iterator[None]:
    """Without rasterio's warning of rasters that have no place on the ground. Around threads, not in them: filters are the
    process's."""
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def parse_legend(legend: Mapping[str, str | None]) -> tuple[dict[int, str | None], bool]:
    """(meaning by value, whether values are colours). ConfigError where keys are neither all values nor all colours."""
    try:
        keys = {key: [int(part) for part in key.split(",")] for key in legend}
    except ValueError as error:
        raise ConfigError(f'annotations.options.legend: {error}; keys are values ("1") or colours ("0,255,0")') from error
    if {len(key) for key in keys.values()} not in ({1}, {3}):
        raise ConfigError("annotations.options.legend: keys are all values, or all colours of red, green and blue")
    colours = len(next(iter(keys.values()))) == 3
    return {_pack(value): legend[key] for key, value in keys.items()}, colours


def read_mask_values(file: str, colours: bool) -> Values:
    """The mask (rows, cols) of a file that rasterio opens. DataError where it cannot be read, `bad_mask` where it is a colour
    picture and values are expected, or the other way round."""
    bands = read_mask_bands(file)
    if len(bands) < (3 if colours else 1):
        raise DataError("bad_mask", f"has {len(bands)} bands, expected {'red, green and blue' if colours else 'one'}")
    if not colours:
        if len(bands) >= 3 and (bands[1] != bands[0]).any():
            raise DataError("bad_mask", 'is a colour picture: give the legend in colours ("0,255,0")')
        values: Values = bands[0]
        return values
    return pack_colours(bands)


def read_mask_bands(file: str) -> Values:
    """(bands, rows, cols) of whole numbers; of a palette PNG its indices. DataError where it cannot be read."""
    from rasterio.errors import RasterioError
    from rasterio.io import MemoryFile

    try:
        with MemoryFile(storage.read_bytes(file)) as memory, memory.open() as source:
            return _whole_numbers(source.read())
    except RasterioError as error:
        raise DataError("unreadable_annotation", f"is no raster that can be read: {error}") from error


def pack_colours(bands: Values) -> Values:
    """One number for each pixel's red, green and blue."""
    red, green, blue = (band.astype(np.int64) for band in bands[:3])
    packed: Values = red << 16 | green << 8 | blue
    return packed


def distinct_values(values: Values) -> dict[int, int]:
    """The number of pixels of each value that occurs, in the order of values."""
    if values.dtype == np.uint8:
        counts = np.bincount(values.reshape(-1), minlength=1)
        return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
    found, counts = np.unique(values, return_counts=True)
    return {int(value): int(count) for value, count in zip(found, counts, strict=True)}


def check_known_values(found: Mapping[int, int], meaning: Meaning, colours: bool) -> None:
    """DataError `unknown_mask_value` where a value occurs that the legend does not name."""
    if unknown := [value for value in found if value not in meaning]:
        named = ", ".join(format_value(value, colours) for value in unknown[:5])
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise DataError(
            "unknown_mask_value", f"holds {named}{more}, which is not in the legend: give a name, null (no data) or ''"
        )


def format_value(value: int, colours: bool) -> str:
    """The value as a legend writes it."""
    return f"{value >> 16},{value >> 8 & 255},{value & 255}" if colours else str(value)


def _whole_numbers(bands: npt.NDArray[Any]) -> Values:
    """Values of a mask, which are classes: DataError `bad_mask` for NaN, infinity and fractions, which a cast would hide."""
    if bands.dtype.kind == "f":
        wrong = bands[~np.isfinite(bands) | (bands != np.rint(bands))]
        if wrong.size:
            raise DataError("bad_mask", f"holds {wrong[0]:g} in {wrong.size} of {bands.size} values, expected whole numbers")
        return bands.astype(np.int64)
    return bands


def _pack(value: list[int]) -> int:
    return value[0] if len(value) == 1 else value[0] << 16 | value[1] << 8 | value[2]
