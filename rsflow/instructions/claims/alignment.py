"""Words of a sentence against its claims: every checkable word must be what a claim says, of the thing that the claim speaks
of.

A claim may be true while the sentence says something else ("three ships" with a claim of two). The words that state something
form a closed set (rsflow.instructions.claims.vocabulary); each is paired with the nearest noun and must be explained by a
claim. Nothing here understands English: what no claim explains is a fault, however true it may be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from rsflow.instructions.claims.checking import check_claim
from rsflow.instructions.claims.claim import Claim, Unit
from rsflow.instructions.claims.claim_facts import ClaimFacts
from rsflow.instructions.claims.vocabulary import Token, find_tokens, split_words
from rsflow.instructions.claims.word_lists import FRACTIONS, SQUARE_UNITS, UNIT_WORDS, VAGUE
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places

_MEASURES = {"size", "area", "share", "temperature"}
_COMPARED = {
    **dict.fromkeys(["more", "outnumber"], "more"),
    **dict.fromkeys(["fewer", "less"], "fewer"),
    **dict.fromkeys(["largest", "biggest"], "largest"),
    **dict.fromkeys(["larger", "bigger"], "larger"),
    "smallest": "smallest",
    "smaller": "smaller",
    "equal": "equal",
}
_CHANGED = {
    **dict.fromkeys(["increased", "grown", "added", "new", "appeared"], "increased"),
    **dict.fromkeys(["decreased", "shrunk", "removed", "gone", "disappeared"], "decreased"),
    "unchanged": "unchanged",
}
_WARMTH = {"warmest": "highest", "hottest": "highest", "coolest": "lowest", "coldest": "lowest"}


@dataclass(frozen=True)
class Aligned:
    """A sentence's words (lower case, with punctuation), its checkable tokens, its claims and the facts."""

    words: Sequence[str]
    tokens: Sequence[Token]
    claims: Sequence[Claim]
    facts: ClaimFacts

    def of_kind(self, *kinds: str) -> list[Claim]:
        return [claim for claim in self.claims if claim.kind in kinds]

    def nouns_near(self, token: Token) -> list[str]:
        """The nearest noun before the token and the nearest after it, without crossing a full stop; the former first."""
        before = [other for other in self.tokens if other.kind == "noun" and other.position < token.position]
        return [noun for noun in (before[-1].value if before else "", self.noun_after(token)) if noun]

    def noun_before(self, token: Token) -> str:
        return next((o.value for o in reversed(self.tokens) if o.kind == "noun" and o.position < token.position), "")

    def noun_after(self, token: Token) -> str:
        return next((o.value for o in self.tokens if o.kind == "noun" and o.position > token.position), "")

    def nouns_numbered(self, claim: Claim, numbers: Sequence[int]) -> set[str]:
        """What the objects of a claim with these numbers are called; nothing where one of them is unknown."""
        facts = self.facts.of_claim(claim)
        return set() if facts.numbers_missing(numbers) else {each.noun for each in facts.pick(numbers)}

    def count_named(self, noun: str) -> int:
        """How many objects of that noun the picture shows that has most of them."""
        return max(len(facts.objects_named(noun)) for facts in self.facts.pictures)

    def named(self, claim: Claim, noun: str) -> bool:
        """Whether the noun names the category or the objects of a claim."""
        nouns = {english.singular_noun(claim.category), english.mass_noun(claim.category), claim.category}
        nouns |= self.nouns_numbered(claim, claim.objects)
        return any(noun == own or english.is_kind_of(own, noun) for own in nouns if own)


def unexplained(text: str, claims: Sequence[Claim], facts: ClaimFacts) -> tuple[list[str], float]:
    """(what the words say and no claim does, share of free words among the words with content)."""
    tokens, free = find_tokens(text, facts)
    aligned = Aligned(split_words(text), tokens, claims, facts)
    faults = _unclaimed(aligned)
    faults += [fault for claim in claims if (fault := _unsaid(claim, aligned))]
    return faults, len(free) / max(1, len(free) + len(tokens))


def unclaimed_words(text: str, claims: Sequence[Claim], facts: ClaimFacts, kinds: Collection[str] = ()) -> list[str]:
    """The checkable words of a text, or those of these kinds, that none of the claims explains."""
    tokens, _ = find_tokens(text, facts)
    return _unclaimed(Aligned(split_words(text), tokens, claims, facts), kinds)


def _unclaimed(aligned: Aligned, kinds: Collection[str] = ()) -> list[str]:
    tokens = [token for token in aligned.tokens if not kinds or token.kind in kinds]
    return [f"{token.text!r} is said by no claim" for token in tokens if not EXPLAIN[token.kind](token, aligned)]


def _noun(token: Token, aligned: Aligned) -> bool:
    matching = [
        claim for claim in aligned.claims if aligned.named(claim, token.value) or _is_other(claim, token.value, aligned)
    ]
    if not matching or token.text == token.value.lower():
        return bool(matching)
    # A plural means two at least, unless its absence is claimed.
    denied = any(claim.kind == "absence" or (claim.kind == "count" and claim.value == 0) for claim in matching)
    covers = any(claim.kind in {"share", "class", "change", "comparison"} for claim in matching)
    return denied or covers or aligned.count_named(token.value) >= 2


def _is_other(claim: Claim, noun: str, aligned: Aligned) -> bool:
    named = {english.singular_noun(claim.other_category), english.singular_noun(claim.word)}
    named |= aligned.nouns_numbered(claim, claim.others)
    return any(noun == own or english.is_kind_of(own, noun) for own in named if own)


def _number(token: Token, aligned: Aligned) -> bool:
    unit = _unit_after(token, aligned)
    if unit:
        return any(_measures(claim, token, unit, aligned) for claim in aligned.of_kind(*_MEASURES))
    before, after = aligned.noun_before(token), aligned.noun_after(token)
    noun = (before or after) if token.text == "both" else (after or before)
    return any(_counts(claim, token, noun, aligned) for claim in aligned.claims)


def _unit_after(token: Token, aligned: Aligned) -> Unit:
    """The unit of a number; of "20 by 8 m" both numbers have the one that follows."""
    if token.text in FRACTIONS:
        return "percent"
    words = list(aligned.words[token.position + 1 : token.position + 5])
    if words[:1] in (["by"], ["x"]) and len(words) > 2:
        words = words[2:]
    square = words[:1] == ["square"]
    unit = UNIT_WORDS.get(words[1 if square else 0], "") if len(words) > square else ""
    return SQUARE_UNITS.get(unit, unit) if square else unit


def _measures(claim: Claim, token: Token, unit: Unit, aligned: Aligned) -> bool:
    """Whether a claim states this number in this unit of the nearest noun, and the number itself holds."""
    if unit != (claim.unit or ("percent" if claim.kind == "share" else "")) or claim.value is None:
        return False
    near = abs(token.number - claim.value) <= 0.05 * abs(claim.value)
    if claim.kind not in {"temperature"} and not any(aligned.named(claim, noun) for noun in aligned.nouns_near(token)):
        return False
    return (
        near
        and check_claim(replace(claim, value=token.number), aligned.facts).holds is True
        and _share_noun(claim, token, aligned)
    )


def _share_noun(claim: Claim, token: Token, aligned: Aligned) -> bool:
    """Of several shares in a sentence, a number belongs to the land cover that follows it, or else to the one before."""
    others = [other for other in aligned.of_kind(claim.kind) if other is not claim and other.category != claim.category]
    if claim.kind != "share" or not others:
        return True
    return aligned.named(claim, aligned.noun_after(token) or aligned.noun_before(token))


def _counts(claim: Claim, token: Token, noun: str, aligned: Aligned) -> bool:
    if not noun or not (aligned.named(claim, noun) or _is_other(claim, noun, aligned)):
        return False
    if token.text in VAGUE:
        return aligned.count_named(noun) >= token.number
    if claim.kind in {"comparison", "change"}:
        return claim.value == token.number
    if claim.kind in {"count"}:
        bounded = "at least" in " ".join(aligned.words[max(0, token.position - 3) : token.position])
        return claim.value == token.number and (bounded or not claim.at_least)
    if token.number == 1 and claim.kind == "presence":
        return True
    return bool(claim.objects) and len(claim.objects) == token.number


def _place(token: Token, aligned: Aligned) -> bool:
    place = places.parse_place(token.value)
    if place is None:
        # "the lower right corner": the corner belongs to the place before it.
        return (
            token.text in {"corner", "edge"}
            and any(o.kind == "place" and o.position in {token.position - 1, token.position - 2} for o in aligned.tokens)
            and token.text == "corner"
        )
    near = aligned.noun_before(token) or aligned.noun_after(token)
    for claim in aligned.of_kind("place", "presence", "absence", "count", "temperature"):
        named_place = places.parse_place(claim.word) if claim.word else None
        if named_place == place and (claim.kind == "temperature" or aligned.named(claim, near)):
            return True
    return False


def _direction(token: Token, aligned: Aligned) -> bool:
    subject, other = aligned.noun_before(token), aligned.noun_after(token)
    opposite = {"left": "right", "right": "left", "above": "below", "below": "above"}
    for claim in aligned.of_kind("relation"):
        if token.value and claim.word == token.value and aligned.named(claim, subject) and _is_other(claim, other, aligned):
            return True
        if claim.word == opposite.get(token.value) and aligned.named(claim, other) and _is_other(claim, subject, aligned):
            return True
    return False


def _negation(token: Token, aligned: Aligned) -> bool:
    denied = [claim for claim in aligned.claims if claim.kind == "absence" or (claim.kind == "count" and claim.value == 0)]
    noun = aligned.noun_after(token) or aligned.noun_before(token)
    return any(aligned.named(claim, noun) for claim in denied)


def _colour(token: Token, aligned: Aligned) -> bool:
    return any(claim.word.lower() == token.value for claim in aligned.of_kind("colour"))


def _size(token: Token, aligned: Aligned) -> bool:
    noun = aligned.noun_after(token) or aligned.noun_before(token)
    sizes = [claim for claim in aligned.of_kind("size") if claim.value is None and aligned.named(claim, noun)]
    measured = token.text in {"long", "wide"} and bool(aligned.of_kind("size"))
    return measured or any(claim.word.replace("-", " ") == token.value for claim in sizes)


def _comparison(token: Token, aligned: Aligned) -> bool:
    if token.text in {"most", "mostly", "mainly", "dominant", "majority"}:
        return any(claim.word == "largest" or (claim.value or 0) > 50 for claim in aligned.of_kind("share")) or (
            token.text in {"mainly", "mostly"} and bool(aligned.of_kind("colour"))
        )
    if token.text == "twice":
        return any(claim.value is not None and 1.9 <= claim.value <= 2.1 for claim in aligned.of_kind("comparison"))
    word = _COMPARED.get(token.text)
    for claim in aligned.of_kind("comparison", "share"):
        if claim.word == word and (word not in {"more", "fewer", "larger", "smaller"} or _in_order(claim, aligned)):
            return True
    return False


def _in_order(claim: Claim, aligned: Aligned) -> bool:
    """ "more ships than docks": the claim's own noun stands before the noun it is compared with."""
    nouns = [other.value for other in aligned.tokens if other.kind == "noun"]
    own = next((i for i, noun in enumerate(nouns) if aligned.named(claim, noun)), None)
    other = next((i for i, noun in enumerate(nouns) if i != own and _is_other(claim, noun, aligned)), None)
    return own is not None and other is not None and own < other


def _change(token: Token, aligned: Aligned) -> bool:
    word = _CHANGED.get(token.text)
    noun = aligned.nouns_near(token)
    changes = [claim for claim in aligned.of_kind("change") if any(aligned.named(claim, each) for each in noun)]
    return bool(changes) if word is None else any(claim.word == word for claim in changes)


def _temperature(token: Token, aligned: Aligned) -> bool:
    word = _WARMTH.get(token.text)
    return any(word is None or claim.category == word for claim in aligned.of_kind("temperature"))


def _all(token: Token, aligned: Aligned) -> bool:
    """Words of completeness rest on an exact number."""
    noun = aligned.noun_after(token) or aligned.noun_before(token)
    if token.text in {"whole", "entire", "entirely"}:
        return any((claim.value or 0) >= 97 for claim in aligned.of_kind("share")) or aligned.words[token.position + 1 :][
            :1
        ] == ["image"]
    counts = [claim for claim in aligned.of_kind("count") if not claim.at_least and aligned.named(claim, noun)]
    pointed = [claim for claim in aligned.of_kind("place") if aligned.named(claim, noun)]
    return bool(counts) or any(
        aligned.facts.is_counted(noun) and len(claim.objects) == len(aligned.facts.objects_named(noun)) for claim in pointed
    )


EXPLAIN: dict[str, Callable[[Token, Aligned], bool]] = {
    "noun": _noun,
    "number": _number,
    "place": _place,
    "direction": _direction,
    "negation": _negation,
    "colour": _colour,
    "size": _size,
    "comparison": _comparison,
    "change": _change,
    "temperature": _temperature,
    "all": _all,
}


def _unsaid(claim: Claim, aligned: Aligned) -> str:
    """What a claim states and the sentence says otherwise: an absence without a negation, a bound given as a number."""
    kinds = {token.kind for token in aligned.tokens}
    if (claim.kind == "absence" or (claim.kind == "count" and claim.value == 0)) and "negation" not in kinds:
        return f"the claim that there is no {claim.category} is not in the sentence"
    if claim.kind == "relation" and "direction" not in kinds:
        return f"the claim that something is {claim.word} of something is not in the sentence"
    nouns = [token for token in aligned.tokens if token.kind == "noun" and aligned.named(claim, token.value)]
    if (
        claim.kind == "count"
        and (claim.value or 0) > 1
        and not any(token.text == english.pluralise(token.value) for token in nouns)
    ):
        return f"the claim of {claim.value:g} {english.pluralise(claim.category)} is not in the sentence"
    return ""
