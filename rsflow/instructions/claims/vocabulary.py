"""The checkable words of a sentence: nouns of the tile and of common sets, numbers, places, directions, and other
statements."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rsflow.instructions.claims.claim_facts import ClaimFacts
from rsflow.instructions.claims.word_lists import (
    DIRECTIONS,
    FRACTIONS,
    FUNCTION_WORDS,
    NUMBERS,
    OBJECT_NOUNS,
    PLACE_PAIRS,
    VAGUE,
    WORDS_BY_KIND,
    TokenKind,
)
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.wording import english

WORDS: dict[str, TokenKind] = {
    **{word: kind for kind, words in WORDS_BY_KIND.items() for word in words.split()},
    **dict.fromkeys(PLACE_PAIRS, "place"),
    **dict.fromkeys([*NUMBERS, *VAGUE, *FRACTIONS], "number"),
}
_NUMBERS = {**VAGUE, **NUMBERS, **FRACTIONS}
_PICTURE = frozenset(["image", "picture", "scene", "tile", "view"])  # "on the right of the image" is a place
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"\d[\d,]*\d(?:\.\d+)?|\d(?:\.\d+)?|%|[^\W\d_]+(?:['’-][^\W\d_]+)*|[.,;:]")


@dataclass(frozen=True, slots=True)
class Token:
    """A checkable word or phrase at a position of the sentence, counted in words. `value` is its normal form."""

    kind: TokenKind
    text: str
    value: str
    position: int
    number: float = 0.0


def nouns_of(facts: ClaimFacts) -> dict[str, str]:
    """Every spelling (singular and plural) of the nouns that a sentence about the tile could use, to the singular noun."""
    nouns = {group.noun for group in facts.groups} | {english.singular_noun(name) for name in facts.facts.vocabulary}
    nouns |= {english.singular_noun(label.category) for label in facts.facts.labels if label.kind in {"box", "category"}}
    nouns |= {*english.HYPONYMS, *(word for words in english.HYPONYMS.values() for word in words.split())} - {"motor", "bike"}
    nouns |= OBJECT_NOUNS
    spellings = {english.pluralise(noun).lower(): noun for noun in nouns - {""}} | {noun.lower(): noun for noun in nouns - {""}}
    spellings |= {noun.removeprefix("area of "): noun for noun in nouns if noun.startswith("area of ")}
    covers = {cover.name for cover in tile_facts.land_covers(facts.facts)} - {""}
    return spellings | {cover: cover for cover in covers}


def split_words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def find_tokens(text: str, facts: ClaimFacts) -> tuple[list[Token], list[str]]:
    """(checkable tokens in order, the remaining content words)."""
    words, nouns = split_words(text), {spelling: noun for each in facts.pictures for spelling, noun in nouns_of(each).items()}
    longest = max([4, *(len(noun.split()) for noun in nouns)])
    tokens: list[Token] = []
    free: list[str] = []
    position = 0
    while position < len(words):
        for length in range(min(longest, len(words) - position), 0, -1):
            token = _token(" ".join(words[position : position + length]), position, nouns)
            if token and not (token.kind == "direction" and _PICTURE & {*words[position + length : position + length + 2]}):
                tokens.append(token)
                break
        else:
            length = 1
            if words[position] not in FUNCTION_WORDS and words[position][0].isalpha():
                free.append(words[position])
        position += length
    return tokens, free


def _token(phrase: str, position: int, nouns: dict[str, str]) -> Token | None:
    if phrase in nouns:
        return Token("noun", phrase, nouns[phrase], position)
    if phrase in DIRECTIONS:
        return Token("direction", phrase, DIRECTIONS[phrase], position)
    if _NUMBER.fullmatch(phrase):
        return Token("number", phrase, phrase, position, float(phrase.replace(",", "")))
    kind = WORDS.get(phrase)
    if kind is None:
        return None
    return Token(kind, phrase, phrase.replace("-", " "), position, _NUMBERS.get(phrase, 0.0))
