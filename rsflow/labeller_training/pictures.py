"""The pictures of tiles for training: encoded in memory, decoded when a step asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rsflow.errors import DataError, LakeError
from rsflow.labeller_training.annotated_tiles import AnnotatedTile
from rsflow.labeller_training.crops import Example, tile_example
from rsflow.labellers.contract import Picture
from rsflow.lake.tile_files import read_pictures
from rsflow.tiles.encode import decode

_DECODED = 512  # examples that are kept decoded


class TilePictures:
    """The tiles by position, as examples."""

    def __init__(self, root: str, tiles: Sequence[AnnotatedTile], categories: Sequence[str]) -> None:
        self._tiles = tiles
        self._categories = categories
        self._encoded = read_pictures(root, [tile.row for tile in tiles])
        self.example = lru_cache(_DECODED)(self._example)

    def picture(self, tile: AnnotatedTile) -> Picture:
        """LakeError for a picture that cannot be decoded."""
        try:
            return decode(self._encoded[tile.tile_id])
        except DataError as error:
            raise LakeError(f"the picture of tile {tile.tile_id} cannot be decoded: {error.detail}; label it again") from error

    def _example(self, position: int) -> Example:
        tile = self._tiles[position]
        return tile_example(self.picture(tile), tile, self._categories)
