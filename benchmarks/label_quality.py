"""Objects of a scene from what tiles saw of them, and what the agreement of two labellers is worth.

Merging: three made scenes (boxes of all sizes that do not touch, in overlapping tiles; the same in tiles that only meet; rows
of slanted things whose boxes overlap by half, as in a marina) and a detector that jitters, overlooks one view in ten, invents
some boxes and does not know that an edge cut an object. rsflow's `scene_objects` stands beside what is usual: all boxes as
they are, non-maximum suppression in scene pixels (IoU 0.5), and greedy merging of boxes that share half of the smaller one
(what SAHI does by default, https://github.com/obss/sahi). Told are precision, recall and F1 of the objects at IoU 0.5, and
seconds. With `--tiles 32` each scene has some ninety thousand boxes.

Agreement: where the data is there, `cfar` and `hotspot` beside a plain global threshold on HRSID and HIT-UAV: the precision of
each, of the boxes on which both agree, and the grade that rsflow.labellers.merging.agreement gives these.

Run it as `python benchmarks/label_quality.py [--tiles 8] [--data DIR]`; it ends with 1 where merging does not have the best
mean F1 of the three scenes.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import labellers as plain
import numpy as np
import shapely

from rsflow.annotations import read_annotations
from rsflow.config.settings import Annotations
from rsflow.labellers.cfar import Cfar
from rsflow.labellers.hotspot import Hotspot
from rsflow.labellers.merging.agreement import combine_quality
from rsflow.labellers.merging.merge_tiles import scene_objects
from rsflow.labellers.quality.detection_metrics import Score, score
from rsflow.spatial.geometry import Box, Window, area, clip_box, iou
from rsflow.tiles.grid import cover_windows

TILE_PX = 512
Row = dict[str, Any]
Merger = Callable[[list[Row], list[Row]], list[Box]]


def planted(side_px: int, count: int, choice: random.Random) -> list[Box]:
    """Boxes at least four pixels apart, most of them small."""
    cells: dict[tuple[int, int], list[Box]] = {}
    kept: list[Box] = []
    for _ in range(4 * count):
        width, height = (4 + 400 * choice.random() ** 6 + 20 * choice.random() for _ in range(2))
        x, y = choice.uniform(0, side_px - width), choice.uniform(0, side_px - height)
        around = (x - 4, y - 4, x + width + 4, y + height + 4)
        near = [
            (i, j) for i in range(int(x) // 500 - 1, int(x) // 500 + 2) for j in range(int(y) // 500 - 1, int(y) // 500 + 2)
        ]
        if not any(area(clip_box(other, around)) for cell in near for other in cells.get(cell, ())):
            kept.append((x, y, x + width, y + height))
            cells.setdefault((int(x) // 500, int(y) // 500), []).append(kept[-1])
        if len(kept) == count:
            break
    return kept


def moored(side_px: int, count: int, choice: random.Random) -> list[Box]:
    """Rows of eight slanted things: the box of each overlaps its neighbours' by half, as the things themselves do not."""
    kept: list[Box] = []
    pitch = 260
    for y in range(0, side_px - pitch, pitch):
        for x in range(0, side_px - pitch, pitch):
            width, height = choice.uniform(20, 50), choice.uniform(40, 100)
            left, top = x + choice.uniform(0, 30), y + choice.uniform(0, 60)
            shifts = [(left + 0.4 * width * n, top + 0.1 * height * n) for n in range(8)]
            kept += [(a, b, a + width, b + height) for a, b in shifts]
    return kept[:count]


def seen(things: list[Box], grid: list[Window], choice: random.Random) -> list[Row]:
    """What the detector says of every tile."""
    tree = shapely.STRtree(shapely.box(*np.array(things).T))
    rows = []
    for window in grid:
        parts = [clip_box(things[i], window.box) for i in sorted(tree.query(shapely.box(*window.box)).tolist())]
        shown = [part for part in parts if area(part) > 4 and choice.random() > 0.1]
        shown += [invented(window, choice) for _ in range(choice.randrange(3))]
        for number, part in enumerate(shown):
            noise = [choice.gauss(0, 0.5 + 0.02 * (part[2 + i % 2] - part[i % 2])) for i in range(4)]
            moved = [value + off for value, off in zip(part, noise, strict=True)]
            box = clip_box((moved[0], moved[1], moved[2], moved[3]), window.box)
            if area(box) > 1:
                rows.append(row(window, number, box, choice.uniform(0.5, 1)))
    return rows


def invented(window: Window, choice: random.Random) -> Box:
    x, y = window.col_off + choice.uniform(0, 480), window.row_off + choice.uniform(0, 480)
    return (x, y, x + choice.uniform(8, 30), y + choice.uniform(8, 30))


def tile(window: Window) -> Row:
    names = ("row_off", "col_off", "height_px", "width_px")
    return {"tile_id": f"s/{window.row_off}_{window.col_off}", **{name: getattr(window, name) for name in names}}


def row(window: Window, number: int, box: Box, sure: float) -> Row:
    tile_id = tile(window)["tile_id"]
    x, y = window.col_off, window.row_off
    own = {"label_id": f"{tile_id}#d.{number}", "tile_id": tile_id, "kind": "box", "category": "ship", "origin": "labeller"}
    place = {"box": [box[0] - x, box[1] - y, box[2] - x, box[3] - y], "polygon": [], "visibility": 1.0, "oriented": False}
    return {**own, **place, "score": sure, "origin_name": "d", "model": "m", "revision": "1"}


def with_rsflow(tiles: list[Row], rows: list[Row]) -> list[Box]:
    return [found.box for found in scene_objects(tiles, rows)]


def as_they_are(tiles: list[Row], rows: list[Row]) -> list[Box]:
    corners = {one["tile_id"]: (one["col_off"], one["row_off"]) for one in tiles}
    found = []
    for one in sorted(rows, key=lambda one: -one["score"]):
        (x, y), (x0, y0, x1, y1) = corners[one["tile_id"]], one["box"]
        found.append((x0 + x, y0 + y, x1 + x, y1 + y))
    return found


def suppressed(tiles: list[Row], rows: list[Row]) -> list[Box]:
    """Non-maximum suppression over the scene."""
    return _greedy(as_they_are(tiles, rows), lambda best, other: iou(best, other) >= 0.5, merge=False)


def merged_by_part(tiles: list[Row], rows: list[Row]) -> list[Box]:
    """Greedy merging by the overlap's share of the smaller box."""
    return _greedy(as_they_are(tiles, rows), _half_inside, merge=True)


def _half_inside(best: Box, other: Box) -> bool:
    return area(clip_box(best, other)) >= 0.5 * min(area(best), area(other))


def _greedy(boxes: list[Box], same: Callable[[Box, Box], bool], merge: bool) -> list[Box]:
    tree = shapely.STRtree(shapely.box(*np.array(boxes).T))
    gone: set[int] = set()
    kept = []
    for number, box in enumerate(boxes):
        if number in gone:
            continue
        mine = [i for i in tree.query(shapely.box(*box)).tolist() if i not in gone and (i == number or same(box, boxes[i]))]
        gone.update(mine)
        low, high = np.array([boxes[i][:2] for i in mine]).min(axis=0), np.array([boxes[i][2:] for i in mine]).max(axis=0)
        kept.append((*low.tolist(), *high.tolist()) if merge else box)
    return kept


MERGERS: dict[str, Merger] = {
    "rsflow": with_rsflow,
    "boxes as they are": as_they_are,
    "non-maximum suppression": suppressed,
    "merged by part": merged_by_part,
}


def judged(found: Sequence[Box], things: list[Box]) -> Score:
    """Counts over the scene, in pieces: pairs are only sought where boxes meet."""
    tree = shapely.STRtree(shapely.box(*np.array(things).T))
    overlaps = sorted(
        ((iou(box, things[j]), i, j) for i, box in enumerate(found) for j in tree.query(shapely.box(*box)).tolist()),
        reverse=True,
    )
    used, taken = set(), set()
    for overlap, i, j in overlaps:
        if overlap >= 0.5 and i not in used and j not in taken:
            used.add(i)
            taken.add(j)
    return Score(len(found), len(things), len(used))


SCENES: dict[str, tuple[Callable[[int, int, random.Random], list[Box]], int]] = {
    "tiles that overlap": (planted, 112),
    "tiles that meet": (planted, 0),
    "boxes that overlap": (moored, 112),
}


def merging(tiles_a_side: int) -> bool:
    f1: dict[str, list[float]] = {name: [] for name in MERGERS}
    for title, (plant, overlap_px) in SCENES.items():
        choice = random.Random(1)
        side = tiles_a_side * (TILE_PX - overlap_px) + overlap_px
        grid = cover_windows(side, side, TILE_PX, overlap_px)
        things = plant(side, 60 * tiles_a_side**2, choice)
        tiles, rows = [tile(window) for window in grid], seen(things, grid, choice)
        print(f"{title}: {len(grid)} tiles, {len(things)} objects, {len(rows)} boxes seen")
        print(f"  {'':24}{'objects':>9}{'precision':>11}{'recall':>8}{'F1':>7}{'seconds':>9}")
        for name, merge in MERGERS.items():
            start = time.process_time()
            found = merge(tiles, rows)
            spent = time.process_time() - start
            counts = judged(found, things)
            f1[name].append(counts.f1)
            print(f"  {name:24}{len(found):9}{counts.precision:11.3f}{counts.recall:8.3f}{counts.f1:7.3f}{spent:9.2f}")
    means = {name: statistics.mean(values) for name, values in f1.items()}
    print("mean F1: " + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))
    return max(means, key=lambda name: means[name]) == "rsflow"


def agreement(title: str, sheets: list[plain.Sheet], detect: plain.Detector) -> None:
    one = other = both = Score()
    for sheet in sheets:
        first, second = detect(sheet), plain.by_threshold(sheet)
        agreed = [box for box in first if any(iou(box, there) >= 0.5 for there in second)]
        one, other = one + score(first, sheet.true, 0.3), other + score(second, sheet.true, 0.3)
        both += score(agreed, sheet.true, 0.3)
    told = combine_quality([one.precision, other.precision])
    print(f"  {title:24}{one.precision:9.2f}{other.precision:11.2f}{both.found:9}{both.precision:9.2f}{told:9.2f}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    default = os.environ.get("RSFLOW_TEST_DATA", str(Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("--tiles", type=int, default=8, help="tiles a side of the made scene")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder with sar/hrsid and infrared/hit_uav")
    chosen = parser.parse_args(arguments)
    holds = merging(chosen.tiles)
    hrsid, hit_uav = chosen.data / "sar" / "hrsid", chosen.data / "infrared" / "hit_uav"
    if hrsid.exists() and hit_uav.exists():
        print(f"\nprecision at IoU 0.3\n  {'':24}{'labeller':>9}{'threshold':>11}{'agreed':>9}{'right':>9}{'grade':>9}")
        ships = plain.of_pictures(
            hrsid / "JPEGImages", read_annotations(Annotations("coco", str(hrsid / "derived_coco.json"))), "amplitude", ""
        )
        agreement("HRSID, cfar", list(ships), plain.by(Cfar()))
        warm = read_annotations(Annotations("voc", str(hit_uav / "Annotations_hbb" / "*.xml")))
        people = plain.of_pictures(hit_uav / "JPEGImages", warm, "dn", "DontCare")
        agreement("HIT-UAV, hotspot", list(people), plain.by(Hotspot()))
    print(f"\nmerging is {'' if holds else 'not '}the best by F1")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
