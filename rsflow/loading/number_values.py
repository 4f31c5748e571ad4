"""Numbers as users and files give them: taken in their plain meaning, or refused by name.

One idea: what equals a whole number is one, whichever library it is of (2, 2.0, numpy.int64(2), Fraction(4, 2)); a truth value,
a text and what is no number are none. Weights are kept as exact fractions, for a mixture counts with them.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Any

import numpy as np

from rsflow.errors import ConfigError


def parse_number(name: str, value: Any) -> Fraction:
    """The number as it is written: 0.1 is a tenth. ConfigError, with `name`, where it is no finite number."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, Decimal)) or not math.isfinite(value):
        raise ConfigError(f"{name}: found {value!r}, expected a finite number")
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    return Fraction(str(value))  # the shortest decimal that gives this number in its own precision


def parse_integer(name: str, value: Any, most: int | None = None, smallest: int | None = 0) -> int:
    """The whole number in [smallest, most], None: without that bound. ConfigError, with `name`, where it is none."""
    try:
        found = parse_number(name, value)
    except ConfigError as error:
        raise ConfigError(f"{name}: found {value!r}, expected a whole number") from error
    if found.denominator != 1:
        raise ConfigError(f"{name}: found {value!r}, expected a whole number")
    if smallest is not None and found < smallest:
        raise ConfigError(f"{name}: found {value!r}, expected at least {smallest}")
    if most is not None and found > most:
        raise ConfigError(f"{name}: found {value!r}, expected at most {most}")
    return int(found)


def check_at_least(smallest: int, **values: Any) -> None:
    """ConfigError for the first of the values, None aside, that is no whole number from `smallest` on."""
    for name, value in values.items():
        if value is not None:
            parse_integer(name, value, smallest=smallest)
