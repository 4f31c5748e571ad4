"""A selection that satisfies all bounds, or the smallest set of bounds that contradict each other.

The number of instructions kept per kind is an integer programme, solved by HiGHS (`scipy.optimize.milp`). Of all solutions one
nearest to the draft is taken, so that added data and changed numbers change little. Where there is none, rules are removed one
by one as long as the rest still has no solution; what remains is a smallest conflict, which the error names.

The programme is the same for the same kinds, counts and bounds, whatever the order of rows; HiGHS is deterministic. The search
is limited by nodes, not by time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from rsflow.curation.balance.bounds import Bound, Counts
from rsflow.errors import ConfigError

Floats = npt.NDArray[np.float64]

_MAX_NODES = 20_000
_RELAX_FROM_KINDS = 2_000  # kinds, from which on a programme without whole numbers is solved first
_ALMOST_NONE = 1e-6
_SOFT_COST = 8.0  # what one instruction beside a soft bound costs, in changes to the draft
_LIMIT_REACHED = 1  # of milp: a limit was reached


@dataclass(frozen=True, slots=True)
class Programme:
    """Variables: how many are added to each kind of the draft, how many taken away, then what bounds need of their own."""

    rows: csr_array
    low: Floats
    high: Floats
    upper: Floats  # of the variables
    cost: Floats


def solve(count: Counts, draft: Counts, bounds: Sequence[Bound], largest: bool) -> Counts:
    """How many of each kind stay: within all `bounds`, nearest to `draft`; with `largest`, among the largest such selections.

    Raises ConfigError that names the settings in conflict.
    """
    hard = [bound for bound in bounds if not bound.soft]
    if largest:
        most = _find_extreme(count, hard, np.arange(len(count)), largest=True)
        if most is not None:
            bounds = [*bounds, Bound("", "", np.arange(len(count)), least=most)]
    found = _find_nearest(count, draft, bounds)
    if found is None:
        raise ConfigError(_conflict_message(count, hard))
    if not all(bound.holds(found) for bound in bounds):
        raise ConfigError(_undecided_message(hard))
    return found


def _find_nearest(count: Counts, draft: Counts, bounds: Sequence[Bound]) -> Counts | None:
    """The selection within all bounds that is nearest to the draft; None where there is none.

    Of many kinds only those may change that change where parts of instructions are allowed, or of which there are most.
    """
    programme, kinds = _build_programme(count, draft, bounds), len(count)
    if kinds > _RELAX_FROM_KINDS:
        parts = _solve_programme(programme, bounds, whole=False)
        if parts is None:
            return None
        change = (parts[:kinds] + parts[kinds : 2 * kinds] > _ALMOST_NONE) | (np.arange(kinds) < _RELAX_FROM_KINDS)
        fewer = replace(
            programme, upper=np.concatenate([programme.upper[: 2 * kinds] * np.tile(change, 2), programme.upper[2 * kinds :]])
        )
        found = _solve_whole(fewer, count, draft, bounds)
        if found is not None:
            return found
    return _solve_whole(programme, count, draft, bounds)


def _find_extreme(count: Counts, bounds: Sequence[Bound], kinds: Counts, largest: bool) -> int | None:
    """The most, or the fewest, of these kinds that all bounds allow; None where they contradict one another."""
    draft = np.zeros_like(count)
    programme = _build_programme(count, draft, bounds)
    programme.cost[:] = 0
    programme.cost[kinds] = -1 if largest else 1
    found = _solve_whole(programme, count, draft, bounds)
    return None if found is None else int(found[kinds].sum())


def _solve_whole(programme: Programme, count: Counts, draft: Counts, bounds: Sequence[Bound]) -> Counts | None:
    found = _solve_programme(programme, bounds, whole=True)
    if found is None:
        return None
    kinds = len(count)
    result: Counts = draft + np.rint(found[:kinds] - found[kinds : 2 * kinds]).astype(np.int64)
    return result


def _solve_programme(programme: Programme, bounds: Sequence[Bound], *, whole: bool) -> Floats | None:
    """The variables of the cheapest solution, or None where there is none."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    found = milp(
        programme.cost,
        integrality=np.full(len(programme.cost), int(whole)),
        bounds=Bounds(np.zeros(len(programme.cost)), programme.upper),
        constraints=LinearConstraint(programme.rows, programme.low, programme.high),
        options={"node_limit": _MAX_NODES},
    )
    if found.x is None and found.status == _LIMIT_REACHED:
        raise ConfigError(_undecided_message(bounds))
    return None if found.x is None else np.asarray(found.x, dtype=np.float64)


def _build_programme(count: Counts, draft: Counts, bounds: Sequence[Bound]) -> Programme:
    kinds = len(count)
    # Dearer from kind to kind by very little: among equally near selections one is the cheapest.
    nearly = 1 + 0.01 * np.arange(kinds) / max(kinds, 1)
    upper: list[Floats] = [(count - draft).astype(np.float64), draft.astype(np.float64)]
    cost = [nearly, nearly]
    table = _MatrixRows(2 * kinds)
    for bound in bounds:
        at, factor = _bound_factors(bound)
        own = np.concatenate([at, at + kinds]), np.concatenate([factor, -factor])
        now = bound.value(draft)
        if bound.soft:
            over, under = table.variable(), table.variable()
            upper.append(np.full(2, math.inf))
            cost.append(np.full(2, _SOFT_COST))
            table.row(*own, bound.least - now, bound.most - now, {over: -1.0, under: 1.0})
        elif bound.or_one:
            one = table.variable()
            upper.append(np.ones(1))
            cost.append(np.zeros(1))
            table.row(*own, bound.least, bound.most - now, {one: -1.0})
            available, kept = float(count[bound.kinds].sum()), float(draft[bound.kinds].sum())
            signs = np.concatenate([np.ones(len(bound.kinds)), -np.ones(len(bound.kinds))])
            both = np.concatenate([bound.kinds, bound.kinds + kinds])
            table.row(both, signs, -math.inf, available - kept, {one: available - 1})
        else:
            table.row(*own, bound.least - now, bound.most - now, {})
    return Programme(*table.built(), np.concatenate(upper), np.concatenate(cost))


def _bound_factors(bound: Bound) -> tuple[npt.NDArray[np.int64], Floats]:
    """(kinds, factor of each) of the bound's value; a kind may be there twice, and its factors add up."""
    if bound.of is None:
        return bound.kinds, np.ones(len(bound.kinds))
    both = np.concatenate([bound.kinds, bound.of])
    return both, np.concatenate([np.ones(len(bound.kinds)), np.full(len(bound.of), -bound.share)])


class _MatrixRows:
    """The rows of a sparse matrix, one after another, and further variables as they are asked for."""

    def __init__(self, variables: int) -> None:
        self._variables = variables
        self._at: list[npt.NDArray[np.int64]] = []
        self._factor: list[Floats] = []
        self._limits: list[tuple[float, float]] = []

    def variable(self) -> int:
        self._variables += 1
        return self._variables - 1

    def row(self, at: npt.NDArray[np.int64], factor: Floats, low: float, high: float, more: dict[int, float]) -> None:
        self._at.append(np.concatenate([at, np.array([*more], dtype=np.int64)]))
        self._factor.append(np.concatenate([factor, np.array([*more.values()], dtype=np.float64)]))
        self._limits.append((low, high))

    def built(self) -> tuple[csr_array, Floats, Floats]:
        starts = np.concatenate([[0], np.cumsum([len(at) for at in self._at])]).astype(np.int64)
        at, factor = np.concatenate([np.empty(0), *self._at]), np.concatenate([np.empty(0), *self._factor])
        matrix = csr_array((factor, at.astype(np.int64), starts), shape=(len(self._limits), self._variables))
        matrix.sum_duplicates()
        low, high = np.array(self._limits, dtype=np.float64).reshape(-1, 2).T
        return matrix, low, high


def _conflict_message(count: Counts, bounds: Sequence[Bound]) -> str:
    """The smallest set of settings that contradict one another, with what is wanted, what is there and what is possible."""
    nothing = np.zeros_like(count)
    left = list(bounds)
    for setting in dict.fromkeys(bound.setting for bound in bounds):
        without = [bound for bound in left if bound.setting != setting]
        if without and _find_nearest(count, nothing, without) is None:
            left = without
    settings = [*dict.fromkeys(bound.setting for bound in left)]
    parts = [_describe_setting(count, setting, left) for setting in settings]
    return (
        f"{', '.join(settings)}: cannot {'be kept together' if len(settings) > 1 else 'be kept'}: {'; '.join(parts)}; "
        "change or leave out one of them"
    )


def _describe_setting(count: Counts, setting: str, bounds: Sequence[Bound]) -> str:
    own = [bound for bound in bounds if bound.setting == setting and bound.requested]
    text = ", ".join(f"{bound.requested} wanted of {bound.available:,} there" for bound in own[:3]) + (
        " …" if len(own) > 3 else ""
    )
    if len(own) == 1 and own[0].of is None:
        others = [bound for bound in bounds if bound.setting != setting]
        least, most = (_find_extreme(count, others, own[0].kinds, largest) for largest in (False, True))
        possible = (
            f" ({most:,} possible beside the others)"
            if least == most
            else f" ({least:,} to {most:,} possible beside the others)"
        )
        text += possible if others and least is not None and most is not None else ""
    return f"{setting}: {text}"


def _undecided_message(bounds: Sequence[Bound]) -> str:
    settings = ", ".join(dict.fromkeys(bound.setting for bound in bounds if bound.setting))
    return f"{settings}: no selection that keeps all of these was found in {_MAX_NODES:,} steps; leave out some of them"
