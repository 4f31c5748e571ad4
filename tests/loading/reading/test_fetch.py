"""The same samples from a disk, a web server and an object store; trouble is retried, damage is named, skipped ones counted."""

from __future__ import annotations

import logging
import pickle
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import s3fs
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from rsflow.errors import ConfigError, SnapshotError, StorageError
from rsflow.loading.reading.byte_ranges import Range, RetryPolicy, read_ranges
from rsflow.loading.reading.fetch import Fetcher
from rsflow.shards.manifest import ShardEntry, read_snapshot
from rsflow.shards.reader import ShardReader

QUICK = RetryPolicy(retries=6, pause_seconds=0.01, stall_seconds=0.5)


@dataclass
class Web:
    """A web server on this machine that serves a folder with byte ranges, and can be told to misbehave."""

    folder: Path
    url: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)  # (path, Range header)
    trouble: Callable[[str, int], str] = lambda path, n: (
        ""
    )  # of (path, how often it was asked for): "500", "cut", "stall" or ""
    seen: Counter[str] = field(default_factory=Counter)


def handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(send=False)

        def do_GET(self) -> None:
            self._answer(send=True)

        def _answer(self, send: bool) -> None:
            path = web.folder / self.path.lstrip("/")
            asked = self.headers.get("Range", "")
            what = self.path + asked
            web.requests.append((self.path, asked))
            web.seen[what] += 1
            trouble = web.trouble(self.path, web.seen[what]) if send else ""
            if trouble == "stall":
                time.sleep(1.0)
            if trouble == "500" or not path.is_file():
                self.send_response(500 if trouble else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = path.read_bytes()
            total = len(data)
            if asked:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                data = data[int(first) : int(last) + 1]
            self.send_response(206 if asked else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data) if send else total))
            self.end_headers()
            if send:
                self.wfile.write(data[: len(data) // 2] if trouble == "cut" else data)
            self.close_connection = trouble == "cut"

    return Handler


@pytest.fixture
def web(lake: Any, tmp_path: Path) -> Iterator[Web]:
    """The lake at an http address, copied so that a test may damage it."""
    import shutil

    site = Web(shutil.copytree(lake.root, tmp_path / "site"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield site
    server.shutdown()
    thread.join(10)
    server.server_close()


def shards(lake: Any) -> tuple[ShardEntry, ...]:
    return read_snapshot(str(lake.root)).splits["train"].shards


def mixed(lake: Any) -> list[tuple[ShardEntry, int]]:
    """Every sample of train in some order, as a shuffled stream asks for them."""
    wanted = [(shard, i) for shard in shards(lake) for i in range(shard.samples)]
    random.Random(3).shuffle(wanted)
    return wanted


def expected(lake: Any, wanted: list[tuple[ShardEntry, int]]) -> list[Any]:
    readers = {shard: ShardReader(str(lake.root), shard) for shard, _ in wanted}
    return [readers[shard].read(i) for shard, i in wanted]


def test_local_samples_in_the_order_asked_for(lake: Any) -> None:
    wanted, fetcher = mixed(lake), Fetcher(str(lake.root))
    assert list(fetcher.samples(wanted)) == expected(lake, wanted)
    stats = fetcher.stats()
    spans = [reader.samples[i].span for shard, i in wanted for reader in [ShardReader(str(lake.root), shard)]]
    assert (stats.hits, stats.misses, stats.bytes, stats.fetched) == (73, 0, sum(b - a for a, b in spans), 0)
    assert fetcher.sample(*wanted[5]) == expected(lake, wanted)[5]


@pytest.mark.parametrize("cached", [False, True])
def test_a_web_server_gives_the_same(lake: Any, web: Web, tmp_path: Path, cached: bool) -> None:
    wanted = mixed(lake)
    fetcher = Fetcher(web.url, str(tmp_path / "cache") if cached else None, retry_policy=QUICK)
    assert list(fetcher.samples(wanted)) == expected(lake, wanted)
    assert fetcher.sample(*wanted[7]) == expected(lake, wanted)[7]
    assert fetcher.stats().bytes >= 73


def test_an_object_store_gives_the_same(lake: Any, bucket: str, tmp_path: Path) -> None:
    s3fs.S3FileSystem.clear_instance_cache()
    fs, root = s3fs.S3FileSystem(), f"s3://{bucket}/root"
    fs.put(str(lake.root), f"{bucket}/root", recursive=True)
    wanted = mixed(lake)
    assert list(Fetcher(root).samples(wanted)) == expected(lake, wanted)
    cached = Fetcher(root, str(tmp_path / "cache"))
    assert list(cached.samples(wanted)) == expected(lake, wanted)
    fs.rm(f"{bucket}/root/shards/train/3.tar")
    lost = [(shard, i) for shard, i in wanted if shard.path.endswith("/3.tar")]
    with pytest.raises(SnapshotError, match=rf"{root}/shards/train/3\.tar: the manifest names it, but it is missing"):
        list(Fetcher(root, retry_policy=QUICK).samples(lost))


def test_neighbours_come_in_one_request_and_subsets_by_range(lake: Any, web: Web) -> None:
    shard = shards(lake)[3]
    list(Fetcher(web.url, retry_policy=QUICK).samples([(shard, i) for i in range(shard.samples)]))
    assert sum(path.endswith(".tar") for path, _ in web.requests) == 1
    web.requests.clear()
    fetcher = Fetcher(web.url, retry_policy=QUICK, cache=str(web.folder / "none"), whole=False)
    list(fetcher.samples([(shard, 2)]))
    start, stop = ShardReader(str(lake.root), shard).samples[2].span
    assert [asked for path, asked in web.requests if path.endswith(".tar")] == [f"bytes={start}-{stop - 1}"]
    assert fetcher.stats().fetched == stop - start < shard.bytes


@pytest.mark.parametrize("trouble", ["500", "cut", "stall"])
@pytest.mark.parametrize("cached", [False, True])
def test_what_fails_for_the_moment_is_tried_again(lake: Any, web: Web, tmp_path: Path, trouble: str, cached: bool) -> None:
    wanted = mixed(lake)[:40]
    web.trouble = lambda path, n: trouble if path.endswith(".tar") and n == 1 else ""
    fetcher = Fetcher(web.url, str(tmp_path / "cache") if cached else None, retry_policy=QUICK)
    assert list(fetcher.samples(wanted)) == expected(lake, wanted)
    assert fetcher.stats().retried > 0


def test_only_what_failed_is_asked_for_again(lake: Any, web: Web) -> None:
    path = f"{web.url}/shards/train/3.tar"
    ranges = [Range(path, 0, 100), Range(path, 90_000, 90_010)] if shards(lake)[3].bytes > 90_010 else [Range(path, 0, 100)]
    web.trouble = lambda path, n: "500" if n == 1 else ""
    retried: list[int] = []
    found = read_ranges([*ranges, Range(path, 50, 60), ranges[0]], QUICK, retried.append)
    data = (web.folder / "shards/train/3.tar").read_bytes()
    assert found == [*(data[one.start : one.stop] for one in ranges), data[50:60], data[:100]]
    assert retried == [len(ranges)]


def test_an_outage_stops_even_where_damage_is_skipped(lake: Any, web: Web) -> None:
    web.trouble = lambda path, n: "500" if path.endswith(".tar") else ""
    with pytest.raises(StorageError, match=r"shards/train/\d\.tar: cannot read it: 500"):
        list(Fetcher(web.url, on_damage="skip", retry_policy=replace(QUICK, retries=1)).samples(mixed(lake)))


@pytest.mark.parametrize("place", ["local", "web", "cached"])
@pytest.mark.parametrize("damage", ["cut", "missing", "changed", "index"])
def test_damage_is_named_or_skipped_and_counted(
    lake: Any, web: Web, tmp_path: Path, place: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    wanted, bad = mixed(lake), shards(lake)[3]
    file = web.folder / (bad.index_path if damage == "index" else bad.path)
    data = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        # Every second header goes wrong: what a shard of another build at the same place would look like.
        file.write_bytes(data[: len(data) // 2] if damage == "cut" else data.replace(b".json\0", b".jsox\0"))
        if damage == "index":
            file.write_bytes(data[:-3] + b"   ")
    root = str(web.folder) if place == "local" else web.url
    options: dict[str, Any] = {
        "retry_policy": replace(QUICK, retries=1),
        "cache": str(tmp_path / "cache") if place == "cached" else None,
    }
    name = r"shards/train/3\.(tar|idx): "
    with pytest.raises(SnapshotError, match=name):
        list(Fetcher(root, **options).samples(wanted))
    fetcher = Fetcher(root, on_damage="skip", **options)
    with caplog.at_level(logging.WARNING, "rsflow.loading"):
        found = list(fetcher.samples(wanted))
    assert len(found) == len(wanted)
    whole = expected(lake, wanted)
    assert all(one in (None, same) for one, same in zip(found, whole, strict=True))
    lost = [shard for one, (shard, _) in zip(found, wanted, strict=True) if one is None]
    assert set(lost) == {bad}
    assert fetcher.stats().skipped == len(lost) >= (1 if place != "cached" and damage == "cut" else bad.samples)
    assert [record.message.count("3.") for record in caplog.records] == [1]


def test_samples_before_the_damaged_one_are_given(lake: Any, web: Web) -> None:
    good, bad = shards(lake)[2], shards(lake)[3]
    (web.folder / bad.path).unlink()
    for root in (str(web.folder), web.url):
        samples = Fetcher(root, retry_policy=replace(QUICK, retries=0)).samples([(good, 0), (good, 1), (bad, 0)])
        assert [next(samples).key, next(samples).key] == [one.key for one in expected(lake, [(good, 0), (good, 1)])]  # type: ignore[union-attr]
        with pytest.raises(SnapshotError, match="is missing"):
            next(samples)


class Dealt(IterableDataset[str]):
    """Each worker takes every n-th sample."""

    def __init__(self, fetcher: Fetcher, wanted: list[tuple[ShardEntry, int]]) -> None:
        self.fetcher, self.wanted = fetcher, wanted

    def __iter__(self) -> Iterator[str]:
        worker = get_worker_info()
        assert worker is not None
        for sample in self.fetcher.samples(self.wanted[worker.id :: worker.num_workers]):
            assert sample is not None
            yield sample.key


def test_counts_of_workers_are_seen_outside(lake: Any, web: Web, tmp_path: Path) -> None:
    wanted = mixed(lake)
    for root in (str(lake.root), web.url):
        dataset = Dealt(Fetcher(root, str(tmp_path / "cache"), retry_policy=QUICK), wanted)
        keys = list(DataLoader(dataset, batch_size=None, num_workers=2))
        assert sorted(keys) == sorted(lake.keys())
        stats = dataset.fetcher.stats()
        assert stats.hits + stats.misses == len(wanted)


@pytest.mark.parametrize("place", ["local", "web"])
def test_few_open_shards_give_the_same(lake: Any, web: Web, place: str) -> None:
    wanted = mixed(lake)
    root = str(lake.root) if place == "local" else web.url
    assert list(Fetcher(root, retry_policy=QUICK, open_shards=1).samples(wanted)) == expected(lake, wanted)


def test_a_pickled_fetcher_reads_the_same(lake: Any) -> None:
    wanted, fetcher = mixed(lake), Fetcher(str(lake.root), on_damage="skip")
    list(fetcher.samples(wanted))
    assert list(pickle.loads(pickle.dumps(fetcher)).samples(wanted)) == expected(lake, wanted)


def test_leaving_early_ends_the_threads(lake: Any, web: Web, tmp_path: Path) -> None:
    def pools() -> int:
        return sum(thread.name.startswith("ThreadPoolExecutor") for thread in threading.enumerate())

    before = pools()
    samples = Fetcher(web.url, str(tmp_path / "cache"), retry_policy=QUICK).samples(mixed(lake))
    next(samples)
    assert pools() > before
    del samples
    assert pools() == before


@pytest.mark.parametrize(
    "options",
    [{"open_shards": 0}, {"on_damage": "ignore"}, {"retries": -1}, {"cache_bytes": 0}, {"cache": "s3://bucket/cache"}],
)
def test_impossible_settings_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Fetcher("/somewhere", **options)
