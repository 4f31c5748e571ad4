"""The house rules that a machine can keep: floors, public names, budgets, and the two wings."""

from __future__ import annotations

import ast
import functools
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import rsflow

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "rsflow").rglob("*.py"))
DOZEN = 12
# Of a folder that is a table: what its rows share without a folder of its own.
SHARED = {"contract", "options"}


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_public_names_are_pinned() -> None:
    assert sorted(rsflow.__all__) == ["__version__", "collate", "stream"]


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path) for path in MODULES if not ast.get_docstring(parse(path))] == []


def test_modules_stay_small() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert statistics.median(lines.values()) <= 130
    assert {str(path): n for path, n in lines.items() if n > 300} == {}


def test_a_folder_holds_a_dozen_modules_or_the_rows_of_its_table() -> None:
    """Where there are more, each is a row: imported by the folder's `__init__` (of `cli`: `app`), or is what the rows share."""
    long = {}
    for folder in {path.parent for path in MODULES}:
        names = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
        others = names - _rows(folder) - SHARED
        if len(names) > DOZEN and others:
            long[folder.relative_to(ROOT).as_posix()] = sorted(others)
    assert long == {}


def _rows(folder: Path) -> set[str]:
    package = ".".join(folder.relative_to(ROOT).parts)
    imports = [
        node
        for table in (folder / "__init__.py", folder / "app.py")
        if table.exists()
        for node in ast.walk(parse(table))
        if isinstance(node, ast.ImportFrom)
    ]
    modules = [f"{node.module}.{name.name}" for node in imports for name in node.names]
    return {name.removeprefix(f"{package}.").split(".")[0] for name in modules if name.startswith(f"{package}.")}


def test_functions_stay_small() -> None:
    lengths = [
        (node.end_lineno or 0) - node.lineno + 1
        for path in MODULES
        for node in ast.walk(parse(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    assert statistics.median(lengths) <= 10


def test_nothing_is_unpickled_or_evaluated() -> None:
    calls = {"eval", "exec", "pickle.load", "pickle.loads", "torch.load", "yaml.load", "yaml.unsafe_load"}
    found = [
        f"{path}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in calls
    ]
    assert found == []


BLOCKED = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(name + " is not of this wing")
sys.meta_path.insert(0, Refuse())
{code}
"""


@pytest.mark.parametrize(
    ("blocked", "code"),
    [
        ({"ray", "rasterio", "deltalake", "pydantic", "pyarrow"}, "import rsflow; rsflow.stream"),
        (
            {"torch", "transformers"},
            "import rsflow.phases.build, rsflow.planning.recipe, rsflow.engine.cluster.ray_data, rsflow.cli",
        ),
        (
            {"torch", "transformers", "ray"},
            "import rsflow.phases.build, rsflow.report.build_summary, rsflow.report.pictures.show",
        ),
    ],
    ids=["loading needs no ray", "building needs no torch", "inline building does not load ray"],
)
def test_the_wings_are_apart(blocked: set[str], code: str) -> None:
    program = BLOCKED.format(blocked=blocked, code=code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
