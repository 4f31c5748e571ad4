"""Description: a paragraph that goes over the parts and then sums up.

The local-to-global strategy of RS-GPT4V (https://arxiv.org/abs/2406.12479) without a model: a sentence per group of objects,
relation, land cover and measured attribute, then one sentence on the whole. With fewer than two sentences about parts there is
no description, nor where it would name nothing on the ground (unless `instructions.appearance` is "always").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions import vqa
from rsflow.instructions.facts import cover_relations, tile_facts
from rsflow.instructions.facts.ground_relations import feature_name, list_relations
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.region_captioning import noun_with_size
from rsflow.instructions.wording import attributes, english
from rsflow.instructions.wording import positions as places
from rsflow.instructions.wording.content import tile_content
from rsflow.instructions.wording.references import clearly_largest
from rsflow.instructions.wording.summary import Summary, summary
from rsflow.records import Instruction, Reject, TileFacts

LEAST_LOCAL = 2
GROUPS, RELATIONS = 6, 2


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    local = [*_object_sentences(facts, settings), *_cover_sentences(facts), *_appearance_sentences(facts)]
    whole = summary(facts, settings.min_box_px)
    names_ground = bool(whole.objects or whole.ground)
    if len(local) >= LEAST_LOCAL and (names_ground or settings.appearance == "always"):
        text = " ".join([*local, _summary_sentence(whole)])
        answer = {"kind": "text", "sentences": len(local) + 1}
        labels = {*whole.labels, *whole.appearance_labels}
        low = attributes.low_backscatter(facts)
        labels |= {low[0]} if low else set()
        labels |= {border.label for border in cover_relations.clear_borders(facts)[:RELATIONS]}
        labels |= {found.pair.label for found in cover_relations.list_directions(facts)[:RELATIONS]}
        content = tile_content(facts, settings.min_box_px, seed)
        found = tuple(sorted(labels))
        yield QuestionAnswer("description", "description", "whole", text, text, answer, found, content=content)


def _object_sentences(facts: TileFacts, settings: config.Instructions) -> Iterator[str]:
    groups = tile_facts.large_enough(tile_facts.object_groups(facts), settings.min_box_px)
    ranked = sorted(groups, key=lambda group: (-group.count, group.noun))[:GROUPS]
    for group in ranked:
        yield _single_object_sentence(group, facts) if group.count == 1 else _group_sentence(group, facts)
    relations = [qa for qa in vqa.relations(facts, ranked, settings) if qa.answer["subject"] < qa.answer["object"]]
    yield from (qa.full_answer for qa in relations[:RELATIONS])  # each is there the other way round as well
    on_ground = [found for found in list_relations(facts, settings) if found.subject.phrase < found.other.phrase]
    yield from (found.sentence for found in on_ground[:RELATIONS])


def _single_object_sentence(group: Group, facts: TileFacts) -> str:
    thing = group.objects[0]
    subject = english.with_article(noun_with_size(group.noun, thing, facts))
    subject += f" called {name}" if (name := feature_name(thing, facts)) else ""
    place = places.place_name(thing.box, facts.height_px, facts.width_px)
    where = f"{places.place_phrase(place)} of the image" if place else "in the image"
    return f"There is {subject} {where}{', cut off by its edge' if tile_facts.is_cut_off(thing, facts) else ''}."


def _group_sentence(group: Group, facts: TileFacts) -> str:
    size = (facts.height_px, facts.width_px)
    sentence = f"There are {vqa.quantity_phrase(group)} in the image"
    if not group.exact:
        return f"{sentence}."
    named = [places.place_name(thing.box, *size) for thing in group.objects]
    first, frequency = Counter(named).most_common(1)[0]
    if first and frequency == group.count:
        return f"{sentence}, {'both' if group.count == 2 else 'all'} {places.place_phrase(first)}."
    thing = clearly_largest(group)
    place = places.place_name(thing.box, *size) if thing else None
    if place:
        return f"{sentence}, the {'larger' if group.count == 2 else 'largest'} of them {places.place_phrase(place)}."
    return f"{sentence}."


def _cover_sentences(facts: TileFacts) -> Iterator[str]:
    named = [cover for cover in tile_facts.land_covers(facts) if cover.name and cover.share >= vqa.COVER_YES]
    if named:
        shares = [f"{english.percent_phrase(named[0].share)} of the image is {named[0].name}"]
        shares += [f"{english.percent_phrase(cover.share)} is {cover.name}" for cover in named[1:]]
        yield f"{english.capitalise(english.join_list(shares))}."
    if named and named[0].region:
        place = places.place_name(named[0].region, facts.height_px, facts.width_px)
        if place:
            yield f"The largest area of {named[0].name} lies {places.place_phrase(place)}."
    for border in cover_relations.clear_borders(facts)[:RELATIONS]:
        yield f"{english.capitalise(border.cover)} borders on {border.other}."
    yield from (found.sentence for found in cover_relations.list_directions(facts)[:RELATIONS])


def _appearance_sentences(facts: TileFacts) -> Iterator[str]:
    overall = [found.phrase for found in attributes.picture_attributes(facts)]
    where = [found.phrase for found in attributes.extreme_parts(facts)]
    if overall:
        yield f"The image is {english.join_list(overall)} overall."
    if where:
        yield f"It is {english.join_list(where)}."
    yield from (qa.full_answer for qa in attributes.question_answers(facts) if qa.kind == "low_backscatter")


def _summary_sentence(whole: Summary) -> str:
    if not (whole.objects or whole.ground):
        return f"In summary, this {whole.plain} is {whole.appearance}."
    sentence = f"In summary, this is {english.with_article(whole.image)}"
    if not whole.ground:
        return f"{sentence} with {whole.objects}."
    return f"{sentence} of an area {whole.ground}{f'; it shows {whole.objects}' if whole.objects else ''}."
