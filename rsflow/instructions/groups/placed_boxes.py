"""Where a box of one picture of a group is in another one."""

from __future__ import annotations

from rsflow.instructions.facts.objects import collapses_when_rounded
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.spatial.geometry import Box, clip_box


def box_on_other(box: Box, group: GroupFacts, of: int, to: int) -> Box | None:
    """Where a box of one picture is in another; None where the shift of either is not known, or the other does not show it."""
    source, target = group.members[of], group.members[to]
    if source.shift_px is None or target.shift_px is None:
        return None
    sx, sy = target.facts.width_px / source.facts.width_px, target.facts.height_px / source.facts.height_px
    dx = target.shift_px[0] - source.shift_px[0] * sx
    dy = target.shift_px[1] - source.shift_px[1] * sy
    moved = (box[0] * sx + dx, box[1] * sy + dy, box[2] * sx + dx, box[3] * sy + dy)
    inside = clip_box(moved, (0.0, 0.0, float(target.facts.width_px), float(target.facts.height_px)))
    if max(abs(a - b) for a, b in zip(moved, inside, strict=True)) > 1 or collapses_when_rounded(inside, target.facts):
        return None
    return inside
