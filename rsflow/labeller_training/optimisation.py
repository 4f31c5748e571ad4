"""The training loop: steps, learning rate, and a state that a stopped training goes on from.

One idea: a step depends on the settings and its number alone, so the state is the weights, the optimiser's moments and the
number of the next step, in safetensors beside a JSON that says which training it is of. AdamW with a learning rate that rises
over the first tenth of the steps and falls to nothing along a cosine (https://arxiv.org/abs/1711.05101).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rsflow.errors import RsflowError, UsageError
from rsflow.files.faults import translate_errors

STATE_FOLDER = "unfinished"  # within the output folder, while a training is not done
SAVE_SECONDS = 60.0
WEIGHT_DECAY = 0.01
MAX_GRADIENT = 5.0  # norm
_WARM_UP = 0.1  # share of the steps
_MOMENTS = ("exp_avg", "exp_avg_sq")

Loss = Callable[[int], Any]  # step -> the loss of its batch


def learning_rate_share(step: int, steps: int) -> float:
    """The share of the peak learning rate at a step."""
    warm = max(1, round(steps * _WARM_UP))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def optimise(
    model: Any,
    loss: Loss,
    steps: int,
    peak_learning_rate: float,
    state: TrainingState,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> None:
    """Train in place, from where the state is. RsflowError where the loss is no finite number."""
    import torch

    decayed = [weights for weights in model.parameters() if weights.ndim > 1]
    others = [weights for weights in model.parameters() if weights.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=peak_learning_rate, fused=True)
    saved = time.monotonic()
    for step in range(state.restore(model, optimiser), steps):
        for group in optimiser.param_groups:
            group["lr"] = peak_learning_rate * learning_rate_share(step, steps)
        value = loss(step)
        number = float(value.detach())
        if not math.isfinite(number):
            raise RsflowError(f"the loss of step {step} is {number}: try a smaller --learning-rate than {peak_learning_rate:g}")
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT)
        optimiser.step()
        on_step(step, number)
        if time.monotonic() - saved > SAVE_SECONDS and step + 1 < steps:
            with translate_errors(str(state.folder), "write"):
                state.save(model, optimiser, step + 1)
            saved = time.monotonic()


class TrainingState:
    """What a training goes on from, in a folder; `key` says which training it is of."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.key = key

    def restore(self, model: Any, optimiser: Any) -> int:
        """Load what was saved; the step to go on with, 0 where nothing was. UsageError where it is of another training."""
        import torch
        from safetensors.torch import load_file

        note = self.folder / "state.json"
        if not note.is_file():
            return 0
        known = json.loads(note.read_text())
        if known["key"] != self.key:
            raise UsageError(
                f"{self.folder.parent}: holds an unfinished training with other settings, tiles or labels: give another -o, or "
                f"delete {self.folder}"
            )
        tensors = load_file(self.folder / known["file"])
        model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
        for number, weights in enumerate(_parameters(optimiser)):
            if (updates := tensors.get(f"step.{number}")) is None:
                continue
            # Laid out in memory as the weights are: the fused optimiser goes through both side by side.
            moments = {name: torch.empty_like(weights).copy_(tensors[f"{name}.{number}"]) for name in _MOMENTS}
            optimiser.state[weights] = {"step": updates, **moments}
        return int(known["step"])

    def save(self, model: Any, optimiser: Any, step: int) -> None:
        """Write the state of before `step`; the one of before stays until this one is whole."""
        from safetensors.torch import save_file

        self.folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"model.{name}": value.contiguous() for name, value in model.state_dict().items()}
        for number, weights in enumerate(_parameters(optimiser)):
            # Some weights have no gradient in some steps (RT-DETR's of denoising, where crops show no object): each has its own
            # number of updates, and no moments before the first.
            for name, value in optimiser.state.get(weights, {}).items():
                tensors[f"{name}.{number}"] = value.contiguous()
        file = f"step-{step}.safetensors"
        save_file(tensors, self.folder / file)
        part = self.folder / "state.json.part"
        part.write_text(json.dumps({"key": self.key, "step": step, "file": file}))
        part.replace(self.folder / "state.json")
        for other in self.folder.glob("step-*.safetensors"):
            if other.name != file:
                other.unlink()


def _parameters(optimiser: Any) -> list[Any]:
    return [weights for group in optimiser.param_groups for weights in group["params"]]
