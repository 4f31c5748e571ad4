"""Statistics of pictures and raw bands, per sensor, over a fair part of the samples.

One idea: sample keys are hashes, so the samples with the smallest keys are a draw that does not depend on order or workers. The
mean and the standard deviation of a channel are over all pixels of these pictures; of a raw band, over its valid pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from rsflow.shards.format import BANDS, Sample

PICTURES = 200  # of a sensor, at most
CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}
LEVELS = 256


@dataclass
class Moments:
    """Running count, mean and spread of values, by Chan, Golub and LeVeque's update (1979)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0  # sum of squared differences from the mean
    least: float = float("inf")
    most: float = float("-inf")

    def add(self, values: npt.NDArray[Any]) -> None:
        if values.size:
            values = values.astype(np.float64, copy=False)
            mean, total = float(values.mean()), self.count + values.size
            apart = mean - self.mean
            self.squares += float(((values - mean) ** 2).sum()) + apart**2 * self.count * values.size / total
            self.mean += apart * values.size / total
            self.count = total
            self.least, self.most = min(self.least, float(values.min())), max(self.most, float(values.max()))

    @property
    def deviation(self) -> float:
        """The standard deviation of all values; 0 without any."""
        return float(np.sqrt(self.squares / self.count)) if self.count else 0.0


@dataclass
class PictureStatistics:
    """Of one sensor. `levels`: pixels by grey level, per channel; `bands`: physical values of raw bands by name and unit."""

    pictures: int = 0
    channels: dict[str, Moments] = field(default_factory=dict)
    levels: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    bands: dict[tuple[str, str], Moments] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        """Take in a sample's picture and, where it has them, its raw bands."""
        self.pictures += 1
        with Image.open(BytesIO(sample.picture)) as image:
            pixels = np.asarray(image.convert("L" if image.mode in {"1", "L"} else "RGB"))
        pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
        for index, name in enumerate(CHANNELS[pixels.shape[2]]):
            channel = pixels[..., index]
            self.channels.setdefault(name, Moments()).add(channel)
            counts = np.bincount(channel.ravel(), minlength=LEVELS)
            self.levels[name] = self.levels.get(name, np.zeros(LEVELS, np.int64)) + counts
        if BANDS in sample.others:
            self._add_bands(sample)

    def _add_bands(self, sample: Sample) -> None:
        raw = sample.record["raw"]
        stored = np.load(BytesIO(sample.others[BANDS]), allow_pickle=False)
        valid = valid_pixels(raw.get("invalid", ()), stored.shape[1:])
        for index, name in enumerate(sample.record["bands"]):
            values = stored[index]
            nodata = (raw.get("nodata") or [None] * len(stored))[index]
            good = valid & np.isfinite(values) & (values != nodata if nodata is not None else True)
            scale, offset = ((raw.get(key) or [default] * len(stored))[index] for key, default in (("scale", 1), ("offset", 0)))
            physical = values[good] * (1.0 if scale is None else scale) + (0.0 if offset is None else offset)
            self.bands.setdefault((name, raw.get("unit") or ""), Moments()).add(physical)


def valid_pixels(runs: Any, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The mask (rows, cols) of a record's `raw.invalid`: where each run of pixels that are not valid starts and stops."""
    valid = np.ones(int(np.prod(shape)), dtype=np.bool_)
    for start, stop in zip(runs[::2], runs[1::2], strict=True):
        valid[start:stop] = False
    return valid.reshape(shape)
