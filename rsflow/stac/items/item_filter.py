"""Which items a search takes, judged from the items themselves: for static catalogues, and for what an API cannot do.

One idea: the meaning is that of a STAC API's search: `collections`, `bbox` or `intersects` by the item's geometry, `datetime`
by its moment or period, `query` by its properties. An item that lacks a property a test asks for does not pass it.

Sources: https://github.com/radiantearth/stac-api-spec/tree/main/item-search, https://github.com/stac-api-extensions/query.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from shapely import box
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from rsflow.config.stac_settings import StacSearch, parse_period
from rsflow.errors import ConfigError, DataError, StorageError
from rsflow.files import storage
from rsflow.stac.documents import Item, Json
from rsflow.stac.items.item_bands import is_number
from rsflow.stac.items.item_facts import item_period

CLOUDS = "eo:cloud_cover"


def cloud_query(search: StacSearch) -> dict[str, dict[str, Any]]:
    """The `query` of a search with its limit of clouds."""
    clouds = (
        {CLOUDS: {**search.query.get(CLOUDS, {}), "lte": search.max_cloud_percent}}
        if search.max_cloud_percent is not None
        else {}
    )
    return {**search.query, **clouds}


def read_area(search: StacSearch) -> Json | None:
    """The area as a GeoJSON geometry, None where there is none. ConfigError for what is none."""
    if search.area is None:
        return None
    where = "scenes.stac.area"
    try:
        found = json.loads(storage.read_text(search.area)) if isinstance(search.area, str) else search.area
    except StorageError as error:
        raise ConfigError(f"{where}: {error}") from error
    except ValueError as error:
        raise ConfigError(f"{where}: {search.area} is no JSON ({error})") from error
    geometries = [each.get("geometry") for each in found.get("features") or []] if isinstance(found, dict) else []
    geometry = (
        geometries[0]
        if len(geometries) == 1
        else found.get("geometry", found)
        if isinstance(found, dict) and not geometries
        else None
    )
    if geometries[1:]:
        geometry = {"type": "GeometryCollection", "geometries": geometries}
    if not isinstance(geometry, dict) or _shape(geometry) is None:
        raise ConfigError(
            f"{where}: {search.area if isinstance(search.area, str) else 'it'} holds no GeoJSON geometry with an extent"
        )
    return geometry


def make_filter(search: StacSearch, area: Json | None) -> Callable[[Item], bool]:
    """Whether a static catalogue's item is one that the search asks for. The function raises DataError for broken items."""
    area_filter = _shape(area) if area else _box(search.bbox)
    first, last = parse_period(search.period) if search.period else (None, None)

    def fits(item: Item) -> bool:
        if search.collections and item.collection not in search.collections:
            return False
        if area_filter is not None and not _touches(item, area_filter):
            return False
        if search.period:
            start, end = item_period(item)
            if (first and end < first) or (last and start > last):
                return False
        return passes_query(item, cloud_query(search))

    return fits


def passes_query(item: Item, query: dict[str, dict[str, Any]]) -> bool:
    """Whether the item's properties pass all tests."""
    return all(_passes(property_of(item, name), tests) for name, tests in query.items())


def property_of(item: Item, name: str) -> Any:
    """A property by its name as searches spell it: `properties.datetime`, `datetime`, `id`, `collection`."""
    if name in {"id", "collection"}:
        return item.data.get(name)
    return item.data["properties"].get(name.removeprefix("properties."))


def _passes(value: Any, tests: dict[str, Any]) -> bool:
    try:
        return value is not None and all(_OPERATORS[name](value, operand) for name, operand in tests.items())
    except TypeError:
        return False  # a text is neither above nor below a number


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, operand: bool(value == operand),
    "neq": lambda value, operand: bool(value != operand),
    "lt": lambda value, operand: bool(value < operand),
    "lte": lambda value, operand: bool(value <= operand),
    "gt": lambda value, operand: bool(value > operand),
    "gte": lambda value, operand: bool(value >= operand),
    "in": lambda value, operand: value in operand,
    "startsWith": lambda value, operand: str(value).startswith(operand),
    "endsWith": lambda value, operand: str(value).endswith(operand),
    "contains": lambda value, operand: operand in value,
}


def sort_items(items: Iterable[Item], sort: Iterable[str]) -> list[Item]:
    """Sorted by these properties, `-` before one for the largest first; without it last. Equal ones by collection and id."""
    ordered = sorted(items, key=lambda item: (item.collection, item.id))
    for key in reversed(list(sort)):
        name = key.lstrip("+-")
        known = [item for item in ordered if property_of(item, name) is not None]
        try:
            known.sort(key=lambda item: property_of(item, name), reverse=key.startswith("-"))
        except TypeError as error:
            raise ConfigError(
                f"scenes.stac.sort: the values of {name!r} cannot be compared with one another ({error})"
            ) from error
        ordered = known + [item for item in ordered if property_of(item, name) is None]
    return ordered


def _touches(item: Item, area: BaseGeometry) -> bool:
    geometry = _shape(item.data.get("geometry")) or _box(item.data.get("bbox"))
    if geometry is None:
        raise DataError("no_place", f"{item.place}: item {item.id} has no geometry to compare with the area that is asked for")
    return bool(geometry.intersects(area))


def _shape(geometry: Any) -> BaseGeometry | None:
    try:
        found = shape(geometry)
    except (AttributeError, LookupError, TypeError, ValueError, ShapelyError):
        return None
    return None if found.is_empty else found


def _box(bbox: Any) -> BaseGeometry | None:
    """A box of four or six numbers; one that crosses the antimeridian as two."""
    if not isinstance(bbox, (list, tuple)) or len(bbox) not in (4, 6) or not all(map(is_number, bbox)):
        return None
    half = len(bbox) // 2
    (west, south), (east, north) = bbox[:2], bbox[half : half + 2]
    return box(west, south, east, north) if west <= east else box(west, south, 180, north).union(box(-180, south, east, north))
