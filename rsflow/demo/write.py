"""Write the demo's scenes, their annotation files and a configuration that builds from them.

One idea: the files are what a provider would deliver (tiled, compressed GeoTIFFs with overviews, in UTM, with nodata and the
time of acquisition), and hold nothing that changes from run to run: the same seed gives the same bytes with the same library
versions. Two more deliveries of one optical scene, one re-compressed and one with a trace of noise, are the planted duplicates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import shapely
import yaml
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from rsflow.demo.cameras import infrared, optical, sar
from rsflow.demo.cameras.scene import Rendered, Shown
from rsflow.demo.place.layout import Place, plan_place
from rsflow.demo.place.things import CATEGORIES, Structure, View, outline
from rsflow.errors import UsageError
from rsflow.files import storage
from rsflow.sensors import SensorName
from rsflow.spatial.geometry import Box

EPSG = 32633
ORIGIN_M = (404_000.0, 5_056_000.0)  # easting, northing of the place's north-west corner: invented ground in the Adriatic
LICENCE = "CC0-1.0"
DEMO_SENSORS: tuple[SensorName, ...] = ("optical", "sar", "infrared")


@dataclass(frozen=True, slots=True)
class DemoScenes:
    """What was written: places of the configuration, the scenes and the annotation files, and the number of boxes in these."""

    config: str
    scenes: tuple[str, ...]
    annotations: tuple[str, ...]
    boxes: int


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One file to write: where, when it was acquired, what it shows, and how it is compressed."""

    sensor: SensorName
    name: str
    acquired_at: str
    view: View
    bands: tuple[str, ...]
    rendered: Rendered
    compress: str = "deflate"


def write_demo_scenes(
    folder: str | Path, seed: int = 7, size_px: int = 2048, origin_m: tuple[float, float] = ORIGIN_M
) -> DemoScenes:
    """Write the demo's scenes below `folder`: optical/, sar/, infrared/, annotations/ and demo.yaml.

    `size_px`: side of the optical scenes in pixels of 1 m, a multiple of 256, at least 512; the others show the same ground.
    `origin_m`: easting and northing of the place's north-west corner.
    Paths in demo.yaml start at its own folder, so the whole can be moved. Files of the same name are replaced.
    Raises UsageError for another size, StorageError where the folder cannot be written.
    """
    if size_px < 512 or size_px % 256:
        raise UsageError(f"size_px is {size_px}: give a multiple of 256 that is at least 512, for example 2048")
    root = str(folder)
    scenes: list[str] = []
    coco: dict[SensorName, dict[str, Any]] = {sensor: _empty_coco(sensor) for sensor in DEMO_SENSORS}
    for delivery in _deliveries(plan_place(seed, float(size_px)), size_px):
        scenes.append(storage.join(root, delivery.sensor, delivery.name))
        storage.write_bytes(scenes[-1], _geotiff(delivery, origin_m))
        _annotate(coco[delivery.sensor], delivery)
    annotations = [storage.join(root, "annotations", f"{sensor}.json") for sensor in DEMO_SENSORS]
    for path, sensor in zip(annotations, DEMO_SENSORS, strict=True):
        storage.write_bytes(path, json.dumps(coco[sensor], indent=1).encode())
    config = storage.join(root, "demo.yaml")
    storage.write_bytes(config, _config(seed).encode())
    return DemoScenes(config, tuple(scenes), tuple(annotations), sum(len(data["annotations"]) for data in coco.values()))


def _deliveries(place: Place, size_px: int) -> Iterator[_Delivery]:
    whole = View(0.0, 0.0, 1.0, size_px, size_px)
    for day, overpass in (
        ("2024-05-14T10:02:31", optical.Pass(0, 1.0, 56.0, -55.0, 4.0, cloud=(0.62, 0.86))),
        ("2024-11-02T10:05:12", optical.Pass(1, 0.15, 33.0, -75.0, -6.0)),
    ):
        rendered = optical.render_optical(place, overpass, whole)
        yield _Delivery("optical", f"optical_{day[:10]}.tif", day, whole, optical.BANDS, rendered)
    yield from _duplicates(place, size_px)
    side = int(size_px / 1.25)
    radar = View(0.0, 0.0, 1.25, side, side)
    for day, look in (
        ("2024-05-15T05:11:40", sar.Pass(2, 0.0, 0.0, -9.0)),
        ("2024-11-03T16:48:02", sar.Pass(3, 2.0, 3.0, 8.0)),
    ):
        yield _Delivery("sar", f"sar_{day[:10]}.tif", day, radar, sar.BANDS, sar.render_sar(place, look, radar))
    side = int(size_px / 1.5)
    thermal = View(0.0, 0.0, 1.5, side, side)
    for day, flight in (
        ("2024-05-14T20:14:05", infrared.Pass(4, False, 3.0)),
        ("2024-11-02T04:40:00", infrared.Pass(5, True, -5.0)),
    ):
        rendered = infrared.render_infrared(place, flight, thermal)
        yield _Delivery("infrared", f"infrared_{day[:10]}.tif", day, thermal, infrared.BANDS, rendered)


def _duplicates(place: Place, size_px: int) -> Iterator[_Delivery]:
    """One smaller optical scene over the harbour, and the same again: re-compressed, and with a trace of noise."""
    side, day = size_px // 512 * 256, "2024-08-21T10:03:47"
    view = View(float(round(0.17 * size_px)), float(round(0.34 * size_px)), 1.0, side, side)
    first = optical.render_optical(place, optical.Pass(6, 0.75, 48.0, -60.0, 2.0), view)
    traced = Rendered(_with_trace(first.pixels, place.seed), first.shown)
    for name, rendered, compress in (("", first, "deflate"), ("_recompressed", first, "lzw"), ("_resent", traced, "deflate")):
        yield _Delivery("optical", f"optical_{day[:10]}{name}.tif", day, view, optical.BANDS, rendered, compress)


def _with_trace(pixels: npt.NDArray[np.uint16], seed: int) -> npt.NDArray[np.uint16]:
    """The same pixels, one in eight of them raised by half a step: less than one grey level of the picture."""
    raised = np.random.default_rng([seed, 12]).random(pixels.shape[1:]) < 1 / 8
    traced: npt.NDArray[np.uint16] = pixels + (raised & (pixels[0] > 0)).astype(np.uint16) * np.uint16(optical.STEP // 2)
    return traced


def _geotiff(delivery: _Delivery, origin_m: tuple[float, float]) -> bytes:
    pixels, view = delivery.rendered.pixels, delivery.view
    east, north = origin_m[0] + view.x_m, origin_m[1] - view.y_m
    profile = {
        "driver": "GTiff",
        "dtype": pixels.dtype,
        "count": pixels.shape[0],
        "height": view.height_px,
        "width": view.width_px,
        "crs": f"EPSG:{EPSG}",
        "transform": Affine(view.gsd_m, 0.0, east, 0.0, -view.gsd_m, north),
        "nodata": 0,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": delivery.compress,
        "predictor": 1 if pixels.dtype.kind == "f" else 2,
        "interleave": "band",
        "zlevel": 5,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(pixels)
            file.descriptions = delivery.bands
            if delivery.sensor == "optical":
                file.scales, file.units = (optical.SCALE,) * len(pixels), ("reflectance",) * len(pixels)
            file.update_tags(ACQUISITIONDATETIME=f"{delivery.acquired_at}Z", TIFFTAG_DATETIME=_tiff_time(delivery.acquired_at))
        levels = [level for level in (2, 4, 8) if min(view.height_px, view.width_px) // level >= 128]
        with rasterio.open(memory.name, "r+") as file:
            file.build_overviews(levels, Resampling.nearest)
        return bytes(memory.read())


def _tiff_time(iso: str) -> str:
    return iso.replace("-", ":").replace("T", " ")


def _empty_coco(sensor: SensorName) -> dict[str, Any]:
    return {
        "info": {
            "description": f"rsflow demo scenes, {sensor}: invented ground, every object with its exact box",
            "version": "1",
        },
        "licenses": [{"id": 1, "name": LICENCE, "url": "https://creativecommons.org/publicdomain/zero/1.0/"}],
        "categories": [{"id": number, "name": name} for number, name in enumerate(CATEGORIES, 1)],
        "images": [],
        "annotations": [],
    }


def _annotate(coco: dict[str, Any], delivery: _Delivery) -> None:
    number, view = len(coco["images"]) + 1, delivery.view
    coco["images"].append(
        {
            "id": number,
            "file_name": delivery.name,
            "width": view.width_px,
            "height": view.height_px,
            "date_captured": delivery.acquired_at,
            "license": 1,
        }
    )
    for row in _annotation_rows(delivery.rendered.shown, view):
        coco["annotations"].append({"id": len(coco["annotations"]) + 1, "image_id": number, **row})


def _annotation_rows(shown: Shown, view: View) -> Iterator[dict[str, Any]]:
    for thing, spot in shown:
        w = spot.window
        yield {
            "category_id": CATEGORIES.index(thing.category) + 1,
            "bbox": [w.col_off, w.row_off, w.width_px, w.height_px],
            "area": int(spot.mask.sum()),
            "segmentation": [_ring(thing, view, w.box)],
            "iscrowd": 0,
        }


def _ring(thing: Structure, view: View, box: Box) -> list[float]:
    """The outline in pixels, cut to the box: it may pass the outermost pixels' centres by up to half a pixel."""
    corners = [((x - view.x_m) / view.gsd_m, (y - view.y_m) / view.gsd_m) for x, y in outline(thing)]
    inside = shapely.clip_by_rect(shapely.Polygon(corners), *box)
    return [round(float(value), 3) for value in shapely.get_coordinates(inside)[:-1].ravel()]


_LABELLERS = {"optical": "spectral", "sar": "cfar", "infrared": "hotspot"}
_BANDS = {"optical": optical.BANDS, "sar": sar.BANDS, "infrared": infrared.BANDS}


def _config(seed: int) -> str:
    data = {
        "root": "lake",
        "seed": seed,
        "sources": [_source(sensor) for sensor in DEMO_SENSORS],
        # The place is 2 km wide: cells this small still give several to every split, and more tiles lie inside than at an edge.
        "tiles": {"size_px": 256, "cell_km": 0.6},
        "instructions": {"min_box_px": 3.0},
        "select": {"splits": {"train": 0.8, "val": 0.1, "test": 0.1}},
        "shard": {"target_mb": 4.0},
    }
    title = "# The demo: one invented place seen by three sensors. Written by `rsflow demo-scenes`.\n"
    return title + yaml.safe_dump(data, sort_keys=False, width=120)


def _source(sensor: SensorName) -> dict[str, Any]:
    return {
        "name": f"demo-{sensor}",
        "sensor": sensor,
        "licence": LICENCE,
        "scenes": {
            "files": f"{sensor}/*.tif",
            "bands": {name: number for number, name in enumerate(_BANDS[sensor], 1)},
        },
        "annotations": {"format": "coco", "files": f"annotations/{sensor}.json"},
        "labellers": [{"name": _LABELLERS[sensor]}, {"name": "scene"}],
    }
