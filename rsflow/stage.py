"""What a step of the label phase is: a value that opens into a function over Arrow tables.

One idea: a stage is a frozen dataclass. Its fields are its settings, its fingerprint is the hash of its name, version and
fields, and `open()` returns the function that is called per batch. There is no lifecycle, no registry and no pipeline class.

A row that a stage drops is not removed but marked: the function sets the column `reject_reason` (and `reject_detail`), later
stages pass it by, and the last one counts it. `over_kept` below gives every stage that behaviour once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.compute as pc

YOUNGER: Mapping[str, Any] = {"younger": True}
_NEVER = object()

BatchFunction = Callable[[pa.Table], Iterator[pa.Table]]


@dataclass(frozen=True, slots=True)
class Resources:
    """What one copy of a stage needs.

    `workers` None: stateless tasks, as many as fit. A number or (min, max): long-lived actors that open the stage once.
    `gpus > 0` needs `workers`, because a model is loaded once per actor. `memory_bytes` is a scheduling hint per copy. What a
    batch of a model holds is the stage's own business: it gets whole blocks of work.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    workers: int | tuple[int, int] | None = None
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.gpus > 0 and self.workers is None:
            raise ValueError("a stage with gpus needs workers: a model is loaded once per actor")


@runtime_checkable
class Stage(Protocol):
    """A frozen dataclass with a `version` (raised when its output changes) and the two members below."""

    version: ClassVar[int]

    @property
    def resources(self) -> Resources: ...

    def open(self) -> BatchFunction: ...


class ModelStage(Stage, Protocol):
    """A stage that runs a model over written pictures. `name`: what progress, plans and reports call it.

    `busy_with`: so many tiles at once are enough to keep one copy of it busy.
    """

    @property
    def name(self) -> str: ...

    @property
    def busy_with(self) -> int: ...


def fingerprint(*parts: Any) -> str:
    """A 32-digit hexadecimal hash (BLAKE2b-128) of the parts' canonical JSON.

    Dataclasses count with their class name (`fingerprint_name`, where the class was renamed), `version` and fields, so that a
    stage's fingerprint changes when any of them does. Fields made with `field(compare=False)` say how the work is run and not
    what comes out, and are left out. So are fields with the metadata YOUNGER while they have their default, which is None or
    another value that is only one object: what was made before there was such a field stays valid.
    Floats are spelled by `repr`; dict keys are sorted; a value that JSON cannot spell is refused with TypeError.
    """
    text = json.dumps([_plain(part) for part in parts], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    # Plans hash several values of every scene: what is common comes first, and a class is looked into once.
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}  # JSON has no word for it
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            name: _plain(content)
            for name, default in _compared_fields(type(value))
            if (content := getattr(value, name)) is not default
        }
        return [getattr(value, "fingerprint_name", type(value).__name__), getattr(value, "version", 0), fields]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    raise TypeError(f"cannot fingerprint a {type(value).__name__}: {value!r}")


@cache
def _compared_fields(kind: type) -> tuple[tuple[str, Any], ...]:
    """(name, the value at which it is left out) of each field; no value is `_NEVER`."""
    return tuple(
        (field.name, field.default if field.metadata.get("younger") else _NEVER)
        for field in dataclasses.fields(kind)
        if field.compare
    )


def over_rows(function: Callable[[dict[str, Any]], pa.Table]) -> BatchFunction:
    """A batch function that gives each row of work to `function` by itself and yields its table."""
    return lambda table: (function(row) for row in table.to_pylist())


def over_kept(function: BatchFunction) -> BatchFunction:
    """The same function, but rows already rejected go past it unchanged (after the batch's kept rows)."""

    def run(table: pa.Table) -> Iterator[pa.Table]:
        kept, rejected = split_rejected(table)
        if kept.num_rows:
            yield from function(kept)
        if rejected.num_rows:
            yield rejected

    return run


def split_rejected(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(kept rows, rejected rows) of a batch, by its column `reject_reason`."""
    if "reject_reason" not in table.column_names or table["reject_reason"].null_count == table.num_rows:
        return table, table.slice(0, 0)  # the usual case: nothing of it is copied
    kept = pc.is_null(table["reject_reason"])
    return table.filter(kept), table.filter(pc.invert(kept))
