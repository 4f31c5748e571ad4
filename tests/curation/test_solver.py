"""Random mixes of all rules: each is kept in the final selection, counted here one by one, or refused by its keys."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rsflow.config.select_settings import Balance
from rsflow.curation.balance.mixture import balance_instructions
from rsflow.errors import ConfigError

TASKS, SENSORS, SOURCES, LICENCES = ("vqa", "captioning"), ("optical", "sar"), ("a", "b"), ("CC0-1.0", "MIT")
REGIONS, CATEGORIES = ("N40E010", "Alps"), ("ship", "dock", "crane")
PARTS = {
    "task": TASKS,
    "sensor": SENSORS,
    "source": [f"source:{name}" for name in SOURCES],
    "licence": [f"licence:{name}" for name in LICENCES],
    "region": [f"region:{name}" for name in REGIONS],
    "category": [f"category:{name}" for name in CATEGORIES],
}
KEYS = [key for keys in PARTS.values() for key in keys] + ["vqa/sar", "captioning/source:a", "sar/category:ship"]
COLUMN = {"source": "source", "licence": "licence", "region": "region"}

ROWS = st.tuples(
    *(st.sampled_from(values) for values in (TASKS, SENSORS, SOURCES, LICENCES, REGIONS)),
    st.lists(st.sampled_from(CATEGORIES), max_size=3),
    st.integers(0, 3),
)


def table(rows: Iterable[Any]) -> pa.Table:
    names = ("task", "sensor", "source", "licence", "region", "category", "form")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    texts = {name: pa.array(columns[name], pa.string()) for name in names[:5]}
    # A region column knows all regions that there are, most of which have nothing.
    every = pa.array(["nowhere", *REGIONS, "unknown"])
    codes = pc.index_in(texts["region"], value_set=every).cast(pa.int32())
    texts["region"] = pa.DictionaryArray.from_arrays(codes, every)
    lists, forms = pa.array(columns["category"], pa.list_(pa.string())), pa.array(columns["form"], pa.uint64())
    ids = [f"i{k}" for k in range(len(columns["task"]))]
    return pa.table({"instruction_id": ids, **texts, "category": lists, "form": forms})


def about(row: dict[str, Any], key: str) -> bool:
    """Whether a key concerns a row, told without the code under test."""
    for part in key.split("/"):
        column, _, value = part.rpartition(":")
        if column == "category":
            if value not in row["category"]:
                return False
        elif value not in ([row[column]] if column else [row["task"], row["sensor"]]):
            return False
    return True


def broken(
    rows: list[dict[str, Any]], there: list[dict[str, Any]], quotas: dict[str, int], wanted: Balance, form: float | None
) -> list[str]:
    """The promises that a selection does not keep."""

    def count(key: str) -> int:
        return sum(about(row, key) for row in rows)

    def each(column: str, among: list[dict[str, Any]]) -> Counter[str]:
        return Counter(value for row in among for value in ({*row[column]} if column == "category" else [row[column]]))

    found = [f"quotas.{key}" for key, most in quotas.items() if count(key) > most]
    found += [f"exactly.{key}" for key, number in wanted.exactly.items() if count(key) != number]
    found += [f"least.{key}" for key, number in wanted.least.items() if count(key) < number]
    found += [f"shares.{key}" for key, share in wanted.shares.items() if abs(count(key) - share * len(rows)) >= 1]
    found += ["shares"] if wanted.shares and not all(any(about(row, key) for key in wanted.shares) for row in rows) else []
    found += ["total"] if wanted.total is not None and len(rows) != wanted.total else []
    found += ["per_category"] if max(each("category", rows).values(), default=0) > (wanted.per_category or len(there)) else []
    found += ["per_region"] if max(each("region", rows).values(), default=0) > (wanted.per_region or len(there)) else []
    least, held = wanted.least_per_category or 0, each("category", rows)
    found += ["least_per_category"] if any(held[name] < min(least, n) for name, n in each("category", there).items()) else []
    tasks, forms = Counter(row["task"] for row in rows), Counter((row["task"], row["form"]) for row in rows)
    found += ["forms"] if form and any(n > max(1, form * tasks[task] + 1e-9) for (task, _), n in forms.items()) else []
    return found


def outcome(rows: pa.Table, quotas: dict[str, int], wanted: Balance, form: float | None) -> tuple[pa.Array | None, str]:
    """The reasons, or None and the error."""
    try:
        return balance_instructions(rows, quotas, wanted, 0, form), ""
    except ConfigError as error:
        return None, str(error)


@st.composite
def mixes(draw: Any, most: int) -> tuple[dict[str, int], dict[str, Any], float | None]:
    """(quotas, settings of balance, max_template_share), each of them there or not."""

    def numbers(size: int) -> Any:
        return draw(st.dictionaries(st.sampled_from(KEYS), st.integers(0, most), max_size=size))

    wanted: dict[str, Any] = {"exactly": numbers(2), "least": numbers(2)}
    way = draw(st.sampled_from(["", "", "total", "shares", "temperature"]))
    if way == "shares":
        first = draw(st.sampled_from([0.0, 0.2, 1 / 3, 0.5, 0.9, 1.0]))
        column = draw(st.sampled_from(["task", "sensor", "source", "licence", "region"]))
        wanted["shares"] = dict(zip(PARTS[column], (first, 1 - first), strict=True))
    if way == "temperature":
        wanted["temperature"] = draw(st.sampled_from([1.0, 2.0, 100.0]))
        wanted["over"] = draw(st.sampled_from(["task", "sensor", "source", "licence", "region"]))
    if way in {"total", "temperature"} or (way and draw(st.booleans())):
        wanted["total"] = draw(st.integers(1, most))
    for name in ("per_category", "per_region", "least_per_category"):
        wanted[name] = draw(st.none() | st.none() | st.integers(1, most))
    return numbers(3), wanted, draw(st.none() | st.none() | st.sampled_from([0.2, 0.5, 0.7]))


@settings(max_examples=300, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=60), mixes(12), st.randoms(use_true_random=False))
def test_every_promise_is_kept_or_refused_by_name(items: list[Any], mix: Any, random: Any) -> None:
    quotas, given_settings, form = mix
    wanted, rows = Balance(**given_settings), table(items)
    why, error = outcome(rows, quotas, wanted, form)
    if why is None:
        named = {"select.max_template_share", *(f"select.quotas.{key}" for key in quotas)}
        named |= {f"select.balance.{name}" for name, value in given_settings.items() if value}
        assert any(name in error for name in named)
        assert "wanted" in error
        return
    there = rows.to_pylist()
    assert broken(rows.filter(pc.is_null(why)).to_pylist(), there, quotas, wanted, form) == []
    assert all(reason is None or reason.startswith(("quota:", "template")) for reason in why.to_pylist())
    turned = random.sample(range(len(items)), len(items))
    assert balance_instructions(rows.take(pa.array(turned)), quotas, wanted, 0, form).to_pylist() == [
        why[k].as_py() for k in turned
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=7), mixes(4))
@example([("vqa", "sar", "a", "MIT", "Alps", [], 0)] * 3, ({}, {"least": {"vqa": 3}, "per_region": 2}, None))
def test_what_is_refused_no_selection_could_keep(items: list[Any], mix: Any) -> None:
    quotas, given_settings, form = mix
    wanted, rows = Balance(**given_settings), table(items)
    there = rows.to_pylist()
    subsets = (list(some) for size in range(len(items) + 1) for some in itertools.combinations(there, size))
    why, _ = outcome(rows, quotas, wanted, form)
    if why is None:
        assert all(broken(some, there, quotas, wanted, form) for some in subsets)


def held(count: int) -> pa.Table:
    random = np.random.default_rng(0)
    return table(
        (*(values[random.integers(2)] for values in (TASKS, SENSORS, SOURCES, LICENCES, REGIONS)), [CATEGORIES[k % 3]], k % 4)
        for k in range(count)
    )


def test_a_conflict_names_the_keys_the_numbers_and_what_is_possible_and_nothing_else() -> None:
    quotas = {"source:a": 5, "source:b": 7, "captioning": 50}
    with pytest.raises(ConfigError) as held_out_matches:
        balance_instructions(held(200), quotas, Balance(total=40, per_region=150, least={"sar": 1}), 0)
    told = str(held_out_matches.value)
    assert told.startswith("select.balance.total, select.quotas.source:a, select.quotas.source:b: cannot be kept together")
    assert "40 wanted of 200 there (0 to 12 possible beside the others)" in told
    assert "at most 5 wanted" in told
    assert not any(word in told for word in ("captioning", "per_region", "least"))


def test_a_mix_that_needed_solving_changes_little_when_data_is_added() -> None:
    wanted, quotas = Balance(exactly={"vqa": 300, "source:a": 250}, total=500), {"sar": 200}
    before, after = (held(count) for count in (2000, 2100))
    kept = [
        {*rows.filter(pc.is_null(balance_instructions(rows, quotas, wanted, 0)))["instruction_id"].to_pylist()}
        for rows in (before, after)
    ]
    assert [len(some) for some in kept] == [500, 500]
    assert len(kept[1] - kept[0]) < 60


def test_shares_take_all_that_other_rules_leave() -> None:
    rows = held(400)
    stays = rows.filter(
        pc.is_null(
            balance_instructions(rows, {"vqa/sar": 0, "vqa/optical": 30}, Balance(shares={"vqa": 0.3, "captioning": 0.7}), 0)
        )
    )
    assert Counter(stays["task"].to_pylist())["vqa"] == 30
    assert abs(stays.num_rows - 100) <= 3


def test_a_temperature_gives_way_to_other_rules_and_its_total_does_not() -> None:
    rows = held(400)
    wanted = Balance(temperature=100.0, over="region", total=100, exactly={"captioning": 90})
    stays = rows.filter(pc.is_null(balance_instructions(rows, {"captioning/region:Alps": 20}, wanted, 0)))
    assert Counter(stays["task"].to_pylist()) == {"captioning": 90, "vqa": 10}
    assert Counter(stays["region"].to_pylist()) == {"N40E010": 70, "Alps": 30}


def test_more_kinds_than_are_solved_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rsflow.curation.balance.solver._RELAX_FROM_KINDS", 200)
    random = np.random.default_rng(1)
    forms = random.integers(0, 300, 800)
    rows = table(
        (*(values[random.integers(2)] for values in (TASKS, SENSORS, SOURCES, LICENCES, REGIONS)), ["ship"], int(form))
        for form in forms
    )
    quotas, wanted = {"source:a": 120}, Balance(exactly={"vqa": 140, "sar": 100}, total=200, least={"licence:MIT": 120})
    why = balance_instructions(rows, quotas, wanted, 0, 0.01)
    assert broken(rows.filter(pc.is_null(why)).to_pylist(), rows.to_pylist(), quotas, wanted, 0.01) == []
