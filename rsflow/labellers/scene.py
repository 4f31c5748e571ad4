"""Facts of a tile that can be measured: brightness, texture, colour, where the extremes lie.

Two kinds of numbers, never mixed. What describes the picture (bright, dark, a colour) is measured on the picture as it is
shown, after rendering; what describes the ground (backscatter, temperature) is measured on physical values, and left out
where the scene has none. Every fact is a number over the valid pixels and a word for it from a fixed scale; a number near a
tie gives none.

On the picture; grey is the mean of the channels:
- "brightness": mean grey / 255; dark below 1/3, bright above 2/3, else medium.
- "texture": the median, over blocks of 8 x 8 cells, of the standard deviation of the cells' grey, / 255, where a cell is the
  mean of 4 x 4 pixels (so that speckle and noise do not count as texture); smooth below 0.02, strongly textured above 0.08.
- "colour" (pictures in colour): the colour name that most pixels have, with its share; only from a share of 0.4.
- "brightest_part", "darkest_part": which ninth of the tile ("upper left" ... "lower right") has the highest or lowest mean
  grey, where it differs by at least 8 grey levels from the tile's mean and by 2 from the next ninth.

On the first band's physical values:
- "low_backscatter_share" (decibel): the share of cells below -20 dB whose neighbourhood is smooth: calm water is like this, and
  so are roads, runways and radar shadow.
- "strongest_backscatter_part", "weakest_backscatter_part" (decibel, power): the ninth of the highest or lowest mean power,
  where it differs by 2 dB from the tile's mean and by 1 dB from the next ninth.
- "warmest_part", "coolest_part" (kelvin): the same by mean temperature, by 1 K and 0.5 K.

Quality is 1: these are measurements, not opinions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.config.validation import STRICT, Share
from rsflow.labellers.contract import MeasuredQuality, Picture, provenance
from rsflow.records import Label, Raster
from rsflow.sensors import SENSOR_NAMES, PixelUnit, SensorName
from rsflow.tiles.bright_targets import Mask

Grey = npt.NDArray[np.float64]

CELL_PX = 4
BLOCK_CELLS = 8
LEAST_COLOUR_SHARE = 0.4
LOW_POWER = 0.01  # -20 dB
LEAST_POWER = 1e-6  # -60 dB, below what any radar measures
EVEN = 0.5  # standard deviation over mean of cells that are even
PARTS = ("upper left", "top", "upper right", "left", "centre", "right", "lower left", "bottom", "lower right")

# Upper end of a hue in degrees and its name; below SATURATED a colour is a grey, below DARK black.
HUES = (
    (15, "red"),
    (45, "orange"),
    (70, "yellow"),
    (165, "green"),
    (200, "cyan"),
    (260, "blue"),
    (330, "purple"),
    (360, "red"),
)
SATURATED, DARK, LIGHT, DULL = 0.15, 0.15, 0.85, 0.6
COLOURS = ("black", "grey", "white", "brown", *dict.fromkeys(name for _, name in HUES))


@dataclass(frozen=True)
class Scene:
    __pydantic_config__ = STRICT
    name: ClassVar[str] = "scene"
    version: ClassVar[int] = 4
    sensors: ClassVar[frozenset[SensorName]] = frozenset(SENSOR_NAMES)
    measured: ClassVar[tuple[MeasuredQuality, ...]] = ()

    quality: Share = 1.0

    def missing(self, bands: tuple[str, ...], sensor: SensorName) -> str | None:
        return None

    def label(self, raster: Raster, picture: Picture, unit: PixelUnit, gsd_m: float | None) -> list[Label]:
        if not raster.valid.any():
            return []
        grey = picture.astype(np.float64) if picture.ndim == 2 else _channel_mean(picture)
        facts = [brightness(grey, raster.valid), *texture(grey, raster.valid), *brightest_and_darkest(grey, raster.valid)]
        if picture.ndim == 3 and (picture[..., 1:] != picture[..., :1]).any():
            facts += dominant_colour(picture, raster.valid)
        facts += physical_facts(raster.pixels[0].astype(np.float64), raster.valid, unit)
        origin = provenance(self)
        return [Label("fact", name, origin, text=text, value=value, score=1.0) for name, text, value in facts]


Fact = tuple[str, str, float]


def _channel_mean(picture: Picture) -> Grey:
    """Mean of the channels of a picture in colour; numpy's own over so short an axis takes ten times as long."""
    total: Grey = np.zeros(picture.shape[:2])
    for channel in range(picture.shape[2]):
        total += picture[..., channel]
    return np.asarray(total / picture.shape[2])


def brightness(grey: Grey, valid: Mask) -> Fact:
    mean = float(grey[valid].mean()) / 255
    return ("brightness", "dark" if mean < 1 / 3 else "bright" if mean > 2 / 3 else "medium", mean)


def texture(grey: Grey, valid: Mask) -> list[Fact]:
    spreads = _block_spread(*_cell_means(grey, valid))
    if not spreads.size:
        return []
    level = float(np.median(spreads)) / 255
    word = "smooth" if level < 0.02 else "strongly textured" if level > 0.08 else "moderately textured"
    return [("texture", word, level)]


def brightest_and_darkest(grey: Grey, valid: Mask) -> list[Fact]:
    """The brightest and the darkest ninth of a tile, where each differs enough. Ninths that are less than half valid are left
    out."""
    found = extreme_parts(_part_means(grey, valid), float(grey[valid].mean()), 8, 2)
    names = {"highest": "brightest_part", "lowest": "darkest_part"}
    return [(names[end], part, mean / 255) for end, part, mean in found]


def physical_facts(values: Grey, valid: Mask, unit: PixelUnit) -> list[Fact]:
    """Facts about the ground from values (rows, cols) in `unit`; none where the unit is not physical."""
    valid = valid & np.isfinite(values)
    if not valid.any() or unit not in {"db", "power", "kelvin"}:
        return []
    if unit == "kelvin":
        found = extreme_parts(_part_means(values, valid), float(values[valid].mean()), 1.0, 0.5)
        names = {"highest": "warmest_part", "lowest": "coolest_part"}
        return [(names[end], part, mean) for end, part, mean in found]
    power = np.where(valid, 10 ** (np.where(valid, values, 0) / 10) if unit == "db" else values, 0)
    levels = {part: 10 * np.log10(max(mean, LEAST_POWER)) for part, mean in _part_means(power, valid).items()}
    found = extreme_parts(levels, 10 * np.log10(max(float(power[valid].mean()), LEAST_POWER)), 2.0, 1.0)
    names = {"highest": "strongest_backscatter_part", "lowest": "weakest_backscatter_part"}
    facts = [(names[end], part, level) for end, part, level in found]
    return [*low_backscatter(values, valid), *facts] if unit == "db" else facts


def extreme_parts(
    levels: dict[str, float], overall: float, from_mean: float, from_next: float
) -> Iterator[tuple[str, str, float]]:
    """("highest" or "lowest", part, level) where that part differs enough from the tile's mean and from the next part."""
    for end, sign in (("highest", 1), ("lowest", -1)):
        order = sorted(levels, key=lambda part: -sign * levels[part])
        stands_out = len(order) > 1 and sign * (levels[order[0]] - levels[order[1]]) >= from_next
        if stands_out and sign * (levels[order[0]] - overall) >= from_mean:
            yield end, order[0], float(levels[order[0]])


def _part_means(values: Grey, valid: Mask) -> dict[str, float]:
    """Mean of each ninth's valid pixels, of the ninths that are at least half valid."""
    rows, cols = (np.linspace(0, size, 4).round().astype(int) for size in values.shape)
    means: dict[str, float] = {}
    for index, part in enumerate(PARTS):
        r, c = divmod(index, 3)
        window = (slice(rows[r], rows[r + 1]), slice(cols[c], cols[c + 1]))
        if valid[window].size and valid[window].mean() >= 0.5:
            means[part] = float(values[window][valid[window]].mean())
    return means


def dominant_colour(picture: Picture, valid: Mask) -> list[Fact]:
    """The commonest colour name among the valid pixels, with its share."""
    counts = np.bincount(colour_index(picture[valid]), minlength=len(COLOURS))
    best = int(counts.argmax())
    share = float(counts[best] / counts.sum())
    return [("colour", COLOURS[best], share)] if share >= LEAST_COLOUR_SHARE else []


def colour_index(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """For each pixel (n, 3) the position of its name in COLOURS, by hue, saturation and value (the hexcone model, Smith 1978,
    https://doi.org/10.1145/800248.807361). Dark orange and yellow are brown, dark cyan is green or blue."""
    red, green, blue = np.ascontiguousarray(pixels.T).astype(np.float64) / 255  # by channel: 3 is too short an axis to reduce
    value = np.maximum(np.maximum(red, green), blue)
    spread = value - np.minimum(np.minimum(red, green), blue)
    safe = np.where(spread > 0, spread, 1)
    sector = np.where(
        value == red, (green - blue) / safe % 6, np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    )
    names = np.array([COLOURS.index(name) for _, name in HUES])
    index = names[np.searchsorted([end for end, _ in HUES], sector * 60, side="right").clip(max=len(HUES) - 1)]
    warm = np.isin(index, [COLOURS.index("orange"), COLOURS.index("yellow")])
    index = np.where(warm & (value < DULL), COLOURS.index("brown"), index)
    dull_cyan = (index == COLOURS.index("cyan")) & (value < DULL)  # forests and deep water, which nobody calls cyan
    index = np.where(dull_cyan, np.where(sector < 3, COLOURS.index("green"), COLOURS.index("blue")), index)
    grey = np.where(value > LIGHT, COLOURS.index("white"), COLOURS.index("grey"))
    index = np.where(spread < SATURATED * value, grey, index)
    return np.where(value < DARK, COLOURS.index("black"), index).astype(np.int64)


def low_backscatter(decibel: Grey, valid: Mask) -> list[Fact]:
    good = valid & np.isfinite(decibel)
    cells, whole = _cell_means(np.where(good, 10 ** (np.where(good, decibel, 0) / 10), 0), good)
    if not whole.any():
        return []
    mean = ndimage.uniform_filter(cells, 3, mode="nearest")
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(cells**2, 3, mode="nearest") - mean**2, 0))
    share = float(((cells < LOW_POWER) & (spread < EVEN * mean))[whole].mean())
    return [("low_backscatter_share", "dark and smooth", share)]


def _cell_means(grey: Grey, valid: Mask) -> tuple[Grey, Mask]:
    """Means of 4 x 4 pixels (rows / 4, cols / 4; what does not fill a cell is left out) and which cells are wholly valid."""
    rows, cols = grey.shape[0] // CELL_PX, grey.shape[1] // CELL_PX
    inner = (slice(rows * CELL_PX), slice(cols * CELL_PX))
    shape = (rows, CELL_PX, cols, CELL_PX)
    return grey[inner].reshape(shape).mean(axis=(1, 3)), np.asarray(valid[inner].reshape(shape).all(axis=(1, 3)))


def _block_spread(cells: Grey, whole: Mask) -> Grey:
    """Standard deviations of the blocks of 8 x 8 cells that are wholly valid, flat."""
    rows, cols = cells.shape[0] // BLOCK_CELLS, cells.shape[1] // BLOCK_CELLS
    inner = (slice(rows * BLOCK_CELLS), slice(cols * BLOCK_CELLS))
    shape = (rows, BLOCK_CELLS, cols, BLOCK_CELLS)
    return np.asarray(cells[inner].reshape(shape).std(axis=(1, 3))[whole[inner].reshape(shape).all(axis=(1, 3))])
