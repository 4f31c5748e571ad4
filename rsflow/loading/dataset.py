"""The dataset that rsflow.loading.stream makes: snapshots in an order that any number of ranks and workers shares and resumes.

One idea: the order is a list of positions that follows from (snapshot content, settings, epoch) alone
(rsflow.loading.sampling.epoch_order, rsflow.loading.sampling.sampler). A consumer walks its share of that list from a cursor
on, so a state is the cursor, and to resume is to start elsewhere. What all processes must agree on while they run (the cursor,
the epochs of DataLoader workers, the numbers of snapshots) is in shared memory (rsflow.loading.resume.shared_cursor), for
workers hold copies of the stream that are made before an iteration begins.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from torch.utils.data import IterableDataset, get_worker_info

from rsflow.errors import ConfigError
from rsflow.loading.distributed import broadcast_manifests, get_rank_and_world_size
from rsflow.loading.number_values import parse_integer
from rsflow.loading.reading.example_reader import ExampleReader
from rsflow.loading.reading.sample_reader import SampleCounts, SampleReader
from rsflow.loading.resume.iteration_plan import IterationPlan
from rsflow.loading.resume.shared_cursor import SharedCursor, iteration_token
from rsflow.loading.resume.state import (
    MAX_EPOCHS,
    Cursor,
    check_state_matches,
    encode_state,
    fingerprint_settings,
    parse_state,
    resolve_cursor,
)
from rsflow.loading.sampling.epoch_order import Consumer, consumer_positions
from rsflow.loading.sampling.sampler import max_open_shards
from rsflow.loading.sampling.stream_content import StreamRequest, latest_manifest, load_content, manifest_path
from rsflow.loading.settings import PictureSink, Progress, StreamSettings


class Stream(IterableDataset[dict[str, Any]]):
    """What `stream` returns. The first iteration begins at the cursor, which `set_epoch` and `load_state_dict` move; each
    iteration after it is of the next epoch, whether it runs in this process or in DataLoader workers.

    It can be pickled, so forked and spawned DataLoader workers do.
    """

    def __init__(self, request: StreamRequest, settings: StreamSettings, epoch: int) -> None:
        self.request, self.settings = request, settings
        self._shared = SharedCursor(len(request.urls))
        self._resumed: Cursor | None = None  # of a DataLoader worker that was given a state of its own
        self._worker_iterations = 0  # that this copy began in a DataLoader worker
        self._sink: PictureSink | None = None
        self._in_loader = False
        self._latest: list[Progress] = []  # of the latest iteration in this process, shared with copies that have a sink
        self._load([latest_manifest(url) for url in request.urls])
        open_shards = max_open_shards(self.content, settings.window_shards)
        self._reader = SampleReader(self.content, settings.cache, settings.read_options, open_shards)
        self._counts = SampleCounts(self.content.tasks)
        self.move_to(Cursor(epoch))

    @property
    def plan(self) -> IterationPlan:
        """The arithmetic of this rank's batches."""
        settings = self.settings
        return IterationPlan(self.content.samples, settings.repeat, settings.block, settings.uneven, *self._ranks())

    @property
    def origin(self) -> Cursor:
        """Where the first iteration since the last move begins, whatever was iterated since."""
        return self._shared.read()

    @property
    def cursor(self) -> Cursor:
        """Where the next iteration begins."""
        if self._latest and self._is_spent(self._latest[0]):
            return self.plan.next_epoch_start(self._position(self._latest[0]))
        epoch = self._shared.worker_epoch()
        return self.origin if epoch is None else self.plan.next_epoch_start(Cursor(epoch))

    def set_epoch(self, epoch: int) -> None:
        """Begin with this epoch from the next iteration on; to be called alike on every rank. A position within this epoch
        that was loaded, and not yet iterated from, stays."""
        is_fresh = not self._latest and self._shared.worker_epoch() is None
        if parse_integer("epoch", epoch, MAX_EPOCHS) != self.origin.epoch or not is_fresh:
            self.start_epoch(epoch)

    def start_epoch(self, epoch: int) -> None:
        """Begin with the first sample of this epoch from the next iteration on. A stream that follows new snapshots reads the
        newest from then on, unless it is the epoch that it read last."""
        if self.settings.follow and epoch != self.origin.epoch:
            manifests = broadcast_manifests([latest_manifest(url) for url in self.request.urls])
            if manifests != [one.manifest for one in self.content.snapshots]:
                self._load(manifests)
        self.move_to(Cursor(epoch))

    def move_to(self, cursor: Cursor) -> None:
        """Begin at the cursor from the next iteration on."""
        self._latest.clear()
        self._shared.move_to(cursor)

    def state_dict(self) -> dict[str, Any]:
        """How far the latest iteration of this process went, see rsflow.loading.resume.state. ConfigError in a process whose
        DataLoader workers iterate: it cannot know."""
        if self._latest:
            return self.state_at(self._reached(self._latest[0]))
        if get_worker_info() is None and self._shared.worker_epoch() is not None:
            raise ConfigError(
                "DataLoader workers read this stream ahead, so it cannot tell what the training loop got: "
                "take the state of a rsflow.loading.loader.Loader or of torchdata's StatefulDataLoader"
            )
        return self.state_at(self._resumed or self.cursor)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin where the state was taken. SnapshotError where it is of another snapshot, ConfigError where it is of another
        order. A stream that follows new snapshots goes back to the state's until its epoch ends."""
        cursor, snapshots = parse_state(state)
        if self.settings.follow:
            self._load([manifest_path(url, name) for url, (name, _) in zip(self.request.urls, snapshots, strict=False)])
        check_state_matches(state, self.content.snapshots, self._fingerprints())
        cursor = resolve_cursor(cursor, state, self.content.samples, self.settings.repeat)
        if get_worker_info() is not None:
            self._resumed = cursor
        else:
            self.move_to(cursor)

    def state_at(self, cursor: Cursor) -> dict[str, Any]:
        return encode_state(cursor, self.content.snapshots, self._fingerprints(), self.settings.repeat)

    def stats(self) -> dict[str, Any]:
        """What was read so far by this process and by the DataLoader workers that were started with the stream, ahead of what
        a training loop got: samples, bytes, skipped, instructions by_task, and what else the fetchers count."""
        counted, fetched = self._counts.stats(), self._reader.stats()
        undecodable = counted.pop("undecodable")
        return {**counted, **fetched, "skipped": fetched["skipped"] + undecodable}

    def in_loader(self, sink: PictureSink | None) -> Stream:
        """This stream as a rsflow.loading.loader.Loader iterates it, with its pictures handed to `sink`. Both have one cursor,
        one progress and one count; only this one may be iterated while the Loader says so."""
        other = object.__new__(Stream)
        other.__dict__.update(self.__dict__, _sink=sink, _in_loader=True)
        return other

    def set_loader_iterates(self, value: bool) -> None:
        self._shared.loader_iterates = value

    def __len__(self) -> int:
        """Samples of the next iteration for this rank, all its workers together. TypeError for one without end."""
        return self.plan.samples_left(self.cursor)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._in_loader and not self._shared.loader_iterates:
            raise ConfigError(
                "another DataLoader was built from the Loader's parts, so its epoch and batch are unknown: "
                "with the Trainer of transformers use rsflow.loading.trainer_callback.LoaderCallback or ignore_data_skip=True; "
                "with Accelerate do not prepare the Loader"
            )
        self._follow_snapshot()
        start, consumer = self._start(), self._consumer()
        topology = (consumer.world_size, consumer.workers, self.settings.block)
        if start.taken and start.topology != topology:
            raise ConfigError(
                f"the state was taken inside a batch, by (ranks, workers, batch size) {start.topology}, now {topology}: "
                "take states between batches with one worker or a rsflow.loading.loader.Loader to change them"
            )
        self._latest[:] = [Progress(replace(start, topology=topology))]
        if self._sink:
            self._sink.on_iteration_start()
        return self._examples(consumer, start, self._latest[0])

    def __getstate__(self) -> dict[str, Any]:
        # A spawned worker is no member of the process group, so what it would ask there is settled before it starts.
        return {**self.__dict__, "settings": replace(self.settings, ranks=self._ranks()), "_latest": []}

    def _start(self) -> Cursor:
        """Where the iteration that begins now starts; from then on it is the one that states are of."""
        worker = get_worker_info()
        if worker is None:
            if (cursor := self.cursor) != self.origin:
                self.start_epoch(cursor.epoch)
            return self.origin
        self._worker_iterations += 1
        if self._worker_iterations == 1:
            # A forked worker's collector must not finalise what the process that forked left behind: objects of libraries whose
            # threads a fork does not take along (Ray, arrow, s3fs, former DataLoaders) may crash or hang when they are.
            gc.freeze()
        token = iteration_token(worker.seed - worker.id, self._worker_iterations)
        if self._resumed is None:
            return self._shared.begin_in_worker(worker.id, token, self.plan.next_epoch_start)
        start, self._resumed = self._resumed, None
        self._shared.resume_in_worker(worker.id, token, start)
        return start

    def _examples(self, consumer: Consumer, start: Cursor, progress: Progress) -> Iterator[dict[str, Any]]:
        settings, total = self.settings, self.plan.total
        ranges = consumer_positions(total, consumer, settings.block, settings.uneven, start.position)
        reader = ExampleReader(self.content, settings, self._reader, self._counts, self._sink, start.epoch, total)
        for example in reader.examples(islice(chain.from_iterable(ranges), start.taken, None)):
            progress.taken += 1
            yield example
        progress.is_exhausted = True

    def _position(self, progress: Progress) -> Cursor:
        return self.plan.after_samples(progress.start, progress.taken, self._consumer().workers)

    def _reached(self, progress: Progress) -> Cursor:
        """Where to go on after an iteration: within its epoch, and past its last sample only once it is exhausted."""
        reached = self._position(progress)
        # A DataLoader worker's state is that of its share of one epoch: it is resumed within that epoch.
        is_over = progress.is_exhausted and get_worker_info() is None
        return self.plan.next_epoch_start(reached) if is_over else reached

    def _is_spent(self, progress: Progress) -> bool:
        """Whether the next iteration is of the next epoch: where this one gave a sample, or had none to give."""
        return progress.taken > 0 or progress.is_exhausted

    def _load(self, manifests: Sequence[str]) -> None:
        self.content = load_content(self.request, manifests)
        if self.settings.follow:
            self._shared.snapshot_numbers = self._snapshot_numbers()

    def _follow_snapshot(self) -> None:
        """In a worker that was started before the stream moved to another snapshot: move as well."""
        if self.settings.follow and (numbers := self._shared.snapshot_numbers) != self._snapshot_numbers():
            self._load([manifest_path(url, str(number)) for url, number in zip(self.request.urls, numbers, strict=True)])

    def _snapshot_numbers(self) -> list[int]:
        return [int(one.name) for one in self.content.snapshots]

    def _fingerprints(self) -> dict[str, str]:
        return fingerprint_settings(self.request, self.settings.seed, self.settings.window_shards)

    def _ranks(self) -> tuple[int, int]:
        return self.settings.ranks or get_rank_and_world_size()

    def _consumer(self) -> Consumer:
        worker = get_worker_info()
        return Consumer(*self._ranks(), *((worker.id, worker.num_workers) if worker else (0, 1)))
