"""What holds of several decisions: of each person the last one, of several persons what most say, of a draw the latest.

One idea: the result is a value without times and names. Whatever depends on it (a unit's id, a selection) changes with what was
decided, and not with when or by whom.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rsflow.review.decisions import content_hash

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What holds of one target: `before` and `after` as values."""

    action: str
    target: str
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def content(self) -> list[Any]:
        return [self.action, self.target, self.reason, self.after]


@dataclass(frozen=True, slots=True)
class TileDecisions:
    """What holds of one tile, where anything is to change: by target. `is_rejected`: the sample is to leave."""

    labels: dict[str, Resolved] = field(default_factory=dict)
    instructions: dict[str, Resolved] = field(default_factory=dict)
    is_rejected: bool = False


@dataclass(frozen=True)
class Decisions:
    """By tile, what reviewers decided; tiles of which everything was accepted are not among them."""

    tiles: Mapping[str, TileDecisions] = field(default_factory=dict)

    def label_digest(self, tile_ids: Iterable[str]) -> str:
        """Of what was decided about the labels of these tiles; empty where nothing was."""
        return self._digest(tile_ids, "labels")

    def instruction_digest(self, tile_ids: Iterable[str]) -> str:
        """The same of their instructions."""
        return self._digest(tile_ids, "instructions")

    def _digest(self, tile_ids: Iterable[str], what: str) -> str:
        found = {tile: getattr(self.tiles[tile], what) for tile in tile_ids if tile in self.tiles}
        content = [[tile, *(each.content for _, each in sorted(mine.items()))] for tile, mine in sorted(found.items()) if mine]
        return content_hash(content) if content else ""

    @cached_property
    def scenes(self) -> set[str]:
        """The scenes of the tiles, by the ids of these."""
        return {tile.rpartition("/")[0] for tile in self.tiles}

    @cached_property
    def rejected_tiles(self) -> list[str]:
        return sorted(tile for tile, mine in self.tiles.items() if mine.is_rejected)

    @cached_property
    def dropped_instructions(self) -> dict[str, str]:
        """By instruction id why it leaves: it was rejected, or corrected (the corrected one is another instruction)."""
        reasons = {"reject": "review:rejected", "correct": "review:corrected"}
        return {name: reasons[each.action] for mine in self.tiles.values() for name, each in mine.instructions.items()}

    @property
    def selection_digest(self) -> str:
        """Of what the selection depends on beside the units; empty where that is nothing."""
        dropped = self.dropped_instructions
        return content_hash([self.rejected_tiles, sorted(dropped.items())]) if dropped or self.rejected_tiles else ""


def resolve(rows: Iterable[Row]) -> Decisions:
    """What holds of these REVIEWS rows."""
    latest: dict[tuple[str, ...], Row] = {}
    for row in sorted(rows, key=lambda row: (row["decided_at"], row["decision_id"])):
        latest[row["kind"], row["tile_id"], row["target"], row["reviewer"]] = row
    targets: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for key, row in latest.items():
        targets[key[:3]].append(row)
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"labels": {}, "instructions": {}, "is_rejected": False})
    for (kind, tile, target), mine in sorted(targets.items()):
        winner = _winner(mine)
        if winner["action"] == "accept":
            continue
        before, after = (json.loads(winner[name]) if winner[name] else None for name in ("before", "after"))
        resolved = Resolved(winner["action"], target, winner["reason"] or "", before, after)
        if kind == "sample":
            found[tile]["is_rejected"] = True
        else:
            found[tile][f"{kind}s"][target] = resolved
    return Decisions({tile: TileDecisions(**mine) for tile, mine in sorted(found.items())})


def _winner(rows: list[Row]) -> Row:
    votes = Counter((row["action"], row["after"]) for row in rows)
    order = sorted(rows, key=lambda row: (votes[row["action"], row["after"]], row["decided_at"], row["decision_id"]))
    return order[-1]
