"""The select phase on generated columns: near duplicates beside brute force, and the whole of select's arithmetic.

    python benchmarks/select_phase.py [--tiles 100000] [--instructions 400000] [--bits 6] [--seed 0] [--no-pairs]

Signatures are random, one in ten a planted copy of another with up to `bits` flipped bits, one in a hundred empty (a sea of
ground-less pictures of a few kinds). The whole is `select` on a made lake, but that no picture is read. "brute force" compares
a sample of signatures with all others and is extrapolated to all pairs; the two take turns and the best of three counts.
Recall is over the sample, and must be 1. faiss is timed where it is installed (pip install faiss-cpu).

The file is not called select.py, because a script's folder comes first on the path and Python itself imports `select`.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Select
from rsflow.config.settings import BuildConfig, Scenes, Source
from rsflow.curation.duplicates.pairs.hamming import Indices, Signatures, near_pairs
from rsflow.curation.select_samples import select_samples
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.tables import create_lake, open_lake
from rsflow.phases.select.instruction_texts import make_text_reader
from rsflow.phases.select.lake_columns import encode_all_instructions, instruction_pieces, read_instruction_ids
from rsflow.phases.select.select import build_selection_rows, read_selection_tiles
from rsflow.planning.live_rows import LiveRows
from rsflow.planning.steps import STEPS

SAMPLE = 500
KINDS = 12
TASKS = ("classification", "captioning", "vqa", "grounding", "region_captioning", "detection")
PER_SCENE = 400
ROWS = 1_000_000  # of a commit

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=100_000)
    parser.add_argument("--instructions", type=int, default=400_000)
    parser.add_argument("--no-pairs", action="store_true", help="leave out the comparison of near_pairs with its peers")
    parser.add_argument("--bits", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    random = np.random.default_rng(asked.seed)
    if not asked.no_pairs:
        compare(np.unique(generate(asked.tiles, asked.bits, random)[0]), asked.bits, random)
    whole(asked)


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


def whole(asked: argparse.Namespace) -> None:
    """Prints the time and memory of select on a made lake, from its files to the written `selection` table.

    `confirm` is answered from what was planted, so no picture is read. Tiles are of 512 pixels of 10 m, in scenes of 400. Every
    seventh scene lies over an earlier one, and of every tenth the ground is unknown. Another process makes the lake, so that
    the memory is that of selecting.
    """
    _, parent = generate(asked.tiles, asked.bits, np.random.default_rng(asked.seed))
    questions = 0

    def confirm(pairs: Indices) -> npt.NDArray[np.bool_]:
        nonlocal questions
        questions += len(pairs)
        answers: npt.NDArray[np.bool_] = (parent[pairs[:, 0]] == parent[pairs[:, 1]]) & (pairs[:, 2] == 0)
        return answers

    quotas = {"vqa": asked.instructions // 10, "detection/optical": asked.instructions // 40}
    with tempfile.TemporaryDirectory() as root:
        settings = Select(near_bits=asked.bits, quotas=quotas)
        built = BuildConfig(root, (Source("made", "optical", "CC0-1.0", Scenes("none")),), select=settings)
        maker = multiprocessing.get_context("spawn").Process(target=make_lake, args=(root, asked))
        maker.start()
        maker.join()
        lake = open_lake(root)
        marks = pa.table({name: pa.array(["made"]) for name in ("unit", "receipt", "scene_id")})
        marks = marks.append_column("scene_rejected", pa.array([False]))
        done = ("label", "instruct")
        now = LiveRows(lake, {step.name: marks if step.name in done else marks.slice(0, 0) for step in STEPS})
        print(f"select, {asked.tiles:,} tiles, {asked.instructions:,} instructions: peak {peak_mib():,} MiB before it starts")
        start, used = time.perf_counter(), time.process_time()
        tiles = read_selection_tiles(built, now)
        print(f"  read tiles               {time.perf_counter() - start:10.2f} s   peak memory {peak_mib():,} MiB")
        pieces = instruction_pieces(now)
        seconds, instructions = timed(lambda: encode_all_instructions(built, now, pieces, tiles["tile_id"]))
        print(f"  number instructions      {seconds:10.2f} s   peak memory {peak_mib():,} MiB")
        texts_of = make_text_reader(pieces, marks["receipt"].combine_chunks())
        seconds, choice = timed(lambda: select_samples(tiles, instructions, settings, 0, confirm, read_texts=texts_of))
        print(f"  choose                   {seconds:10.2f} s   {questions:,} pairs asked, peak memory {peak_mib():,} MiB")
        begin = time.perf_counter()
        lake.overwrite("selection", lambda: build_selection_rows(tiles, read_instruction_ids(pieces, now), choice))
        print(f"  write                    {time.perf_counter() - begin:10.2f} s   peak memory {peak_mib():,} MiB")
        spent = time.process_time() - used
        print(f"  together                 {time.perf_counter() - start:10.2f} s   of them {spent:,.0f} s of processor time")
    for name, verdicts in (("tiles", choice.tiles), ("instructions", choice.instructions)):
        print(f"  {name}: " + ", ".join(f"{count:,} {reason}" for reason, count in verdicts.counts().items()))


def make_lake(root: str, asked: argparse.Namespace) -> None:
    """Tables of tiles and instructions, a million rows a commit, all delivered by one receipt."""
    random = np.random.default_rng(asked.seed)
    signatures, _ = generate(asked.tiles, asked.bits, random)
    tiles, instructions = tables(signatures, asked.instructions, random)
    lake = create_lake(root)
    for name, rows in (("tiles", tiles), ("instructions", instructions)):
        for start in range(0, rows.num_rows, ROWS):
            part = rows.slice(start, ROWS)
            if name == "instructions":
                part = part.append_column("turns", turns(part, random))
            lacking = {f.name: pa.nulls(part.num_rows, f.type) for f in TABLES[name] if f.name not in part.column_names}
            lake.append(name, pa.table({**{c: part[c] for c in part.column_names}, **lacking}))


def turns(part: pa.Table, random: np.random.Generator) -> pa.ListArray:
    """A question and an answer for each: of twenty words, one of which is a number out of a thousand."""
    count = part.num_rows
    asked = joined("Look at this picture and tell me, as to ", part["task"], ", what you can see of things of kind ")
    asked = joined(asked, pa.array(random.integers(0, 1000, count)), " in it.")
    answer = joined("There are ", pa.array(random.integers(0, 1000, count)), " of them, most of them in the upper left part.")
    both = pa.chunked_array([asked, answer]).combine_chunks().take(pa.array(np.arange(2 * count).reshape(2, -1).T.ravel()))
    roles = pa.array(["user", "assistant"]).take(pa.array(np.tile([0, 1], count)))
    values = pa.StructArray.from_arrays([roles, both], ["role", "text"])
    return pa.ListArray.from_arrays(pa.array(np.arange(0, 2 * count + 1, 2, dtype=np.int32)), values)


def tables(signatures: Signatures, count: int, random: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """The columns that select reads."""
    total = len(signatures)
    row = np.arange(total)
    scene, at = row // PER_SCENE, row % PER_SCENE
    place = np.where(scene % 7 == 6, scene - 3, scene)
    step = 5120 / 111_195
    west, south = -180 + place % 200 * 1.5 + at % 20 * step, -60 + place // 200 % 80 * 1.5 + at // 20 * step
    rings = np.stack([west, south, west + step, south, west + step, south + step, west, south + step], axis=1)
    unknown = pa.array(scene % 10 == 9)
    footprint = pa.ListArray.from_arrays(pa.array(np.arange(0, 8 * total + 1, 8, dtype=np.int32)), pa.array(rings.ravel()))
    cell = joined("10km/", np.floor(south * 10).astype(np.int64), "/", np.floor(west * 10).astype(np.int64))
    # Numbers of one length, so that the rows are sorted by their names.
    names = joined("scene", digits(scene, 6), "/", digits(at // 20 * 512, 4), "_", digits(at % 20 * 512, 4), "_512")
    digests, files = hexadecimal(total, random), joined("tiles/scene", digits(scene, 6), "/", digits(scene * 7919 % 10**8, 8))
    constant = {"gsd_m": 10.0, "height_px": 512, "width_px": 512}
    texts = {"sensor": "optical", "source": "made", "licence": "CC0-1.0", "receipt": "made"}
    tiles = pa.table(
        {
            "tile_id": names,
            "scene_id": joined("scene", digits(scene, 6)),
            "file": files,
            "picture_sha256": digests,
            "pixels_sha256": digests,
        }
        | {"signature": signatures.view(np.int64), "source_split": pa.nulls(total, pa.string())}
        | {"footprint": pc.if_else(unknown, None, footprint), "cell": pc.if_else(unknown, None, cell)}
        | {name: np.full(total, value) for name, value in constant.items()}
        | {name: pa.repeat(value, total) for name, value in texts.items()}
    )
    tile = names.take(pa.array(np.sort(random.integers(0, total, count))))
    task = pa.array(TASKS).take(pa.array(random.integers(0, len(TASKS), count)))
    said = pc.utf8_slice_codeunits(hexadecimal(count, random), 0, 8)
    names = joined(tile, "#", task, "#", said)
    return tiles, pa.table({"instruction_id": names, "tile_id": tile, "task": task, "receipt": pa.repeat("made", count)})


def joined(*parts: Any) -> pa.Array:
    """Texts, numbers and columns of both, side by side."""
    texts = [part if isinstance(part, str) else pc.cast(pa.array(part), pa.string()) for part in parts]
    return pc.binary_join_element_wise(*texts, "")


def digits(values: Indices, width: int) -> pa.Array:
    """Numbers with zeros before them."""
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")


def hexadecimal(count: int, random: np.random.Generator) -> pa.Array:
    """Texts as long as a SHA-256."""
    text = pa.py_buffer(random.bytes(32 * count).hex().encode())
    offsets = pa.py_buffer(np.arange(0, 64 * count + 1, 64, dtype=np.int64))
    return pa.LargeStringArray.from_buffers(count, offsets, text).cast(pa.large_string())


def timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
