"""The shift of a layer against a scene's picture: where the edges of its features meet those that the picture shows.

One idea: features are drawn as a picture of their own, as finely as pixels are covered, and two pictures of one place can be
registered (rsflow.cells.registration: oriented gradients, so that a roof may be darker or brighter than its ground). Windows
where the layer has most edges, spread over the scene, are compared around these edges alone; the shift is what they have in
common, and its confidence follows from how many of them bear it out one by one.

A shift is no more than that: tall buildings seen from the side, whose roofs lie beside their footprints by their height, do
not agree on one, and then none is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage

from rsflow.cells.registration import Shift, Structure, measure_common_shift, structure
from rsflow.files import storage
from rsflow.ground.labels.ground_cover import to_surfaces
from rsflow.ground.layer_copy import read_features
from rsflow.ground.layer_settings import Registration
from rsflow.ground.layer_shift import LayerShift
from rsflow.ground.layer_store import local_copy
from rsflow.ground.scene_grid import SceneGrid, project_box, transformer
from rsflow.ground.scene_layer import SceneLayer, read_window_features
from rsflow.spatial.geometry import FloatArray, Window

WINDOW_PX = 384  # side of a window, less in a small scene
MIN_WINDOW_PX = 32
BLOCKS = 4  # along each side of a scene; a window is taken from each block
SEARCH_PX = (4, 64)  # least and largest reach of the search
NEAR_PX = 12  # around edges, which is what is compared
MIN_EDGE_SHARE = 0.15  # of a window that lies so near edges; with less of it a window says little by itself
OVERSAMPLING = 4  # samples of a pixel along each side, for the share of it that features cover
LEAST_SPREAD_PX = 0.5  # windows agree to no less than what a picture shows
MAX_EDGES = 1_000_000  # of a scene's features, to find where they lie

Picture = npt.NDArray[Any]
ReadPicture = Callable[[Window], tuple[Picture, npt.NDArray[np.bool_]]]


def register_layer(
    layer: SceneLayer,
    root: str,
    grid: SceneGrid,
    size_px: tuple[int, int],
    pixel_m: tuple[float, float],
    acquired: int | None,
    read_picture: ReadPicture,
    settings: Registration,
) -> LayerShift:
    """Measure the shift of a layer against a scene of `size_px` (rows, columns).

    `read_picture` gives the picture of a window with its valid pixels. `acquired`: microseconds since 1970, None where it is
    not known.
    """
    reach = search_reach(settings, pixel_m)
    side = _window_side(size_px, reach)
    windows = choose_windows(*_edges(layer, root, grid, size_px), size_px, side)

    def pairs() -> Iterator[tuple[Structure, Structure]]:
        for window in windows:
            placed = read_window_features(layer, root, grid, window.box, pixel_m, acquired)
            forms = [placed.kinds[number] for number in placed.placed.forms.tolist()]
            cover = draw_cover(to_surfaces(placed.placed.geometries, forms, pixel_m), window)
            near = _near_edges(cover)
            if near.mean() >= MIN_EDGE_SHARE:
                yield structure(cover, near), structure(*read_picture(window))

    return _layer_shift(*measure_common_shift(pairs(), reach), pixel_m, settings)


def search_reach(settings: Registration, pixel_m: tuple[float, float]) -> int:
    """The largest shift, in pixels along rows and along columns, that a search can find."""
    return int(min(max(math.ceil(settings.search_m / min(pixel_m)) + 2, SEARCH_PX[0]), SEARCH_PX[1]))


def _layer_shift(shift: Shift, spread_px: float, pixel_m: tuple[float, float], settings: Registration) -> LayerShift:
    if shift.dx_px is None or shift.dy_px is None or shift.confidence < settings.min_confidence:
        return LayerShift(shift.confidence)
    dx_m, dy_m = round(shift.dx_px * pixel_m[0], 3), round(shift.dy_px * pixel_m[1], 3)
    spread_m = round(max(spread_px, LEAST_SPREAD_PX) * max(pixel_m), 3)
    return LayerShift(shift.confidence, shift.dx_px, shift.dy_px, dx_m, dy_m, spread_m, settings.correct)


def _window_side(size_px: tuple[int, int], reach: int) -> int:
    shorter = min(size_px)
    return min(max(min(2 * shorter // (BLOCKS + 1), WINDOW_PX), MIN_WINDOW_PX, 3 * reach), shorter)


def _edges(layer: SceneLayer, root: str, grid: SceneGrid, size_px: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """((n, 2) columns and rows of the middles of the features' edges, (n,) their lengths in units of the layer)."""
    frame = (0.0, 0.0, float(size_px[1]), float(size_px[0]))
    boxes = project_box(layer.crs, grid.bounds(frame), grid.crs)
    found = read_features(local_copy(storage.join(root, layer.file)), layer.forms, boxes)
    points, index = shapely.get_coordinates(found.shapes.geometries, return_index=True)
    joined = np.flatnonzero(index[1:] == index[:-1])
    joined = joined[:: 1 + len(joined) // MAX_EDGES]
    middles = (points[joined] + points[joined + 1]) / 2
    xs, ys = transformer(layer.crs, grid.crs).transform(middles[:, 0], middles[:, 1])
    return np.stack(grid.pixels(xs, ys), axis=1), np.hypot(*(points[joined + 1] - points[joined]).T)


def choose_windows(edges: FloatArray, lengths: FloatArray, size_px: tuple[int, int], side: int) -> list[Window]:
    """Of each of BLOCKS x BLOCKS blocks of a scene, the window with most of its edges; none of a block without any.

    `edges` (n, 2): columns and rows. Windows overlap by up to a half.
    """
    starts = [
        np.unique(np.linspace(0, extent - side, 1 + 2 * math.ceil((extent - side) / side)).astype(int)) for extent in size_px
    ]
    cell = max(side // 4, 1)
    shape = [math.ceil(extent / cell) for extent in size_px]
    counts, *_ = np.histogram2d(
        edges[:, 1], edges[:, 0], bins=shape, range=[[0, shape[0] * cell], [0, shape[1] * cell]], weights=lengths
    )
    sums = np.pad(counts.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    (tops, bottoms), (lefts, rights) = ((places // cell, (places + side) // cell) for places in starts)
    within = (
        sums[np.ix_(bottoms, rights)] - sums[np.ix_(tops, rights)] - sums[np.ix_(bottoms, lefts)] + sums[np.ix_(tops, lefts)]
    )
    found = []
    for rows in np.array_split(np.arange(len(starts[0])), min(BLOCKS, len(starts[0]))):
        for cols in np.array_split(np.arange(len(starts[1])), min(BLOCKS, len(starts[1]))):
            block = within[np.ix_(rows, cols)]
            row, col = np.unravel_index(int(block.argmax()), block.shape)
            if block[row, col] > 0:
                found.append(Window(int(starts[0][rows[row]]), int(starts[1][cols[col]]), side, side))
    return found


def draw_cover(surfaces: npt.NDArray[Any], window: Window) -> npt.NDArray[np.float32]:
    """(rows, cols): the share of each pixel of a window that polygons (pixels of the scene) cover."""
    from rasterio import Affine
    from rasterio.features import rasterize

    areas = surfaces[shapely.area(surfaces) > 0]
    fine = Affine(1 / OVERSAMPLING, 0, window.col_off, 0, 1 / OVERSAMPLING, window.row_off)
    shape = (window.height_px * OVERSAMPLING, window.width_px * OVERSAMPLING)
    drawn = rasterize(areas.tolist(), shape, transform=fine, dtype="uint8") if len(areas) else np.zeros(shape, np.uint8)
    parts = drawn.reshape(window.height_px, OVERSAMPLING, window.width_px, OVERSAMPLING)
    return np.asarray(parts.mean(axis=(1, 3), dtype=np.float32))


def _near_edges(cover: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    edges: npt.NDArray[np.bool_] = ndimage.maximum_filter(cover, 3) > ndimage.minimum_filter(cover, 3)
    if not edges.any():
        return edges
    return np.asarray(ndimage.distance_transform_edt(~edges) <= NEAR_PX)
