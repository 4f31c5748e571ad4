"""A training that goes on from its state is the one that was not stopped, whatever a step gave a gradient to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from rsflow.labeller_training import optimisation
from rsflow.labeller_training.optimisation import TrainingState, optimise


def train(folder: Path, last: int) -> Any:
    """Of 8 steps those up to `last`. The second layer gets a gradient in every third step alone, the third in none."""
    torch.manual_seed(0)
    model = torch.nn.ModuleList([torch.nn.Conv2d(3, 3, 3).to(memory_format=torch.channels_last) for _ in range(3)])

    def loss(step: int) -> Any:
        if step > last:
            raise KeyboardInterrupt
        pictures = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(step))
        found = model[0](pictures)
        return (model[1](found) if step % 3 == 2 else found).square().mean()

    try:
        optimise(model, loss, 8, 0.01, TrainingState(folder, "key"))
    except KeyboardInterrupt:
        return None
    return model.state_dict()


@pytest.mark.parametrize("last", [0, 3, 6])
def test_weights_that_some_steps_do_not_touch_go_on_as_they_were(
    last: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimisation, "SAVE_SECONDS", -1.0)
    assert train(tmp_path / "stopped", last) is None
    resumed, whole = train(tmp_path / "stopped", 8), train(tmp_path / "whole", 8)
    assert all(torch.equal(value, whole[name]) for name, value in resumed.items())
