"""The network that is trained: a small one from scratch, or a checkpoint of transformers whose classes are replaced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rsflow.errors import UsageError
from rsflow.labeller_training.settings import TrainingSettings
from rsflow.labeller_training.tasks import TASKS
from rsflow.pretrained.checkpoint import Checkpoint, silence_libraries


def make_network(settings: TrainingSettings, categories: Sequence[str]) -> tuple[Any, Any, dict[str, int]]:
    """(model, image processor, the model's class number of each category).

    UsageError for a `base` that is no checkpoint's folder; RsflowError where it cannot be loaded for the task.
    """
    import torch

    task = TASKS[settings.task]
    words = task.words(categories)
    numbers = {word: number for number, word in enumerate(words)}
    names: dict[str, Any] = {"id2label": dict(enumerate(words)), "label2id": numbers, "num_labels": len(words)}
    silence_libraries()
    torch.manual_seed(settings.seed)
    base = base_checkpoint(settings)
    if base is None:
        return *task.new_model(names, settings.crop_px), numbers
    return *base.load_for_training(task.auto_class, names), numbers


def base_checkpoint(settings: TrainingSettings) -> Checkpoint | None:
    """The checkpoint to fine-tune, None for a network from scratch. UsageError for a `base` that is no checkpoint's folder."""
    if not settings.base:
        return None
    if not Path(settings.base).expanduser().is_dir():
        raise UsageError(f"--base is {settings.base!r}: there is no such folder; fetch the checkpoint, and name its folder")
    try:
        Checkpoint(settings.base).identity()
    except ValueError as error:
        raise UsageError(f"--base: {error}") from error
    return Checkpoint(settings.base)
