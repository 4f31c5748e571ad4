"""What the masks of a pair say: areas that changed, what they were and became, and where nobody knows.

An area is a group of changed pixels that touch (also at corners) and changed in one way, with its exact outline. A plain mask
holds 0 and one other value (1, 255, 65535, or one colour beside black); one with others says of some pixel neither that it
changed nor that it did not, and is refused unless a legend names them. Values of a legend: a category, "" for what did not
change, None for what is not known, which becomes an area flagged UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rsflow.annotations.change.change_layouts import LAND_COVER, ChangeLayout, Legend
from rsflow.annotations.parsing.mask_outlines import Mask, find_components, unknown_shape
from rsflow.annotations.parsing.mask_values import (
    Values,
    check_known_values,
    distinct_values,
    format_value,
    pack_colours,
    parse_legend,
    read_mask_bands,
)
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.errors import DataError
from rsflow.records import GONE, NEW, UNKNOWN, Label, Provenance

FROM = Provenance("annotation", "change_pairs")
CHANGED_VALUES = (1, 255, 65535)  # that a mask without a legend may hold beside 0
MAX_AREAS = 10_000  # of one pair; a mask with more is noise

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """`legend` and `category` replace those of the layout; areas of fewer than `min_px` pixels are not counted."""

    legend: Legend | None = None
    category: str = ""
    min_px: int = 1


def read_change_labels(
    files: Sequence[str], layout: ChangeLayout, settings: MaskSettings
) -> tuple[list[Label], tuple[int, int]]:
    """(labels of the pair, height and width in pixels) from its mask and the layout's other masks, in this order."""
    mask, *others = (read_mask_bands(file) for file in files)
    for file, bands in zip(files[1:], others, strict=True):
        if bands.shape[1:] != mask.shape[1:]:
            raise DataError("size_differs", f"{file} has {_size(bands)}, {files[0]} {_size(mask)}: they are of one pair")
    category = settings.category or layout.category
    found = list(_READINGS[layout.reading]([mask, *others], layout, settings))
    if len(found) > MAX_AREAS:
        raise DataError("too_many_objects", f"holds {len(found)} changed areas, expected at most {MAX_AREAS}")
    looked_for = sorted({category} if layout.reading != "areas" else _categories(settings.legend) or {category})
    return [*(Label("compared", name, FROM, text="change") for name in looked_for), *found], mask.shape[1:]


def _areas(masks: Sequence[Values], layout: ChangeLayout, settings: MaskSettings) -> Iterator[Label]:
    if settings.legend:
        yield from _legend_areas(masks[0], settings.legend, settings)
    else:
        known = parse_legend(layout.colours)[0] if layout.colours else {}
        yield from _regions(changed_pixels(masks[0], frozenset(known)), settings.category or layout.category, settings)


def _directions(masks: Sequence[Values], layout: ChangeLayout, settings: MaskSettings) -> Iterator[Label]:
    for mask, flag in zip(masks, (NEW, GONE), strict=True):
        yield from _regions(changed_pixels(mask), settings.category or layout.category, settings, flags=(flag,))


def _transitions(masks: Sequence[Values], layout: ChangeLayout, settings: MaskSettings) -> Iterator[Label]:
    before, after = (_classes(mask, layout, settings) for mask in masks)
    unsure = before.unknown | after.unknown | ((before.codes < 0) != (after.codes < 0))
    yield from _class_changes(before, after, ~unsure & (before.codes >= 0), settings)
    yield from _unknown_area(unsure)


def _covers(masks: Sequence[Values], layout: ChangeLayout, settings: MaskSettings) -> Iterator[Label]:
    changed = changed_pixels(masks[0])
    before, after = (_classes(mask, layout, settings) for mask in masks[1:])
    unsure = before.unknown | after.unknown
    # A pixel that changed within its class gives no change between two names.
    yield from _class_changes(before, after, changed & ~unsure & (before.codes != after.codes), settings)
    yield from _unknown_area(unsure | (changed & (before.codes == after.codes)))


_READINGS = {"areas": _areas, "directions": _directions, "transitions": _transitions, "covers": _covers}


@dataclass(frozen=True, slots=True)
class _ClassMap:
    """`codes` (rows, cols): position in `names`, -1 where nothing is named."""

    codes: Values
    unknown: Mask
    names: tuple[str, ...]


def changed_pixels(bands: Values, known_colours: frozenset[int] = frozenset()) -> Mask:
    """(rows, cols): True where a mask without a legend says that something changed, in one colour or in any of
    `known_colours`. DataError `bad_mask` for other values."""
    colours = len(bands) >= 3 and bool((bands[1:3] != bands[0]).any())
    values = pack_colours(bands) if colours else bands[0]
    marks = [value for value in distinct_values(values) if value != 0]
    is_known = colours and known_colours.issuperset(marks)
    if (len(marks) > 1 and not is_known) or (marks and not colours and marks[0] not in CHANGED_VALUES):
        named = ", ".join(format_value(value, colours) for value in marks[:_SHOWN])
        more = f" and {len(marks) - _SHOWN} more" if len(marks) > _SHOWN else ""
        raise DataError(
            "bad_mask",
            f"holds {named}{more} beside 0, expected one of {', '.join(map(str, CHANGED_VALUES))} or one colour: a mask "
            "that was resampled or compressed with loss is none; if its values are classes, name them with "
            "annotations.options.legend",
        )
    return np.asarray(values != 0)


def legend_labels(bands: Values, legend: Legend, settings: MaskSettings) -> list[Label]:
    """The changed areas of a mask whose values are named, and a label of each category that was looked for."""
    compared = [Label("compared", name, FROM, text="change") for name in sorted(_categories(legend))]
    return [*compared, *_legend_areas(bands, legend, settings)]


def _legend_areas(bands: Values, legend: Legend, settings: MaskSettings) -> Iterator[Label]:
    classes = _class_map(bands, legend, None)
    for code, name in enumerate(classes.names):
        yield from _regions(classes.codes == code, name, settings)
    yield from _unknown_area(classes.unknown)


def _categories(legend: Legend | None) -> set[str]:
    return {name for name in (legend or {}).values() if name}


def _classes(bands: Values, layout: ChangeLayout, settings: MaskSettings) -> _ClassMap:
    return _class_map(bands, settings.legend or layout.legend or {}, None if settings.legend else layout.colours)


def _class_map(bands: Values, legend: Legend, colour_legend: Legend | None) -> _ClassMap:
    is_coloured = len(bands) >= 3 and bool((bands[1:3] != bands[0]).any())
    meaning, colours = parse_legend(legend)
    # A mask that is white all over has colours too, though none of them shows.
    if colour_legend and len(bands) >= 3 and (is_coloured or not set(distinct_values(bands[0])) <= meaning.keys()):
        meaning, colours = parse_legend(colour_legend)
    if is_coloured and not colours:
        raise DataError("bad_mask", 'is a colour picture: give the legend in colours ("0,255,0")')
    if colours and len(bands) < 3:
        raise DataError("bad_mask", f"has {len(bands)} bands, expected red, green and blue")
    values = pack_colours(bands) if colours else bands[0]
    check_known_values(distinct_values(values), meaning, colours)
    names = tuple(sorted({name for name in meaning.values() if name}))
    codes = np.full(values.shape, -1, dtype=np.int16)
    for value, name in meaning.items():
        if name:
            codes[values == value] = names.index(name)
    return _ClassMap(codes, _mark_unknown(values, meaning), names)


def _mark_unknown(values: Values, meaning: Mapping[int, str | None]) -> Mask:
    return np.isin(values, [value for value, name in meaning.items() if name is None])


def _class_changes(before: _ClassMap, after: _ClassMap, where: Mask, settings: MaskSettings) -> Iterator[Label]:
    """Areas of `where` by what they were and what they are."""
    pairs = before.codes.astype(np.int64) * len(after.names) + after.codes
    for pair in np.unique(pairs[where]).tolist():
        old, new = before.names[pair // len(after.names)], after.names[pair % len(after.names)]
        yield from _regions(where & (pairs == pair), new, settings, text=old)


def _regions(mask: Mask, category: str, settings: MaskSettings, text: str = "", flags: tuple[str, ...] = ()) -> Iterator[Label]:
    height_px, width_px = mask.shape
    for box, outline, pixels in find_components(mask):
        marks = flags if pixels >= settings.min_px else (*flags, UNKNOWN)
        yield Label("change", category, FROM, make_shape(box, (), height_px, width_px, flags=marks, parts=outline), text)


def _unknown_area(mask: Mask) -> Iterator[Label]:
    if mask.any():
        yield Label("change", LAND_COVER, FROM, unknown_shape(mask))


def _size(bands: Values) -> str:
    return f"{bands.shape[1]} x {bands.shape[2]} rows and columns"
