"""What is known of a tile, in the form that claims are compared with.

Numbers are ranges. Certain objects give the least, the vocabulary alone gives a most: where not every instance is
annotated, or annotators were not sure of one, more may be there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from rsflow.instructions.checks.lexicon import Lexicon, Sense, lexicon
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.expressions import normalise_text
from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.facts.tile_facts import Cover, Group
from rsflow.instructions.wording import english
from rsflow.records import TileFacts
from rsflow.spatial.geometry import Box
from rsflow.text.turns import escape


@dataclass(frozen=True, slots=True)
class Amount:
    """How many there are, at least and at most (`math.inf`: nobody knows)."""

    least: int
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return str(self.least)
        return f"at least {self.least}" if math.isinf(self.most) else f"{self.least} to {self.most:g}"


@dataclass(frozen=True)
class Known:
    """Everything is worked out when it is first asked for: most texts ask for little."""

    facts: TileFacts

    @cached_property
    def written(self) -> tuple[str, ...]:
        """Captions and expressions of annotators, as instructions quote them, longest first."""
        texts = {label.text for label in self.facts.labels if label.kind in {"caption", "phrase"}}
        quoted = {escape(" ".join(text.split())) for text in texts}
        spelled = {form for text in quoted for form in (text, english.capitalise(text))}
        return tuple(sorted(spelled - {""}, key=lambda text: (-len(text), text)))

    @cached_property
    def asked(self) -> frozenset[tuple[str, str]]:
        """Questions of annotators with their answers, as far as case and the last mark go."""
        return frozenset(
            (normalise_text(label.text), normalise_text(label.category))
            for label in self.facts.labels
            if label.kind == "question"
        )

    @cached_property
    def groups(self) -> dict[str, Group]:
        return {group.noun: group for group in tile_facts.object_groups(self.facts)}

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return frozenset(english.singular_noun(category) for category in self.facts.vocabulary) - {""}

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """Nouns that a label speaks of without giving a number: expressions, classes, objects that are not certain."""
        doubtful = {noun for noun, unsure in tile_facts.uncertain_by_noun(self.facts).items() if unsure}
        named = {english.singular_noun(label.category) for label in self.facts.labels if label.kind in {"category", "phrase"}}
        return frozenset(doubtful | named) - {""}

    @cached_property
    def lexicon(self) -> Lexicon:
        return lexicon(tuple(sorted({*self.groups, *self.vocabulary, *self.mentioned})))

    @cached_property
    def covers(self) -> dict[str, Cover]:
        return {cover.name: cover for cover in tile_facts.land_covers(self.facts) if cover.name}

    @cached_property
    def measured(self) -> dict[str, str]:
        """The text of each measured attribute of the whole picture, by its name."""
        return {label.category: label.text for _, label in reversed(tile_facts.labels_of_kind(self.facts, "fact"))}

    def closed(self, sense: Sense) -> bool:
        """Whether every instance of it is annotated: the vocabulary holds it, what is wider, or at least two of its kinds."""
        whole = any(noun in self.vocabulary for noun in (*sense.same, *sense.wider))
        return whole or sum(noun in self.vocabulary for noun in sense.kinds) >= 2

    def amount(self, sense: Sense) -> Amount:
        least = sum(self._count(noun) for noun in sense.sure)
        if not self.closed(sense) or any(noun in self.mentioned for noun in sense.every):
            return Amount(least, math.inf)
        return Amount(least, sum(self._count(noun) for noun in sense.every))

    def objects(self, sense: Sense) -> list[TileObject]:
        """Every object that the word may mean."""
        return [thing for noun in sense.every for thing in self.of_noun(noun)]

    def of_noun(self, noun: str) -> tuple[TileObject, ...]:
        return self.groups[noun].objects if noun in self.groups else ()

    def all_known(self, sense: Sense) -> bool:
        """Whether its objects are all among `things`: every instance is annotated."""
        if any(noun in self.mentioned for noun in sense.every):
            return False
        return self.closed(sense)

    def scaled(self, box: Box) -> Box:
        """The box in shares of the picture's sides."""
        across, down = self.facts.width_px, self.facts.height_px
        return (box[0] / across, box[1] / down, box[2] / across, box[3] / down)

    def _count(self, noun: str) -> int:
        return self.groups[noun].count if noun in self.groups else 0
