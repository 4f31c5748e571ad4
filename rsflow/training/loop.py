"""The loop: steps of AdamW over the loader's batches, the same with any number of ranks.

One idea: a step's loss is the weighted mean over all tokens that the assistant speaks in the step's samples, whichever rank
computes them and in however many parts. So ranks and rank_batch change how a step is computed and not what it is. Random
numbers (dropout) are seeded by step and rank, so a resumed step draws as it would have; the learning rate is a function of the
step alone.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from rsflow.errors import RsflowError
from rsflow.loading.collate import IGNORED
from rsflow.loading.loader import Loader
from rsflow.training.batches import Batch, count_groups, read_step
from rsflow.training.metrics import Counts, StepLog, StepTotals, Window
from rsflow.training.model.expert_loads import ExpertLoads
from rsflow.training.model.regimes import Tuned
from rsflow.training.ranks import Ranks
from rsflow.training.settings import Optimiser, TrainConfig


@dataclass
class Training:
    """A run's parts. `step`: steps done; `steps`: of the whole run; `log`: of the first rank only; `metrics`: the newest
    line."""

    config: TrainConfig
    ranks: Ranks
    tuned: Tuned
    optimiser: torch.optim.Optimizer
    loader: Loader
    steps: int
    batches_per_step: int
    step: int = 0
    counts: Counts = field(default_factory=Counts)
    log: StepLog | None = None
    loads: ExpertLoads | None = None
    metrics: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.forward: Any = self.tuned.model
        if self.ranks.world_size > 1:
            self.forward = DistributedDataParallel(self.tuned.model, find_unused_parameters=True)


def make_optimiser(config: TrainConfig, tuned: Tuned) -> torch.optim.Optimizer:
    """AdamW. Vectors (biases, scales, norms) do not decay."""
    settings = config.optimiser
    matrices = [value for value in tuned.parameters.values() if value.ndim > 1]
    vectors = [value for value in tuned.parameters.values() if value.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=settings.learning_rate, betas=settings.betas)


def run_steps(training: Training, on_step: Callable[[], None]) -> None:
    """All steps that are left; `on_step` is called after each. RsflowError where the loss is no number."""
    window, batches = Window(), iter(training.loader)
    training.tuned.model.train()
    while training.step < training.steps:
        start = time.perf_counter()
        step = read_step(batches, training.batches_per_step)
        totals = _take_step(training, step, start, time.perf_counter() - start)
        training.counts.add(totals)
        _count_samples(training, step)
        window = _write_window(training, window, totals)
        on_step()


def _take_step(training: Training, batches: Sequence[Batch], start: float, waited: float) -> StepTotals:
    ranks, settings = training.ranks, training.config.optimiser
    for group in training.optimiser.param_groups:
        group["lr"] = learning_rate(settings, training.step, training.steps)
    own = [(len(one.keys), len(one.labels), one.tokens, one.label_tokens) for one in batches]
    samples, rows, tokens, label_tokens = map(int, ranks.sum(*map(sum, zip(*own, strict=True))))
    (weight,) = ranks.sum(sum(float(one.label_weights(settings.loss_reduction).sum()) for one in batches))
    torch.manual_seed(((training.config.seed * 1_000_003 + training.step) * 4_099 + ranks.rank) % (1 << 63))
    loss = _accumulate(training, batches, weight)
    parameters = list(training.tuned.parameters.values())
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.clip_norm or float("inf")))
    loss, waited = ranks.sum(loss, waited / ranks.world_size)
    _check_loss(training.step + 1, loss, norm)
    training.optimiser.step()
    training.optimiser.zero_grad(set_to_none=True)
    training.step += 1
    return StepTotals(samples, rows, tokens, label_tokens, loss, norm, waited, time.perf_counter() - start)


def _accumulate(training: Training, batches: Sequence[Batch], step_weight: float) -> float:
    """Gradients of the step's mean loss; returns the sum of this rank's token losses, not weighted. `step_weight`: of all
    learned tokens of all ranks."""
    total = 0.0
    for number, batch in enumerate(batches):
        is_last = number == len(batches) - 1
        with _no_exchange(training) if not is_last else contextlib.nullcontext():
            losses, balance = _token_losses(training, batch)
            weights = batch.label_weights(training.config.optimiser.loss_reduction).to(losses)
            # DDP takes the mean over ranks; the loss is a sum over all of them.
            share = training.ranks.world_size / (step_weight or 1.0)
            (((losses * weights).sum() + balance * float(weights.sum())) * share).backward()
        total += float(losses.detach().sum())
    return total


def _no_exchange(training: Training) -> AbstractContextManager[None]:
    several = training.ranks.world_size > 1
    manager: AbstractContextManager[None] = training.forward.no_sync() if several else contextlib.nullcontext()
    return manager


def _token_losses(training: Training, batch: Batch) -> tuple[torch.Tensor, Any]:
    """(loss of each learned token, weighted balance loss per token)."""
    device = training.ranks.device
    inputs = {name: value.to(device) if torch.is_tensor(value) else value for name, value in batch.inputs.items()}
    with torch.autocast(device.type, torch.bfloat16, enabled=training.config.precision == "bfloat16"):
        logits = training.forward(**inputs, use_cache=False).logits
    labels = batch.labels.to(device)[:, 1:]
    learned = labels != IGNORED
    losses = functional.cross_entropy(logits[:, :-1][learned].float(), labels[learned], reduction="none")
    balance = training.loads.balance_loss(batch.groups) if training.loads else 0.0
    return losses, balance


def _check_loss(step: int, loss: float, norm: float) -> None:
    if loss != loss or norm != norm or norm == float("inf"):
        raise RsflowError(
            f"step {step}: the loss is {loss}, the gradient's norm {norm}: training has diverged. Lower "
            "optimiser.learning_rate, raise warmup_share, or set precision: float32; checkpoints up to the step before are good"
        )


def _count_samples(training: Training, batches: Sequence[Batch]) -> None:
    """Rows by sensor and task, and the keys where they are wanted, of all ranks."""
    keys = [key for batch in batches for key in batch.keys]
    gathered = training.ranks.gather((count_groups(batches), keys))
    for groups, _ in gathered:
        training.counts.groups.update(groups)
    if training.log and training.config.log.keys:
        training.log.write_keys(training.step, [each for _, each in gathered])


def _write_window(training: Training, window: Window, totals: StepTotals) -> Window:
    """Add the step; write a line where one is due, and begin anew."""
    window.add(totals)
    if training.step % training.config.log.every_steps and training.step < training.steps:
        return window
    rate = learning_rate(training.config.optimiser, training.step - 1, training.steps)
    training.metrics = window.line(training.step, rate, training.counts.samples)
    if training.log:
        training.log.write_metrics(training.metrics)
    return Window()


def learning_rate(settings: Optimiser, step: int, steps: int) -> float:
    """Of step 0 to steps - 1: a linear rise over the warm-up, then as `schedule` says, towards 0."""
    warmup = round(settings.warmup_share * steps)
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    shares = {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 * (1.0 + math.cos(math.pi * done))}
    return settings.learning_rate * shares[settings.schedule]
