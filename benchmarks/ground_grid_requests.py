"""What cells of the ground grid and scales of a scene ask of an object store, and the memory that a worker needs for them.

One made scene (four bands of 16 bits, cloud-optimised), read from a server on this machine that answers as S3 does and
counts requests and bytes; each reader has a copy of its own, so GDAL has none of it yet. Printed per cell, for rsflow and for
rasterio reading as many of the scene's own pixels by window (through the file's overviews where the cell is coarser): requests,
bytes, and the share of the file. Then the same of the overview that a zoom sample shows. Last, the most memory that a process
needs beyond its imports, for all cells of the scene on the local disk.

Run it as `python benchmarks/ground_grid_requests.py [--side 4096]`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.session import AWSSession
from rasterio.transform import from_origin
from rasterio.windows import Window as RasterioWindow

from rsflow.cells.placement import CellSettings, cell_windows, target_grids
from rsflow.readers import GRID, REDUCED, open_scene
from rsflow.readers.warped_scene import WarpedScene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window

CELL, ZOOM = 256, 16
SIZES_M = (10.0, 40.0, 160.0)
MIB = 2**20
BUCKET = "bench"


class FolderServer(BaseHTTPRequestHandler):
    """Gives files of `folder` whole or by range, as an S3 store does; `/count` gives and clears [requests, bytes]."""

    protocol_version = "HTTP/1.1"
    folder = ""
    counts: ClassVar[list[int]] = [0, 0]

    def do_GET(self) -> None:
        if self.path == "/count":
            self._answer(200, json.dumps(self.counts).encode())
            self.counts[:] = [0, 0]
            return
        path = Path(self.folder + self.path.partition("?")[0])
        self.counts[0] += 1
        if not path.is_file():
            self._answer(404, b"")
            return
        start, _, stop = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        with path.open("rb") as stream:
            stream.seek(int(start))
            part = stream.read(int(stop) - int(start) + 1 if stop else -1)
        size = path.stat().st_size
        self.counts[1] += len(part)
        self._answer(206, part, {"Content-Range": f"bytes {start}-{int(start) + len(part) - 1}/{size}"})

    def do_HEAD(self) -> None:
        path = Path(self.folder + self.path.partition("?")[0])
        self.counts[0] += 1
        self.send_response(200 if path.is_file() else 404)
        self.send_header("Content-Length", str(path.stat().st_size if path.is_file() else 0))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Accept-Ranges": "bytes", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def serve(folder: str) -> None:
    """Serve until the parent ends the process; the port is printed first."""
    FolderServer.folder = folder
    with ThreadingHTTPServer(("127.0.0.1", 0), FolderServer) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


@contextmanager
def serving(folder: str) -> Iterator[Callable[[], list[int]]]:
    """A store in a process of its own, which the usual AWS variables point at; what comes back counts and starts afresh."""
    command = [sys.executable, __file__, "--serve", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        address = f"http://127.0.0.1:{int(child.stdout.readline())}"
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
        os.environ |= {"AWS_ENDPOINT_URL": address, **keys}

        def count() -> list[int]:
            with urllib.request.urlopen(f"{address}/count") as answer:
                found: list[int] = json.load(answer)
                return found

        try:
            yield count
        finally:
            child.terminate()


def write_scene(path: Path, side: int) -> None:
    rows, cols = np.mgrid[0:side, 0:side].astype(np.float32)
    noise = np.random.default_rng(0).normal(scale=40, size=(side, side)).astype(np.float32)
    shape: dict[str, Any] = {"count": 4, "height": side, "width": side, "dtype": "uint16"}
    place = {"crs": "EPSG:32633", "transform": from_origin(500_003.7, 5_000_001.9, 10, 10), "nodata": 0}
    blocks = {"tiled": True, "blockxsize": 512, "blockysize": 512, "interleave": "pixel"}
    stored = path.with_suffix(".plain.tif")
    with rasterio.open(stored, "w", driver="GTiff", **shape, **place, **blocks) as to:
        for band in range(1, 5):
            to.write((2000 + 900 * np.sin(rows / 37 + band) * np.cos(cols / 53) + noise).astype("uint16"), band)
    rasterio.shutil.copy(stored, path, driver="COG", blocksize=512, compress="none", overview_resampling="average")
    stored.unlink()


def scene_files(place: str, **options: Any) -> SceneFiles:
    return SceneFiles("bench.scene", "bench", "optical", "geotiff", {"": place}, options)


def warped(place: str, gsd_m: float) -> WarpedScene:
    with open_scene(scene_files(place)) as stored:
        footprint = stored.info.footprint
    assert footprint
    grid = max(target_grids(footprint, CellSettings("utm", gsd_m, CELL)), key=lambda grid: grid.height_px * grid.width_px)
    scene = open_scene(scene_files(place, **{GRID: {"target": grid.to_json(), "resampling": "average", "is_whole": False}}))
    assert isinstance(scene, WarpedScene)
    return scene


def cells_of(scene: WarpedScene) -> list[Window]:
    assert scene.info.footprint
    return cell_windows(scene.info.footprint, scene.grid)


def plain_reader(place: str, factor: int) -> Callable[[Window], Any]:
    """Reads as many of the scene's own pixels as a cell has, `factor` times coarser, through the file's overviews."""
    env: dict[str, Any] = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif"}
    if place.startswith("s3://"):
        endpoint = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
        env |= {"session": AWSSession(endpoint_url=endpoint), "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
    with rasterio.Env(**env):
        stored = rasterio.open(place)

    def read(window: Window) -> Any:
        side = min(CELL * factor, stored.width)
        row, col = (min(offset * factor, stored.width - side) for offset in (window.row_off, window.col_off))
        with rasterio.Env(**env):
            return stored.read(window=RasterioWindow(max(col, 0), max(row, 0), side, side), out_shape=(4, CELL, CELL))

    return read


def print_requests(path: Path, count: Callable[[], list[int]]) -> None:
    size = path.stat().st_size
    print(f"requests and bytes per cell of {CELL} x {CELL} pixels, file of {size / MIB:.0f} MiB (opening included)")
    for gsd_m in SIZES_M:
        cells = cells_of(warped(str(path), gsd_m))
        for name in ("rsflow", "plain"):
            place = copy_for(path, f"{name}-{gsd_m:g}.tif")
            read: Callable[[Window], Any]
            if name == "rsflow":
                grid = warped(str(path), gsd_m).grid.to_json()
                options = {GRID: {"target": grid, "resampling": "average", "is_whole": False}}
                count()
                read = open_scene(scene_files(place, **options)).read
            else:
                count()
                read = plain_reader(place, round(gsd_m / 10))
            for window in cells:
                read(window)
            requests, volume = count()
            print(
                f"  {gsd_m:g} m, {len(cells)} cells, {name}: {requests / len(cells):.2f} requests, "
                f"{volume / len(cells) / MIB:.2f} MiB; {volume / size:.1%} of the file"
            )
    place = copy_for(path, "overview.tif")
    count()
    read_overview(place)
    requests, volume = count()
    print(f"  overview {ZOOM} times coarser: {requests} requests, {volume / size:.1%} of the file")


def copy_for(path: Path, name: str) -> str:
    """The address of the scene under another name: nothing of it is in GDAL's cache."""
    (path.parent / BUCKET).mkdir(exist_ok=True)
    (path.parent / BUCKET / name).hardlink_to(path)
    return f"s3://{BUCKET}/{name}"


def read_overview(place: str) -> None:
    with open_scene(scene_files(place, **{REDUCED: {"factor": ZOOM, "scale": "overview"}})) as scene:
        scene.read(Window(0, 0, scene.info.height_px, scene.info.width_px))


def print_memory(path: Path) -> None:
    print("memory beyond the imports, all cells of the scene on the local disk, one process")
    for gsd_m in SIZES_M:
        for name in ("rsflow", "plain", "overview"):
            command = [sys.executable, __file__, "--child", name, str(path), str(gsd_m)]
            found = subprocess.run(command, check=True, capture_output=True, text=True)
            print(f"  {gsd_m:g} m, {name}: {found.stdout.strip()} MiB")


def child(name: str, place: str, gsd_m: float) -> None:
    """Read all cells and print by how much the process grew."""
    before = peak_kib()
    if name == "overview":
        read_overview(place)
    else:
        cells = cells_of(warped(place, gsd_m))
        read = warped(place, gsd_m).read if name == "rsflow" else plain_reader(place, round(gsd_m / 10))
        for window in cells:
            read(window)
    print(round((peak_kib() - before) / 1024))


def peak_kib() -> int:
    """The most memory that this program has had; `ru_maxrss` would count the parent's too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--child", nargs=3)
    parser.add_argument("--serve")
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve)
    if chosen.child:
        child(chosen.child[0], chosen.child[1], float(chosen.child[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.tif"
        write_scene(path, chosen.side)
        with serving(folder) as count:
            print_requests(path, count)
        print_memory(path)


if __name__ == "__main__":
    main()
