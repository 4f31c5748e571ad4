"""What a run resumes from: trained parameters, the optimiser's moments, and where the stream is.

One idea: a checkpoint is a folder that appears whole, under its step's number, by one rename; a process that is killed while
it writes leaves a folder that nothing reads and the next checkpoint replaces. Tensors are safetensors, the rest is JSON:
nothing is unpickled. Random numbers and the learning rate follow from the step, so they are not saved.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from rsflow.errors import RsflowError

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")
_PARTIAL = ".partial"


def save_checkpoint(
    folder: Path, step: int, parameters: Mapping[str, torch.nn.Parameter], optimiser: torch.optim.Optimizer, state: Any
) -> Path:
    """Write the checkpoint of a step into `folder`; returns its own folder. `parameters`: those that are trained, by name."""
    target, part = folder / f"{step:08d}", folder / f"{step:08d}{_PARTIAL}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    save_file({name: value.detach().cpu().contiguous() for name, value in parameters.items()}, part / "weights.safetensors")
    moments = {
        f"{field}/{name}": optimiser.state[value][field].detach().cpu().contiguous()
        for name, value in parameters.items()
        for field in _MOMENTS
        if field in optimiser.state.get(value, {})
    }
    save_file(moments, part / "optimiser.safetensors")
    (part / "state.json").write_text(json.dumps(state, indent=1) + "\n")
    _replace(part, target)
    return target


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint, None where there is none."""
    found = sorted(path for path in folder.glob("*") if path.name.isdigit() and path.is_dir())
    return found[-1] if found else None


def read_state(checkpoint: Path) -> dict[str, Any]:
    """What was given as `state`. RsflowError where the file is missing or damaged."""
    place = checkpoint / "state.json"
    try:
        return dict(json.loads(place.read_text()))
    except (OSError, ValueError) as error:
        raise RsflowError(f"{place}: cannot be read ({error}): remove {checkpoint} to resume from the one before") from error


def load_checkpoint(checkpoint: Path, parameters: Mapping[str, torch.nn.Parameter], optimiser: torch.optim.Optimizer) -> None:
    """Give the parameters and the optimiser the values that were saved. RsflowError where they are of another model."""
    weights, moments = (_read_tensors(checkpoint / f"{name}.safetensors") for name in ("weights", "optimiser"))
    shapes = {name: tuple(value.shape) for name, value in parameters.items()}
    if (found := {name: tuple(value.shape) for name, value in weights.items()}) != shapes:
        names = sorted(name for name in shapes.keys() | found.keys() if shapes.get(name) != found.get(name))
        raise RsflowError(f"{checkpoint}: holds parameters of another model or regime ({len(names)}, as {names[0]})")
    for name, value in parameters.items():
        with torch.no_grad():
            value.copy_(weights[name])
        found_moments = {field: moments[f"{field}/{name}"] for field in _MOMENTS if f"{field}/{name}" in moments}
        if found_moments:
            optimiser.state[value] = {
                field: tensor if field == "step" else tensor.to(value.device) for field, tensor in found_moments.items()
            }


def prune_checkpoints(folder: Path, keep: int) -> None:
    """Remove all but the newest, and what killed processes left."""
    whole = sorted(path for path in folder.glob("*") if path.name.isdigit())
    for path in [*whole[:-keep], *folder.glob(f"*{_PARTIAL}")]:
        shutil.rmtree(path, ignore_errors=True)


def _replace(part: Path, target: Path) -> None:
    for file in part.iterdir():
        with open(file, "rb") as stream:
            os.fsync(stream.fileno())
    shutil.rmtree(target, ignore_errors=True)
    os.replace(part, target)


def _read_tensors(place: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(place)
    except (OSError, SafetensorError) as error:
        raise RsflowError(f"{place}: cannot be read ({error}): remove {place.parent} to resume from the one before") from error
