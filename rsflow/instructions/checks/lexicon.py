"""Which of a tile's categories a word of free English may mean.

A word is compared with label nouns in three strengths. What it surely covers (the noun itself, a synonym, its kinds:
"vehicles" covers cars and buses) gives a least number; what it may cover as well (a "car" may be one of the "vehicles") gives a
most; and only where the vocabulary holds the word or something wider is there a most at all. Plurals and kinds are those
of rsflow.instructions.wording.english.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rsflow.instructions.wording import english

# Words of this field that mean the same things; the spelling of data sets and of both sides of the Atlantic.
_SYNONYMS = (
    "ship|vessel|watercraft|boat",
    "airplane|aeroplane|plane",
    "car|automobile|passenger car|sedan",
    "truck|lorry",
    "van|minivan",
    "bicycle|bike|cycle",
    "motorcycle|motorbike|motor",
    "person|pedestrian|individual|human",
    "harbor|harbour|port",
    "storage tank|oil tank|fuel tank|tank",
    "swimming pool|pool",
    "roundabout|traffic circle|rotary",
    "baseball diamond|baseball field|baseball court",
    "ground track field|athletic track|running track|track field",
    "soccer ball field|soccer field|football field|football pitch|soccer pitch",
    "wind turbine|turbine|windmill|wind mill|wind generator",
    "chimney|smokestack",
    "overpass|flyover",
    "parking lot|car park|parking area",
    "train station|railway station|rail station",
    "expressway service area|service area",
    "expressway toll station|toll station|toll gate",
    "container crane|crane",
    "helipad|helicopter pad",
    "golf course|golf field|golf ground",
    "dam|barrage",
)
_OTHER_PLURALS = {"person": [("persons", True)]}
_SETS = [frozenset(line.split("|")) for line in _SYNONYMS]
# Wider words that no label set uses, beside those of `words.KINDS`.
_WIDER = {
    "watercraft": "boat ship vessel ferry yacht",
    "sports field": "tennis court|basketball court|baseball diamond|soccer ball field|ground track field",
    "sports facility": "tennis court|basketball court|baseball diamond|soccer ball field|ground track field",
}
# Kinds that people leave out when they count: "seven aircraft and a helicopter".
_LOOSELY = {"aircraft": frozenset(["helicopter", "drone"])}


@dataclass(frozen=True, slots=True)
class Sense:
    """`word`: as a singular noun. `same`: label nouns that mean it. `kinds`: those that are kinds of it. `wider`: those that
    it may be a kind of. `labelled`: the word is a label noun itself, and others beside it are kept apart by it."""

    word: str
    same: tuple[str, ...]
    kinds: tuple[str, ...]
    wider: tuple[str, ...]
    labelled: bool

    @property
    def sure(self) -> tuple[str, ...]:
        """What counts towards the least number."""
        return self.same if self.labelled else (*self.same, *self.kinds)

    @property
    def every(self) -> tuple[str, ...]:
        return (*self.same, *self.kinds, *self.wider)


@dataclass(frozen=True, slots=True)
class Entry:
    """The spelling of a sense, word by word."""

    spelled: tuple[str, ...]
    plural: bool
    sense: Sense


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Entries by their first word, longest first."""

    entries: dict[str, tuple[Entry, ...]]

    @staticmethod
    def of(found: dict[str, list[Entry]]) -> Lexicon:
        return Lexicon({first: tuple(sorted(each, key=lambda entry: -len(entry.spelled))) for first, each in found.items()})


@lru_cache(maxsize=256)  # one per vocabulary, not per tile
def lexicon(nouns: tuple[str, ...]) -> Lexicon:
    """Every word that may mean one of the nouns."""
    candidates = {*nouns, *english.HYPONYMS, *_WIDER, *(one for row in _SETS for one in row)}
    for general, kinds in english.HYPONYMS.items():
        candidates |= {kind for kind in kinds.split() if kind.islower()} | {general}
    found: dict[str, list[Entry]] = {}
    for word in sorted(candidates):
        sense = _sense(word, nouns)
        if sense.every:
            for spelled, plural in ((word, False), (english.pluralise(word), True), *_OTHER_PLURALS.get(word, ())):
                parts = tuple(spelled.lower().replace("-", " ").split())
                found.setdefault(parts[0], []).append(Entry(parts, plural, sense))
    return Lexicon.of(found)


def _sense(word: str, nouns: tuple[str, ...]) -> Sense:
    synonyms = {word}.union(*(row for row in _SETS if word in row))
    labelled = word in nouns
    same = tuple(noun for noun in nouns if (noun == word if labelled else noun in synonyms))
    rest = [noun for noun in nouns if noun not in same]
    meant = {word} if labelled else synonyms
    kinds = [noun for noun in rest if any(_is_kind(noun, general) for general in meant) and noun not in _LOOSELY.get(word, ())]
    wider = [noun for noun in rest if noun not in kinds and (noun in synonyms or _may_be(word, noun) or _is_kind(noun, word))]
    return Sense(word, same, tuple(kinds), tuple(wider), labelled)


def _is_kind(special: str, general: str) -> bool:
    listed = _WIDER.get(general, "")
    return english.is_kind_of(special, general) or special in (listed.split("|") if "|" in listed else listed.split())


def _may_be(word: str, noun: str) -> bool:
    """Whether a thing that is the word may carry the label: a car a "vehicle", and a "small vehicle" as well. Two words with
    one head ("tennis court", "basketball court") are kinds beside each other."""
    head = noun.split(" ")[-1]
    return _is_kind(word, noun) or (head != noun and not word.endswith(f" {head}") and _is_kind(word, head))
