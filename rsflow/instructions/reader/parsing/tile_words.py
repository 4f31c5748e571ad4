"""What words mean of one tile: which of its nouns a word names, and the facts that claims about them are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rsflow.instructions.claims import ClaimFacts
from rsflow.instructions.claims.word_lists import OBJECT_NOUNS
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.expressions import normalise_text
from rsflow.instructions.wording import english
from rsflow.records import TileFacts
from rsflow.text.turns import escape

# Words of this field that mean the same things; the spelling of data sets and of both sides of the Atlantic.
_SYNONYMS = (
    "ship|vessel|watercraft|boat",
    "airplane|aeroplane|plane|aircraft",
    "car|automobile|passenger car|sedan",
    "truck|lorry",
    "bicycle|bike",
    "motorcycle|motorbike|motor",
    "person|pedestrian|individual|human",
    "harbor|harbour|port",
    "storage tank|oil tank|fuel tank|tank",
    "swimming pool|pool",
    "roundabout|traffic circle|rotary",
    "baseball diamond|baseball field|baseball court|diamond",
    "basketball court|basketball field",
    "tennis court|tennis field",
    "ground track field|athletic track|running track|track field",
    "soccer ball field|soccer field|football field|football pitch|soccer pitch",
    "wind turbine|windmill|wind mill",
    "chimney|smokestack",
    "overpass|flyover",
    "parking lot|car park|parking area",
    "train station|railway station",
    "container crane|crane",
    "helipad|helicopter pad",
    "golf course|golf field",
)
_SETS = tuple(frozenset(line.split("|")) for line in _SYNONYMS)
_IRREGULAR_PLURALS = {"person": ("people", "persons")}
_COVER_WORDS = {
    "vegetation": ("vegetated", "vegetated land", "plants", "greenery"),
    "water": ("waters", "water bodies"),
    "forest": ("woodland", "trees"),
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """A noun of the tile as a text spells it, word by word."""

    words: tuple[str, ...]
    noun: str
    is_plural: bool


@dataclass(frozen=True)
class TileWords:
    """Computed when first asked for: most texts need little of it. `facts` hold trusted labels alone."""

    facts: TileFacts

    @cached_property
    def claims(self) -> ClaimFacts:
        groups = tile_facts.object_groups(self.facts)
        return ClaimFacts.of_objects(self.facts, [(group.noun, each) for group in groups for each in group.objects])

    @cached_property
    def nouns(self) -> dict[str, tuple[Spelling, ...]]:
        """The spellings of the tile's nouns by first word, longest first."""
        labels = (label for label in self.facts.labels if label.kind in {"box", "category", "phrase", "presence"})
        names = {english.singular_noun(name) for name in (*self.facts.vocabulary, *(label.category for label in labels))}
        return spellings(tuple(sorted(names - {""})))

    @cached_property
    def covers(self) -> dict[str, tuple[Spelling, ...]]:
        """The spellings of the tile's land covers; none where an object has the same name."""
        names = tuple(sorted({cover.name for cover in tile_facts.land_covers(self.facts)} - {""}))
        spellings = [(name, name) for name in names]
        spellings += [(words, name) for name in names for words in _COVER_WORDS.get(name, ()) if words not in names]
        found = [Spelling(tuple(words.replace("-", " ").split()), name, False) for words, name in spellings]
        found.sort(key=lambda spelling: -len(spelling.words))
        return {first: tuple(s for s in found if s.words[0] == first) for first in {s.words[0] for s in found} - {*self.nouns}}

    @cached_property
    def annotator_texts(self) -> tuple[str, ...]:
        """Captions and expressions of annotators, as instructions quote them, longest first."""
        texts = {escape(" ".join(label.text.split())) for label in self.facts.labels if label.kind in {"caption", "phrase"}}
        return tuple(sorted({*texts, *map(english.capitalise, texts)} - {""}, key=lambda text: (-len(text), text)))

    @cached_property
    def annotator_answers(self) -> frozenset[tuple[str, str]]:
        """Questions of annotators with their answers, as far as case and the last mark go."""
        questions = (label for label in self.facts.labels if label.kind == "question")
        return frozenset((normalise_text(label.text), normalise_text(label.category)) for label in questions)

    def numbers_of(self, noun: str) -> tuple[int, ...]:
        """The numbers of all objects of that noun and of its special kinds."""
        numbered = self.claims.numbered
        return tuple(each.number for each in numbered if each.noun == noun or english.is_kind_of(each.noun, noun))


def match_spelling(words: Sequence[str], position: int, table: dict[str, tuple[Spelling, ...]]) -> Spelling | None:
    """The longest spelling that stands at a position."""
    found = table.get(words[position], ())
    return next((each for each in found if tuple(words[position : position + len(each.words)]) == each.words), None)


@lru_cache(maxsize=256)  # one per vocabulary, not per tile
def spellings(nouns: tuple[str, ...]) -> dict[str, tuple[Spelling, ...]]:
    """Every word that names one of the nouns, and general words ("vehicle") over several of them. Other objects that are known
    as one name ("tennis court", "car park") are there under themselves, so that no part of them is read."""
    by_word: dict[str, str] = {name: name for name in sorted(OBJECT_NOUNS)} | {word: word for word in english.HYPONYMS}
    for noun in nouns:
        for words in _SETS:
            if noun in words:
                by_word.update({word: noun for word in words if word not in nouns})
    by_word |= {noun: noun for noun in nouns}
    table: dict[str, list[Spelling]] = {}
    for word, noun in by_word.items():
        for each in _forms(word, noun):
            table.setdefault(each.words[0], []).append(each)
    return {first: tuple(sorted(each, key=lambda one: -len(one.words))) for first, each in table.items()}


def _forms(word: str, noun: str) -> Iterator[Spelling]:
    plurals = _IRREGULAR_PLURALS.get(word, (english.pluralise(word),))
    for form in dict.fromkeys((word, *plurals)):
        yield Spelling(tuple(form.lower().replace("-", " ").split()), noun, form != word)
