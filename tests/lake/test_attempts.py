"""Attempts: a unit that kills its worker is counted, one that ends is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rsflow.errors import DataError
from rsflow.lake.attempts import attempt

DIES = """
import os, sys
from rsflow.lake.attempts import attempt
with attempt(sys.argv[1], "run", "unit", 2):
    os._exit(11)
"""


def test_a_crashed_worker_is_counted_and_the_limit_rejects(tmp_path: Path) -> None:
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], timeout=60, check=False).returncode == 11
    with pytest.raises(DataError, match="died 2 times") as caught, attempt(str(tmp_path), "run", "unit", 2):
        pytest.fail("the block must not run")
    assert caught.value.reason == "crashed_worker"
    with attempt(str(tmp_path), "another run", "unit", 2):
        pass


def test_an_attempt_that_ends_leaves_nothing(tmp_path: Path) -> None:
    for _ in range(5):
        with attempt(str(tmp_path), "run", "unit", 2):
            pass
    with pytest.raises(ValueError, match="mistake"), attempt(str(tmp_path), "run", "unit", 2):
        raise ValueError("mistake")
    with attempt(str(tmp_path), "run", "unit", 1):
        pass
