"""What the last selection made of one tile or instruction, with the tiles that it was weighed against.

One idea: everything is read back from the lake's tables, nothing is decided again; so what is told is what happened.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.errors import UsageError
from rsflow.lake.pictures import read_pictures
from rsflow.lake.receipts import marks, rows_of
from rsflow.lake.tables import Lake, open_lake


@dataclass(frozen=True, slots=True)
class Explained:
    """`subject` is the selection's row of what was asked for, `tile` that of its tile; `members` are the rows of the tile's
    cluster, the one that stands for it first. `instructions`: of the tile, by reason. `facts`: TILES rows by tile_id."""

    subject: dict[str, Any]
    tile: dict[str, Any]
    members: tuple[dict[str, Any], ...]
    instructions: dict[str, int]
    facts: dict[str, dict[str, Any]]


def explain(root: str, subject: str) -> Explained:
    """What is known of a tile (by id or sample key) or an instruction (by id). UsageError where the selection has none such."""
    lake = open_lake(root)
    rows = lake.read("selection")
    if not rows.num_rows:
        raise UsageError(f"{root}: nothing was selected here yet: run `rsflow select CONFIG`")
    found = _where(rows, "subject", subject) or _where(rows, "subject", _id_of_key(lake, subject))
    if not found:
        raise UsageError(f"{root}: the selection knows no tile or instruction {subject!r}{_hint(rows, subject)}")
    (tile,) = _where(rows, "subject", found[0]["tile_id"])
    members = _where(rows, "cluster", tile["cluster"])
    members.sort(key=lambda row: (row["tile_id"] != tile["canonical"], row["tile_id"]))
    of_tile = rows.filter(pc.and_(pc.equal(rows["kind"], "instruction"), pc.equal(rows["tile_id"], tile["tile_id"])))
    facts = _facts(lake, [row["tile_id"] for row in members])
    return Explained(found[0], tile, tuple(members), dict(Counter(of_tile["reason"].to_pylist())), facts)


def pictures_of(root: str, explained: Explained, most: int) -> list[tuple[dict[str, Any], bytes]]:
    """(selection row, encoded picture) of the tile that was asked for, then of the others of its cluster, `most` in all."""
    asked = explained.tile["tile_id"]
    rows = sorted(explained.members, key=lambda row: row["tile_id"] != asked)[:most]
    found = read_pictures(root, [explained.facts[row["tile_id"]] for row in rows])
    return [(row, found[row["tile_id"]]) for row in rows]


def _where(rows: pa.Table, column: str, value: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rows.filter(pc.equal(rows[column], value)).to_pylist() if value is not None else []
    return found


def _id_of_key(lake: Lake, key: str) -> str | None:
    tiles = lake.read("tiles", ["tile_id", "key"])
    found = tiles.filter(pc.equal(tiles["key"], key))["tile_id"].to_pylist()
    return found[0] if found else None


def _facts(lake: Lake, ids: list[str]) -> dict[str, dict[str, Any]]:
    tiles = rows_of(lake, "tiles", marks(lake)["receipt"])
    mine = tiles.filter(pc.is_in(tiles["tile_id"], value_set=pa.array(ids, pa.string())))
    return {row["tile_id"]: row for row in mine.to_pylist()}


def _hint(rows: pa.Table, subject: str) -> str:
    like = rows.filter(pc.match_substring(rows["subject"], subject.partition("/")[0]))["subject"].to_pylist()
    return f"; it knows for example {min(like)!r}" if like else ""
