"""English forms of category names: plurals, articles, number words, lists, percentages.

Category names arrive as data sets spell them (`small-vehicle`, `OtherVehicle`, `storage_tanks`) and leave as a singular noun in
lower case, which the other functions inflect. Plurals, singulars and articles come from the library `inflect`
(https://pypi.org/project/inflect/); the tables below hold only what it gets wrong in this field (model numbers, acronyms,
singular nouns that end in s). A category that names nothing ("ignored regions") has no noun.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import inflect

# Categories that mark what annotators left open: no noun that a sentence could use.
UNNAMED = frozenset(
    ["background", "dont care", "don't care", "ignore", "ignored", "ignored region", "ignore region", "other", "unknown", ""]
)

# Singular although they end in s; inflect would cut the s off. Words in -ss and -us are a rule: see _singular.
_SINGULAR_IN_S = frozenset(
    ["gas", "canvas", "atlas", "lens", "debris", "tennis", "axis", "oasis", "basis", "iris", "analysis", "chassis", "pampas"]
)
_PLURALS_IN_US = frozenset(["menus", "gnus"])
# Nouns without another plural, where inflect adds or cuts an s, or changes the word.
_UNCHANGED = frozenset(
    [
        "aircraft",
        "spacecraft",
        "watercraft",
        "hovercraft",
        "rotorcraft",
        "cattle",
        "crossroads",
        "headquarters",
        "barracks",
        "works",
        "gasworks",
        "waterworks",
        "series",
        "species",
        "goods",
        "stairs",
        "data",
        "photovoltaics",
    ]
)
# Nouns that cannot be counted: one object of such a category is an area of it.
_MASS_NOUNS = frozenset(
    [
        "water",
        "seawater",
        "vegetation",
        "grass",
        "snow",
        "ice",
        "sand",
        "soil",
        "mud",
        "gravel",
        "rubble",
        "debris",
        "foliage",
        "scrub",
        "farmland",
        "cropland",
        "woodland",
        "grassland",
        "shrubland",
        "rangeland",
        "land",
        "agriculture",
        "forestry",
        "floodwater",
        "smoke",
        "cover",
    ]
)
# Acronyms that are read as a word, not letter by letter.
_SPOKEN_ACRONYMS = frozenset(["SAR", "SWIR", "RADAR", "LIDAR", "NATO", "RAF"])
_VOWEL_LETTERS = "AEFHILMNORSX"  # letters whose names begin with a vowel sound: an SUV

# General nouns and their special kinds: "no vehicle" is untrue of a picture with a car.
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
    """A category as a singular noun that can be counted ("water": "area of water"); empty for one that names nothing."""
    noun = singular_form(category)
    is_mass = " of " not in noun and noun.rpartition(" ")[2] in _MASS_NOUNS
    return f"area of {noun}" if is_mass else noun


def singular_form(category: str) -> str:
    """A category in the singular, whether it can be counted or not; empty for one that names nothing."""
    words = category_words(category).split()
    if not words:
        return ""
    words[-1] = _singular(words[-1])
    if words[0] == "other" and len(words) > 1:
        return " ".join([*words[1:], "of another kind"])
    noun = " ".join(words)
    return "" if noun in UNNAMED else noun


def mass_noun(category: str) -> str:
    """A category as a mass noun, not bent, in lower case but for acronyms among other words: `bare_soil`, `US state`."""
    words = re.sub(r"[_|<>\[\]{}]+", " ", category).split()
    return " ".join(word if _keeps_case(word) and not category.isupper() else word.lower() for word in words)


@lru_cache(maxsize=4096)
def pluralise(noun: str) -> str:
    """The plural of a noun phrase. In "vehicle of another kind" the head is inflected."""
    head, preposition, rest = noun.partition(" of ")
    *front, last = head.split(" ")
    return " ".join([*front, _plural(last)]) + preposition + rest


@lru_cache(maxsize=4096)
def with_article(phrase: str) -> str:
    """The phrase after "a" or "an", by sound."""
    first = phrase.split(" ")[0]
    if re.match(r"8|1[18](?!\d)", first):
        return f"an {phrase}"
    if first.isupper() and first.isalpha() and len(first) <= 4 and first not in _SPOKEN_ACRONYMS:
        return f"{'an' if first[0] in _VOWEL_LETTERS else 'a'} {phrase}"
    return f"{_inflect().a(first).split(' ')[0]} {phrase}"


def number_word(count: int) -> str:
    """Words up to ten, digits beyond."""
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)


def count_phrase(count: int, noun: str) -> str:
    """`a ship`, `four ships`, `30 ships`, `no ships`."""
    return with_article(noun) if count == 1 else f"{number_word(count)} {pluralise(noun)}"


def subject_forms(noun: str, count: int) -> dict[str, str]:
    """Placeholders of phrasings about all `count` objects of a noun: `things` ("the ship", "the ships") and the verbs that
    agree with it."""
    if count == 1:
        return {"things": f"the {noun}", "be": "is", "Be": "Is", "do": "does", "Do": "Does", "have": "has", "cover": "covers"}
    things = f"the {pluralise(noun)}"
    return {"things": things, "be": "are", "Be": "Are", "do": "do", "Do": "Do", "have": "have", "cover": "cover"}


def join_list(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def capitalise(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def percent_phrase(share: float) -> str:
    """`about 70%`: within 2.5 points from a tenth on, within 0.5 below; never 0% or 100% of what is partly there."""
    if share >= 0.975:
        return "almost 100%"
    points = max(1, round(share * 100)) if share < 0.1 else 5 * round(share * 20)
    return f"about {points}%"


@lru_cache(maxsize=4096)
def may_name_same_object(one: str, other: str) -> bool:
    """Whether two different nouns may name one object: `vehicle` and `small vehicle`, `ship` and `ferry`."""
    return one != other and (is_kind_of(one, other) or is_kind_of(other, one))


def is_kind_of(special: str, general: str) -> bool:
    """Whether every `special` is a `general`: a `small vehicle` and a `car` are a `vehicle`."""
    head = special.partition(" of ")[0].split(" ")[-1]
    return special.endswith(f" {general}") or special.startswith(f"{general} of ") or head in HYPONYMS.get(general, "").split()


def _keeps_case(word: str) -> bool:
    """Whether it is a model number or an acronym, in the plural or not."""
    return any(c.isdigit() for c in word) or re.fullmatch(r"[A-Z]{2,4}s?", word) is not None


@cache
def _inflect() -> inflect.engine:
    import typeguard

    # Its methods are decorated with checks of their arguments. Compiling these is 98 % of its import: 2 s in each worker.
    module: Any = typeguard
    decorator, module.typechecked = module.typechecked, lambda function: function
    try:
        import inflect
    finally:
        module.typechecked = decorator
    return inflect.engine()


def _plural(word: str) -> str:
    if word in _UNCHANGED:
        return word
    if _keeps_case(word):
        return f"{word}s"
    return str(_inflect().plural_noun(word))


def _singular(word: str) -> str:
    """The singular of the last word of a category; a word that is no plural stays."""
    if _keeps_case(word):
        return word[:-1] if re.fullmatch(r"[A-Z]{2,4}s", word) else word
    if word in _UNCHANGED or word in _SINGULAR_IN_S:
        return word
    if re.search(r"(?:ss|us)$", word) and word not in _PLURALS_IN_US:
        return word
    return str(_inflect().singular_noun(word) or word)
