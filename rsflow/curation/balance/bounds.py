"""The rules of quotas and balance as linear bounds on counts, over kinds of instructions.

Instructions that no rule distinguishes are one kind, so a selection is a count per kind, and every rule is a linear bound on
these counts: of a key, a category, a region, of all, or a share of all. Whether a selection satisfies the bounds is evaluated,
and where it does not, `rsflow.curation.balance.solver` finds one that does.

Kinds are ordered by their first instruction, bounds by setting and value: nothing depends on the order of rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Balance
from rsflow.curation.balance.quotas import Flags, KeyIndex, Rows, parse_key_part, row_values
from rsflow.curation.hashing import Hashes, stable_hashes
from rsflow.curation.value_codes import encode_values, value_codes

Counts = npt.NDArray[np.int64]

_TOLERANCE = 1e-6
_SHARE_TOLERANCE = 1 - 1e-3  # a share is kept to within one instruction


@dataclass(frozen=True, slots=True)
class Bound:
    """count(kinds) - share * count(of) lies from `least` to `most`; with `or_one`, or count(kinds) is at most 1.

    `setting`: what asks for it, as in a configuration; `reason`: why an instruction leaves that is beyond `most`. `requested`
    and `available` are for error messages. A `soft` bound is met as nearly as the others allow.
    """

    setting: str
    reason: str
    kinds: Rows
    least: float = -math.inf
    most: float = math.inf
    requested: str = ""
    available: int = 0
    share: float = 0.0
    of: Rows | None = None
    or_one: bool = False
    soft: bool = False

    def value(self, counts: Counts) -> float:
        """count(kinds) - share * count(of)"""
        return float(counts[self.kinds].sum()) - (0.0 if self.of is None else self.share * float(counts[self.of].sum()))

    def holds(self, counts: Counts) -> bool:
        """Whether a selection of so many of each kind keeps it."""
        inside = self.least - _TOLERANCE <= self.value(counts) <= self.most + _TOLERANCE
        return self.soft or inside or (self.or_one and int(counts[self.kinds].sum()) <= 1)


@dataclass(frozen=True, slots=True)
class Kinds:
    """`of_row`: the kind of each instruction; `rows`: one instruction of each kind; `count`: how many are of it."""

    of_row: Rows
    rows: pa.Table
    count: Counts


def group_by_kind(instructions: pa.Table, columns: set[str], order: Hashes) -> Kinds:
    """The kinds of instructions by `columns`, in the order of the first of each."""
    code = np.zeros(instructions.num_rows, dtype=np.int64)
    for column in sorted(columns):
        code = _combine_codes(code, _encode_column(instructions, column))
    by_order = np.argsort(order, kind="stable")
    _, first = np.unique(code[by_order], return_index=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    of_row = place[code]
    some = [name for name in instructions.column_names if name in columns]
    rows = instructions.select(some).take(pa.array(by_order[np.sort(first)]))
    return Kinds(of_row, rows, np.bincount(of_row, minlength=len(first)))


def rule_columns(quotas: Mapping[str, int], rules: Balance, template_share: float | None) -> set[str]:
    """The columns that the rules look at."""
    columns = {parse_key_part(part)[0] for key in [*quotas, *rules.keys()] for part in key.split("/")}
    columns |= {rules.over} if rules.temperature is not None else set()
    columns |= {"region"} if rules.per_region else set()
    columns |= {"category"} if rules.per_category or rules.least_per_category else set()
    return columns | ({"task", "form"} if template_share is not None else set())


def build_bounds(
    kinds: Kinds, quotas: Mapping[str, int], rules: Balance, parts: Mapping[str, int], template_share: float | None
) -> list[Bound]:
    """All bounds; those come first that an error names last. `parts`: of each key of `over`, as the temperature has it."""
    keyed = KeyIndex(kinds.rows)
    every = np.arange(len(kinds.count))
    bounds = [*_template_bounds(kinds, template_share)] if template_share is not None else []
    for column, most, least in (
        ("category", rules.per_category, rules.least_per_category),
        ("region", rules.per_region, None),
    ):
        bounds += _value_bounds(kinds, column, most, least)
    if rules.total is not None:
        bounds.append(
            Bound("select.balance.total", "quota:total", every, rules.total, rules.total, f"{rules.total:,}", kinds.count.sum())
        )
    bounds += _share_bounds(kinds, keyed, rules)
    bounds += _key_bounds(kinds, keyed, "balance.least", rules.least, least=True, most=False)
    bounds += _key_bounds(kinds, keyed, "balance.exactly", rules.exactly, least=True, most=True)
    bounds += _key_bounds(kinds, keyed, "quotas", quotas, least=False, most=True)
    return bounds + [
        Bound("select.balance.temperature", f"quota:{key}", keyed.rows(key), number, number, soft=True)
        for key, number in sorted(parts.items())
    ]


def _key_bounds(
    kinds: Kinds, keyed: KeyIndex, name: str, numbers: Mapping[str, int], *, least: bool, most: bool
) -> Iterator[Bound]:
    how = "exactly" if least and most else "at least" if least else "at most"
    for key, number in sorted(numbers.items()):
        rows = keyed.rows(key)
        low, high = (number if least else -math.inf), (number if most else math.inf)
        text = f"{how} {number:,}"
        yield Bound(f"select.{name}.{key}", f"quota:{key}", rows, low, high, text, int(kinds.count[rows].sum()))


def _share_bounds(kinds: Kinds, keyed: KeyIndex, rules: Balance) -> Iterator[Bound]:
    """Each share of all that stay, to within one; nothing else of the column."""
    if not rules.shares:
        return
    every, named = np.arange(len(kinds.count)), np.zeros(len(kinds.count), dtype=np.bool_)
    for key, share in sorted(rules.shares.items()):
        rows = keyed.rows(key)
        named[rows] = True
        available = int(kinds.count[rows].sum())
        within = (0.0 if share == 0 else -_SHARE_TOLERANCE), (0.0 if share == 0 else _SHARE_TOLERANCE)
        yield Bound("select.balance.shares", f"quota:{key}", rows, *within, f"{key}: {share:g}", available, share, every)
    (column,) = {parse_key_part(key)[0] for key in rules.shares}
    yield Bound("select.balance.shares", f"quota:{column}", np.flatnonzero(~named), most=0)


def _value_bounds(kinds: Kinds, column: str, most: int | None, least: int | None) -> Iterator[Bound]:
    """The most and the least of each value of a column."""
    if not most and not least:
        return
    for value, rows in _rows_by_value(kinds.rows[column]):
        available = int(kinds.count[rows].sum())
        if least:
            number = min(least, available)
            text = f"{value}: at least {number:,}"
            yield Bound(f"select.balance.least_per_{column}", "", rows, number, math.inf, text, available)
        if most and available > most:
            text = f"{value}: at most {most:,}"
            yield Bound(f"select.balance.per_{column}", f"quota:each {column}", rows, -math.inf, most, text, available)


def _template_bounds(kinds: Kinds, share: float) -> Iterator[Bound]:
    """Of each form of words that is there more than once at most this share of its task, or one."""
    task = np.asarray(pc.index_in(kinds.rows["task"].cast(pa.string()), value_set=pa.array(_sorted_texts(kinds.rows["task"]))))
    pairs = np.stack([task.astype(np.int64), np.asarray(kinds.rows["form"]).view(np.int64)], axis=1)
    _, group = np.unique(pairs, axis=0, return_inverse=True)
    of_task = [np.flatnonzero(task == number) for number in range(int(task.max(initial=-1)) + 1)]
    for rows in _rows_by_group(group.reshape(-1)):
        available = int(kinds.count[rows].sum())
        if available > 1:
            text = f"at most {share:g} of a task in one form of words"
            of = of_task[task[rows[0]]]
            yield Bound("select.max_template_share", "template", rows, -math.inf, 0.0, text, available, share, of, or_one=True)


def _rows_by_value(values: pa.ChunkedArray) -> Iterator[tuple[str, Rows]]:
    """(value, rows that have it), sorted by value."""
    row, code = row_values(values)
    names = value_names(values)
    order = np.argsort(code, kind="stable")
    found, start = np.unique(code[order], return_index=True)
    parts = dict(zip((names[number] for number in found), np.split(row[order], start[1:]), strict=True)) if len(found) else {}
    yield from sorted(parts.items())


def value_names(values: pa.ChunkedArray) -> list[str]:
    """The texts that the codes of `row_values` stand for."""
    flat = values if pa.types.is_dictionary(values.type) else values.combine_chunks().flatten()
    return list(encode_values(flat).dictionary.to_pylist())


def _encode_column(instructions: pa.Table, column: str) -> Rows:
    """A number per instruction, equal where the column has equal values; of lists, as sets."""
    values = instructions[column]
    if column == "form":
        return np.unique(np.asarray(values), return_inverse=True)[1].reshape(-1).astype(np.int64)
    if pa.types.is_list(values.type):
        row, code = row_values(values)
        hashes = stable_hashes(pa.array(value_names(values), pa.string()), 0)
        sums = np.zeros(len(values), dtype=np.uint64)  # sums of 64-bit hashes: two sets in 2**64 share one
        np.add.at(sums, row, hashes[code])
        return np.unique(sums, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return value_codes(values) + 1


def _combine_codes(code: Rows, more: Rows) -> Rows:
    joined = code * (int(more.max(initial=0)) + 1) + more
    codes: Rows = np.unique(joined, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return codes


def _sorted_texts(values: pa.ChunkedArray) -> list[str]:
    return sorted(values.unique().cast(pa.string()).to_pylist())


def _rows_by_group(group: Rows) -> list[Rows]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1) if len(order) else []


def count_kept_by_kind(kinds: Kinds, kept: Flags) -> Counts:
    """How many of each kind are kept."""
    return np.bincount(kinds.of_row[kept], minlength=len(kinds.count))
