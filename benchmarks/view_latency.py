"""How long the page of a lake takes to answer, by the number of its samples.

A made lake (three labels and three instructions per tile, tables of many files) is served as `rsflow view` does, and asked over
HTTP: the first page, a page far down, filters, a search, the counts beside the filters, the map, one sample, one picture.
Prints the median of five in ms.

    python benchmarks/view_latency.py [10000 100000 1000000]
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import statistics
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import uvicorn

from rsflow import schemas
from rsflow.lake.tables import Lake, create_lake, open_lake
from rsflow.lake.tile_files import write_pictures
from rsflow.tiles.encode import encode
from rsflow.viewer.security import Access
from rsflow.viewer.serve import listen
from rsflow.viewer.server import LakeView, make_app

SCENE_TILES = 400
PIECE = 100_000  # tiles per commit
PER_TILE = 3
CATEGORIES = np.array(["ship", "plane", "storage tank", "harbour", "bridge", "vehicle", "tennis court", "building"])
TASKS = np.array(["vqa", "captioning", "detection", "grounding"])
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    for tiles in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_lake(folder, tiles)
            start = time.perf_counter()
            view = LakeView(open_lake(folder))
            opened = time.perf_counter() - start
            with served(view) as address:
                report(tiles, opened, address)


def report(tiles: int, opened: float, address: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{tiles:,} samples: read in {opened:.1f} s, {peak:,.0f} MiB at most")
    start = time.perf_counter()
    page = ask(address, "samples")
    print(f"  {'the very first page':24} {1000 * (time.perf_counter() - start):7.0f} ms")
    far = f"[{tiles * 9 // 10}, {tiles * 9 // 10}]"
    key = page["samples"][0]["key"]
    questions = {
        "first page": "samples",
        "page at nine tenths": f"samples?after={urllib.parse.quote(far)}",
        "mixed order": "samples?order=mixed",
        "category and score": "samples?category=bridge&min_score=0.95",
        "split, sensor, task": "samples?split=val&sensor=sar&task=grounding",
        "search, a rare text": "samples?text=number%20777%20",
        "texts of a page": "texts?" + "&".join(f"key={row['key']}" for row in page["samples"]),
        "counts of all filters": "counts",
        "counts, one category": "counts?category=ship",
        "map": "map",
        "one sample": f"sample/{key}",
        "one picture": f"picture/{key}",
    }
    for name, question in questions.items():
        print(f"  {name:24} {1000 * median_seconds(address, question):7.0f} ms")


def median_seconds(address: str, question: str) -> float:
    taken = []
    for number in range(REPEATS):
        # Each search is a new one: an earlier answer is remembered.
        asked = question.replace("777", str(777 + number))
        start = time.perf_counter()
        ask(address, asked)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def ask(address: str, question: str) -> Any:
    with urllib.request.urlopen(f"{address}/api/{question}", timeout=120) as answer:
        data = answer.read()
        return orjson.loads(data) if answer.headers["content-type"] == "application/json" else data


@contextmanager
def served(view: LakeView) -> Iterator[str]:
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(make_app(view, Access("127.0.0.1", port)), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    listening.close()


def write_lake(root: str, tiles: int) -> None:
    """A lake of so many tiles whose tables hold what the page reads."""
    lake = create_lake(root)
    rng = np.random.default_rng(11)
    for start in range(0, tiles, PIECE):
        write_piece(lake, np.arange(start, min(start + PIECE, tiles)), rng)
    lake.overwrite("selection", lambda: selection_rows(tiles))


def write_piece(lake: Lake, numbers: npt.NDArray[np.int64], rng: np.random.Generator) -> None:
    ids = [tile_id(int(number)) for number in numbers]
    receipts = [hashlib.blake2b(b"%d" % (number // SCENE_TILES), digest_size=16).hexdigest() for number in numbers]
    lake.append("tiles", fill(schemas.TILES, tile_columns(lake, numbers, ids, receipts, rng)))
    many = {
        name: np.repeat(np.array(values, dtype=object), PER_TILE) for name, values in (("tile_id", ids), ("receipt", receipts))
    }
    count = len(many["tile_id"])
    corners = rng.random((count, 2)) * 400
    boxes = np.concatenate([corners, corners + 10 + rng.random((count, 2)) * 100], axis=1)
    labels = {
        **many,
        "label_id": [f"{tile}#{place % PER_TILE}" for place, tile in enumerate(many["tile_id"])],
        "kind": ["box"] * count,
        "category": CATEGORIES[rng.integers(0, len(CATEGORIES), count)],
        "score": rng.random(count),
        "box": list(boxes),
        "polygon": list(boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]]),
        "origin": ["labeller"] * count,
        "origin_name": ["detector"] * count,
        "text": [""] * count,
    }
    lake.append("labels", fill(schemas.LABELS, labels))
    turns = [
        [{"role": "user", "text": "What is there to see in this picture?"}, {"role": "assistant", "text": f"Ship number {n} ."}]
        for n in range(count)
    ]
    texts = {
        **many,
        "instruction_id": [f"{tile}#{place % PER_TILE:08x}" for place, tile in enumerate(many["tile_id"])],
        "task": TASKS[rng.integers(0, len(TASKS), count)],
        "turns": turns,
        "generator": ["rules"] * count,
    }
    lake.append("instructions", fill(schemas.INSTRUCTIONS, texts))
    done = list(dict.fromkeys(receipts))
    scenes = [scene_id(number) for number in range(int(numbers[0]) // SCENE_TILES, int(numbers[0]) // SCENE_TILES + len(done))]
    now = [datetime.now(UTC)] * len(done)
    marks = {"unit": done, "receipt": done, "step": ["label"] * len(done), "scene_id": scenes, "committed_at": now}
    lake.append("runs", fill(schemas.RUNS, {**marks, "scene_rejected": [False] * len(done), "rows_rejected": [0] * len(done)}))


def tile_columns(
    lake: Lake, numbers: npt.NDArray[np.int64], ids: list[str], receipts: list[str], rng: np.random.Generator
) -> dict[str, Any]:
    count = len(ids)
    west, south = rng.random(count) * 300 - 150, rng.random(count) * 120 - 60
    rings = np.stack([west, south, west + 0.05, south, west + 0.05, south + 0.05, west, south + 0.05], axis=1)
    keys = [hashlib.blake2b(tile.encode(), digest_size=10).hexdigest() for tile in ids]
    picture = encode(np.zeros((64, 64, 3), np.uint8), "jpg", 80)
    file = f"tiles/made/{numbers[0]}.parquet"
    shown: dict[str, list[Any]] = {
        "tile_id": ids[:SCENE_TILES],
        "key": keys[:SCENE_TILES],
        "picture": [picture] * len(ids[:SCENE_TILES]),
    }
    write_pictures(lake.place(file), [0] * len(shown["key"]), pa.table(shown))
    return {
        "tile_id": ids,
        "key": keys,
        "receipt": receipts,
        "scene_id": [scene_id(int(number) // SCENE_TILES) for number in numbers],
        "source": [f"source-{number // SCENE_TILES % 12}" for number in numbers],
        "sensor": [("optical", "sar", "infrared")[number // SCENE_TILES % 3] for number in numbers],
        "height_px": [512] * count,
        "width_px": [512] * count,
        "footprint": list(rings),
        "acquired_at": [datetime(2024, 5, 14, tzinfo=UTC)] * count,
        "picture_format": ["jpg"] * count,
        "picture_sha256": [hashlib.sha256(picture).hexdigest()] * count,
        "file": [file] * count,
        "row_group": [place // SCENE_TILES for place in range(count)],
        "row": [place % SCENE_TILES for place in range(count)],
    }


def selection_rows(tiles: int) -> Iterator[pa.Table]:
    splits = np.array(["train", "train", "train", "val", "test"])
    for start in range(0, tiles, PIECE):
        numbers = np.arange(start, min(start + PIECE, tiles))
        ids = [tile_id(int(number)) for number in numbers]
        kept = numbers % 4 > 0
        columns = {
            "kind": ["tile"] * len(ids),
            "subject": ids,
            "tile_id": ids,
            "cluster": ids,
            "selected": kept,
            "reason": np.where(kept, "kept", "duplicate_near"),
            "split": splits[numbers // SCENE_TILES % len(splits)],
        }
        yield fill(schemas.SELECTION, columns)


def scene_id(number: int) -> str:
    return f"made.scene-{number:05d}"


def tile_id(number: int) -> str:
    return f"{scene_id(number // SCENE_TILES)}/{number % SCENE_TILES // 20 * 512}_{number % 20 * 512}_512"


def fill(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    """The columns with all others of the schema null."""
    rows = len(next(iter(columns.values())))
    return pa.table(
        {f.name: pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(rows, f.type) for f in schema}
    )


if __name__ == "__main__":
    main()
