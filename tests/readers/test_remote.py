"""The same scenes through an object store and a web server, both on this machine."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import numpy as np
import pytest
from PIL import Image

from rsflow.config.settings import Scenes, Source
from rsflow.errors import DataError
from rsflow.readers import list_scenes, open_scene
from rsflow.spatial.geometry import Window

TILED = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}


@pytest.fixture
def stored(bucket):
    """The name of a bucket, and what puts a file into it."""

    def put(key: str, path: Path) -> None:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ACL="public-read")

    return bucket, put


def test_windows_through_s3_and_http_equal_local_ones(stored, endpoint, write_tif, scene, noise):
    name, put = stored
    path = write_tif("a.tif", noise(3, 300, 300, dtype="uint16", high=60_000), nodata=7, **TILED)
    put("in/a.tif", path)
    window = Window(60, 70, 100, 120)
    with open_scene(scene(path)) as local:
        expected, info, view = local.read(window), local.info, local.overview(100)
    for place in (f"s3://{name}/in/a.tif", f"{endpoint}/{name}/in/a.tif"):
        with open_scene(scene(place)) as reader:
            raster = reader.read(window)
            assert reader.info == info
            assert np.array_equal(reader.overview(100).pixels, view.pixels)
        assert np.array_equal(raster.pixels, expected.pixels)
        assert np.array_equal(raster.valid, expected.valid)


class RangeHandler(BaseHTTPRequestHandler):
    """Serves one file with byte ranges, as any web server does, and counts what it sends."""

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        first, last = (self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")
        self._answer(self.server.content[int(first) : int(last) + 1 if last else None], int(first))

    def _answer(self, body: bytes, first: int = 0) -> None:
        total = len(self.server.content)
        self.send_response(206 if body else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body) or total))
        if body:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{total}")
        self.end_headers()
        self.wfile.write(body)
        self.server.sent += len(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


def test_a_window_of_a_large_file_is_a_small_transfer(scene, write_tif, noise):
    path = write_tif("a.tif", noise(3, 1500, 1500), **TILED)
    server = ThreadingHTTPServer(("127.0.0.1", 0), RangeHandler)
    server.content, server.sent = path.read_bytes(), 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    window = Window(700, 700, 10, 10)
    try:
        with (
            open_scene(scene(f"http://127.0.0.1:{server.server_port}/a.tif?signed=yes")) as reader,
            open_scene(scene(path)) as local,
        ):
            assert np.array_equal(reader.read(window).pixels, local.read(window).pixels)
    finally:
        server.shutdown()
        server.server_close()
    assert 0 < server.sent < 0.1 * len(server.content)


def test_sources_in_a_bucket_are_listed_and_pictures_read(stored, tmp_path, noise):
    name, put = stored
    pixels = noise(40, 60)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    for key in ("set/b/p.png", "set/a/p.png"):
        put(key, tmp_path / "p.png")
    found = list_scenes(Source("far", "optical", "CC0", Scenes(f"s3://{name}/set/*/*.png")))
    assert [scene.scene_id for scene in found] == ["far.a__p", "far.b__p"]
    with open_scene(found[0]) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 40, 60)).pixels[0], pixels)


def test_bands_in_a_bucket(stored, write_tif, noise):
    name, put = stored
    for band, seed in (("B1", 1), ("B2", 2)):
        put(f"s/x_{band}.tif", write_tif(f"{band}.tif", noise(1, 40, 40, seed=seed)))
    (only,) = list_scenes(Source("far", "optical", "CC0", Scenes(f"s3://{name}/s/*_{{band}}.tif", {"red": "B1", "nir": "B2"})))
    with open_scene(only) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 40, 40)).pixels[1], noise(40, 40, seed=2))


def test_missing_objects_are_told_and_a_repaired_one_is_seen(stored, endpoint, scene, write_tif, noise, tmp_path):
    name, put = stored
    for place in (f"s3://{name}/late.tif", f"{endpoint}/{name}/late.tif", f"s3://{name}/late.png"):
        with pytest.raises(DataError, match="late") as caught:
            open_scene(scene(place))
        assert caught.value.reason == "missing_file"
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\0 nothing")
    put("late.tif", broken)
    with pytest.raises(DataError) as caught:
        open_scene(scene(f"s3://{name}/late.tif"))
    assert caught.value.reason == "unreadable"
    put("late.tif", write_tif("good.tif", noise(1, 30, 30)))
    with open_scene(scene(f"s3://{name}/late.tif")) as reader:
        assert reader.read(Window(0, 0, 30, 30)).valid.all()
