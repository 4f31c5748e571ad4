"""One large scene at several scales: where each picture lies in a coarser one, what only the finer ones show, how many things
the whole scene holds, and dialogues from the overview to the detail.

Pictures count in pixels of one scene, so every box is exact in each of them. A thing too small for a picture is called
not visible at that scale, never that it is not there; counts are stated only where every one is annotated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rsflow.config import settings as config
from rsflow.instructions import detection
from rsflow.instructions.conversation import join_questions
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.instructions.languages import ENGLISH, instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.vqa import quantity_phrase
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import choose, hash_number
from rsflow.records import Instruction, Reject
from rsflow.spatial.geometry import Box, clip_box
from rsflow.text.turns import mark

TASK = "zoom"
KIND = "zoom"
LEAST_TURNS = 3
INVISIBLE_PX, VISIBLE_PX = 2.0, 8.0  # shorter side up to which a thing cannot be seen, from which it can
COVER_WORTH = 0.1  # share from which land cover is named
COUNT_LIMIT = 1000
NONE_EVERY = 4  # scenes, of which one is asked for something that it lacks
NOT_VISIBLE = "not visible at this scale"


def make_instructions(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    if group.kind == KIND:
        yield from instructions(question_answers(group, settings, seed), group, seed, settings)
        if ENGLISH in settings.languages and (dialogue := _dialogue(group, settings, seed)):
            yield dialogue


def question_answers(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer]:
    last = len(group.members) - 1
    for of in range(1, last + 1):
        for to in range(of):
            yield from _area(group, settings, of, to)
    for of in range(last + 1):
        yield from _objects(group, settings, seed, of)
    yield from _visible(group, settings, seed)
    yield from _counts(group, seed)
    yield from _shown_only_in_detail(group, settings)


def box_at_scale(box: Box, group: GroupFacts, of: int, to: int) -> Box:
    """A box of one picture in pixels of another, wherever that one ends."""
    x, y, left, top = _place(group, of)
    to_x, to_y, to_left, to_top = _place(group, to)
    cols, rows = ((box[i] * x + left - to_left) / to_x for i in (0, 2)), ((box[i] * y + top - to_top) / to_y for i in (1, 3))
    (x0, x1), (y0, y1) = cols, rows
    return (x0, y0, x1, y1)


def _place(group: GroupFacts, number: int) -> tuple[float, float, float, float]:
    """Of a picture, in pixels of the first: how wide and how high one of its pixels is, and where it begins (left, top)."""
    member = group.members[number]
    if member.box_in_first is None:
        return 1.0, 1.0, 0.0, 0.0
    left, top, right, bottom = member.box_in_first
    return (right - left) / member.facts.width_px, (bottom - top) / member.facts.height_px, left, top


def _shown(box: Box, member: GroupMember) -> Box | None:
    """The box as a picture shows it; None where that cuts it or texts cannot hold it."""
    inside = clip_box(box, (0.0, 0.0, float(member.facts.width_px), float(member.facts.height_px)))
    cut = max(abs(a - b) for a, b in zip(box, inside, strict=True)) > 1
    return None if cut or collapses_when_rounded(inside, member.facts) else inside


def _area(group: GroupFacts, settings: config.Instructions, of: int, to: int) -> Iterator[QuestionAnswer]:
    """Where a picture lies in a coarser one."""
    facts = group.members[of].facts
    box = _shown(box_at_scale((0.0, 0.0, float(facts.width_px), float(facts.height_px)), group, of, to), group.members[to])
    if box is None or _shorter(box) < settings.min_box_px:
        return
    name = f"the area of image {of + 1}"
    answer = {"kind": "box", "box": 0, "category": name}
    fill = {"of": str(of + 1), "to": str(to + 1)}
    region = mark(name, 0)
    full = f"In image {to + 1}, {region} is here."
    yield QuestionAnswer(TASK, "zoom_area", f"{of} {to}", region, full, answer, (), (box,), fill, box_pictures=(to,))


def _shorter(box: Box) -> float:
    return min(box[2] - box[0], box[3] - box[1])


def _things(group: GroupFacts, settings: config.Instructions, number: int) -> list[tuple[str, TileObject]]:
    """The objects of a picture that are large enough to be pointed at, with their nouns."""
    facts = group.members[number].facts
    return [
        (found.noun, thing)
        for found in tile_facts.object_groups(facts)
        for thing in found.objects
        if thing.shorter_px >= settings.min_box_px and not collapses_when_rounded(thing.box, facts)
    ]


def _objects(group: GroupFacts, settings: config.Instructions, seed: int, of: int) -> Iterator[QuestionAnswer]:
    """One object of a picture in each other picture that shows all of it large enough."""
    for to in range(len(group.members)):
        fit = [
            (noun, thing, box)
            for noun, thing in (_things(group, settings, of) if to != of else ())
            if (box := _shown(box_at_scale(thing.box, group, of, to), group.members[to])) and not thing.truncated
            if _shorter(box) >= settings.min_box_px
        ]
        if not fit:
            continue
        noun, thing, box = fit[choose(range(len(fit)), seed, group.tile_id, TASK, of, to)]
        region, fill = mark(f"the {noun}", 1), {"region": mark(f"the {noun}", 0), "of": str(of + 1), "to": str(to + 1)}
        yield QuestionAnswer(
            TASK,
            "zoom_object",
            f"{of} {to}",
            region,
            f"In image {to + 1} it is {region}.",
            {"kind": "box", "box": 1, "category": noun},
            (group.first_label(of) + thing.label,),
            (thing.box, box),
            fill,
            box_pictures=(of, to),
        )


def _visible(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer]:
    """Whether an object of the finest picture can be made out in a coarser one: one that can, and one that cannot."""
    of = len(group.members) - 1
    for to in range(of):
        things = [(noun, thing) for noun, thing in _things(group, settings, of) if not thing.truncated]
        sizes = [(_shorter(box_at_scale(thing.box, group, of, to)), noun, thing) for noun, thing in things]
        for value in (True, False):
            fit = [each for each in sizes if (each[0] >= VISIBLE_PX if value else each[0] < INVISIBLE_PX)]
            if fit:
                size, noun, thing = fit[choose(range(len(fit)), seed, group.tile_id, TASK, to, value)]
                yield _visible_question(group, of, to, noun, thing, size, value)


def _visible_question(
    group: GroupFacts, of: int, to: int, noun: str, thing: TileObject, size: float, value: bool
) -> QuestionAnswer:
    across = "less than one pixel" if size < 1 else english.count_phrase(round(size), "pixel")
    reason = f"at the scale of image {to + 1} it is {across} across"
    full = f"Yes, {reason}." if value else f"No, it is {NOT_VISIBLE}: {reason}."
    answer = {"kind": "yes_no", "value": value, "category": noun, "reason": "scale"}
    short = "yes" if value else f"no, it is {NOT_VISIBLE}"
    fill = {"region": mark(f"the {noun}", 0), "of": str(of + 1), "to": str(to + 1)}
    labels = (group.first_label(of) + thing.label,)
    subject = f"{to} {value} {thing.label}"
    return QuestionAnswer(TASK, "zoom_visible", subject, short, full, answer, labels, (thing.box,), fill, box_pictures=(of,))


def _counts(group: GroupFacts, seed: int) -> Iterator[QuestionAnswer]:
    """How many there are in the whole scene, of what is annotated without gaps in it."""
    found = tile_facts.labels_of_kind(group.members[0].facts, "count")
    counts = [(position, label.category, int(label.value)) for position, label in found if label.value is not None]
    yield from (_count(group, *each) for each in counts if 0 < each[2] <= COUNT_LIMIT)
    absent = [each for each in counts if each[2] == 0]
    if absent and hash_number(seed, group.tile_id, TASK, "none") % NONE_EVERY == 0:
        yield _count(group, *absent[choose(range(len(absent)), seed, group.tile_id, TASK, "which none")])


def _count(group: GroupFacts, position: int, category: str, count: int) -> QuestionAnswer:
    noun = english.singular_noun(category)
    count_text = f"one {noun}" if count == 1 else english.count_phrase(count, noun)
    small = noun in {english.singular_noun(name) for name in group.members[0].facts.unknown}
    note = "; not all of them are large enough to be recognised at the scale of image 1" if small and count else ""
    return QuestionAnswer(
        TASK,
        "zoom_count",
        noun,
        str(count),
        f"There {'is' if count == 1 else 'are'} {count_text} in the whole scene{note}.",
        {"kind": "count", "value": count, "category": category, "visible": not small},
        (group.first_label(0) + position,),
        (),
        {"many": english.pluralise(noun)},
    )


def _shown_only_in_detail(group: GroupFacts, settings: config.Instructions) -> Iterator[QuestionAnswer]:
    """What the finest picture shows that is too small for the first."""
    last = len(group.members) - 1
    small = {english.singular_noun(name) for name in group.members[0].facts.unknown}
    visible = {found.noun for found in tile_facts.object_groups(group.members[0].facts)}
    found = [each for each in _named(group, settings, last) if each.noun in small - visible]
    if found:
        things = english.join_list([quantity_phrase(each) for each in found])
        text = f"Image {last + 1} shows {things}, too small to be recognised at the scale of image 1."
        answer = {"kind": "text", "name": "shown in detail only"}
        fill = {"of": str(last + 1), "to": "1"}
        yield QuestionAnswer(TASK, "zoom_shown", "detail", text, text, answer, _labels(group, last, found), (), fill)


def _named(group: GroupFacts, settings: config.Instructions, number: int) -> list[Group]:
    return tile_facts.large_enough(tile_facts.object_groups(group.members[number].facts), settings.min_box_px)


def _labels(group: GroupFacts, number: int, found: list[Group]) -> tuple[int, ...]:
    return tuple(group.first_label(number) + label for each in found for label in each.labels)


def _dialogue(group: GroupFacts, settings: config.Instructions, seed: int) -> Instruction | None:
    """From the overview to the detail: what each picture shows, where it lies in the one before, and what the whole holds."""
    turns = [*_what(group, settings, 0)]
    for number in range(1, len(group.members)):
        turns += [*_area(group, settings, number, number - 1), *_what(group, settings, number)]
    last = len(group.members) - 1
    turns += [*_boxes(group, settings, seed, last)]
    named = {label.category for label in group.members[last].facts.labels if label.kind == "box"}
    totals = [qa for qa in _counts(group, seed) if qa.answer["category"] in named]
    turns += [totals[choose(range(len(totals)), seed, group.tile_id, TASK, "total")]] if totals else []
    return join_questions(TASK, turns, group, seed) if len(turns) >= LEAST_TURNS else None


def _what(group: GroupFacts, settings: config.Instructions, number: int) -> Iterator[QuestionAnswer]:
    """What is known of one picture; nothing where nothing is."""
    facts = group.members[number].facts
    covers = [cover for cover in tile_facts.land_covers(facts) if cover.name and cover.share >= COVER_WORTH]
    found = _named(group, settings, number)
    phrases = [f"{cover.name} on {english.percent_phrase(cover.share)} of the area" for cover in covers]
    phrases += [quantity_phrase(each) for each in found]
    if phrases:
        text = f"Image {number + 1} shows {english.join_list(phrases)}."
        labels = tuple(group.first_label(number) + cover.label for cover in covers) + _labels(group, number, found)
        fill = {"number": str(number + 1)}
        yield QuestionAnswer(TASK, "zoom_what", str(number), text, text, {"kind": "text"}, labels, (), fill)


def _boxes(group: GroupFacts, settings: config.Instructions, seed: int, number: int) -> Iterator[QuestionAnswer]:
    """All objects of one category of a picture."""
    facts = group.members[number].facts
    fit = [found for found in tile_facts.object_groups(facts) if not detection.refusal_reason(found, settings, facts)]
    if fit:
        found = fit[choose(range(len(fit)), seed, group.tile_id, TASK, "boxes")]
        text = detection.counted_boxes_text([found])
        answer = {"kind": "boxes", "category": found.category, "boxes": [*range(found.count)], "count": found.count}
        fill = {"many": english.pluralise(found.noun), "number": str(number + 1)}
        boxes = tuple(thing.box for thing in found.objects)
        labels, pictures = _labels(group, number, [found]), (number,) * found.count
        qa = QuestionAnswer(TASK, "zoom_boxes", found.noun, text, f"{text}.", answer, labels, boxes, fill)
        yield replace(qa, box_pictures=pictures)
