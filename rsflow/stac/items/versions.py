"""Items that others replace: withdrawn by their catalogue, or an earlier version of the same acquisition.

One idea: what a catalogue says itself comes first (`deprecated`, a link to a successor or a latest version, of the version
extension). Two items are versions of one acquisition where they are of one collection, platform, moment and place, and state
different versions (of the product or of its processing): then the latest counts. Items that state no version are all kept.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from rsflow.errors import DataError
from rsflow.stac.documents import Item
from rsflow.stac.items.item_bands import is_number
from rsflow.stac.items.item_facts import item_period, item_version

PLACES = ("grid:code", "s2:mgrs_tile")  # that say more of a scene's place than its outline
_SUCCESSORS = ("successor-version", "latest-version")


def split_superseded(items: Sequence[Item]) -> tuple[list[Item], list[tuple[Item, DataError]]]:
    """The items that count, and those that do not, each with its reason (`deprecated`, `superseded`)."""
    kept: list[Item] = []
    left: list[tuple[Item, DataError]] = []
    for item in items:
        reason = _withdrawn(item)
        if reason:
            left.append((item, reason))
        else:
            kept.append(item)
    groups: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in kept:
        groups[_acquisition(item)].append(item)
    for members in groups.values():
        latest = max(members, key=_order)
        for item in members:
            if item_version(item) != item_version(latest) and item_version(item):
                by = f"version {item_version(latest)}, {latest.id}"
                detail = f"{item.place}: version {item_version(item)} of item {item.id} is replaced by {by}"
                left.append((item, DataError("superseded", detail)))
    superseded = {id(item) for item, _ in left}
    return [item for item in kept if id(item) not in superseded], left


def _withdrawn(item: Item) -> DataError | None:
    if item.properties.get("deprecated") is True:
        return DataError("deprecated", f"{item.place}: item {item.id} is marked as deprecated by its catalogue")
    links = [link for link in item.data["links"] if link.get("rel") in _SUCCESSORS]
    other = next((str(link.get("href")) for link in links if not _is_itself(str(link.get("href")), item)), None)
    if other is None:
        return None
    return DataError("superseded", f"{item.place}: item {item.id} names another as its later version: {other}")


def _rounded(bbox: Any) -> list[float]:
    return [round(value, 2) for value in bbox if is_number(value)] if isinstance(bbox, list) else []


def _is_itself(href: str, item: Item) -> bool:
    return posixpath.basename(href.partition("?")[0]).removesuffix(".json") in {
        item.id,
        posixpath.basename(item.place).removesuffix(".json"),
    }


def _acquisition(item: Item) -> tuple[str, ...]:
    """What the versions of one acquisition share; an item without a version, or whose time is broken, is alone."""
    properties = item.properties
    try:
        start, end = item_period(item)
    except DataError:
        return (str(id(item)),)
    if not item_version(item):
        return (str(id(item)),)
    place = next((str(properties[name]) for name in PLACES if properties.get(name)), "")
    outline = place or str(_rounded(item.data.get("bbox")))
    kind = str(properties.get("sar:polarizations", "")) + str(properties.get("product:type", ""))
    return (item.collection, str(properties.get("platform", "")), start.isoformat(), end.isoformat(), outline, kind)


def _order(item: Item) -> tuple[tuple[tuple[int, int, str], ...], str, str]:
    """Later versions are larger: their numbers as numbers, so that 5.10 comes after 5.9."""
    parts = re.findall(r"\d+|[A-Za-z]+", item_version(item))
    version = tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)
    return version, str(item.properties.get("updated") or item.properties.get("created") or ""), item.id
