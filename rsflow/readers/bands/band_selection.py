"""Which bands of an open file are read, what they are called, and their common type."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from rasterio.enums import ColorInterp

from rsflow.errors import DataError
from rsflow.readers.contract import CLASS_BANDS


def select_bands(dataset: Any, requested: dict[str, int] | None, place: str) -> tuple[list[int], tuple[str, ...]]:
    """Band numbers from 1 and their names: from the source's settings, else from the file, else band1, band2 …"""
    if requested:
        absent = {name: index for name, index in requested.items() if not _is_band(dataset, index)}
        if absent:
            raise DataError("missing_band", f"{place}: has bands 1 to {dataset.count}, the source asks for {absent}")
        check_colour_table(dataset, requested, place)
        return [int(index) for index in requested.values()], tuple(requested)
    indexes = [index for index in dataset.indexes if index != alpha_index(dataset)]
    if not indexes:
        raise DataError("missing_band", f"{place}: has no band but its alpha band")
    if ColorInterp.palette in {dataset.colorinterp[index - 1] for index in indexes}:
        raise DataError("unsupported", f"{place}: has a band with a colour table among others; name those to read in `bands`")
    colours = [dataset.colorinterp[index - 1].name for index in indexes]
    named = [_word(dataset.descriptions[index - 1]) for index in indexes]
    if {"red", "green", "blue"} <= set(colours):
        named = [colour if colour in _COLOURS else name for colour, name in zip(colours, named, strict=True)]
    names = tuple(name or f"band{index}" for name, index in zip(named, indexes, strict=True))
    return indexes, names if len(set(names)) == len(names) else tuple(f"band{index}" for index in indexes)


def check_colour_table(dataset: Any, requested: dict[str, int], place: str) -> None:
    """Raise DataError where a requested band of amounts holds entries of a colour table."""
    coloured = [name for name, index in requested.items() if dataset.colorinterp[int(index) - 1] == ColorInterp.palette]
    if not CLASS_BANDS.issuperset(coloured):
        found = f"{place}: band {coloured[0]} has a colour table, its numbers are no measured values"
        raise DataError("unsupported", f"{found}; leave `bands` out to get its red, green and blue")


_COLOURS = {"red", "green", "blue", "nir"}


def _is_band(dataset: Any, index: Any) -> bool:
    return str(index).isdigit() and 1 <= int(index) <= dataset.count


def _word(description: str | None) -> str:
    return re.sub(r"\W+", "_", (description or "").strip().lower()).strip("_")


def alpha_index(dataset: Any) -> int | None:
    colours = list(dataset.colorinterp)
    return colours.index(ColorInterp.alpha) + 1 if ColorInterp.alpha in colours else None


def common_dtype(dataset: Any, indexes: list[int], place: str) -> np.dtype[Any]:
    names = [dataset.dtypes[index - 1] for index in indexes]
    if any("complex" in name for name in names):
        raise DataError("unsupported", f"{place}: has complex pixels ({names[0]}); give the amplitude or power instead")
    return np.result_type(*names)
