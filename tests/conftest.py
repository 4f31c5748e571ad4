"""What many tests share: the real data, where it is at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real scenes and annotations; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("RSFLOW_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set RSFLOW_TEST_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny checkpoint by its name in tests.checkpoints.MAKERS; each is made once."""
    torch = pytest.importorskip("torch", reason="needs the extra rsflow[vlm]")
    pytest.importorskip("transformers", reason="needs the extra rsflow[vlm]")
    from tests.checkpoints import MAKERS

    root = tmp_path_factory.mktemp("checkpoints")
    torch.set_num_threads(1)  # threads wait for one another longer than these models take

    def folder(name: str) -> Path:
        if not (root / name).is_dir():
            torch.manual_seed(2)
            MAKERS[name](root / name)
        return root / name

    return folder
