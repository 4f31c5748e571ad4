"""Visual question answering: presence, count, place, relation, land cover, measured attributes; each answer a word or two.

Questions that annotators asked (rsflow.instructions.facts.questions) come first. Yes and no come in pairs on one tile (a
present category with an absent one, a place that holds an object with one that does not), so that the form of a question does
not give its answer away; without a pair the question is not asked. Other questions are asked only where the answer is clear:
margins are constants below and in rsflow.instructions.wording.positions and references.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions.facts import cover_relations, fields, ground_measures, ground_relations, questions, tile_facts
from rsflow.instructions.facts.tile_facts import Cover, Group
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import attributes, english
from rsflow.instructions.wording import positions as places
from rsflow.instructions.wording.hash_choice import choose, hash_number, hash_order
from rsflow.instructions.wording.references import clearly_largest
from rsflow.records import Instruction, Reject, TileFacts

COUNT_LIMIT = 50  # above it a count is asked for with a tolerance
TOLERANCES = ((200, 10), (math.inf, 20))  # up to which count, and how many per cent an answer may be off
NONE_EVERY = 4  # one tile in NONE_EVERY gets a question with the count 0
COVER_YES, COVER_NO = 0.05, 0.001  # shares at which a cover is plainly there, or plainly not
COVER_UNKNOWN = 0.01  # share of unknown cover above which no share is asked for
DOMINANT_SHARE, DOMINANT_LEAD = 0.3, 0.1
RELATED = 6  # groups of a tile that are compared with each other
MOST_LOOKS = 2  # questions about the look of a picture that shows nothing that has a name


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    groups = tile_facts.large_enough(tile_facts.object_groups(facts), settings.min_box_px)
    yield from questions.question_answers(facts)
    yield from _presence_questions(facts, groups, seed)
    for group in groups:
        yield from _presence_at_questions(facts, group, seed)
    yield from _count_questions(facts, groups, seed)
    yield from _place_questions(facts, groups, settings)
    yield from relations(facts, groups, settings)
    yield from _cover_questions(facts, seed)
    yield from fields.question_answers(facts)
    yield from ground_relations.question_answers(facts, settings)
    yield from ground_measures.question_answers(facts)
    yield from cover_relations.question_answers(facts, seed)
    yield from _appearance_questions(facts, settings, seed)
    yield from attributes.share_questions(facts)


def _appearance_questions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer]:
    """What is brightest or warmest, and how the picture looks: MOST_LOOKS of these where nothing on the ground is named."""
    always = settings.appearance == "always"
    if not always and tile_facts.names_ground(facts):
        return
    yield from attributes.physical_part_questions(facts)
    looks = list(attributes.appearance_questions(facts)) if settings.appearance != "never" else []
    if always:
        yield from looks
        return
    for number in range(min(MOST_LOOKS, len(looks))):
        picked = choose(looks, seed, facts.tile_id, "vqa", "appearance", number)
        looks.remove(picked)
        yield picked


def _presence_questions(facts: TileFacts, groups: list[Group], seed: int) -> Iterator[QuestionAnswer]:
    counted = {group.noun: (quantity_phrase(group), group.count == 1, group.category, group.labels) for group in groups}
    uncounted = {
        noun: (f"at least one {noun}", True, category, (position,))
        for noun, (position, category) in tile_facts.objects_without_place(facts).items()
    }
    present = {**uncounted, **counted}
    missing = {english.singular_noun(category): category for category in tile_facts.absent_categories(facts)}
    key = (seed, facts.tile_id, "vqa", "presence")
    for present_category, absent_category in zip(
        hash_order(list(present), *key), hash_order(list(missing), *key), strict=False
    ):
        quantity, is_one, category, labels = present[present_category]
        full = f"Yes, {'there is' if is_one else 'there are'} {quantity} in the image."
        yield _presence_question(present_category, category, True, full, labels)
        full = f"No, there are no {english.pluralise(absent_category)} in the image."
        yield _presence_question(absent_category, missing[absent_category], False, full, ())


def quantity_phrase(group: Group) -> str:
    """`a ship`, `four ships`; `at least two ships` where the number is not known; `many ships` above COUNT_LIMIT."""
    if group.count > COUNT_LIMIT:
        return f"many {english.pluralise(group.noun)}"
    counted = english.count_phrase(group.count, group.noun)
    return counted if group.exact or group.count == 1 else f"at least {counted}"


def _presence_question(noun: str, category: str, value: bool, full: str, labels: tuple[int, ...]) -> QuestionAnswer:
    answer = {"kind": "yes_no", "value": value, "category": category}
    fill = {"one": english.with_article(noun), "many": english.pluralise(noun)}
    return QuestionAnswer("vqa", "presence", noun, "yes" if value else "no", full, answer, labels, (), fill)


def _presence_at_questions(facts: TileFacts, group: Group, seed: int) -> Iterator[QuestionAnswer]:
    if not group.exact:
        return
    size = (facts.height_px, facts.width_px)
    names = [name for row in places.PLACES for name in row]
    inside = {name: [thing for thing in group.objects if places.place_name(thing.box, *size) == name] for name in names}
    empty = [name for name in names if not any(places.touches_place(thing.box, name, *size) for thing in group.objects)]
    occupied = [name for name in names if inside[name]]
    if not occupied or not empty:
        return
    for value, name in (
        (True, choose(occupied, seed, facts.tile_id, group.noun)),
        (False, choose(empty, seed, facts.tile_id, group.noun)),
    ):
        at, many = places.place_phrase(name), english.pluralise(group.noun)
        some_there = f"is at least one {group.noun}" if len(inside[name]) == 1 else f"are {many}"
        full = f"Yes, there {some_there} {at} of the image." if value else f"No, there are no {many} {at} of the image."
        yield QuestionAnswer(
            task="vqa",
            kind="presence_at",
            subject=f"{group.noun} {name}",
            short_answer="yes" if value else "no",
            full_answer=full,
            answer={"kind": "yes_no", "value": value, "category": group.category, "place": name},
            labels=tuple(thing.label for thing in inside[name]),
            placeholders={"one": english.with_article(group.noun), "many": many, "at": at},
        )


def _count_questions(facts: TileFacts, groups: list[Group], seed: int) -> Iterator[QuestionAnswer]:
    for group in groups:
        if group.exact and group.count <= COUNT_LIMIT:
            yield _count_question(group.category, group.noun, group.count, group.labels)
        elif group.exact:
            yield _rough_count_question(group)
    missing = tile_facts.absent_categories(facts)
    if missing and hash_number(seed, facts.tile_id, "vqa", "none") % NONE_EVERY == 0:
        category = choose(missing, seed, facts.tile_id, "vqa", "which none")
        yield _count_question(category, english.singular_noun(category), 0, ())


def _count_question(category: str, noun: str, count: int, labels: tuple[int, ...]) -> QuestionAnswer:
    count_text = f"one {noun}" if count == 1 else english.count_phrase(count, noun)
    return QuestionAnswer(
        task="vqa",
        kind="count",
        subject=noun,
        short_answer=str(count),
        full_answer=f"There {'is' if count == 1 else 'are'} {count_text} in the image.",
        answer={"kind": "count", "value": count, "category": category},
        labels=labels,
        placeholders={"many": english.pluralise(noun)},
    )


def _rough_count_question(group: Group) -> QuestionAnswer:
    """A number that nobody counts at a glance: asked for, and scored, within a stated tolerance."""
    percent = next(percent for most, percent in TOLERANCES if group.count <= most)
    many = english.pluralise(group.noun)
    rounded = int(float(f"{group.count:.2g}"))
    return QuestionAnswer(
        task="vqa",
        kind="count_about",
        subject=group.noun,
        short_answer=f"about {rounded}",
        full_answer=f"There are about {rounded} {many} in the image.",
        answer={"kind": "count", "value": group.count, "category": group.category, "tolerance_percent": percent},
        labels=group.labels,
        placeholders={"many": many, "percent": str(percent)},
    )


def _place_questions(facts: TileFacts, groups: list[Group], settings: config.Instructions) -> Iterator[QuestionAnswer]:
    for group in groups:
        thing = clearly_largest(group) if group.complete else None
        if thing is None or thing.shorter_px < settings.min_box_px:
            continue
        place = places.place_name(thing.box, facts.height_px, facts.width_px)
        if place is None:
            continue
        subject = f"the {'' if group.count == 1 else 'largest '}{group.noun}"
        yield QuestionAnswer(
            task="vqa",
            kind="place",
            subject=group.noun,
            short_answer=place,
            full_answer=f"{english.capitalise(subject)} is {places.place_phrase(place)} of the image.",
            answer={"kind": "place", "value": place, "category": group.category},
            labels=(thing.label,),
            placeholders={"subject": subject},
        )


def relations(facts: TileFacts, groups: list[Group], settings: config.Instructions) -> Iterator[QuestionAnswer]:
    """How one group lies to another, for complete groups that are plainly apart, in both directions."""
    fit = [group for group in groups if group.complete and group.smallest_px() >= settings.min_box_px][:RELATED]
    for subject in fit:
        for other in fit:
            way = places.direction(subject.hull, other.hull, facts.height_px, facts.width_px) if subject is not other else None
            if way:
                yield _relation_question(subject, other, way)


def _relation_question(subject: Group, other: Group, way: str) -> QuestionAnswer:
    short = f"to the {way}" if way in {"left", "right"} else way
    full = f"to the {way} of" if way in {"left", "right"} else way
    be = "is" if subject.count == 1 else "are"
    return QuestionAnswer(
        task="vqa",
        kind="relation",
        subject=f"{subject.noun} {other.noun}",
        short_answer=short,
        full_answer=f"{english.capitalise(_definite(subject))} {be} {full} {_definite(other)}.",
        answer={"kind": "relation", "value": way, "subject": subject.category, "object": other.category},
        labels=subject.labels + other.labels,
        placeholders={"be": be, "subject": _definite(subject), "object": _definite(other)},
    )


def _definite(group: Group) -> str:
    return f"the {group.noun if group.count == 1 else english.pluralise(group.noun)}"


def _cover_questions(facts: TileFacts, seed: int) -> Iterator[QuestionAnswer]:
    covers = [cover for cover in tile_facts.land_covers(facts) if cover.name]
    by_name = {cover.name: cover for cover in covers}
    present = [cover.name for cover in covers if cover.share >= COVER_YES]
    # An unknown part may hold any cover: nothing is absent, and no share is complete.
    unknown = tile_facts.unknown_cover_share(facts)
    absent = [cover.name for cover in covers if cover.share <= COVER_NO] if unknown <= COVER_NO else []
    key = (seed, facts.tile_id, "vqa", "cover")
    for yes, no in zip(hash_order(present, *key), hash_order(absent, *key), strict=False):
        share = english.percent_phrase(by_name[yes].share)
        yield _cover_presence_question(by_name[yes], True, f"Yes, {share} of the image is {yes}.")
        yield _cover_presence_question(by_name[no], False, f"No, there is no {no} in the image.")
    yield from _dominant_cover_question(facts)
    for cover in covers:
        if cover.share >= COVER_YES and unknown <= COVER_UNKNOWN:
            yield _cover_share_question(cover)


def _cover_presence_question(cover: Cover, value: bool, full: str) -> QuestionAnswer:
    answer = {"kind": "yes_no", "value": value, "category": cover.category}
    fill = {"cover": cover.name}
    return QuestionAnswer("vqa", "cover_presence", cover.name, "yes" if value else "no", full, answer, (cover.label,), (), fill)


def clearly_dominant_cover(facts: TileFacts) -> Cover | None:
    """The land cover that clearly leads all others, and what no label names; None where none does."""
    covers = tile_facts.land_covers(facts)
    if not covers or not covers[0].name or covers[0].share < DOMINANT_SHARE:
        return None
    # What no label names might be one cover, too.
    rivals = [*(cover.share for cover in covers[1:]), 1 - sum(cover.share for cover in covers)]
    return covers[0] if covers[0].share - max(rivals) >= DOMINANT_LEAD else None


def _dominant_cover_question(facts: TileFacts) -> Iterator[QuestionAnswer]:
    covers, first = tile_facts.land_covers(facts), clearly_dominant_cover(facts)
    if first is None:
        return
    answer = {"kind": "category", "value": first.category}
    full = f"The dominant land cover is {first.name}, with {english.percent_phrase(first.share)} of the image."
    yield QuestionAnswer("vqa", "dominant_cover", "dominant", first.name, full, answer, tuple(cover.label for cover in covers))


def _cover_share_question(cover: Cover) -> QuestionAnswer:
    share = english.percent_phrase(cover.share)
    full = f"{english.capitalise(share)} of the image is {cover.name}."
    answer = {"kind": "share", "value": cover.share, "category": cover.category}
    return QuestionAnswer("vqa", "cover_share", cover.name, share, full, answer, (cover.label,), (), {"cover": cover.name})
