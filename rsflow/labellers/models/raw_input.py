"""Measured bands as a model's input, in place of the picture that people see.

One idea: a backbone for twelve bands or for SAR was trained on physical values in one unit, in one order of bands, normalised
by the means and deviations of its own preprocessor configuration (Prithvi, TerraMind and their like). The settings name the
bands in the model's order and the unit; everything else is the checkpoint's: `image_mean` and `image_std` with a number for
each band, and `size` where it resizes. Values that a band lacks become its mean.

Tiles need their bands kept (`render.raw_bands`). A tile without them, or with a band missing or in another unit, is a reject
that says so; a checkpoint for another number of bands is refused when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from rsflow.config.validation import STRICT
from rsflow.errors import ConfigError, DataError
from rsflow.labellers.models.model_labeller import LabellerInput, ModelLabeller
from rsflow.pretrained.checkpoint import Loaded
from rsflow.records import Raster
from rsflow.sensors import SensorName
from rsflow.stage import YOUNGER

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RawInput:
    """`bands`: names, in the order of the model's channels. `unit`: of their physical values, as the scenes' readers name it.
    `factor`: what the model counts one of these as (10000, where it takes reflectance times 10000)."""

    __pydantic_config__ = STRICT
    bands: Annotated[tuple[str, ...], Field(min_length=1)]
    unit: str
    factor: Annotated[float, Field(gt=0)] = 1.0

    def check(self, raster: Raster, unit: str) -> None:
        """DataError `wrong_unit` or `missing_band` where it cannot be taken from these bands."""
        if unit != self.unit:
            raise DataError(
                "wrong_unit", f"the tile's values are in {unit or 'no known unit'!r}, the model takes {self.unit!r}"
            )
        lacking = [band for band in self.bands if band not in raster.bands]
        if lacking:
            raise DataError("missing_band", f"band {lacking[0]!r}; the tile has {', '.join(raster.bands)}")

    def select(self, raster: Raster) -> Values:
        """(bands, rows, cols) in the model's order and scale, NaN where a band has no finite value."""
        values = np.asarray(raster.pixels[[raster.bands.index(band) for band in self.bands]], np.float32) * self.factor
        return np.where(raster.valid & np.isfinite(values), values, np.float32(np.nan))


@dataclass(frozen=True, kw_only=True)
class RawModelLabeller(ModelLabeller):
    """A model that may take measured bands (`raw`) instead of pictures."""

    raw: RawInput | None = field(default=None, metadata=YOUNGER)

    @property
    def needs_raster(self) -> bool:
        return self.raw is not None

    def missing(self, bands: tuple[str, ...], sensor: SensorName) -> str | None:
        lacking = [band for band in self.raw.bands if band not in bands] if self.raw else []
        if not lacking:
            return None
        return f"labeller {self.name}: there is no band {lacking[0]!r}; the scene has {', '.join(bands)}"

    def check_input(self, item: LabellerInput) -> None:
        if self.raw and item.raster is None:
            raise DataError(
                "no_raw_bands", f"labeller {self.name} takes bands, which the tile has not kept: set render.raw_bands"
            )
        if self.raw and item.raster is not None:
            self.raw.check(item.raster, item.unit)

    def model_inputs(self, loaded: Loaded, batch: Sequence[LabellerInput]) -> Any:
        """What the model takes of a batch of one size: pictures through its processor, or normalised bands."""
        if self.raw is None:
            return loaded.processor(images=[item.image for item in batch], return_tensors="pt")
        from transformers import BatchFeature

        values = [self.raw.select(item.raster) for item in batch if item.raster is not None]
        return BatchFeature({"pixel_values": _normalised(np.stack(values), loaded.processor)})

    def check_channels(self, loaded: Loaded) -> None:
        """ConfigError where the checkpoint is for another number of bands than the settings name."""
        if self.raw is None:
            return
        count = len(self.raw.bands)
        known = {
            "num_channels": getattr(loaded.model.config, "num_channels", count),
            "numbers in image_mean": len(loaded.processor.image_mean or ()),
            "numbers in image_std": len(loaded.processor.image_std or ()),
        }
        for what, found in known.items():
            if found != count:
                raise ConfigError(f"labeller {self.name}: raw.bands names {count} bands, {self.model} has {found} {what}")


def _normalised(values: Values, processor: Any) -> Any:
    """A tensor (pictures, bands, rows, cols) as the checkpoint's preprocessor configuration says."""
    import torch
    from torch.nn.functional import interpolate

    mean, std = (
        torch.tensor(numbers, dtype=torch.float32)[:, None, None] for numbers in (processor.image_mean, processor.image_std)
    )
    found = torch.nan_to_num((torch.from_numpy(values) - mean) / std, nan=0.0)
    size = _target_size(processor, values.shape[-2:])
    return (
        interpolate(found, size, mode="bilinear", align_corners=False, antialias=True) if size != values.shape[-2:] else found
    )


def _target_size(processor: Any, size: tuple[int, ...]) -> tuple[int, int]:
    """(rows, cols) that the processor resizes to."""
    rows, cols = size
    target: Mapping[str, int] = processor.size or {} if getattr(processor, "do_resize", False) else {}
    if "height" in target:
        return target["height"], target["width"]
    if "shortest_edge" in target:
        scale = target["shortest_edge"] / min(rows, cols)
        return round(rows * scale), round(cols * scale)
    return rows, cols
