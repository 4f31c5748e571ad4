"""Statements of a model against the facts: which sentences are kept, the faults of the others, and their replacements.

A replacement is a sentence of the composer: what is true of the thing that the claim was about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rsflow.instructions.claims.alignment import unclaimed_words, unexplained
from rsflow.instructions.claims.checking import check_claim
from rsflow.instructions.claims.claim import Claim
from rsflow.instructions.claims.claim_facts import ClaimFacts
from rsflow.instructions.claims.schema import Statement
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.vqa import COUNT_LIMIT
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.spatial.geometry import enclosing_box

MAX_FREE_SHARE = 0.6  # of a sentence's content words: with more of them it claims too little to be checked
MIN_KEPT_SHARE = 0.5  # of a text's sentences that must stand, as written or replaced
QUESTION_KINDS = ("noun", "place", "number", "colour")  # checkable words of a question that its answer has to be about
_AMOUNT_QUESTION = re.compile(r"\bhow (many|much|few|large|small|long|wide)\b", re.IGNORECASE)
_REFERRING = frozenset(["it", "its", "they", "their", "these", "those", "both", "this", "here", "he", "she", "such", "another"])


@dataclass(frozen=True, slots=True)
class Reviewed:
    """`text`: what stands, empty where too little does. `faults`: what was wrong, by sentence. `replaced`: sentences of the
    composer. `unread`: sentences that stand without a claim of their own."""

    text: str
    faults: tuple[str, ...]
    sentences: int
    replaced: int = 0
    dropped: int = 0
    unread: int = 0


def faults_of(statement: Statement, facts: ClaimFacts, answer_claims: Sequence[Claim] | None = None) -> list[str]:
    """What is wrong with a sentence: claims that fail or cannot be known, words that no claim explains, too many free words.

    `answer_claims`: those of the whole answer, of which a sentence may speak that draws a conclusion and makes no claim itself.
    """
    if not statement.claims and answer_claims:
        problems = unclaimed_words(statement.text, answer_claims, facts)
        return [f"{statement.text!r}: {'; '.join(problems)}"] if problems else []
    if not statement.claims:
        return [f"{statement.text!r} makes no claim"]
    verdicts = [(claim, check_claim(claim, facts)) for claim in statement.claims]
    faults = [f"claim {_named(claim)}: {verdict}" for claim, verdict in verdicts if not verdict.holds]
    if faults:
        return [f"{statement.text!r}: {'; '.join(faults)}"]
    problems, free_share = unexplained(statement.text, statement.claims, facts)
    if free_share > MAX_FREE_SHARE:
        problems.append(f"{free_share:.0%} of its words rest on no claim")
    return [f"{statement.text!r}: {'; '.join(problems)}"] if problems else []


def review(statements: Sequence[Statement], facts: ClaimFacts, may_conclude: bool = False) -> Reviewed:
    """A text as far as it stands: a faulty sentence is replaced by the composer's about the same thing, or dropped.

    With `may_conclude`, sentences without claims stand that speak only of what the claims of the text are about; they count
    as unread.
    """
    claims = [claim for statement in statements for claim in statement.claims if check_claim(claim, facts).holds]
    kept: list[str] = []
    faults: list[str] = []
    replaced = dropped = 0
    before_stands = True
    for statement in statements:
        wrong = faults_of(statement, facts, claims if may_conclude else None)
        refers = statement.text.split(" ")[0].lower().strip(",") in _REFERRING
        faults += wrong
        if not wrong and (before_stands or not refers):
            kept.append(statement.text)
            before_stands = True
            continue
        composed = next((text for claim in statement.claims if (text := _compose_claim(claim, facts))), "")
        before_stands = False
        if composed and composed not in kept:
            kept.append(composed)
            replaced += 1
        else:
            dropped += 1
    unread = sum(not statement.claims and statement.text in kept for statement in statements)
    coherent = len(kept) >= max(1, MIN_KEPT_SHARE * len(statements)) and len(kept) > replaced + unread
    return Reviewed(" ".join(kept) if coherent else "", tuple(faults), len(statements), replaced, dropped, unread)


def question_faults(question: str, sentences: Sequence[Statement], facts: ClaimFacts) -> list[str]:
    """What a question mentions and its answer claims nothing about; an answer that says yes to an absence."""
    claims = [claim for statement in sentences for claim in statement.claims]
    faults = unclaimed_words(_AMOUNT_QUESTION.sub("how", question), claims, facts, QUESTION_KINDS)
    first = sentences[0] if sentences else None
    if first and first.text.lower().startswith("yes") and any(claim.kind == "absence" for claim in first.claims):
        faults.append("the answer says yes and claims an absence")
    return [f"{question!r}: {'; '.join(faults)}"] if faults else []


def review_object(number: int, statements: Sequence[Statement], facts: ClaimFacts) -> Reviewed:
    """The text of one numbered object: every claim about numbered objects is about this one, and the text fits no other
    object."""
    if number not in facts.by_number:
        return _refused(statements, f"object {number} is not among those that were asked for")
    claims = [claim for statement in statements for claim in statement.claims]
    faults = [f"the text of object {number} claims something of object {n}" for n in _others_claimed(number, claims)]
    twins = [other for other in facts.by_number if other != number and _fits(number, other, claims, facts)]
    if twins:
        faults.append(f"the text of object {number} fits object {twins[0]} as well: say where it is or how large")
    if faults:
        return _refused(statements, *faults)
    return review(statements, facts)


def _refused(statements: Sequence[Statement], *faults: str) -> Reviewed:
    return Reviewed("", faults, len(statements), dropped=len(statements))


def _others_claimed(number: int, claims: Sequence[Claim]) -> list[int]:
    """Objects other than this one that a claim is about without naming this one."""
    return sorted({n for claim in claims if number not in {*claim.objects, *claim.others} for n in claim.objects})


def _fits(number: int, other: int, claims: Sequence[Claim], facts: ClaimFacts) -> bool:
    """Whether all claims about one object are true of another one as well, though the two are not alike."""
    own = [claim for claim in claims if number in claim.objects]
    moved = [replace(claim, objects=tuple(other if n == number else n for n in claim.objects)) for claim in own]
    return all(check_claim(claim, facts).holds for claim in moved)


def _named(claim: Claim) -> str:
    parts = [claim.kind, claim.category, *(f"#{n}" for n in claim.objects), claim.word]
    return " ".join(part for part in [*parts, "" if claim.value is None else f"{claim.value:g} {claim.unit}".strip()] if part)


def _compose_claim(claim: Claim, facts: ClaimFacts) -> str:
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
