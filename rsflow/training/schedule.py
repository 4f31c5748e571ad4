"""The learning rate of every step, as a function of the step alone: nothing has to be saved to resume."""

from __future__ import annotations

import math

from rsflow.training.settings import Optimiser


def learning_rate(settings: Optimiser, step: int, steps: int) -> float:
    """Of step 0 to steps - 1: a linear rise over the warm-up, then as `schedule` says, towards 0."""
    warmup = round(settings.warmup_share * steps)
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    shares = {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 * (1.0 + math.cos(math.pi * done))}
    return settings.learning_rate * shares[settings.schedule]
