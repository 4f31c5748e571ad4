"""A small catalogue of real GeoTIFFs, and a small STAC API on this machine that serves items as the specification says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rsflow.config.settings import Scenes, Source
from rsflow.config.stac_settings import StacSearch
from rsflow.records import SceneFiles
from rsflow.stac.listing import StacScenes, list_stac_scenes
from tests.stac.api_server import ApiServer, serve_api
from tests.stac.catalogue import Catalogue

List = Callable[..., StacScenes]


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """An empty collection in a folder; see tests.stac.catalogue."""
    return Catalogue(tmp_path / "catalogue")


@pytest.fixture
def list_all() -> List:
    """list_all(href, bands={…}, root=None, **search) -> StacScenes."""

    def run(
        href: object, bands: Any = None, root: object = None, scenes: dict[str, Any] | None = None, **search: Any
    ) -> StacScenes:
        settings = Scenes(stac=StacSearch(str(href), **search), bands=bands or {}, **(scenes or {}))
        return list_stac_scenes(Source("s", "optical", "", settings), str(root) if root else None, keep=root is not None)

    return run


@pytest.fixture
def only(list_all: List) -> Callable[..., SceneFiles]:
    """The same for the one scene that there is."""

    def run(*arguments: Any, **settings: Any) -> SceneFiles:
        (scene,) = list_all(*arguments, **settings).scenes
        return scene

    return run


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A STAC API without items."""
    with serve_api() as server:
        yield server
