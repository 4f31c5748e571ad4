"""Change boxes against the masks of the changes: precision and recall, on real pictures with painted changes.

No published mask of a real change is at hand, so the truth is made: both dates are one real scene (Sen1Floods11's Sentinel-2
chip of Spain, Landsat 8 of Madagascar), the second with noise of its own, moved by a known shift, and with rectangles painted
in whose ground is another part of the same scene's. What rsflow finds by the index is held against the painted ground whose
index rose or fell by the threshold, and what it finds by two class maps against the rectangles. A box is right at an
intersection over union of 0.5; areas below the stated least size and width are no truth.

Run it as `python benchmarks/change_boxes.py [--pairs 40]`, with RSFLOW_TEST_DATA.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from scipy import ndimage

from rsflow.changes.areas import AreaLimits, large_areas
from rsflow.changes.cover_changes import ClassMap, compare_covers
from rsflow.changes.index_changes import IndexLimits, compare_index, index_plane, move
from rsflow.records import UNKNOWN, Label, Raster
from rsflow.spatial.geometry import Box, iou

SIDE, SMALLEST_PX, LARGEST_PX, PATCHES = 256, 6, 48, 6
REGISTERED_PX = 0.5  # what a measured shift may be wrong by
SHIFTS = ((0.0, 0.0), (0.6, -0.4), (2.0, 1.0))
RIGHT = 0.5


def scenes(data: Path) -> Iterator[tuple[str, Raster]]:
    """Red and near infrared, proportional to reflectance."""
    with rasterio.open(data / "multisensor/sen1floods11_spain/Spain_7370579_S2Hand.tif") as source:
        red, nir = source.read(4).astype(np.float32) / 1e4, source.read(8).astype(np.float32) / 1e4
        yield "Sentinel-2, Spain", Raster(np.stack([red, nir]), (red > 0) & (nir > 0), ("red", "nir"))
    folder = data / "multidate/landsat8_madagascar/2017-01-18"
    bands = []
    for name in ("B04", "B05"):
        with rasterio.open(folder / f"L8_2017-01-18_{name}.tiff") as source:
            bands.append(source.read(1).astype(np.float32) / 65535)
    yield "Landsat 8, Madagascar", Raster(np.stack(bands), (bands[0] > 0) & (bands[1] > 0), ("red", "nir"))


def pair(scene: Raster, shift: tuple[float, float], rng: np.random.Generator) -> tuple[Raster, Raster, np.ndarray]:
    """(earlier, later, painted mask) of a window of the scene; the mask is in pixels of the later one."""
    height, width = scene.valid.shape
    row, col = (int(rng.integers(0, size - SIDE + 1)) for size in (height, width))
    before = scene.pixels[:, row : row + SIDE, col : col + SIDE]
    valid = scene.valid[row : row + SIDE, col : col + SIDE]
    after = np.stack([move(band, valid, shift)[0] for band in before])
    mask = np.zeros((SIDE, SIDE), np.bool_)
    for _ in range(PATCHES):
        high, wide = (int(v) for v in rng.integers(SMALLEST_PX, LARGEST_PX, 2))
        y, x = (int(rng.integers(8, SIDE - size - 8)) for size in (high, wide))
        if mask[max(y - 8, 0) : y + high + 8, max(x - 8, 0) : x + wide + 8].any():
            continue  # apart from the others, so that each is one area
        v, u = int(rng.integers(0, height - high)), int(rng.integers(0, width - wide))
        after[:, y : y + high, x : x + wide] = scene.pixels[:, v : v + high, u : u + wide]
        mask[y : y + high, x : x + wide] = True
    after *= 1 + rng.normal(scale=0.01, size=after.shape).astype(np.float32)
    known = move(before[0], valid, shift)[1]
    return Raster(before, valid, scene.bands), Raster(after, known, scene.bands), mask


def boxes(labels: list[Label]) -> list[Box]:
    return [one.shape.box for one in labels if one.kind == "change" and one.shape and UNKNOWN not in one.shape.flags]


def areas(mask: np.ndarray, limits: AreaLimits) -> list[Box]:
    numbered, _ = ndimage.label(large_areas(mask, limits), structure=np.ones((3, 3)))
    return [(c.start, r.start, c.stop, r.stop) for r, c in ndimage.find_objects(numbered)]


def held_against(found: list[Box], truth: list[Box], painted: np.ndarray) -> np.ndarray:
    """(found that are right, found, truth that was found, truth, found where nothing was painted)."""
    right = sum(any(iou(box, other) >= RIGHT for other in truth) for box in found)
    hit = sum(any(iou(box, other) >= RIGHT for other in found) for box in truth)
    false = sum(not painted[int(y0) : math.ceil(y1), int(x0) : math.ceil(x1)].any() for x0, y0, x1, y1 in found)
    return np.array([right, len(found), hit, len(truth), false])


def by_index(before: Raster, after: Raster, mask: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    planes = [index_plane(raster, "ndvi") for raster in (before, after)]
    assert planes[0]
    assert planes[1]
    limits = AreaLimits(16, max(math.hypot(*shift), REGISTERED_PX))
    found = boxes(compare_index("ndvi", planes[0], planes[1], shift, IndexLimits(0.2, 3.0), limits))
    earlier, known = move(*planes[0], shift)
    difference, comparable = planes[1][0] - earlier, mask & known & planes[1][1]
    # Ground that rose and ground that fell beside each other are two areas.
    truth = [box for sign in (1, -1) for box in areas(comparable & (sign * difference >= 0.2), limits)]
    return held_against(found, truth, mask)


def by_maps(mask: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    limits = AreaLimits(16, max(math.hypot(*shift), 1.0))
    maps = [ClassMap(codes.astype(np.int16), ("forest", "soil"), 1.0, "map") for codes in (np.zeros_like(mask), mask)]
    found = boxes(compare_covers(maps[0], maps[1], np.ones_like(mask), limits))
    return held_against(found, areas(mask, limits), mask)


def line(name: str, shift: tuple[float, float], counts: Any) -> str:
    right, found, hit, truth, false = (int(value) for value in counts)
    precision, recall = right / max(found, 1), hit / max(truth, 1)
    where = f"shift {shift[0]:+.1f} {shift[1]:+.1f} px"
    return (
        f"{name:32} {where:24} precision {precision:.3f} of {found:4}  recall {recall:.3f} of {truth:4}  nowhere near {false}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=40, help="per scene and shift")
    arguments = parser.parse_args()
    for name, scene in scenes(Path(os.environ["RSFLOW_TEST_DATA"])):
        for shift in SHIFTS:
            rng = np.random.default_rng(0)
            index, maps = np.zeros(5, int), np.zeros(5, int)
            for _ in range(arguments.pairs):
                before, after, mask = pair(scene, shift, rng)
                index += by_index(before, after, mask, shift)
                maps += by_maps(mask, shift)
            print(line(f"{name}, NDVI", shift, index))
            print(line(f"{name}, class maps", shift, maps))


if __name__ == "__main__":
    main()
