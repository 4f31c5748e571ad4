"""What samples are chosen by: the values of the page's filters, and the SQL that they become.

One idea: values travel as parameters of a query and never as its text; names of columns come from the tables here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsflow.errors import UsageError

# Filters of one column of `samples` each.
SAMPLE_COLUMNS = {"source": "source", "sensor": "sensor", "split": "split", "reason": "reason", "scene": "scene_id"}

# What samples may be sorted by: an expression and whether it falls. Ties are in the order of ids.
ORDERS = {
    "id": ("n", False),
    "mixed": ("key", False),  # keys are hashes: a fair draw, the same at every call
    "unsure": ("coalesce(low_score, 2)", False),
    "objects": ("objects", True),
    "newest": ("coalesce(epoch(acquired_at), 0)", True),
}

ALL = "true"  # the condition of a filter that leaves none out

NUMBERS = ("min_score", "max_score", "min_size", "max_size")
_BOUNDS = {"min_score": "score >=", "max_score": "score <=", "min_size": "size >=", "max_size": "size <="}


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """`values`: accepted ones by key of SAMPLE_COLUMNS. `bounds`: of scores and sizes (side of a square of the box's area, in
    px) by key of NUMBERS; they and `categories` are of one label together. `box`: west, south, east, north in degrees."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    bounds: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
    box: tuple[float, ...] = ()
    keys: tuple[str, ...] | None = None
    order: str = "id"


def parse_filter(query: Mapping[str, Sequence[str]]) -> SampleFilter:
    """The filter of an address's parameters. UsageError for a number or an order that is none."""
    order = (query.get("order") or ["id"])[0]
    if order not in ORDERS:
        raise UsageError(f"order is {order!r}: expected one of {', '.join(ORDERS)}")
    box = tuple(_number("box", part) for part in (query.get("box") or [""])[0].split(",") if part)
    if len(box) not in {0, 4}:
        raise UsageError("box: expected west,south,east,north in degrees")
    return SampleFilter(
        {name: tuple(query[name]) for name in SAMPLE_COLUMNS if query.get(name)},
        tuple(query.get("task", ())),
        tuple(query.get("category", ())),
        {name: _number(name, query[name][0]) for name in NUMBERS if query.get(name)},
        (query.get("text") or [""])[0].strip(),
        box,
        None,
        order,
    )


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"{name} is {text!r}: expected a number") from error


def where(chosen: SampleFilter, without: str = "") -> tuple[str, dict[str, Any]]:
    """The condition on `samples s` and its parameters; `without` leaves one filter out, to count what it could be."""
    parts, parameters = [], dict[str, Any]()
    for name, values in chosen.values.items():
        if name != without:
            parts.append(f"coalesce(CAST(s.{SAMPLE_COLUMNS[name]} AS VARCHAR), '') IN (SELECT unnest(${name}))")
            parameters[name] = list(values)
    if chosen.tasks and without != "task":
        parts.append("s.n IN (SELECT n FROM tasks WHERE task IN (SELECT unnest($task)))")
        parameters["task"] = list(chosen.tasks)
    if labels := _label_condition(chosen, parameters, without):
        parts.append(f"s.n IN (SELECT n FROM labels WHERE {labels})")
    if chosen.box:
        # A footprint beyond the antimeridian has an east above 180.
        parts.append("s.west <= $east AND s.east >= $west AND s.south <= $north AND s.north >= $south")
        parameters |= dict(zip(("west", "south", "east", "north"), chosen.box, strict=True))
    if chosen.keys is not None:
        parts.append("s.key IN (SELECT unnest($keys))")
        parameters["keys"] = list(chosen.keys)
    return " AND ".join(parts) or ALL, parameters


def _label_condition(chosen: SampleFilter, parameters: dict[str, Any], without: str) -> str:
    parts = []
    if chosen.categories and without != "category":
        parts.append("category IN (SELECT unnest($category))")
        parameters["category"] = list(chosen.categories)
    for name, bound in chosen.bounds.items():
        parts.append(f"{_BOUNDS[name]} ${name}")
        parameters[name] = bound
    if any(name.endswith("size") for name in chosen.bounds):
        parts.append("kind = 'box'")
    return " AND ".join(parts)
