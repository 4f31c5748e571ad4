"""Features of a layer in the pixels of a scene, and what of a tile and a layer decides its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from scipy import ndimage

from rsflow.annotations.parsing.mask_outlines import trace_outline
from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.geometry.geometries import Geometries
from rsflow.ground.geometry.shapes import Shapes
from rsflow.ground.layer_settings import OutlineKind
from rsflow.records import Label, Provenance
from rsflow.spatial.geometry import Box, FloatArray, Window
from rsflow.spatial.polygons import to_geometry, translate_parts

FILL_PX = 5  # least width of pixels without a value that hide what lies below


@dataclass(frozen=True)
class PlacedFeatures:
    """Features in pixels of their scene. `shares`: how much of each whole feature its geometry is.

    `period_known`: whether it is known that the feature was there when the scene was taken; those known not to be are left out.
    """

    shapes: Shapes
    shares: FloatArray
    forms: npt.NDArray[np.int32]
    names: npt.NDArray[Any]
    period_known: npt.NDArray[np.bool_]

    @property
    def bounds(self) -> FloatArray:
        return self.shapes.bounds

    @property
    def geometries(self) -> Geometries:
        return self.shapes.geometries

    def take(self, chosen: npt.NDArray[np.intp]) -> PlacedFeatures:
        return PlacedFeatures(
            self.shapes.take(chosen), self.shares[chosen], self.forms[chosen], self.names[chosen], self.period_known[chosen]
        )


@dataclass(frozen=True)
class TileView:
    """`pixel_m`: metres on the ground (width, height) of a pixel. `valid` (rows, cols): None where all pixels are."""

    window: Window
    pixel_m: tuple[float, float]
    valid: npt.NDArray[np.bool_] | None = None

    @cached_property
    def fill_area(self) -> shapely.Geometry | None:
        """Where the tile shows nothing, in pixels of the scene; None where it shows something everywhere.

        Specks narrower than FILL_PX pixels are shadows with the fill value, not fill.
        """
        window = self.window
        if self.valid is None:
            return None
        fill = ndimage.binary_opening(~self.valid[: window.height_px, : window.width_px], np.ones((FILL_PX, FILL_PX), np.bool_))
        if not fill.any():
            return None
        return to_geometry(translate_parts(trace_outline(fill), window.col_off, window.row_off))

    @property
    def pixel_m2(self) -> float:
        return self.pixel_m[0] * self.pixel_m[1]

    def reach(self, metres: float) -> tuple[float, float]:
        """So many metres in pixels, along x and y."""
        return metres / self.pixel_m[0], metres / self.pixel_m[1]


@dataclass(frozen=True)
class LabelRules:
    """What holds for a whole layer. `min_visibility`: an object of which a tile shows less is not its label."""

    forms: Sequence[FeatureForm]
    provenance: Provenance
    outline: OutlineKind = "polygon"
    min_visibility: float = 0.3


@dataclass
class TileTruth:
    """What a layer gives one tile: `labels` in tile pixels, objects as rows of LABEL_STRUCT (in order before the labels) with
    their categories `labelled`, `present` categories of objects without a certain place,
    `line_lengths` in metres by category,
    `unknown` ones of which the tile may show more than is labelled, and the ground (scene pixels) of labelled land cover,
    `areas` of it by category, which lines are not."""

    labels: list[Label] = field(default_factory=list)
    objects: list[pa.StructArray] = field(default_factory=list)
    labelled: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    covered: list[shapely.Geometry] = field(default_factory=list)
    areas: dict[str, shapely.Geometry] = field(default_factory=dict)
    line_lengths: dict[str, float] = field(default_factory=dict)


def overlaps_box(bounds: FloatArray, box: Box) -> npt.NDArray[np.bool_]:
    """Which bounds (n, 4) share more than an edge with the box, or lie in it."""
    x0, y0, x1, y1 = bounds.T
    found: npt.NDArray[np.bool_] = (x0 < box[2]) & (x1 > box[0]) & (y0 < box[3]) & (y1 > box[1])
    return found
