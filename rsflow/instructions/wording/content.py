"""What captions and descriptions say of a tile, apart from their words: for languages that make sentences of their own."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rsflow.instructions import vqa
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.wording import positions as places
from rsflow.instructions.wording.hash_choice import hash_number
from rsflow.instructions.wording.references import clearly_largest
from rsflow.instructions.wording.summary import MOSTLY
from rsflow.records import TileFacts


def tile_content(facts: TileFacts, least_px: float, seed: int) -> dict[str, Any]:
    """`sensor`; `objects`, most numerous first: category, count, whether it is `exact` or too `many` to name, `place` where all
    of them lie in one, else `largest`, the place of the clearly largest; `covers`: category and share; `ground`: whether the
    first covers it "mostly", the named ones together ("mixed") or "partly"; `choice`: a number to choose forms by."""
    groups = tile_facts.large_enough(tile_facts.object_groups(facts), least_px)
    ranked = sorted(groups, key=lambda group: (-group.count, group.noun))
    covers = [cover for cover in tile_facts.land_covers(facts) if cover.name and cover.share >= vqa.COVER_YES]
    return {
        "sensor": facts.sensor,
        "objects": [_objects(group, facts) for group in ranked],
        "covers": [{"category": cover.category, "share": cover.share} for cover in covers],
        "ground": _ground([cover.share for cover in covers]),
        "choice": hash_number(seed, facts.tile_id, "content"),
    }


def _ground(shares: list[float]) -> str:
    if not shares:
        return ""
    if shares[0] >= MOSTLY:
        return "mostly"
    return "mixed" if len(shares) > 1 and sum(shares) >= MOSTLY else "partly"


def _objects(group: Group, facts: TileFacts) -> dict[str, Any]:
    size = (facts.height_px, facts.width_px)
    named = Counter(places.place_name(thing.box, *size) for thing in group.objects)
    first, count = named.most_common(1)[0]
    place = first if count == group.count and (group.exact or group.count == 1) else None
    thing = clearly_largest(group) if group.exact and not place else None
    largest = places.place_name(thing.box, *size) if thing else None
    known = {"category": group.category, "count": group.count, "exact": group.exact, "many": group.count > vqa.COUNT_LIMIT}
    return {**known, "place": place, "largest": largest}
