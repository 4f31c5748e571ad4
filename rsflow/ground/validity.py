"""When features are there: dates of a layer or of each feature, against the date of a scene.

One idea: a date stands for all of its period, so "2015" begins with 2015-01-01 and ends before 2016-01-01. Bounds are
microseconds since 1970, half-open; what has no bound reaches as far as time does. A date that cannot be read is no bound that
could be trusted: its feature is left out, and counted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.errors import ConfigError
from rsflow.ground.geometry.geometries import GeometryFaults
from rsflow.ground.layer_settings import Validity

ALWAYS_BEFORE, ALWAYS_AFTER = -(2**62), 2**62  # bounds of what has none
_PARTIAL = re.compile(r"(\d{4})(?:[-/]?(\d{1,2}))?$")


def parse_period(text: Any) -> tuple[int, int] | None:
    """(start, stop) of a date: a year, a month, a day or a moment (ISO 8601; a datetime or date as Arrow gives it)."""
    value = str(text).strip()
    try:
        if found := _PARTIAL.match(value):
            year, month = int(found[1]), int(found[2] or 0)
            start = datetime(year, month or 1, 1, tzinfo=UTC)
            stop = datetime(year + (month in (0, 12)), month % 12 + 1 if month else 1, 1, tzinfo=UTC)
        else:
            start = datetime.fromisoformat(value.replace("/", "-"))
            start = start if start.tzinfo else start.replace(tzinfo=UTC)
            stop = start + (timedelta(days=1) if len(value) <= 10 else timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return None
    return microseconds(start), microseconds(stop)


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def check_validity(validity: Validity, place: str) -> None:
    """ConfigError where a date of the settings cannot be read."""
    for name in ("since", "until"):
        value = getattr(validity, name)
        if value is not None and parse_period(value) is None:
            raise ConfigError(f"{place}.validity.{name}: found {value!r}; expected a date such as 2015, 2015-07 or 2015-07-31")


def read_periods(batch: pa.Table, validity: Validity, ids: pa.Array, faults: GeometryFaults) -> tuple[pa.Array, pa.Array]:
    """(since, until) of each feature of a batch. One whose date cannot be read gets an empty period, and is in `faults`."""
    since = _bounds(batch, validity.since_attribute, validity.since, 0)
    until = _bounds(batch, validity.until_attribute, validity.until, 1)
    unreadable = (since == _UNREADABLE) | (until == _UNREADABLE)
    faults.note("date_unreadable", ids, unreadable)
    since[unreadable], until[unreadable] = 0, 0
    return pa.array(since), pa.array(until)


_UNREADABLE = 2**61


def _bounds(batch: pa.Table, attribute: str | None, fixed: str | None, position: int) -> npt.NDArray[np.int64]:
    """The bound of each feature; each distinct text of the attribute is parsed once. `fixed` is that of those without."""
    if not attribute or attribute not in batch.column_names:
        return np.full(batch.num_rows, _bound(fixed, position), np.int64)
    texts = batch[attribute].to_pylist()
    known = {text: _bound(fixed if text is None else text, position) for text in dict.fromkeys(texts)}
    return np.array([known[text] for text in texts], np.int64)


def _bound(text: Any, position: int) -> int:
    if text is None or not str(text).strip():
        return (ALWAYS_BEFORE, ALWAYS_AFTER)[position]
    found = parse_period(text)
    return _UNREADABLE if found is None else found[position]
