"""Misregistration on the real pairs under RSFLOW_TEST_DATA: shifts that are put in, by kind of pair and by what disturbs them.

Shifts of up to 5 pixels in both directions, fractions too, are put into the second picture, which is then disturbed: clouds
over a fifth of it, a slanting border of fill, multiplicative noise of two looks, JPEG of quality 60, and pixels of twice the
size. Printed are, per kind of pair and disturbance, how many shifts were measured, the largest distance to what was put in
(the pair's own misregistration is in it) and the largest distance beyond what is measured of the pair as it is. Then turned,
scaled, mirrored and foreign pictures, of which no shift may be known: how many are stated all the same.

Run it as `python benchmarks/misregistration.py [--shifts 4]`.
"""

from __future__ import annotations

import argparse
import io
import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from PIL import Image
from scipy import ndimage

from rsflow.cells.registration import Shift, measure_shift, structure

SIDE_PX, SEARCH_PX, MOST_PX = 512, 12, 5.0
Plane = npt.NDArray[Any]
Picture = tuple[Plane, Plane]  # values and where they are valid
Pair = tuple[str, str, Picture, Picture]  # kind, name, two pictures of one place


def read(path: Path, bands: list[int]) -> Picture:
    """The middle of a picture."""
    with rasterio.open(path) as stored:
        pixels = stored.read(bands).astype(np.float32)
    valid = np.isfinite(pixels).all(axis=0) & ~(pixels == 0).all(axis=0)
    grey = np.nan_to_num(pixels).mean(axis=0)
    top, left = (max((side - SIDE_PX) // 2, 0) for side in grey.shape)
    inside = np.s_[top : top + SIDE_PX, left : left + SIDE_PX]
    return grey[inside], valid[inside]


def real_pairs(data: Path) -> Iterator[Pair]:
    for folder, pattern, bands in (
        ("multidate/naip_m_4709963_se", "*.tif", [1, 2, 3]),
        ("multidate/landsat_timelapse_amazon_river", "*.tif", [1, 2, 3]),
        ("multidate/landsat8_madagascar", "*/*_B04.tiff", [1]),
    ):
        paths = sorted((data / folder).glob(pattern))
        first = read(paths[0], bands)
        for path in paths[1:]:
            yield "optical, other date", f"{folder.rpartition('/')[2]} {path.stem}", first, read(path, bands)
    place = data / "multisensor/sen1floods11_spain"
    for name, bands in (("visible", [2, 3, 4]), ("near infrared", [8])):
        optical = read(place / "Spain_7370579_S2Hand.tif", bands)
        for number, polarisation in ((1, "VV"), (2, "VH")):
            radar = read(place / "Spain_7370579_S1Hand.tif", [number])
            yield "optical to radar", f"{name} {polarisation}", optical, radar
    thermal = data / "infrared/landsat5_tm_thermal"
    for band in (3, 5, 7):
        pictures = [read(thermal / f"LT52240631988227CUB02_B{number}.TIF", [1]) for number in (band, 6)]
        yield "optical to thermal", f"band {band}", pictures[0], pictures[1]


def moved(picture: Picture, dx: float, dy: float) -> Picture:
    values, valid = picture
    filled = np.where(valid, values, np.median(values[valid]))
    there = ndimage.shift(valid.astype(np.float32), (dy, dx), order=1, cval=0) > 0.999
    return ndimage.shift(filled, (dy, dx), order=3, mode="nearest"), there


def clouded(picture: Picture, rng: np.random.Generator) -> Picture:
    values, valid = picture
    field = ndimage.gaussian_filter(rng.normal(size=values.shape), 20)
    cloud = ndimage.gaussian_filter((field > np.quantile(field, 0.8)).astype(np.float32), 4)
    return values * (1 - cloud) + 1.2 * np.percentile(values[valid], 99) * cloud, valid


def bordered(picture: Picture, rng: np.random.Generator) -> Picture:
    values, valid = picture
    rows, cols = np.indices(values.shape)
    inside = valid & (cols + rng.uniform(0.2, 0.6) * rows > 0.35 * values.shape[1])
    return np.where(inside, values, 0), inside


def speckled(picture: Picture, rng: np.random.Generator) -> Picture:
    values, valid = picture
    return (values - np.percentile(values[valid], 1) + 1) * rng.gamma(2, 0.5, values.shape), valid


def compressed(picture: Picture, _: np.random.Generator) -> Picture:
    values, valid = picture
    low, high = np.percentile(values[valid], (2, 98))
    stream = io.BytesIO()
    Image.fromarray((np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)).save(stream, "JPEG", quality=60)
    return np.asarray(Image.open(stream)).astype(np.float32), valid


def halved(picture: Picture) -> Picture:
    values, valid = (np.asarray(each, np.float32) for each in picture)
    rows, cols = (side // 2 for side in values.shape)
    small, known = (each[: 2 * rows, : 2 * cols].reshape(rows, 2, cols, 2).mean(axis=(1, 3)) for each in (values, valid))
    return small, known > 0.999


DISTURBED: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "nothing": lambda picture, _: picture,
    "clouds": clouded,
    "border of fill": bordered,
    "speckle": speckled,
    "JPEG": compressed,
}


def measure(first: Picture, second: Picture) -> Shift:
    rows, cols = (min(sides) for sides in zip(first[0].shape, second[0].shape, strict=True))
    one, other = (structure(values[:rows, :cols], valid[:rows, :cols]) for values, valid in (first, second))
    return measure_shift(one, other, SEARCH_PX)


def print_errors(pairs: list[Pair], shifts: int, rng: np.random.Generator) -> None:
    """One line per kind of pair and disturbance."""
    found: dict[tuple[str, str], list[tuple[float, float] | None]] = defaultdict(list)
    for kind, _, first, second in pairs:
        own = measure(first, second)
        for name, disturb in DISTURBED.items():
            for _ in range(shifts):
                dx, dy = rng.uniform(-MOST_PX, MOST_PX, 2)
                found[kind, name].append(_error(measure(first, disturb(moved(second, dx, dy), rng)), dx, dy, own))
        for _ in range(shifts):
            dx, dy = rng.uniform(-MOST_PX, MOST_PX, 2)
            coarse = measure(halved(first), halved(moved(second, dx, dy)))
            twice = Shift(coarse.dx_px and 2 * coarse.dx_px, coarse.dy_px and 2 * coarse.dy_px, coarse.confidence)
            found[kind, "pixels twice the size"].append(_error(twice, dx, dy, own))
    print("| pair | disturbed by | measured | worst error | of it added |\n|---|---|---|---|---|")
    for (kind, name), errors in found.items():
        known = [error for error in errors if error]
        worst, added = (max((error[place] for error in known), default=math.nan) for place in (0, 1))
        print(f"| {kind} | {name} | {len(known)} of {len(errors)} | {worst:.2f} px | {added:.2f} px |")


def _error(shift: Shift, dx: float, dy: float, own: Shift) -> tuple[float, float] | None:
    if shift.dx_px is None or shift.dy_px is None:
        return None
    whole = math.hypot(shift.dx_px - dx, shift.dy_px - dy)
    return whole, math.hypot(shift.dx_px - dx - (own.dx_px or 0), shift.dy_px - dy - (own.dy_px or 0))


def print_refusals(pairs: list[Pair]) -> None:
    """Of pictures without a common shift: how many have one all the same."""
    stated: dict[str, list[bool]] = defaultdict(list)
    for number, (_, _, first, second) in enumerate(pairs):
        values, valid = second
        filled = np.where(valid, values, np.median(values[valid]))
        for degrees in (2, 5, 30, 90):
            turned = ndimage.rotate(filled, degrees, reshape=False, order=1, mode="reflect")
            there = ndimage.rotate(valid.astype(np.float32), degrees, reshape=False, order=1) > 0.99
            stated[f"turned by {degrees} degrees"].append(measure(first, (turned, there)).dx_px is not None)
        stated["mirrored"].append(measure(first, (values[:, ::-1], valid[:, ::-1])).dx_px is not None)
        far = next(pair for pair in pairs[number + 1 :] + pairs[:number] if pair[0] != pairs[number][0])
        stated["of another place"].append(measure(first, far[3]).dx_px is not None)
        stated["smooth"].append(measure(first, (ndimage.gaussian_filter(filled, 60), valid)).dx_px is not None)
    for name, found in stated.items():
        print(f"{name}: a shift is stated of {sum(found)} of {len(found)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shifts", type=int, default=4, help="per pair and disturbance (default: %(default)s)")
    asked = parser.parse_args()
    data = Path(os.environ.get("RSFLOW_TEST_DATA", "../shared/data"))
    pairs = list(real_pairs(data))
    print_errors(pairs, asked.shifts, np.random.default_rng(0))
    print_refusals(pairs)


if __name__ == "__main__":
    main()
