"""Which tiles of a cell form groups."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from rsflow.cells.groups import CellGroup, CellTile, form_groups, tiles_without_time
from rsflow.config.group_settings import Groups


def tile(
    name: str, sensor: str = "optical", time: str | None = "2020-06-01", valid: float = 1.0, cloud: float | None = 0.0
) -> CellTile:
    return CellTile(name, sensor, datetime.fromisoformat(time).replace(tzinfo=UTC) if time else None, valid, cloud)


def names(groups: list[CellGroup], kind: str) -> dict[str, list[tuple[str, str]]]:
    return {group.name: [(tile.tile_id, role) for tile, role in group.members] for group in groups if group.kind == kind}


def test_the_dates_of_a_sensor_are_in_order_of_time() -> None:
    tiles = [tile("c", time="2020-03-01"), tile("a", time="2021-01-01"), tile("b", time="2019-01-01"), tile("s", "sar")]
    assert names(form_groups(tiles, Groups()), "dates") == {"optical": [("b", "date1"), ("c", "date2"), ("a", "date3")]}


def test_of_three_dates_and_more_there_are_pairs_too() -> None:
    tiles = [tile("b", time="2020-03-01"), tile("c", time="2021-01-01"), tile("a", time="2019-01-01")]
    pairs = names(form_groups(tiles, Groups()), "pairs")
    assert {name: [member for member, _ in members] for name, members in pairs.items()} == {
        "optical:date1-date2": ["a", "b"],
        "optical:date1-date3": ["a", "c"],
        "optical:date2-date3": ["b", "c"],
    }
    assert {role for members in pairs.values() for _, role in members} == {"before", "after"}
    # Two dates are a group of dates already, where these are asked for.
    assert names(form_groups(tiles[:2], Groups()), "pairs") == {}
    assert list(names(form_groups(tiles[:2], Groups(kinds=("pairs",))), "pairs")) == ["optical:date1-date2"]


def test_the_order_of_tiles_does_not_matter() -> None:
    tiles = [
        tile(f"{sensor}{day}", sensor, f"2020-06-{day:02d}", valid=0.5 + day / 50)
        for sensor in ("optical", "sar", "infrared")
        for day in range(1, 12)
    ]
    expected = form_groups(tiles, Groups())
    for seed in range(5):
        shuffled = random.Random(seed).sample(tiles, len(tiles))
        assert form_groups(shuffled, Groups()) == expected


def test_of_one_day_the_tile_with_most_valid_ground_stands() -> None:
    tiles = [tile("a", valid=0.6), tile("b", valid=0.9), tile("c", time="2020-07-01")]
    assert names(form_groups(tiles, Groups()), "dates") == {"optical": [("b", "date1"), ("c", "date2")]}


def test_two_tiles_of_one_day_are_no_group_of_dates() -> None:
    assert form_groups([tile("a"), tile("b")], Groups()) == []


def test_one_per_season_counts_december_to_the_next_year() -> None:
    times = ["2019-12-05", "2020-01-10", "2020-02-28", "2020-03-01", "2020-11-30", "2020-12-01"]
    tiles = [tile(time, time=time, valid=0.5 + number / 20) for number, time in enumerate(times)]
    found = names(form_groups(tiles, Groups(policy="seasons")), "dates")["optical"]
    assert [name for name, _ in found] == ["2020-02-28", "2020-03-01", "2020-11-30", "2020-12-01"]


def test_clouded_tiles_are_left_out_and_unknown_cloud_comes_last() -> None:
    tiles = [
        tile("a", cloud=0.5),
        tile("b", time="2020-06-02", cloud=0.05),
        tile("c", time="2020-06-02", cloud=None),
        tile("d", time="2020-06-03"),
    ]
    found = names(form_groups(tiles, Groups(policy="cloud_free")), "dates")["optical"]
    assert [name for name, _ in found] == ["b", "d"]


def test_more_dates_than_asked_for_leave_by_policy() -> None:
    tiles = [tile(f"{day:02d}", time=f"2020-06-{day:02d}", valid=1 - day / 100) for day in range(1, 11)]
    best = names(form_groups(tiles, Groups(max_dates=3)), "dates")["optical"]
    newest = names(form_groups(tiles, Groups(max_dates=3, policy="nearest")), "dates")["optical"]
    assert [name for name, _ in best] == ["01", "02", "03"]
    assert [name for name, _ in newest] == ["08", "09", "10"]


@pytest.mark.parametrize(
    ("settings", "companion"),
    [
        ({"policy": "valid"}, "far"),
        ({"policy": "nearest"}, "near"),
        ({"policy": "seasons", "window_days": 100}, "far"),
        ({"policy": "valid", "window_days": 3}, "near"),
        ({"policy": "valid", "window_days": 0.5}, None),
        ({"policy": "valid", "window_days": None}, "timeless"),
    ],
)
def test_another_sensor_is_chosen_by_policy_within_the_window(settings: dict[str, Any], companion: str | None) -> None:
    tiles = [
        tile("optical", time="2020-06-10"),
        tile("near", "sar", "2020-06-12", valid=0.7),
        tile("far", "sar", "2020-06-25", valid=0.9),
        tile("spring", "sar", "2020-05-20", valid=0.8),
        tile("timeless", "sar", None, valid=0.95),
    ]
    found = names(form_groups(tiles, Groups(kinds=("sensors",), **settings)), "sensors")
    assert found == ({"optical": [("optical", "optical"), (companion, "sar")]} if companion else {})


def test_every_tile_of_the_first_sensor_has_its_group_of_all_sensors() -> None:
    tiles = [tile("o1"), tile("o2", time="2020-06-02"), tile("s", "sar"), tile("i", "infrared", "2020-06-03")]
    found = names(form_groups(tiles, Groups(kinds=("sensors",))), "sensors")
    assert found == {name: [(name, "optical"), ("s", "sar"), ("i", "infrared")] for name in ("o1", "o2")}


def test_tiles_without_a_time_are_named_where_one_is_needed() -> None:
    tiles = [tile("b", time=None), tile("a", "sar", None), tile("c")]
    assert [each.tile_id for each in tiles_without_time(tiles, Groups())] == ["a", "b"]
    assert tiles_without_time(tiles, Groups(kinds=("sensors",), window_days=None)) == []
