"""The stream: snapshots as a torch dataset, in an order that any number of ranks and workers shares and resumes.

One idea: the order is a list of positions that follows from (snapshot content, settings, epoch) alone
(rsflow.loading.epoch_order, rsflow.loading.sampler). A consumer walks its share of that list from a cursor on, so a state is
the cursor, and to resume is to start elsewhere. What all processes must agree on while they run (the cursor, the snapshots'
numbers) is in shared memory, for persistent DataLoader workers hold a copy of the stream that was made before the first epoch.

Refused before any sample is read: an unknown split, task, sensor, name in the mix or dialect, a choice that no sample meets,
and a state of another snapshot or order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from rsflow import dialects
from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.distributed import broadcast_manifests, check_ranks, get_rank_and_world_size
from rsflow.loading.epoch_order import (
    UNEVEN,
    Consumer,
    Uneven,
    batches_until_end,
    consumer_positions,
    count_batches,
    samples_per_rank,
)
from rsflow.loading.example import make_example
from rsflow.loading.mixture import Mix
from rsflow.loading.number_values import check_at_least, parse_integer
from rsflow.loading.sample_reader import ReadOptions, SampleCounts, SampleReader
from rsflow.loading.sampler import ENDLESS_SAMPLES, Sampler, SampleReference, max_open_shards
from rsflow.loading.settings import PictureSink, Progress, StreamSettings
from rsflow.loading.state import (
    MAX_EPOCHS,
    Cursor,
    check_state_matches,
    encode_state,
    fingerprint_settings,
    parse_state,
    resolve_cursor,
)
from rsflow.loading.stream_content import StreamRequest, latest_manifest, load_content, manifest_path
from rsflow.shards.format import Sample
from rsflow.shards.reader import SampleView, ScratchBuffer

WINDOW_SHARDS = 16  # shuffled together and open at once, per consumer
MOST_SHARDS = 32  # a process may have few files open, and a shuffle over more is hardly better (docs/streaming.md)
_READ_OPTIONS = ReadOptions()


def stream(
    url: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    split: str = "train",
    batch_size: int | None = None,
    *,
    seed: int = 0,
    epoch: int = 0,
    mix: Mix | None = None,
    shuffle: bool | int = True,
    dialect: str = "pixels",
    tasks: Sequence[str] | None = None,
    sensors: Sequence[str] | None = None,
    decode: bool = True,
    repeat: int | None = 1,
    max_samples: int | None = None,
    oversample: bool = False,
    uneven: Uneven = "pad",
    follow: bool = False,
    rank: int | None = None,
    world_size: int | None = None,
    cache: str | None = None,
    read_options: ReadOptions = _READ_OPTIONS,
) -> Stream:
    """A split of one or more snapshots as a dataset of dicts (rsflow.loading.example), each sample once per epoch:

        loader = Loader(stream(root, batch_size=8), num_workers=2)

    `url`: a root (its latest snapshot) or a manifest `…/snapshots/<n>.json`, local or an address; or several of them.
    `batch_size`: that of the DataLoader which reads it. Ranks take so many consecutive positions in turn; without it they take
    one, and with DataLoader workers batches then depend on the number of workers.
    `mix`: draw from tasks, sensors, sources or urls by weight. `tasks`, `sensors`: only samples that have one of them, with
    only the instructions of these tasks. `oversample`: each sample as often per epoch as the selection wants it
    (`select.balance.repeat`), not once. All four read every shard's index first.
    `shuffle`: how many shards are shuffled together, up to 32; True: 16, False or 0: everything as it stands.
    `repeat`: epochs of one iteration, None: without end. `max_samples`: the most samples of an epoch, over all ranks; with
    `mix` exactly so many, by default as many as the parts have.
    `uneven`: how ranks get equal counts at the end of an iteration: "pad" gives fewer than `world_size` samples twice, "drop"
    leaves as few out; "keep" gives each once, ranks then differ by up to one.
    `follow`: when the epoch is set to another one, move on to the newest snapshot; otherwise the stream stays with its own.
    `rank`, `world_size`: default from torch.distributed, else the environment, else one process.
    `cache`: a local folder for shards of a remote root, shared by the processes of a node.

    ConfigError for an unknown split, task, sensor or dialect; SnapshotError or StorageError where the snapshot cannot be read.
    """
    dialects.get_dialect(dialect)
    urls = tuple(os.fspath(one) for one in ([url] if isinstance(url, (str, os.PathLike)) else url))
    check_at_least(1, batch_size=batch_size, repeat=repeat, max_samples=max_samples, urls=len(set(urls)))
    epoch, seed = parse_integer("epoch", epoch, MAX_EPOCHS), parse_integer("seed", seed, None, None)
    if uneven not in UNEVEN:
        raise ConfigError(f"uneven: found {uneven!r}, expected one of {', '.join(UNEVEN)}")
    if follow and (repeat != 1 or any(one.endswith(".json") for one in urls)):
        raise ConfigError("follow: moves to a root's newest snapshot between epochs: give roots, not manifests, and repeat 1")
    width = WINDOW_SHARDS if shuffle is True else 0 if shuffle is False else parse_integer("shuffle", shuffle, MOST_SHARDS)
    ranks = check_ranks(rank, world_size)
    settings = StreamSettings(seed, width, batch_size, ranks, uneven, repeat, follow, dialect, decode, cache, read_options)
    return Stream(
        StreamRequest(tuple(dict.fromkeys(urls)), split, tasks, sensors, mix, max_samples, oversample), settings, epoch
    )


class Stream(IterableDataset[dict[str, Any]]):
    """What `stream` returns. Every iteration begins at the cursor, which `set_epoch` and `load_state_dict` move.

    It can be pickled, so forked and spawned DataLoader workers do.
    """

    def __init__(self, request: StreamRequest, settings: StreamSettings, epoch: int) -> None:
        self.request, self.settings = request, settings
        # The cursor; whether workers iterate; the numbers of the snapshots where they may change.
        self._shared = torch.zeros(7 + len(request.urls), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]
        self._own: Cursor | None = None  # of a worker that was given a state of its own
        self._sink: PictureSink | None = None
        self._latest: list[Progress] = []  # of the latest iteration, which may be that of a stream shown otherwise
        self._read([latest_manifest(url) for url in request.urls])
        self._roots = SampleReader(
            self.content, settings.cache, settings.read_options, max_open_shards(self.content, settings.width)
        )
        self._counts = SampleCounts()
        self.move(Cursor(epoch))

    @property
    def cursor(self) -> Cursor:
        """Where the next iteration begins."""
        epoch, position, taken, *topology = self._shared[:6].tolist()
        return self._own or Cursor(epoch, position, taken, (topology[0], topology[1], topology[2]))

    @property
    def total(self) -> int:
        """Positions of a whole iteration, over all ranks."""
        return ENDLESS_SAMPLES if self.settings.repeat is None else self.settings.repeat * self.content.samples

    def set_epoch(self, epoch: int) -> None:
        """Begin with this epoch from the next iteration on; to be called alike on every rank. Nothing happens where it is the
        one that the stream stands in: a position that was loaded stays."""
        if parse_integer("epoch", epoch, MAX_EPOCHS) != self.cursor.epoch:
            self.begin(epoch)

    def begin(self, epoch: int) -> None:
        """Begin with the first sample of this epoch from the next iteration on, wherever the stream stands."""
        if self.settings.follow:
            manifests = broadcast_manifests([latest_manifest(url) for url in self.request.urls])
            if manifests != [one.manifest for one in self.content.pinned]:
                self._read(manifests)
        self.move(Cursor(epoch))

    def state_dict(self) -> dict[str, Any]:
        """How far the latest iteration of this process went, see rsflow.loading.state. ConfigError in a process whose
        DataLoader workers iterate: it cannot know."""
        if get_worker_info() is None and not self._latest and bool(self._shared[6]):
            raise ConfigError(
                "DataLoader workers read this stream ahead, so it cannot tell what the training loop got: "
                "take the state of a rsflow.loading.loader.Loader or of torchdata's StatefulDataLoader"
            )
        return self.state_at(self._cursor_after(self._latest[0]) if self._latest else self.cursor)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin where the state was taken. SnapshotError where it is of another snapshot, ConfigError where it is of another
        order. A stream that follows goes back to the state's snapshot until its epoch ends."""
        cursor, snapshots = parse_state(state)
        if self.settings.follow:
            self._read([manifest_path(url, name) for url, (name, _) in zip(self.request.urls, snapshots, strict=False)])
        check_state_matches(state, self.content.pinned, self._fingerprints())
        cursor = resolve_cursor(cursor, state, self.content.samples, self.settings.repeat)
        if get_worker_info() is not None:
            self._own = cursor
        else:
            self.move(cursor)

    def state_at(self, cursor: Cursor) -> dict[str, Any]:
        return encode_state(cursor, self.content.pinned, self._fingerprints(), self.settings.repeat)

    def after(self, cursor: Cursor, batches: int, drop_last: bool = False) -> Cursor:
        """The cursor when every rank has taken so many batches since `cursor`, which lay between two batches. After the last
        of the iteration it is the start of the epoch that follows, whether or not anybody asked for one more."""
        ranks, block = self._ranks()[1], self.settings.block
        if batches >= batches_until_end(self.total, ranks, block, self.settings.uneven, cursor.position, drop_last):
            return self.next_epoch_start(cursor)
        return Cursor(cursor.epoch, cursor.position + batches * ranks * block)

    @property
    def samples_per_step(self) -> int:
        """Positions that a batch of each rank takes together."""
        return self._ranks()[1] * self.settings.block

    def next_epoch_start(self, cursor: Cursor) -> Cursor:
        """The start of the first epoch after the iteration that holds the cursor; of one without end, after its epoch."""
        return Cursor(cursor.epoch + (self.settings.repeat or 1 + cursor.position // self.content.samples))

    def batches(self, drop_last: bool = False) -> int:
        """Batches of a whole iteration for this rank, wherever the cursor stands. TypeError for one without end."""
        if self.settings.repeat is None:
            raise TypeError("a stream that repeats without end has no length")
        settings = self.settings
        samples = samples_per_rank(self.total, replace(self._consumer(), worker=0, workers=1), settings.block, settings.uneven)
        return count_batches(samples, settings.block, drop_last)

    def move(self, cursor: Cursor) -> None:
        """Begin at the cursor from the next iteration on."""
        self._latest.clear()
        self._shared[:7] = torch.tensor([cursor.epoch, cursor.position, cursor.taken, *cursor.topology, 0])

    def stats(self) -> dict[str, Any]:
        """What was read so far by this process and by the DataLoader workers that were started with the stream, ahead of what
        a training loop got: samples, bytes, skipped, instructions by_task, and what else the fetchers count."""
        counted, fetched = self._counts.stats(), self._roots.stats()
        undecodable = counted.pop("undecodable")
        return {**counted, **fetched, "skipped": fetched["skipped"] + undecodable}

    def with_picture_sink(self, sink: PictureSink) -> Stream:
        """This stream with its pictures shown by `display`. Both have one cursor, one progress and one count."""
        other = object.__new__(Stream)
        other.__dict__.update(self.__dict__, _sink=sink)
        return other

    def __len__(self) -> int:
        """Samples of an iteration from the cursor on for this rank, all its workers together."""
        if self.settings.repeat is None:
            raise TypeError("a stream that repeats without end has no length")
        settings, cursor = self.settings, self.cursor
        one_rank = replace(self._consumer(), worker=0, workers=1)
        return samples_per_rank(self.total, one_rank, settings.block, settings.uneven, cursor.position) - cursor.taken

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._follow_snapshot()
        self._finish_resumed_epoch()
        consumer, cursor = self._consumer(), self.cursor
        topology = (consumer.world_size, consumer.workers, self.settings.block)
        if cursor.taken and cursor.topology != topology:
            raise ConfigError(
                f"the state was taken inside a batch, by (ranks, workers, batch size) {cursor.topology}, now {topology}: "
                "take states between batches with one worker or a rsflow.loading.loader.Loader to change them"
            )
        if get_worker_info() is not None:
            self._shared[6] = 1
            self._own = None
        self._latest[:] = [Progress(replace(cursor, topology=topology))]
        if self._sink:
            self._sink.on_iteration_start()
        return self._examples(consumer, cursor, self._latest[0])

    def __getstate__(self) -> dict[str, Any]:
        # A spawned worker is no member of the process group, so what it would ask there is settled before it starts.
        return {**self.__dict__, "settings": replace(self.settings, ranks=self._ranks()), "_latest": []}

    def _examples(self, consumer: Consumer, cursor: Cursor, progress: Progress) -> Iterator[dict[str, Any]]:
        settings, total = self.settings, self.total
        positions = chain.from_iterable(consumer_positions(total, consumer, settings.block, settings.uneven, cursor.position))
        sampler = Sampler(self.content, settings.seed, cursor.epoch, settings.width)
        references = ((i, sampler.at(i % total)) for i in islice(positions, cursor.taken, None))
        counts = self._counts.row()
        for position, reference, sample in self._roots.read(references, self._sink.allocate if self._sink else ScratchBuffer()):
            found = self._shown(reference, sample) or self._substitute(position, cursor.epoch)
            progress.taken += 1
            counts.given(one["task"] for one in found["instructions"])
            yield found

    def _shown(self, reference: SampleReference, sample: Sample | SampleView | None) -> dict[str, Any] | None:
        """None where the sample is damaged and that is to be skipped."""
        if sample is None:
            return None
        try:
            show = self._sink.show if self._sink else None
            return make_example(sample, self.settings.dialect, reference.part.tasks, self.settings.decode, show)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            trouble = SnapshotError(f"{reference.shard.path}: the record of sample {sample.key} is incomplete ({error!r})")
            trouble.__cause__ = error
        except SnapshotError as error:
            trouble = error
        if self.settings.read_options.on_damage == "fail":
            raise trouble
        self._counts.row().undecodable()
        return None

    def _substitute(self, position: int, epoch: int) -> dict[str, Any]:
        """What is given for a damaged sample: the next good one of the order, so that counts stay equal on all ranks."""
        sampler = Sampler(self.content, self.settings.seed, epoch, self.settings.width)
        for i in range(position + 1, position + self.content.samples):
            reference = sampler.at(i % self.total)
            if found := self._shown(reference, self._roots.one(reference)):
                return found
        raise SnapshotError(f"{', '.join(self.request.urls)}: no sample is undamaged")

    def _finish_resumed_epoch(self) -> None:
        """A state is for one iteration: after that had begun within an epoch, the next takes a whole one, the following."""
        if get_worker_info() is None and self._latest:
            start, taken = self._latest[0].start, self._latest[0].taken
            if taken and (start.position or start.taken):
                self.begin(self.next_epoch_start(start).epoch)

    def _cursor_after(self, progress: Progress) -> Cursor:
        start, block = progress.start, self.settings.block
        consumer, taken = self._consumer(), start.taken + progress.taken
        if consumer.workers > 1:
            return replace(start, taken=taken)
        if (
            self.settings.repeat is not None
            and progress.taken
            and taken >= samples_per_rank(self.total, consumer, block, self.settings.uneven, start.position)
        ):
            return self.next_epoch_start(start)
        rounds, inside = divmod(taken, block)
        return replace(start, position=start.position + rounds * block * consumer.world_size, taken=inside)

    def _read(self, manifests: Sequence[str]) -> None:
        self.content = load_content(self.request, manifests)
        if self.settings.follow:
            self._shared[7:] = torch.tensor(self._numbers())

    def _follow_snapshot(self) -> None:
        """In a worker that was started before the stream moved to another snapshot: move as well."""
        if self.settings.follow and (numbers := self._shared[7:].tolist()) != self._numbers():
            self._read([manifest_path(url, str(number)) for url, number in zip(self.request.urls, numbers, strict=True)])

    def _numbers(self) -> list[int]:
        return [int(one.name) for one in self.content.pinned]

    def _fingerprints(self) -> dict[str, str]:
        return fingerprint_settings(self.request, self.settings.seed, self.settings.width)

    def _ranks(self) -> tuple[int, int]:
        return self.settings.ranks or get_rank_and_world_size()

    def _consumer(self) -> Consumer:
        worker = get_worker_info()
        return Consumer(*self._ranks(), *((worker.id, worker.num_workers) if worker else (0, 1)))
