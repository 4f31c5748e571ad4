"""Measured pixels become an 8-bit picture through the scene's own stretch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import rasters, with_pictures
from rsflow.tiles.render import Stretch, render


@dataclass(frozen=True, slots=True)
class RenderTiles:
    """Fills `picture` and `picture_shape`. The settings of the stretch are CutScenes': it sees the whole scene."""

    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 2

    def open(self) -> BatchFunction:
        return over_kept(_render)


def _render(table: pa.Table) -> Iterator[pa.Table]:
    stretches = {text: Stretch.from_json(text) for text in table["stretch"].unique().to_pylist()}
    texts = table["stretch"].to_pylist()
    yield with_pictures(table, [render(raster, stretches[text]) for raster, text in zip(rasters(table), texts, strict=True)])
