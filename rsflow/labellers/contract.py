"""The interface of a labeller without weights.

A labeller is a frozen dataclass. Its fields are its settings, strictly checked when the configuration loads. It keeps no
state: the same tile gives the same labels. A label carries its own confidence (`score`) and the labeller's known quality, the
measured or stated share of its labels that are right; rsflow.instructions.facts.tile_facts decides by these which labels feed a
task.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from rsflow.records import Label, Provenance, Raster
from rsflow.sensors import PixelUnit, SensorName

Picture = npt.NDArray[np.uint8]


class MeasuredQuality(NamedTuple):
    """How right a labeller's boxes were at IoU 0.3 on annotated data (benchmarks/labellers.py prints these figures)."""

    sensor: SensorName
    on: str
    precision: float
    recall: float


class Labeller(Protocol):
    """`name` is its row in the table, `version` is raised when its output changes, `sensors` are those it makes sense for.

    `measured` holds what is known of its boxes; it is empty for a labeller that makes none. A labeller whose own settings
    calibrate the bands says so in an attribute `needs_stored_values`, and gets the numbers as they are stored.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    sensors: ClassVar[frozenset[SensorName]]
    measured: ClassVar[tuple[MeasuredQuality, ...]]

    @property
    def quality(self) -> float: ...

    def missing(self, bands: tuple[str, ...], sensor: SensorName) -> str | None:
        """Why scenes with these bands cannot be labelled (what is missing, what there is), or None."""
        ...

    def label(self, raster: Raster, picture: Picture, unit: PixelUnit, gsd_m: float | None) -> list[Label]:
        """Labels of one tile, boxes in its pixels.

        `raster` holds the physical values in `unit` (bands, rows, cols; NaN where a band has none; the stored numbers where no
        calibration is known) and which pixels are valid; `picture` is what people see of them, (rows, cols) or (rows, cols, 3).
        """
        ...


def provenance(labeller: Labeller) -> Provenance:
    """Where the labels of a labeller come from: its name, version and known quality."""
    return Provenance("labeller", labeller.name, revision=str(labeller.version), quality=labeller.quality)


def wrong_sensor(labeller: Labeller | type[Labeller], sensor: SensorName) -> str | None:
    if sensor in labeller.sensors:
        return None
    return f"labeller {labeller.name} is for {', '.join(sorted(labeller.sensors))} scenes, not for {sensor}"


def named_band(raster: Raster, band: str) -> npt.NDArray[Any]:
    """The pixels (rows, cols) of a band by name; the first band where the name is empty."""
    return np.asarray(raster.pixels[raster.bands.index(band) if band else 0])


def missing_band(labeller: Labeller, band: str, bands: tuple[str, ...]) -> str | None:
    if not band or band in bands:
        return None
    return f"labeller {labeller.name}: there is no band {band!r}; the scene has {', '.join(bands)}"
