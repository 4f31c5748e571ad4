"""EarthGPT's two trained stages as two runs: captions first, then all instructions (arXiv:2401.16822).

From the paper: stage 2, "cross-modal mutual comprehension", trains the projection, self-attention and norms of the decoder on
image-text pairs; stage 3, "unified instruction tuning", freezes these and trains a bias and a scale on the decoder's linear
layers. Both encoders are frozen throughout. Ours, because the paper does not tell: rates, batch size, epochs, and that the
pairs of stage 2 are the snapshot's own captions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rsflow.config.validation import check
from rsflow.training.run import Outcome, train
from rsflow.training.settings import TrainConfig

MUTUAL_COMPREHENSION: dict[str, Any] = {
    "regime": {"kind": "full", "only": [r"^projection\.", r"^language_model\..*\.self_attn\.", r"^language_model\..*norm"]},
    "data": {"tasks": ["captioning"], "grouping": "each"},
    "optimiser": {"learning_rate": 1e-4, "batch_size": 64},
}
INSTRUCTION_TUNING: dict[str, Any] = {
    "regime": {"kind": "bias", "targets": "language"},
    "data": {"grouping": "joined"},
    "optimiser": {"learning_rate": 1e-3, "batch_size": 64},
}


def run_stages(
    base: Mapping[str, Any], stage_2: Mapping[str, Any], stage_3: Mapping[str, Any], say: Callable[[str], None] = print
) -> Outcome:
    """Run, or go on with, both stages; returns the second's outcome.

    `base`: settings of both, with `root`, `base_model` and `output`, below which each stage has a folder. `stage_2`,
    `stage_3`: what differs from the settings above. ConfigError as `train` raises it.
    """
    output = Path(base["output"])
    say("stage 2, cross-modal mutual comprehension")
    first = train(_config(base, MUTUAL_COMPREHENSION, stage_2, output / "stage-2"), say)
    say("stage 3, unified instruction tuning")
    return train(_config({**base, "base_model": str(first.model)}, INSTRUCTION_TUNING, stage_3, output / "stage-3"), say)


def _config(base: Mapping[str, Any], stage: Mapping[str, Any], changes: Mapping[str, Any], output: Path) -> TrainConfig:
    merged: dict[str, Any] = {**base, "output": str(output)}
    for layer in (stage, changes):
        for key, value in layer.items():
            before = merged.get(key)
            if key != "regime" and isinstance(before, dict) and isinstance(value, dict):
                merged[key] = {**before, **value}
            else:
                merged[key] = value
    return check(TrainConfig, merged, output.name)
