"""Tiles that show too little, too much cloud or nothing at all leave, with the score and the limit as the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from rsflow.config import settings as config
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import measured, pictures, replace
from rsflow.tiles.screen import measure_scores, reject_reason


@dataclass(frozen=True, slots=True)
class ScreenTiles:
    """Fills the score columns, and the reject columns of the tiles beyond a limit."""

    screen: config.Screen
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 4

    def open(self) -> BatchFunction:
        return over_kept(self._screen)

    def _screen(self, table: pa.Table) -> Iterator[pa.Table]:
        sensors, units = table["sensor"].to_pylist(), table["pixel_unit"].to_pylist()
        found = [
            measure_scores(picture, raster.valid, raster, sensor, unit)
            for picture, raster, sensor, unit in zip(pictures(table), measured(table), sensors, units, strict=True)
        ]
        rejects = [reject_reason(score, self.screen) or (None, None) for score in found]
        yield replace(
            table,
            valid_share=[score.valid_share for score in found],
            cloud_share=[score.cloud_share for score in found],
            bright_share=[score.bright_share for score in found],
            sharpness=[score.sharpness for score in found],
            contrast=[score.contrast for score in found],
            reject_reason=[reason for reason, _ in rejects],
            reject_detail=[detail for _, detail in rejects],
        )
