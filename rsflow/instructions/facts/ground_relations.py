"""How objects lie to each other on the ground: distances in metres and compass directions.

Both are of the objects' middles, measured along the tile's two axes, whose lengths and directions on the ground are known from
its place; so they hold where pixels are not square and north is not up. They are stated for things that a phrase names alone
(the only one of its kind, the largest, or one by its name), that the tile shows whole, and that are small beside their
distance: how far a border is from its middle, or a feature from where it is drawn, must not change the answer.

A distance has two significant digits, and its answer names the interval that they stand for (`least`, `most`). A direction is
one of eight, stated within MARGIN_DEG of its middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording.references import references
from rsflow.records import TileFacts
from rsflow.spatial.geodesy import axis_bearings

DIRECTIONS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
SECTOR_DEG = 45.0
MARGIN_DEG = 15.0  # from the middle of a direction, at most
EXTENT = 0.25  # of a distance that the two objects may measure together, from their middles
MOST_THINGS = 6  # of a tile that are compared with each other


@dataclass(frozen=True, slots=True)
class Referent:
    """An object and the phrase that means it alone."""

    phrase: str
    category: str
    thing: TileObject


@dataclass(frozen=True, slots=True)
class GroundRelation:
    """`subject` lies `distance_m` to the `direction` of `other`; None where it lies between two directions."""

    subject: Referent
    other: Referent
    distance_m: float
    direction: str | None

    @property
    def labels(self) -> tuple[int, ...]:
        return (self.subject.thing.label, self.other.thing.label)

    @property
    def sentence(self) -> str:
        way = f"{self.direction} of" if self.direction else "from"
        be = f"{english.capitalise(self.subject.phrase)} is about {format_distance(self.distance_m)[0]}"
        return f"{be} {way} {self.other.phrase}."


def list_relations(facts: TileFacts, settings: config.Instructions) -> list[GroundRelation]:
    """Of every ordered pair of things of which it is known, the things in the order of their phrases."""
    things = [
        found for found in _referents(facts) if found.thing.fully_visible and found.thing.shorter_px >= settings.min_box_px
    ]
    pairs = permutations(things[:MOST_THINGS], 2)
    return [found for subject, other in pairs if (found := _relation(subject, other, facts)) is not None]


def question_answers(facts: TileFacts, settings: config.Instructions) -> Iterator[QuestionAnswer]:
    for found in list_relations(facts, settings):
        fill = {"subject": found.subject.phrase, "object": found.other.phrase}
        names = {"subject": found.subject.category, "object": found.other.category}
        key = f"{fill['subject']} {fill['object']}"
        if found.subject.phrase < found.other.phrase:
            distance_text, least, most = format_distance(found.distance_m)
            interval = {"number": found.distance_m, "unit": "m", "least": least, "most": most}
            answer = {"kind": "fact", "name": "distance", "value": f"about {distance_text}", **interval, **names}
            full = f"{english.capitalise(fill['subject'])} and {fill['object']} are about {distance_text} apart."
            yield QuestionAnswer("vqa", "distance", key, f"about {distance_text}", full, answer, found.labels, (), fill)
        if found.direction:
            answer = {"kind": "fact", "name": "direction", "value": found.direction, **names}
            full = f"{english.capitalise(fill['subject'])} is {found.direction} of {fill['object']}."
            yield QuestionAnswer("vqa", "direction", key, found.direction, full, answer, found.labels, (), fill)


def feature_name(thing: TileObject, facts: TileFacts) -> str:
    """What the object is called, where its layer says so and texts may use it; else empty."""
    label = facts.labels[thing.label]
    return label.text if label.kind == "box" and label.provenance.name == "vector" else ""


def format_distance(distance_m: float) -> tuple[str, float, float]:
    """(`400 m` or `1.3 km`, the least and the most that its two significant digits stand for, in metres)."""
    step = 10.0 ** (math.floor(math.log10(distance_m)) - 1)
    rounded = round(distance_m / step) * step
    text = f"{rounded:g} m" if rounded < 1000 else f"{rounded / 1000:g} km"
    return text, rounded - step / 2, rounded + step / 2


def _referents(facts: TileFacts) -> list[Referent]:
    """Every object with a name that no other has, and those that a phrase means alone, with the first of these."""
    groups = tile_facts.object_groups(facts)
    found: dict[int, Referent] = {}
    named = [(feature_name(thing, facts), group, thing) for group in groups for thing in group.objects]
    every = [name for name, _, _ in named]
    for name, group, thing in named:
        if name and every.count(name) == 1:
            found[thing.label] = Referent(f"the {group.noun} called {name}", group.category, thing)
    for group in groups:
        if group.complete:
            for phrase, thing in references(group, facts.height_px, facts.width_px):
                found.setdefault(thing.label, Referent(phrase, group.category, thing))
    return sorted(found.values(), key=lambda one: one.phrase)


def _relation(subject: Referent, other: Referent, facts: TileFacts) -> GroundRelation | None:
    bearings = axis_bearings(facts.footprint) if facts.footprint else None
    if bearings is None or facts.gsd_m is None:
        return None
    dx, dy = (a - b for a, b in zip(_middle(subject.thing), _middle(other.thing), strict=True))
    east, north = _step_m(dx, dy, bearings, facts)
    distance = math.hypot(east, north)
    if not distance or _extent_m(subject.thing, facts) + _extent_m(other.thing, facts) > EXTENT * distance:
        return None
    return GroundRelation(subject, other, distance, direction_name(math.degrees(math.atan2(east, north))))


def direction_name(bearing_deg: float) -> str | None:
    number = round(bearing_deg / SECTOR_DEG)
    return DIRECTIONS[number % 8] if abs(bearing_deg - number * SECTOR_DEG) <= MARGIN_DEG else None


def _step_m(dx: float, dy: float, bearings: tuple[float, float], facts: TileFacts) -> tuple[float, float]:
    """(east, north) metres of a step of pixels to the right and down."""
    right, down = (math.radians(bearing) for bearing in bearings)
    along, across = math.copysign(facts.metres(dx, 0), dx), math.copysign(facts.metres(0, dy), dy)
    return along * math.sin(right) + across * math.sin(down), along * math.cos(right) + across * math.cos(down)


def _middle(thing: TileObject) -> tuple[float, float]:
    x0, y0, x1, y1 = thing.box
    return (x0 + x1) / 2, (y0 + y1) / 2


def _extent_m(thing: TileObject, facts: TileFacts) -> float:
    """From its middle to the corner of its box."""
    x0, y0, x1, y1 = thing.box
    return facts.metres((x1 - x0) / 2, (y1 - y0) / 2)
