"""Samples of several sensors: which pictures they hold, that none of them leaks, and what their records tell."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import rsflow
from rsflow.curation.splits.leakage import find_leaks
from rsflow.lake.tile_files import read_pictures
from rsflow.phases.build import BuildResult, run
from rsflow.phases.select.select import read_selected_rows
from rsflow.phases.shard.companions import companions_of, comparing, select_companions, with_companions
from rsflow.planning.groups.companion_pairs import showing
from rsflow.schemas import TILES
from rsflow.shards.format import Sample
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.shards.verify import verify_snapshot
from tests.archive import config_of, shards_of

ALL = "shard.companions=[infrared, optical, sar]"
UNLABELLED = ("sources.1.labellers=[]", "sources.1.annotations=null")


def build(archive: Path, *overrides: str) -> BuildResult:
    return run(config_of(archive, *overrides))


def samples(root: Path) -> Iterator[Sample]:
    for split in read_snapshot(str(root)).splits.values():
        for shard in split.shards:
            yield from ShardReader(str(root), shard)


def verdicts(outcome: BuildResult) -> dict[str, dict[str, Any]]:
    rows = outcome.lake.read("selection").to_pylist()
    return {row["subject"]: row for row in rows if row["kind"] == "tile"}


def test_a_sample_holds_the_other_sensors_picture_of_its_ground(archive: Path) -> None:
    outcome = build(archive, ALL)
    root = archive / "lake"
    assert verify_snapshot(str(root)).differences == ()
    tiles = {row["tile_id"]: row for row in outcome.now.tiles().to_pylist()}
    encoded = read_pictures(str(root), tiles.values())
    told, found = verdicts(outcome), Counter[str]()
    for sample in samples(root):
        record = sample.record
        found[record["sensor"]] += len(record.get("companions", ()))
        assert [f"{one['sensor']}.jpg" for one in record.get("companions", ())] == sorted(sample.others)
        for one in record.get("companions", ()):
            other = tiles[one["tile_id"]]
            assert one["sensor"] == other["sensor"] != record["sensor"]
            assert sample.others[f"{one['sensor']}.jpg"] == encoded[one["tile_id"]]
            assert hashlib.sha256(encoded[one["tile_id"]]).hexdigest() == one["picture_sha256"]
            # The archive's scenes lie on one grid: the same window of the same place.
            assert (one["window"], one["iou"], one["footprint"]) == (record["window"], 1.0, record["footprint"])
            assert {name: one[name] for name in ("scene_id", "source", "licence", "gsd_m")} == {
                name: other[name] for name in ("scene_id", "source", "licence", "gsd_m")
            }
            assert told[one["tile_id"]]["split"] in {record["split"], None}
    assert min(found["optical"], found["sar"]) > 0
    for example in rsflow.stream(str(root)):
        for one, (sensor, picture) in zip(example["meta"].get("companions", ()), example["others"].items(), strict=True):
            assert sensor == one["sensor"] != example["sensor"]
            assert tuple(picture.shape) == (3, one["height_px"], one["width_px"])


def test_a_tile_without_texts_is_a_companion_and_a_dropped_one_never_is(archive: Path) -> None:
    outcome = build(archive, ALL, *UNLABELLED, "select.limits={contrast: [20, null]}")
    told = verdicts(outcome)
    shown = {one["tile_id"] for sample in samples(archive / "lake") for one in sample.record.get("companions", ())}
    assert {told[tile]["reason"] for tile in shown} == {"no_instruction"}
    assert {row["reason"] for tile, row in told.items() if tile not in shown} - {"kept", "no_instruction"}
    # Without pictures to show, samples are what they were.
    build(archive, f"root={archive}/one", "shard.companions=[infrared]")
    build(archive, f"root={archive}/none")
    assert shards_of(archive / "one") == shards_of(archive / "none")


def test_what_is_held_out_is_in_no_sample(archive: Path) -> None:
    first = build(archive, ALL)
    held_before = {one["tile_id"] for sample in samples(archive / "lake") for one in sample.record.get("companions", ())}
    tile = min(name for name in held_before if name.startswith("sea"))
    (row,) = [row for row in first.now.tiles().to_pylist() if row["tile_id"] == tile]
    (archive / "bench").mkdir()
    (archive / "bench/one.jpg").write_bytes(read_pictures(str(archive / "lake"), [row])[tile])
    again = build(archive, ALL, f"select.held_out=[{{name: bench, files: {archive}/bench}}]")
    assert verdicts(again)[tile]["reason"].startswith("held_out:bench")
    left = [sample.record for sample in samples(archive / "lake")]
    assert tile not in {one["tile_id"] for record in left for one in record.get("companions", ())}
    assert tile not in {record["tile_id"] for record in left}
    assert again.planned.units == again.planned.instruct_units == 0


def test_a_companion_of_two_splits_would_be_a_leak(archive: Path) -> None:
    outcome = build(archive)
    tiles, instructions = read_selected_rows(outcome.lake, outcome.now)
    beside = companions_of(outcome.now, tiles, instructions, ["sar", "optical"])
    assert beside.num_rows
    shown = with_companions(tiles, beside)
    assert find_leaks(shown) == []
    assert len(set(shown["tile_id"].to_pylist())) == shown.num_rows
    turned = tiles.set_column(
        tiles.schema.get_field_index("split"),
        "split",
        pa.array(["a" if sensor == "sar" else "b" for sensor in tiles["sensor"].to_pylist()]),
    )
    found = with_companions(turned, beside)
    assert found.num_rows > len(set(found["tile_id"].to_pylist()))
    assert {leak.what for leak in find_leaks(found)} >= {"picture", "ground"}


def test_what_was_checked_for_leaks_is_not_checked_again(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[pa.Table] = []
    monkeypatch.setattr("rsflow.phases.shard.shard.check_leaks", lambda lake, tiles, *more: checked.append(tiles))
    for overrides in ((), (), (ALL,), (ALL,), ("select.quotas={vqa: 1}",)):
        build(archive, *overrides)
    assert len(checked) == 3
    (archive / "lake" / read_snapshot(str(archive / "lake")).splits["train"].shards[0].path).unlink()
    build(archive, "select.quotas={vqa: 1}")
    assert len(checked) == 4


def test_companions_make_other_shards_and_no_other_work(archive: Path) -> None:
    first, again = build(archive), build(archive, ALL)
    assert (again.planned.units, again.planned.instruct_units) == (0, 0)
    assert first.selected == again.selected
    assert shards_of(archive / "lake").keys() > {
        shard.path for shard in read_snapshot(str(archive / "lake"), 1).splits["train"].shards
    }
    assert any(sample.others for sample in samples(archive / "lake"))
    third = build(archive)
    assert first.sharded
    assert third.sharded
    assert (third.sharded.written, third.sharded.manifest) == (0, first.sharded.manifest)


def row(name: str, sensor: str, west: float, day: int | None = None, side: float = 1.0) -> dict[str, Any]:
    ring = [west, 0.0, west + side, 0.0, west + side, side, west, side]
    return {"tile_id": name, "sensor": sensor, "footprint": ring, "acquired_at": day and datetime(2024, 1, day, tzinfo=UTC)}


OTHERS = (
    row("a", "sar", 0.1, 5),
    row("b", "sar", 0.0, 9),
    row("c", "sar", 0.0, 4),
    row("d", "sar", 0.001, 6),
    row("e", "infrared", 0.0),
    row("f", "infrared", 0.0),
    row("g", "sar", 0.3, 5),
    row("h", "optical", 0.0, 5),
    row("i", "sar", -1.0, 6, 3.0),  # shows nine times as much
)


def chosen(
    may: str = "abcdefghi", compared: bool = False, sensors: tuple[str, ...] = ("sar", "infrared"), day: int | None = 6
) -> str:
    tiles, others = (pa.Table.from_pylist(list(rows), schema=TILES) for rows in ([row("t", "optical", 0.0, day)], OTHERS))
    flags = np.array([one["tile_id"] in may for one in OTHERS])
    found = select_companions(showing(tiles, others), tiles, others, flags, np.array([compared]), sensors)
    return "".join(others["tile_id"].take(pa.array(found.other)).to_pylist())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "ed"),  # infrared before sar; of equals the first; the nearest in time of those that share as much
        ({"day": None}, "eb"),
        ({"may": "abcf"}, "fc"),
        ({"may": "ag"}, "a"),  # g shares too little
        ({"may": "gh"}, ""),
        ({"may": "ai"}, "a"),
        ({"may": "gi"}, "i"),
        ({"sensors": ("sar",)}, "d"),
        ({"sensors": ("sar", "optical")}, "d"),
        ({"compared": True}, "eb"),  # what a text was written from shares most, to the last digit
        ({"compared": True, "may": "acdefi"}, "e"),  # and where that may not be held, none of its sensor is
    ],
)
def test_the_one_that_shares_most_then_the_nearest_in_time(settings: dict[str, Any], expected: str) -> None:
    assert chosen(**settings) == expected


def test_texts_that_compare_bind_the_choice() -> None:
    """A text that a tile carries for another one, whose ground need not be its own, leaves it alone."""
    rows = [
        ("x/1#reasoning#aa", "x/1", "reasoning", '{"kind": "text", "topic": "sensors"}'),
        ("x/2#reasoning#bb", "x/3", "reasoning", '{"kind": "text", "topic": "sensors"}'),
        ("x/4#reasoning#cc", "x/4", "reasoning", '{"kind": "text", "topic": "why"}'),
        ("x/5#vqa#dd", "x/5", "vqa", '{"topic": "sensors"}'),
    ]
    names = ("instruction_id", "tile_id", "task", "answer")
    compares, carries = comparing(pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))))
    assert (compares.to_pylist(), carries.to_pylist()) == (["x/1", "x/3"], ["x/3"])
