"""Labels per second from building footprints, beside geopandas' `sjoin` and a shapely clip that end in the same labels.

Made footprints (seeded rotated rectangles, in degrees) lie over scenes of 0.5 m in UTM, each cut into tiles of 512 px. Both
sides start from the same GeoPackage file and end with an Arrow table of the labels of every tile (category, box, outline,
visibility) in tile pixels, of objects of which a tile shows at least 30 %. No picture is read, and both sides use one core; the
first one's reading of the layer, repair of its geometries and spatial order count. Peak memory is of the process, each side in
one of its own.

Claims: the same number of labels, at least twice as many per CPU second, and less memory than the side that holds the whole
layer. Of 1,000,000 footprints over 200 scenes (2026-11-29, two shared cores): 1,039,334 labels by both, 98,000 against 31,000 a
CPU second (3.2 times), 659 against 2,308 MiB.

Run it as `python benchmarks/ground.py [--footprints 100000] [--scenes 20]`; geopandas must be importable for the comparison.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyproj import Transformer

from rsflow.config.annotation_settings import Annotations
from rsflow.config.tile_settings import Tiles
from rsflow.ground.layer_settings import VectorOptions
from rsflow.ground.layer_store import layer_copy
from rsflow.ground.placed_features import TileView
from rsflow.ground.scene_grid import SceneGrid
from rsflow.ground.scene_layer import SceneLayer, read_window_features
from rsflow.schemas import LABEL_STRUCT
from rsflow.spatial.geometry import enclosing_box
from rsflow.tiles.grid import cover_windows, group_windows

CRS, PIXEL, SIDE, TILE = "EPSG:32633", 0.5, 5120, 512
PIXEL_BYTES = 3  # of a scene in colour
MIN_VISIBILITY = 0.3


def origin(scene: int) -> tuple[float, float]:
    return 400_000.0 + 3_000.0 * (scene % 50), 5_000_000.0 + 3_000.0 * (scene // 50)


def write_footprints(path: Path, count: int, scenes: int) -> None:
    random = np.random.default_rng(7)
    corner = np.array([origin(scene) for scene in random.integers(0, scenes, count)])
    centres = corner + random.uniform(0, SIDE * PIXEL, (count, 2)) * np.array([1, -1])
    sizes, angles = random.uniform(6, 25, (count, 2)) / 2, random.uniform(0, np.pi, count)
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
    local = sizes[:, None] * signs
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    xs = centres[:, :1] + local[..., 0] * cos - local[..., 1] * sin
    ys = centres[:, 1:] + local[..., 0] * sin + local[..., 1] * cos
    lons, lats = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(xs, ys)
    shapes = shapely.polygons(np.stack([lons, lats], axis=-1))
    pyogrio.raw.write(path, shapely.to_wkb(shapes), [], [], crs="EPSG:4326", geometry_type="Polygon")


def label_with_rsflow(path: Path, scenes: int, folder: Path) -> Iterator[pa.Table]:
    copy = layer_copy(Annotations("vector", str(path)), VectorOptions(category="building"), str(folder), "benchmark")
    summary = copy.summary
    scene_layer = SceneLayer("b", summary.crs, "", None, (), None, "polygon", None, "", copy.file, summary.forms)
    windows = cover_windows(SIDE, SIDE, TILE)
    for scene in range(scenes):
        x, y = origin(scene)
        grid = SceneGrid(CRS, (PIXEL, 0.0, x, 0.0, -PIXEL, y))
        # As a build does it: a layer is read once per unit of work, and labels all of its tiles.
        for unit in group_windows(windows, PIXEL_BYTES, Tiles().unit_mb):
            tiles = [TileView(windows[index], (PIXEL, PIXEL)) for index in unit]
            box = enclosing_box([tile.window.box for tile in tiles])
            found = read_window_features(scene_layer, str(folder), grid, box, (PIXEL, PIXEL), None)
            for layer_truth in found.label(tiles, MIN_VISIBILITY):
                for rows in layer_truth.truth.objects:
                    yield pa.Table.from_arrays([rows], ["labels"])


def label_with_geopandas(path: Path, scenes: int) -> Iterator[pa.Table]:
    import geopandas

    footprints = geopandas.read_file(path).to_crs(CRS)
    offsets = [(scene, row, col) for scene in range(scenes) for row in range(0, SIDE, TILE) for col in range(0, SIDE, TILE)]
    corners = np.array([(origin(s)[0] + PIXEL * col, origin(s)[1] - PIXEL * row) for s, row, col in offsets])
    boxes = shapely.box(corners[:, 0], corners[:, 1] - PIXEL * TILE, corners[:, 0] + PIXEL * TILE, corners[:, 1])
    tiles = geopandas.GeoDataFrame({"x": corners[:, 0], "y": corners[:, 1]}, geometry=boxes, crs=CRS)
    joined = footprints.sjoin(tiles, predicate="intersects")
    clipped = shapely.intersection(joined.geometry.values, boxes[joined["index_right"].to_numpy()])
    visibility = shapely.area(clipped) / shapely.area(joined.geometry.values)
    kept = visibility >= MIN_VISIBILITY
    rows = []
    for geometry, x, y, share in zip(clipped[kept], joined["x"][kept], joined["y"][kept], visibility[kept], strict=True):
        points = (np.array(geometry.exterior.coords)[:-1] - (x, y)) / (PIXEL, -PIXEL)
        low, high = points.min(axis=0), points.max(axis=0)
        rows.append(
            {"box": [*low, *high], "polygon": points.ravel(), "visibility": share, "category": "building", "kind": "box"}
        )
    yield pa.Table.from_arrays([pa.array(rows, LABEL_STRUCT)], ["labels"])


def measure(side: str, path: str, scenes: int) -> None:
    """One side, in this process: prints its labels, seconds and peak memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        found = (
            label_with_rsflow(Path(path), scenes, Path(folder))
            if side == "rsflow"
            else label_with_geopandas(Path(path), scenes)
        )
        labels = sum(table.num_rows for table in found)
        print(
            labels,
            time.perf_counter() - start,
            time.process_time() - cpu,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--footprints", type=int, default=100_000)
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--side", choices=["rsflow", "geopandas"])
    parser.add_argument("--file")
    asked = parser.parse_args()
    if asked.side:
        measure(asked.side, asked.file, asked.scenes)
        return 0
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "footprints.gpkg"
        write_footprints(path, asked.footprints, asked.scenes)
        for side in ("rsflow", "geopandas"):
            command = [sys.executable, __file__, "--side", side, "--file", str(path), "--scenes", str(asked.scenes)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{side}: not measured: {done.stderr.strip().splitlines()[-1]}")
                continue
            found[side] = [float(value) for value in done.stdout.split()]
            labels, seconds, cpu, memory = found[side]
            print(
                f"{side:10}{labels:>12,.0f} labels{labels / seconds:>12,.0f} a second"
                f"{labels / cpu:>12,.0f} a CPU second{memory:>8,.0f} MiB"
            )
    if len(found) < 2:
        return 0
    (ours, _, our_cpu, our_memory), (theirs, _, their_cpu, their_memory) = found["rsflow"], found["geopandas"]
    ratio = (ours / our_cpu) / (theirs / their_cpu)
    print(f"{ratio:.2f} x the labels per CPU second of geopandas; labels differ by {abs(ours - theirs):,.0f}")
    return int(our_memory > their_memory or abs(ours - theirs) > 1e-4 * theirs or ratio < 2)


if __name__ == "__main__":
    sys.exit(main())
