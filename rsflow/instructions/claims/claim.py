"""A claim: one checkable statement about a tile, as numbers and names instead of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ClaimKind = Literal[
    "count",
    "presence",
    "absence",
    "place",
    "relation",
    "size",
    "area",
    "share",
    "colour",
    "temperature",
    "class",
    "name",
    "change",
    "comparison",
]
Unit = Literal["", "px", "m", "km", "m2", "ha", "km2", "percent", "K", "C"]
Scope = Literal["tile", "region", "object", "date", "sensor"]

CLAIM_KINDS: tuple[ClaimKind, ...] = get_args(ClaimKind)
UNITS: tuple[Unit, ...] = get_args(Unit)
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence states. Which fields a kind uses is said in `rsflow.instructions.claims.object_checks` and `tile_checks`.

    `objects` and `others` are numbers of objects as the prompt gave them (rsflow.instructions.claims.claim_facts): the labels
    that the claim rests on. `category` and `other_category` are nouns. `value` is in `unit`, and true within the share
    `tolerance` of itself. `word` holds what is no number: a place, a direction, a colour, a class. `at_least`: the value is a
    lower bound. `scope`: what the claim is about: the whole tile, a region of it (a place), one object, another date, another
    sensor.
    """

    kind: ClaimKind
    category: str = ""
    objects: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    other_category: str = ""
    value: float | None = None
    unit: Unit = ""
    tolerance: float = 0.0
    word: str = ""
    at_least: bool = False
    scope: Scope = "tile"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`holds`: True or False where the facts decide, None where they do not: that is not known, and no claim may rest on it."""

    holds: bool | None
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        if self.holds:
            return "holds"
        return f"expected {self.expected}, found {self.found}" if self.holds is False else f"cannot be known: {self.expected}"


HOLDS = Verdict(True)


def compare(holds: bool, expected: object, found: object) -> Verdict:
    return HOLDS if holds else Verdict(False, str(expected), str(found))


def unknown(why: str) -> Verdict:
    return Verdict(None, why)
