"""Every example of docs/streaming.md is run, where the library it shows is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/streaming.md").read_text()
PROGRAMS = dict(re.findall(r"^```python\n# (\w+)\.py\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
LIBRARIES = {"stateful": "torchdata", "with_accelerate": "accelerate", "with_lightning": "lightning"}
SAYS = {
    "boxes": "4 8",
    "loop": "1 146 samples 2",
    "mixture": r"'captioning': 48",
    "ranks": "each rank 37",
    "plain": "1 73 73",
    "stateful": "resumed",
    "with_accelerate": "resumed at 12",
    "with_lightning": "resumed",
}


def test_every_block_of_python_is_a_named_program() -> None:
    assert TEXT.count("```python") == len(PROGRAMS)
    assert set(PROGRAMS) == set(SAYS)


@pytest.fixture
def here(lake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the programs and a snapshot, `lake`."""
    for name, program in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(program)
    (tmp_path / "lake").symlink_to(lake.root)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"ranks"}))
def test_the_program_runs(here: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    library = LIBRARIES.get(name)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    runpy.run_path(str(here / f"{name}.py"))
    assert re.search(SAYS[name], capsys.readouterr().out)


@pytest.mark.slow
def test_the_program_runs_under_torchrun(here: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "ranks.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert SAYS["ranks"] in done.stdout
