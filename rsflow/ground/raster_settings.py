"""What `annotations.options` of a class raster and of a continuous raster may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from rsflow.config.validation import STRICT, Positive
from rsflow.errors import ConfigError
from rsflow.ground.categories.legends import LEGENDS


@dataclass(frozen=True)
class CoverOptions:
    """`legend`: a shipped one by name (rsflow.ground.categories.legends), or names by value (null: no data, "": says nothing).

    `objects`: categories whose connected regions are objects, from `min_px` tile pixels on. `crs`: beats the files'.
    `min_raster_px`: a tile that is as large as fewer pixels of the raster has no label of it, for a class says what most of a
    pixel is and nothing of its parts.
    """

    __pydantic_config__ = STRICT
    legend: str | dict[str, str | None]
    band: Positive = 1
    crs: str | None = None
    objects: tuple[str, ...] = ()
    min_px: Positive = 16
    min_raster_px: Annotated[float, Field(ge=0)] = 16.0


@dataclass(frozen=True)
class FieldOptions:
    """`quantity`: what is measured, such as "elevation"; `unit`: of the values, after the files' own scale and offset."""

    __pydantic_config__ = STRICT
    quantity: Annotated[str, Field(min_length=1)]
    unit: str
    band: Positive = 1
    crs: str | None = None
    nodata: float | None = None
    min_raster_px: Annotated[float, Field(ge=0)] = 16.0


def legend_of(options: CoverOptions, where: str) -> list[tuple[int, str | None]]:
    """(value, name) pairs in the order of values. ConfigError for a legend that is not shipped, or a key that is no number."""
    if isinstance(options.legend, str):
        if options.legend not in LEGENDS:
            raise ConfigError(f"{where}.options.legend is {options.legend!r}: shipped legends: {', '.join(LEGENDS)}")
        return sorted(LEGENDS[options.legend].items())
    try:
        return sorted(((int(value), name) for value, name in options.legend.items()), key=lambda pair: pair[0])
    except ValueError as error:
        raise ConfigError(f"{where}.options.legend: {error}; keys are values of the raster, such as 10") from error
