"""What a source takes from a STAC catalogue or API: where it is, which of its items, and how they are opened.

Secrets are never values here: `sign` and `headers` hold names of environment variables, which are read when a request is made.

Sources: STAC 1.0 and 1.1 (https://github.com/radiantearth/stac-spec), STAC API 1.0 with its query, filter and sort extensions
(https://github.com/radiantearth/stac-api-spec).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from rsflow.config.validation import STRICT, Positive

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# With the slash behind the host: the beginning of a host's name would match others too. A secret goes over TLS.
_SIGNED = re.compile(r"(?:https://[^/@?#\s]+|http://(?:127\.0\.0\.1|localhost)(?::\d+)?)/")
OF_ITEMS = "as its items state"  # shown for the licence of a source that leaves it to its items
OPEN_ENDS = ("", "..")
OPERATORS = ("eq", "neq", "lt", "lte", "gt", "gte", "in", "startsWith", "endsWith", "contains")  # of the query extension


@dataclass(frozen=True)
class StacSearch:
    """A catalogue or API at `href`, and which of its items are scenes; without further settings, all of them.

    `href`: a catalogue, collection, item or item collection (file or address), a folder that holds one, or an API.
    `bbox`: west, south, east, north in degrees. `area`: a GeoJSON geometry, or a GeoJSON file. `period`: `start/end`, either of
    which may be `..`, or one day, month or year. `query`: property -> {operator: value}. `filter`: CQL2 as JSON, APIs only.
    `sort`: properties, `-` before one for the largest first. `assets`: names of the assets whose bands are read.
    `sign`: beginning of an address -> environment variable with the query string that assets there are opened with.
    `headers`: header of requests to the API -> environment variable with its value.
    """

    __pydantic_config__ = STRICT
    href: Annotated[str, Field(min_length=1)]
    collections: tuple[str, ...] = ()
    bbox: tuple[float, float, float, float] | None = None
    area: str | dict[str, Any] | None = None
    period: str | None = None
    max_cloud_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    query: dict[str, dict[str, Any]] = field(default_factory=dict)
    filter: dict[str, Any] | None = None
    sort: tuple[str, ...] = ()
    limit: Positive | None = None
    assets: tuple[str, ...] = ()
    sign: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.bbox and self.area:
            raise ValueError("bbox and area are both set: give one of them")
        if self.bbox and not _is_box(self.bbox):
            raise ValueError(f"bbox is {list(self.bbox)}: expected west, south, east, north in degrees")
        if self.period is not None:
            parse_period(self.period)
        unknown = [f"{name}: {key}" for name, test in self.query.items() for key in test if key not in OPERATORS]
        if unknown:
            raise ValueError(f"query has {unknown[0]!r}, which is no operator; known: {', '.join(OPERATORS)}")
        for setting, variables in (("sign", self.sign), ("headers", self.headers)):
            wrong = next((name for name in variables.values() if not _VARIABLE.fullmatch(name)), None)
            if wrong is not None:  # not shown: it may be the secret itself
                raise ValueError(f"{setting} holds a value that is no name of an environment variable: name one that holds it")
        if (prefix := next((prefix for prefix in self.sign if not _SIGNED.match(prefix)), None)) is not None:
            raise ValueError(f"sign has {prefix!r}: expected the beginning of an address, such as https://host/container/")


def with_stac_defaults(data: dict[str, Any]) -> dict[str, Any]:
    """A configuration's plain values with `stac: HREF` spelled out, and an empty licence in sources of items that name none."""
    sources = data.get("sources")
    for source in sources if isinstance(sources, list) else ():
        scenes = source.get("scenes") if isinstance(source, dict) else None
        if isinstance(scenes, dict) and "stac" in scenes:
            source.setdefault("licence", "")
            if isinstance(scenes["stac"], str):
                scenes["stac"] = {"href": scenes["stac"]}
    return data


def parse_period(text: str) -> tuple[datetime | None, datetime | None]:
    """First and last moment (UTC, both inside) of `start/end`, or of one day, month, year or moment; None where it is open."""
    start, slash, end = (part.strip() for part in text.partition("/"))
    first = None if start in OPEN_ENDS else _moment(start, text, last=False)
    last = _moment(start, text, last=True) if not slash else None if end in OPEN_ENDS else _moment(end, text, last=True)
    if (first is None and last is None) or (first and last and first > last):
        raise ValueError(f"period is {text!r}: expected a start before its end, such as 2020-01-01/2020-12-31")
    return first, last


def _moment(text: str, period: str, last: bool) -> datetime:
    """A moment, or the first or last one of a year, month or day."""
    if match := re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text):
        year, month = int(match[1]), int(match[2] or (12 if last else 1))
        text = f"{year:04d}-{month:02d}-{_days(year, month) if last else 1:02d}"
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"period is {period!r}: {text!r} is no date or time (ISO 8601)") from error
    if last and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        time = time.replace(hour=23, minute=59, second=59, microsecond=999999)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _days(year: int, month: int) -> int:
    from calendar import monthrange

    return monthrange(year, month)[1] if 1 <= month <= 12 else 1


def _is_box(bbox: tuple[float, float, float, float]) -> bool:
    west, south, east, north = bbox
    return -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
