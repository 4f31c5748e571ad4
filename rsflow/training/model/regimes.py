"""Regimes: which parameters a run trains, what it adds to the model for that, and how the result is saved.

One idea: a regime is applied to a loaded model in place and leaves a `Tuned` behind. What is trained is float32, whatever the
base was saved in; what is fixed is held in the run's own precision. The saved model loads by the same `from_pretrained` as
the base: low-rank updates are added to the weights they belong to, scales and biases and experts are saved beside the base's
weights (rsflow.models.tuning), because an architecture may have no place for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rsflow.errors import ConfigError, UsageError
from rsflow.models.tuning import Tuning, apply_tuning, save_tuned
from rsflow.training.settings import Bias, Full, Lora, MoeLora, Regime, Targets


@dataclass(frozen=True)
class Tuned:
    """`model`: what is called and trained. `parameters`: the trained ones by name. `save`: writes the whole model into a
    folder."""

    model: nn.Module
    parameters: dict[str, nn.Parameter]
    save: Callable[[Path], None]
    total: int

    @property
    def trained(self) -> int:
        """Numbers that are trained."""
        return sum(value.numel() for value in self.parameters.values())

    @property
    def share(self) -> float:
        """Of the model's numbers, those that are trained."""
        return self.trained / self.total


def apply_regime(model: Any, regime: Regime, precision: str, groups: int) -> Tuned:
    """`groups`: pairs of a sensor and a task in the data. ConfigError where the regime names nothing in this model."""
    match regime:
        case Full():
            _select_parameters(model, regime)
            return _tuned(model, precision, model.save_pretrained)
        case Lora():
            return _apply_lora(model, regime, precision)
        case MoeLora():
            experts = regime.experts or max(groups, regime.active)
            settings = {"rank": regime.rank, "alpha": regime.alpha, "experts": experts, "active": regime.active}
            return _apply_tuning(model, Tuning("moe_lora", target_layers(model, regime.targets), settings), precision)
        case Bias():
            return _apply_tuning(model, Tuning("bias", target_layers(model, regime.targets), {}), precision)


def target_layers(model: Any, targets: Targets) -> tuple[str, ...]:
    """Names of the linear layers that a regime changes, sorted. The layer that gives the next token's scores is none of
    them."""
    head = model.get_output_embeddings()
    linear = {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear) and layer is not head}
    if targets == "language":
        inside = set(model.get_decoder().modules())
        linear = {name: layer for name, layer in linear.items() if layer in inside}
    elif targets != "all":
        known = sorted({name.rpartition(".")[2] for name in linear})
        if missing := [end for end in targets if not any(_ends_like(name, end) for name in linear)]:
            raise ConfigError(f"regime.targets: found {missing[0]!r}; the model's linear layers are named {', '.join(known)}")
        linear = {name: layer for name, layer in linear.items() if any(_ends_like(name, end) for end in targets)}
    return tuple(sorted(linear))


def _ends_like(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")


def _select_parameters(model: nn.Module, regime: Full) -> None:
    names = [name for name, _ in model.named_parameters()]
    for key, patterns in (("only", regime.only), ("freeze", regime.freeze)):
        for pattern in patterns:
            if not _matches(names, pattern, key):
                raise ConfigError(f"regime.{key}: {pattern!r} matches no parameter of the model (they are named as {names[0]})")
    for name, value in model.named_parameters():
        chosen = not regime.only or any(re.search(pattern, name) for pattern in regime.only)
        value.requires_grad_(chosen and not any(re.search(pattern, name) for pattern in regime.freeze))


def _matches(names: Sequence[str], pattern: str, key: str) -> bool:
    try:
        return any(re.search(pattern, name) for name in names)
    except re.error as error:
        raise ConfigError(f"regime.{key}: {pattern!r} is no regular expression ({error})") from error


def _apply_lora(model: Any, regime: Lora, precision: str) -> Tuned:
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise UsageError(f"regime lora needs peft: pip install 'rsflow[tune]' ({error})") from error
    layers = list(target_layers(model, regime.targets))
    settings: Any = {"r": regime.rank, "lora_alpha": regime.alpha, "lora_dropout": regime.dropout, "target_modules": layers}
    wrapped: Any = get_peft_model(model, LoraConfig(**settings))

    def save(folder: Path) -> None:
        wrapped.merge_adapter()
        names = {name: name.replace(".base_layer.", ".") for name in wrapped.base_model.model.state_dict()}
        merged = wrapped.base_model.model.state_dict()
        state = {names[name]: value for name, value in merged.items() if "lora_" not in name}
        wrapped.base_model.model.save_pretrained(folder, state_dict=state)
        wrapped.unmerge_adapter()

    return _tuned(wrapped, precision, save)


def _apply_tuning(model: Any, tuning: Tuning, precision: str) -> Tuned:
    model.requires_grad_(False)
    for value in apply_tuning(model, tuning).values():
        value.requires_grad_(True)
    return _tuned(model, precision, lambda folder: save_tuned(model, tuning, folder))


def _tuned(model: Any, precision: str, save: Callable[[Path], None]) -> Tuned:
    for value in model.parameters():
        frozen_type = torch.bfloat16 if precision == "bfloat16" else torch.float32
        value.data = value.data.to(torch.float32 if value.requires_grad else frozen_type)
    parameters = {name: value for name, value in model.named_parameters() if value.requires_grad}
    return Tuned(model, parameters, save, sum(value.numel() for value in model.parameters()))


def describe_regime(regime: Regime, tuned: Tuned) -> str:
    """One line: what is trained of what."""
    settings = {name: value for name, value in asdict(regime).items() if name != "kind" and value not in (None, ())}
    shown = "".join(f", {name} {value}" for name, value in settings.items())
    return f"{regime.kind}{shown}: {tuned.trained:,} of {tuned.total:,} parameters are trained ({tuned.share:.2%})"
