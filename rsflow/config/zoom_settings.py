"""Which scenes also become tiles of coarser scales, from an overview of the whole scene to its own pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from rsflow.config.validation import STRICT, Positive

LEAST_FACTOR = 4  # between the scene and its overview, so that there is a scale between them


@dataclass(frozen=True)
class Zoom:
    """`min_side_px`: scenes whose longer side is at least so long have an overview and tiles of a scale between it and theirs.

    `overview_px`: the longer side of the overview is at most so long. `samples_per_scene`: samples that hold the overview, a
    tile of the scale between and a tile of the scene itself. `min_visible_px`: an object whose shorter side is less at a
    coarser scale is not visible there: it is no label, and nobody says that it is not there.
    """

    __pydantic_config__ = STRICT
    min_side_px: Annotated[int, Field(ge=256)] = 8000
    overview_px: Annotated[int, Field(ge=64, le=8192)] = 1024
    samples_per_scene: Positive = 32
    min_visible_px: Annotated[float, Field(gt=0)] = 4.0

    def __post_init__(self) -> None:
        if self.min_side_px <= (LEAST_FACTOR - 1) * self.overview_px:
            raise ValueError(
                f"min_side_px is {self.min_side_px}: it must be more than {LEAST_FACTOR - 1} times overview_px "
                f"({self.overview_px}), so that there is a scale between the overview and the scene"
            )

    def factors(self, height_px: int, width_px: int) -> tuple[int, int] | None:
        """How many times coarser the overview and the scale between are; None where a scene has none."""
        longer = max(height_px, width_px)
        if longer < self.min_side_px:
            return None
        overview = math.ceil(longer / self.overview_px)
        return overview, round(math.sqrt(overview))
