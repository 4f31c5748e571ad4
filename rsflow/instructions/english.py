"""English for the composed texts: names of things, plurals, numbers, articles, lists.

One idea: category names arrive as data sets spell them (`small-vehicle`, `OtherVehicle`, `storage_tanks`) and leave as a
singular noun in lower case that every other function here can bend. Regular rules and short tables of exceptions are enough
for the words of this field; a category that names nothing ("ignored regions") is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# Categories that mark what annotators left open: no noun that a sentence could use.
UNNAMED = frozenset(
    ["background", "dont care", "don't care", "ignore", "ignored", "ignored region", "ignore region", "other", "unknown", ""]
)

_IRREGULAR = {"person": "people", "man": "men", "woman": "women", "child": "children", "foot": "feet", "ox": "oxen"}
_IRREGULAR |= {"leaf": "leaves", "half": "halves", "shelf": "shelves", "wharf": "wharves", "wolf": "wolves"}
_SINGULAR = {plural: singular for singular, plural in _IRREGULAR.items()}
_SAME = frozenset(
    ["aircraft", "spacecraft", "watercraft", "hovercraft", "rotorcraft", "sheep", "deer", "fish", "series", "species", "cattle"]
)
# Singular although they end in s.
_ENDS_IN_S = frozenset(
    ["bus", "gas", "lens", "canvas", "atlas", "campus", "minibus", "trolleybus", "airbus", "debris", "tennis"]
)

# General words that an annotated set may use beside more special ones: to say that there is no vehicle beside a car is untrue.
HYPONYMS = {
    "vehicle": "car bus truck van lorry motorcycle bicycle tricycle tractor trailer motor bike minibus taxi SUV",
    "ship": "boat vessel tanker ferry warship yacht tugboat frigate destroyer cruiser submarine carrier freighter",
    "boat": "ship vessel ferry yacht tugboat",
    "vessel": "ship boat tanker ferry warship yacht tugboat",
    "aircraft": "airplane aeroplane plane helicopter jet airliner drone",
    "airplane": "aircraft plane aeroplane jet airliner",
    "plane": "aircraft airplane aeroplane jet airliner",
    "person": "pedestrian man woman child rider cyclist worker",
    "pedestrian": "person man woman child",
    "building": "house warehouse hangar stadium church school factory tower",
}

NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def category_words(category: str) -> str:
    """A category as words: `small-vehicle` and `SmallVehicle` are "small vehicle". Model numbers, acronyms keep their case."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", re.sub(r"[_\s/|<>\[\]{}]+", " ", category))
    spaced = re.sub(r"(?<=[A-Za-z])-(?=[A-Za-z])", " ", spaced)
    return " ".join(word if _keeps_case(word) else word.lower() for word in spaced.split())


@lru_cache(maxsize=4096)  # asked for every box of every tile, of a few dozen categories
def singular_noun(category: str) -> str:
    """A category as a singular noun; empty for one that names nothing."""
    words = category_words(category).split()
    if not words:
        return ""
    words[-1] = _singular(words[-1])
    if words[0] == "other" and len(words) > 1:
        return " ".join([*words[1:], "of another kind"])
    said = " ".join(words)
    return "" if said in UNNAMED else said


def mass_noun(category: str) -> str:
    """A category as a mass noun, in lower case and not bent: `bare_soil`, `Built-up land`."""
    return " ".join(re.sub(r"[_|<>\[\]{}]+", " ", category).lower().split())


def pluralise(noun: str) -> str:
    """More than one of it; the head of "vehicle of another kind" is what bends."""
    head, of, rest = noun.partition(" of ")
    *front, last = head.split(" ")
    return " ".join([*front, _plural(last)]) + of + rest


def with_article(phrase: str) -> str:
    """The phrase with "a" or "an" in front, by sound."""
    first = phrase.split(" ")[0]
    if first.isupper() and first.isalpha() and len(first) <= 4 and first != "SAR":
        vowel = first[0] in "AEFHILMNORSX"  # spelled out letter by letter: an SUV; SAR is read as a word
    else:
        vowel = bool(re.match(r"[aeiou8]|11\b|18\b|hour", first, re.IGNORECASE))
        vowel = vowel and not re.match(r"(uni|use|usa|euro|one\b|once)", first, re.IGNORECASE)
    return f"{'an' if vowel else 'a'} {phrase}"


def number_word(count: int) -> str:
    """Words up to ten, digits beyond."""
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)


def count_phrase(count: int, noun: str) -> str:
    """`a ship`, `four ships`, `30 ships`, `no ships`."""
    return with_article(noun) if count == 1 else f"{number_word(count)} {pluralise(noun)}"


def join_list(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def capitalise(text: str) -> str:
    """With a capital at its start; the rest is left alone."""
    return text[:1].upper() + text[1:]


def percent_phrase(share: float) -> str:
    """`about 70%`: within 2.5 points from a tenth on, within 0.5 below; never 0% or 100% of what is partly there."""
    if share >= 0.975:
        return "almost 100%"
    points = max(1, round(share * 100)) if share < 0.1 else 5 * round(share * 20)
    return f"about {points}%"


@lru_cache(maxsize=4096)
def may_name_same_object(one: str, other: str) -> bool:
    """True where one noun may also be said of the other's things: `vehicle` and `small vehicle`, `ship` and `ferry`."""
    return one != other and (is_kind_of(one, other) or is_kind_of(other, one))


def is_kind_of(special: str, general: str) -> bool:
    """True where what is the one is the other, too: a `small vehicle` and a `car` are a `vehicle`."""
    head = special.partition(" of ")[0].split(" ")[-1]
    return special.endswith(f" {general}") or special.startswith(f"{general} of ") or head in HYPONYMS.get(general, "").split()


def _keeps_case(word: str) -> bool:
    return any(c.isdigit() for c in word) or (word.isupper() and 1 < len(word) <= 4)


def _plural(word: str) -> str:
    if word in _SAME:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if re.search(r"(?:s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    if re.search(r"(?:[a-z]{2}woman|fisherman|policeman|fireman)$", word):
        return word[:-2] + "en"
    return word + "s"


def _singular(word: str) -> str:
    if word in _SINGULAR:
        return _SINGULAR[word]
    if word in _SAME or word in _ENDS_IN_S or not word.endswith("s") or re.search(r"(?:ss|us|is|as|os)$", word):
        return word
    if _keeps_case(word):
        return word
    if re.search(r"[^aeiou]ies$", word):
        return word[:-3] + "y"
    if re.search(r"(?:ss|x|ch|sh|us)es$", word) and word not in {"houses", "greenhouses", "warehouses"}:
        return word[:-2]
    return word[:-1]
