"""A model is asked about what the selection keeps, and about nothing else: before it is paid, and again for what is let in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsflow.errors import LakeError
from rsflow.phases.build import BuildResult, plan_build, run
from rsflow.planning.estimates.estimate import estimate_build
from tests.archive import shards_of
from tests.generation.chat_server import serving
from tests.phases.label.test_generation import calm, written

KEPT = {"kept", "no_instruction", "quota"}  # reasons of tiles that pass all rules which need no instruction


def generated(result: BuildResult) -> list[dict[str, Any]]:
    return [row for row in result.now.instructions().to_pylist() if row["generator"].startswith("model:")]


def tiles_by_reason(result: BuildResult) -> dict[str, str]:
    rows = result.lake.read("selection", ["kind", "subject", "reason"]).to_pylist()
    return {row["subject"]: row["reason"] for row in rows if row["kind"] == "tile"}


def test_only_tiles_that_will_be_kept_are_paid_for(archive: Path) -> None:
    with serving(calm) as chat:
        every = run(written(archive, chat, "generation.tiles=all", f"root={archive}/all"))
        asked_of_all = len(chat.bodies)
        limit = sorted(row["contrast"] for row in every.now.tiles(["tile_id", "contrast"]).to_pylist())[12]
        chosen = run(written(archive, chat, f"select.limits={{contrast: [{limit}, null]}}"))
        reasons = tiles_by_reason(chosen)
        kept = {tile for tile, reason in reasons.items() if reason in KEPT}
        assert "limit:contrast" in reasons.values()
        assert {row["tile_id"] for row in generated(chosen)} <= kept
        assert 0 < len(chat.bodies) - asked_of_all < asked_of_all
        own = {row["instruction_id"] for row in generated(every) if row["tile_id"] in kept}
        assert {row["instruction_id"] for row in generated(chosen)} == own


def test_what_a_later_selection_lets_in_is_asked_then(archive: Path) -> None:
    with serving(calm) as chat:
        at_once = run(written(archive, chat, f"root={archive}/whole"))
        tiles = at_once.now.tiles(["tile_id", "contrast"]).to_pylist()
        limit = sorted(row["contrast"] for row in tiles)[12]
        whole, chat.bodies[:] = len(chat.bodies), []
        run(written(archive, chat, f"select.limits={{contrast: [{limit}, null]}}"))
        first = len(chat.bodies)
        later = run(written(archive, chat))
        assert 0 < first < len(chat.bodies) == whole  # nothing twice
        assert [row["instruction_id"] for row in generated(later)] == [row["instruction_id"] for row in generated(at_once)]
        assert run(written(archive, chat)).used == []
    expected, found = shards_of(archive / "whole"), shards_of(archive / "lake")
    assert {name: found.get(name) for name in expected} == expected


def test_a_plan_expects_no_more_than_what_is_chosen(archive: Path) -> None:
    with serving(calm) as chat:
        done = run(written(archive, chat, "generation.kinds=[description]"))
        kept = sum(reason in KEPT for reason in tiles_by_reason(done).values())
        changed = written(archive, chat, "generation.kinds=[description]", "generation.max_tokens=99")
        (work,) = estimate_build(changed, plan_build(changed, done.lake)).models
    assert (work.tiles, work.measured) == (kept, kept)
    assert kept < done.now.tiles(["tile_id"]).num_rows
    assert work.expected["requests"] == pytest.approx(done.used[0].amounts["requests"])


def test_quotas_are_known_before_a_model_is_asked(archive: Path) -> None:
    with serving(calm) as chat:
        result = run(written(archive, chat, "select.quotas={conversation: 0, description/sar: 3}"))
        rows = generated(result)
    texts = [(row["task"], row["tile_id"]) for row in rows]
    assert "conversation" not in {task for task, _ in texts}
    assert {"description", "reasoning"} <= {task for task, _ in texts}
    sea = {tile for task, tile in texts if task == "description" and tile.startswith("sea")}
    assert len(sea) <= 4  # three, and one to spare


def test_a_selection_waits_for_the_texts(archive: Path) -> None:
    with serving(calm) as chat:
        built = written(archive, chat)
        run(built, ("label",))
        assert chat.bodies == []
        with pytest.raises(LakeError, match="run `rsflow generate` first"):
            run(built, ("select",))
        run(built, ("generate",))
        asked = len(chat.bodies)
        assert asked > 0
        run(built, ("select", "shard"))
        assert len(chat.bodies) == asked
        with pytest.raises(LakeError, match="run `rsflow generate` first"):
            run(written(archive, chat, "select.near_bits=2"), ("select",))
