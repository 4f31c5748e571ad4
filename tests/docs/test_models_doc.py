"""docs/models.md says what the models take and which Auto class of transformers each is."""

from __future__ import annotations

import dataclasses
import inspect
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rsflow.labellers import MODELS, from_settings
from rsflow.labellers.models.model_labeller import ModelLabeller
from rsflow.planning import recipe
from tests.docs.blocks import ROOT, blocks

TEXT = (ROOT / "docs/models.md").read_text()


def test_every_model_is_listed_with_its_auto_class() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ((?:`Auto\w+`(?:, )?)+) \|", TEXT, re.MULTILINE)
    listed = {name: re.findall(r"`(\w+)`", classes) for name, classes in rows}
    assert set(listed) == set(MODELS)
    openers = {
        "open_chat": inspect.getsource(sys.modules["rsflow.labellers.models.chat"]),
        "class_maps": inspect.getsource(sys.modules["rsflow.labellers.models.class_maps"]),
    }
    for name, kind in MODELS.items():
        source = inspect.getsource(sys.modules[kind.__module__])
        shared = next((text for opener, text in openers.items() if opener in source), source)
        for auto_class in listed[name]:
            assert f'"{auto_class}"' in shared, name


def test_every_setting_is_named_and_those_of_all_models_with_their_defaults() -> None:
    own = {field.name: field.default for field in dataclasses.fields(ModelLabeller) if field.init}
    table = {}
    for keys, defaults in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|([^|]*)\|[^|]*\|$", TEXT, re.MULTILINE):
        names, values = re.findall(r"`(\w+)`", keys), re.findall(r"`(.+?)`", defaults)
        table.update(dict(zip(names, values or [""] * len(names), strict=True)))
    said = {name: value for name, value in table.items() if name in own}
    plain = {name: "" if value is dataclasses.MISSING else str(value) for name, value in own.items()}
    assert {name: value.lower() for name, value in plain.items()} == {
        name: value + ".0" if name in {"quality", "gpus", "cpus"} else value for name, value in said.items()
    }
    every = {field.name for kind in MODELS.values() for field in dataclasses.fields(kind) if field.init}
    assert {name for name in every if f"`{name}`" not in TEXT} == set()


def test_the_example_is_a_configuration(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("docs/models.md")
    Path("models.yaml").write_text(block.text)
    shutil.copytree(checkpoint("grounding_dino"), "models/grounding-dino-tiny")
    built = recipe.load("models.yaml")
    labeller = from_settings(built.sources[0].labellers[0])
    assert isinstance(labeller, ModelLabeller)
    assert (labeller.workers, labeller.gpus, labeller.checkpoint[0]) == ((1, 4), 0.5, "grounding-dino-tiny")
    assert [stage.name for stage in recipe.predict_stages(built, built.sources[0])] == [
        "zero_shot_detector grounding-dino-tiny"
    ]
