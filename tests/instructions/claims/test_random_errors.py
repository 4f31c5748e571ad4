"""Thousands of planted errors on random tiles: recall and precision of the claims path, and swaps of objects' texts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from rsflow.instructions.claims import Claim, ClaimFacts, Statement, check_claim, faults_of, review_object
from rsflow.instructions.facts.objects import tile_object
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.records import Label, Provenance, Shape, TileFacts

GOLD = Provenance("annotation", "boxes.json")
NOUNS = ("ship", "dock", "storage tank", "bridge", "car", "tennis court")
PLACES = [name for row in places.PLACES for name in row]
SIZE = 900


def random_facts(rng: random.Random) -> ClaimFacts:
    labels = []
    for noun in rng.sample(NOUNS, rng.randint(1, 4)):
        for _ in range(rng.randint(1, 4)):
            width, height = rng.uniform(12, 160), rng.uniform(12, 160)
            x, y = rng.uniform(0, SIZE - width), rng.uniform(0, SIZE - height)
            labels.append(Label("box", noun, GOLD, Shape((x, y, x + width, y + height))))
    share = rng.uniform(0.15, 0.8)
    labels.append(Label("cover", "water", GOLD, value=share))
    labels.append(Label("cover", "vegetation", GOLD, value=(1 - share) * rng.uniform(0.2, 0.9)))
    facts = TileFacts("t", "optical", SIZE, SIZE, 0.5, tuple(labels), NOUNS)
    boxes = [(label, i) for i, label in enumerate(labels) if label.shape]
    return ClaimFacts.of_objects(
        facts, [(label.category, tile_object(i, label.shape, facts)) for label, i in boxes if label.shape]
    )


def say(claim: Claim) -> str:
    """The claim in plain words, as a model would write it; true where the claim is."""
    noun = claim.category
    if claim.kind == "count":
        count = int(claim.value or 0)
        return f"There {'is' if count == 1 else 'are'} {english.count_phrase(count, noun)} in the image."
    if claim.kind == "absence":
        return f"There are no {english.pluralise(noun)} in the image."
    if claim.kind == "place":
        return f"{english.capitalise(english.with_article(noun))} lies {places.place_phrase(claim.word)} of the image."
    if claim.kind == "relation":
        where = f"to the {claim.word} of" if claim.word in {"left", "right"} else claim.word
        return f"The {noun} lies {where} the {claim.other_category}."
    if claim.kind == "size":
        return f"The {noun} is about {claim.value:.0f} m long."
    if claim.kind == "share":
        return f"About {claim.value:.0f}% of the image is {noun}."
    return f"There are {claim.word} {english.pluralise(noun)} than {english.pluralise(claim.other_category)}."


def true_claims(facts: ClaimFacts) -> Iterator[Claim]:
    for group in facts.groups:
        yield Claim("count", group.noun, value=float(group.count))
    yield from (Claim("absence", noun) for noun in sorted(facts.absent))
    yield from (
        Claim("share", label.category, value=round(100 * (label.value or 0)), unit="percent")
        for label in facts.facts.labels
        if label.kind == "cover"
    )
    for each in facts.numbered:
        place = places.place_name(each.object.box, SIZE, SIZE)
        if place:
            yield Claim("place", each.noun, (each.number,), word=place)
        length = facts.facts.sides_m(each.object.region)[0]
        yield Claim("size", each.noun, (each.number,), value=float(round(length)), unit="m", word="length")
    for one, other in permutations(facts.numbered, 2):
        way = places.direction(one.object.box, other.object.box, SIZE, SIZE)
        if way and one.noun != other.noun:
            yield Claim("relation", one.noun, (one.number,), (other.number,), other.noun, word=way)
    for a, b in permutations(facts.groups, 2):
        if a.count != b.count:
            yield Claim("comparison", a.noun, other_category=b.noun, word="more" if a.count > b.count else "fewer")


def spoiled(claim: Claim, facts: ClaimFacts, rng: random.Random) -> Iterator[Claim]:
    """Claims of the same kind that are not true."""
    opposite = {"left": "right", "right": "left", "above": "below", "below": "above", "more": "fewer", "fewer": "more"}
    if claim.kind in {"count"}:
        yield from (
            replace(claim, value=(claim.value or 0) + step) for step in (1, 2) + ((-1,) if (claim.value or 0) > 1 else ())
        )
    elif claim.kind == "absence":
        yield replace(claim, category=rng.choice([group.noun for group in facts.groups]))
    elif claim.kind == "place":
        yield replace(claim, word=rng.choice([name for name in PLACES if not _may_be(claim, name, facts)]))
    elif claim.kind in {"relation", "comparison"}:
        yield replace(claim, word=opposite[claim.word])
    elif claim.kind == "size":
        yield from (replace(claim, value=round((claim.value or 0) * factor)) for factor in (0.7, 1.4))
    elif claim.kind == "share":
        yield from (replace(claim, value=(claim.value or 0) + step) for step in (12, 30))


def _may_be(claim: Claim, place: str, facts: ClaimFacts) -> bool:
    return check_claim(replace(claim, word=place), facts).holds is True


def test_recall_and_precision_on_random_tiles() -> None:
    rng = random.Random(7)
    found = missed = wronged = true = 0
    for _ in range(40):
        facts = random_facts(rng)
        for claim in rng.sample(found_claims := list(true_claims(facts)), min(30, len(found_claims))):
            true += 1
            wronged += bool(faults_of(Statement(say(claim), (claim,)), facts))
            for false in spoiled(claim, facts, rng):
                # In the claim and the words; in the words alone; in the claim alone.
                for text, stated in ((say(false), false), (say(false), claim), (say(claim), false)):
                    hit = bool(faults_of(Statement(text, (stated,)), facts))
                    found, missed = found + hit, missed + (not hit)
    recall, precision = found / (found + missed), found / (found + wronged)
    assert found + missed > 3000
    assert true > 800
    assert recall >= 0.99, (found, missed)
    assert precision >= 0.99, (wronged, true)


def test_a_swap_of_two_objects_texts_is_always_found() -> None:
    rng = random.Random(11)
    swaps = 0
    for _ in range(30):
        facts = random_facts(rng)
        texts: dict[int, list[Statement]] = {}
        for claim in true_claims(facts):
            if claim.kind in {"place", "size"} and len(claim.objects) == 1:
                texts.setdefault(claim.objects[0], []).append(Statement(say(claim), (claim,)))
        standing = [number for number, text in texts.items() if review_object(number, text, facts).text]
        for one, other in permutations(standing, 2):
            swaps += 1
            as_written = texts[other]
            # Also where the model claims it of the number that it was asked for.
            renumbered = [
                replace(each, claims=tuple(replace(claim, objects=(one,)) for claim in each.claims)) for each in texts[other]
            ]
            assert review_object(one, as_written, facts).text == ""
            assert review_object(one, renumbered, facts).faults
    assert swaps > 300
