"""What is known of several pictures of one place: the facts of each tile, and how they lie to each other.

Labels of all members are numbered through, first those of the first member, last those of the group itself: that is what an
instruction's `labels` mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rsflow.records import Label, TileFacts
from rsflow.spatial.geometry import Box


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A picture of a group. `shift_px`: what is at x, y of the first picture is at x + dx, y + dy of this one; None: not
    measured. `latitude`, `longitude`: of its middle, in degrees, None where that is not known. `box_in_first`: where it lies
    in the first picture, in its pixels; None: both show the same ground. `valid_share`: how much of it is no fill.
    """

    facts: TileFacts
    role: str
    acquired_at: datetime | None = None
    cloud_share: float | None = None
    latitude: float | None = None
    shift_px: tuple[float, float] | None = None
    box_in_first: Box | None = None
    valid_share: float = 1.0
    longitude: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.facts.height_px, self.facts.width_px


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """`tile_id`: the id of the sample, which is the group's. `kind` is that of GROUPS. `presence_only`: the pictures are not
    registered well enough to transfer a place from one to another. `own`: labels of the group, in pixels of its
    last picture."""

    tile_id: str
    kind: str
    members: tuple[GroupMember, ...]
    presence_only: bool = False
    own: tuple[Label, ...] = ()

    def first_label(self, member: int) -> int:
        """The number of a member's first label."""
        return sum(len(one.facts.labels) for one in self.members[:member])

    def labels(self, member: int) -> Iterator[tuple[int, Label]]:
        """(number in the group, label) of a member's labels."""
        return enumerate(self.members[member].facts.labels, self.first_label(member))

    def own_labels(self) -> Iterator[tuple[int, Label]]:
        """(number in the group, label) of the group's own labels."""
        return enumerate(self.own, self.first_label(len(self.members)))

    @property
    def compares_two_dates(self) -> bool:
        return self.kind == "pair" or (self.kind == "dates" and len(self.members) == 2)
