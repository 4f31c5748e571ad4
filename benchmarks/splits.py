"""Splits dealt by name and by category: how near every category comes to the wanted shares, and what dealing costs.

    python benchmarks/splits.py [LAKE ...] [--tiles 1000000] [--categories 300] [--seed 0]

Of each lake (a root that `rsflow build` has filled) all tiles are dealt anew, as if they were all kept. Beside them two made
archives: pictures of a long tail of categories (the n-th is a hundredth as common as the first at n = 100), one to three to
a picture; as single pictures, and on the ground, in cells of 50 tiles that have a few categories each. "elsewhere": the share
of tiles that would have to be in another split for each category to have its shares. "missing": pairs of a category and a
split where at least one tile is wanted and there is none. Figures are means over seeds; seconds are the best.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.curation.splits.split_groups import assign_splits
from rsflow.curation.splits.stratified import Strata, build_strata
from rsflow.lake.tables import open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.phases.select.select import read_selection_tiles
from rsflow.planning.live_rows import read_live_rows

SHARES = {"train": 0.9, "val": 0.05, "test": 0.05}
SEEDS = 3
PER_CELL = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lakes", nargs="*")
    parser.add_argument("--tiles", type=int, default=1_000_000)
    parser.add_argument("--categories", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name, tiles in archives(asked):
        strata = build_strata(tiles["sensor"], tiles["categories"])
        print(f"\n{name}: {tiles.num_rows:,} tiles, {sum(bool(what) for _, what in strata.names):,} categories")
        for way, columns in (("by name", tiles.drop_columns(["categories"])), ("by category", tiles)):
            told = [deal(columns, strata, asked.seed + k) for k in range(SEEDS)]
            seconds = min(row[0] for row in told)
            elsewhere, missing = np.mean([row[1:] for row in told], axis=0)
            print(f"  {way:<12} elsewhere {elsewhere:8.2%}   missing {missing:7.1f}   {seconds:8.2f} s")


def archives(asked: argparse.Namespace) -> Iterator[tuple[str, pa.Table]]:
    for root in asked.lakes:
        lake = open_lake(root)
        built = read_config(lake)
        built = dataclasses.replace(built, select=dataclasses.replace(built.select, splits_by="category"))
        tiles = read_selection_tiles(built, read_live_rows(lake, plan_build(built, lake)))
        columns = tiles.select(["tile_id", "cell", "scene_id", "sensor", "categories"])
        yield root, columns.append_column("cluster", columns["tile_id"])
    yield "single pictures", made(asked, 1)
    yield f"cells of {PER_CELL}", made(asked, PER_CELL)


def made(asked: argparse.Namespace, per_cell: int) -> pa.Table:
    """Tiles whose names do not count; those of one cell share six categories."""
    random = np.random.default_rng(asked.seed)
    weights = 1 / np.arange(1, asked.categories + 1)
    cell = np.arange(asked.tiles) // per_cell
    of_cell = random.choice(asked.categories, (int(cell[-1]) + 1, 6), p=weights / weights.sum())
    count = random.integers(1, 4, asked.tiles)
    row = np.repeat(np.arange(asked.tiles), count)
    told = of_cell[cell[row], random.integers(0, 6, len(row))]
    names = pa.array([f"category {k:03d}" for k in range(asked.categories)])
    starts = pa.array(np.concatenate([[0], np.cumsum(count)]))
    categories = pa.LargeListArray.from_arrays(starts, pa.DictionaryArray.from_arrays(pa.array(told.astype(np.int32)), names))
    ids = pa.array([random.bytes(8).hex().translate(LETTERS) for _ in range(asked.tiles)])
    cells = pa.nulls(asked.tiles, pa.string()) if per_cell == 1 else ids.take(pa.array(cell * per_cell))
    texts = {"tile_id": ids, "cluster": ids, "scene_id": ids, "cell": cells}
    return pa.table({**texts, "sensor": pa.repeat("optical", asked.tiles), "categories": categories})


def deal(tiles: pa.Table, strata: Strata, seed: int) -> tuple[float, float, int]:
    """(seconds, share of tiles that are elsewhere, category and split that miss each other)."""
    start = time.perf_counter()
    split = assign_splits(tiles, SHARES, seed)
    seconds = time.perf_counter() - start
    codes = np.asarray(pa.compute.index_in(split, value_set=pa.array(list(SHARES))), dtype=np.int64)
    counts = np.bincount(strata.code * 3 + codes[strata.row], minlength=3 * len(strata.names)).reshape(-1, 3)
    named: npt.NDArray[np.int64] = counts[[bool(what) for _, what in strata.names]]
    wanted = named.sum(axis=1, keepdims=True) * np.array(list(SHARES.values()))
    return seconds, float(np.abs(named - wanted).sum() / 2 / named.sum()), int(((named == 0) & (wanted >= 1)).sum())


LETTERS = str.maketrans("0123456789", "ghijklmnop")


if __name__ == "__main__":
    main()
