"""The select phase on a real lake: what is written, what is explained, what changed, and that a leak stops the build."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from PIL import Image

from rsflow.cli import main
from rsflow.config.select_settings import Select
from rsflow.curation.splits.leakage import find_leaks
from rsflow.errors import ConfigError, LakeError, RsflowError, SnapshotError, UsageError
from rsflow.inspection.diff import diff
from rsflow.inspection.explain import explain, read_cluster_pictures
from rsflow.lake.tables import Lake
from rsflow.phases.build import BuildResult, lake_balances, read_config, run
from rsflow.phases.select import select as phase
from rsflow.phases.select.leakage import check_leaks, compare_sets
from rsflow.phases.select.select import read_selected_rows, require_current_selection
from rsflow.phases.shard.shard import shard
from rsflow.report.explain import REASONS, describe_reason, explanation_sheet, explanation_text
from tests.archive import config_of, optical, untold, write_scene

SPLITS = "select.splits={train: 0.6, test: 0.4}"


def build(archive: Path, *overrides: str) -> BuildResult:
    return run(config_of(archive, SPLITS, *overrides))


def reasons(outcome: BuildResult) -> set[str]:
    return set(outcome.lake.read("selection")["reason"].to_pylist())


def test_splits_of_overlapping_scenes_share_no_ground(archive: Path) -> None:
    """Three dates and two sensors over one place, in cells smaller than two tiles."""
    write_scene(archive / "optical/o5.tif", optical(5), 500_110.0)
    outcome = build(archive)
    tiles, _ = read_selected_rows(outcome.lake, outcome.now)
    assert set(tiles["split"].to_pylist()) == {"train", "test"}
    assert "split_buffer" in reasons(outcome)
    assert find_leaks(tiles) == []
    apart, _ = read_selected_rows(outcome.lake, build(archive, "select.buffer_m=40000").now)
    assert 0 < apart.num_rows < tiles.num_rows


def test_a_selection_by_other_settings_is_the_lakes_own(archive: Path) -> None:
    lake = build(archive).lake
    chosen = run(config_of(archive, "select.splits={train: 0.5, test: 0.5}"), ("select",))
    stored = read_config(lake)
    assert stored.select.splits == {"train": 0.5, "test": 0.5}
    assert require_current_selection(stored, lake, chosen.now).version == chosen.selected.version


def test_a_leak_stops_the_build(archive: Path) -> None:
    outcome = build(archive)
    tiles, _ = read_selected_rows(outcome.lake, outcome.now)
    flipped = pc.if_else(pc.equal(tiles["split"], "train"), "test", "train")
    mixed = pc.if_else(np.arange(tiles.num_rows) % 2 == 0, tiles["split"], flipped)
    with pytest.raises(RsflowError, match=r"(?s)the splits leak.*ground: \d+ tiles, for example"):
        check_leaks(outcome.lake, tiles.set_column(tiles.schema.get_field_index("split"), "split", mixed), Select())
    caught = pa.array([None] * (tiles.num_rows - 1) + ["bench:near"])
    with pytest.raises(RsflowError, match=r"(?s)the splits leak.*held out: 1 tiles, for example .* and bench:near"):
        check_leaks(outcome.lake, tiles, Select(), caught)
    check_leaks(outcome.lake, tiles, Select(), pa.nulls(tiles.num_rows, pa.string()))


def test_written_in_pieces_it_is_the_same_selection(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(archive)
    monkeypatch.setattr(phase, "ROWS_PER_WRITE", 7)
    whole = {row["subject"]: row for row in build(archive).lake.read("selection").to_pylist()}
    untold(archive / "lake")
    again = build(archive).lake.read("selection").to_pylist()
    assert {row["subject"]: row for row in again} == whole
    assert len(again) == len(whole)


def test_every_verdict_is_explained(archive: Path) -> None:
    (archive / "optical/copy.tif").write_bytes((archive / "optical/o0.tif").read_bytes())
    outcome = build(archive, "select.quotas={vqa: 3}")
    rows = outcome.lake.read("selection").to_pylist()
    by_reason = {row["reason"]: row for row in rows}
    assert {"kept", "duplicate_exact", "split_buffer", "quota:vqa"} <= set(by_reason)
    for reason, row in by_reason.items():
        found = explain(outcome.lake.root, row["subject"])
        text = explanation_text(found.subject, found.tile, found.members, found.instructions)
        assert f"{row['subject']}: {'in' if row['selected'] else 'out'}" in text
        assert describe_reason(reason) in text
    copy = explain(outcome.lake.root, by_reason["duplicate_exact"]["subject"])
    assert copy.members[0]["tile_id"] == copy.tile["canonical"] != copy.tile["tile_id"]
    key = copy.facts[copy.tile["tile_id"]]["key"]
    assert explain(outcome.lake.root, key).subject == copy.subject
    shown = read_cluster_pictures(outcome.lake.root, copy, 9)
    assert next(row["tile_id"] for row, _ in shown) == copy.tile["tile_id"]
    (archive / "sheet.png").write_bytes(explanation_sheet(shown, "sheet.png"))
    assert Image.open(archive / "sheet.png").width > 800
    with pytest.raises(UsageError, match=r"knows no tile, instruction, .*'land.o0/nothing'; it knows for example 'land.o0"):
        explain(outcome.lake.root, "land.o0/nothing")


def test_every_rule_has_a_meaning_and_nothing_else_has() -> None:
    assert all(describe_reason(rule + "x" if rule.endswith(":") else rule) for rule in REASONS)
    with pytest.raises(KeyError):
        describe_reason("whim")


def test_a_diff_tells_what_came_and_went_and_why(archive: Path) -> None:
    first = build(archive, "instructions.appearance=always")
    assert diff(first.lake.root, 1, 1).text() == ""
    write_scene(archive / "optical/o9.tif", optical(9), 900_000.0)
    second = build(
        archive, "instructions.appearance=always", "select.quotas={captioning: 0}", "select.allow_licences=[CC0-1.0]"
    )
    found = diff(second.lake.root, 1, 2)
    assert set(found.counts["samples removed"]) == {"licence"}
    assert "tile:licence" in found.counts["instructions removed"]
    assert "quota:captioning" in found.counts["instructions removed"]
    assert sum(found.counts["samples added"].values()) > 0
    assert first.sharded is not None
    assert second.sharded is not None
    was, now = (sum(s.samples for s in one.sharded.manifest.splits.values()) for one in (first, second) if one.sharded)
    assert now - was == sum(found.counts["samples added"].values()) - sum(found.counts["samples removed"].values())
    with pytest.raises(SnapshotError):
        diff(second.lake.root, 1, 9)


def test_two_sets_are_compared_by_picture_and_by_ground(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = build(archive).lake.root
    assert compare_sets(f"{root}@train", f"{root}@test").by_test == {}
    assert compare_sets(f"{root}@test", f"{root}@test").by_test.keys() == {"exact"}
    ground = compare_sets(f"{archive}/optical", f"{archive}/sar")
    assert (ground.test, ground.by_test) == (2, {"ground": 2})
    assert main(["audit", "--leak", f"{archive}/optical", f"{archive}/sar"]) == 1
    assert "2 of 2 test pictures (100.0%) are also in train (2 pictures)" in capsys.readouterr().out
    with pytest.raises(UsageError, match="which of its splits"):
        compare_sets(root, root)


def test_rows_that_no_selection_phase_wrote_are_not_taken_for_a_selection(archive: Path) -> None:
    outcome = build(archive)
    assert outcome.selected is not None
    rows = outcome.lake.read("selection").to_pylist()
    assert outcome.selected.tiles == Counter(row["reason"] for row in rows if row["kind"] == "tile")
    untold(archive / "lake")
    with pytest.raises(RsflowError, match="run `rsflow select` first"):
        run(config_of(archive, SPLITS), ("shard",))


def test_a_selection_that_another_build_makes_meanwhile_changes_nothing(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = build(archive, f"root={archive / 'alone'}")
    others = config_of(archive, SPLITS, "select.quotas={vqa: 3}")

    def late(*asked: Any) -> Any:
        run(others, ("select",))
        return shard(*asked)

    monkeypatch.setattr("rsflow.phases.build.shard", late)
    outcome = build(archive)
    assert [balance.line() for balance in outcome.balances if not balance.is_balanced] == []
    assert outcome.sharded is not None
    assert expected.sharded is not None
    assert outcome.sharded.manifest.digest == expected.sharded.manifest.digest
    assert [balance.line() for balance in lake_balances(outcome.lake.root) if not balance.is_balanced] == []
    monkeypatch.undo()
    assert build(archive).sharded == dataclasses.replace(outcome.sharded, written=0)

    def overtaken(lake: Lake, name: str, pieces: Any, told: Any = None) -> None:
        overwrite(lake, name, pieces, told)
        if name == "selection":
            overwrite(lake, name, pieces, {**told, "digest": "of another build"})

    overwrite = Lake.overwrite
    monkeypatch.setattr(Lake, "overwrite", overtaken)
    with pytest.raises(LakeError, match="did another build of it come between"):
        run(others)


def test_balance_by_category_and_what_cannot_be_met(archive: Path) -> None:
    def about_ships(outcome: BuildResult) -> int:
        _, instructions = read_selected_rows(outcome.lake, outcome.now)
        labels = {row["label_id"] for row in outcome.now.labels().to_pylist() if row["category"] == "ship"}
        return sum(bool(labels & set(ids)) for ids in instructions["label_ids"].to_pylist())

    assert about_ships(build(archive)) > 6
    assert about_ships(build(archive, "select.quotas={category:ship: 6}")) == 6
    assert 0 < about_ships(build(archive, "select.balance={per_category: 4}")) <= 4
    assert about_ships(build(archive, "select.quotas={sar: 3}", "select.balance={least: {category:ship: 3}}")) == 3
    with pytest.raises(
        ConfigError, match=r"balance.least.category:ship, select.quotas.sar: cannot be kept together: .* 3 wanted"
    ):
        build(archive, "select.quotas={sar: 0}", "select.balance={least: {category:ship: 3}}")
    with pytest.raises(ConfigError, match=r"balance.exactly: vqa/sar: 9,999 wanted, \d+ there: [\d,]+ missing"):
        build(archive, "select.balance={exactly: {vqa/sar: 9999}}")
    with pytest.raises(ConfigError, match=r"unknown key 'source:nobody'"):
        build(archive, "select.balance={least: {source:nobody: 1}}")


def test_shares_are_met(archive: Path) -> None:
    outcome = build(archive, "select.balance={shares: {vqa: 0.5, captioning: 0.3, detection: 0.2}}")
    rows = outcome.lake.read("selection").filter(pc.field("selected") & (pc.field("kind") == "instruction"))
    found = Counter(rows["task"].to_pylist())
    assert found.keys() == {"vqa", "captioning", "detection"}
    total = found.total()
    assert [round(found[task] / total, 1) for task in ("vqa", "captioning", "detection")] == [0.5, 0.3, 0.2]
