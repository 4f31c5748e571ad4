"""What is known of every date of a series: numbers of things, and shares of land cover.

Numbers count only where every one is known at all dates. Shares count only of pictures without fill and with little cloud, and
a difference of two shares only where it is larger than what the measured shift of the pictures makes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.tile_facts import Cover, Group
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.instructions.wording import english

LEAST_CHANGE = 0.1  # of a share
CLEAR = 0.05  # share of cloud up to which a picture's land cover is compared
WHOLE = 0.999  # valid share from which a share of the ground is one of the image
COUNT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class CountSeries:
    """`counts`: of one kind of thing, by image. `labels`: of all these things."""

    noun: str
    counts: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CoverSeries:
    """`covers`: one land cover by the place of the image; images of which it is not known are missing."""

    name: str
    covers: dict[int, Cover]

    def labels(self, group: GroupFacts) -> tuple[int, ...]:
        return tuple(group.first_label(place) + cover.label for place, cover in self.covers.items())


def count_series(group: GroupFacts, settings: config.Instructions) -> Iterator[CountSeries]:
    """Of each kind of thing that is annotated without gaps at every date, and there at one of them at least."""
    complete = [{english.singular_noun(name) for name in member.facts.vocabulary} - {""} for member in group.members]
    by_date = [{found.noun: found for found in tile_facts.object_groups(member.facts)} for member in group.members]
    for noun in sorted(set.intersection(*complete)):
        found = [things.get(noun) for things in by_date]
        if not all(one is None or one.exact for one in found) or not _absences_hold(group, noun, found):
            continue
        counts = tuple(one.count if one else 0 for one in found)
        if any(counts) and max(counts) <= COUNT_LIMIT and _are_large(found, settings):
            labels = (group.first_label(place) + label for place, one in enumerate(found) if one for label in one.labels)
            yield CountSeries(noun, counts, tuple(labels))


def _absences_hold(group: GroupFacts, noun: str, found: list[Group | None]) -> bool:
    missing = [member.facts for member, one in zip(group.members, found, strict=True) if one is None]
    absent = ({english.singular_noun(name) for name in tile_facts.absent_categories(facts)} for facts in missing)
    return all(noun in names for names in absent)


def _are_large(found: list[Group | None], settings: config.Instructions) -> bool:
    return all(one is None or one.smallest_px() >= settings.min_box_px for one in found)


def cover_series(group: GroupFacts) -> Iterator[CoverSeries]:
    """Of each land cover that two images or more have, by name."""
    by_date = {place: found for place, member in enumerate(group.members) if (found := _clear_covers(member))}
    if len(by_date) < 2:
        return
    for name in sorted(set.intersection(*({*known} for known in by_date.values()))):
        yield CoverSeries(name, {place: known[name] for place, known in by_date.items()})


def _clear_covers(member: GroupMember) -> dict[str, Cover]:
    """The land cover of a picture by name: what annotators say, or what was measured where there is known to be little
    cloud."""
    facts = member.facts
    if member.valid_share < WHOLE or tile_facts.unknown_cover_share(facts) > CLEAR:
        return {}
    is_clear = member.cloud_share is not None and member.cloud_share <= CLEAR
    return {
        cover.name: cover
        for cover in tile_facts.land_covers(facts)
        if cover.name and (is_clear or facts.labels[cover.label].provenance.origin == "annotation")
    }


def least_change(group: GroupFacts) -> float:
    """The difference of two shares that no shift of the pictures makes."""
    swept = 0.0
    for member in group.members[1:]:
        dx, dy = member.shift_px or (0.0, 0.0)
        swept = max(swept, math.hypot(dx / member.facts.width_px, dy / member.facts.height_px))
    return max(LEAST_CHANGE, 2 * swept)
