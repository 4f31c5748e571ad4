"""Training pictures: crops of tiles, scaled, turned, mirrored and made brighter or darker, with their objects.

One idea: the crops of a step are a function of the seed and the step's number alone, so a training that goes on after a stop
sees what it would have seen. Seen from straight above no side of a picture is up, so all eight orientations are as likely; of a
slanting view only the mirrored one is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from rsflow.labeller_training.annotated_tiles import AnnotatedTile, is_sure
from rsflow.spatial.geometry import Box, Parts, area, clip_box
from rsflow.spatial.polygons import clip_parts, scale_parts, translate_parts

Picture = npt.NDArray[np.uint8]
_Move = Callable[[float, float], tuple[float, float]]

MIN_SHOWN = 0.6  # of an object: a crop that shows less neither teaches that it is there nor that it is not
_SCALES = (0.6, 1.7)
_CONTRAST = (0.7, 1.3)
_BRIGHTNESS = 30.0  # grey levels, at most
_AT_OBJECT = 0.6  # share of crops that are placed on an object


@dataclass(frozen=True, slots=True)
class TrainingObject:
    """`box` and `parts` in pixels of the picture; `sure`: False where nothing is to be learned from its pixels."""

    category: str
    box: Box
    parts: Parts
    sure: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A picture (rows, cols, 3) with its objects; `category`: of the whole picture, where it has one."""

    picture: Picture
    objects: tuple[TrainingObject, ...]
    category: str = ""


def tile_example(picture: Picture, tile: AnnotatedTile, categories: Sequence[str]) -> Example:
    """A whole tile as an example; objects of other categories are left out."""
    rgb = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
    objects = tuple(
        TrainingObject(label.category, label.shape.box, label.shape.area_parts, is_sure(label))
        for label in tile.labels
        if label.shape is not None and (label.category in categories or not is_sure(label))
    )
    return Example(rgb, objects, next((label.category for label in tile.labels if label.kind == "category"), ""))


def step_rng(seed: int, step: int) -> np.random.Generator:
    return np.random.default_rng((seed, step))


def random_crop(example: Example, side_px: int, rng: np.random.Generator, slanting: bool = False) -> Example:
    """A square crop of `side_px`, changed at random. Where the tile is smaller than the crop it is padded with black.

    `slanting`: the view has an up, so the crop is only mirrored, and not turned.
    """
    scale = math.exp(rng.uniform(math.log(_SCALES[0]), math.log(_SCALES[1])))
    window = round(side_px / scale)
    row, col = _place(example, window, rng)
    picture = _cut(example.picture, row, col, window)
    resized = np.asarray(Image.fromarray(picture).resize((side_px, side_px), Image.Resampling.BILINEAR))
    factor = side_px / window
    objects = tuple(_moved(thing, -col, -row, factor, side_px) for thing in example.objects)
    cropped = Example(_relit(resized, rng), tuple(thing for thing in objects if thing is not None), example.category)
    return _turned(cropped, _orientation(rng, slanting))


def whole_crop(example: Example, side_px: int, rng: np.random.Generator, slanting: bool = False) -> Example:
    """The whole picture, resized to a square, changed at random: for classes of whole pictures."""
    resized = np.asarray(Image.fromarray(example.picture).resize((side_px, side_px), Image.Resampling.BILINEAR))
    return _turned(Example(_relit(resized, rng), (), example.category), _orientation(rng, slanting))


def _orientation(rng: np.random.Generator, slanting: bool) -> int:
    """Its bits: mirrored left to right, top to bottom, rows and columns exchanged."""
    return int(rng.integers(2 if slanting else 8))


def _place(example: Example, window: int, rng: np.random.Generator) -> tuple[int, int]:
    """(row, col) of the crop's upper left corner: within the tile, at times so that it shows some object."""
    rows, cols = example.picture.shape[:2]
    most_row, most_col = max(0, rows - window), max(0, cols - window)
    row, col = int(rng.integers(most_row + 1)), int(rng.integers(most_col + 1))
    shift, chosen = rng.uniform(0, window, 2), rng.random()
    if example.objects and rng.random() < _AT_OBJECT:
        x0, y0, x1, y1 = example.objects[int(chosen * len(example.objects))].box
        row, col = round((y0 + y1) / 2 - shift[0]), round((x0 + x1) / 2 - shift[1])
    return min(max(0, row), most_row), min(max(0, col), most_col)


def _cut(picture: Picture, row: int, col: int, window: int) -> Picture:
    part = picture[row : row + window, col : col + window]
    missing = (window - part.shape[0], window - part.shape[1])
    return np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0))) if any(missing) else part


def _moved(thing: TrainingObject, dx: float, dy: float, factor: float, side_px: int) -> TrainingObject | None:
    """An object in pixels of the crop; None where the crop does not show it."""
    x0, y0, x1, y1 = thing.box
    whole = ((x0 + dx) * factor, (y0 + dy) * factor, (x1 + dx) * factor, (y1 + dy) * factor)
    frame = (0.0, 0.0, float(side_px), float(side_px))
    shown = clip_box(whole, frame)
    if not area(shown) > 0:
        return None
    parts = scale_parts(translate_parts(thing.parts, dx, dy), factor, factor)
    sure = thing.sure and area(shown) >= MIN_SHOWN * area(whole)
    return TrainingObject(thing.category, shown, clip_parts(parts, frame) if parts else (), sure)


def _relit(picture: Picture, rng: np.random.Generator) -> Picture:
    """Black stays black, and nothing else becomes it: it is padding, or ground without data."""
    contrast, brightness = rng.uniform(*_CONTRAST), rng.uniform(-_BRIGHTNESS, _BRIGHTNESS)
    lit: Picture = np.clip((picture.astype(np.float32) - 127.5) * contrast + 127.5 + brightness, 1, 255).astype(np.uint8)
    lit[~picture.any(axis=2)] = 0
    return lit


def _turned(example: Example, orientation: int) -> Example:
    """One of the eight orientations of a square picture: mirrored and turned."""
    picture, objects, side = example.picture, example.objects, float(example.picture.shape[0])
    if orientation & 1:
        picture = picture[:, ::-1]
        objects = tuple(_mapped(thing, lambda x, y: (side - x, y)) for thing in objects)
    if orientation & 2:
        picture = picture[::-1]
        objects = tuple(_mapped(thing, lambda x, y: (x, side - y)) for thing in objects)
    if orientation & 4:
        picture = picture.transpose(1, 0, 2)
        objects = tuple(_mapped(thing, lambda x, y: (y, x)) for thing in objects)
    return Example(np.ascontiguousarray(picture), objects, example.category)


def _mapped(thing: TrainingObject, move: _Move) -> TrainingObject:
    (xa, ya), (xb, yb) = move(*thing.box[:2]), move(*thing.box[2:])
    box = (min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))
    parts = tuple(tuple(tuple(_ring(ring, move)) for ring in part) for part in thing.parts)
    return TrainingObject(thing.category, box, parts, thing.sure)


def _ring(ring: Sequence[float], move: _Move) -> Iterator[float]:
    for x, y in zip(ring[::2], ring[1::2], strict=True):
        yield from move(x, y)
