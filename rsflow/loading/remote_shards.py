"""Samples of shards that lie afar: by range, or from the node's cache.

One idea: work runs ahead in threads. Samples are fetched in groups, the next while the caller works on the last; with a cache,
whole shards are sent for well before their first sample is wanted and mapped once they are on disk. The first group of a run
does not wait for whole shards: what the cache lacks then comes by range.

A failure that stays (rsflow.loading.byte_ranges) is damage, a SnapshotError, if the object is missing or not as long as the
manifest says; any other is an outage and stops the run.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice

from rsflow.errors import SnapshotError, StorageError
from rsflow.files import storage
from rsflow.loading.byte_ranges import Range, RetryPolicy, read_ranges, retry_call
from rsflow.loading.fetch_stats import SharedCounts
from rsflow.loading.shard_cache import ShardCache
from rsflow.shards.format import Sample
from rsflow.shards.manifest import ShardEntry
from rsflow.shards.reader import MISSING_MESSAGE, REPAIR_HINT, ShardReader

SampleRequest = tuple[ShardEntry, int]
FetchResult = tuple[ShardEntry, Sample | SnapshotError]
OpenResult = ShardReader | SnapshotError

_GROUP_SAMPLES = 32  # samples of a group
_PREFETCH_SAMPLES = 1024  # samples whose shards are sent for beforehand
OPEN_SHARDS = 40  # kept open, per process: two windows of a stream, and some
_AT_ONCE = 8  # indices or shards that come at the same time, per process
_CHUNK_BYTES = 8 << 20  # of a shard on its way to the cache
_OPEN_ATTEMPTS = 3


class RemoteShards:
    """The shards below a remote root. One iteration at a time."""

    def __init__(
        self,
        root: str,
        cache: ShardCache | None,
        retry_policy: RetryPolicy,
        counts: SharedCounts,
        open_shards: int = OPEN_SHARDS,
    ) -> None:
        self.root, self.cache, self.retry_policy, self.counts = root, cache, retry_policy, counts
        self.open_shards = open_shards
        self._kept: dict[str, OpenResult] = {}
        self._fresh: set[str] = set()  # shards that this process brought to the cache
        self._stop = threading.Event()

    def found(self, wanted: Iterator[SampleRequest]) -> Iterator[FetchResult]:
        """The samples in the order asked for, each with its shard; a SnapshotError in place of one that is damaged."""
        self._stop = threading.Event()
        downloads = ThreadPoolExecutor(_AT_ONCE)
        announced = self._prefetch_shards(wanted, downloads) if self.cache else wanted
        with ThreadPoolExecutor(1) as one:
            try:
                group_ahead = one.submit(self._fetch_group, announced, True)
                while group := self._wait_for(group_ahead):
                    group_ahead = one.submit(self._fetch_group, announced, False)
                    yield from group
            finally:
                self._stop.set()  # a download that nobody waits for any more ends at its next chunk
                downloads.shutdown(cancel_futures=True)

    def _wait_for(self, group: Future[list[FetchResult]]) -> list[FetchResult]:
        start = time.perf_counter()
        found = group.result()
        self.counts.publish(wait_seconds=time.perf_counter() - start)
        return found

    def _prefetch_shards(self, wanted: Iterator[SampleRequest], downloads: ThreadPoolExecutor) -> Iterator[SampleRequest]:
        held: deque[SampleRequest] = deque()
        sent: set[str] = set()
        for item in wanted:
            if item[0].path not in sent:
                sent.add(item[0].path)
                downloads.submit(self._prefetch_shard, item[0])
            held.append(item)
            if len(held) > _PREFETCH_SAMPLES:
                yield held.popleft()
        yield from held

    def _prefetch_shard(self, shard: ShardEntry) -> None:
        with suppress(SnapshotError, StorageError):  # whoever wants the shard asks again, and tells
            self._ensure_cached(shard)

    def _fetch_group(self, wanted: Iterator[SampleRequest], by_range: bool) -> list[FetchResult]:
        items = list(islice(wanted, _GROUP_SAMPLES))
        opened = self._open(list(dict.fromkeys(shard for shard, _ in items)), by_range)
        remote = [(shard, i, one) for shard, i in items if isinstance(one := opened[shard.path], ShardReader) and one.remote]
        ranges = [Range(one.place, *one.samples.span(i)) for _, i, one in remote]
        answers = read_ranges(ranges, self.retry_policy, self._retried) if ranges else []
        arrived = {(shard.path, i): answer for (shard, i, _), answer in zip(remote, answers, strict=True)}
        return [(shard, self._sample(shard, i, opened[shard.path], arrived.get((shard.path, i)))) for shard, i in items]

    def _sample(
        self, shard: ShardEntry, i: int, reader: OpenResult, arrived: bytes | StorageError | None
    ) -> Sample | SnapshotError:
        """Sample `i` from what arrived for it; None: the shard is mapped."""
        if isinstance(reader, SnapshotError):
            return reader
        try:
            if isinstance(arrived, StorageError):
                raise self._damage_error(shard, arrived)
            found = reader.read(i) if arrived is None else reader.parse(i, arrived)
        except SnapshotError as error:
            return error
        start, stop = reader.samples.span(i)
        hit = arrived is None and shard.path not in self._fresh
        self.counts.publish(bytes=stop - start, fetched=len(arrived or b""), hits=hit, misses=not hit)
        return found

    def _open(self, shards: list[ShardEntry], by_range: bool) -> dict[str, OpenResult]:
        """The shards by path, opened at the same time where they are not yet. `by_range`: none is brought to the cache."""
        new = [shard for shard in shards if shard.path not in self._kept]
        opened = {shard.path: self._kept[shard.path] for shard in shards if shard.path in self._kept}
        if new:
            with ThreadPoolExecutor(min(_AT_ONCE, len(new))) as pool:
                found = list(pool.map(lambda shard: self._opened(shard, by_range), new))
            opened |= {shard.path: one for shard, one in zip(new, found, strict=True)}
        for path, one in opened.items():
            if isinstance(one, SnapshotError) or one.remote == (self.cache is None):
                self._kept[path] = one
        for path in [path for path, one in self._kept.items() if isinstance(one, ShardReader)][: -self.open_shards]:
            del self._kept[path]
        return opened

    def _opened(self, shard: ShardEntry, by_range: bool) -> OpenResult:
        try:
            if self.cache is None or (by_range and not self.cache.has(_name(shard, "tar"))):
                return retry_call(lambda: ShardReader(self.root, shard), self.retry_policy, self._retried)
            return self._open_cached(self.cache, shard)
        except SnapshotError as error:
            return error

    def _open_cached(self, cache: ShardCache, shard: ShardEntry) -> ShardReader:
        beside = replace(shard, path=_name(shard, "tar"))
        for _ in range(_OPEN_ATTEMPTS):
            self._ensure_cached(shard)
            with suppress(SnapshotError):  # evicted since, or damaged on this disk: the name goes, and it is brought again
                return ShardReader(cache.folder, beside)
            cache.drop(beside.path)
            cache.drop(beside.index_path)
        self._ensure_cached(shard)
        return ShardReader(cache.folder, beside)

    def _ensure_cached(self, shard: ShardEntry) -> None:
        """Have the shard and its index in the cache. SnapshotError where it is damaged."""
        if self.cache is None:
            return
        for path, extension, size, digest in (
            (shard.index_path, "idx", shard.index_bytes, shard.index_sha256),
            (shard.path, "tar", shard.bytes, shard.sha256),
        ):
            place = storage.join(self.root, path)
            if self.cache.ensure(_name(shard, extension), digest, partial(self._chunks, shard, place, size), place):
                self._fresh.add(shard.path)
                self.counts.publish(fetched=size)

    def _chunks(self, shard: ShardEntry, place: str, size: int) -> Iterator[bytes]:
        for start in range(0, size, _CHUNK_BYTES):
            if self._stop.is_set():
                raise StorageError(f"{place}: no longer wanted")
            part = Range(place, start, min(start + _CHUNK_BYTES, size))
            (found,) = read_ranges([part], self.retry_policy, self._retried)
            if isinstance(found, StorageError):
                raise self._damage_error(shard, found) if place.endswith(shard.path) else found
            yield found

    def _damage_error(self, shard: ShardEntry, failure: StorageError) -> SnapshotError:
        """What a failure that stays says of the shard. Raises the failure itself where it says nothing."""
        place = storage.join(self.root, shard.path)
        if isinstance(failure.__cause__, FileNotFoundError):
            return SnapshotError(f"{place}: {MISSING_MESSAGE}")
        with storage.translate_errors(place, "look at"):
            fs, path = storage.filesystem(place)
            size = fs.info(path).get("size")
        if size is None or size == shard.bytes:
            raise failure
        return SnapshotError(f"{place}: has {size} bytes, the manifest says {shard.bytes}; {REPAIR_HINT}")

    def _retried(self, requests: int) -> None:
        self.counts.publish(retried=requests)


def _name(shard: ShardEntry, extension: str) -> str:
    """The file of the cache: the same for equal content, wherever it came from."""
    return f"{shard.sha256[:40]}-{shard.index_sha256[:16]}.{extension}"
