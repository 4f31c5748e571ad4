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
from rsflow.loading.distributed import agreed, given_ranks, ranks_of_process
from rsflow.loading.epoch_order import UNEVEN, Consumer, Uneven, batches_of, dealt, rounds, share
from rsflow.loading.example import example
from rsflow.loading.mixture import Mix
from rsflow.loading.number_values import least, whole_number
from rsflow.loading.sample_reader import Counts, Reading, Roots
from rsflow.loading.sampler import ENDLESS, Sampler, SampleReference, at_once
from rsflow.loading.settings import Display, Progress, Settings
from rsflow.loading.state import MOST_EPOCHS, Cursor, fingerprints, parsed, placed, refuse_others, spelled
from rsflow.loading.stream_content import StreamRequest, gathered, newest, numbered
from rsflow.shards.format import Sample
from rsflow.shards.reader import Scratch, View

WINDOW_SHARDS = 16  # shuffled together and open at once, per consumer
MOST_SHARDS = 32  # a process may have few files open, and a shuffle over more is hardly better (docs/streaming.md)
_READING = Reading()


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
    reading: Reading = _READING,
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
    dialects.get(dialect)
    urls = tuple(os.fspath(one) for one in ([url] if isinstance(url, (str, os.PathLike)) else url))
    least(1, batch_size=batch_size, repeat=repeat, max_samples=max_samples, urls=len(set(urls)))
    epoch, seed = whole_number("epoch", epoch, MOST_EPOCHS), whole_number("seed", seed, None, None)
    if uneven not in UNEVEN:
        raise ConfigError(f"uneven: found {uneven!r}, expected one of {', '.join(UNEVEN)}")
    if follow and (repeat != 1 or any(one.endswith(".json") for one in urls)):
        raise ConfigError("follow: moves to a root's newest snapshot between epochs: give roots, not manifests, and repeat 1")
    width = WINDOW_SHARDS if shuffle is True else 0 if shuffle is False else whole_number("shuffle", shuffle, MOST_SHARDS)
    ranks = given_ranks(rank, world_size)
    settings = Settings(seed, width, batch_size, ranks, uneven, repeat, follow, dialect, decode, cache, reading)
    return Stream(
        StreamRequest(tuple(dict.fromkeys(urls)), split, tasks, sensors, mix, max_samples, oversample), settings, epoch
    )


class Stream(IterableDataset[dict[str, Any]]):
    """What `stream` returns. Every iteration begins at the cursor, which `set_epoch` and `load_state_dict` move.

    It can be pickled, so forked and spawned DataLoader workers do.
    """

    def __init__(self, wish: StreamRequest, settings: Settings, epoch: int) -> None:
        self.wish, self.settings = wish, settings
        # The cursor; whether workers iterate; the numbers of the snapshots where they may change.
        self._shared = torch.zeros(7 + len(wish.urls), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]
        self._own: Cursor | None = None  # of a worker that was given a state of its own
        self._display: Display | None = None
        self._latest: list[Progress] = []  # of the latest iteration, which may be that of a stream shown otherwise
        self._read([newest(url) for url in wish.urls])
        self._roots = Roots(self.content, settings.cache, settings.reading, at_once(self.content, settings.width))
        self._counts = Counts()
        self.move(Cursor(epoch))

    @property
    def cursor(self) -> Cursor:
        """Where the next iteration begins."""
        epoch, position, taken, *crew = self._shared[:6].tolist()
        return self._own or Cursor(epoch, position, taken, (crew[0], crew[1], crew[2]))

    @property
    def total(self) -> int:
        """Positions of a whole iteration, over all ranks."""
        return ENDLESS if self.settings.repeat is None else self.settings.repeat * self.content.samples

    def set_epoch(self, epoch: int) -> None:
        """Begin with this epoch from the next iteration on; to be called alike on every rank. Nothing happens where it is the
        one that the stream stands in: a position that was loaded stays."""
        if whole_number("epoch", epoch, MOST_EPOCHS) != self.cursor.epoch:
            self.begin(epoch)

    def begin(self, epoch: int) -> None:
        """Begin with the first sample of this epoch from the next iteration on, wherever the stream stands."""
        if self.settings.follow:
            manifests = agreed([newest(url) for url in self.wish.urls])
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
        return self.state_at(self._reached(self._latest[0]) if self._latest else self.cursor)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin where the state was taken. SnapshotError where it is of another snapshot, ConfigError where it is of another
        order. A stream that follows goes back to the state's snapshot until its epoch ends."""
        cursor, snapshots = parsed(state)
        if self.settings.follow:
            self._read([numbered(url, name) for url, (name, _) in zip(self.wish.urls, snapshots, strict=False)])
        refuse_others(state, self.content.pinned, self._fingerprints())
        cursor = placed(cursor, state, self.content.samples, self.settings.repeat)
        if get_worker_info() is not None:
            self._own = cursor
        else:
            self.move(cursor)

    def state_at(self, cursor: Cursor) -> dict[str, Any]:
        return spelled(cursor, self.content.pinned, self._fingerprints(), self.settings.repeat)

    def after(self, cursor: Cursor, batches: int, drop_last: bool = False) -> Cursor:
        """The cursor when every rank has taken so many batches since `cursor`, which lay between two batches. After the last
        of the iteration it is the start of the epoch that follows, whether or not anybody asked for one more."""
        ranks, block = self._ranks()[1], self.settings.block
        if batches >= rounds(self.total, ranks, block, self.settings.uneven, cursor.position, drop_last):
            return self.following(cursor)
        return Cursor(cursor.epoch, cursor.position + batches * ranks * block)

    @property
    def round_samples(self) -> int:
        """Positions that a batch of each rank takes together."""
        return self._ranks()[1] * self.settings.block

    def following(self, cursor: Cursor) -> Cursor:
        """The start of the first epoch after the iteration that holds the cursor; of one without end, after its epoch."""
        return Cursor(cursor.epoch + (self.settings.repeat or 1 + cursor.position // self.content.samples))

    def batches(self, drop_last: bool = False) -> int:
        """Batches of a whole iteration for this rank, wherever the cursor stands. TypeError for one without end."""
        if self.settings.repeat is None:
            raise TypeError("a stream that repeats without end has no length")
        settings = self.settings
        samples = share(self.total, replace(self._consumer(), worker=0, workers=1), settings.block, settings.uneven)
        return batches_of(samples, settings.block, drop_last)

    def move(self, cursor: Cursor) -> None:
        """Begin at the cursor from the next iteration on."""
        self._latest.clear()
        self._shared[:7] = torch.tensor([cursor.epoch, cursor.position, cursor.taken, *cursor.crew, 0])

    def stats(self) -> dict[str, Any]:
        """What was read so far by this process and by the DataLoader workers that were started with the stream, ahead of what
        a training loop got: samples, bytes, skipped, instructions by_task, and what else the fetchers count."""
        counted, fetched = self._counts.stats(), self._roots.stats()
        undecodable = counted.pop("undecodable")
        return {**counted, **fetched, "skipped": fetched["skipped"] + undecodable}

    def shown_by(self, display: Display) -> Stream:
        """This stream with its pictures shown by `display`. Both have one cursor, one progress and one count."""
        other = object.__new__(Stream)
        other.__dict__.update(self.__dict__, _display=display)
        return other

    def __len__(self) -> int:
        """Samples of an iteration from the cursor on for this rank, all its workers together."""
        if self.settings.repeat is None:
            raise TypeError("a stream that repeats without end has no length")
        settings, cursor = self.settings, self.cursor
        one_rank = replace(self._consumer(), worker=0, workers=1)
        return share(self.total, one_rank, settings.block, settings.uneven, cursor.position) - cursor.taken

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._catch_up()
        self._leave_behind()
        consumer, cursor = self._consumer(), self.cursor
        crew = (consumer.world_size, consumer.workers, self.settings.block)
        if cursor.taken and cursor.crew != crew:
            raise ConfigError(
                f"the state was taken inside a batch, of (ranks, workers, batch size) {cursor.crew}, and here they are {crew}: "
                "take states between batches with one worker or a rsflow.loading.loader.Loader to change them"
            )
        if get_worker_info() is not None:
            self._shared[6] = 1
            self._own = None
        self._latest[:] = [Progress(replace(cursor, crew=crew))]
        if self._display:
            self._display.started()
        return self._examples(consumer, cursor, self._latest[0])

    def __getstate__(self) -> dict[str, Any]:
        # A spawned worker is no member of the process group, so what it would ask there is settled before it starts.
        return {**self.__dict__, "settings": replace(self.settings, ranks=self._ranks()), "_latest": []}

    def _examples(self, consumer: Consumer, cursor: Cursor, progress: Progress) -> Iterator[dict[str, Any]]:
        settings, total = self.settings, self.total
        hand = chain.from_iterable(dealt(total, consumer, settings.block, settings.uneven, cursor.position))
        course = Sampler(self.content, settings.seed, cursor.epoch, settings.width)
        spots = ((i, course.at(i % total)) for i in islice(hand, cursor.taken, None))
        counts = self._counts.row()
        for position, spot, sample in self._roots.read(spots, self._display.room if self._display else Scratch()):
            found = self._shown(spot, sample) or self._stand_in(position, cursor.epoch)
            progress.taken += 1
            counts.given(one["task"] for one in found["instructions"])
            yield found

    def _shown(self, spot: SampleReference, sample: Sample | View | None) -> dict[str, Any] | None:
        """None where the sample is damaged and that is to be skipped."""
        if sample is None:
            return None
        try:
            show = self._display.show if self._display else None
            return example(sample, self.settings.dialect, spot.part.tasks, self.settings.decode, show)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            trouble = SnapshotError(f"{spot.shard.path}: the record of sample {sample.key} lacks what it needs ({error!r})")
            trouble.__cause__ = error
        except SnapshotError as error:
            trouble = error
        if self.settings.reading.on_damage == "fail":
            raise trouble
        self._counts.row().undecodable()
        return None

    def _stand_in(self, position: int, epoch: int) -> dict[str, Any]:
        """What is given for a damaged sample: the next good one of the order, so that counts stay equal on all ranks."""
        course = Sampler(self.content, self.settings.seed, epoch, self.settings.width)
        for i in range(position + 1, position + self.content.samples):
            spot = course.at(i % self.total)
            if found := self._shown(spot, self._roots.one(spot)):
                return found
        raise SnapshotError(f"{', '.join(self.wish.urls)}: no sample is undamaged")

    def _leave_behind(self) -> None:
        """A state is for one iteration: after that had begun within an epoch, the next takes a whole one, the following."""
        if get_worker_info() is None and self._latest:
            start, taken = self._latest[0].start, self._latest[0].taken
            if taken and (start.position or start.taken):
                self.begin(self.following(start).epoch)

    def _reached(self, progress: Progress) -> Cursor:
        start, block = progress.start, self.settings.block
        consumer, taken = self._consumer(), start.taken + progress.taken
        if consumer.workers > 1:
            return replace(start, taken=taken)
        if (
            self.settings.repeat is not None
            and progress.taken
            and taken >= share(self.total, consumer, block, self.settings.uneven, start.position)
        ):
            return self.following(start)
        rounds, inside = divmod(taken, block)
        return replace(start, position=start.position + rounds * block * consumer.world_size, taken=inside)

    def _read(self, manifests: Sequence[str]) -> None:
        self.content = gathered(self.wish, manifests)
        if self.settings.follow:
            self._shared[7:] = torch.tensor(self._numbers())

    def _catch_up(self) -> None:
        """In a worker that was started before the stream moved to another snapshot: move as well."""
        if self.settings.follow and (numbers := self._shared[7:].tolist()) != self._numbers():
            self._read([numbered(url, str(number)) for url, number in zip(self.wish.urls, numbers, strict=True)])

    def _numbers(self) -> list[int]:
        return [int(one.name) for one in self.content.pinned]

    def _fingerprints(self) -> dict[str, str]:
        return fingerprints(self.wish, self.settings.seed, self.settings.width)

    def _ranks(self) -> tuple[int, int]:
        return self.settings.ranks or ranks_of_process()

    def _consumer(self) -> Consumer:
        worker = get_worker_info()
        return Consumer(*self._ranks(), *((worker.id, worker.num_workers) if worker else (0, 1)))
