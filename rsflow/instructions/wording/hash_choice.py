"""Deterministic choices by hash.

A choice depends on the seed, the tile, the task and the subject only, so adding a label or a task never changes the other
choices, and neither order nor the number of workers matters.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def hash_number(*key: str | int) -> int:
    """A number in [0, 2**64) from the key (BLAKE2b of its JSON)."""
    text = json.dumps(key, ensure_ascii=True, separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def choose(options: Sequence[T], *key: str | int) -> T:
    """One of the options; each about equally often over many keys."""
    return options[hash_number(*key) % len(options)]


def hash_order(names: Sequence[str], *key: str | int) -> list[str]:
    """The names in an order of the key's own, which does not depend on the order they come in."""
    return sorted(names, key=lambda name: (hash_number(*key, name), name))
