"""docs/training.md says what the code has."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from rsflow.config.validation import check
from rsflow.training import settings

TEXT = (Path(__file__).parents[2] / "docs/training.md").read_text()
REGIMES = (settings.Full, settings.Lora, settings.MoeLora, settings.Bias)


def names(kind: Any, prefix: str = "") -> list[str]:
    """Keys of the configuration, sections opened."""
    found = []
    for field in dataclasses.fields(kind):
        inner = get_type_hints(kind)[field.name]
        is_section = dataclasses.is_dataclass(inner)
        found += names(inner, f"{prefix}{field.name}.") if is_section else [f"{prefix}{field.name}"]
    return found


def test_every_setting_is_listed() -> None:
    assert [name for name in names(settings.TrainConfig) if f"`{name}`" not in TEXT] == []
    assert [field.name for field in dataclasses.fields(settings.Ray) if f"`{field.name}`" not in TEXT] == []


@pytest.mark.parametrize("regime", REGIMES)
def test_every_regime_has_its_row_with_its_settings(regime: Any) -> None:
    (row,) = re.findall(rf"^\| `{regime().kind}` \|.*$", TEXT, re.MULTILINE)
    assert [field.name for field in dataclasses.fields(regime) if field.name != "kind" and f"`{field.name}`" not in row] == []


def test_the_example_is_a_configuration() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    config = check(settings.TrainConfig, yaml.safe_load(example), "docs")
    assert isinstance(config.regime, get_args(get_args(settings.Regime)[0]))
