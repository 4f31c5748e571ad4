"""What decisions do to the next build: labels, instructions and samples leave or change, and nothing else does."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rsflow.lake.tables import Lake, open_lake
from rsflow.review.decisions import make_decision
from rsflow.review.store import add_decisions
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from tests.review.conftest import Rebuild


def samples(root: Path) -> dict[str, dict[str, Any]]:
    """Every sample's record in the latest snapshot, by tile."""
    found = {}
    for split in read_snapshot(str(root)).splits.values():
        for shard in split.shards:
            for sample in ShardReader(str(root), shard):
                found[sample.record["tile_id"]] = {**sample.record, "shard": shard.sha256}
    return found


def labels_of(lake: Lake, tile: str) -> list[dict[str, Any]]:
    return sorted(lake.read("labels", where={"tile_id": tile}).to_pylist(), key=lambda row: str(row["label_id"]))


def instructions_of(lake: Lake, tile: str) -> list[dict[str, Any]]:
    return sorted(lake.read("instructions", where={"tile_id": tile}).to_pylist(), key=lambda row: str(row["instruction_id"]))


def annotated_tile(root: Path, category: str = "ship") -> str:
    """The first selected tile with exactly one annotated box of a category."""
    lake = open_lake(str(root))
    for tile in sorted(samples(root)):
        boxes = [row for row in labels_of(lake, tile) if row["kind"] == "box" and row["origin"] == "annotation"]
        if sum(row["category"] == category for row in boxes) == 1 and len(boxes) <= 6:
            return tile
    raise AssertionError(f"no tile with one {category}")


def box_of(root: Path, tile: str, category: str = "ship") -> dict[str, Any]:
    rows = labels_of(open_lake(str(root)), tile)
    return next(row for row in rows if row["kind"] == "box" and row["category"] == category and row["origin"] == "annotation")


def decide(root: Path, *words: Any, **more: Any) -> None:
    add_decisions(open_lake(str(root)), [make_decision(*words, **more)])


def unchanged(before: dict[str, Any], after: dict[str, Any], touched: set[str]) -> None:
    """All other samples are the same, and lie in shards of the same bytes where no touched sample lies with them."""
    for tile in (before.keys() | after.keys()) - touched:
        assert {**before[tile], "shard": ""} == {**after[tile], "shard": ""}
    moved = {row["shard"] for tile, row in before.items() if tile in touched}
    kept = {row["shard"] for row in before.values()} - moved
    assert kept
    assert kept <= {row["shard"] for row in after.values()}


def test_a_build_without_decisions_does_nothing(demo: Path, rebuild: Rebuild) -> None:
    before = samples(demo)
    rebuild()
    assert samples(demo) == before


def test_accepting_changes_nothing(demo: Path, rebuild: Rebuild) -> None:
    before = samples(demo)
    tile = annotated_tile(demo)
    decide(demo, "label", "accept", tile, "ada", box_of(demo, tile))
    decide(demo, "sample", "accept", tile, "ada", None)
    decide(demo, "instruction", "accept", tile, "ada", instructions_of(open_lake(str(demo)), tile)[0])
    rebuild()
    assert samples(demo) == before


def test_a_rejected_label_leaves_with_all_that_is_said_of_it(demo: Path, rebuild: Rebuild) -> None:
    before = samples(demo)
    tile = annotated_tile(demo)
    decide(demo, "label", "reject", tile, "ada", box_of(demo, tile), reason="not_there")
    rebuild()
    after = samples(demo)
    assert "ship" in {thing["category"] for thing in before[tile]["objects"]}
    assert "ship" not in {thing["category"] for thing in after[tile]["objects"]}
    said = [turn["text"] for item in after[tile]["instructions"] for turn in item["turns"]]
    assert not any("a ship" in text or "one ship" in text for text in said if "?" not in text)
    # Every ship of the tile is known still, so that there are none can be said.
    assert "ship" in after[tile]["vocabulary"]
    unchanged(before, after, {tile})


def test_where_the_object_stays_nothing_is_said_of_all_of_them(demo: Path, rebuild: Rebuild) -> None:
    tile = annotated_tile(demo)
    decide(demo, "label", "reject", tile, "ada", box_of(demo, tile), reason="wrong_place")
    rebuild()
    said = [turn["text"].lower() for item in samples(demo)[tile]["instructions"] for turn in item["turns"]]
    assert not any(f"no {word}" in text for text in said for word in ("ship", "ships"))
    assert not any("how many ships" in text for text in said)


def test_a_corrected_category_replaces_the_claim(demo: Path, rebuild: Rebuild) -> None:
    before = samples(demo)
    tile = annotated_tile(demo)
    decide(demo, "label", "correct", tile, "ada", box_of(demo, tile), {"category": "ferry"})
    rebuild()
    after = samples(demo)
    (ferry,) = [thing for thing in after[tile]["objects"] if thing["category"] == "ferry"]
    (ship,) = [thing for thing in before[tile]["objects"] if thing["category"] == "ship"]
    assert ferry["box"] == ship["box"]
    assert "ship" not in {thing["category"] for thing in after[tile]["objects"]}
    assert any("ferry" in turn["text"].lower() for item in after[tile]["instructions"] for turn in item["turns"])
    unchanged(before, after, {tile})


def test_a_corrected_box_is_where_the_person_drew_it(demo: Path, rebuild: Rebuild) -> None:
    tile = annotated_tile(demo)
    decide(demo, "label", "correct", tile, "ada", box_of(demo, tile), {"box": [10.0, 20.0, 60.0, 90.0]})
    rebuild()
    boxes = [thing["box"] for thing in samples(demo)[tile]["objects"] if thing["category"] == "ship"]
    assert boxes == [[10.0, 20.0, 60.0, 90.0]]


def test_an_added_label_is_told_of(demo: Path, rebuild: Rebuild) -> None:
    tile = annotated_tile(demo)
    decide(demo, "label", "add", tile, "ada", None, {"category": "lighthouse", "box": [100.0, 100.0, 130.0, 150.0]})
    rebuild()
    found = samples(demo)[tile]
    assert [100.0, 100.0, 130.0, 150.0] in [thing["box"] for thing in found["objects"] if thing["category"] == "lighthouse"]
    assert any("lighthouse" in turn["text"] for item in found["instructions"] for turn in item["turns"])


def test_a_rejected_instruction_leaves_alone(demo: Path, rebuild: Rebuild) -> None:
    before = samples(demo)
    tile = annotated_tile(demo)
    chosen = before[tile]["instructions"][0]
    row = next(row for row in instructions_of(open_lake(str(demo)), tile) if row["instruction_id"] == chosen["id"])
    decide(demo, "instruction", "reject", tile, "ada", row, reason="wrong")
    rebuild()
    after = samples(demo)
    gone = {item["id"] for item in before[tile]["instructions"]} - {item["id"] for item in after[tile]["instructions"]}
    assert gone == {chosen["id"]}
    reason = open_lake(str(demo)).read("selection", ["reason"], {"subject": chosen["id"]})["reason"].to_pylist()
    assert reason == ["review:rejected"]
    unchanged(before, after, {tile})


def test_a_corrected_text_stands_in_the_place_of_the_first(demo: Path, rebuild: Rebuild) -> None:
    before = samples(demo)
    tile = annotated_tile(demo)
    chosen = next(item for item in before[tile]["instructions"] if item["task"] == "captioning")
    row = next(row for row in instructions_of(open_lake(str(demo)), tile) if row["instruction_id"] == chosen["id"])
    turns = [row["turns"][0], {"role": "assistant", "text": "A harbour basin with a single moored ship."}]
    decide(demo, "instruction", "correct", tile, "ada", row, {"turns": turns})
    rebuild()
    after = samples(demo)
    said = [item["turns"][-1]["text"] for item in after[tile]["instructions"] if item["task"] == "captioning"]
    assert "A harbour basin with a single moored ship." in said
    assert chosen["id"] not in {item["id"] for item in after[tile]["instructions"]}
    unchanged(before, after, {tile})
    made = next(row for row in instructions_of(open_lake(str(demo)), tile) if row["generator"] == "review")
    further = [turns[0], {"role": "assistant", "text": "A harbour basin."}]
    decide(demo, "instruction", "correct", tile, "ada", made, {"turns": further})
    rebuild()
    said = [item["turns"][-1]["text"] for item in samples(demo)[tile]["instructions"] if item["task"] == "captioning"]
    assert "A harbour basin." in said
    assert "A harbour basin with a single moored ship." not in said


def test_a_rejected_sample_leaves_whole(demo: Path, rebuild: Rebuild) -> None:
    tile = annotated_tile(demo)
    decide(demo, "sample", "reject", tile, "ada", None, reason="unusable_picture")
    rebuild()
    after = samples(demo)
    assert tile not in after
    assert open_lake(str(demo)).read("selection", ["reason"], {"subject": tile})["reason"].to_pylist() == ["review:rejected"]


def test_a_decision_that_is_taken_back_leaves_no_trace(demo: Path, rebuild: Rebuild) -> None:
    before = samples(demo)
    tile = annotated_tile(demo)
    row = box_of(demo, tile)
    decide(demo, "label", "reject", tile, "ada", row, reason="not_there")
    rebuild()
    assert samples(demo) != before
    decide(demo, "label", "accept", tile, "ada", row)
    rebuild()
    assert samples(demo) == before


def test_who_and_when_enter_no_sample(demo: Path, rebuild: Rebuild, built_demo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(demo, other)
    tile = annotated_tile(demo)
    row = box_of(demo, tile)
    decide(demo, "label", "correct", tile, "ada", row, {"category": "ferry"}, decided_at=datetime(2024, 1, 1, tzinfo=UTC))
    decide(
        other,
        "label",
        "correct",
        tile,
        "grace",
        row,
        {"category": "ferry"},
        note="sure",
        decided_at=datetime(2025, 6, 1, tzinfo=UTC),
    )
    rebuild()
    Rebuild(built_demo / "demo.yaml", other)()
    assert samples(demo) == samples(other)


@pytest.mark.parametrize("setting", ["labels.min_visibility=0.15", "render.quality=80"])
def test_a_correction_survives_that_the_scenes_are_labelled_again(demo: Path, rebuild: Rebuild, setting: str) -> None:
    tile = annotated_tile(demo)
    decide(demo, "label", "correct", tile, "ada", box_of(demo, tile), {"category": "ferry"})
    rebuild(setting)
    assert "ferry" in {thing["category"] for thing in samples(demo)[tile]["objects"]}


def test_a_correction_of_what_is_no_longer_claimed_has_no_effect(demo: Path, rebuild: Rebuild) -> None:
    """Without its annotation there is nothing to correct."""
    tile = annotated_tile(demo)
    decide(demo, "label", "correct", tile, "ada", box_of(demo, tile), {"category": "ferry"})
    rebuild()
    lake = open_lake(str(demo))
    assert lake.read("reviews").num_rows == 1
    again = make_decision(
        "label", "correct", tile, "ada", {**box_of(demo, tile), "box": [1.0, 1.0, 5.0, 5.0]}, {"category": "buoy"}
    )
    add_decisions(lake, [again])
    rebuild()
    assert "buoy" not in {thing["category"] for thing in samples(demo)[tile]["objects"]}


def test_quotas_count_a_corrected_category(demo: Path, rebuild: Rebuild) -> None:
    """The instructions about the ferry are of the category that the person gave it."""
    tile = annotated_tile(demo)
    decide(demo, "label", "correct", tile, "ada", box_of(demo, tile), {"category": "ferry"})
    rebuild("select.quotas={'category:ferry': 1}")
    lake = open_lake(str(demo))
    rows = instructions_of(lake, tile)
    about = [row["instruction_id"] for row in rows if any("#review-" in name for name in row["label_ids"])]
    reasons = lake.read("selection", ["reason"], {"subject": about})["reason"].to_pylist()
    assert len(reasons) > 1
    assert sorted(reasons) == ["kept", *["quota:category:ferry"] * (len(reasons) - 1)]
