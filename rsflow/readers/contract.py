"""What every reader answers: the facts of a scene, its pixels by window, and a small view of the whole.

One idea: a reader opens one scene and keeps it open; everything is in scene pixels, and values are as the file holds them. How
they become physical values is in `SceneInfo.calibration`, and applied by rsflow.calibration where something is
measured. Where a scene lies on the ground is an extra: one without a map still has windows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, Self

from rsflow.calibration import Calibration
from rsflow.records import Raster
from rsflow.sensors import PixelUnit
from rsflow.spatial.geometry import FloatArray, Window

# Columns and rows (0 is the outer edge of the first pixel) to longitudes and latitudes in degrees, WGS 84.
Locate = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

GeoreferenceKind = Literal["crs", "gcps", "rpcs", "none"]

CLASS_BANDS = frozenset({"cloud_mask", "scl", "qa", "qa_pixel"})  # values are names of classes, not amounts


@dataclass(frozen=True, slots=True)
class ViewAngles:
    """Mean angles of a scene in degrees, named as in STAC (https://github.com/stac-extensions/view); None where not stated.

    `sun_azimuth`: clockwise from north. `incidence_angle`: between the line of sight and the vertical on the ground.
    """

    sun_elevation: float | None = None
    sun_azimuth: float | None = None
    incidence_angle: float | None = None


@dataclass(frozen=True, slots=True)
class SceneInfo:
    """The facts of an opened scene.

    `crs` (an authority code such as EPSG:32610, else WKT) and `transform` (a, b, c, d, e, f of the affine map from column and
    row to x and y) are there only for georeference "crs"; scenes with ground control points or rational polynomials only are
    cut in pixel space and still have a `footprint` (see rsflow.records) and `gsd_m` where these could be derived. `nodata`: per
    band the value that stands for none, None where no value does (of fractions, what is not finite always does); empty for
    plain pictures. `calibration`: per band, empty where nothing is known. `unit`: of the calibrated values, where the file
    states it. `pixel_m`: metres on the ground of a pixel along its row and its column, at the scene's middle; `gsd_m` is their
    geometric mean. `georeference_error`: why a georeference that the file has was refused. `angles`: as a product's metadata
    states them.
    """

    bands: tuple[str, ...]
    dtype: str
    height_px: int
    width_px: int
    georeference: GeoreferenceKind = "none"
    crs: str | None = None
    transform: tuple[float, ...] | None = None
    footprint: tuple[float, ...] | None = None
    gsd_m: float | None = None
    acquired_at: datetime | None = None
    nodata: tuple[float | None, ...] = ()
    calibration: tuple[Calibration, ...] = ()
    unit: PixelUnit | None = None
    pixel_m: tuple[float, float] | None = None
    georeference_error: str | None = None
    angles: ViewAngles = ViewAngles()


class SceneReader(Protocol):
    """One open scene. Closes at the end of a `with` block. Not for two threads at a time.

    `block_shape` (rows, cols) is how the file is stored. `locate`: of a scene with a place on the ground.
    """

    info: SceneInfo
    block_shape: tuple[int, int]
    locate: Locate | None = None

    def read(self, window: Window) -> Raster:
        """The pixels of a window that lies inside the scene (else ValueError). Raises DataError for damaged files."""
        ...

    def overview(self, max_px: int) -> Raster:
        """A view of the whole scene, neither side longer than `max_px`, for statistics: see
        rsflow.readers.bands.statistics_sample."""
        ...

    def footprint_of(self, window: Window) -> tuple[float, ...] | None:
        """The outline of a window as a ring of longitudes and latitudes, None where the place is unknown."""
        ...

    def pixel_m_of(self, window: Window) -> tuple[float, float] | None:
        """Metres on the ground (width, height) of a pixel in the middle of a window, None where they are unknown."""
        return self.info.pixel_m

    def position_error_m(self) -> float | None:
        """An estimate of how far positions may be from the truth, metres; None where none can be given."""
        return None

    def coarser(self, factor: float) -> Self | None:
        """The same scene from overviews of its files, at most `factor` times coarser; None where there are none to trust."""
        return None

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def resolve_pixel_size(options: dict[str, Any], measured: tuple[float, float] | None) -> tuple[float, float] | None:
    """(width, height) of a pixel in metres: as the source's settings say, else as measured, else as its annotation says."""
    if setting := options.get("gsd_m"):
        return (setting, setting)
    annotated = options.get("annotated_gsd_m")
    return measured or ((annotated, annotated) if annotated else None)


def check_inside(window: Window, info: SceneInfo) -> None:
    """Raise ValueError for a window that is empty or reaches beyond the scene."""
    rows = 0 <= window.row_off < window.row_stop <= info.height_px
    if not (rows and 0 <= window.col_off < window.col_stop <= info.width_px):
        raise ValueError(f"{window} is not inside a scene of {info.height_px} x {info.width_px} pixels")
