"""The facts that claims are compared with: a tile's trusted labels, its objects under the numbers that a prompt gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rsflow.instructions.claims.claim import Claim
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.wording import english
from rsflow.records import TileFacts


@dataclass(frozen=True, slots=True)
class NumberedObject:
    number: int
    noun: str
    object: TileObject


@dataclass(frozen=True)
class ClaimFacts:
    """`facts` hold trusted labels alone. `numbered`: the objects that claims may point at. `other`: the same ground at an
    earlier date. `second`: another sensor's picture of the same ground, with numbers of its own."""

    facts: TileFacts
    numbered: tuple[NumberedObject, ...] = ()
    other: TileFacts | None = None
    second: ClaimFacts | None = None

    @classmethod
    def of_objects(
        cls, facts: TileFacts, objects: Sequence[tuple[str, TileObject]], other: TileFacts | None = None
    ) -> ClaimFacts:
        """Numbers the objects (noun, object) from 1 in their order."""
        return cls(facts, tuple(NumberedObject(n, *each) for n, each in enumerate(objects, 1)), other)

    @property
    def pictures(self) -> tuple[ClaimFacts, ...]:
        """The facts of every picture that a text may be about."""
        return (self, self.second) if self.second else (self,)

    def of_claim(self, claim: Claim) -> ClaimFacts:
        """The facts of the picture that a claim is about."""
        return self.second if self.second and claim.scope == "sensor" else self

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        return tuple(tile_facts.object_groups(self.facts))

    @cached_property
    def absent(self) -> frozenset[str]:
        return frozenset(english.singular_noun(category) for category in tile_facts.absent_categories(self.facts))

    @cached_property
    def by_number(self) -> dict[int, NumberedObject]:
        return {each.number: each for each in self.numbered}

    def groups_named(self, noun: str) -> list[Group]:
        """The groups of that noun and of its special kinds."""
        return [group for group in self.groups if group.noun == noun or english.is_kind_of(group.noun, noun)]

    def objects_named(self, noun: str) -> list[TileObject]:
        return [each for group in self.groups_named(noun) for each in group.objects]

    def is_counted(self, noun: str) -> bool:
        """Whether every object of that noun in the tile is known."""
        own = [group for group in self.groups if group.noun == noun]
        if own:
            return own[0].exact
        return noun in self.absent

    def numbers_missing(self, numbers: Iterable[int]) -> list[int]:
        return sorted(set(numbers) - self.by_number.keys())

    def pick(self, numbers: Iterable[int]) -> list[NumberedObject]:
        return [self.by_number[number] for number in numbers]
