"""What is compared between two dates of a cell, and how large a difference must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from rsflow.config.validation import STRICT, Positive

IndexName = Literal["ndvi", "ndwi", "mndwi", "nbr", "ndbi"]


@dataclass(frozen=True)
class Changes:
    """`covers`: class rasters of two dates are compared. `indices`: spectral indices that are, of scenes in reflectance whose
    raw bands are kept; one changed where it differs by `index_difference` and by `significance` times the spread that the
    pair's differences have anyhow.

    `min_area_px`: a smaller area is no change. `clouds`: pictures of which no band tells where cloud is are left out, or taken
    to be clear but for what is white.
    """

    __pydantic_config__ = STRICT
    covers: bool = True
    indices: tuple[IndexName, ...] = ()
    index_difference: Annotated[float, Field(gt=0, lt=2)] = 0.2
    significance: Annotated[float, Field(gt=0)] = 3.0
    min_area_px: Positive = 16
    clouds: Literal["known", "assume_clear"] = "known"
