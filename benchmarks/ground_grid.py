"""Cells of the ground grid: rsflow's warp beside plain windowed reads and beside GDAL's warp as rio-tiler and odc-stac use it.

One made scene (four bands of 16 bits, tiled, with overviews) in several reference systems. In every round each reader does the
same cells, one after the other, so that what else the machine does hits all alike; printed are the medians in cells per second
and the ratio to the better of the two peers with the same resampling (bilinear):

- `plain`: rasterio reads a window of as many of the scene's own pixels, without a warp: the price of reading alone;
- `rio-tiler`: a WarpedVRT of the dataset, one read per cell (what `rio_tiler.io.Reader.part` does);
- `odc-stac`: odc-geo's `rio_reproject` of the pixels read around the cell (what odc.stac's loader does).

Both peers approximate the transformation per chunk, so the same pixel may differ between two windows; the share of pixels that
do is printed beside. Then shifts of 3 and -2 pixels are put into the second picture of every real pair under RSFLOW_TEST_DATA,
and the error of what is measured is printed by kind of pair.

Run it as `python benchmarks/ground_grid.py [--rounds 5] [--cells 12]`.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from odc.geo.warp import rio_reproject
from rasterio.enums import Resampling
from rasterio.transform import Affine, from_origin
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as RasterioWindow

from rsflow.cells.placement import CellSettings, cell_windows, target_grids
from rsflow.cells.registration import measure_shift, structure
from rsflow.readers import GRID, open_scene
from rsflow.readers.warped_scene import WarpedScene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window

SIDE, CELL = 4096, 512
PLACES: dict[str, tuple[str, Affine, float]] = {
    "same zone, on the grid": ("EPSG:32633", from_origin(500_000, 5_000_000, 10, 10), 10.0),
    "same zone, off the grid": ("EPSG:32633", from_origin(500_003.7, 5_000_001.9, 10, 10), 10.0),
    "degrees": ("EPSG:4326", from_origin(14.6, 45.3, 0.000127, 0.00009), 10.0),
    "next zone": ("EPSG:32632", from_origin(970_000, 5_010_000, 10, 10), 10.0),
    "degrees, 4 times coarser": ("EPSG:4326", from_origin(14.6, 45.3, 0.000127, 0.00009), 40.0),
}
Reader = Callable[[Window], Any]


def write_scene(path: Path, crs: str, transform: Affine) -> None:
    rows, cols = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    noise = np.random.default_rng(0).normal(scale=40, size=(SIDE, SIDE)).astype(np.float32)
    profile: dict[str, Any] = {"count": 4, "height": SIDE, "width": SIDE, "dtype": "uint16", "crs": crs, "transform": transform}
    with rasterio.open(path, "w", driver="GTiff", tiled=True, blockxsize=512, blockysize=512, nodata=0, **profile) as to:
        for band in range(1, 5):
            to.write((2000 + 900 * np.sin(rows / 37 + band) * np.cos(cols / 53) + noise).astype("uint16"), band)
        to.build_overviews([2, 4, 8], Resampling.average)


def warped(path: Path, gsd_m: float) -> WarpedScene:
    files = SceneFiles("bench.scene", "bench", "optical", "geotiff", {"": str(path)}, {})
    with open_scene(files) as stored:
        footprint = stored.info.footprint
    assert footprint
    grid = max(target_grids(footprint, CellSettings("utm", gsd_m, CELL)), key=lambda grid: grid.height_px * grid.width_px)
    option = {"target": grid.to_json(), "resampling": "bilinear", "is_whole": False}
    scene = open_scene(SceneFiles("bench.scene", "bench", "optical", "geotiff", {"": str(path)}, {GRID: option}))
    assert isinstance(scene, WarpedScene)
    return scene


def readers(path: Path, scene: WarpedScene, stored: Any) -> dict[str, Reader]:
    grid = scene.grid
    size = {"height": grid.height_px, "width": grid.width_px}

    def plain(window: Window) -> Any:
        row, col = (offset % (SIDE - CELL) for offset in (window.row_off, window.col_off))
        return stored.read(window=RasterioWindow(col, row, CELL, CELL))

    def rio_tiler(window: Window) -> Any:
        # Opened for each cell, as rio-tiler does: a VRT keeps the blocks that it has warped.
        with WarpedVRT(stored, crs=grid.crs, transform=Affine(*grid.transform), resampling=Resampling.bilinear, **size) as vrt:
            return vrt.read(window=RasterioWindow(window.col_off, window.row_off, window.width_px, window.height_px))

    def odc_stac(window: Window) -> Any:
        return _odc(stored, grid.geobox[window.row_off : window.row_stop, window.col_off : window.col_stop])

    return {"rsflow": lambda window: scene.read(window).pixels, "plain": plain, "rio-tiler": rio_tiler, "odc-stac": odc_stac}


def _odc(stored: Any, target: GeoBox) -> Any:
    """The overview and window that odc.stac's loader would choose, warped by odc-geo."""
    source = GeoBox((stored.height, stored.width), stored.transform, stored.crs)
    here = source.crs is None or source.crs == target.crs
    around = source.enclosing(target.extent if here else target.extent.to_crs(source.crs))  # type: ignore[arg-type]
    rows, cols = source.overlap_roi(around)
    rows, cols = slice(max(rows.start - 2, 0), rows.stop + 2), slice(max(cols.start - 2, 0), cols.stop + 2)
    factor = max(1, round(max(around.shape) / max(target.shape)))
    window = RasterioWindow(cols.start, rows.start, min(cols.stop, SIDE) - cols.start, min(rows.stop, SIDE) - rows.start)
    shape = (stored.count, math.ceil(window.height / factor), math.ceil(window.width / factor))
    pixels = stored.read(window=window, out_shape=shape)
    box = source[rows.start : rows.start + int(window.height), cols.start : cols.start + int(window.width)]
    box = box.zoom_to((shape[1], shape[2])) if factor > 1 else box
    out = np.zeros((stored.count, *target.shape), pixels.dtype)
    for band in range(stored.count):
        rio_reproject(pixels[band], out[band], box, target, resampling="bilinear", src_nodata=0, dst_nodata=0)
    return out


def speed(rounds: int, count: int) -> None:
    print(f"cells of {CELL} x {CELL} pixels, 4 bands of 16 bits: cells per second (medians of {rounds} rounds)")
    for name, (crs, transform, gsd_m) in PLACES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scene.tif"
            write_scene(path, crs, transform)
            with warped(path, gsd_m) as scene, rasterio.open(path) as stored:
                footprint = scene.info.footprint
                assert footprint
                cells = [window for window in cell_windows(footprint, scene.grid) if scene.read(window).valid.all()][:count]
                times = _interleaved(readers(path, scene, stored), cells, rounds)
                differ = {
                    peer: _chunk_share(reader, cells[0])
                    for peer, reader in readers(path, scene, stored).items()
                    if peer != "plain"
                }
        rates = {peer: len(cells) / statistics.median(spent) for peer, spent in times.items()}
        ratio = rates["rsflow"] / max(rates["rio-tiler"], rates["odc-stac"])
        listed = ", ".join(f"{peer} {rate:.1f}" for peer, rate in rates.items())
        shares = ", ".join(f"{peer} {share:.2%}" for peer, share in differ.items())
        print(f"  {name} ({len(cells)} cells): {listed}; {ratio:.2f} x the better peer; pixels that differ by window: {shares}")


def _interleaved(found: dict[str, Reader], cells: list[Window], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in found}
    for number in range(rounds + 1):
        for name, read in found.items():
            start = time.perf_counter()
            for window in cells:
                read(window)
            if number:  # the first round fills caches
                times[name].append(time.perf_counter() - start)
    return times


def _chunk_share(read: Reader, cell: Window) -> float:
    """The share of a cell's pixels that are others when its quarters are read one by one."""
    whole, half = read(cell), CELL // 2
    differ = 0
    for row, col in itertools.product((0, half), (0, half)):
        part = read(Window(cell.row_off + row, cell.col_off + col, half, half))
        differ += int((part != whole[:, row : row + half, col : col + half]).sum())
    return float(differ / whole.size)


PAIRS = {
    "optical, other dates (NAIP 5 m)": ("multidate/naip_m_4709963_se/*.tif", [1, 2, 3], None, []),
    "optical, other dates (Landsat, Amazon)": ("multidate/landsat_timelapse_amazon_river/*.tif", [1, 2, 3], None, []),
    "optical, other dates (Landsat 8, Madagascar)": ("multidate/landsat8_madagascar/*/*_B04.tiff", [1], None, []),
    "optical to radar (Sentinel-2, Sentinel-1)": ("multisensor/*/*_S2Hand.tif", [8], "multisensor/*/*_S1Hand.tif", [1]),
    "optical to thermal (Landsat 5)": (
        "infrared/landsat5_tm_thermal/*_B5.TIF",
        [1],
        "infrared/landsat5_tm_thermal/*_B6.TIF",
        [1],
    ),
}


def registration(data: Path) -> None:
    print(
        "error of a measured shift of (3, -2) pixels, the pair's own misregistration included; and of the difference it makes"
    )
    for name, (first, bands, second, other_bands) in PAIRS.items():
        ones = [_grey(path, bands) for path in sorted(data.glob(first))]
        others = [_grey(path, other_bands) for path in sorted(data.glob(second))] if second else []
        pairs = list(zip(ones, others, strict=False)) if others else list(itertools.combinations(ones, 2))
        errors = [_errors(*pair) for pair in pairs]
        known = [error for error in errors if error]
        if known:
            worst, added, confidence = max(e[0] for e in known), max(e[1] for e in known), min(e[2] for e in known)
            print(f"  {name}: {len(known)} of {len(pairs)} known, worst {worst:.2f} px, added {added:.2f} px,", end=" ")
            print(f"confidence from {confidence:.2f}")


def _grey(path: Path, bands: list[int]) -> tuple[Any, Any]:
    with rasterio.open(path) as stored:
        pixels = stored.read(bands).astype(np.float32)
    valid = np.isfinite(pixels).all(axis=0) & ~(pixels == 0).all(axis=0)
    return np.nan_to_num(pixels).mean(axis=0), valid


def _errors(first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[float, float, float] | None:
    height, width = (min(first[0].shape[axis], second[0].shape[axis]) for axis in (0, 1))
    (one, known), (other, there) = ((picture[:height, :width], valid[:height, :width]) for picture, valid in (first, second))
    moved = np.roll(there, (-2, 3), (0, 1))
    moved[-2:], moved[:, :3] = False, False
    base = structure(one, known)
    before = measure_shift(base, structure(other, there), 12)
    after = measure_shift(base, structure(np.roll(other, (-2, 3), (0, 1)), moved), 12)
    if before.dx_px is None or before.dy_px is None or after.dx_px is None or after.dy_px is None:
        return None
    total = math.hypot(after.dx_px - 3, after.dy_px + 2)
    return total, math.hypot(after.dx_px - before.dx_px - 3, after.dy_px - before.dy_px + 2), after.confidence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cells", type=int, default=12)
    arguments = parser.parse_args()
    speed(arguments.rounds, arguments.cells)
    data = Path(os.environ.get("RSFLOW_TEST_DATA", Path(__file__).parents[2] / "shared/data"))
    if data.is_dir():
        registration(data)


if __name__ == "__main__":
    main()
