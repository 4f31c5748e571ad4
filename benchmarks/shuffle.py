"""How well the stream shuffles, beside a full permutation and webdataset's way (shards shuffled, then a buffer of samples).

Two layouts of 1,000 scenes of 100 tiles in shards of 500: as rsflow plans them (chunks of 20 tiles of a scene, spread over all
shards by hash), and the worst that foreign shards may be (scene after scene). Told for each way of shuffling:

- rank correlation between where a sample is stored and when it comes (Spearman; 0 for a full permutation);
- neighbours: how often two samples that follow each other are of one scene, relative to a full permutation;
- batch: how many scenes there are in 64 samples in a row, relative to a full permutation;
- again: of two epochs, the share of neighbours (within 8) in the first that are neighbours in the second as well.

No pictures are involved, so it runs anywhere in seconds: `python benchmarks/shuffle.py`. The claim, on rsflow's own layout with
the default window: at least 0.9 × the scenes in a batch, and fewer neighbours than webdataset with a buffer of 1,000 samples.
It ends with 1 where that does not hold.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import webdataset.filters

from rsflow.loading.sampling.epoch_order import EpochOrder, Ints, epoch_seed, permutation
from rsflow.loading.stream import WINDOW_SHARDS
from rsflow.shards.plan import plan_shards

SCENES, TILES, CHUNK, SHARD = 1000, 100, 20, 500
BATCH, NEAR = 64, 8

Shuffle = Callable[[list[int], int], Ints]  # (sizes of shards, epoch) -> stored positions as they come


def planned() -> tuple[list[int], Ints]:
    """(sizes of the shards, scene of every stored sample) as rsflow shards them."""
    scene = np.arange(SCENES * TILES) // TILES
    tile = np.arange(SCENES * TILES) % TILES
    table = pa.table(
        {
            "key": [f"{key:020x}" for key in permutation(SCENES * TILES, 1).tolist()],
            "scene_id": pa.array([f"scene {i}" for i in scene.tolist()]),
            "chunk": tile // CHUNK,
            "split": ["train"] * (SCENES * TILES),
            "sample_bytes": np.full(SCENES * TILES, 50_000, dtype=np.int64),
            "content": ["-"] * (SCENES * TILES),
        }
    )
    plans = plan_shards(table, SHARD * 52_000)
    return [len(plan.members) for plan in plans], np.concatenate([scene[plan.members] for plan in plans])


def scene_after_scene() -> tuple[list[int], Ints]:
    return [SHARD] * (SCENES * TILES // SHARD), np.arange(SCENES * TILES) // TILES


def of_the_stream(width: int) -> Shuffle:
    def run(sizes: list[int], epoch: int) -> Ints:
        order, starts = EpochOrder(sizes, epoch_seed("layout", 0, epoch), width), np.cumsum([0, *sizes])
        found, stop = [], 0
        while stop < sum(sizes):
            window = order.window(stop)
            found.append(starts[window.shard] + window.sample)
            stop = window.stop
        return np.concatenate(found)

    return run


def of_webdataset(buffer: int) -> Shuffle:
    def run(sizes: list[int], epoch: int) -> Ints:
        draw, starts = random.Random(epoch), np.cumsum([0, *sizes]).tolist()
        shards = list(range(len(sizes)))
        draw.shuffle(shards)
        stored: Iterator[int] = (starts[shard] + i for shard in shards for i in range(sizes[shard]))
        return np.fromiter(webdataset.filters._shuffle(stored, buffer, 100, draw), dtype=np.int64)

    return run


def full(sizes: list[int], epoch: int) -> Ints:
    return permutation(sum(sizes), epoch_seed("full", 0, epoch))


def scenes_of_batches(scene: Ints) -> float:
    rows = np.sort(scene[: len(scene) // BATCH * BATCH].reshape(-1, BATCH), axis=1)
    return float((np.diff(rows, axis=1) > 0).sum(axis=1).mean() + 1)


def again(first: Ints, second: Ints) -> float:
    place: npt.NDArray[np.int64] = np.empty_like(second)
    place[second] = np.arange(len(second))
    gaps = [np.abs(place[first[step:]] - place[first[:-step]]) for step in range(1, NEAR + 1)]
    return float(np.mean([(gap <= NEAR).mean() for gap in gaps]))


def figures(shuffle: Shuffle, sizes: list[int], scene: Ints) -> tuple[float, float, float, float]:
    first, second = shuffle(sizes, 0), shuffle(sizes, 1)
    correlation = float(np.corrcoef(np.arange(len(first)), first)[0, 1])
    of = scene[first]
    return correlation, float((of[1:] == of[:-1]).mean()), scenes_of_batches(of), again(first, second)


def main() -> int:
    ways: dict[str, Shuffle] = {
        "full permutation": full,
        **{f"stream, {width} shards": of_the_stream(width) for width in (1, 4, WINDOW_SHARDS, 32)},
        **{f"webdataset, buffer {buffer:,}": of_webdataset(buffer) for buffer in (1000, 8000)},
    }
    found: dict[str, dict[str, tuple[float, float, float, float]]] = {}
    for name, (sizes, scene) in (("rsflow's shards", planned()), ("scene after scene", scene_after_scene())):
        print(f"\n{name}: {len(sizes)} shards\n{'':28}correlation  neighbours   batch     again")
        found[name] = {way: figures(shuffle, sizes, scene) for way, shuffle in ways.items()}
        _, neighbours, batch, _ = found[name]["full permutation"]
        for way, one in found[name].items():
            print(f"{way:28}{one[0]:+11.3f}{one[1] / neighbours:11.2f} ×{one[2] / batch:8.3f} ×{one[3]:10.5f}")
    ours = found["rsflow's shards"]
    stream = ours[f"stream, {WINDOW_SHARDS} shards"]
    return 0 if stream[2] >= 0.9 * ours["full permutation"][2] and stream[1] < ours["webdataset, buffer 1,000"][1] else 1


if __name__ == "__main__":
    sys.exit(main())
