"""Region captioning: a region is given (rsflow.instructions.facts.given_regions), a few words, or one, say what it shows.

The words are an expression that annotators wrote for it (rsflow.instructions.facts.expressions), or the label's category with
what is measured of the box: its size in the picture, its place where that is clear, its extent on the ground where the pixel
size is known and the object is whole. Regions in other forms than boxes, and of tiles with numbered marks, are also asked for
their category alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.expressions import Expression, expressions
from rsflow.instructions.facts.given_regions import GivenRegion, give_region, tile_marks
from rsflow.instructions.facts.ground_relations import feature_name
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded, polygon_fields
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer, reject_instruction
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.text.turns import mark

_SIZES = frozenset(["tiny", "small", "medium", "large", "big", "huge", "giant", "mini"])


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    marks = tile_marks(facts, settings, seed)

    def given(thing: TileObject) -> GivenRegion:
        return marks.give(thing) if marks and thing.label in marks.numbers else give_region(thing, facts, settings, seed)

    for item in expressions(facts, settings, "region_captioning"):
        yield item if isinstance(item, Reject) else _from_expression(item, given(item.thing))
    for group in tile_facts.object_groups(facts):
        small = [thing for thing in group.objects if thing.shorter_px < settings.min_box_px]
        if small:
            detail = f"{group.category}: {len(small)} of {group.count} boxes are under {settings.min_box_px:g} pixels"
            yield reject_instruction(facts, "region_captioning", "box_too_small", detail)
        fit = [thing for thing in group.objects if thing.shorter_px >= settings.min_box_px]
        flat = [thing for thing in fit if collapses_when_rounded(thing.box, facts)]
        if flat:
            detail = f"{group.category}: {len(flat)} of {group.count} boxes have no area left in the coarsest text form"
            yield reject_instruction(facts, "region_captioning", "box_collapses", detail)
        for thing in fit:
            if thing not in flat:
                shown = given(thing)
                yield _from_label(group, thing, facts, shown)
                if shown.fields and tile_facts.has_several_categories(facts):
                    yield _class_question(group, thing, shown)


def _from_expression(found: Expression, region: GivenRegion) -> QuestionAnswer:
    text = english.capitalise(found.text)
    full = text if text.endswith((".", "!", "?")) else f"{text}."
    qa = _region_question(f"{_box_key(found.thing)} {found.text}", text, full, found.category, found.thing, region)
    return replace(qa, labels=found.labels)


def _from_label(group: Group, thing: TileObject, facts: TileFacts, region: GivenRegion) -> QuestionAnswer:
    phrase = describe_object(group.noun, thing, facts)
    subject = f"{_box_key(thing)} {group.noun}"
    found = _region_question(subject, f"The {phrase}.", f"It is the {phrase}.", group.category, thing, region)
    return replace(found, content=_object_content(group, thing, facts))


def _class_question(group: Group, thing: TileObject, region: GivenRegion) -> QuestionAnswer:
    noun = english.with_article(group.noun)
    return QuestionAnswer(
        task="region_captioning",
        kind="region_class",
        subject=f"{_box_key(thing)} {group.noun}",
        short_answer=group.noun,
        full_answer=f"It is {noun}.",
        answer={"kind": "category", "value": group.category, "box": 0, **region.fields},
        labels=(thing.label,),
        boxes=(region.region,),
        placeholders={"region": region.words},
    )


def _region_question(
    subject: str, short: str, full: str, category: str, thing: TileObject, region: GivenRegion
) -> QuestionAnswer:
    return QuestionAnswer(
        task="region_captioning",
        kind="region_given" if region.fields else "region_captioning",
        subject=subject,
        short_answer=short,
        full_answer=full,
        answer={"kind": "text", "category": category, "box": 0, **polygon_fields([thing]), **region.fields},
        labels=(thing.label,),
        boxes=(region.region,),
        placeholders={"box": mark("", 0), "region": region.words},
    )


def _box_key(thing: TileObject) -> str:
    return " ".join(f"{value:.2f}" for value in thing.box)


def _object_content(group: Group, thing: TileObject, facts: TileFacts) -> dict[str, Any]:
    """What `describe_object` says, without its words."""
    is_measured = bool(facts.gsd_m and thing.fully_visible)
    return {
        "category": group.category,
        "size": "" if _has_no_size(group.noun, facts) else places.size_word(thing.area_px, facts.height_px, facts.width_px),
        "name": feature_name(thing, facts),
        "place": places.place_name(thing.box, facts.height_px, facts.width_px),
        "is_cut_off": tile_facts.is_cut_off(thing, facts),
        "sides_m": facts.sides_m(thing.region) if is_measured else None,
        "is_oriented": thing.quad is not None,
    }


def describe_object(noun: str, thing: TileObject, facts: TileFacts) -> str:
    """`small ship in the lower left, about 40 m by 20 m on the ground`."""
    phrase = noun_with_size(noun, thing, facts)
    phrase += f" called {name}" if (name := feature_name(thing, facts)) else ""
    place = places.place_name(thing.box, facts.height_px, facts.width_px)
    if place:
        phrase += f" {places.place_phrase(place)}"
    if tile_facts.is_cut_off(thing, facts):
        return f"{phrase}, cut off by the edge of the image"
    if facts.gsd_m and thing.fully_visible:
        longer, shorter = facts.sides_m(thing.region)
        box = "an oriented box" if thing.quad else "a box"
        return f"{phrase}, within {box} of about {_length_phrase(longer)} by {_length_phrase(shorter)}"
    return phrase


def noun_with_size(noun: str, thing: TileObject, facts: TileFacts) -> str:
    """`small ship`, by its share of the picture, or the noun as it is."""
    if _has_no_size(noun, facts):
        return noun
    return f"{places.size_word(thing.area_px, facts.height_px, facts.width_px)} {noun}"


def _has_no_size(noun: str, facts: TileFacts) -> bool:
    """Whether no size word fits: the noun names a size itself ("large vehicle"), or metres are known (a ship of 120 m is not
    small)."""
    return noun.split(" ")[0] in _SIZES or bool(facts.gsd_m)


def _length_phrase(length_m: float) -> str:
    """Two significant digits: a box is no survey."""
    return f"{float(f'{length_m:.2g}'):g} m" if length_m < 1000 else f"{length_m / 1000:.2g} km"
