"""Pixel masks: a raster per picture whose values are classes (land cover: LoveDA, ISPRS, OpenEarthMap, Sen1Floods11; or one
class: HRSID's ships, buildings).

The option `legend` says what every value means, and must say it of every value that occurs: a name (the share of the
valid pixels becomes a cover label), "" (valid, yet nothing to be named, such as a background) or null (no data). A mask with a
value that is not in the legend is rejected with it, never guessed. Values are numbers ("1"; of a palette PNG its indices) or
colours ("0,255,0"). The files are whatever rasterio opens.

`objects` names categories whose components (pixels that touch, also at corners) are objects, with box and outline, where they
have at least `min_px` pixels; smaller ones, and pixels without data, are areas in which objects are not known. `rename` turns
text in the mask's name into that of its picture: `{_LabelHand: _S1Hand}`. A cover label's shape is the box of its largest
region. Cover is a label of the whole picture: a tile of a larger one has the objects, not the shares.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector
from rsflow.annotations.parsing.mask_outlines import find_components, unknown_shape
from rsflow.annotations.parsing.mask_values import (
    Values,
    check_known_values,
    distinct_values,
    ignore_unplaced_masks,
    parse_legend,
    read_mask_values,
)
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import stem
from rsflow.annotations.sets.completeness import IGNORED
from rsflow.errors import ConfigError, DataError
from rsflow.records import UNKNOWN, Label, Provenance, Shape

_FROM = Provenance("annotation", "masks")
_THREADS = 4
_MANY = 10_000  # components; a mask with more is noise, not objects


@dataclass(frozen=True, slots=True)
class _Legend:
    names: dict[int, str | None]  # by value; a colour is red * 65536 + green * 256 + blue
    colours: bool
    objects: tuple[str, ...]
    min_px: int


def read_masks(
    files: Sequence[str],
    *,
    legend: dict[str, str | None] | None = None,
    objects: tuple[str, ...] = (),
    min_px: int = 1,
    rename: dict[str, str] | None = None,
) -> AnnotatedSet:
    """Masks as one annotated set; the vocabulary is `objects`. ConfigError where the legend is missing or cannot be."""
    meaning = _legend(legend or {}, objects, min_px)
    with ignore_unplaced_masks(), ThreadPoolExecutor(_THREADS) as pool:
        return merge_sets([AnnotatedSet({}, objects), *pool.map(lambda file: _read_one(file, meaning, rename or {}), files)])


def _legend(legend: dict[str, str | None], objects: tuple[str, ...], min_px: int) -> _Legend:
    if not legend:
        raise ConfigError(
            'annotations.options.legend is missing: say what each value means, for example {"0": land, "1": water}'
        )
    named = {category for category in legend.values() if category}
    if unknown := [category for category in objects if category not in named]:
        raise ConfigError(
            f"annotations.options.objects: {unknown[0]!r} is no category of the legend ({', '.join(sorted(named))})"
        )
    meaning, colours = parse_legend(legend)
    return _Legend(meaning, colours, objects, min_px)


def _read_one(file: str, legend: _Legend, rename: dict[str, str]) -> AnnotatedSet:
    collector = FileCollector(file)
    try:
        values = read_mask_values(file, legend.colours)
        labels = _labels(values, legend)
    except DataError as error:
        collector.reject("", error)
        return collector.result()
    name = posixpath.basename(file)
    for old, new in rename.items():
        name = name.replace(old, new)
    picture = collector.picture_of_file(stem(name))
    picture.height_px, picture.width_px = values.shape
    picture.vocabulary = tuple(sorted(legend.objects))
    picture.labels.extend(labels)
    return collector.result()


def _labels(values: Values, legend: _Legend) -> list[Label]:
    pixels = distinct_values(values)
    check_known_values(pixels, legend.names, legend.colours)
    valid = sum(count for value, count in pixels.items() if legend.names[value] is not None)
    if not valid:
        raise DataError("no_valid_pixels", "the legend takes every pixel for no data")
    labels = []
    for category in sorted({name for name in legend.names.values() if name}):
        mine = [value for value, name in legend.names.items() if name == category and value in pixels]
        if mine:
            labels += _of_category(np.isin(values, mine), category, sum(pixels[value] for value in mine) / valid, legend)
    no_data = [value for value, name in legend.names.items() if name is None and value in pixels]
    if no_data and legend.objects:
        # Pixels without data are an area in which objects of any category may be.
        labels.append(Label("box", IGNORED, _FROM, unknown_shape(np.isin(values, no_data))))
    return labels


def _of_category(mask: npt.NDArray[np.bool_], category: str, share: float, legend: _Legend) -> list[Label]:
    height_px, width_px = mask.shape
    parts = list(find_components(mask)) if category in legend.objects else []
    if len(parts) > _MANY:
        raise DataError("too_many_objects", f"{category} has {len(parts)} components, expected at most {_MANY}")
    cover = Label("cover", category, _FROM, _largest(mask), value=share)
    # What is too small to be an object is there all the same: its category cannot be counted.
    shapes = [
        make_shape(box, (), height_px, width_px, flags=() if pixels >= legend.min_px else (UNKNOWN,), parts=outline)
        for box, outline, pixels in parts
    ]
    return [cover, *(Label("box", category, _FROM, shape) for shape in shapes)]


def _largest(mask: npt.NDArray[np.bool_]) -> Shape:
    from scipy import ndimage

    numbered, count = ndimage.label(mask)
    sizes = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
    rows, cols = ndimage.find_objects(numbered)[int(sizes.argmax())]
    return Shape((float(cols.start), float(rows.start), float(cols.stop), float(rows.stop)))
