"""A lake under builds, deaths, vacuums, retractions and compactions in any order, against a plain model of what it holds."""

from __future__ import annotations

import hashlib
import tempfile
from typing import Any

import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rsflow.inspection.vacuum import Retention, vacuum
from rsflow.lake.integrity import digests
from rsflow.lake.integrity.unreferenced import delete_old_versions
from rsflow.lake.integrity.verify import find_damage
from rsflow.lake.receipts import ROW_TABLES, commit, completed_units, read_receipt_rows, receipt_table
from rsflow.lake.tables import create_lake, open_lake
from rsflow.lake.tile_files import SCHEMA, read_pictures, write_pictures

UNITS = st.sampled_from(["u0", "u1", "u2"])
COUNTS = {"rows_in": 2, "rows_kept": 2, "rows_rejected": 0, "bytes_read": 0, "scene_rejected": False}


class LakeMachine(RuleBasedStateMachine):
    """`marked`: the receipts of each unit that have a mark. The smallest of a unit is the one that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.lake = create_lake(f"{self.folder.name}/lake")
        self.marked: dict[str, set[str]] = {}
        self.made = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    def _receipt(self, unit: str) -> pa.Table:
        """A unit's work, done: its tile file is written, its receipt is not committed."""
        self.made += 1
        receipt = hashlib.sha256(f"{unit}{self.made}".encode()).hexdigest()[:8]
        tiles = [{"tile_id": f"{unit}/{i}", "key": str(i), "picture": f"{receipt}{i}".encode()} for i in range(2)]
        file = f"tiles/{unit}/{receipt}.parquet"
        places = write_pictures(self.lake.place(file), [0, 1], pa.Table.from_pylist(tiles, schema=SCHEMA))
        marks = {"unit": unit, "receipt": receipt, "step": "label", "scene_id": unit, "source": "s", **COUNTS}
        rows = [
            {"tile_id": tile["tile_id"], "file": file, "picture_sha256": hashlib.sha256(tile["picture"]).hexdigest(), **place}
            for tile, place in zip(tiles, places, strict=True)
        ]
        labels = [{"label_id": f"{tile['tile_id']}#{receipt}", "tile_id": tile["tile_id"]} for tile in tiles]
        return receipt_table(marks, tiles=rows, labels=labels)

    def _counting(self) -> dict[str, str]:
        return {unit: min(receipts) for unit, receipts in self.marked.items() if receipts}

    @rule(units=st.sets(UNITS, min_size=1))
    def build(self, units: set[str]) -> None:
        receipts = [self._receipt(unit) for unit in sorted(units)]
        commit(self.lake, pa.concat_tables(receipts), "run")
        for receipt in receipts:
            self.marked.setdefault(receipt["unit"][0].as_py(), set()).add(receipt["receipt"][0].as_py())

    @rule(unit=UNITS)
    def die_between_file_and_commit(self, unit: str) -> None:
        self._receipt(unit)

    @rule(unit=UNITS, tables=st.integers(1, 2))
    def die_between_rows_and_mark(self, unit: str, tables: int) -> None:
        receipt = self._receipt(unit)
        for name in ROW_TABLES[:tables]:
            self.lake.append(name, pa.Table.from_struct_array(receipt[name].combine_chunks().flatten()))

    @rule(unit=UNITS)
    def retract(self, unit: str) -> None:
        """As a build does with a unit whose tile file is damaged."""
        if receipt := self._counting().get(unit):
            self.lake.delete_rows("runs", "receipt", [receipt])
            self.marked[unit].remove(receipt)

    @rule()
    def vacuum_all(self) -> None:
        vacuum(self.lake.root, Retention(hours=0, former=True), delete=True)
        self.marked = {unit: {receipt} for unit, receipt in self._counting().items()}

    @rule(name=st.sampled_from(["tiles", "labels", "runs"]))
    def compact(self, name: str) -> None:
        delete_old_versions(self.lake, name, 0, [])

    @rule()
    def go_on_in_another_process(self) -> None:
        digests.clear_cache()
        self.lake = open_lake(self.lake.root, writable=True)

    @invariant()
    def the_units_are_those_with_a_mark(self) -> None:
        found = completed_units(self.lake)
        assert dict(zip(found["unit"].to_pylist(), found["receipt"].to_pylist(), strict=True)) == self._counting()

    @invariant()
    def rows_are_those_of_the_receipts_that_count(self) -> None:
        rows = self._rows("labels", ["label_id"])
        expected = [f"{unit}/{i}#{receipt}" for unit, receipt in self._counting().items() for i in range(2)]
        assert sorted(row["label_id"] for row in rows) == sorted(expected)

    @invariant()
    def every_picture_is_the_one_that_was_committed(self) -> None:
        tiles = self._rows("tiles", ["tile_id", "file", "row_group", "row", "picture_sha256"])
        expected = {f"{unit}/{i}": f"{receipt}{i}".encode() for unit, receipt in self._counting().items() for i in range(2)}
        assert read_pictures(self.lake.root, tiles) == expected

    @invariant()
    def nothing_is_damaged(self) -> None:
        assert list(find_damage(self.lake)) == []

    def _rows(self, name: str, columns: list[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = read_receipt_rows(
            self.lake, name, pa.array(sorted(self._counting().values()), pa.string()), columns
        ).to_pylist()
        return rows


TestLake = LakeMachine.TestCase
TestLake.settings = settings(max_examples=8, stateful_step_count=10, deadline=None)
