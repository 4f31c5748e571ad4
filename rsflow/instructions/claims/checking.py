"""Claims against facts: one exact check per kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from rsflow.instructions.claims import object_checks as objects
from rsflow.instructions.claims import tile_checks as tile
from rsflow.instructions.claims.claim import Claim, ClaimKind, Verdict, compare
from rsflow.instructions.claims.claim_facts import ClaimFacts
from rsflow.instructions.wording import english

CHECKS: dict[ClaimKind, Callable[[Claim, ClaimFacts], Verdict]] = {
    "count": objects.check_count,
    "presence": objects.check_presence,
    "absence": objects.check_absence,
    "place": objects.check_place,
    "relation": objects.check_relation,
    "size": objects.check_size,
    "area": objects.check_area,
    "share": tile.check_share,
    "colour": tile.check_colour,
    "temperature": tile.check_temperature,
    "class": tile.check_class,
    "name": objects.check_name,
    "change": tile.check_change,
    "comparison": tile.check_comparison,
}
_MASS = {"share", "temperature", "colour"}  # kinds whose category is no object


def check_claim(claim: Claim, facts: ClaimFacts) -> Verdict:
    """Whether a claim holds by the facts. A number that no object has, and objects that are not of the claim's category, are
    wrong; what the labels do not decide is unknown (`holds` None)."""
    facts = facts.of_claim(claim)
    missing = facts.numbers_missing([*claim.objects, *claim.others])
    if missing:
        known = sorted(facts.by_number)
        expected = f"numbers {known[0]} to {known[-1]}" if known else "no numbers: no object has one"
        return compare(False, expected, ", ".join(map(str, missing)))
    if claim.value is not None and not math.isfinite(claim.value):
        return compare(False, "a finite value", claim.value)
    clean = english.mass_noun if claim.kind in _MASS else english.singular_noun
    claim = replace(claim, category=clean(claim.category), other_category=english.singular_noun(claim.other_category))
    if claim.kind not in _MASS:
        for numbers, noun in ((claim.objects, claim.category), (claim.others, claim.other_category)):
            wrong = next((each for each in facts.pick(numbers) if not _is_called(each.noun, noun)), None)
            if wrong:
                return compare(False, f"object {wrong.number} is {english.with_article(wrong.noun)}", noun)
    return CHECKS[claim.kind](claim, facts)


def _is_called(noun: str, category: str) -> bool:
    return not category or noun == category or english.is_kind_of(noun, category)
