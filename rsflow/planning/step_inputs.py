"""What finished units delivered: the tiles and labels that a later step works on.

One idea: every later step gets its work in one shape, a row per unit with tiles and labels nested, gathered here from
the tables by receipt. Raw labels of models count only where a step asks for them; all others get what merging made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from rsflow.errors import LakeError
from rsflow.lake.receipts import read_receipt_rows
from rsflow.lake.tables import Lake
from rsflow.planning.plan import Unit
from rsflow.planning.step import StepUnit
from rsflow.planning.transferred import add_transfers
from rsflow.planning.unit_ids import UnitIds
from rsflow.review.apply import reviewed_labels, reviewed_tile


@dataclass(frozen=True)
class StepInputs:
    """The finished units of a lake (`marked`: their marks) under the ids of a plan."""

    lake: Lake
    ids: UnitIds
    marked: pa.Table

    @cached_property
    def receipts(self) -> dict[str, str]:
        """The receipt of every finished unit."""
        return dict(zip(self.marked["unit"].to_pylist(), self.marked["receipt"].to_pylist(), strict=True))

    def gather(
        self,
        schema: pa.Schema,
        units: Sequence[StepUnit],
        labels_from: Callable[[Unit], Iterable[str]] = lambda unit: (),
        reviewed: bool = False,
        adds_transfers: bool = True,
        is_needed: Callable[[StepUnit, dict[str, Any]], bool] = lambda unit, tile: True,
    ) -> pa.Table:
        """A row of `schema` for each unit: the tiles of its label units, and their labels.

        `labels_from` names, for a label unit, the further units whose labels count beside its own. Those may deliver labels of
        other tiles too: each label goes with its tile. `adds_transfers`: where they pass labels between tiles, `vocabulary` and
        `unknown` count these. `reviewed`: after what reviewers decided. `is_needed`: which tiles a unit works on. LakeError
        where a unit is not finished.
        """
        label_units = {unit.id: unit for each in units for unit in each.label_units}
        home, tiles = dict[str, str](), {name: list[dict[str, Any]]() for name in label_units}
        unit_of = {self._receipt(name): name for name in label_units}
        for row in self._rows("tiles", schema, unit_of):
            unit = home[row["tile_id"]] = unit_of[row.pop("receipt")]
            tiles[unit].append(row)
        labels = {name: list[dict[str, Any]]() for name in label_units}
        further = {self._receipt(name) for unit in label_units.values() for name in labels_from(unit)}
        for row in self._rows("labels", schema, {*unit_of, *further}) if "labels" in schema.names else ():
            del row["receipt"]
            if row["tile_id"] in home:
                labels[home[row["tile_id"]]].append(row)
        passing = further & {self.receipts[name] for name in self.ids.transfers if name in self.receipts}
        if adds_transfers and passing:
            add_transfers(tiles.values(), read_receipt_rows(self.lake, "transfers", sorted(passing)))
        if reviewed:
            self._review(tiles, labels)
        rows = []
        for each in units:
            mine = [row for unit in each.label_units for row in tiles[unit.id] if is_needed(each, row)]
            chosen = {row["tile_id"] for row in mine}
            known = [row for unit in each.label_units for row in labels[unit.id] if row["tile_id"] in chosen]
            same = {"unit": each.id, "scene_id": each.scene_id, "source": each.source}
            rows.append({**same, "tiles": mine, "labels": known})
        return pa.Table.from_pylist(rows, schema=schema)

    def groups(self, units: Iterable[str], schema: pa.Schema) -> dict[str, list[dict[str, Any]]]:
        """By unit of the step `group`: the groups that it delivered, in the order of their ids. LakeError where one is not
        finished."""
        found = self._delivered("groups", units, schema)
        return {name: sorted(rows, key=lambda row: str(row["group_id"])) for name, rows in found.items()}

    def group_labels(self, units: Iterable[str], schema: pa.Schema) -> dict[str, list[dict[str, Any]]]:
        """By unit that delivers groups: the labels that it gives to these groups."""
        return self._delivered("labels", units, schema)

    def _delivered(self, table: str, units: Iterable[str], schema: pa.Schema) -> dict[str, list[dict[str, Any]]]:
        unit_of = {self._receipt(name): name for name in units}
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in unit_of.values()}
        for row in self._rows(table, schema, unit_of):
            found[unit_of[row.pop("receipt")]].append(row)
        return found

    def _review(self, tiles: dict[str, list[dict[str, Any]]], labels: dict[str, list[dict[str, Any]]]) -> None:
        """Bring the rows of reviewed tiles, by label unit, to what reviewers decided."""
        decided = self.ids.plan.decisions.tiles
        for unit, mine in tiles.items():
            for place, tile in enumerate(mine):
                if (decision := decided.get(tile["tile_id"])) and decision.labels:
                    mine[place] = reviewed_tile(tile, decision)
                    own = [row for row in labels[unit] if row["tile_id"] == tile["tile_id"]]
                    others = [row for row in labels[unit] if row["tile_id"] != tile["tile_id"]]
                    labels[unit] = [*others, *reviewed_labels(tile["tile_id"], own, decision)]

    def _receipt(self, unit: str) -> str:
        if unit not in self.receipts:
            raise LakeError(f"{self.lake.root}: the unit {unit} is not finished, and others need it: run `rsflow label` first")
        return self.receipts[unit]

    def _rows(self, name: str, schema: pa.Schema, receipts: Iterable[str]) -> list[dict[str, Any]]:
        fields = schema.field(name).type.value_type
        columns = [fields.field(i).name for i in range(fields.num_fields)]
        rows: list[dict[str, Any]] = read_receipt_rows(self.lake, name, sorted(receipts), [*columns, "receipt"]).to_pylist()
        return rows
