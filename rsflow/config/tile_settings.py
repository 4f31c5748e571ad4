"""How scenes are cut into tiles: on their own pixels, or on a ground grid that all sensors and dates share.

One idea: `grid: scene` cuts windows of a scene's own pixels. `grid: ground` warps each scene onto cells of fixed metres, whose
footprint is the same for every sensor; then `gsd_m` is needed, and `size_px` is a cell's side in pixels of the finest sensor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from rsflow.config.validation import STRICT, Count, Positive
from rsflow.sensors import SensorName

PixelSize = Annotated[float, Field(gt=0)]
MAJOR_TOM_M = 10_000.0  # between the points of that grid
WHOLE = 1e-6  # relative error under which a ratio of pixel sizes is a whole number


@dataclass(frozen=True)
class Tiles:
    """`small`: what becomes of a scene smaller than a tile: one padded tile, or one tile of the scene's own size.

    `gsd_m`: metres of a pixel on the ground grid, for all sensors or by sensor. `system`: cells of UTM zones, or Major TOM's.
    `resampling` onto the ground grid: mean over a coarser pixel (bilinear where it is finer), bilinear, or nearest; class bands
    always take the nearest.
    """

    __pydantic_config__ = STRICT
    size_px: Annotated[int, Field(ge=16, le=8192)] = 512
    overlap_px: Count = 0
    small: Literal["whole", "pad"] = "whole"
    whole_up_to_px: Count = 1024  # plain pictures whose longer side is at most this stay whole
    cell_km: Annotated[float, Field(gt=0)] = 10.0
    unit_mb: Annotated[float, Field(gt=0, le=512)] = 64.0  # pixels that one unit of work reads
    # Fingerprints leave out the rest: units are named by the target grid itself, see rsflow.planning.sources.placed_scenes.
    grid: Literal["scene", "ground"] = field(default="scene", compare=False)
    gsd_m: PixelSize | dict[SensorName, PixelSize] | None = field(default=None, compare=False)
    system: Literal["utm", "majortom"] = field(default="utm", compare=False)
    resampling: Literal["average", "bilinear", "nearest"] = field(default="average", compare=False)

    def __post_init__(self) -> None:
        if self.overlap_px >= self.size_px:
            raise ValueError(f"overlap_px is {self.overlap_px}: it must be smaller than size_px ({self.size_px})")
        if self.grid == "scene":
            self._check_scene_grid()
        else:
            self._check_ground_grid()

    @property
    def cell_side_m(self) -> float:
        """The side of a cell of the ground grid."""
        return self.size_px * min(self._pixel_sizes)

    def pixel_size(self, sensor: str) -> float | None:
        """Metres of a pixel of a sensor on the ground grid; None where the settings give none."""
        return self.gsd_m.get(sensor) if isinstance(self.gsd_m, dict) else self.gsd_m

    def cell_px(self, sensor: str) -> int:
        """The side of a cell in pixels of a sensor that has a pixel size."""
        return round(self.cell_side_m / (self.pixel_size(sensor) or self.cell_side_m))

    @property
    def _pixel_sizes(self) -> list[float]:
        if self.gsd_m is None:
            return []
        return list(self.gsd_m.values()) if isinstance(self.gsd_m, dict) else [self.gsd_m]

    def _check_scene_grid(self) -> None:
        if self.gsd_m is not None or self.system != "utm":
            name = "gsd_m" if self.gsd_m is not None else "system"
            raise ValueError(f"{name} is a setting of the ground grid: set grid: ground, or leave {name} out")

    def _check_ground_grid(self) -> None:
        if not self._pixel_sizes:
            raise ValueError("grid is ground, gsd_m is missing: give the metres of a pixel, for all sensors or by sensor")
        if self.overlap_px:
            raise ValueError(f"overlap_px is {self.overlap_px}: cells of the ground grid do not overlap; leave it out")
        side = self.cell_side_m
        for size in self._pixel_sizes:
            if abs(side / size - round(side / size)) > WHOLE * side / size or round(side / size) < 1:
                raise ValueError(
                    f"gsd_m: a cell of {side:g} m (size_px {self.size_px} times the finest {min(self._pixel_sizes):g} m) is no "
                    f"whole number of pixels of {size:g} m: change size_px or this gsd_m"
                )
        if self.system == "majortom" and side < MAJOR_TOM_M:
            raise ValueError(
                f"system is majortom: a cell of {side:g} m (size_px times gsd_m) is smaller than the {MAJOR_TOM_M:g} m between "
                "its points; the published pictures have size_px 1068 of gsd_m 10"
            )


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
