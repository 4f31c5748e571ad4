"""docs/configuration.md names every setting and its default, as the code has them."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from rsflow.config import annotation_settings, group_settings
from rsflow.config import generation_settings as generation
from rsflow.config import select_settings as selection
from rsflow.config import settings as config
from rsflow.config.settings import BuildConfig
from rsflow.config.stac_settings import StacSearch
from rsflow.config.tile_settings import Zoom
from rsflow.generation import ENGINES
from rsflow.generation.api.api_access import Prices
from rsflow.generation.endpoint import Limits
from rsflow.ground import layer_settings, raster_settings
from rsflow.labellers import LABELLERS
from rsflow.readers import READERS
from rsflow.sensors import SENSOR_NAMES
from tests.docs.blocks import ROOT

TEXT = (ROOT / "docs/configuration.md").read_text()
SECTIONS: dict[str, Any] = {
    "sources": config.Source,
    "sources: scenes": config.Scenes,
    "sources: scenes: stac": StacSearch,
    "sources: annotations": config.Annotations,
    "annotations: vector": layer_settings.VectorOptions,
    "annotations: vector: rules": layer_settings.Rule,
    "annotations: vector: validity": layer_settings.Validity,
    "annotations: vector: registration": layer_settings.Registration,
    "annotations: cover": raster_settings.CoverOptions,
    "annotations: field": raster_settings.FieldOptions,
    "sources: published": config.Published,
    "tiles": config.Tiles,
    "render": config.Render,
    "screen": config.Screen,
    "labels": config.Labels,
    "instructions": config.Instructions,
    "groups": group_settings.Groups,
    "transfer": group_settings.Transfer,
    "groups: changes": group_settings.Changes,
    "annotations: dates": annotation_settings.Period,
    "zoom": Zoom,
    "generation": generation.Generation,
    "generation: prompts": generation.PromptFile,
    "generation: reader": generation.Reader,
    **{f"generation: {name}": kind for name, kind in ENGINES.items()},
    "generation: openai: prices": Prices,
    "generation: openai: limits": Limits,
    "select": selection.Select,
    "select: held_out": selection.HeldOut,
    "select: balance": selection.Balance,
    "select: repeat": selection.Repeat,
    "shard": config.Shard,
    "budget": config.Budget,
    "engine": config.Engine,
    **{f"labeller: {name}": kind for name, kind in LABELLERS.items() if f"\n## labeller: {name}\n" in TEXT},
}


def rows(section: str) -> dict[str, tuple[str, str]]:
    """key -> (default as written, meaning) of a section's table."""
    (body,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return {
        key: (default, meaning) for key, default, meaning in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", body, re.MULTILINE)
    }


def default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
        return "see below" if dataclasses.is_dataclass(default) else default
    return "required" if field.default is dataclasses.MISSING else field.default


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_listed_with_its_default(section: str) -> None:
    written = rows(section)
    fields = {field.name: field for field in dataclasses.fields(SECTIONS[section])}
    assert list(written) == list(fields)
    for name, field in fields.items():
        default, spelled = default_of(field), written[name][0]
        if default in ("required", "see below", None):
            assert spelled == (default or "none"), name
        else:
            value = yaml.safe_load(spelled.strip("`"))
            assert (value, type(value)) == (
                (list(default), list) if isinstance(default, tuple) else (default, type(default))
            ), name


@pytest.mark.parametrize("section", SECTIONS)
def test_every_choice_is_named(section: str) -> None:
    for name, hint in get_type_hints(SECTIONS[section]).items():
        choices = [value for value in get_args(hint) if isinstance(value, str)]
        choices += [value for option in get_args(hint) for value in get_args(option) if isinstance(value, str)]
        # The sensors are listed once, at `sources: sensor`.
        if name in rows(section) and (name == "sensor" or set(choices) != set(SENSOR_NAMES)):
            assert [value for value in choices if f"`{value}`" not in rows(section)[name][1]] == [], name


def test_the_tables_of_the_code_are_named() -> None:
    assert all(f"`{name}`" in rows("sources")["reader"][1] for name in READERS)
    assert all(f"`{name}`" in rows("sources")["sensor"][1] for name in SENSOR_NAMES)


def test_a_labeller_without_a_section_has_its_settings_in_its_row() -> None:
    labels = (ROOT / "docs/labels.md").read_text()
    for name, kind in LABELLERS.items():
        if f"labeller: {name}" not in SECTIONS:
            (row,) = re.findall(rf"^\| `{name}` \| .*\|$", labels, re.MULTILINE)
            assert [field.name for field in dataclasses.fields(kind) if f"`{field.name}`" not in row] == [], name


def test_the_top_of_the_file() -> None:
    (body,) = re.findall(r"^## The file\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    named = [name for keys in re.findall(r"^\| (`.*?`) \|", body, re.MULTILINE) for name in re.findall(r"`(\w+)`", keys)]
    assert named == [field.name for field in dataclasses.fields(BuildConfig)]
    assert rows("The file")["seed"][0] == f"`{BuildConfig.seed}`"
    assert rows("The file")["max_reject_share"][0] == f"`{BuildConfig.max_reject_share}`"
