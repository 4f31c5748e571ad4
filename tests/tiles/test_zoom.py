"""Which tiles of a scene's scales go together: each detail inside its tile of the scale between, whatever the order."""

from __future__ import annotations

import random

from rsflow.spatial.geometry import Window
from rsflow.tiles.grid import cover_windows
from rsflow.tiles.zoom import ScaledTile, choose_pairs


def tiles(height: int, width: int, factor: int, size: int, labels: dict[int, int] | None = None) -> list[ScaledTile]:
    windows = cover_windows(-(-height // factor), -(-width // factor), size)
    return [ScaledTile(f"{factor}/{i}", window, factor, (labels or {}).get(i, 0)) for i, window in enumerate(windows)]


def order_of(*found: list[ScaledTile]) -> dict[str, int]:
    return {tile.tile_id: number for number, tile in enumerate(tile for each in found for tile in each)}


def test_every_tile_between_has_a_detail_of_its_own_inside_it() -> None:
    for height, width, factor in ((1000, 1300, 3), (517, 901, 2), (4000, 70, 5)):
        middles, details = tiles(height, width, factor, 64), tiles(height, width, 1, 64)
        pairs = choose_pairs(middles, details, 10_000, order_of(middles, details))
        assert {middle.tile_id for middle, _ in pairs} == {middle.tile_id for middle in middles}
        assert len({detail.tile_id for _, detail in pairs}) == len(pairs)
        for middle, detail in pairs:
            left, top, right, bottom = middle.box_at(1)
            assert left <= detail.window.col_off
            assert detail.window.col_stop <= right
            assert top <= detail.window.row_off
            assert detail.window.row_stop <= bottom


def test_what_shows_most_objects_comes_first_whatever_the_order() -> None:
    middles, details = tiles(1024, 1024, 2, 128), tiles(1024, 1024, 1, 128, {5: 3, 40: 9, 41: 8, 63: 1})
    order = order_of(middles, details)
    pairs = choose_pairs(middles, details, 3, order)
    assert {detail.tile_id for _, detail in pairs} == {"1/5", "1/40", "1/63"}  # 41 is in the tile of 40
    random.Random(0).shuffle(middles)
    random.Random(1).shuffle(details)
    assert choose_pairs(middles, details, 3, order) == pairs


def test_boxes_are_exact_at_every_scale() -> None:
    tile = ScaledTile("m", Window(10, 20, 64, 32), 3)
    assert tile.box_at(1) == (60, 30, 156, 222)
    assert tile.box_at(12) == (5, 2.5, 13, 18.5)
