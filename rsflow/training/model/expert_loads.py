"""How the experts of a `moe_lora` run are used: the loss that keeps them even, and which sensor and task uses which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from rsflow.models.tuned_layers import MoeLoraLinear


class ExpertLoads:
    """Of all layers with experts in a model. `weight`: of the balance loss."""

    def __init__(self, model: nn.Module, weight: float) -> None:
        self.layers = [layer for layer in model.modules() if isinstance(layer, MoeLoraLinear)]
        self.weight = weight
        self._sums: dict[str, torch.Tensor] = {}
        self._rows: dict[str, int] = defaultdict(int)

    def balance_loss(self, groups: Sequence[str]) -> Any:
        """The weighted mean over layers, of the last forward pass, whose rows were of these groups."""
        losses = [layer.balance_loss for layer in self.layers if layer.balance_loss is not None]
        loads = [layer.loads for layer in self.layers if layer.loads is not None and len(layer.loads) == len(groups)]
        if loads:
            self._add(torch.stack(loads).mean(0).cpu(), groups)
        return self.weight * torch.stack(losses).mean() if losses else 0.0

    def shares(self) -> dict[str, list[float]]:
        """ "sensor/task" -> share of its rows' tokens that each expert got, since this process began."""
        return {
            group: [round(float(share), 4) for share in total / self._rows[group]]
            for group, total in sorted(self._sums.items())
        }

    def _add(self, loads: torch.Tensor, groups: Sequence[str]) -> None:
        for group, row in zip(groups, loads, strict=True):
            self._sums[group] = self._sums.get(group, torch.zeros_like(row)) + row
            self._rows[group] += 1
