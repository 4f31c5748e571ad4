"""What many tests share: the real data, where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real scenes and annotations; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("RSFLOW_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set RSFLOW_TEST_DATA")
    return folder.resolve()
