"""Mixes: met to the instruction or refused with what is missing; a larger one holds the smaller."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.config.select_settings import Balance
from rsflow.curation.balance.mixture import balance_instructions, counts_by_temperature
from rsflow.curation.balance.quotas import is_among_first, is_over_cap
from rsflow.curation.hashing import stable_hashes
from rsflow.errors import ConfigError

HELD = {"vqa": 100, "captioning": 40, "detection": 10}


def table(counts: dict[str, int] = HELD) -> pa.Table:
    tasks = [task for task, count in counts.items() for _ in range(count)]
    return pa.table(
        {"instruction_id": [f"i{k}" for k in range(len(tasks))], "task": tasks, "source": ["a", "b"] * (len(tasks) // 2)}
    )


def kept(rows: pa.Table, quotas: dict[str, int] | None = None, **wanted: Any) -> pa.Table:
    return rows.filter(pc.is_null(balance_instructions(rows, quotas or {}, Balance(**wanted), 0)))


def counts(rows: pa.Table, column: str = "task") -> Counter[str]:
    return Counter(rows[column].to_pylist())


def test_shares_take_all_that_they_can_and_leave_out_the_rest() -> None:
    assert counts(kept(table(), shares={"vqa": 0.5, "captioning": 0.5})) == {"vqa": 40, "captioning": 40}
    assert counts(kept(table(), shares={"vqa": 0.5, "detection": 0.5}, total=10)) == {"vqa": 5, "detection": 5}
    assert counts(kept(table(), shares={"source:a": 1.0}), "source") == {"a": 75}


def test_shares_that_cannot_be_met_say_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="detection: 30 wanted, 10 there: 20 missing; the most with these shares are 20"):
        kept(table(), shares={"vqa": 0.5, "detection": 0.5}, total=60)
    with pytest.raises(ConfigError, match="expected only tasks"):
        kept(table(), shares={"vqa": 0.5, "sar": 0.5})


def test_exact_counts_are_met_or_refused() -> None:
    assert counts(kept(table(), exactly={"vqa": 7})) == {**HELD, "vqa": 7}
    with pytest.raises(
        ConfigError, match=r"exactly: vqa: 120 wanted, 100 there: 20 missing; detection: 11 wanted, 10 there: 1 m"
    ):
        kept(table(), exactly={"vqa": 120, "detection": 11})
    met = kept(table(), {"source:a": 10}, exactly={"vqa": 60})
    assert counts(met)["vqa"] == 60
    assert counts(met, "source")["a"] == 10
    with pytest.raises(
        ConfigError,
        match=r"exactly.vqa, select.quotas.source:a: .* exactly 90 wanted of 100 there \(0 to 60 possible .* at most 10 wanted",
    ):
        kept(table(), {"source:a": 10}, exactly={"vqa": 90})


def test_the_least_stays_first_within_quotas_that_leave_room_for_it() -> None:
    assert counts(kept(table(), {"detection": 5, "source:a": 1}, least={"detection": 5}))["detection"] == 5
    with pytest.raises(ConfigError, match=r"balance.least.detection, select.quotas.detection: cannot be kept together"):
        kept(table(), {"detection": 0, "vqa": 3}, least={"detection": 4})
    with pytest.raises(ConfigError, match="least: detection: 12 wanted, 10 there: 2 missing"):
        kept(table(), least={"detection": 12})


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 500), min_size=1), st.floats(0.5, 20), st.data())
def test_temperature_laws(held: dict[str, int], temperature: float, data: Any) -> None:
    total = data.draw(st.integers(1, sum(held.values())))
    caps = counts_by_temperature(held, temperature, total)
    assert all(0 <= caps[key] <= held[key] for key in held)
    assert total - len(held) <= sum(caps.values()) <= total + len(held)
    more = counts_by_temperature(held, temperature, min(sum(held.values()), total + 20))
    assert all(more[key] >= caps[key] for key in held)
    order = sorted(held, key=lambda key: held[key])
    assert all(caps[a] <= caps[b] for a, b in pairwise(order) if held[a] < held[b])


def test_temperature_flattens() -> None:
    assert counts_by_temperature(HELD, 1.0, 75) == {"vqa": 50, "captioning": 20, "detection": 5}
    assert max(counts_by_temperature(HELD, 1000.0, 30).values()) <= min(counts_by_temperature(HELD, 1000.0, 30).values()) + 1
    with pytest.raises(ConfigError, match="200 wanted, 150 there: 50 missing"):
        counts_by_temperature(HELD, 2.0, 200)


LISTS = pa.chunked_array([[["ship", "ship"], ["ship"], ["dock", "ship"], ["dock"], [], None]])
ORDER = stable_hashes(pa.array([f"i{k}" for k in range(6)]), 0)


def test_a_cap_per_category_counts_an_instruction_once_for_each() -> None:
    beyond = is_over_cap(LISTS, 2, ORDER)
    assert beyond[3:].tolist() == [False, False, False]
    assert beyond.sum() == 1
    assert is_over_cap(LISTS, 3, ORDER).sum() == 0
    assert set(is_over_cap(LISTS, 1, ORDER).nonzero()[0]) > set(beyond.nonzero()[0])
    encoded = pa.ListArray.from_arrays(
        pa.array([0, 2, 3, 5, 6, 6, 6], pa.int32()), pc.dictionary_encode(LISTS.chunk(0).flatten())
    )
    assert is_over_cap(pa.chunked_array([encoded]), 2, ORDER).tolist() == beyond.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.sampled_from("abc"), max_size=3), min_size=1, max_size=30), st.integers(1, 6))
def test_the_first_of_each_category_and_those_beyond_are_all(items: list[set[str]], number: int) -> None:
    lists = pa.chunked_array([pa.array([sorted(item) for item in items], pa.list_(pa.string()))])
    order = stable_hashes(pa.array([f"i{k}" for k in range(len(items))]), 0)
    first, beyond = is_among_first(lists, number, order), is_over_cap(lists, number, order)
    assert (first | beyond).tolist() == [bool(item) for item in items]
    for category in "abc":
        about = [k for k in np.argsort(order) if category in items[k]]
        assert all(first[about[:number]])
        assert all(beyond[about[number:]])


def about(rows: pa.Table) -> Counter[str]:
    return Counter(name for names in rows["category"].to_pylist() for name in names)


def test_rare_categories_keep_their_least_and_crowded_ones_and_regions_have_a_most() -> None:
    names = [["ship"]] * 100 + [["ship", "dock"]] * 4 + [["crane"]] * 2
    rows = table({"vqa": 106}).append_column("category", pa.array(names))
    rows = rows.append_column("region", pa.array(["N40E010"] * 90 + ["Alps"] * 16).dictionary_encode())
    assert about(kept(rows, {"vqa": 10}, least_per_category=3)) >= Counter(ship=3, dock=3, crane=2)
    assert about(kept(rows, {"vqa": 5}, least_per_category=3)) == Counter(ship=3, dock=3, crane=2)
    with pytest.raises(
        ConfigError, match=r"least_per_category, select.quotas.vqa: .* at most 4 wanted of 106 there \(5 to 106"
    ):
        kept(rows, {"vqa": 4}, least_per_category=3)
    assert about(kept(rows, per_category=5))["ship"] <= 5
    assert about(kept(rows, per_category=2, least={"category:crane": 2})) >= Counter(crane=2, ship=2)
    with pytest.raises(
        ConfigError, match=r"per_category, select.balance.least.category:crane: .* crane: at most 1 wanted of 2 there"
    ):
        kept(rows, per_category=1, least={"category:crane": 2})
    assert counts(kept(rows, per_region=20), "region") == {"N40E010": 20, "Alps": 16}
    assert counts(kept(rows, {"region:Alps": 3}), "region") == {"N40E010": 90, "Alps": 3}
    assert counts(kept(rows, temperature=1.0, total=53, over="region"), "region") == {"N40E010": 45, "Alps": 8}
    assert counts(kept(rows, shares={"region:Alps": 0.5, "region:N40E010": 0.5}), "region") == {"N40E010": 16, "Alps": 16}
