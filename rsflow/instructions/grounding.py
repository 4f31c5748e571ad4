"""Grounding: a phrase that means one thing in the tile, answered by its box.

One idea: the phrase must be unique (rsflow.instructions.references). A group where none is, is refused as ambiguous. The
largest region of a land cover can be asked for as well, when it is neither a speck nor the whole tile.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow import config
from rsflow.geometry import Box, area
from rsflow.instructions import reading, words
from rsflow.instructions.claims import Claim, instructions, refuse
from rsflow.instructions.references import references
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.turns import mark

LEAST_REGION, MOST_REGION = 0.01, 0.8  # of the tile's area


def make(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(claims(facts, settings, seed), facts, seed)


def claims(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Claim | Reject]:
    for group in reading.groups(facts):
        if not group.complete:
            yield refuse(facts, "grounding", "not_exhaustive", f"{group.category}: another instance may be unknown")
            continue
        found = list(references(group, facts.height_px, facts.width_px))
        named = [(phrase, thing) for phrase, thing in found if thing.shorter_px >= settings.min_box_px]
        if not found:
            yield refuse(facts, "grounding", "ambiguous", f"{group.category}: {group.count} objects, no phrase means just one")
        elif not named:
            yield refuse(facts, "grounding", "box_too_small", f"{group.category}: under {settings.min_box_px:g} pixels")
        for phrase, thing in named:
            yield _claim(phrase, group.category, thing.box, thing.label)
    for cover in reading.covers(facts):
        if cover.name and cover.region and _worth_asking(cover.region, facts):
            yield _claim(f"the largest area of {cover.name}", cover.category, cover.region, cover.label)


def _worth_asking(region: Box, facts: TileFacts) -> bool:
    return LEAST_REGION <= area(region) / (facts.height_px * facts.width_px) <= MOST_REGION


def _claim(phrase: str, category: str, box: Box, label: int) -> Claim:
    return Claim(
        task="grounding",
        kind="grounding",
        subject=phrase,
        short=mark("", 0),
        full=f"{words.sentence(phrase)} is at {mark('', 0)}.",
        answer={"kind": "box", "phrase": phrase, "category": category, "box": 0},
        labels=(label,),
        boxes=(box,),
        fill={"phrase": phrase},
    )
