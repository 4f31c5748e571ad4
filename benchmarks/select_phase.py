"""The select phase on generated columns: near duplicates beside brute force, and the whole of select's arithmetic.

    python benchmarks/select_phase.py [--tiles 100000] [--instructions 400000] [--bits 6] [--seed 0]

Signatures are random, one in ten a planted copy of another with up to `bits` flipped bits, one in a hundred empty (a sea of
ground-less pictures of a few kinds). "brute force" compares a sample of signatures with all others and is extrapolated to all
pairs; the two take turns and the best of three counts. Recall is over the sample, and must be 1. faiss is timed where it is
installed (pip install faiss-cpu).

The file is not called select.py, because a script's folder comes first on the path and Python itself imports `select`.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.curation.balance import apply_quotas
from rsflow.curation.duplicates import find_duplicates
from rsflow.curation.hamming import Indices, Signatures, near_pairs
from rsflow.curation.splits import assign_splits

SAMPLE = 500
KINDS = 12
TASKS = ("classification", "captioning", "vqa", "grounding", "region_captioning", "detection")
SENSORS = ("optical", "sar", "infrared")

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=100_000)
    parser.add_argument("--instructions", type=int, default=400_000)
    parser.add_argument("--bits", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    random = np.random.default_rng(asked.seed)
    signatures, parent = generate(asked.tiles, asked.bits, random)
    compare(np.unique(signatures), asked.bits, random)
    whole(signatures, parent, asked.bits, asked.instructions, random)


def generate(count: int, bits: int, random: np.random.Generator) -> tuple[Signatures, Indices]:
    """Signatures, and for each the one it is a copy of (itself where it is none; the empty ones of a kind share the first)."""
    values = random.integers(0, 2**64, count, dtype=np.uint64)
    parent = np.arange(count)
    copies = np.arange(1, count, 10)
    parent[copies] = copies - 1
    flips = np.zeros(len(copies), dtype=np.uint64)
    for _ in range(bits):
        flips |= np.uint64(1) << random.integers(0, 64, len(copies), dtype=np.uint64)
    values[copies] = values[copies - 1] ^ flips
    empty = np.arange(5, count, 100)
    values[empty] = 0
    parent[empty] = empty[random.integers(0, min(KINDS, len(empty)), len(empty))]
    return values, parent


def compare(signatures: Signatures, bits: int, random: np.random.Generator) -> None:
    """Prints the times of near_pairs and its peers, and the recall against brute force."""
    count = len(signatures)
    sample = np.sort(random.choice(count, min(SAMPLE, count), replace=False))
    print(f"all pairs within {bits} bits among {count:,} distinct signatures")
    ours, brute = float("inf"), float("inf")
    for _ in range(3):
        seconds, pairs = timed(lambda: near_pairs(signatures, bits))
        ours = min(ours, seconds)
        seconds, expected = timed(lambda: brute_force(signatures, sample, bits))
        brute = min(brute, seconds * count / len(sample) / 2)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    met = both[np.isin(both[:, 0], sample)]
    missed = set(map(tuple, expected.tolist())) - set(map(tuple, met.tolist()))
    print(f"  near_pairs               {ours:10.2f} s   {len(pairs):,} pairs, peak memory {peak_mib():,} MiB")
    print(f"  brute force, numpy       {brute:10.2f} s   extrapolated; near_pairs is {brute / ours:.0f} times as fast")
    recall = 1 - len(missed) / max(1, len(expected))
    print(f"  recall over the sample   {recall:10.4f}     {len(met):,} met, {len(expected):,} exist")
    if importlib.util.find_spec("faiss"):
        flat = faiss_flat(signatures, sample, bits) * count / len(sample)
        print(f"  faiss IndexBinaryFlat    {flat:10.2f} s   extrapolated; near_pairs is {flat / ours:.0f} times as fast")


def brute_force(signatures: Signatures, sample: Indices, bits: int) -> Indices:
    """Ordered pairs (sampled row, other row) within `bits`."""
    found = []
    for row in sample:
        near = np.flatnonzero(np.bitwise_count(signatures ^ signatures[row]) <= bits)
        found += [(row, other) for other in near if other != row]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def faiss_flat(signatures: Signatures, sample: Indices, bits: int) -> float:
    faiss = importlib.import_module("faiss")
    index = faiss.IndexBinaryFlat(64)
    index.add(signatures.view(np.uint8).reshape(-1, 8))
    queries = signatures[sample].view(np.uint8).reshape(-1, 8)
    return timed(lambda: index.range_search(queries, bits + 1))[0]


def whole(signatures: Signatures, parent: Indices, bits: int, instructions: int, random: np.random.Generator) -> None:
    """Prints the times of the steps of select; `confirm` is answered from what was planted, so no picture is read."""
    count = len(signatures)
    asked = 0

    def confirm(pairs: Indices) -> npt.NDArray[np.bool_]:
        nonlocal asked
        asked += len(pairs)
        answers: npt.NDArray[np.bool_] = parent[pairs[:, 0]] == parent[pairs[:, 1]]
        return answers

    names = pa.array([f"scene{row // 400:06d}/{row % 400 // 20 * 512}_{row % 20 * 512}_512" for row in range(count)])
    sensors = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array(SENSORS)).cast(pa.string())
    constant = {"gsd_m": 10.0, "height_px": 512, "width_px": 512, "n_labels": 0}
    tiles = pa.table(
        {"tile_id": names, "sensor": sensors, "picture_sha256": names, "pixels_sha256": names, "signature": signatures}
        | {"footprint": pa.nulls(count, pa.list_(pa.float64()))}
        | {name: np.full(count, value) for name, value in constant.items()}
    )
    seconds, clusters = timed(lambda: find_duplicates(tiles, bits, confirm))
    dropped = count - clusters["reason"].null_count
    print(f"find_duplicates, {count:,} tiles: {seconds:.2f} s, {dropped:,} dropped, {asked:,} pairs asked")
    cells = pa.array(np.arange(count) // 16).cast(pa.string())
    tiles = pa.table({"tile_id": names, "cluster": names, "cell": cells, "scene_id": names})
    seconds, _ = timed(lambda: assign_splits(tiles, {"train": 0.9, "val": 0.05, "test": 0.05}, 0))
    print(f"assign_splits, {count:,} tiles: {seconds:.2f} s")
    tasks = pa.DictionaryArray.from_arrays(pa.array(random.integers(0, 6, instructions, np.int8)), pa.array(TASKS))
    kinds = pa.DictionaryArray.from_arrays(pa.array(random.integers(0, 3, instructions, np.int8)), pa.array(SENSORS))
    rows = pa.table(
        {
            "instruction_id": pa.array([f"scene{row:09d}/0_0_512#vqa#0123456789ab" for row in range(instructions)]),
            "task": tasks.cast(pa.string()),
            "sensor": kinds.cast(pa.string()),
        }
    )
    quotas = {"vqa": instructions // 10, "detection/optical": instructions // 40, "sar": instructions // 5}
    seconds, _ = timed(lambda: apply_quotas(rows, quotas, 0))
    print(f"apply_quotas, {instructions:,} instructions: {seconds:.2f} s; peak memory {peak_mib():,} MiB")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
