"""Duplicates beside their peers: signatures and vectors, generated with planted near duplicates.

    python benchmarks/duplicates.py [signatures] [vectors] [--signatures 200000] [--bits 4 8] [--vectors 50000]
                                    [--rounds 3] [--recall 2000] [--threads 2] [--seed 0]

Without names both sections run, in about two minutes. The figures asked for: `signatures --signatures 10000000 --rounds 1`,
`vectors --vectors 200000`. Ours and the peers take turns; medians count, and ratios are of medians.
A peer that searches one picture at a time is asked for a sample and extrapolated to all (marked ~). Recall is over what was
planted and, for signatures, also over a plain comparison of `--recall` of them with all, which is not timed: all that it finds
must be found, and nothing else of these; the script fails where it is not so.

Peers: numpy; faiss (pip install faiss-cpu): flat and multi-hash binary indexes, k-means with cosines within a cluster, which is
SemDeDup. One that is not installed is reported and left out.

The file is not called select.py, because a script's folder comes first on the path and Python itself imports `select`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import resource
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rsflow.curation.connected_components import Indices, component_labels
from rsflow.curation.duplicates.pairs.hamming import Signatures, near_pairs
from rsflow.curation.duplicates.pictures.embeddings import PROBED_CENTRES, Vectors, similar_pairs

SAMPLE = 2000
BRUTE = 200
WIDTH = 512
COSINE = 0.95

Contest = dict[str, tuple[Callable[[], Any], float]]  # what is timed, and how many such runs make the whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], help="default: all")
    parser.add_argument("--signatures", type=int, default=200_000)
    parser.add_argument("--bits", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--vectors", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recall", type=int, default=2000, help="signatures that are compared with all")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of faiss; for numpy set OPENBLAS_NUM_THREADS")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name in asked.sections or SECTIONS:
        SECTIONS[name](asked, np.random.default_rng(asked.seed))


def compare_signatures(asked: argparse.Namespace, random: np.random.Generator) -> None:
    for bits in asked.bits:
        values, planted = planted_signatures(asked.signatures, bits, random)
        print(f"\nall pairs within {bits} bits among {len(values):,} signatures, {len(planted):,} planted")
        sample = np.sort(random.choice(len(values), min(SAMPLE, len(values)), replace=False))
        few = sample[:BRUTE]
        all_of = len(values) / len(sample)
        contest: Contest = {"near_pairs": (partial(near_pairs, values, bits), 1.0)}
        contest["numpy"] = (partial(brute_force, values, few, bits), len(values) / len(few) / 2)
        if faiss := peer("faiss"):
            faiss.omp_set_num_threads(asked.threads)
            flat, hashed = faiss.IndexBinaryFlat(64), faiss.IndexBinaryMultiHash(64, 4, 16)
            hashed.nflip = (bits + 1 + 3) // 4 - 1  # four parts: one of them differs in at most so many bits
            queries = as_bytes(values[sample])
            for name, index in (("faiss flat", flat), ("faiss multi-hash", hashed)):
                index.add(as_bytes(values))
                contest[name] = (partial(index.range_search, queries, bits + 1), all_of)
        answers = race(contest, asked.rounds)
        found = answers["near_pairs"]
        tell_recall("planted", set(map(tuple, planted.tolist())), found)
        queries = np.sort(random.choice(len(values), min(asked.recall, len(values)), replace=False))
        check_sample(values, queries, bits, found)


def planted_signatures(count: int, bits: int, random: np.random.Generator) -> tuple[Signatures, Indices]:
    """Random signatures, one in ten another's with at most `bits` flipped bits; and the pairs of these."""
    values = random.integers(0, 2**64, count, dtype=np.uint64)
    copies = np.arange(1, count, 10)
    flips = np.zeros(len(copies), dtype=np.uint64)
    for _ in range(bits):
        flips |= np.uint64(1) << random.integers(0, 64, len(copies), dtype=np.uint64)
    values[copies] = values[copies - 1] ^ flips
    return values, np.stack([copies - 1, copies], axis=1)


def brute_force(values: Signatures, sample: Indices, bits: int) -> Indices:
    found = []
    for row in sample:
        near = np.flatnonzero(np.bitwise_count(values ^ values[row]) <= bits)
        found += [(row, other) for other in near if other != row]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def check_sample(values: Signatures, queries: Indices, bits: int, found: Indices) -> None:
    """Says and checks that the pairs found of these queries are those that there are, no fewer and no more."""
    expected = set(map(tuple, np.sort(brute_force(values, queries, bits), axis=1).tolist()))
    of_these = np.isin(found, queries).any(axis=1)
    tell_recall(f"{len(queries):,} beside all", expected, found[of_these])
    if expected != set(map(tuple, found[of_these].tolist())):
        raise SystemExit("the pairs found are not those that there are")


def as_bytes(values: Signatures) -> Any:
    return values.view(np.uint8).reshape(-1, 8)


def compare_vectors(asked: argparse.Namespace, random: np.random.Generator) -> None:
    vectors, planted = planted_vectors(asked.vectors, random)
    print(f"\ncosine from {COSINE} among {len(vectors):,} vectors of {WIDTH}, {len(planted):,} planted")
    contest: Contest = {"similar_pairs": (lambda: similar_pairs(vectors, COSINE), 1.0)}
    if faiss := peer("faiss"):
        faiss.omp_set_num_threads(asked.threads)
        contest["faiss k-means + cosine"] = (lambda: within_clusters(faiss, vectors), 1.0)
    for name, pairs in race(contest, asked.rounds).items():
        label = component_labels(len(vectors), pairs)
        print(f"  {name + ', recall':<42}{np.mean(label[planted[:, 0]] == label[planted[:, 1]]):.4f}")


def planted_vectors(count: int, random: np.random.Generator) -> tuple[Vectors, Indices]:
    """Vectors around a thousand directions, one in ten another's with so much noise that the cosine is 0.95 to 0.999."""
    middles = random.normal(size=(1000, WIDTH)).astype(np.float32)
    vectors = middles[random.integers(0, 1000, count)] + random.normal(size=(count, WIDTH), scale=1.0).astype(np.float32)
    copies = np.arange(1, count, 10)
    cosine = random.uniform(0.952, 0.999, (len(copies), 1)).astype(np.float32)
    noise = random.normal(size=(len(copies), WIDTH)).astype(np.float32)
    lengths = np.linalg.norm(vectors[copies - 1], axis=1, keepdims=True)
    noise *= lengths / np.linalg.norm(noise, axis=1, keepdims=True) * np.sqrt(1 / cosine**2 - 1)
    vectors[copies] = vectors[copies - 1] + noise
    pairs = np.stack([copies - 1, copies], axis=1)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, pairs[np.einsum("ij,ij->i", unit[pairs[:, 0]], unit[pairs[:, 1]]) >= COSINE]


def within_clusters(faiss: Any, vectors: Vectors) -> Indices:
    """SemDeDup: k-means over all vectors with as many centres as ours, then every pair of a cluster."""
    unit = np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    means = faiss.Kmeans(WIDTH, round(np.sqrt(PROBED_CENTRES * len(unit))), niter=10, spherical=True, seed=0)
    means.train(unit)
    own = means.index.search(unit, 1)[1][:, 0]
    order = np.argsort(own, kind="stable")
    found = [np.empty((0, 2), dtype=np.int64)]
    for rows in np.split(order, np.flatnonzero(np.diff(own[order])) + 1):
        a, b = np.nonzero(np.triu(unit[rows] @ unit[rows].T >= COSINE, 1))
        found.append(np.stack([rows[a], rows[b]], axis=1))
    return np.concatenate(found)


def peer(name: str) -> Any:
    if importlib.util.find_spec(name) is None:
        print(f"  {name} is not installed and left out")
        return None
    return importlib.import_module(name)


def race(contest: Contest, rounds: int) -> dict[str, Any]:
    """Times each in turn, prints medians and how many times as long as the first they take; gives the last answers."""
    seconds: dict[str, list[float]] = {name: [] for name in contest}
    answers = {}
    for _ in range(rounds):
        for name, (work, share) in contest.items():
            start = time.perf_counter()
            answers[name] = work()
            seconds[name].append((time.perf_counter() - start) * share)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ours = next(iter(medians.values()))
    for name, median in medians.items():
        mark = "~" if contest[name][1] != 1 else " "
        print(f"  {name:<26}{mark}{median:11.2f} s   {median / ours:8.1f} x ours")
    print(f"  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:,} MiB")
    return answers


def tell_recall(what: str, expected: set[tuple[int, int]], found: Indices) -> None:
    hit = expected & set(map(tuple, found.tolist()))
    print(f"  {'recall, ' + what:<42}{len(hit) / max(1, len(expected)):.4f} of {len(expected):,}")


SECTIONS = {"signatures": compare_signatures, "vectors": compare_vectors}


if __name__ == "__main__":
    main()
