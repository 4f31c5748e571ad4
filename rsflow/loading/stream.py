"""The stream: a snapshot as a torch dataset, each sample once per epoch over all ranks and workers.

One idea: the order is a list of integer positions that follows from (snapshot content, split, seed, epoch) alone
(rsflow.loading.order); a consumer walks its share of that list with the shards of the current window open. Local shards are
memory-mapped; of remote ones a consumer fetches just the ranges it needs, the next ones while the current are decoded.

Refused before any sample is read: an unknown split, task, sensor or dialect, and a choice that no sample meets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch
import torch.distributed
from torch.utils.data import IterableDataset, get_worker_info

from rsflow import dialects, storage
from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.choice import Picks, choice, chosen_split, picks
from rsflow.loading.example import example
from rsflow.loading.order import Consumer, dealt, epoch_seed, share, windows
from rsflow.shards.format import Sample
from rsflow.shards.manifest import ShardEntry, read_snapshot, root_of
from rsflow.shards.reader import ShardReader, read_samples

_WINDOW_SHARDS = 16  # shuffled together and open at once, per consumer
_AHEAD = 32  # samples of a remote shard that are fetched together


@dataclass(frozen=True, slots=True)
class Content:
    """What a stream reads: shards below a root, of each all samples or those picked; `name` tells the content's order apart."""

    root: str
    name: str
    shards: tuple[ShardEntry, ...]
    picks: Picks | None

    def sizes(self) -> list[int]:
        """How many samples each shard gives."""
        return [shard.samples for shard in self.shards] if self.picks is None else [len(picked) for picked in self.picks]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a stream orders, deals and shows samples. `ranks`: (rank, world size), None to ask the process when needed."""

    seed: int
    shuffle: bool
    block: int
    ranks: tuple[int, int] | None
    dialect: str
    tasks: frozenset[str] | None
    decode: bool


def stream(
    source: str | os.PathLike[str],
    split: str = "train",
    *,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool = True,
    dialect: str = "pixels",
    tasks: Sequence[str] | None = None,
    sensors: Sequence[str] | None = None,
    decode: bool = True,
    rank: int | None = None,
    world_size: int | None = None,
    block: int = 8,
) -> Stream:
    """A split of a snapshot as a dataset of dicts (see rsflow.loading.example), each of its samples once per epoch:

        DataLoader(stream(root), batch_size=8, num_workers=2, collate_fn=collate_samples)

    `source`: a root (its latest snapshot) or a manifest `…/snapshots/<n>.json`, local or a URL. `tasks`, `sensors`: only
    samples that have one of them, with only the instructions of these tasks; this reads every shard's index first.
    `rank`, `world_size`: default from torch.distributed, else the environment, else one process. `block`: how many samples
    in a row a rank takes at a time; give it the DataLoader's batch size, and batches do not depend on the number of workers.

    ConfigError for an unknown split, task, sensor or dialect; SnapshotError or StorageError where the snapshot cannot be read.
    """
    dialects.get(dialect)
    if block < 1:
        raise ConfigError(f"block: found {block}, expected at least 1")
    place = os.fspath(source)
    manifest = read_snapshot(place)
    chosen = chosen_split(manifest, split)
    wanted = choice(chosen, tasks, sensors)
    root = root_of(place)
    content = Content(root, f"{manifest.digest}/{split}", chosen.shards, picks(root, chosen, wanted))
    return Stream(content, Settings(seed, shuffle, block, _given(rank, world_size), dialect, wanted.tasks, decode), epoch)


class Stream(IterableDataset[dict[str, Any]]):
    """What `stream` returns. It can be pickled, so forked and spawned DataLoader workers do."""

    def __init__(self, content: Content, settings: Settings, epoch: int) -> None:
        self.content = content
        self.settings = settings
        # In shared memory: persistent DataLoader workers hold a copy of this object and must still see `set_epoch`.
        self._epoch = torch.tensor(epoch, dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    def set_epoch(self, epoch: int) -> None:
        """From the next iteration on, give the order of this epoch. To be called alike on every rank."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        """Samples of an epoch for this rank, all its workers together."""
        return share(sum(self.content.sizes()), self._consumer(), self.settings.block)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        settings, root = self.settings, self.content.root
        wanted = self._wanted()
        samples = _fetched(wanted) if storage.is_remote(root) else (reader.read(i) for reader, i in wanted)
        for sample in samples:
            try:
                yield example(sample, settings.dialect, settings.tasks, settings.decode)
            except (KeyError, TypeError, IndexError) as error:
                raise SnapshotError(f"{root}: the record of sample {sample.key} lacks what it needs ({error!r})") from error

    def __getstate__(self) -> dict[str, Any]:
        # A spawned worker is no member of the process group, so what it would ask there is settled before it starts.
        return {**self.__dict__, "settings": replace(self.settings, ranks=self._ranks())}

    def _ranks(self) -> tuple[int, int]:
        return self.settings.ranks or _of_process()

    def _consumer(self) -> Consumer:
        worker = get_worker_info()
        return Consumer(*self._ranks(), *((worker.id, worker.num_workers) if worker else (0, 1)))

    def _wanted(self) -> Iterator[tuple[ShardReader, int]]:
        """This consumer's samples in order, as (open shard, position in its index)."""
        content, settings = self.content, self.settings
        seed = epoch_seed(content.name, settings.seed, int(self._epoch)) if settings.shuffle else None
        sizes = content.sizes()
        positions = (i for part in dealt(sum(sizes), self._consumer(), settings.block) for i in part)
        following = windows(sizes, seed, _WINDOW_SHARDS)
        start = stop = 0
        for position in positions:
            while position >= stop:
                window = next(following)
                start, stop, readers = window.start, window.stop, dict[int, ShardReader]()
            shard, i = int(window.shard[position - start]), int(window.sample[position - start])
            if shard not in readers:
                readers[shard] = ShardReader(content.root, content.shards[shard])
            yield readers[shard], i if content.picks is None else content.picks[shard][i]


def _fetched(wanted: Iterator[tuple[ShardReader, int]]) -> Iterator[Sample]:
    """The samples, read together a few at a time, the next few while the caller works on these."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(lambda: read_samples(list(islice(wanted, _AHEAD))))
        while samples := following.result():
            following = pool.submit(lambda: read_samples(list(islice(wanted, _AHEAD))))
            yield from samples


def _given(rank: int | None, world_size: int | None) -> tuple[int, int] | None:
    if rank is None and world_size is None:
        return None
    if rank is None or world_size is None or not 0 <= rank < world_size:
        raise ConfigError(f"rank {rank}, world_size {world_size}: expected both or neither, and 0 <= rank < world_size")
    return rank, world_size


def _of_process() -> tuple[int, int]:
    """(rank, world size) of the process group, else of the environment (as torchrun sets it), else one process."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    rank, world_size = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or world_size is None:
        return 0, 1
    if not (rank.isdigit() and world_size.isdigit() and int(rank) < int(world_size)):
        raise ConfigError(f"environment RANK={rank!r}, WORLD_SIZE={world_size!r}: expected 0 <= RANK < WORLD_SIZE")
    return int(rank), int(world_size)
