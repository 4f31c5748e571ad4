"""Crops between splits, on real scenes: how many are found, what is found wrongly, and how much of test train shows.

    python benchmarks/duplicate_crops.py [folder of test data] [--tiles 100] [--size 512] [--seed 0]

First, of every tile a crop is made of each kind (its share of the side, rescaled, turned, encoded as JPEG) and all are sought
among all tiles: recall, pairs that `confirm` was asked about, and confirmed pairs of tiles that are not the crop's own. Tiles
of one scene and UAV frames of one flight overlap, so some of these are right; they are printed.

Second, the scenes of which several tiles were cut are laid out as georeferenced scenes of 2 x 2 tiles; of each, eight crops
without a place are added. Splits are assigned with and without the rule on parts (`split_overlap`): the share of the ground
of test pictures that pictures of train show too. Fails where it is above 0.1 with the rule.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duplicate_kinds
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from rsflow.config.select_settings import Select
from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import DropReasons, Flags
from rsflow.curation.duplicates.deduplicate import is_same_picture
from rsflow.curation.duplicates.pairs.partial_overlap import ConfirmRegions, Floats, find_overlaps, tile_keypoints
from rsflow.curation.duplicates.pictures.image_signature import Picture, pixels_digest, region_thumbnail, signature
from rsflow.curation.duplicates.pictures.keypoints import find_keypoints, pack_positions
from rsflow.curation.duplicates.pictures.orientations import apply_orientation
from rsflow.curation.splits.assign_splits import assign_tile_splits
from rsflow.curation.task_runner import LOCAL_RUNNER

MOST_SHARED = 0.1
CROPS = 8  # of each scene
KINDS: dict[str, tuple[float, float, bool]] = {  # share of the side, scale, turned
    "0.8": (0.8, 1.0, False),
    "0.6": (0.6, 1.0, False),
    "0.4": (0.4, 1.0, False),
    "0.6, half size": (0.6, 0.5, False),
    "0.6, 1.4 x": (0.6, 1.4, False),
    "0.6, double size": (0.6, 2.0, False),
    "0.6, turned": (0.6, 1.0, True),
    "0.5-0.8, any": (0.65, 0.0, True),
}

Box = tuple[int, int, int, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("RSFLOW_TEST_DATA", str(Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("data", nargs="?", type=Path, default=Path(default))
    parser.add_argument("--tiles", type=int, default=100)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    duplicate_kinds.SIZE = asked.size
    named = duplicate_kinds.real_tiles(asked.data, 10**6, asked.seed)
    random = np.random.default_rng(asked.seed)
    chosen = np.sort(random.permutation(len(named))[: asked.tiles])
    measure_recall([named[k] for k in chosen], random)
    before, after = (measure_leak(named, with_rule, np.random.default_rng(asked.seed)) for with_rule in (False, True))
    print(f"share of test ground that train shows: {before:.3f} without the rule, {after:.3f} with it")
    if after > MOST_SHARED:
        raise SystemExit(f"more than {MOST_SHARED}")


def measure_recall(named: Sequence[tuple[str, Picture]], random: np.random.Generator) -> None:
    names, tiles = zip(*named, strict=True)
    count = len(tiles)
    print(f"{count} tiles\n{'crop':<18}{'recall':>8}{'asked':>8}{'others':>8}{'seconds':>9}")
    for kind, (share, scale, turned) in KINDS.items():
        crops = [crop(tile, share, scale, turned, random)[0] for tile in tiles]
        pictures = [*tiles, *crops]
        questions: list[int] = []
        begin = time.perf_counter()
        keypoints = tile_keypoints(columns_of(pictures), np.arange(2 * count))
        assert keypoints is not None
        confirm = confirm_with(pictures, questions)
        found = find_overlaps(keypoints, np.arange(count, 2 * count), np.arange(count), np.zeros(2 * count, np.bool_), confirm)
        seconds = time.perf_counter() - begin
        own = found[:, 0] - count == found[:, 1]
        recall = len(np.unique(found[own, 0])) / count
        print(f"{kind:<18}{recall:>8.3f}{sum(questions):>8}{(~own).sum():>8}{seconds:>9.1f}")
        for a, b, _ in found[~own][:3].tolist():
            print(f"    {names[a - count]} in {names[b]}")


def confirm_none(pairs: Indices) -> Flags:
    return np.zeros(len(pairs), np.bool_)


def measure_leak(named: Sequence[tuple[str, Picture]], with_rule: bool, random: np.random.Generator) -> float:
    """The share of the ground of test pictures that is in train, over scenes of 2 x 2 tiles and crops of these."""
    pictures, rows, boxes = lay_out(named, random)
    tiles = columns_of(pictures)
    for name in ("tile_id", "scene_id", "cell", "source_split"):
        tiles = tiles.append_column(name, pa.chunked_array([pa.array([row[name] for row in rows], pa.string())]))
    tiles = tiles.append_column(
        "footprint", pa.chunked_array([pa.array([row["footprint"] for row in rows], pa.list_(pa.float64()))])
    )
    settings = Select(splits={"train": 0.7, "test": 0.3})
    verdicts = DropReasons(len(rows))
    confirm = confirm_with(pictures, []) if with_rule else None
    split = assign_tile_splits(tiles, np.arange(len(rows)), settings, 0, confirm_none, verdicts, LOCAL_RUNNER, confirm)
    kept, names = verdicts.kept, split.to_pylist()
    print(f"{'with' if with_rule else 'without'} the rule: {verdicts.counts()}")
    both = total = 0
    for scene in sorted({scene for scene, _ in boxes}):
        shown = {name: np.zeros((2 * duplicate_kinds.SIZE,) * 2, np.bool_) for name in settings.splits}
        for row, (own, (left, top, right, bottom)) in enumerate(boxes):
            if own == scene and kept[row]:
                shown[names[row]][top:bottom, left:right] = True
        both += int((shown["train"] & shown["test"]).sum())
        total += int(shown["test"].sum())
    return both / max(1, total)


def lay_out(
    named: Sequence[tuple[str, Picture]], random: np.random.Generator
) -> tuple[list[Picture], list[dict[str, Any]], list[tuple[int, Box]]]:
    """(pictures, rows of tiles, the scene of each and where it lies in it)."""
    size = duplicate_kinds.SIZE
    by_scene: dict[str, list[Picture]] = {}
    for name, tile in named:
        by_scene.setdefault(name.rpartition(" ")[0], []).append(tile)
    pictures: list[Picture] = []
    rows: list[dict[str, Any]] = []
    boxes: list[tuple[int, Box]] = []
    for scene, tiles in enumerate(tiles for _, tiles in sorted(by_scene.items()) if len(tiles) >= 4):
        whole = np.concatenate([np.concatenate(tiles[:2], axis=1), np.concatenate(tiles[2:4], axis=1)])
        for k in range(4):
            left, top = k % 2 * size, k // 2 * size
            pictures.append(tiles[k])
            west, south = scene % 60 * 2.0 + k % 2 * 0.1, scene // 60 * 2.0 - k // 2 * 0.1
            ring = [west, south, west + 0.1, south, west + 0.1, south + 0.1, west, south + 0.1]
            rows.append(row_of(f"g{scene}/{k}", f"g{scene}", f"cell {scene} {k}", ring))
            boxes.append((scene, (left, top, left + size, top + size)))
        for k in range(CROPS):
            cut, (left, top, side) = crop(whole, float(random.uniform(0.2, 0.45)), 0.0, True, random)
            pictures.append(cut)
            rows.append(row_of(f"p{scene}x{k}/0", f"p{scene}x{k}", None, None))
            boxes.append((scene, (left, top, left + side, top + side)))
    return pictures, rows, boxes


def row_of(tile_id: str, scene_id: str, cell: str | None, footprint: list[float] | None) -> dict[str, Any]:
    return {"tile_id": tile_id, "scene_id": scene_id, "cell": cell, "footprint": footprint, "source_split": None}


def crop(
    picture: Picture, share: float, scale: float, turned: bool, random: np.random.Generator
) -> tuple[Picture, tuple[int, int, int]]:
    """(a crop as JPEG of quality 75, its left, top and side); `scale` 0: anything from half to double."""
    side = int(share * min(picture.shape[:2]))
    top, left = (int(random.integers(0, length - side + 1)) for length in picture.shape[:2])
    size = max(32, round(side * (scale or float(2 ** random.uniform(-1, 1)))))
    part = Image.fromarray(picture[top : top + side, left : left + side]).resize((size, size), Image.Resampling.BICUBIC)
    data = io.BytesIO()
    part.save(data, "JPEG", quality=75)
    return apply_orientation(np.asarray(Image.open(data)), int(random.integers(8)) if turned else 0), (left, top, side)


def columns_of(pictures: Sequence[Picture]) -> pa.Table:
    """What a build keeps of pictures, as far as splits look at it."""
    found = [find_keypoints(picture) for picture in pictures]
    return pa.table(
        {
            "sensor": pa.repeat("optical", len(pictures)),
            "picture_sha256": [pixels_digest(picture) for picture in pictures],
            "signature": np.array([signature(picture) for picture in pictures], dtype=np.uint64).view(np.int64),
            "height_px": [picture.shape[0] for picture in pictures],
            "width_px": [picture.shape[1] for picture in pictures],
            "keypoints": pa.array([pack_positions(positions) for positions, _ in found], pa.list_(pa.int32())),
            "keypoint_codes": pa.array([codes.view(np.int64) for _, codes in found], pa.list_(pa.int64())),
        }
    )


def confirm_with(pictures: Sequence[Picture], questions: list[int]) -> ConfirmRegions:
    def confirm(pairs: Indices, regions: Floats) -> Flags:
        questions.append(len(pairs))
        shown: list[npt.NDArray[np.uint8]] = []
        for (a, b, orientation), region in zip(pairs.tolist(), regions, strict=True):
            shown += [
                region_thumbnail(apply_orientation(pictures[a], orientation), region[:4]),
                region_thumbnail(pictures[b], region[4:]),
            ]
        return is_same_picture(np.stack(shown), np.arange(len(shown)).reshape(-1, 2), 3.0)

    return confirm


if __name__ == "__main__":
    main()
