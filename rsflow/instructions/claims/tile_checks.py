"""Exact checks of claims about the whole tile: share, colour, temperature, class, change, comparison."""

from __future__ import annotations

from rsflow.instructions.claims.claim import HOLDS, Claim, Verdict, compare, unknown
from rsflow.instructions.claims.claim_facts import ClaimFacts
from rsflow.instructions.claims.object_checks import is_near
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.vqa import COVER_UNKNOWN
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.sensors import SENSORS

SHARE_POINTS = 2.6  # percent points that a rounded share may be off, half a point below 10 %
KELVIN_NEAR, ZERO_CELSIUS = 1.0, 273.15
AREA_RATIO = 1.3  # from which one object is plainly larger
TEMPERATURE_FACTS = {"highest": "warmest_part", "lowest": "coolest_part"}


def check_share(claim: Claim, facts: ClaimFacts) -> Verdict:
    """The land cover `category` takes `value` percent of the tile, or more of it than any other (`word` "largest")."""
    covers = tile_facts.land_covers(facts.facts)
    names = {cover.name: cover for cover in reversed(covers)} | {english.mass_noun(c.category): c for c in reversed(covers)}
    own = names.get(claim.category) if claim.category else None
    if own is None or (own.share and tile_facts.unknown_cover_share(facts.facts) > COVER_UNKNOWN):
        return unknown(f"how much of the tile is {claim.category}")
    if claim.word == "largest":
        others = [cover.share for cover in covers if cover is not own]
        rest = max([0.0, *others, 1 - own.share - sum(others)])
        return compare(own.share > rest, f"{own.share:.0%} {own.name}, not the largest", "the largest share")
    return _share_value(claim, 100 * own.share)


def _share_value(claim: Claim, actual: float) -> Verdict:
    """`actual` in percent."""
    if claim.value is None or claim.unit not in {"", "percent"}:
        return unknown("a share in percent")
    if claim.at_least:
        return compare(actual >= claim.value, f"{actual:.1f} percent", f"at least {claim.value:g}")
    near = abs(claim.value - actual) <= (SHARE_POINTS if actual >= 10 else max(0.5, 0.1 * actual))
    return compare(near, f"{actual:.1f} percent", f"{claim.value:g} percent")


def check_colour(claim: Claim, facts: ClaimFacts) -> Verdict:
    """The picture is mainly of the colour `word`. The colour of single objects is not measured."""
    if not SENSORS[facts.facts.sensor].has_colour:
        return compare(False, f"no colour in {english.with_article(SENSORS[facts.facts.sensor].picture)}", claim.word)
    measured = tile_facts.measured_fact(facts.facts, "colour")
    if measured is None or claim.objects:
        return unknown("the colour of these objects" if claim.objects else "the main colour of the picture")
    return compare(measured[1].text == claim.word.lower(), measured[1].text, claim.word)


def check_temperature(claim: Claim, facts: ClaimFacts) -> Verdict:
    """The `category` ("highest" or "lowest") temperature is measured in the place `word`, and is `value` there where one is
    given."""
    name = TEMPERATURE_FACTS.get(claim.category)
    measured = tile_facts.measured_fact(facts.facts, name) if name and facts.facts.sensor == "infrared" else None
    if measured is None or (not claim.word and claim.value is None):
        return unknown("temperatures of this tile")
    _, label = measured
    if claim.word and places.parse_place(claim.word) != label.text:
        return compare(False, label.text, claim.word)
    if claim.value is None:
        return HOLDS
    if claim.unit not in {"K", "C"} or label.value is None:
        return unknown("a temperature in K or C")
    kelvin = claim.value + (ZERO_CELSIUS if claim.unit == "C" else 0.0)
    return compare(abs(kelvin - label.value) <= KELVIN_NEAR, f"{label.value:.1f} K", f"{claim.value:g} {claim.unit}")


def check_class(claim: Claim, facts: ClaimFacts) -> Verdict:
    """The picture as a whole is classified as `word`."""
    classes = {english.singular_noun(label.category) for _, label in tile_facts.labels_of_kind(facts.facts, "category")} - {""}
    if not classes:
        return unknown("the class of the picture")
    return compare(english.singular_noun(claim.word) in classes, ", ".join(sorted(classes)), claim.word)


def check_change(claim: Claim, facts: ClaimFacts) -> Verdict:
    """From the earlier picture to this one the number of `category` `word` (increased, decreased, unchanged), by `value`."""
    if facts.other is None:
        return unknown("the same ground at another date")
    before = ClaimFacts(facts.other)
    if not (before.is_counted(claim.category) and facts.is_counted(claim.category)):
        return unknown(f"how many {english.pluralise(claim.category)} there were and are")
    difference = len(facts.objects_named(claim.category)) - len(before.objects_named(claim.category))
    actual = "increased" if difference > 0 else "decreased" if difference < 0 else "unchanged"
    if claim.word != actual:
        return compare(False, actual, claim.word)
    return compare(claim.value is None or claim.value == abs(difference), abs(difference), claim.value)


def check_comparison(claim: Claim, facts: ClaimFacts) -> Verdict:
    """`word` "more", "fewer" or "equal": numbers of `category` against `other_category`. "larger", "smaller": areas of
    `objects` against `others`, or without them of two land covers. "largest", "smallest": the one object of `objects` among all
    of its kind."""
    if claim.word in {"more", "fewer", "equal"}:
        return _compare_counts(claim, facts)
    if claim.word in {"larger", "smaller"} and not claim.objects and not claim.others:
        return _compare_covers(claim, facts)
    if claim.word in {"larger", "smaller"} and len(claim.objects) == len(claim.others) == 1:
        (one,), (other,) = facts.pick(claim.objects), facts.pick(claim.others)
        return _compare_areas(claim.word == "larger", one.object.area_px, [other.object.area_px])
    if claim.word in {"largest", "smallest"} and len(claim.objects) == 1:
        (one,) = facts.pick(claim.objects)
        if not facts.is_counted(one.noun):
            return unknown(f"every {one.noun} of the tile")
        rest = [each.area_px for each in facts.objects_named(one.noun) if each != one.object]
        return _compare_areas(claim.word == "largest", one.object.area_px, rest)
    return unknown("a comparison of numbers or of numbered objects")


def _compare_counts(claim: Claim, facts: ClaimFacts) -> Verdict:
    if not (facts.is_counted(claim.category) and facts.is_counted(claim.other_category)):
        return unknown(f"the numbers of {english.pluralise(claim.category)} and {english.pluralise(claim.other_category)}")
    one, other = (len(facts.objects_named(noun)) for noun in (claim.category, claim.other_category))
    actual = "more" if one > other else "fewer" if one < other else "equal"
    if claim.word != actual:
        return compare(False, f"{one} against {other}", claim.word)
    if claim.value is None:
        return HOLDS
    return compare(bool(other) and is_near(claim.value, one / other, 0.0), f"{one} against {other}", f"{claim.value:g} times")


def _compare_covers(claim: Claim, facts: ClaimFacts) -> Verdict:
    shares = {english.singular_noun(cover.name): cover.share for cover in tile_facts.land_covers(facts.facts)}
    one, other = (shares.get(english.singular_noun(name)) for name in (claim.category, claim.other_category))
    if one is None or other is None or tile_facts.unknown_cover_share(facts.facts) > COVER_UNKNOWN:
        return unknown("the shares of both land covers")
    return _compare_areas(claim.word == "larger", one, [other])


def _compare_areas(is_larger: bool, own: float, rest: list[float]) -> Verdict:
    if any(max(own, other) < AREA_RATIO * min(own, other) for other in rest):
        return unknown("which of these is plainly larger")
    return compare(all((own > other) == is_larger for other in rest), "the opposite", "larger" if is_larger else "smaller")
