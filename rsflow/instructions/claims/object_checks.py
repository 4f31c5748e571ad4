"""Exact checks of claims about objects: count, presence, absence, place, relation, size, area, name.

Every check gets a claim whose numbers exist and whose noun is clean (see `rsflow.instructions.claims.checking`).
"""

from __future__ import annotations

import math

from rsflow.instructions.claims.claim import HOLDS, Claim, Verdict, compare, unknown
from rsflow.instructions.claims.claim_facts import ClaimFacts, NumberedObject
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.sensors import SENSORS
from rsflow.spatial.geometry import enclosing_box

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
    if claim.at_least and len(objects) >= claim.value:
        return HOLDS
    if not facts.is_counted(claim.category):
        too_few = not claim.at_least and claim.value < len(objects)
        return (
            compare(False, f"at least {_amount(objects, claim.category)}", int(claim.value))
            if too_few
            else unknown(f"how many {english.pluralise(claim.category)} there are")
        )
    if claim.at_least:
        return compare(False, _amount(objects, claim.category), f"at least {int(claim.value)}")
    if claim.objects and len(claim.objects) != claim.value:
        return compare(False, f"{int(claim.value)} object numbers", len(claim.objects))
    return compare(len(objects) == claim.value, _amount(objects, claim.category), int(claim.value))


def _amount(objects: list[TileObject], category: str) -> str:
    """Their number with the category, as `1 ship` or `3 ships`."""
    return f"{len(objects)} {category if len(objects) == 1 else english.pluralise(category)}"


def _count_at(claim: Claim, facts: ClaimFacts, objects: list[TileObject]) -> Verdict:
    place = places.parse_place(claim.word)
    if place is None:
        return unknown(f"where {claim.word!r} is")
    found = [lies_in(each, place, facts, claim.tolerance) for each in objects]
    inside, possible, value = found.count(True), len(found) - found.count(False), claim.value or 0
    if claim.at_least and inside >= value:
        return HOLDS
    if possible < value and facts.is_counted(claim.category):
        return compare(False, f"at most {possible} {places.place_phrase(place)}", value)
    if inside > value:
        return compare(False, f"at least {inside} {places.place_phrase(place)}", value)
    if inside != possible or not facts.is_counted(claim.category):
        return unknown(f"how many {english.pluralise(claim.category)} lie {places.place_phrase(place)}")
    return HOLDS


def check_presence(claim: Claim, facts: ClaimFacts) -> Verdict:
    """At least one object of `category`, in the place `word` where one is named.

    Wrong only where all objects of the category are known and each clearly lies elsewhere: unknown is not absent.
    """
    objects = facts.objects_named(claim.category)
    place = places.parse_place(claim.word) if claim.word else None
    if claim.word and place is None:
        return unknown(f"where {claim.word!r} is")
    found = [lies_in(each, place, facts, claim.tolerance) if place else True for each in objects]
    if any(found) or (not claim.word and _is_covered(claim.category, facts)):
        return HOLDS
    if None in found or not facts.is_counted(claim.category):
        return unknown(
            f"whether there is {english.with_article(claim.category)}{' ' + places.place_phrase(place) if place else ''}"
        )
    return compare(False, f"no {claim.category}{' ' + places.place_phrase(place) if place else ''}", "one")


def _is_covered(noun: str, facts: ClaimFacts) -> bool:
    return any(
        noun in (cover.name, english.singular_noun(cover.name)) and cover.share > 0
        for cover in tile_facts.land_covers(facts.facts)
    )


def check_absence(claim: Claim, facts: ClaimFacts) -> Verdict:
    """No object of `category`, or none in the place `word`. Needs evidence: a category that is not annotated is unknown."""
    objects = facts.objects_named(claim.category)
    place = places.parse_place(claim.word) if claim.word else None
    if claim.word and place is None:
        return unknown(f"where {claim.word!r} is")
    if place:
        objects = [each for each in objects if _touches(each, place, facts)]
    if objects:
        return compare(False, _amount(objects, claim.category), "none")
    if not facts.is_counted(claim.category):
        return unknown(f"whether there is {english.with_article(claim.category)}")
    return HOLDS


def check_place(claim: Claim, facts: ClaimFacts) -> Verdict:
    """All `objects` lie in the place `word`."""
    place = places.parse_place(claim.word)
    if place is None or not claim.objects:
        return unknown(f"where {claim.word!r} is" if claim.objects else "which objects are meant: the numbers are missing")
    found = [(each, lies_in(each.object, place, facts, claim.tolerance)) for each in facts.pick(claim.objects)]
    astray = next((each for each, inside in found if inside is False), None)
    if astray:
        actual = places.place_name(astray.object.box, facts.facts.height_px, facts.facts.width_px)
        where = places.place_phrase(actual) if actual else "elsewhere"
        return compare(False, f"object {astray.number} {where}", places.place_phrase(place))
    unclear = next((each.number for each, inside in found if inside is None), None)
    return HOLDS if unclear is None else unknown(f"in which one part of the image object {unclear} lies")


def lies_in(each: TileObject, place: str, facts: ClaimFacts, tolerance: float = 0.0) -> bool | None:
    """Whether an object lies in a place; `top`, `left`, `right` and `bottom` are whole thirds. None where that is not clear:
    near a border, or with its centre within `tolerance`, a share of the sides, of the place."""
    actual = places.place_name(each.box, facts.facts.height_px, facts.facts.width_px)
    if actual is not None and (actual == place or actual in places.WIDE_PLACES.get(place, ())):
        return True
    if actual is not None and not tolerance:
        return False
    x, y = (each.box[0] + each.box[2]) / 2, (each.box[1] + each.box[3]) / 2
    is_near = places.touches_place((x, y, x, y), place, facts.facts.height_px, facts.facts.width_px, tolerance)
    return None if is_near or _touches(each, place, facts) else False


def _touches(each: TileObject, place: str, facts: ClaimFacts) -> bool:
    return places.touches_place(each.box, place, facts.facts.height_px, facts.facts.width_px)


def check_relation(claim: Claim, facts: ClaimFacts) -> Verdict:
    """`objects` lie `word` (left, right, above, below) of `others`."""
    if not claim.objects or not claim.others or claim.word not in DIRECTIONS:
        return unknown("a direction (left, right, above, below) between numbered objects")
    subject, other = (
        enclosing_box([each.object.box for each in facts.pick(numbers)]) for numbers in (claim.objects, claim.others)
    )
    size = facts.facts.height_px, facts.facts.width_px
    actual = places.direction(subject, other, *size)
    if claim.tolerance and actual != claim.word:
        # In words a thing is also left of another that it lies far above of.
        centre, edge = places.offsets_towards(claim.word, subject, other, *size)
        is_wrong = (centre < -places.MARGIN and edge <= 0) or (actual is not None and centre < claim.tolerance)
        return compare(False, actual or "the opposite", claim.word) if is_wrong else unknown("a plain direction")
    return compare(actual == claim.word, actual, claim.word) if actual else unknown("a plain direction between these objects")


def check_size(claim: Claim, facts: ClaimFacts) -> Verdict:
    """Each of `objects` has a side of `value` metres or pixels (`word` "length" or "width"), or the size `word` in the
    picture. Without objects and category: the picture has such a side, or its pixels (`word` "pixel")."""
    if not claim.objects and not claim.category and claim.value is not None:
        return _picture_side(claim, facts)
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
    value, slack = claim.value or 0.0, min(claim.tolerance, MAX_TOLERANCE)
    holds = any(is_near(value, side, claim.tolerance) for side in candidates)
    if not holds and slack and (1 - slack) * sides[1] <= value <= (1 + slack) * math.hypot(*sides):
        return unknown(f"how object {each.number} lies in its box")
    return compare(holds, " by ".join(f"{side:.3g} {claim.unit}" for side in sides), f"{claim.value:g} {claim.unit}")


def _picture_side(claim: Claim, facts: ClaimFacts) -> Verdict:
    if claim.unit not in {"m", "km"} or not facts.facts.gsd_m:
        return unknown("the size of a pixel on the ground")
    metres = (claim.value or 0.0) * (1000 if claim.unit == "km" else 1)
    pixels = [1.0] if claim.word == "pixel" else [facts.facts.width_px, facts.facts.height_px]
    sides = [facts.facts.gsd_m * each for each in pixels]
    expected = " by ".join(f"{side:.3g} m" for side in sides)
    return compare(any(is_near(metres, side, claim.tolerance) for side in sides), expected, f"{metres:g} m")


def _sides(each: TileObject, unit: str, facts: ClaimFacts) -> tuple[float, ...]:
    """(longer, shorter)"""
    if unit == "px":
        width, height = each.box[2] - each.box[0], each.box[3] - each.box[1]
        return max(width, height), min(width, height)
    return tuple(side / (1000 if unit == "km" else 1) for side in facts.facts.sides_m(each.region))


def check_area(claim: Claim, facts: ClaimFacts) -> Verdict:
    """`objects` together cover `value` on the ground (m2, ha, km2), or in pixels; without objects and category, the picture."""
    if not claim.objects and not claim.category and claim.value is not None and claim.unit in AREAS_M2 and facts.facts.gsd_m:
        picture = facts.facts.width_px * facts.facts.height_px * facts.facts.gsd_m**2 / AREAS_M2[claim.unit]
        return compare(
            is_near(claim.value, picture, claim.tolerance), f"{picture:.3g} {claim.unit}", f"{claim.value:g} {claim.unit}"
        )
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
