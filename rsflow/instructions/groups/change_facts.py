"""What the labels of a pair of dates state: areas by the way in which they changed, and what may be said of all of them.

The labels are those of the later picture. Areas whose shorter side is below twice the measured shift of the two pictures, or
below the setting `min_box_px`, are too small to be told from a shift: none is named, and their way of change is not exact, so
that it is neither listed nor counted. Nothing is said to be unchanged where an area is unknown or where nobody looked
everywhere.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from rsflow.config import settings as config
from rsflow.instructions.facts.objects import TileObject, tile_object
from rsflow.instructions.facts.tile_facts import cover_name
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.wording import english
from rsflow.records import GONE, NEW, UNKNOWN, Label

LAND_COVER = "land cover"  # what is compared where areas have a class at both dates
SHIFT_FACTOR = 2.0  # an area narrower than so many times the shift may be the shift itself

Way = tuple[str, str, str]  # category, what was there before ("" where that is not known), NEW, GONE or ""


@dataclass(frozen=True, slots=True)
class ChangedAreas:
    """All areas that changed in one way. `topic`: what was compared. `exact`: these are all there are."""

    way: Way
    topic: str
    areas: tuple[TileObject, ...]
    exact: bool

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(area.label for area in self.areas)

    def phrase(self, count: int) -> str:
        """`two areas of new buildings`, `one area where low vegetation became building area`."""
        return f"{english.number_word(count)} {'area' if count == 1 else 'areas'} {self.what}"

    @property
    def what(self) -> str:
        """How the areas changed: `of new buildings`."""
        category, before, direction = self.way
        if before:
            return f"where {cover_name(before)} became {cover_name(category)}"
        word = {NEW: "new", GONE: "removed"}.get(direction, "changed")
        return f"of {word} {topic_phrase(category)}"


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """`ways`: in the order of their names. `compared`: by topic the number of the label that says that changes of it were
    looked for everywhere. `is_unknown`: of some area nobody knows whether it changed. `stated`: what annotators said of the
    whole pair (True: something changed), with the number of that label."""

    ways: tuple[ChangedAreas, ...]
    compared: dict[str, int]
    is_unknown: bool
    stated: tuple[bool, int] | None

    def of_topic(self, topic: str) -> tuple[ChangedAreas, ...]:
        return tuple(one for one in self.ways if one.topic == topic)

    def is_unchanged(self, topic: str) -> bool:
        """Whether nothing of the topic changed, for certain."""
        return topic in self.compared and not self.is_unknown and not self.of_topic(topic) and not self.has_changed

    @property
    def has_changed(self) -> bool:
        return self.stated is not None and self.stated[0]

    def is_exact(self, topic: str) -> bool:
        return topic in self.compared and not self.is_unknown and all(one.exact for one in self.of_topic(topic))


def change_facts(group: GroupFacts, settings: config.Instructions) -> ChangeFacts:
    """The facts of a group's last picture against its first."""
    last = len(group.members) - 1
    labels = list(group.labels(last))
    compared = {label.category: number for number, label in labels if label.kind == "compared" and label.text == "change"}
    stated = next(
        ((label.value == 1, number) for number, label in labels if label.kind == "compared" and label.value is not None), None
    )
    compared.pop("", None)
    changes = [(number, label) for number, label in labels if label.kind == "change" and label.shape]
    unknown = any(UNKNOWN in label.shape.flags for _, label in changes if label.shape)
    return ChangeFacts(tuple(_ways(group, changes, set(compared), unknown, settings)), compared, unknown, stated)


def topic_phrase(topic: str) -> str:
    """`buildings`, `roads`, `land cover`."""
    return topic if topic == LAND_COVER else english.pluralise(english.singular_noun(topic))


def least_side_px(group: GroupFacts, settings: config.Instructions) -> float:
    """The shorter side that an area must have to be told from the shift of the pictures."""
    shift = group.members[-1].shift_px or (0.0, 0.0)
    return max(settings.min_box_px, SHIFT_FACTOR * math.hypot(*shift))


def _ways(
    group: GroupFacts, changes: list[tuple[int, Label]], compared: set[str], unknown: bool, settings: config.Instructions
) -> list[ChangedAreas]:
    facts, least = group.members[-1].facts, least_side_px(group, settings)
    found: dict[Way, list[TileObject]] = defaultdict(list)
    for number, label in changes:
        if label.shape and UNKNOWN not in label.shape.flags and _is_named(label):
            found[way_of(label)].append(tile_object(number, label.shape, facts))
    ways = []
    for way, areas in sorted(found.items()):
        large = sorted(
            (area for area in areas if area.shorter_px >= least), key=lambda area: (area.box[1], area.box[0], area.label)
        )
        topic = LAND_COVER if way[1] else way[0]
        ways.append(ChangedAreas(way, topic, tuple(large), topic in compared and not unknown and len(large) == len(areas)))
    return ways


def way_of(label: Label) -> Way:
    flags = label.shape.flags if label.shape else ()
    return label.category, label.text, next((flag for flag in (NEW, GONE) if flag in flags), "")


def _is_named(label: Label) -> bool:
    named = [cover_name(label.category), cover_name(label.text)] if label.text else [english.singular_noun(label.category)]
    return all(named)
