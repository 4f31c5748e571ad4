"""The requested mix of instructions: a draft by priority, or the nearest selection that satisfies all rules.

Every rule becomes a maximum per key, and each maximum admits the instructions of highest priority, as in
`rsflow.curation.balance.quotas`. Where rules overlap, this draft may miss a number; then `rsflow.curation.balance.solver` finds
the nearest selection that satisfies all rules, and of each kind of instruction those of highest priority are kept.

Precedence. What other rules of the selection dropped stays dropped. Of the rest, `quotas`, `exactly`, `least`, `shares`,
`total`, `per_category`, `per_region`, `least_per_category` and `max_template_share` hold together in the final selection; rules
that contradict each other are an error that names them, the numbers requested and the numbers available. `temperature` is soft:
where other rules prevent its proportions, `total` still holds and counts are as near to them as possible. `shares` without a
`total` keep as many instructions as possible.

Temperature flattens long tails: of n_k instructions of a key, n_k ** (1 / temperature) count, as used for languages
(https://arxiv.org/abs/1907.05019, section 4). Where a key has fewer than its part, the others share the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Balance
from rsflow.curation.balance.bounds import Bound, Counts, Kinds, build_bounds, count_kept_by_kind, group_by_kind, rule_columns
from rsflow.curation.balance.quotas import (
    Flags,
    KeyIndex,
    Rows,
    apply_quotas,
    is_among_first,
    is_over_cap,
    parse_key_part,
    priority_order,
    protected_rows,
)
from rsflow.curation.balance.solver import solve
from rsflow.curation.balance.template_forms import is_over_template_share
from rsflow.curation.hashing import Hashes
from rsflow.errors import ConfigError

Caps = dict[str, int]

TEMPLATE = "template"
_NONE = pa.scalar(None, pa.string())


def balance_instructions(
    instructions: pa.Table, quotas: Mapping[str, int], rules: Balance, seed: int, template_share: float | None = None
) -> pa.Array:
    """Why each instruction leaves, "quota:<key>", "quota:each category", "quota:each region", "quota:total" or "template"; null
    where it stays.

    `instructions` as for `apply_quotas`, with `form` (a number per form of words) where a `template_share` is given. Raises
    ConfigError where what is wanted cannot be met.
    """
    order = priority_order(instructions, seed)
    keyed = KeyIndex(instructions)
    parts = _temperature_caps(keyed, quotas, rules)
    caps = _merge_caps(caps_by_key(instructions, quotas, rules), parts)
    why = _apply_caps(instructions, caps, rules, seed, template_share)
    if not has_lower_bounds(rules):
        return why  # no most is exceeded by a draft: each rule drops all that is beyond its own
    kinds = group_by_kind(instructions, rule_columns(quotas, rules, template_share), order)
    bounds = build_bounds(kinds, quotas, rules, parts, template_share)
    draft = count_kept_by_kind(kinds, np.asarray(why.is_null()))
    if all(bound.holds(draft) for bound in bounds):
        return why
    solved = solve(kinds.count, draft, bounds, largest=bool(rules.shares) and rules.total is None)
    return _apply_solution(why, kinds, order, solved, bounds)


def _apply_caps(instructions: pa.Table, caps: Caps, rules: Balance, seed: int, template_share: float | None) -> pa.Array:
    """What each rule on its own makes leave, but for what some `least` asks to stay."""
    order = priority_order(instructions, seed)
    _, why = apply_quotas(instructions, caps, seed)
    for column, most in (("category", rules.per_category), ("region", rules.per_region)):
        if most:
            why = _add_reason(why, is_over_cap(instructions[column], most, order), f"quota:each {column}")
    safe = np.zeros(instructions.num_rows, dtype=np.bool_)
    safe[protected_rows(KeyIndex(instructions), rules.least, order)] = True
    if rules.least_per_category:
        safe |= is_among_first(instructions["category"], rules.least_per_category, order)
    why = pc.if_else(safe, _NONE, why)
    if rules.total is not None:
        kept = np.flatnonzero(np.asarray(why.is_null()))
        late = kept[np.lexsort((order[kept], ~safe[kept]))][rules.total :]
        why = _add_reason(why, np.isin(np.arange(len(why)), late), "quota:total")
    if template_share is not None:
        flooding = is_over_template_share(
            instructions["task"], instructions["form"], order, np.asarray(why.is_null()), template_share
        )
        why = _add_reason(why, flooding, TEMPLATE)
    return why


def _add_reason(why: pa.Array, rows: Flags, reason: str) -> pa.Array:
    return pc.coalesce(why, pc.if_else(pa.array(rows), pa.scalar(reason), _NONE))


def has_lower_bounds(rules: Balance) -> bool:
    """Whether a rule asks for numbers of instructions that must be reached."""
    some = rules.exactly or rules.least or rules.shares or rules.least_per_category
    return bool(some) or rules.total is not None


def _apply_solution(why: pa.Array, kinds: Kinds, order: Hashes, solved: Counts, bounds: list[Bound]) -> pa.Array:
    """The reasons of the draft, with so many of each kind staying as were `solved`: those that come first."""
    by_kind = np.lexsort((order, kinds.of_row))
    sorted_kinds = kinds.of_row[by_kind]
    rank = np.empty(len(order), dtype=np.int64)
    rank[by_kind] = np.arange(len(order)) - np.searchsorted(sorted_kinds, sorted_kinds)
    stays = rank < solved[kinds.of_row]
    full = _reasons_by_kind(kinds, solved, bounds).take(pa.array(kinds.of_row))
    return pc.if_else(stays, _NONE, pc.coalesce(why, full))


def _reasons_by_kind(kinds: Kinds, solved: Counts, bounds: list[Bound]) -> pa.Array:
    """For each kind the reason of the last bound that has as many as it may have, else "quota:total"."""
    reasons = pa.array(["quota:total", *(bound.reason for bound in bounds)])
    last = np.zeros(len(kinds.count), dtype=np.int64)
    for number, bound in enumerate(bounds, 1):
        if bound.reason and math.isfinite(bound.most) and bound.value(solved) >= bound.most - 1:
            last[bound.kinds] = number
    return reasons.take(pa.array(last))


def caps_by_key(instructions: pa.Table, quotas: Mapping[str, int], rules: Balance) -> Caps:
    """The most of each key: the quotas', the exact counts, and what shares come to; of two the smaller.

    Raises ConfigError where there is not enough of something, with how many are missing.
    """
    keyed = KeyIndex(instructions)
    _check_enough(keyed, rules.exactly, "exactly")
    _check_enough(keyed, rules.least, "least")
    if rules.total is not None and rules.total > instructions.num_rows:
        raise _too_few_error(rules.total, instructions.num_rows)
    caps = _merge_caps(quotas, rules.exactly)
    return _merge_caps(caps, _share_caps(keyed, rules.shares, rules.total, caps)) if rules.shares else caps


def _merge_caps(caps: Mapping[str, int], more: Mapping[str, int]) -> Caps:
    return {**caps, **{key: min(most, caps.get(key, most)) for key, most in more.items()}}


def counts_by_temperature(
    counts: Mapping[str, int], temperature: float, total: int, most: Mapping[str, int] | None = None
) -> Caps:
    """Of each key so many, `total` together, in proportion to count ** (1 / temperature), rounded; never more than there are.

    `most`: of a key, where it may not have all that are there; what it lacks the others share. Grows with `total` key by key
    (a divisor method, as in Balinski and Young, Fair Representation, 1982). Raises ConfigError where there are fewer.
    """
    room = np.array([min(count, (most or {}).get(key, count)) for key, count in counts.items()], dtype=np.int64)
    if total > room.sum():
        raise _too_few_error(total, int(room.sum()))
    number = np.array([*counts.values()], dtype=np.float64)
    weight = number ** (1.0 / temperature)
    part = _divide(room, weight, total)
    names = [*counts]
    while (short := total - int(part.sum())) > 0:
        open_keys = sorted(np.flatnonzero(part < room), key=lambda at: ((part[at] + 0.5) / weight[at], -number[at], names[at]))
        part[open_keys[:short]] += 1
    return dict(zip(names, part.tolist(), strict=True))


def _divide(room: Rows, weight: npt.NDArray[np.float64], total: int) -> Rows:
    """The parts, rounded, of the highest level at which they are not more than `total`."""
    lowest, highest = 0.0, float(((room + 1) / weight).max(initial=0.0))
    for _ in range(100):  # halving: to the last digit of a double
        level = (lowest + highest) / 2
        fits = np.minimum(room, np.floor(level * weight + 0.5)).sum() <= total
        lowest, highest = (level, highest) if fits else (lowest, level)
    part: Rows = np.minimum(room, np.floor(lowest * weight + 0.5)).astype(np.int64)
    return part


def _temperature_caps(keyed: KeyIndex, quotas: Mapping[str, int], rules: Balance) -> Caps:
    if rules.temperature is None or rules.total is None:
        return {}
    counts = {_key_of(rules.over, value): count for value, count in keyed.counts(rules.over).items()}
    return counts_by_temperature(counts, rules.temperature, rules.total, _merge_caps(quotas, rules.exactly))


def _share_caps(keyed: KeyIndex, shares: Mapping[str, float], total: int | None, caps: Mapping[str, int]) -> Caps:
    """The most of each key, and 0 of the keys of the same column that no share names. `caps`: other rules' most of a key."""
    columns = {parse_key_part(key)[0] for key in shares}
    if len(columns) > 1 or any("/" in key for key in shares) or columns == {"category"}:
        raise ConfigError(
            f"select.balance.shares: keys {', '.join(shares)}: expected only tasks, only sensors, or keys of one of source:, "
            "licence: and region:"
        )
    (column,) = columns
    available = {key: len(keyed.rows(key)) for key in shares}
    possible = _largest_total(available, shares)
    if total is None:
        total = _largest_total({key: min(count, caps.get(key, count)) for key, count in available.items()}, shares)
    least = {key: int(total * share + 1e-9) for key, share in shares.items()}  # to within one instruction
    short = {key: least[key] - available[key] for key in shares if least[key] > available[key]}
    if short:
        text = ", ".join(
            f"{key}: {least[key]:,} wanted, {available[key]:,} there: {lack:,} missing" for key, lack in short.items()
        )
        raise ConfigError(f"select.balance.shares of {total:,}: {text}; the most with these shares are {possible:,}")
    return {**{_key_of(column, value): 0 for value in keyed.counts(column)}, **_round_shares(shares, total)}


def _largest_total(available: Mapping[str, int], shares: Mapping[str, float]) -> int:
    """The largest total of which every key has its share."""
    return min(int(available[key] / share + 1e-9) for key, share in shares.items() if share)


def _round_shares(shares: Mapping[str, float], total: int) -> Caps:
    """Whole numbers that are `total` together, each within one of its share: the largest remainders are rounded up."""
    parts = {key: int(total * share + 1e-9) for key, share in shares.items()}
    late = sorted((key for key in shares if shares[key]), key=lambda key: (parts[key] - total * shares[key], key))
    for key in late[: total - sum(parts.values())]:
        parts[key] += 1
    return parts


def _too_few_error(rules: int, available: int) -> ConfigError:
    return ConfigError(f"select.balance.total: {rules:,} wanted, {available:,} there: {rules - available:,} missing")


def _key_of(column: str, value: str) -> str:
    return value if column in {"task", "sensor"} else f"{column}:{value}"


def _check_enough(keyed: KeyIndex, rules: Mapping[str, int], name: str) -> None:
    available = {key: len(keyed.rows(key)) for key in rules}
    short = [
        f"{key}: {count:,} wanted, {available[key]:,} there: {count - available[key]:,} missing"
        for key, count in rules.items()
        if available[key] < count
    ]
    if short:
        raise ConfigError(f"select.balance.{name}: " + "; ".join(short))
