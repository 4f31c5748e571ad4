"""Trainers through three epochs with a crash in each: every epoch its own order, every sample once an epoch, exact resumes.

The split has 73 samples: ten batches of eight, the last of one sample.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader

from rsflow.errors import ConfigError
from rsflow.loading.example import collate_samples
from rsflow.loading.loader import Loader
from rsflow.loading.stream import stream

SIZE, BATCHES, EPOCHS = 8, 10, 3
CRASHES = (7, 13, 21)  # optimizer steps, one in each epoch
EVERY = 2  # steps between checkpoints

Step = tuple[int, int, list[str]]  # step, epoch, keys


def make_stream(lake: Any, **options: Any) -> Any:
    return stream(lake.root, batch_size=SIZE, decode=False, seed=2, **options)


def make_loader(lake: Any, workers: int = 0, **options: Any) -> Loader:
    return Loader(make_stream(lake, **options), num_workers=workers)


def orders(lake: Any, epochs: int = EPOCHS, **options: Any) -> list[list[str]]:
    return [[key for batch in make_loader(lake, epoch=epoch, **options) for key in batch["key"]] for epoch in range(epochs)]


def by_epoch(steps: list[Step]) -> list[list[str]]:
    return [[key for _, epoch, keys in steps if epoch == n for key in keys] for n in range(EPOCHS)]


def run_with_crashes(fit: Callable[[int | None, int | None], list[Step]]) -> list[Step]:
    """The steps that count: of each run those before its last checkpoint, from which the next one goes on.

    `fit(crash, resume)`: train from the checkpoint of step `resume` until step `crash`.
    """
    counted: list[Step] = []
    resume = None
    for crash in (*CRASHES, None):
        last = crash // EVERY * EVERY if crash else EPOCHS * BATCHES
        counted += [step for step in fit(crash, resume) if step[0] < last]
        resume = last
    return counted


def fail_at(step: int, crash: int | None) -> None:
    if step == crash:
        raise RuntimeError("crash")


def ran_until_crash(run: Callable[[], Any]) -> None:
    try:
        run()
    except RuntimeError as error:
        if str(error) != "crash":
            raise


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, False), (2, True)])
def test_a_plain_data_loader_gets_another_order_each_epoch_without_set_epoch(lake: Any, workers: int, persistent: bool) -> None:
    loader = DataLoader(make_stream(lake), SIZE, num_workers=workers, persistent_workers=persistent, collate_fn=collate_samples)
    assert [[key for batch in loader for key in batch["key"]] for _ in range(EPOCHS)] == orders(lake)
    loader.dataset.set_epoch(1)
    assert [key for batch in loader for key in batch["key"]] == orders(lake)[1], "an epoch that is asked for comes again"
    assert [key for batch in loader for key in batch["key"]] == orders(lake)[2]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_that_a_plain_data_loader_left_is_over(lake: Any, workers: int) -> None:
    loader = DataLoader(make_stream(lake), SIZE, num_workers=workers, collate_fn=collate_samples)
    for batch in loader:
        assert batch["key"] == orders(lake)[0][:SIZE]
        break
    assert [key for batch in loader for key in batch["key"]] == orders(lake)[1]


def test_two_data_loaders_of_other_numbers_of_workers_share_the_count(lake: Any) -> None:
    dataset = make_stream(lake)
    found = []
    for workers in (1, 3, 2):
        loader = DataLoader(dataset, SIZE, num_workers=workers, collate_fn=collate_samples)
        found.append([key for batch in loader for key in batch["key"]])
    assert found == orders(lake)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_plain_loop_over_a_loader(lake: Any, tmp_path: Path, workers: int) -> None:
    """The recipe at the top of docs/streaming.md."""

    def fit(crash: int | None, resume: int | None) -> list[Step]:
        loader, steps, step = make_loader(lake, workers), [], resume or 0
        if resume:
            loader.load_state_dict(json.loads((tmp_path / f"{resume}.json").read_text()))
        for epoch in range(loader.epoch, EPOCHS):
            loader.set_epoch(epoch)
            for batch in loader:
                if step == crash:
                    return steps
                steps.append((step, epoch, batch["key"]))
                step += 1
                if step % EVERY == 0:
                    (tmp_path / f"{step}.json").write_text(json.dumps(loader.state_dict()))
        return steps

    assert by_epoch(run_with_crashes(fit)) == orders(lake)


@pytest.mark.parametrize("set_epoch", [False, True])
@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (1, False), (2, False), (2, True)])
@pytest.mark.parametrize("samples", [73, 24])
def test_stateful_data_loader(lake: Any, workers: int, persistent: bool, set_epoch: bool, samples: int) -> None:
    """A crash within each epoch, and at the end of one before and after the loop saw that it was over; of 24 samples the last
    batch is full."""
    torchdata = pytest.importorskip("torchdata.stateful_dataloader")

    def loader() -> Any:
        options: dict[str, Any] = {"num_workers": workers, "persistent_workers": persistent, "collate_fn": collate_samples}
        return torchdata.StatefulDataLoader(make_stream(lake, max_samples=samples), batch_size=SIZE, **options)

    batches = -(-samples // SIZE)
    seen: list[list[str]] = [[] for _ in range(EPOCHS)]
    now, epoch, step, state = loader(), 0, 0, None
    for crash in (1, batches, batches + 2, 2 * batches, 3 * batches - 1, 3 * batches):
        if state is not None:
            now = loader()
            now.load_state_dict(state)
        while step < crash:
            if set_epoch and state is None:
                now.dataset.set_epoch(epoch)
            for batch in now:
                seen[epoch] += batch["key"]
                step += 1
                if step == crash and crash != 2 * batches:
                    state = now.state_dict()
                    break
            else:
                epoch += 1
                if step == crash:
                    state = now.state_dict()
    assert seen == orders(lake, max_samples=samples)


def test_accelerate(lake: Any, tmp_path: Path) -> None:
    accelerate = pytest.importorskip("accelerate")
    import torch

    def fit(crash: int | None, resume: int | None) -> list[Step]:
        accelerator, loader, steps = accelerate.Accelerator(cpu=True), make_loader(lake, 2), []
        model = torch.nn.Linear(1, 1)
        model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.1))
        accelerator.register_for_checkpointing(loader)
        if resume:
            accelerator.load_state(str(tmp_path / str(resume)))
        step = resume or 0

        def train() -> None:
            nonlocal step
            for epoch in range(loader.epoch, EPOCHS):
                for batch in loader:
                    fail_at(step, crash)
                    accelerator.backward(model(torch.ones(1, 1)).sum())
                    optimizer.step()
                    steps.append((step, epoch, batch["key"]))
                    step += 1
                    if step % EVERY == 0:
                        accelerator.save_state(str(tmp_path / str(step)))

        ran_until_crash(train)
        return steps

    assert by_epoch(run_with_crashes(fit)) == orders(lake)


@pytest.mark.parametrize("workers", [0, 2])
def test_lightning(lake: Any, tmp_path: Path, workers: int) -> None:
    lightning = pytest.importorskip("lightning")
    import torch
    from lightning.pytorch.callbacks import ModelCheckpoint

    class Model(lightning.LightningModule):
        def __init__(self, crash: int | None) -> None:
            super().__init__()
            self.layer, self.crash, self.seen = torch.nn.Linear(1, 1), crash, []

        def training_step(self, batch: Any, _: int) -> Any:
            fail_at(self.global_step, self.crash)
            self.seen.append((self.global_step, self.current_epoch, batch["key"]))
            return self.layer(torch.ones(1, 1)).sum()

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def fit(crash: int | None, resume: int | None) -> list[Step]:
        model, loader = Model(crash), make_loader(lake, workers)
        saved = ModelCheckpoint(tmp_path, every_n_train_steps=EVERY, save_top_k=-1, filename="{step}")
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "callbacks": [saved]}
        trainer = lightning.Trainer(accelerator="cpu", devices=1, max_epochs=EPOCHS, **quiet)
        ran_until_crash(lambda: trainer.fit(model, loader, ckpt_path=str(tmp_path / f"step={resume}.ckpt") if resume else None))
        return list(model.seen)

    assert by_epoch(run_with_crashes(fit)) == orders(lake)


def trainer_runs(
    tmp_path: Path, prepare: Callable[[Path | None], tuple[Any, list[Any]]], accumulated: int = 1, **arguments: Any
) -> Callable[[int | None, int | None], list[Step]]:
    """`fit` of the Trainer of transformers; `prepare(checkpoint)` gives its training set and callbacks."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    import torch

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def forward(self, key: Any = None, **_: Any) -> Any:
            return {"loss": self.layer(torch.ones(1, 1)).sum()}

    class Trainer(transformers.Trainer):  # type: ignore[name-defined,misc]
        def get_train_dataloader(self) -> Any:
            return self.train_dataset if isinstance(self.train_dataset, Loader) else super().get_train_dataloader()

        def training_step(self, model: Any, inputs: Any, *rest: Any) -> Any:
            fail_at(self.state.global_step, self.crash)
            self.seen.append((self.state.global_step, self.state.global_step // (BATCHES // accumulated), inputs["key"]))
            return super().training_step(model, inputs, *rest)

    def fit(crash: int | None, resume: int | None) -> list[Step]:
        checkpoint = tmp_path / f"checkpoint-{resume}" if resume else None
        dataset, callbacks = prepare(checkpoint)
        args = transformers.TrainingArguments(
            str(tmp_path), num_train_epochs=EPOCHS, save_steps=EVERY, use_cpu=True, report_to=[], disable_tqdm=True,
            remove_unused_columns=False, max_grad_norm=0, logging_strategy="no", per_device_train_batch_size=SIZE,
            accelerator_config={"dispatch_batches": False}, gradient_accumulation_steps=accumulated, **arguments,
        )  # fmt: skip
        trainer = Trainer(Model(), args, train_dataset=dataset, data_collator=collate_samples, callbacks=callbacks)
        trainer.crash, trainer.seen = crash, []
        ran_until_crash(lambda: trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None))
        return list(trainer.seen)

    return fit


@pytest.mark.parametrize("workers", [0, 2])
def test_the_trainer_of_transformers_skips_by_itself_within_the_right_epoch(lake: Any, tmp_path: Path, workers: int) -> None:
    fit = trainer_runs(tmp_path, lambda _: (make_stream(lake), []), dataloader_num_workers=workers)
    steps = run_with_crashes(fit)
    assert [step for step, _, _ in steps] == list(range(EPOCHS * BATCHES))
    assert by_epoch(steps) == orders(lake)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_trainer_of_transformers_goes_on_from_the_state_of_a_loader(lake: Any, tmp_path: Path, workers: int) -> None:
    callback = pytest.importorskip("rsflow.loading.trainer_callback").LoaderCallback

    def prepare(checkpoint: Path | None) -> tuple[Any, list[Any]]:
        loader = make_loader(lake, workers)
        return loader, [callback(loader, checkpoint)]

    steps = run_with_crashes(trainer_runs(tmp_path, prepare))
    assert [step for step, _, _ in steps] == list(range(EPOCHS * BATCHES))
    assert by_epoch(steps) == orders(lake)


def test_what_would_part_the_trainer_from_the_loader_is_refused(lake: Any, tmp_path: Path) -> None:
    callback = pytest.importorskip("rsflow.loading.trainer_callback").LoaderCallback

    def without_state(_: Path | None) -> tuple[Any, list[Any]]:
        loader = make_loader(lake)
        return loader, [callback(loader)]

    trainer_runs(tmp_path, without_state)(7, None)
    with pytest.raises(ConfigError, match="resumes at step 6, the loader at its start"):
        trainer_runs(tmp_path, without_state)(None, 6)
    with pytest.raises(ConfigError, match="found 4, expected a divisor of the 10 batches"):
        trainer_runs(tmp_path, without_state, 4)(None, None)
    with pytest.raises(ConfigError, match="another DataLoader was built from the Loader's parts"):
        trainer_runs(tmp_path, lambda _: (make_loader(lake), []))(None, 6)
    with pytest.raises(ConfigError, match=r"rsflow_loader\.json: is missing"):
        callback(make_loader(lake), tmp_path)


def test_a_loader_skips_without_reading(lake: Any) -> None:
    loader = make_loader(lake)
    loader.skip_to(1, 4)
    assert [key for batch in loader for key in batch["key"]] == orders(lake)[1][4 * SIZE :]
    assert loader.stats()["samples"] == 73 - 4 * SIZE
    assert [key for batch in islice(loader, 1) for key in batch["key"]] == orders(lake)[2][:SIZE]


def test_ranks_that_accelerate_deals_to_read_one_stream_whole(lake: Any) -> None:
    """The recipe for the Trainer under several ranks: the stream is of one rank, and accelerate shares its samples out."""
    shards = pytest.importorskip("accelerate.data_loader").IterableDatasetShard
    found: list[list[str]] = []
    for process in range(2):
        dataset = make_stream(lake, rank=0, world_size=1, max_samples=64)
        share = shards(dataset, batch_size=SIZE, num_processes=2, process_index=process)
        found.append([one["key"] for one in share])
    expected = orders(lake, 1, max_samples=64)[0]
    assert [len(keys) for keys in found] == [32, 32]
    assert sorted(found[0] + found[1]) == sorted(expected)
