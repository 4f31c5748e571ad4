"""Laws of quotas: limits hold, larger keeps what smaller kept, order and added data mean little."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.curation.balance.quotas import apply_quotas, check_quotas
from rsflow.errors import ConfigError

TASKS, SENSORS = ("vqa", "captioning"), ("optical", "sar")
KEYS = [*TASKS, *SENSORS, *(f"{task}/{sensor}" for task in TASKS for sensor in SENSORS)]
ITEMS = st.lists(st.tuples(st.sampled_from(TASKS), st.sampled_from(SENSORS)), max_size=30)
QUOTAS = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 8))


def table(items: list[tuple[str, str]], **more: list[Any]) -> pa.Table:
    columns = {"instruction_id": [f"i{k}" for k in range(len(items))], "tile_id": [f"t{k}" for k in range(len(items))]}
    columns |= {"task": [task for task, _ in items], "sensor": [sensor for _, sensor in items]}
    plain = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    for name, values in more.items():
        plain = plain.append_column(name, pa.array(values, pa.int64()))
    return plain


def kept(instructions: pa.Table, quotas: dict[str, int], seed: int = 0) -> set[str]:
    selected, reason = apply_quotas(instructions, quotas, seed)
    assert selected.equals(reason.is_null())
    return set(instructions.filter(selected)["instruction_id"].to_pylist())


@settings(max_examples=100, deadline=None)
@given(ITEMS, QUOTAS, st.dictionaries(st.sampled_from(KEYS), st.integers(0, 5)), st.integers(0, 3), st.randoms())
def test_laws(items: list[tuple[str, str]], quotas: dict[str, int], more: dict[str, int], seed: int, random: Any) -> None:
    instructions = table(items)
    small = kept(instructions, quotas, seed)
    counts = Counter(
        key
        for row in instructions.to_pylist()
        if row["instruction_id"] in small
        for key in (row["task"], row["sensor"], f"{row['task']}/{row['sensor']}")
    )
    assert all(counts[key] <= quota for key, quota in quotas.items())
    assert small <= kept(instructions, {key: quota + more.get(key, 0) for key, quota in quotas.items()}, seed)
    order = random.sample(range(len(items)), len(items))
    assert kept(instructions.take(pa.array(order, pa.int64())), quotas, seed) == small
    assert kept(instructions, {}) == set(instructions["instruction_id"].to_pylist())


@settings(max_examples=50, deadline=None)
@given(ITEMS, st.sampled_from(KEYS), st.integers(0, 20))
def test_a_single_quota_is_filled(items: list[tuple[str, str]], key: str, quota: int) -> None:
    concerned = [k for k, (task, sensor) in enumerate(items) if key in (task, sensor, f"{task}/{sensor}")]
    result = kept(table(items), {key: quota})
    assert len(result) == len(items) - max(0, len(concerned) - quota)


def test_added_data_pushes_out_only_what_it_replaces() -> None:
    items = [("vqa", "optical")] * 1000
    before = kept(table(items), {"vqa": 300})
    after = kept(table([*items, *items[:100]]), {"vqa": 300})
    replaced = len(after - before)
    assert after - before <= {f"i{k}" for k in range(1000, 1100)}
    assert len(before - after) == replaced
    assert 10 < replaced < 50


def test_reasons_name_the_narrowest_quota_first() -> None:
    quotas = {"sar": 0, "vqa": 0, "vqa/sar": 0}
    items = [("vqa", "sar"), ("vqa", "optical"), ("captioning", "sar"), ("captioning", "optical")]
    _, reason = apply_quotas(table(items), quotas, 0)
    assert reason.to_pylist() == ["quota:vqa/sar", "quota:vqa", "quota:sar", None]


def test_priority_comes_before_the_hash() -> None:
    items = [("vqa", "optical")] * 60
    instructions = table(items, priority=[k % 3 for k in range(60)])
    assert kept(instructions, {"vqa": 20}) == {f"i{k}" for k in range(0, 60, 3)}
    some = kept(instructions, {"vqa": 30})
    assert {f"i{k}" for k in range(0, 60, 3)} < some
    assert {int(name[1:]) % 3 for name in some} == {0, 1}


def test_seed_changes_the_choice() -> None:
    instructions = table([("vqa", "optical")] * 100)
    assert kept(instructions, {"vqa": 50}, 0) != kept(instructions, {"vqa": 50}, 1)


def test_unknown_quota_keys_are_listed_with_the_known() -> None:
    check_quotas(dict.fromkeys(KEYS, 1), TASKS, SENSORS)
    with pytest.raises(ConfigError, match=r"unknown keys 'vga', 'sar/vqa'; a key is a task \(vqa, captioning\), a sensor"):
        check_quotas({"vga": 1, "sar": 2, "sar/vqa": 3}, TASKS, SENSORS)
