"""CONTRIBUTING and the glossary name what there is; `make quick` chooses tests; hooks run what is installed."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import ROOT
from tests.quick import choose_tests

DOCUMENTS = ["CONTRIBUTING.md", "docs/glossary.md"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_that_are_named_exist(document: str) -> None:
    named = re.findall(r"`((?:rsflow|tests|docs)/[\w/.]*)`", (ROOT / document).read_text())
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_tour_names_what_there_is() -> None:
    named = re.findall(r"`(rsflow(?:\.\w+)+)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert len(named) > 15
    assert [name for name in named if not exists(name)] == []


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or something of one."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return hasattr(importlib.import_module(module), attribute)
    return True


def test_the_glossary_has_each_word_once_in_a_small_table() -> None:
    words = re.findall(r"^\| ([a-z ]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    assert len(words) == len(set(words)) <= 30


def test_a_changed_module_brings_its_own_tests_first_and_those_that_import_it(tmp_path: Path) -> None:
    for path, text in {
        "rsflow/tiles/grid.py": "",
        "tests/tiles/test_grid.py": "",
        "tests/tiles/test_other.py": "from rsflow.tiles import encode, grid\n",
        "tests/phases/test_build.py": "from rsflow.tiles.grid import tile_windows\n",
        "tests/lake/test_tables.py": "from rsflow.tiles.gridless import x\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    chosen = choose_tests(["rsflow/tiles/grid.py", "rsflow/gone.py"], tmp_path)
    assert chosen == ["tests/tiles/test_grid.py", "tests/structure", "tests/phases/test_build.py", "tests/tiles/test_other.py"]
    assert choose_tests(["tests/lake/test_tables.py"], tmp_path)[0] == "tests/lake/test_tables.py"


def test_hooks_run_tools_of_the_project() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    project = (ROOT / "pyproject.toml").read_text()
    tools = {"ruff": "ruff", "lint-imports": "import-linter"}
    for hook in repository["hooks"]:
        assert f'"{tools[Path(hook["entry"].split()[0]).name]}>=' in project
        re.compile(hook.get("files", ""))
