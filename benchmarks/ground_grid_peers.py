"""Cells of the ground grid beside odc-stac and rio-tiler themselves.

Neither is among rsflow's requirements, so this runs in two interpreters that take turns. The one with rsflow writes the scene,
asks the other (`--peers PYTHON`, with odc-stac and rio-tiler) to do the same cells in the same resampling, and prints cells per
second: `odc.stac.load` and `rio_tiler.io.Reader.part` once per cell, from an open item or file as their documentation shows.

Run it as `python benchmarks/ground_grid_peers.py --peers PYTHON [--rounds 3] [--cells 12]`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Box = list[float]  # left, bottom, right, top in metres


def time_cells(read: Callable[[Any], Any], cells: list[Any]) -> float:
    start = time.perf_counter()
    for cell in cells:
        read(cell)
    return time.perf_counter() - start


def peers(place: str, crs: str, gsd_m: float, side: int, cells: list[Box]) -> None:
    """Answer each line of standard input with the seconds of one round of each peer."""
    import datetime

    import odc.stac
    import pystac
    import rasterio
    from odc.geo.geobox import GeoBox
    from odc.geo.geom import BoundingBox
    from rio_tiler.io import Reader  # type: ignore[import-not-found, unused-ignore]  # a peer, installed to compare

    with rasterio.open(place) as stored:
        left, bottom, right, top = rasterio.warp.transform_bounds(stored.crs, "EPSG:4326", *stored.bounds)
        projection = {"proj:code": stored.crs.to_string(), "proj:shape": stored.shape, "proj:transform": [*stored.transform]}
        count = stored.count
    ring = [[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    item = pystac.Item("a", shape, [left, bottom, right, top], datetime.datetime(2024, 1, 1), projection)
    bands = [{"name": f"b{number}"} for number in range(1, count + 1)]
    fields = {**projection, "bands": bands, "raster:bands": [{"data_type": "uint16", "nodata": 0}] * count}
    item.add_asset("data", pystac.Asset(place, roles=["data"], media_type=pystac.MediaType.COG, extra_fields=fields))

    def with_odc(box: Box) -> Any:
        target = GeoBox.from_bbox(BoundingBox(box[0], box[1], box[2], box[3]), crs, shape=(side, side))
        return odc.stac.load([item], geobox=target, resampling="bilinear")

    reader = Reader(place)

    def with_rio_tiler(box: Box) -> Any:
        return reader.part(
            tuple(box),
            bounds_crs=crs,
            dst_crs=crs,
            height=side,
            width=side,
            resampling_method="bilinear",
            reproject_method="bilinear",
        )

    for _ in sys.stdin:
        spent = {"odc-stac": time_cells(with_odc, cells), "rio-tiler": time_cells(with_rio_tiler, cells)}
        print(json.dumps(spent), flush=True)


def compare(interpreter: str, rounds: int, count: int) -> None:
    from ground_grid import CELL, PLACES, warped, write_scene

    from rsflow.cells.placement import cell_windows

    for name, (crs, transform, gsd_m) in PLACES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scene.tif"
            write_scene(path, crs, transform)
            with warped(path, gsd_m) as scene:
                assert scene.info.footprint
                windows = [each for each in cell_windows(scene.info.footprint, scene.grid) if scene.read(each).valid.all()]
                windows = windows[:count]
                a, _, c, _, e, f = scene.grid.transform
                boxes = [[c + a * w.col_off, f + e * w.row_stop, c + a * w.col_stop, f + e * w.row_off] for w in windows]
                asked = json.dumps([str(path), scene.grid.crs, gsd_m, CELL, boxes])
                command = [interpreter, __file__, "--cells-of", asked]
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
                    assert child.stdin
                    assert child.stdout
                    times: dict[str, list[float]] = {"rsflow": [], "odc-stac": [], "rio-tiler": []}
                    for number in range(rounds + 1):
                        child.stdin.write("\n")
                        child.stdin.flush()
                        spent = {"rsflow": time_cells(scene.read, windows), **json.loads(child.stdout.readline())}
                        for each in times if number else ():  # the first round fills caches
                            times[each].append(spent[each])
                    child.stdin.close()
        rates = {each: len(windows) / statistics.median(spent) for each, spent in times.items()}
        ratio = rates["rsflow"] / max(rates["odc-stac"], rates["rio-tiler"])
        listed = ", ".join(f"{each} {rate:.1f}" for each, rate in rates.items())
        print(f"  {name} ({len(windows)} cells a round): {listed} cells/s; {ratio:.2f} x the better peer", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=12)
    parser.add_argument("--cells-of")
    chosen = parser.parse_args()
    if chosen.cells_of:
        peers(*json.loads(chosen.cells_of))
    elif chosen.peers:
        compare(chosen.peers, chosen.rounds, chosen.cells)
    else:
        parser.error("--peers PYTHON is missing: an interpreter with odc-stac and rio-tiler")


if __name__ == "__main__":
    main()
