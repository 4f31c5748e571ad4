"""One run, from its configuration to a model in `output/model`: begins, goes on, or finds that it is done.

`output/checkpoints/<step>/` is what it resumes from; `output/run.json` its record, of which each checkpoint holds the state
at its step; `output/metrics.jsonl` the steps. The model is written last, under its name at once: where it is, the run is
done.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers

from rsflow import __version__
from rsflow.engine.progress import Progress, progress
from rsflow.errors import RsflowError
from rsflow.files.faults import translate_errors
from rsflow.files.sole_writer import sole_writer
from rsflow.loading.loader import Loader
from rsflow.pretrained.checkpoint import Loaded
from rsflow.shards.manifest import read_snapshot
from rsflow.training.batches import make_loader, rank_batch
from rsflow.training.loop import Training, make_optimiser, run_steps
from rsflow.training.metrics import Counts, StepLog
from rsflow.training.model.base_model import check_first_samples, copy_processor_files, load_base_model, resolve_dialect
from rsflow.training.model.checkpoints import latest_checkpoint, load_checkpoint, prune_checkpoints, read_state, save_checkpoint
from rsflow.training.model.expert_loads import ExpertLoads
from rsflow.training.model.regimes import Tuned, apply_regime, describe_regime
from rsflow.training.ranks import Ranks, join_ranks
from rsflow.training.settings import MoeLora, TrainConfig, check_resumable, resolved

RECORD_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`model`: the folder of the trained model. `record`: as run.json. `was_done`: nothing was left to do."""

    model: Path
    record: dict[str, Any]
    was_done: bool = False


def train(config: TrainConfig, say: Callable[[str], None] = lambda line: None) -> Outcome:
    """Run, or go on with, what the configuration describes; `say` gets lines for people. All ranks call it alike.

    ConfigError for what cannot be run, before anything is trained; RsflowError for what fails on the way.
    """
    output = Path(config.output)
    record = _read_record(output)
    if record:
        check_resumable(config, record["config"], config.output)
    if record and (output / "model").is_dir():
        return Outcome(output / "model", record, was_done=True)
    if config.ray is not None:
        return _train_on_ray(config)
    with join_ranks(config.device) as ranks:
        return _train(config, ranks, output, say if ranks.is_first else lambda line: None)


def _train_on_ray(config: TrainConfig) -> Outcome:
    from rsflow.engine.cluster.ray_train import WorkerGroup, run_on_workers  # Ray takes a second to load

    ray, output = config.ray, Path(config.output)
    assert ray is not None
    worker = partial(_train_as_worker, replace(config, ray=None))
    group = WorkerGroup(ray.workers, ray.cpus_per_worker, ray.gpus_per_worker, ray.address)
    run_on_workers(worker, group, str(output.absolute() / "ray"))
    record = _read_record(output)
    if record is None or not (output / "model").is_dir():
        raise RsflowError(f"{output}: the workers wrote no model there: output must be a folder that all machines share")
    return Outcome(output / "model", record)


def _train_as_worker(config: TrainConfig) -> None:
    train(config)


def _train(config: TrainConfig, ranks: Ranks, output: Path, say: Callable[[str], None]) -> Outcome:
    training, facts = prepare(config, ranks)
    with sole_writer(output) if ranks.is_first else nullcontext():
        return _run(training, facts, output, say)


def _run(training: Training, facts: dict[str, Any], output: Path, say: Callable[[str], None]) -> Outcome:
    config, ranks = training.config, training.ranks
    is_resumed = _resume(training, output / "checkpoints")
    if ranks.is_first:
        training.log = StepLog(output, training.step, config.log.tensorboard)
    say(describe_regime(config.regime, training.tuned))
    say(f"{training.steps:,} steps of {config.optimiser.batch_size} samples, boxes in dialect {facts['dialect']}")
    if is_resumed:
        say(f"goes on after step {training.step:,}")
    with progress("train", "steps", training.steps if ranks.is_first else 0) as bar:
        bar.done = training.step
        run_steps(training, lambda: _after_step(training, facts, output, bar))
    return _finish(training, facts, output)


def prepare(config: TrainConfig, ranks: Ranks) -> tuple[Training, dict[str, Any]]:
    """A run at its first step, and what its record says from the beginning on. ConfigError for what cannot be run."""
    torch.manual_seed(config.seed)
    loaded = load_base_model(config)
    dialect = resolve_dialect(config, loaded)
    check_first_samples(config, loaded, dialect)
    loader = make_loader(config, loaded.processor, dialect, (ranks.rank, ranks.world_size))
    tuned = apply_regime(loaded.model, config.regime, config.precision, _count_pairs(config, loader))
    if config.gradient_checkpointing:
        loaded.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    per_step = config.optimiser.batch_size // (ranks.world_size * rank_batch(config.optimiser, ranks.world_size))
    steps = min(-(-len(loader) // per_step), config.max_steps or sys.maxsize)
    loads = ExpertLoads(loaded.model, config.regime.balance) if isinstance(config.regime, MoeLora) else None
    training = Training(config, ranks, tuned, make_optimiser(config, tuned), loader, steps, per_step, loads=loads)
    return training, _facts(config, loaded, tuned, loader, dialect)


def _count_pairs(config: TrainConfig, loader: Loader) -> int:
    """Pairs of a sensor and a task that the split has instructions of, among those that are chosen."""
    (snapshot,) = loader.stream.content.snapshots
    split = read_snapshot(snapshot.manifest).splits[config.data.split]
    data = config.data
    return sum(
        1
        for task, sensors in split.counts.items()
        for sensor in sensors
        if (not data.tasks or task in data.tasks) and (not data.sensors or sensor in data.sensors)
    )


def _resume(training: Training, folder: Path) -> bool:
    """Continue from the newest checkpoint; False where there is none."""
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        return False
    state = read_state(checkpoint)
    load_checkpoint(checkpoint, training.tuned.parameters, training.optimiser)
    training.loader.load_state_dict(state["loader"])
    training.step, training.counts = state["step"], Counts.from_json(state["counts"])
    return True


def _facts(config: TrainConfig, loaded: Loaded, tuned: Tuned, loader: Loader, dialect: str) -> dict[str, Any]:
    """What a record says of a run from its beginning on."""
    (snapshot,) = loader.stream.content.snapshots
    return {
        "rsflow": __version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "snapshot": {"manifest": snapshot.manifest, "digest": snapshot.digest},
        "base_model": config.base_model,
        "model_type": loaded.model.config.model_type,
        "dialect": dialect,
        "seed": config.seed,
        "regime": config.regime.kind,
        "parameters": tuned.total,
        "trained_parameters": tuned.trained,
        "trained_share": tuned.share,
        "config": resolved(config),
    }


def _record(training: Training, facts: dict[str, Any]) -> dict[str, Any]:
    counts = training.counts
    experts = {"experts": training.loads.shares()} if training.loads else {}
    return {
        **facts,
        "ranks": training.ranks.world_size,
        "steps": training.steps,
        "step": training.step,
        "counts": counts.to_json(),
        "tokens_per_s": counts.tokens / max(counts.seconds, 1e-9),
        "wait_share": counts.wait_seconds / max(counts.seconds, 1e-9),
        **experts,
    }


def _after_step(training: Training, facts: dict[str, Any], output: Path, bar: Progress) -> None:
    if training.ranks.is_first:
        bar.counts["samples"] = training.counts.samples
        if training.metrics:
            bar.unit = f"steps, loss {training.metrics['loss']:.3f}"
        bar.add(1)
    if training.step % training.config.checkpoints.every_steps == 0 and training.step < training.steps:
        _save(training, facts, output)


def _save(training: Training, facts: dict[str, Any], output: Path) -> None:
    if training.ranks.is_first:
        record = _record(training, facts)
        state = {**record, "loader": training.loader.state_dict()}
        with translate_errors(str(output), "write"):
            save_checkpoint(output / "checkpoints", training.step, training.tuned.parameters, training.optimiser, state)
            prune_checkpoints(output / "checkpoints", training.config.checkpoints.keep)
            _write_record(output, record)
    training.ranks.wait()


def _finish(training: Training, facts: dict[str, Any], output: Path) -> Outcome:
    record = _record(training, facts)
    if training.ranks.is_first:
        with translate_errors(str(output), "write"):
            _write_model(training, record, output)
        if training.log:
            training.log.close()
    training.ranks.wait()
    return Outcome(output / "model", record)


def _write_model(training: Training, record: dict[str, Any], output: Path) -> None:
    part = output / "model.partial"
    shutil.rmtree(part, ignore_errors=True)
    training.tuned.save(part)
    copy_processor_files(training.config, part)
    _write_record(output, record)
    shutil.copy(output / RECORD_FILE, part / RECORD_FILE)
    os.replace(part, output / "model")


def _read_record(output: Path) -> dict[str, Any] | None:
    place = output / RECORD_FILE
    if not place.is_file():
        return None
    try:
        with translate_errors(str(place), "read"):
            return dict(json.loads(place.read_text()))
    except (ValueError, TypeError) as error:
        raise RsflowError(f"{place}: is no record of a run ({error}): remove it to go on from the newest checkpoint") from error


def _write_record(output: Path, record: dict[str, Any]) -> None:
    part = output / f"{RECORD_FILE}.partial"
    output.mkdir(parents=True, exist_ok=True)
    part.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(part, output / RECORD_FILE)
