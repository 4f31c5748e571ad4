"""The whole choice beside a slow plain one, and its laws: order means nothing, chunks mean nothing, nothing leaks."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.config.select_settings import Select
from rsflow.curation.instruction_columns import build_id_index, encode_instructions
from rsflow.curation.select_samples import SelectionResult, select_samples
from rsflow.curation.splits.leakage import find_leaks

STEP = 0.05
SHARES = {"train": 0.5, "val": 0.3, "test": 0.2}
TILES = pa.schema(
    [
        *((name, pa.string()) for name in ("tile_id", "scene_id", "source", "sensor", "licence", "cell", "source_split")),
        *((name, pa.string()) for name in ("picture_sha256", "pixels_sha256")),
        *((name, pa.int64()) for name in ("signature", "height_px", "width_px", "n_labels")),
        *((name, pa.float64()) for name in ("gsd_m", "sharpness")),
        ("footprint", pa.list_(pa.float64())),
        ("scene_rejected", pa.bool_()),
    ]
)
INSTRUCTIONS = pa.schema([(name, pa.string()) for name in ("instruction_id", "tile_id", "task")])


def tile(k: int, **more: Any) -> dict[str, Any]:
    """A tile on its own; `at` puts it on the ground, as the `at`-th of a row of touching squares, five to a cell."""
    at = more.pop("at", None)
    own: dict[str, Any] = {
        "tile_id": f"s{k}/0_0_8",
        "scene_id": f"s{k}",
        "source": "a",
        "sensor": "optical",
        "licence": "CC0-1.0",
    }
    own |= {"picture_sha256": f"p{k}", "pixels_sha256": f"x{k}", "height_px": 8, "width_px": 8, "n_labels": 0}
    own |= {"sharpness": 5.0, "scene_rejected": False, "signature": None, "footprint": None}
    if at is not None:
        west = at * STEP
        own |= {"cell": f"c{at // 5}", "footprint": [west, 0.0, west + STEP, 0.0, west + STEP, STEP, west, STEP]}
    return own | more


def tables(tiles: list[dict[str, Any]], said: list[tuple[int, str, str]]) -> tuple[pa.Table, pa.Table]:
    """`said`: (tile, task, text)."""
    rows = [
        {"instruction_id": f"{tiles[k]['tile_id']}#{task}#{text}", "tile_id": tiles[k]["tile_id"], "task": task}
        for k, task, text in dict.fromkeys(said)
    ]
    return pa.Table.from_pylist(tiles, schema=TILES), pa.Table.from_pylist(rows, schema=INSTRUCTIONS)


def no_pictures(pairs: np.ndarray) -> np.ndarray:
    raise AssertionError("no picture should be looked at")


def chosen(tiles: pa.Table, instructions: pa.Table, held_out_matches: pa.Array | None = None, **select: Any) -> SelectionResult:
    numbers = encode_instructions(instructions, build_id_index(tiles["tile_id"]), 0)
    return select_samples(tiles, numbers, Select(**{"splits": SHARES, **select}), 0, no_pictures, held_out_matches)


def told(tiles: pa.Table, instructions: pa.Table, choice: SelectionResult) -> dict[str, Any]:
    """Everything that was decided, by name."""
    ids = tiles["tile_id"].to_pylist()
    facts: dict[str, Any] = {
        name: (reason, ids[canonical], split)
        for name, reason, canonical, split in zip(
            ids, choice.tiles.texts().to_pylist(), choice.canonical.tolist(), choice.split.to_pylist(), strict=True
        )
    }
    names, why = instructions["instruction_id"].to_pylist(), choice.instructions.texts().to_pylist()
    return facts | {name: (reason, ids[at]) for name, reason, at in zip(names, why, choice.host.tolist(), strict=True)}


SOME = st.lists(
    st.tuples(
        st.integers(0, 25),  # picture: 26 of them, so that there are equal ones
        st.none() | st.integers(0, 40),  # place
        st.sampled_from([None, None, None, "train", "test", "validation"]),
        st.sampled_from(["CC0-1.0", "secret"]),
        st.sampled_from("ab"),
        st.booleans(),
    ),
    max_size=25,
)
SAID = st.lists(st.tuples(st.integers(0, 24), st.sampled_from(["vqa", "captioning"]), st.sampled_from("uvw")), max_size=40)


@settings(max_examples=60, deadline=None)
@given(SOME, SAID, st.randoms(use_true_random=False))
def test_laws(items: list[Any], said: list[Any], random: Any) -> None:
    rows = [
        tile(k, picture_sha256=f"p{picture}", at=at, source_split=split, licence=licence, source=source, scene_rejected=bad)
        for k, (picture, at, split, licence, source, bad) in enumerate(items)
    ]
    tiles, instructions = tables(rows, [one for one in said if one[0] < len(rows)])
    rules = {"allow_licences": ("CC0-1.0",), "quotas": {"vqa": 5}}
    choice = chosen(tiles, instructions, **rules)
    facts = told(tiles, instructions, choice)

    kept = np.flatnonzero(choice.tiles.kept)
    table = tiles.take(pa.array(kept)).append_column("split", choice.split.take(pa.array(kept)))
    assert find_leaks(table) == []
    assert [split is None for split in choice.split.to_pylist()] == (~choice.tiles.kept).tolist()
    clusters = defaultdict(set)
    for row in rows:
        if not row["scene_rejected"] and row["licence"] == "CC0-1.0":
            clusters[row["picture_sha256"]].add(row["tile_id"])
        else:
            assert facts[row["tile_id"]][0] == ("scene_rejected" if row["scene_rejected"] else "licence")
    for members in clusters.values():
        assert sum(facts[name][0] != "duplicate_exact" for name in members) == 1
        split = {row["source_split"] for row in rows if row["tile_id"] in members}
        alive = {facts[name][2] for name in members} - {None}
        assert "train" not in alive or not split & {"test", "validation"}
    for name, why in zip(instructions["instruction_id"].to_pylist(), choice.instructions.texts().to_pylist(), strict=True):
        assert why != "kept" or facts[facts[name][1]][0] == "kept"
    assert sum(fact[0] == "kept" and "#vqa#" in name for name, fact in facts.items()) <= 5

    order = pa.array(random.sample(range(len(rows)), len(rows)), pa.int64())
    other = pa.array(random.sample(range(instructions.num_rows), instructions.num_rows), pa.int64())
    again = tiles.take(order), instructions.take(other)
    assert told(*again, chosen(*again, **rules)) == facts
    split_up = [pa.concat_tables([t.slice(i, 3) for i in range(0, t.num_rows, 3)] or [t]) for t in (tiles, instructions)]
    parts, said_parts = split_up
    assert told(parts, said_parts, chosen(parts, said_parts, **rules)) == facts


def test_no_tile_changes_its_split_when_data_is_added() -> None:
    tiles, said = [tile(k, at=k) for k in range(60)], [(k, "vqa", "u") for k in range(120)]
    before = told(*tables(tiles, said[:60]), chosen(*tables(tiles, said[:60])))
    more = tiles + [tile(60 + k, at=k, sensor="sar") for k in range(60)]
    after = told(*tables(more, said), chosen(*tables(more, said)))
    assert {before[row["tile_id"]][2] for row in tiles} >= {"train", "test"}
    assert all(after[row["tile_id"]][2] in {before[row["tile_id"]][2], None} for row in tiles)


def test_what_another_source_says_goes_with_the_tile_that_stays() -> None:
    tiles = [tile(0, n_labels=3), tile(1, picture_sha256="p0", source="b"), tile(2, picture_sha256="p0")]
    said = [(0, "vqa", "u"), (1, "vqa", "u"), (1, "vqa", "v"), (2, "vqa", "w"), (2, "captioning", "w")]
    facts = told(*tables(tiles, said), chosen(*tables(tiles, said)))
    assert facts["s0/0_0_8#vqa#u"] == ("kept", "s0/0_0_8")
    assert facts["s1/0_0_8#vqa#u"] == ("duplicate_text", "s0/0_0_8")
    assert facts["s1/0_0_8#vqa#v"] == ("kept", "s0/0_0_8")
    assert facts["s2/0_0_8#vqa#w"] == ("tile:duplicate_exact", "s2/0_0_8")
    assert facts["s2/0_0_8#captioning#w"] == ("kept", "s0/0_0_8")
    small = [tiles[0], {**tiles[1], "height_px": 4}, tiles[2]]
    assert told(*tables(small, said), chosen(*tables(small, said)))["s1/0_0_8#vqa#v"][0] == "tile:duplicate_exact"


@pytest.mark.parametrize(("other", "moves"), [({"pixels_sha256": "x0"}, True), ({"signature": 1}, False)])
def test_within_a_source_only_equal_pixels_share_what_is_said(other: dict[str, Any], moves: bool) -> None:
    """Two frames of one place are near duplicates, and hold different numbers of people."""
    pair = [tile(0, signature=1, sharpness=9.0), tile(1, **other)]
    tiles, instructions = tables(pair, [(0, "captioning", "a"), (1, "vqa", "b")])
    numbers = encode_instructions(instructions, build_id_index(tiles["tile_id"]), 0)
    found = select_samples(tiles, numbers, Select(splits=SHARES), 0, lambda pairs: np.ones(len(pairs), dtype=np.bool_), None)
    assert found.canonical.tolist() == [0, 0]
    assert found.host.tolist() == ([0, 0] if moves else [0, 1])


def test_a_caught_tile_leaves_with_its_cluster() -> None:
    tiles = [tile(0), tile(1, picture_sha256="p0"), tile(2)]
    held_out_matches = pa.array([None, "ucm:near", None])
    facts = told(*tables(tiles, []), chosen(*tables(tiles, []), held_out_matches=held_out_matches))
    assert facts["s0/0_0_8"][0] == "held_out:ucm:cluster"
    assert facts["s1/0_0_8"][0] == "duplicate_exact"
    assert facts["s2/0_0_8"][0] == "no_instruction"


def test_limits_and_splits_that_this_dataset_lacks() -> None:
    tiles = [tile(0, sharpness=1.0), tile(1, sharpness=9.0), tile(2, sharpness=None), tile(3, source_split="test")]
    found = chosen(*tables(tiles, []), limits={"sharpness": (2.0, 8.0)}, splits={"train": 1.0}).tiles.texts().to_pylist()
    assert found == ["limit:sharpness", "limit:sharpness", "no_instruction", "held_out:source"]
