"""Pages of samples and rejects, and how many there are of each value of a filter.

One idea: a page begins after the last row of the one before it (keyset), so the thousandth page costs what the first does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pyarrow as pa

from rsflow.errors import UsageError
from rsflow.viewer.index.index import SampleIndex
from rsflow.viewer.index.lake_rows import LakeRows
from rsflow.viewer.queries.filters import ALL, ORDERS, SampleFilter, where

PAGE_ROWS = 60
MOST_ROWS = 200
MOST_VALUES = 400  # of a filter that are listed
TEXTS_SHOWN = 3  # instructions of a sample

_CARD = (
    "s.n, s.tile_id, s.key, s.source, s.sensor, s.height_px, s.width_px, s.split, s.selected, s.reason, s.objects, "
    "hex(s.sha256[:4]) AS version"
)
# By filter: the expression whose values are counted, and the table that has each value of a sample once.
_FACETS = {
    **{name: (f"coalesce(s.{name}, '')", "samples") for name in ("source", "sensor", "split", "reason")},
    "task": ("t.task", "tasks"),
    "category": ("t.category", "categories"),
}


def sample_page(rows: LakeRows, chosen: SampleFilter, after: str = "", limit: int = PAGE_ROWS) -> dict[str, Any]:
    """`samples`: the cards of a page with their labels; `next`: what the page after it begins after, or null."""
    expression, falls = ORDERS[chosen.order]
    condition, parameters, tables = condition_of(rows, chosen)
    if after:
        value, n = _cursor(after)
        compare = "<" if falls else ">"
        condition += f" AND ({expression} {compare} $after OR ({expression} = $after AND s.n > $after_n))"
        parameters |= {"after": value, "after_n": n}
    direction = "DESC" if falls else "ASC"
    query = (
        f"SELECT {_CARD}, {expression} AS place FROM samples s WHERE {condition} ORDER BY place {direction}, s.n LIMIT $limit"
    )
    limit = min(limit, MOST_ROWS)
    found = rows.index.table(query, {**parameters, "limit": limit}, tables).to_pylist()
    last = found[-1] if len(found) == limit else None
    labels = labels_of(rows.index, [row["n"] for row in found])
    for row in found:
        row["labels"] = labels[row["n"]]
    return {"samples": found, "next": json.dumps([last["place"], last["n"]]) if last else None}


def _cursor(text: str) -> tuple[Any, int]:
    try:
        value, n = json.loads(text)
    except (ValueError, TypeError) as error:
        raise UsageError(f"after is {text!r}: expected what `next` of a page was") from error
    if not isinstance(value, (int, float, str)) or not isinstance(n, int):
        raise UsageError(f"after is {text!r}: expected what `next` of a page was")
    return value, n


def condition_of(rows: LakeRows, chosen: SampleFilter, without: str = "") -> tuple[str, dict[str, Any], dict[str, pa.Table]]:
    condition, parameters = where(chosen, without)
    if not chosen.text:
        return condition, parameters, {}
    return f"{condition} AND s.n IN (SELECT n FROM text_matches)", parameters, {"text_matches": rows.find_text(chosen.text)}


def labels_of(index: SampleIndex, numbers: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The labels of samples by their `n`: what is drawn on a card."""
    query = (
        "SELECT n, label_id, kind, category, score, box, polygon, origin_name, text FROM labels "
        "WHERE n IN (SELECT unnest($numbers)) ORDER BY n, label_id"
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in index.rows(query, {"numbers": numbers}):
        if row["kind"] != "fact":
            for name in ("box", "polygon"):
                row[name] = row[name] and [
                    round(value, 1) for value in row[name]
                ]  # they are drawn: a tenth of a pixel is enough
            found[row.pop("n")].append(row)
    return found


def first_texts(rows: LakeRows, keys: list[str]) -> dict[str, list[dict[str, Any]]]:
    """By sample key: the task and turns of the first instructions, in the order of their ids.

    Asked for after the cards: texts stay in the lake's files, and of many millions of them reading a few takes a while.
    """
    known = rows.index.rows("SELECT tile_id, key FROM samples WHERE key IN (SELECT unnest($keys))", {"keys": keys[:MOST_ROWS]})
    key_of = {row["tile_id"]: row["key"] for row in known}
    found: dict[str, list[dict[str, Any]]] = {key: [] for key in key_of.values()}
    read = rows.read("instructions", "tile_id", list(key_of), ["instruction_id", "tile_id", "task", "turns"])
    for row in sorted(read, key=lambda row: str(row["instruction_id"])):
        if len(mine := found[key_of[row["tile_id"]]]) < TEXTS_SHOWN:
            mine.append(row)
    return found


def count_values(rows: LakeRows, chosen: SampleFilter) -> dict[str, Any]:
    """`total` samples under a filter, and per filter the values that it could have beside the others, with their numbers."""
    condition, parameters, tables = condition_of(rows, chosen)
    total = rows.index.table(f"SELECT count(*) AS count FROM samples s WHERE {condition}", parameters, tables)
    counts = {"total": total["count"][0].as_py()}
    for name, (value, table) in _FACETS.items():
        counts[name] = _count_facet(rows, chosen, name, value, table)
    return counts


def _count_facet(rows: LakeRows, chosen: SampleFilter, name: str, value: str, table: str) -> list[dict[str, Any]]:
    condition, parameters, registered = condition_of(rows, chosen, without=name)
    chosen_rows = "" if condition == ALL or table == "samples" else "JOIN samples s USING (n)"
    source = "samples s" if table == "samples" else f"{table} t {chosen_rows}"
    query = (
        f"SELECT {value} AS value, count(*) AS count FROM {source} WHERE {condition} GROUP BY value "
        f"ORDER BY count DESC, value LIMIT {MOST_VALUES}"
    )
    found: list[dict[str, Any]] = rows.index.table(query, parameters, registered).to_pylist()
    return found


def reject_page(index: SampleIndex, query: dict[str, str], after: int = -1, limit: int = PAGE_ROWS) -> dict[str, Any]:
    """`rejects`: rows of the table of that name; `next`: the number that the following page begins after, or null."""
    condition, parameters = "n > $after", dict[str, Any]({"after": after, "limit": min(limit, MOST_ROWS)})
    for name in ("source", "reason", "kind", "step"):
        if query.get(name):
            condition += f" AND {name} = ${name}"
            parameters[name] = query[name]
    if query.get("text"):
        condition += " AND contains(lower(concat_ws(' ', subject, scene_id, detail, file)), $text)"
        parameters["text"] = query["text"].lower()
    found = index.rows(f"SELECT * FROM rejects WHERE {condition} ORDER BY n LIMIT $limit", parameters)
    return {"rejects": found, "next": found[-1]["n"] if len(found) == parameters["limit"] else None}


def count_rejects(index: SampleIndex) -> list[dict[str, Any]]:
    """How many rejects there are by source, kind, step and reason."""
    return index.rows(
        "SELECT source, kind, step, reason, count(*) AS count FROM rejects GROUP BY ALL "
        "ORDER BY count DESC, source, kind, reason"
    )
