"""xBD / xView2: buildings outlined before a disaster, and how badly each is damaged after it.

`labels/<name>_post_disaster.json` describes the pair of `images/<name>_pre_disaster` and `_post_disaster`: polygons in pixels
as WKT under features.xy, their damage under properties.subtype; metadata has the size of the picture and its gsd. The file of
the earlier picture outlines the same buildings without damage: they are objects of that picture. "un-classified" is damage that
could not be assessed. https://arxiv.org/abs/1911.09296
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

import shapely

from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import read_json, shorten
from rsflow.errors import DataError, UsageError
from rsflow.records import UNKNOWN, Label, Provenance, Shape
from rsflow.spatial.polygons import from_geometry, parts_bounds

FROM = Provenance("annotation", "change_pairs")
PRE, POST = "_pre_disaster", "_post_disaster"
# By the set's word: ours, from the least to the worst.
DAMAGE = {
    "no-damage": "no damage",
    "minor-damage": "minor damage",
    "major-damage": "major damage",
    "destroyed": "destroyed",
}
_UNTOLD = ("un-classified", "unclassified")

Size = tuple[int | None, int | None]


def is_post_file(file: str) -> bool:
    return posixpath.splitext(posixpath.basename(file))[0].endswith(POST)


def is_pre_file(file: str) -> bool:
    return posixpath.splitext(posixpath.basename(file))[0].endswith(PRE)


def read_document(file: str) -> dict[str, Any]:
    """A label file's JSON. UsageError where it is none of xBD's."""
    data = read_json(file, "change_pairs")
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, dict) or not isinstance(features.get("xy"), list):
        raise UsageError(f"{file}: holds no polygons under features.xy, which layout xbd of format change_pairs needs")
    return dict(data)


def picture_size(document: dict[str, Any]) -> tuple[Size, float | None]:
    """((height, width) in pixels, gsd in metres) as the metadata state them, None where they do not."""
    metadata = document.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    height, width = (value if type(value := known.get(name)) is int and value > 0 else None for name in ("height", "width"))
    gsd = known.get("gsd")
    return (height, width), float(gsd) if isinstance(gsd, int | float) and not isinstance(gsd, bool) and gsd > 0 else None


def read_damage(document: dict[str, Any], size: Size) -> Iterator[Label | tuple[str, DataError]]:
    """The damage of every building; (place in the file, error) of records that are broken."""
    yield Label("compared", "building", FROM, text="damage")
    for number, feature in enumerate(document["features"]["xy"]):
        try:
            yield _damage(feature, size)
        except DataError as error:
            yield f"features.xy[{number}]", error


def read_buildings(document: dict[str, Any], size: Size) -> Iterator[Label | tuple[str, DataError]]:
    """The buildings of the earlier picture as objects."""
    for number, feature in enumerate(document["features"]["xy"]):
        try:
            yield Label("box", "building", FROM, _shape(feature, size))
        except DataError as error:
            yield f"features.xy[{number}]", error


def _damage(feature: Any, size: Size) -> Label:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    word = properties.get("subtype") if isinstance(properties, dict) else None
    if word in _UNTOLD:
        return Label("damage", "building", FROM, _shape(feature, size, (UNKNOWN,)))
    if not isinstance(word, str) or word not in DAMAGE:
        raise DataError("unknown_damage", f"found subtype {word!r}, expected one of {', '.join((*DAMAGE, _UNTOLD[0]))}")
    return Label("damage", "building", FROM, _shape(feature, size), DAMAGE[word])


def _shape(feature: Any, size: Size, flags: tuple[str, ...] = ()) -> Shape:
    text = feature.get("wkt") if isinstance(feature, dict) else None
    try:
        outline = from_geometry(shapely.make_valid(shapely.from_wkt(text)))
    except (shapely.errors.ShapelyError, TypeError) as error:
        raise DataError("broken_record", f"found {shorten(feature)}, expected a polygon as WKT ({error})") from error
    if not outline:
        raise DataError("box_empty", f"found {shorten(text)}: the polygon has no area")
    return make_shape(parts_bounds(outline), (), *size, flags=flags, parts=outline)
