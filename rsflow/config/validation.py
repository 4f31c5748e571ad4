"""Strict reading of plain JSON values into frozen dataclasses, and the messages about faults.

One idea: pydantic does the checking, on standard dataclasses that carry `__pydantic_config__ = STRICT`; every fault is
reported with its path, the value found and what would be right, all at once.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from rsflow.errors import ConfigError

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

# What many settings are.
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", description="letters, digits, - and _")]

T = TypeVar("T")

# Pydantic's adapter of a type, made once per process: for a whole configuration that takes a tenth of a second.
type_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def check(kind: type[T], data: Any, where: str) -> T:
    """`data` (JSON types) as a value of the dataclass `kind`, or a ConfigError listing every fault with its path in `where`."""
    try:
        # Strict JSON mode: no text is taken for a number, yet a list may fill a tuple and a whole number a float.
        checked: T = type_adapter(kind).validate_json(json.dumps(data, default=str), strict=True)
        return checked
    except ValidationError as error:
        faults = "\n".join(f"  {_describe_error(kind, data, dict(item))}" for item in error.errors())
        raise ConfigError(f"{where}: the configuration is not right:\n{faults}") from error


def _describe_error(kind: type, data: Any, item: dict[str, Any]) -> str:
    place = [part for part in item["loc"] if isinstance(part, int) or "[" not in part]
    path = ".".join(map(str, place)) or "the file"
    if item["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        known = _known_keys(kind, place[:-1])
        close = difflib.get_close_matches(str(place[-1]), known, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return f"{path}: unknown key; {hint}known keys: {', '.join(known)}"
    if item["type"] in {"missing", "missing_argument"}:
        return f"{path}: is missing and has no default"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "value_error":  # ours: it names the values itself
        return f"{path}: {message}"
    shown = json.dumps(item["input"], default=str)
    return f"{path}: found {shown if len(shown) < 80 else shown[:77] + '...'}; {message[0].lower()}{message[1:]}"


def _known_keys(kind: Any, place: Sequence[str | int]) -> list[str]:
    hints = {f.name: f for f in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    if not place:
        return list(hints)
    target = kind if isinstance(place[0], int) else get_type_hints(kind).get(str(place[0])) if hints else None
    options = [option for option in (target, *get_args(target)) if dataclasses.is_dataclass(option)]
    tagged = [option for option in options if len(place) > 1 and place[1] == getattr(option, "kind", None)]
    rest = place[2:] if tagged or (len(place) > 1 and isinstance(place[1], int)) else place[1:]
    inner = next(iter(tagged or options), None)
    return _known_keys(inner, rest) if inner else []
