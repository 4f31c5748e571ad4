"""Exact checks of claims about objects: count, presence, absence, place, relation, size, area, name.

Every check gets a claim whose numbers exist and whose noun is clean (see `rsflow.instructions.claims.checking`).
"""

from __future__ import annotations

from rsflow.instructions.claims.claim import HOLDS, Claim, Verdict, compare, unknown
from rsflow.instructions.claims.claim_facts import ClaimFacts, NumberedObject, box_around
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.sensors import SENSORS

MAX_TOLERANCE = 0.2  # share of a length or an area that a claim may be off, whatever tolerance it asks for
ROUNDING = 0.06  # two significant digits
AREAS_M2 = {"m2": 1.0, "ha": 1e4, "km2": 1e6}
DIRECTIONS = ("left", "right", "above", "below")


def check_count(claim: Claim, facts: ClaimFacts) -> Verdict:
    """`value` objects of `category`, in the place `word` where one is named; `objects`, where given, are exactly these."""
    if claim.value is None or claim.value != int(claim.value) or claim.value < 0:
        return compare(False, "a whole number", claim.value)
    objects = facts.objects_named(claim.category)
    if claim.word:
        return _count_at(claim, facts, objects)
    many = english.pluralise(claim.category)
    if claim.at_least:
        return compare(len(objects) >= claim.value, f"at most {len(objects)} {many}", int(claim.value))
    if not facts.is_counted(claim.category):
        return unknown(f"how many {many} there are in all")
    if claim.objects and len(claim.objects) != claim.value:
        return compare(False, f"{int(claim.value)} object numbers", len(claim.objects))
    return compare(len(objects) == claim.value, f"{len(objects)} {many}", int(claim.value))


def _count_at(claim: Claim, facts: ClaimFacts, objects: list[TileObject]) -> Verdict:
    place = places.parse_place(claim.word)
    if place is None:
        return unknown(f"where {claim.word!r} is")
    inside = [each for each in objects if lies_in(each, place, facts)]
    if claim.at_least:
        return compare(len(inside) >= (claim.value or 0), f"at most {len(inside)} {places.place_phrase(place)}", claim.value)
    unclear = [each for each in objects if lies_in(each, place, facts) is None]
    if unclear or not facts.is_counted(claim.category):
        return unknown(f"how many {english.pluralise(claim.category)} lie {places.place_phrase(place)}")
    return compare(len(inside) == claim.value, f"{len(inside)} {places.place_phrase(place)}", claim.value)


def check_presence(claim: Claim, facts: ClaimFacts) -> Verdict:
    """At least one object of `category`, in the place `word` where one is named.

    Wrong only where all objects of the category are known and each clearly lies elsewhere: unknown is not absent.
    """
    objects = facts.objects_named(claim.category)
    place = places.parse_place(claim.word) if claim.word else None
    if claim.word and place is None:
        return unknown(f"where {claim.word!r} is")
    found = [lies_in(each, place, facts) if place else True for each in objects]
    if any(found) or (not claim.word and _is_covered(claim.category, facts)):
        return HOLDS
    if None in found or not facts.is_counted(claim.category):
        return unknown(
            f"whether there is {english.with_article(claim.category)}{' ' + places.place_phrase(place) if place else ''}"
        )
    return compare(False, f"no {claim.category}{' ' + places.place_phrase(place) if place else ''}", "one")


def _is_covered(noun: str, facts: ClaimFacts) -> bool:
    return any(cover.name == noun and cover.share > 0 for cover in tile_facts.land_covers(facts.facts))


def check_absence(claim: Claim, facts: ClaimFacts) -> Verdict:
    """No object of `category`, or none in the place `word`. Needs evidence: a category that is not annotated is unknown."""
    objects = facts.objects_named(claim.category)
    place = places.parse_place(claim.word) if claim.word else None
    if claim.word and place is None:
        return unknown(f"where {claim.word!r} is")
    if place:
        objects = [each for each in objects if _touches(each, place, facts)]
    if objects:
        return compare(False, f"{len(objects)} {english.pluralise(claim.category)}", "none")
    if not facts.is_counted(claim.category):
        return unknown(f"whether there is {english.with_article(claim.category)}")
    return HOLDS


def check_place(claim: Claim, facts: ClaimFacts) -> Verdict:
    """All `objects` lie in the place `word`."""
    place = places.parse_place(claim.word)
    if place is None or not claim.objects:
        return unknown(f"where {claim.word!r} is" if claim.objects else "which objects are meant: the numbers are missing")
    for each in facts.pick(claim.objects):
        inside = lies_in(each.object, place, facts)
        actual = places.place_name(each.object.box, facts.facts.height_px, facts.facts.width_px)
        if inside is None:
            return unknown(f"in which one part of the image object {each.number} lies")
        if not inside:
            return compare(False, f"object {each.number} {places.place_phrase(actual or 'centre')}", places.place_phrase(place))
    return HOLDS


def lies_in(each: TileObject, place: str, facts: ClaimFacts) -> bool | None:
    """Whether an object lies in a place; `top`, `left`, `right` and `bottom` are whole thirds. None where that is not clear."""
    actual = places.place_name(each.box, facts.facts.height_px, facts.facts.width_px)
    if actual is None:
        return False if not _touches(each, place, facts) else None
    return actual == place or actual in places.WIDE_PLACES.get(place, ())


def _touches(each: TileObject, place: str, facts: ClaimFacts) -> bool:
    return places.touches_place(each.box, place, facts.facts.height_px, facts.facts.width_px)


def check_relation(claim: Claim, facts: ClaimFacts) -> Verdict:
    """`objects` lie `word` (left, right, above, below) of `others`."""
    if not claim.objects or not claim.others or claim.word not in DIRECTIONS:
        return unknown("a direction (left, right, above, below) between numbered objects")
    subject, other = (box_around([each.object for each in facts.pick(numbers)]) for numbers in (claim.objects, claim.others))
    actual = places.direction(subject, other, facts.facts.height_px, facts.facts.width_px)
    return compare(actual == claim.word, actual, claim.word) if actual else unknown("a plain direction between these objects")


def check_size(claim: Claim, facts: ClaimFacts) -> Verdict:
    """Each of `objects` has a side of `value` metres or pixels (`word` "length" or "width"), or the size `word` in the
    picture."""
    if not claim.objects:
        return unknown("which objects are meant: the numbers are missing")
    measure = _size_in_picture if claim.value is None else _side_length
    verdicts = [measure(claim, each, facts) for each in facts.pick(claim.objects)]
    return next((verdict for verdict in verdicts if not verdict.holds), HOLDS)


def _size_in_picture(claim: Claim, each: NumberedObject, facts: ClaimFacts) -> Verdict:
    size = places.size_word(each.object.area_px, facts.facts.height_px, facts.facts.width_px)
    return compare(size == claim.word, size, claim.word)


def _side_length(claim: Claim, each: NumberedObject, facts: ClaimFacts) -> Verdict:
    if claim.unit not in {"m", "km", "px"}:
        return compare(False, "a length in m, km or px", claim.unit or "no unit")
    if claim.unit != "px" and not (facts.facts.gsd_m and each.object.fully_visible):
        return unknown(f"the size of object {each.number} on the ground")
    sides = _sides(each.object, claim.unit, facts)
    candidates = {"length": sides[:1], "width": sides[1:]}.get(claim.word, sides)
    holds = any(is_near(claim.value or 0.0, side, claim.tolerance) for side in candidates)
    return compare(holds, " by ".join(f"{side:.3g} {claim.unit}" for side in sides), f"{claim.value:g} {claim.unit}")


def _sides(each: TileObject, unit: str, facts: ClaimFacts) -> tuple[float, ...]:
    """(longer, shorter)"""
    if unit == "px":
        width, height = each.box[2] - each.box[0], each.box[3] - each.box[1]
        return max(width, height), min(width, height)
    return tuple(side / (1000 if unit == "km" else 1) for side in facts.facts.sides_m(each.region))


def check_area(claim: Claim, facts: ClaimFacts) -> Verdict:
    """`objects` together cover `value` on the ground (m2, ha, km2), or in pixels."""
    if not claim.objects or claim.value is None or claim.unit not in {*AREAS_M2, "px"}:
        return unknown("numbered objects and an area in m2, ha, km2 or px")
    pixels = sum(each.object.area_px for each in facts.pick(claim.objects))
    if claim.unit == "px":
        actual = pixels
    elif facts.facts.gsd_m and all(each.object.fully_visible for each in facts.pick(claim.objects)):
        actual = pixels * facts.facts.gsd_m**2 / AREAS_M2[claim.unit]
    else:
        return unknown("the area of these objects on the ground")
    return compare(is_near(claim.value, actual, claim.tolerance), f"{actual:.3g} {claim.unit}", f"{claim.value:g} {claim.unit}")


def check_name(claim: Claim, facts: ClaimFacts) -> Verdict:
    """Each of `objects` is a `category`; in the scope "sensor" the picture is one of the sensor `word`."""
    if claim.scope == "sensor":
        name = facts.facts.sensor
        return compare(claim.word.lower() in {name, SENSORS[name].adjective.lower()}, name, claim.word)
    if not claim.objects or not claim.category:
        return unknown("what these objects are called: numbers or category are missing")
    for each in facts.pick(claim.objects):
        if each.noun != claim.category and not english.is_kind_of(each.noun, claim.category):
            return compare(False, f"object {each.number} is {english.with_article(each.noun)}", claim.category)
    return HOLDS


def is_near(value: float, actual: float, tolerance: float) -> bool:
    """Within rounding, or within the claim's own tolerance up to MAX_TOLERANCE, of what is measured."""
    return abs(value - actual) <= max(ROUNDING, min(tolerance, MAX_TOLERANCE)) * actual
