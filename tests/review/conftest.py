"""A built lake of the demo that each test gets a copy of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rsflow.demo import write_demo_scenes
from rsflow.phases.build import run
from rsflow.planning.recipe import load

INLINE = "engine.kind=inline"


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with demo.yaml and its lake."""
    folder = tmp_path_factory.mktemp("review")
    write_demo_scenes(folder, seed=7, size_px=512)
    run(load(str(folder / "demo.yaml"), [INLINE, "shard.target_mb=0.1"]))
    return folder


@pytest.fixture
def demo(built_demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo's lake, and a configuration that builds it on."""
    shutil.copytree(built_demo / "lake", tmp_path / "lake")
    return tmp_path / "lake"


@pytest.fixture
def rebuild(built_demo: Path, demo: Path) -> Rebuild:
    return Rebuild(built_demo / "demo.yaml", demo)


class Rebuild:
    """Builds the copied lake again, with further settings where these are given."""

    def __init__(self, config: Path, root: Path) -> None:
        self.config = config
        self.root = root

    def __call__(self, *more: str) -> None:
        run(load(str(self.config), [INLINE, f"root={self.root}", "shard.target_mb=0.1", *more]))
