"""False alarms of `cfar` on land: targets per 1,000 km2 claimed in real SAR tiles without water.

Land is cut from Sentinel-1 scenes of the test data in tiles of several sizes, half overlapping: the parts of a Sen1Floods11
chip (Spain) whose hand label shows next to no water, a TerraMesh RTC chip, a GRD quicklook of Tamil Nadu (uncalibrated) and
the parts of an RTC scene of the Puget Sound that hold next to no sea. Each is shown as calibrated decibel, where it is
calibrated, and as uncalibrated amplitude of 8 bits. `without evidence` is the same detector with its tests for water off.

    python benchmarks/cfar_on_land.py [--data FOLDER]

Exit code 1 where more than `LIMIT` false alarms per 1,000 km2 are left.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio

from rsflow.labellers.cfar import Cfar
from rsflow.records import Raster
from rsflow.sensors import PixelUnit

LIMIT = 1.0
SIZES_PX = (128, 200, 256, 400, 512)
MOST_WATER = 0.02  # share of a tile's pixels: ponds, ditches, radar shadow
SEA_DB = -13.0
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class LandScene:
    """`values` (bands, rows, cols) in `unit`; `water` (rows, cols): where the ground truth shows or does not exclude water."""

    name: str
    values: Values
    unit: PixelUnit
    water: npt.NDArray[np.bool_]
    gsd_m: float


def land_scenes(folder: Path) -> Iterator[LandScene]:
    spain = folder / "multisensor" / "sen1floods11_spain"
    hand = read(spain / "Spain_7370579_LabelHand.tif")[0]
    yield LandScene("Sen1Floods11, Spain", read(spain / "Spain_7370579_S1Hand.tif"), "db", hand != 0, 10.0)
    chip = read(folder / "ground" / "landcover" / "terramesh" / "S1RTC" / "38D_378R_2_3.tif")
    yield LandScene("TerraMesh", chip, "db", np.zeros(chip.shape[1:], bool), 10.0)
    grd = read(folder / "sar" / "s1_grd_gcps.tif").astype(np.float32)
    grd[grd == 0] = np.nan
    yield LandScene("GRD, Tamil Nadu", grd, "amplitude", np.zeros(grd.shape[1:], bool), 200.0)
    rtc = read(folder / "sar" / "s1_rtc_puget_sound.tif")
    decibel = 10 * np.log10(np.where(rtc > 0, rtc, np.nan))
    yield LandScene("RTC, Puget Sound", decibel, "db", decibel[0] < SEA_DB, 200.0)


def read(path: Path) -> Values:
    with rasterio.open(path) as file:
        return np.asarray(file.read())


def as_amplitude(scene: LandScene) -> LandScene:
    """The scene as an 8-bit picture of its amplitude, as data sets of ships deliver them."""
    amplitude = 10 ** (scene.values / 20) if scene.unit == "db" else scene.values
    scaled = np.clip(amplitude / np.nanpercentile(amplitude, 99) * 255, 1, 255).round()
    return LandScene(f"{scene.name}, 8 bit", scaled, "amplitude", scene.water, scene.gsd_m)


def land_tiles(scene: LandScene, size_px: int) -> Iterator[Raster]:
    height, width = scene.water.shape
    names = ("vv", "vh")[: len(scene.values)]
    for row in range(0, height - size_px + 1, size_px // 2):
        for col in range(0, width - size_px + 1, size_px // 2):
            window = np.s_[row : row + size_px, col : col + size_px]
            if scene.water[window].mean() <= MOST_WATER:
                values = scene.values[:, window[0], window[1]]
                yield Raster(values, np.asarray(np.isfinite(values).all(axis=0)), names)


def false_alarms(labeller: Cfar, scene: LandScene, size_px: int) -> tuple[int, float]:
    """(targets, km2 of valid land), each tile once with its pixel size on the ground and once without."""
    count, area = 0, 0.0
    for tile in land_tiles(scene, size_px):
        picture = np.zeros(tile.valid.shape, np.uint8)
        for gsd_m in (10.0, None):
            count += len(labeller.label(tile, picture, scene.unit, gsd_m))
            area += float(tile.valid.sum()) * (scene.gsd_m / 1000) ** 2
    return count, area


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    default = os.environ.get("RSFLOW_TEST_DATA", str(Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(default), help="folder of the test data")
    folder = parser.parse_args(arguments).data
    without = Cfar(max_water_db=1e3, max_cross_water_db=1e3, min_contrast_ratio=1e-9, min_even_windows=1)
    calibrated = list(land_scenes(folder))
    totals = {"without evidence": [0, 0.0], "cfar": [0, 0.0]}
    print(f"{'scene':28}{'tile':>6}{'km2':>12}{'without evidence':>18}{'cfar':>6}")
    for scene in [*calibrated, *(as_amplitude(scene) for scene in calibrated)]:
        for size_px in SIZES_PX:
            (before, area), (after, _) = (false_alarms(each, scene, size_px) for each in (without, Cfar()))
            for name, count in zip(totals, (before, after), strict=True):
                totals[name][0] += count
                totals[name][1] += area
            if area:
                print(f"{scene.name:28}{size_px:6}{area:12.0f}{before:18}{after:6}")
    rates = {name: 1000 * count / area for name, (count, area) in totals.items()}
    print("\nfalse alarms per 1,000 km2 of land: " + ", ".join(f"{name} {rate:.3f}" for name, rate in rates.items()))
    return 0 if rates["cfar"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
