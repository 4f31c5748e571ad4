"""The label phase without labellers beside a plain loop that does the same work: tiles per second, and where the time goes.

Both read windows, stretch them by scene-wide percentiles, screen, sign, encode to JPEG and write; the plain loop is what one
would write with rasterio and Pillow, one open handle, in one process. They run in turn, `--rounds` times; ratios are of
medians, per core used. Starting Ray is told, not counted; its share of the workers' time is. Anyone can run it:

    python benchmarks/label.py [--size 6000] [--scenes 2] [--rounds 3] [--workers 2] [--memory-scene 20000]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import resource
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from PIL import Image
from rasterio.transform import from_origin
from rasterio.windows import Window

from rsflow.config.settings import BuildConfig, Engine, Scenes, Source, Tiles
from rsflow.engine.cluster.ray_data import cluster
from rsflow.lake.receipts import completed_units
from rsflow.phases.build import run

TILE = 512


def write_scene(path: Path, size_px: int, seed: int) -> None:
    """A three-band 8-bit deflate COG-like GeoTIFF with natural content (smooth noise plus texture), block by block."""
    random = np.random.default_rng(seed)
    profile = {"driver": "GTiff", "count": 3, "height": size_px, "width": size_px, "dtype": "uint8", "crs": "EPSG:32633"}
    layout = {"tiled": True, "blockxsize": TILE, "blockysize": TILE, "compress": "deflate", "predictor": 2}
    coarse = random.integers(40, 160, (3, size_px // 128 + 2, size_px // 128 + 2)).astype(np.uint8)
    with rasterio.open(path, "w", **profile, **layout, transform=from_origin(500_000, 5_000_000, 1, 1)) as out:
        for row in range(0, size_px, TILE):
            for col in range(0, size_px, TILE):
                height, width = min(TILE, size_px - row), min(TILE, size_px - col)
                part = coarse[:, row // 128 : row // 128 + 5, col // 128 : col // 128 + 5]
                ground = np.stack([np.asarray(Image.fromarray(b).resize((TILE, TILE), Image.Resampling.BICUBIC)) for b in part])
                texture = random.integers(0, 24, (3, TILE, TILE), dtype=np.uint8)
                out.write((ground // 2 + texture)[:, :height, :width], window=Window(col, row, width, height))
        out.build_overviews([4, 16], rasterio.enums.Resampling.average)


def plain_loop(scenes: list[Path], folder: Path) -> tuple[int, float]:
    """One process, rasterio and Pillow: the tiles that were written, and seconds."""
    start, tiles = time.perf_counter(), 0
    folder.mkdir(parents=True)
    for scene in scenes:
        with rasterio.open(scene) as source:
            scale = max(1, max(source.shape) // 1024)
            small = source.read(out_shape=(source.count, source.height // scale, source.width // scale))
            low, high = (np.percentile(small, q, axis=(1, 2)).reshape(-1, 1, 1) for q in (2, 98))
            for row in range(0, source.height, TILE):
                for col in range(0, source.width, TILE):
                    row_off, col_off = min(row, source.height - TILE), min(col, source.width - TILE)
                    tiles += one_tile(source.read(window=Window(col_off, row_off, TILE, TILE)), low, high, folder / str(tiles))
    return tiles, time.perf_counter() - start


def one_tile(pixels: npt.NDArray[np.uint8], low: npt.NDArray[Any], high: npt.NDArray[Any], path: Path) -> int:
    """Stretch, screen (contrast, sharpness, brightness), sign (difference hash, digest), encode, write."""
    scaled = np.clip((pixels.astype(np.float32) - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    picture = np.ascontiguousarray(scaled.transpose(1, 2, 0))
    image = Image.fromarray(picture)
    grey = np.asarray(image.convert("L"), dtype=np.float32)
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    scores = {"contrast": float(grey.std()), "sharpness": float(np.abs(laplacian).mean())}
    scores["cloud"] = float((picture.min(axis=2) > 200).mean())
    small = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    signature = np.packbits((small[:, 1:] > small[:, :-1]).reshape(-1)).tobytes().hex()
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=92)
    data = buffer.getvalue()
    digests = {"picture": hashlib.sha256(data).hexdigest(), "pixels": hashlib.sha256(picture.tobytes()).hexdigest()}
    path.with_suffix(".jpg").write_bytes(data)
    path.with_suffix(".json").write_text(json.dumps({**scores, **digests, "signature": signature}))
    return 1


def rsflow_label(scenes: list[Path], folder: Path, engine: Engine) -> tuple[int, float]:
    """The label phase through rsflow: its windows, and seconds without those that a local Ray takes to start."""
    files = tuple(str(scene) for scene in scenes)
    source = Source("bench", "optical", "CC0-1.0", Scenes(files, bands={"red": 1, "green": 2, "blue": 3}))
    built = BuildConfig(str(folder), (source,), tiles=Tiles(TILE), engine=engine)
    with ExitStack() as stack:
        if engine.kind == "ray":
            start = time.perf_counter()
            stack.enter_context(cluster(engine))
            print(f"    Ray started in {time.perf_counter() - start:.1f} s", flush=True)
        start = time.perf_counter()
        outcome = run(built, ["label"])
        spent = time.perf_counter() - start
    done = [row for row in completed_units(outcome.lake).to_pylist() if row["step"] == "label"]
    stages: Counter[str] = Counter()
    for row in done:
        stages.update({stage["stage"]: stage["seconds"] for stage in row["stage_seconds"]})
    working = sum(row["seconds"] for row in done)
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages.items())
    print(f"    {told}; outside of units {1 - working / spent / (engine.workers or 1):.0%} of the workers' time", flush=True)
    return sum(row["rows_in"] for row in done), spent


def in_process(function: Callable[..., tuple[int, float]], *arguments: Any) -> tuple[int, float, float]:
    """(tiles, seconds, peak MiB of the largest process) of a call in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, function, arguments).result()


def written(path: Path, size_px: int, seed: int) -> Path:
    """A scene, written in a process of its own: a child's peak memory starts from its parent's, so the parent stays small."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(write_scene, path, size_px, seed).result()
    return path


def _measured(function: Callable[..., tuple[int, float]], arguments: tuple[Any, ...]) -> tuple[int, float, float]:
    tiles, spent = function(*arguments)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return tiles, spent, peak / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=6000)
    parser.add_argument("--scenes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--memory-scene", type=int, default=0, help="also label one scene of this size and tell the peak memory"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="rsflow-bench-"))
    try:
        compare(folder, options)
        if options.memory_scene:
            memory(folder, options.memory_scene)
    finally:
        shutil.rmtree(folder)


def compare(folder: Path, options: argparse.Namespace) -> None:
    scenes = [written(folder / f"scene{i}.tif", options.size, i) for i in range(options.scenes)]
    rates: dict[str, list[float]] = {"plain loop": [], "inline": [], "ray": []}
    engines = {"inline": (Engine("inline", workers=1), 1), "ray": (Engine("ray", workers=options.workers), options.workers)}
    for number in range(options.rounds):
        tiles, spent, _ = in_process(plain_loop, scenes, folder / f"plain{number}")
        rates["plain loop"].append(tiles / spent)
        print(f"  plain loop  {tiles} tiles in {spent:.1f} s", flush=True)
        for name, (engine, cores) in engines.items():
            tiles, spent, _ = in_process(rsflow_label, scenes, folder / f"{name}{number}", engine)
            rates[name].append(tiles / spent / cores)
            print(f"  {name:10}  {tiles} tiles in {spent:.1f} s on {cores} cores", flush=True)
    base = statistics.median(rates["plain loop"])
    for name, found in rates.items():
        middle = statistics.median(found)
        print(f"{name:10}  {middle:7.1f} tiles/s per core  {middle / base:5.2f} x the plain loop")


def memory(folder: Path, size_px: int) -> None:
    scene = written(folder / "large.tif", size_px, 9)
    tiles, spent, peak = in_process(rsflow_label, [scene], folder / "large", Engine("inline"))
    print(f"{size_px} x {size_px}, 3 bands: {tiles} tiles in {spent:.0f} s, peak {peak:.0f} MiB in one worker")


if __name__ == "__main__":
    main()
