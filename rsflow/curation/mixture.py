"""What a wanted mix comes to as quotas: shares, temperature, exact counts; and what of it cannot be met.

One idea: everything becomes a most and a least per key before anything is dropped, so the laws of `rsflow.curation.balance`
hold for all of it: one priority, and a larger mix holds all of a smaller one. What the data cannot give is an error that says
which key lacks how many, never a silent near miss.

The order of the rules: quotas, shares and the like drop; then what exceeds its part of a category or a region; and what a
`least` protects stays through all of it.

Temperature is the usual flattening of long tails: of n_k instructions of a key, n_k ** (1 / temperature) count, as used for
languages (https://arxiv.org/abs/1907.05019, section 4). Where a key has fewer than its part, the others share the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.balance import Keyed, apply_quotas, cap_each, first_each, order_of, part_of, protected
from rsflow.errors import ConfigError
from rsflow.selection import Balance

Caps = dict[str, int]


def balanced(instructions: pa.Table, quotas: Mapping[str, int], wanted: Balance, seed: int) -> pa.Array:
    """Why each instruction leaves, "quota:<key>" or "quota:each category" or "quota:each region"; null where it stays.

    `instructions` as for `apply_quotas`. Raises ConfigError where what is wanted cannot be met.
    """
    order = order_of(instructions, seed)
    _, why = apply_quotas(instructions, caps_of(instructions, quotas, wanted), seed)
    for column, most in (("category", wanted.per_category), ("region", wanted.per_region)):
        if most:
            beyond = cap_each(instructions[column], most, order)
            why = pc.coalesce(why, pc.if_else(beyond, f"quota:each {column}", pa.scalar(None, pa.string())))
    safe = np.zeros(instructions.num_rows, dtype=np.bool_)
    safe[protected(Keyed(instructions), wanted.least, order)] = True
    if wanted.least_per_category:
        safe |= first_each(instructions["category"], wanted.least_per_category, order)
    why = pc.if_else(safe, pa.scalar(None, pa.string()), why)
    if wanted.exactly:
        _check_enough(Keyed(instructions.filter(pc.is_null(why))), wanted.exactly, "exactly", " after quotas")
    return why


def caps_of(instructions: pa.Table, quotas: Mapping[str, int], wanted: Balance) -> Caps:
    """The most of each key: the quotas', the exact counts, and what shares or temperature come to; of two the smaller.

    Raises ConfigError where there is not enough of something, with how many are missing.
    """
    keyed = Keyed(instructions)
    _check_enough(keyed, wanted.exactly, "exactly")
    _check_enough(keyed, wanted.least, "least")
    caps = dict(quotas)
    parts = [wanted.exactly]
    if wanted.shares:
        parts.append(_by_shares(keyed, wanted.shares, wanted.total))
    if wanted.temperature is not None:
        counts = {_spelled(wanted.over, value): count for value, count in keyed.counts(wanted.over).items()}
        parts.append(by_temperature(counts, wanted.temperature, wanted.total or 0))
    for part in parts:
        for key, most in part.items():
            caps[key] = min(most, caps.get(key, most))
    return caps


def by_temperature(counts: Mapping[str, int], temperature: float, total: int) -> Caps:
    """The most of each key, `total` together, in proportion to count ** (1 / temperature), never more than there are.

    Grows with `total` key by key. Raises ConfigError where there are fewer than `total`.
    """
    there = sum(counts.values())
    if total > there:
        raise ConfigError(f"select.balance.total: {total:,} wanted, {there:,} there: {total - there:,} missing")
    number = np.array([*counts.values()], dtype=np.float64)
    weight = number ** (1.0 / temperature)
    level, lowest, highest = 0.0, 0.0, float((number / weight).max(initial=0.0))
    for _ in range(100):  # halving: to the last digit of a double
        level = (lowest + highest) / 2
        lowest, highest = (level, highest) if np.minimum(number, level * weight).sum() < total else (lowest, level)
    return dict(zip(counts, np.floor(np.minimum(number, highest * weight) + 1e-6).astype(int).tolist(), strict=True))


def _by_shares(keyed: Keyed, shares: Mapping[str, float], total: int | None) -> Caps:
    """The most of each key, and 0 of the keys of the same column that no share names."""
    columns = {part_of(key)[0] for key in shares}
    if len(columns) > 1 or any("/" in key for key in shares) or columns == {"category"}:
        raise ConfigError(f"select.balance.shares: keys {', '.join(shares)}: expected only tasks, sensors, sources or licences")
    (column,) = columns
    there = {key: len(keyed.rows(key)) for key in shares}
    possible = min(int(there[key] / share + 1e-9) for key, share in shares.items() if share)
    size = possible if total is None else total
    caps = {key: int(size * share + 1e-9) for key, share in shares.items()}
    short = {key: caps[key] - there[key] for key in caps if caps[key] > there[key]}
    if short:
        told = ", ".join(f"{key}: {caps[key]:,} wanted, {there[key]:,} there: {lack:,} missing" for key, lack in short.items())
        raise ConfigError(f"select.balance.shares of {size:,}: {told}; the most with these shares are {possible:,}")
    return {**{_spelled(column, value): 0 for value in keyed.counts(column)}, **caps}


def _spelled(column: str, value: str) -> str:
    return value if column in {"task", "sensor"} else f"{column}:{value}"


def _check_enough(keyed: Keyed, wanted: Mapping[str, int], name: str, when: str = "") -> None:
    there = {key: len(keyed.rows(key)) for key in wanted}
    short = [
        f"{key}: {count:,} wanted, {there[key]:,} there{when}: {count - there[key]:,} missing"
        for key, count in wanted.items()
        if there[key] < count
    ]
    if short:
        raise ConfigError(f"select.balance.{name}: " + "; ".join(short))
