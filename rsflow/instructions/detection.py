"""Detection: all objects of one category, or of all, with their boxes.

One idea: a list is a claim to have them all. It is made only of complete groups, in the stated order (rsflow.instructions.
reading), with at most `max_boxes` boxes in one answer and none of them too small to name; otherwise it is refused with its
reason. On one tile in four an absent category is asked for too, so that a model learns to find nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rsflow import config
from rsflow.instructions import reading, words
from rsflow.instructions.choice import choose, digest
from rsflow.instructions.claims import Claim, instructions, refuse
from rsflow.instructions.reading import Group
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.turns import mark

ABSENT_EVERY = 4


def make(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(claims(facts, settings, seed), facts, seed)


def claims(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Claim | Reject]:
    groups = reading.groups(facts)
    fit = []
    for group in groups:
        fault = _fault(group, settings)
        if fault:
            yield refuse(facts, "detection", *fault)
        else:
            fit.append(group)
            yield _one(group)
    if groups and fit == groups and all(group.in_vocabulary for group in groups):
        total = sum(group.count for group in groups)
        if total <= settings.max_boxes:
            yield _all(groups)
        elif len(groups) > 1:
            yield refuse(facts, "detection", "too_many_boxes", f"{total} objects in all; the limit is {settings.max_boxes}")
    missing = reading.absent(facts)
    if missing and digest(seed, facts.tile_id, "detection", "absent") % ABSENT_EVERY == 0:
        yield _none(choose(missing, seed, facts.tile_id, "detection", "which absent"))


def there_are(groups: Sequence[Group]) -> str:
    """`There are [[13 ships|…]]. There is [[1 car|…]]`: the seeds' form, the marks counting boxes group after group."""
    parts, start = [], 0
    for group in groups:
        be, said = ("is", group.noun) if group.count == 1 else ("are", words.plural(group.noun))
        parts.append(f"There {be} {mark(f'{group.count} {said}', *range(start, start + group.count))}")
        start += group.count
    return ". ".join(parts)


def _fault(group: Group, settings: config.Instructions) -> tuple[str, str] | None:
    if not group.complete:
        return "not_exhaustive", f"{group.category}: not every instance is known, so a list would claim too much"
    if group.count > settings.max_boxes:
        return "too_many_boxes", f"{group.category}: {group.count} boxes; the limit is {settings.max_boxes}"
    if group.smallest_px() < settings.min_box_px:
        return "box_too_small", f"{group.category}: {group.smallest_px():.1f} pixels; the least is {settings.min_box_px:g}"
    return None


def _one(group: Group) -> Claim:
    return Claim(
        task="detection",
        kind="detection_one",
        subject=group.noun,
        short=there_are([group]),
        full=there_are([group]) + ".",
        answer={"kind": "boxes", "category": group.category, "boxes": list(range(group.count)), "count": group.count},
        labels=group.labels,
        boxes=tuple(thing.box for thing in group.things),
        fill={"many": words.plural(group.noun), "one_bare": group.noun},
    )


def _all(groups: Sequence[Group]) -> Claim:
    found, start = [], 0
    for group in groups:
        boxes = list(range(start, start + group.count))
        found.append({"kind": "boxes", "category": group.category, "boxes": boxes, "count": group.count})
        start += group.count
    return Claim(
        task="detection",
        kind="detection_all",
        subject="all",
        short=there_are(groups),
        full=there_are(groups) + ".",
        answer={"kind": "all_boxes", "groups": found, "count": start},
        labels=tuple(position for group in groups for position in group.labels),
        boxes=tuple(thing.box for group in groups for thing in group.things),
    )


def _none(category: str) -> Claim:
    noun = words.noun(category)
    said = f"There are no {words.plural(noun)} in the image."
    answer = {"kind": "boxes", "category": category, "boxes": [], "count": 0}
    fill = {"many": words.plural(noun), "one_bare": noun}
    return Claim("detection", "detection_one", f"absent {noun}", said, said, answer, (), (), fill)
