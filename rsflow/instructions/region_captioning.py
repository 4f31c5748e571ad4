"""Region captioning: a box is given, a few words say what is in it.

One idea: the words are the label's category and what can be measured of the box: its size in the picture, its place where
that is clear, its extent on the ground where the pixel size is known and the object is whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow import config
from rsflow.instructions import places, reading
from rsflow.instructions.claims import Claim, instructions, refuse
from rsflow.instructions.reading import Group, Thing
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.turns import mark

_SIZES = frozenset(["tiny", "small", "medium", "large", "big", "huge", "giant", "mini"])


def make(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(claims(facts, settings, seed), facts, seed)


def claims(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Claim | Reject]:
    for group in reading.groups(facts):
        small = [thing for thing in group.things if thing.shorter_px < settings.min_box_px]
        if small:
            detail = f"{group.category}: {len(small)} of {group.count} boxes are under {settings.min_box_px:g} pixels"
            yield refuse(facts, "region_captioning", "box_too_small", detail)
        for thing in group.things:
            if thing.shorter_px >= settings.min_box_px:
                yield _claim(group, thing, facts)


def _claim(group: Group, thing: Thing, facts: TileFacts) -> Claim:
    said = describe(group.noun, thing, facts)
    return Claim(
        task="region_captioning",
        kind="region_captioning",
        subject=" ".join(f"{value:.2f}" for value in thing.box) + f" {group.noun}",
        short=f"The {said}.",
        full=f"It is the {said}.",
        answer={"kind": "text", "category": group.category, "box": 0},
        labels=(thing.label,),
        boxes=(thing.box,),
        fill={"box": mark("", 0)},
    )


def describe(noun: str, thing: Thing, facts: TileFacts) -> str:
    """`small ship in the lower left, about 40 m by 20 m on the ground`."""
    said = sized(noun, thing, facts)
    place = places.place(thing.box, facts.height_px, facts.width_px)
    if place:
        said += f" {places.at(place)}"
    if reading.cut_off(thing, facts):
        return f"{said}, cut off by the edge of the image"
    if facts.gsd_m and not thing.truncated:
        width_m, height_m = ((thing.box[i + 2] - thing.box[i]) * facts.gsd_m for i in (0, 1))
        longer, shorter = max(width_m, height_m), min(width_m, height_m)
        return f"{said}, within a box of about {_metres(longer)} by {_metres(shorter)}"
    return said


def sized(noun: str, thing: Thing, facts: TileFacts) -> str:
    """`small ship`; a noun that speaks of size itself ("large vehicle") is left as it is."""
    if noun.split(" ")[0] in _SIZES:
        return noun
    return f"{places.size(thing.box, facts.height_px, facts.width_px)} {noun}"


def _metres(length_m: float) -> str:
    """Two significant digits: a box is no survey."""
    return f"{float(f'{length_m:.2g}'):g} m" if length_m < 1000 else f"{length_m / 1000:.2g} km"
