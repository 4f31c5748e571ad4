"""Recall of planted near duplicates, kind by kind, and precision, beside perceptual hashes.

    python benchmarks/duplicate_kinds.py [folder of test data] [--tiles 120] [--bits 6] [--peer-bits 10] [--seed 0]

Tiles of 256 x 256 are cut from the real scenes below RSFLOW_TEST_DATA, a copy of every kind is made of each, and all of them
are searched at once, so negatives are all pairs of different tiles: neighbours, other dates of the same place (NAIP 2009 to
2020, Landsat 1985 to 2020) and copies of these. A pair counts as recalled where tile and copy land in one cluster; precision
is of the pairs that share one. Turned and mirrored copies are asked of the peers in all eight orientations too.

Peers: imagehash (phash, dhash; pip install imagehash) and imagededup (PHash; pip install imagededup): pairs within
`--peer-bits`. One that is not installed is named and left out. Fails where recall is below a peer's or precision below 0.995.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import rasterio
from PIL import Image, ImageDraw
from rasterio.errors import RasterioError
from rasterio.windows import Window

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.deduplicate import deduplicate
from rsflow.curation.duplicates.pairs.candidates import Confirm
from rsflow.curation.duplicates.pictures.image_signature import (
    Picture,
    anchor_signatures,
    orientation_signatures,
    pixels_digest,
)
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation
from rsflow.phases.select.confirm_duplicates import confirm_pairs

SIZE = 256
PRECISION = 0.995
PER_SCENE = 6

Kind = Callable[[Picture], Picture]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("RSFLOW_TEST_DATA", str(Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("data", nargs="?", type=Path, default=Path(default))
    parser.add_argument("--tiles", type=int, default=120)
    parser.add_argument("--bits", type=int, default=6)
    parser.add_argument("--peer-bits", type=int, default=10, help="imagededup's default is 10")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    names, tiles = zip(*real_tiles(asked.data, asked.tiles, asked.seed), strict=True)
    planted = [*tiles, *(KINDS[kind](tile) for kind in KINDS for tile in tiles)]
    print(f"{len(tiles)} tiles, {len(KINDS)} kinds, {len(planted):,} pictures")
    finders = {"rsflow": lambda: of_rsflow(planted, asked.bits), **peers(planted, asked.peer_bits)}
    results = {name: measured(name, find, names) for name, find in finders.items()}
    print(f"{'kind':<16}" + "".join(f"{name:>22}" for name in results))
    for row, kind in enumerate([*KINDS, "all"]):
        print(f"{kind:<16}" + "".join(f"{recall[row]:>22.3f}" for recall, _ in results.values()))
    print(f"{'precision':<16}" + "".join(f"{precision:>22.4f}" for _, precision in results.values()))
    recall, precision = results["rsflow"]
    if precision < PRECISION or any(recall[-1] < other[-1] for other, _ in results.values()):
        raise SystemExit(f"recall {recall[-1]:.3f} at precision {precision:.4f}: below a peer, or below {PRECISION}")


def measured(
    name: str, find: Callable[[], npt.NDArray[np.bool_]], names: Sequence[str]
) -> tuple[npt.NDArray[np.float64], float]:
    """(recall per kind and of all, precision) of a matrix that says which pictures are joined."""
    start = time.perf_counter()
    joined = find()
    print(f"{name}: {time.perf_counter() - start:.1f} s")
    count = len(names)
    own = np.arange(len(joined)) % count
    for one, other in np.argwhere(np.triu(joined[:count, :count], 1))[:8]:
        print(f"  joined: {names[one]} and {names[other]}")
    hits = joined[:count].reshape(count, -1, count)[own[:count], :, own[:count]].mean(axis=0)[1:]
    same = own[:, None] == own[None]
    pairs = np.triu(joined, 1)
    return np.append(hits, hits.mean()), float((pairs & same).sum() / max(1, pairs.sum()))


def real_tiles(folder: Path, most: int, seed: int) -> list[tuple[str, Picture]]:
    """Windows of scenes with some contrast, different in at least their pixels; at most PER_SCENE of one scene, on a grid."""
    found: dict[str, tuple[str, Picture]] = {}
    bands: set[Path] = set()  # folders of single bands: the bands of one scene show one picture
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".tif", ".tiff", ".png", ".jpg")):
        if path.suffix.lower().startswith(".tif") and path.parent in bands:
            continue
        for number, tile in enumerate(windows(path)):
            found.setdefault(pixels_digest(tile), (f"{path.relative_to(folder)} {number}", tile))
            if (tile[:, :, :1] == tile).all():
                bands.add(path.parent)
    tiles = list(found.values())
    if not tiles:
        raise SystemExit(f"{folder}: no scenes of {SIZE} x {SIZE} px: name the folder of the test data")
    order = np.random.default_rng(seed).permutation(len(tiles))[:most]
    return [tiles[k] for k in np.sort(order)]


def windows(path: Path) -> list[Picture]:
    try:
        with rasterio.open(path) as scene:
            if min(scene.shape) < SIZE or "DEDUP" in str(path).upper() or "mask" in path.stem.lower():
                return []
            part = Window(0, 0, min(scene.width, 3 * SIZE), min(scene.height, 3 * SIZE))
            bands = scene.read([1, 2, 3] if scene.count >= 3 else [1], masked=True, window=part)
    except RasterioError:
        return []
    valid = np.asarray(~np.ma.getmaskarray(bands).any(axis=0), dtype=np.bool_)
    values = bands.filled(0).astype(np.float64)
    if len(np.unique(values[0, ::7, ::7])) < 32:  # classes or labels, not a picture
        return []
    low, high = np.percentile(values[:, valid], (1, 99)) if valid.any() else (0.0, 1.0)
    grey = np.clip((values - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    whole = [
        (row, col)
        for row in range(0, grey.shape[0] - SIZE + 1, SIZE)
        for col in range(0, grey.shape[1] - SIZE + 1, SIZE)
        if valid[row : row + SIZE, col : col + SIZE].mean() > 0.98 and grey[row : row + SIZE, col : col + SIZE].std() > 8
    ]
    step = max(1, len(whole) // PER_SCENE)
    return [
        np.ascontiguousarray(grey[r : r + SIZE, c : c + SIZE].repeat(3 // grey.shape[2], axis=2)) for r, c in whole[::step]
    ][:PER_SCENE]


def gamma(power: float) -> Kind:
    table = np.round(255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return lambda tile: table[tile]


def gain(times: float, plus: float) -> Kind:
    return lambda tile: np.clip((tile.astype(np.float64) - 128) * times + 128 + plus, 0, 255).astype(np.uint8)


def text(tile: Picture) -> Picture:
    image = Image.fromarray(tile)
    ImageDraw.Draw(image).text((12, SIZE - 36), "© Example Imagery 2020", fill=(255, 255, 255), font_size=18)
    return np.asarray(image)


def logo(tile: Picture) -> Picture:
    image = Image.fromarray(tile)
    ImageDraw.Draw(image).ellipse((SIZE - 56, 8, SIZE - 8, 56), fill=(220, 30, 30), outline=(255, 255, 255), width=4)
    return np.asarray(image)


def border(tile: Picture) -> Picture:
    result = np.zeros_like(tile)
    result[10:-10, 10:-10] = tile[10:-10, 10:-10]
    return result


def crop(tile: Picture) -> Picture:
    cut = SIZE // 20
    return np.ascontiguousarray(tile[cut:-cut, cut:-cut])


def shift(px: int) -> Kind:
    """What a window moved by so much to the right and down shows: the edge is mirrored where nothing is known."""
    return lambda tile: np.pad(tile, ((0, px), (0, px), (0, 0)), mode="symmetric")[px:, px:]


def rotation(degrees: float) -> Kind:
    return lambda tile: np.asarray(Image.fromarray(tile).rotate(degrees, Image.Resampling.BICUBIC))


def jpeg(quality: int) -> Kind:
    def encoded(tile: Picture) -> Picture:
        data = io.BytesIO()
        Image.fromarray(tile).save(data, "JPEG", quality=quality)
        return np.asarray(Image.open(data))

    return encoded


def half(tile: Picture) -> Picture:
    return np.asarray(Image.fromarray(tile).resize((SIZE // 2, SIZE // 2), Image.Resampling.BILINEAR))


def turned(orientation: int) -> Kind:
    return lambda tile: apply_orientation(tile, orientation)


KINDS: dict[str, Kind] = {
    "brightness +4": gain(1.0, 4),
    "brightness +25": gain(1.0, 25),
    "gamma 0.8": gamma(0.8),
    "gamma 1.25": gamma(1.25),
    "contrast 0.8": gain(0.8, 0),
    "contrast 1.2": gain(1.2, 0),
    "text": text,
    "logo": logo,
    "border 10 px": border,
    "crop 90 %": crop,
    "shift 8 px": shift(8),
    "shift 16 px": shift(16),
    "rotation 1": rotation(1),
    "rotation 3": rotation(3),
    "JPEG 50": jpeg(50),
    "JPEG 75": jpeg(75),
    "half size": half,
    "flip": turned(4),
    "rot90": turned(1),
}


def of_rsflow(pictures: list[Picture], bits: int) -> npt.NDArray[np.bool_]:
    """Which pictures share a cluster, as a build would find them."""
    columns: dict[str, Any] = {
        "tile_id": pa.array([f"{k:06d}" for k in range(len(pictures))]),
        "sensor": pa.repeat("optical", len(pictures)),
        "picture_sha256": pa.nulls(len(pictures), pa.string()),
        "pixels_sha256": pa.array([pixels_digest(picture) for picture in pictures]),
        "footprint": pa.chunked_array([pa.nulls(len(pictures), pa.list_(pa.float64()))]),
        "gsd_m": pa.nulls(len(pictures), pa.float64()),
        "height_px": pa.array([picture.shape[0] for picture in pictures]),
        "width_px": pa.array([picture.shape[1] for picture in pictures]),
        "n_labels": pa.repeat(0, len(pictures)),
    }
    for name, hashes in (("signatures", orientation_signatures), ("anchors", anchor_signatures)):
        values = np.array([hashes(picture) for picture in pictures], dtype=np.uint64).view(np.int64)
        columns[name] = pa.array(values.tolist())
        columns.setdefault("signature", pa.array(values[:, 0]))
    tiles = pa.table(
        {
            name: column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
            for name, column in columns.items()
        }
    )

    def own(rows: Indices) -> Iterator[Picture]:
        return (pictures[row] for row in rows)

    confirm: Confirm = confirm_pairs(own, 3.0, own)
    found = deduplicate(tiles, bits, confirm)
    cluster = np.unique(np.asarray(found["cluster"].combine_chunks()), return_inverse=True)[1]
    joined: npt.NDArray[np.bool_] = cluster[:, None] == cluster[None]
    return joined


def peers(pictures: list[Picture], bits: int) -> dict[str, Callable[[], npt.NDArray[np.bool_]]]:
    """Finders of the peers that are installed, the picture beside all eight views of the other."""
    found: dict[str, Callable[[], npt.NDArray[np.bool_]]] = {}
    if imagehash := peer("imagehash"):
        for name in ("phash", "dhash"):
            work = getattr(imagehash, name)
            found[f"imagehash {name}"] = partial(within, pictures, partial(hashed, work), bits)
    if imagededup := peer("imagededup.methods"):
        method = imagededup.PHash(verbose=False)
        found["imagededup PHash"] = lambda: within(
            pictures, lambda view: np.array([*f"{int(method.encode_image(image_array=view), 16):064b}"]) == "1", bits
        )
    return found


def hashed(work: Callable[[Any], Any], view: Picture) -> Any:
    return np.asarray(work(Image.fromarray(view)).hash).ravel()


def within(pictures: list[Picture], bits_of: Callable[[Picture], Any], bits: int) -> npt.NDArray[np.bool_]:
    views = [
        np.packbits(np.stack([bits_of(apply_orientation(picture, k)) for picture in pictures]), axis=1).view(np.uint64)[:, 0]
        for k in range(ORIENTATIONS)
    ]
    joined = np.zeros((len(pictures), len(pictures)), dtype=np.bool_)
    for view in views:
        joined |= np.bitwise_count(views[0][:, None] ^ view[None]) <= bits
    return joined | joined.T


def peer(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as fault:  # a torchvision of another torch raises the second
        print(f"{name.split('.')[0]} is left out: {fault} (pip install {name.split('.')[0]})")
        return None


if __name__ == "__main__":
    main()
