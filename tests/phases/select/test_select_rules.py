"""Rules of the select phase on a real lake: limits on instructions, regions, repeats; the same on Ray; diffs told truly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsflow.errors import ConfigError
from rsflow.inspection.diff import SELECTION_LOST, diff
from rsflow.inspection.explain import explain, read_cluster_pictures
from rsflow.inspection.facts.report_facts import card_facts
from rsflow.phases.build import BuildResult, run
from rsflow.phases.select.select import read_selected_rows
from rsflow.phases.select.stratify import count_by_stratum
from rsflow.planning.recipe import load
from rsflow.report.explain import explanation_text
from rsflow.shards.reader import ShardReader
from tests.archive import config_of, optical, shards_of, untold, write_scene

SPLITS = "select.splits={train: 0.6, test: 0.4}"


def build(archive: Path, *overrides: str) -> BuildResult:
    return run(config_of(archive, SPLITS, *overrides))


def verdicts(outcome: BuildResult) -> dict[str, dict[str, Any]]:
    return {row["subject"]: row for row in outcome.lake.read("selection").to_pylist()}


def chosen(outcome: BuildResult) -> list[dict[str, Any]]:
    _, instructions = read_selected_rows(outcome.lake, outcome.now)
    rows: list[dict[str, Any]] = instructions.to_pylist()
    return rows


def answer(row: dict[str, Any]) -> str:
    return "".join(turn["text"] for turn in row["turns"] if turn["role"] == "assistant")


def test_limits_on_instructions_beside_plain_python(archive: Path) -> None:
    every = chosen(build(archive))
    quality = {row["label_id"]: row["quality"] for row in run(config_of(archive, SPLITS)).now.labels().to_pylist()}
    words = [sum(len(turn["text"].split()) for turn in row["turns"] if turn["role"] == "assistant") for row in every]
    grades = [min((quality[i] for i in row["label_ids"] if quality[i] is not None), default=1.0) for row in every]
    for name, values, least, most in (
        ("answer_words", words, 3, 12),
        ("answer_characters", [len(answer(row)) for row in every], 10, 60),
        ("label_quality", grades, 0.9, 1),
        ("checks", [len(row["checks"]) for row in every], 0, 0),
    ):
        outcome = build(archive, f"select.instruction_limits={{{name}: [{least}, {most}]}}")
        expected = {row["instruction_id"] for row, value in zip(every, values, strict=True) if least <= value <= most}
        assert expected, name
        assert {row["instruction_id"] for row in chosen(outcome)} == expected, name
        left = [row for row in verdicts(outcome).values() if row["reason"] == f"limit:{name}"]
        assert bool(left) == (len(expected) < len(every))
    unknown = build(archive, "select.instruction_limits={perplexity: [null, 20]}")
    assert len(chosen(unknown)) == len(every)


def test_quotas_by_region(archive: Path) -> None:
    outcome = build(archive, "select.regions={here: [14, 44, 15.3, 46]}", "select.quotas={region:here: 7, region:N40E010: 5}")
    reasons = {row["reason"] for row in verdicts(outcome).values()}
    assert {"quota:region:here", "quota:region:N40E010"} <= reasons
    assert len(chosen(outcome)) == 12
    assert len(chosen(build(archive, "select.balance={per_region: 9}"))) == 9
    with pytest.raises(ConfigError, match=r"unknown key 'region:N45E010'"):
        config_of(archive, "select.quotas={region:N45E010: 5}")
    with pytest.raises(ConfigError, match=r"regions.up is 10, 50, 20, 40: expected west, south, east, north"):
        config_of(archive, "select.regions={up: [10, 50, 20, 40]}")
    with pytest.raises(ConfigError, match="it must divide 90"):
        config_of(archive, "select.region_deg=7")


def test_rare_categories_ask_for_repeats(archive: Path) -> None:
    outcome = build(archive, "select.balance={repeat: {threshold: 1.0, most: 3}}")
    tiles = [row for row in verdicts(outcome).values() if row["kind"] == "tile"]
    assert {row["repeat"] for row in tiles if not row["selected"]} == {0}
    assert {row["repeat"] for row in tiles if row["split"] == "test"} == {1}
    shown = {row["subject"]: row["repeat"] for row in tiles if row["split"] == "train"}
    labels = {row["label_id"]: row["category"] for row in outcome.now.labels().to_pylist()}
    categories: dict[str, set[str]] = {tile: set() for tile in shown}
    for row in chosen(outcome):
        if row["tile_id"] in shown:
            categories[row["tile_id"]] |= {labels[name] for name in row["label_ids"]}
    counts = {name: sum(name in found for found in categories.values()) for found in categories.values() for name in found}
    for tile, number in shown.items():
        factor = max([1.0, *(np.sqrt(len(shown) / counts[name]) for name in categories[tile])])
        assert number in {min(3, int(factor)), min(3, int(factor) + 1)}
    assert max(shown.values()) > 1
    assert outcome.sharded is not None
    shards = [shard for split in outcome.sharded.manifest.splits.values() for shard in split.shards]
    records = [sample.record for shard in shards for sample in ShardReader(outcome.lake.root, shard)]
    assert {row["tile_id"]: row["repeat"] for row in records if "repeat" in row} == {k: n for k, n in shown.items() if n > 1}
    most = max(shown, key=lambda name: shown[name])
    found = explain(outcome.lake.root, most)
    assert f"shown {shown[most]} times per epoch" in explanation_text(
        found.subject, found.tile, found.members, found.instructions
    )
    assert {row["repeat"] for row in verdicts(build(archive)).values() if row["selected"] and row["split"]} == {1}


def test_a_tile_too_near_another_split_is_shown_beside_what_pushed_it_out(archive: Path) -> None:
    write_scene(archive / "optical/o5.tif", optical(5), 500_110.0)
    outcome = build(archive)
    pushed = min(row["subject"] for row in verdicts(outcome).values() if row["reason"] == "split_buffer")
    found = explain(outcome.lake.root, pushed)
    assert [row["split"] for row in found.near if row["apart_m"] < 1] == ["test"]
    assert found.near[0]["selected"]
    text = explanation_text(found.subject, found.tile, found.members, found.instructions, found.near)
    assert f"{found.near[0]['tile_id']}: test, 0 m away" in text
    assert [row["tile_id"] for row, _ in read_cluster_pictures(outcome.lake.root, found, 2)] == [
        pushed,
        found.near[0]["tile_id"],
    ]


def test_dealt_by_category_every_build_is_the_same_and_no_tile_moves_when_data_comes(archive: Path) -> None:
    by_category = "select.splits_by=category"
    first = build(archive, by_category)
    dealt = {name: row["assigned_split"] for name, row in verdicts(first).items() if row["kind"] == "tile"}
    assert set(dealt.values()) == {"train", "test"}
    bytes_before = shards_of(archive / "lake")
    untold(archive / "lake")
    assert shards_of(Path(build(archive, by_category).lake.root)) == bytes_before
    (archive / "lake").rename(archive / "first")
    build(archive, by_category)
    assert shards_of(archive / "lake") == bytes_before
    write_scene(archive / "optical/o9.tif", optical(9), 900_000.0)
    write_scene(archive / "optical/o8.tif", optical(8), 500_700.0)
    outcome = build(archive, by_category, "select.quotas={captioning: 0}")
    after = verdicts(outcome)
    assert all(after[name]["assigned_split"] == split for name, split in dealt.items())
    assert all(after[name]["split"] in (split, None) for name, split in dealt.items())
    assert {after[name]["assigned_split"] for name in after if name.startswith("land.o9/") and "#" not in name} == {
        "train",
        "test",
    }
    strata = count_by_stratum(outcome.now)
    told: dict[str, set[str]] = {row["tile_id"]: set() for row in after.values() if row["kind"] == "tile" and row["selected"]}
    for label in outcome.now.labels().to_pylist():
        if label["tile_id"] in told and label["kind"] != "fact" and label["category"]:
            told[label["tile_id"]].add(label["category"])
    expected = Counter((after[name]["sensor"], what, after[name]["split"]) for name in told for what in {"", *told[name]})
    assert {(*key, split): count for key, counts in strata.items() for split, count in counts.items()} == expected
    assert card_facts(config_of(archive, SPLITS), outcome).strata == strata


def test_on_ray_the_selection_is_the_same(archive: Path, ray_session: None) -> None:
    rules = [
        "select.quotas={vqa: 9, category:ship: 6}",
        "select.balance={per_category: 8, repeat: {threshold: 0.5}}",
        "select.instruction_limits={answer_words: [2, 20], label_quality: [0.6, null]}",
    ]
    here = verdicts(build(archive, *rules))
    untold(archive / "lake")
    on_ray = load(str(archive / "build.yaml"), [SPLITS, *rules, "engine={kind: ray, select: ray}"])
    there = verdicts(run(on_ray, ["select"]))
    assert there == here
    with pytest.raises(ConfigError, match="select is ray, kind is inline"):
        config_of(archive, "engine.select=ray")


def test_a_diff_tells_by_the_selections_of_its_two_snapshots(archive: Path) -> None:
    root = build(archive, "select.quotas={sar: 0}").lake.root
    build(archive, "select.quotas={optical: 0}")
    write_scene(archive / "optical/o9.tif", optical(9), 900_000.0)
    build(archive, "select.quotas={captioning: 0}")
    first = diff(root, 1, 2)
    assert set(first.counts["samples removed"]) == {"quota"}
    assert set(first.counts["instructions removed"]) == {"quota:optical"}
    assert {reason.partition(", before: ")[2] for reason in first.counts["samples added"]} == {"quota"}
    assert {reason.partition(", before: ")[2] for reason in first.counts["instructions added"]} == {"quota:sar"}
    last = diff(root, 2, 3)
    assert set(last.counts["instructions removed"]) == {"quota:captioning"}
    assert {reason.partition(", before: ")[2] for reason in last.counts["samples added"]} == {"quota", "new"}
    for note in (archive / "lake/snapshots").glob("*.selection.json"):
        note.unlink()
    assert set(diff(root, 1, 2).counts["samples removed"]) == {SELECTION_LOST}
