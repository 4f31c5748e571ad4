"""The whole tile in one phrase, for captions and the last sentence of descriptions.

A subject ("a dark SAR image"), its objects ("four ships and a car") and its land cover ("mostly covered by water"), each only
as far as labels state it, joined by patterns that are correct English for every combination.
"""

from __future__ import annotations

from dataclasses import dataclass

from rsflow.instructions import vqa
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.wording import attributes, english
from rsflow.instructions.wording import positions as places
from rsflow.records import TileFacts
from rsflow.sensors import SENSORS

NAMED_GROUPS = 5
NAMED_ABSENT = 4
MOSTLY, PARTLY = 0.6, 0.05


@dataclass(frozen=True, slots=True)
class Summary:
    """`image`: "dark SAR image"; `objects`: "a ship"; `ground`: "mostly covered by water"; `appearance`: "dark and smooth
    overall".

    Any but `image` may be empty. `plain` is `image` without adjectives, `objects_placed` is `objects` with their place where
    one place holds. `labels` support `image`, `objects` and `ground`, `appearance_labels` support `appearance`.
    """

    image: str
    plain: str
    objects: str
    objects_placed: str
    ground: str
    appearance: str
    labels: tuple[int, ...]
    appearance_labels: tuple[int, ...]


def summary(facts: TileFacts, least_px: float) -> Summary:
    """`least_px`: the least shorter side of an object that is named."""
    groups = tile_facts.large_enough(tile_facts.object_groups(facts), least_px)
    plain = f"{SENSORS[facts.sensor].adjective} image"
    looks, parts = attributes.picture_attributes(facts), attributes.extreme_parts(facts)
    adjectives = [found for found in looks if found.value in {"dark", "bright", "smooth", "strongly textured"}]
    ground, ground_labels = _cover_phrase(facts)
    things = _objects_phrase(facts, groups)
    labels = {position for group in groups for position in group.labels} | set(ground_labels)
    labels |= {position for position, _ in tile_facts.objects_without_place(facts).values()}
    return Summary(
        image=" ".join([", ".join(found.value for found in adjectives), plain]).strip(),
        plain=plain,
        objects=things,
        objects_placed=things + _place_phrase(facts, groups),
        ground=ground,
        appearance=_appearance_phrase(looks, parts),
        labels=tuple(sorted(labels | {found.label for found in adjectives})),
        appearance_labels=tuple(sorted(found.label for found in [*looks, *parts])),
    )


def _objects_phrase(facts: TileFacts, groups: list[Group]) -> str:
    ranked = sorted(groups, key=lambda group: (-group.count, group.noun))
    phrases = [vqa.quantity_phrase(group) for group in ranked]
    phrases += [f"at least one {noun}" for noun in tile_facts.objects_without_place(facts)]
    if len(phrases) > NAMED_GROUPS:
        phrases = phrases[:NAMED_GROUPS]
        phrases.append("other objects")
    if not phrases:
        missing = [english.pluralise(english.singular_noun(category)) for category in tile_facts.absent_categories(facts)]
        return f"no {english.join_list(missing, 'or')}" if 0 < len(missing) <= NAMED_ABSENT else ""
    return english.join_list(phrases)


def _place_phrase(facts: TileFacts, groups: list[Group]) -> str:
    if len(groups) != 1 or groups[0].count != 1:
        return ""
    place = places.place_name(groups[0].objects[0].box, facts.height_px, facts.width_px)
    return f" {places.place_phrase(place)}" if place else ""


def _cover_phrase(facts: TileFacts) -> tuple[str, tuple[int, ...]]:
    covers = tile_facts.land_covers(facts)
    named = [cover for cover in covers if cover.name and cover.share >= PARTLY]
    labels = tuple(cover.label for cover in named)
    if not named:
        return "", ()
    rest = [cover.name for cover in named[1:]]
    if named[0].share >= MOSTLY:
        return f"mostly covered by {named[0].name}" + (f" with some {english.join_list(rest)}" if rest else ""), labels
    mixed = sum(cover.share for cover in named) >= MOSTLY and rest
    return f"{'covered by a mix of' if mixed else 'partly covered by'} {english.join_list([named[0].name, *rest])}", labels


def _appearance_phrase(looks: list[attributes.Attribute], parts: list[attributes.Attribute]) -> str:
    overall = f"{english.join_list([found.phrase for found in looks])} overall" if looks else ""
    where = english.join_list([found.phrase for found in parts]) if parts else ""
    return ", ".join(part for part in (overall, where) if part)
