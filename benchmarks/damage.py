"""Single flipped bits in a lake: how many are noticed by name, and whether any changes the dataset without a word.

Each flip is made in a file drawn by chance from the folders of a small finished lake in turn (tables, tiles, copied layers,
shards, snapshots, digests, and the files beside them), held against `rsflow verify --deep` in this process with nothing checked
before, and undone. A flip is harmless where verify finds nothing and all that the lake holds is read as before; layers
made again are no damage; it is silent where something else is read. The claim is none.

Run it as `python benchmarks/damage.py LAKE [--flips 200] [--first 0] [--seed 1]` on a copy of a lake; `--first` goes on
with the same flips. It ends with 1 where the claim fails.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import random
import sys
from collections import Counter
from pathlib import Path

from rsflow.cli import main as rsflow
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.integrity import digests
from rsflow.lake.tables import open_lake
from rsflow.lake.tile_files import read_pictures, read_raw
from rsflow.phases.shard.shard import selection_version
from rsflow.shards.manifest import latest_snapshot, read_snapshot


def files_by_folder(lake: Path) -> dict[str, list[Path]]:
    """All files of a lake by its own folders; those beside the folders as ".", written records of past runs left out."""
    found: dict[str, list[Path]] = {}
    for path in sorted(path for path in lake.rglob("*") if path.is_file()):
        parts = path.relative_to(lake).parts
        if parts[0] not in {"attempts", "card.md"}:
            found.setdefault(parts[0] if len(parts) > 1 else ".", []).append(path)
    return found


def verified(lake: Path) -> tuple[int, str]:
    digests.clear_cache()  # as in a process that has not read anything yet
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = rsflow(["verify", "--deep", str(lake)])
    return code, said.getvalue()


def content(lake: Path) -> str:
    """A hash of all that is read of a lake: the rows of its tables, pictures and raw bands, the snapshot and its selection."""
    opened = open_lake(str(lake))
    parts: list[object] = [sorted(map(str, opened.read(name).to_pylist())) for name in TABLES]
    tiles = opened.read("tiles").to_pylist()
    parts += [read_pictures(str(lake), tiles), read_raw(str(lake), [tile for tile in tiles if tile["raw"]])]
    number = latest_snapshot(str(lake))
    parts += [read_snapshot(str(lake)), selection_version(opened, number)]
    return hashlib.sha256("".join(map(str, parts)).encode()).hexdigest()


def outcome(lake: Path, path: Path, data: bytes, whole: str) -> str:
    """`data`: what the file held before its flip."""
    try:
        code, said = verified(lake)
    except Exception as error:  # what a user would see as a traceback
        return f"traceback ({type(error).__name__})"
    if code:
        return "named" if path.name in said else "noticed"
    if path.exists() and path.read_bytes() == data:
        return "made again"
    return "harmless" if content(lake) == whole else f"SILENT in {path.name}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lake", type=Path)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    files = files_by_folder(asked.lake)
    kinds = list(files)
    whole, found = content(asked.lake), Counter[tuple[str, str]]()
    for number in range(asked.first + asked.flips):
        kind = kinds[number % len(kinds)]
        path = chance.choice(files[kind])
        data = path.read_bytes()
        if not data:
            continue
        bit = chance.randrange(8 * len(data))
        if number < asked.first:
            continue
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            found[kind, outcome(asked.lake, path, data, whole)] += 1
        finally:
            path.write_bytes(data)
    for (kind, came), count in sorted(found.items()):
        print(f"{kind:10} {came:30} {count:5}")
    return int(any(came not in {"named", "noticed", "made again", "harmless"} for _, came in found))


if __name__ == "__main__":
    sys.exit(main())
