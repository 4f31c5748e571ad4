"""Which groups of pictures are in: those all of whose pictures may be shown, all on one side of every split.

A picture that left as a duplicate is shown all the same, for the one that stands for it is of its split; two dates of one place
may be nearly equal, and that is what a comparison is about. A picture that left for any other reason takes its groups with it.
Of groups of the same pictures one stays. Of those in which nothing changed no more stay, in each source, than there are with a
change: most ground does not change between two dates, and a model would learn to say so always.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import DropReasons, Flags
from rsflow.curation.hashing import Hashes
from rsflow.curation.value_codes import value_codes

SPLIT_MERGED = "split_merged"
DUPLICATE = "duplicate_exact"
UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """`count` groups; their pictures as `group` (number of the group) and `tile` (row of the tiles), those of one group one
    after the other. Per group: `changed` (1: something changed, 0: nothing did, -1: not stated), the numbers of
    its `source` and its `kind`, and its `priority`. `same_split`: further pairs (n, 2) of tiles that belong to one split."""

    count: int
    group: Indices
    tile: Indices
    changed: Indices
    source: Indices
    kind: Indices
    priority: Hashes
    same_split: Indices = field(default_factory=lambda: np.empty((0, 2), np.int64))

    @classmethod
    def none(cls) -> GroupMembers:
        empty = np.empty(0, np.int64)
        return cls(0, empty, empty, empty, empty, empty, np.empty(0, np.uint64))

    def firsts(self) -> Indices:
        """Where in `group` and `tile` each group begins."""
        return np.searchsorted(self.group, np.arange(self.count))

    def ties(self, canonical: Indices) -> Indices:
        """Pairs (n, 2) of tiles that belong to one split: of every group the first with each other one, and those of
        `same_split`, as the tiles that stand for them."""
        rows, further = canonical[self.tile], canonical[self.same_split]
        of_groups = np.stack([rows[self.firsts()[self.group]], rows], axis=1) if self.count else further[:0]
        return np.concatenate([of_groups, further])


def judge_groups(
    members: GroupMembers, canonical: Indices, verdicts: DropReasons, assigned_split: pa.Array
) -> tuple[DropReasons, pa.Array]:
    """(verdicts, splits) of tiles and then groups, from those of tiles. A group's split is that of its first picture."""
    tiles = len(canonical)
    rows, firsts = canonical[members.tile], members.firsts()
    longer = verdicts.extended(members.count)
    whole = assigned_split.combine_chunks() if isinstance(assigned_split, pa.ChunkedArray) else assigned_split
    reasons = verdicts.take(rows, "picture:")
    lost = np.flatnonzero(np.asarray(reasons.is_valid()))
    longer.drop_each(tiles + members.group[lost], reasons.take(pa.array(lost)))
    codes = value_codes(whole)[rows]
    in_other_split = np.unique(members.group[codes != codes[firsts[members.group]]])
    longer.drop(tiles + in_other_split, SPLIT_MERGED)
    longer.drop(tiles + _repeated(members, rows), DUPLICATE)
    longer.drop(tiles + _unchanged_beyond_share(members, longer.kept[tiles:]), UNCHANGED)
    split = whole.take(pa.array(rows[firsts]))
    return longer, pa.concat_arrays([whole, split])


def _unchanged_beyond_share(members: GroupMembers, kept: Flags) -> Indices:
    """Of each source the unchanged groups beyond as many as changed (one where none did), the last by priority."""
    found = [np.empty(0, np.int64)]
    for source in np.unique(members.source):
        mine = kept & (members.source == source)
        unchanged = np.flatnonzero(mine & (members.changed == 0))
        ordered = unchanged[np.lexsort((unchanged, members.priority[unchanged]))]
        found.append(ordered[max(1, int((mine & (members.changed == 1)).sum())) :])
    return np.concatenate(found)


def _repeated(members: GroupMembers, rows: Indices) -> Indices:
    """The groups whose pictures, as the tiles that stand for them, are those of an earlier group of that
    kind."""
    seen: set[tuple[int, ...]] = set()
    found = []
    stops = np.append(members.firsts()[1:], len(rows)) if members.count else np.empty(0, np.int64)
    for number, (start, stop) in enumerate(zip(members.firsts(), stops, strict=True)):
        pictures = (int(members.kind[number]), *rows[start:stop].tolist())
        if pictures in seen:
            found.append(number)
        seen.add(pictures)
    return np.array(found, dtype=np.int64)
