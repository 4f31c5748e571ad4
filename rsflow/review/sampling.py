"""Drawing items for review by stratum.

One idea: an item is drawn by the hash of its id and the seed, so the same lake gives the same sample, and one more scene
disturbs it little. Strata get equally many items, as far as they have so many; what one lacks goes to the others.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

STRATA = {"task": "instruction", "source": "instruction", "sensor": "instruction", "labeller": "label", "category": "label"}


class Item(NamedTuple):
    """Something that can be decided on. `task` is empty for a label, `labeller` and `category` are for an instruction."""

    kind: str
    target: str
    tile_id: str
    task: str
    source: str
    sensor: str
    labeller: str
    category: str


class Drawn(NamedTuple):
    """An item with its stratum and how many items that has in all."""

    item: Item
    stratum: str
    population: int


def draw(items: Iterable[Item], per: str, count: int, seed: int = 0) -> list[Drawn]:
    """`count` items (fewer where there are not so many), evenly over the values of `per` (a key of STRATA)."""
    strata: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        strata[str(getattr(item, per))].append(item)
    shares = allocate({name: len(found) for name, found in strata.items()}, count)
    return [
        Drawn(item, f"{per}:{name}", len(found))
        for name, found in sorted(strata.items())
        for item in sorted(found, key=lambda item: (_order(seed, item), item))[: shares[name]]
    ]


def allocate(sizes: dict[str, int], count: int) -> dict[str, int]:
    """How many each stratum gives: as even as their sizes allow; what does not divide goes to the first by name."""
    given, left = dict.fromkeys(sorted(sizes), 0), min(count, sum(sizes.values()))
    while left:
        open_strata = [name for name in given if given[name] < sizes[name]]
        each = max(1, left // len(open_strata))
        for name in open_strata:
            more = min(each, sizes[name] - given[name], left)
            given[name] += more
            left -= more
    return given


def _order(seed: int, item: Item) -> bytes:
    return hashlib.blake2b(f"{seed} {item.kind} {item.tile_id} {item.target}".encode(), digest_size=8).digest()
