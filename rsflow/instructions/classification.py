"""Classification: one word or phrase for the whole picture.

One idea: never guess. An annotated class of the picture comes first; else a land cover of at least 60 %; else, where every
object is known, the one category that all annotated objects have, if any of them is large enough to be seen. Two annotated
classes are no unique answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions import english as words
from rsflow.instructions import tile_facts as reading
from rsflow.instructions.claims import Claim, instructions, refuse
from rsflow.records import Instruction, Reject, TileFacts

DOMINANT_SHARE = 0.6


def make(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(claims(facts, settings, seed), facts, seed)


def claims(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Claim | Reject]:
    classes = {words.name(label.category): position for position, label in reading.of_kind(facts, "category")}
    if len(classes) > 1:
        yield refuse(
            facts, "classification", "ambiguous", f"the picture has {len(classes)} classes: {', '.join(sorted(classes))}"
        )
        return
    for said, position in classes.items():
        yield _claim(facts.labels[position].category, said, f"Its category is {said}.", (position,))
    if not classes:
        yield from _from_parts(facts, settings)


def _from_parts(facts: TileFacts, settings: config.Instructions) -> Iterator[Claim]:
    covers = reading.covers(facts)
    groups = reading.worth_naming(reading.groups(facts), settings.min_box_px)
    if covers and covers[0].share >= DOMINANT_SHARE and covers[0].name:
        first = covers[0]
        yield _claim(first.category, first.name, f"It is mostly {first.name}.", (first.label,))
    elif len(groups) == len(reading.nouns(facts)) == 1 and groups[0].exact and not facts.unknown:
        group = groups[0]
        yield _claim(group.category, group.noun, f"Its category is {group.noun}.", group.labels)


def _claim(category: str, said: str, full: str, labels: tuple[int, ...]) -> Claim:
    answer = {"kind": "category", "value": category}
    return Claim("classification", "classification", category, f"{words.sentence(said)}.", full, answer, labels)
