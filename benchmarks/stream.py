"""Streaming: rsflow beside plain `webdataset`, MosaicML `streaming`, LitData and Ray Data, and two limits.

The same samples, a JPEG and a JSON record each, are written in every loader's own format. Every loader decodes with the same
decoder (simplejpeg) and resizes with the same function, parses the record, and gives batches of 32 through two, one or no
worker processes. All take turns in every round, so a busy machine is as unfair to one as to the next; medians are printed, then
the goals and whether they are met. Peers that are not installed are left out: `pip install webdataset mosaicml-streaming
litdata`. The limits: a sequential read of the tars with `tarfile` through a DataLoader, and, for decoding, as many processes
that read and decode and give nothing away. Ray Data takes half a minute to start, so it has one turn in one case.

    python benchmarks/stream.py [--samples 12000 --decoded 3000 --rounds 3 --folder /dev/shm --no-s3 --no-ray]

About ten minutes on two idle cores, and 5 GB. `--samples` are those of the undecoded cases and of resuming, `--decoded` those
of the others; in an epoch of less than a second the start, which is told apart as the first batch, is much of the time.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import importlib.util
import io
import json
import multiprocessing
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from rsflow.loading.decoding.decode import as_tensor, decode_into
from rsflow.loading.loader import Loader
from rsflow.loading.memory.ring_buffer import RingLoader
from rsflow.loading.stream import stream
from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, ShardEntry, Split, index_path, write_snapshot
from rsflow.shards.writer import write_shard

BATCH = 32
SIDE_PX = 512


@dataclass(frozen=True)
class Case:
    """`size_px` None: pictures stay bytes."""

    size_px: int | None
    workers: int

    def __str__(self) -> str:
        return f"{'bytes' if self.size_px is None else f'{self.size_px} px'}, {self.workers} workers"


def pictures(count: int) -> list[bytes]:
    """JPEGs with structure at all scales, about as large as those of aerial pictures."""
    rng, found = np.random.default_rng(0), []
    for _ in range(count):
        layers = [
            np.asarray(
                Image.fromarray(rng.integers(0, 256, (n, n, 3), np.uint8)).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)
            )
            for n in (4, 16, 64, 256)
        ]
        mixed = sum(layer.astype(np.float32) * weight for layer, weight in zip(layers, (0.4, 0.3, 0.2, 0.1), strict=True))
        found.append(simplejpeg.encode_jpeg(np.ascontiguousarray(np.asarray(mixed).astype(np.uint8)), quality=85))
    return found


def samples(count: int) -> Iterator[Sample]:
    some = pictures(64)
    # No text here refers to a box: spelling these for a model family is what no peer does, so it is not compared.
    turns = [{"role": role, "text": "Where are the ships? At the quay, two of them. " * 2} for role in ("user", "assistant")]
    instructions = [
        {"id": "a", "task": task, "turns": turns, "boxes": [[1.5, 2.5, 30.25, 40.0]] * 2, "answer": {"count": 2}}
        for task in ("vqa", "detection")
    ]
    for i in range(count):
        key = f"{i:020x}"
        record = {"key": key, "sensor": "optical", "gsd_m": 0.5, "split": "train", "height_px": SIDE_PX, "width_px": SIDE_PX}
        yield Sample(key, some[i % len(some)], "jpg", {**record, "instructions": instructions})


def write_all(folder: Path, count: int, shards: int) -> None:
    """The samples as rsflow shards (which webdataset and tarfile read too), and in the formats of the peers that are here."""
    everything = list(samples(count))
    entries = []
    for i in range(shards):
        path = f"rsflow/shards/train/{i:05d}.tar"
        part = everything[i * count // shards : (i + 1) * count // shards]
        info = write_shard(str(folder / path), str(folder / index_path(path)), part)
        entries.append(ShardEntry(path.removeprefix("rsflow/"), *(getattr(info, name) for name in INFO)))
    split = Split(tuple(entries), {task: {"optical": count} for task in ("vqa", "detection")})
    write_snapshot(str(folder / "rsflow"), Manifest("0" * 32, 0, {"train": split}))
    rows = [{"key": one.key, "jpg": one.picture, "json": json.dumps(one.record).encode()} for one in everything]
    if here("streaming"):
        from streaming import MDSWriter

        with MDSWriter(out=str(folder / "mds"), columns={"key": "str", "jpg": "bytes", "json": "bytes"}) as writer:
            for row in rows:
                writer.write(row)
    if here("litdata"):
        from litdata.streaming.writer import BinaryWriter

        (folder / "lit").mkdir()
        binary = BinaryWriter(str(folder / "lit"), chunk_bytes=64 << 20)
        for i, row in enumerate(rows):
            binary[i] = row
        binary.done()
        binary.merge(1)


INFO = ("samples", "instructions", "bytes", "sha256", "index_bytes", "index_sha256")


def here(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@dataclass(frozen=True)
class Shown:
    """What every peer does to a sample's members."""

    size_px: int | None

    def __call__(self, row: dict[str, Any]) -> tuple[Any, Any]:
        record = row["json"] if isinstance(row["json"], dict) else json.loads(row["json"])
        if self.size_px is None:
            return row["jpg"], record
        pixels = np.empty((self.size_px, self.size_px, 3), np.uint8)
        decode_into(row["jpg"], pixels)
        return as_tensor(pixels), record


def stacked(rows: list[tuple[Any, Any]]) -> tuple[Any, list[Any]]:
    """A batch: its pictures as one tensor where they are tensors, so that one thing crosses to the loop, not thirty-two."""
    images, records = zip(*rows, strict=True)
    return (torch.stack(images) if isinstance(images[0], torch.Tensor) else list(images)), list(records)


def batched(dataset: Any, case: Case) -> Iterator[int]:
    ahead: dict[str, Any] = {"multiprocessing_context": "fork"} if case.workers else {}
    for images, _ in DataLoader(dataset, batch_size=BATCH, num_workers=case.workers, collate_fn=stacked, **ahead):
        yield len(images)


def with_rsflow(folder: Path, case: Case) -> Iterator[int]:
    dataset = stream(folder / "rsflow", batch_size=BATCH, decode=False)
    loader = (
        Loader(dataset, num_workers=case.workers) if case.size_px is None else RingLoader(dataset, case.workers, case.size_px)
    )
    return (len(batch["key"]) for batch in loader)


def with_webdataset(folder: Path, case: Case) -> Iterator[int]:
    import webdataset

    urls = sorted(str(path) for path in (folder / "rsflow/shards/train").glob("*.tar"))
    return batched(webdataset.WebDataset(urls, shardshuffle=len(urls)).shuffle(500).map(Shown(case.size_px)), case)


def with_mosaic(folder: Path, case: Case) -> Iterator[int]:
    from streaming import StreamingDataset
    from streaming.base.util import clean_stale_shared_memory

    clean_stale_shared_memory()
    dataset = StreamingDataset(local=str(folder / "mds"), shuffle=True, batch_size=BATCH)
    shown = Shown(case.size_px)
    fork: dict[str, Any] = {"multiprocessing_context": "fork"} if case.workers else {}
    for images, _ in DataLoader(
        dataset,
        batch_size=BATCH,
        num_workers=case.workers,
        collate_fn=lambda rows: stacked([shown(row) for row in rows]),
        **fork,
    ):
        yield len(images)


def with_litdata(folder: Path, case: Case) -> Iterator[int]:
    from litdata import StreamingDataLoader, StreamingDataset

    shown = Shown(case.size_px)
    dataset = StreamingDataset(str(folder / "lit"), shuffle=True)
    loader = StreamingDataLoader(
        dataset, batch_size=BATCH, num_workers=case.workers, collate_fn=lambda rows: stacked([shown(row) for row in rows])
    )
    return (len(images) for images, _ in loader)


def with_ray(folder: Path, case: Case) -> Iterator[int]:
    import ray

    shown = Shown(case.size_px or SIDE_PX)

    def show(batch: dict[str, Any]) -> dict[str, Any]:
        rows = [shown({"jpg": jpg, "json": text}) for jpg, text in zip(batch["jpg"], batch["json"], strict=True)]
        return {"image": np.stack([image.numpy() for image, _ in rows])}

    if not ray.is_initialized():
        ray.init(address="local", num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False)  # never another's
    urls = sorted(str(path) for path in (folder / "rsflow/shards/train").glob("*.tar"))
    data = ray.data.read_webdataset(urls, decoder=None).map_batches(show, batch_size=BATCH)
    for batch in data.iter_torch_batches(batch_size=BATCH):
        yield len(batch["image"])


class BareTar(IterableDataset[tuple[Any, Any]]):
    """The shards one after the other, dealt to workers, with Python's own tarfile."""

    def __init__(self, folder: Path, case: Case) -> None:
        self.paths, self.shown = sorted((folder / "rsflow/shards/train").glob("*.tar")), Shown(case.size_px)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        worker = get_worker_info()
        start, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for path in self.paths[start::step]:
            with tarfile.open(path) as tar:
                row: dict[str, Any] = {}
                for member in tar:
                    stream = tar.extractfile(member)
                    row[member.name.rpartition(".")[2]] = stream.read() if stream else b""
                    if "json" in row and "jpg" in row:
                        yield self.shown(row)
                        row = {}


def with_bare_tar(folder: Path, case: Case) -> Iterator[int]:
    return batched(BareTar(folder, case), case)


def decode_share(folder: Path, case: Case, number: int, counted: Any) -> None:
    torch.set_num_threads(1)
    share = BareTar(folder, case)
    share.paths = share.paths[number :: max(1, case.workers)]
    counted[number] = sum(1 for _ in share)


def with_bare_decoders(folder: Path, case: Case) -> Iterator[int]:
    """As many processes as workers, each reads and decodes its share and gives nothing away."""
    fork = multiprocessing.get_context("fork")
    counted = fork.Array("q", max(1, case.workers))
    children = [fork.Process(target=decode_share, args=(folder, case, i, counted)) for i in range(max(1, case.workers))]
    for child in children:
        child.start()
    for child in children:
        child.join()
    yield sum(counted[:])


CASES = ["bytes:0", "bytes:1", "bytes:2", "512:0", "512:1", "512:2", "224:2"]
PEERS = ("webdataset", "MosaicML streaming", "LitData", "Ray Data")
LOADERS: dict[str, tuple[str, Callable[[Path, Case], Iterator[int]]]] = {
    "rsflow": ("rsflow", with_rsflow),
    "webdataset": ("webdataset", with_webdataset),
    "MosaicML streaming": ("streaming", with_mosaic),
    "LitData": ("litdata", with_litdata),
    "Ray Data": ("ray", with_ray),
    "bare tar read": ("tarfile", with_bare_tar),
    "bare decoders": ("tarfile", with_bare_decoders),
}


def timed(batches: Callable[[], Iterator[int]], expected: int | None) -> tuple[float, float, float]:
    """(samples/s, seconds to the first batch, milliseconds of processor time per sample), start included.

    The last is of all processes that ended, and hardly depends on what else the machine does.
    """
    start, spent, first, count = time.perf_counter(), sum(os.times()[:4]), 0.0, 0
    for size in batches():
        first = first or time.perf_counter() - start
        count += size
    if expected is not None and count != expected:
        raise SystemExit(f"{count} samples came, not {expected}")
    return count / (time.perf_counter() - start), first, (sum(os.times()[:4]) - spent) / max(1, count) * 1000


Results = dict[str, list[tuple[float, float, float]]]


def compared(folder: Path, case: Case, loaders: list[str], rounds: int, count: int) -> Results:
    """What `timed` told of each loader in each round."""
    found: Results = {}
    for number in range(rounds):
        for name in loaders:
            if name == "bare decoders" and case.size_px is None:
                continue
            if name == "Ray Data" and (number > 0 or case != Case(SIDE_PX, 2)):
                continue
            result = timed(partial(LOADERS[name][1], folder, case), None if name == "MosaicML streaming" else count)
            found.setdefault(name, []).append(result)
    print(f"\n{case}" + " " * (34 - len(str(case))) + "samples/s   rsflow is   first batch   processor time")
    for name, results in found.items():
        speed, first, spent = (statistics.median(one[i] for one in results) for i in range(3))
        print(f"  {name:28} {speed:12,.0f}   {ratio(found, name):6.2f} ×    {first:8.3f} s  {spent:10.3f} ms")
    return found


def ratio(found: Results, name: str) -> float:
    """How many times as fast rsflow is, in the median round."""
    return statistics.median(own / other for (own, *_), (other, *_) in zip(found["rsflow"], found[name], strict=False))


def goals(cases: dict[Case, Results], shards: int, resume_s: float) -> list[tuple[str, float, float, bool]]:
    """(what, the value that is asked for, the one found, whether it is met) of each goal that was measured."""
    rows: list[tuple[str, float, float, bool]] = []

    def least(what: str, wanted: float, found: float) -> None:
        rows.append((f"{what}, at least", wanted, found, found >= wanted))

    for case, found in cases.items():
        peers = [name for name in found if name in PEERS]
        if case.size_px is None and "webdataset" in found:
            least(f"{case}: × webdataset", 3.0, ratio(found, "webdataset"))
        if case.size_px is None and "bare tar read" in found:
            least(f"{case}: × bare tar read", 1.0, ratio(found, "bare tar read"))
        if case.size_px and case.workers and peers:
            least(f"{case}: × best peer", 1.8, min(ratio(found, name) for name in peers))
        if case.size_px and case.workers and "bare decoders" in found:
            least(f"{case}: × bare decoders", 0.85, ratio(found, "bare decoders"))
        if peers:
            own, best = (min(statistics.median(one[1] for one in found[name]) for name in some) for some in (["rsflow"], peers))
            rows.append((f"{case}: first batch, s, at most the best peer's", best, own, own <= best))
    rows.append((f"resume in the middle of {shards} shards, s, at most", 0.3, resume_s, resume_s <= 0.3))
    return rows


def resumed(folder: Path, rounds: int, count: int) -> float:
    """Seconds from a new loader with a state of the middle of an epoch to its first batch; returns rsflow's."""
    half, case = count // 2 // BATCH, Case(None, 2)
    ways: dict[str, Callable[[], Iterator[Any]]] = {}

    def rsflow_way() -> Iterator[Any]:
        loader = Loader(stream(folder / "rsflow", batch_size=BATCH, decode=False), num_workers=2)
        loader.load_state_dict(state)
        return iter(loader)

    first = Loader(stream(folder / "rsflow", batch_size=BATCH, decode=False))
    for _ in islice(first, half):
        pass
    state = first.state_dict()
    ways[f"rsflow ({len(json.dumps(state))} bytes of state)"] = rsflow_way
    if here("webdataset"):
        ways["webdataset (skips what was seen)"] = lambda: islice(with_webdataset(folder, case), half, None)
    if here("litdata"):
        from litdata import StreamingDataLoader, StreamingDataset

        def lit_loader() -> Any:
            dataset = StreamingDataset(str(folder / "lit"), shuffle=True)
            return StreamingDataLoader(dataset, batch_size=BATCH, num_workers=2, collate_fn=list)

        lit = lit_loader()
        for _ in islice(lit, half):
            pass
        lit_state = lit.state_dict()

        def lit_way() -> Iterator[Any]:
            loader = lit_loader()
            loader.load_state_dict(lit_state)
            return iter(loader)

        ways["LitData"] = lit_way
    if here("streaming"):
        from streaming import StreamingDataLoader as MosaicLoader
        from streaming import StreamingDataset as MosaicDataset
        from streaming.base.util import clean_stale_shared_memory

        def mosaic_loader() -> Any:
            clean_stale_shared_memory()
            dataset = MosaicDataset(local=str(folder / "mds"), shuffle=True, batch_size=BATCH)
            return MosaicLoader(dataset, batch_size=BATCH, num_workers=2, collate_fn=list, multiprocessing_context="fork")

        mosaic = mosaic_loader()
        for _ in islice(mosaic, half):
            pass
        mosaic_state = mosaic.state_dict()

        def mosaic_way() -> Iterator[Any]:
            loader = mosaic_loader()
            loader.load_state_dict(mosaic_state)
            return iter(loader)

        ways["MosaicML streaming"] = mosaic_way
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            batches = way()
            next(batches)
            seconds[name].append(time.perf_counter() - start)
            del batches
    print(f"\nresume in the middle of {count} samples, 2 workers, to the first batch")
    for name, times in seconds.items():
        print(f"  {name:36} {statistics.median(times):8.3f} s")
    return statistics.median(next(iter(seconds.values())))


def from_s3(folder: Path, rounds: int, count: int) -> None:
    """rsflow from an S3 server on this machine, beside the peers that read it and whole objects one after the other.

    The server is moto, written in Python and on the same cores: what is measured is mostly the server.
    """
    import s3fs

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **quiet)
    atexit.register(server.kill)
    address = f"http://127.0.0.1:{port}"
    os.environ |= {"AWS_ENDPOINT_URL": address, "S3_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "x"}
    os.environ |= {"AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    while server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.1)
    fs = s3fs.S3FileSystem()
    fs.mkdir("bench")
    for name in ("rsflow", "mds", "lit"):
        if (folder / name).is_dir():
            fs.put(str(folder / name), f"bench/{name}", recursive=True)

    def objects(_: str) -> Iterator[int]:
        for path in sorted(fs.glob("bench/rsflow/shards/train/*.tar")):
            with tarfile.open(fileobj=io.BytesIO(fs.cat_file(path))) as tar:
                yield len(tar.getmembers()) // 2

    def streamed(cache: str | None) -> Iterator[int]:
        dataset = stream("s3://bench/rsflow", batch_size=BATCH, decode=False, cache=cache)
        return (len(batch["key"]) for batch in Loader(dataset))

    def webdataset_way(_: str) -> Iterator[int]:
        import webdataset

        paths = sorted(fs.glob("bench/rsflow/shards/train/*.tar"))
        urls = [f"pipe:curl -sf --noproxy '*' '{fs.sign(path)}'" for path in paths]
        return batched(webdataset.WebDataset(urls, shardshuffle=len(urls)).shuffle(500).map(Shown(None)), Case(None, 0))

    def litdata_way(cache: str) -> Iterator[int]:
        from litdata import StreamingDataLoader, StreamingDataset, streaming
        from litdata.streaming.resolver import Dir

        shown = Shown(None)
        getattr(streaming.downloader, "_OBSTORE_CLIENT_OPTIONS", {})["allow_http"] = True  # it has no setting for that
        source = Dir(path=f"{cache}-lit", url="s3://bench/lit")
        dataset = StreamingDataset(source, shuffle=True, storage_options={"endpoint_url": address})
        loader = StreamingDataLoader(dataset, batch_size=BATCH, collate_fn=lambda rows: stacked([shown(row) for row in rows]))
        return (len(images) for images, _ in loader)

    def mosaic_way(cache: str) -> Iterator[int]:
        from streaming import StreamingDataset
        from streaming.base.util import clean_stale_shared_memory

        clean_stale_shared_memory()
        shown = Shown(None)
        dataset = StreamingDataset(remote="s3://bench/mds", local=f"{cache}-mds", shuffle=True, batch_size=BATCH)
        for images, _ in DataLoader(dataset, batch_size=BATCH, collate_fn=lambda rows: stacked([shown(row) for row in rows])):
            yield len(images)

    ways: dict[str, tuple[bool, Callable[[str], Iterator[int]]]] = {
        "whole objects, one by one": (True, objects),
        "rsflow, ranges": (True, lambda _: streamed(None)),
        "rsflow, cache, first epoch": (True, streamed),
        "rsflow, cache, later": (True, streamed),
        "webdataset, through curl": (here("webdataset") and shutil.which("curl") is not None, webdataset_way),
        "MosaicML streaming, first epoch": (here("streaming"), mosaic_way),
        "LitData, first epoch": (here("litdata"), litdata_way),
    }
    found: Results = {}
    for i in range(rounds):
        for name, (installed, way) in ways.items():
            if installed:
                result = timed(partial(way, str(folder / f"cache{i}")), None if "Mosaic" in name else count)
                found.setdefault(name, []).append(result)
    print("\nfrom S3 on this machine (moto), bytes, 0 workers          samples/s    first batch")
    for name, results in found.items():
        speed, first = (statistics.median(one[i] for one in results) for i in (0, 1))
        print(f"  {name:48} {speed:12,.0f}     {first:8.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=12_000)
    parser.add_argument("--decoded", type=int, default=3000)
    parser.add_argument("--shards", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="*", default=CASES, help="pixels to decode to, or bytes, and workers")
    parser.add_argument("--loaders", nargs="*", default=list(LOADERS))
    parser.add_argument("--folder", default="/dev/shm" if Path("/dev/shm").is_dir() else None)
    parser.add_argument("--no-s3", action="store_true", help="not from an S3 server on this machine")
    parser.add_argument("--no-ray", action="store_true", help="not Ray Data")
    asked = parser.parse_args()
    random.seed(0)
    torch.set_num_threads(1)
    loaders = [name for name in asked.loaders if here(LOADERS[name][0]) and not (asked.no_ray and name == "Ray Data")]
    print(
        f"{asked.rounds} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {asked.folder or 'a temporary folder'}"
    )
    found: dict[Case, Results] = {}
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        whole, decoded_ones = Path(place, "whole"), Path(place, "decoded")
        write_all(whole, asked.samples, asked.shards)
        write_all(decoded_ones, asked.decoded, asked.shards)
        size = sum(path.stat().st_size for path in (whole / "rsflow").rglob("*.tar")) / asked.samples / 1000
        print(f"{asked.samples} samples undecoded, {asked.decoded} decoded, of {size:.0f} kB, in {asked.shards} shards")
        for kind, workers in (name.split(":") for name in asked.cases):
            case = Case(None if kind == "bytes" else int(kind), int(workers))
            folder, count = (whole, asked.samples) if case.size_px is None else (decoded_ones, asked.decoded)
            found[case] = compared(folder, case, loaders, asked.rounds, count)
        resume_s = resumed(whole, asked.rounds, asked.samples)
        if not asked.no_s3:
            from_s3(decoded_ones, asked.rounds, asked.decoded)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}\n\ngoal{'':60}asked     found")
    for what, wanted, value, met in goals(found, asked.shards, resume_s):
        print(f"  {what:60} {wanted:6.2f}    {value:6.2f}   {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
