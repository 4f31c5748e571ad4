"""Adding one of each kind as docs/extending.md shows it, on a copy of the tree: what it touches, and that this is all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

KINDS = ("labeller", "reader", "annotation format", "task", "dialect", "sensor", "product", "check", "export", "command")
COPIED = ("rsflow", "docs", "tests", "pyproject.toml", "README.md", "CONTRIBUTING.md", "Makefile", "constraints.txt", "configs")
# What a document or the house says of every row of a table; none of these tests may need a change.
HOUSE = (
    "tests/docs/test_configuration.py",
    "tests/docs/test_readme.py::test_every_row_of_a_table_is_documented",
    "tests/docs/test_documents.py::test_the_labellers_and_what_was_measured_are_listed",
    "tests/docs/test_documents.py::test_the_tasks_are_listed",
    "tests/instructions/test_checks.py::test_the_page_lists_every_check_and_its_example_runs",
    "tests/cli/test_commands.py::test_every_command_is_documented",
    "tests/labellers/test_settings.py",
    "tests/testing/test_kit.py",
    "tests/dialects/test_dialects.py",
    "tests/demo/test_write.py",
    "tests/imports/test_json_records.py",
    "tests/structure/test_house.py::test_every_module_says_what_it_is_for",
)


@dataclass
class Example:
    """What a section of the document adds: new files by path, and by path of an existing file its lines (sign, text)."""

    files: dict[str, str] = field(default_factory=dict)
    edits: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


def example(kind: str) -> Example:
    text = (ROOT / "docs/extending.md").read_text()
    (section,) = re.findall(rf"^## An? {kind}\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    found = Example()
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        if language == "python":
            name, _, content = block.partition("\n")
            found.files[name.removeprefix("# ")] = content
        else:
            found.edits.update(edits(block))
    return found


def edits(block: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for part in re.split(r"^# (?=[\w/.]+$)", block, flags=re.MULTILINE)[1:]:
        name, *lines = part.splitlines()
        yield name, [(line[0], line[1:]) for line in lines]


def apply(tree: Path, found: Example) -> None:
    for name, content in found.files.items():
        assert not (tree / name).exists(), f"{name} is there already"
        (tree / name).write_text(content)
    for name, lines in found.edits.items():
        text = (tree / name).read_text()
        for (sign, before), (added, after) in zip(lines[::2], lines[1::2], strict=True):
            assert added == "+"
            if sign == "-":
                assert text.count(before) == 1, f"{name}: {before!r} is there {text.count(before)} times"
                text = text.replace(before, after)
            else:
                (line,) = {line for line in text.splitlines() if line.startswith(before)}
                text = text.replace(f"{line}\n", f"{line}\n{after}\n", 1)
        (tree / name).write_text(text)


def changes(before: dict[str, str], after: dict[str, str]) -> tuple[list[str], dict[str, list[str]]]:
    """(new files, by changed file the lines that were not there)."""
    new = sorted(after.keys() - before.keys())
    changed = {name: text for name, text in after.items() if name in before and before[name] != text}
    return new, {
        name: [line for line in text.splitlines() if line not in before[name].splitlines()] for name, text in changed.items()
    }


def contents(tree: Path) -> dict[str, str]:
    paths = [path for path in tree.rglob("*") if path.suffix in {".py", ".md", ".toml"} and path.is_file()]
    return {path.relative_to(tree).as_posix(): path.read_text() for path in paths}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name)  # compiled files too: they are as good there
        else:
            shutil.copy(source, copy / name)
    return copy


@pytest.mark.parametrize("kind", KINDS)
def test_one_more_touches_one_file_one_line_one_row_and_one_test(tree: Path, kind: str) -> None:
    before = contents(tree)
    apply(tree, example(kind))
    new, changed = changes(before, contents(tree))
    code = [name for name in new if name.startswith("rsflow/")]
    assert (len(code), len(new)) == (1, 2), new
    assert new[1].startswith("tests/")
    (table,) = [name for name in changed if name.startswith("rsflow/")]
    (document,) = [name for name in changed if name.startswith("docs/")]
    assert len(changed) == 2
    rows = [line for line in changed[table] if not re.match(r"from |    \w+,$", line)]
    assert len(rows) == 1, changed[table]
    assert len(changed[table]) - len(rows) <= 1, "more than the import and the row"
    assert len(changed[document]) == 1


def test_all_of_them_work_and_nothing_else_has_to_change(tree: Path) -> None:
    own = [name for kind in KINDS for name in example(kind).files if name.startswith("tests/")]
    assert all((tree / name).exists() for name in own), "needs the tests above"
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *own, *HOUSE]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    for linter in ("ruff", "lint-imports"):
        words = [
            str(Path(sys.executable).parent / linter),
            *(["check", "--no-cache", "--select", "F", "rsflow"] if linter == "ruff" else ["--no-cache"]),
        ]
        done = subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
