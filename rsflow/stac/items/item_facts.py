"""What an item states of its scene besides bands: when, from where and by what it was taken, its place, its version.

One idea: two kinds of facts. Those that decide what is read become scene options (time, ground sample distance, and the
georeference of files that have none); all others describe the scene in its row of `scenes` and decide nothing.

Sources: STAC common metadata, and the extensions projection, view, sat, sar, eo, version, processing.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from rsflow.errors import DataError
from rsflow.files.faults import mask_secrets
from rsflow.stac.documents import Item, Json
from rsflow.stac.items.item_bands import is_number

# Column of schemas.STAC_ITEM_STRUCT -> property of the item.
NUMBERS = {
    "cloud_percent": "eo:cloud_cover",
    "sun_azimuth": "view:sun_azimuth",
    "sun_elevation": "view:sun_elevation",
    "off_nadir": "view:off_nadir",
    "view_azimuth": "view:azimuth",
    "incidence_angle": "view:incidence_angle",
}
TEXTS = {
    "platform": "platform",
    "constellation": "constellation",
    "orbit_state": "sat:orbit_state",
    "sar_mode": "sar:instrument_mode",
    "sar_frequency_band": "sar:frequency_band",
    "sar_product": "sar:product_type",
}
LISTS = {"instruments": "instruments", "sar_polarizations": "sar:polarizations"}
VERSIONS = ("processing:version", "version", "s2:processing_baseline", "sentinel:processing_baseline")


def item_row(item: Item) -> Json:
    """The facts that describe the scene: STAC_ITEM_STRUCT of rsflow.schemas; None where nothing is stated."""
    properties = item.properties
    start, end = item_period(item)
    return {
        "id": item.id,
        "collection": item.collection or None,
        "href": mask_secrets(item.place),
        "start": start.isoformat(),
        "end": end.isoformat(),
        "updated": _stated_text(properties.get("updated") or properties.get("created")),
        "version": item_version(item) or None,
        "providers": list(item.providers),
        **{name: float(value) if is_number(value := properties.get(key)) else None for name, key in NUMBERS.items()},
        **{name: _stated_text(properties.get(key)) for name, key in TEXTS.items()},
        **{name: _texts(properties.get(key)) for name, key in LISTS.items()},
    }


def _texts(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each not in (None, "")]


def _stated_text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def item_time(item: Item) -> datetime:
    """When the scene was taken: `datetime`, else the middle of its period. DataError `no_time` where neither is stated."""
    stated = item.properties.get("datetime")
    if stated is not None:
        return parse_time(stated, "datetime", item)
    start, end = item_period(item)
    return start + (end - start) / 2


def item_period(item: Item) -> tuple[datetime, datetime]:
    """From when to when the scene was taken; twice the same moment where only that is stated."""
    properties = item.properties
    values = [properties.get(name) for name in ("start_datetime", "end_datetime")]
    if any(value is None for value in values):
        values = [properties.get("datetime")] * 2
    if values[0] is None:
        raise DataError("no_time", f"{item.place}: item {item.id} has neither datetime nor start_datetime and end_datetime")
    start, end = parse_time(values[0], "start_datetime", item), parse_time(values[1], "end_datetime", item)
    if end < start:
        raise DataError(
            "bad_time", f"{item.place}: item {item.id} ends at {end.isoformat()}, before it starts at {start.isoformat()}"
        )
    return start, end


def parse_time(value: Any, key: str, item: Item) -> datetime:
    """A time of RFC 3339 in UTC; DataError `bad_time` for anything else."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise DataError(
            "bad_time", f"{item.place}: {key} of item {item.id} is {value!r}, expected a time such as 2020-01-31T10:20:30Z"
        ) from error
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def item_version(item: Item) -> str:
    """The version of the product or of its processing; "" where none is stated."""
    return next((str(value) for name in VERSIONS if (value := item.properties.get(name)) not in (None, "")), "")


def item_gsd(item: Item) -> float | None:
    value = item.properties.get("gsd")
    return float(value) if is_number(value) and value > 0 else None


def georeference(item: Item, asset: str) -> Json | None:
    """`crs` and `transform` (a to f) of an asset for `shape` (rows, cols), for files that have no georeference of their own."""
    places = (item.data["assets"][asset], item.data["properties"])

    def stated(*keys: str) -> Any:
        return next((place[key] for place in places for key in keys if place.get(key) is not None), None)

    code, epsg, projjson = stated("proj:code"), stated("proj:epsg"), stated("proj:projjson")
    crs = code or (f"EPSG:{epsg}" if epsg else None) or stated("proj:wkt2") or (json.dumps(projjson) if projjson else None)
    shape = stated("proj:shape")
    if not isinstance(crs, str) or not _numbers(shape, (2,)) or min(shape) <= 0:
        return None
    transform = stated("proj:transform")
    if transform is None and _numbers(bounds := stated("proj:bbox"), (4,)):
        transform = _transform_of_bounds(bounds, shape)
    if not _numbers(transform, (6, 9)):
        return None
    return {"crs": crs, "transform": [float(value) for value in transform[:6]], "shape": [int(value) for value in shape]}


def _transform_of_bounds(bounds: list[float], shape: list[int]) -> list[float]:
    """The affine map (a to f) of a north-up grid of `shape` (rows, cols) between west, south, east and north."""
    west, south, east, north = bounds
    return [(east - west) / shape[1], 0.0, west, 0.0, (south - north) / shape[0], north]


def _numbers(value: Any, lengths: tuple[int, ...]) -> bool:
    return isinstance(value, list) and len(value) in lengths and all(map(is_number, value))
