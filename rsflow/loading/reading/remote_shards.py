"""Samples of remote shards: by byte range, or from the node's cache.

One idea: threads prefetch. Samples are fetched in groups, the next one while the caller works on the last; with a cache,
whole shards are downloaded well before their first sample is requested and mapped once they are on disk. The first group of a
run does not wait for whole shards: what is not in the cache is then read by range.

A failure that outlasts all retries (rsflow.loading.reading.byte_ranges) is damage, a SnapshotError, if the object is missing
or its length is not the manifest's; any other is an outage and stops the run.
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
from rsflow.loading.reading.byte_ranges import Range, RetryPolicy, read_ranges, retry_call
from rsflow.loading.reading.fetch_stats import SharedCounts
from rsflow.loading.reading.shard_cache import ShardCache
from rsflow.shards.format import Sample
from rsflow.shards.manifest import ShardEntry
from rsflow.shards.reader import MISSING_MESSAGE, REPAIR_HINT, ShardReader

SampleRequest = tuple[ShardEntry, int]
FetchResult = tuple[ShardEntry, Sample | SnapshotError]
OpenResult = ShardReader | SnapshotError

_GROUP_SAMPLES = 32  # samples of a group
_PREFETCH_SAMPLES = 1024  # requests ahead of the reader whose shards are downloaded
OPEN_SHARDS = 40  # open per process: two windows of a stream, and some
_AT_ONCE = 8  # concurrent downloads of indices or shards, per process
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
        self._open_readers: dict[str, OpenResult] = {}
        self._new_in_cache: set[str] = set()  # shards that this process downloaded to the cache
        self._stop = threading.Event()

    def fetch_samples(self, requests: Iterator[SampleRequest]) -> Iterator[FetchResult]:
        """The samples in the order of the requests, each with its shard; a SnapshotError in place of a damaged one."""
        self._stop = threading.Event()
        downloads = ThreadPoolExecutor(_AT_ONCE)
        prefetched = self._prefetch_shards(requests, downloads) if self.cache else requests
        with ThreadPoolExecutor(1) as reader:
            try:
                group_ahead = reader.submit(self._fetch_group, prefetched, True)
                while group := self._wait_for(group_ahead):
                    group_ahead = reader.submit(self._fetch_group, prefetched, False)
                    yield from group
            finally:
                self._stop.set()  # downloads in progress end at their next chunk
                downloads.shutdown(cancel_futures=True)

    def _wait_for(self, group: Future[list[FetchResult]]) -> list[FetchResult]:
        start = time.perf_counter()
        fetched = group.result()
        self.counts.publish(wait_seconds=time.perf_counter() - start)
        return fetched

    def _prefetch_shards(self, requests: Iterator[SampleRequest], downloads: ThreadPoolExecutor) -> Iterator[SampleRequest]:
        queued: deque[SampleRequest] = deque()
        submitted: set[str] = set()
        for item in requests:
            if item[0].path not in submitted:
                submitted.add(item[0].path)
                downloads.submit(self._prefetch_shard, item[0])
            queued.append(item)
            if len(queued) > _PREFETCH_SAMPLES:
                yield queued.popleft()
        yield from queued

    def _prefetch_shard(self, shard: ShardEntry) -> None:
        with suppress(SnapshotError, StorageError):  # the request for the shard tries again and reports
            self._ensure_cached(shard)

    def _fetch_group(self, requests: Iterator[SampleRequest], by_range: bool) -> list[FetchResult]:
        items = list(islice(requests, _GROUP_SAMPLES))
        opened = self._open(list(dict.fromkeys(shard for shard, _ in items)), by_range)
        remote = [
            (shard, i, reader) for shard, i in items if isinstance(reader := opened[shard.path], ShardReader) and reader.remote
        ]
        ranges = [Range(reader.place, *reader.samples.span(i)) for _, i, reader in remote]
        answers = read_ranges(ranges, self.retry_policy, self._retried) if ranges else []
        fetched_bytes = {(shard.path, i): answer for (shard, i, _), answer in zip(remote, answers, strict=True)}
        return [(shard, self._sample(shard, i, opened[shard.path], fetched_bytes.get((shard.path, i)))) for shard, i in items]

    def _sample(
        self, shard: ShardEntry, i: int, reader: OpenResult, fetched_bytes: bytes | StorageError | None
    ) -> Sample | SnapshotError:
        """Sample `i` from the bytes that were fetched for it; None: the shard is mapped."""
        if isinstance(reader, SnapshotError):
            return reader
        try:
            if isinstance(fetched_bytes, StorageError):
                raise self._damage_error(shard, fetched_bytes)
            fetched = reader.read(i) if fetched_bytes is None else reader.parse(i, fetched_bytes)
        except SnapshotError as error:
            return error
        start, stop = reader.samples.span(i)
        hit = fetched_bytes is None and shard.path not in self._new_in_cache
        self.counts.publish(bytes=stop - start, fetched=len(fetched_bytes or b""), hits=hit, misses=not hit)
        return fetched

    def _open(self, shards: list[ShardEntry], by_range: bool) -> dict[str, OpenResult]:
        """The shards by path, opened concurrently where they are not open. `by_range`: none is downloaded to the cache."""
        new = [shard for shard in shards if shard.path not in self._open_readers]
        opened = {shard.path: self._open_readers[shard.path] for shard in shards if shard.path in self._open_readers}
        if new:
            with ThreadPoolExecutor(min(_AT_ONCE, len(new))) as pool:
                fetched = list(pool.map(lambda shard: self._opened(shard, by_range), new))
            opened |= {shard.path: reader for shard, reader in zip(new, fetched, strict=True)}
        for path, reader in opened.items():
            if isinstance(reader, SnapshotError) or reader.remote == (self.cache is None):
                self._open_readers[path] = reader
        for path in [path for path, reader in self._open_readers.items() if isinstance(reader, ShardReader)][
            : -self.open_shards
        ]:
            del self._open_readers[path]
        return opened

    def _opened(self, shard: ShardEntry, by_range: bool) -> OpenResult:
        try:
            if self.cache is None or (by_range and not self.cache.has(_name(shard, "tar"))):
                return retry_call(lambda: ShardReader(self.root, shard), self.retry_policy, self._retried)
            return self._open_cached(self.cache, shard)
        except SnapshotError as error:
            return error

    def _open_cached(self, cache: ShardCache, shard: ShardEntry) -> ShardReader:
        cached_entry = replace(shard, path=_name(shard, "tar"))
        for _ in range(_OPEN_ATTEMPTS):
            self._ensure_cached(shard)
            with suppress(SnapshotError):  # evicted since, or damaged on this disk: it is deleted and downloaded again
                return ShardReader(cache.folder, cached_entry)
            cache.drop(cached_entry.path)
            cache.drop(cached_entry.index_path)
        self._ensure_cached(shard)
        return ShardReader(cache.folder, cached_entry)

    def _ensure_cached(self, shard: ShardEntry) -> None:
        """Download the shard and its index to the cache where they are missing. SnapshotError where the shard is damaged."""
        if self.cache is None:
            return
        for path, extension, size, digest in (
            (shard.index_path, "idx", shard.index_bytes, shard.index_sha256),
            (shard.path, "tar", shard.bytes, shard.sha256),
        ):
            place = storage.join(self.root, path)
            if self.cache.ensure(_name(shard, extension), digest, partial(self._chunks, shard, place, size), place):
                self._new_in_cache.add(shard.path)
                self.counts.publish(fetched=size)

    def _chunks(self, shard: ShardEntry, place: str, size: int) -> Iterator[bytes]:
        for start in range(0, size, _CHUNK_BYTES):
            if self._stop.is_set():
                raise StorageError(f"{place}: no longer requested")
            part = Range(place, start, min(start + _CHUNK_BYTES, size))
            (fetched,) = read_ranges([part], self.retry_policy, self._retried)
            if isinstance(fetched, StorageError):
                raise self._damage_error(shard, fetched) if place.endswith(shard.path) else fetched
            yield fetched

    def _damage_error(self, shard: ShardEntry, failure: StorageError) -> SnapshotError:
        """The damage of the shard that a permanent failure shows. Raises the failure itself where it shows none."""
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
