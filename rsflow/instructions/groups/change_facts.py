"""What the labels of a pair of dates state: areas by the way in which they changed, and what may be stated about all of them.

The labels are those of the later picture, those of the group itself, and objects that are annotated without gaps at both dates
(rsflow.instructions.groups.object_changes). Areas whose shorter side is below twice the measured shift of the two pictures, or
below the setting `min_box_px`, cannot be distinguished from a shift: none is named, and their way of change is not exact, so
that it is neither listed nor counted. Nothing is called unchanged where an area is unknown or where no one searched
everywhere.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from rsflow.config import settings as config
from rsflow.instructions.facts.objects import TileObject, tile_object
from rsflow.instructions.facts.tile_facts import cover_name
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.groups.object_changes import ObjectChanges, object_changes
from rsflow.instructions.wording import english
from rsflow.records import FELL, GONE, NEW, ROSE, UNKNOWN, Label

LAND_COVER = "land cover"  # what is compared where areas have a class at both dates
SHIFT_FACTOR = 2.0  # an area narrower than so many times the shift may be the shift itself

Way = tuple[str, str, str]  # category, what was there before ("" where that is not known), NEW, GONE, ROSE, FELL or ""

# Measured indices, as texts call them: what is higher where the index is.
INDEX_NAMES = {
    "ndvi": "the vegetation index (NDVI)",
    "ndwi": "the water index (NDWI)",
    "mndwi": "the water index (MNDWI)",
    "nbr": "the burn index (NBR)",
    "ndbi": "the built-up index (NDBI)",
}


_DIRECTIONS = {NEW: "new", GONE: "removed"}


@dataclass(frozen=True, slots=True)
class ChangedAreas:
    """All areas that changed in one way. `topic`: what was compared. `exact`: these are all there are. `objects`: each area
    is one thing. `least`: by how much a measured index differs at least."""

    way: Way
    topic: str
    areas: tuple[TileObject, ...]
    exact: bool
    objects: bool = False
    least: float | None = None

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(area.label for area in self.areas)

    def phrase(self, count: int) -> str:
        """`two areas of new buildings`, `one area where low vegetation became building area`, `two new buildings`."""
        if self.objects:
            category, _, direction = self.way
            return english.count_phrase(count, f"{_DIRECTIONS[direction]} {english.singular_noun(category)}")
        return f"{english.number_word(count)} {'area' if count == 1 else 'areas'} {self.what}"

    @property
    def what(self) -> str:
        """How the areas changed: `of new buildings`, `where the vegetation index (NDVI) fell by 0.2 or more`."""
        category, before, direction = self.way
        if direction in (ROSE, FELL):
            return f"where {topic_phrase(category)} {direction}" + (f" by {self.least:g} or more" if self.least else "")
        if before:
            return f"where {cover_name(before)} became {cover_name(category)}"
        return f"of {_DIRECTIONS.get(direction, 'changed')} {topic_phrase(category)}"

    @property
    def name(self) -> str:
        """All of these areas: `areas of new buildings`, `new buildings`."""
        if not self.objects:
            return f"areas {self.what}"
        return f"{_DIRECTIONS[self.way[2]]} {topic_phrase(self.way[0])}"


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """`ways`: in the order of their names. `compared`: by topic the numbers of the labels that say that changes of it were
    looked for everywhere. `unknown`: topics with an area that may have changed or not. `stated`: what annotators
    said of the whole pair (True: something changed), with the number of that label. `least`: by how much a measured index must
    differ for a change."""

    ways: tuple[ChangedAreas, ...]
    compared: dict[str, tuple[int, ...]]
    unknown: frozenset[str]
    stated: tuple[bool, int] | None
    least: dict[str, float] = field(default_factory=dict)

    def of_topic(self, topic: str) -> tuple[ChangedAreas, ...]:
        return tuple(one for one in self.ways if one.topic == topic)

    def phrase(self, topic: str) -> str:
        """What was compared: `buildings`, `the vegetation index (NDVI) by 0.2 or more`."""
        return topic_phrase(topic) + (f" by {self.least[topic]:g} or more" if topic in self.least else "")

    def is_unchanged(self, topic: str) -> bool:
        """Whether nothing of the topic changed, for certain."""
        return self.is_complete(topic) and not self.of_topic(topic) and not self.has_changed

    def is_complete(self, topic: str) -> bool:
        """Whether changes of the topic were looked for everywhere, and each is known."""
        return topic in self.compared and topic not in self.unknown

    @property
    def has_changed(self) -> bool:
        return self.stated is not None and self.stated[0]

    def is_exact(self, topic: str) -> bool:
        return self.is_complete(topic) and all(one.exact for one in self.of_topic(topic))


def change_facts(group: GroupFacts, settings: config.Instructions) -> ChangeFacts:
    """The facts of a group's last picture against its first."""
    last = len(group.members) - 1
    annotated, own = list(group.labels(last)), list(group.own_labels())
    labels = [*annotated, *own]
    compared: dict[str, tuple[int, ...]] = {
        label.category: (number,)
        for number, label in labels
        if label.kind == "compared" and label.text == "change" and label.category
    }
    stated = next(
        ((label.value == 1, number) for number, label in annotated if label.kind == "compared" and label.value is not None),
        None,
    )
    limits = {label.category: label.value for _, label in own if label.kind == "compared" and label.value is not None}
    unknown = {label.category for _, label in own if _is_unknown(label)}
    if any(_is_unknown(label) for _, label in annotated):
        unknown |= compared.keys()
    changes = [(number, label) for number, label in labels if label.kind == "change" and label.shape]
    ways = _ways(group, changes, compared.keys() - unknown, settings)
    for category, found in sorted(object_changes(group, compared.keys() | {one.topic for one in ways}).items()):
        compared[category] = found.labels
        more, is_unknown = _object_ways(category, found, least_side_px(group, settings))
        ways += more
        unknown |= {category} if is_unknown else set()
    return ChangeFacts(tuple(sorted(ways, key=lambda one: one.way)), compared, frozenset(unknown), stated, limits)


def _object_ways(category: str, found: ObjectChanges, least_px: float) -> tuple[list[ChangedAreas], bool]:
    """(the objects that are new and gone and large enough, whether others may have changed)."""
    ways, is_unknown = list[ChangedAreas](), found.is_unknown
    for direction, things in ((NEW, found.new), (GONE, found.gone)):
        large = tuple(thing for thing in things if thing.shorter_px >= least_px)
        is_unknown |= len(large) < len(things)
        if large:
            ways.append(ChangedAreas((category, "", direction), category, large, not is_unknown, objects=True))
    return ways, is_unknown


def _is_unknown(label: Label) -> bool:
    return label.kind == "change" and label.shape is not None and UNKNOWN in label.shape.flags


def topic_phrase(topic: str) -> str:
    """`buildings`, `roads`, `land cover`, `the vegetation index (NDVI)`."""
    if topic in INDEX_NAMES:
        return INDEX_NAMES[topic]
    return topic if topic == LAND_COVER else english.pluralise(english.singular_noun(topic))


def least_side_px(group: GroupFacts, settings: config.Instructions) -> float:
    """The shorter side that an area must have to be distinguished from the shift of the pictures."""
    shift = group.members[-1].shift_px or (0.0, 0.0)
    return max(settings.min_box_px, SHIFT_FACTOR * math.hypot(*shift))


def _ways(
    group: GroupFacts, changes: list[tuple[int, Label]], known: Collection[str], settings: config.Instructions
) -> list[ChangedAreas]:
    """`known`: topics that were compared everywhere."""
    facts, least = group.members[-1].facts, least_side_px(group, settings)
    found: dict[Way, list[TileObject]] = defaultdict(list)
    limits: dict[Way, float | None] = {}
    for number, label in changes:
        if label.shape and UNKNOWN not in label.shape.flags and _is_named(label):
            found[way_of(label)].append(tile_object(number, label.shape, facts))
            limits[way_of(label)] = label.value
    ways = []
    for way, areas in sorted(found.items()):
        large = sorted(
            (area for area in areas if area.shorter_px >= least), key=lambda area: (area.box[1], area.box[0], area.label)
        )
        topic = LAND_COVER if way[1] else way[0]
        exact = topic in known and len(large) == len(areas)
        ways.append(ChangedAreas(way, topic, tuple(large), exact, least=limits[way]))
    return ways


def way_of(label: Label) -> Way:
    flags = label.shape.flags if label.shape else ()
    return label.category, label.text, next((flag for flag in (NEW, GONE, ROSE, FELL) if flag in flags), "")


def _is_named(label: Label) -> bool:
    if label.category in INDEX_NAMES:
        return True
    named = [cover_name(label.category), cover_name(label.text)] if label.text else [english.singular_noun(label.category)]
    return all(named)
