"""What the page's questions find, against the lake's tables read whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsflow.errors import UsageError
from rsflow.lake.tables import Lake, open_lake
from rsflow.stages.label.cut_scenes import tile_id, window_of_tile
from rsflow.tiles.encode import decode
from rsflow.viewer.queries.embedding_map import project
from rsflow.viewer.queries.filters import ORDERS, parse_filter
from rsflow.viewer.queries.ground_map import ground_map
from rsflow.viewer.queries.pages import count_rejects, count_values, reject_page, sample_page
from rsflow.viewer.queries.pictures import rejected_picture
from rsflow.viewer.queries.sample_records import sample_records
from rsflow.viewer.queries.scene_tiles import SceneTiles
from rsflow.viewer.server import State


@pytest.fixture(scope="module")
def lake(demo_lake: Path) -> Lake:
    return open_lake(str(demo_lake))


@pytest.fixture(scope="module")
def state(lake: Lake) -> State:
    return State.of(lake)


def every_sample(state: State, limit: int = 7, **query: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = sample_page(state.rows, parse_filter(query), after, limit)
        found += page["samples"]
        if page["next"] is None:
            return found
        after = page["next"]


@pytest.mark.parametrize("order", ORDERS)
def test_pages_hold_each_tile_once_in_every_order(lake: Lake, state: State, order: str) -> None:
    tiles = lake.read("tiles", ["tile_id"])["tile_id"].to_pylist()
    found = [row["tile_id"] for row in every_sample(state, order=[order])]
    assert sorted(found) == sorted(tiles)
    if order == "id":
        assert found == sorted(tiles)


def test_orders_sort_by_what_they_say(state: State) -> None:
    objects = [row["objects"] for row in every_sample(state, order=["objects"])]
    assert objects == sorted(objects, reverse=True)
    assert objects[0] > 0
    lowest = [
        min([label["score"] for label in row["labels"] if label["score"] is not None], default=2.0)
        for row in every_sample(state, order=["unsure"])
    ]
    assert lowest == sorted(lowest)


def test_filters_find_what_the_tables_say(lake: Lake, state: State) -> None:
    labels = lake.read("labels").to_pylist()
    selection = {row["subject"]: row for row in lake.read("selection").to_pylist()}
    tiles = {row["tile_id"]: row for row in lake.read("tiles", ["tile_id", "sensor", "source"]).to_pylist()}

    def ids(**query: list[str]) -> set[str]:
        return {row["tile_id"] for row in every_sample(state, **query)}

    assert ids(sensor=["sar", "infrared"]) == {tile for tile, row in tiles.items() if row["sensor"] != "optical"}
    assert ids(category=["ship"]) == {row["tile_id"] for row in labels if row["category"] == "ship"}
    confident = {row["tile_id"] for row in labels if row["category"] == "bright target" and (row["score"] or 0) >= 0.8}
    assert ids(category=["bright target"], min_score=["0.8"]) == confident
    kept = {tile for tile in tiles if selection[tile]["reason"] == "kept"}
    assert kept
    assert ids(reason=["kept"]) == kept
    assert ids(split=["train"], reason=["kept"]) == {tile for tile in kept if selection[tile]["split"] == "train"}
    tasks = lake.read("instructions", ["tile_id", "task"]).to_pylist()
    assert ids(task=["grounding"]) == {row["tile_id"] for row in tasks if row["task"] == "grounding"}


def test_bounds_are_of_one_label_together(lake: Lake, state: State) -> None:
    """A tile with a small ship and a large building has no large ship."""
    found = {row["tile_id"] for row in every_sample(state, category=["ship"], min_size=["30"], max_size=["60"])}
    expected = {
        row["tile_id"]
        for row in lake.read("labels").to_pylist()
        if row["kind"] == "box" and row["category"] == "ship" and 30 <= _side(row["box"]) <= 60
    }
    assert found == expected
    assert found < {row["tile_id"] for row in every_sample(state, category=["ship"])}


def _side(box: list[float]) -> float:
    return float(np.float32(np.sqrt((box[2] - box[0]) * (box[3] - box[1]))))


@pytest.mark.parametrize("text", ["ships", "SHIP", "0_0_256", "storage tank", "' OR true --", "no such words anywhere"])
def test_text_search_finds_ids_labels_and_turns(lake: Lake, state: State, text: str) -> None:
    wanted = text.lower()
    turns = lake.read("instructions", ["tile_id", "turns"]).to_pylist()
    expected = {row["tile_id"] for row in turns if wanted in " ".join(turn["text"] for turn in row["turns"]).lower()}
    labels = lake.read("labels", ["tile_id", "category", "text"]).to_pylist()
    expected |= {row["tile_id"] for row in labels if wanted in f"{row['category']} {row['text']}".lower()}
    tiles = lake.read("tiles", ["tile_id", "key"]).to_pylist()
    expected |= {row["tile_id"] for row in tiles if wanted in row["tile_id"].lower()}
    assert {row["tile_id"] for row in every_sample(state, text=[text])} == expected


def test_counts_are_of_the_other_filters(lake: Lake, state: State) -> None:
    counts = count_values(state.rows, parse_filter({"sensor": ["sar"], "reason": ["kept"]}))
    assert counts["total"] == len(every_sample(state, sensor=["sar"], reason=["kept"]))
    by_sensor = Counter(row["sensor"] for row in every_sample(state, reason=["kept"]))
    assert {row["value"]: row["count"] for row in counts["sensor"]} == by_sensor
    ships = [row["count"] for row in counts["category"] if row["value"] == "ship"]
    assert ships == [len(every_sample(state, sensor=["sar"], reason=["kept"], category=["ship"]))]


@pytest.mark.parametrize(
    "query",
    [{"order": ["nothing"]}, {"min_score": ["a"]}, {"box": ["1,2,3"]}, {"box": ["1,2,3,x"]}],
)
def test_a_wrong_filter_says_what_is_expected(query: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError, match="expected"):
        parse_filter(query)


@pytest.mark.parametrize("after", ["x", "1", "[]", '["a"]', '[1, "b"]', '{"n": 1}'])
def test_a_wrong_cursor_is_refused(state: State, after: str) -> None:
    with pytest.raises(UsageError, match="after"):
        sample_page(state.rows, parse_filter({}), after)


def test_a_sample_has_every_record(lake: Lake, state: State) -> None:
    for card in every_sample(state, limit=50):
        found = sample_records(state.rows, card["key"])
        tile = card["tile_id"]
        assert found["tile"]["tile_id"] == tile
        assert found["scene"]["scene_id"] == found["tile"]["scene_id"]
        assert [row["label_id"] for row in found["labels"]] == sorted(
            row["label_id"] for row in lake.read("labels", ["label_id"], {"tile_id": tile}).to_pylist()
        )
        assert {row["instruction_id"] for row in found["instructions"]} == {
            row["instruction_id"] for row in lake.read("instructions", ["instruction_id"], {"tile_id": tile}).to_pylist()
        }
        assert found["selection"]["subject"] == tile
        cluster = found["selection"]["cluster"]
        members = lake.read("selection", ["subject"], {"cluster": cluster})["subject"].to_pylist()
        assert {row["tile_id"] for row in found["duplicates"]} == set(members) - {tile}


def test_companions_show_the_same_ground(state: State) -> None:
    found = [sample_records(state.rows, card["key"]) for card in every_sample(state, limit=50)]
    assert any({row["sensor"] for row in each["companions"]} > {each["card"]["sensor"]} for each in found)
    for each in found:
        assert all(
            row["scene_id"] != each["card"]["scene_id"] and 0.3 <= row["overlap"] <= 1.0001 for row in each["companions"]
        )


def test_the_map_has_each_placed_sample_and_its_footprint(lake: Lake, state: State) -> None:
    found = ground_map(state.rows, parse_filter({}))
    rings = {row["key"]: row["footprint"] for row in lake.read("tiles", ["key", "footprint"]).to_pylist()}
    assert {key: ring for key, _, _, ring in found["outlines"]} == rings
    every = np.array([value for ring in rings.values() for value in ring]).reshape(-1, 2)
    assert found["extent"] == pytest.approx([*every.min(axis=0), *every.max(axis=0)])
    west, south, _, north = found["extent"]
    none = ground_map(state.rows, parse_filter({"box": [f"{west - 2},{south},{west - 1},{north}"]}))
    assert (none["placed"], none["extent"], none["outlines"]) == (0, None, [])


def test_a_map_of_many_counts_them_in_cells(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rsflow.viewer.queries.ground_map.MOST_OUTLINES", 3)
    found = ground_map(state.rows, parse_filter({}))
    assert found["outlines"] == []
    assert sum(cell[4] for cell in found["cells"]) == found["placed"] > 3


def test_rejects_are_paged_and_counted(lake: Lake, state: State) -> None:
    after, found = -1, list[dict[str, Any]]()
    while after is not None:
        page = reject_page(state.index, {}, after, 5)
        found += page["rejects"]
        after = page["next"]
    rows = lake.read("rejects").to_pylist()
    key = [(row["subject"], row["reason"], row["detail"]) for row in rows]
    assert sorted((row["subject"], row["reason"], row["detail"]) for row in found) == sorted(key)
    counted = Counter[str]()
    for row in count_rejects(state.index):
        counted[row["reason"]] += row["count"]
    assert counted == Counter(row["reason"] for row in rows)
    reason = rows[0]["reason"]
    assert {row["reason"] for row in reject_page(state.index, {"reason": reason})["rejects"]} == {reason}


def test_vectors_are_projected_to_their_principal_components() -> None:
    rng = np.random.default_rng(5)
    places = rng.normal(size=(200, 2)) * [10.0, 3.0]
    axes = np.linalg.qr(rng.normal(size=(16, 2)))[0]
    found, explained = project(places @ axes.T + 0.5)
    assert explained == pytest.approx(1.0)
    centred, expected = found - found.mean(axis=0), places - places.mean(axis=0)
    assert abs(np.corrcoef(centred[:, 0], expected[:, 0])[0, 1]) > 0.99
    assert np.array_equal(found, project(places @ axes.T + 0.5)[0])
    same, share = project(np.ones((4, 8)))
    assert np.isfinite(same).all()
    assert share == 0.0


def test_a_rejected_tile_is_cut_from_its_scene_again(hostile_lake: Path) -> None:
    index = State.of(open_lake(str(hostile_lake))).index
    (row,) = reject_page(index, {"kind": "tile"})["rejects"]
    assert tile_id(row["scene_id"], window_of_tile(row["subject"])) == row["subject"]
    picture = decode(rejected_picture(index, row["n"]))
    assert picture.shape == (96, 96, 3)
    assert np.abs(picture.astype(float) - (40, 90, 140)).max() < 4
    with pytest.raises(UsageError, match="no tile of this lake"):
        rejected_picture(index, 10**9)


def test_a_tile_whose_scene_is_elsewhere_is_not_shown() -> None:
    with pytest.raises(UsageError, match="not among the sources"):
        SceneTiles().cut("port.a", "port.a/0_0_256")


def test_a_kept_tile_cut_again_is_the_picture_of_its_file(state: State) -> None:
    for card in sample_page(state.rows, parse_filter({}), "", 200)["samples"][::9]:
        (row,) = state.index.rows("SELECT scene_id FROM samples WHERE n = $n", {"n": card["n"]})
        cut = decode(state.index.receipts.scenes.cut(row["scene_id"], card["tile_id"]))
        kept = decode(state.pictures.read(card["key"]).data)
        assert np.abs(cut.astype(float) - kept).mean() < 2.0
