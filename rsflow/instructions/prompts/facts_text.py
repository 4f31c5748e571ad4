"""The facts of a tile as lines of plain text for a prompt.

The same readers as the rules use (rsflow.instructions.facts.tile_facts and others), and it states as clearly what is not
known: a count only where it is exact, an absence only where the vocabulary grants it. Texts of a data set are quoted on one
line, so that none can pose as a part of the prompt.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass

from rsflow.config import settings as config
from rsflow.instructions import vqa
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.region_captioning import describe_object
from rsflow.instructions.wording import attributes, english
from rsflow.instructions.wording import positions as places
from rsflow.records import TileFacts
from rsflow.sensors import SENSORS
from rsflow.spatial.geometry import Box

OBJECTS, RELATIONS, QUOTES = 30, 6, 6
AT_A_GLANCE = 4
_LONGEST = 400  # characters of a quoted text


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object that is to be described by itself."""

    group: Group
    thing: TileObject


def fact_lines(facts: TileFacts, settings: config.Instructions) -> str:
    """Lines that begin with a dash: the picture, its objects, land cover, appearance, and quoted annotations."""
    groups = tile_facts.large_enough(tile_facts.object_groups(facts), settings.min_box_px)
    lines = [_picture_line(facts), *_class_lines(facts), *_object_lines(facts, groups)]
    lines += [qa.full_answer for qa in vqa.relations(facts, groups, settings)][:RELATIONS]
    lines += [
        *_absence_lines(facts),
        *_cover_lines(facts),
        *(qa.full_answer for qa in attributes.question_answers(facts)),
        *_quoted_lines(facts),
    ]
    return "\n".join(f"- {line}" for line in lines)


def objects_to_describe(facts: TileFacts, settings: config.Instructions, most: int) -> list[NamedObject]:
    """The objects that are large enough for a text of their own, largest first, at most `most`."""
    groups = tile_facts.large_enough(tile_facts.object_groups(facts), settings.min_box_px)
    found = [
        NamedObject(group, thing) for group in groups for thing in group.objects if thing.shorter_px >= settings.min_box_px
    ]
    clear = [subject for subject in found if not collapses_when_rounded(subject.thing.box, facts)]
    return sorted(clear, key=lambda subject: (-subject.thing.area_px, subject.thing.box, subject.thing.label))[:most]


def numbered_objects(subjects: list[NamedObject], facts: TileFacts, first: int = 1) -> str:
    """The objects as lines numbered from `first`: noun, extent in the picture, nearest neighbour."""
    return "\n".join(
        f"{number}. {describe_object(subject.group.noun, subject.thing, facts)}; {_extent_hint(subject.thing.box, facts)}"
        f"{_neighbour_hint(subject, subjects, facts)}"
        for number, subject in enumerate(subjects, first)
    )


def _picture_line(facts: TileFacts) -> str:
    picture = f"It is {english.with_article(SENSORS[facts.sensor].picture)}."
    if not facts.gsd_m:
        return f"{picture} How large a pixel is on the ground is not known: give no sizes in metres."
    width, height = (_length_text(side) for side in (facts.metres(facts.width_px, 0), facts.metres(0, facts.height_px)))
    return f"{picture} It shows about {width} by {height} of ground; a pixel is about {_length_text(facts.gsd_m)}."


def _class_lines(facts: TileFacts) -> list[str]:
    classes = sorted(
        {english.singular_noun(label.category) for _, label in tile_facts.labels_of_kind(facts, "category")} - {""}
    )
    return [f"As a whole it is classified as: {', '.join(classes)}."] if classes else []


def _object_lines(facts: TileFacts, groups: list[Group]) -> list[str]:
    lines, left = [], OBJECTS
    for group in groups:
        listed = group.objects[:left]
        left -= len(listed)
        each = "; ".join(describe_object(group.noun, thing, facts) for thing in listed)
        more = f"; and {group.count - len(listed)} more" if listed and len(listed) < group.count else ""
        head = english.count_phrase(group.count, group.noun) if group.exact else english.pluralise(group.noun)
        number = "" if group.exact else " (how many there are in all is not known: give no number)"
        lines.append(
            f"There {'is' if group.exact and group.count == 1 else 'are'} {head}{number}{': ' if each else ''}{each}{more}."
        )
        lines += _counts_by_place(group, facts)
    return lines


def _counts_by_place(group: Group, facts: TileFacts) -> list[str]:
    """Counts by place, for an exact number of at least AT_A_GLANCE objects."""
    if not group.exact or group.count < AT_A_GLANCE:
        return []
    found = Counter(places.place_name(thing.box, facts.height_px, facts.width_px) for thing in group.objects)
    named = sorted(((place, count) for place, count in found.items() if place), key=lambda item: (-item[1], item[0]))
    parts = [f"{english.number_word(count)} {places.place_phrase(place)}" for place, count in named]
    parts += [f"{english.number_word(found[None])} between these places"] if found[None] and named else []
    return [f"Of the {english.pluralise(group.noun)}, {english.join_list(parts)}."] if named else []


def _absence_lines(facts: TileFacts) -> list[str]:
    missing = [english.pluralise(english.singular_noun(category)) for category in tile_facts.absent_categories(facts)]
    return [f"There are no {english.join_list(missing, 'and no')}."] if missing else []


def _cover_lines(facts: TileFacts) -> list[str]:
    named = [cover for cover in tile_facts.land_covers(facts) if cover.name and cover.share >= vqa.COVER_YES]
    if not named:
        return []
    lines = [f"Land cover: {', '.join(f'{english.percent_phrase(cover.share)} {cover.name}' for cover in named)}."]
    place = places.place_name(named[0].region, facts.height_px, facts.width_px) if named[0].region else None
    return [*lines, f"The largest area of {named[0].name} lies {places.place_phrase(place)}."] if place else lines


def _quoted_lines(facts: TileFacts) -> list[str]:
    captions = [f"Somebody described it as {_quote(label.text)}" for _, label in tile_facts.labels_of_kind(facts, "caption")]
    phrases = [
        f"Somebody wrote of one {english.singular_noun(label.category) or 'object'} in it: {_quote(label.text)}"
        for _, label in tile_facts.labels_of_kind(facts, "phrase")
    ]
    questions = [
        f"Asked {_quote(label.text)} somebody answered {_quote(label.category)}"
        for _, label in tile_facts.labels_of_kind(facts, "question")
    ]
    return [f"{line}." for lines in (captions, phrases, questions) for line in list(dict.fromkeys(lines))[:QUOTES]]


def _quote(text: str) -> str:
    plain = " ".join(text.split())
    return json.dumps(plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…", ensure_ascii=False)


def _extent_hint(box: Box, facts: TileFacts) -> str:
    across, down = (100 / facts.width_px, 100 / facts.height_px)
    return (
        f"look between {box[0] * across:.0f} and {box[2] * across:.0f} % of the width, "
        f"{box[1] * down:.0f} and {box[3] * down:.0f} % of the height from the upper left"
    )


def _neighbour_hint(subject: NamedObject, subjects: list[NamedObject], facts: TileFacts) -> str:
    """The nearest of the other objects on the list, where its direction is plain."""
    box = subject.thing.box
    others = [(_distance_px(box, other.thing.box), i, other) for i, other in enumerate(subjects) if other is not subject]
    if not others:
        return ""
    _, _, other = min(others, key=lambda item: item[:2])
    side = places.direction(other.thing.box, box, facts.height_px, facts.width_px)
    if side is None:
        return ""
    where = f"to the {side} of it" if side in {"left", "right"} else f"{side} it"
    distance = f", about {_length_text(facts.metres(*_centre_offset(box, other.thing.box)))} away" if facts.gsd_m else ""
    return f"; the nearest other object, {english.with_article(other.group.noun)}, is {where}{distance}"


def _distance_px(one: Box, other: Box) -> float:
    return math.hypot(*_centre_offset(one, other))


def _centre_offset(one: Box, other: Box) -> tuple[float, float]:
    """From centre to centre, pixels."""
    return (one[0] + one[2] - other[0] - other[2]) / 2, (one[1] + one[3] - other[1] - other[3]) / 2


def _length_text(length_m: float) -> str:
    """Two significant digits: facts to write prose from, no survey."""
    value, unit = (length_m / 1000, "km") if length_m >= 1000 else (length_m, "m")
    return f"{float(f'{value:.2g}'):g} {unit}"
