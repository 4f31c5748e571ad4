"""docs/generation.md names the kinds, the engines and where records lie, and its configuration is one."""

from __future__ import annotations

import re

import yaml

from rsflow.config import settings as config
from rsflow.config.generation_settings import Generation
from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.generation import ENGINES
from rsflow.generation.recording import FOLDER, MAX_CONSECUTIVE_FAILURES
from rsflow.instructions.prompts import KINDS
from rsflow.planning.groups.companion_pairs import SAME_GROUND
from rsflow.stages.generate.generate_tiles import GenerateTiles
from rsflow.stages.generate.generated_texts import LEAST_PAIRS
from tests.docs.blocks import ROOT, blocks

TEXT = (ROOT / "docs/generation.md").read_text()


def test_the_configuration_that_is_shown_is_one() -> None:
    block, own = blocks("docs/generation.md")
    assert GenerateTiles.of(check(BuildConfig, yaml.safe_load(block.text), block.place))
    assert check(Generation, yaml.safe_load(own.text)["generation"], own.place).prompts


def test_kinds_and_engines_are_listed() -> None:
    tasks = dict(re.findall(r"^\| `(\w+)` \| `(\w+)`", TEXT, re.MULTILINE))
    assert tasks == {name: kind.task for name, kind in KINDS.items()}
    assert set(re.findall(r"^\| `(\w+)` \| [^`\n]*(?:`pip|an endpoint)", TEXT, re.MULTILINE)) == set(ENGINES)
    assert all(f"`{key}`" in TEXT for key in config.Budget.__dataclass_fields__)


def test_the_numbers_are_those_of_the_code() -> None:
    words = {2: "two", 20: "Twenty"}
    assert f"{words[MAX_CONSECUTIVE_FAILURES]} failures in a row" in TEXT
    assert f"where {words[LEAST_PAIRS]} pairs remain" in TEXT
    assert f"at least {SAME_GROUND * 100:.0f} % of their union" in TEXT
    assert f"`{FOLDER}/`" in TEXT
