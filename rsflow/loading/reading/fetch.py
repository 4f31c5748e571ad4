"""Samples by (shard, position), from local or remote shards.

One idea: one interface for a local root, whose shards are read in place, and a remote one
(rsflow.loading.reading.remote_shards), which is prefetched by ranges or through a cache on the node's disk. Damage (a shard
that is missing, truncated, or not what manifest and index say) is a SnapshotError that names the shard; with
`on_damage="skip"` it is logged once per shard, counted, and its samples are None. An outage is not damage: when all retries
have failed it always stops the run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar

from rsflow.errors import ConfigError, SnapshotError
from rsflow.files import storage
from rsflow.loading.number_values import check_at_least, parse_integer
from rsflow.loading.reading.byte_ranges import RetryPolicy
from rsflow.loading.reading.fetch_stats import FetchStats, SharedCounts
from rsflow.loading.reading.remote_shards import OPEN_SHARDS, RemoteShards
from rsflow.loading.reading.shard_cache import ShardCache
from rsflow.shards.format import Sample
from rsflow.shards.manifest import ShardEntry
from rsflow.shards.reader import Allocator, SampleView, ScratchBuffer, ShardReader

CACHE_BYTES = 32 << 30
_PUBLISH = 32  # samples between two looks at the counts from outside

Found = TypeVar("Found")

_LOG = logging.getLogger("rsflow.loading")


class Fetcher:
    """Reads samples of shards below `root`. It may be pickled or forked; the copy opens its files anew."""

    def __init__(
        self,
        root: str,
        cache: str | None = None,
        cache_bytes: int = CACHE_BYTES,
        retries: int = RetryPolicy().retries,
        on_damage: Literal["fail", "skip"] = "fail",
        whole: bool = True,
        retry_policy: RetryPolicy | None = None,
        open_shards: int = OPEN_SHARDS,
    ) -> None:
        """`cache`: a local folder for shards of a remote root, of at most about `cache_bytes`; a local root needs none and
        ignores it. `whole`: whether most samples of a shard will be requested; where not, ranges are read in spite of a cache.
        `retry_policy`: pauses and timeouts too, in place of `retries`. `open_shards`: how many stay open in each process; in an
        order that jumps among more, they are opened again and again. Each keeps its index, about 60 bytes a sample.

        ConfigError where a value is impossible or the cache is not a local folder.
        """
        if not isinstance(on_damage, str) or on_damage not in ("fail", "skip"):
            raise ConfigError(f"on_damage: found {on_damage!r}, expected 'fail' or 'skip'")
        retries = parse_integer("retries", retries)
        check_at_least(1, cache_bytes=cache_bytes, open_shards=open_shards)
        if cache is not None and storage.is_remote(cache):
            raise ConfigError(f"cache: found {cache!r}, expected a folder of this machine")
        self.root, self.on_damage = root, on_damage
        self.remote = storage.is_remote(root)
        self.cache = ShardCache(cache, cache_bytes) if cache is not None and self.remote and whole else None
        self.retry_policy = retry_policy or RetryPolicy(retries)
        self.open_shards = open_shards
        self.counts = SharedCounts()
        self._open: dict[str, ShardReader] = {}
        self._damaged: dict[str, SnapshotError] = {}
        self._logged: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}, "_damaged": {}, "_logged": set()}

    def sample(self, shard: ShardEntry, i: int) -> Sample | None:
        """Sample `i` of the shard's index; None where it is damaged and damage is to be skipped."""
        return next(self.samples([(shard, i)]))

    def samples(self, requests: Iterable[tuple[ShardEntry, int]]) -> Iterator[Sample | None]:
        """The samples in the order of the requests, None for each damaged one where damage is to be skipped.

        `requests` is consumed ahead of the result: by up to 64 samples of a remote root, with a cache by about a thousand more.
        SnapshotError for damage, StorageError for what cannot be reached after all retries.
        """
        return self._iter_remote(iter(requests)) if self.remote else self._iter_local(requests, _whole)

    def views(self, requests: Iterable[tuple[ShardEntry, int]], allocate: Allocator) -> Iterator[Sample | SampleView | None]:
        """As `samples`; pictures of a local root are written to memory from `allocate`, and everything else is valid until the
        next sample."""
        if self.remote:
            return self._iter_remote(iter(requests))
        rest = ScratchBuffer()
        return self._iter_local(requests, lambda reader, i: ((view := reader.view(i, allocate, rest)), view.span_bytes))

    def stats(self) -> FetchStats:
        return self.counts.total()

    def _iter_remote(self, requests: Iterator[tuple[ShardEntry, int]]) -> Iterator[Sample | None]:
        remote = RemoteShards(self.root, self.cache, self.retry_policy, self.counts, self.open_shards)
        for shard, found in remote.fetch_samples(requests):
            if isinstance(found, SnapshotError):
                self._skip(shard, found)
            yield None if isinstance(found, SnapshotError) else found

    def _iter_local(
        self, requests: Iterable[tuple[ShardEntry, int]], take: Callable[[ShardReader, int], tuple[Found, int]]
    ) -> Iterator[Found | None]:
        hits = size = 0
        try:
            for shard, i in requests:
                try:
                    reader = self._open[shard.path] if shard.path in self._open else self._opened(shard)
                    found, length = take(reader, i)
                except SnapshotError as error:
                    self._skip(shard, error)
                    yield None
                    continue
                hits, size = hits + 1, size + length
                if hits == _PUBLISH:
                    self.counts.publish(hits=hits, bytes=size)
                    hits = size = 0
                yield found
        finally:
            self.counts.publish(hits=hits, bytes=size)

    def _opened(self, shard: ShardEntry) -> ShardReader:
        """The open shard. One that was found missing or truncated is not opened again."""
        if shard.path in self._damaged:
            raise self._damaged[shard.path]
        try:
            self._open[shard.path] = ShardReader(self.root, shard)
        except SnapshotError as error:
            self._damaged[shard.path] = error
            raise
        if len(self._open) > self.open_shards:
            del self._open[next(iter(self._open))]
        return self._open[shard.path]

    def _skip(self, shard: ShardEntry, error: SnapshotError) -> None:
        if self.on_damage == "fail":
            raise error
        if shard.path not in self._logged:
            self._logged.add(shard.path)
            _LOG.warning("skipped, and counted: %s", error)
        self.counts.publish(skipped=1)


def _whole(reader: ShardReader, i: int) -> tuple[Sample, int]:
    start, stop = reader.samples.span(i)
    return reader.read(i), stop - start
