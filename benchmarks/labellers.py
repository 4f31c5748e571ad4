"""How right the labellers that need no weights are: `cfar` and `hotspot` beside a plain global threshold.

Each picture is labelled and compared with its annotations (rsflow.labellers.quality.detection_metrics: pairs of one box found
and one true box, best overlap first). Real pictures: the HRSID and HIT-UAV pictures below `--data`. Because their settings
were looked at on these pictures, the lines "odd" and "even" show every second picture alone: a setting that fits single
pictures would part them. With `--demo DIR` (written by `rsflow demo-scenes DIR`) the demo's radar and infrared scenes are
tiled and scored as well.

Run it as `python benchmarks/labellers.py [--data DIR] [--demo DIR]`; it ends with 1 where `cfar` is not above 0.72, the F1 of
a cell-averaging CFAR of thirty lines, at IoU 0.3 on HRSID.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from rsflow.annotations import AnnotatedSet, ScenePicture, clip_labels, join_scenes, read_annotations
from rsflow.config.settings import Annotations
from rsflow.labellers import Labeller
from rsflow.labellers.cfar import Cfar
from rsflow.labellers.hotspot import Hotspot
from rsflow.labellers.quality.detection_metrics import Score, score
from rsflow.readers import open_scene
from rsflow.records import Raster, SceneFiles
from rsflow.sensors import SENSORS, PixelUnit, SensorName
from rsflow.spatial.geometry import Box, Window
from rsflow.tiles.bright_targets import close_gaps, connected_regions

CLAIM = 0.72
LEAST_IOU = (0.3, 0.5)
TILE_PX = 512
MIN_VISIBILITY = 0.3
PEER_SD, PEER_AREA_PX = 5.0, 40


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture to label: its pixels, what they mean, and the true boxes."""

    raster: Raster
    unit: PixelUnit
    gsd_m: float | None
    true: tuple[Box, ...]


Detector = Callable[[Sheet], list[Box]]


def by(labeller: Labeller) -> Detector:
    def detect(sheet: Sheet) -> list[Box]:
        grey = as_picture(sheet.raster)
        labels = labeller.label(sheet.raster, grey, sheet.unit, sheet.gsd_m)
        return [label.shape.box for label in labels if label.kind == "box" and label.shape]

    return detect


def by_threshold(sheet: Sheet) -> list[Box]:
    """The plain peer: what is brighter than the picture's mean by five standard deviations, closed, in regions of 40 pixels."""
    band = sheet.raster.pixels[0].astype(np.float64)
    values = band[sheet.raster.valid]
    if not values.size:
        return []
    bright = sheet.raster.valid & (band > values.mean() + PEER_SD * values.std())
    return [mark.box for mark in connected_regions(close_gaps(bright, 2), PEER_AREA_PX)]


def as_picture(raster: Raster) -> npt.NDArray[np.uint8]:
    band = np.where(raster.valid, raster.pixels[0], 0).astype(np.float64)
    high = np.percentile(band[raster.valid], 99) if raster.valid.any() else 1.0
    return np.clip(band / max(high, 1e-9) * 255, 0, 255).astype(np.uint8)


def of_pictures(folder: Path, annotated: AnnotatedSet, unit: PixelUnit, ignored: str) -> Iterator[Sheet]:
    """The annotated pictures of a folder as whole sheets, by name; boxes of the category `ignored` are not asked for."""
    for _, picture in sorted(annotated.pictures.items()):
        grey = np.asarray(Image.open(folder / picture.file).convert("L"))
        true = tuple(lab.shape.box for lab in picture.labels if lab.shape and lab.category != ignored)
        yield Sheet(Raster(grey[None], np.ones(grey.shape, dtype=bool), ("grey",)), unit, None, true)


def on_demo(folder: Path, sensor: SensorName, category: str | None) -> Iterator[Sheet]:
    """The demo's scenes of a sensor in tiles, with the true boxes of a category (None: of all) that they show."""
    annotated = read_annotations(Annotations("coco", str(folder / "annotations" / f"{sensor}.json")))
    for path in sorted((folder / sensor).glob("*.tif")):
        with open_scene(SceneFiles(path.stem, "demo", sensor, "auto", {"": str(path)})) as scene:
            height, width = scene.info.height_px, scene.info.width_px
            picture = join_scenes(annotated, [ScenePicture(path.name, height, width)]).pictures.get(path.name)
            labels = [lab for lab in (picture.labels if picture else ()) if category in (None, lab.category)]
            for row in range(0, height, TILE_PX):
                for col in range(0, width, TILE_PX):
                    window = Window(row, col, min(TILE_PX, height - row), min(TILE_PX, width - col))
                    shown = clip_labels(labels, window, MIN_VISIBILITY, (0.0, 0.0, float(width), float(height)))
                    true = tuple(lab.shape.box for lab in shown if lab.shape)
                    yield Sheet(scene.read(window), SENSORS[sensor].default_unit, scene.info.gsd_m, true)


def table(title: str, sheets: Iterable[Sheet], detectors: dict[str, Detector]) -> dict[str, Score]:
    """Print one block of the table; returns each detector's score at the first least overlap."""
    every = list(sheets)
    print(f"\n{title}: {len(every)} pictures, {sum(len(sheet.true) for sheet in every)} boxes")
    print(f"  {'':18}" + "".join(f"{f'IoU {least}: precision':>20}{'recall':>8}{'F1':>7}" for least in LEAST_IOU))
    first: dict[str, Score] = {}
    for name, detect in detectors.items():
        found = [detect(sheet) for sheet in every]
        for part, chosen in (("", slice(None)), (" odd", slice(0, None, 2)), (" even", slice(1, None, 2))):
            pairs = list(zip(found, every, strict=True))[chosen]
            scores = [sum((score(boxes, sheet.true, least) for boxes, sheet in pairs), Score()) for least in LEAST_IOU]
            if not part:
                first[name] = scores[0]
            print(f"  {name + part:18}" + "".join(f"{s.precision:20.2f}{s.recall:8.2f}{s.f1:7.2f}" for s in scores))
    return first


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    default = os.environ.get("RSFLOW_TEST_DATA", str(Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(default), help="folder with sar/hrsid and infrared/hit_uav")
    parser.add_argument("--demo", type=Path, help="folder that rsflow demo-scenes wrote")
    chosen = parser.parse_args(arguments)
    cfar, hotspot = by(Cfar()), by(Hotspot())
    hrsid, hit_uav = chosen.data / "sar" / "hrsid", chosen.data / "infrared" / "hit_uav"
    ships = of_pictures(
        hrsid / "JPEGImages", read_annotations(Annotations("coco", str(hrsid / "derived_coco.json"))), "amplitude", ""
    )
    best = table("HRSID, ships", ships, {"cfar": cfar, "threshold": by_threshold})["cfar"].f1
    annotated = read_annotations(Annotations("voc", str(hit_uav / "Annotations_hbb" / "*.xml")))
    warm = of_pictures(hit_uav / "JPEGImages", annotated, "dn", "DontCare")
    table("HIT-UAV, people and vehicles", warm, {"hotspot": hotspot, "threshold": by_threshold})
    if chosen.demo:
        table("demo, ships in radar", on_demo(chosen.demo, "sar", "ship"), {"cfar": cfar, "threshold": by_threshold})
        objects = on_demo(chosen.demo, "infrared", None)
        table("demo, all objects in infrared", objects, {"hotspot": hotspot, "threshold": by_threshold})
    print(f"\ncfar on HRSID: F1 {best:.2f}, claim above {CLAIM}")
    return 0 if best > CLAIM else 1


if __name__ == "__main__":
    sys.exit(main())
