"""Description: a paragraph that goes over the parts and then sums up.

One idea: the local-to-global strategy of RS-GPT4V (https://arxiv.org/abs/2406.12479), without a model: first a sentence per
group of objects, relation, land cover and measured attribute, then one sentence on the whole. A tile of which fewer than
two local sentences can be said gets no description.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions import attributes, vqa
from rsflow.instructions import english as words
from rsflow.instructions import positions as places
from rsflow.instructions import tile_facts as reading
from rsflow.instructions.claims import Claim, instructions
from rsflow.instructions.references import largest
from rsflow.instructions.region_captioning import sized
from rsflow.instructions.summary import Summary, summary
from rsflow.instructions.tile_facts import Group
from rsflow.records import Instruction, Reject, TileFacts

LEAST_LOCAL = 2
GROUPS, RELATIONS = 6, 2


def make(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(claims(facts, settings, seed), facts, seed)


def claims(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Claim | Reject]:
    local = [*_objects(facts, settings), *_ground(facts), *_look(facts)]
    whole = summary(facts, settings.min_box_px)
    if len(local) >= LEAST_LOCAL:
        text = " ".join([*local, _global(whole)])
        answer = {"kind": "text", "sentences": len(local) + 1}
        labels = {*whole.labels, *whole.look_labels}
        low = attributes.low_backscatter(facts)
        labels |= {low[0]} if low else set()
        yield Claim("description", "description", "whole", text, text, answer, tuple(sorted(labels)))


def _objects(facts: TileFacts, settings: config.Instructions) -> Iterator[str]:
    groups = reading.worth_naming(reading.groups(facts), settings.min_box_px)
    ranked = sorted(groups, key=lambda group: (-group.count, group.noun))[:GROUPS]
    for group in ranked:
        yield _one(group, facts) if group.count == 1 else _several(group, facts)
    relations = [claim for claim in vqa.relations(facts, ranked, settings) if claim.answer["subject"] < claim.answer["object"]]
    yield from (claim.full for claim in relations[:RELATIONS])  # each is there the other way round as well


def _one(group: Group, facts: TileFacts) -> str:
    thing = group.things[0]
    said = words.article(sized(group.noun, thing, facts))
    place = places.place(thing.box, facts.height_px, facts.width_px)
    where = f"{places.at(place)} of the image" if place else "in the image"
    return f"There is {said} {where}{', cut off by its edge' if reading.cut_off(thing, facts) else ''}."


def _several(group: Group, facts: TileFacts) -> str:
    size = (facts.height_px, facts.width_px)
    said = f"There are {vqa.some(group)} in the image"
    if not group.exact:
        return f"{said}."
    named = [places.place(thing.box, *size) for thing in group.things]
    first, often = Counter(named).most_common(1)[0]
    if first and often == group.count:
        return f"{said}, {'both' if group.count == 2 else 'all'} {places.at(first)}."
    thing = largest(group)
    place = places.place(thing.box, *size) if thing else None
    if place:
        return f"{said}, the {'larger' if group.count == 2 else 'largest'} of them {places.at(place)}."
    return f"{said}."


def _ground(facts: TileFacts) -> Iterator[str]:
    named = [cover for cover in reading.covers(facts) if cover.name and cover.share >= vqa.COVER_YES]
    if named:
        shares = [f"{words.percent(named[0].share)} of the image is {named[0].name}"]
        shares += [f"{words.percent(cover.share)} is {cover.name}" for cover in named[1:]]
        yield f"{words.sentence(words.listed(shares))}."
    if named and named[0].region:
        place = places.place(named[0].region, facts.height_px, facts.width_px)
        if place:
            yield f"The largest area of {named[0].name} lies {places.at(place)}."


def _look(facts: TileFacts) -> Iterator[str]:
    overall = [found.said for found in attributes.attributes(facts)]
    where = [found.said for found in attributes.parts(facts)]
    if overall:
        yield f"The image is {words.listed(overall)} overall."
    if where:
        yield f"It is {words.listed(where)}."
    yield from (claim.full for claim in attributes.claims(facts) if claim.kind == "low_backscatter")


def _global(whole: Summary) -> str:
    if not (whole.things or whole.ground):
        return f"In summary, this {whole.plain} is {whole.look}."
    said = f"In summary, this is {words.article(whole.image)}"
    if not whole.ground:
        return f"{said} with {whole.things}."
    return f"{said} of an area {whole.ground}{f'; it shows {whole.things}' if whole.things else ''}."
