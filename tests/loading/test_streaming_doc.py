"""Every example of docs/streaming.md is run, as a program of its own, where the library it shows is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    name: text
    for name, text in re.findall(
        r"^```python\n# (\w+)\.py\n(.*?)^```$", (ROOT / "docs/streaming.md").read_text(), re.MULTILINE | re.DOTALL
    )
}
LIBRARIES = {"stateful": "torchdata", "with_accelerate": "accelerate", "with_lightning": "lightning"}
SAYS = {
    "loop": "1 146 samples 2",
    "mixture": r"'captioning': 48",
    "ranks": "each rank 37",
    "plain": "1 73 73",
    "stateful": "resumed",
    "with_accelerate": "resumed at 12",
    "with_lightning": "resumed",
}


def test_every_block_of_python_is_a_named_program() -> None:
    assert (ROOT / "docs/streaming.md").read_text().count("```python") == len(PROGRAMS)
    assert set(PROGRAMS) == set(SAYS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_runs(lake: Any, tmp_path: Path, name: str) -> None:
    library = LIBRARIES.get(name)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    (tmp_path / "lake").symlink_to(lake.root)
    (tmp_path / f"{name}.py").write_text(PROGRAMS[name])
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"] if name == "ranks" else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *start, f"{name}.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(SAYS[name], done.stdout), done.stdout
