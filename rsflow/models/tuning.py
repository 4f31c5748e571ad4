"""What tuning added to a model, kept beside its weights: which layers, of which kind, and their numbers.

One idea: a folder of a tuned model is the base's folder, weights included, with two files more. `tuning.json` says what was
added to which layers, `tuning.safetensors` holds it. Loading the checkpoint by rsflow gives the tuned model; plain
transformers would load the base and not say so, which is why the file also names rsflow.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from rsflow.errors import RsflowError
from rsflow.models.tuned_layers import BiasScaleLinear, MoeLoraLinear

SETTINGS_FILE, WEIGHTS_FILE = "tuning.json", "tuning.safetensors"
FORMAT = "rsflow-tuning-1"
_LAYERS: dict[str, type[BiasScaleLinear] | type[MoeLoraLinear]] = {"bias": BiasScaleLinear, "moe_lora": MoeLoraLinear}


@dataclass(frozen=True, slots=True)
class Tuning:
    """`kind`: "bias" or "moe_lora". `layers`: names of the linear layers that it changes. `settings`: what `convert` takes."""

    kind: str
    layers: tuple[str, ...]
    settings: dict[str, Any]


def apply_tuning(model: nn.Module, tuning: Tuning) -> dict[str, nn.Parameter]:
    """Change the layers in place; returns the added parameters by name. RsflowError for a layer that the model lacks."""
    layers = dict(model.named_modules())
    kind: Any = _LAYERS[tuning.kind]
    for name in tuning.layers:
        layer = layers.get(name)
        if type(layer) is not nn.Linear:
            raise RsflowError(f"{type(model).__name__} has no plain linear layer {name}, to which its tuning belongs")
        kind.convert(layer, **tuning.settings)
    return added_parameters(model, tuning)


def added_parameters(model: nn.Module, tuning: Tuning) -> dict[str, nn.Parameter]:
    """The parameters that the tuning added, by name."""
    added = _LAYERS[tuning.kind].ADDED
    return {f"{name}.{each}": model.get_parameter(f"{name}.{each}") for name in tuning.layers for each in added}


def save_tuned(model: Any, tuning: Tuning, folder: Path) -> None:
    """Write the base's weights as `save_pretrained` does, and the tuning beside them."""
    added = added_parameters(model, tuning)
    state = {name: value for name, value in model.state_dict().items() if name not in added}
    model.save_pretrained(folder, state_dict=state)
    save_file({name: value.detach().cpu().contiguous() for name, value in added.items()}, folder / WEIGHTS_FILE)
    (folder / SETTINGS_FILE).write_text(json.dumps({"format": FORMAT, **asdict(tuning)}, indent=1) + "\n")


def restore_tuning(model: nn.Module, folder: Path) -> bool:
    """Apply the tuning of the folder that the model was loaded from; False where it has none. RsflowError where it is
    damaged."""
    place = folder / SETTINGS_FILE
    if not place.is_file():
        return False
    try:
        content = json.loads(place.read_text())
        if content["format"] != FORMAT:
            raise RsflowError(f"{place}: format {content['format']!r}, expected {FORMAT!r}: upgrade rsflow")
        tuning = Tuning(content["kind"], tuple(content["layers"]), content["settings"])
        weights = load_file(folder / WEIGHTS_FILE)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise RsflowError(f"{place}: the tuning cannot be read ({error}): copy the model's folder again") from error
    added = apply_tuning(model, tuning)
    if added.keys() != weights.keys():
        raise RsflowError(f"{folder / WEIGHTS_FILE}: does not hold the parameters that {SETTINGS_FILE} names")
    for name, value in added.items():
        value.data = weights[name].to(value.device)
    return True
