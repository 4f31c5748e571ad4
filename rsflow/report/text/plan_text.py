"""What a build would do, in words: the text of `rsflow plan` and the end of `rsflow status`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rsflow.report.text.counts_table import format_bytes
from rsflow.report.text.usage_text import usage_text

STATES = {
    "new": "new",
    "changed": "changed since they were labelled",
    "to_label": "known, but labelled under other settings or not to their end",
    "done": "done",
    "rejected": "rejected before (--retry-rejects tries them again)",
    "gone": "in the lake, but no longer among the sources: they leave the dataset",
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model's missing work: at most `tiles`. `expected`: amounts by name, going by `measured` tiles (0: none yet)."""

    name: str
    tiles: int
    measured: int
    expected: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """Scenes by state, and the work that is missing: units, tiles and bytes to read, units that need new instructions."""

    scenes: Mapping[str, int]
    units: int
    tiles: int
    bytes: int
    instruct_units: int
    models: tuple[ModelFacts, ...] = ()
    layers: tuple[str, ...] = ()  # a line for each layer on the ground
    source_lines: tuple[str, ...] = ()  # what a build will see of each source
    warnings: tuple[str, ...] = ()


def plan_text(plan: PlanFacts) -> str:
    """A line per state of scenes that occurs, one or more per source and one per layer on the ground, then the work."""
    states = [f"{plan.scenes[name]:>9,}  {words}" for name, words in STATES.items() if plan.scenes.get(name)]
    if plan.units:
        work = (
            f"to do: cut and label {plan.tiles:,} tiles in {plan.units:,} units, reading {format_bytes(plan.bytes)} of pixels; "
            f"make instructions for {plan.instruct_units:,} units"
        )
    elif plan.instruct_units:
        work = f"to do: make instructions for {plan.instruct_units:,} units (no pixel is read)"
    else:
        work = "to do: nothing to label"
    models = [_model(model) for model in plan.models if model.tiles]
    warnings = [f"warning: {warning}" for warning in plan.warnings]
    return "\n".join(["scenes", *states, *plan.source_lines, *plan.layers, *warnings, work, *models])


def _model(model: ModelFacts) -> str:
    head = f"model {model.name}: {model.tiles:,} tiles"
    if not model.measured:
        return f"{head}; what they take is not known: nothing was measured yet (rsflow plan CONFIG --sample 2)"
    return f"{head}; about {usage_text(model.expected)}, going by {model.measured:,} tiles"
