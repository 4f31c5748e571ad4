"""Writing shards: rsflow (digest and index included) beside `webdataset.ShardWriter` and plain `tarfile`.

All write the same samples, an encoded picture and a JSON record each, to the same folder, one after the other in every round,
so a busy machine is as unfair to one as to the next. Printed are medians and the ratio to webdataset; the claim is at least
2 ×. Run it as `python benchmarks/shards.py [--folder /dev/shm]`; it ends with 1 where the claim does not hold.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import webdataset

from rsflow.shards.format import Sample
from rsflow.shards.writer import write_shard

CLAIM = 2.0


def made(count: int, picture_bytes: int) -> list[Sample]:
    """Samples in key order: a picture of random bytes, as compressed ones nearly are, and a record of about 1 kB."""
    draw = random.Random(0)
    turns = [{"role": role, "text": "Where are the ships? [[ships|0,1]] " * 3} for role in ("user", "assistant")]
    instructions = [
        {"id": "a", "task": task, "turns": turns, "boxes": [[1.5, 2.5, 30.25, 40.0]] * 2} for task in ("vqa", "detection")
    ]
    samples = []
    for i in range(count):
        key = f"{i:020x}"
        record = {"key": key, "sensor": "sar", "gsd_m": 10.0, "split": "train", "instructions": instructions}
        samples.append(Sample(key, draw.randbytes(picture_bytes), "jpg", record))
    return samples


def with_rsflow(folder: Path, samples: list[Sample]) -> None:
    write_shard(str(folder / "shard.tar"), str(folder / "shard.idx"), samples)


def with_webdataset(folder: Path, samples: list[Sample]) -> None:
    pattern = str(folder / "shard-%06d.tar")
    with webdataset.ShardWriter(pattern, maxcount=len(samples), maxsize=1e12, verbose=0) as writer:
        for sample in samples:
            writer.write({"__key__": sample.key, "jpg": sample.picture, "json": sample.record})


def with_tarfile(folder: Path, samples: list[Sample]) -> None:
    with tarfile.open(folder / "shard.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for sample in samples:
            for extension, data in (("jpg", sample.picture), ("json", json.dumps(sample.record).encode())):
                member = tarfile.TarInfo(f"{sample.key}.{extension}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


WRITERS: dict[str, Callable[[Path, list[Sample]], None]] = {
    "webdataset.ShardWriter": with_webdataset,
    "tarfile": with_tarfile,
    "rsflow": with_rsflow,
}


def measured(samples: list[Sample], rounds: int, folder: str | None) -> dict[str, list[float]]:
    """Seconds of each round by writer. A round before the first warms caches and imports and is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in WRITERS}
    for i in range(rounds + 1):
        for name, write in WRITERS.items():
            with tempfile.TemporaryDirectory(dir=folder) as place:
                start = time.perf_counter()
                write(Path(place), samples)
                if i:
                    seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--picture-bytes", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", default="/dev/shm" if Path("/dev/shm").is_dir() else None)
    asked = parser.parse_args()
    seconds = measured(made(asked.samples, asked.picture_bytes), asked.rounds, asked.folder)
    base = seconds["webdataset.ShardWriter"]
    place = asked.folder or "a temporary folder"
    print(f"{asked.samples} samples of {asked.picture_bytes} bytes to {place}, {asked.rounds} rounds")
    for name, times in seconds.items():
        ratio = statistics.median(other / own for other, own in zip(base, times, strict=True))
        print(f"{name:24} {asked.samples / statistics.median(times):9.0f} samples/s  {ratio:5.2f} × webdataset")
    print(f"claim: at least {CLAIM} ×: {'holds' if ratio >= CLAIM else 'DOES NOT HOLD'}")
    return 0 if ratio >= CLAIM else 1


if __name__ == "__main__":
    sys.exit(main())
