"""Tiles cut from their scenes again: what the page shows of tiles that were rejected, as no tile file holds them.

One idea: a tile's id names its window; read and stretched as the build did, a rejected tile looks as it would have.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from rsflow.config.settings import Render
from rsflow.errors import RsflowError, UsageError
from rsflow.records import SceneFiles
from rsflow.stages.label.cut_scenes import open_with_stretch, stats_key, window_of_tile
from rsflow.tiles.encode import encode
from rsflow.tiles.render import render


@dataclass(frozen=True, slots=True)
class SceneTiles:
    """`scenes`: by id, as the configuration of the last build lists them; empty where its sources are elsewhere."""

    scenes: Mapping[str, SceneFiles] = field(default_factory=dict)
    settings: Render = field(default_factory=Render)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # an open scene is for one thread at a time

    def cut(self, scene_id: str, tile_id: str) -> bytes:
        """The JPEG of a tile. UsageError where its scene is not among the sources of the last build, or cannot be read."""
        if scene_id not in self.scenes:
            raise UsageError(f"scene {scene_id} is not among the sources of the last build")
        scene = self.scenes[scene_id]
        try:
            with self._lock:
                reader, stretch = open_with_stretch(json.dumps(asdict(scene)), stats_key(scene), self.settings)
                raster = reader.read(window_of_tile(tile_id))
        except RsflowError as error:
            raise UsageError(f"{tile_id}: {error}") from error
        return encode(render(raster, stretch), "jpg")
