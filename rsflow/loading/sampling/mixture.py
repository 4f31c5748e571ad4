"""Which part of a mixture each sample comes from, by weights that may change on the way.

One idea: how many of the first n samples each part has given is a closed formula, so nothing has to be counted and a mixture is
resumed from a position alone. Parts are the leaves of a binary tree; of n samples the
left side of a node gives n × its share of the weight, rounded, the right side the rest. A part of m is so never more than
log2(m) / 2 + 1/2 samples from its exact share, however long the stream.

Which of 16 samples in a row comes from which part is shuffled, for a regular pattern would otherwise fall in step with the
ranks: of two equal parts one rank would see the first only and the other the second. Within such a block, and only there, the
counts of a shuffled stream may be off by some more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Literal

import numpy as np

from rsflow.errors import ConfigError
from rsflow.loading.number_values import parse_integer, parse_number
from rsflow.loading.sampling.epoch_order import Ints, permutation

MixKey = Literal["task", "sensor", "source", "url"]
MIX_KEYS: tuple[MixKey, ...] = ("task", "sensor", "source", "url")
Weights = Mapping[str, float]

_BLOCK = 16  # samples whose parts are shuffled among themselves


@dataclass(frozen=True, slots=True)
class Mix:
    """How a stream is mixed: `by` "task", "sensor", "source" or "url" (of several snapshots), with a weight for each name.

    `weights`: {name: weight}, or a schedule [(start, {name: weight}), …] whose first start is 0 and whose starts rise, counted
    in `unit` "samples" (over all ranks, from the first epoch on) or "epochs". Only proportions matter. Names that are not
    mentioned are not drawn; a weight of 0 leaves a part out for a while.
    """

    by: MixKey
    weights: Weights | Sequence[tuple[int, Weights]]
    unit: Literal["samples", "epochs"] = "samples"

    def __post_init__(self) -> None:
        if self.by not in MIX_KEYS:
            raise ConfigError(f"mix.by: found {self.by!r}, expected one of {', '.join(MIX_KEYS)}")
        if self.unit not in ("samples", "epochs"):
            raise ConfigError(f"mix.unit: found {self.unit!r}, expected 'samples' or 'epochs'")
        if not isinstance(self.weights, (Mapping, Sequence)) or isinstance(self.weights, str):
            raise ConfigError(
                f"mix.weights: found {self.weights!r}, expected {{name: weight}} or [(start, {{name: weight}}), …]"
            )
        for step in self.schedule():
            if not isinstance(step, Sequence) or len(step) != 2 or not isinstance(step[1], Mapping):
                raise ConfigError(f"mix.weights: found {step!r} in the schedule, expected (start, {{name: weight}})")
        starts = [parse_integer("mix.weights: start", start) for start, _ in self.schedule()]
        if starts[:1] != [0] or starts != sorted(set(starts)):
            raise ConfigError(f"mix.weights: starts {starts}, expected 0 first and then rising")
        for start, row in self._exact_weights():
            if min(row.values(), default=0) < 0 or not any(row.values()):
                found = {name: float(weight) for name, weight in row.items()}
                raise ConfigError(f"mix.weights from {start} on: found {found}, expected none below 0 and one above")

    def schedule(self) -> list[tuple[int, Weights]]:
        return [(0, self.weights)] if isinstance(self.weights, Mapping) else list(self.weights)

    def integer_weights(self) -> list[tuple[int, tuple[int, ...]]]:
        """The schedule with the smallest whole numbers of the same proportions, in the order of `names`."""
        rows = [(start, [row.get(name, Fraction(0)) for name in self.names()]) for start, row in self._exact_weights()]
        scaled = [(start, [int(one * lcm(*(each.denominator for each in row))) for one in row]) for start, row in rows]
        return [(start, tuple(one // gcd(*row) for one in row)) for start, row in scaled]

    def _exact_weights(self) -> list[tuple[int, dict[str, Fraction]]]:
        """Starts and weights as the numbers that they mean. ConfigError for a weight that is no finite number."""
        return [
            (parse_integer("mix.weights: start", start), {k: parse_number(f"mix.weights: {k}", v) for k, v in weights.items()})
            for start, weights in self.schedule()
        ]

    def names(self) -> tuple[str, ...]:
        """All names with a weight, sorted."""
        return tuple(sorted({name for _, weights in self.schedule() for name in weights}))


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mix with its weights as whole numbers, one per part, from sample `starts[k]` on those of `weights[k]`."""

    starts: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]

    def counts(self, n: int) -> list[int]:
        """How many of the first n samples each part gives, as far as blocks are whole."""
        ends = (*self.starts[1:], n)
        per_step = [
            _counts(max(0, min(end, n) - start), weights)
            for start, end, weights in zip(self.starts, ends, self.weights, strict=True)
        ]
        return [sum(part) for part in zip(*per_step, strict=True)]

    def block(self, n: int, seed: int | None) -> Block:
        """The block that holds sample n. `seed` None: the parts in their regular pattern."""
        k = max(k for k, start in enumerate(self.starts) if start <= n)
        begin = self.starts[k] + (n - self.starts[k]) // _BLOCK * _BLOCK
        stop = min([begin + _BLOCK, *self.starts[k + 1 : k + 2]])
        part = np.array([_part_of(i - self.starts[k], self.weights[k]) for i in range(begin, stop)], dtype=np.int64)
        if seed is not None:
            part = part[permutation(stop - begin, seed + begin)]
        index, before = np.empty_like(part), self.counts(begin)
        for name in np.unique(part).tolist():
            index[part == name] = before[name] + np.arange((part == name).sum())
        return Block(begin, stop, part, index)


@dataclass(frozen=True, slots=True)
class Block:
    """Samples [start, stop) of a mixture: sample start + i is number `index[i]` of part `part[i]`."""

    start: int
    stop: int
    part: Ints
    index: Ints


def resolve_mix(mix: Mix, epoch_samples: int) -> Mixture:
    """The mix over its sorted names, epochs being of so many samples. Decimal weights are taken as they are written."""
    unit = epoch_samples if mix.unit == "epochs" else 1
    return Mixture(tuple(start * unit for start, _ in mix.integer_weights()), tuple(row for _, row in mix.integer_weights()))


def _counts(n: int, weights: tuple[int, ...]) -> list[int]:
    if len(weights) == 1 or n == 0:
        return [n] + [0] * (len(weights) - 1)
    half = len(weights) // 2
    left = _left_count(n, weights)
    return _counts(left, weights[:half]) + _counts(n - left, weights[half:])


def _part_of(n: int, weights: tuple[int, ...]) -> int:
    """The part whose count grows from n samples to n + 1."""
    first = 0
    while len(weights) > 1:
        half, left = len(weights) // 2, _left_count(n, weights)
        if _left_count(n + 1, weights) > left:
            n, weights = left, weights[:half]
        else:
            n, first, weights = n - left, first + half, weights[half:]
    return first


def _left_count(n: int, weights: tuple[int, ...]) -> int:
    total = sum(weights)
    return (2 * n * sum(weights[: len(weights) // 2]) + total) // (2 * total)
