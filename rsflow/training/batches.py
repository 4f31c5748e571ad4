"""The batches of a run: the snapshot's stream, collated for the model, with what the run counts of them.

One idea: a step trains on `batch_size` consecutive positions of the stream, whichever rank computes which of them. The stream
deals blocks of `rank_batch` samples to ranks in turn, so ranks × rank_batch × (batches per step) is always the batch size,
and a step has the same samples with any number of ranks that divides it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import torch

from rsflow.errors import ConfigError
from rsflow.loading.collate import IGNORED, collate
from rsflow.loading.loader import Loader
from rsflow.loading.sampling.mixture import Mix
from rsflow.loading.stream import stream
from rsflow.training.length_groups import group_by_length
from rsflow.training.settings import Data, Optimiser, TrainConfig

RANK_BATCH = 8  # samples that a rank computes at a time, unless it is set
LossReduction = Literal["token", "sample", "square"]
# A token of a row with n learned tokens weighs n ** -exponent.
LOSS_EXPONENTS: dict[LossReduction, float] = {"token": 0.0, "sample": 1.0, "square": 0.5}


@dataclass(frozen=True, slots=True)
class Batch:
    """`inputs`: what the model is called with; `labels`: token ids where the assistant speaks, IGNORED elsewhere, by row as
    `inputs`. `keys`: of the samples that begin with this part. `groups`: "sensor/task" of each row, the task "several" where
    it has more than one."""

    inputs: dict[str, Any]
    labels: Any
    keys: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def label_tokens(self) -> int:
        """Tokens that are learned: each is predicted from those before it, so the first of a row is none."""
        return int((self.labels[:, 1:] != IGNORED).sum())

    def label_weights(self, reduction: LossReduction) -> torch.Tensor:
        """The weight of each learned token, in the order of `labels[:, 1:]` flattened without IGNORED."""
        learned = self.labels[:, 1:] != IGNORED
        row_counts = learned.sum(dim=1).clamp(min=1)
        row_weights = row_counts.double() ** -LOSS_EXPONENTS[reduction]
        weights: torch.Tensor = row_weights[:, None].expand(learned.shape)[learned]
        return weights

    @property
    def tokens(self) -> int:
        """Tokens of the rows without padding, those that stand for pictures included."""
        return int(self.inputs["attention_mask"].sum())


@dataclass(frozen=True)
class CollateBatch:
    """The collate function of a run's loader: a loader's batch in the parts that it is computed in, one unless `by_length`."""

    collate: Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]]
    grouping: Literal["joined", "each", "first"]
    by_length: bool = False

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> tuple[Batch, ...]:
        """The keys of all samples are the first part's."""
        groups = group_by_length(examples, self.grouping) if self.by_length else [examples]
        keys = tuple(one["key"] for one in examples)
        return tuple(self._part(group, () if number else keys) for number, group in enumerate(groups))

    def _part(self, examples: Sequence[Mapping[str, Any]], keys: tuple[str, ...]) -> Batch:
        found = self.collate(examples)
        labels = found.pop("labels")
        groups = tuple(group for one in examples for group in _row_groups(one, self.grouping))
        return Batch(found, labels, keys, groups)


def _row_groups(example: Mapping[str, Any], grouping: str) -> Iterator[str]:
    tasks = [one["task"] for one in example["instructions"] if one["turns"]]
    if grouping == "joined":
        tasks = [tasks[0] if len(set(tasks)) == 1 else "several"] if tasks else []
    for task in tasks[:1] if grouping == "first" else tasks:
        yield f"{example['sensor']}/{task}"


def rank_batch(settings: Optimiser, world_size: int) -> int:
    """Samples that a rank computes at a time. ConfigError where the ranks cannot share a step evenly."""
    if settings.batch_size % world_size:
        raise ConfigError(
            f"optimiser.batch_size: found {settings.batch_size} with {world_size} ranks, expected a multiple of them, so "
            "that each computes as many samples of a step"
        )
    share = settings.batch_size // world_size
    if settings.rank_batch is None:
        return max(size for size in range(1, min(RANK_BATCH, share) + 1) if share % size == 0)
    if share % settings.rank_batch:
        raise ConfigError(
            f"optimiser.rank_batch: found {settings.rank_batch} with {world_size} ranks and a batch_size of "
            f"{settings.batch_size}, expected a divisor of {share}, each rank's share of a step"
        )
    return settings.rank_batch


def make_loader(config: TrainConfig, processor: Any, dialect: str, ranks: tuple[int, int]) -> Loader:
    """The loader of this rank through all epochs. ConfigError, SnapshotError as `stream` and `collate` raise them."""
    data = config.data
    dataset = stream(
        config.root,
        data.split,
        rank_batch(config.optimiser, ranks[1]),
        seed=config.seed,
        mix=_mix(data),
        shuffle=data.shuffle,
        dialect=dialect,
        tasks=data.tasks,
        sensors=data.sensors,
        repeat=config.epochs,
        max_samples=data.max_samples,
        oversample=data.oversample,
        rank=ranks[0],
        world_size=ranks[1],
        cache=data.cache,
    )
    return Loader(dataset, collate_fn=make_collate(data, processor), num_workers=data.workers)


def make_collate(data: Data, processor: Any) -> CollateBatch:
    function = collate(
        processor, grouping=data.grouping, max_tokens=data.max_tokens, system=data.system, pictures=data.pictures
    )
    return CollateBatch(function, data.grouping, data.group_by_length)


def read_step(batches: Iterator[tuple[Batch, ...]], count: int) -> list[Batch]:
    """The parts of the next step's batches, fewer at the end of the run, none after it."""
    return [part for parts in islice(batches, count) for part in parts]


def count_groups(batches: Sequence[Batch]) -> Counter[str]:
    """Rows by sensor and task."""
    return Counter(group for batch in batches for group in batch.groups)


def _mix(data: Data) -> Mix | None:
    return None if data.mix is None else Mix(data.mix.by, data.mix.weights, data.mix.unit)
