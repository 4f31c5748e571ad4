"""Conditions on attributes of features: which of them a rule is for.

One idea: a condition is on one attribute and is decided per distinct value, so a million features of twelve building types are
twelve decisions. Values are compared as text (1, 1.0 and "1" are alike), ranges as numbers.

Two forms: a mapping (`highway: [primary, secondary]`, `bridge: null` where it must be missing, `name: "*"` where it must be
there, `levels: {at_least: 3, below: 10}`, `access: {not: [private, no]}`), or one line in the manner of osmium's tag filters
(`highway=primary,secondary bridge !tunnel access!=private levels>=3`), whose terms must all hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rsflow.errors import ConfigError

Test = Callable[[Any], bool]

_TERM = re.compile(r"(?P<absent>!)?(?P<attribute>[^\s=!<>]+)(?:(?P<operator>!=|>=|<=|=|>|<)(?P<value>\S+))?$")
_RANGES: dict[str, Callable[[float, float], bool]] = {
    "at_least": lambda value, limit: value >= limit,
    "above": lambda value, limit: value > limit,
    "at_most": lambda value, limit: value <= limit,
    "below": lambda value, limit: value < limit,
}
_OPERATORS = {">=": "at_least", ">": "above", "<=": "at_most", "<": "below"}


@dataclass(frozen=True)
class Condition:
    attribute: str
    holds: Test  # of one value, None where the feature lacks the attribute


def parse_conditions(where: str | dict[str, Any], place: str) -> tuple[Condition, ...]:
    """The conditions of a rule, all of which must hold. ConfigError, naming `place`, for what is none."""
    terms = _parse_terms(where, place) if isinstance(where, str) else where.items()
    return tuple(Condition(attribute, _test(condition, f"{place}.{attribute}")) for attribute, condition in terms)


def normalise_value(value: Any) -> str:
    """An attribute's value as it is compared: whole floats without decimals, truth as true and false, no space around it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _parse_terms(line: str, place: str) -> Iterable[tuple[str, Any]]:
    for term in line.split():
        found = _TERM.match(term)
        if not found or (found["absent"] and found["operator"]):
            raise ConfigError(f"{place}: found {term!r}; expected key, !key, key=a,b, key!=a,b or key>=3")
        operator, value = found["operator"], found["value"]
        if operator in _OPERATORS:
            yield found["attribute"], {_OPERATORS[operator]: value}
        elif operator == "!=":
            yield found["attribute"], {"not": value.split(",")}
        else:
            yield found["attribute"], None if found["absent"] else value.split(",") if operator else "*"


def _test(condition: Any, place: str) -> Test:
    if condition is None:
        return lambda value: value is None
    if condition == "*" or condition == ["*"]:
        return lambda value: value is not None
    if isinstance(condition, dict):
        return _parse_mapping(condition, place)
    values = {normalise_value(item) for item in (condition if isinstance(condition, (list, tuple)) else [condition])}
    return lambda value: value is not None and normalise_value(value) in values


def _parse_mapping(condition: dict[str, Any], place: str) -> Test:
    known = [*_RANGES, "not"]
    if unknown := [name for name in condition if name not in known]:
        raise ConfigError(f"{place}: found {unknown[0]!r}; known: {', '.join(known)}")
    if "not" in condition:
        refused = _test(condition["not"], place)
        return lambda value: not refused(value)
    try:
        limits = [(_RANGES[name], float(limit)) for name, limit in condition.items()]
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: found {condition}; limits must be numbers") from error

    def within(value: Any) -> bool:
        number = _to_number(value)
        return number is not None and all(test(number, limit) for test, limit in limits)

    return within


def _to_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
