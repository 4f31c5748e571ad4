"""Questions about the changed areas of a pair of dates: whether, where, how many, how much, and from what into what."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded, polygon_fields
from rsflow.instructions.facts.tile_facts import cover_name
from rsflow.instructions.groups.change_facts import ChangedAreas, ChangeFacts, topic_phrase
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.question_answers import QuestionAnswer, reject_instruction
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.instructions.wording.hash_choice import choose, hash_order
from rsflow.records import GONE, NEW, Reject, TileFacts
from rsflow.spatial.geometry import Box, clip_box, shift_box
from rsflow.text.turns import mark

TASK = "change"
COUNT_LIMIT = 50  # above it no count is asked for
LEAST_SHARE = 0.005  # a smaller share is not asked for
LEAST_SHIFT_PX = 0.5  # what a measured shift may be wrong by: a smaller one moves no box
ASKED_AREAS = 2  # areas of one way of change that get a question of their own
HECTARE_M2 = 10_000.0
_VERBS = {NEW: "built", GONE: "removed"}


def presence(group: GroupFacts, facts: ChangeFacts, topic: str, seed: int) -> Iterator[QuestionAnswer]:
    """Whether anything changed at all, and whether it did in a part of the image: that a yes and a no."""
    things, ways = topic_phrase(topic), facts.of_topic(topic)
    areas = [area for way in ways for area in way.areas]
    if areas:
        full = f"Yes, {things} changed between image 1 and image 2."
        yield _yes_no("change_any", topic, True, full, tuple(area.label for area in areas), {"things": things})
    elif facts.is_unchanged(topic):
        full = f"No, no change of {things} took place between image 1 and image 2."
        yield _yes_no("change_any", topic, False, full, facts.compared[topic], {"things": things})
    if areas and facts.is_exact(topic):
        yield from _ask_presence_at(group, facts, topic, areas, seed)


def _ask_presence_at(
    group: GroupFacts, facts: ChangeFacts, topic: str, areas: Sequence[TileObject], seed: int
) -> Iterator[QuestionAnswer]:
    size, things = group.members[-1].size, topic_phrase(topic)
    names = [name for row in places.PLACES for name in row]
    occupied = [name for name in names if any(places.place_name(area.box, *size) == name for area in areas)]
    empty = [name for name in names if not any(places.touches_place(area.box, name, *size) for area in areas)]
    if not occupied or not empty:
        return
    for value, name in (
        (True, choose(occupied, seed, group.tile_id, topic)),
        (False, choose(empty, seed, group.tile_id, topic)),
    ):
        at = places.place_phrase(name)
        in_place = tuple(area.label for area in areas if places.place_name(area.box, *size) == name)
        full = f"{'Yes' if value else 'No'}, {things} {'changed' if value else 'did not change'} {at} of the image."
        labels = in_place if value else facts.compared[topic]
        found = _yes_no("change_at", topic, value, full, labels, {"things": things, "place": at})
        yield found


def _yes_no(
    kind: str, topic: str, value: bool, full: str, labels: tuple[int, ...], placeholders: dict[str, str]
) -> QuestionAnswer:
    answer = {"kind": "yes_no", "value": value, "category": topic, "changed": kind != "change_any" or value}
    return QuestionAnswer(
        TASK, kind, f"{topic} {value}", "yes" if value else "no", full, answer, labels, (), {"things": topic, **placeholders}
    )


def amounts(group: GroupFacts, facts: ChangeFacts, topic: str) -> Iterator[QuestionAnswer]:
    """How many areas changed, on what share of the image and on how much ground; only where all areas are known."""
    areas = [area for way in facts.of_topic(topic) for area in way.areas]
    if not areas or not facts.is_exact(topic):
        return
    things, labels = topic_phrase(topic), tuple(area.label for area in areas)
    placeholders, last = {"things": things}, group.members[-1].facts
    if any(way.objects for way in facts.of_topic(topic)):
        yield from (_ask_object_count(way) for way in facts.of_topic(topic) if way.areas and len(way.areas) <= COUNT_LIMIT)
    elif len(areas) <= COUNT_LIMIT:
        amount = english.number_word(len(areas))
        answer: dict[str, Any] = {"kind": "count", "value": len(areas), "category": topic, "changed": True}
        full = f"{english.capitalise(_areas_phrase(len(areas), things))}."
        yield QuestionAnswer(TASK, "change_count", topic, amount, full, answer, labels, (), placeholders)
    area_px = sum(area.area_px for area in areas)
    share = area_px / (last.height_px * last.width_px)
    if share >= LEAST_SHARE:
        amount = english.percent_phrase(share)
        answer = {"kind": "share", "value": share, "category": topic, "changed": True}
        full = f"{english.capitalise(things)} changed on {amount} of the image."
        yield QuestionAnswer(TASK, "change_share", topic, amount, full, answer, labels, (), placeholders)
    if last.gsd_m is not None:
        yield _ask_ground(area_px, last, topic, labels)


def _ask_object_count(way: ChangedAreas) -> QuestionAnswer:
    count = len(way.areas)
    answer = {"kind": "count", "value": count, "category": way.name, "changed": True}
    full = f"There {'is' if count == 1 else 'are'} {way.phrase(count)}."
    placeholders = {"objects": way.name}
    return QuestionAnswer(
        TASK, "change_objects", way.name, english.number_word(count), full, answer, way.labels, (), placeholders
    )


def _areas_phrase(count: int, things: str) -> str:
    return f"{things} changed in {'one area' if count == 1 else f'{english.number_word(count)} separate areas'}"


def _ask_ground(area_px: float, facts: TileFacts, topic: str, labels: tuple[int, ...]) -> QuestionAnswer:
    square_m = area_px * facts.metres(1, 0) * facts.metres(0, 1)
    amount = ground_area_phrase(square_m)
    answer = {"kind": "fact", "name": f"changed ground, {topic}", "value": amount, "number": square_m, "unit": "square metres"}
    full = f"{english.capitalise(topic_phrase(topic))} changed on {amount} of ground."
    placeholders = {"things": topic_phrase(topic)}
    return QuestionAnswer(TASK, "change_ground", topic, amount, full, {**answer, "changed": True}, labels, (), placeholders)


def ground_area_phrase(square_m: float) -> str:
    """`about 1.2 hectares`, `about 340 square metres`: two significant digits."""
    large = square_m >= HECTARE_M2 / 2
    value = float(f"{square_m / HECTARE_M2 if large else square_m:.2g}")
    unit = "hectares" if large else "square metres"
    return f"about {value:g} {unit}" if value >= 1 or large else "less than one square metre"


def boxes(group: GroupFacts, way: ChangedAreas, settings: config.Instructions) -> Iterator[QuestionAnswer | Reject]:
    """The boxes of all areas that changed in one way, in image 2, and in both images."""
    if not way.areas:
        return
    fault = _list_fault(group, way, settings)
    if fault:
        yield reject_instruction(group, TASK, *fault)
        return
    count, last = len(way.areas), len(group.members) - 1
    after = tuple(area.box for area in way.areas)
    text = f"There {'is' if count == 1 else 'are'} {mark(way.phrase(count), *range(count))}."
    answer = {"kind": "boxes", "category": way.topic, "boxes": list(range(count)), "count": count, "changed": True}
    answer |= {"from": way.way[1], "to": way.way[0], "direction": way.way[2], **polygon_fields(way.areas)}
    placeholders, pictures = {"areas": f"all {way.name}"}, (last,) * count
    yield QuestionAnswer(
        TASK, "change_boxes", way.what, text, text, answer, way.labels, after, placeholders, box_pictures=pictures
    )
    before = [box_on_first(box, group) for box in after]
    if all(box is not None for box in before):
        first, second = mark(way.phrase(count), *range(count)), mark(way.phrase(count), *range(count, 2 * count))
        text = f"In image 1: {first}. In image 2: {second}."
        both = {**answer, "kind": "boxes_in_both", "boxes": list(range(2 * count)), "pictures": [0] * count + [last] * count}
        found = tuple(box for box in before if box is not None)
        pictures = (*(0,) * count, *pictures)
        yield QuestionAnswer(
            TASK,
            "change_boxes_both",
            way.what,
            text,
            text,
            {name: value for name, value in both.items() if name not in {"polygons", "parts"}},
            way.labels,
            (*found, *after),
            placeholders,
            box_pictures=pictures,
        )


def box_on_first(box: Box, group: GroupFacts) -> Box | None:
    """Where a box of the last picture is in the first one; None where that shows too little of it."""
    first, last = group.members[0], group.members[-1]
    dx, dy = last.shift_px or (0.0, 0.0)
    if math.hypot(dx, dy) < LEAST_SHIFT_PX:
        dx = dy = 0.0
    moved = shift_box(box, -dx, -dy)
    sx, sy = first.facts.width_px / last.facts.width_px, first.facts.height_px / last.facts.height_px
    scaled = (moved[0] * sx, moved[1] * sy, moved[2] * sx, moved[3] * sy)
    inside = clip_box(scaled, (0.0, 0.0, float(first.facts.width_px), float(first.facts.height_px)))
    kept = (inside[2] - inside[0]) * (inside[3] - inside[1])
    whole = (scaled[2] - scaled[0]) * (scaled[3] - scaled[1])
    return inside if kept > 0.5 * whole and not collapses_when_rounded(inside, first.facts) else None


def _list_fault(group: GroupFacts, way: ChangedAreas, settings: config.Instructions) -> tuple[str, str] | None:
    what, facts = way.name, group.members[-1].facts
    if not way.exact:
        return "not_exhaustive", f"{what}: not every one is known or large enough, so a list would claim too much"
    if len(way.areas) > settings.max_boxes:
        return "too_many_boxes", f"{what}: {len(way.areas)} boxes; the limit is {settings.max_boxes}"
    if any(collapses_when_rounded(area.box, facts) for area in way.areas):
        return "box_collapses", f"{what}: a box would lose its area in the coarsest text form, hundredths of the picture"
    return None


def single_areas(group: GroupFacts, way: ChangedAreas, seed: int) -> Iterator[QuestionAnswer]:
    """What single areas were and became, or whether what stands in them is new or gone."""
    member = group.members[-1]
    fit = {str(area.label): area for area in way.areas if not collapses_when_rounded(area.box, member.facts)}
    for name in hash_order(list(fit), seed, group.tile_id, TASK, way.what)[:ASKED_AREAS]:
        if way.way[1]:
            yield _ask_became(way, fit[name], group)
        elif way.way[2] in _VERBS:
            yield _ask_direction(way, fit[name], group)


def _ask_became(way: ChangedAreas, area: TileObject, group: GroupFacts) -> QuestionAnswer:
    before, after = cover_name(way.way[1]), cover_name(way.way[0])
    full = f"It was {before} in image 1 and is {after} in image 2."
    answer = {"kind": "fact", "name": "change of land cover", "value": f"{before} to {after}", "changed": True}
    return _ask_of_region("change_became", way, area, group, f"from {before} to {after}", full, answer, {})


def _ask_direction(way: ChangedAreas, area: TileObject, group: GroupFacts) -> QuestionAnswer:
    things, direction = topic_phrase(way.topic), _VERBS[way.way[2]]
    answer = {"kind": "fact", "name": "direction of change", "value": direction, "changed": True}
    full = f"{english.capitalise(things)} were {direction} there between image 1 and image 2."
    return _ask_of_region("change_direction", way, area, group, direction, full, answer, {"things": things})


def _ask_of_region(
    kind: str,
    way: ChangedAreas,
    area: TileObject,
    group: GroupFacts,
    short: str,
    full: str,
    answer: dict[str, Any],
    placeholders: dict[str, str],
) -> QuestionAnswer:
    placeholders = {"region": mark("the area", 0), **placeholders}
    pictures = (len(group.members) - 1,)
    subject = f"{way.what} {area.label}"
    return QuestionAnswer(
        TASK, kind, subject, short, full, answer, (area.label,), (area.box,), placeholders, box_pictures=pictures
    )


def descriptions(group: GroupFacts, facts: ChangeFacts) -> Iterator[QuestionAnswer]:
    """All that changed, in sentences; that nothing did, where that is certain."""
    size = group.members[-1].size
    changed = [way for way in facts.ways if way.areas]
    topics = sorted(facts.compared)
    if changed and all(way.exact for way in facts.ways) and all(facts.is_exact(way.topic) for way in changed):
        text = " ".join(_sentence(way, size) for way in changed)
        unchanged = [facts.phrase(topic) for topic in topics if facts.is_complete(topic) and not facts.of_topic(topic)]
        text += f" No change of {english.join_list(unchanged, 'or')} took place." if unchanged else ""
        labels = tuple(label for way in changed for label in way.labels)
        yield _description(text, True, labels)
    elif topics and not facts.ways and all(facts.is_unchanged(topic) for topic in topics):
        named = english.join_list([facts.phrase(topic) for topic in topics], "or")
        yield _description(f"Nothing changed: no change of {named} took place.", False, _all_labels(facts))


def _all_labels(facts: ChangeFacts) -> tuple[int, ...]:
    return tuple(sorted({number for labels in facts.compared.values() for number in labels}))


def _description(text: str, changed: bool, labels: tuple[int, ...]) -> QuestionAnswer:
    return QuestionAnswer(TASK, "change_description", "all", text, text, {"kind": "text", "changed": changed}, labels)


def _sentence(way: ChangedAreas, size: tuple[int, int]) -> str:
    count = len(way.areas)
    be = "is" if count == 1 else "are"
    at = {place for area in way.areas if (place := places.place_name(area.box, *size))}
    where = ""
    if count <= 4 and all(places.place_name(area.box, *size) for area in way.areas):
        ordered = [name for row in places.PLACES for name in row if name in at]
        where = f", {english.join_list([places.place_phrase(name) for name in ordered])} of the image"
    share = sum(area.area_px for area in way.areas) / (size[0] * size[1])
    much = f", {english.percent_phrase(share)} of the image" if share >= LEAST_SHARE else ""
    return f"There {be} {way.phrase(count)}{where}{much}."
