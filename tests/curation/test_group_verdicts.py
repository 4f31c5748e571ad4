"""Groups are in where all their pictures may be shown on one side of every split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from rsflow.curation.drop_reasons import DropReasons
from rsflow.curation.group_verdicts import GroupMembers, judge_groups
from rsflow.curation.splits.split_groups import assign_splits


def members(*groups: tuple[int, ...], **columns: tuple[int, ...]) -> GroupMembers:
    count = len(groups)
    pairs = [(number, tile) for number, tiles in enumerate(groups) for tile in tiles]
    group, tile = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    state = np.array(columns.get("changed", [-1] * count), dtype=np.int64)
    source, kind = (np.array(columns.get(name, [0] * count), dtype=np.int64) for name in ("source", "kind"))
    return GroupMembers(count, group, tile, state, source, kind, np.arange(count, dtype=np.uint64))


def judged(found: GroupMembers, tiles: int, **more: Any) -> tuple[list[str], list[str | None]]:
    verdicts = DropReasons(tiles)
    for row, reason in more.get("dropped", {}).items():
        verdicts.drop(np.array([row]), reason)
    split = pa.array(more.get("split", ["train"] * tiles), pa.string())
    canonical = np.array(more.get("canonical", range(tiles)), dtype=np.int64)
    reasons, splits = judge_groups(found, canonical, verdicts, split)
    return reasons.texts().to_pylist()[tiles:], splits.to_pylist()[tiles:]


def test_a_duplicate_may_be_shown_and_what_left_for_another_reason_not() -> None:
    dropped = {1: "duplicate_near", 3: "held_out:x:exact"}
    reasons, _ = judged(members((0, 1), (2, 3)), 4, dropped=dropped, canonical=[0, 0, 2, 3])
    assert reasons == ["kept", "picture:held_out:x:exact"]


def test_a_duplicate_of_what_was_held_out_takes_its_group_along() -> None:
    dropped = {1: "duplicate_near", 2: "held_out:x:exact"}
    reasons, _ = judged(members((0, 1)), 3, dropped=dropped, canonical=[0, 2, 2])
    assert reasons == ["picture:held_out:x:exact"]


def test_pictures_of_two_splits_make_no_group() -> None:
    reasons, splits = judged(members((0, 1), (2, 3)), 4, split=["train", "test", "val", "val"])
    assert (reasons, splits[1]) == (["split_merged", "kept"], "val")


def test_of_groups_of_the_same_pictures_one_stays() -> None:
    reasons, _ = judged(members((0, 1), (2, 3), (1, 0)), 4, canonical=[0, 1, 0, 1])
    assert reasons == ["kept", "duplicate_exact", "kept"]


def test_of_each_source_no_more_unchanged_groups_stay_than_changed_ones() -> None:
    groups = [(2 * number, 2 * number + 1) for number in range(8)]
    found = members(*groups, changed=(1, 0, 0, 1, 0, 0, 0, -1), source=(0, 0, 0, 0, 0, 1, 1, 1))
    reasons, _ = judged(found, 16)
    assert reasons == ["kept", "kept", "kept", "kept", "unchanged", "kept", "unchanged", "kept"]


def test_ties_put_the_pictures_of_a_group_on_one_side() -> None:
    count = 400
    names = [f"s{number}" for number in range(count)]
    tiles = pa.table({"tile_id": names, "cluster": names, "cell": pa.nulls(count, pa.string()), "scene_id": names})
    found = members(*[(number, count - 1 - number) for number in range(count // 2)])
    split = assign_splits(tiles, {"train": 0.5, "test": 0.5}, 3, ties=found.ties(np.arange(count))).to_pylist()
    assert len(set(split)) == 2
    assert all(split[number] == split[count - 1 - number] for number in range(count // 2))
