"""Many small scenes beside one large scene of as many tiles: tiles per second of the label phase, and seconds to plan.

Both hold noise, in files of one tile each and in one file, and are labelled inline. Then the lake of the small ones is planned
again, where every scene is known.

Run it as `python benchmarks/small_scenes.py [--scenes 400]`; it ends with 1 where small scenes reach less than SMALL_CLAIM x
the tiles per second of the large one, or planning takes more than PLAN_CLAIM milliseconds for a known scene.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from rsflow.lake.tables import find_lake
from rsflow.phases.build import Phase, plan_build, run
from rsflow.planning.recipe import load

TILE_PX = 256
SMALL_CLAIM = 0.7  # of the large scene's tiles per second
PLAN_CLAIM = 0.3  # milliseconds per known scene


def write_scene(path: Path, rows: int, cols: int, number: int) -> None:
    """A GeoTIFF of so many tiles, in UTM."""
    random = np.random.default_rng(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    place = {"crs": "EPSG:32633", "transform": from_origin(500_000 + number * 3000, 5_000_000, 10, 10)}
    shape = {"count": 3, "height": rows * TILE_PX, "width": cols * TILE_PX, "dtype": "uint16"}
    layout = {"tiled": True, "blockxsize": TILE_PX, "blockysize": TILE_PX, "bigtiff": "if_safer"}
    with rasterio.open(path, "w", driver="GTiff", **layout, **shape, **place) as file:
        for _, window in file.block_windows(1):
            file.write(random.integers(1, 4000, (3, TILE_PX, TILE_PX), dtype=np.uint16), window=window)


def config(folder: Path, name: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(
        f"root: {folder}/lake-{name}\nengine: {{kind: inline}}\ntiles: {{size_px: {TILE_PX}}}\nsources:\n"
        f"  - {{name: noise, sensor: optical, licence: CC0-1.0, labellers: [{{name: scene}}], "
        f"scenes: {{files: '{folder}/{name}/*.tif', bands: {{red: 1, green: 2, blue: 3}}}}}}\n"
    )
    return str(path)


def label_seconds(folder: Path, name: str) -> float:
    phases: list[Phase] = ["label"]
    return run(load(config(folder, name)), phases).seconds["label"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=400, help="a square number (default 400)")
    scenes = parser.parse_args().scenes
    side = round(scenes**0.5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(side * side):
            write_scene(folder / f"small/{number}.tif", 1, 1, number)
        write_scene(folder / "large/0.tif", side, side, 0)
        large, small = (side * side / label_seconds(folder, kind) for kind in ("large", "small"))
        start = time.perf_counter()
        built = load(config(folder, "small"))
        plan_build(built, find_lake(built.root))
        plan_ms = (time.perf_counter() - start) * 1000 / (side * side)
    print(f"tiles/s: one scene {large:.1f}, {side * side} scenes {small:.1f} ({small / large:.2f} x)")
    print(f"planning: {plan_ms:.2f} ms per known scene")
    return int(small < SMALL_CLAIM * large or plan_ms > PLAN_CLAIM)


if __name__ == "__main__":
    sys.exit(main())
