"""Linear layers with something trainable added: a scale and a bias, or a router over low-rank experts.

One idea: an existing `nn.Linear` becomes one of these in place: its class changes and it gets parameters of its own, and its
weight keeps its name, so the base's weights load and save as before. Each begins as the layer that it was.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional


class BiasScaleLinear(nn.Linear):
    """y = scale * (W x + b) + shift, per output. EarthGPT's tuning of its language model (https://arxiv.org/abs/2401.16822),
    as in LLaMA-Adapter V2 (https://arxiv.org/abs/2304.15010): scales begin at 1, shifts at 0."""

    ADDED = ("tuned_scale", "tuned_shift")

    tuned_scale: nn.Parameter
    tuned_shift: nn.Parameter

    @classmethod
    def convert(cls, layer: nn.Linear) -> BiasScaleLinear:
        """The same layer, as this class."""
        layer.__class__ = cls
        tuned = cast(BiasScaleLinear, layer)
        place: Any = {"device": layer.weight.device, "dtype": torch.float32}
        tuned.tuned_scale = nn.Parameter(torch.ones(layer.out_features, **place))
        tuned.tuned_shift = nn.Parameter(torch.zeros(layer.out_features, **place))
        return tuned

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        out = super().forward(input)
        return out * self.tuned_scale.to(out.dtype) + self.tuned_shift.to(out.dtype)


class MoeLoraLinear(nn.Linear):
    """y = W x + b + alpha / rank * sum over the `active` experts e of gate_e(x) * B_e A_e x.

    The gates are the softmax of a linear router over all experts, cut to the largest `active` of a token and made to add up
    to 1. `balance_loss` is that of the Switch Transformer (https://arxiv.org/abs/2101.03961, eq. 4): experts × sum over e of
    (share of tokens whose first choice is e) × (mean probability of e); 1 where loads are even. `loads` (rows, experts): mean
    gates.
    """

    ADDED = ("router", "experts_a", "experts_b")

    router: nn.Parameter  # (experts, in)
    experts_a: nn.Parameter  # (experts, rank, in)
    experts_b: nn.Parameter  # (experts, out, rank), zeros at first
    active: int
    scaling: float
    balance_loss: torch.Tensor | None
    loads: torch.Tensor | None

    @classmethod
    def convert(cls, layer: nn.Linear, rank: int, alpha: float, experts: int, active: int) -> MoeLoraLinear:
        """The same layer, as this class."""
        layer.__class__ = cls
        tuned = cast(MoeLoraLinear, layer)
        place: Any = {"device": layer.weight.device, "dtype": torch.float32}
        tuned.router = nn.Parameter(torch.zeros(experts, layer.in_features, **place))
        tuned.experts_a = nn.Parameter(torch.empty(experts, rank, layer.in_features, **place))
        tuned.experts_b = nn.Parameter(torch.zeros(experts, layer.out_features, rank, **place))
        nn.init.normal_(tuned.router, std=0.02)
        nn.init.uniform_(tuned.experts_a, -1 / math.sqrt(layer.in_features), 1 / math.sqrt(layer.in_features))
        tuned.active, tuned.scaling = min(active, experts), alpha / rank
        tuned.balance_loss = tuned.loads = None
        return tuned

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        out = super().forward(input)
        chances = functional.linear(input.to(self.router.dtype), self.router).float().softmax(-1)
        gates = _keep_largest(chances, self.active)
        if self.training:
            self._note_balance(chances, gates)
        inner = torch.einsum("...i,eri->...er", input.to(self.experts_a.dtype), self.experts_a)
        inner = inner * gates[..., None].to(inner.dtype)
        return out + self.scaling * torch.einsum("...er,eor->...o", inner, self.experts_b).to(out.dtype)

    def _note_balance(self, chances: torch.Tensor, gates: torch.Tensor) -> None:
        experts = chances.shape[-1]
        first = functional.one_hot(chances.argmax(-1), experts).float().flatten(0, -2).mean(0)
        self.balance_loss = experts * (first * chances.flatten(0, -2).mean(0)).sum()
        self.loads = gates.detach().flatten(1, -2).mean(1) if gates.ndim > 2 else gates.detach()


def _keep_largest(chances: torch.Tensor, active: int) -> torch.Tensor:
    """The largest `active` of each row, made to add up to 1; the rest 0."""
    values, places = chances.topk(active, dim=-1)
    return torch.zeros_like(chances).scatter(-1, places, values / values.sum(-1, keepdim=True))
