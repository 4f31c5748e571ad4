"""The composer's own sentence in the place of one that failed: what is true of the thing that the claim spoke of."""

from __future__ import annotations

from rsflow.instructions.claims.claim import Claim
from rsflow.instructions.claims.claim_facts import ClaimFacts
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.vqa import COUNT_LIMIT
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.spatial.geometry import enclosing_box


def compose_claim(claim: Claim, facts: ClaimFacts) -> str:
    """A true sentence about the subject of a claim; empty where the facts give none."""
    noun = english.singular_noun(claim.category)
    if facts.of_claim(claim) is not facts:
        return ""
    if facts.numbers_missing([*claim.objects, *claim.others]):
        return ""
    if claim.kind in {"count", "presence", "absence", "comparison", "change"} and noun:
        return _count(noun, facts)
    if claim.kind == "relation" and claim.objects and claim.others:
        return _relation(claim, facts)
    if claim.kind in {"place", "size", "area", "name"} and len(claim.objects) == 1:
        return _place(claim, facts)
    if claim.kind == "share":
        return _share(english.mass_noun(claim.category), facts)
    return ""


def _count(noun: str, facts: ClaimFacts) -> str:
    count = len(facts.objects_named(noun))
    if not facts.is_counted(noun) or count > COUNT_LIMIT:
        return ""
    return f"There {'is' if count == 1 else 'are'} {english.count_phrase(count, noun)} in the image."


def _place(claim: Claim, facts: ClaimFacts) -> str:
    (each,) = facts.pick(claim.objects)
    place = places.place_name(each.object.box, facts.facts.height_px, facts.facts.width_px)
    if place is None:
        return ""
    return f"There is {english.with_article(each.noun)} {places.place_phrase(place)} of the image."


def _relation(claim: Claim, facts: ClaimFacts) -> str:
    sides = [facts.pick(numbers) for numbers in (claim.objects, claim.others)]
    boxes = [enclosing_box([each.object.box for each in side]) for side in sides]
    way = places.direction(boxes[0], boxes[1], facts.facts.height_px, facts.facts.width_px)
    names = [{each.noun for each in side} for side in sides]
    if way is None or names[0] == names[1] or any(len(name) > 1 for name in names):
        return ""
    subject, other = (
        f"the {next(iter(name)) if len(side) == 1 else english.pluralise(next(iter(name)))}"
        for name, side in zip(names, sides, strict=True)
    )
    where = f"to the {way} of" if way in {"left", "right"} else way
    return f"{english.capitalise(subject)} {'is' if len(sides[0]) == 1 else 'are'} {where} {other}."


def _share(name: str, facts: ClaimFacts) -> str:
    cover = next((cover for cover in tile_facts.land_covers(facts.facts) if cover.name == name), None)
    if cover is None or not cover.share or tile_facts.unknown_cover_share(facts.facts) > 0:
        return ""
    return f"{english.capitalise(english.percent_phrase(cover.share))} of the image is {cover.name}."
